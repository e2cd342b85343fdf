"""Capital budgeting: what samples miss of a worst case, and how the bounds on it met."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme


def sampled_minimum(ds: xr.Dataset) -> Any:
    """Draw the least of so many samples of your plan above the band in which its worst case is certified to lie."""
    drawn, least = ds.drawn.values.astype(float), ds.least.values
    low, high = float(ds.own_at_least), float(ds.own_at_most)
    ends = np.array([drawn[0], drawn[-1]])
    parts: list[Any] = [
        theme.band(hv.Area((ends, [low, low], [high, high]), "drawn", ["low", "high"]), theme.SERIES[0]),
        theme.line(hv.Curve((ends, [high, high]), "drawn", "profit", label="certified worst case"), theme.SERIES[0]),
        theme.line(hv.Curve((ends, [low, low]), "drawn", "profit"), theme.SERIES[0]),
        theme.line(
            hv.Curve((drawn, least), "drawn", "profit", label="least of the samples"), theme.SERIES[1], dash="dashed"
        ),
    ]
    shown = np.r_[least[len(least) // 3 :], low, high]
    room = 0.08 * float(shown.max() - shown.min()) or 1.0
    return theme.frame(
        hv.Overlay(parts),
        title="What samples miss",
        xlabel="samples drawn",
        ylabel="earned by your plan",
        ylim=(float(shown.min()) - room, float(shown.max()) + room),
        logx=True,
        legend="bottom",
    )


def box_bounds(ds: xr.Dataset) -> Any:
    """Draw how both bounds on the best plan's worst case met while boxes of factors were split; a line bounds all."""
    boxes = ds.boxes.values
    parts: list[Any] = [theme.line(hv.HLine(float(ds.bound)), theme.NEUTRAL, width=1)]
    for k, (name, label) in enumerate((("upper", "worst case at most"), ("lower", "worst case at least"))):
        curve = hv.Curve((boxes, ds[name].values), "boxes", "earned", label=label)
        parts.append(theme.line(curve, theme.SERIES[k], dash=("solid", "dashed")[k]))
    shown = np.r_[float(ds.bound), ds.lower.values, ds.upper.values]
    shown = shown[np.isfinite(shown)] if np.isfinite(shown).any() else np.zeros(1)
    room = 0.08 * float(shown.max() - shown.min()) or 1.0
    return theme.frame(
        hv.Overlay(parts),
        title="Bounds on the best plan",
        xlabel="boxes of factors",
        ylabel="earned by the best plan",
        ylim=(float(shown.min()) - room, float(shown.max()) + room),
        legend="bottom",
    )


def worst_factors(ds: xr.Dataset) -> Any:
    """Draw the worst four factors found: for your plan and for the best plan, between -1 and 1."""
    factor = ds.factor.values.astype(float)
    parts: list[Any] = [theme.line(hv.VLine(0.0), theme.NEUTRAL, width=1)]
    for name, shift, label, colour, marker in (
        ("own_factors", 0.12, "your plan", theme.SERIES[0], "circle"),
        ("factors", -0.12, "the best plan", theme.SERIES[1], "diamond"),
    ):
        values = np.nan_to_num(ds[name].values)
        parts.append(
            theme.line(
                hv.Segments((np.zeros(len(values)), factor + shift, values, factor + shift), label=label),
                colour,
                width=9,
            )
        )
        points = hv.Points((values, factor + shift), ["value", "number"], label=label)
        parts.append(theme.markers(points, colour, size=9, marker=marker))
    return theme.frame(
        hv.Overlay(parts),
        title="The worst factors",
        xlabel="factor ξ",
        ylabel="number of the factor",
        xlim=(-1.15, 1.15),
        ylim=(0.3, len(factor) + 0.7),
        legend="bottom",
    )
