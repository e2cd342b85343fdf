"""Colour transfer: the pictures and how near their palettes are."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme


def photograph(ds: xr.Dataset, which: str = "image") -> Any:
    """Draw one of the pictures of a colour transfer: ``image`` (the result), ``source`` or ``target``."""
    pixels = np.clip(ds[which].values, 0, 1)
    height, width = pixels.shape[:2]
    picture = hv.RGB(pixels, bounds=(0, 0, width, height))
    titles = {"image": "With the new palette", "source": "Before", "target": "Where the palette is from"}
    frame_width = 400
    bokeh = {
        "title": titles[which],
        "xaxis": None,
        "yaxis": None,
        "data_aspect": 1,
        "responsive": True,
        "toolbar": None,
        "min_width": 200,
    }
    matplotlib = {
        "title": titles[which],
        "xaxis": None,
        "yaxis": None,
        "aspect": width / height,
        "fig_inches": (frame_width / 80, None),
    }
    return theme.styled(picture, bokeh=bokeh, matplotlib=matplotlib)


def palette_curve(ds: xr.Dataset) -> Any:
    """Draw SW₂² of the two palettes before every step of a colour transfer."""
    values = np.maximum(ds.sw2.values, theme.SMALLEST)
    curve = hv.Curve((ds.step.values, values), "step", "distance")
    return theme.frame(
        theme.line(curve, theme.SERIES[0]),
        title="Distance of the palettes (squared)",
        xlabel="step",
        ylabel="SW₂²",
        logy=True,
    )
