"""Populations of one's own table: where each method ends on those kept out, and what being told them has saved."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme
from workbench.figures.fields.population import NAMES, room_around

GAINS = (
    ("gain_distance", "mean_gain_distance", "reach_distance", "W₂, against one field for all"),
    ("gain", "mean_gain", "reach", "loss, against one field for all"),
    ("gain_control", "mean_gain_control", "reach_control", "loss, against told another population"),
)


def own_population_distances(ds: xr.Dataset) -> Any:
    """Draw W₂ of every method's end to the target, a mark for each population kept out, with the floor of halves."""
    names = [str(name) for name in ds.field.values] + ["halves"]
    rows = np.arange(len(names))[::-1].astype(float)
    values = np.concatenate([ds.distances.values.mean(axis=1), ds.halves.values[None]])
    each = hv.Scatter((values.ravel(), np.repeat(rows, values.shape[1])), "distance", "row", label="each population")
    means = hv.Scatter((values.mean(axis=1), rows), "distance", "row", label="mean")
    parts = [
        theme.markers(each, theme.SERIES[2], size=6, alpha=0.5),
        theme.markers(means, theme.SERIES[0], size=11, marker="diamond"),
    ]
    labels = [*(NAMES.get(name, name) for name in names[:-1]), "halves of the target"]
    return theme.frame(
        hv.Overlay(parts),
        title="Populations kept out of training",
        xlim=room_around(values),
        xlabel="W₂ to the target of the other half",
        ylabel="",
        yticks=list(zip(rows.astype(int).tolist(), labels, strict=True)),
        ylim=(-0.7, len(rows) - 0.3),
        legend="bottom",
    )


def own_population_gains(ds: xr.Dataset) -> Any:
    """Draw what being told the population has saved, as a share of what there was, a mark for each population."""
    rows = np.arange(len(GAINS))[::-1].astype(float)
    loss = ds.loss.values.mean(axis=1)
    fields = ds.field.values.tolist()
    against = (float(ds.distances.values[fields.index("flow-matching")].mean()), float(loss[0].mean()), loss[2].mean())
    each_x, each_y, bars, means = [], [], [], []
    for row, whole, (name, mean, reach, _) in zip(rows, against, GAINS, strict=True):
        values = ds[name].values / whole
        each_x += values.tolist()
        each_y += [row] * len(values)
        middle, half = float(ds[mean]) / whole, float(ds[reach]) / whole
        means.append((middle, row))
        if np.isfinite(half):
            bars.append((middle - half, row, middle + half, row))
    zero = hv.Curve(([0.0, 0.0], [-0.5, len(rows) - 0.5]), "gain", "row", label="nothing")
    spans = hv.Segments(bars, ["gain", "row", "to_gain", "to_row"])
    dots = hv.Scatter((each_x, each_y), "gain", "row", label="each population")
    middles = hv.Scatter(means, "gain", "row", label="mean, 95 % interval over populations")
    parts = [
        theme.line(zero, theme.NEUTRAL, dash="dotted"),
        theme.line(spans, theme.SERIES[0], width=2),
        theme.markers(dots, theme.SERIES[2], size=6, alpha=0.5),
        theme.markers(middles, theme.SERIES[0], size=10),
    ]
    return theme.frame(
        hv.Overlay(parts),
        title="Worth of being told the population",
        xlim=room_around(np.array([*each_x, *(end for bar in bars for end in bar[::2]), 0.0])),
        xlabel="saved, as a share of the mean without",
        ylabel="",
        yticks=[(int(row), label) for row, (_, _, _, label) in zip(rows, GAINS, strict=True)],
        ylim=(-0.7, len(rows) - 0.3),
        legend="bottom",
    )
