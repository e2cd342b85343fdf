"""Error bars without resampling: DeLong's for AUROC, the influence function's for AP, both from the levels in O(N).

DeLong, DeLong, Clarke-Pearson 1988: the placement of a positive is the share of negatives below it, that of a negative
the share of positives above it (ties one half), and AUROC varies as the two means do. For AP, with T and F the shares
of all items that are positive at or above a level, and that stand at or above it, π the share of positives and
AP = Σ y T/F / (π N), moving a little weight to item i changes AP by

    IF_i = ( y_i T_i/F_i − AP y_i + (1/N) Σ_{j: s_j ≤ s_i} y_j (y_i/F_j − T_j/F_j²) ) / π,

and Var(AP) = Σ IF_i²/N². All positives of a level share one value, and so do all negatives.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri

from workbench.metrics.rankings.levels import Levels

Floats = NDArray[np.float64]
FEW_POSITIVES = 20
"""Below this many positives the influence function's error is poor: its interval is given with a warning."""


class Influence(NamedTuple):
    """What each positive and each negative of a level adds to a score: the mean over all items is the score's error."""

    positives: Floats
    negatives: Floats


def placements(found: Levels) -> Influence:
    """Return the placements of each level: the share of negatives below its positives, of positives above its
    negatives, ties one half."""
    p, n = found.positives.astype(float), found.negatives.astype(float)
    total_p, total_n = p.sum(), n.sum()
    above = np.cumsum(p) - 0.5 * p
    below = total_n - np.cumsum(n) + 0.5 * n
    return Influence(below / total_n, above / total_p)


def auroc_variance(found: Levels) -> float:
    """Return DeLong's variance of AUROC; NaN with one positive or one negative.

    With weights the two sums are Σ w²(V − AUROC)²/(Σ w)², times n/(n − 1) with Kish's effective n.
    """
    v = placements(found)
    total = 0.0
    for value, amount, squares in (
        (v.positives, found.positives, found.positive_squares),
        (v.negatives, found.negatives, found.negative_squares),
    ):
        size = float(amount.sum())
        effective = size**2 / float(squares.sum())
        if effective <= 1 + 1e-12:
            return np.nan
        mean = float(value @ amount) / size
        total += float(((value - mean) ** 2) @ squares) / size**2 * effective / (effective - 1)
    return total


def ap_influence(found: Levels) -> Influence:
    """Return the influence on AP of a positive and of a negative of each level, with mean 0 over all items."""
    positives, negatives = _ap_influence(found.positives.astype(float), found.negatives.astype(float))
    return Influence(positives, negatives)


def ap_variance(found: Levels) -> float:
    """Return the variance of AP by its influence function; NaN with a single positive."""
    count = found.positives.sum() ** 2 / found.positive_squares.sum()
    if count <= 1 + 1e-12:
        return np.nan
    influence = ap_influence(found)
    total = float(found.positives.sum() + found.negatives.sum())
    squares = influence.positives**2 @ found.positive_squares + influence.negatives**2 @ found.negative_squares
    return float(squares) / total**2


def interval(value: float, variance: float, *, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of a score between 0 and 1 on the logit scale; NaN where the variance says nothing.

    A perfect or entirely wrong ranking has variance 0, which is no certainty: it has no interval.

    >>> [round(end, 4) for end in interval(0.9, 0.02**2)]
    [0.8534, 0.9329]
    """
    if not (variance > 0 and 0 < value < 1):
        return np.nan, np.nan
    reach = float(ndtri(0.5 + level / 2)) * np.sqrt(variance) / (value * (1 - value))
    middle = logit(value)
    return float(expit(middle - reach)), float(expit(middle + reach))


@njit(cache=True, nogil=True)
def _ap_influence(p, n):
    count = len(p)
    true = np.empty(count)
    fired = np.empty(count)
    t, f = 0.0, 0.0
    for g in range(count):
        t += p[g]
        f += p[g] + n[g]
        true[g] = t
        fired[g] = f
    # T = true/f, F = fired/f (f: all items), π = t/f; the sums over levels at or below run from the end
    ap = 0.0
    for g in range(count):
        ap += p[g] * true[g] / fired[g]
    ap /= t
    own = np.empty(count)
    others = np.empty(count)
    gain, loss = 0.0, 0.0
    for g in range(count - 1, -1, -1):
        gain += p[g] / fired[g]
        loss += p[g] * true[g] / (fired[g] * fired[g])
        own[g] = (true[g] / fired[g] - ap + gain - loss) * f / t
        others[g] = -loss * f / t
    mean = 0.0
    for g in range(count):
        mean += p[g] * own[g] + n[g] * others[g]
    mean /= f
    for g in range(count):
        own[g] -= mean
        others[g] -= mean
    return own, others
