"""Weights of games with up to millions of players: matrix-free, then proved row by row.

A certificate does not need the Perron vectors themselves, only two positive vectors with A z ≥ α z and
Aᵀ v ≥ α v. So: estimate τ by power iteration, step back to α = 0.99 τ, solve (A - α I) z = 1 and
its transpose to a residual below 1/2 (then A z - α z > 1/2 > 0 row by row) and verify. A sparse LU would fill in;
here only products with L are used. Coupling in one direction, the rule in large sparse graphs, is no obstacle.
"""

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from workbench.games.models.bounds import Bounds
from workbench.games.small_gain.proved import REDUCIBLE_SHARE, Weights, proved_weights
from workbench.progress import Progress


def perron_sparse(bounds: Bounds, *, share: float = REDUCIBLE_SHARE, progress: Progress | None = None) -> Weights:
    """Return weights that prove a margin of at least ``share`` of τ(A), usually; O(nonzeros) a step.

    Memory: L twice (CSR and its transpose) and about ten vectors. If the solves do not reach the target, the target
    steps down until they do, so ``margin`` may be less than ``share * tau``; it is proved in any case.
    """
    progress = progress or Progress()
    couplings = sp.csr_array(bounds.L)
    transposed = sp.csr_array(couplings.T)
    tau, worst = smallest_eigenvalue(bounds.mu, couplings, progress=progress)
    if tau <= 0:
        ones = np.ones(bounds.players)
        return proved_weights(bounds, tau, ones, ones, False, impossible(bounds.mu, couplings))
    target = share * tau
    for attempt in range(6):
        progress.update(3 + attempt, 10, f"solving for weights at alpha = {target:.4g}")
        z = solve_m_matrix(bounds.mu - target, couplings)
        v = solve_m_matrix(bounds.mu - target, transposed)
        if z is not None and v is not None:
            return proved_weights(bounds, tau, z, v, False, worst)
        target -= 0.05 * 2**attempt * tau
    ones = np.ones(bounds.players)
    return proved_weights(bounds, tau, ones, ones, False, worst)


def smallest_eigenvalue(
    mu: NDArray, couplings: sp.csr_array, *, iterations: int = 400, progress: Progress | None = None
) -> tuple[float, NDArray]:
    """Return an estimate of τ(A) and the non-negative vector it came from, by power iteration on s I - A ≥ 0.

    The shift s ≥ max(mu) makes s I - A = diag(s - mu) + L non-negative with spectral radius s - τ. The growth of
    the norm converges for a reducible L too; a tenth of the mean coupling on top of max(mu) keeps it from swinging
    for ever where players fall into two camps, as on a chain. The estimate is only a target; what is proved is proved
    afterwards.
    """
    progress = progress or Progress()
    shift = float(mu.max()) + 0.1 * float(couplings.sum()) / mu.size
    extra = shift - mu
    x = np.ones(mu.size)
    growth = 0.0
    for k in range(iterations):
        y = extra * x + couplings @ x
        total = float(y.sum())
        if total == 0:
            return shift, np.ones(mu.size)
        new = total / float(x.sum())
        x = y / y.max()
        if k > 20 and abs(new - growth) <= 1e-9 * new:
            growth = new
            break
        growth = new
        if k % 20 == 0:
            progress.update(min(k / iterations, 1) * 3, 10, "estimating the best margin")
    return shift - growth, x


def impossible(mu: NDArray, couplings: sp.csr_array, *, iterations: int = 2000) -> NDArray:
    """Return x ≥ 0 on the largest strongly connected group with A x ≤ 0 there, if power iteration finds it.

    Zero outside the group, where A x = -L x ≤ 0 anyway. Iteration stops once every row of the group agrees.
    """
    _, group = connected_components(couplings, connection="strong")
    inside = np.flatnonzero(group == np.argmax(np.bincount(group)))
    inner, own = couplings[inside][:, inside], mu[inside]
    shift = float(np.abs(own).max())
    x = np.ones(inside.size)
    for _ in range(iterations):
        gain = inner @ x
        if np.all(gain >= own * x):
            break
        x = (shift - own) * x + gain + 1e-3 * shift * x
        x /= x.max()
    witness = np.zeros(mu.size)
    witness[inside] = x
    return witness


def solve_m_matrix(diagonal: NDArray, couplings: sp.csr_array, *, iterations: int = 600) -> NDArray | None:
    """Return x > 0 with diag(diagonal) x - L x ≥ 1/2 in every row, or None.

    BiCGSTAB with the diagonal as preconditioner, kept only if the residual is small in *every* row; else the
    Jacobi iteration, which is monotone for an M-matrix and so never loses positivity.
    """
    if np.any(diagonal <= 0):
        return None
    ones = np.ones(diagonal.size)
    for candidate in (_krylov, _jacobi):
        x = candidate(diagonal, couplings, ones, iterations)
        if np.all(np.isfinite(x)) and x.min() > 0 and (diagonal * x - couplings @ x).min() >= 0.5:
            return x
    return None


def _krylov(diagonal: NDArray, couplings: Any, right: NDArray, iterations: int) -> NDArray:
    import scipy.sparse.linalg as spla

    n = diagonal.size
    operator = spla.LinearOperator((n, n), matvec=lambda x: x - (couplings @ x) / diagonal, dtype=np.float64)
    x, _ = spla.bicgstab(operator, right / diagonal, rtol=1e-8, atol=0.0, maxiter=iterations)
    return x


def _jacobi(diagonal: NDArray, couplings: Any, right: NDArray, iterations: int) -> NDArray:
    x = right / diagonal
    for k in range(iterations):
        new = (right + couplings @ x) / diagonal
        # Monotone growth: the residual of x in row i is diagonal_i (new_i - x_i); half of the right side is enough.
        done = k % 10 == 0 and np.max(diagonal * (new - x)) <= 0.4
        x = new
        if done:
            break
    return x


def spectral_radius(matrix: sp.csr_array, iterations: int = 400) -> float:
    """Return the spectral radius of a non-negative sparse matrix by power iteration (an estimate, not a bound).

    >>> round(spectral_radius(sp.csr_array([[0.0, 4.0], [0.25, 0.0]])), 6)
    1.0
    """
    value, _ = smallest_eigenvalue(np.zeros(matrix.shape[0]), sp.csr_array(matrix), iterations=iterations)
    return -value
