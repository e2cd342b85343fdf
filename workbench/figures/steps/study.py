"""The shipped study of spikes: which guard survives."""

from collections.abc import Sequence

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme


def spike_survival(ds: xr.Dataset, **where: str | bool) -> hv.Overlay:
    """Return the share of runs that survive a learning-rate spike against its size, one curve for each rule.

    ``ds`` is a sweep of ``studies.spike_survival`` over ``multiplier``. ``where`` fixes further axes (``network``,
    ``optimizer``, ``persistent``); those left open are averaged, and the title says so. A rule that the optimiser
    cannot be given (NaN) is left out.
    """
    share, said = _averaged(ds.survived, ("multiplier", "rule"), where)
    curves = []
    for k, rule in enumerate(ds.rule.values):
        values = share.sel(rule=rule).transpose("multiplier").values
        if np.isnan(values).all():
            continue
        curves += theme.marked_curve((ds.multiplier.values, values), "multiplier", "share", str(rule), k)
    title = "Runs that survive a spike" + said
    labels = {"xlabel": "learning rate too large by", "ylabel": "share of runs"}
    ticks = [(float(m), f"{m:g}") for m in ds.multiplier.values]
    limits = (0.8 * float(ds.multiplier.min()), 1.25 * float(ds.multiplier.max()))  # room for the outer marks
    return theme.frame(
        hv.Overlay(curves), title=title, logx=True, xlim=limits, xticks=ticks, ylim=(-0.03, 1.03), **labels
    )


def _averaged(values: xr.DataArray, kept: Sequence[str], where: dict[str, str | bool]) -> tuple[xr.DataArray, str]:
    fixed = {name: value for name, value in where.items() if name in values.dims}
    said = [f"{name} {value}" for name, value in fixed.items()]
    values = values.sel(fixed)
    open_axes = [str(dim) for dim in values.dims if dim not in kept]
    if open_axes:
        said.append("mean over " + (", ".join(open_axes) if len(open_axes) <= 2 else "all else"))
    return values.astype(float).mean(open_axes), "".join(f", {part}" for part in said)
