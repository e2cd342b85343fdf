"""The tree of a search, and the certificate that is written from it."""

import json
import math
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from workbench.games.plan_verifier import FORMAT, VERSION, digest
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

    def bounded(self) -> float:
        """Return what no plan below exceeds: the largest bound of a leaf."""
        return max(leaf.bound for leaf in self.leaves())


def root(problem: Knapsack) -> Node:
    """Return the node of all plans with the first bound there is: all profits, no loss, capacity at will."""
    return Node(np.full(problem.items, FREE, np.int8), math.inf, np.zeros(problem.items))


def write(problem: Knapsack, worst: WorstCase, tree: Node) -> tuple[str, float]:
    """Return (certificate, bound): the document that :mod:`..plan_verifier` checks, and what no plan exceeds by it.

    Scenarios are rounded to rationals inside the budget and asked once more, in floating point with an allowance for
    rounding of 1e-11 of all profits: by weak duality, which is cheap, and by the dynamic programme where that says more
    than is known. The verifier asks again in whole numbers.
    """
    d = denominator_of(problem)
    relaxation = Relaxation(problem)
    allowance = 1e-11 * float(problem.profit.sum() + problem.outsourcing.sum())
    places: dict[tuple[int, ...], int] = {}
    walk, order, most = [tree], [], -math.inf
    while walk:
        node = walk.pop()
        if node.children:
            order.append(node.split)
            walk.extend(reversed(node.children))
            continue
        numerators, _ = rational_scenario(problem, node.scenario)
        order.append(-1 - places.setdefault(numerators, len(places)))
        rounded = np.array(numerators) / d
        value = relaxation.at(node.state, rounded)
        if value > max(most, node.bound):
            value = min(value, value_at(problem, node.state, rounded)[0])
        most = max(most, value)
    witness = places.setdefault(worst.numerators, len(places))
    none_above = math.ceil((most + allowance) * d)
    document = {
        "format": FORMAT,
        "version": VERSION,
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
        "none_above": [none_above, d],
        "tree": order,
        "scenarios": [list(numerators) for numerators in places],
        "denominator": d,
    }
    document["digest"] = digest(document)
    return json.dumps(document, separators=(",", ":")), float(Fraction(none_above, d))


def _digits(row: NDArray) -> str:
    return "".join(map(str, row.tolist()))
