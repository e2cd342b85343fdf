"""A small language model under faults of its training: how it ends under each rule, and how often rules engage."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme
from workbench.figures.steps.spike import rule_label, rule_shade


def text_losses(ds: xr.Dataset, *, fault: str | None = None) -> Any:
    """Draw the held-out loss at the end of every run under one fault, a column for each rule, median as a bar.

    Runs that ended without a finite loss stand in the uppermost row, as triangles.
    """
    one = ds.isel(fault=0) if fault is None else ds.sel(fault=fault)
    finite = one.loss.values[np.isfinite(one.loss.values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (1.0, 2.0)
    top = high + 0.15 * max(high - low, 0.2)
    parts: list[Any] = []
    for k, rule in enumerate(one.rule.values):
        values = one.loss.sel(rule=rule).values
        label, shade = rule_label(ds, str(rule)), rule_shade(ds, str(rule))
        kept = np.sort(values[np.isfinite(values)])
        if kept.size:
            across = k + np.linspace(-0.15, 0.15, kept.size) if kept.size > 1 else np.array([float(k)])
            points = hv.Scatter((across, kept), "rule", "loss", label=label)
            parts.append(theme.markers(points, shade, marker=theme.MARKERS[k % len(theme.MARKERS)], size=8))
        if kept.size < values.size:
            lost = hv.Scatter(([float(k)], [top]), "rule", "loss", label=f"{label}: {values.size - kept.size} at NaN")
            parts.append(theme.markers(lost, shade, marker="inverted_triangle", size=12))
        middle = float(np.median(values))
        if np.isfinite(middle):
            bar = hv.Curve(([k - 0.3, k + 0.3], [middle, middle]), "rule", "loss")
            parts.append(theme.line(bar, shade, width=3))
    names = [rule_label(ds, str(rule)) for rule in one.rule.values]
    return theme.frame(
        hv.Overlay(parts),
        title="Held-out loss at the end",
        xlabel="",
        ylabel="loss (nat)",
        xticks=list(enumerate(names)),
        xrotation=25,
        xlim=(-0.6, len(names) - 0.4),
        ylim=(low - 0.1 * max(high - low, 0.2), top + 0.1 * max(high - low, 0.2)),
        legend=None,
    )


def text_engaged(ds: xr.Dataset, *, fault: str | None = None) -> Any:
    """Draw the share of steps that each rule changed under one fault, mean over the seeds."""
    one = ds.isel(fault=0) if fault is None else ds.sel(fault=fault)
    names = [rule_label(ds, str(rule)) for rule in one.rule.values]
    heights = [100 * float(one.engaged.sel(rule=rule).mean()) for rule in one.rule.values]
    return theme.frame(
        theme.bars(hv.Bars((names, heights), "rule", "share"), theme.SERIES[0]),
        title="Steps that the rule changed",
        xlabel="",
        ylabel="% of steps",
        xrotation=25,
    )
