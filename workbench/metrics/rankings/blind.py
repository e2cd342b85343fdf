"""What each score of a ranking sees: which changes leave it where it is, its constants, and the pair that fools it."""

import functools
from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.metrics import grammar
from workbench.metrics.rankings.extremes import extreme_profile, extremes, labels_of
from workbench.metrics.rankings.inputs import Sample, sample
from workbench.metrics.rankings.levels import Levels, level_of, levels
from workbench.metrics.rankings.mistakes import neighbours
from workbench.metrics.rankings.scores import RANKING_SCORES

RANDOM_ORDERS = 200
NEARLY = 2e-3
"""Two rankings whose scores differ by no more are called equal in the search for blind spots."""
MOST_STATES = 20_000_000
SHOWN_ITEMS = 200
LABELS = {name: entry.fact("symbol") for name, entry in RANKING_SCORES.items()}
Counts = NDArray[np.int64]


# ---- transformations: of labels and ranks (0 for the lowest score) --------------------------------------------------


def _increasing(given: Sample, places: Counts, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
    return given.positive, np.cumsum(rng.exponential(size=int(places.max()) + 1))[places]


def _shuffled(given: Sample, places: Counts, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
    order = rng.permutation(len(places))
    return given.positive[order], places[order]


def _twice(given: Sample, places: Counts, _: np.random.Generator) -> tuple[NDArray, NDArray]:
    return np.tile(given.positive, 2), np.tile(places, 2)


def _turned(given: Sample, places: Counts, _: np.random.Generator) -> tuple[NDArray, NDArray]:
    return ~given.positive, -places


def _negatives_twice(given: Sample, places: Counts, _: np.random.Generator) -> tuple[NDArray, NDArray]:
    more = ~given.positive
    return np.append(given.positive, np.zeros(more.sum(), dtype=bool)), np.append(places, places[more])


def _easy_negatives(given: Sample, places: Counts, _: np.random.Generator) -> tuple[NDArray, NDArray]:
    count = given.negatives
    return np.append(given.positive, np.zeros(count, dtype=bool)), np.append(places, -1 - np.arange(count))


def _rounded(given: Sample, places: Counts, _: np.random.Generator) -> tuple[NDArray, NDArray]:
    return given.positive, places * 20 // (int(places.max()) + 1)


def _mended(which: int) -> Callable[..., tuple[NDArray, NDArray]]:
    def mend(given: Sample, places: Counts, _: np.random.Generator) -> tuple[NDArray, NDArray]:
        found = neighbours(levels(Sample(given.positive, places)))
        if not len(found.level):
            return given.positive, places
        top = int(places.max()) - int(found.level[which])
        up = np.flatnonzero((places == top) & ~given.positive)[0]
        down = np.flatnonzero((places == top - 1) & given.positive)[0]
        moved = places.copy()
        moved[[up, down]] = moved[[down, up]]
        return given.positive, moved

    return mend


TRANSFORMATIONS: Mapping[str, tuple[str, bool, Callable[..., tuple[NDArray, NDArray]]]] = {
    "increasing": ("another increasing scale", True, _increasing),
    "shuffled": ("rows in another order", True, _shuffled),
    "twice": ("every item twice", True, _twice),
    "turned": ("classes and order turned round", False, _turned),
    "negatives-twice": ("every negative twice", False, _negatives_twice),
    "easy-negatives": ("as many negatives again, all at the end", False, _easy_negatives),
    "rounded": ("scores in 20 steps", False, _rounded),
    "topmost": ("topmost mistake mended", False, _mended(0)),
    "lowest": ("lowest mistake mended", False, _mended(-1)),
}
"""Name → what is done, whether it should not matter, and the function that does it."""

AXIOMS = {
    "perfect": "perfect order",
    "worst": "worst order",
    "random": f"mean of {RANDOM_ORDERS} random orders",
    "topmost": "gain at the topmost mistake",
    "lowest": "gain at the lowest mistake",
}


@results.experiment
def ranking_invariances(y: ArrayLike, scores: ArrayLike, *, seed: int = 0) -> xr.Dataset:
    """Return how far each score of a ranking moves under changes of it, and its constants for these numbers of items.

    Over (yardstick, transformation) ``invariance_change`` and over (yardstick, axiom) ``constant``, in the form of
    :mod:`workbench.metrics.grammar`. Raises ``ValueError`` as :func:`sample`. Cost: about 250 evaluations of each
    score, 20 ms for 200 items.

    >>> y = [1, 0, 1, 0, 0, 0]
    >>> found = ranking_invariances(y, [6.0, 5.0, 4.0, 3.0, 2.0, 1.0])
    >>> float(found.invariance_change.sel(yardstick="auroc", transformation="negatives-twice"))
    0.0
    """
    return results.dataset(*invariance_part(sample(y, scores), checks.generator(seed)))


def invariance_part(given: Sample, rng: np.random.Generator) -> grammar.Part:
    """Return invariances and constants as a part of a result."""
    below = level_of(given.scores)[0]
    places = int(below.max()) - below
    start = _evaluated(given.positive, places)
    moved, mended = [], {}
    for name, (_, _, change) in TRANSFORMATIONS.items():
        after = _evaluated(*change(given, places, rng))
        moved.append(np.abs(after - start))
        mended[name] = after - start
    p, m = given.positives, given.negatives
    order = np.arange(p + m, 0, -1)
    labels = np.arange(p + m) < p
    by_chance = np.mean([_evaluated(rng.permutation(labels), order) for _ in range(RANDOM_ORDERS)], axis=0)
    axioms = [_evaluated(labels, order), _evaluated(labels[::-1], order), by_chance]
    axioms += [mended["topmost"], mended["lowest"]]
    told = {name: (label, harmless) for name, (label, harmless, _) in TRANSFORMATIONS.items()}
    return grammar.joined(
        grammar.invariances(LABELS, told, np.array(moved).T), grammar.constants(LABELS, AXIOMS, np.array(axioms).T)
    )


def _evaluated(positive: NDArray, places: NDArray) -> NDArray[np.float64]:
    return _all_scores(levels(Sample(np.asarray(positive, dtype=bool), places)))


def _all_scores(found: Levels) -> NDArray[np.float64]:
    return np.array([entry(found) for entry in RANKING_SCORES.values()])


# ---- blind spots ----------------------------------------------------------------------------------------------------


@results.experiment
def ranking_confusions(positives: int = 20, negatives: int = 180) -> xr.Dataset:
    """Return for each score the two orders that it calls equal, and another score tells apart most.

    AUROC is judged by AP, every other score by AUROC. For AUROC and AP the two orders come from the exact extremes of
    AP at every AUROC; for the others from a few hundred orders in blocks. Where P M (M + 1) P is beyond 2·10⁷, both
    classes are made smaller in proportion. Over yardstick, in the form of :mod:`workbench.metrics.grammar`.
    Cost: 60 ms at P = 20, M = 180.

    >>> found = ranking_confusions(10, 90)
    >>> row = found.sel(yardstick="auroc")
    >>> float(row.blind_seen), round(float(row.blind_reference), 3)
    (0.0, 0.604)
    """
    p = checks.integer("positives", positives, minimum=1, maximum=10**9)
    m = checks.integer("negatives", negatives, minimum=1, maximum=10**9)
    return results.dataset(*confusion_part(p, m))


def confusion_part(p: int, m: int) -> grammar.Part:
    """Return the blind spots as a part of a result."""
    while p + m > SHOWN_ITEMS or p * (m + 1.0) * (p * m + 1.0) > MOST_STATES:
        share = min(SHOWN_ITEMS / (p + m), 0.9)
        p, m = max(round(p * share), 1), max(round(m * share), 1)
        if (p + m) <= 20:
            break
    names = list(RANKING_SCORES)
    seen, reference, words = _confused(p, m)
    references = [LABELS["ap"] if name == "auroc" else LABELS["auroc"] for name in names]
    return grammar.blind_spots(LABELS, seen, reference, references, words)


@functools.lru_cache(maxsize=64)
def _confused(p: int, m: int) -> tuple[list[float], list[float], list[str]]:
    pool = _pool(p, m)
    low, high = (extreme_profile(p, m, sign) for sign in (-1.0, 1.0))
    pairs = {"auroc": _fools_auroc(p, m, low, high), "ap": _fools_ap(p, m, low, high)}
    pool += [order for pair in pairs.values() for order in pair]
    order = np.arange(p + m, 0, -1)
    values = np.array([_evaluated(labels_of(above, m), order) for above in pool])
    names = list(RANKING_SCORES)
    seen, reference, chosen = [], [], []
    for k, name in enumerate(names):
        judge = values[:, names.index("ap" if name == "auroc" else "auroc")]
        own = values[:, k]
        apart = np.abs(judge[:, None] - judge[None, :])
        apart[np.abs(own[:, None] - own[None, :]) > NEARLY] = -1
        i, j = np.unravel_index(int(np.argmax(apart)), apart.shape)
        if name in pairs:  # exact for AUROC and, in its steps, for AP: no search does better at equal values
            a, b = len(pool) - (4 if name == "auroc" else 2), len(pool) - (3 if name == "auroc" else 1)
            if abs(own[a] - own[b]) <= abs(own[i] - own[j]) or name == "auroc":
                i, j = a, b
        seen.append(float(abs(own[i] - own[j])))
        reference.append(float(abs(judge[i] - judge[j])))
        chosen.append((pool[i], pool[j]))
    return seen, reference, [f"{in_words(a, m)} | {in_words(b, m)}" for a, b in chosen]


def _fools_auroc(p: int, m: int, low: NDArray, high: NDArray) -> tuple[Counts, Counts]:
    """Return the two orders of one AUROC whose APs are furthest apart."""
    total = int(np.argmax(high - low))
    found = extremes(p, m, total)
    return found[0], found[1]


def _fools_ap(p: int, m: int, low: NDArray, high: NDArray) -> tuple[Counts, Counts]:
    """Return two orders of nearly one AP whose AUROCs are furthest apart: both extremes fall as Σ f grows."""
    falling = -np.maximum.accumulate(low[::-1])[::-1]
    least = np.minimum(np.searchsorted(falling, -high), len(low) - 1)  # the first Σ f whose least AP is at most high
    # of the neighbours, the one whose least AP is nearer
    before = np.maximum(least - 1, 0)
    least = np.where(np.abs(low[before] - high) < np.abs(low[least] - high), before, least)
    near = np.abs(low[least] - high) <= NEARLY * p
    apart = np.where(near, np.arange(len(low)) - least, -1)
    total = int(np.argmax(apart))
    return extremes(p, m, total)[1], extremes(p, m, int(least[total]))[0]


def _pool(p: int, m: int) -> list[Counts]:
    """Return orders in three blocks: some at the top, some behind c negatives, the others at the end."""
    parts = sorted({round(p * share) for share in (0, 0.25, 0.5, 0.75, 1)})
    depths = sorted({round(m * share) for share in (0, 0.002, 0.01, 0.05, 0.11, 0.2, 0.35, 0.5, 0.7, 0.85, 1)})
    found = {}
    for top in parts:
        for middle in parts:
            if top + middle > p:
                continue
            for depth in depths:
                order = np.repeat([0, depth, m], [top, middle, p - top - middle])
                found[order.tobytes()] = order
    return list(found.values())


def in_words(above: Counts, negatives: int) -> str:
    """Return an order in words: how many positives stand behind how many negatives.

    >>> in_words(np.array([0, 0, 5, 9]), 9)
    '2 first, 1 behind 5, 1 last'
    """
    depth, count = np.unique(above, return_counts=True)
    if len(depth) > 4:
        inside = (depth > 0) & (depth < negatives)
        parts = [f"{count[0]} first"] if depth[0] == 0 else []
        parts.append(f"{count[inside].sum()} behind {depth[inside][0]} to {depth[inside][-1]}")
        return ", ".join(parts + ([f"{count[-1]} last"] if depth[-1] == negatives else []))
    told = {0: "first", negatives: "last"}
    return ", ".join(f"{n} {told.get(int(d), f'behind {d}')}" for d, n in zip(depth, count, strict=True))
