"""Defects of crystals: atoms and loops, and what the dictionaries call them."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme


def wedge_fluxes(ds: xr.Dataset) -> Any:
    """Draw the fluxes of both traces around wedges, over the angle, in both flat frames; the charge itself is 1."""
    parts: list[Any] = []
    order = np.argsort(ds.wedge.values)
    across = ds.wedge.values[order]
    for k, (trace, word) in enumerate((("first_flux", "1st"), ("second_flux", "2nd"))):
        for f, frame in enumerate(ds.frame.values):
            ratio = (ds[trace].sel(frame=frame) / ds.angle).values[order]
            label = f"{word} {frame}"
            parts += theme.marked_curve((across, ratio), "wedge", "flux", label, 2 * k + f)
    parts.append(theme.line(hv.HLine(1.0), theme.REFERENCE, dash="dashed", width=1.5))
    return theme.frame(
        hv.Overlay(parts),
        title="Flux of the traces around a wedge",
        xlabel="angle of the wedge Ω (degrees)",
        ylabel="flux / Ω",
        legend="bottom",
    )


def torsion_share_curves(ds: xr.Dataset) -> Any:
    """Draw the three shares of the torsion over the character of a dislocation."""
    parts: list[Any] = []
    for k, name in enumerate(("axial", "vector", "tensor")):
        parts += theme.marked_curve((ds.character.values, ds[name].values), "character", "share", name, k)
    return theme.frame(
        hv.Overlay(parts),
        title="Shares of a dislocation's torsion",
        xlabel="angle between Burgers vector and line (degrees)",
        ylabel="share",
        ylim=(-0.02, 1.0),
        legend="bottom",
    )
