"""The spike laboratory: loss, accuracy and r of every rule, and the table over seeds."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

CEILING = 1e4
FLOOR = 1e-4


def spike_loss(ds: xr.Dataset, *, seed: int | None = None) -> Any:
    """Draw the loss of the batch at every step, cut at 10⁴; a curve that stops has overflowed."""
    return _curves(ds, "loss", seed, "Loss of the batch", "loss (nat)", (FLOOR, CEILING), logy=True)


def spike_accuracy(ds: xr.Dataset, *, seed: int | None = None) -> Any:
    """Draw the test accuracy after every step."""
    return _curves(ds, "accuracy", seed, "Test accuracy", "accuracy", (0.0, 1.0), logy=False)


def spike_r(ds: xr.Dataset, *, seed: int | None = None) -> Any:
    """Draw r of the step really taken, and where each rule engaged."""
    figure = _curves(ds, "r", seed, "r of the step taken, and who engaged", "r = ‖p‖/ρ_a", (FLOOR, CEILING), logy=True)
    one = _seed(ds, seed)
    marks: list[Any] = [theme.line(hv.HLine(1.0), theme.NEUTRAL, width=1.5, dash="dashed")]
    for name in ds.rule.values:
        engaged = one.sel(rule=name).engaged.values == 1
        values = np.clip(one.sel(rule=name).r.values[engaged], FLOOR, CEILING)
        shown = np.isfinite(values)
        if shown.any():
            points = hv.Scatter((ds.step.values[engaged][shown], values[shown]), "step", "r")
            marks.append(theme.markers(points, rule_shade(ds, str(name)), size=5, marker="diamond"))
    return theme.frame(
        hv.Overlay([*figure, *marks]),
        title="r of the step taken; diamonds: the rule engaged",
        xlabel="training step",
        ylabel="r = ‖p‖/ρ_a",
        logy=True,
        ylim=(FLOOR, CEILING),
        legend="right",
    )


def spike_table_marks(ds: xr.Dataset, *, network: str | None = None) -> Any:
    """Draw the final test accuracy of each rule against the multiplier: median and range over the seeds."""
    one = ds.isel(network=0) if network is None else ds.sel(network=network)
    parts: list[Any] = []
    for k, rule in enumerate(one.rule.values):
        values = one.accuracy.sel(rule=rule).values
        middle = np.median(values, axis=1)
        shifted = one.multiplier.values * 1.06 ** (k - 2)
        bars = (shifted, middle, middle - values.min(axis=1), values.max(axis=1) - middle)
        parts.append(
            theme.error_bars(
                hv.ErrorBars(bars, "multiplier", ["accuracy", "below", "above"]), rule_shade(ds, str(rule))
            )
        )
        points = hv.Scatter((shifted, middle), "multiplier", "accuracy", label=rule_label(ds, str(rule)))
        parts.append(
            theme.markers(points, rule_shade(ds, str(rule)), marker=theme.MARKERS[k % len(theme.MARKERS)], size=9)
        )
    return theme.frame(
        hv.Overlay(parts),
        title=f"Accuracy after the spike, {one.network.item()}",
        xlabel="learning rate ÷ its usual value",
        ylabel="test accuracy",
        logx=True,
        ylim=(0, 1.02),
        legend="right",
    )


def _curves(
    ds: xr.Dataset, variable: str, seed: int | None, title: str, ylabel: str, limits: Any, *, logy: bool
) -> Any:
    one = _seed(ds, seed)
    parts: list[Any] = []
    for k, name in enumerate(ds.rule.values):
        values = one.sel(rule=name)[variable].values
        values = np.where(np.isfinite(values), np.clip(values, *limits), np.nan)
        label = rule_label(ds, str(name))
        curve = hv.Curve((ds.step.values, values), "step", variable, label=label)
        parts.append(theme.line(curve, rule_shade(ds, str(name)), dash=theme.DASHES[k % len(theme.DASHES)]))
    return theme.frame(
        hv.Overlay(parts), title=title, xlabel="training step", ylabel=ylabel, logy=logy, ylim=limits, legend="right"
    )


def _seed(ds: xr.Dataset, seed: int | None) -> xr.Dataset:
    return ds.isel(seed=0) if seed is None else ds.sel(seed=seed)


def rule_label(ds: xr.Dataset, rule: str) -> str:
    """Return what a rule is called in words, its name in results that do not say it."""
    return str(ds.label.sel(rule=rule).item()) if "label" in ds else rule


def rule_shade(ds: xr.Dataset, rule: str) -> str:
    """Return the colour of a rule, by its place in the list in results that do not say it."""
    names = [str(name) for name in ds.rule.values]
    place = int(ds.colour.sel(rule=rule)) if "colour" in ds else names.index(rule)
    return theme.SERIES[place % len(theme.SERIES)]
