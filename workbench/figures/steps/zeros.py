"""The complex plane of the step: zeros of the softmax partition functions and the circles of the batch."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

CIRCLES = {
    "bound": ("ρ_a, bound", theme.SERIES[5], "solid"),
    "dominance": ("ρ_dom, dominance", theme.SERIES[1], "dashed"),
    "exact": ("ρ*, exact", theme.SERIES[0], "dotted"),
}
COLOURS = {"margin": "margin of the top logit (nat)", "sample": "sample", "target": "class"}
ANGLES = np.linspace(0, 2 * np.pi, 361)


def zeros_plane(ds: xr.Dataset, *, stage: str | None = None, colour: str = "margin", zoom: float = 4.0) -> Any:
    """Draw the nearest pair of zeros of every sample in the complex plane with the batch's three circles.

    ``colour`` is ``"margin"``, ``"target"`` or ``"sample"``; uncertified zeros are marked by crosses. ``zoom``: the
    plane reaches so many exact radii of the batch (zeros outside are left out).
    """
    one = ds.isel(stage=-1) if stage is None else ds.sel(stage=stage)
    radii = {name: float(one[name].min()) for name in CIRCLES}
    reach = zoom * radii["exact"] if np.isfinite(radii["exact"]) else 1.0
    points = _points(one, colour, reach, certified=True)
    parts: list[Any] = [_coloured(points, colour)]
    crosses = _points(one, colour, reach, certified=False)
    if len(crosses):
        parts.append(theme.markers(crosses.relabel("not certified"), theme.NEUTRAL, marker="x", size=9))
    for name, (label, shade, dash) in CIRCLES.items():
        if np.isfinite(radii[name]):
            arc = (radii[name] * np.cos(ANGLES), radii[name] * np.sin(ANGLES))
            curve = hv.Curve(arc, "real part", "imaginary part", label=label)
            parts.append(theme.line(curve, shade, dash=dash, width=2.5))
    return theme.frame(
        hv.Overlay(parts),
        title=f"Zeros of the softmax sum, {one.stage.item()}",
        xlabel="Re τ",
        ylabel="Im τ",
        xlim=(-reach, reach),
        ylim=(-reach, reach),
        legend="top_left",
        equal_units=True,
    )


def _points(one: xr.Dataset, colour: str, reach: float, *, certified: bool) -> hv.Points:
    shown = (one.exact.values <= reach) & (one.certified.values == certified)
    imaginary = one.zero_imaginary.values[shown]
    columns = [np.tile(column.values[shown], 2) for column in (one.zero_real, one[colour], one.exact)]
    values = (columns[0], np.concatenate([imaginary, -imaginary]), *columns[1:])
    return hv.Points(values, ["real part", "imaginary part"], [colour, "radius"])


def _coloured(points: hv.Points, colour: str) -> Any:
    marks = theme.markers(points, colour, size=6, alpha=0.85)
    cmap = "glasbey_light" if colour == "target" else theme.SEQUENTIAL
    options = {"cmap": _categories() if colour == "target" else cmap, "colorbar": True, "clabel": COLOURS[colour]}
    return theme.styled(marks, bokeh=options, matplotlib=options)


def _categories() -> list[str]:
    """Ten tellable colours for ten classes; the eight of the theme and two greys."""
    return [*theme.SERIES, "#333333", "#BBBBBB"]


def radii_by_stage(ds: xr.Dataset) -> Any:
    """Draw how the radii of the samples move with training: the median, and the band from the 5 % to the 95 % point."""
    stages = [str(s) for s in ds.stage.values]
    position = np.arange(len(stages))
    parts: list[Any] = []
    for name, (label, shade, dash) in CIRCLES.items():
        values = np.where(np.isfinite(ds[name].values), ds[name].values, np.nan)
        low, middle, high = np.nanquantile(values, [0.05, 0.5, 0.95], axis=1)
        parts.append(theme.band(hv.Area((position, low, high), "stage", ["low", "high"]), shade, alpha=0.12))
        curve = hv.Curve((position, middle), "stage", "radius", label=f"{label}, median")
        parts.append(theme.line(curve, shade, dash=dash))
    least = hv.Scatter((position, ds.exact.min("sample").values), "stage", "radius", label="ρ* of the batch")
    parts.append(theme.markers(least, theme.SERIES[0], marker="diamond", size=10))
    return theme.frame(
        hv.Overlay(parts),
        title="Radii as training goes on",
        xlabel="stage of training",
        ylabel="radius (τ)",
        logy=True,
        xlim=(-0.3, len(stages) - 0.7),
        xticks=list(zip(position.tolist(), stages, strict=True)),
        legend="bottom_left",
    )
