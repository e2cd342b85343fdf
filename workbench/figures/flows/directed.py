"""Where two clouds differ: the profile over κ, searches, rules, flows and networks side by side."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme


def kappa_curve(ds: xr.Dataset, *, marked: tuple[float, float] | None = None) -> Any:
    """Draw the largest mean cost against κ between its bounds, from SW to Max-SW; ``marked`` is (κ, F)."""
    kappa, value, error = ds.kappa.values, ds.value.values, ds.standard_error.values
    inside = kappa > 0
    kappa, value, error = kappa[inside], value[inside], error[inside]
    ends = (kappa.min(), kappa.max())
    low, high = ds.lower_bound.values[inside], ds.upper_bound.values[inside]
    bounds = hv.Area((kappa, low, high), "κ", ["low", "high"], label="what it can be")
    parts = [
        theme.band(bounds, theme.NEUTRAL, alpha=0.18),
        theme.line(hv.Curve((kappa, value), "κ", "cost", label="best axis"), theme.SERIES[0], width=3),
        theme.band(hv.Area((kappa, value - 2 * error, value + 2 * error), "κ", ["low", "high"]), theme.SERIES[0]),
        _level(ends, float(ds.sw2), "SW", theme.SERIES[2], "dashed"),
        _level(ends, float(ds.max_sw2_bound), "Max-SW, certified", theme.SERIES[5], "dotted"),
    ]
    if marked is not None:
        spot = hv.Scatter([(min(max(marked[0], ends[0]), ends[1]), marked[1])], "κ", "cost")
        parts.append(theme.markers(spot, theme.SERIES[1], marker="diamond", size=13))
    top = 1.08 * float(ds.max_sw2_bound)
    return theme.frame(
        hv.Overlay(parts),
        title="From SW to Max-SW",
        xlabel="concentration κ",
        ylabel="mean cost (squared)",
        logx=True,
        ylim=(0.0, top if top > 0 else 1.0),
        legend="bottom",
    )


def _level(ends: tuple[float, float], height: float, label: str, colour: str, dash: str) -> Any:
    return theme.line(hv.Curve((np.array(ends), np.full(2, height)), "κ", "cost", label=label), colour, dash=dash)


def search_shares(ds: xr.Dataset) -> Any:
    """Draw what each search found as a share of the certified maximum: every start of every pair, and the mean."""
    parts = []
    for k, name in enumerate(ds.search.values):
        shares = ds.share.sel(search=name).values.ravel()
        dots = hv.Scatter(([str(name)] * len(shares), shares), "search", "share")
        parts.append(theme.markers(dots, theme.SERIES[k % len(theme.SERIES)], size=5, alpha=0.35))
    means = (
        [str(name) for name in ds.search.values],
        [float(ds.share.sel(search=name).mean()) for name in ds.search.values],
    )
    mean = hv.Scatter(means, "search", "share", label="mean")
    parts.append(theme.markers(mean, theme.REFERENCE, marker="diamond", size=12))
    return theme.frame(
        hv.Overlay(parts),
        title="Slice found ÷ the largest slice",
        xlabel="",
        ylabel="share of the certified maximum",
        ylim=(0, 1.05),
        xrotation=20,
        legend="bottom_right",
    )


def rule_errors(ds: xr.Dataset) -> Any:
    """Draw the error of every rule against κ, the worst of the pairs."""
    parts = []
    for k, name in enumerate(ds.rule.values):
        worst = np.maximum(ds.relative_rmse.sel(rule=name).max("pair").values, theme.SMALLEST)
        parts += theme.marked_curve((ds.kappa.values, worst), "κ", "error", str(name), k)
    return theme.frame(
        hv.Overlay(parts),
        title="Error of one value, worst of the pairs",
        xlabel="concentration κ",
        ylabel="relative error",
        logx=True,
        logy=True,
        legend="bottom",
    )


def driven_curves(ds: xr.Dataset, *, distance: str = "w2") -> Any:
    """Draw the distance to the target along the flows, the mean over seeds, a curve for each slicing."""
    parts = []
    for k, name in enumerate(ds.slicing.values):
        mean = np.maximum(ds[distance].sel(slicing=name).mean("seed").values, theme.SMALLEST)
        parts += theme.marked_curve((ds.frame.values, mean), "step", "distance", str(name), k)
    label = {"w2": "W₂², exact (squared)", "sw2": "SW₂² (squared)"}[distance]
    return theme.frame(
        hv.Overlay(parts),
        title="Flows with as many slices a step",
        xlabel="step",
        ylabel=label,
        logy=True,
        legend="right",
    )


def amortised_gains(ds: xr.Dataset) -> Any:
    """Draw the share of the possible gain that each way of choosing an axis reaches: every seed, both arrangements."""
    parts = []
    for k, arrangement in enumerate(ds.arrangement.values):
        gains = ds.gain.sel(arrangement=arrangement)
        pairs = [(str(finder), float(gains.sel(finder=finder, seed=s))) for finder in ds.finder.values for s in ds.seed]
        dots = hv.Scatter(pairs, "finder", "gain", label=str(arrangement))
        parts.append(theme.markers(dots, theme.SERIES[k], marker=theme.MARKERS[k], size=9, alpha=0.8))
    return theme.frame(
        hv.Overlay(parts),
        title="Share of the gain over uniform slices",
        xlabel="",
        ylabel="share of the best axis's gain",
        xrotation=20,
        legend="top_left",
    )
