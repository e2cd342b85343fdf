"""Two surfaces and the map between them: colours that are carried over, error curves, the functional map, studies."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench.figures import theme

APART = 0.62
"""How far the middles of the two surfaces stand from the middle of the flat view, in extents."""
PROBE = "probe"
WORST = 0.1
SHOWN_MODES = 60
READOUTS = {"feature": "nearest feature", "map": "map", "zoomout": "after ZoomOut"}


def surface_colours(ds: xr.Dataset, *, by_error: bool = False) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return colours in 0…1 for the vertices of X and Y, (n, 3): a place on X and its images have one colour.

    ``by_error`` colours Y from pale (0) to dark orange (0.1 of √area and more), and X pale.
    """
    x = ds.x.values
    low, high = x.min(axis=0), x.max(axis=0)
    spread = np.where(high > low, high - low, 1.0)
    colours = 0.12 + 0.8 * (x - low) / spread
    if not by_error or not bool(ds.has_truth):
        return colours, colours[ds.points.values]
    pale, dark = np.array([0.93, 0.93, 0.90]), np.array([0.70, 0.24, 0.0])
    share = np.clip(np.nan_to_num(ds.error.values) / WORST, 0, 1)[:, None]
    return np.tile(pale, (len(x), 1)), (1 - share) * pale + share * dark


def matched_plane(ds: xr.Dataset, probe: int = 0) -> Any:
    """Draw both surfaces flat, Y on the left and X on the right, one colour for a place and its image.

    The diamond on Y can be dragged; on X its image stands before its true place, where that is known.
    """
    left, right = ds.flat_y.values - np.array([APART, 0.0]), ds.flat_x.values + np.array([APART, 0.0])
    image, truth = int(ds.points[probe]), int(ds.truth[probe])
    number = np.array([0])
    handle = (*left[probe][:, None], number)
    true_place = right[[truth]] if truth >= 0 else np.empty((0, 2))
    parts = [
        _coloured(left, ds.place_y.values, "Y, coloured through the map"),
        _coloured(right, ds.place_x.values, "X"),
        theme.line(hv.Curve(np.array([left[probe], right[image]]), "x", "y"), theme.NEUTRAL, width=1, dash="dashed"),
        theme.markers(hv.Points(handle, ["x", "y"], "item", label=PROBE), theme.SERIES[5], size=14, marker="diamond"),
        theme.markers(
            hv.Points(true_place, ["x", "y"], label="its true place"), theme.SERIES[3], size=14, marker="square"
        ),
        theme.markers(
            hv.Points(right[[image]], ["x", "y"], label="its image"), theme.SERIES[5], size=9, marker="diamond"
        ),
    ]
    both = np.concatenate([left, right])
    low, high = both.min(axis=0) - 0.06, both.max(axis=0) + 0.06
    return theme.frame(
        hv.Overlay(parts),
        title="The map, seen flat",
        xlabel="Y (left) and X (right), along the longest axis",
        ylabel="along the second",
        legend="bottom",
        xlim=(float(low[0]), float(high[0])),
        ylim=(float(low[1]), float(high[1])),
        equal_units=True,
    )


def error_curves(ds: xr.Dataset) -> Any:
    """Draw how much of Y has at most an error: the map, what its basis allows, and the nearest descriptor."""
    grid = 100 * ds.threshold.values
    shown = (
        ("curve", "the map"),
        ("floor_curve", "the truth in this basis"),
        ("descriptor_curve", "descriptors alone"),
    )
    parts = []
    for k, (name, label) in enumerate(shown):
        values = 100 * ds[name].values if name in ds else np.full(len(grid), np.nan)
        curve = hv.Curve((grid, values), "error", "share", label=label)
        colour = (theme.SERIES[0], theme.SERIES[2], theme.SERIES[1])[k]
        parts.append(theme.line(curve, colour, width=3.5 - k, dash=theme.DASHES[k]))
    return theme.frame(
        hv.Overlay(parts),
        title="Errors",
        xlabel="error (×100, area 1)",
        ylabel="share of Y (%)",
        xlim=(0.0, float(grid[-1])),
        ylim=(0.0, 102.0),
        legend="bottom",
    )


def map_matrix(ds: xr.Dataset) -> Any:
    """Draw the magnitudes of the functional map, at most its first 60 rows and columns."""
    c = np.abs(ds.c.values[:SHOWN_MODES, :SHOWN_MODES])
    if not c.size:
        c = np.full((2, 2), np.nan)
    rows, columns = c.shape
    bounds = (-0.5, -0.5, columns - 0.5, rows - 0.5)
    image = hv.Image(c[::-1], bounds=bounds, kdims=["column", "row"], vdims="magnitude")
    return theme.frame(
        theme.image(image, clim=(0, 1), label="|C|", bar="bottom"),
        title="The functional map",
        xlabel="eigenfunction of X",
        ylabel="eigenfunction of Y",
        legend=None,
    )


def spectrum_curve(ds: xr.Dataset) -> Any:
    """Draw the eigenvalues of a surface over their number, beside Weyl's law 4πi/area."""
    number, values = ds["mode"].values, ds.eigenvalue.values
    law = hv.Curve((number, 4 * np.pi * number / float(ds.area)), "number", "eigenvalue", label="Weyl's law")
    parts = [
        theme.line(law, theme.NEUTRAL, dash="dashed"),
        theme.markers(hv.Scatter((number, values), "number", "eigenvalue", label="spectrum"), theme.SERIES[0], size=5),
    ]
    return theme.frame(hv.Overlay(parts), title="Spectrum", xlabel="number", ylabel="eigenvalue", legend="top_left")


def errors_of_methods(ds: xr.Dataset) -> Any:
    """Draw the mean errors of all seeds for each pair and method, and the floor of the basis."""
    pairs, methods = list(map(str, ds.pair.values)), list(map(str, ds.matcher.values))
    width = 0.8 / (len(methods) + 1)
    parts: list[Any] = []
    for j, method in enumerate([*methods, "floor"]):
        values = ds.floor if method == "floor" else ds["mean"].sel(matcher=method)
        across = [i + (j - len(methods) / 2) * width for i in range(len(pairs)) for _ in range(ds.sizes["seed"])]
        up = 100 * values.transpose("pair", "seed").values.ravel()
        label = "truth in the basis" if method == "floor" else method
        points = hv.Scatter((across, up), "pair", "error", label=label)
        marker = theme.MARKERS[j % len(theme.MARKERS)]
        parts.append(theme.markers(points, theme.SERIES[j % len(theme.SERIES)], size=6, marker=marker))
    return theme.frame(
        hv.Overlay(parts),
        title="Mean errors over seeds",
        xlabel="pair",
        ylabel="mean error (×100, area 1)",
        logy=True,
        xticks=list(enumerate(pairs)),
        xlim=(-0.5, len(pairs) - 0.5),
        legend="bottom",
    )


def changes_by_term(ds: xr.Dataset) -> Any:
    """Draw by how much each term changes the error of its own run without it, all pairs and seeds, per read-out."""
    readouts, terms = list(map(str, ds.readout.values)), [str(t) for t in ds.term.values if str(t) != "none"]
    base = ds.error.sel(term="none") if "none" in ds.term.values else ds.error.isel(term=0)
    width = 0.8 / max(len(terms), 1)
    parts: list[Any] = []
    for j, term in enumerate(terms):
        change = 100 * (ds.error.sel(term=term) / base - 1)
        across, up = [], []
        for i, readout in enumerate(readouts):
            values = change.sel(readout=readout).values.ravel()
            across += [i + (j - (len(terms) - 1) / 2) * width] * len(values)
            up += values.tolist()
        points = hv.Scatter((across, up), "readout", "change", label=term)
        marker = theme.MARKERS[j % len(theme.MARKERS)]
        parts.append(theme.markers(points, theme.SERIES[j % len(theme.SERIES)], size=6, marker=marker, alpha=0.7))
    parts.append(theme.line(hv.HLine(0), theme.NEUTRAL, dash="dashed"))
    return theme.frame(
        hv.Overlay(parts),
        title="What the transport term changes (below 0: better)",
        xlabel="read out by",
        ylabel="change of the mean error (%)",
        xticks=[(i, READOUTS.get(name, name)) for i, name in enumerate(readouts)],
        xlim=(-0.5, len(readouts) - 0.5),
        legend="bottom",
    )


def _coloured(places: NDArray[np.float64], values: NDArray[np.float64], label: str) -> Any:
    points = hv.Points((*places.T, values), ["x", "y"], "place", label=label)
    options = {"cmap": theme.SEQUENTIAL, "clim": (0, 1), "colorbar": False}
    return theme.markers(points, "place", size=5).opts(backend="bokeh", **options).opts(backend="matplotlib", **options)
