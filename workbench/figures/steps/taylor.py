"""The loss along the step and its Taylor polynomials."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

FLOOR = 1e-16


def taylor_polynomials(ds: xr.Dataset, *, highest: int | None = None) -> Any:
    """Draw the loss along the direction with its Taylor polynomials up to order ``highest``, and the circles."""
    tau, loss = ds.tau.values, ds.loss.values
    rise = loss.max() - loss.min()
    low, high = loss.min() - 0.5 * rise, loss.max() + 0.7 * rise
    parts = _circles(ds)
    for k, order in enumerate(_orders(ds, highest)):
        values = ds.polynomial.sel(order=order).values
        inside = np.where((values > low) & (values < high), values, np.nan)
        curve = hv.Curve((tau, inside), "distance", "value", label=f"order {order}")
        parts.append(theme.line(curve, _shade(k), width=1.5, dash=theme.DASHES[k % len(theme.DASHES)]))
    whole = hv.Curve((tau, loss), "distance", "value", label="loss")
    parts.append(theme.line(whole, theme.NEUTRAL, width=4, alpha=0.6))
    return theme.frame(
        hv.Overlay(parts),
        title="Loss and its Taylor polynomials",
        xlabel="τ along the direction",
        ylabel="loss (nat)",
        ylim=(low, high),
        xlim=(float(tau.min()), float(tau.max())),
        legend="right",
    )


def taylor_errors(ds: xr.Dataset, *, highest: int | None = None) -> Any:
    """Draw the error of each polynomial against τ, logarithmically: they fan out where the series diverges."""
    tau = ds.tau.values
    forward = tau > 0
    parts = _circles(ds, both_sides=False)
    for k, order in enumerate(_orders(ds, highest)):
        error = np.maximum(ds.error.sel(order=order).values[forward], FLOOR)
        curve = hv.Curve((tau[forward], error), "distance", "error", label=f"order {order}")
        parts.append(theme.line(curve, _shade(k), dash=theme.DASHES[k % len(theme.DASHES)]))
    return theme.frame(
        hv.Overlay(parts),
        title="Error of the Taylor polynomials",
        xlabel="τ along the direction",
        ylabel="|polynomial − loss| (nat)",
        logy=True,
        legend="right",
    )


def _orders(ds: xr.Dataset, highest: int | None) -> list[int]:
    orders = [int(n) for n in ds.order.values]
    return orders if highest is None else [n for n in orders if n <= highest] or orders[:1]


def _shade(k: int) -> str:
    return theme.SERIES[k % len(theme.SERIES)]


def _circles(ds: xr.Dataset, *, both_sides: bool = True) -> list[Any]:
    """Lines where the circles ρ_a, ρ* and the circle of convergence meet the axis (those inside the picture)."""
    reach = float(ds.tau.max())
    marks = {"bound": theme.SERIES[5], "exact": theme.SERIES[0], "convergence": theme.NEUTRAL}
    dashes = {"bound": "solid", "exact": "dotted", "convergence": "dashed"}
    return [
        theme.line(hv.VLine(sign * float(ds[name])), shade, width=1.5, dash=dashes[name])
        for name, shade in marks.items()
        for sign in ((1, -1) if both_sides else (1,))
        if float(ds[name]) < reach
    ]
