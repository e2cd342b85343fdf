"""Decisions against the worst case: what the worst scenarios take, and how the bounds met."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme


def tornado(ds: xr.Dataset) -> Any:
    """Draw for each item what the worst case takes of it: of your plan to the left, of the best plan to the right."""
    items = ds.item.values.astype(float)
    parts: list[Any] = [theme.line(hv.VLine(0.0), theme.NEUTRAL, width=1)]
    for name, sign, label, colour in (
        ("own", -1.0, "your plan", theme.SERIES[0]),
        ("best", 1.0, "the best plan", theme.SERIES[1]),
    ):
        chosen, lost = ds[f"{name}_plan"].values > 0, np.nan_to_num(ds[f"{name}_lost"].values)
        ends = sign * lost[chosen]
        bars = hv.Segments((np.zeros(len(ends)), items[chosen], ends, items[chosen]), label=label)
        parts.append(theme.line(bars, colour, width=9))
        marks = hv.Points((ends, items[chosen]), ["lost", "number"], label=label)
        parts.append(theme.markers(marks, colour, size=9, marker="circle" if name == "own" else "diamond"))
    lost = np.nan_to_num(np.r_[ds.own_lost.values, ds.best_lost.values])
    reach = 1.15 * float(lost.max()) or 1.0
    return theme.frame(
        hv.Overlay(parts),
        title="What the worst case takes",
        xlabel="lost of your plan (left) and of the best plan (right)",
        ylabel="item",
        xlim=(-reach, reach),
        ylim=(0.3, len(items) + 0.7),
        legend="bottom",
    )


def bounds_race(ds: xr.Dataset) -> Any:
    """Draw the best profit found and the bound that no plan exceeds over time; a line marks your plan."""
    seconds = ds.seconds.values
    parts: list[Any] = [theme.line(hv.HLine(float(ds.own_profit)), theme.NEUTRAL, width=1)]
    for k, (name, label) in enumerate((("upper", "no plan is worth more"), ("lower", "best plan found"))):
        curve = hv.Curve((seconds, ds[name].values), "seconds", "profit", label=label)
        parts.append(theme.line(curve, theme.SERIES[k], dash=("solid", "dashed")[k]))
    shown = np.r_[float(ds.own_profit), ds.lower.values, ds.upper.values]
    low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
    room = 0.06 * (high - low) or 1.0
    return theme.frame(
        hv.Overlay(parts),
        title="How the bounds met",
        xlabel="seconds",
        ylabel="worst-case profit",
        ylim=(low - room, high + room),
        legend="bottom",
    )
