"""Covariance matrices as ellipses: geodesics side by side, a batch and its normalised image, the certified mean."""

from collections.abc import Sequence
from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

SIDE_BY_SIDE = ("bures", "affine", "log-euclidean", "euclidean")
NAMES = {
    "bures": "Bures–Wasserstein",
    "affine": "affine-invariant",
    "log-euclidean": "log-Euclidean",
    "euclidean": "Euclidean",
    "generalised-bures": "generalised Bures, p = ½",
    "log-cholesky": "log-Cholesky",
}
SHORT_NAMES = {**NAMES, "bures": "Bures", "generalised-bures": "Bures, p = ½", "affine": "affine"}
"""For a legend in two columns, which a phone has room for."""
SHOWN = 7
ACROSS, DOWN = 2.3, 2.3
MOST_ELLIPSES = 100
CORNERS = 48


def ellipse(matrix: np.ndarray, centre: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """Return the outline {A^½ u : |u| = 1} of a 2 × 2 (or 1 × 1) matrix as points (48, 2)."""
    if len(matrix) == 1:
        matrix = np.diag([float(matrix[0, 0]), 0.0])
    values, vectors = np.linalg.eigh(matrix)
    angle = np.linspace(0, 2 * np.pi, CORNERS)
    circle = np.sqrt(np.maximum(values, 0))[:, None] * np.stack([np.cos(angle), np.sin(angle)])
    return (vectors @ circle).T + np.asarray(centre)


def outlines(shapes: Any) -> np.ndarray:
    """Return the outlines of several matrices as one line with gaps, points (49 k, 2): one that a legend can name."""
    gap = np.full((1, 2), np.nan)
    return np.concatenate([np.empty((0, 2)), *(part for one in shapes for part in (ellipse(one), gap))])


def _in_plane(ds: xr.Dataset, name: str) -> np.ndarray:
    plane = ds.plane.values
    return plane.T @ ds[name].values @ plane


def path_unit(ds: xr.Dataset) -> float:
    """Return the length of the longest semi-axis at the ends of the geodesics: the unit of their picture."""
    ends = _in_plane(ds, "path")[0, [0, -1]]
    ends = ends[np.isfinite(ends).all(axis=(1, 2))]
    return float(np.sqrt(np.linalg.eigvalsh(ends).max())) or 1.0 if len(ends) else 1.0


def geodesic_ellipses(ds: xr.Dataset, *, unit: float | None = None, handles: Sequence[tuple[float, float]] = ()) -> Any:
    """Draw the geodesics of four geometries, one below the other, from the first matrix to the second.

    ``handles`` are points in the coordinates of the picture, with their number as ``item``, that a hand can take.
    """
    unit = unit or path_unit(ds)
    plane = ds.plane.values
    shapes = plane.T @ ds.path.sel(metric=list(SIDE_BY_SIDE)).values @ plane / unit**2
    chosen = np.linspace(0, shapes.shape[1] - 1, SHOWN).round().astype(int)
    parts = []
    for row, name in enumerate(SIDE_BY_SIDE):
        drawn = hv.Path(
            [
                ellipse(shapes[row, place], (ACROSS * column, -DOWN * row))
                for column, place in enumerate(chosen)
                if np.isfinite(shapes[row, place]).all()
            ],
            ["x", "y"],
            label=NAMES[name],
        )
        parts.append(theme.line(drawn, theme.SERIES[row], width=2))
    told = [(ACROSS * (SHOWN - 1) / 2, -DOWN * row + 1.15, NAMES[name]) for row, name in enumerate(SIDE_BY_SIDE)]
    style = {"text_color": theme.NEUTRAL, "text_font_size": "9pt"}
    names = hv.Labels(told, ["x", "y"], "geometry")
    parts.append(theme.styled(names, bokeh=style, matplotlib={"color": theme.NEUTRAL, "size": 9}))
    marked = hv.Points([(x, y, item) for item, (x, y) in enumerate(handles)], ["x", "y"], "item", label="handles")
    parts.append(theme.markers(marked, theme.REFERENCE, size=13, alpha=0.8))
    return theme.frame(
        hv.Overlay(parts),
        title="Geodesics",
        xlabel="",
        ylabel="",
        height=470,
        equal_units=True,
        xlim=(-1.3, ACROSS * (SHOWN - 1) + 1.3),
        ylim=(-DOWN * (len(SIDE_BY_SIDE) - 1) - 1.3, 1.5),
        xaxis=None,
        yaxis=None,
        legend=None,
    )


def normalised_ellipses(ds: xr.Dataset) -> Any:
    """Draw the batch after normalisation; matrices that fold are dashed and marked, the circle is I."""
    count = min(ds.sizes["matrix"], MOST_ELLIPSES)
    shapes = _in_plane(ds.isel(matrix=slice(count)), "normalised")
    known = np.isfinite(shapes).all(axis=(1, 2))
    folded = ds.folded.values[:count]
    whole, turned = outlines(shapes[known & ~folded]), outlines(shapes[known & folded])
    crosses = turned[CORNERS // 8 :: CORNERS + 1]
    size = 1.05 * max(1.0, *(float(np.nanmax(np.abs(lines), initial=0.0)) for lines in (whole, turned)))
    circle = hv.Curve(ellipse(np.eye(2)), "x", "y", label="identity")
    parts = [
        theme.line(hv.Curve(whole, "x", "y", label="not folded"), theme.SERIES[0], width=1.2, alpha=0.6),
        theme.line(hv.Curve(turned, "x", "y", label="folded"), theme.REFERENCE, width=2, dash="dashed"),
        theme.markers(hv.Scatter(crosses, "x", "y"), theme.REFERENCE, marker="diamond", size=8),
        theme.line(circle, theme.NEUTRAL, width=3, dash="dotted"),
    ]
    return theme.frame(
        hv.Overlay(parts),
        title="After normalisation",
        xlabel="",
        ylabel="",
        height=470,
        equal_units=True,
        xlim=(-size, size),
        ylim=(-size, size),
        legend="bottom",
    )


def mean_certificate(ds: xr.Dataset) -> Any:
    """Draw how far V is from its certified least value, and the gap between V and its bound, step by step."""
    steps = ds.iteration.values
    scale = float(ds.best_value) or 1.0
    excess = np.maximum((ds.value.values - float(ds.best_bound)) / scale, 1e-16)
    gap = np.maximum((ds.value.values - ds.lower_bound.values) / scale, 1e-16)
    once = min(1, len(steps) - 1)
    mark = hv.Scatter(([steps[once]], [excess[once]]), "iteration", "share of V", label="one step")
    curves = [
        theme.line(
            hv.Curve((steps, gap), "iteration", "share of V", label="V − bound"), theme.SERIES[1], dash="dashed"
        ),
        theme.line(hv.Curve((steps, excess), "iteration", "share of V", label="V − best bound"), theme.SERIES[0]),
        theme.markers(mark, theme.REFERENCE, marker="diamond", size=13),
    ]
    return theme.frame(
        hv.Overlay(curves),
        title="The mean and its proof",
        xlabel="steps from the arithmetic mean",
        ylabel="÷ V",
        logy=True,
        legend="bottom",
        legend_cols=2,
    )


def swelling(ds: xr.Dataset) -> Any:
    """Draw the determinant along the geodesic of every geometry, divided by the larger of the ends."""
    ends = ds.determinant.isel(place=[0, -1]).max()
    largest = float(ends) if float(ends) > 0 else 1.0
    parts = []
    for k, name in enumerate(str(metric) for metric in ds.metric.values):
        values = ds.determinant.sel(metric=name).values / largest
        known = np.isfinite(values)
        curve = hv.Curve(
            (ds.place.values[known], np.maximum(values[known], 0)), "place", "determinant", label=SHORT_NAMES[name]
        )
        parts.append(theme.line(curve, theme.SERIES[k], dash=theme.DASHES[k % 4], width=3.5 - 0.4 * k))
    return theme.frame(
        hv.Overlay(parts),
        title="Swelling",
        xlabel="place on the geodesic",
        ylabel="determinant ÷ larger end",
        legend="bottom",
        legend_cols=2,
    )


def layer_accuracies(ds: xr.Dataset) -> Any:
    """Draw the test accuracy of every layer: each seed a dot, the mean with two standard errors."""
    names = [str(name) for name in ds.layer.values]
    rows = [(name, float(value)) for name in names for value in ds.accuracy.sel(layer=name).values]
    means = [
        (name, float(ds.mean_accuracy.sel(layer=name)), 2 * float(ds.standard_error.sel(layer=name))) for name in names
    ]
    parts = [
        theme.markers(hv.Scatter(rows, "layer", "accuracy", label="one seed"), theme.SERIES[4], size=6, alpha=0.6),
        theme.error_bars(hv.ErrorBars(means, "layer", ["accuracy", "error"]), theme.SERIES[0]),
        theme.markers(
            hv.Scatter([row[:2] for row in means], "layer", "accuracy", label="mean ± 2 SE"), theme.SERIES[0], size=10
        ),
    ]
    return theme.frame(
        hv.Overlay(parts),
        title="Accuracy by layer",
        xlabel="",
        ylabel="test accuracy",
        xrotation=40,
        legend="bottom_left",
    )


def audit_curves(ds: xr.Dataset) -> Any:
    """Draw what one fixed-point step costs, and what POT and the certificate leave open, against the condition."""
    parts = []
    for k, (name, label) in enumerate(
        (("one_step_excess", "one step: excess of V"), ("gap", "certified gap"), ("pot_excess", "POT: excess of V"))
    ):
        values = np.abs(ds[name].median("repeat", skipna=True).values)
        known = np.isfinite(values)
        data = (ds.condition.values[known], np.maximum(values[known], 1e-16))
        parts += theme.marked_curve(data, "condition", "share of V", label, k)
    return theme.frame(
        hv.Overlay(parts), title="Means", xlabel="condition", ylabel="÷ V", logx=True, logy=True, legend="bottom"
    )
