"""Is a low-precision climate another climate? A test by W₁ whose units are whole runs, with its floor and its power.

W₁ = ∫|F − G| of two distributions of one quantity bounds the difference of their means and of the means of every
1-Lipschitz function. Samples within a run depend on each other, so nothing here treats them as exchangeable: whole runs
are permuted for the p-value and left out for the error, the floor is what groups of double-precision runs show among
themselves, and "nothing seen" always comes with the size of what would have been seen.

Since F and G are linear in the runs, W₁ of every regrouping is one product with the runs' cumulative histograms; on a
grid of width w that is wrong by at most w. The number reported is the exact one.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.stats import wasserstein_distance

from workbench import checks

BINS, COARSE_BINS = 2000, 400
Array = NDArray[np.float64]


@dataclass(frozen=True)
class RoundingTest:
    """What the test found, all distances in units of the quantity.

    ``w1`` ± ``standard_error``; ``floor`` is the 95 % point and ``floor_mean`` the mean of W₁ between groups of
    reference runs of the same sizes; ``p_value`` by permuting whole runs, which cannot fall below ``smallest_p``;
    ``detectable`` is the least shift that a test of these sizes sees with the probability ``power`` (∞: none; NaN: it
    takes more reference runs to measure it, twice as many as there are runs under test).
    """

    w1: float
    standard_error: float
    floor: float
    floor_mean: float
    p_value: float
    smallest_p: float
    detectable: float
    power: float
    level: float
    runs: tuple[int, int]

    @property
    def seen(self) -> bool:
        """Whether the two climates differ at the level of the test."""
        return self.p_value <= self.level

    def sentence(self) -> str:
        """Return the finding in words; what was not seen comes with the size that would have been."""
        found = f"W₁ = {self.w1:.3g} ± {self.standard_error:.1g}, p = {self.p_value:.2g}"
        if self.smallest_p > self.level:
            return (
                f"{found}: {self.runs[0]} and {self.runs[1]} runs cannot give p below {self.smallest_p:.2g}; run more"
            )
        if self.seen:
            return f"{found}: the climates differ ({self.w1 / self.floor:.2g} times the 95 % floor {self.floor:.2g})"
        if not math.isfinite(self.detectable):
            return (
                f"{found}: no difference seen; {self.runs[1]} reference runs are too few to tell what would have been"
            )
        size = f"would see with {self.power:.0%} probability a shift of {self.detectable:.2g}"
        return f"{found}: no difference seen; a test of this size {size}"


def rounding_test(
    low: ArrayLike | xr.Dataset,
    high: ArrayLike | xr.Dataset,
    *,
    permutations: int = 499,
    level: float = 0.05,
    power: float = 0.9,
    trials: int = 60,
    seed: int | np.random.Generator = 0,
) -> RoundingTest:
    """Test whether two ensembles of runs have the same climate.

    ``low`` and ``high`` are arrays (runs, samples) or (runs, samples, variables), the variables pooled, or results of
    :func:`low_precision_run`, of which the model's observed variables are taken. At least two runs each; lengths may
    differ. If all regroupings number at most ``permutations`` + 1 (or 1000) they are all made, and p is exact. Power
    is measured by adding shifts to groups of reference runs and testing again, ``trials`` times a shift.

    Raises ``ValueError`` for fewer than two runs. Cost: the sorting, and about 0.2 s for the power.

    >>> rng = np.random.default_rng(0)
    >>> test = rounding_test(rng.normal(1, 1, (5, 400)), rng.normal(0, 1, (6, 400)))
    >>> test.seen, round(test.w1, 1), test.smallest_p < 0.01
    (True, 1.0, True)
    """
    a, b = samples("low", low), samples("high", high)
    for name, found in (("low", a), ("high", b)):
        if len(found) < 2:
            raise ValueError(f"{name} holds {len(found)} run; the test compares whole runs, two or more of each")
    permutations = checks.integer("permutations", permutations, minimum=19, maximum=100_000)
    level = checks.real("level", level, minimum=0.001, maximum=0.5)
    power = checks.real("power", power, minimum=0.5, maximum=0.99)
    trials = checks.integer("trials", trials, minimum=10, maximum=10_000)
    rng = checks.generator(seed)
    cdf, width = cumulative(a, b)
    sizes = (len(a), len(b))
    p_value, smallest = permutation_p(cdf, width, sizes, permutations, rng)
    null = floor_distances(cdf[len(a) :], width, sizes, rng)
    found = detectable_shift(b, sizes, level=level, power=power, trials=trials, seed=rng) if trials else math.nan
    return RoundingTest(
        float(wasserstein_distance(a.ravel(), b.ravel())),
        jackknife(cdf, width, sizes),
        float(np.quantile(null, 0.95)),
        float(null.mean()),
        p_value,
        smallest,
        found,
        power,
        level,
        sizes,
    )


def samples(name: str, given: Any) -> Array:
    """Return the values of the quantity by run, (runs, samples)."""
    if isinstance(given, xr.Dataset):
        if "state" not in given:
            raise ValueError(f"{name} has no variable 'state'; give a result of low_precision_run, or an array")
        chosen = given.state
        if given.attrs.get("observed"):
            chosen = chosen.sel(variable=list(given.attrs["observed"]))
        given = chosen.values
    array = checks.finite_array(name, given, ndim=(2, 3))
    return array.reshape(len(array), -1)


def cumulative(*groups: Array, bins: int = BINS) -> tuple[Array, float]:
    """Return the cumulative histogram of every run, (runs, bins), on one grid, and the grid's width."""
    low, high = min(g.min() for g in groups), max(g.max() for g in groups)
    width = (high - low) / bins or 1.0
    rows = []
    for run in itertools.chain(*groups):
        places = np.minimum(((run - low) / width).astype(np.int64), bins - 1)
        rows.append(np.cumsum(np.bincount(places, minlength=bins)) / run.size)
    return np.array(rows), float(width)


def _weights(chosen: NDArray[np.bool_]) -> Array:
    """Return, for each regrouping, the weights that turn cumulative histograms into F − G."""
    first = chosen.sum(axis=1, keepdims=True)
    return np.where(chosen, 1 / first, -1 / (chosen.shape[1] - first))


def _distances(chosen: NDArray[np.bool_], cdf: Array, width: float) -> Array:
    return width * np.abs(_weights(chosen) @ cdf).sum(axis=1)


def _regroupings(first: int, total: int, most: int, rng: np.random.Generator) -> tuple[NDArray[np.bool_], bool]:
    """Return choices of ``first`` out of ``total`` runs, (choices, total), the given one first; and whether all are."""
    if math.comb(total, first) <= max(most + 1, 1000):
        picks = np.array(list(itertools.combinations(range(total), first)))
        chosen = np.zeros((len(picks), total), bool)
        np.put_along_axis(chosen, picks, True, axis=1)
        return chosen, True
    ranks = rng.permuted(np.tile(np.arange(total), (most, 1)), axis=1)
    return np.concatenate([(np.arange(total) < first)[None], ranks < first]), False


def _as_large(found: Array, range_: float) -> int:
    """Return how many distances are as large as the first, which is one of them; rounding decides no tie."""
    return int(np.count_nonzero(found >= found[0] - 1e-12 * range_))


def permutation_p(
    cdf: Array, width: float, sizes: tuple[int, int], permutations: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the p-value of W₁ by permuting whole runs, and the least that these sizes can give."""
    chosen, is_all = _regroupings(sizes[0], sum(sizes), permutations, rng)
    found = _distances(chosen, cdf, width)
    as_large = _as_large(found, width * cdf.shape[1])
    twins = 2 if is_all and sizes[0] == sizes[1] else 1  # the two groups may change places
    return as_large / len(chosen), twins / len(chosen)


def floor_distances(cdf: Array, width: float, sizes: tuple[int, int], rng: np.random.Generator) -> Array:
    """Return W₁ between groups of reference runs, brought to the groups' sizes by its scaling as √(1/a + 1/b)."""
    total = len(cdf)
    first = total // 2
    chosen, _ = _regroupings(first, total, 499, rng)
    scale = math.sqrt((1 / sizes[0] + 1 / sizes[1]) / (1 / first + 1 / (total - first)))
    return scale * _distances(chosen, cdf, width)


def jackknife(cdf: Array, width: float, sizes: tuple[int, int]) -> float:
    """Return the standard error of W₁ by leaving out one run at a time, of either group."""
    variance = 0.0
    labels = np.arange(sum(sizes)) < sizes[0]
    for group in (np.flatnonzero(labels), np.flatnonzero(~labels)):
        values = []
        for left_out in group:
            kept = np.arange(len(labels)) != left_out
            values.append(_distances(labels[kept][None], cdf[kept], width)[0])
        variance += (len(group) - 1) * float(np.var(values))
    return math.sqrt(variance)


def detectable_shift(
    reference: ArrayLike,
    sizes: tuple[int, int],
    *,
    level: float = 0.05,
    power: float = 0.9,
    trials: int = 100,
    permutations: int = 199,
    seed: int | np.random.Generator = 0,
) -> float:
    """Return the least shift that the test sees with probability ``power``; ∞ if groups so small never can.

    ``reference`` (runs, samples). Groups of the given sizes are drawn from it; if it holds fewer runs than both groups
    together, it is split in two and the shift scaled by √(1/a + 1/b), as sampling errors are; NaN if the halves are too
    small for that. It falls as 1/√(K T). Shifted distributions are interpolated between the bins of their grid.

    >>> runs = np.random.default_rng(0).normal(size=(16, 200))
    >>> 0.05 < detectable_shift(runs, (4, 8), trials=20) < 0.5
    True
    """
    runs = samples("reference", reference)
    return shift_seen([(runs, 1.0)], sizes, level, power, trials, permutations, checks.generator(seed))


def shift_seen(
    views: Sequence[tuple[Array, float]],
    sizes: tuple[int, int],
    level: float,
    power: float,
    trials: int,
    permutations: int,
    rng: np.random.Generator,
) -> float:
    """Return the least shift seen by the mean of W₁ over several views of the same runs, see :func:`detectable_shift`.

    A view is the reference as it looks from one side, (runs, samples), and the share of a shift that it sees, ≥ 0.
    """
    count = len(views[0][0])
    if _least_p(*sizes) > level:
        return math.inf
    first, second = sizes
    if count < first + second:
        first, second = count // 2, count - count // 2
    if first < 1 or _least_p(first, second) > level:
        return math.nan
    scale = math.sqrt((1 / sizes[0] + 1 / sizes[1]) / (1 / first + 1 / second))
    chosen, _ = _regroupings(first, first + second, permutations, rng)
    weights = _weights(chosen)
    looks = []
    for runs, share in views:
        cdf, width = cumulative(runs, bins=COARSE_BINS)
        looks.append((np.concatenate([cdf, np.ones((count, COARSE_BINS))], axis=1), width, share))  # room to shift
    picks = [rng.permutation(count)[: first + second] for _ in range(trials)]
    widest = min(width / share for _, width, share in looks if share > 0)

    def distances(pick: NDArray[np.int64], shift: float) -> Array:
        total = np.zeros(len(weights))
        for cdf, width, share in looks:
            whole, part = divmod(shift * share / width, 1.0)
            two = cdf[pick]
            moved = np.zeros((first, cdf.shape[1] + 1))
            moved[:, 1 + int(whole) :] = two[:first, : cdf.shape[1] - int(whole)]
            two[:first] = (1 - part) * moved[:, 1:] + part * moved[:, :-1]
            total += width * np.abs(weights @ two).sum(axis=1)
        return total

    spread = sum(width for _, width, _ in looks) * COARSE_BINS

    def share_seen(shift: float) -> float:
        seen = sum(_as_large(distances(pick, shift), spread) <= level * len(weights) for pick in picks)
        return seen / trials

    low, high = 0.0, 2 * float(np.quantile(distances(picks[0], 0.0), 0.95)) / len(looks) or widest
    while share_seen(high) < power:
        low, high = high, 2 * high
        if high > (COARSE_BINS - 1) * widest:
            return math.inf
    while high - low > 0.04 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if share_seen(middle) >= power else (middle, high)
    return scale * high


def _least_p(first: int, second: int) -> float:
    """Return the least p-value that groups of these sizes can give; equal groups may change places."""
    return (2 if first == second else 1) / math.comb(first + second, first)


def holm(p_values: ArrayLike) -> Array:
    """Return p-values adjusted for their number (Holm, Scand. J. Stat. 6, 65, 1979), same shape.

    >>> holm([0.01, 0.04, 0.03]).round(6).tolist()
    [0.03, 0.06, 0.06]
    """
    p = checks.finite_array("p_values", p_values)
    flat = p.ravel()
    order = np.argsort(flat, kind="stable")
    raised = np.maximum.accumulate(flat[order] * (flat.size - np.arange(flat.size)))
    out = np.empty_like(flat)
    out[order] = np.minimum(raised, 1.0)
    return out.reshape(p.shape)
