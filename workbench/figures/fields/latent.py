"""Flows in a latent space: what projection and flow cost in each dimension, the bounds, what comes out."""

import math
from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme
from workbench.figures.fields.sliced import digit_sheet

COLUMNS = 9
LEAST_PICTURE = 64
"""Columns from which a table whose width is a square is drawn as pictures."""
MOST_DIGITS = 40.0
PARTS = (
    ("reconstruction", "lost by the projection", 1),
    ("flow", "added by the flow", 2),
    ("total", "both", 0),
)


def latent_budget(ds: xr.Dataset, *, dimension: int | None = None) -> Any:
    """Draw reconstruction, flow and their sum against the latent dimension; the least sum and one dimension marked."""
    across = ds.dimension.values.astype(float)
    parts: list[Any] = []
    for name, label, k in PARTS:
        values = ds[name].values
        parts += theme.marked_curve((across, values), "dimension", "square", label, k)
        if name != "reconstruction":
            bars = hv.ErrorBars((across, values, 2 * ds[f"{name}_error"].values), "dimension", ["square", "reach"])
            parts.append(theme.error_bars(bars, theme.SERIES[k]))
    best = int(ds.total.argmin("dimension"))
    mark = hv.Scatter(([across[best]], [float(ds.total[best])]), "dimension", "square", label="least")
    parts.append(theme.markers(mark, theme.SERIES[5], size=15, marker="diamond"))
    at = across[best] if dimension is None else float(dimension)
    level = max(float(ds.total.max()), 1e-12)
    parts.append(theme.line(hv.Curve(([at, at], [0.0, level]), "dimension", "square"), theme.NEUTRAL, dash="dotted"))
    return theme.frame(
        hv.Overlay(parts), title="Reconstruction + flow", xlabel="latent dimension", ylabel="squared error",
        logx=True, xticks=[(float(k), str(k)) for k in ds.dimension.values], legend="bottom",
        xlim=(across[0] * 0.85, across[-1] * 1.15),
    )  # fmt: skip


def dimension_curves(ds: xr.Dataset) -> Any:
    """Draw the sum of both errors against the latent dimension for each size of the sample, with the seeds' range."""
    across = ds.dimension.values.astype(float)
    parts: list[Any] = []
    for k, points in enumerate(ds.points.values):
        values = ds.total.sel(points=points).values
        band = hv.Area((across, values.min(axis=0), values.max(axis=0)), "dimension", ["square", "high"])
        parts.append(theme.band(band, theme.SERIES[k % len(theme.SERIES)]))
        parts += theme.marked_curve((across, values.mean(axis=0)), "dimension", "square", f"{points:,} points", k)
    return theme.frame(
        hv.Overlay(parts), title="Best dimension against data", xlabel="latent dimension", ylabel="squared error",
        logx=True, xticks=[(float(k), str(k)) for k in ds.dimension.values], legend="bottom",
        xlim=(across[0] * 0.85, across[-1] * 1.15),
    )  # fmt: skip


def learner_columns(mixture: xr.Dataset, network: xr.Dataset, *, points: int = 600) -> Any:
    """Draw the flow's part and the sum of both learners against the latent dimension, with the range over seeds.

    Solid are the sums, with what the projection loses; dashed what the flow adds by itself.
    """
    parts: list[Any] = []
    for k, (ds, label) in enumerate(((mixture, "fitted mixture"), (network, "network"))):
        one = ds.sel(points=points)
        across = one.dimension.values.astype(float)
        colour = theme.SERIES[(0, 1)[k]]
        for name, words, dash in (("total", "both errors", "solid"), ("flow", "flow alone", "dashed")):
            values = one[name].values
            band = hv.Area((across, values.min(axis=0), values.max(axis=0)), "dimension", ["square", "high"])
            curve = hv.Curve((across, values.mean(axis=0)), "dimension", "square", label=f"{label}, {words}")
            parts += [theme.band(band, colour), theme.line(curve, colour, dash=dash)]
    return theme.frame(
        hv.Overlay(parts), title=f"Mixture and network, {points:,} points", xlabel="latent dimension",
        ylabel="squared error", logx=True, logy=True, legend="bottom",
        xticks=[(float(k), str(k)) for k in mixture.dimension.values], xlim=(across[0] * 0.85, across[-1] * 1.15),
    )  # fmt: skip


def codec_curves(ds: xr.Dataset) -> Any:
    """Draw reconstruction and W₂² to rows kept out of both codecs against the latent dimension, mean and range."""
    across = ds.dimension.values.astype(float)
    parts: list[Any] = []
    for k, codec in enumerate(ds.codec.values):
        one, colour = ds.sel(codec=codec), theme.SERIES[k]
        label = {"pca": "principal axes", "autoencoder": "autoencoder"}.get(str(codec), str(codec))
        for name, words, dash in (
            ("whole", "W₂² of the rows", "solid"),
            ("reconstruction", "reconstruction", "dashed"),
        ):
            values = one[name].values
            band = hv.Area((across, values.min(axis=1), values.max(axis=1)), "dimension", ["square", "high"])
            curve = hv.Curve((across, values.mean(axis=1)), "dimension", "square", label=f"{label}: {words}")
            parts += [theme.band(band, colour), theme.line(curve, colour, dash=dash)]
    floor = hv.HLine(float(ds.floor.mean()))
    parts.append(theme.line(floor, theme.NEUTRAL, dash="dotted"))
    return theme.frame(
        hv.Overlay(parts), title="Principal axes and autoencoder", xlabel="latent dimension",
        ylabel="squared error on rows kept out", logx=True, legend="bottom",
        xticks=[(float(k), str(k)) for k in ds.dimension.values], xlim=(across[0] * 0.85, across[-1] * 1.15),
    )  # fmt: skip


def latent_bounds(ds: xr.Dataset, *, dimension: int | None = None) -> Any:
    """Draw W₂² of samples less its floor, the flow's part and what the bounds say of it, as powers of ten."""
    one = _one(ds, dimension)
    flow = float(one.flow)
    apart = float(one.wasserstein - one.floor)  # below 0 where samples do not resolve it
    rows = (
        ("W₂² of samples − floor", math.log10(apart) if apart > 0 else math.nan, 0),
        ("flow (both from one start)", math.log10(flow) if flow > 0 else math.nan, 2),
        ("one-sided bound", float(one.one_sided), 1),
        ("classical bound", float(one.classical), 5),
    )
    names = [name for name, _, _ in rows][::-1]
    parts, texts = [], []
    for name, power, k in rows:
        at, there = float(names.index(name)), math.isfinite(power)
        end = min(power, MOST_DIGITS) if there else -4.0
        stick = hv.Segments([(-4.0, at, end, at)] if there else [], ["power", "row", "power2", "row2"])
        mark = hv.Scatter([(end, at)] if there else [], "power", "row")
        parts += [theme.line(stick, theme.SERIES[k], width=6), theme.markers(mark, theme.SERIES[k], size=11)]
        texts.append((end, at, told_power(power) if there or k else "not resolved"))
    words = hv.Labels(texts, ["power", "row"], "text")
    parts.append(
        theme.styled(
            words,
            bokeh={"text_color": theme.NEUTRAL, "text_font_size": "9pt", "text_align": "left", "xoffset": 1.6},
            matplotlib={"color": theme.NEUTRAL, "size": 8, "horizontalalignment": "left", "xoffset": 1.6},
        )
    )
    return theme.frame(
        hv.Overlay(parts), title=f"Flow and bounds, k = {int(one.dimension)}",
        xlabel=f"power of ten (sampled slopes; drawn up to {MOST_DIGITS:.0f})", ylabel="", legend=None,
        xlim=(-4.0, MOST_DIGITS + 9), ylim=(-0.6, len(rows) - 0.4), yticks=list(enumerate(names)),
    )  # fmt: skip


def told_power(power: float) -> str:
    """Return 10^power as a person reads it.

    >>> told_power(-1.0), told_power(200.3), told_power(float("nan"))
    ('0.1', '10^200', 'not known')
    """
    if not math.isfinite(power):
        return "not known"
    return f"{10**power:.2g}" if power < 3 else f"10^{power:.0f}"


def latent_samples(ds: xr.Dataset, *, dimension: int | None = None) -> Any:
    """Draw what a flow made: pictures where the rows are, else the first two columns."""
    one = _one(ds, dimension)
    rows = one.picture.values.astype(float)
    side = math.isqrt(rows.shape[1])
    title = f"Generated, k = {int(one.dimension)}" if "dimension" in one.coords else "Generated"
    if rows.shape[1] >= LEAST_PICTURE and side * side == rows.shape[1]:
        low, high = (float(v) for v in np.quantile(rows, (0.01, 0.99)))  # a flow throws single numbers far
        grey = rows if low > -0.5 and high < 1.5 else (rows - low) / max(high - low, 1e-300)
        return digit_sheet(grey, title=title, columns=COLUMNS, side=side)
    second = rows[:, min(1, rows.shape[1] - 1)]
    marks = hv.Scatter((rows[:, 0], second), "x", "y")
    return theme.frame(
        theme.markers(marks, theme.SERIES[0], size=8), title=title, xlabel="first column", ylabel="second column"
    )


def latent_parts(ds: xr.Dataset) -> Any:
    """Draw the parts of one latent flow's error on rows kept out, the whole, and what two sums say of it."""
    rows = (
        ("reconstruction", "reconstruction", 1),
        ("latent", "latent W₂²", 2),
        ("whole", "W₂² of the rows", 0),
        ("floor", "W₂² of real rows", 7),
        ("additive", "sum of squares", 3),
        ("triangle", "square of the sum", 5),
    )
    names = [told for _, told, _ in rows][::-1]
    parts = []
    for name, told, k in rows:
        value, at = float(ds[name]), float(names.index(told))
        stick = hv.Segments([(0.0, at, value, at)], ["square", "row", "square2", "row2"])
        mark = hv.Scatter([(value, at)], "square", "row")
        parts += [theme.line(stick, theme.SERIES[k], width=6), theme.markers(mark, theme.SERIES[k], size=11)]
    return theme.frame(
        hv.Overlay(parts), title="Rows kept out", xlabel="squared units of the data", ylabel="", legend=None,
        ylim=(-0.6, len(rows) - 0.4), yticks=list(enumerate(names)),
    )  # fmt: skip


def additive_violation(ds: xr.Dataset) -> Any:
    """Draw W₂² for a decoder off by a constant against the field's error, with the sum of squares and a bound."""
    errors = ds.error.values
    parts: list[Any] = []
    for k, (name, label) in enumerate(
        (("squared", "W₂²"), ("additive", "sum of squares"), ("triangle", "square of the sum"))
    ):
        curve = hv.Curve((errors, ds[f"{name}_along"].values), "error", "square", label=label)
        parts.append(theme.line(curve, theme.SERIES[(0, 5, 2)[k]], dash=theme.DASHES[k], width=2.5))
    mark = hv.Scatter(([float(ds.field_error)], [float(ds.squared)]), "error", "square")
    parts.append(theme.markers(mark, theme.SERIES[0], size=12, marker="diamond"))
    return theme.frame(
        hv.Overlay(parts), title=f"Decoder off by {float(ds.offset):g}", xlabel="error b of the field",
        ylabel="squared error", legend="bottom",
    )  # fmt: skip


def _one(ds: xr.Dataset, dimension: int | None) -> xr.Dataset:
    if "dimension" not in ds.dims:
        return ds
    chosen = int(ds.best) if dimension is None else dimension
    return ds.sel(dimension=chosen, method="nearest")
