"""Climate in few bits: attractors with their cycle, W₁ as the runs grow, distributions, the soil that stops warming."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

LOW, HIGH = theme.SERIES[0], theme.NEUTRAL


def climate_picture(ds: xr.Dataset) -> Any:
    """Draw states of both precisions over each other with the cycle, if one was found; else the distributions."""
    if "low_orbit" not in ds:
        return climate_distributions(ds)
    across, up = (0, 2) if ds.sizes["axis"] > 2 else (0, ds.sizes["axis"] - 1)
    names = [str(name) for name in ds.axis.values]
    dims = ["first", "second"]
    parts = [
        _points(ds.high_orbit.values[:, [across, up]], dims, "double precision", HIGH, 3, 0.35),
        _points(ds.low_orbit.values[:, [across, up]], dims, f"{int(ds.attrs['bits'])} bits", LOW, 3, 0.6),
    ]
    cycle = ds.cycle_orbit.values[:, [across, up]]
    if len(cycle):
        parts.append(_points(cycle, dims, "the cycle", theme.REFERENCE, 4, 0.9))
    title = f"States, {names[across]} and {names[up]}"
    return theme.frame(
        hv.Overlay(parts), title=title, xlabel=names[across], ylabel=names[up], legend="bottom", padding=0.05
    )


def _points(values: np.ndarray, dims: list[str], label: str, colour: str, size: float, alpha: float) -> Any:
    return theme.markers(hv.Points(values, dims, label=label), colour, size=size, alpha=alpha)


def climate_distance(ds: xr.Dataset) -> Any:
    """Draw W₁ to double precision against the length of the runs, with the floor that double precision sets itself."""
    length = ds.length.values
    floor = np.maximum(ds.floor_so_far.values, theme.SMALLEST)
    low = np.minimum(0.01 * floor, 0.5 * np.maximum(ds.w1_so_far.values, theme.SMALLEST))
    low = np.full(len(length), max(float(low.min()), theme.SMALLEST))
    mean = np.maximum(ds.floor_mean_so_far.values, theme.SMALLEST)
    found = np.maximum(ds.w1_so_far.values, theme.SMALLEST)
    parts = [
        theme.band(hv.Area((length, low, floor), "length", ["low", "high"]), HIGH),
        theme.line(hv.Curve((length, mean), "length", "distance", label="double to double, mean"), HIGH, dash="dashed"),
        theme.line(hv.Curve((length, found), "length", "distance", label="W₁ to double"), LOW),
    ]
    return theme.frame(
        hv.Overlay(parts),
        title="W₁ as the runs grow longer",
        xlabel="length of a run" if "low_orbit" in ds else "samples of a run",
        ylabel="W₁",
        logx=True,
        logy=True,
        legend="bottom_left",
    )


def climate_distributions(ds: xr.Dataset) -> Any:
    """Draw the distribution functions whose distance is W₁."""
    parts = [
        theme.line(hv.Curve((ds.value.values, ds.high_cdf.values), "value", "share", label="reference"), HIGH, width=4),
        theme.line(hv.Curve((ds.value.values, ds.low_cdf.values), "value", "share", label="under test"), LOW),
    ]
    title = "W₁: area between the curves"
    return theme.frame(
        hv.Overlay(parts), title=title, xlabel=str(ds.attrs["quantity"]), ylabel="share below", legend="bottom_right"
    )


def format_errors(ds: xr.Dataset) -> Any:
    """Draw W₁ of a sweep of formats against the bits, both roundings, with standard errors and the 95 % floor."""
    parts = []
    for k, kind in enumerate(ds["rounding"].values):
        one = ds.sel(rounding=kind)
        values = np.maximum(one.w1.values, theme.SMALLEST)
        parts += theme.marked_curve((one.bits.values, values), "bits", "distance", str(kind), k)
        bars = hv.ErrorBars((one.bits.values, values, np.minimum(one.standard_error.values, 0.9 * values)), "bits")
        parts.append(theme.error_bars(bars, theme.SERIES[k]))
    parts.append(theme.line(hv.HLine(float(ds.floor)), theme.REFERENCE, dash="dashed"))
    title = f"{ds.attrs['label']}: W₁ to double precision (dashed: 95 % floor)"
    return theme.frame(hv.Overlay(parts), title=title, xlabel="bits", ylabel="W₁", logy=True, legend="top_right")


def soil_map(ds: xr.Dataset, *, error: bool = False) -> Any:
    """Draw the temperature of the soil column, or its error, over time and depth."""
    values = (ds.error if error else ds.temperature).values.T[::-1]
    bounds = (0.0, 0.0, float(ds.time[-1]), float(ds.depth[-1]))
    image = hv.Image(values, ["years", "metres"], "kelvin", bounds=bounds)
    title = "Error of the temperature" if error else "Temperature of the soil"
    shown = theme.image(image, signed=error, label="K")
    return theme.frame(shown, title=title, xlabel="years", ylabel="depth (m)", invert_yaxis=True)


def soil_profiles(ds: xr.Dataset) -> Any:
    """Draw the last profile of the soil column in few bits and in exact arithmetic."""
    last = ds.isel(time=-1)
    parts = [
        theme.line(hv.Curve((ds.depth.values, last.exact.values), "metres", "kelvin", label="exact"), HIGH, width=4),
        theme.line(hv.Curve((ds.depth.values, last.temperature.values), "metres", "kelvin", label="few bits"), LOW),
    ]
    title = f"After {float(last.time):.0f} years"
    return theme.frame(hv.Overlay(parts), title=title, xlabel="depth (m)", ylabel="temperature (K)", legend="top_right")


def run_curve(ds: xr.Dataset) -> Any:
    """Draw the first variable of the first run against time."""
    values = ds.state.isel(run=0, variable=0).values
    curve = theme.line(hv.Curve((ds.time.values, values), "when", "value"), LOW)
    return theme.frame(curve, title=f"{ds.attrs['model']}, first run", xlabel="time", ylabel=str(ds.variable.values[0]))
