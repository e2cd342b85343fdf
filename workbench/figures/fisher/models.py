"""Monte Carlo of other models: running averages, growth, exponents."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme
from workbench.figures.fisher.marks import EXTRAPOLATED, FIT, OURS, PAPER, points_with_errors, side_ticks


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
    sources = (("paper", PAPER, "paper"), ("ours", OURS, "this room"), ("far", EXTRAPOLATED, "‖T‖² continued"))
    for source, colour, label in sources:
        columns = (ds[f"{name}_{source}"].values for name in ("sites", "curvature", "error"))
        parts += points_with_errors(*columns, "n", "absolute curvature", label, colour)
    return theme.frame(
        hv.Overlay(parts), title=f"{ds.attrs['label']}: curvature against size", xlabel="sites n", ylabel="|R|",
        logx=True, logy=True, legend="top_left",
    )  # fmt: skip


def model_exponents(ds: xr.Dataset) -> hv.Overlay:
    """Draw effective exponents with error bars against both candidate exponents."""
    parts = []
    pairs = np.concatenate([ds[f"pair_{source}"].values for source in ("ours", "paper", "far")])
    left, right = float(pairs.min()), float(pairs.max())
    candidates = (
        ("predicted_exponent", "paper", PAPER, "dashed"), ("specific_heat_exponent", "specific heat", FIT, "dotted"),
    )  # fmt: skip
    for name, label, colour, dash in candidates:
        level = float(ds[name])
        line = hv.Curve(([left, right], [level, level]), "L", "exponent", label=f"{label} {level:.4f}")
        parts.append(theme.line(line, colour, dash=dash))
    sources = (("paper", PAPER, "paper's data"), ("ours", OURS, "this room"), ("far", EXTRAPOLATED, "‖T‖² continued"))
    for source, colour, label in sources:
        columns = (ds[name].values for name in (f"pair_{source}", f"exponent_{source}", f"exponent_error_{source}"))
        parts += points_with_errors(*columns, "L", "exponent", label, colour)
    return theme.frame(
        hv.Overlay(parts), title=f"{ds.attrs['label']}: effective exponents", xlabel="side L",
        ylabel="d ln|R| / d ln n", logx=True, xlim=(0.9 * left, 1.12 * right),
        xticks=side_ticks(0.9 * left, 1.12 * right), legend="bottom",
    )  # fmt: skip
