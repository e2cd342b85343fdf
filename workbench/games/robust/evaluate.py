"""What a plan is worth in its worst case, exactly, and what no plan can be worth: both with rational witnesses."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.games.plan_verifier import proofs
from workbench.games.plan_verifier.model import Problem
from workbench.games.robust.bounding import FREE, Bound, tighten, value_at
from workbench.games.robust.cuts import Cuts
from workbench.games.robust.problem import COLUMNS, Knapsack

FINEST = 2**40  # the denominator of scenarios: one part in 10¹² of an item's loss
NARROW = 2e-9  # relative: a sandwich that needs no dynamic programme to be closed further


@dataclass(frozen=True)
class WorstCase:
    """The worst case of a plan: ``at_least`` ≤ its worst profit ≤ ``at_most``, apart by rounding only.

    ``at_most`` is what the plan earns against ``scenario`` (n,), whose entries are ``numerators`` over ``denominator``
    and lie within the budget exactly; ``at_least`` is what the mixture of ``recourses`` (m, n; 0 left, 1 used,
    2 repaired) with the whole-number ``weights`` (m,) earns against any scenario.
    """

    plan: NDArray[np.int8]
    at_least: Fraction
    at_most: Fraction
    numerators: tuple[int, ...]
    denominator: int
    recourses: NDArray[np.int8]
    weights: tuple[int, ...]

    @property
    def profit(self) -> float:
        """The worst-case profit."""
        return float(self.at_least)

    @property
    def scenario(self) -> NDArray[np.float64]:
        """The scenario ξ, shape (n,)."""
        return np.array(self.numerators) / self.denominator


@dataclass(frozen=True)
class UpperBound:
    """No plan is worth more than ``value``: that much the best plan earns that may wait for ``scenario`` (n,)."""

    value: float
    scenario: NDArray[np.float64]
    mixture_use: NDArray[np.float64]


def worst_case(problem: Knapsack, x: ArrayLike) -> WorstCase:
    """Return the exact worst case of a plan x (n entries 0 or 1, or a text like "101010").

    Cutting planes over the scenarios with an exact recourse for each, to a relative gap of 1e-9; then both sides in
    rationals. Costs about a millisecond at n = 12 and some ten at n = 80. Raises ``ValueError`` for what is no plan.

    >>> from workbench.games.robust import Knapsack
    >>> two = Knapsack([40, 20], [20, 9], [8, 5], [20, 4], [48, 25], capacity=13, budget=1)
    >>> worst_case(two, "11").profit
    40.0
    """
    plan = problem.plan(x)
    return certified(problem, plan, tighten(Cuts(problem), plan))


def bound(problem: Knapsack) -> UpperBound:
    """Return a bound on the worst-case profit of every plan: the best that waiting for the scenario could bring.

    min over ξ of the most that any plan and recourse earn against ξ. Costs like one :func:`worst_case`.

    >>> from workbench.games.robust import Knapsack
    >>> bound(Knapsack([10], [6], [20], [5], [8], capacity=10, budget=1)).value
    2.0
    """
    found = tighten(Cuts(problem), np.full(problem.items, FREE, np.int8))
    numerators, denominator = rational_scenario(problem, found.scenario)
    scenario = np.array(numerators) / denominator
    value, _ = value_at(problem, np.full(problem.items, FREE, np.int8), scenario)
    return UpperBound(value, scenario, found.used)


def denominator_of(problem: Knapsack) -> int:
    """Return the finest power of two, at most 2^40, with which the exact sums stay below 2^61."""
    largest = int(problem.profit.sum() + problem.outsourcing.sum() + problem.loss.sum()) + 1
    return max(1, min(FINEST, 2 ** ((2**61 // largest).bit_length() - 1)))


def rational_scenario(problem: Knapsack, scenario: NDArray) -> tuple[tuple[int, ...], int]:
    """Return the scenario as numerators over one denominator, moved inside the budget."""
    d = denominator_of(problem)
    numerators = np.rint(np.clip(scenario, 0.0, 1.0) * d).astype(np.int64)
    over = int(numerators.sum()) - int(problem.exact_budget * d)
    if over > 0:
        largest = np.argsort(-numerators)
        before = np.cumsum(numerators[largest]) - numerators[largest]
        numerators[largest] -= np.clip(over - before, 0, numerators[largest])
    return tuple(numerators.tolist()), d


def exact(problem: Knapsack) -> Problem:
    """Return the problem in the verifier's whole numbers."""
    columns = {name: tuple(getattr(problem, name).tolist()) for name in COLUMNS}
    return Problem(**columns, capacity=problem.capacity, budget=problem.exact_budget)


def certified(problem: Knapsack, plan: NDArray, found: Bound) -> WorstCase:
    """Return the worst case of a plan with both sides proved in rationals, from its bound in floating point."""
    numerators, d = rational_scenario(problem, found.scenario)
    weights = np.rint(found.mixture * FINEST).astype(np.int64)
    if not weights.any():
        weights = np.ones(len(weights), np.int64)
    recourses, weights = found.recourses[weights > 0], weights[weights > 0]
    at_least = mixture_value(problem, plan, weights, recourses)
    whole, state = exact(problem), tuple(plan.tolist())
    # weak duality proves the other side in O(n); the dynamic programme is asked only where that leaves a gap
    at_most = proofs.leaf_bound(whole, state, numerators, d)
    if at_most - at_least > Fraction(NARROW) * max(1, abs(at_least)):
        at_most = min(at_most, proofs.leaf_value(whole, state, numerators, d))
    return WorstCase(
        plan=plan,
        at_least=at_least,
        at_most=at_most,
        numerators=numerators,
        denominator=d,
        recourses=recourses,
        weights=tuple(weights.tolist()),
    )


def mixture_value(problem: Knapsack, plan: NDArray, weights: NDArray, recourses: NDArray) -> Fraction:
    """Return what the verifier's function of that name does, in 64-bit integers where these hold every sum."""
    total = int(weights.sum())
    largest = int((problem.profit + problem.outsourcing + problem.loss).sum()) + 1
    if total * largest >= 2**62:
        rows = tuple(map(tuple, recourses.tolist()))
        return proofs.mixture_value(exact(problem), tuple(plan.tolist()), tuple(weights.tolist()), rows)
    used = recourses > 0
    load = used @ problem.weight + (recourses == 2) @ problem.repair
    if (used & (plan == 0)).any() or (load > problem.capacity).any():
        raise ArithmeticError("a recourse of the mixture is not within the plan and the capacity")
    earned = total * int(((problem.profit - problem.outsourcing) * plan).sum())
    earned += int((weights @ used) @ problem.outsourcing)
    exposed = np.sort((weights @ (recourses == 1)) * problem.loss)[::-1]
    whole = min(int(problem.exact_budget), problem.items)
    worst = Fraction(int(exposed[:whole].sum()))
    if whole < problem.items:
        worst += (problem.exact_budget - whole) * int(exposed[whole])
    return (earned - worst) / total
