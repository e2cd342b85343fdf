"""Everything about one ranking in one result: what the page shows, and what a notebook may want at once."""

import contextlib
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.metrics import grammar
from workbench.metrics.rankings.blind import confusion_part, invariance_part
from workbench.metrics.rankings.drift import RULES
from workbench.metrics.rankings.examples import example
from workbench.metrics.rankings.extremes import range_variables
from workbench.metrics.rankings.group_repairs import gap_part
from workbench.metrics.rankings.inputs import Sample, sample, score_array
from workbench.metrics.rankings.levels import Levels, level_of, levels
from workbench.metrics.rankings.mistakes import best_exchanges, inside_groups, neighbours, sharpest
from workbench.metrics.rankings.paired import MODELS, compared
from workbench.metrics.rankings.ranking import judged
from workbench.metrics.rankings.resampling import curve_bands
from workbench.metrics.rankings.scores import auroc, average_precision
from workbench.progress import Progress

MOST_TICKS = 400
"""Up to this many items are listed one by one; of more, so many evenly over the ranks."""
MOST_BARS = 1000
FEW_FOR_TABLES = 2000
"""The table of invariances looks at up to this many items, drawn from all where there are more."""
SHARES = np.geomspace(0.01, 1, 41)
BEST = 10
MENDED, RUNS = 50, 10
"""Mistakes that are mended one after the other to see the gap of two groups, and runs of what chance decides."""


def at_firing_rate(ds: xr.Dataset, fired: float) -> dict[str, float]:
    """Return what a threshold does that lets about the share ``fired`` of the items through, of a report's items.

    ``threshold`` (a score between two items), ``fired``, ``tpr``, ``fpr``, ``precision`` (NaN where nothing is fired).
    """
    k = int(np.searchsorted(ds.tick_fired.values, fired + 1e-12, side="right"))
    score = ds.tick_score.values
    if k == 0:
        return {"threshold": float(score[0] + _step(score)), "fired": 0.0, "tpr": 0.0, "fpr": 0.0, "precision": np.nan}
    found = {name: float(ds[f"tick_{name}"][k - 1]) for name in ("fired", "tpr", "fpr", "precision")}
    below = score[k] if k < len(score) else score[-1] - 2 * _step(score)
    return {"threshold": float((score[k - 1] + below) / 2), **found}


def firing_rate_at(ds: xr.Dataset, threshold: float) -> float:
    """Return the share of the items of a report whose score is at least ``threshold``."""
    through = ds.tick_fired.values[ds.tick_score.values >= threshold]
    return float(through[-1]) if len(through) else 0.0


def _step(score: NDArray[np.float64]) -> float:
    return 0.02 * (float(score[0] - score[-1]) or 1.0)


@results.experiment
def ranking_report(
    y: ArrayLike | None = None,
    scores: ArrayLike | None = None,
    *,
    other: ArrayLike | None = None,
    group: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    positive: Any = None,
    names: tuple[str, str] = MODELS,
    kept: float = 1.0,
    n: int = 200,
    prevalence: float = 0.1,
    separation: float = 1.8,
    noise: float = 0.7,
    scale: float = 1.0,
    seed: int = 0,
) -> xr.Dataset:
    """Judge one ranking in every way of this family: scores, mistakes, range of AP, prevalence, groups, blind spots.

    ``y`` and ``scores`` (N,) with perhaps ``other`` scores of a second model, ``group`` and ``weights``, as in
    :func:`ranking` and :func:`compare`; without them an example of ``n`` items is drawn (``prevalence``,
    ``separation``, the second model's ``noise``, the ``scale`` of group B's scores). ``kept`` is the share of negatives
    kept where the prevalence is changed.

    Returns what :func:`ranking` returns, with bands of both curves (from replicates); up to 400 items one by one; the
    gains of up to 1000 mistakes and the ten best exchanges, of all items and inside each group; what :func:`ap_range`
    returns; both scores where a share of the negatives is kept; the paired test where there are two models; the gap of
    the groups while mistakes are mended (:func:`group_repairs`) where there are two; invariances, constants and blind
    spots. Under weights, what is
    defined only for items that count once is left out. Raises ``ValueError`` as :func:`sample`.
    Cost: 0.1 s for 200 items, 1 s for a million.

    >>> found = ranking_report(n=100, seed=1)
    >>> bool(found.lowest <= found.ap[0] <= found.highest)
    True
    """
    kept = checks.real("kept", kept, minimum=1e-4, maximum=1)
    if (y is None) != (scores is None):
        raise ValueError("give labels y and scores, or neither: then an example is drawn")
    if y is None:
        drawn = example(n, prevalence=prevalence, separation=separation, noise=noise, scale=scale, seed=seed)
        y, scores, group = drawn.y, drawn.scores, drawn.group
        other = drawn.other if noise > 0 else None
    given = sample(y, scores, weights=weights, group=group, positive=positive)
    rng = checks.generator(seed)
    found = levels(given)
    parts = [judged(given), _bands(given, rng), _ticks(given), _thinned(found, kept)]
    if other is not None:
        parts.append(compared(given, _second(other, given), tuple(names)))
    with contextlib.suppress(ValueError):  # not two groups, or one without an AUROC: there is no gap to follow
        parts.append(gap_part(given, tuple(RULES), MENDED, RUNS, rng.spawn(1)[0], Progress()))
    if given.weights is None:
        parts += [_mistakes(given, found), range_variables(given.positives, given.negatives, auroc(found))]
        few = _few(given, rng)
        parts += [invariance_part(few, rng), confusion_part(given.positives, given.negatives)]
        parts.append(({"table_items": ((), len(few.positive), "items that the table of invariances looks at")}, {}))
    return results.dataset(*grammar.joined(*parts))


def _second(other: ArrayLike, given: Sample) -> NDArray[Any]:
    scores = score_array("other", other)
    if len(scores) != len(given.scores):
        raise ValueError(f"other has {len(scores)} scores for {len(given.scores)} items; both models score the same")
    return scores


def _few(given: Sample, rng: np.random.Generator) -> Sample:
    """Return up to so many items as the table looks at, drawn class by class."""
    if len(given.positive) <= FEW_FOR_TABLES:
        return given
    share = FEW_FOR_TABLES / len(given.positive)
    chosen = [
        rng.choice(items, max(round(share * len(items)), 1), replace=False)
        for items in (np.flatnonzero(given.positive), np.flatnonzero(~given.positive))
    ]
    places = np.sort(np.concatenate(chosen))
    return Sample(given.positive[places], given.scores[places])


def _bands(given: Sample, rng: np.random.Generator) -> grammar.Part:
    bands = curve_bands(given, seed=rng)
    told = {
        "tpr_low": "lower end of the band of TPR",
        "tpr_high": "upper end of the band of TPR",
        "precision_low": "lower end of the band of precision",
        "precision_high": "upper end of the band of precision",
    }
    variables = {name: (("rate",), bands[name], label) for name, label in told.items()}
    return variables, {"rate": (("rate",), bands["rate"], "FPR, or recall")}


def _ticks(given: Sample) -> grammar.Part:
    """List items from the highest score down, with what is fired, found and right at a threshold just below each."""
    order = np.argsort(-level_of(given.scores)[0], kind="stable")[::-1]
    if len(order) > MOST_TICKS:
        order = order[np.unique(np.linspace(0, len(order) - 1, MOST_TICKS).round().astype(int))]
    place = level_of(given.scores)[0][order]
    found = levels(given)
    true, false = np.cumsum(found.positives), np.cumsum(found.negatives)
    kinds, which = (np.array(["all"]), np.zeros(len(given.positive), dtype=np.int64))
    if given.group is not None:
        kinds, which = np.unique(given.group, return_inverse=True)
    tick = ("tick",)
    variables = {
        "tick_score": (tick, given.scores[order].astype(float), "score of an item"),
        "tick_positive": (tick, given.positive[order], "whether the item is positive"),
        "tick_group": (tick, kinds[which][order], "group of the item"),
        "tick_item": (tick, order, "the item, as a row of the input"),
        "tick_fired": (tick, (true + false)[place] / (true + false)[-1], "firing rate at a threshold of this score"),
        "tick_tpr": (tick, true[place] / true[-1], "TPR, or recall, at this threshold"),
        "tick_fpr": (tick, false[place] / false[-1], "FPR at this threshold"),
        "tick_precision": (tick, true[place] / (true + false)[place], "precision at this threshold"),
        "items": ((), len(given.positive), "items"),
    }
    return variables, {"tick": (tick, np.arange(len(order)), "item, from the highest score")}


def _thinned(found: Levels, kept: float) -> grammar.Part:
    """Judge the ranking with a share of its negatives: each negative counts that much."""

    def at(share: float) -> tuple[float, float, float]:
        some = Levels(
            found.positives.astype(float), found.negatives * share, found.scores, found.positive_squares,
            found.negative_squares * share**2,
        )  # fmt: skip
        total = some.positives.sum()
        return auroc(some), average_precision(some), float(total / (total + some.negatives.sum()))

    curve = np.array([at(share) for share in SHARES])
    here = at(kept)
    one = ("share",)
    told = ("AUROC", "AP", "prevalence")
    variables = {}
    for k, name in enumerate(("thinned_auroc", "thinned_ap", "thinned_prevalence")):
        variables[name] = (one, curve[:, k], f"{told[k]} where this share of the negatives is kept")
        variables[f"{name}_here"] = ((), here[k], f"{told[k]} at the share asked for")
    return variables, {"share": (one, SHARES, "share of the negatives kept")}


def _mistakes(given: Sample, found: Levels) -> grammar.Part:
    mistakes = neighbours(found)
    high, low, ratio = sharpest(mistakes)
    count = len(mistakes.rank)
    falling = float(np.mean(np.diff(mistakes.ap_gain) <= 0)) if count > 1 else np.nan
    shown = np.arange(count)
    if count > MOST_BARS:
        shown = np.unique(np.linspace(0, count - 1, MOST_BARS).round().astype(int))
    upper, lower, ap_gain, auroc_gain = best_exchanges(found, BEST)
    k = np.cumsum(found.positives + found.negatives)
    one, best = ("mistake",), ("best",)
    variables = {
        "rank": (one, mistakes.rank[shown], "rank of the negative"),
        "auroc_gain": (one, mistakes.auroc_gain[shown], "AUROC gained by mending the mistake"),
        "ap_gain": (one, mistakes.ap_gain[shown], "AP gained by mending the mistake"),
        "mistakes": ((), count, "neighbouring mistakes"),
        "falling": ((), falling, "share of mistakes that gain no more AP than the one above"),
        "sharp_upper": ((), high, "rank of a mistake that is worth less AP than one below it"),
        "sharp_lower": ((), low, "rank of that mistake below"),
        "sharp_ratio": ((), ratio, "how many times more AP the lower one gains, at most"),
        "best_upper_rank": (best, k[upper], "rank of the negative"),
        "best_lower_rank": (best, k[lower], "rank of the positive"),
        "best_ap_gain": (best, ap_gain, "AP gained by exchanging the two"),
        "best_auroc_gain": (best, auroc_gain, "AUROC gained by exchanging the two"),
    }
    inside, names = inside_groups(given, found, level_of(given.scores)[0], BEST)
    variables |= inside
    coordinates = names | {
        "mistake": (one, shown, "mistake, from the highest score"),
        "best": (best, np.arange(len(upper)), "exchange, the best first"),
    }
    return variables, coordinates
