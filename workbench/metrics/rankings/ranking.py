"""One ranking, judged: AUROC and AP with error bars, chance level and tie bracket, and both curves."""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.metrics.rankings.errors import FEW_POSITIVES, ap_variance, auroc_variance, interval
from workbench.metrics.rankings.inputs import Sample, sample
from workbench.metrics.rankings.levels import Levels, levels
from workbench.metrics.rankings.scores import RANKING_SCORES, average_precision, chance_ap, tie_bracket
from workbench.metrics.rankings.scores import auroc as auroc_of

TIES = {"group": None, "pessimistic": 0, "mean": 1, "optimistic": 2}
"""How AP reads a level of equal scores: at its end, as scikit-learn does, or in the worst, a random, the best order."""
MOST_POINTS = 1000
ALL = "all"


@results.experiment
def ranking(
    y: ArrayLike,
    scores: ArrayLike,
    *,
    group: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    ties: str = "group",
    positive: Any = None,
    level: float = 0.95,
) -> xr.Dataset:
    """Judge a ranking of N items by labels ``y`` (N,) and ``scores`` (N,): AUROC and AP, each with its error.

    ``ties`` says how AP reads equal scores: ``"group"`` (at the end of their level, as scikit-learn), ``"mean"`` over
    all their orders, ``"pessimistic"`` or ``"optimistic"``; ``group`` (N,) names groups that are judged apart as well,
    ``weights`` (N,) are above 0, ``positive`` says which of two labels is positive, ``level`` is that of the intervals.

    Returns over part ("all", then the groups): ``auroc``, ``ap`` with ``_error`` (DeLong; influence function),
    ``_low`` and ``_high`` (logit scale); chance level and prevalence, the tie bracket, the number of tied pairs of a
    positive and a negative; over (part, point) both curves, at most 1000 points. NaN: an interval that the data do not
    give (one positive, a perfect ranking), the bracket and the chance level under weights, a group of one class.
    Raises ``ValueError`` as :func:`sample`. Cost: 0.2 s for a million items. arXiv 2401.06091, theorem 1.

    >>> found = ranking([1, 0, 1, 0, 0], [0.9, 0.8, 0.7, 0.7, 0.1])
    >>> round(float(found.auroc[0]), 6), round(float(found.ap[0]), 6)
    (0.75, 0.75)
    """
    checks.choice("ties", ties, TIES)
    level = checks.real("level", level, minimum=0.5, maximum=0.9999)
    given = sample(y, scores, weights=weights, group=group, positive=positive)
    if TIES[ties] is not None and weights is not None:
        raise ValueError(
            f"ties={ties!r} is defined where every item counts once; leave the weights out or ties='group'"
        )
    return results.dataset(*judged(given, ties=ties, level=level))


def judged(given: Sample, *, ties: str = "group", level: float = 0.95) -> tuple[dict, dict]:
    """Return the variables and coordinates of :func:`ranking`."""
    names = [ALL]
    if given.group is not None:
        groups = np.unique(given.group).tolist()
        names = [ALL if ALL not in groups else f"({ALL})", *groups]
    rows, curves = [], []
    for k, name in enumerate(names):
        one = given if k == 0 else given.part(given.group == name)
        if one.positives and one.negatives:
            found = levels(one)
            rows.append(_numbers(found, ties, level))
            curves.append(_curves(found))
        else:
            rows.append(_counts(one.positives, one.negatives))
            curves.append(np.full((3, 1), np.nan))
    longest = max(curve.shape[1] for curve in curves)
    stacked = np.array(
        [np.pad(curve, ((0, 0), (0, longest - curve.shape[1])), constant_values=np.nan) for curve in curves]
    )
    part, point = ("part",), ("part", "point")
    variables = {
        name: (part, np.array([row.get(name, np.nan) for row in rows]), told) for name, told in LONG_NAMES.items()
    }
    variables |= {
        "fpr": (point, stacked[:, 0], "false positive rate"),
        "tpr": (point, stacked[:, 1], "true positive rate, or recall"),
        "precision": (point, stacked[:, 2], "precision"),
    }
    coordinates = {
        "part": (part, np.array(names), "all items, and each group"),
        "point": (("point",), np.arange(longest), "point of a curve, from the highest score"),
    }
    return variables, coordinates


LONG_NAMES = {
    "auroc": "AUROC",
    "auroc_error": "standard error of AUROC (DeLong)",
    "auroc_low": "lower end of the interval of AUROC",
    "auroc_high": "upper end of the interval of AUROC",
    "ap": "average precision",
    "ap_error": "standard error of AP (influence function)",
    "ap_low": "lower end of the interval of AP",
    "ap_high": "upper end of the interval of AP",
    "ap_group": "AP, read at the end of each level of ties",
    "ap_pessimistic": "least AP over the orders of ties",
    "ap_mean": "mean AP over the orders of ties",
    "ap_optimistic": "greatest AP over the orders of ties",
    "ap_trapezoid": "trapezoids under the precision-recall points",
    "chance": "expected AP of a random order",
    "prevalence": "share of positives",
    "positives": "positives",
    "negatives": "negatives",
    "tied_pairs": "pairs of a positive and a negative with equal scores",
    "few_positives": "whether there are too few positives for the error of AP to be trusted",
}


def _counts(positives: int, negatives: int) -> dict[str, float]:
    return {"positives": positives, "negatives": negatives, "prevalence": positives / (positives + negatives)}


def _numbers(found: Levels, ties: str, level: float) -> dict[str, float]:
    p, n = found.positives, found.negatives
    counted = found.is_counted
    bracket = tie_bracket(found) if counted else (np.nan,) * 3
    at_end = average_precision(found)
    chosen = TIES[ties]
    row = _counts(int(p.sum()), int(n.sum())) if counted else _counts(float(p.sum()), float(n.sum()))
    row |= {
        "auroc": auroc_of(found),
        "ap": at_end if chosen is None else bracket[chosen],
        "ap_group": at_end,
        **dict(zip(("ap_pessimistic", "ap_mean", "ap_optimistic"), bracket, strict=True)),
        "ap_trapezoid": RANKING_SCORES["pr-trapezoid"](found),
        "chance": chance_ap(int(p.sum()), int(p.sum() + n.sum())) if counted else np.nan,
        "tied_pairs": float(p.astype(float) @ n) if counted else np.nan,
        "few_positives": float(p.sum()) ** 2 / float(found.positive_squares.sum()) < FEW_POSITIVES,
    }
    for name, variance in (("auroc", auroc_variance(found)), ("ap", ap_variance(found))):
        row[f"{name}_error"] = np.sqrt(variance)
        row[f"{name}_low"], row[f"{name}_high"] = interval(row[name], variance, level=level)
    return row


def _curves(found: Levels) -> NDArray[np.float64]:
    """Return FPR, TPR and precision (3, points) at the ends of the levels, thinned to the most that is drawn."""
    true, false = np.cumsum(found.positives), np.cumsum(found.negatives)
    chosen = np.arange(len(true))
    if len(true) > MOST_POINTS - 1:
        # half of the points evenly over the firing rate, half over the recall, which rare positives need
        fired = np.linspace(0, true[-1] + false[-1], MOST_POINTS // 2 - 1)
        recalled = np.linspace(0, true[-1], MOST_POINTS // 2 - 1)
        at = np.concatenate([np.searchsorted(true + false, fired), np.searchsorted(true, recalled)])
        chosen = np.unique(np.append(np.minimum(at, len(true) - 1), len(true) - 1))
    true, false = true[chosen].astype(float), false[chosen].astype(float)
    precision = true / (true + false)
    start = [[0.0], [0.0], [precision[0]]]
    return np.hstack([start, [false / false[-1], true / true[-1], precision]])
