"""Pictures of the fisher room: Dataset in, HoloViews element out; nothing of meaning is computed here."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

BESIDE = 400  # height of the pictures that stand three abreast
OURS, PAPER, EXTRAPOLATED, FIT = theme.SERIES[0], theme.SERIES[1], theme.SERIES[3], theme.REFERENCE


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
        line = hv.Curve((ends, fit(ends)), "n", "absolute curvature", label=f"fit, exponent {fit.exponent:.4f}")
        parts.append(theme.line(line, FIT, dash="dashed"))
    exact = hv.Scatter((ds.sites.values, np.abs(ds.scalar_curvature.values)), "n", "absolute curvature", label="exact")
    parts.append(theme.markers(exact, OURS, size=6))
    if beyond is not None:
        points = (beyond.sites.values, np.abs(beyond.scalar_curvature.values))
        far = hv.Scatter(points, "n", "absolute curvature", label="extrapolated ‖T‖²")
        parts.append(theme.markers(far, EXTRAPOLATED, marker="diamond", size=7))
    if published is not None:
        parts += _points_with_errors(
            published.sites.values, published.absolute_curvature.values, published.absolute_curvature_error.values,
            "n", "absolute curvature", "paper, Monte Carlo",
        )  # fmt: skip
    return theme.frame(
        hv.Overlay(parts), title="Curvature against size", xlabel="sites n", ylabel="|R|", logx=True, logy=True,
        legend="top_left",
    )  # fmt: skip


def _points_with_errors(x: Any, y: Any, error: Any, xdim: str, ydim: str, label: str, colour: str = PAPER) -> list:
    bars = hv.ErrorBars((x, y, np.nan_to_num(error)), xdim, [ydim, "error"])
    points = hv.Scatter((x, y), xdim, ydim, label=label)
    return [theme.error_bars(bars, colour), theme.markers(points, colour, size=6, marker="square")]


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
        parts += _level(ds, predicted, f"paper's prediction {predicted:.4f}", PAPER, "dashed", beyond)
    if fit is not None and window is not None:
        parts.append(theme.band(hv.VSpan(*window), theme.NEUTRAL, alpha=0.15))
        level = hv.Curve(
            (list(window), [fit.exponent] * 2), "L", "exponent", label=f"fit of the window {fit.exponent:.4f}"
        )
        parts.append(theme.line(level, FIT, width=3))
    if published is not None:
        parts += _points_with_errors(*published, "L", "exponent", "paper, Monte Carlo")
    exact = (ds.pair.values, ds.effective_exponent.values)
    parts.append(theme.line(hv.Curve(exact, "L", "exponent", label="exact"), OURS))
    parts.append(theme.markers(hv.Scatter(exact, "L", "exponent", label="exact"), OURS, size=6))
    if beyond is not None:
        far = (beyond.pair.values, beyond.effective_exponent.values)
        points = hv.Scatter(far, "L", "exponent", label="extrapolated ‖T‖²")
        parts.append(theme.markers(points, EXTRAPOLATED, marker="diamond", size=8))
    return theme.frame(
        hv.Overlay(parts), title="Effective exponent of neighbouring sizes", xlabel="side L",
        ylabel="d ln|R| / d ln n", logx=True, xlim=_log_limits(ds, beyond), ylim=(1.06, 1.16), legend="bottom_left",
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


def zone(ds: xr.Dataset, branch: str = "upper") -> hv.Image:
    """Draw one branch of the metric's spectrum over the Brillouin zone."""
    values = ds.metric_eigenvalue.sel(branch=branch)
    image = hv.Image((ds.kx.values, ds.ky.values, values.values.T), ["kx", "ky"], "eigenvalue")
    title = f"Metric spectrum, {branch} branch"
    return theme.frame(theme.image(image, bar="bottom"), title=title, xlabel="kx", ylabel="ky", height=BESIDE)


def covariance(ds: xr.Dataset, cap: float | None = None) -> hv.Image:
    """Draw the covariance of the first bond with a bond at every displacement; ``cap`` clips the colours."""
    return _space(ds, "covariance", "Covariance of two bonds", cap)


def cumulant(ds: xr.Dataset, cap: float | None = None) -> hv.Image:
    """Draw the third cumulant with the second bond fixed and the third at every displacement."""
    return _space(ds, "cumulant", "Third cumulant, third bond anywhere", cap)


def _space(ds: xr.Dataset, name: str, title: str, cap: float | None) -> hv.Image:
    image = hv.Image((ds.x.values, ds.y.values, ds[name].values.T), ["x", "y"], name)
    limits = None if cap is None else (-cap, cap)
    coloured = theme.image(image, signed=True, clim=limits, bar="bottom")
    return theme.frame(coloured, title=title, xlabel="x", ylabel="y", height=BESIDE)


def across(ds: xr.Dataset) -> hv.Overlay:
    """Draw R/n across the couplings with the critical one marked."""
    curve = hv.Curve((ds.J.values, ds.curvature_per_site.values), "J", "R/n", label="curvature per site")
    return theme.frame(
        hv.Overlay([_critical(ds), theme.line(curve, OURS)]),
        title="Curvature per site across the transition", xlabel="horizontal coupling J", ylabel="R/n", legend=None,
    )  # fmt: skip


def across_parts(ds: xr.Dataset) -> hv.Overlay:
    """Draw the two norms that R is the difference of, per site."""
    parts: list[Any] = [_critical(ds)]
    for name, label, colour in (("cumulant_norm", "‖T‖²/n", OURS), ("trace_norm", "‖tr T‖²/n", PAPER)):
        curve = hv.Curve((ds.J.values, ds[f"{name}_per_site"].values), "J", "per site", label=label)
        parts.append(theme.line(curve, colour))
    return theme.frame(
        hv.Overlay(parts), title="The two norms", xlabel="horizontal coupling J", ylabel="per site", legend="top_left"
    )


def _critical(ds: xr.Dataset) -> hv.VLine:
    return theme.line(hv.VLine(float(ds.critical_coupling)), theme.NEUTRAL, dash="dotted")


def lattice(ds: xr.Dataset) -> hv.Image:
    """Draw the colours of a sampled lattice; of a cube its first layer."""
    spins = ds.spins.isel(z=0) if "z" in ds.spins.dims else ds.spins
    x, y = ds.x.values, ds.y.values
    colours = max(int(ds.attrs.get("colours", 2)), 2)
    image = hv.Image((x, y, spins.values.T.astype(float)), ["x", "y"], "colour")
    styled = theme.image(image, colorbar=False, clim=(0, colours - 1), colormap="cividis")
    title = "Lattice" if spins.ndim == ds.spins.ndim else "First layer of the lattice"
    return theme.frame(styled, title=title, xlabel="x", ylabel="y")


def running(ds: xr.Dataset) -> hv.Overlay:
    """Draw the running estimate of R with two standard errors, and the exact value where there is one."""
    taken, R, error = (ds[name].values for name in ("taken", "running_curvature", "running_error"))
    parts: list[Any] = [theme.band(hv.Area((taken, R - 2 * error, R + 2 * error), "samples", ["R", "upper"]), OURS)]
    parts.append(theme.line(hv.Curve((taken, R), "samples", "R", label="estimate ± 2 errors"), OURS))
    if np.isfinite(float(ds.exact_curvature)):
        level = [float(ds.exact_curvature)] * 2
        ends = [float(taken[0]), float(taken[-1])]
        parts.append(theme.line(hv.Curve((ends, level), "samples", "R", label="exact"), FIT, dash="dashed"))
    return theme.frame(
        hv.Overlay(parts), title="Running estimate", xlabel="samples from each chain", ylabel="R", legend="top_right"
    )


def model_growth(ds: xr.Dataset) -> hv.Overlay:
    """Draw |R| of a sampled model against n, ours and the paper's with error bars."""
    parts = []
    for source, colour, label in (("paper", PAPER, "paper"), ("ours", OURS, "this room")):
        columns = (ds[f"{name}_{source}"].values for name in ("sites", "curvature", "error"))
        parts += _points_with_errors(*columns, "n", "absolute curvature", label, colour)
    return theme.frame(
        hv.Overlay(parts), title=f"{ds.attrs['label']}: curvature against size", xlabel="sites n", ylabel="|R|",
        logx=True, logy=True, legend="top_left",
    )  # fmt: skip


def model_exponents(ds: xr.Dataset) -> hv.Overlay:
    """Draw effective exponents with error bars against both candidate exponents."""
    parts = []
    left = min(float(ds.pair_ours.min()), float(ds.pair_paper.min()))
    right = max(float(ds.pair_ours.max()), float(ds.pair_paper.max()))
    candidates = (
        ("predicted_exponent", "paper", PAPER, "dashed"), ("specific_heat_exponent", "specific heat", FIT, "dotted"),
    )  # fmt: skip
    for name, label, colour, dash in candidates:
        level = float(ds[name])
        line = hv.Curve(([left, right], [level, level]), "L", "exponent", label=f"{label} {level:.4f}")
        parts.append(theme.line(line, colour, dash=dash))
    for source, colour, label in (("paper", PAPER, "paper's data"), ("ours", OURS, "this room")):
        columns = (ds[name].values for name in (f"pair_{source}", f"exponent_{source}", f"exponent_error_{source}"))
        parts += _points_with_errors(*columns, "L", "exponent", label, colour)
    return theme.frame(
        hv.Overlay(parts), title=f"{ds.attrs['label']}: effective exponents", xlabel="side L",
        ylabel="d ln|R| / d ln n", logx=True, xlim=(0.9 * left, 1.12 * right), legend="top_left",
    )  # fmt: skip


def identity(ds: xr.Dataset) -> hv.Overlay:
    """Draw R₃ against R₁ and R₄ against R₂ for random tensors: all on one line of slope −½."""
    terms = ds.ricci_term
    parts = []
    size = float(np.abs(terms).max()) * 1.05
    ends = np.array([-size, size])
    parts.append(theme.line(hv.Curve((ends, -ends / 2), "first", "second", label="slope −½"), FIT, dash="dashed"))
    for first, second, colour, marker in (("R1", "R3", OURS, "circle"), ("R2", "R4", PAPER, "square")):
        points = hv.Scatter(
            (terms.sel(term=first).values, terms.sel(term=second).values),
            "first",
            "second",
            label=f"{second} against {first}",
        )
        parts.append(theme.markers(points, colour, marker=marker))
    return theme.frame(
        hv.Overlay(parts),
        title="Ricci terms of random tensors",
        xlabel="R₁ or R₂",
        ylabel="R₃ or R₄",
        legend="top_right",
    )


def random_curvature(ds: xr.Dataset) -> hv.Overlay:
    """Draw the curvatures of the same random tensors, which differ from draw to draw."""
    points = hv.Scatter((ds.draw.values, ds.scalar_curvature.values), "draw", "R", label="R of a random tensor")
    zero = theme.line(hv.HLine(0.0), theme.NEUTRAL, dash="dotted")
    return theme.frame(
        hv.Overlay([zero, theme.markers(points, OURS)]), title="Their curvature", xlabel="draw", ylabel="R", legend=None
    )
