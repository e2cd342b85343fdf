"""One's own training as a guard logged it: r of every step, and what limits it again and again."""

from collections import Counter
from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

FLOOR = 1e-4
MOST_BARS = 12


def training_r(ds: xr.Dataset, *, r_max: float = 1.0) -> Any:
    """Draw r as proposed and as taken at every step of a guard's log, and ``r_max``; marks are steps changed."""
    parts: list[Any] = []
    for k, (name, label) in enumerate((("r_proposed", "proposed"), ("r_taken", "taken"))):
        values = _drawable(ds[name].values)
        curve = hv.Curve((ds.step.values, values), "step", "r", label=label)
        parts.append(theme.line(curve, theme.SERIES[k], dash=theme.DASHES[k]))
    engaged = ds.engaged.values.astype(bool)
    shown = engaged & np.isfinite(_drawable(ds.r_taken.values))
    if shown.any():
        points = hv.Scatter((ds.step.values[shown], _drawable(ds.r_taken.values)[shown]), "step", "r", label="changed")
        parts.append(theme.markers(points, theme.SERIES[1], marker="diamond", size=7))
    lost = ~np.isfinite(ds.r_proposed.values) & (ds.outcome.values.astype(str) != "not measured")
    finite = _drawable(ds.r_proposed.values)
    top = 2.0 * max(float(np.nanmax(finite)) if np.isfinite(finite).any() else 1.0, r_max)
    if lost.any():
        points = hv.Scatter((ds.step.values[lost], np.full(int(lost.sum()), top)), "step", "r", label="not finite")
        parts.append(theme.markers(points, theme.REFERENCE, marker="inverted_triangle", size=9))
    parts.append(theme.line(hv.HLine(r_max), theme.NEUTRAL, width=1.5, dash="dashed"))
    low = float(np.nanmin(finite)) if np.isfinite(finite).any() else 0.1
    return theme.frame(
        hv.Overlay(parts),
        title="r of every step (dashed: r_max)",
        xlabel="training step",
        ylabel="r = ‖p‖/ρ_a",
        logy=True,
        ylim=(0.5 * min(low, r_max), 2.0 * top),
        legend="right",
    )


def training_pairs(ds: xr.Dataset, *, r_max: float = 1.0) -> Any:
    """Draw which pairs of classes set the radius at the steps beyond ``r_max`` (at all steps, if none is)."""
    r = ds.r_proposed.values
    chosen = np.isfinite(r) & (r > r_max)
    title = "What limited the steps beyond r_max"
    if not chosen.any():
        chosen, title = np.isfinite(r), "What limited the steps"
    pairs = Counter(zip(ds.rising.values[chosen].tolist(), ds.falling.values[chosen].tolist(), strict=True))
    common = pairs.most_common(MOST_BARS)
    names = [f"{rising} against {falling}" for (rising, falling), _ in common] or ["none"]
    heights = [float(count) for _, count in common] or [0.0]
    bars = hv.Bars((names, heights), "pair", "steps")
    return theme.frame(
        theme.bars(bars, theme.SERIES[0]),
        title=title,
        xlabel="class that rises most against class that falls most",
        ylabel="steps",
        xrotation=40,
    )


def _drawable(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    return np.where(np.isfinite(values) & (values > 0), np.maximum(values, FLOOR), np.nan)
