"""Regulators: regimes of directions, what models and learners want of the damping, phases, charts, and Ising tori."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

MODELS = {"A": "A, κμ", "B": "B, κ", "C": "C, μ", "D": "D, μ/√μ", "own": "your law"}
LEARNERS = {
    "best": "best step", "smooth": "step 1/L", "flow": "flow (time)", "fixed": "fixed step",
    "timid": "step 1/κ(g)",
}  # fmt: skip
DIRECTIONS = "eigenvalues"
"""The part of the picture of regimes that a hand may move."""
PLACES = [(0.0, "0"), (1 / 11, "0.1"), (0.5, "1"), (10 / 11, "10"), (1.0, "∞")]
TALL = 430
MOST_OVER = 1e6
"""How far above its least value a curve is drawn."""
DECADES = [(-1, "0.1"), (0, "1"), (1, "10"), (2, "100")]


def regimes_of_directions(ds: xr.Dataset) -> Any:
    """Draw α_k of every distinct eigenvalue on the curve λ/(λ + β); the marks can be dragged where the page says so."""
    curve = hv.Curve((ds.along.values, ds.curve_alpha.values), "eigenvalue", "alpha", label="λ/(λ + β)")
    data = (ds.eigenvalue.values, ds.alpha_k.values, ds.direction.values)
    marks = hv.Scatter(data, "eigenvalue", ["alpha", "item"], label=DIRECTIONS)
    beta = float(ds.beta)
    seen = ([beta, beta], [0, 1]) if ds.along.values[0] <= beta <= ds.along.values[-1] else ([], [])
    return theme.frame(
        hv.Overlay([
            theme.line(curve, theme.SERIES[0]),
            theme.line(hv.Curve(seen, "eigenvalue", "alpha", label="β"), theme.NEUTRAL, dash="dashed", width=1.5),
            theme.markers(marks, theme.REFERENCE, size=13, alpha=0.85),
        ]),
        title="Regime of each direction",
        xlabel="eigenvalue λ of F",
        ylabel="α_k",
        logx=True,
        xlim=(float(ds.along.values[0]), float(ds.along.values[-1])),
        ylim=(-0.03, 1.03),
        legend="bottom",
    )  # fmt: skip


def _over_damping(
    ds: xr.Dataset, series: dict[str, tuple[np.ndarray, float, float]], title: str, ylabel: str, top: float
) -> Any:
    """Draw some curves over all dampings, 0 to ∞, a dot at the least value of each, and the paper's c* as a line."""
    place = ds.place.values
    star = float(ds.c_star) / (float(ds.c_star) + float(ds.attrs["scale"]))
    least = min(float(np.nanmin(values)) for values, _, _ in series.values())
    low = max(least, theme.SMALLEST) / 1.5
    line = hv.Curve(([star, star], [low, top]), "place", "value", label="c*, A")
    parts = [theme.line(line, theme.REFERENCE, dash="dashed", width=1.5)]
    for k, (label, (values, at, value)) in enumerate(series.items()):
        keep = np.isfinite(values) & (values <= top) & (values >= low)
        curve = hv.Curve((place[keep], values[keep]), "place", "value", label=label)
        parts.append(theme.line(curve, theme.SERIES[k], dash=theme.DASHES[k % 4], width=3.5 - 0.4 * k))
        dot = ([at], [max(value, low)]) if np.isfinite(at) and np.isfinite(value) and value <= top else ([], [])
        marker = theme.MARKERS[k % len(theme.MARKERS)]
        parts.append(theme.markers(hv.Scatter(dot, "place", "value"), theme.SERIES[k], size=10, marker=marker))
    power = float(ds.attrs["law"][2])
    unit = "λ_max" if power == 2 else f"λ_max^{power - 1:g}"
    return theme.frame(
        hv.Overlay(parts),
        title=title,
        xlabel=f"damping c / {unit}",
        ylabel=ylabel,
        logy=True,
        xlim=(-0.03, 1.03),
        ylim=(low, top),
        xticks=PLACES,
        height=TALL,
        legend="bottom",
    )


def models_over_damping(ds: xr.Dataset) -> Any:
    """Draw what every model would have small, over its least value."""
    series = {
        MODELS[str(name)]: (one.model_value.values, float(one.model_place), 1.0)
        for name, one in ((name, ds.sel(model=name)) for name in ds.model.values)
    }
    finite = ds.model_value.values[np.isfinite(ds.model_value.values)]
    top = float(np.clip(np.quantile(finite, 0.97), 10, MOST_OVER))
    return _over_damping(ds, series, "What the models would have small", "T over its least", top)


def learners_over_damping(ds: xr.Dataset) -> Any:
    """Draw what every learner needs on the loss that was chosen."""
    one = ds.sel(loss=ds.attrs["loss"])
    series = {
        LEARNERS[str(name)]: (
            np.maximum(ds.needed.sel(step=name).values, 0.5),
            float(one.best_place.sel(step=name)),
            max(float(one.least_needed.sel(step=name)), 0.5),
        )
        for name in ds.step.values
    }
    finite = ds.needed.values[np.isfinite(ds.needed.values)]
    top = float(np.clip(np.quantile(finite, 0.97) * 2, 10, 1e8)) if finite.size else 10.0
    return _over_damping(ds, series, "What learners need", "steps (time for the flow)", top)


def damping_phases(ds: xr.Dataset) -> Any:
    """Draw α of κ^a μ_max^b over b/a and κ, the threshold, and where the models and this matrix stand."""
    across, up = np.log10(ds.ratio.values), np.log10(ds.phase_kappa.values)
    image = hv.Image((across, up, ds.phase_alpha.values), ["ratio", "kappa"], "α")
    threshold = hv.Curve((across, np.log10(ds.threshold.values)), "ratio", "kappa", label="threshold κ_c")
    kappa = float(np.log10(float(ds.kappa)))
    inside = kappa <= up[-1]
    here = ([0.0], [min(kappa, up[-1])])
    own = float(ds.own_ratio)
    law = ([np.log10(own)], [min(kappa, up[-1])]) if 0.1 <= own <= 10 else ([], [])
    return theme.frame(
        hv.Overlay([
            theme.image(image, clim=(0.0, 1.0), label="α"),
            theme.line(threshold, theme.REFERENCE, width=3),
            theme.markers(hv.Points(here, ["ratio", "kappa"], label="A and D"), theme.SERIES[1], size=12),
            theme.markers(
                hv.Points(law, ["ratio", "kappa"], label="your law"), theme.SERIES[3], size=11, marker="diamond"
            ),
        ]),
        title="When damping is asked for" + ("" if inside else " (κ lies above)"),
        xlabel="b/a in κ^a μ_max^b",
        ylabel="condition number κ of F",
        xlim=(float(across[0]), float(across[-1])),
        ylim=(float(up[0]), float(up[-1])),
        xticks=[tick for tick in DECADES if across[0] <= tick[0] <= across[-1]],
        yticks=[tick for tick in DECADES if up[0] <= tick[0] <= up[-1]],
        legend="bottom",
    )  # fmt: skip


def chart_regimes(ds: xr.Dataset) -> Any:
    """Draw α of one normal distribution in four charts."""
    number = np.arange(ds.sizes["chart"])
    ticks = [(int(k), str(name)) for k, name in zip(number, ds.chart.values, strict=True)]
    stems = [theme.line(hv.Curve(([k, k], [0, a]), "chart", "alpha"), theme.SERIES[0], width=5, alpha=0.6)
             for k, a in zip(number, ds.chart_alpha.values, strict=True)]  # fmt: skip
    dots = hv.Scatter((number, ds.chart_alpha.values), "chart", "alpha", label="regime in the chart")
    return theme.frame(
        hv.Overlay([*stems, theme.markers(dots, theme.SERIES[0], size=12)]),
        title=f"One normal distribution, σ = {float(ds.attrs['sigma']):g}, in four charts",
        xlabel="parameters",
        ylabel="α",
        xlim=(-0.5, len(number) - 0.5),
        ylim=(-0.03, 1.03),
        xticks=ticks,
        legend=None,
    )


def torus_regimes(ds: xr.Dataset) -> Any:
    """Draw α of model A along a path of couplings, a curve for each size of the torus."""
    low, high = float(ds.J[0]), float(ds.J[-1])
    at = float(ds.critical_coupling)
    critical = hv.Curve(
        ([at, at], [0, 1]), "J", "alpha", label="critical" if ds.attrs["path"] == "coupling" else "J = J'"
    )
    parts = [theme.line(critical, theme.NEUTRAL, dash="dotted", width=1.5)]
    for k, L in enumerate(ds.L.values.tolist()):
        curve = hv.Curve((ds.J.values, ds.alpha.sel(L=L).values), "J", "alpha", label=f"L = {L}")
        parts.append(theme.line(curve, theme.SERIES[k % len(theme.SERIES)], dash=theme.DASHES[k % 4]))
    where = "Along the coupling" if ds.attrs["path"] == "coupling" else "Along the critical line"
    return theme.frame(
        hv.Overlay(parts),
        title=f"{where} of the Ising torus",
        xlabel="horizontal coupling J",
        ylabel="regime α of model A",
        xlim=(low, high),
        ylim=(0, 1.02),
        legend="bottom",
    )
