"""The certified box: margin at every point, the leaves, the basin, the corners."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

MOST_LEAVES = 4000
BASIN = theme.SERIES[3]


def box_margins(ds: xr.Dataset) -> Any:
    """Draw the margin at every point of the plane of two players, with the basin, the equilibrium and the corners."""
    mesh = hv.Image((ds.x.values, ds.y.values, ds.margin_map.values.T), ["x", "y"], "margin")
    parts = [theme.image(mesh, signed=bool(ds.margin_map.min() < 0), label="margin")]
    parts += _basin(ds)
    corners = [(x, y) for x in ds.x.values[[0, -1]] for y in ds.y.values[[0, -1]]]
    marks = hv.Points(corners, ["x", "y"], label="corners")
    parts.append(theme.markers(marks, "#E69F00", size=11, marker="square"))
    worst = np.unravel_index(int(np.argmin(ds.margin_map.values)), ds.margin_map.shape)
    place = (ds.x.values[worst[0]], ds.y.values[worst[1]])
    point = hv.Points([place], ["x", "y"], label="worst point")
    parts.append(theme.markers(point, "#D55E00", size=11, marker="triangle"))
    return theme.frame(hv.Overlay(parts), title="Margin at every point", **_axes(), legend="bottom", height=440)


def _axes() -> dict[str, str]:
    return {"xlabel": "player 1", "ylabel": "player 2"}


def _basin(ds: xr.Dataset) -> list[Any]:
    if not np.isfinite(float(ds.basin_radius)):
        return []
    plane = ds.attrs["plane"]
    centre = ds.equilibrium.values[plane]
    w = [float(ds.weight[0]), float(ds.weight[min(1, ds.sizes["player"] - 1)])]
    angles = np.linspace(0, 2 * np.pi, 121)
    radius = float(ds.basin_radius)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    ellipse = centre + radius * circle / np.sqrt(w)
    edge = theme.line(hv.Curve(ellipse, "x", "y", label="basin"), BASIN, width=3)
    middle = hv.Points([tuple(centre)], ["x", "y"], label="equilibrium")
    return [edge, theme.markers(middle, BASIN, size=9, marker="diamond")]


def leaf_boxes(ds: xr.Dataset) -> Any:
    """Draw the leaves of the certificate, coloured by the margin that intervals prove on each."""
    plane = ds.attrs["plane"]
    lower, upper = ds.leaf_lower.values[:, plane], ds.leaf_upper.values[:, plane]
    margin = ds.leaf_margin.values
    if len(lower) > MOST_LEAVES:
        keep = np.argsort(margin)[:MOST_LEAVES]
        lower, upper, margin = lower[keep], upper[keep], margin[keep]
    margin = np.where(np.isfinite(margin), margin, np.nan)
    boxes = hv.Rectangles(
        (lower[:, 0], lower[:, 1], upper[:, 0], upper[:, 1], margin), ["x", "y", "to_x", "to_y"], "margin"
    )
    common = {"cmap": theme.SEQUENTIAL, "colorbar": True}
    styled = theme.styled(
        boxes,
        bokeh={**common, "color": "margin", "line_width": 0.5, "line_color": "#00000055", "tools": ["hover"]},
        matplotlib={**common, "c": "margin", "linewidth": 0.3, "edgecolor": "#555555"},
    )
    projected = "" if ds.sizes["coordinate"] == 2 else ", seen from the side"
    count = f"{ds.sizes['leaf']:,} leaves" if ds.sizes["leaf"] > 1 else "one box"
    return theme.frame(styled, title=f"{count}{projected}", **_axes(), height=440)
