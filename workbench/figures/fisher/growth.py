"""How the curvature grows with the size of the torus."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme
from workbench.figures.fisher.marks import EXTRAPOLATED, FIT, OURS, PAPER, points_with_errors, side_ticks


def growth(
    ds: xr.Dataset,
    *,
    window: tuple[float, float] | None = None,
    fit: Any = None,
    published: xr.Dataset | None = None,
    beyond: xr.Dataset | None = None,
) -> hv.Overlay:
    """Draw |R| against n, both logarithmic, with the power law ``fit`` (callable in n) over the window of sides."""
    parts = []
    if fit is not None and window is not None:
        n = np.array(window, dtype=float) ** 2
        parts.append(theme.band(hv.VSpan(*n), theme.NEUTRAL, alpha=0.15))
        ends = np.array([float(ds.sites.min()), float(ds.sites.max())])
        line = hv.Curve((ends, fit(ends)), "n", "absolute curvature", label="fit of the window")
        parts.append(theme.line(line, FIT, dash="dashed"))
    exact = hv.Scatter((ds.sites.values, np.abs(ds.scalar_curvature.values)), "n", "absolute curvature", label="exact")
    parts.append(theme.markers(exact, OURS, size=6))
    if beyond is not None:
        points = (beyond.sites.values, np.abs(beyond.scalar_curvature.values))
        far = hv.Scatter(points, "n", "absolute curvature", label="extrapolated ‖T‖²")
        parts.append(theme.markers(far, EXTRAPOLATED, marker="diamond", size=7))
    if published is not None:
        parts += points_with_errors(
            published.sites.values, published.absolute_curvature.values, published.absolute_curvature_error.values,
            "n", "absolute curvature", "paper, sampled",
        )  # fmt: skip
    return theme.frame(
        hv.Overlay(parts), title="Curvature against size", xlabel="sites n", ylabel="|R|", logx=True, logy=True,
        legend="top_left",
    )  # fmt: skip


def exponents(
    ds: xr.Dataset,
    *,
    window: tuple[float, float] | None = None,
    fit: Any = None,
    predicted: float | None = None,
    beyond: xr.Dataset | None = None,
    published: tuple[Any, Any, Any] | None = None,
) -> hv.Overlay:
    """Draw the effective exponent against the side, with the fit of the window and the predicted value.

    ``published`` is (pair, exponent, error) of other data.
    """
    parts = []
    if predicted is not None:
        parts += _level(ds, predicted, f"predicted {predicted:.4f}", PAPER, "dashed", beyond)
    if fit is not None and window is not None:
        parts.append(theme.band(hv.VSpan(*window), theme.NEUTRAL, alpha=0.15))
        # the number stands in the sentence: a label that changes would be a new plot at every move of the window
        level = hv.Curve((list(window), [fit.exponent] * 2), "L", "exponent", label="fit of the window")
        parts.append(theme.line(level, FIT, width=3))
    if published is not None:
        parts += points_with_errors(*published, "L", "exponent", "paper, sampled")
    exact = (ds.pair.values, ds.effective_exponent.values)
    parts.append(theme.line(hv.Curve(exact, "L", "exponent", label="exact"), OURS))
    parts.append(theme.markers(hv.Scatter(exact, "L", "exponent", label="exact"), OURS, size=6))
    if beyond is not None:
        far = (beyond.pair.values, beyond.effective_exponent.values)
        points = hv.Scatter(far, "L", "exponent", label="extrapolated ‖T‖²")
        parts.append(theme.markers(points, EXTRAPOLATED, marker="diamond", size=8))
    return theme.frame(
        hv.Overlay(parts), title="Effective exponent of neighbouring sizes", xlabel="side L",
        ylabel="d ln|R| / d ln n", logx=True, xlim=_log_limits(ds, beyond), xticks=side_ticks(*_log_limits(ds, beyond)),
        ylim=(1.06, 1.16), legend="bottom",
    )  # fmt: skip


def _level(ds: xr.Dataset, height: float, label: str, colour: str, dash: str, beyond: xr.Dataset | None = None) -> list:
    right = float(ds.pair.max()) if beyond is None else float(beyond.pair.max())
    ends = [float(ds.pair.min()), right]
    return [theme.line(hv.Curve((ends, [height, height]), "L", "exponent", label=label), colour, dash=dash)]


def _log_limits(ds: xr.Dataset, beyond: xr.Dataset | None) -> tuple[float, float]:
    """Leave room beside the first and last side, which a logarithmic axis would cut in half."""
    right = ds if beyond is None else beyond
    return 0.85 * float(ds.L.min()), 1.2 * float(right.L.max())


def per_site(ds: xr.Dataset, *, logarithm: Any = None, beyond: xr.Dataset | None = None) -> hv.Overlay:
    """Draw −R/n against L on a logarithmic axis, where a straight line means exponent one with a logarithm."""
    parts = []
    if logarithm is not None:
        right = float(ds.L.max()) if beyond is None else float(beyond.L.max())
        ends = np.array([float(ds.L.min()), right])
        line = (ends, logarithm.slope * np.log(ends) + logarithm.constant)
        label = f"{logarithm.slope:.2f} ln L {logarithm.constant:+.2f}"
        parts.append(theme.line(hv.Curve(line, "L", "−R/n", label=label), FIT, dash="dashed"))
    exact = hv.Scatter((ds.L.values, -(ds.scalar_curvature / ds.sites).values), "L", "−R/n", label="exact")
    parts.append(theme.markers(exact, OURS, size=6))
    if beyond is not None:
        far = (beyond.L.values, -(beyond.scalar_curvature / beyond.sites).values)
        points = hv.Scatter(far, "L", "−R/n", label="extrapolated ‖T‖²")
        parts.append(theme.markers(points, EXTRAPOLATED, marker="diamond", size=8))
    return theme.frame(
        hv.Overlay(parts),
        title="Curvature per site",
        xlabel="side L",
        ylabel="−R/n",
        logx=True,
        legend="top_left",
        xlim=_log_limits(ds, beyond),
    )
