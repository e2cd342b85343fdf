"""Steps, rates and delays: certified next to true and observed."""

from typing import Any

import contourpy
import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

SMALLEST = 1e-12
MARKS = {
    "paper": ("paper 2α/β²", theme.SERIES[1], "dashed"),
    "h0": ("h₀", theme.SERIES[2], "dashed"),
    "sharp": ("sharp", theme.SERIES[0], "dashdot"),
    "rk4_guideline": ("RK4 2.5/β", theme.SERIES[7], "dotted"),
    "true_limit": ("true limit", theme.SERIES[5], "dotted"),
}


def step_factors(ds: xr.Dataset) -> Any:
    """Draw certified, true and observed factor over the step, with the five steps as vertical lines."""
    h = ds.h.values
    top = 1.6
    curves = (
        ("certified", "certified ρ(T_h)", theme.SERIES[0], "solid"),
        ("true", "true", theme.SERIES[5], "dashed"),
        ("observed", "observed", theme.SERIES[3], "dotted"),
    )
    parts = []
    for name, label, colour, dash in curves:
        values = np.where(ds[name].values <= top, ds[name].values, np.nan)
        parts.append(theme.line(hv.Curve((h, values), "h", "factor", label=label), colour, dash=dash))
    parts.append(theme.line(hv.HLine(1.0), theme.NEUTRAL, width=1))
    for name, (label, colour, dash) in MARKS.items():
        value = float(ds[name])
        if np.isfinite(value) and 0 < value <= h[-1]:
            mark = hv.Curve([(value, 0.0), (value, top)], "h", "factor", label=label)
            parts.append(theme.line(mark, colour, width=1.5, dash=dash))
    return theme.frame(
        hv.Overlay(parts),
        title="Factor of one Euler step",
        xlabel="step h",
        ylabel="factor (below 1 contracts)",
        ylim=(0.0, top),
        xlim=(0.0, float(h[-1])),
        legend="right",
    )


def rate_regions(ds: xr.Dataset) -> Any:
    """Draw the certified factor over the two rates, with the lines where certified and true factor are 1."""
    x, y = ds.eta_1.values, ds.eta_2.values
    mesh = hv.Image((x, y, np.clip(ds.certified.values, 0, 1.5).T), ["eta_1", "eta_2"], "certified")
    parts = [theme.image(mesh, clim=(0.0, 1.5), label="certified factor")]
    for name, colour, dash, label in (
        ("certified", "#FFFFFF", "solid", "certified = 1"),
        ("true", "#D55E00", "dashed", "true = 1"),
    ):
        for k, line in enumerate(contourpy.contour_generator(x, y, ds[name].values.T).lines(1.0)):
            curve = hv.Curve(line, "eta_1", "eta_2", **({"label": label} if k == 0 else {}))
            parts.append(theme.line(curve, colour, width=3, dash=dash))
    corner = hv.Points([tuple(ds.limit.values[:2])], ["eta_1", "eta_2"], label="2/(μ+ℓ) of both")
    parts.append(theme.markers(corner, "#E69F00", size=11, marker="diamond"))
    return theme.frame(
        hv.Overlay(parts),
        title="Rates of players 1 and 2",
        xlabel="rate of player 1",
        ylabel="rate of player 2",
        legend="bottom_left",
    )


def delay_curves(ds: xr.Dataset, *, kind: str = "late") -> Any:
    """Draw the distance over the rounds for each delay (``kind`` late) or window (lazy), certified bounds dotted."""
    parts = []
    for k, delay in enumerate(ds.delay.values):
        colour = theme.SERIES[k % len(theme.SERIES)]
        label = f"delay {delay}" if kind == "late" else f"window {delay + 1}"
        for name, dash in ((kind, "solid"), (f"{kind}_bound", "dotted")):
            values = np.maximum(ds[name].isel(delay=k).values, SMALLEST)
            if np.any(np.isfinite(values)):
                options = {"label": label} if name == kind else {}
                curve = hv.Curve((ds.step.values, values), "round", "distance", **options)
                parts.append(theme.line(curve, colour, dash=dash))
    title = "Delayed information" if kind == "late" else "Asynchronous moves"
    return theme.frame(
        hv.Overlay(parts),
        title=title,
        xlabel="round",
        ylabel="max |xᵢ|/zᵢ, start = 1",
        logy=True,
        legend="bottom_left",
    )
