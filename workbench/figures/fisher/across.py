"""Curvature across the coupling."""

from typing import Any

import holoviews as hv
import xarray as xr

from workbench.figures import theme
from workbench.figures.fisher.marks import OURS, PAPER


def across(ds: xr.Dataset) -> hv.Overlay:
    """Draw R/n across the couplings with the critical one marked."""
    curve = hv.Curve((ds.J.values, ds.curvature_per_site.values), "J", "R/n", label="curvature per site")
    return theme.frame(
        hv.Overlay([_critical(ds), theme.line(curve, OURS)]),
        title="Curvature per site across the transition", xlabel="horizontal coupling J", ylabel="R/n", legend=None,
    )  # fmt: skip


def across_parts(ds: xr.Dataset) -> hv.Overlay:
    """Draw the two norms that R is the difference of, per site."""
    parts: list[Any] = [_critical(ds)]
    for name, label, colour in (("cumulant_norm", "‖T‖²/n", OURS), ("trace_norm", "‖tr T‖²/n", PAPER)):
        curve = hv.Curve((ds.J.values, ds[f"{name}_per_site"].values), "J", "per site", label=label)
        parts.append(theme.line(curve, colour))
    return theme.frame(
        hv.Overlay(parts), title="The two norms", xlabel="horizontal coupling J", ylabel="per site", legend="top_left"
    )


def _critical(ds: xr.Dataset) -> hv.VLine:
    return theme.line(hv.VLine(float(ds.critical_coupling)), theme.NEUTRAL, dash="dotted")
