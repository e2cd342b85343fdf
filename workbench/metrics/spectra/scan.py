"""Where does a power law begin? Every threshold tried, by its Kolmogorov–Smirnov distance, without computing most.

For every candidate i of the ascending eigenvalues the law above λ_i is fitted and compared with the step function of
the n_i values from λ_i on. Taken one by one that is M²/2 exponentials. Here a *lower bound* of every distance is taken
first, from at most 24 of the points; candidates are then finished in the order of their bounds, each abandoned as soon
as it exceeds the best, until a bound exceeds the best. What is found is the minimum itself.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

POINTS = 24


@njit(cache=True, nogil=True, inline="always")
def _off(excess: float, slope: float, m: int, n: int, two_sided: bool) -> float:
    """Return |F(x) − m/n|, or the larger of that and |F(x) − (m + 1)/n|, for a value ``excess`` = ln x − ln x_min."""
    fitted = 1.0 - math.exp(-slope * excess)
    off = abs(fitted - m / n)
    if two_sided:
        off = max(off, abs(fitted - (m + 1) / n))
    return off


@njit(cache=True, nogil=True)
def log_excess(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return S_i = Σ_{j≥i} (ln λ_j − ln λ_i) for all i, summed from the top in gaps, so that nothing cancels."""
    total = np.zeros(len(logs))
    for i in range(len(logs) - 2, -1, -1):
        total[i] = total[i + 1] + (len(logs) - 1 - i) * (logs[i + 1] - logs[i])
    return total


@njit(cache=True, nogil=True)
def distance(logs: NDArray[np.float64], i: int, slope: float, limit: float, two_sided: bool) -> float:
    """Return the distance D of the tail from index i on, or some number above ``limit`` if D exceeds that."""
    n = len(logs) - i
    worst = 0.0
    for m in range(n):
        worst = max(worst, _off(logs[i + m] - logs[i], slope, m, n, two_sided))
        if worst > limit:
            break
    return worst


@njit(cache=True, nogil=True)
def scan(logs: NDArray[np.float64], two_sided: bool) -> tuple[int, float]:
    """Return the index of the threshold of least distance, the first of several, and its D; (−1, inf) if there is none.

    ``logs`` (M,) ascending are the logarithms of the eigenvalues. Of equal values only the first is a candidate.
    """
    count = len(logs)
    sums = log_excess(logs)
    bounds = np.full(count, np.inf)
    for i in range(count - 1):
        if sums[i] <= 0.0 or (i > 0 and logs[i] == logs[i - 1]):
            continue
        n = count - i
        slope = n / sums[i]
        step = (n + POINTS - 1) // POINTS
        worst = 0.0
        for m in range(step // 2, n, step):
            worst = max(worst, _off(logs[i + m] - logs[i], slope, m, n, two_sided))
        bounds[i] = worst
    best, found = np.inf, -1
    for i in np.argsort(bounds):
        if bounds[i] > best or bounds[i] == np.inf:
            break
        off = distance(logs, i, (count - i) / sums[i], best, two_sided)
        if off < best or (off == best and i < found):
            best, found = off, i
    return found, best


@njit(cache=True, nogil=True)
def valley(logs: NDArray[np.float64], two_sided: bool) -> NDArray[np.float64]:
    """Return the distance D of every candidate (NaN where there is none): the picture of the choice, M²/2 steps."""
    count = len(logs)
    sums = log_excess(logs)
    found = np.full(count, np.nan)
    for i in range(count - 1):
        if sums[i] > 0.0 and not (i > 0 and logs[i] == logs[i - 1]):
            found[i] = distance(logs, i, (count - i) / sums[i], np.inf, two_sided)
    return found
