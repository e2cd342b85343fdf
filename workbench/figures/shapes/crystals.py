"""A crystal under a loop: atoms by their coordination, the loop, Burgers vectors, and maps of the dictionaries."""

from collections.abc import Sequence
from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

FEW, REGULAR, MANY = theme.SERIES[5], theme.NEUTRAL, theme.SERIES[0]
LOOP, ARROW = theme.SERIES[2], theme.SERIES[3]
MAPS = {
    "torsion": "trace of the torsion",
    "axial": "axial torsion",
    "first": "first trace of non-metricity",
    "second": "second trace of non-metricity",
}
HEAD = 0.25
Corners = Sequence[tuple[float, float]]


def crystal_loop(ds: xr.Dataset, corners: Corners = ()) -> Any:
    """Draw the atoms, those of wrong coordination in colour, the loop through ``corners``, and Burgers vectors."""
    x, y = ds.position.values[:, 0], ds.position.values[:, 1]
    charge = ds.charge.values
    spacing = float(ds.spacing)
    parts: list[Any] = []
    size = float(np.clip(260 / np.sqrt(len(x)), 2, 9))
    for label, chosen, colour, factor, marker in (
        ("regular", charge == 0, REGULAR, 1.0, "circle"),
        ("too few neighbours", charge > 0, FEW, 1.9, "triangle"),
        ("too many", charge < 0, MANY, 1.9, "square"),
    ):
        points = hv.Points((x[chosen], y[chosen]), ["x", "y"], label=label)
        parts.append(
            theme.markers(points, colour, size=size * factor, marker=marker, alpha=0.9 if factor > 1 else 0.45)
        )
    path = ds.path.values[:, :2]
    parts.append(theme.line(hv.Path([path], ["x", "y"], label="bonds of the loop"), LOOP, width=1, alpha=0.55))
    drawn = np.array([*corners, *corners[:1]]).reshape(-1, 2)
    parts.append(theme.line(hv.Path([drawn], ["x", "y"], label="loop"), LOOP, width=2.5))
    parts.append(theme.line(_arrows(ds, spacing), ARROW, width=3))
    places = np.array([*corners, _centre(corners)] if len(corners) else []).reshape(-1, 2)
    item = np.arange(len(places))
    handles = hv.Points((places[:, 0], places[:, 1], item), ["x", "y"], "item", label="handles")
    parts.append(theme.markers(handles, LOOP, size=13, alpha=0.85))
    return _framed(hv.Overlay(parts), x, y, spacing, "Atoms and the loop")


def _centre(corners: Corners) -> tuple[float, float]:
    middle = np.mean(np.array(corners), axis=0)
    return float(middle[0]), float(middle[1])


def _arrows(ds: xr.Dataset, spacing: float) -> Any:
    """Burgers vectors of the defects, four times as long as they are, with heads; one that is not known is left out."""
    strokes = []
    scale = 4.0
    for x, y, u, v in zip(
        ds.defect_place_x.values, ds.defect_place_y.values, ds.defect_vector_x.values, ds.defect_vector_y.values,
        strict=True,
    ):  # fmt: skip
        length = np.hypot(u, v)
        if not length > 0.3 * spacing:
            continue
        tip, way = np.array([x + scale * u, y + scale * v]), np.array([u, v]) / length
        side = np.array([-way[1], way[0]])
        back = tip - HEAD * scale * spacing * way
        strokes.append(np.array([[x, y], tip]))
        strokes.append(np.array([back + 0.12 * scale * spacing * side, tip, back - 0.12 * scale * spacing * side]))
    return hv.Path(strokes, ["x", "y"], label="Burgers vectors (× 4)")


def dictionary_map(ds: xr.Dataset, name: str = "torsion") -> Any:
    """Draw one of the fields at the atoms, on a scale that its largest hundredth does not fix."""
    values = ds[name].values
    there = np.isfinite(values) & ds.is_inner.values
    x, y = ds.position.values[there, 0], ds.position.values[there, 1]
    shown = values[there]
    top = float(np.quantile(shown, 0.99)) if len(shown) else 0.0
    size = float(np.clip(330 / np.sqrt(max(len(ds.atom), 1)), 2, 12))
    points = theme.markers(hv.Points((x, y, shown), ["x", "y"], "value"), hv.dim("value"), size=size)
    colours = {"cmap": theme.SEQUENTIAL, "colorbar": True, "clim": (0.0, max(top, 1e-3))}
    points = theme.styled(points, bokeh=colours, matplotlib=colours)
    everywhere = ds.position.values
    title = MAPS[name][0].upper() + MAPS[name][1:]
    return _framed(hv.Overlay([points]), everywhere[:, 0], everywhere[:, 1], float(ds.spacing), title)


def _framed(element: Any, x: Any, y: Any, spacing: float, title: str) -> Any:
    limits = {
        "xlim": (float(x.min()) - spacing, float(x.max()) + spacing),
        "ylim": (float(y.min()) - spacing, float(y.max()) + spacing),
    }
    return theme.frame(
        element, title=title, xlabel="x", ylabel="y", height=460, equal_units=True, legend="bottom", **limits
    )


def shaken_loops(ds: xr.Dataset) -> Any:
    """Draw how many loops still answer exactly as a crystal is shaken, and how many are refused or wrong."""
    total = float(ds.loops) * ds.sizes["repeat"]
    parts: list[Any] = []
    for k, name in enumerate(("exact", "refused", "wrong")):
        share = ds[name].sum("repeat").values / total
        parts += theme.marked_curve((ds.noise.values, share), "noise", "share", name, k)
    return theme.frame(
        hv.Overlay(parts),
        title="Loops under thermal noise",
        xlabel="standard deviation of the shaking (spacings)",
        ylabel="share of loops",
        legend="bottom",
    )


def circuits_found(ds: xr.Dataset) -> Any:
    """Draw the shares of the torsion of dislocations in space, of which every circuit found the vector put in."""
    names = [str(name) for name in ds.case.values]
    right = (ds.found == ds.expected).all("axis").mean("loop").values
    labels = [f"{name} ({share:.0%})" for name, share in zip(names, right, strict=True)]
    rows = [
        (label, part, float(ds.share[k, p]))
        for k, label in enumerate(labels)
        for p, part in enumerate(map(str, ds.part.values))
    ]
    bars = hv.Bars(rows, ["dislocation", "part"], "share")
    options = {"stacked": True, "show_legend": True, "xrotation": 25}
    bars = theme.styled(
        bars, bokeh={**options, "cmap": list(theme.SERIES[:3]), "line_alpha": 0, "tools": ["hover"]},
        matplotlib=options,
    )  # fmt: skip
    title = "Torsion of dislocations in space (loops exact)"
    return theme.frame(bars, title=title, xlabel="", ylabel="share of the torsion", legend="bottom")


def circuit_walk(ds: xr.Dataset) -> Any:
    """Draw the atoms and the steps of a circuit that was verified, its first two axes, and where it begins."""
    atoms, path = ds.atom_place.values[:, :2], ds.path.values[:, :2]
    points = theme.markers(hv.Points((atoms[:, 0], atoms[:, 1]), ["x", "y"], label="atoms"), REGULAR, size=6, alpha=0.6)
    line = theme.line(hv.Path([path], ["x", "y"], label="circuit"), LOOP, width=2)
    first = path[:1]
    start = hv.Points((first[:, 0], first[:, 1]), ["x", "y"], label="where it begins")
    parts = [points, line, theme.markers(start, ARROW, size=11, marker="square")]
    x, y = (np.concatenate([atoms[:, k], path[:, k], [-1.0, 1.0]]) for k in range(2))
    return _framed(hv.Overlay(parts), x, y, 1.0, "The circuit in the file")
