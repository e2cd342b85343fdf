"""Saddle searches: the map with its trust discs, the gradient call by call, and calls against success."""

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

CALLED, PATH, REJECTED, START = theme.SERIES[0], theme.SERIES[1], theme.SERIES[5], theme.SERIES[3]
TURN = np.linspace(0, 2 * np.pi, 49)
FLOOR = 0.6
"""Share of the map's pixels, lowest energies first, that the colours tell apart: walls are hundreds of times higher."""


HANDLE = 0.09
"""Length of the line that shows the first axis, as a share of the map's width."""


def saddle_map(ds: xr.Dataset) -> hv.Overlay:
    """Draw a search on a plane surface: energy, the surrogate's contours, calls with trust discs, path, rejections.

    A line from the start, with a handle at its end, shows the first axis of the search.
    """
    if "truth" not in ds:
        return gradient_by_call(ds)
    x, y, truth = ds.grid_x.values, ds.grid_y.values, ds.truth.values
    limits = (float(truth.min()), float(np.quantile(truth, FLOOR)))
    levels = np.linspace(*limits, 12)
    ground = hv.Image((x, y, truth), ["x", "y"], "energy")
    parts = [theme.image(ground, clim=limits, label="energy", bar="bottom", colorbar=False)]
    surrogate = np.where(np.isfinite(ds.surrogate.values), ds.surrogate.values, limits[1])
    lines = hv.operation.contours(hv.Image((x, y, surrogate), ["x", "y"], "model"), levels=levels)
    parts.append(_contours(lines))
    calls, radii = ds.x.values, ds.threshold.values
    last = radii[np.isfinite(radii)][-1] if np.isfinite(radii).any() else 0.0
    circles = [np.column_stack([a + last * np.cos(TURN), b + last * np.sin(TURN)]) for a, b in calls]
    parts.append(theme.line(hv.Path(circles, ["x", "y"], label="trust region"), "#FFFFFF", width=1, alpha=0.45))
    parts.append(theme.line(hv.Curve(ds.path.values, "x", "y", label="path"), PATH, width=2.5))
    rejected = ds.rejected.values[np.isfinite(ds.rejected.values).all(axis=1)]
    across, up = _window(x, y)
    handle = calls[:1] + HANDLE * (across[1] - across[0]) * (ds.axis.values if "axis" in ds else np.nan)
    parts.append(theme.line(hv.Path([np.vstack([calls[:1], handle])], ["x", "y"], label="axis"), START, width=2.5))
    marks = (
        (rejected, "rejected step", REJECTED, "triangle", 10),
        (calls, "call", CALLED, "circle", 7),
        (calls[:1], "start", START, "diamond", 13),
        (handle, "first axis", START, "circle", 10),
    )
    for points, label, colour, marker, size in marks:
        parts.append(_points(points, label, colour, marker, size))
    if "stationary" in ds:
        for index, label, marker in ((0, "proved minimum", "inverted_triangle"), (1, "proved saddle", "square")):
            where = ds.stationary.values[ds.stationary_index.values == index]
            parts.append(_points(where, label, "#FFFFFF", marker, 9))
    return theme.frame(
        hv.Overlay(parts),
        title="Search on the surface",
        xlabel="x",
        ylabel="y",
        height=430,
        square=True,
        legend=None,  # the marks are explained in words; a phone has no room for eight names
        xlim=across,
        ylim=up,
    )


def _window(x: np.ndarray, y: np.ndarray) -> list[tuple[float, float]]:
    """Return limits of equal length that hold both axes: a square frame would cut the longer one."""
    half = max(np.ptp(x), np.ptp(y)) / 2
    return [(float(v[0] + v[-1]) / 2 - half, float(v[0] + v[-1]) / 2 + half) for v in (x, y)]


def _contours(lines: hv.Contours) -> hv.Contours:
    options = {"cmap": ["#FFFFFF", "#FFFFFF"], "colorbar": False, "alpha": 0.75, "show_legend": False}
    return theme.styled(
        lines.relabel("surrogate"), bokeh={**options, "line_width": 1}, matplotlib={**options, "linewidth": 0.8}
    )


def _points(where: np.ndarray, label: str, colour: str, marker: str, size: float) -> hv.Points:
    data = where if len(where) else np.full((1, 2), np.nan)  # a standing plot keeps its parts
    element = theme.markers(hv.Points(data, ["x", "y"], label=label), colour, marker=marker, size=size)
    return theme.styled(element, bokeh={"line_color": "#000000"}, matplotlib={"edgecolor": "#000000"})


def gradient_by_call(ds: xr.Dataset) -> hv.Overlay:
    """Draw the largest component of the gradient at each call, and the variance that the surrogate believed in."""
    gradient = np.maximum(ds.gradient.values, theme.SMALLEST)
    parts = theme.marked_curve((ds.call.values, gradient), "call", "value", "gradient", 0)
    parts += theme.marked_curve((ds.call.values, ds.variance.values), "call", "value", "variance σ²", 1)
    return theme.frame(
        hv.Overlay(parts),
        title="Call by call",
        xlabel="call",
        ylabel="largest component of the gradient; σ²",
        logy=True,
        legend="bottom",
    )


def saddle_success(ds: xr.Dataset) -> hv.Overlay:
    """Draw, for the first surface, the share of searches that have reached a saddle within so many calls.

    Failures count as searches that never arrive.
    """
    one = ds.isel(surface=0)
    parts: list[hv.Element] = []
    for k, method in enumerate(one.method.values):
        row = one.sel({"method": method})  # as a keyword, "method" would mean interpolation
        calls = np.sort(row.calls.values[row.success.values.astype(bool)])
        share = np.arange(1, calls.size + 1) / row.sizes["start"]
        steps = np.repeat(calls, 2) if calls.size else np.array([1.0, 1.0])
        heights = np.repeat(np.concatenate([[0.0], share]), 2)[1:-1] if calls.size else np.zeros(2)
        curve = hv.Curve((steps, heights), "calls", "share", label=str(method))
        parts.append(theme.line(curve, theme.SERIES[k % 8], dash=theme.DASHES[k % 4], width=2.5))
    return theme.frame(
        hv.Overlay(parts),
        title=f"Saddles reached: {one.surface.item()}",
        xlabel="calls of the surface",
        ylabel="share of all searches",
        logx=True,
        ylim=(-0.02, 1.02),
    )


def basin_map(ds: xr.Dataset) -> hv.Overlay:
    """Draw which proved saddle each start reaches (−1: none), with the saddles themselves."""
    ground = hv.Image((ds.x.values, ds.y.values, ds.saddle.values.astype(float)), ["x", "y"], "saddle")
    saddles = theme.markers(hv.Points(ds.proved.values, ["x", "y"]), "#FFFFFF", marker="square", size=10)
    parts = [theme.image(ground, label="number of the saddle (−1: none)", bar="bottom", colorbar=False), saddles]
    xlim, ylim = _window(ds.x.values, ds.y.values)
    return theme.frame(
        hv.Overlay(parts),
        title="Which saddle a start reaches",
        xlabel="x of the start",
        ylabel="y of the start",
        square=True,
        height=480,
        legend=None,
        xlim=xlim,
        ylim=ylim,
    )


def pruning_curves(ds: xr.Dataset) -> hv.Overlay:
    """Draw the time of training the hyper-parameters on all observations and on a pruned set."""
    parts: list[hv.Element] = []
    for k, (name, label) in enumerate((("seconds_all", "all observations"), ("seconds_pruned", "pruned"))):
        seconds = np.maximum(ds[name].values, 1e-6)
        parts += theme.marked_curve((ds["count"].values, seconds), "count", "seconds", label, k)
    return theme.frame(
        hv.Overlay(parts), title="Cost of a training", xlabel="observations", ylabel="CPU seconds", logy=True
    )


def survey_levels(ds: xr.Dataset) -> hv.Overlay:
    """Draw for every saddle of a survey the way from the minimum on one side over it to that on the other."""
    energy = ds.minimum_energy.attrs.get("units", "")
    parts: list[hv.Element] = []
    ways, tops, ends = [], [], []
    for k in range(ds.sizes["saddle"]):
        top = (k + 1, float(ds.energy[k]))
        tops.append(top)
        sides = [(int(n), k + 1 + shift) for n, shift in zip(ds.neighbour.values[k], (-0.3, 0.3), strict=True)]
        known = [(x, float(ds.minimum_energy[n])) for n, x in sides if n >= 0]
        ends += known
        ways.append(np.array(sorted([*known, top])))
    ways = ways or [np.full((1, 2), np.nan)]
    parts.append(theme.line(hv.Path(ways, ["saddle", "energy"], label="way"), theme.NEUTRAL, width=1.5))
    for points, label, k, marker in ((ends, "minimum", 0, "inverted_triangle"), (tops, "saddle", 1, "square")):
        data = np.array(points) if points else np.full((1, 2), np.nan)
        element = hv.Points(data, ["saddle", "energy"], label=label)
        parts.append(theme.markers(element, theme.SERIES[k], marker=marker, size=9))
    return theme.frame(
        hv.Overlay(parts),
        title="Saddles and the minima they join",
        xlabel="saddle, by energy",
        ylabel=f"energy ({energy})",
        legend="bottom",
        xticks=[k + 1 for k in range(min(ds.sizes["saddle"], 30))] or [0],
        xlim=(0.4, ds.sizes["saddle"] + 0.6) if ds.sizes["saddle"] else (0, 1),
    )


def survey_calls(ds: xr.Dataset) -> hv.Overlay:
    """Draw the share of a survey's searches that have reached a saddle within so many calls; failures never arrive."""
    good = ds.found.values >= 0
    calls = np.sort(ds.calls.values[good])
    steps = np.repeat(np.concatenate([[0.0], calls, [float(ds.calls.max())]]), 2)[1:-1]
    share = np.repeat(np.arange(calls.size + 1) / ds.sizes["search"], 2)
    curve = hv.Curve((steps, share), "calls", "share", label="reached a saddle")
    spread = theme.band(hv.HSpan(float(ds.rate_low), float(ds.rate_high)), theme.SERIES[0])
    return theme.frame(
        hv.Overlay([spread, theme.line(curve, theme.SERIES[0], width=2.5)]),
        title="Calls to a saddle",
        xlabel="calls of the surface",
        ylabel="share of all searches",
        ylim=(-0.02, 1.02),
        legend=None,
    )


def survey_atoms(ds: xr.Dataset, saddle: int = 0) -> hv.Overlay:
    """Draw the atoms at one saddle of a survey, seen along their thinnest direction; arrows: the way down."""
    known = min(saddle, ds.sizes["saddle"] - 1)
    points = (ds.saddle_x.values[known] if known >= 0 else ds.minimum_x.values[int(ds.start)]).copy()
    points -= points.mean(axis=0)
    view = np.linalg.svd(points)[2][:2].T
    flat = points @ view
    size = float(np.abs(flat).max()) or 1.0
    arrows = np.empty((0, 4))
    if known >= 0:
        moved = ds["mode"].values[known] @ view
        reach = float(np.linalg.norm(ds["mode"].values[known], axis=1).max()) or 1.0
        arrows = np.column_stack([flat, flat + moved * (0.45 * size / reach)])
    symbols = [str(s) for s in ds.symbol.values]
    parts: list[hv.Element] = [
        theme.line(hv.Segments(arrows, ["x", "y", "to_x", "to_y"], label="way down"), theme.SERIES[1], width=3)
    ]
    for k, symbol in enumerate(dict.fromkeys(symbols)):
        where = flat[[s == symbol for s in symbols]]
        element = hv.Points(where, ["x", "y"], label=symbol)
        parts.append(theme.markers(element, theme.SERIES[(0, 5, 2, 3, 4, 6, 7)[k % 7]], size=14, alpha=0.85))
    length = ds.saddle_x.attrs.get("units", "")
    edge = 1.5 * size
    return theme.frame(
        hv.Overlay(parts),
        title=f"Saddle {known + 1}" if known >= 0 else "The start: no saddle was found",
        xlabel=f"first principal axis ({length})",
        ylabel=f"second principal axis ({length})",
        legend="bottom",
        equal_units=True,
        xlim=(-edge, edge),
        ylim=(-edge, edge),
    )
