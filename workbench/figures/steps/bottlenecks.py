"""The samples that limit the step, as images, and how far ahead of the others they are."""

import math
from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

COLUMNS = 6


def bottleneck_images(ds: xr.Dataset) -> Any:
    """Draw the inputs of the worst samples side by side, worst first, labelled "rank: class → prediction".

    Inputs whose number of features is a square are drawn as square images, others as one row each.
    """
    count, features = ds.inputs.shape
    side = math.isqrt(features)
    height, width = (side, side) if side * side == features else (1, features)
    columns = min(COLUMNS, count)
    rows = math.ceil(count / columns)
    cell_height, cell_width = height * 1.35, width * 1.12
    canvas = np.full((rows, columns, int(np.ceil(cell_height)), int(np.ceil(cell_width))), np.nan)
    labels = []
    for k in range(count):
        row, column = divmod(k, columns)
        canvas[row, column, :height, :width] = ds.inputs.values[k].reshape(height, width)
        text = f"{k + 1}: {int(ds.target[k])} → {int(ds.prediction[k])}"
        labels.append((column * canvas.shape[3] + width / 2, -(row * canvas.shape[2] + height + 0.7), text))
    sheet = canvas.transpose(0, 2, 1, 3).reshape(rows * canvas.shape[2], columns * canvas.shape[3])
    bounds = (0, -sheet.shape[0], sheet.shape[1], 0)
    image = theme.image(hv.Image(sheet, bounds=bounds, vdims="input"), colorbar=False, colormap="gray_r")
    text = hv.Labels(labels, ["x", "y"], "text")
    written = theme.styled(
        text,
        bokeh={"text_font_size": "10pt", "text_color": theme.REFERENCE, "text_baseline": "top"},
        matplotlib={"size": 9, "color": theme.REFERENCE, "verticalalignment": "top"},
    )
    return theme.frame(
        image * written,
        title="Samples that limit the step (rank: class → prediction)",
        legend=None,
        xaxis=None,  # "bare" does not last on a page: panel-material-ui gives the labels a size again
        yaxis=None,
        aspect=1.6,
    )


def bottleneck_spreads(ds: xr.Dataset) -> Any:
    """Draw the bound radius of the worst samples, with the probability of their class as colour."""
    points = hv.Points((ds["rank"].values, ds.radius.values, ds.probability.values), ["rank", "radius"], "probability")
    marks = theme.markers(points, "probability", size=11)
    options = {"cmap": theme.SEQUENTIAL, "colorbar": True, "clim": (0, 1), "clabel": "probability of the class"}
    return theme.frame(
        theme.styled(marks, bokeh=options, matplotlib=options),
        title="Bound radius of the worst samples",
        xlabel="rank",
        ylabel="ρ_a (τ)",
    )
