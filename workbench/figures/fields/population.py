"""Populations: where a method takes one, how far it ends from the truth, and what knowing the population was worth."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

PLACES = "blobs"
SIDE = 4.0
NAMES = {
    "no-change": "no change",
    "mean-shift": "mean shift",
    "flow-matching": "flow matching (FM)",
    "flow-matching-optimum": "exact optimum of FM",
    "meta-flow-matching": "meta FM, deep sets",
    "meta-flow-matching-graph": "meta FM, graph",
    "deconvolution": "deconvolution",
    "interaction-kernel": "interaction kernel",
    "exact": "exact field",
}


def population_path(
    ds: xr.Dataset, *, method: str | None = None, time: float | None = None, handles: bool = False
) -> Any:
    """Draw a population at its start, where a method has taken it by a time, and where it belongs.

    ``handles`` gives the centres that were placed by hand marks which can be moved.
    """
    name = method if method in ds.field.values else str(ds.field.values[-1])
    one = ds.path.sel(field=name)
    now = one.isel(time=-1) if time is None else one.sel(time=time, method="nearest")
    start, target = one.isel(time=0).values, ds.target.values
    parts = [
        theme.markers(
            hv.Scatter((start[:, 0], start[:, 1]), "x", "y", label="before"), theme.NEUTRAL, size=4, alpha=0.5
        ),
        theme.markers(
            hv.Scatter((target[:, 0], target[:, 1]), "x", "y", label="after, in truth"),
            theme.SERIES[1],
            size=6,
            marker="square",
            alpha=0.45,
        ),
        theme.markers(
            hv.Scatter((now.values[:, 0], now.values[:, 1]), "x", "y", label="predicted"),
            theme.SERIES[0],
            size=5,
            alpha=0.9,
        ),
    ]
    if handles:
        places = ds.centre.values
        places = places[np.isfinite(places).all(axis=1)]
        marks = hv.Points((places[:, 0], places[:, 1], np.arange(len(places))), ["x", "y"], ["item"], label=PLACES)
        parts.append(theme.markers(marks, theme.SERIES[3], size=15, marker="diamond", alpha=0.9))
    reach = max(SIDE, 1.05 * float(max(np.abs(ds.path.values).max(), np.abs(target).max())))
    return theme.frame(
        hv.Overlay(parts),
        title=f"{NAMES.get(name, name)} at t = {float(now.time):.1f}",
        xlabel="x",
        ylabel="y",
        xlim=(-reach, reach),
        ylim=(-reach, reach),
        height=520,
        legend="bottom",
        equal_units=True,
    )


def population_distances(ds: xr.Dataset) -> Any:
    """Draw W₂ of every method's end to the truth, and to a fresh sample with the floor of two such samples."""
    rows, ticks = _rows(ds)
    floor = float(ds.floor)
    line = ([floor] * 2, [-0.5, len(rows) - 0.5]) if np.isfinite(floor) else ([], [])
    parts = [
        theme.line(hv.Curve(line, "distance", "row", label="two samples of the truth"), theme.NEUTRAL, dash="dotted")
    ]
    for name, label, k, marker in (
        ("distance", "to its own points", 0, "circle"),
        ("fresh", "to fresh points", 2, "diamond"),
    ):
        values = ds[name].values
        there = np.isfinite(values)
        marks = hv.Scatter((values[there], rows[there]), "distance", "row", label=label)
        parts.append(theme.markers(marks, theme.SERIES[k], size=10, marker=marker))
    shown = np.concatenate([ds.distance.values, ds.fresh.values, [floor]])
    return theme.frame(
        hv.Overlay(parts),
        title="Distance from the truth",
        xlim=room_around(shown),
        xlabel="W₂ at t = 1",
        ylabel="",
        yticks=ticks,
        ylim=(-0.7, len(rows) - 0.3),
        legend="bottom",
    )


def population_gains(ds: xr.Dataset) -> Any:
    """Draw how much nearer than flow matching each method ends on populations never seen, with 95 % intervals."""
    rows, ticks = _rows(ds)
    gain, reach = ds.mean_gain.values, ds.reach.values
    zero = hv.Curve(([0.0, 0.0], [-0.5, len(rows) - 0.5]), "gain", "row", label="as flow matching")
    bars = hv.Segments((gain - reach, rows, gain + reach, rows), ["gain", "row", "to_gain", "to_row"])
    parts = [theme.line(zero, theme.NEUTRAL, dash="dotted"), theme.line(bars, theme.SERIES[0], width=2)]
    each = ds.seed_gain.values
    dots = hv.Scatter((each.ravel(), np.repeat(rows, each.shape[1])), "gain", "row", label="each training")
    parts.append(theme.markers(dots, theme.SERIES[2], size=6, marker="diamond", alpha=0.7))
    means = hv.Scatter((gain, rows), "gain", "row", label="mean, 95 % interval over populations")
    parts.append(theme.markers(means, theme.SERIES[0], size=10))
    return theme.frame(
        hv.Overlay(parts),
        xlim=room_around(np.concatenate([gain - reach, gain + reach, each.ravel(), [0.0]])),
        title=f"Gain over flow matching on {ds.sizes['population']} unseen populations",
        xlabel="W₂ of flow matching − W₂ of the method",
        ylabel="",
        yticks=ticks,
        ylim=(-0.7, len(rows) - 0.3),
        legend="bottom",
    )


def room_around(values: np.ndarray) -> tuple[float, float]:
    """Return the limits of an axis that leave whole marks at both ends of what is finite in ``values``."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    edge = 0.06 * max(high - low, 1e-3 * max(abs(high), 1e-9))
    return low - edge, high + edge


def _rows(ds: xr.Dataset) -> tuple[np.ndarray, list[tuple[int, str]]]:
    """Return a row for each method, the first on top, and what stands beside it."""
    names = [str(name) for name in ds.field.values]
    rows = np.arange(len(names))[::-1]
    return rows, [(int(row), NAMES.get(name, name)) for row, name in zip(rows, names, strict=True)]


def gap_in_time(ds: xr.Dataset) -> Any:
    """Draw the population-information gap along t, with two standard errors."""
    time, gap, error = ds.time.values, ds.gap.values, 2 * ds.gap_error.values
    band = hv.Area((time, gap - error, gap + error), "time", ["gap", "high"])
    parts = [
        theme.band(band, theme.SERIES[0], alpha=0.25),
        theme.line(hv.Curve((time, gap), "time", "gap", label="G(t), two standard errors"), theme.SERIES[0], width=2.5),
    ]
    return theme.frame(
        hv.Overlay(parts),
        title=f"Worth of knowing the population: G = {float(ds.total):.4f} ± {float(ds.total_error):.4f}",
        xlabel="time t",
        ylabel="E‖v_i − v̄‖²",
        legend="bottom",
    )
