"""One ranking: its items on a strip, both curves, what each mistake is worth, and how far AP may lie from AUROC."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

POSITIVE, NEGATIVE = theme.SERIES[5], theme.SERIES[0]
HANDLE = "threshold"
MOST_ROWS = 6
ROW_COLOURS = {"greatest AP": theme.SERIES[2], "this ranking": theme.SERIES[1], "least AP": theme.SERIES[5]}


def roc_and_pr(ds: xr.Dataset, *, at: tuple[float, float, float] | None = None) -> Any:
    """Draw the ROC curve and the precision–recall curve with their bands; ``at`` marks FPR, TPR and precision."""
    one = ds.isel(part=0)
    keep = np.isfinite(one.fpr.values)
    fpr, tpr, precision = (one[name].values[keep] for name in ("fpr", "tpr", "precision"))
    chance = float(one.chance) if np.isfinite(one.chance) else float(one.prevalence)
    parts = []
    for k, name in enumerate(("tpr", "precision")):
        if f"{name}_low" in ds and np.isfinite(ds[f"{name}_low"].values).all():
            ends = (ds.rate.values, ds[f"{name}_low"].values, ds[f"{name}_high"].values)
            parts.append(theme.band(hv.Area(ends, "rate", ["value", "upper"]), theme.SERIES[k], alpha=0.15))
    ends = {"rate": "FPR, or recall", "value": "TPR, or precision"}
    parts += [
        theme.line(hv.Curve((fpr, tpr), "rate", "value", label="ROC"), theme.SERIES[0], width=2.5),
        theme.line(
            hv.Curve((tpr, precision), "rate", "value", label="precision–recall"),
            theme.SERIES[1],
            width=2.5,
            dash="dashed",
        ),
        theme.line(hv.Curve(([0, 1], [0, 1]), "rate", "value"), theme.NEUTRAL, width=1, dash="dotted"),
        theme.line(hv.Curve(([0, 1], [chance, chance]), "rate", "value"), theme.NEUTRAL, width=1, dash="dotted"),
    ]
    if at is not None:
        marks = hv.Scatter(([at[0], at[1]], [at[1], at[2]]), "rate", "value", label="threshold")
        parts.append(theme.markers(marks, theme.SERIES[2], size=11, marker="diamond"))
    return theme.frame(
        hv.Overlay(parts),
        title="ROC and precision–recall",
        xlabel=ends["rate"],
        ylabel=ends["value"],
        xlim=(0, 1),
        ylim=(0, 1.02),
        legend="bottom",
    )


def ranking_strip(ds: xr.Dataset, *, threshold: float | None = None) -> Any:
    """Draw the listed items on their scores: positives above negatives, a marker for each group, and the threshold."""
    score, positive = ds.tick_score.values, ds.tick_positive.values.astype(bool)
    kinds = ds.tick_group.values
    if len(np.unique(kinds)) > MOST_ROWS:
        kinds = np.full(len(score), "all")
    groups = [str(name) for name in np.unique(kinds)]
    parts, rows = [], []
    top = len(groups) * 2 - 1
    for k, group in enumerate(groups):
        for kind, colour in ((True, POSITIVE), (False, NEGATIVE)):
            chosen = (positive == kind) & (kinds == group)
            row = (len(groups) - 1 - k) + (len(groups) if kind else 0)
            word = "positive" if kind else "negative"
            label = word if len(groups) == 1 else f"{word}, {group}"
            rows.append((row, label if len(label) < 24 else f"{label[:22]}…"))
            data = (score[chosen], np.full(chosen.sum(), float(row)), ds.tick_item.values[chosen])
            points = hv.Points(data, ["score", "row"], "item", label=label)
            marker = theme.MARKERS[k % len(theme.MARKERS)]
            parts.append(theme.markers(points, colour, size=10, marker=marker, alpha=0.65))
    if threshold is not None:
        line = hv.Curve(([threshold, threshold], [-0.6, top + 0.9]), "score", "row")
        parts.append(theme.line(line, theme.SERIES[2], width=2, dash="dashed"))
        grip = hv.Points(([threshold], [top + 0.9], [-1]), ["score", "row"], "item", label=HANDLE)
        parts.append(theme.markers(grip, theme.SERIES[2], size=16, marker="inverted_triangle"))
    low, high = float(score.min()), float(score.max())
    margin = 0.04 * ((high - low) or 1.0)
    return theme.frame(
        hv.Overlay(parts),
        title="The ranking: higher scores to the right",
        xlabel="score",
        ylabel="",
        yticks=sorted(rows),
        xlim=(low - margin, high + margin),
        ylim=(-0.7, top + 1.3),
        legend=None,
    )


def mistake_gains(ds: xr.Dataset) -> Any:
    """Draw what mending each neighbouring mistake adds to AP, a bar each, and to AUROC, a line."""
    rank, ap, auroc = (ds[name].values.astype(float) for name in ("rank", "ap_gain", "auroc_gain"))
    if not len(rank):
        return nothing_to_show("No mistakes")
    floor = 0.6 * min(ap.min(), auroc.min())
    bars = hv.Segments((rank, np.full(len(rank), floor), rank, ap), ["rank", "gain", "rank2", "gain2"])
    flat = hv.Curve((rank, auroc), "rank", "gain", label="AUROC")
    parts = [
        theme.line(bars, theme.SERIES[1], width=3 if len(rank) < 80 else 1.5),
        theme.markers(hv.Scatter((rank, ap), "rank", "gain", label="AP"), theme.SERIES[1], size=7),
        theme.line(flat, theme.SERIES[0], width=2.5, dash="dashed"),
        theme.markers(hv.Scatter((rank, auroc), "rank", "gain"), theme.SERIES[0], size=4, marker="square"),
    ]
    return theme.frame(
        hv.Overlay(parts),
        title="What mending each mistake is worth",
        xlabel="rank of the negative",
        ylabel="gain",
        logy=True,
        logx=bool(rank.max() > 2000),
        legend="bottom",
    )


def range_of_ap(ds: xr.Dataset) -> Any:
    """Draw the AP that this AUROC allows, the AP of this ranking with its interval, and the chance level."""
    low, high = float(ds.lowest), float(ds.highest)
    whisker = hv.Segments([(low, 0.0, high, 0.0)], ["AP", "place", "AP2", "place2"])
    ends = hv.Scatter(([low, high], [0.0, 0.0]), "AP", "place", label="least, greatest")
    chance = hv.Scatter(([float(ds.range_chance)], [0.0]), "AP", "place", label="chance")
    parts = [
        theme.line(whisker, theme.SERIES[4], width=9, alpha=0.6),
        theme.markers(ends, theme.SERIES[0], size=12, marker="square"),
        theme.markers(chance, theme.NEUTRAL, size=11, marker="diamond"),
    ]
    if "ap" in ds:
        one = ds.isel(part=0)
        if np.isfinite(float(one.ap_low)):
            reach = hv.Segments([(float(one.ap_low), 0.0, float(one.ap_high), 0.0)], ["AP", "place", "AP2", "place2"])
            parts.append(theme.line(reach, theme.SERIES[1], width=4))
        here = hv.Scatter(([float(one.ap)], [0.0]), "AP", "place", label="this ranking")
        parts.append(theme.markers(here, theme.SERIES[1], size=13))
    return theme.frame(
        hv.Overlay(parts),
        title="AP that this AUROC allows",
        xlabel="average precision",
        ylabel="",
        yaxis=None,
        xlim=(-0.02, 1.02),
        ylim=(-1, 1),
        height=220,
        aspect=2.2,
        legend="bottom",
    )


def extreme_orders(ds: xr.Dataset) -> Any:
    """Draw where the positives stand in the orders of least and of greatest AP at one AUROC, and in this ranking."""
    rows = [("greatest AP", ds.highest_rank.values), ("least AP", ds.lowest_rank.values)]
    total = None
    if "positives" in ds:
        one = ds.isel(part=0)
        total = float(one.positives + one.negatives)
        keep = np.isfinite(one.tpr.values)
        true = np.round(one.tpr.values[keep] * float(one.positives))
        false = np.round(one.fpr.values[keep] * float(one.negatives))
        stands = np.flatnonzero(np.diff(true, prepend=0) > 0)
        rows.insert(1, ("this ranking", (true + false)[stands]))
    parts = []
    for k, (name, ranks) in enumerate(rows):
        y = float(len(rows) - 1 - k)
        ranks = ranks.astype(float)
        ticks = hv.Segments((ranks, np.full(len(ranks), y - 0.35), ranks, np.full(len(ranks), y + 0.35)),
                            ["rank", "row", "rank2", "row2"])  # fmt: skip
        parts.append(theme.line(ticks, ROW_COLOURS[name], width=2))
    last = total or float(max(ranks.max() for _, ranks in rows))
    return theme.frame(
        hv.Overlay(parts),
        title="Where the positives stand",
        xlabel="rank, the highest score first",
        ylabel="",
        yticks=[(len(rows) - 1 - k, name) for k, (name, _) in enumerate(rows)],
        xlim=(0, 1.01 * last + 1),
        ylim=(-0.6, len(rows) - 0.4),
        height=240,
        aspect=2.2,
        legend=None,
    )


def prevalence_curve(ds: xr.Dataset) -> Any:
    """Draw both scores where only a share of the negatives is kept: AUROC stands, AP moves with the prevalence."""
    share = ds.share.values
    parts = []
    for k, (name, label) in enumerate((("auroc", "AUROC"), ("ap", "AP"), ("prevalence", "prevalence"))):
        colour = theme.SERIES[k] if k < 2 else theme.NEUTRAL
        curve = hv.Curve((share, ds[f"thinned_{name}"].values), "share", "value", label=label)
        parts.append(theme.line(curve, colour, width=2.5, dash=theme.DASHES[k]))
    return theme.frame(
        hv.Overlay(parts),
        title="Thinning the negatives",
        xlabel="share of the negatives kept",
        ylabel="value",
        logx=True,
        xticks=[0.01, 0.03, 0.1, 0.3, 1],
        ylim=(0, 1.02),
        legend="bottom",
    )


def models_compared(ds: xr.Dataset) -> Any:
    """Draw the difference of two models in each score, with its interval."""
    names = [{"auroc": "AUROC", "ap": "AP"}.get(str(name), str(name)) for name in ds.metric.values]
    difference = ds.difference.values
    reach = ds.difference_high.values - difference
    marks = hv.Scatter((names, difference), "metric", "difference")
    bars = hv.ErrorBars((names, difference, reach), "metric", ["difference", "reach"])
    zero = theme.line(hv.HLine(0.0), theme.NEUTRAL, width=1, dash="dotted")
    first, second = (str(name) for name in ds.model.values)
    return theme.frame(
        hv.Overlay([zero, theme.error_bars(bars, theme.SERIES[0]), theme.markers(marks, theme.SERIES[0], size=10)]),
        title=f"{first} minus {second}",
        xlabel="",
        ylabel="difference",
        legend=None,
    )


def nothing_to_show(title: str) -> Any:
    """Return an empty frame with a cross, for what a result does not hold."""
    cross = theme.markers(hv.Scatter([(0.5, 0.5)], "x", "y"), theme.NEUTRAL, size=12, marker="x")
    return theme.frame(cross, title=title, xlabel="", ylabel="", xaxis=None, yaxis=None, xlim=(0, 1), ylim=(0, 1))
