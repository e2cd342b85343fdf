"""What a certificate says, once it is known to be well formed: immutable, whole numbers and exact fractions only."""

from dataclasses import dataclass
from fractions import Fraction

FREE, OUT, IN = -1, 0, 1


@dataclass(frozen=True)
class Problem:
    """A two-stage robust knapsack; tuples hold one entry per item."""

    profit: tuple[int, ...]
    loss: tuple[int, ...]
    weight: tuple[int, ...]
    repair: tuple[int, ...]
    outsourcing: tuple[int, ...]
    capacity: int
    budget: Fraction


@dataclass(frozen=True)
class Leaf:
    """A part of all plans (-1 free, 0 out, 1 in per item), and what bounds it: a scenario, or a price.

    ``scenario`` is a place among the scenarios, or -1: then ``price`` u of a unit of capacity bounds what the plans are
    worth with a price of nature's budget from ``low`` to ``high``; all three are numerators over the document's grain.
    """

    state: tuple[int, ...]
    scenario: int
    low: int = 0
    high: int = 0
    price: int = 0


@dataclass(frozen=True)
class Document:
    """The claims and what they rest on; ``scenarios`` holds numerators over ``denominator``."""

    problem: Problem
    plan: tuple[int, ...]
    at_least: Fraction
    weights: tuple[int, ...]
    recourses: tuple[tuple[int, ...], ...]
    at_most: Fraction
    witness: int
    none_above: Fraction
    leaves: tuple[Leaf, ...]
    scenarios: tuple[tuple[int, ...], ...]
    denominator: int
    grain: int = 1
