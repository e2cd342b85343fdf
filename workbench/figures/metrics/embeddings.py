"""Embeddings: unseen classes in the plane, neighbours, what the confusion term changes, and what it does not see."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

RIGHT, WRONG = theme.SERIES[2], theme.SERIES[5]
CLASS_A, BEFORE, AFTER = "A", "B before", "B after"
MOST_NAMES = 12
SIMPLE_LABELS = {"raw": "raw", "pca": "PCA", "random": "untrained", "lda": "LDA", "nca": "NCA"}
SIDE = 8
SCORE_MARKS = (("map_at_r", "MAP@R", "circle"), ("recall_at_1", "R@1", "square"))


def _series(k: int) -> tuple[str, str]:
    """Return colour and marker of the k-th class."""
    return theme.SERIES[k % len(theme.SERIES)], theme.MARKERS[(k // len(theme.SERIES) + k) % len(theme.MARKERS)]


def embedding_plane(ds: xr.Dataset, *, query: int = 0) -> Any:
    """Draw unseen items by class in the plane of their two widest axes, with a query and its neighbours marked."""
    x, y = ds.place.values.T
    label = ds.label.values
    kinds = np.unique(label)
    parts = []
    for k, kind in enumerate(kinds):
        rows = np.flatnonzero(label == kind)
        colour, marker = _series(k)
        data = (x[rows], y[rows], rows, label[rows])
        named = str(kind) if len(kinds) <= MOST_NAMES else ""
        points = hv.Points(data, ["x", "y"], ["item", "class"], label=named)
        parts.append(theme.markers(points, colour, size=6, marker=marker, alpha=0.55))
    near = ds.neighbour.values[query]
    is_right = ds.right.values[query].astype(bool)
    for chosen, name, colour, mark in ((is_right, "right", RIGHT, "circle"), (~is_right, "wrong", WRONG, "square")):
        ring = hv.Scatter((x[near[chosen]], y[near[chosen]]), "x", "y", label=name)
        parts.append(theme.markers(ring, colour, size=11, marker=mark))
    here = hv.Scatter(([x[query]], [y[query]]), "x", "y", label="query")
    parts.append(theme.markers(here, theme.SERIES[1], size=15, marker="diamond"))
    share = ds.explained.values
    return theme.frame(
        hv.Overlay(parts),
        title="Unseen classes, embedded",
        xlabel=f"widest axis ({share[0]:.0%})",
        ylabel=f"second axis ({share[1]:.0%})",
        height=430,
        legend="bottom",
    )


def neighbour_tiles(ds: xr.Dataset, *, query: int = 0) -> Any:
    """Draw a query and its nearest items in a row: pictures where there are some, a frame and a mark for each."""
    rows = np.r_[query, ds.neighbour.values[query]]
    right = np.r_[True, ds.right.values[query].astype(bool)]
    step = SIDE + 2
    parts = []
    if "pixels" in ds:
        sheet = np.full((SIDE, step * len(rows)), np.nan)
        for k, row in enumerate(rows):
            sheet[:, k * step + 1 : k * step + 1 + SIDE] = ds.pixels.values[row].reshape(SIDE, SIDE)
        picture = hv.Image(sheet, bounds=(0, 0, step * len(rows), SIDE), kdims=["x", "y"], vdims="grey")
        parts.append(theme.image(picture, colorbar=False, clim=(0, 16), colormap="gray"))
    for chosen, colour in ((right, RIGHT), (~right, WRONG)):
        k = np.flatnonzero(chosen)
        frames = hv.Rectangles(
            (k * step + 0.5, np.full(len(k), -0.5), k * step + step - 0.5, np.full(len(k), SIDE + 0.5))
        )
        parts.append(
            theme.styled(
                frames,
                bokeh={"fill_alpha": 0, "line_color": colour, "line_width": 3},
                matplotlib={"facecolor": "none", "edgecolor": colour, "linewidth": 2.5},
            )
        )
    told = ["query", *("✔" if one else "✘" for one in right[1:])]
    words = [f"{mark} {name}" for mark, name in zip(told, ds.label.values[rows], strict=True)]
    places = np.arange(len(rows)) * step + step / 2
    texts = hv.Labels((places, np.full(len(rows), SIDE + 1.8), words), ["x", "y"], "text")
    parts.append(
        theme.styled(
            texts,
            bokeh={"text_color": theme.NEUTRAL, "text_font_size": "10pt"},
            matplotlib={"color": theme.NEUTRAL, "size": 9},
        )
    )
    return theme.frame(
        hv.Overlay(parts),
        title="The query and its nearest",
        xlabel="",
        ylabel="",
        xaxis=None,
        yaxis=None,
        xlim=(0, step * len(rows)),
        ylim=(-1.5, SIDE + 3.5),
        height=190,
        aspect=4,
        legend=None,
    )


def retrieval_methods(ds: xr.Dataset) -> Any:
    """Draw R@1 and MAP@R of the unseen items by both networks and by simple features, with intervals over queries."""
    names = [str(name) for name in ds.embedding.values]
    rows = np.arange(len(names), dtype=float)[::-1]
    parts = []
    for k, (name, label, marker) in enumerate(SCORE_MARKS):
        colour = theme.SERIES[k]
        value, low, high = (ds[f"{name}{end}"].values for end in ("", "_low", "_high"))
        reach = hv.Segments((low, rows, high, rows), ["score", "row", "score2", "row2"])
        marks = hv.Scatter((value, rows), "score", "row", label=label)
        parts += [theme.line(reach, colour, width=3), theme.markers(marks, colour, size=10, marker=marker)]
    return theme.frame(
        hv.Overlay(parts),
        title="Unseen items, by features",
        xlabel="score, 95 % over queries",
        ylabel="",
        yticks=[(float(row), name) for row, name in zip(rows, names, strict=True)],
        xlim=(0, 1.02),
        ylim=(-0.6, len(names) - 0.4),
        legend="bottom",
    )


def confusion_curve(ds: xr.Dataset, *, loss: str | None = None) -> Any:
    """Draw MAP@R of the unseen items against λ, mean over splits with paired intervals; simple features as lines."""
    weights = ds.confusion.values
    places = np.arange(len(weights), dtype=float)
    losses = [str(name) for name in ds.loss.values]
    parts = []
    for k, name in enumerate(losses):
        if loss is not None and name != loss:
            continue
        one = ds.sel(loss=name)
        mean = one.map_at_r.mean("split").values
        colour, marker = theme.SERIES[k % len(theme.SERIES)], theme.MARKERS[k % len(theme.MARKERS)]
        bars = hv.ErrorBars((places, mean, one.map_at_r_reach.values), "place", ["value", "reach"])
        parts += [
            theme.line(hv.Curve((places, mean), "place", "value", label=name), colour, dash=theme.DASHES[k % 4]),
            theme.error_bars(bars, colour),
            theme.markers(hv.Scatter((places, mean), "place", "value"), colour, size=8, marker=marker),
        ]
    ends = np.array([-0.3, len(weights) - 0.7])
    for k, name in enumerate(ds.baseline.values):
        level = float(ds.map_at_r_simple.sel(baseline=name).mean())
        line = hv.Curve((ends, [level, level]), "place", "value", label=SIMPLE_LABELS.get(str(name), str(name)))
        colour = theme.SERIES[(k + 4) % len(theme.SERIES)]
        parts.append(theme.line(line, colour, width=1.5, dash="dotted"))
    return theme.frame(
        hv.Overlay(parts),
        title="MAP@R of unseen classes against λ",
        xlabel="weight λ of the confusion term",
        ylabel="MAP@R, mean over splits",
        xticks=_ticks(weights),
        xlim=(-0.3, len(weights) - 0.7),
        legend="bottom",
    )


def confusion_changes(ds: xr.Dataset) -> Any:
    """Draw what the term changes in MAP@R, paired with λ = 0 of the same split, with 95 % intervals over splits."""
    weights = ds.confusion.values
    places = np.arange(len(weights), dtype=float)
    parts = [theme.line(hv.HLine(0.0), theme.NEUTRAL, width=1, dash="dotted")]
    losses = [str(name) for name in ds.loss.values]
    for k, name in enumerate(losses):
        one = ds.sel(loss=name)
        at = places[1:] + 0.12 * (k - (len(losses) - 1) / 2)
        change, reach = one.map_at_r_difference.values[1:], one.map_at_r_reach.values[1:]
        colour, marker = theme.SERIES[k % len(theme.SERIES)], theme.MARKERS[k % len(theme.MARKERS)]
        bars = hv.ErrorBars((at, change, reach), "place", ["change", "reach"])
        marks = hv.Scatter((at, change), "place", "change", label=name)
        parts += [theme.error_bars(bars, colour), theme.markers(marks, colour, size=9, marker=marker)]
    return theme.frame(
        hv.Overlay(parts),
        title="Change of MAP@R by the term",
        xlabel="weight λ of the confusion term",
        ylabel="MAP@R minus that at λ = 0",
        xticks=_ticks(weights)[1:],
        xlim=(0.4, max(len(weights) - 0.4, 1.6)),
        legend="bottom",
    )


def split_spread(ds: xr.Dataset, *, loss: str | None = None, weight: float | None = None) -> Any:
    """Draw the change by the term against MAP@R at λ = 0, a mark a split: how small the one is beside the other."""
    one = ds.sel(loss=str(ds.loss.values[0]) if loss is None else loss)
    k = 1 if weight is None else int(np.argmin(np.abs(ds.confusion.values - weight)))
    base = one.map_at_r.values[0]
    change = one.map_at_r.values[k] - base
    marks = theme.markers(hv.Scatter((base, change), "base", "change"), theme.SERIES[0], size=6, alpha=0.6)
    zero = theme.line(hv.HLine(0.0), theme.NEUTRAL, width=1, dash="dotted")
    return theme.frame(
        hv.Overlay([zero, marks]),
        title=f"Each split: {one.loss.item()}, λ = {float(ds.confusion[k]):g}",
        xlabel="MAP@R at λ = 0",
        ylabel="change by the term",
        legend=None,
    )


def _ticks(weights: np.ndarray) -> list[tuple[float, str]]:
    return [(float(k), f"{weight:.3g}") for k, weight in enumerate(weights)]


# ---- two classes under the hand -------------------------------------------------------------------------------------


def confusion_points(ds: xr.Dataset) -> Any:
    """Draw class A, class B as it was and B reshaped at its mean and trace; A and B can be dragged on a page."""
    a, before, after = ds.a.values, ds.before.values, ds.after.values
    items = (np.arange(len(a)), len(a) + np.arange(len(before)))
    parts = [
        theme.markers(
            hv.Points((*before.T, items[1]), ["x", "y"], "item", label=BEFORE),
            theme.NEUTRAL,
            size=7,
            marker="square",
            alpha=0.5,
        ),
        theme.markers(
            hv.Points((*a.T, items[0]), ["x", "y"], "item", label=CLASS_A), theme.SERIES[0], size=9, alpha=0.7
        ),
        theme.markers(
            hv.Points(tuple(after.T), ["x", "y"], label=AFTER), theme.SERIES[1], size=9, marker="triangle", alpha=0.8
        ),
    ]
    every = np.concatenate([a, before, after])
    low, high = every.min(axis=0), every.max(axis=0)
    margin = 0.06 * float(np.max(high - low) or 1.0)
    return theme.frame(
        hv.Overlay(parts),
        title="Two classes: B reshaped, same mean and trace",
        xlabel="x",
        ylabel="y",
        xlim=(float(low[0] - margin), float(high[0] + margin)),
        ylim=(float(low[1] - margin), float(high[1] + margin)),
        equal_units=True,
        height=430,
        legend="bottom",
    )


DIALS = (
    ("confusion", "energy confusion E", "diamond"),
    ("distance", "energy distance of A and B", "circle"),
    ("map_at_r", "MAP@R", "square"),
    ("recall_at_1", "R@1", "triangle"),
)


def sight_dials(ds: xr.Dataset) -> Any:
    """Draw what each yardstick reads after the reshaping, as a multiple of what it read before."""
    parts = [theme.line(hv.VLine(1.0), theme.NEUTRAL, width=1.5, dash="dotted")]
    rows = []
    for k, (name, label, marker) in enumerate(DIALS):
        before, after = ds[name].values
        ratio = after / before if before > 0 else 1.0
        row = float(len(DIALS) - 1 - k)
        rows.append((row, label))
        colour = theme.SERIES[k]
        hand = hv.Segments([(1.0, row, ratio, row)], ["ratio", "row", "ratio2", "row2"])
        mark = hv.Scatter(([ratio], [row]), "ratio", "row", label=label)
        parts += [theme.line(hand, colour, width=5), theme.markers(mark, colour, size=13, marker=marker)]
    return theme.frame(
        hv.Overlay(parts),
        title="After, as a multiple of before",
        xlabel="after ÷ before",
        ylabel="",
        yticks=sorted(rows),
        ylim=(-0.6, len(DIALS) - 0.4),
        legend=None,
    )


def sight_along(ds: xr.Dataset) -> Any:
    """Draw the same multiples where B is stretched more and more at its mean and trace: E stands, the others move."""
    parts = []
    for k, (name, label, _) in enumerate(DIALS):
        before = float(ds[name].values[0])
        if before > 0:
            values = ds[f"{name}_along"].values / before
            curve = hv.Curve((ds["along"].values, values), "stretch", "ratio", label=label)
            parts.append(theme.line(curve, theme.SERIES[k], width=2.5, dash=theme.DASHES[k % 4]))
    return theme.frame(
        hv.Overlay(parts),
        title="Stretched along the turn",
        xlabel="stretch: variances (1 + s) : (1 − s)",
        ylabel="multiple of that before",
        legend="bottom",
    )


# ---- single results -------------------------------------------------------------------------------------------------


def class_distances(ds: xr.Dataset) -> Any:
    """Draw the energy distance of every pair of classes as a table of colours."""
    names = [str(name) for name in ds["class"].values]
    places = np.arange(len(names), dtype=float)
    mesh = hv.QuadMesh((places, places, ds.distance.values), ["class", "other"], "distance")
    ticks = [(float(k), name) for k, name in enumerate(names)] if len(names) <= 30 else None
    return theme.frame(
        theme.image(mesh, label="energy distance"),
        title=f"Energy distance of classes (E = {float(ds.value):.4g})",
        xlabel="class",
        ylabel="other class",
        xticks=ticks,
        yticks=ticks,
    )


def classes_retrieved(ds: xr.Dataset) -> Any:
    """Draw R@1 and MAP@R of each class, and of all queries as lines."""
    names = [str(name) for name in ds["class"].values]
    places = np.arange(len(names), dtype=float)
    parts = []
    for k, (name, label, marker) in enumerate(SCORE_MARKS):
        marks = hv.Scatter((places, ds[f"{name}_of_class"].values), "class", "score", label=label)
        parts.append(theme.markers(marks, theme.SERIES[k], size=9, marker=marker))
        parts.append(theme.line(hv.HLine(float(ds[name])), theme.SERIES[k], width=1.5, dash="dashed"))
    return theme.frame(
        hv.Overlay(parts),
        title="Retrieval, class by class",
        xlabel="class",
        ylabel="score",
        xticks=[(float(k), name) for k, name in enumerate(names)] if len(names) <= 30 else None,
        ylim=(0, 1.02),
        legend="bottom",
    )


def hidden_class(ds: xr.Dataset) -> Any:
    """Draw how far the moved class is from what it was, step by step, and the bound that no shape exceeds."""
    step = ds["step"].values.astype(float)
    curve = hv.Curve((step, ds.distance.values), "step", "distance", label="energy distance to what it was")
    bound = hv.Curve(([step[0], max(step[-1], 1.0)], [float(ds.bound)] * 2), "step", "distance", label="bound")
    return theme.frame(
        hv.Overlay(
            [theme.line(curve, theme.SERIES[0], width=2.5), theme.line(bound, theme.NEUTRAL, width=1.5, dash="dotted")]
        ),
        title="A class hides from the term",
        xlabel="step",
        ylabel="energy distance",
        legend="bottom",
    )
