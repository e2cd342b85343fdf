"""The paper's experiment, again: curves and table."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme


def paper_curves(ds: xr.Dataset) -> Any:
    """Draw exact W₂² at the checkpoints of the paper's experiment: the mean over seeds, and their range as a band."""
    parts = []
    for k, name in enumerate(ds.estimator.values):
        w2 = np.maximum(ds.w2.sel(estimator=name).values, theme.SMALLEST)
        colour = theme.SERIES[k % len(theme.SERIES)]
        steps = ds.checkpoint.values
        area = hv.Area((steps, w2.min(axis=0), w2.max(axis=0)), "step", ["low", "high"])
        curve = hv.Curve((steps, w2.mean(axis=0)), "step", "distance", label=str(name))
        parts += [theme.band(area, colour, alpha=0.12)]
        parts += [theme.line(curve, colour, dash=theme.DASHES[k % len(theme.DASHES)])]
    return theme.frame(
        hv.Overlay(parts),
        title="The paper's experiment: exact W₂² (squared)",
        xlabel="step",
        ylabel="W₂²",
        logy=True,
        legend="bottom_left",
    )


def paper_table(ds: xr.Dataset) -> Any:
    """Return the table of the paper: exact W₂² (squared), mean over the seeds, at every checkpoint."""
    columns = {"estimator": [str(name) for name in ds.estimator.values]}
    columns["directions"] = [str(count) for count in ds.n_directions.values]
    for step in ds.checkpoint.values:
        means = ds.w2.sel(checkpoint=step).mean("seed").values
        columns[f"step {step}"] = [f"{value:.4g}" for value in means]
    table = hv.Table(columns, ["estimator"], list(columns)[1:])
    return theme.styled(
        table, bokeh={"width": 760, "height": 230}, matplotlib={"fig_inches": (10, 2.4), "max_value_len": 20}
    )
