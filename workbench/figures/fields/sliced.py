"""Generators trained with sliced losses: how near they come, how much their gradients vary, what they draw."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

SIDE = 8


def generator_distances(ds: xr.Dataset) -> Any:
    """Draw W₂ to held-out digits along training, by estimator, with the range of the seeds."""
    parts = _curves(ds, "wasserstein", "distance")
    step = ds.step.values.astype(float)
    level = float(ds.floor.mean())
    flat = hv.Curve((step[[0, -1]], [level, level]), "step", "distance", label="two samples of digits")
    parts.append(theme.line(flat, theme.NEUTRAL, dash="dotted"))
    return theme.frame(
        hv.Overlay(parts), title="W₂ to held-out digits", xlabel="training step", ylabel="W₂", legend="bottom"
    )


def gradient_variances(ds: xr.Dataset) -> Any:
    """Draw the variance of the gradient over draws of directions along training, by estimator."""
    return theme.frame(
        hv.Overlay(_curves(ds, "variance", "share")),
        title="Variance of the gradient",
        xlabel="training step",
        ylabel="variance ÷ squared length",
        logy=True,
        legend="bottom",
    )


def _curves(ds: xr.Dataset, name: str, up: str) -> list[Any]:
    parts = []
    step = ds.step.values.astype(float)
    for k, method in enumerate(ds.estimator.values):
        values = np.maximum(ds[name].sel(estimator=method).values, theme.SMALLEST)
        colour = theme.SERIES[k % len(theme.SERIES)]
        band = hv.Area((step, values.min(axis=0), values.max(axis=0)), "step", [up, "high"])
        parts += [theme.band(band, colour, alpha=0.15)]
        parts += theme.marked_curve((step, values.mean(axis=0)), "step", up, str(method), k)
    return parts


def generated_digits(ds: xr.Dataset, *, method: str | None = None) -> Any:
    """Draw generated digits on a sheet of eight by eight."""
    pictures = (
        ds.picture.values if "estimator" not in ds.dims else ds.picture.sel(estimator=method or ds.estimator[0]).values
    )
    return digit_sheet(pictures, title="Generated digits", columns=SIDE)


def digit_sheet(pictures: np.ndarray, *, title: str, columns: int, side: int = SIDE) -> Any:
    """Draw square pictures (n, side²), grey from 0 to 1, on a sheet, ``columns`` in a row."""
    rows = int(np.ceil(len(pictures) / columns))
    sheet = np.zeros((rows * (side + 1), columns * (side + 1)))
    for k, picture in enumerate(pictures):
        top, left = (k // columns) * (side + 1), (k % columns) * (side + 1)
        sheet[top : top + side, left : left + side] = picture.reshape(side, side)
    image = hv.Image(sheet, ["x", "y"], "grey", bounds=(0, 0, sheet.shape[1], sheet.shape[0]))
    return theme.frame(
        theme.image(image, colorbar=False, clim=(0, 1), colormap="gray"),
        title=title,
        xlabel="",
        ylabel="",
        xaxis=None,
        yaxis=None,
        xlim=(0, sheet.shape[1]),
        ylim=(0, sheet.shape[0]),
        equal_units=True,
        height=430,
    )
