"""Items of equal score form a level: what stands on each level, from the highest score down, is all that a score reads.

Positives and negatives are sorted apart and merged in one pass: no permutation is carried along, which makes the sort
of a million several times as fast as one that does.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workbench.metrics.rankings.inputs import Sample

Floats = NDArray[np.float64]


class Levels(NamedTuple):
    """Positives and negatives on each level, from the highest score down.

    Counts (int64) where every item counts once, sums of weights (float64) otherwise; the squares are sums of w², which
    the variances read (equal to the counts without weights).
    """

    positives: NDArray[Any]
    negatives: NDArray[Any]
    scores: NDArray[Any]
    positive_squares: NDArray[Any]
    negative_squares: NDArray[Any]

    @property
    def is_counted(self) -> bool:
        """Whether every item counts once."""
        return self.positives.dtype.kind == "i"


def levels(sample: Sample) -> Levels:
    """Return the levels of a sample; O(N log N).

    >>> from workbench.metrics.rankings.inputs import sample
    >>> found = levels(sample([1, 0, 1, 0], [3.0, 2.0, 2.0, 1.0]))
    >>> found.positives.tolist(), found.negatives.tolist()
    ([1, 1, 0], [0, 1, 1])
    """
    if sample.weights is None:
        up, down = np.sort(sample.scores[sample.positive]), np.sort(sample.scores[~sample.positive])
        p, n, values = _merged(up, down)
        return Levels(p, n, values, p, n)
    places, values = level_of(sample.scores)
    count, is_positive, w = len(values), sample.positive, sample.weights

    def summed(chosen: NDArray[np.bool_], amount: Floats) -> Floats:
        return np.bincount(places[chosen], weights=amount[chosen], minlength=count)

    sums = [summed(chosen, amount) for amount in (w, w * w) for chosen in (is_positive, ~is_positive)]
    return Levels(sums[0], sums[1], values, sums[2], sums[3])


def level_of(scores: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return the level of every item (N,), 0 for the highest score, and the score of every level."""
    order = np.argsort(scores)[::-1]
    ordered = scores[order]
    starts = np.empty(len(scores), dtype=bool)
    starts[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=starts[1:])
    places = np.empty(len(scores), dtype=np.int64)
    places[order] = np.cumsum(starts) - 1
    return places, ordered[starts]


@njit(cache=True, nogil=True)
def _merged(up, down):  # scores of positives and of negatives, both rising
    p = np.zeros(len(up) + len(down), np.int64)
    n = np.zeros(len(up) + len(down), np.int64)
    values = np.empty(len(up) + len(down), up.dtype)
    i, j, level = len(up) - 1, len(down) - 1, 0
    while i >= 0 or j >= 0:
        top = up[i] if j < 0 or (i >= 0 and up[i] >= down[j]) else down[j]
        values[level] = top
        while i >= 0 and up[i] == top:
            p[level] += 1
            i -= 1
        while j >= 0 and down[j] == top:
            n[level] += 1
            j -= 1
        level += 1
    return p[:level].copy(), n[:level].copy(), values[:level].copy()
