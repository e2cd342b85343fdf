"""Spectra of layers: the survival curve and its tail, the choice of a threshold, error bars beside noise, networks."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

LAWS = ("ks", "lognormal", "exponential", "truncated")
LAW_NAMES = {
    "ks": "power law",
    "lognormal": "lognormal",
    "exponential": "exponential",
    "truncated": "with a cut-off",
}
BARS = {
    "at this threshold": ("low", "high"),
    "threshold chosen again": ("refit_low", "refit_high"),
    "other rows of the matrix": ("matrix_low", "matrix_high"),
}
THRESHOLD = "threshold"
"""The part of the spectrum that a hand may move."""
GOOD = (2.0, 6.0)
"""The range of α that the package calls good."""


def _upright(x: float, low: float, high: float, label: str) -> hv.Curve:
    """Return an upright line as a curve; without points where there is nothing to show."""
    ends = ([x, x], [low, high]) if np.isfinite(x) else ([], [])
    return hv.Curve(ends, "eigenvalue", "share", label=label)


def tail_of_spectrum(ds: xr.Dataset) -> Any:
    """Draw the share of eigenvalues above each, both axes logarithmic, with the laws fitted to its tail."""
    values, share = ds.eigenvalue.values, ds.share_above.values
    least = share.min() / 2
    parts = [theme.markers(hv.Scatter((values, share), "eigenvalue", "share", label="layer"), theme.NEUTRAL, size=5)]
    for k, law in enumerate(LAWS):
        curve = np.maximum(ds.law_survival.sel(law=law).values, least / 2)
        drawn = hv.Curve((ds.law_at.values, curve), "eigenvalue", "share", label=LAW_NAMES[law])
        parts.append(theme.line(drawn, theme.SERIES[k], dash=theme.DASHES[k], width=3.5 if k == 0 else 2))
    erg = _upright(float(ds.erg_threshold), least, 1, "ERG threshold")
    edge = _upright(float(ds.edge_cut), least, 1, "edge of noise")
    parts += [
        theme.line(erg, theme.SERIES[4], dash="dashdot"),
        theme.line(edge, theme.SERIES[6], dash="dotted"),
    ]
    place = [(float(ds.threshold), float(ds.tail_size) / ds.sizes["order"], -1)]
    handle = hv.Scatter(place, "eigenvalue", ["share", "item"], label=THRESHOLD)
    parts.append(theme.markers(handle, theme.REFERENCE, size=15, alpha=0.85))
    low = max(values[0], values[-1] * 1e-6)
    return theme.frame(
        hv.Overlay(parts),
        title="Eigenvalues and their tail",
        xlabel="eigenvalue λ of WᵀW",
        ylabel="share of eigenvalues ≥ λ",
        logx=True,
        logy=True,
        xlim=(low / 1.3, values[-1] * 1.5),
        ylim=(least, 1.5),
        height=480,
        legend="bottom",
    )


def threshold_valley(ds: xr.Dataset) -> Any:
    """Draw the distance D that each threshold would give, with the one that was taken."""
    values, distance = ds.eigenvalue.values, ds.distance_at.values
    keep = np.isfinite(distance)
    curve = hv.Curve((values[keep], distance[keep]), "eigenvalue", "distance", label="D at each threshold")
    here = hv.Scatter(([float(ds.threshold)], [float(ds.distance)]), "eigenvalue", "distance", label="taken")
    return theme.frame(
        hv.Overlay([theme.line(curve, theme.SERIES[0]), theme.markers(here, theme.REFERENCE, size=11)]),
        title="Choosing the threshold",
        xlabel="threshold x_min",
        ylabel="Kolmogorov–Smirnov distance D",
        logx=True,
        xlim=(max(values[0], values[-1] * 1e-6), values[-1]),
        ylim=(0, float(np.max(distance[keep])) * 1.05),
        legend="bottom",
    )


def hill_plot(ds: xr.Dataset) -> Any:
    """Draw α against the number of eigenvalues above the threshold, with its exact band and the one that was taken."""
    above = ds.sizes["order"] - 1 - ds.order.values
    keep = np.isfinite(ds.low_at.values) & (above >= 2)
    k, alpha = above[keep][::-1], ds.alpha_at.values[keep][::-1]
    low, high = ds.low_at.values[keep][::-1], ds.high_at.values[keep][::-1]
    top = float(np.quantile(high, 0.9)) * 1.2 if len(high) else 8.0
    band = hv.Area((k, low, high), "k", ["α", "upper"], label="exact 95 % band")
    parts = [
        theme.band(band, theme.SERIES[0]),
        theme.line(hv.Curve((k, alpha), "k", "α", label="α at each k"), theme.SERIES[0]),
        theme.markers(
            hv.Scatter(([int(ds.tail_size) - 1], [float(ds.alpha)]), "k", "α", label="taken"), theme.REFERENCE, size=11
        ),
    ]
    return theme.frame(
        hv.Overlay(parts),
        title="α against the length of the tail (Hill plot)",
        xlabel="eigenvalues above the threshold, k",
        ylabel="α",
        logx=True,
        ylim=(1, max(top, float(ds.alpha) * 1.1)),
        legend="bottom",
    )


def alpha_and_noise(ds: xr.Dataset) -> Any:
    """Draw α with its three intervals, and below them α of the layer's shuffled entries."""
    rows = list(BARS)
    parts = [theme.band(hv.VSpan(*GOOD), theme.SERIES[2], alpha=0.12)]
    ends = [(float(ds[low]), float(ds[high])) for low, high in BARS.values()]
    for k, (low, high) in enumerate(ends):
        y = len(rows) - k
        seen = [(low, y), (high, y)] if np.isfinite(low + high) else []
        parts.append(theme.line(hv.Curve(seen, "α value", "row"), theme.SERIES[0], width=5))
    shown = [(float(ds.alpha), len(rows) - k) for k, end in enumerate(ends) if np.isfinite(sum(end))]
    parts.append(theme.markers(hv.Scatter(shown, "α value", "row", label="layer"), theme.SERIES[0], size=11))
    noise = ds.shuffled.values[np.isfinite(ds.shuffled.values)]
    # A little height, fixed, so that equal values can be told apart.
    lift = 0.25 * ((np.arange(len(noise)) * 0.618) % 1 - 0.5)
    parts.append(
        theme.markers(
            hv.Scatter((noise, lift), "α value", "row", label="entries shuffled"), theme.SERIES[1], marker="diamond"
        )
    )
    finite = [value for end in ends for value in end if np.isfinite(value)]
    right = max([*noise, *finite, GOOD[1] + 0.5]) * 1.05
    ticks = [(len(rows) - k, name) for k, name in enumerate(rows)] + [(0, "noise")]
    return theme.frame(
        hv.Overlay(parts),
        title="How well α is known",
        xlabel="α (shaded: 2 to 6)",
        ylabel="",
        xlim=(1, right),
        ylim=(-0.6, len(rows) + 0.6),
        yticks=ticks,
        legend="bottom",
    )


def layers_of_network(ds: xr.Dataset, *, chosen: str = "") -> Any:
    """Draw α of every layer of the network with its exact interval, and the range that the package calls good."""
    prefix = "layer_" if "layer_alpha" in ds else ""
    alpha = ds[f"{prefix}alpha"].values
    low, high = ds[f"{prefix}alpha_low"].values, ds[f"{prefix}alpha_high"].values
    number = np.arange(len(alpha))
    here = np.flatnonzero(ds.layer_name.values == chosen)
    top = max(float(np.quantile(high, 0.9)) * 1.15, GOOD[1] + 1)
    bars = hv.ErrorBars((number, alpha, alpha - low, high - alpha), "layer", ["α", "below", "above"])
    parts = [
        theme.band(hv.HSpan(*GOOD), theme.SERIES[2], alpha=0.12),
        theme.error_bars(bars, theme.SERIES[0]),
        theme.markers(hv.Scatter((number, alpha), "layer", "α", label="α, exact interval"), theme.SERIES[0], size=9),
        theme.markers(
            hv.Scatter((here, alpha[here]), "layer", "α", label="shown"), theme.REFERENCE, size=14, alpha=0.6
        ),
    ]
    return theme.frame(
        hv.Overlay(parts),
        title="α of every layer",
        xlabel="layer",
        ylabel="α",
        xlim=(-0.7, len(alpha) - 0.3),
        ylim=(1, min(top, 30.0)),
        xticks=[(int(k), str(k)) for k in number[:: max(len(number) // 12, 1)]],
        legend="bottom",
    )


def erg_against_alpha(ds: xr.Dataset) -> Any:
    """Draw ln(x_min/λ_ERG) against α, a colour for each network or law; 0 is where the paper's two thresholds agree."""
    if "network" in ds:
        groups = {str(n): ds.network.values == n for n in dict.fromkeys(ds.network.values.tolist())}
        across, up = ds.alpha.values, ds.erg_gap.values
    else:
        labels = np.repeat(ds.law.values, ds.sizes["repeat"])
        groups = {str(n): labels == n for n in ds.law.values}
        across, up = ds.alpha.values.ravel(), ds.gap.values.ravel()
    right = float(np.quantile(across, 0.97))
    parts = [theme.line(hv.Curve(([1, right], [0, 0]), "α", "gap"), theme.NEUTRAL, dash="dashed", width=1.5)]
    for k, (name, own) in enumerate(groups.items()):
        seen = own & (across <= right)
        dots = hv.Scatter((across[seen], up[seen]), "α", "gap", label=name)
        marker = theme.MARKERS[k % len(theme.MARKERS)]
        parts.append(theme.markers(dots, theme.SERIES[k % len(theme.SERIES)], marker=marker, size=6, alpha=0.7))
    return theme.frame(
        hv.Overlay(parts),
        title="Do both thresholds agree? (0: yes)",
        xlabel="α",
        ylabel="ln(x_min / λ_ERG)",
        xlim=(1, right * 1.02),
        legend="bottom_right",
    )


def alpha_along_training(ds: xr.Dataset) -> Any:
    """Draw α of each layer against the training step, all seeds, with the test accuracy (on the scale of α, × 10)."""
    steps = np.maximum(ds.step.values, 0.5)  # a logarithmic axis has no zero
    parts = []
    for k, layer in enumerate(ds.layer.values):
        for s in range(ds.sizes["seed"]):
            data = (steps, ds.alpha.sel(layer=layer).values[s])
            curve = hv.Curve(data, "step", "α", label=f"α of {layer}" if s == 0 else "")
            parts.append(theme.line(curve, theme.SERIES[k], width=2, alpha=0.7, dash=theme.DASHES[k]))
    right = hv.Curve((steps, 10 * ds.accuracy.mean("seed").values), "step", "α", label="10 × test accuracy")
    parts.append(theme.line(right, theme.SERIES[2], width=3))
    return theme.frame(
        hv.Overlay(parts),
        title="α along training",
        xlabel="training step (first: before training)",
        ylabel="α, or 10 × accuracy",
        logx=True,
        ylim=(0, float(np.quantile(ds.alpha.values, 0.97)) * 1.1),
        legend="bottom",
    )


def coverage_of_bars(ds: xr.Dataset) -> Any:
    """Draw how often each error bar holds the true α, case by case, beside the promise."""
    cases = list(ds.case.values)
    parts = [
        theme.line(hv.Curve(([-0.5, len(cases) - 0.5], [0.95, 0.95]), "case", "share"), theme.NEUTRAL, dash="dashed")
    ]
    names = {"nominal": "at this threshold", "refit": "threshold chosen again", "matrix": "other rows"}
    for k, bar in enumerate(ds.bar.values):
        share = ds.covers.sel(bar=bar).values
        keep = np.flatnonzero(np.isfinite(share))
        dots = hv.Scatter((keep + 0.12 * (k - 1), share[keep]), "case", "share", label=names[str(bar)])
        parts.append(theme.markers(dots, theme.SERIES[k], marker=theme.MARKERS[k], size=9))
    return theme.frame(
        hv.Overlay(parts),
        title="How often the interval holds the limit's α",
        xlabel="",
        ylabel="share of draws",
        xticks=[(k, str(name)) for k, name in enumerate(cases)],
        xrotation=30,
        ylim=(0, 1.03),
        legend="bottom",
    )
