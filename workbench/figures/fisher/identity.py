"""The identity behind the curvature, and curvature of random tensors."""

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme
from workbench.figures.fisher.marks import FIT, OURS, PAPER


def identity(ds: xr.Dataset) -> hv.Overlay:
    """Draw R₃ against R₁ and R₄ against R₂ for random tensors: all on one line of slope −½."""
    terms = ds.ricci_term
    parts = []
    size = float(np.abs(terms).max()) * 1.05
    ends = np.array([-size, size])
    parts.append(theme.line(hv.Curve((ends, -ends / 2), "first", "second", label="slope −½"), FIT, dash="dashed"))
    for first, second, colour, marker in (("R1", "R3", OURS, "circle"), ("R2", "R4", PAPER, "square")):
        points = hv.Scatter(
            (terms.sel(term=first).values, terms.sel(term=second).values),
            "first",
            "second",
            label=f"{second} against {first}",
        )
        parts.append(theme.markers(points, colour, marker=marker))
    return theme.frame(
        hv.Overlay(parts),
        title="Ricci terms of random tensors",
        xlabel="R₁ or R₂",
        ylabel="R₃ or R₄",
        legend="top_right",
    )


def random_curvature(ds: xr.Dataset) -> hv.Overlay:
    """Draw the curvatures of the same random tensors, which differ from draw to draw."""
    points = hv.Scatter((ds.draw.values, ds.scalar_curvature.values), "draw", "R", label="R of a random tensor")
    zero = theme.line(hv.HLine(0.0), theme.NEUTRAL, dash="dotted")
    return theme.frame(
        hv.Overlay([zero, theme.markers(points, OURS)]), title="Their curvature", xlabel="draw", ylabel="R", legend=None
    )
