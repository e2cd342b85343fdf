"""Rewards: the painted worlds with their policies, the polygon of both returns, distances against the regret."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

ARROWS = ("←", "↓", "→", "↑")
FINE = 13
"""Points a side of a cell that is divided in four, one triangle for each move; lines between them stay empty."""
APART = 1.0
"""Cells between the two maps of one picture."""
VISITED = 1e-9
STARC = ("range", "val", "minimal")
INK = "#1A1A1A"  # on cells, which are light in either mode
PALE = 1.6  # colours end before the dark ones, on which nothing could be read


def reward_maps(ds: xr.Dataset) -> Any:
    """Draw both rewards side by side, each with its best policy as arrows where that goes; tiles as letters."""
    tiles = ds.tile.values
    if ds.attrs.get("fooled"):
        shown = [ds[f"expected_{k}"].values.mean(axis=1)[: tiles.size].reshape(tiles.shape) for k in (1, 2)]
    else:
        shown = [ds[f"painted_{k}"].values for k in (1, 2)]
    visits = [ds[f"best_visits_{k}"].values for k in (1, 2)]
    return _maps(tiles, shown, visits, ("Reward 1", "Reward 2"), signed=True, title="Rewards, and their best policies")


def pair_maps(ds: xr.Dataset) -> Any:
    """Draw the two policies behind the regret side by side: how often each visits a cell, and where it goes."""
    tiles = ds.tile.values
    visits = [ds[f"pair_visits_{k}"].values for k in (1, 2)]
    shown = [np.sqrt(x.sum(axis=1)[: tiles.size].reshape(tiles.shape)) for x in visits]
    names = ("π₁", "π₂")
    return _maps(tiles, shown, visits, names, signed=False, title="The two policies behind the regret")


def advantage_maps(ds: xr.Dataset) -> Any:
    """Draw the advantages of the uniform policy side by side, those of a cell towards the move; each by its largest.

    They are the canonical forms that VAL compares. Red: better than the mean of the moves from there.
    """
    tiles = ds.tile.values
    down, right = np.mgrid[:FINE, :FINE] - FINE // 2
    inside = np.maximum(np.abs(down), np.abs(right)) < FINE // 2
    flat, steep = inside & (np.abs(right) > np.abs(down)), inside & (np.abs(down) > np.abs(right))
    where = (flat & (right < 0), steep & (down > 0), flat & (right > 0), steep & (down < 0))  # as the arrows
    shown = []
    for k in (1, 2):
        found = ds[f"advantage_{k}"].values[: tiles.size]
        found = (found / (np.abs(found).max() or 1.0)).reshape(*tiles.shape, len(ARROWS))
        fine = np.full((*tiles.shape, FINE, FINE), np.nan)
        for a, triangle in enumerate(where):
            fine[:, :, triangle] = found[:, :, a, None]
        shown.append(fine.swapaxes(1, 2).reshape(tiles.shape[0] * FINE, tiles.shape[1] * FINE))
    visits = [np.zeros((tiles.size, len(ARROWS)))] * 2
    title = "Advantages, each over its largest"
    return _maps(tiles, shown, visits, ("Reward 1", "Reward 2"), signed=True, title=title)


def map_cell(x: float, y: float, shape: tuple[int, int]) -> tuple[int, int, int] | None:
    """Return side (0 or 1), row and column of the cell under a point of :func:`reward_maps`; None beside the maps."""
    rows, columns = shape
    row = int(np.floor(0.5 - y)) if np.isfinite(y) else -1
    if not np.isfinite(x) or not 0 <= row < rows:
        return None
    for side in (0, 1):
        column = int(np.floor(x + 0.5 - side * (columns + APART)))
        if 0 <= column < columns:
            return side, row, column
    return None


def _maps(tiles: Any, shown: Any, visits: Any, names: Any, *, signed: bool, title: str) -> Any:
    rows, columns = tiles.shape
    wall = tiles == "#"
    walls = [np.kron(wall, np.ones(np.floor_divide(values.shape, wall.shape), dtype=bool)) for values in shown]
    shown = [np.where(hidden, np.nan, values) for hidden, values in zip(walls, shown, strict=True)]
    largest = max((float(np.nanmax(np.abs(values), initial=0.0)) for values in shown), default=0.0) or 1.0
    largest *= PALE
    limits = (-largest, largest) if signed else (0.0, largest)
    parts, letters, heads = [], [], []
    for side, (values, x, name) in enumerate(zip(shown, visits, names, strict=True)):
        left = side * (columns + APART)
        bounds = (left - 0.5, -rows + 0.5, left + columns - 0.5, 0.5)
        image = hv.Image(values, ["x", "y"], "value", bounds=bounds)
        colours = {"colormap": None} if signed else {"colormap": "Blues"}
        parts.append(theme.image(image, signed=signed, clim=limits, colorbar=False, **colours))
        heads.append((left + (columns - 1) / 2, 0.95, name))
        letters += [(left + c, -float(r), _mark(tiles[r, c], x[r * columns + c])) for r, c in np.ndindex(tiles.shape)]
    letters = [one for one in letters if one[2]]
    size = f"{max(9, min(16, 90 // max(rows, columns)))}pt"
    cells = hv.Labels(letters, ["x", "y"], "mark")
    style = {"text_color": INK, "text_font_size": size}
    parts.append(theme.styled(cells, bokeh=style, matplotlib={"color": INK, "size": int(size[:-2])}))
    style = {"text_color": theme.NEUTRAL, "text_font_size": "10pt"}
    parts.append(
        theme.styled(hv.Labels(heads, ["x", "y"], "name"), bokeh=style, matplotlib={"color": theme.NEUTRAL, "size": 9})
    )
    made = theme.frame(
        hv.Overlay(parts),
        title=title,
        xlabel="",
        ylabel="",
        equal_units=True,
        xlim=(-0.7, 2 * columns + APART - 0.3),
        ylim=(-rows + 0.3, 1.3),
        xaxis=None,
        yaxis=None,
        legend=None,
    )
    return theme.styled(made, bokeh={"show_grid": False}, matplotlib={"show_grid": False})


def _mark(tile: str, visits: np.ndarray) -> str:
    """Return what stands in a cell: its letter where it is special, the moves that are made from it."""
    if tile == "#":
        return ""
    moves = [ARROWS[a] for a in np.argsort(-visits, kind="stable") if visits[a] > VISITED * max(visits.sum(), 1)]
    return (tile if tile in "SGH" else "") + "".join(moves[:2])


def return_polygon(ds: xr.Dataset) -> Any:
    """Draw all policies as the polygon of their returns (J₁, J₂), and the pair of the regret."""
    if "vertex_1" not in ds:
        return distance_bars(ds)
    x, y = (np.append(ds[name].values, ds[name].values[0]) for name in ("vertex_1", "vertex_2"))
    best = float(ds.best[0]), float(ds.best[1])
    parts = [
        theme.line(hv.Curve((x, y), "J₁", "J₂", label="policies"), theme.SERIES[0], width=2.5),
        theme.markers(hv.Scatter((x, y), "J₁", "J₂"), theme.SERIES[0], size=5),
        theme.line(hv.VLine(best[0]), theme.NEUTRAL, width=1, dash="dotted"),
        theme.line(hv.HLine(best[1]), theme.NEUTRAL, width=1, dash="dotted"),
    ]
    chord = ds.chord_1.values, ds.chord_2.values
    parts += [
        theme.line(hv.Curve(chord, "J₁", "J₂", label="regret's pair"), theme.REFERENCE, width=4),
        theme.markers(hv.Scatter(chord, "J₁", "J₂"), theme.REFERENCE, size=10, marker="diamond"),
    ]
    kept = hv.Scatter(([float(ds.kept[0])], [best[1]]), "J₁", "J₂", label="best for R₂")
    parts.append(theme.markers(kept, theme.SERIES[2], size=13, marker="triangle"))
    return theme.frame(
        hv.Overlay(parts),
        title="Returns of all policies",
        xlabel="J₁, return under reward 1",
        ylabel="J₂, return under reward 2",
        legend="bottom",
    )


def distance_bars(ds: xr.Dataset) -> Any:
    """Draw what every distance says, and the worst-case regret beside."""
    names = [*map(str, ds.yardstick_label.values), "worst-case regret"]
    values = [*map(float, ds.distance.values), float(ds.regret[0])]
    colours = [theme.SERIES[0] if str(name) in STARC else theme.SERIES[1] for name in ds.yardstick.values]
    rows = list(zip(names, values, [*colours, theme.REFERENCE], strict=True))
    bars = hv.Bars(rows[::-1], "yardstick", ["distance", "colour"])
    return theme.frame(
        theme.bars(bars, "colour"),
        title="What each distance says",
        xlabel="",
        ylabel="distance, or regret",
        ylim=(0, 1.02),
        invert_axes=True,
    )


def regret_cone(ds: xr.Dataset) -> Any:
    """Draw the cone d ≤ W ≤ 2 d, which holds for the range metric in every MDP, and each distance at this regret."""
    edge = np.array([0.0, 0.5, 1.0])
    cone = hv.Area((edge, edge, np.minimum(2 * edge, 1)), "d", ["W", "upper"], label="d ≤ W ≤ 2d")
    parts: list[Any] = [theme.band(cone, theme.SERIES[0], alpha=0.25)]
    for k in range(ds.sizes["yardstick"]):
        point = ([float(ds.distance[k])], [float(ds.regret[0])])
        label = str(ds.yardstick_label.values[k])
        marks = hv.Scatter(point, "d", "W", label=label)
        parts.append(theme.markers(marks, theme.SERIES[k % len(theme.SERIES)], size=13, marker=theme.MARKERS[k % 6]))
    return theme.frame(
        hv.Overlay(parts),
        title="Distance and worst-case regret",
        xlabel="distance d",
        ylabel="worst-case regret W",
        xlim=(-0.02, 1.02),
        ylim=(-0.02, 1.04),
        legend="bottom_right",
    )


def regret_correlation_bars(ds: xr.Dataset) -> Any:
    """Draw how well every distance ranks pairs of rewards by each of three regrets."""
    labels = [str(name) for name in ds.yardstick_label.values]
    names = {"greedy": "of reward 2's best policy", "mean": "mean of both ways", "worst": "worst case"}
    parts = []
    for k, target in enumerate(map(str, ds.target.values)):
        values = ds.spearman.sel(target=target).values
        marks = hv.Scatter((labels, values), "yardstick", "correlation", label=names.get(target, target))
        parts.append(theme.markers(marks, theme.SERIES[k], size=11, marker=theme.MARKERS[k]))
    return theme.frame(
        hv.Overlay(parts),
        title="Which distance follows the regret",
        xlabel="",
        ylabel="Spearman correlation",
        xrotation=30,
        legend="bottom",
    )


def bound_spread(ds: xr.Dataset) -> Any:
    """Draw the regret over the distance in random MDPs, every one a point; 1 and 2 are the range metric's bounds."""
    parts = []
    rng = np.random.default_rng(0)
    for k, label in enumerate(map(str, ds.yardstick_label.values)):
        values = ds.ratio.values[k]
        values = values[np.isfinite(values) & (values > 0)]
        across = k + rng.uniform(-0.3, 0.3, size=len(values))
        marks = hv.Scatter((across, values), "yardstick", "ratio", label=label)
        parts.append(theme.markers(marks, theme.SERIES[k % len(theme.SERIES)], size=3, alpha=0.5))
    parts += [theme.line(hv.HLine(value), theme.NEUTRAL, width=1.5, dash="dashed") for value in (1.0, 2.0)]
    ticks = [(k, str(label)) for k, label in enumerate(ds.yardstick_label.values)]
    return theme.frame(
        hv.Overlay(parts),
        title="Worst-case regret over distance",
        xlabel="",
        ylabel="W ÷ d",
        xticks=ticks,
        xrotation=30,
        logy=True,
        legend=None,
    )


def fooling_curves(ds: xr.Dataset) -> Any:
    """Draw the regret of the fooling pairs against the distance that each yardstick sees of them."""
    parts = []
    for k, label in enumerate(map(str, ds.yardstick_label.values)):
        order = np.argsort(ds.seen.values[k])
        parts += theme.marked_curve(
            (ds.seen.values[k][order], ds.regret.values[k][order]), "distance", "regret", label, k
        )
    return theme.frame(
        hv.Overlay(parts),
        title="Pairs that fool each distance",
        xlabel="distance seen",
        ylabel="worst-case regret",
        logx=True,
        logy=True,
        legend="bottom",
    )
