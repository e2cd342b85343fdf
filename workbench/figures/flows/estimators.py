"""Errors of the estimators, beside each other."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme


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
    shown = np.maximum(values, theme.SMALLEST)
    return theme.markers(hv.Scatter((names, shown), "estimator", "ratio", label=label), colour, marker=marker, size=11)


def _pair(ds: xr.Dataset, pair: str | None) -> xr.Dataset:
    return ds.isel(pair=0) if pair is None else ds.sel(pair=pair)


def error_against_time(ds: xr.Dataset, *, pair: str | None = None) -> Any:
    """Draw relative error against the time of one estimate; every estimator is one mark."""
    row = _pair(ds, pair)
    parts = []
    for k, name in enumerate(row.estimator.values):
        one = row.sel(estimator=name)
        point = (1e3 * float(one.seconds_per_draw), max(100 * float(one.relative_rmse), theme.SMALLEST))
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
