"""The band: for which metric weights the margin is still at least a target α.

It is a band of *metric weights* for one fixed dynamics, not of learning-rate ratios: nothing is said here about
players that move at different speeds (for that see :mod:`workbench.games.small_gain.steps`).
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.games.models.bounds import Bounds
from workbench.games.small_gain.weights import positive_weights


def two_player_margin(mu: tuple[float, float], l12: float, l21: float) -> float:
    """Return alpha_max = (mu1+mu2)/2 - sqrt(((mu1-mu2)/2)² + L12 L21), the best margin of two players.

    >>> round(two_player_margin((1.0, 1.0), 4.0, 0.01), 3)
    0.8
    """
    return 0.5 * (mu[0] + mu[1]) - math.hypot(0.5 * (mu[0] - mu[1]), math.sqrt(l12) * math.sqrt(l21))


def two_player_band(mu: tuple[float, float], l12: float, l21: float, alpha: float = 0.0) -> tuple[float, float] | None:
    """Return the closed interval of r = w_2/w_1 with margin ≥ α, or None if there is none.

    With m = (mu1-α)(mu2-α), p = L12 L21 and q = √m + sqrt(m-p) the ends are L12²/q² and q²/L21².
    Feasible exactly if α < min(mu) and m > p: m > p alone would accept α above both mu. The ends are 0 and
    inf where a coupling vanishes. Both ends of the band at α = 0 have margin exactly 0: use the open interval.

    >>> [round(end, 3) for end in two_player_band((1.0, 1.0), 4.0, 0.01)]
    [4.082, 39195.918]
    """
    alpha = checks.real("alpha", alpha)
    m, p = (mu[0] - alpha) * (mu[1] - alpha), l12 * l21
    if alpha >= min(mu) or m <= p:
        return None
    q = math.sqrt(m) + math.sqrt(m - p)
    low, high = float(l12 / q), float(q / l21) if l21 > 0 else math.inf
    return low * low, high * high  # not ** 2, which raises where a product becomes infinite


def coordinate_band(bounds: Bounds, w: ArrayLike, alpha: float = 0.0) -> NDArray:
    """Return (N, 2): between which values each w_i alone may move, the others fixed, with margin ≥ α.

    C(w, α) is linear in w_i, so its Schur complement is a quadratic in w_i and the ends are its two roots.
    Rows are NaN if w itself misses the target. O(N^4); refused above 200 players.
    """
    n = checks.integer("the number of players", bounds.players, maximum=200)
    weights = positive_weights(w, n)
    couplings = bounds.L.toarray() if bounds.sparse else bounds.L
    curvature = bounds.mu - alpha
    whole = sgn_matrix(curvature, couplings, weights)
    band = np.full((n, 2), np.nan)
    if np.linalg.eigvalsh(whole)[0] <= 0:
        return band
    for i in range(n):
        rest = np.delete(np.arange(n), i)
        a, b = couplings[i, rest], weights[rest] * couplings[rest, i]
        solve_a, solve_b = np.linalg.solve(whole[np.ix_(rest, rest)], np.stack([a, b], axis=1)).T
        band[i] = _roots(a @ solve_a, 2 * curvature[i] - 2 * a @ solve_b, b @ solve_b)
    return band


def sgn_matrix(curvature: NDArray, couplings: NDArray, w: NDArray) -> NDArray:
    """Return C(w, α): 2 w_i (mu_i - α) on the diagonal and -(w_i L_ij + w_j L_ji) off it."""
    return np.diag(2 * w * curvature) - w[:, None] * couplings - (w[:, None] * couplings).T


def _roots(square: float, linear: float, constant: float) -> tuple[float, float]:
    """Return where -square t² + linear t - constant ≥ 0, for square, constant ≥ 0 and linear > 0."""
    root = linear + math.sqrt(max(linear**2 - 4 * square * constant, 0.0))
    return 2 * constant / root, root / (2 * square) if square > 0 else math.inf
