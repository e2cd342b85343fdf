"""Figures of the flows room."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

SMALLEST = 1e-12  # a logarithmic axis has no zero


def flow_curves(ds: xr.Dataset, *, logarithmic: bool = True) -> Any:
    """Draw SW₂² over the steps with a band of two standard errors, and exact W₂² at the checkpoints."""
    steps, sw2, error = ds.frame.values, ds.sw2.values, ds.sw2_standard_error.values
    low = np.maximum(sw2 - 2 * error, SMALLEST if logarithmic else 0)
    parts = [
        theme.band(hv.Area((steps, low, sw2 + 2 * error), "step", ["low", "high"]), theme.SERIES[0]),
        theme.line(hv.Curve((steps, sw2), "step", "distance", label="SW₂², sliced"), theme.SERIES[0]),
    ]
    if "w2" in ds:
        exact = hv.Scatter((ds.checkpoint.values, ds.w2.values), "step", "distance", label="W₂², exact")
        parts.append(theme.markers(exact, theme.SERIES[1], marker="diamond", size=10))
    return theme.frame(
        hv.Overlay(parts),
        title="Distance to the target (squared)",
        xlabel="step",
        ylabel="squared distance",
        logy=logarithmic,
        legend="top_right",
        padding=(0.03, 0.1),
    )


def estimator_errors(ds: xr.Dataset, *, pair: str | None = None, equal_time: bool = True) -> Any:
    """Draw the error of every estimator as a multiple of Monte Carlo's: at equal directions, and at equal time."""
    row = _pair(ds, pair)
    names = [str(name) for name in row.estimator.values]
    parts = [_dots(names, row.rmse_ratio.values, "at equal directions", theme.SERIES[0], "circle")]
    if equal_time:
        parts.append(_dots(names, row.rmse_ratio_equal_time.values, "at equal time", theme.SERIES[1], "diamond"))
    parts.append(theme.line(hv.HLine(1.0), theme.NEUTRAL, width=1, dash="dashed"))
    return theme.frame(
        hv.Overlay(parts),
        title="Error ÷ Monte Carlo error",
        xlabel="",
        ylabel="ratio (1 = Monte Carlo, lower is better)",
        logy=True,
        xrotation=30,
        legend="bottom_left",
    )


def _dots(names: list[str], values: np.ndarray, label: str, colour: str, marker: str) -> Any:
    shown = np.maximum(values, SMALLEST)
    return theme.markers(hv.Scatter((names, shown), "estimator", "ratio", label=label), colour, marker=marker, size=11)


def _pair(ds: xr.Dataset, pair: str | None) -> xr.Dataset:
    return ds.isel(pair=0) if pair is None else ds.sel(pair=pair)


def error_against_time(ds: xr.Dataset, *, pair: str | None = None) -> Any:
    """Draw relative error against the time of one estimate; every estimator is one mark."""
    row = _pair(ds, pair)
    parts = []
    for k, name in enumerate(row.estimator.values):
        one = row.sel(estimator=name)
        point = (1e3 * float(one.seconds_per_draw), max(100 * float(one.relative_rmse), SMALLEST))
        mark = hv.Scatter([point], "milliseconds", "percent", label=str(name))
        marker = theme.MARKERS[k % len(theme.MARKERS)]
        parts.append(theme.markers(mark, theme.SERIES[k % len(theme.SERIES)], marker=marker, size=12))
    return theme.frame(
        hv.Overlay(parts),
        title="Error and time of one estimate",
        xlabel="milliseconds",
        ylabel="relative error (%)",
        logy=True,
        legend="right",
    )


def error_table(ds: xr.Dataset, *, pair: str | None = None) -> Any:
    """Return the comparison as a table: error, variance, bias and time."""
    row = _pair(ds, pair)
    columns = {
        "estimator": [str(name) for name in row.estimator.values],
        "relative error (%)": _significant(100 * row.relative_rmse.values),
        "÷ Monte Carlo": _significant(row.rmse_ratio.values),
        "÷ Monte Carlo, equal time": _significant(row.rmse_ratio_equal_time.values),
        "variance": _significant(row.variance.values),
        "bias": _significant(row.bias.values),
        "ms": _significant(1e3 * row.seconds_per_draw.values),
    }
    table = hv.Table(columns, list(columns)[:1], list(columns)[1:])
    return theme.styled(
        table, bokeh={"width": 760, "height": 260}, matplotlib={"fig_inches": (10, 3), "max_value_len": 26}
    )


def _significant(values: np.ndarray) -> list[str]:
    return [f"{value:.3g}" for value in values]


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
    values = np.maximum(ds.sw2.values, SMALLEST)
    curve = hv.Curve((ds.step.values, values), "step", "distance")
    return theme.frame(
        theme.line(curve, theme.SERIES[0]),
        title="Distance of the palettes (squared)",
        xlabel="step",
        ylabel="SW₂²",
        logy=True,
    )


def paper_curves(ds: xr.Dataset) -> Any:
    """Draw exact W₂² at the checkpoints of the paper's experiment: the mean over seeds, and their range as a band."""
    parts = []
    for k, name in enumerate(ds.estimator.values):
        w2 = np.maximum(ds.w2.sel(estimator=name).values, SMALLEST)
        colour = theme.SERIES[k % len(theme.SERIES)]
        steps = ds.checkpoint.values
        area = hv.Area((steps, w2.min(axis=0), w2.max(axis=0)), "step", ["low", "high"])
        curve = hv.Curve((steps, w2.mean(axis=0)), "step", "distance", label=str(name))
        parts += [theme.band(area, colour, alpha=0.12)]
        parts += [theme.line(curve, colour, dash=theme.DASHES[k % len(theme.DASHES)])]
    return theme.frame(
        hv.Overlay(parts),
        title="The paper's experiment: exact W₂² (squared)",
        xlabel="step",
        ylabel="W₂²",
        logy=True,
        legend="bottom_left",
    )


def paper_table(ds: xr.Dataset) -> Any:
    """Return the table of the paper: exact W₂² (squared), mean over the seeds, at every checkpoint."""
    columns = {"estimator": [str(name) for name in ds.estimator.values]}
    columns["directions"] = [str(count) for count in ds.n_directions.values]
    for step in ds.checkpoint.values:
        means = ds.w2.sel(checkpoint=step).mean("seed").values
        columns[f"step {step}"] = [f"{value:.4g}" for value in means]
    table = hv.Table(columns, ["estimator"], list(columns)[1:])
    return theme.styled(
        table, bokeh={"width": 760, "height": 230}, matplotlib={"fig_inches": (10, 2.4), "max_value_len": 20}
    )


FIGURES = {
    "gradient_flow": flow_curves,
    "compare_estimators": estimator_errors,
    "compare_on": estimator_errors,
    "direction_costs": direction_map,
    "colour_transfer": photograph,
    "seed_experiment": paper_curves,
}
