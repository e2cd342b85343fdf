"""What it is worth to mend a mistake: the exact gain of AUROC and of AP, for neighbours and for any two items.

Let a negative of level g and a positive of a lower level h > g exchange their scores. With p, n the positives and
negatives of a level, TP and K the positives and items down to its end, P and M those of the whole ranking,

    P M ΔAUROC = 1 + Σ_{g<r<h} (p_r + n_r) + ½ (n_g − 1 + p_g + n_h + p_h − 1),
    P ΔAP = (TP_g + p_g + 1)/K_g + Σ_{g<r<h} p_r/K_r − TP_h/K_h.

Without ties, for neighbours at ranks k and k + 1 below t positives (the paper's atomic mistake), that is 1/(P M) for
every mistake, and (t + 1)/(P k (k + 1)). Both gains are sums of a part of g and a part of h, so the best exchanges of
all pairs are found in one pass.
"""

from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numba import njit
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.metrics.rankings.inputs import Sample, sample
from workbench.metrics.rankings.levels import Levels, level_of, levels

MOST_BEST = 100
GAINS = {"ap": "AP", "auroc": "AUROC"}
Floats = NDArray[np.float64]


class Mistakes(NamedTuple):
    """Every neighbouring pair of a negative above a positive: the upper level, the rank at its end, both gains."""

    level: NDArray[np.int64]
    rank: NDArray[np.int64]
    auroc_gain: Floats
    ap_gain: Floats


@results.experiment
def repairs(
    y: ArrayLike,
    scores: ArrayLike,
    *,
    group: ArrayLike | None = None,
    count: int = 10,
    by: str = "ap",
    positive: Any = None,
) -> xr.Dataset:
    """Return what mending each mistake of a ranking would add to AUROC and to AP, exactly.

    A mistake is a negative on a level of scores just above one with a positive; mending exchanges the two scores.
    Returns over mistake, from the top: ``rank`` (items down to the end of the upper level), ``auroc_gain``,
    ``ap_gain``, ``negative_item`` and ``positive_item`` (rows of ``y``; the first of a level), their ``same_group``;
    over best: the ``count`` exchanges of any two items that add most to AP (or AUROC, if that is what ``by`` names),
    with both gains; with groups also those within each group, over (inside, best), NaN and −1 where a group has fewer.
    Raises ``ValueError`` as :func:`sample`. Cost: O(N log N), 0.3 s for a million items, and as much for three groups.

    >>> order = [0] * 10 + [1] * 10 + [0, 1]
    >>> found = repairs(order, np.arange(22, 0, -1))
    >>> found["rank"].values.tolist(), found.ap_gain.values.round(15).tolist()
    ([10, 21], [0.000826446280992, 0.002164502164502])
    """
    count = checks.integer("count", count, minimum=1, maximum=MOST_BEST)
    checks.choice("by", by, GAINS)
    given = sample(y, scores, group=group, positive=positive)
    return results.dataset(*mistake_variables(given, count, by))


def mistake_variables(given: Sample, count: int, by: str) -> tuple[dict, dict]:
    """Return the variables and coordinates of :func:`repairs`."""
    found = levels(given)
    place = level_of(given.scores)[0]
    mistakes = neighbours(found)
    upper, lower, ap_gain, auroc_gain = best_exchanges(found, count, by=by)
    negative, positive = _first_items(place, ~given.positive), _first_items(place, given.positive)
    one, best = ("mistake",), ("best",)
    k = np.cumsum(found.positives + found.negatives)
    pair = negative[mistakes.level], positive[mistakes.level + 1]
    variables = {
        "rank": (one, mistakes.rank, "rank of the negative: items down to the end of its level"),
        "auroc_gain": (one, mistakes.auroc_gain, "AUROC gained by mending the mistake"),
        "ap_gain": (one, mistakes.ap_gain, "AP gained by mending the mistake"),
        "negative_item": (one, pair[0], "the negative, as a row of the input"),
        "positive_item": (one, pair[1], "the positive, as a row of the input"),
        "best_upper_rank": (best, k[upper], "rank of the negative"),
        "best_lower_rank": (best, k[lower], "rank of the positive"),
        "best_ap_gain": (best, ap_gain, "AP gained by the exchange"),
        "best_auroc_gain": (best, auroc_gain, "AUROC gained by the exchange"),
        "best_negative_item": (best, negative[upper], "the negative, as a row of the input"),
        "best_positive_item": (best, positive[lower], "the positive, as a row of the input"),
    }
    if given.group is not None:
        same = given.group[pair[0]] == given.group[pair[1]]
        variables["same_group"] = (one, same, "whether both items are of one group")
    inside, names = inside_groups(given, found, place, count, by)
    variables |= inside
    coordinates = names | {
        "mistake": (one, np.arange(len(mistakes.rank)), "mistake, from the highest score"),
        "best": (best, np.arange(len(upper)), "exchange, the best first"),
    }
    return variables, coordinates


RULES = {"ap": "most AP gained", "random": "at random: AUROC gains alike", "topmost": "the topmost"}


def mend(
    y: ArrayLike, scores: ArrayLike, rule: str = "ap", *, steps: int = 1, positive: Any = None, seed: int = 0
) -> NDArray[Any]:
    """Return the scores (N,) after ``steps`` mistakes were mended, each picked by ``rule``.

    ``"ap"`` mends what gains most AP, ``"topmost"`` the topmost, ``"random"`` any: AUROC gains as much by each. A
    mistake is mended by exchanging the scores of its two items. Without mistakes nothing changes. Raises
    ``ValueError`` as :func:`sample`. Cost: O(N log N) a step.

    >>> mend([0, 1, 0, 1], [4.0, 3.0, 2.0, 1.0]).tolist()
    [3.0, 4.0, 2.0, 1.0]
    """
    checks.choice("rule", rule, RULES)
    steps = checks.integer("steps", steps, minimum=0, maximum=10_000)
    given = sample(y, scores, positive=positive)
    rng = checks.generator(seed)
    moved = given.scores.copy()
    for _ in range(steps):
        here = Sample(given.positive, moved)
        found = neighbours(levels(here))
        if not len(found.level):
            break
        picks = {"ap": np.argmax(found.ap_gain), "topmost": 0, "random": rng.integers(len(found.level))}
        level = int(found.level[int(picks[rule])])
        place = level_of(moved)[0]
        up = np.flatnonzero((place == level) & ~given.positive)[0]
        down = np.flatnonzero((place == level + 1) & given.positive)[0]
        moved[[up, down]] = moved[[down, up]]
    return moved


def sharpest(found: Mistakes) -> tuple[int, int, float]:
    """Return the ranks of two mistakes, the upper first, and how many times more AP the lower one gains: the largest.

    Above 1 a lower mistake is worth more than one above it. Ranks of 0 and NaN with fewer than two mistakes.
    """
    if len(found.rank) < 2:
        return 0, 0, np.nan
    least = np.minimum.accumulate(found.ap_gain)[:-1]
    ratio = found.ap_gain[1:] / least
    low = int(np.argmax(ratio)) + 1
    high = int(np.argmin(found.ap_gain[:low]))
    return int(found.rank[high]), int(found.rank[low]), float(ratio[low - 1])


def neighbours(found: Levels) -> Mistakes:
    """Return every mistake between neighbouring levels, with its exact gains."""
    p, n = found.positives, found.negatives
    upper = np.flatnonzero((n[:-1] > 0) & (p[1:] > 0))
    lower = upper + 1
    true, fired = np.cumsum(p), np.cumsum(p + n)
    total = float(true[-1]) * float(fired[-1] - true[-1])
    twice = n[upper] + p[upper] + n[lower] + p[lower]
    # one fraction each, so that (TP + p + 1)/K − TP'/K' loses nothing where both are close to 1
    a, b = true[upper].astype(float) + 1, fired[upper].astype(float)
    c, d = true[lower].astype(float), fired[lower].astype(float)
    gain = _exact_difference(a + p[upper], b, c, d)
    return Mistakes(upper, fired[upper], twice / (2 * total), gain / float(true[-1]))


def _exact_difference(a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    """Return a/b − c/d of whole numbers below 2²⁶·⁵ without cancellation; above, to a rounding of either."""
    return (a * d - c * b) / (b * d)


def exchange_gains(found: Levels, upper: ArrayLike, lower: ArrayLike) -> tuple[Floats, Floats]:
    """Return what exchanging a negative of each level ``upper`` with a positive of ``lower`` adds: AUROC, AP.

    O(1) a pair after O(N). Raises ``ValueError`` where no such items stand there, or ``lower`` is not below.
    """
    g, h = np.asarray(upper, dtype=np.int64), np.asarray(lower, dtype=np.int64)
    p, n = found.positives, found.negatives
    if np.any(g < 0) or np.any(h >= len(p)) or np.any(g >= h):
        raise ValueError("each pair is a level and a lower one; levels are counted from 0, the highest score")
    if np.any(n[g] == 0) or np.any(p[h] == 0):
        raise ValueError("an exchange needs a negative on the upper level and a positive on the lower one")
    first, second = _parts(p, n)
    true, fired = np.cumsum(p), np.cumsum(p + n)
    between = fired[h - 1] - fired[g]
    total = float(true[-1]) * float(fired[-1] - true[-1])
    twice = 2 * between + n[g] + p[g] + n[h] + p[h]
    return twice / (2 * total), (first[g] + second[h]) / float(true[-1])


def best_exchanges(
    found: Levels, count: int, *, by: str = "ap", own: tuple[NDArray[Any], NDArray[Any]] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats, Floats]:
    """Return the ``count`` exchanges that add most: upper level, lower level, gains of AP and of AUROC.

    ``by`` says to which of the two; ``own``, the positives and negatives on each level that may be exchanged, is all of
    them if left out. At most one exchange a pair of levels. O(N · count).
    """
    p, n = found.positives, found.negatives
    first, second = _parts(p, n) if by == "ap" else _auroc_parts(p, n)
    upper, lower = _best(first, second, *((p, n) if own is None else own), count)
    if len(upper) == 0:
        return upper, lower, np.empty(0), np.empty(0)
    auroc_gain, ap_gain = exchange_gains(found, upper, lower)
    order = np.argsort(-(ap_gain if by == "ap" else auroc_gain), kind="stable")
    return upper[order], lower[order], ap_gain[order], auroc_gain[order]


def inside_groups(
    given: Sample, found: Levels, place: NDArray[np.int64], count: int, by: str = "ap"
) -> tuple[dict[str, tuple[Any, ...]], dict[str, tuple[Any, ...]]]:
    """Return the best exchanges of two items of one group, for each group, over (inside, best); nothing without groups.

    What they add is added to the scores of the whole ranking.
    """
    if given.group is None:
        return {}, {}
    names, codes = np.unique(given.group, return_inverse=True)
    gains = np.full((2, len(names), count), np.nan)
    ranks, items = (np.full((2, len(names), count), -1, dtype=np.int64) for _ in range(2))
    fired = np.cumsum(found.positives + found.negatives)
    for k in range(len(names)):
        chosen = given.positive & (codes == k), ~given.positive & (codes == k)
        own = [np.bincount(place[some], minlength=len(fired)) for some in chosen]
        upper, lower, *gained = best_exchanges(found, count, by=by, own=(own[0], own[1]))
        gains[:, k, : len(upper)] = gained
        ranks[:, k, : len(upper)] = fired[upper], fired[lower]
        items[:, k, : len(upper)] = _first_items(place, chosen[1])[upper], _first_items(place, chosen[0])[lower]
    both = ("inside", "best")
    variables: dict[str, tuple[Any, ...]] = {}
    for k, (kind, end) in enumerate((("negative", "upper"), ("positive", "lower"))):
        told = f"inside a group: the {kind}"
        variables[f"inside_{end}_rank"] = (both, ranks[k], f"{told}'s rank; −1: the group has no such exchange")
        variables[f"inside_{kind}_item"] = (both, items[k], f"{told}, as a row of the input")
    for k, (name, label) in enumerate(GAINS.items()):
        variables[f"inside_{name}_gain"] = (both, gains[k], f"{label} of all gained by an exchange inside the group")
    return variables, {"inside": (("inside",), names, "group of both items")}


def _first_items(place: NDArray[np.int64], chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return for each level the first of the chosen items on it, −1 where there is none."""
    first = np.full(int(place.max()) + 1, -1, dtype=np.int64)
    items = np.flatnonzero(chosen)[::-1]
    first[place[items]] = items
    return first


@njit(cache=True, nogil=True)
def _parts(p, n):
    # P ΔAP = first[g] + second[h]: the sum over the levels between is a difference of one running sum
    count = len(p)
    first = np.empty(count)
    second = np.empty(count)
    true, fired, running = 0.0, 0.0, 0.0
    for g in range(count):
        true += p[g]
        fired += p[g] + n[g]
        second[g] = running - true / fired
        running += p[g] / fired
        first[g] = (true + p[g] + 1) / fired - running
    return first, second


@njit(cache=True, nogil=True)
def _auroc_parts(p, n):
    # 2 P M ΔAUROC = first[g] + second[h], from the items between two levels and half of those on them
    count = len(p)
    first = np.empty(count)
    second = np.empty(count)
    fired = 0.0
    for g in range(count):
        both = p[g] + n[g]
        second[g] = 2 * fired + both
        fired += both
        first[g] = both - 2 * fired
    return first, second


@njit(cache=True, nogil=True)
def _best(first, second, p, n, count):
    # the best upper levels so far, best first, and the best pairs so far, in no order
    tops = np.empty(count, np.int64)
    found_tops = 0
    upper = np.empty(count, np.int64)
    lower = np.empty(count, np.int64)
    gain = np.empty(count)
    found = 0
    for h in range(len(p)):
        if p[h] > 0:
            for k in range(found_tops):
                value = first[tops[k]] + second[h]
                if found < count:
                    where = found
                    found += 1
                else:
                    where = np.argmin(gain)
                    if value <= gain[where]:
                        break
                upper[where], lower[where], gain[where] = tops[k], h, value
        if n[h] > 0:
            k = found_tops
            if found_tops < count:
                found_tops += 1
            elif first[h] <= first[tops[count - 1]]:
                continue
            else:
                k = count - 1
            while k > 0 and first[tops[k - 1]] < first[h]:
                tops[k] = tops[k - 1]
                k -= 1
            tops[k] = h
    return upper[:found].copy(), lower[:found].copy()
