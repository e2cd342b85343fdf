"""The ladder as bars."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

COLOURS = {
    "CERTIFIED": theme.SERIES[0],
    "ESTIMATED": theme.SERIES[1],
    "REFUSED": theme.SERIES[5],
    "UNKNOWN": theme.SERIES[7],
}
MARKS = {"CERTIFIED": "circle", "ESTIMATED": "diamond", "REFUSED": "square", "UNKNOWN": "triangle"}


def ladder_bars(ds: xr.Dataset) -> Any:
    """Draw the margin of each test as a mark on its line, shape and colour by verdict; left of zero is refused."""
    labels = [str(label) for label in ds.label.values]
    margins, verdicts = ds.margin.values, ds.verdict.values
    parts = [theme.line(hv.VLine(0.0), theme.NEUTRAL, width=1)]
    heights = np.arange(len(labels))[::-1]
    for verdict, colour in COLOURS.items():
        chosen = (verdicts == verdict) & np.isfinite(margins)
        if np.any(chosen):
            points = hv.Points((margins[chosen], heights[chosen]), ["margin", "rung"], label=verdict)
            parts.append(theme.markers(points, colour, size=13, marker=MARKS[verdict]))
    return theme.frame(
        hv.Overlay(parts),
        title="Seven tests of one game",
        xlabel="margin (rate of contraction)",
        ylabel="",
        yticks=list(zip(heights.tolist(), labels, strict=True)),
        ylim=(-0.6, len(labels) - 0.4),
        legend="bottom_left",
    )
