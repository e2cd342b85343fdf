"""What limits the step: predictions and the measured onset on one axis."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

UNGROUPED = "predictors"
"""What marks are called in results stored before predictors had groups."""
SHADES = tuple(shade for shade in theme.SERIES if shade not in (theme.REFERENCE, theme.NEUTRAL))
"""Orange-red and grey are taken by the measured onsets."""
ONSETS = {"loss": "solid", "accuracy": "dashed"}


def limit_marks(ds: xr.Dataset, *, direction: str | None = None) -> Any:
    """Draw every predictor as a mark on one τ axis, with the measured onset of damage as lines.

    Colour and mark tell the group, in the order in which the groups come in ``ds``. A prediction of ∞ or 0 has no
    place on a logarithmic axis and is left out; the caption says which.
    """
    one = ds.isel(direction=0) if direction is None else ds.sel(direction=direction)
    labels = [str(label) for label in one.label.values][::-1]
    tau = one.tau.values[::-1]
    ordered = [str(group) for group in one.group.values] if "group" in one else [UNGROUPED] * len(labels)
    groups = ordered[::-1]
    parts: list[Any] = []
    for k, title in enumerate(dict.fromkeys(ordered)):
        rows = [i for i, group in enumerate(groups) if group == title and np.isfinite(tau[i]) and tau[i] > 0]
        if rows:
            points = hv.Scatter(([tau[i] for i in rows], rows), "distance", "predictor", label=title)
            shade, marker = SHADES[k % len(SHADES)], theme.MARKERS[k % len(theme.MARKERS)]
            parts.append(theme.markers(points, shade, marker=marker, size=11))
    for k, (damage, dash) in enumerate(ONSETS.items()):
        value = float(one.onset.sel(damage=damage))
        if np.isfinite(value) and value > 0:
            parts.append(theme.line(hv.VLine(value), (theme.REFERENCE, theme.NEUTRAL)[k], dash=dash, width=2.5))
    shown = np.concatenate([tau, one.onset.values])
    shown = shown[np.isfinite(shown) & (shown > 0)]
    return theme.frame(
        hv.Overlay(parts),
        title="What limits the step",
        xlim=(0.8 * shown.min(), 1.25 * shown.max()) if shown.size else None,
        xlabel="τ along the unit update (lines: measured onset)",
        ylabel="",
        logx=True,
        yticks=list(enumerate(labels)),
        ylim=(-0.7, len(labels) - 0.3),
        height=460,
        legend="right",
    )


def spread_bars(ds: xr.Dataset, *, damage: str = "loss") -> Any:
    """Draw how constant measured/predicted is: the standard deviation of its log10, predictor by predictor."""
    values = ds.spread.sel(damage=damage)
    order = np.argsort(np.where(np.isfinite(values), values, np.inf))
    names = [str(ds.predictor.values[i]) for i in order if np.isfinite(values.values[i])]
    heights = [float(values.values[i]) for i in order if np.isfinite(values.values[i])]
    bars = hv.Bars((names, heights), "predictor", "spread")
    return theme.frame(
        theme.bars(bars, theme.SERIES[0]),
        title="Spread of measured ÷ predicted onset",
        xlabel="",
        ylabel="log10 sd (0 = perfect)",
        xrotation=35,
    )
