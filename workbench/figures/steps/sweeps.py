"""Sweeps: accuracy and loss against r, and the onset against temperature."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

BLOW_UP = 1e6


def sweep_accuracy(ds: xr.Dataset, *, stage: str | None = None) -> Any:
    """Draw the accuracy against r for every direction; the line is r = 1."""
    return _curves(ds, stage, "accuracy", "Accuracy along the step", "accuracy on the batch", logy=False)


def sweep_loss(ds: xr.Dataset, *, stage: str | None = None) -> Any:
    """Draw the loss, relative to its start, against r for every direction."""
    return _curves(ds, stage, "loss_ratio", "Loss along the step", "loss ÷ loss at the start", logy=True)


def _curves(ds: xr.Dataset, stage: str | None, variable: str, title: str, ylabel: str, *, logy: bool) -> Any:
    one = ds.isel(stage=-1) if stage is None else ds.sel(stage=stage)
    parts: list[Any] = [theme.line(hv.VLine(1.0), theme.NEUTRAL, width=1.5, dash="dashed")]
    for k, direction in enumerate(one.direction.values):
        values = one[variable].sel(direction=direction).values
        values = np.where(np.isfinite(values), np.minimum(values, BLOW_UP), np.nan)
        curve = hv.Curve((one.r.values, values), "r", variable, label=str(direction))
        parts.append(theme.line(curve, theme.SERIES[k % len(theme.SERIES)], dash=theme.DASHES[k % len(theme.DASHES)]))
    return theme.frame(
        hv.Overlay(parts),
        title=f"{title}, {one.stage.item()}",
        xlabel="r = τ/ρ_a",
        ylabel=ylabel,
        logx=True,
        logy=logy,
        legend="bottom_left" if not logy else "top_left",
    )


def temperature_curves(ds: xr.Dataset) -> Any:
    """Draw the measured onset of damage against the temperature, with what each predictor said."""
    temperature = ds.temperature.values
    labels = {"raw": "ρ_a at T = 1", "bound": "ρ_a(T)", "quadratic": "quadratic root"}
    parts: list[Any] = []
    for k, (name, label) in enumerate(labels.items()):
        curve = hv.Curve((temperature, ds[name].values), "temperature", "distance", label=label)
        parts.append(theme.line(curve, theme.SERIES[k], dash=theme.DASHES[k]))
    measured = hv.Scatter((temperature, ds.onset.values), "temperature", "distance", label="measured")
    parts.append(theme.markers(measured, theme.REFERENCE, marker="diamond", size=11))
    return theme.frame(
        hv.Overlay(parts),
        title="Onset of damage and temperature",
        xlabel="temperature T",
        ylabel="τ",
        logx=True,
        logy=True,
        legend="top_left",
    )
