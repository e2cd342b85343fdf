"""Downscaling of rain: gains, inflations, return levels, trained rows with their intervals, and maps in mm."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

BLUE, ORANGE, GREEN = theme.SERIES[0], theme.SERIES[1], theme.SERIES[2]
MAPS = ("truth", "diffusion", "wdr", "exact")


def downscaling_gains(ds: xr.Dataset) -> Any:
    """Draw the gain of the denoiser along σ: Bayes, the regularised optimum, and that of a finite batch."""
    sigma = ds.sigma.values
    bayes = hv.Curve((sigma, ds.bayes.values), "sigma", "gain", label="Bayes")
    large = hv.Curve((sigma, ds.gain.values), "sigma", "gain", label="regularised, large batch")
    batch = hv.Scatter((ds.few.values, ds.batched.values), "sigma", "gain", label="regularised, this batch")
    return theme.frame(
        hv.Overlay(
            [
                theme.line(bayes, theme.NEUTRAL, dash="dashed"),
                theme.line(large, ORANGE),
                theme.markers(batch, BLUE, size=6),
            ]
        ),
        title="Gain of the denoiser",
        xlabel="noise level σ",
        ylabel="gain",
        logx=True,
        legend="bottom",
    )


def inflation_curves(ds: xr.Dataset, *, w: float | None = None) -> Any:
    """Draw κ along the weight w for both samplers; ``w`` marks where one stands."""
    parts = []
    names = (("ode", "probability-flow ODE"), ("sde", "reverse SDE"), ("pc", "predictor–corrector"))
    for k, (name, words) in enumerate(names):
        curve = hv.Curve((ds.weight.values, ds[f"inflation_{name}"].values), "weight", "kappa", label=words)
        parts.append(theme.line(curve, (ORANGE, BLUE, GREEN)[k], dash=("solid", "dashed", "dashdot")[k]))
    here = [] if w is None else [(w, float(ds.inflation))]
    parts.append(theme.markers(hv.Scatter(here, "weight", "kappa"), theme.NEUTRAL, size=10))
    few = [] if w is None else [(w, float(ds.inflation_batch))]
    parts.append(theme.markers(hv.Scatter(few, "weight", "kappa", label="this batch"), theme.SERIES[3], size=9))
    return theme.frame(
        hv.Overlay(parts),
        title="Spread of samples ÷ exact",
        xlabel="weight w of the regulariser",
        ylabel="κ",
        legend="bottom",
    )


def return_levels(ds: xr.Dataset) -> Any:
    """Draw return levels in mm a day: the truth (or a record with its interval) and what the regulariser makes."""
    period = ds.period.values
    own = "fitted" in ds
    names = (
        (("fitted", "fit"), ("regularised", "fit, spread × κ"))
        if own
        else (("level", "truth"), ("level_wdr", "samples, large batch"), ("level_batch", "samples, this batch"))
    )
    parts: list[Any] = []
    if own:
        known = np.isfinite(ds.level.values)
        band = hv.Area((period[known], ds.low.values[known], ds.high.values[known]), "period", ["mm", "high"])
        parts.append(theme.band(band, theme.NEUTRAL))
        record = hv.Scatter((period[known], ds.level.values[known]), "period", "mm", label="record, 95 % interval")
        parts.append(theme.markers(record, theme.NEUTRAL, size=5))
    for k, (name, words) in enumerate(names):
        curve = hv.Curve((period, ds[name].values), "period", "mm", label=words)
        parts.append(theme.line(curve, (BLUE, ORANGE, theme.SERIES[3])[k], dash=("dashed", "solid", "dotted")[k]))
    return theme.frame(
        hv.Overlay(parts),
        title="Return levels",
        xlabel="return period (days)",
        ylabel="mm a day",
        logx=True,
        legend="bottom",
    )


def downscaling_tails(ds: xr.Dataset) -> Any:
    """Draw the log-ratio of the 99.9 % rain of each row of the study: a point a seed, the mean, and the interval.

    The bar is the 95 % block-bootstrap interval over the held-out fields, the mean of the seeds' ends.
    """
    shown = [name for name in ds.downscaler.values if float(np.abs(ds.log_exact.sel(downscaler=name)).max()) < 3]
    points, means, bars = [], [], []
    for name in shown:
        one = ds.sel(downscaler=name)
        points += [(str(name), float(v)) for v in one.log_exact.values]
        mean = float(one.log_exact.mean())
        means.append((str(name), mean))
        low, high = (float(one[end].mean() - one.log_ratio.mean()) for end in ("log_ratio_low", "log_ratio_high"))
        bars.append((str(name), mean, -low, high))
    return theme.frame(
        hv.Overlay(
            [
                theme.markers(
                    hv.Scatter(points, "downscaler", "ratio", label="a training seed"), BLUE, size=6, alpha=0.6
                ),
                theme.error_bars(hv.ErrorBars(bars, "downscaler", ["ratio", "below", "above"]), ORANGE),
                theme.markers(
                    hv.Scatter(means, "downscaler", "ratio", label="mean, 95 % over fields"),
                    ORANGE,
                    size=9,
                    marker="diamond",
                ),
                theme.line(hv.HLine(0.0), theme.NEUTRAL, dash="dotted"),
            ]
        ),
        title="99.9 % rain, log-ratio to the exact one",
        xlabel="",
        ylabel="log-ratio",
        xrotation=45,
        legend="bottom_right",
    )


def rain_maps(ds: xr.Dataset, *, shown: int = 0) -> Any:
    """Draw a held-out field and its samples in mm a day on one scale: truth, diffusion, regularised, exact."""
    rows = ds.picture.sel(drawn=list(MAPS)).isel(shown=shown).values.astype(float)
    n = rows.shape[-1]
    sheet = np.full((n, 4 * n + 3), np.nan)
    for k, one in enumerate(rows):
        sheet[:, k * (n + 1) : k * (n + 1) + n] = one[::-1]
    width = sheet.shape[1]
    image = hv.Image(sheet, ["x", "y"], "mm", bounds=(0, 0, width, n))
    return theme.frame(
        theme.image(image, clim=(0, float(rows[0].max())), label="mm a day"),
        title="Truth · w = 0 · w = 0.2 · exact sampler",
        xlabel="",
        ylabel="",
        xaxis=None,
        yaxis=None,
        xlim=(0, width),
        ylim=(0, n),
        equal_units=True,
        height=300,
    )
