"""All fields on one canvas, what training does to the learned one, and where its error comes from."""

from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

HANDLES = "centres"
FIELDS = {
    "exact": ("exact field", theme.SERIES[0], 4.5, 0.45, "solid"),
    "memoriser": ("memoriser", theme.SERIES[2], 1.6, 0.9, "dashed"),
    "learned": ("learned field", theme.SERIES[5], 1.8, 1.0, "solid"),
}
"""Label, colour, width, opacity and dash of a field's arrows."""
LONGEST = 1.4
"""Cells of the grid that the longest arrow may cover; the memoriser's would cross the canvas."""
SHORTEST = 1e-4
MOST_DIGITS = 12.0
"""Powers of ten at which a bar ends; what lies beyond is told in its label."""


def field_arrows(ds: xr.Dataset, *, time: float | None = None, handles: bool = False) -> Any:
    """Draw exact field, memoriser and learned field at a time (the nearest kept one), over draws and training points.

    ``handles`` gives the centres of the law marks that a hand can move.
    """
    one = ds.isel(time=0) if time is None else ds.sel(time=time, method="nearest")
    x, y = np.meshgrid(ds.x.values, ds.y.values)
    cell = float(ds.x[1] - ds.x[0])
    there = [one[f"arrow_{name}"].values for name in FIELDS if np.isfinite(one[f"arrow_{name}"].values).any()]
    lengths = np.linalg.norm(there[0], axis=-1)
    scale = cell / max(float(np.quantile(lengths, 0.95)), 1e-12)
    parts = []
    cloud = ds.cloud.values if "cloud" in ds else np.empty((0, 2))
    drawn = hv.Scatter((cloud[:, 0], cloud[:, 1]), "x", "y", label="draws from p_t")
    parts.append(theme.markers(drawn, theme.NEUTRAL, size=3, alpha=0.35))
    for name, (label, colour, width, alpha, dash) in FIELDS.items():
        tails, ends = _arrows(one[f"arrow_{name}"].values, x, y, scale, LONGEST * cell)
        lines = hv.Segments((*tails.T, *ends.T), ["x", "y", "to_x", "to_y"], label=label)
        parts.append(theme.line(lines, colour, width=width, alpha=alpha, dash=dash))
        heads = hv.Scatter((ends[:, 0], ends[:, 1]), "x", "y")
        parts.append(theme.markers(heads, colour, size=1.6 + 0.5 * width, alpha=alpha))
    points = ds.point.values if "point" in ds else np.empty((0, 2))
    known = hv.Scatter((points[:, 0], points[:, 1]), "x", "y", label="training points")
    parts.append(theme.markers(known, theme.SERIES[1], size=5, marker="square", alpha=0.8))
    if handles:
        centres = ds.centre.values
        marks = hv.Points((centres[:, 0], centres[:, 1], np.arange(len(centres))), ["x", "y"], ["item"], label=HANDLES)
        parts.append(theme.markers(marks, theme.SERIES[3], size=15, marker="diamond", alpha=0.9))
    reach = 0.5 * cell
    return theme.frame(
        hv.Overlay(parts),
        title=f"Fields at t = {float(one.time):.2f}",
        xlabel="x",
        ylabel="y",
        xlim=(float(ds.x[0]) - reach, float(ds.x[-1]) + reach),
        ylim=(float(ds.y[0]) - reach, float(ds.y[-1]) + reach),
        height=520,
        legend="bottom",
        equal_units=True,
    )


def _arrows(values: np.ndarray, x: np.ndarray, y: np.ndarray, scale: float, longest: float) -> tuple[Any, Any]:
    """Return tails and ends (n, 2) of a field's arrows; none where the field is not known."""
    if not np.isfinite(values).any():
        return np.empty((0, 2)), np.empty((0, 2))
    steps = values.reshape(-1, 2) * scale
    lengths = np.linalg.norm(steps, axis=1, keepdims=True)
    steps = steps * np.minimum(1.0, longest / np.maximum(lengths, 1e-300))
    tails = np.stack([x.ravel(), y.ravel()], axis=1)
    return tails, tails + steps


def training_distances(ds: xr.Dataset, *, step: int | None = None) -> Any:
    """Draw how far a network is from the exact field and from the memoriser along its training.

    Of a study with seeds the mean with the range of the seeds; ``step`` is marked.
    """
    parts = []
    for name, label, colour, dash in (
        ("truth", "to the exact field", theme.SERIES[0], "solid"),
        ("memoriser", "to the memoriser", theme.SERIES[2], "dashed"),
    ):
        parts += _curve(ds, name, label, colour, dash)
    at = float(step) if step is not None else np.nan
    mark = hv.Scatter(([at, at], [float(_mean(ds, name, at)) for name in ("truth", "memoriser")]), "step", "distance")
    parts.append(theme.markers(mark, theme.SERIES[5], size=12, marker="diamond"))
    return theme.frame(
        hv.Overlay(parts),
        title="Distance along training",
        xlabel="training step",
        ylabel="E‖v̂ − v‖²",
        logy=True,
        legend="bottom",
    )


def training_losses(ds: xr.Dataset) -> Any:
    """Draw the loss on training batches and on held-out pairs, with the least that either can reach."""
    parts = [
        *_curve(ds, "loss", "training batches", theme.SERIES[1], "dashed"),
        *_curve(ds, "held_out", "held-out pairs", theme.SERIES[0], "solid"),
    ]
    step = ds.step.values.astype(float)
    for name, label, colour in (
        ("irreducible", "least, fresh pairs (L*)", theme.SERIES[0]),
        ("irreducible_n", "least, training points (L*_n)", theme.SERIES[1]),
    ):
        level = float(ds[name].mean())
        flat = hv.Curve((step[[0, -1]], [level, level]), "step", "loss", label=label)
        parts.append(theme.line(flat, colour, width=1.2, dash="dotted"))
    return theme.frame(
        hv.Overlay(parts),
        title="Loss along training",
        xlabel="training step",
        ylabel="E‖v̂ − u‖²",
        legend="bottom",
    )


def _spread(ds: xr.Dataset, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, low and high of a curve: the range of the seeds, or two standard errors of one run."""
    values = ds[name].values
    if "seed" in ds[name].dims:
        axis = ds[name].dims.index("seed")
        return values.mean(axis=axis), values.min(axis=axis), values.max(axis=axis)
    error = 2 * ds[f"{name}_error"].values if f"{name}_error" in ds else np.zeros_like(values)
    return values, values - error, values + error


def _curve(ds: xr.Dataset, name: str, label: str, colour: str, dash: str) -> list[Any]:
    mean, low, high = _spread(ds, name)
    there = np.isfinite(mean)
    step = ds.step.values.astype(float)[there]
    mean, low, high = (np.maximum(values[there], SHORTEST) for values in (mean, low, high))
    up = "loss" if name in ("loss", "held_out") else "distance"
    band = hv.Area((step, low, high), "step", [up, "high"])
    curve = hv.Curve((step, mean), "step", up, label=label)
    return [theme.band(band, colour, alpha=0.25), theme.line(curve, colour, width=2.5, dash=dash)]


def _mean(ds: xr.Dataset, name: str, step: float) -> float:
    if not np.isfinite(step):
        return np.nan
    return max(float(np.interp(step, ds.step.values, _spread(ds, name)[0])), SHORTEST)


def study_distances(ds: xr.Dataset) -> Any:
    """Draw the distance to the exact field along training for each number of points, with the range of the seeds."""
    parts = []
    for k, points in enumerate(ds.points.values):
        one = ds.sel(points=points)
        parts += _curve(one, "truth", f"{points:,} points", theme.SERIES[k % len(theme.SERIES)], theme.DASHES[k % 4])
    return theme.frame(
        hv.Overlay(parts),
        title="Distance to the exact field",
        xlabel="training step",
        ylabel="E‖v̂ − v*‖²",
        logy=True,
        legend="bottom",
    )


def path_ends(ds: xr.Dataset) -> Any:
    """Draw where the paths of each field end that begin at the same points, beside the training points."""
    parts = []
    points = ds.point.values
    known = hv.Scatter((points[:, 0], points[:, 1]), "x", "y", label="training points")
    parts.append(theme.markers(known, theme.SERIES[1], size=6, marker="square", alpha=0.5))
    exact = ds.end_exact.values
    learned = ds.end_learned.values
    there = np.isfinite(learned).all(axis=1)
    ties = hv.Segments((*exact[there].T, *learned[there].T), ["x", "y", "to_x", "to_y"])
    parts.append(theme.line(ties, theme.NEUTRAL, width=1, alpha=0.7))
    for name, marker, size in (("exact", "circle", 9), ("memoriser", "triangle", 8), ("learned", "diamond", 7)):
        label, colour = FIELDS[name][:2]
        ends = ds[f"end_{name}"].values
        ends = ends[np.isfinite(ends).all(axis=1)]
        marks = hv.Scatter((ends[:, 0], ends[:, 1]), "x", "y", label=label)
        parts.append(theme.markers(marks, colour, size=size, marker=marker, alpha=0.85))
    return theme.frame(
        hv.Overlay(parts), title="Where the paths end", xlabel="x", ylabel="y", height=430, legend="bottom",
        equal_units=True, xlim=(float(ds.x[0]), float(ds.x[-1])), ylim=(float(ds.y[0]), float(ds.y[-1])),
    )  # fmt: skip


# ---- the error budget -----------------------------------------------------------------------------------------------

ROWS = (
    ("whole", "field, (∫ e²)^½", "mean"),
    ("estimation", "… memoriser − exact", "mean"),
    ("approximation", "… learned − memoriser", "mean"),
    ("coupled", "both flows, same start", "mean"),
    ("integration", "solver's steps", "mean"),
    ("total", "exact flow − solver's", "mean"),
    ("wasserstein", "W₂ of samples", "mean"),
    ("floor", "W₂ of two exact samples", "mean"),
    ("one_sided", "one-sided bound", "sampled"),
    ("classical", "classical bound", "sampled"),
    ("certified", "classical, proved L", "proved"),
)
KINDS = {
    "mean": ("mean of samples", theme.SERIES[0]),
    "sampled": ("bound, slopes sampled", theme.SERIES[1]),
    "proved": ("bound, proved slope", theme.SERIES[5]),
}


def budget_bars(ds: xr.Dataset) -> Any:
    """Draw the parts of the error as powers of ten, the means apart from sampled and from proved bounds."""
    names = [label for _, label, _ in ROWS][::-1]
    parts = []
    texts: list[tuple[float, float, str]] = []
    for kind, (label, colour) in KINDS.items():
        rows, ends = [], []
        for name, told, of in ROWS:
            power = _power(ds, name)
            if of == kind and np.isfinite(power):
                rows.append(float(names.index(told)))
                ends.append(min(power, MOST_DIGITS))
                texts.append((ends[-1], rows[-1], told_number(power)))
        sticks = hv.Segments((np.full(len(rows), -4.0), rows, ends, rows), ["power", "row", "power2", "row2"])
        marks = hv.Scatter((ends, rows), "power", "row", label=label)
        parts += [theme.line(sticks, colour, width=5, alpha=0.6), theme.markers(marks, colour, size=10)]
    words = hv.Labels(texts, ["power", "row"], "text")
    parts.append(
        theme.styled(
            words,
            bokeh={"text_color": theme.NEUTRAL, "text_font_size": "9pt", "text_align": "left", "xoffset": 0.25},
            matplotlib={"color": theme.NEUTRAL, "size": 8, "horizontalalignment": "left", "xoffset": 0.25},
        )
    )
    return theme.frame(
        hv.Overlay(parts),
        title="Where the error comes from",
        xlabel="power of ten, in units of the data",
        ylabel="",
        xlim=(-4.0, MOST_DIGITS + 3),
        ylim=(-0.7, len(names) - 0.3),
        yticks=list(enumerate(names)),
        height=430,
        legend="bottom",
    )


def _power(ds: xr.Dataset, name: str) -> float:
    value = float(ds[name])
    if name in ("one_sided", "classical", "certified"):
        return value
    return float(np.log10(value)) if value > 0 else np.nan


def told_number(power: float) -> str:
    """Return 10^power as a person reads it."""
    return f"{10**power:.3g}" if power < 5 else f"10^{power:.0f}"


def field_error_in_time(ds: xr.Dataset) -> Any:
    """Draw the error of the field along time, with two standard errors, and the largest sampled slope."""
    time, level = ds.time.values, ds.field_error.values
    error = 2 * ds.field_error_error.values
    band = hv.Area((time, np.maximum(level - error, 0), level + error), "time", ["error", "high"])
    curve = hv.Curve((time, level), "time", "error", label="e(t)")
    parts = [theme.band(band, theme.SERIES[0]), theme.line(curve, theme.SERIES[0], width=2.5)]
    return theme.frame(
        hv.Overlay(parts), title="Error of the field along time", xlabel="t", ylabel="e(t)", legend=None, ylim=(0, None)
    )


def flow_ends(ds: xr.Dataset) -> Any:
    """Draw where both flows end, of the first paths."""
    exact, learned = ds.exact_end.values[:300], ds.learned_end.values[:300]
    if exact.shape[1] < 2:
        exact, learned = (np.c_[part, np.zeros(len(part))] for part in (exact, learned))
    ties = hv.Segments((*exact.T, *learned.T), ["x", "y", "to_x", "to_y"])
    parts = [theme.line(ties, theme.NEUTRAL, width=1, alpha=0.7)]
    for ends, name, marker in ((exact, "exact", "circle"), (learned, "learned", "diamond")):
        label, colour = FIELDS[name][:2]
        marks = hv.Scatter((ends[:, 0], ends[:, 1]), "x", "y", label=label)
        parts.append(theme.markers(marks, colour, size=6, marker=marker, alpha=0.8))
    return theme.frame(
        hv.Overlay(parts), title="Ends of both flows", xlabel="x", ylabel="y", height=430, legend="bottom"
    )


def budgets_along(ds: xr.Dataset) -> Any:
    """Draw, for every network of a study, both flows' distance and the sampled bounds above it, as powers of ten."""
    parts = []
    rows = [(n, step) for n in range(ds.sizes["points"]) for step in range(ds.sizes["step"])]
    at = np.arange(len(rows), dtype=float)
    names = [f"{int(ds.points[n]):,}: {int(ds.step[k]):,}" for n, k in rows]
    for k, (name, label) in enumerate(
        (("coupled", "both flows"), ("one_sided", "one-sided bound"), ("classical", "classical bound"))
    ):
        powers = np.array([_power(ds.isel(points=n, step=j), name) for n, j in rows])
        parts += theme.marked_curve((at, powers), "network", "power", label, k)
    return theme.frame(
        hv.Overlay(parts),
        title="Distances and their bounds",
        xlabel="points: training step",
        ylabel="power of ten",
        xticks=list(enumerate(names)),
        xrotation=60,
        legend="bottom",
    )


def irreducible_bar(ds: xr.Dataset) -> Any:
    """Draw how much of u a field can explain and what is left."""
    left, whole = float(ds.loss), float(ds.control)
    bars = hv.Bars([("explainable", whole - left), ("irreducible", left)], "part", "loss")
    return theme.frame(
        theme.bars(bars, theme.SERIES[0]), title="What a field can explain", xlabel="", ylabel="E‖u‖²", ylim=(0, None)
    )
