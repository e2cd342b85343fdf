"""The best metric weights in closed form: left over right Perron vector of the comparison matrix.

For M(w) = diag(w_i I) the margin is α(w) = λ_min(sym(W^½ A W^−½)), A = diag(mu) - L. By M-matrix
theory (A. Berman, R. Plemmons, *Nonnegative Matrices in the Mathematical Sciences*, ch. 6) some w makes it positive
exactly if the smallest real eigenvalue τ(A) is positive; τ is the best margin and w = v/z reaches it, where
A z = τ z and Aᵀ v = τ v. No semidefinite program is needed.
"""

from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import connected_components

from workbench import checks
from workbench.games.models.bounds import LARGEST_DENSE, Bounds
from workbench.games.small_gain.proved import EPS, REDUCIBLE_SHARE, Weights, proved_weights
from workbench.games.small_gain.sparse_weights import perron_sparse, spectral_radius


def perron(bounds: Bounds) -> Weights:
    """Return the best weights of ``bounds``: O(N^3) dense, Krylov and power iteration when sparse and large.

    Coupling that runs one way only (a reducible L) has no best weights: then two linear solves
    (A - α I) z = 1 and (A - α I)ᵀ v = 1 at α = 0.99 τ give a proof just below the supremum.

    >>> found = perron(Bounds([1, 1], [2, 2], [[0, 4], [0.01, 0]]))
    >>> round(found.tau, 3), found.w.round(3).tolist()
    (0.8, [1.0, 400.0])
    """
    if bounds.sparse and bounds.players > LARGEST_DENSE:
        return perron_sparse(bounds)
    a = np.asarray(bounds.comparison().toarray() if bounds.sparse else bounds.comparison())
    n_strong, strong = connected_components(sp.csr_array(a != 0), connection="strong")
    n_weak = connected_components(sp.csr_array(a != 0), connection="weak", return_labels=False)
    z, v = np.zeros(len(a)), np.zeros(len(a))
    tau, worst = np.inf, 0
    for part in range(n_strong):
        inside = np.flatnonzero(strong == part)
        value, z[inside], v[inside] = smallest_eigenpair(a[np.ix_(inside, inside)])
        if value < tau:
            tau, worst = value, part
    witness = np.where(strong == worst, z, 0.0)
    attained = n_strong == n_weak
    if not attained and tau > 0:
        target = REDUCIBLE_SHARE * tau
        shifted = a - target * np.eye(len(a))
        z, v = (scipy.linalg.solve(m, np.ones(len(a))) for m in (shifted, shifted.T))
    return proved_weights(bounds, tau, z, v, attained, witness)


def smallest_eigenpair(a: NDArray, iterations: int = 60) -> tuple[float, NDArray, NDArray]:
    """Return (τ, z, v) of an irreducible Z-matrix by Noda's inverse iteration, which keeps vectors positive.

    The shift is the Collatz-Wielandt lower bound min_i (A z)_i / z_i, so every solve is with an M-matrix and
    convergence is quadratic (T. Noda, *Note on the computation of the maximal eigenvalue of a non-negative
    irreducible matrix*, 1971).
    """
    n = len(a)
    if n == 1:
        return float(a[0, 0]), np.ones(1), np.ones(1)
    z, v = np.ones(n), np.ones(n)
    scale = float(np.abs(a).max())
    tau = -np.inf
    for _ in range(iterations):
        right, left = (a @ z) / z, (v @ a) / v
        low = max(right.min(), left.min())
        tau = 0.5 * (max(right.min(), left.min()) + min(right.max(), left.max()))
        if max(np.ptp(right), np.ptp(left)) <= 8 * EPS * scale:
            break
        # A shift a little below the bound keeps the matrix safely nonsingular once the bound is exact.
        shifted = a - (low - 4 * EPS * scale) * np.eye(n)
        factors = scipy.linalg.lu_factor(shifted, check_finite=False)
        new_z = np.abs(scipy.linalg.lu_solve(factors, z, check_finite=False))
        new_v = np.abs(scipy.linalg.lu_solve(factors, v, trans=1, check_finite=False))
        if not (_usable(new_z) and _usable(new_v)):
            break
        z, v = new_z / new_z.max(), new_v / new_v.max()
    return float(tau), z, v


def _usable(vector: NDArray) -> bool:
    return bool(np.all(np.isfinite(vector)) and np.all(vector > 0) and vector.min() > 1e-280 * vector.max())


def margin(bounds: Bounds, w: ArrayLike) -> float:
    """Return α(w) = λ_min(sym(W^½ A W^−½)), the contraction rate in M(w); O(N^3).

    >>> bounds = Bounds([1, 1], [2, 2], [[0, 4], [0.01, 0]])
    >>> round(margin(bounds, [1, 1]), 3), round(margin(bounds, [1, 400]), 3)
    (-1.005, 0.8)
    """
    a = _dense_comparison(bounds)
    root = np.sqrt(positive_weights(w, bounds.players))
    scaled = root[:, None] * a / root[None, :]
    return float(np.linalg.eigvalsh(0.5 * (scaled + scaled.T))[0])


def lipschitz(bounds: Bounds, w: ArrayLike) -> float:
    """Return β(w) = ||W^½ (diag(ell) + L) W^−½||_2, a Lipschitz constant of F in M(w)."""
    weights = positive_weights(w, bounds.players)
    if bounds.sparse and bounds.players > LARGEST_DENSE:
        return _schur_bound(bounds, weights)
    couplings = bounds.L.toarray() if bounds.sparse else bounds.L
    root = np.sqrt(weights)
    return float(np.linalg.norm(root[:, None] * (np.diag(_size(bounds)) + couplings) / root, 2))


def _size(bounds: Bounds) -> NDArray:
    """The norm of an own block with eigenvalues in [mu, ell]."""
    return np.maximum(np.abs(bounds.mu), np.abs(bounds.ell))


def _schur_bound(bounds: Bounds, w: NDArray) -> float:
    """Bound the norm by Schur's test with the vector w^½: sqrt(max row ratio * max column ratio)."""
    right = _size(bounds) + bounds.L @ np.ones(bounds.players)
    left = _size(bounds) + (bounds.L.T @ w) / w
    return float(np.sqrt(right.max() * left.max()))


def small_gain_radius(bounds: Bounds) -> float:
    """Return ρ(diag(mu)⁻¹ L), below 1 exactly if some weights certify; inf if a mu_i is not positive."""
    if np.any(bounds.mu <= 0):
        return float("inf")
    gains = bounds.L / bounds.mu[:, None] if not bounds.sparse else sp.diags_array(1 / bounds.mu) @ bounds.L
    if bounds.sparse and bounds.players > LARGEST_DENSE:
        return spectral_radius(gains)
    return float(np.max(np.abs(np.linalg.eigvals(gains.toarray() if sp.issparse(gains) else gains))))


def positive_weights(w: ArrayLike, players: int) -> NDArray:
    """Check metric weights: finite, positive, one a player."""
    weights = checks.finite_array("w", w, ndim=1)
    if weights.size != players:
        raise ValueError(f"w has {weights.size} entries and the game {players} players; give one weight a player")
    if np.any(weights <= 0):
        raise ValueError("metric weights must be positive")
    return weights


def _dense_comparison(bounds: Bounds) -> NDArray:
    checks.integer("the number of players for a dense eigenvalue", bounds.players, maximum=LARGEST_DENSE)
    a: Any = bounds.comparison()
    return a.toarray() if sp.issparse(a) else a
