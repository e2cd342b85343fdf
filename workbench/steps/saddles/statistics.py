"""Success rates with bars, paired comparisons, and calls as survival curves in which a failure is censored, not lost.

Everything statistical is SciPy's (``binomtest``, ``ecdf`` of censored data); this file says what is asked.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from workbench import checks


class Share(NamedTuple):
    """A success rate with its confidence interval."""

    rate: float
    low: float
    high: float


def success_rate(successes: int, trials: int, *, level: float = 0.95, kind: str = "exact") -> Share:
    """Return a success rate with its Clopper–Pearson (``exact``) or ``wilson`` interval.

    >>> tuple(round(x, 3) for x in success_rate(469, 500))
    (0.938, 0.913, 0.957)
    """
    trials = checks.integer("trials", trials, minimum=1)
    successes = checks.integer("successes", successes, minimum=0, maximum=trials)
    interval = stats.binomtest(successes, trials).proportion_ci(level, checks.choice("kind", kind, ("exact", "wilson")))
    return Share(successes / trials, float(interval.low), float(interval.high))


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p-value of McNemar's test from the two counts of pairs that disagree.

    >>> round(mcnemar(16, 27), 2), round(mcnemar(14, 29), 2)
    (0.13, 0.03)
    """
    n = checks.integer("only_first", only_first, minimum=0) + checks.integer("only_second", only_second, minimum=0)
    return float(stats.binomtest(only_first, n).pvalue) if n else 1.0


def calls_curve(calls: ArrayLike, success: ArrayLike, at: ArrayLike) -> NDArray[np.float64]:
    """Return the share of searches that have reached a saddle within ``at`` calls (Kaplan–Meier).

    ``calls`` (n) is what each search took, ``success`` (n) whether it got there; a failed one is censored at the calls
    that it spent: it counts as long as it ran, and is not dropped.

    >>> calls_curve([3, 5, 9, 9], [True, True, False, True], [4, 6, 10]).tolist()
    [0.25, 0.5, 0.75]
    """
    counts = checks.finite_array("calls", calls, ndim=1)
    reached = np.asarray(success, dtype=bool)
    where = checks.finite_array("at", at, ndim=1)
    if reached.shape != counts.shape:
        raise ValueError(f"calls and success must have one length, got {counts.size} and {reached.size}")
    if not reached.any():
        return np.zeros(where.size)
    sample = stats.CensoredData(uncensored=counts[reached], right=counts[~reached])
    return np.asarray(stats.ecdf(sample).cdf.evaluate(where))


def median_calls(calls: ArrayLike, success: ArrayLike) -> float:
    """Return the median calls to a saddle with failures censored; ∞ if fewer than half got there."""
    counts = checks.finite_array("calls", calls, ndim=1)
    grid = np.unique(counts)
    reached = calls_curve(counts, success, grid) >= 0.5 - 1e-12
    return float(grid[reached.argmax()]) if reached.any() else float("inf")


def calls_per_success(
    calls: ArrayLike, success: ArrayLike, *, seed: int | np.random.Generator = 0, draws: int = 2000
) -> tuple[float, float, float]:
    """Return all calls spent ÷ saddles reached, with its 95 % percentile bootstrap interval over the searches.

    What a saddle costs when failures are paid for as well. ∞ where nothing succeeded (also at the interval's upper
    end, if that may happen among so many searches again).

    >>> calls_per_success([10, 20, 60], [True, True, False])[0]
    45.0
    """
    counts = checks.finite_array("calls", calls, ndim=1)
    reached = np.asarray(success, dtype=bool)
    if reached.shape != counts.shape or not counts.size:
        raise ValueError(f"calls and success must have one length above 0, got {counts.size} and {reached.size}")
    draws = checks.integer("draws", draws, minimum=1, maximum=100_000)
    picked = checks.generator(seed).integers(0, counts.size, (draws, counts.size))
    with np.errstate(divide="ignore"):
        ratios = counts[picked].sum(axis=1) / reached[picked].sum(axis=1)
        value = counts.sum() / reached.sum() if reached.any() else np.inf
    low, high = np.quantile(ratios, [0.025, 0.975], method="nearest")  # between ∞ and a number there is nothing
    return float(value), float(low), float(high)


def bootstrap_ratio(
    a: ArrayLike, b: ArrayLike, *, seed: int | np.random.Generator = 0, draws: int = 2000
) -> tuple[float, float, float]:
    """Return the geometric mean of the paired ratios a/b, and its 95 % percentile bootstrap interval.

    >>> value, low, high = bootstrap_ratio([1.0, 2.0, 4.0], [2.0, 4.0, 8.0])
    >>> round(value, 12), round(low, 12), round(high, 12)
    (0.5, 0.5, 0.5)
    """
    first, second = checks.finite_array("a", a, ndim=1), checks.finite_array("b", b, ndim=1)
    if first.shape != second.shape or not ((first > 0).all() and (second > 0).all()):
        raise ValueError("a and b must be positive and of one length, since they are compared pair by pair")
    logs = np.log(first / second)
    rng = checks.generator(seed)
    means = logs[rng.integers(0, logs.size, (draws, logs.size))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(np.exp(logs.mean())), float(np.exp(low)), float(np.exp(high))
