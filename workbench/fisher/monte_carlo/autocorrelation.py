"""How correlated a series is, and what its mean is worth."""

import math

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray

from workbench import checks

WINDOW = 6.0


def autocorrelation(series: ArrayLike) -> NDArray:
    """Return the normalised autocorrelation ρ(t) of a series, t = 0 … N − 1; O(N log N). A constant gives ρ = δ."""
    x = checks.finite_array("series", series, ndim=1)
    x = x - x.mean()
    size = scipy.fft.next_fast_len(2 * len(x), real=True)
    power = np.abs(scipy.fft.rfft(x, size)) ** 2
    raw = scipy.fft.irfft(power, size)[: len(x)] / np.arange(len(x), 0, -1)
    if raw[0] <= 1e-300:
        return np.eye(1, len(x))[0]
    return raw / raw[0]


def integrated_time(series: ArrayLike) -> tuple[float, float]:
    """Return τ = ½ + Σ_{t≥1} ρ(t), summed to the first window W ≥ 6 τ(W), and its standard error.

    A series of independent values has τ = ½, and a mean of N values is worth N/(2τ). The error is Madras' and Sokal's
    τ √(2(2W+1)/N) (J. Stat. Phys. 50 (1988) 109). A series shorter than about 50 τ gives a value that is too small.

    >>> alternating = [1.0, -1.0] * 200
    >>> round(integrated_time(alternating)[0], 2)
    0.5
    """
    rho = autocorrelation(series)
    running = 0.5 + np.concatenate([[0.0], np.cumsum(rho[1:])])
    inside = np.arange(len(rho)) >= WINDOW * running
    window = int(np.argmax(inside)) if inside.any() else len(rho) - 1
    tau = float(max(running[window], 0.5))
    return tau, tau * math.sqrt(2 * (2 * window + 1) / len(rho))


def blocked_error(series: ArrayLike) -> float:
    """Return the standard error of the mean by blocking pairs until it stops growing.

    H. Flyvbjerg and H. Petersen, J. Chem. Phys. 91 (1989) 461: the largest level whose rise over the one before is
    beyond that level's own uncertainty √(1/(2(N−1))) decides.

    >>> blocked_error([1.0] * 64)
    0.0
    """
    x = checks.finite_array("series", series, ndim=1)
    if len(x) < 2:
        raise ValueError(f"blocking needs at least 2 values, got {len(x)}")
    errors = []
    while len(x) >= 2:
        errors.append((math.sqrt(x.var() / (len(x) - 1)), math.sqrt(0.5 / (len(x) - 1))))
        x = (x[: len(x) // 2 * 2 : 2] + x[1::2]) / 2
    best = errors[0][0]
    for error, uncertainty in errors[1:]:
        if error > best * (1 + uncertainty) and uncertainty < 0.2:
            best = error
    return best
