"""A density with two points: where it lies, how far everything is from one of them, and at which blur they differ."""

from collections.abc import Sequence
from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

POINT_COLOURS = (theme.SERIES[5], theme.SERIES[0])
BUMP, PATH, RIDGE = theme.SERIES[1], theme.SERIES[2], theme.SERIES[3]
LEVELS = 9
CORNERS = np.linspace(0, 2 * np.pi, 49)
Handles = Sequence[tuple[int, float, float]]
GROUPS = (("a", "circle", 14), ("b", "circle", 14), ("bumps", "square", 12), ("widths", "diamond", 11))


def signal_density(ds: xr.Dataset, *, handles: Handles = ()) -> Any:
    """Draw the density, the two points, the shortest path and the ridge; ``handles`` (item, x, y) can be dragged."""
    parts = _line_of_density(ds) if "y" not in ds.dims else _plane(ds, "density")
    parts += _handles(handles)
    if "y" in ds.dims:
        return _framed_plane(hv.Overlay(parts), ds, "The density, and the shortest path")
    top = float(ds.density.max())
    return theme.frame(
        hv.Overlay(parts),
        title="The density: drag bumps, widths and points",
        xlabel="x",
        ylabel="density",
        xlim=(float(ds.x[0]), float(ds.x[-1])),
        ylim=(-0.12 * top, 1.1 * top),
        legend=None,
    )


def distance_from_a(ds: xr.Dataset) -> Any:
    """Draw how far every place is from a; in the plane with lines of equal distance and ellipses of the metric."""
    if "y" not in ds.dims:
        x = ds.x.values
        euclid = np.abs(x - float(ds.point[0, 0]))
        scale = float(ds.distance_map.max()) / max(float(euclid.max()), 1e-300)
        parts = [
            theme.line(hv.Curve((x, ds.distance_map.values), "x", "d", label="IEM from a"), theme.SERIES[0], width=2.5),
            theme.line(hv.Curve((x, scale * euclid), "x", "d", label="Euclid, scaled"), theme.NEUTRAL, dash="dashed"),
            theme.markers(
                hv.Scatter(([float(ds.point[1, 0])], [float(ds.distance)]), "x", "d", label="b"),
                POINT_COLOURS[1],
                size=13,
            ),
        ]
        return theme.frame(
            hv.Overlay(parts),
            title="How far everything is from a",
            xlabel="x",
            ylabel="distance from a",
            legend="bottom",
        )
    parts = _plane(ds, "distance_map")
    values = ds.distance_map.values
    ground = hv.Image((ds.x.values, ds.y.values, values), ["x", "y"], "level")
    lines = hv.operation.contours(ground, levels=np.linspace(values.min(), values.max(), LEVELS + 2)[1:-1])
    options = {"cmap": ["#FFFFFF", "#FFFFFF"], "colorbar": False, "alpha": 0.75, "show_legend": False}
    drawn = theme.styled(lines.relabel("equal distance"), bokeh={**options, "line_width": 1},
                         matplotlib={**options, "linewidth": 0.8})  # fmt: skip
    parts[1:1] = [drawn, *_ellipses(ds)]
    return _framed_plane(hv.Overlay(parts), ds, "How far everything is from a")


def snr_spectrum(ds: xr.Dataset) -> Any:
    """Draw at which signal-to-noise ratios the squared distance is made."""
    keep = ds.share.values > theme.SMALLEST
    snr, share = ds.snr.values[keep], ds.share.values[keep]
    area = theme.band(hv.Area((snr, share), "snr", "share"), theme.SERIES[0], alpha=0.3)
    curve = theme.line(hv.Curve((snr, share), "snr", "share"), theme.SERIES[0], width=2.5)
    return theme.frame(
        hv.Overlay([area, curve]),
        title="At which blur the two differ",
        xlabel="signal-to-noise ratio 1/σ²",
        ylabel="share per unit of log SNR",
        logx=True,
        legend=None,
    )


def signal_lengths(ds: xr.Dataset) -> Any:
    """Draw the distance of a and b, of an eighth of the way across the ridge, and the length of the shortest path."""
    rows = [("a to b", ds.distance), (f"{_eighth(ds)} across the ridge", ds.ridge_distance)]
    # Three bars from the first, the last one empty while it is computed: bars that come and go in a plot that stands
    # are an error in the browser ("Size mismatch").
    rows.append(("shortest path", ds.length if "length" in ds else np.nan))
    bars = hv.Bars([(name, float(value)) for name, value in rows], "what", "distance")
    return theme.frame(
        theme.bars(bars, theme.SERIES[0]),
        title="Distance, ridge and path",
        xlabel="",
        ylabel="distance",
        ylim=(0, None),
    )


def _eighth(ds: xr.Dataset) -> str:
    return f"{float(ds.euclidean) / 8:.3g}"


# ---- results of the single functions --------------------------------------------------------------------------------


def distance_matrix(ds: xr.Dataset) -> Any:
    """Draw the matrix of distances, the points in the order of the map's first axis."""
    order = np.argsort(ds.place.values[:, 0], kind="stable")
    values = ds.distance.values[np.ix_(order, order)]
    n = len(order)
    image = hv.Image(values[::-1], ["point", "other"], "distance", bounds=(0, 0, n, n))
    return theme.frame(
        theme.image(image, label="distance"), title="Distances, in the order of the map", square=True,
        xlabel="point", ylabel="point",
    )  # fmt: skip


def local_metric(ds: xr.Dataset) -> Any:
    """Draw the eigenvalues of the metric tensor at every point."""
    parts = []
    for k in range(ds.sizes["row"]):
        values = np.maximum(ds.eigenvalue.isel(row=k).values, theme.SMALLEST)
        parts += theme.marked_curve((ds.point.values, values), "point", "eigenvalue", f"λ{k + 1}" if k < 4 else "", k)
    return theme.frame(
        hv.Overlay(parts), title="The metric at each point", xlabel="point", ylabel="eigenvalue of G", logy=True
    )


def path_speed(ds: xr.Dataset) -> Any:
    """Draw how fast a path of constant Euclidean pace moves under the metric."""
    curve = theme.line(hv.Curve((ds.step.values, ds.speed.values), "step", "speed"), PATH, width=2.5)
    title = f"Path of length {float(ds.length):.4g}, ends {float(ds.chord):.4g} apart"
    return theme.frame(curve, title=title, xlabel="along the path", ylabel="speed")


def confusable(ds: xr.Dataset) -> Any:
    """Draw the distance at one Euclidean radius: over all directions in the plane, else its ends."""
    parts = []
    if "profile" in ds:
        curve = hv.Curve((ds.angle.values, ds.profile.values), "angle", "distance", label="at this angle")
        parts.append(theme.line(curve, theme.SERIES[0], width=2.5))
        ends = [float(ds.angle.values[int(f(ds.profile.values))]) for f in (np.argmin, np.argmax)]
        marks = hv.Scatter((ends, ds.distance.values), "angle", "distance", label="least, most")
        parts.append(theme.markers(marks, theme.SERIES[5], size=11))
        return theme.frame(hv.Overlay(parts), title="Equal steps, seen unequally", xlabel="direction, degrees",
                           ylabel="distance", legend="bottom")  # fmt: skip
    bars = hv.Bars([(str(name), float(v)) for name, v in zip(ds.end.values, ds.distance.values, strict=True)],
                   "end", "distance")  # fmt: skip
    return theme.frame(theme.bars(bars, theme.SERIES[0]), title="Equal steps, seen unequally", xlabel="told apart",
                       ylabel="distance")  # fmt: skip


def both_sides(ds: xr.Dataset) -> Any:
    """Draw both sides of the I-MMSE identity."""
    rows = [("from denoising errors", float(ds.estimation)), ("from the density", float(ds.information))]
    return theme.frame(
        theme.bars(hv.Bars(rows, "side", "log ratio"), theme.SERIES[0]),
        title=f"The two sides differ by {abs(float(ds.defect)):.1e}",
        xlabel="",
        ylabel="log p(x₂) − log p(x₁)",
    )


# ---- parts ----------------------------------------------------------------------------------------------------------


def _line_of_density(ds: xr.Dataset) -> list[Any]:
    x, density = ds.x.values, ds.density.values
    top = float(density.max())
    parts = [
        theme.band(hv.Area((x, density), "x", "y"), theme.SERIES[0], alpha=0.25),
        theme.line(hv.Curve((x, density), "x", "y"), theme.SERIES[0], width=2.5),
    ]
    ridge = ds.ridge.values[:, 0]
    parts.append(theme.line(hv.Curve((ridge, [-0.06 * top] * 2), "x", "y"), RIDGE, width=5))
    ends = ds.point.values[:, 0]
    for k, name in enumerate("ab"):
        parts.append(theme.markers(hv.Scatter(([ends[k]], [-0.06 * top]), "x", "y"), POINT_COLOURS[k], size=9))
        parts.append(_name(float(ends[k]), 0.045 * top, name))
    return parts


def _plane(ds: xr.Dataset, name: str) -> list[Any]:
    ground = hv.Image((ds.x.values, ds.y.values, ds[name].values), ["x", "y"], name)
    parts = [theme.image(ground, colorbar=False)]
    parts.append(theme.line(hv.Path([ds.ridge.values], ["x", "y"]), RIDGE, width=5))
    if "path" in ds:
        parts.append(theme.line(hv.Path([ds.path.values], ["x", "y"]), PATH, width=2.5))
    ends = ds.point.values
    parts.append(theme.line(hv.Path([ends], ["x", "y"]), "#FFFFFF", width=1.5, dash="dashed"))
    for k, letter in enumerate("ab"):
        mark = hv.Scatter(([ends[k, 0]], [ends[k, 1]]), "x", "y")
        parts.append(theme.markers(mark, POINT_COLOURS[k], size=9))
        parts.append(_name(float(ends[k, 0]), float(ends[k, 1]) + 0.06 * float(ds.y[-1] - ds.y[0]), letter, "#FFFFFF"))
    return parts


def _name(x: float, y: float, text: str, colour: str = theme.NEUTRAL) -> Any:
    return theme.styled(
        hv.Text(x, y, text), bokeh={"color": colour, "text_font_style": "bold"}, matplotlib={"color": colour}
    )


def _ellipses(ds: xr.Dataset) -> list[Any]:
    """Return outlines of equal small distance from the spots, all to one scale."""
    circle = np.stack([np.cos(CORNERS), np.sin(CORNERS)])
    spots, found = ds.spot_place.values, []
    cell = min(float(ds.x[-1] - ds.x[0]), float(ds.y[-1] - ds.y[0])) / 14
    shapes = []
    for tensor in ds.tensor.values:
        values, vectors = np.linalg.eigh(tensor)
        shapes.append(vectors @ (circle / np.sqrt(np.maximum(values, 1e-300))[:, None]))
    scale = cell / max(float(np.median([np.abs(shape).max() for shape in shapes])), 1e-300)
    for place, shape in zip(spots, shapes, strict=True):
        reach = np.abs(shape).max() * scale
        found.append(place + (shape * scale * min(1.0, 1.6 * cell / reach)).T)
    return [theme.line(hv.Path(found, ["x", "y"]), "#FFFFFF", width=1.2, alpha=0.8)]


def _handles(handles: Handles) -> list[Any]:
    parts = []
    for k, (label, marker, size) in enumerate(GROUPS):
        chosen = [h for h in handles if _group(h[0]) == k]
        if chosen:
            item, x, y = zip(*chosen, strict=True)
            points = hv.Points((x, y, item), ["x", "y"], "item", label=label)
            colour = POINT_COLOURS[k] if k < 2 else BUMP
            parts.append(theme.markers(points, colour, size=size, marker=marker, alpha=0.9))
    return parts


def _group(item: int) -> int:
    return item if item < 2 else 2 if item % 10 == 0 else 3


def _framed_plane(element: Any, ds: xr.Dataset, title: str) -> Any:
    limits = {f"{name}lim": (float(ds[name][0]), float(ds[name][-1])) for name in ("x", "y")}
    return theme.frame(
        element, title=title, xlabel="x₁", ylabel="x₂", height=430, equal_units=True, legend=None, **limits
    )
