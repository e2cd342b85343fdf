"""What each direction costs, on the sphere of directions."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme


def direction_map(ds: xr.Dataset) -> Any:
    """Draw the cost along every direction as a map of equal area, with the directions of the rule on it."""
    if "cost_map" not in ds:
        costs = np.sort(ds.cost.values)
        curve = theme.line(hv.Curve((np.arange(len(costs)), costs), "rank", "cost"), theme.SERIES[0])
        return theme.frame(curve, title="Cost along the directions, sorted", xlabel="rank", ylabel="W₂² (squared)")
    azimuth, rest = _azimuth(ds), {"title": "Cost along every direction", "xlabel": "azimuth (°)"}
    if "height" not in ds.dims:
        whole = hv.Curve((np.degrees(ds.azimuth.values), ds.cost_map.values), "azimuth", "cost")
        seen = hv.Scatter((azimuth, ds.cost.values), "azimuth", "cost")
        overlay = theme.line(whole, theme.SERIES[0]) * theme.markers(seen, theme.SERIES[1], size=8)
        return theme.frame(overlay, ylabel="W₂² (squared)", legend=None, **rest)
    cells = (np.degrees(ds.azimuth.values), ds.height.values, ds.cost_map.values)
    whole = hv.Image(cells, ["azimuth", "height"], "cost")
    shown = hv.Points((azimuth, _height(ds)), ["azimuth", "height"])
    overlay = theme.image(whole, label="W₂² (squared)") * theme.markers(shown, theme.REFERENCE, size=6)
    return theme.frame(overlay, ylabel="height on the sphere", legend=None, **rest)


def _both_ends(ds: xr.Dataset) -> np.ndarray:
    """A direction and its opposite are the same to the cost; both are drawn."""
    return np.concatenate([ds.directions.values, -ds.directions.values])


def _azimuth(ds: xr.Dataset) -> np.ndarray:
    ends = _both_ends(ds) if "height" in ds.dims else ds.directions.values
    return np.degrees(np.arctan2(ends[:, 1], ends[:, 0]))


def _height(ds: xr.Dataset) -> np.ndarray:
    return _both_ends(ds)[:, 2]
