"""Covariance matrices: two ellipses under the hand, a batch with its certified mean, and what normalisation folds."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import panel as pn
import param
import xarray as xr

from workbench import costs, flows
from workbench.costs import Cost
from workbench.figures import flows as figures
from workbench.figures.flows.covariances import ACROSS, SHOWN
from workbench.flows.covariances.files import DEFAULT_LIMIT, FORMATS, CovarianceReading
from workbench.progress import Progress
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.dragged import DraggedMarks
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.upload import ReadUpload, file_field, keep
from workbench.ui.kit.view import View

RANDOM, FILE = "random", "file"
ACCEPTED = ",".join(f".{ending}" for ending in FORMATS)
CONDITIONS = {f"1e{k}": 10.0**k for k in range(1, 13)}
AXES = ("a_long", "a_short", "a_turn", "b_long", "b_short", "b_turn")
LEAST_AXIS = 0.03
ENDS = (("a", 0.0), ("b", ACROSS * (SHOWN - 1)))
"""The ends of the geodesics: the beginning of their parameters' names, and where they stand in the picture."""


class CovarianceFile(ReadUpload):
    """An uploaded stack of matrices, or trials."""

    def read(self, progress: Progress) -> tuple[CovarianceReading, str]:
        """Read all of the file."""
        stream = io.BytesIO(self.data)
        stream.name = self.name
        reading = flows.read_covariances(stream, apart=True, progress=progress)
        return reading, reading.sentence


class CovariancesView(View):
    """Geodesics between two covariances, the mean of many, and their normalisation."""

    title, slug = "Covariances", "covariances"
    help = (
        "A covariance is an ellipse. Drag the ends of the axes in the first row: between the two, each geometry has "
        "its own shortest path. Below, a batch of matrices: its Bures–Wasserstein mean comes with a proof, and batch "
        "normalisation, pushed too far, folds matrices over the edge of what the geometry can represent."
    )
    experiment = staticmethod(flows.covariance_batch)
    inputs = ("source", "file", "count", "n", "condition", "factor", "power", *AXES, "seed")

    source = param.Selector(
        default=RANDOM, objects={"Random matrices": RANDOM, "Your own file …": FILE}, label="Batch of matrices"
    )
    file = param.ClassSelector(class_=CovarianceFile, default=None, allow_None=True)
    count = param.Integer(default=30, bounds=(1, 300), label="Matrices in the batch")
    n = param.Integer(default=2, bounds=(1, 16), label="Size of a matrix", doc="Above 2: seen in the mean's plane")
    condition = param.Selector(default=1e4, objects=CONDITIONS, label="Condition number, at most")
    factor = param.Number(
        default=6.0,
        bounds=(0, 40),
        step=0.5,
        label="Factor s/σ",
        doc="What normalisation multiplies tangent vectors by",
    )
    power = param.Number(default=1.0, bounds=(0.1, 2.0), step=0.1, label="Power p", doc="1: Bures–Wasserstein itself")
    a_long = param.Number(default=1.0, bounds=(LEAST_AXIS, 1), step=0.01, label="First ellipse: one semi-axis")
    a_short = param.Number(default=0.15, bounds=(LEAST_AXIS, 1), step=0.01, label="First ellipse: the other")
    a_turn = param.Number(default=60.0, bounds=(-180, 180), step=1, label="First ellipse: angle of the one (°)")
    b_long = param.Number(default=1.0, bounds=(LEAST_AXIS, 1), step=0.01, label="Second ellipse: one semi-axis")
    b_short = param.Number(default=0.2, bounds=(LEAST_AXIS, 1), step=0.01, label="Second ellipse: the other")
    b_turn = param.Number(default=-30.0, bounds=(-180, 180), step=1, label="Second ellipse: angle of the one (°)")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="Same seed, same matrices")

    def controls(self) -> list[Any]:
        """Return the widgets; the chooser of a file stands where a file is asked for."""
        wanted = pn.bind(lambda source: source == FILE, self.param.source)
        label = "NPZ, NPY or CSV: matrices or trials"
        upload = file_field(self, "file", label, ACCEPTED, self.take_file, visible=wanted)
        rest = [widget_for(self, name) for name in self.inputs if name not in ("source", "file")]
        return [widget_for(self, "source"), upload, *rest]

    def take_file(self, name: str, data: bytes) -> None:
        """Use an uploaded file as the batch."""
        keep(self, "file", CovarianceFile, name, data, DEFAULT_LIMIT)

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a missing file; what it holds is judged when it is read."""
        if inputs["source"] == FILE and inputs["file"] is None:
            raise ValueError(f"Choose a file of covariance matrices or trials ({ACCEPTED}).")

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time; that of a file is known only when it has been read."""
        if inputs["source"] == FILE:
            return Cost(1.0)
        return costs.of(flows.covariance_batch, count=inputs["count"], n=inputs["n"]) or Cost(1.0)

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the experiment: the batch, and the two ellipses where the batch is in the plane."""
        found = {name: inputs[name] for name in ("count", "n", "condition", "factor", "power", "seed")}
        size = inputs["n"]
        if inputs["source"] == FILE:
            found["x"] = inputs["file"].contents().matrices
            size = found["x"].shape[-1]
        if size == 2:
            for name, end in (("first", "a"), ("second", "b")):
                axes = (inputs[f"{end}_{part}"] for part in ("long", "short", "turn"))
                found[name] = matrix_of(*axes).tolist()
        return found

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result; its ends are matrices there and axes here."""
        found = dict(parameters)
        for name, end in (("first", "a"), ("second", "b")):
            given = np.asarray(found.get(name) or np.nan, dtype=float)
            if given.shape == (2, 2) and np.isfinite(given).all():
                found |= dict(zip((f"{end}_long", f"{end}_short", f"{end}_turn"), axes_of(given), strict=True))
        super()._adopt(found)

    def pictures(self) -> Sequence[Any]:
        """Return the geodesics, the normalised batch, the mean's proof and the swelling."""
        return [
            DraggedGeodesics(self),
            Picture("After normalisation", figures.normalised_ellipses, _folds_in_words, height=470),
            Picture("The mean and its proof", figures.mean_certificate, _mean_in_words),
            Picture("Swelling", figures.swelling, _swelling_in_words),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what the mean is worth, what one step misses, and how many matrices fold."""
        value, bound = float(ds.best_value), float(ds.best_bound)
        off = (float(ds.one_step_value) - value) / value if value else 0.0
        folded, count = int(ds.folded.sum()), ds.sizes["matrix"]
        told = f"at s/σ = {ds.attrs['factor']:g}, {folded} of {count} matrices fold"
        if not np.isfinite(float(ds.least_root.min())):
            told = "the mean is singular, so there are no tangent maps to normalise with"
        return (
            f"The exact mean has V = {value:.6g} (certified: at least {bound:.6g}, gap {max(float(ds.gap), 0):.1e}); "
            f"one step from the arithmetic mean is off by {off:.2g} of V; {told}."
        )


def matrix_of(long: float, short: float, turn: float) -> np.ndarray:
    """Return the matrix of an ellipse with these semi-axes, the first turned by ``turn`` degrees."""
    angle = np.deg2rad(turn)
    frame = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (frame * np.array([long, short]) ** 2) @ frame.T


def axes_of(matrix: np.ndarray) -> tuple[float, float, float]:
    """Return semi-axes and angle of a matrix, as :func:`matrix_of` takes them."""
    values, vectors = np.linalg.eigh(matrix)
    short, long = np.sqrt(np.maximum(values, 0))
    return float(long), float(short), float(np.rad2deg(np.arctan2(vectors[1, 1], vectors[0, 1])))


class DraggedGeodesics(DraggedMarks):
    """The geodesics with handles on the axes of both ends: the end of an axis follows the hand."""

    def __init__(self, view: CovariancesView) -> None:
        super().__init__(
            "Geodesics",
            lambda ds: figures.geodesic_ellipses(ds, unit=_unit(ds), handles=self.places(ds)),
            _paths_in_words,
            self.move,
            hint="Drag the ends of the axes",
            height=470,
        )
        self._view = view

    def places(self, ds: xr.Dataset) -> list[tuple[float, float]]:
        """Return the ends of both axes of both ellipses in the coordinates of the picture; none off the plane.

        They are those of the controls, so that a handle stays under the hand while the picture follows.
        """
        if ds.sizes["row"] != 2:
            return []
        found = []
        for end, centre in ENDS:
            long, short, turn = (getattr(self._view, f"{end}_{part}") for part in ("long", "short", "turn"))
            angle = np.deg2rad(turn)
            found.append((float(centre + long * np.cos(angle)), float(long * np.sin(angle))))
            found.append((float(centre - short * np.sin(angle)), float(short * np.cos(angle))))
        return found

    def move(self, item: int, x: float, y: float) -> None:
        """Take the place of a handle: the first of each pair turns and stretches, the second only stretches."""
        if not np.isfinite([x, y]).all():
            return
        end, centre = ENDS[item // 2]
        length = float(np.hypot(x - centre, y))
        changed = {f"{end}_short": length}
        if item % 2 == 0:
            changed = {f"{end}_long": length, f"{end}_turn": float(np.rad2deg(np.arctan2(y, x - centre)))}
        for name, value in changed.items():
            low, high = self._view.param[name].bounds
            changed[name] = float(np.clip(round(value, 3), low, high))
        self._view.param.update(**changed)


def _unit(ds: xr.Dataset) -> float | None:
    """Return 1 where the ends are dragged, in whose coordinates the handles stand; else the picture finds its own."""
    return 1.0 if ds.sizes["row"] == 2 else None


def _paths_in_words(ds: xr.Dataset) -> str:
    told = ", ".join(
        f"{figures.COVARIANCE_NAMES[name]} {float(ds.distance.sel(metric=name)):.3g}"
        for name in ("bures", "affine", "log-euclidean", "euclidean")
        if np.isfinite(float(ds.distance.sel(metric=name)))
    )
    hint = " Drag the ends of the axes in the first row." if ds.sizes["row"] == 2 else ""
    return f"Squared distances of the ends: {told}.{hint}"


def _folds_in_words(ds: xr.Dataset) -> str:
    cap = float(ds.cap)
    if np.isnan(cap):
        return "The mean is singular: there is no map from it, and nothing is normalised."
    limit = f"nothing folds up to s/σ = {cap:.4g}" if np.isfinite(cap) else "no factor folds anything"
    more = f" The first 100 of {ds.sizes['matrix']} are drawn." if ds.sizes["matrix"] > 100 else ""
    return f"{int(ds.folded.sum())} of {ds.sizes['matrix']} matrices fold (dashed, marked); {limit}.{more}"


def _mean_in_words(ds: xr.Dataset) -> str:
    return (
        f"{ds.sizes['iteration'] - 1} steps. Variance about the mean {float(ds.best_value):.4g}, about the identity, "
        f"as the released code takes it, {float(ds.variance_about_identity):.4g}."
    )


def _swelling_in_words(ds: xr.Dataset) -> str:
    middle = ds.determinant.sel(place=0.5, method="nearest")
    ends = float(ds.determinant.isel(place=[0, -1]).max())
    if not ends > 0:
        return "Both ends are singular: their ellipses have no area."
    return (
        f"Half-way the determinant is {float(middle.sel(metric='bures')) / ends:.3g} (Bures–Wasserstein) and "
        f"{float(middle.sel(metric='euclidean')) / ends:.3g} (Euclidean) times that of the larger end."
    )
