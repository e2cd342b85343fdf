"""How a flow goes: its distance to the target, step by step."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme


def flow_curves(ds: xr.Dataset, *, logarithmic: bool = True) -> Any:
    """Draw SW₂² over the steps with a band of two standard errors, and exact W₂² at the checkpoints.

    A flow whose distances have not been read yet is drawn as its own steps saw it, without a band.
    """
    steps, sw2, error = ds.frame.values, ds.sw2.values, ds.sw2_standard_error.values
    if not np.isfinite(sw2).any() and "sw2_seen" in ds:
        steps, sw2 = ds.step.values, ds.sw2_seen.values
        error = np.zeros_like(sw2)
    low = np.maximum(sw2 - 2 * error, theme.SMALLEST if logarithmic else 0)
    parts = [
        theme.band(hv.Area((steps, low, sw2 + 2 * error), "step", ["low", "high"]), theme.SERIES[0]),
        theme.line(hv.Curve((steps, sw2), "step", "distance", label="SW₂², sliced"), theme.SERIES[0]),
    ]
    if "w2" in ds:
        exact = hv.Scatter((ds.checkpoint.values, ds.w2.values), "step", "distance", label="W₂², exact")
        parts.append(theme.markers(exact, theme.SERIES[1], marker="diamond", size=10))
    return theme.frame(
        hv.Overlay(parts),
        title="Distance to the target (squared)",
        xlabel="step",
        ylabel="squared distance",
        logy=logarithmic,
        legend="top_right",
        padding=(0.03, 0.1),
    )
