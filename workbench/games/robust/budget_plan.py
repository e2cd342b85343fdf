"""The best capital budget against the worst case: column and constraint generation around a certified adversary."""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from workbench import checks
from workbench.games.robust.budgeting import (
    FACTORS,
    BudgetWorstCase,
    CapitalBudgeting,
    budget_worst_case,
)
from workbench.games.robust.solve import LONGEST
from workbench.games.robust.solver import INFINITE, minimise
from workbench.progress import Progress

MOST_ROUNDS = 60
ROUGH = 20_000  # boxes of an evaluation during the search


@dataclass(frozen=True)
class BudgetPlan:
    """A plan with its certified worst case; no plan earns more than ``bound`` (a bound of HiGHS, in doubles)."""

    worst: BudgetWorstCase
    bound: float
    rounds: int
    seconds: float

    @property
    def gap(self) -> float:
        """The relative gap between what the plan surely earns and the bound on all plans."""
        return max(self.bound - self.worst.at_least, 0.0) / max(self.worst.at_least, 1e-300)


def budget_plan(
    problem: CapitalBudgeting,
    *,
    gap: float = 0.01,
    boxes: int = 200_000,
    time_limit: float = 60.0,
    progress: Progress | None = None,
) -> BudgetPlan:
    """Return the plan that surely earns most of those met, its worst case, and a bound on all plans.

    Each round solves a mixed-integer programme over the factors that were found, whose bound no plan exceeds, and looks
    for the worst factors of its plan; it ends when these bring nothing new, or after ``time_limit`` seconds. The worst
    case of the plan returned is then certified to the relative ``gap`` with at most so many ``boxes``.
    """
    gap = checks.real("gap", gap, minimum=0.0, maximum=1.0)
    time_limit = checks.real("time_limit", time_limit, exclusive_minimum=0.0, maximum=LONGEST)
    progress, started = progress or Progress(), time.monotonic()
    points = [np.ones(FACTORS), -np.ones(FACTORS), np.zeros(FACTORS)]
    best, bound, rounds = budget_worst_case(problem, np.zeros(problem.projects), gap=gap, boxes=ROUGH), INFINITE, 0
    for rounds in range(1, MOST_ROUNDS + 1):
        left = time_limit - (time.monotonic() - started)
        if left <= 0:
            break
        answer = over_points(problem, points, left)
        if answer is None:
            break
        plan, most = answer
        bound = min(bound, most)
        progress.update(rounds, MOST_ROUNDS, f"{best.at_least:,.6g} to {bound:,.6g}")
        found = budget_worst_case(problem, plan, gap=gap, boxes=ROUGH)
        if found.at_least > best.at_least:
            best = found
        if any(np.allclose(found.factors, point, atol=1e-6) for point in points) or best.at_least >= bound * (1 - gap):
            break
        points.append(found.factors)
    worst = budget_worst_case(problem, best.plan, gap=gap, boxes=boxes, progress=progress)
    if worst.at_least < best.at_least:
        worst = best
    return BudgetPlan(worst, float(max(bound, worst.at_least)), rounds, time.monotonic() - started)


def over_points(
    problem: CapitalBudgeting, points: list[NDArray], seconds: float
) -> tuple[NDArray[np.int8], float] | None:
    """Return (plan, bound): the plan that earns most at the worst of these factors, and what none exceeds there.

    max θ with a later choice for each point: θ ≤ rᵀ(x + k y), cᵀ(x + y) ≤ B, x + y ≤ 1, and x payable whatever happens.
    """
    n, s = problem.projects, len(points)
    total = n + 1 + n * s
    one = sparse.identity(n)
    blocks, upper = [], []
    for k, point in enumerate(points):
        cost, revenue = problem.at(point)
        before, after = sparse.csr_matrix((1, n * k)), sparse.csr_matrix((1, n * (s - 1 - k)))
        blocks.append(sparse.hstack([-revenue[None], [[1.0]], before, -problem.later * revenue[None], after]))
        blocks.append(sparse.hstack([cost[None], [[0.0]], before, cost[None], after]))
        wide = sparse.csr_matrix((n, 1)), sparse.csr_matrix((n, n * k)), sparse.csr_matrix((n, n * (s - 1 - k)))
        blocks.append(sparse.hstack([one, wide[0], wide[1], one, wide[2]]))
        upper.append(np.r_[0.0, problem.budget, np.ones(n)])
    dearest, _ = problem.at(np.ones(FACTORS))
    blocks.append(sparse.hstack([dearest[None], sparse.csr_matrix((1, total - n))]))
    upper.append(np.array([problem.budget]))
    rows = sparse.vstack(blocks).tocsr()
    cost = np.zeros(total)
    cost[n] = -1.0
    high = np.ones(total)
    high[n] = 1.5 * float(problem.revenue.sum())
    whole = np.r_[np.arange(n), np.arange(n + 1, total)]
    sides = np.concatenate(upper)
    found = minimise(rows, cost, np.full(sides.size, -INFINITE), sides, high, whole, seconds)
    return None if found is None else ((found[0][:n] > 0.5).astype(np.int8), -found[1])
