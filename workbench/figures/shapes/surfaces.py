"""Surfaces: what a deformation gained and what is proved of it, crossings, and losses side by side."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

DEFECTS = ("crossings", "folded", "crowded", "turned", "flat", "doubled", "unused", "border")
SHORT = {"crowded": "crowded edges", "turned": "turned edges", "border": "border edges", "unused": "unused vertices"}


def deformation_loss(ds: xr.Dataset) -> Any:
    """Draw the loss of every iteration, each with directions or samples of its own."""
    values = np.maximum(np.abs(ds.loss.values), theme.SMALLEST)
    curve = hv.Curve((1 + ds.iteration.values, values), "iteration", "loss")
    return theme.frame(
        theme.line(curve, theme.SERIES[0]), title="What pulls", xlabel="iteration", ylabel="loss", logy=True
    )


def deformation_proof(ds: xr.Dataset) -> Any:
    """Draw the proved bound ρ of every step, and the line that it has to stay below."""
    number = np.arange(1, ds.sizes["map"] + 1)
    rho = ds.rho.values
    end = ds.sizes["map"] + 0.6
    parts = [
        theme.line(
            hv.Segments(np.stack([number, 0 * rho, number, rho], axis=1), ["step", "rho", "x1", "y1"]),
            theme.SERIES[2],
            width=3,
        ),
        theme.markers(hv.Scatter((number, rho), "step", "rho", label="proved bound ρ"), theme.SERIES[2], size=11),
        theme.line(
            hv.Curve(([0.4, end], [1, 1]), "step", "rho", label="diffeomorphism below"), theme.REFERENCE, dash="dashed"
        ),
    ]
    return theme.frame(
        hv.Overlay(parts),
        title="What is proved of each step",
        xlabel="step",
        ylabel="ρ",
        xlim=(0.4, end),
        ylim=(0, max(1.1, 1.1 * float(rho.max()))),
        legend="bottom",
    )


SIDES = {"front": (0, 2, (1, -1.0)), "right": (1, 2, (0, 1.0)), "above": (0, 1, (2, 1.0))}
"""From where a surface is seen: the axes across and up, and the axis that points to the eye with its sign."""
HANDLE = "vertices to drag"


def bent_surface(ds: xr.Dataset, side: str = "front") -> Any:
    """Draw a bent surface from one side, flat: its faces towards the eye, those that cross, and vertices to drag."""
    across, up, (depth, sign) = SIDES[side]
    places, faces = ds.vertices.values[1], ds.faces.values
    a, b, c = (places[faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)[:, depth] * sign
    seen = faces if int(ds.open) else faces[normal > 0]
    wrong = faces[np.unique(ds.crossing_faces.values)]
    handles = ds.handle.values
    if not int(ds.open):
        handles = handles[np.isin(handles, seen)]
    flat = places[:, [across, up]]
    handles = _apart(handles, flat, 0.025 * float(np.ptp(flat, axis=0).max()))
    names = ["across", "up", "across_end", "up_end"]
    parts = [
        theme.line(hv.Segments(_sides_of(seen, flat), names), theme.NEUTRAL, width=0.7, alpha=0.5),
        theme.line(hv.Segments(_sides_of(wrong, flat), names), theme.SERIES[5], width=1.6, alpha=0.8),
        theme.markers(
            hv.Points((*flat[handles].T, handles), ["across", "up"], "item", label=HANDLE),
            theme.SERIES[2], size=11, marker="diamond", alpha=0.75,
        ),
    ]  # fmt: skip
    both = ds.vertices.values.reshape(-1, 3)[:, [across, up]]
    low, high = both.min(axis=0), both.max(axis=0)
    margin = 0.1 * float((high - low).max())
    return theme.frame(
        hv.Overlay(parts),
        title=f"Seen from the {side}" if side != "above" else "Seen from above",
        xlabel="xyz"[across],
        ylabel="xyz"[up],
        xlim=(float(low[0]) - margin, float(high[0]) + margin),
        ylim=(float(low[1]) - margin, float(high[1]) + margin),
        height=430,
        equal_units=True,
        legend="bottom",
    )


def _apart(handles: np.ndarray, flat: np.ndarray, distance: float) -> np.ndarray:
    """Return the handles of which none lies on an earlier one: a hand would move both."""
    kept: list[int] = []
    for one in handles.tolist():
        if not kept or np.linalg.norm(flat[kept] - flat[one], axis=1).min() > distance:
            kept.append(one)
    return np.array(kept, dtype=np.int64)


def _sides_of(faces: np.ndarray, flat: np.ndarray) -> np.ndarray:
    """Return the edges of faces as (E, 4), each once."""
    ends = np.unique(np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1), axis=0)
    return np.concatenate([flat[ends[:, 0]], flat[ends[:, 1]]], axis=1)


def crossing_pairs(ds: xr.Dataset) -> Any:
    """Draw each crossing pair at the numbers of its two faces."""
    points = hv.Points(ds.crossing.values, ["one", "other"], label="crossing pairs")
    return theme.frame(
        theme.markers(points, theme.SERIES[5], size=6, alpha=0.6),
        title=f"{int(ds.crossings):,} crossing pairs of faces",
        xlabel="face",
        ylabel="face",
    )


def mesh_defects(ds: xr.Dataset) -> Any:
    """Draw how many there are of each defect."""
    rows = [(SHORT.get(name, name), max(int(ds[name]), 0)) for name in DEFECTS]
    return theme.frame(
        theme.bars(hv.Bars(rows, "defect", "count"), theme.SERIES[5]),
        title="Defects of the mesh",
        xlabel="",
        ylabel="count",
        xrotation=30,
    )


def crossings_carried(ds: xr.Dataset) -> Any:
    """Draw the crossings that a certified map carries into a mesh, over how finely the mesh was cut."""
    parts: list[Any] = []
    for k, (name, label) in enumerate((("after", "after the map"), ("before", "before the map"))):
        parts += theme.marked_curve((ds.splits.values, ds[name].values), "splits", "pairs", label, k)
    return theme.frame(
        hv.Overlay(parts),
        title=f"Crossings after a certified map (ρ = {float(ds.rho):.3f})",
        xlabel="times the large triangle was split",
        ylabel="crossing pairs (exact)",
        xticks=[int(value) for value in ds.splits.values],
        legend="bottom",
    )


def losses_compared(ds: xr.Dataset) -> Any:
    """Draw ASSD against the distance to the true partners at equal time, a mark for every run, the start in grey."""
    one = ds.isel(pair=0, field=0)
    parts: list[Any] = []
    for k, loss in enumerate(ds.loss.values):
        for j, size in enumerate(ds["size"].values):
            runs = one.sel(loss=loss, size=size)
            label = str(loss) if j == 0 else ""
            points = hv.Scatter((runs.assd.values, runs.vertex_error.values), "assd", "partner", label=label)
            parts.append(
                theme.markers(
                    points, theme.SERIES[k % 8], size=6 + 3 * j, marker=theme.MARKERS[k % len(theme.MARKERS)], alpha=0.8
                )
            )
    start = hv.Scatter((one.start_assd.values, one.start_vertex_error.values), "assd", "partner", label="start")
    parts.append(theme.markers(start, theme.NEUTRAL, size=11, marker="hex"))
    return theme.frame(
        hv.Overlay(parts),
        title="Losses at equal time (larger marks: more vertices)",
        xlabel="ASSD",
        ylabel="distance to the true partner",
        legend="bottom",
    )


def samples_against_exact(ds: xr.Dataset) -> Any:
    """Draw SW₁ of samples over their size, and the exact value of the surfaces."""
    count = np.repeat(ds.samples.values, ds.sizes["draw"])
    ends = [float(ds.samples.min()) / 1.5, 1.5 * float(ds.samples.max())]
    parts = [
        theme.markers(
            hv.Scatter((count, ds.sampled.values.ravel()), "points", "sw1", label="samples"), theme.SERIES[0], alpha=0.6
        ),
        theme.line(hv.Curve((ends, 2 * [float(ds.exact)]), "points", "sw1", label="exact"), theme.SERIES[5]),
    ]
    return theme.frame(
        hv.Overlay(parts),
        title="A sample against the surface",
        xlabel="points",
        ylabel="SW₁",
        logx=True,
        xlim=tuple(ends),
        legend="bottom",
    )


def errors_of_rules(ds: xr.Dataset) -> Any:
    """Draw the relative error of every rule over its directions, for the first pair: a line for each λ."""
    parts: list[Any] = []
    one = ds.isel(pair=0)
    for k, rule in enumerate(ds.rule.values):
        for j, length in enumerate(ds.orientation.values):
            values = one.rmse.sel(rule=rule, orientation=length).values
            label = str(rule) if j == 0 else ""
            curve = hv.Curve((ds.directions.values, values), "directions", "rmse", label=label)
            dash = "solid" if j == 0 else "dashed"
            parts.append(theme.line(curve, theme.SERIES[k], width=2, dash=dash))
            marks = hv.Scatter((ds.directions.values, values), "directions", "rmse", label=label)
            parts.append(theme.markers(marks, theme.SERIES[k], size=7, marker=theme.MARKERS[k % len(theme.MARKERS)]))
    shown = " and ".join(f"λ = {float(value):g}" for value in ds.orientation.values[:2])
    return theme.frame(
        hv.Overlay(parts),
        title=f"Rules on S⁵ for varifolds ({shown}, the second dashed)",
        xlabel="directions",
        ylabel="relative error of SW₂²",
        logx=True,
        logy=True,
        legend="bottom",
    )
