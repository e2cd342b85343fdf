"""Functional maps: a correspondence as a small matrix between two spectra, and back to points.

Π: Y → X sends vertices of Y to vertices of X. It carries functions on X to functions on Y, and in the bases that is the
matrix C = Φ_Y⁺ Π Φ_X (k_Y, k_X). Both surfaces have area 1. The paper: arXiv 2403.01781, whose equations these are as
its released code has them; Ovsjanikov et al. 2012; Ren et al. 2019 (mask); Melzi et al. 2019 (ZoomOut).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from workbench.progress import Progress
from workbench.shapes.correspondences.laplacian import Basis

BLOCK = 4_000_000
"""Numbers of a distance table held at once."""
SHARPNESS, ROUNDS = 0.1, 10
"""The paper's Sinkhorn: squared distances over their mean over 0.1, ten rounds."""
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def resolvent_mask(x: Floats, y: Floats) -> Floats:
    """Return D (k_Y, k_X), 0 where two eigenvalues agree: D_ij = (g(μ_i) − g(λ_j))² + (r(μ_i) − r(λ_j))².

    g = √λ/(λ + 1) and r = 1/(λ + 1) are real and imaginary part of a resolvent, of eigenvalues over their maximum.
    """
    top = max(x[-1], y[-1])
    a, b = x / top, y / top

    def apart(f: Floats, h: Floats) -> Floats:
        return (h[:, None] - f[None, :]) ** 2

    return apart(np.sqrt(a) / (a + 1), np.sqrt(b) / (b + 1)) + apart(1 / (a + 1), 1 / (b + 1))


def solve_map(a: Floats, b: Floats, mask: Floats, mu: float) -> Floats:
    """Return C (k_Y, k_X) that minimises ‖C A − B‖² + μ Σ D_ij C_ij², its rows solved in one batch.

    ``a`` (k_X, d) and ``b`` (k_Y, d) are coefficients of descriptors. Row i is (A Aᵀ + μ diag D_i)⁻¹ A B_iᵀ. Where
    descriptors are too few to determine it (μ = 0), the least-squares solution of least norm is taken.
    """
    gram, right = a @ a.T, b @ a.T
    if mu == 0:
        return np.linalg.lstsq(a.T, b.T, rcond=None)[0].T
    systems = gram + mu * mask[:, :, None] * np.eye(len(gram))
    # Where two eigenvalues agree a row has no penalty on itself, and descriptors may not see its function either (they
    # are blind to what is odd under a symmetry). A rounding error's worth of ridge keeps such a system from being
    # singular, and one step of refinement takes away what it does to all others.
    ridged = systems + 4 * np.finfo(float).eps * np.trace(gram) * np.eye(len(gram))
    found = np.linalg.solve(ridged, right[:, :, None])
    found += np.linalg.solve(ridged, right[:, :, None] - systems @ found)
    return found[:, :, 0]


def nearest(x: Floats, y: Floats) -> Ints:
    """Return for each row of ``y`` (m, d) the number of the nearest row of ``x`` (n, d)."""
    half = np.einsum("nd,nd->n", x, x) / 2
    found = np.empty(len(y), dtype=np.int64)
    block = max(1, BLOCK // len(x))
    for start in range(0, len(y), block):
        found[start : start + block] = np.argmin(half - y[start : start + block] @ x.T, axis=1)
    return found


def to_points(c: Floats, x: Basis, y: Basis) -> Ints:
    """Return the point map Y → X of a functional map: the nearest row of Φ_X Cᵀ to each row of Φ_Y."""
    rows, columns = c.shape
    return nearest(x.functions[:, :columns] @ c.T, y.functions[:, :rows])


def of_points(points: Ints, x: Basis, y: Basis, k_x: int, k_y: int) -> Floats:
    """Return the functional map C = Φ_Y⁺ Π Φ_X (k_y, k_x) of a point map Y → X."""
    return y.coefficients(x.functions[points, :k_x], k_y)


def partners(x: Basis, y: Basis, k: int) -> int:
    """Return how many functions of Y go with the first k of X: k, or fewer where Y is a part, by Weyl's law.

    Of surfaces in one scale these are the eigenvalues of Y up to the k-th of X; the functional map is then slanted.
    """
    if not np.isclose(x.masses.sum(), y.masses.sum(), rtol=1e-6):
        k = int(np.clip(np.count_nonzero(y.values <= x.values[k - 1]), 2, k))
    return min(k, y.k)


def zoom(c: Floats, x: Basis, y: Basis, k: int, step: int = 5) -> Iterator[Floats]:
    """Yield the maps of ZoomOut: to points and back to a map with ``step`` more functions, until ``k`` of X."""
    columns = c.shape[1]
    while True:
        points = to_points(c, x, y)
        columns = min(columns + step, k)
        c = of_points(points, x, y, columns, partners(x, y, columns))
        yield c
        if columns >= k:
            return


def zoomed(c: Floats, x: Basis, y: Basis, k: int, step: int, progress: Progress) -> Floats:
    """Return the last map of ZoomOut."""
    first = c.shape[1]
    refined = c
    for refined in zoom(c, x, y, k, step):
        columns = refined.shape[1]
        progress.update(columns - first, max(k - first, 1), f"ZoomOut to {columns} functions")
    return refined


def sinkhorn(cost: Floats, a: Floats, b: Floats, sharpness: float = SHARPNESS, rounds: int = ROUNDS) -> Floats:
    """Return log Π (n, m) of Sinkhorn's iterations for the masses a (n,) and b (m,); the rows are exact at the end.

    ``cost`` is divided by its mean; ``sharpness`` is ε in that unit. What the columns lack after so many rounds is
    :func:`marginal_error`.
    """
    kernel = -cost / (cost.mean() * sharpness)
    log_a, log_b, columns = np.log(a), np.log(b), np.zeros(len(b))
    for _ in range(rounds):
        rows = log_a - logsumexp(kernel + columns, axis=1)
        columns = log_b - logsumexp(kernel + rows[:, None], axis=0)
    rows = log_a - logsumexp(kernel + columns, axis=1)
    return kernel + rows[:, None] + columns


def marginal_error(log_plan: Floats, b: Floats) -> float:
    """Return Σ |column sums of the plan − b|, of masses that sum to 1: 0 where Sinkhorn has converged."""
    return float(np.abs(np.exp(log_plan).sum(axis=0) - b).sum())


def sinkhorn_zoom(c: Floats, x: Basis, y: Basis, k: int, step: int, progress: Progress) -> tuple[Floats, Floats, float]:
    """Refine a map through soft correspondences: Sinkhorn's plan between Φ_Y and Φ_X Cᵀ takes the place of points.

    Returns C (k, k), log Π (n_Y, n_X) of the last plan, and its error in the columns. Masses are areas, so the plan
    covers X evenly, which nearest neighbours need not.
    """
    first = c.shape[1]
    b = x.masses * (y.masses.sum() / x.masses.sum())  # a part is spread over all of X, which is wrong by what it lacks
    while True:
        rows, columns = c.shape
        ahead, behind = x.functions[:, :columns] @ c.T, y.functions[:, :rows]
        cost = (behind**2).sum(axis=1)[:, None] + (ahead**2).sum(axis=1) - 2 * behind @ ahead.T
        log_plan = sinkhorn(np.maximum(cost, 0.0), y.masses, b)
        if columns >= k:
            return c, log_plan, marginal_error(log_plan, b) / float(b.sum())
        columns = min(columns + step, k)
        rows = partners(x, y, columns)
        soft = np.exp(log_plan) / y.masses[:, None]  # each row sums to 1
        c = y.coefficients(soft @ x.functions[:, :columns], rows)
        progress.update(columns - first, max(k - first, 1), f"Sinkhorn with {columns} functions")
