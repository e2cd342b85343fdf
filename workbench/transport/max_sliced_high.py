"""Max-SW in more than three dimensions: multi-start ascent from below, mixed transport plans from above.

From above: every plan π gives Max-SW_2² ≤ λ_max(M_π), M_π = Σ π_ij (x_i − y_j)(x_i − y_j)ᵀ, and the least such bound is
the subspace robust distance of Paty and Cuturi (arXiv 1901.08949) for k = 1. It is approached by Frank–Wolfe steps: the
plan that is optimal along the top eigenvector is mixed in with the best share. The two ends need not meet, for the
relaxation to rank-one mixtures is not tight in general.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from workbench.progress import Progress
from workbench.transport.kernel import merge
from workbench.transport.measures import Cloud
from workbench.transport.single import integer_masses

STARTS, STEPS, MIXTURES = 16, 200, 200


def search_high(
    x: Cloud, y: Cloud, tolerance: float, limit: int, progress: Progress
) -> tuple[float, float, NDArray[np.float64], int, bool]:
    """Return value, upper bound, direction, evaluations and whether they agree within the tolerance."""
    budget = _Budget(x, y, limit, progress)
    best, axis = -1.0, np.eye(x.dim)[0]
    for start in _starts(x, y):
        value, found = _ascend(budget, start)
        if value > best:
            best, axis = value, found
        if budget.is_spent:
            break
    _, mixed = budget.match(axis)
    upper = float(np.linalg.eigvalsh(mixed)[-1])
    for _ in range(MIXTURES):
        if budget.is_spent or upper <= best * (1 + tolerance):
            break
        top = np.linalg.eigh(mixed)[1][:, -1]
        value, other = budget.match(top)
        if value > best:
            best, axis = value, top
        line = minimize_scalar(
            lambda share, a=mixed, b=other: float(np.linalg.eigvalsh((1 - share) * a + share * b)[-1]),
            bounds=(0.0, 1.0),
            method="bounded",
            options={"xatol": 1e-10},
        )
        if line.fun >= upper * (1 - 1e-12):
            break
        mixed = (1 - line.x) * mixed + line.x * other
        upper = float(np.linalg.eigvalsh(mixed)[-1])
    upper = max(float(upper * (1 + (x.n + y.n) * np.finfo(float).eps)), best)
    progress.update(limit, limit, "done")
    return best, upper, axis, budget.spent, bool(upper <= best * (1 + tolerance))


class _Budget:
    """Counts the one-dimensional transports, reports and stops."""

    def __init__(self, x: Cloud, y: Cloud, limit: int, progress: Progress) -> None:
        self.x, self.y, self.limit, self.progress, self.spent = x, y, limit, progress, 0
        self.masses_x, self.masses_y, self.total = integer_masses(x, y)
        self.shift = x.centre - y.centre

    @property
    def is_spent(self) -> bool:
        return self.spent >= self.limit

    def match(self, theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Return f(θ) and M of the sorted pairing."""
        self.spent += 1
        self.progress.update(min(self.spent, self.limit), self.limit, "ascending")
        px, py = theta @ self.x.coordinates, theta @ self.y.coordinates
        order_x, order_y = np.argsort(px, kind="stable"), np.argsort(py, kind="stable")
        i, j, mass = _plan(self.masses_x[order_x], self.masses_y[order_y])
        rows, columns = order_x[i], order_y[j]
        mass = mass / self.total
        value = merge(px, order_x, self.masses_x, py, order_y, self.masses_y, float(theta @ self.shift), 2)
        difference = self.x.coordinates[:, rows] - self.y.coordinates[:, columns] + self.shift[:, None]
        return float(value / self.total), (difference * mass) @ difference.T


def _plan(first: NDArray[np.float64], second: NDArray[np.float64]) -> tuple[NDArray, NDArray, NDArray]:
    """Return the monotone plan between sorted masses: ranks, ranks, and the mass between them."""
    ends_x, ends_y = np.cumsum(first), np.cumsum(second)
    ends_y[-1] = ends_x[-1]
    ends = np.union1d(ends_x, ends_y)
    middles = ends - np.diff(ends, prepend=0.0) / 2
    i = np.minimum(np.searchsorted(ends_x, middles), len(first) - 1)
    j = np.minimum(np.searchsorted(ends_y, middles), len(second) - 1)
    return i, j, np.diff(ends, prepend=0.0)


def _starts(x: Cloud, y: Cloud) -> list[NDArray[np.float64]]:
    """Return the difference of the means, the axes in which the covariances differ most, and fixed random ones."""
    shift = x.centre - y.centre
    spreads = [(c.coordinates * c.all_masses) @ c.coordinates.T for c in (x, y)]
    vectors = np.linalg.eigh(spreads[0] - spreads[1])[1]
    chosen = [shift] if shift.any() else []
    chosen += [vectors[:, 0], vectors[:, -1]]
    rng = np.random.default_rng(0)
    chosen += list(rng.standard_normal((max(STARTS - len(chosen), 0), x.dim)))
    return [v / np.linalg.norm(v) for v in chosen]


def _ascend(budget: _Budget, theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Climb f from θ with a step that grows after success and is halved after failure."""
    value, matrix = budget.match(theta)
    step = 2.0
    for _ in range(STEPS):
        slope = matrix @ theta - value * theta
        if budget.is_spent or value <= 0 or np.linalg.norm(slope) <= 1e-9 * value:
            break
        moved = theta + step * slope / value
        moved /= np.linalg.norm(moved)
        found, other = budget.match(moved)
        if found > value:
            gained = found - value
            theta, value, matrix, step = moved, found, other, 1.5 * step
            if gained <= 1e-12 * value:
                break
        else:
            step /= 3
            if step < 1e-9:
                break
    return value, theta
