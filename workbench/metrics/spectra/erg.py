"""The other threshold of the paper: the largest eigenvalues whose product is one (ERG, or trace-log, condition).

Eigenvalues are divided by their mean; the effective correlation space is the smallest set of largest ones whose product
is below one. The paper's claim is that in a well-trained layer it begins where the power law does.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.metrics.spectra.spectrum import positive_eigenvalues


@dataclass(frozen=True)
class Erg:
    """Where the largest eigenvalues, in units of their mean, have the product one."""

    threshold: float
    """The smallest eigenvalue of the set; NaN where no set has a product below one (all eigenvalues equal)."""
    tail: int
    """How many eigenvalues the set has, k."""
    count: int
    mean: float
    log_det: float
    """Σ ln(λ/mean) of the set, the first sum below zero."""
    dropped: int


def erg(eigenvalues: ArrayLike) -> Erg:
    """Return the ERG threshold of a spectrum: the smallest k with Σ_{k largest} ln(λ/mean) < 0.

    Taken as a running sum of logarithms: a running product overflows at 1e308, as it does in the package for some
    thousand eigenvalues. Invariant under λ → cλ. Raises ``ValueError`` as :func:`tail_fit`. Cost: M log M.
    Paper: SETOL, arXiv 2507.17912, the trace-log condition.

    >>> found = erg([1.0] * 30 + [4.0] * 10)
    >>> found.tail, found.threshold
    (25, 1.0)
    """
    values, dropped = positive_eigenvalues(eigenvalues)
    return erg_of(values, dropped)


def erg_of(values: NDArray[np.float64], dropped: int = 0) -> Erg:
    """Return :func:`erg` of checked ascending eigenvalues."""
    unit = int(np.frexp(values[-1])[1])  # a power of two, exact: the sum of large eigenvalues leaves double precision
    inside = np.ldexp(values, -unit)
    mean = float(np.ldexp(inside.mean(), unit))
    sums = np.cumsum(np.log(inside[::-1] / inside.mean()))
    below = np.flatnonzero(sums < -1e-12 * len(values))  # all equal: the sums are rounding errors
    if not len(below):
        return Erg(np.nan, 0, len(values), mean, np.nan, dropped)
    k = int(below[0]) + 1
    return Erg(float(values[-k]), k, len(values), mean, float(sums[k - 1]), dropped)


def erg_by_product(values: NDArray[np.float64]) -> int:
    """Return the number of eigenvalues that the published package finds: by products instead of sums of logarithms.

    Products of thousands of eigenvalues overflow on the way, so this is right for some two thousand only. Cost: M².

    >>> erg_by_product(np.array([1.0] * 30 + [4.0] * 10))
    25
    """
    scaled = np.sort(values) * len(values) / np.sum(values)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        found = (k for k in range(1, len(scaled)) if np.prod(scaled[-k:]) < 1.0)
        return next(found, len(scaled))


def erg_of_pareto(alpha: float) -> float:
    """Return the ERG threshold of any spectrum whose tail is a Pareto(α) law, in units of the mean eigenvalue.

    It is exp(−1/(α − 1)), whatever the bulk, as long as it falls inside the tail: with tail mass p(λ > x) = c x^(1−α),
    the logarithms above t add up to c t^(1−α) (ln t + 1/(α − 1)). So the two thresholds of the paper agree exactly if
    x_min/mean equals this number: a statement on the tail's mass, not on α = 2.

    >>> round(erg_of_pareto(2.0), 6)
    0.367879
    """
    return float(np.exp(-1 / (checks.real("alpha", alpha, exclusive_minimum=1) - 1)))


def agreeing_share(alpha: float, bulk: float) -> float:
    """Return the share of eigenvalues that a Pareto(α) tail must have so that both thresholds agree exactly.

    The rest, the bulk, has the mean ``bulk`` · x_min (below 1). f = (e^u − β)/((α−1)/(α−2) − β), u = 1/(α − 1): for
    every α > 2 there is such a spectrum, so agreement says nothing of α.

    >>> round(agreeing_share(3.0, 0.3), 6)
    0.793365
    """
    alpha = checks.real("alpha", alpha, exclusive_minimum=2)
    bulk = checks.real("bulk", bulk, minimum=0, maximum=1)
    return float((np.exp(1 / (alpha - 1)) - bulk) / ((alpha - 1) / (alpha - 2) - bulk))


def pareto_limit(alpha: float) -> float:
    """Return the limit of ln(x_min/λ_ERG) for a pure Pareto(α) spectrum with α > 2, as it grows.

    ln((α − 2)/(α − 1)) + 1/(α − 1): below zero for every α, so the "ideal" law alone violates the condition. At α ≤ 2
    the mean is infinite and the number falls without end.

    >>> round(pareto_limit(2.5), 4), round(pareto_limit(3.0), 4)
    (-0.4319, -0.1931)
    """
    alpha = checks.real("alpha", alpha, exclusive_minimum=2)
    return float(np.log((alpha - 2) / (alpha - 1)) + 1 / (alpha - 1))
