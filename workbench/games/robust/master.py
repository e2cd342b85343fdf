"""The two mixed-integer programmes of the methods: over recourses that were found, and over scenarios that were."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from workbench.games.robust.problem import Knapsack
from workbench.games.robust.solver import INFINITE, minimise


def over_recourses(problem: Knapsack, recourses: NDArray, seconds: float) -> NDArray[np.int8] | None:
    """Return the plan that is worth most if only these recourses (m, n) may be mixed; None if none was found in time.

    max Σ (p̄ - f) x + Σ_j λ_j f·y_j - Γπ - Σρ, with Σλ = 1, Σ_j λ_j y_ij ≤ x_i and π + ρ_i ≥ Σ_j λ_j p̂_i (y - r)_ij:
    the mixture of a plan's worst case with the dual of the scenarios, x binary.
    """
    m, n = recourses.shape
    used = sparse.csr_matrix((recourses > 0).T.astype(float))
    hit = sparse.csr_matrix(((recourses == 1) * problem.loss).T.astype(float))
    one, none = sparse.identity(n), sparse.csr_matrix((n, n))
    column = sparse.csr_matrix(np.ones((n, 1)))
    rows = sparse.vstack(
        [
            sparse.hstack([sparse.csr_matrix((1, n)), np.ones((1, m)), sparse.csr_matrix((1, n + 1))]),
            sparse.hstack([-one, used, sparse.csr_matrix((n, 1)), none]),
            sparse.hstack([none, hit, -column, -one]),
        ]
    ).tocsr()
    cost = np.r_[
        problem.outsourcing - problem.profit,
        -((recourses > 0) @ problem.outsourcing),
        problem.budget,
        np.ones(n),
    ].astype(float)
    lower = np.r_[1.0, np.full(2 * n, -INFINITE)]
    upper = np.r_[1.0, np.zeros(2 * n)]
    high = np.r_[np.ones(n), np.full(m + 1 + n, INFINITE)]
    found = minimise(rows, cost, lower, upper, high, np.arange(n), seconds)
    return None if found is None else (found[0][:n] > 0.5).astype(np.int8)


def over_scenarios(
    problem: Knapsack, scenarios: list[NDArray], seconds: float
) -> tuple[NDArray[np.int8], float] | None:
    """Return (plan, bound): the plan worth most against these scenarios only, and what no plan exceeds against them.

    max Σ (p̄ - f) x + θ with, for each scenario, a recourse of its own: θ ≤ Σ f y - p̂ξ (y - r), r ≤ y ≤ x binary,
    Σ c y + t r ≤ C. Variables: x, θ, then y and r of each scenario. None if no plan was found in time.
    """
    n, s = problem.items, len(scenarios)
    one = sparse.identity(n)
    total = n + 1 + 2 * n * s
    blocks, lower, upper = [], [], []
    for k, scenario in enumerate(scenarios):
        before, after = 2 * n * k, 2 * n * (s - 1 - k)

        def rows(x, theta, y, r, before=before, after=after):
            height = np.atleast_2d(y).shape[0] if not sparse.issparse(y) else y.shape[0]
            parts = [x if x is not None else sparse.csr_matrix((height, n)), theta, sparse.csr_matrix((height, before))]
            return sparse.hstack([*parts, y, r, sparse.csr_matrix((height, after))])

        lost = problem.loss * scenario
        blocks.append(
            rows(
                None,
                sparse.csr_matrix([[1.0]]),
                sparse.csr_matrix(lost - problem.outsourcing),
                sparse.csr_matrix(-lost),
            )
        )
        blocks.append(
            rows(
                None,
                sparse.csr_matrix((1, 1)),
                sparse.csr_matrix(problem.weight.astype(float)),
                sparse.csr_matrix(problem.repair.astype(float)),
            )
        )
        blocks.append(rows(-one, sparse.csr_matrix((n, 1)), one, sparse.csr_matrix((n, n))))
        blocks.append(rows(None, sparse.csr_matrix((n, 1)), -one, one))
        upper.append(np.r_[0.0, problem.capacity, np.zeros(2 * n)])
        lower.append(np.full(2 + 2 * n, -INFINITE))
    cost = np.zeros(total)
    cost[:n], cost[n] = problem.outsourcing - problem.profit, -1.0
    high = np.ones(total)
    high[n] = float(problem.outsourcing.sum())
    whole = np.r_[np.arange(n), np.arange(n + 1, total)]
    found = minimise(
        sparse.vstack(blocks).tocsr(), cost, np.concatenate(lower), np.concatenate(upper), high, whole, seconds
    )
    return None if found is None else ((found[0][:n] > 0.5).astype(np.int8), -found[1])
