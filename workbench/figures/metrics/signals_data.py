"""Points and photographs under the metric: maps, neighbours, equal errors of seven kinds, masking, recognition."""

import textwrap
from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme

FOOLED, SPLIT = theme.SERIES[5], theme.SERIES[2]
GAP = 0.06
BELOW = 0.72
"""Room for a name and a number under a photograph, in photographs: on a phone they are 70 pixels wide."""
LETTERS = 10
"""In a line of a name."""


def points_in_plane(ds: xr.Dataset) -> Any:
    """Draw the points in their first two coordinates, with the fitted bumps and both marked pairs."""
    x = ds.x.values if ds.sizes["row"] > 1 else np.column_stack([ds.x.values, ds.log_density.values])
    points = hv.Points((*x[:, :2].T, ds.log_density.values), ["first", "second"], "log density")
    parts = [_by_density(points)]
    if ds.sizes["row"] > 1:
        parts.append(theme.line(hv.Path(_outlines(ds), ["first", "second"]), theme.NEUTRAL, width=1.2))
    parts += _pairs(ds, x[:, :2], ("first", "second"))
    upward = "x₂" if ds.sizes["row"] > 1 else "log density"
    return theme.frame(hv.Overlay(parts), title="The points and the fitted bumps", xlabel="x₁", ylabel=upward,
                       legend="bottom")  # fmt: skip


def signal_map(ds: xr.Dataset) -> Any:
    """Draw the points so that their distances on the page are the metric's, as far as two axes can."""
    place = ds.place.values
    points = hv.Points((*place.T, ds.log_density.values), ["first", "second"], "log density")
    parts = [_by_density(points)]
    if "fooled" in ds:
        parts += _pairs(ds, place, ("first", "second"))
    share = float(ds.explained.sum())
    return theme.frame(hv.Overlay(parts), title=f"Map of the distances ({share:.0%} of them)", xlabel="first axis",
                       ylabel="second axis", legend="bottom")  # fmt: skip


def against_euclid(ds: xr.Dataset) -> Any:
    """Draw the distance of every pair against its Euclidean distance."""
    upper = np.triu_indices(ds.sizes["point"], 1)
    apart, distance = ds.euclidean.values[upper], ds.distance.values[upper]
    if len(apart) > 4000:
        chosen = np.linspace(0, len(apart) - 1, 4000).astype(int)
        apart, distance = apart[chosen], distance[chosen]
    parts = [theme.markers(hv.Scatter((apart, distance), "Euclid", "IEM"), theme.SERIES[0], size=4, alpha=0.4)]
    for name, colour, label in (("fooled", FOOLED, "told apart least"), ("split", SPLIT, "told apart most")):
        if name in ds:
            i, j = (int(k) for k in ds[name].values)
            mark = hv.Scatter(([float(ds.euclidean[i, j])], [float(ds.distance[i, j])]), "Euclid", "IEM", label=label)
            parts.append(theme.markers(mark, colour, size=11, marker="diamond"))
    return theme.frame(hv.Overlay(parts), title="Pairs: the metric against Euclid", xlabel="Euclidean distance",
                       ylabel="information-estimation distance", legend="bottom")  # fmt: skip


def held_out_fit(ds: xr.Dataset) -> Any:
    """Draw how well each number of components predicts the points that were kept out of its fit."""
    tried, held, error = ds.tried.values, ds.held_out.values, ds.held_out_error.values
    keep = np.isfinite(held)
    parts = [
        theme.error_bars(
            hv.ErrorBars((tried[keep], held[keep], np.nan_to_num(error[keep])), "tried", ["held", "e"]), theme.SERIES[0]
        ),
        *theme.marked_curve((tried[keep], held[keep]), "tried", "held", "", 0),
    ]
    chosen = ds.sizes["component"]
    return theme.frame(hv.Overlay(parts), title=f"{chosen} components fit best", xlabel="components",
                       ylabel="mean −log p, held out", legend=None)  # fmt: skip


def distortion_row(ds: xr.Dataset) -> Any:
    """Draw the original and its distortions of equal RMSE, in rising order of the metric."""
    order = [0, *(1 + np.argsort(ds.iem.values))]
    images = ds.image.values.astype(float) / (255.0 if ds.image.dtype.kind == "u" else 1.0)
    labels = ["original", *(str(name) for name in ds.label.values)]
    told = ["", *(f"{float(value):.1f}" for value in ds.iem.values)]
    parts = []
    for place, k in enumerate(order):
        column, row = place % 4, place // 4
        left, bottom = column * (1 + GAP), -row * (1 + BELOW)
        image = hv.Image(
            np.clip(images[k], 0, 1), ["across", "up"], "grey", bounds=(left, bottom, left + 1, bottom + 1)
        )
        parts.append(theme.image(image, clim=(0.0, 1.0), colormap="gray", colorbar=False))
        text = "\n".join([*textwrap.wrap(labels[k], LETTERS), told[k]]).strip()
        parts.append(theme.styled(
            hv.Text(left + 0.5, bottom - 0.04, text, valign="top"),
            bokeh={"color": theme.NEUTRAL, "text_font_size": "9pt"}, matplotlib={"color": theme.NEUTRAL},
        ))  # fmt: skip
    drawn = theme.frame(
        hv.Overlay(parts), title="Equal errors, in the order of the metric", xlabel="", ylabel="", xaxis=None,
        yaxis=None, xlim=(-0.05, 4 * (1 + GAP)), ylim=(-1 - 2 * BELOW, 1.05), height=420, aspect=1.5, equal_units=True,
        legend=None,
    )  # fmt: skip
    return theme.styled(drawn, bokeh={"show_grid": False}, matplotlib={"show_grid": False})


def distortion_distances(ds: xr.Dataset) -> Any:
    """Draw what each distortion of equal RMSE costs by the metric, with its error."""
    order = np.argsort(ds.iem.values)
    names = [str(name) for name in ds.label.values[order]]
    spread = np.nan_to_num(ds.iem_spread.values[order])
    reach = 1.96 * np.sqrt(ds.iem_error.values[order] ** 2 + spread**2)
    places = np.arange(len(names), dtype=float)
    marks = hv.Scatter((places, ds.iem.values[order]), "place", "IEM")
    bars = hv.ErrorBars((places, ds.iem.values[order], reach), "place", ["IEM", "reach"])
    return theme.frame(
        hv.Overlay([theme.error_bars(bars, theme.SERIES[0]), theme.markers(marks, theme.SERIES[0], size=10)]),
        title=f"Errors of RMSE {float(ds.rmse[0]):g}", xlabel="", ylabel="IEM per patch",
        xticks=list(zip(places.tolist(), names, strict=True)), xrotation=30, xlim=(-0.5, len(names) - 0.5), legend=None,
    )  # fmt: skip


def beside_ssim(ds: xr.Dataset) -> Any:
    """Draw the metric against 1 − SSIM, a mark for each distortion."""
    parts = []
    for k, name in enumerate(ds.label.values):
        mark = hv.Scatter(([1 - float(ds.ssim[k])], [float(ds.iem[k])]), "dissimilarity", "IEM", label=str(name))
        colour, marker = theme.SERIES[k % len(theme.SERIES)], theme.MARKERS[k % len(theme.MARKERS)]
        parts.append(theme.markers(mark, colour, size=11, marker=marker))
    return theme.frame(hv.Overlay(parts), title="The metric beside SSIM", xlabel="1 − SSIM", ylabel="IEM per patch",
                       legend="right")  # fmt: skip


def masking(ds: xr.Dataset) -> Any:
    """Draw what equal noise costs on patches of rising contrast."""
    marks = hv.Scatter((ds.contrast.values, ds.iem.values), "contrast", "IEM")
    return theme.frame(theme.markers(marks, theme.SERIES[0], size=6, alpha=0.6), title="Texture and noise",
                       xlabel="standard deviation of the patch", ylabel="IEM of equal noise")  # fmt: skip


def recognition(ds: xr.Dataset) -> Any:
    """Draw the accuracy of nearest neighbours by each distance, with 95 % intervals."""
    names = [str(name) for name in ds.distance.values]
    marks = hv.Scatter((names, ds.accuracy.values), "distance", "accuracy")
    bars = hv.ErrorBars((names, ds.accuracy.values, 1.96 * ds.accuracy_error.values), "distance", ["accuracy", "reach"])
    return theme.frame(
        hv.Overlay([theme.error_bars(bars, theme.SERIES[0]), theme.markers(marks, theme.SERIES[0], size=10)]),
        title="Nearest neighbours of digits", xlabel="", ylabel="accuracy", xrotation=20, legend=None,
    )  # fmt: skip


def denoiser_defects(ds: xr.Dataset) -> Any:
    """Draw both sides of the identity for a learned denoiser, a mark for each pair: on the line it is exact."""
    marks = hv.Scatter((ds.information.values, ds.estimation.values), "exact", "learned", label="pairs")
    ends = np.array([ds.information.min(), ds.information.max()], dtype=float)
    line = theme.line(hv.Curve((ends, ends), "exact", "learned", label="exact denoiser"), theme.NEUTRAL, dash="dashed")
    title = f"Mean defect {float(abs(ds.defect).mean()):.2g} nats"
    return theme.frame(
        hv.Overlay([line, theme.markers(marks, theme.SERIES[0], size=9)]), title=title,
        xlabel="log ratio of the densities", ylabel="from denoising errors", legend="bottom",
    )  # fmt: skip


def _by_density(points: hv.Points) -> Any:
    """Style points that are coloured by their log density; the rim keeps the palest and the darkest off the ground."""
    return theme.styled(
        theme.markers(points, "log density", size=8),
        bokeh={"cmap": theme.SEQUENTIAL, "line_color": theme.NEUTRAL, "line_width": 0.7},
        matplotlib={"cmap": theme.SEQUENTIAL, "edgecolor": theme.NEUTRAL, "linewidth": 0.7},
    )


def _pairs(ds: xr.Dataset, places: np.ndarray, names: tuple[str, str]) -> list[Any]:
    parts = []
    for name, colour, label in (("fooled", FOOLED, "told apart least"), ("split", SPLIT, "told apart most")):
        pair = places[ds[name].values.astype(int)]
        parts.append(theme.line(hv.Curve((pair[:, 0], pair[:, 1]), *names, label=label), colour, width=3))
    return parts


def _outlines(ds: xr.Dataset) -> list[np.ndarray]:
    """Return the bumps' ellipses of one standard deviation in the first two coordinates."""
    angle = np.linspace(0, 2 * np.pi, 49)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    found = []
    for mean, matrix in zip(ds.means.values[:, :2], ds.covariances.values[:, :2, :2], strict=True):
        values, vectors = np.linalg.eigh(matrix)
        found.append(mean + (vectors @ (np.sqrt(np.maximum(values, 0))[:, None] * circle)).T)
    return found
