"""Rankings over many samples: resampling, drift under repairs, error bars on trial, and what moves each score."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

SETUP_LABELS = {
    "paper": "as in the paper",
    "same-scale": "prevalence only",
    "scale-only": "score scale only",
    "equal": "all equal",
}
RULE_LABELS = {"random": "at random", "ap": "best by AP", "topmost": "topmost"}


def drift_curves(ds: xr.Dataset, *, rule: str | None = None) -> Any:
    """Draw how the gap of the groups' AUROCs changes with repairs, a curve for each set-up, with 95 % bands."""
    rules = [str(name) for name in ds.rule.values]
    chosen = rule if rule in rules else ("ap" if "ap" in rules else rules[0])
    parts = []
    for k, name in enumerate(ds.setup.values):
        one = ds.sel(setup=name, rule=chosen)
        step, change, reach = one.step.values, one.gap_change.values, 1.96 * one.gap_change_error.values
        colour = theme.SERIES[k % len(theme.SERIES)]
        parts.append(theme.band(hv.Area((step, change - reach, change + reach), "step", ["change", "upper"]), colour))
        label = SETUP_LABELS.get(str(name), str(name))
        curve = hv.Curve((step, change), "step", "change", label=label)
        parts.append(theme.line(curve, colour, width=2.5, dash=theme.DASHES[k % len(theme.DASHES)]))
    parts.append(theme.line(hv.HLine(0.0), theme.NEUTRAL, width=1, dash="dotted"))
    return theme.frame(
        hv.Overlay(parts),
        title=f"Mending {RULE_LABELS.get(chosen, chosen)}",
        xlabel="mistakes mended",
        ylabel="change of AUROC(A) − AUROC(B)",
        legend="bottom",
    )


def drift_ends(ds: xr.Dataset) -> Any:
    """Draw the change of the gap at the end for every set-up and rule, with 95 % intervals."""
    parts = [theme.line(hv.HLine(0.0), theme.NEUTRAL, width=1, dash="dotted")]
    end = ds.isel(step=-1)
    names = [SETUP_LABELS.get(str(name), str(name)) for name in ds.setup.values]
    places = np.arange(len(names), dtype=float)
    for k, rule in enumerate(ds.rule.values):
        one = end.sel(rule=rule)
        at = places + 0.18 * (k - (ds.sizes["rule"] - 1) / 2)
        reach = 1.96 * one.gap_change_error.values
        colour, marker = theme.SERIES[k], theme.MARKERS[k % len(theme.MARKERS)]
        bars = hv.ErrorBars((at, one.gap_change.values, reach), "setup", ["change", "reach"])
        marks = hv.Scatter((at, one.gap_change.values), "setup", "change", label=RULE_LABELS.get(str(rule), str(rule)))
        parts += [theme.error_bars(bars, colour), theme.markers(marks, colour, size=9, marker=marker)]
    return theme.frame(
        hv.Overlay(parts),
        title=f"After {int(ds.step[-1])} repairs",
        xlabel="",
        ylabel="change of AUROC(A) − AUROC(B)",
        xticks=list(zip(places.tolist(), names, strict=True)),
        xlim=(-0.5, len(names) - 0.5),
        xrotation=20,
        legend="bottom",
    )


def group_gap_curves(ds: xr.Dataset) -> Any:
    """Draw the gap of two groups while mistakes are mended, a curve for each rule, with the spread over runs."""
    parts: list[Any] = [theme.line(hv.HLine(0.0), theme.NEUTRAL, width=1, dash="dotted")]
    step = ds.mended.values
    for k, rule in enumerate(map(str, ds.mend_rule.values)):
        one = ds.sel(mend_rule=rule)
        gap, reach = one.group_gap.values, 2 * one.group_gap_spread.values
        area = hv.Area((step, gap - reach, gap + reach), "step", ["gap", "upper"])
        curve = hv.Curve((step, gap), "step", "gap", label=RULE_LABELS.get(rule, rule))
        parts += [
            theme.band(area, theme.SERIES[k]),
            theme.line(curve, theme.SERIES[k], width=2.5, dash=theme.DASHES[k]),
        ]
    return theme.frame(
        hv.Overlay(parts),
        title="Mending mistakes of this ranking",
        xlabel="mistakes mended",
        ylabel=str(ds.gap_of.item()),
        legend="bottom",
    )


def replicate_spread(ds: xr.Dataset) -> Any:
    """Draw both scores over the replicates of a bootstrap as histograms."""
    parts = []
    for k, (name, label) in enumerate((("auroc", "AUROC"), ("ap", "AP"))):
        values = ds[name].values[np.isfinite(ds[name].values)]
        count, edges = np.histogram(values, bins=30)
        middle = (edges[1:] + edges[:-1]) / 2
        curve = hv.Curve((middle, count), "score", "replicates", label=label)
        parts.append(theme.line(curve, theme.SERIES[k], width=2.5, dash=theme.DASHES[k]))
        here = hv.Scatter(([float(ds[f"{name}_here"])], [0.0]), "score", "replicates")
        parts.append(theme.markers(here, theme.SERIES[k], size=11, marker="triangle"))
    title = f"{ds.sizes['replicate']} replicates"
    return theme.frame(hv.Overlay(parts), title=title, xlabel="score", ylabel="replicates", legend="bottom")


def interval_coverage(ds: xr.Dataset) -> Any:
    """Draw the error by formula over the spread of samples, against their size: 1 is right."""
    parts = [theme.line(hv.HLine(1.0), theme.NEUTRAL, width=1, dash="dotted")]
    size = ds["size"].values.astype(float)
    for k, (name, label) in enumerate((("auroc", "AUROC (DeLong)"), ("ap", "AP (influence function)"))):
        one = ds.sel(metric=name)
        ratio = (one.formula / one.deviation).values
        reach = 1.96 * ratio * (one.deviation_error / one.deviation).values
        parts.append(theme.error_bars(hv.ErrorBars((size, ratio, reach), "size", ["ratio", "reach"]), theme.SERIES[k]))
        parts += theme.marked_curve((size, ratio), "size", "ratio", label, k)
    labels = {"xlabel": "items in a sample", "ylabel": "formula ÷ spread"}
    return theme.frame(hv.Overlay(parts), title="Error bars on trial", logx=True, legend="bottom", **labels)


def invariance_map(ds: xr.Dataset) -> Any:
    """Draw how far each yardstick moves under each transformation, the logarithm in colour."""
    rows = [str(name) for name in ds.yardstick_label.values]
    columns = [str(name) for name in ds.transformation_label.values]
    change = np.log10(np.maximum(np.nan_to_num(np.abs(ds.invariance_change.values)), theme.SMALLEST))
    cells = [(column, row, change[i, j]) for i, row in enumerate(rows) for j, column in enumerate(columns)]
    grid = theme.image(hv.HeatMap(cells, ["transformation", "yardstick"], "log10 change"), label="log₁₀ change")
    return theme.frame(grid, title="What moves each yardstick", xlabel="", ylabel="", xrotation=50)


def blind_bars(ds: xr.Dataset) -> Any:
    """Draw, for the pair that fools each yardstick, what it sees of the difference and what its reference sees."""
    names = [str(name) for name in ds.yardstick_label.values]
    reference = hv.Scatter((names, ds.blind_reference.values), "yardstick", "difference", label="seen by the reference")
    seen = hv.Scatter((names, ds.blind_seen.values), "yardstick", "difference", label="seen by the yardstick itself")
    parts = [
        theme.markers(reference, theme.SERIES[1], size=12),
        theme.markers(seen, theme.SERIES[0], size=11, marker="square"),
    ]
    labels = {"xlabel": "", "ylabel": "difference"}
    return theme.frame(
        hv.Overlay(parts), title="The pair that fools each yardstick", xrotation=30, legend="bottom", **labels
    )
