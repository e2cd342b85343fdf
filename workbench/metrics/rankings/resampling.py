"""Bootstrap of AUROC and AP together: one sort, then every replicate is a row of counts over the sorted items.

A replicate draws N items with replacement. How often each was drawn is all that both scores need, so nothing is sorted
again: a replicate costs N random numbers and one pass. Each has a random stream of its own, so that the result does
not depend on the number of threads.
"""

import numpy as np
import xarray as xr
from numba import njit
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.metrics.rankings.inputs import Sample, sample
from workbench.metrics.rankings.levels import level_of
from workbench.metrics.rankings.ranking import judged
from workbench.parallel import for_each
from workbench.progress import Progress

MOST_REPLICATES = 100_000
BLOCK = 2_000_000
"""Draws of one task: some hundredths of a second, between two looks at the cancel button."""


BAND_DRAWS, BAND_POINTS = 20_000_000, 60


@results.experiment
def bootstrap(
    y: ArrayLike,
    scores: ArrayLike,
    replicates: int = 500,
    *,
    stratified: bool = False,
    level: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Resample a ranking of N items and judge every replicate by AUROC and AP (at the end of each level).

    ``stratified`` keeps the numbers of positives and negatives; otherwise a replicate without one of them has no score
    (NaN) and is counted in ``undefined``. Returns over replicate: ``auroc``, ``ap``; for both the standard deviation
    and the percentile interval of ``level``, beside the errors from formulas. Raises ``ValueError`` as :func:`sample`,
    and where fewer than two replicates have scores. Cost: N × replicates × 12 ns on one core.

    >>> found = bootstrap([1, 0, 1, 0, 0] * 8, np.arange(40.0), 50, seed=1)
    >>> found.sizes["replicate"], bool(found.auroc_sd > 0)
    (50, True)
    """
    progress = progress or Progress()
    replicates = checks.integer("replicates", replicates, minimum=2, maximum=MOST_REPLICATES)
    level = checks.real("level", level, minimum=0.5, maximum=0.9999)
    given = sample(y, scores)
    rng = checks.generator(seed)
    states = rng.integers(0, 2**63, size=replicates, dtype=np.uint64)
    found = _replicates(given.positive, level_of(given.scores)[0], states, stratified, progress)
    defined = found[:, np.isfinite(found[0])]
    if defined.shape[1] < 2:
        raise ValueError(
            f"{replicates - defined.shape[1]} of {replicates} replicates hold one class only; use stratified=True"
        )
    ends = 100 * np.array([0.5 - level / 2, 0.5 + level / 2])
    row = {name: float(value[1][0]) for name, value in judged(given)[0].items() if value[0] == ("part",)}
    variables = {}
    for name, label, values in (("auroc", "AUROC", found[0]), ("ap", "AP", found[1])):
        inside = values[np.isfinite(values)]
        low, high = np.percentile(inside, ends)
        variables |= {
            name: (("replicate",), values, f"{label} of a replicate"),
            f"{name}_here": ((), row[f"{name}"], f"{label} of the sample"),
            f"{name}_sd": ((), inside.std(ddof=1), f"standard deviation of {label} over replicates"),
            f"{name}_low": ((), low, f"lower percentile of {label}"),
            f"{name}_high": ((), high, f"upper percentile of {label}"),
            f"{name}_error": ((), row[f"{name}_error"], f"standard error of {label} by formula"),
        }
    variables["undefined"] = ((), replicates - defined.shape[1], "replicates of one class only")
    return results.dataset(variables, {"replicate": (("replicate",), np.arange(replicates), "replicate")})


def curve_bands(
    given: Sample, *, level: float = 0.95, seed: int | np.random.Generator = 0
) -> dict[str, NDArray[np.float64]]:
    """Return pointwise bands of both curves from up to 200 replicates: TPR at every FPR, precision at every recall.

    ``rate`` (points,) is FPR and recall; ``tpr_low``, ``tpr_high``, ``precision_low``, ``precision_high`` (points,)
    are percentiles. Fewer replicates from 100,000 items on; NaN where fewer than 20 of them have both classes.
    """
    rng = checks.generator(seed)
    replicates = int(np.clip(BAND_DRAWS // len(given.positive), 20, 200))
    states = rng.integers(0, 2**63, size=replicates, dtype=np.uint64)
    place = level_of(given.scores)[0]
    rate = np.linspace(0, 1, BAND_POINTS)
    curves = np.empty((2, replicates, BAND_POINTS))
    _resampled_curves(2 * place + given.positive, int(place.max()) + 1, states, rate, curves)
    known = curves[:, np.isfinite(curves[0]).all(axis=1)]
    ends = 100 * np.array([0.5 - level / 2, 0.5 + level / 2])
    bands = np.full((2, 2, BAND_POINTS), np.nan)
    if known.shape[1] >= 20:
        bands = np.percentile(known, ends, axis=1)
    return {
        "rate": rate,
        "tpr_low": bands[0, 0],
        "tpr_high": bands[1, 0],
        "precision_low": bands[0, 1],
        "precision_high": bands[1, 1],
    }


def _replicates(
    positive: NDArray[np.bool_], place: NDArray[np.int64], states: NDArray[np.uint64], stratified: bool, progress
) -> NDArray[np.float64]:
    """Return AUROC and AP (2, replicates)."""
    order = np.argsort(~positive, kind="stable") if stratified else np.arange(len(positive))
    code = (2 * place + positive)[order]  # level and class of an item in one number
    first = int(np.count_nonzero(positive)) if stratified else 0
    count = int(place.max()) + 1
    found = np.empty((2, len(states)))
    step = max(BLOCK // len(positive), 1)
    chunks = [slice(k, min(k + step, len(states))) for k in range(0, len(states), step)]

    def work(chunk: slice) -> None:
        _resampled(code, first, count, states[chunk], found[:, chunk])

    for_each(work, chunks, progress, message="replicates")
    return found


@njit(cache=True, nogil=True)
def _resampled(code, first, count, states, found):
    # code: 2 · level + class of an item; the first `first` items are drawn apart from the others (0: all together)
    drawn = np.zeros(2 * count, np.int64)
    for k in range(len(states)):
        drawn[:] = 0
        state = _drawn_from(states[k], code, 0, first, drawn)
        _drawn_from(state, code, first, len(code), drawn)
        auroc, ap = _both(drawn)
        found[0, k] = auroc
        found[1, k] = ap


@njit(cache=True, nogil=True)
def _drawn_from(state, code, start, stop, drawn):
    # splitmix64, two draws a number; Lemire's multiplication with rejection makes every item equally likely
    size = np.uint64(stop - start)
    if size == 0:
        return state
    threshold = (np.uint64(4294967296) - size) % size
    left = stop - start
    while left > 0:
        state += np.uint64(0x9E3779B97F4A7C15)
        z = state
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
        for half in range(2):
            bits = (z >> np.uint64(32)) if half else (z & np.uint64(0xFFFFFFFF))
            product = bits * size
            if (product & np.uint64(0xFFFFFFFF)) >= threshold and left > 0:
                drawn[code[start + np.int64(product >> np.uint64(32))]] += 1
                left -= 1
    return state


@njit(cache=True, nogil=True)
def _both(drawn):
    # drawn[2 g], drawn[2 g + 1]: negatives and positives on level g, from the highest score down
    true = np.int64(0)
    fired = np.int64(0)
    twice = np.int64(0)
    total = 0.0
    for g in range(len(drawn) // 2):
        n, p = drawn[2 * g], drawn[2 * g + 1]
        twice += n * (2 * true + p)
        if p > 0:
            true += p
            fired += p + n
            total += p * (true / fired)
        else:
            fired += n
    false = fired - true
    if true == 0 or false == 0:
        return np.nan, np.nan
    return twice / (2.0 * true * false), total / true


@njit(cache=True, nogil=True)
def _resampled_curves(code, count, states, rate, curves):
    # curves[0]: TPR where FPR first exceeds a rate (the upper end of a step); curves[1]: precision at a recall
    drawn = np.zeros(2 * count, np.int64)
    points = len(rate)
    for k in range(len(states)):
        drawn[:] = 0
        _drawn_from(states[k], code, 0, len(code), drawn)
        positives, negatives = 0, 0
        for g in range(count):
            negatives += drawn[2 * g]
            positives += drawn[2 * g + 1]
        if positives == 0 or negatives == 0:
            curves[:, k] = np.nan
            continue
        true, false = 0, 0
        at, recalled = 0, 0
        for g in range(count):
            x0, y0 = false / negatives, true / positives
            false += drawn[2 * g]
            true += drawn[2 * g + 1]
            x1, y1 = false / negatives, true / positives
            while at < points and rate[at] < x1:  # along the line between two thresholds
                curves[0, k, at] = y0 + (y1 - y0) * (rate[at] - x0) / (x1 - x0)
                at += 1
            while recalled < points and rate[recalled] <= y1 and true > 0:
                curves[1, k, recalled] = true / (true + false)
                recalled += 1
        curves[0, k, at:] = 1.0
        curves[1, k, recalled:] = positives / (positives + negatives)
