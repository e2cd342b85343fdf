"""The tree of a search, and the certificate that is written from it."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.games.plan_verifier import FORMAT, VERSION, WITH_PRICES, digest
from workbench.games.robust.bounding import FREE, value_at
from workbench.games.robust.evaluate import WorstCase, denominator_of, rational_scenario
from workbench.games.robust.problem import COLUMNS, Knapsack
from workbench.games.robust.relaxation import Relaxation


@dataclass
class Node:
    """A part of all plans: ``state`` (n,), what no plan in it exceeds, and the scenario that shows it."""

    state: NDArray[np.int8]
    bound: float
    scenario: NDArray[np.float64]
    split: int = -1
    children: list["Node"] = field(default_factory=list)
    """First the plans with item ``split``, then those without."""

    def leaves(self) -> list["Node"]:
        """Return the leaves below, in preorder."""
        found, waiting = [], [self]
        while waiting:
            node = waiting.pop()
            if node.children:
                waiting.extend(reversed(node.children))
            else:
                found.append(node)
        return found

    def walk(self) -> "Walk":
        """Yield the tree in preorder, see :data:`Walk`."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            if node.children:
                yield "item", node.split
                waiting.extend(reversed(node.children))
            else:
                yield "leaf", Strip(node.state, 0.0, 0.0, 0.0, node.scenario)

    def bounded(self) -> float:
        """Return what no plan below exceeds: the largest bound of a leaf."""
        return max(leaf.bound for leaf in self.leaves())


def root(problem: Knapsack) -> Node:
    """Return the node of all plans with the first bound there is: all profits, no loss, capacity at will."""
    return Node(np.full(problem.items, FREE, np.int8), math.inf, np.zeros(problem.items))


@dataclass(frozen=True)
class Strip:
    """A leaf: no plan of ``state`` (n,) is worth more than ``scenario`` shows, or ``price`` for π in [low, high].

    ``scenario`` is None where the price shows it.
    """

    state: NDArray[np.int8]
    low: float
    high: float
    price: float
    scenario: NDArray[np.float64] | None


Walk = Iterable[tuple[str, Any]]
"""A tree in preorder: ("item", i) splits, i in first; ("cut", π) cuts a strip, lower part first; ("leaf", Strip)."""


class Evidence:
    """What the tree of a certificate is written as, and what no plan exceeds by it.

    Scenarios are rounded to rationals inside the budget and asked once more, in floating point with an allowance for
    rounding of 1e-11 of all profits: by weak duality, which is cheap, and by the dynamic programme where that says more
    than is known. Prices are rounded to the grain and asked once more too. The verifier asks again in whole numbers.
    """

    def __init__(self, problem: Knapsack) -> None:
        self.problem, self.relaxation, self.d = problem, Relaxation(problem), denominator_of(problem)
        self.places: dict[tuple[int, ...], int] = {}
        self.order: list[tuple[str, Any]] = []
        self.ends: set[int] = set()
        self.prices: dict[int, int] = {}
        self.most = -math.inf
        largest = max(float((problem.outsourcing / problem.weight).max()), float(problem.loss.max()), 1.0)
        self.grain = 2 ** min(40, 61 - math.ceil(math.log2(largest)))

    def read(self, walk: Walk) -> "Evidence":
        """Take a whole tree."""
        for kind, what in walk:
            if kind == "item":
                self.order.append(("item", int(what)))
            elif kind == "cut":
                self.order.append(("cut", self._grains(what)))
                self.ends.add(self._grains(what))
            elif what.scenario is None:
                self._by_price(what)
            else:
                self._by_scenario(what)
        return self

    def _grains(self, value: float) -> int:
        return round(Fraction(value) * self.grain)

    def _by_scenario(self, leaf: Strip) -> None:
        numerators, _ = rational_scenario(self.problem, leaf.scenario)
        self.order.append(("scenario", self.places.setdefault(numerators, len(self.places))))
        rounded = np.array(numerators) / self.d
        value = self.relaxation.at(leaf.state, rounded)
        if value > self.most:
            value = min(value, value_at(self.problem, leaf.state, rounded)[0])
        self.most = max(self.most, value)

    def _by_price(self, leaf: Strip) -> None:
        price = self._grains(max(leaf.price, 0.0))
        self.order.append(("price", self.prices.setdefault(price, len(self.prices))))
        for end in (leaf.low, leaf.high):
            value = self.relaxation.at_prices(leaf.state, price / self.grain, self._grains(end) / self.grain)
            self.most = max(self.most, value)

    def bound(self) -> tuple[int, int]:
        """Return what no plan exceeds as (numerator, denominator)."""
        allowance = 1e-11 * float(self.problem.profit.sum() + self.problem.outsourcing.sum())
        return math.ceil((self.most + allowance) * self.d), self.d

    def entries(self) -> dict[str, Any]:
        """Return the tree and what it points to, as they stand in the document; scenarios of others follow after."""
        last = int(self.problem.loss.max()) * self.grain
        ends = sorted(self.ends | {max(last, 1)})
        place = {end: k for k, end in enumerate(ends)}
        n, scenarios = self.problem.items, len(self.places)
        code = {
            "item": lambda what: what,
            "cut": lambda what: n + place[what],
            "scenario": lambda what: -1 - what,
            "price": lambda what: -1 - scenarios - what,
        }
        found: dict[str, Any] = {
            "tree": [code[kind](what) for kind, what in self.order],
            "scenarios": [list(numerators) for numerators in self.places],
        }
        if self.prices:
            found |= {"ends": ends, "prices": list(self.prices), "grain": self.grain}
        return found


def write(problem: Knapsack, worst: WorstCase, tree: Node, strips: Walk | None = None) -> tuple[str, float]:
    """Return (certificate, bound): the document that :mod:`..plan_verifier` checks, and what no plan exceeds by it.

    Of the two trees, where there are two, the one that says more is written down.
    """
    told = [Evidence(problem).read(tree.walk())]
    if strips is not None and problem.loss.any():
        told.append(Evidence(problem).read(strips))
    best = min(told, key=lambda evidence: evidence.bound())
    d = best.d
    witness = best.places.setdefault(worst.numerators, len(best.places))
    none_above = best.bound()
    document = {
        "format": FORMAT,
        "version": WITH_PRICES if best.prices else VERSION,
        "problem": {
            **{name: getattr(problem, name).tolist() for name in COLUMNS},
            "capacity": problem.capacity,
            "budget": [problem.exact_budget.numerator, problem.exact_budget.denominator],
        },
        "plan": _digits(worst.plan),
        "at_least": [math.floor(worst.at_least * d), d],
        "mixture": {"weights": list(worst.weights), "recourses": [_digits(row) for row in worst.recourses]},
        "at_most": [math.ceil(worst.at_most * d), d],
        "witness": witness,
        "none_above": list(none_above),
        "denominator": d,
        **best.entries(),
    }
    document["digest"] = digest(document)
    return json.dumps(document, separators=(",", ":")), float(Fraction(*none_above))


def _digits(row: NDArray) -> str:
    return "".join(map(str, row.tolist()))
