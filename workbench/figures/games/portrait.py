"""The phase portrait, and how two balls shrink."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

M_COLOUR, EUCLID_COLOUR = theme.SERIES[0], theme.SERIES[5]
BALLS = {"M": "M-ball", "Euclid": "Euclidean ball"}
SHOWN_RINGS = 4
SMALLEST = 1e-6


def phase_portrait(ds: xr.Dataset, *, shape: str = "both") -> Any:
    """Draw the flow, the trajectories and the images of the balls at four times; ``shape`` M, Euclid or both."""
    parts = [_arrows(ds)]
    parts.append(theme.line(_with_gaps(ds.path.values), theme.NEUTRAL, width=1.5, alpha=0.8))
    for name, colour in (("M", M_COLOUR), ("Euclid", EUCLID_COLOUR)):
        if shape in (name, "both"):
            parts += _rings(ds, name, colour)
    origin = hv.Points([(0.0, 0.0)], ["first", "second"], label="equilibrium")
    parts.append(theme.markers(origin, theme.SERIES[1], size=9, marker="diamond"))
    reach = [1.25 * float(np.abs(ds[name]).max()) for name in ("row", "column")]
    return theme.frame(
        hv.Overlay(parts),
        title="Phase portrait",
        xlabel="player 1, from the equilibrium",
        ylabel="player 2, from the equilibrium",
        xlim=(-reach[0], reach[0]),
        ylim=(-reach[1], reach[1]),
        legend="bottom",
        height=460,
        equal_units=True,
    )


def _arrows(ds: xr.Dataset) -> Any:
    """Short segments along -F, all of one length in units of the picture."""
    rows, columns = np.meshgrid(ds.row.values, ds.column.values, indexing="ij")
    width = np.array([np.ptp(ds.row.values), np.ptp(ds.column.values)])
    flow = ds.arrow.values / width
    length = np.maximum(np.linalg.norm(flow, axis=-1, keepdims=True), 1e-300)
    step = 0.55 * width * flow / length / max(ds.sizes["row"] - 1, 1)
    tails = np.stack([rows, columns], axis=-1)
    ends = np.concatenate([tails - step / 2, tails + step / 2], axis=-1).reshape(-1, 4)
    segments = hv.Segments(ends, ["first", "second", "to_first", "to_second"])
    heads = hv.Points(ends[:, 2:], ["first", "second"])
    return theme.line(segments, theme.NEUTRAL, width=1, alpha=0.45) * theme.markers(
        heads, theme.NEUTRAL, size=2.5, alpha=0.6
    )


def _rings(ds: xr.Dataset, name: str, colour: str) -> list[Any]:
    frames = np.unique(np.linspace(0, ds.sizes["frame"] - 1, SHOWN_RINGS).astype(int))
    rings = ds.ring.sel(shape=name).isel(frame=frames).values
    dash = "solid" if name == "M" else "dashed"
    first = hv.Curve(rings[0], "first", "second", label=BALLS[name])
    return [
        theme.line(first, colour, width=3, dash=dash),
        theme.line(_with_gaps(rings[1:]), colour, width=1.8, dash=dash),
    ]


def _with_gaps(paths: np.ndarray) -> hv.Curve:
    """Return many paths, shape (path, point, 2), as one curve with NaN between: each more costs some 20 ms."""
    gap = np.full((len(paths), 1, 2), np.nan)
    points = np.concatenate([paths, gap], axis=1).reshape(-1, 2)
    return hv.Curve(np.where(np.isfinite(points), points, np.nan), "first", "second")


def ball_sizes(ds: xr.Dataset) -> Any:
    """Draw the largest radius of each ball over time, and the certified decay."""
    parts = []
    for name, colour in (("M", M_COLOUR), ("Euclid", EUCLID_COLOUR)):
        values = np.maximum(ds["size"].sel(shape=name).values, SMALLEST)
        curve = hv.Curve((ds.frame.values, values), "time", "size", label=BALLS[name])
        parts.append(theme.line(curve, colour, dash="solid" if name == "M" else "dashed"))
    margin = float(ds.margin)
    if np.isfinite(margin):
        bound = np.maximum(np.exp(-margin * ds.frame.values), SMALLEST)
        curve = hv.Curve((ds.frame.values, bound), "time", "size", label="certified decay")
        parts.append(theme.line(curve, theme.SERIES[2], dash="dotted"))
    parts.append(theme.line(hv.HLine(1.0), theme.NEUTRAL, width=1))
    return theme.frame(
        hv.Overlay(parts),
        title="Size of the balls",
        xlabel="time",
        ylabel="radius ÷ radius at the start",
        logy=True,
        legend="bottom_left",
        height=460,
    )
