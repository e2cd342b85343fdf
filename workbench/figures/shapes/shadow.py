"""A sample and its complex, the shadow with its holes, and what changes with the scales."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

HANDLE = "vertices"
MOST_NUMBERED = 30
PIECE, HOLE = theme.SERIES[4], theme.SERIES[1]


def sampled_complex(ds: xr.Dataset) -> Any:
    """Draw the sample, the edges of its complex, and the graph, whose vertices can be dragged."""
    ends = ds.vertex.values[ds.graph_edge.values] if ds.sizes["edge_number"] else np.empty((0, 2, 2))
    unusual = ~np.isin(ds.point_degree.values, (2, -1))
    points = ds.point.values
    number = np.arange(ds.sizes["vertex_number"])
    names = ["x", "y", "x1", "y1"]
    handles = hv.Points((*ds.vertex.values.T, number), ["x", "y"], "item", label=HANDLE)
    parts = [
        theme.line(hv.Segments(ds.edge.values, names), theme.NEUTRAL, width=0.6, alpha=0.35),
        theme.line(hv.Segments(ends.reshape(-1, 4), names), theme.SERIES[2], width=2.5, alpha=0.8),
        theme.markers(hv.Points(points[~unusual], ["x", "y"], label="sample"), theme.SERIES[0], size=5),
        theme.markers(hv.Points(points[unusual], ["x", "y"], label="ways on ≠ 2"), theme.SERIES[5], size=7),
        theme.markers(handles, theme.SERIES[2], size=13, marker="diamond", alpha=0.7),
    ]
    return theme.frame(
        hv.Overlay(parts), title="Sample and complex", xlabel="x", ylabel="y", legend="bottom", **_limits(ds)
    )


def shadow_holes(ds: xr.Dataset) -> Any:
    """Draw the shadow filled, its holes numbered from the largest, and the cells without an apex."""
    holes = _outlines(ds, of_holes=True)
    filled = sorted(
        _outlines(ds, of_holes=False) + holes, key=_size, reverse=True
    )  # what lies in a hole comes after it
    places = [(*_middle(one), str(k + 1)) for k, one in enumerate(holes[:MOST_NUMBERED])]
    labels = hv.Labels(places, ["x", "y"], "hole")
    failing = hv.Points(ds.failing_cell.values, ["x", "y"], label="no apex")
    edges = hv.Segments(ds.edge.values, ["x", "y", "x1", "y1"])
    parts = [
        theme.line(edges, PIECE, width=1, alpha=0.5),
        _filled(hv.Polygons(filled, ["x", "y"], "is_hole")),
        theme.styled(labels, bokeh={"text_color": "black"}, matplotlib={"color": "black"}),
        theme.markers(hv.Points(ds.point.values, ["x", "y"], label="sample"), theme.SERIES[0], size=4),
        theme.markers(failing, theme.SERIES[5], size=9, marker="diamond"),
    ]
    return theme.frame(
        hv.Overlay(parts), title="Shadow and its holes", xlabel="x", ylabel="y", legend="bottom", **_limits(ds)
    )


def shadow_scales_map(ds: xr.Dataset) -> Any:
    """Draw the holes over both scales, with the theorems' windows and a diamond at the scales that stand."""
    known = ds.holes_shadow.where(ds.holes_shadow >= 0, ds.holes_complex)
    holes = known.where(known >= 0).astype(float)
    top = max(float(ds.truth[1]) + 2, 3.0)
    beta, share = float(ds.beta_now), float(ds.epsilon_now / ds.beta_now)
    empty: tuple[list[float], list[float]] = ([], [])
    limit, allowed = float(ds.beta_limit), float(ds.epsilon_share)
    window = ([limit, limit, 0.0], [0.0, allowed, allowed]) if np.isfinite(limit) else empty
    limit, allowed = float(ds.first_limit), float(ds.first_share)
    first = ([limit, limit, 0.0], [0.0, allowed, allowed]) if np.isfinite(limit) else empty
    parts = [
        theme.image(_image(holes), clim=(0, top), label="holes", bar="bottom"),
        theme.line(
            hv.Curve(window, "beta", "share", label="theorem's window"), theme.SERIES[5], width=3, dash="dashed"
        ),
        theme.line(hv.Curve(first, "beta", "share", label="for the complex"), theme.SERIES[5], width=3, dash="dotted"),
        theme.markers(
            hv.Points(([beta], [share]), ["beta", "share"], label="now"), theme.SERIES[5], size=13, marker="diamond"
        ),
    ]
    end = 1.05 * max(float(ds.extent) / 2, beta)
    return theme.frame(
        hv.Overlay(parts),
        title="Holes over the scales",
        xlabel="β",
        ylabel="ε / β",
        xlim=(0, end),
        ylim=(0, 1.05),
        legend=None,
    )


def holes_of_scales(ds: xr.Dataset) -> Any:
    """Draw the holes of shadow and Euclidean complex over β for each graph, and the theorem's limits."""
    parts: list[Any] = []
    for k, graph in enumerate(ds.graph.values):
        one = ds.sel(graph=graph)
        parts += theme.marked_curve(
            (ds.share.values, one.shadow.values[:, 1] + 0.06 * k), "share", "holes", str(graph), k
        )
        euclidean = hv.Curve((ds.share.values, one.euclidean.values[:, 1] + 0.06 * k), "share", "holes")
        parts.append(theme.line(euclidean, theme.SERIES[k], width=1, dash="dotted"))
        limit = hv.Scatter(([float(one.allowed)], [0.06 * k]), "share", "holes")
        parts.append(theme.markers(limit, theme.SERIES[k], size=11, marker="triangle"))
    return theme.frame(
        hv.Overlay(parts),
        title="Holes that are found (dotted: Euclidean; ▲ the theorem's limit)",
        xlabel="β / shortest cycle",
        ylabel="holes",
        legend="bottom",
    )


def graph_numbers(ds: xr.Dataset) -> Any:
    """Draw the largest β and the points that each theorem asks for."""
    limits = ds.beta_limit.values
    data = (np.arange(len(limits)), np.maximum(limits, theme.SMALLEST))
    return theme.frame(
        theme.markers(hv.Scatter(data, "theorem", "beta"), theme.SERIES[0], size=11),
        title="Largest β allowed",
        xlabel="theorem",
        ylabel="β",
        logy=True,
        xticks=list(enumerate(map(str, ds.theorem.values))),
        xlim=(-0.5, len(limits) - 0.5),
    )


def scales_of_points(ds: xr.Dataset) -> Any:
    """Draw the holes of a shadow over ε and β; white where they were not computed."""
    holes = ds.holes_shadow.where(ds.holes_shadow >= 0).astype(float)
    mesh = hv.QuadMesh((ds.beta.values, ds.epsilon.values, holes.values), ["beta", "epsilon"], "holes")
    single = min(ds.sizes["beta"], ds.sizes["epsilon"]) < 2
    if single:  # a cell of a mesh needs neighbours to have a size
        across, up = np.meshgrid(ds.beta.values, ds.epsilon.values)
        places = hv.Points((across.ravel(), up.ravel(), holes.values.ravel()), ["beta", "epsilon"], "holes")
        styled = theme.markers(places, theme.SERIES[0], size=9)
    else:
        styled = theme.image(mesh, label="holes")
    return theme.frame(styled, title="Holes of the shadow", xlabel="β", ylabel="ε")


def counted_twice(ds: xr.Dataset) -> Any:
    """Draw the holes of each random complex against those of its shadow."""
    pair = hv.Scatter((ds.complex.values[:, 1], ds.shadow.values[:, 1]), "complex", "shadow holes", label="samples")
    end = float(max(ds.complex.values[:, 1].max(), ds.shadow.values[:, 1].max(), 1))
    parts = [
        theme.line(
            hv.Curve(([0, end], [0, end]), "complex", "shadow holes", label="equal"), theme.NEUTRAL, dash="dotted"
        ),
        theme.markers(pair, theme.SERIES[0], size=9, alpha=0.4),
    ]
    return theme.frame(hv.Overlay(parts), title="Counted twice", xlabel="b₁ of the complex", ylabel="b₁ of the shadow")


def runs_in_window(ds: xr.Dataset) -> Any:
    """Draw the points and edges of the runs inside the theorem's window."""
    across = np.arange(ds.sizes["graph"])
    parts = [
        theme.markers(hv.Scatter((across, ds.n.values), "run", "count", label="points"), theme.SERIES[0], size=11),
        theme.markers(
            hv.Scatter((across, ds.edges.values), "run", "count", label="edges"),
            theme.SERIES[1],
            size=11,
            marker="square",
        ),
    ]
    ticks = [(k, str(name)) for k, name in enumerate(ds.graph.values)]
    return theme.frame(
        hv.Overlay(parts),
        title="What the theorem asks for",
        xlabel="graph",
        ylabel="number",
        logy=True,
        xticks=ticks,
        xlim=(-0.5, len(across) - 0.5),
    )


def _filled(element: Any) -> Any:
    colours = {"color": "is_hole", "cmap": [PIECE, HOLE], "clim": (0, 1), "colorbar": False}
    return theme.styled(element, bokeh={**colours, "line_width": 0.5}, matplotlib={**colours, "edgecolor": "none"})


def _size(outline: dict[str, Any]) -> float:
    """Return the area of an outline, which orders those that lie in one another."""
    x, y = outline["x"] - outline["x"][0], outline["y"] - outline["y"][0]
    return abs(float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))))


def _outlines(ds: xr.Dataset, *, of_holes: bool) -> list[dict[str, Any]]:
    corners, part, hole = ds.outline.values, ds.part.values, ds.hole.values
    chosen = (hole > 0) == of_holes
    starts = np.flatnonzero(np.diff(part[chosen], prepend=-1)) if chosen.any() else np.empty(0, np.int64)
    pieces = np.split(corners[chosen], starts[1:]) if len(starts) else []
    return [{"x": piece[:, 0], "y": piece[:, 1], "is_hole": int(of_holes)} for piece in pieces if len(piece) > 2]


def _middle(outline: dict[str, Any]) -> tuple[float, float]:
    """Return a place for a number: the middle of the widest stretch of the hole at half its height."""
    x, y = outline["x"], outline["y"]
    level = (y.min() + y.max()) / 2
    x2, y2 = np.roll(x, -1), np.roll(y, -1)
    cuts = (y > level) != (y2 > level)
    at = np.sort(x[cuts] + (level - y[cuts]) / (y2[cuts] - y[cuts]) * (x2[cuts] - x[cuts]))
    if len(at) < 2:
        return float(x.mean()), float(y.mean())
    inside = at[: len(at) // 2 * 2].reshape(-1, 2)
    left, right = inside[np.argmax(inside[:, 1] - inside[:, 0])]
    return float((left + right) / 2), float(level)


def _image(holes: xr.DataArray) -> Any:
    if min(holes.shape) < 2:
        return hv.Image(np.full((1, 1), np.nan), bounds=(0, 0, 1, 1), kdims=["beta", "share"], vdims="holes")
    beta, share = holes.beta.values, holes.share.values
    dx, dy = beta[1] - beta[0], share[1] - share[0]
    bounds = (beta[0] - dx / 2, share[0] - dy / 2, beta[-1] + dx / 2, share[-1] + dy / 2)
    return hv.Image(holes.values[::-1], bounds=bounds, kdims=["beta", "share"], vdims="holes")


def _limits(ds: xr.Dataset) -> dict[str, Any]:
    every = np.concatenate([ds.point.values, ds.vertex.values])
    low, high = every.min(axis=0), every.max(axis=0)
    edge = 0.06 * float((high - low).max())
    return {
        "xlim": (float(low[0] - edge), float(high[0] + edge)),
        "ylim": (float(low[1] - edge), float(high[1] + edge)),
        "equal_units": True,
    }
