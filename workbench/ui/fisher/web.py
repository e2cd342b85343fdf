"""The cosmic web of a density field: its curvature at any scale and dimension, and what depends on these choices."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import panel as pn
import param
import xarray as xr

from workbench import costs, fisher
from workbench.costs import Cost
from workbench.figures import fisher as figures
from workbench.fisher.entropic.files import FORMATS, FieldReading
from workbench.progress import Progress
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.upload import ReadUpload, file_field, keep
from workbench.ui.kit.view import View

FILE = "file"
KINDS = {entry.label: name for name, entry in fisher.FIELDS.items()} | {"Your own field …": FILE}
SHAPES = {
    "64²": (64, 64),
    "128²": (128, 128),
    "256²": (256, 256),
    "512²": (512, 512),
    "64³": (64,) * 3,
    "96³": (96,) * 3,
}
LARGEST_UPLOAD = 32 * 2**20
MOST_CELLS = 128**3
SIDES = {2: 256, 3: 64}
"""Cells a side on which positions are put."""
ACCEPTED = ",".join(FORMATS)


class FieldFile(ReadUpload):
    """An uploaded cube, picture or table of positions."""

    def read(self, progress: Progress) -> tuple[FieldReading, str]:
        """Read the field, or the positions."""
        found = fisher.read_field(self.data, name=self.name, max_bytes=LARGEST_UPLOAD, apart=True, progress=progress)
        return found, found.sentence

    def density(self, box: float) -> np.ndarray:
        """Return the density, positions on the page's own number of cells."""
        found = self.contents()
        side = 0 if found.positions is None else SIDES[found.positions.shape[1]]
        density = found.density(box=box, side=side)
        if density.size > MOST_CELLS:
            raise ValueError(
                f"{self.name} has {density.size:,} cells; this page takes up to {MOST_CELLS:,} (128³). Average blocks "
                "of cells, or call fisher.web_report in Python"
            )
        return density


def file_controls(view: Any, used: Mapping[str, tuple[bool, bool]]) -> list[Any]:
    """Return the widgets of a view with a ``kind`` and a ``file``: what a random field or a file has no use for hides.

    ``used`` says of an input whether a random field and whether a file reads it; others are always shown.
    """
    is_file = pn.bind(lambda kind: kind == FILE, view.param.kind)
    take = lambda name, data: keep(view, "file", FieldFile, name, data, LARGEST_UPLOAD)  # noqa: E731
    rows: list[Any] = [
        widget_for(view, "kind"),
        file_field(view, "file", "NPY, picture or CSV of positions", ACCEPTED, take, visible=is_file),
    ]
    for name in (*view.inputs, *view.display):
        if name in ("kind", "file"):
            continue
        widget = widget_for(view, name)
        if name in used:
            random, own = used[name]
            widget.visible = pn.bind(lambda kind, a=random, b=own: b if kind == FILE else a, view.param.kind)
        rows.append(widget)
    return rows


def check_file(inputs: Mapping[str, Any]) -> None:
    """Refuse a missing file; what it holds is judged when it is read."""
    if inputs["kind"] == FILE and inputs["file"] is None:
        raise ValueError(f"Choose a file with a density or with positions ({ACCEPTED}).")


def check_scale(inputs: Mapping[str, Any]) -> None:
    """Refuse a smoothing that the grid of a random field does not resolve."""
    side = SHAPES[inputs["size"]][0]
    if inputs["kind"] != FILE and inputs["smoothing"] * side < 1:
        raise ValueError(
            f"a smoothing of {inputs['smoothing']:g} is less than a cell of {inputs['size']} ({1 / side:.3g}); smooth "
            "more or take more cells"
        )


class WebView(View):
    """Knots, filaments, sheets and voids, by curvature."""

    title, slug = "Web", "web"
    help = (
        "The curvature of −ln ρ sorts cells into knots, filaments, sheets and voids by its signs. The slider of the "
        "dimension goes from the Hessian of ln ρ (0) to that of ρ itself (1), the two definitions in use; striped "
        "cells get another class by the latter. After an abstract, arXiv 2604.00593, that has no numbers: every "
        "formula here is derived and tested. No verdict on observations follows."
    )
    inputs = (
        *("kind", "file", "box", "size", "slope", "sigma", "smoothing", "probe", "width", "mix", "threshold", "floor"),
        "seed",
    )
    experiment = staticmethod(fisher.web_report)
    registries: ClassVar[dict[str, Any]] = {}
    columns = 3

    kind = param.Selector(default="lognormal", objects=KINDS, label="Density")
    file = param.ClassSelector(class_=FieldFile, default=None, allow_None=True)
    box = param.Number(
        default=1.0, bounds=(1e-6, None), label="Side of the box", doc="Of positions, and of all lengths"
    )
    size = param.Selector(default="256²", objects=list(SHAPES), label="Cells")
    slope = param.Number(default=-1.5, bounds=(-3.0, 2.0), step=0.1, label="Slope n of the spectrum kⁿ")
    sigma = param.Number(default=1.0, bounds=(0.05, 3.0), step=0.05, label="rms of ln ρ (of ρ, of linear ρ)")
    smoothing = param.Number(
        default=0.02, bounds=(0.004, 0.1), step=0.002, label="Smoothing R", doc="Of the box; acts on ρ, before ln"
    )
    probe = param.Number(
        default=0.0, bounds=(0.0, 0.1), step=0.005, label="Reach h of the probe", doc="Of the box. 0: the local limit"
    )
    width = param.Number(default=0.0, bounds=(0.0, 0.05), step=0.005, label="Width s of the probe", doc="Acts on ln ρ")
    mix = param.Number(
        default=0.0,
        bounds=(0.0, 1.0),
        step=0.05,
        label="Dimension, 1/(N − d)",
        doc="0: N = ∞, Hessian of ln ρ. 1: N = d + 1, Hessian of ρ",
    )
    threshold = param.Number(
        default=0.0, bounds=(-1.0, 1.0), step=0.05, label="Threshold", doc="In rms of the curvature"
    )
    floor = param.Number(
        default=0.0,
        bounds=(0.0, 0.1),
        step=0.001,
        label="Least density",
        doc="Share of the mean. 0: none, refuse instead",
    )
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="Same seed, same field")

    def controls(self) -> list[Any]:
        """Return the widgets; those that the chosen density does not read are hidden."""
        random, own = (True, False), (False, True)
        return file_controls(
            self, {"box": own, "floor": own, "size": random, "slope": random, "sigma": random, "seed": random}
        )

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a missing file and a smoothing below a cell."""
        check_file(inputs)
        check_scale(inputs)

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time; that of a file goes by its size."""
        if inputs["kind"] == FILE:
            size = len(inputs["file"].data) if inputs["file"] is not None else 0
            return Cost(0.5 + size / 4e6, 60.0 * size)
        return costs.of(fisher.web_report, kind=inputs["kind"], shape=SHAPES[inputs["size"]]) or Cost(1.0)

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the experiment; lengths are shares of the box on the page."""
        is_file = inputs["kind"] == FILE
        box = inputs["box"] if is_file else 1.0
        found: dict[str, Any] = {name: inputs[name] * box for name in ("smoothing", "probe", "width")}
        found["threshold"] = inputs["threshold"]
        if is_file:
            rho = inputs["file"].density(box)
            found |= {"rho": rho, "box": box, "floor": inputs["floor"] or None}
            d = rho.ndim
        else:
            shape = SHAPES[inputs["size"]]
            found |= {name: inputs[name] for name in ("kind", "slope", "sigma", "seed")} | {"shape": shape}
            d = len(shape)
        found["N"] = d + 1 / inputs["mix"] if inputs["mix"] else np.inf
        return found

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result; lengths are shares of the box here, and N is its inverse."""
        found = dict(parameters)
        box = float(found.get("box") or 1.0)
        for name in ("smoothing", "probe", "width"):
            if isinstance(found.get(name), (int, float)):
                found[name] = found[name] / box
        if found.get("rho") is not None:
            found.pop("kind", None)
        else:
            shape = found.get("shape")
            found["size"] = next((name for name, sides in SHAPES.items() if list(sides) == shape), None)
            if isinstance(found.get("N"), (int, float)) and isinstance(shape, list):
                found["mix"] = 1 / (found["N"] - len(shape))
            else:
                found["mix"] = 0.0
        super()._adopt(found)

    def pictures(self) -> Sequence[Any]:
        """Return field, curvature, web; the scale flow, the distribution and the shares."""
        return [
            Picture("Density", figures.field_map, _field_in_words, height=figures.BESIDE),
            Picture("Curvature", figures.field_curvature, _curvature_in_words, height=figures.BESIDE),
            Picture("Web", figures.field_web, _web_in_words, height=figures.BESIDE),
            Picture("Scale flow", figures.field_flow, _flow_in_words),
            Picture("Distribution", figures.field_histogram, _law_in_words),
            Picture("Classes", figures.field_shares, _shares_in_words),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what the choice of ln ρ or ρ changes, and whether the variance is what the spectrum says."""
        shares = ds.shares.sel(tensor="chosen").values
        names = figures.class_names(int(ds.attrs["d"]))
        told = ", ".join(f"{name}s {share:.1%}" for name, share in zip(names[::-1], shares[::-1], strict=True))
        text = (
            f"{told[0].upper()}{told[1:]}. {float(ds.changed):.0%} of the cells get another class if ρ itself is "
            "differentiated (N = d + 1)"
        )
        if not ds.attrs["law_known"]:
            return f"{text}."
        return (
            f"{text}. The variance of the curvature is {float(ds.variance):.4g} ± {float(ds.error):.1g}; the power "
            f"spectrum says {float(ds.expected):.4g}, {abs(float(ds.z)):.1f} standard errors away."
        )


def _field_in_words(ds: xr.Dataset) -> str:
    low, high = float(ds.log_density.min()), float(ds.log_density.max())
    cells = " × ".join(str(int(n)) for n in np.ravel(ds.attrs["cells"]))
    return f"{cells} cells, periodic; ln ρ from {low:.2f} to {high:.2f}."


def _curvature_in_words(ds: xr.Dataset) -> str:
    values = ds.mean_curvature.values
    return f"A d-th of the trace, from {values.min():.3g} to {values.max():.3g} per squared length; red: ρ curves down."


def _web_in_words(ds: xr.Dataset) -> str:
    names = ", ".join(f"{k} {name}" for k, name in enumerate(figures.class_names(int(ds.attrs["d"]))))
    return f"Eigenvalues above the threshold: {names}. {float(ds.changed):.1%} of all cells are in another class by ρ."


def _flow_in_words(ds: xr.Dataset) -> str:
    first, last = float(ds.raw[0]), float(ds.raw[-1])
    if not np.isfinite([first, last]).all():
        return "The curvature of the densest place, window by window; it follows in a moment."
    clean = ds.desmoothed.values[np.isfinite(ds.desmoothed.values)]
    tail = f"; with the smoothing taken out, {clean[0]:.4g} to {clean[-1]:.4g}" if len(clean) else ""
    return f"Smoothing alone flattens every peak: {first:.4g} to {last:.4g} over the windows{tail}."


def _law_in_words(ds: xr.Dataset) -> str:
    if ds.attrs["law_known"]:
        return "ln ρ is Gaussian, so the curvature is, with a variance that the power spectrum gives: no fit."
    return "No closed form holds for this density or dimension; the dashed Gaussian has the same mean and width."


def _shares_in_words(ds: xr.Dataset) -> str:
    d = int(ds.attrs["d"])
    name = figures.class_names(d)[d]
    chosen, classical = (float(ds.shares.sel(tensor=tensor)[d]) for tensor in ("chosen", "classical"))
    return f"{name.capitalize()}s are {chosen:.1%} of the cells by the chosen tensor and {classical:.1%} by ρ itself."
