"""Laws of noise: Marchenko and Pastur's for all eigenvalues of a random matrix, Tracy and Widom's for the largest.

Both are for entries of variance 1; the eigenvalues of WᵀW/N have the mean 1 then. y = M/N ≤ 1.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize
from scipy.special import airy

from workbench import checks

NODES, WEIGHTS = np.polynomial.legendre.leggauss(100)
AIRY_NODES, AIRY_WEIGHTS = np.polynomial.legendre.leggauss(60)


def _ratio(y: float) -> float:
    return checks.real("y", y, exclusive_minimum=0, maximum=1)


def mp_edges(y: float) -> tuple[float, float]:
    """Return the ends (1 ∓ √y)² of the Marchenko–Pastur law."""
    root = np.sqrt(_ratio(y))
    return float((1 - root) ** 2), float((1 + root) ** 2)


def mp_above(y: float, x: float, function: Callable[[Any], Any] = lambda t: 1.0) -> float:
    """Return ∫_x^b f(t) ρ(t) dt for the Marchenko–Pastur density ρ = √((b−t)(t−a))/(2πyt), to 1e-13 for smooth f.

    t = (a + b)/2 + (b − a)/2 cos θ makes the integrand smooth at the upper edge, and at a = 0 too.

    >>> round(mp_above(0.5, 0.0, lambda t: t), 12)
    1.0
    """
    low, high = mp_edges(y)
    if x >= high:
        return 0.0
    middle, half = (low + high) / 2, (high - low) / 2
    last = np.arccos(np.clip((max(x, low) - middle) / half, -1, 1))
    theta = last * (NODES + 1) / 2
    t = middle + half * np.cos(theta)
    return float((function(t) * _weight(y, theta) * WEIGHTS).sum() * last / 2)


def _weight(y: float, theta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ρ(t) |dt/dθ|; at a = 0 in a form that is exact at θ = π, where numerator and denominator vanish."""
    low, high = mp_edges(y)
    middle, half = (low + high) / 2, (high - low) / 2
    if low == 0:
        return half * (1 - np.cos(theta)) / (2 * np.pi * y)
    return half**2 * np.sin(theta) ** 2 / (2 * np.pi * y * (middle + half * np.cos(theta)))


def mp_mean_log(y: float) -> float:
    """Return E ln λ of the Marchenko–Pastur law: −1 + ((y − 1)/y) ln(1 − y), −1 at y = 1.

    >>> mp_mean_log(1.0), round(mp_mean_log(0.5), 12)
    (-1.0, -0.30685281944)
    """
    y = _ratio(y)
    return -1.0 if y == 1 else float(-1 + (y - 1) / y * np.log1p(-y))


def mp_quantile(y: float, above: ArrayLike) -> NDArray[np.float64]:
    """Return the values that a share ``above`` (in [0, 1]) of the Marchenko–Pastur law exceeds.

    From a table of the law in θ, 1e-10 of the edge apart; one Newton step more would change nothing that is read here.

    >>> mp_quantile(1.0, [0.0, 1.0]).round(6).tolist()
    [4.0, 0.0]
    """
    theta, share = _mp_table(_ratio(y))
    low, high = mp_edges(y)
    found = np.interp(np.asarray(above, dtype=float), share, theta)
    return (low + high) / 2 + (high - low) / 2 * np.cos(found)


@functools.lru_cache(maxsize=64)
def _mp_table(y: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    theta = np.linspace(0, np.pi, 40_001)
    weight = _weight(y, theta)
    step = theta[1]
    share = np.concatenate([[0.0], np.cumsum((weight[1:] + weight[:-1]) * step / 2)])
    return theta, share / share[-1]


def mp_erg(y: float) -> tuple[float, float]:
    """Return the ERG threshold of the Marchenko–Pastur law, in units of its mean, and the share above it.

    >>> threshold, share = mp_erg(1.0)
    >>> round(threshold, 10), round(share, 10)
    (0.181201808, 0.7310650985)
    """
    low = mp_edges(y)[0]
    threshold = optimize.brentq(lambda t: mp_above(y, t, np.log), max(low, 1e-9), 0.999, xtol=1e-15, rtol=1e-15)
    return float(threshold), mp_above(y, threshold)


def tw1_cdf(s: float) -> float:
    """Return the Tracy–Widom distribution function F₁(s), that of the largest eigenvalue of real noise, to 1e-13.

    F₁(s) = det(1 − A) with A(x, y) = ½ Ai((x + y)/2 + s) on (0, ∞), by Gauss–Legendre
    quadrature (Ferrari and Spohn 2005; Bornemann 2010).

    >>> round(tw1_cdf(0.9793), 4)
    0.95
    """
    s = checks.real("s", s)
    if s < -9:
        return 0.0
    if s > 12:
        return 1.0
    end = 2 * (16 - s)
    x = end * (AIRY_NODES + 1) / 2
    root = np.sqrt(AIRY_WEIGHTS * end / 2)
    kernel = 0.5 * airy((x[:, None] + x[None, :]) / 2 + s)[0]
    return float(np.clip(np.linalg.det(np.eye(len(x)) - root[:, None] * kernel * root), 0.0, 1.0))


@functools.lru_cache(maxsize=16)
def tw1_quantile(p: float) -> float:
    """Return the p-quantile of the Tracy–Widom law F₁."""
    p = checks.real("p", p, minimum=1e-4, maximum=1 - 1e-6)
    return float(optimize.brentq(lambda s: tw1_cdf(s) - p, -8, 10, xtol=1e-10))


def edge_scale(rows: int, columns: int) -> tuple[float, float]:
    """Return centre μ and width τ of the largest eigenvalue of WᵀW, W of N × M independent normal entries.

    μ = (√(N−1) + √M)², τ = (√(N−1) + √M)(1/√(N−1) + 1/√M)^⅓ (Johnstone 2001).
    """
    root = np.sqrt(rows - 1) + np.sqrt(columns)
    return float(root**2), float(root * (1 / np.sqrt(rows - 1) + 1 / np.sqrt(columns)) ** (1 / 3))
