"""Densities and their curvature: maps of a field, its web, how curvature flows with scale; two measures; a "
"transport."""

from collections.abc import Sequence
from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme
from workbench.figures.fisher.marks import BESIDE

RAW, CLEAN, LAW = theme.SERIES[0], theme.SERIES[1], theme.REFERENCE
ARROWS = 24
LEAST_DEVIATION, MOST_DEVIATION = 0.1, 3.0


def _image(ds: xr.Dataset, values: np.ndarray, name: str) -> hv.Image:
    """Return the map of an array (x, y), with x to the right and y up."""
    x, y = ds.x.values, ds.y.values
    half = (x[1] - x[0]) / 2
    bounds = (x[0] - half, y[0] - half, x[-1] + half, y[-1] + half)
    return hv.Image(values.T[::-1], ["x", "y"], name, bounds=bounds)


def field_map(ds: xr.Dataset) -> Any:
    """Draw ln ρ; of a cube its middle plane."""
    image = theme.image(_image(ds, ds.log_density.values, "ln ρ"), bar="bottom")
    return theme.frame(image, title=_title(ds, "Density, ln ρ"), xlabel="x", ylabel="y", height=BESIDE)


def field_curvature(ds: xr.Dataset) -> Any:
    """Draw the mean curvature; colours are clipped at three times its root mean square."""
    values = ds.mean_curvature.values
    cap = 3 * float(np.sqrt((values**2).mean())) or 1.0
    image = theme.image(_image(ds, values, "K"), signed=True, clim=(-cap, cap), bar="bottom")
    return theme.frame(image, title=_title(ds, "Mean curvature"), xlabel="x", ylabel="y", height=BESIDE)


def field_web(ds: xr.Dataset) -> Any:
    """Draw the classes of the web; stripes lie over the cells that the Hessian of ρ puts in another class."""
    classes = ds.web.values.astype(float)
    striped = (np.add.outer(np.arange(classes.shape[0]), np.arange(classes.shape[1])) // 2) % 2 == 0
    changed = np.where((ds.web.values != ds.classical_web.values) & striped, 1.0, np.nan)
    d = int(ds.attrs["d"])
    ground = theme.image(_image(ds, classes, "positive eigenvalues"), clim=(0, d), bar="bottom")
    over = _image(ds, changed, "another class").opts(alpha=0.75, backend="bokeh").opts(alpha=0.75, backend="matplotlib")
    over = theme.image(over, colorbar=False, clim=(0, 1), colormap="gray_r")
    title = _title(ds, "Web; striped: another class by ρ")
    return theme.frame(
        hv.Overlay([ground, over]), title=title, xlabel="x", ylabel="y", height=BESIDE, legend=None, show_grid=False
    )


def _title(ds: xr.Dataset, text: str) -> str:
    return text if int(ds.attrs["d"]) == 2 else f"{text}, middle plane"


def field_flow(ds: xr.Dataset) -> Any:
    """Draw the curvature of the densest place against the radius of the window, raw and with the smoothing taken "
    "out."""
    parts = []
    for k, (name, label) in enumerate((("raw", "smoothed"), ("desmoothed", "smoothing taken out"))):
        known = np.isfinite(ds[name].values)
        parts += theme.marked_curve((ds.radius.values[known], ds[name].values[known]), "radius", "curvature", label, k)
    title = "Densest place, by scale"
    return theme.frame(hv.Overlay(parts), title=title, xlabel="radius R of the window", ylabel="K", legend="bottom")


def field_histogram(ds: xr.Dataset) -> Any:
    """Draw the distribution of the curvature along x with the Gaussian law."""
    known = bool(ds.attrs["law_known"])
    x = ds.bin.values
    parts = [
        theme.band(hv.Area((x, ds.histogram.values), "curvature", "share"), RAW, alpha=0.35),
        theme.line(hv.Curve((x, ds.histogram.values), "curvature", "share", label="this field"), RAW),
        theme.line(hv.Curve((x, ds.law.values), "curvature", "share", label="Gaussian law"), LAW, dash="dashed"),
    ]
    title = "Curvature along x, law of P(k)" if known else "Curvature along x"
    return theme.frame(hv.Overlay(parts), title=title, xlabel="curvature along x", ylabel="density", legend="bottom")


def field_shares(ds: xr.Dataset) -> Any:
    """Draw the share of cells in each class, by the chosen tensor and by the Hessian of ρ."""
    names = class_names(int(ds.attrs["d"]))
    parts = []
    for k, (tensor, label) in enumerate((("chosen", "chosen N"), ("classical", "N = d + 1"))):
        left = np.arange(len(names)) + (0.02 if k else -0.36)
        corners = np.stack([left, 0 * left, left + 0.34, ds.shares.sel(tensor=tensor).values], axis=1)
        made = hv.Rectangles(corners, ["left", "low", "right", "share"], label=label)
        colour = theme.SERIES[k]
        parts.append(
            theme.styled(
                made, bokeh={"color": colour, "line_alpha": 0}, matplotlib={"facecolor": colour, "edgecolor": "none"}
            )
        )
    return theme.frame(
        hv.Overlay(parts),
        title="Share of cells by class",
        xlabel="",
        ylabel="share",
        xticks=list(enumerate(names)),
        legend="bottom",
    )


def class_names(d: int) -> list[str]:
    """Return what the classes are called, by the number of positive eigenvalues.

    >>> class_names(3)
    ['void', 'sheet', 'filament', 'knot']
    """
    return ["void", "saddle", "knot"] if d == 2 else ["void", "sheet", "filament", "knot"]


# ---- two measures ----------------------------------------------------------------------------------------------------


def pair_plane(handles: Sequence[tuple[float, float]]) -> Any:
    """Draw Gaussians on a line as points (mean, deviation): distance is Euclid's, the geodesic the straight line.

    ``handles`` are the two, with their number as ``item``, that a hand can take.
    """
    ends = np.asarray(handles, dtype=float)
    path = hv.Curve(ends, "mean", "deviation", label="geodesic")
    marks = hv.Points([(x, y, k) for k, (x, y) in enumerate(handles)], ["mean", "deviation"], "item", label="handles")
    parts = [theme.line(path, theme.NEUTRAL), theme.markers(marks, theme.REFERENCE, size=14, alpha=0.85)]
    return theme.frame(
        hv.Overlay(parts),
        title="Two Gaussians, as mean and deviation",
        xlabel="mean",
        ylabel="standard deviation",
        xlim=(-4.3, 4.3),
        ylim=(0, MOST_DEVIATION + 0.2),
        legend=None,
    )


def pair_densities(ds: xr.Dataset) -> Any:
    """Draw the densities along the geodesic, the ends thick, and the reference behind them."""
    behind = np.nan_to_num(ds.reference_density.values)
    parts = [theme.band(hv.Area((ds.x.values, behind), "place", "mass"), theme.NEUTRAL, alpha=0.25)]
    last = ds.sizes["moment"] - 1
    for k, t in enumerate(ds.moment.values):
        is_end = k in (0, last)
        curve = hv.Curve((ds.position.values[k], ds.density.values[k]), "place", "mass", label=f"t = {t:g}")
        parts.append(
            theme.line(
                curve,
                theme.SERIES[1 if k == last else 0],
                width=3 if is_end else 1.2,
                dash="solid" if is_end else "dotted",
            )
        )
    title = "Along the geodesic; grey: the reference"
    return theme.frame(hv.Overlay(parts), title=title, xlabel="x", ylabel="density", legend="bottom")


def pair_entropy(ds: xr.Dataset) -> Any:
    """Draw the entropy along the geodesic with its chord, and the arc of constant curvature that meets it at t."""
    t = ds.place.values
    near = float(ds.attrs["t"])
    at = float(np.interp(near, t, ds.entropy.values))
    parts = [
        theme.line(hv.Curve((t, ds.entropy.values), "geodesic", "nat", label="E"), RAW, width=4),
        theme.line(hv.Curve((t, ds.chord.values), "geodesic", "nat", label="chord"), theme.NEUTRAL, dash="dashed"),
        theme.line(hv.Curve((t, ds.arc.values), "geodesic", "nat", label="constant K"), LAW, dash="dotted"),
        theme.markers(hv.Scatter(([near], [at]), "geodesic", "nat", label="here"), LAW, marker="diamond", size=12),
    ]
    title = "Entropy along the geodesic"
    return theme.frame(hv.Overlay(parts), title=title, xlabel="t", ylabel="E = KL(μ_t | m)", legend="bottom")


def pair_parts(ds: xr.Dataset) -> Any:
    """Draw K at N = ∞ with its two parts, and the K of the chosen N."""
    whole = float(ds.internal) + float(ds.potential)
    rows = [
        ("of the pair", float(ds.internal)),
        ("of the reference", float(ds.potential)),
        ("K, N = ∞", whole),
        (f"K, N = {ds.attrs['N']}", float(ds.value)),
    ]
    if str(ds.attrs["N"]) == "inf":
        rows.pop()
    bars = theme.bars(hv.Bars(rows, "part", "curvature"), RAW, width=0.6)
    return theme.frame(bars, title="What K is made of", xlabel="", ylabel="1/length²")


# ---- the transport of a box ------------------------------------------------------------------------------------------


def transport_map(ds: xr.Dataset) -> Any:
    """Draw the density with arrows to where its matter came from, the longest as long as the step between arrows."""
    plane = ds.isel(z=ds.sizes["z"] // 2) if "z" in ds.dims else ds
    image = theme.image(_image(ds, np.log(plane.density.values), "ln ρ"), bar="bottom")
    step = max(1, ds.sizes["x"] // ARROWS)
    u = plane.displacement.sel(axis="x").values[::step, ::step]
    v = plane.displacement.sel(axis="y").values[::step, ::step]
    x, y = np.meshgrid(ds.x.values[::step], ds.y.values[::step], indexing="ij")
    arrows = hv.Segments(np.stack([x, y, x + u, y + v], axis=-1).reshape(-1, 4), ["x", "y", "x1", "y1"])
    heads = hv.Points(np.stack([x + u, y + v], axis=-1).reshape(-1, 2), ["x", "y"])
    parts = [image, theme.line(arrows, "#FFFFFF", width=1.2), theme.markers(heads, "#FFFFFF", size=3)]
    title = "Where its matter came from"
    return theme.frame(
        hv.Overlay(parts),
        title=title,
        xlabel="x",
        ylabel="y",
        height=BESIDE + 40,
        equal_units=True,
        xlim=(float(ds.x[0]), float(ds.x[-1])),
        ylim=(float(ds.y[0]), float(ds.y[-1])),
        legend=None,
        show_grid=False,
    )


def transport_residuals(ds: xr.Dataset) -> Any:
    """Draw the residual after each Newton step: the certificate."""
    values = np.maximum(ds.residuals.values, 1e-17)
    parts = theme.marked_curve((ds.step.values, values), "step", "residual", "max |ln ρ − ln det(I + D²u)|", 0)
    title = "The certificate"
    return theme.frame(
        hv.Overlay(parts), title=title, xlabel="Newton step", ylabel="largest error of ln ρ", logy=True, legend="bottom"
    )


def transport_entropy(ds: xr.Dataset) -> Any:
    """Draw the entropy along the geodesic from the uniform density, with its chord; nothing where it was refused."""
    t, values = ds.place.values, np.nan_to_num(ds.entropy.values)
    parts = [
        theme.line(hv.Curve((t, values), "geodesic", "nat", label="E"), RAW, width=4),
        theme.line(hv.Curve((t, t * values[-1]), "geodesic", "nat", label="chord"), theme.NEUTRAL, dash="dashed"),
    ]
    title = "Entropy, from uniform to this density"
    return theme.frame(hv.Overlay(parts), title=title, xlabel="t", ylabel="E = KL to uniform", legend="bottom")
