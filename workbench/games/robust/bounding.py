"""The heart of every method: the least, over scenarios, of the best that is left to do.

A node says of each item whether it is in the plan, out of it, or free to wait until the scenario is known. Its value
V(ξ) = Σ_i base_i + max Σ_i y_i (p̄_i - base_i) - p̂_i ξ_i (y_i - r_i), with base_i = p̄_i - f_i for an item that is in, 0
for one that is out and max(p̄_i - f_i, 0) for one that is free, is the largest of finitely many affine functions of ξ:
convex. With all items decided, min V is the exact worst case of the plan; otherwise every V(ξ) bounds all plans of the
node from above. Cutting planes find the minimum: each scenario asked gives one recourse, each recourse one cut; the
duals of the last linear programme are the mixture of recourses that attains it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray

from workbench.games.robust.problem import Knapsack
from workbench.games.robust.recourse import best_choices

FREE, OUT, IN = -1, 0, 1
TOLERANCE = 1e-9  # relative: where the sandwich of a linear programme counts as closed
MOST_CUTS = 5000
MIX = 0.7  # weight of the programme's scenario, the rest is the best so far: keeps the scenarios from jumping


@dataclass(frozen=True)
class Bound:
    """The least value of a node: ``lower`` ≤ min V ≤ ``upper`` = V(``scenario``).

    ``recourses`` has shape (m, n) with entries 0, 1 (used), 2 (repaired), ``mixture`` (m,) their weights, Σ = 1.
    """

    upper: float
    lower: float
    scenario: NDArray[np.float64]
    recourses: NDArray[np.int8]
    mixture: NDArray[np.float64]
    asked: int

    @property
    def used(self) -> NDArray[np.float64]:
        """How much of each item the mixture uses, shape (n,), between 0 and 1."""
        return self.mixture @ (self.recourses > 0)


def bases(problem: Knapsack, state: NDArray) -> NDArray[np.float64]:
    """Return what each item brings when it is not produced, shape (n,)."""
    short = (problem.profit - problem.outsourcing).astype(np.float64)
    return np.where(state == IN, short, np.where(state == OUT, 0.0, np.maximum(short, 0.0)))


def value_at(problem: Knapsack, state: NDArray, scenario: NDArray) -> tuple[float, NDArray[np.int8]]:
    """Return V(ξ) of a node and the recourse that attains it."""
    base = bases(problem, state)
    open_ = np.flatnonzero(state != OUT)
    profit = problem.profit[open_] - base[open_]
    gains = np.stack([profit - problem.loss[open_] * scenario[open_], profit], axis=1)
    weights = np.stack([problem.weight[open_], problem.weight[open_] + problem.repair[open_]], axis=1)
    value, chosen = best_choices(base[open_], gains, weights, problem.capacity)
    choices = np.zeros(problem.items, np.int8)
    choices[open_] = chosen
    return value, choices


class Cuts:
    """The linear programme min z, z ≥ A_j - Σ_i p̂_i ξ_i (y_ij - r_ij) over the scenarios, kept warm between calls."""

    def __init__(self, problem: Knapsack) -> None:
        self.problem = problem
        n = problem.items
        self.recourses = np.zeros((64, n), np.int8)
        self.count = 0
        self._seen: set[bytes] = set()
        self.lp = highspy.Highs()
        self.lp.setOptionValue("output_flag", False)
        self.lp.setOptionValue("threads", 1)
        self.lp.setOptionValue("presolve", "off")
        self.lp.addVars(n + 1, np.r_[np.zeros(n), -highspy.kHighsInf], np.r_[np.ones(n), highspy.kHighsInf])
        self.lp.changeColCost(n, 1.0)
        self.lp.addRow(-highspy.kHighsInf, problem.budget, n, np.arange(n, dtype=np.int32), np.ones(n))
        self.add(np.zeros(n, np.int8), 0.0)  # to do nothing is allowed in every node: the programme stays bounded

    def add(self, choices: NDArray[np.int8], level: float) -> bool:
        """Add the cut of one recourse at its ``level`` A; False if it is there already."""
        key = choices.tobytes()
        if key in self._seen:
            return False
        self._seen.add(key)
        if self.count == len(self.recourses):
            self.recourses = np.concatenate([self.recourses, np.zeros_like(self.recourses)])
        self.recourses[self.count] = choices
        self.count += 1
        n = self.problem.items
        hit = np.flatnonzero(choices == 1).astype(np.int32)
        index = np.append(hit, np.int32(n))
        self.lp.addRow(level, highspy.kHighsInf, index.size, index, np.append(self.problem.loss[hit], 1.0))
        return True

    def levels(self, state: NDArray) -> NDArray[np.float64]:
        """Return A_j of each recourse in a node, minus infinity where it uses an item that is out; shape (m,)."""
        used = self.recourses[: self.count] > 0
        base = bases(self.problem, state)
        level = base.sum() + used @ (self.problem.profit - base)
        return np.where((used & (state == OUT)).any(axis=1), -np.inf, level)

    def set_levels(self, level: NDArray) -> None:
        """Move the programme to the levels of another node."""
        rows = np.arange(1, self.count + 1, dtype=np.int32)
        lower = np.where(np.isinf(level), -highspy.kHighsInf, level)
        self.lp.changeRowsBounds(self.count, rows, lower, np.full(self.count, highspy.kHighsInf))

    def solve(self) -> tuple[float, NDArray, NDArray]:
        """Return (z, scenario, mixture) of the programme as it stands."""
        self.lp.run()
        if self.lp.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            self.lp.clearSolver()  # a basis gone bad: once more from the start
            self.lp.run()
            if self.lp.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                raise ArithmeticError("the linear programme of the worst case was not solved; scale the data down")
        solution = self.lp.getSolution()
        n = self.problem.items
        values = np.asarray(solution.col_value)
        mixture = np.maximum(np.asarray(solution.row_dual)[1:], 0.0)
        return values[n], np.clip(values[:n], 0.0, 1.0), mixture


def tighten(
    cuts: Cuts,
    state: NDArray,
    *,
    start: NDArray | None = None,
    stop_below: float = -np.inf,
    report: Callable[[float, float], bool] | None = None,
) -> Bound:
    """Return the least value of a node to a relative gap of 1e-9, from the cuts there are and new ones.

    Stops early as soon as a scenario brings the value to ``stop_below`` or under it, or ``report(lower, upper)`` says
    False. ``start`` is asked first. The bound ``upper`` is valid whenever it stops.
    """
    problem = cuts.problem
    best = np.zeros(problem.items) if start is None else start
    upper, choices = value_at(problem, state, best)
    asked, lower = 1, -np.inf
    mixture = np.zeros(0)
    if upper > stop_below or start is None:
        cuts.set_levels(cuts.levels(state))
        added = cuts.add(choices, _level(problem, state, choices))
        for _ in range(MOST_CUTS):
            lower, point, mixture = cuts.solve()
            if upper - lower <= TOLERANCE * max(1.0, abs(upper)) or (report and not report(lower, upper)):
                break
            query = MIX * point + (1 - MIX) * best if added else point
            value, choices = value_at(problem, state, query)
            asked += 1
            if value < upper:
                upper, best = value, query
            if upper <= stop_below:
                break
            fresh = cuts.add(choices, _level(problem, state, choices))
            if not fresh and not added:
                break  # the programme's own point brought nothing new: what is left is rounding
            added = fresh
    keep = np.flatnonzero(mixture > 1e-12)
    if keep.size == 0:
        recourses, mixture = choices[None], np.ones(1)
    else:
        recourses, mixture = cuts.recourses[keep], mixture[keep] / mixture[keep].sum()
    return Bound(upper, lower, best, recourses.copy(), mixture, asked)


def _level(problem: Knapsack, state: NDArray, choices: NDArray) -> float:
    base = bases(problem, state)
    return float(base.sum() + ((problem.profit - base) * (choices > 0)).sum())
