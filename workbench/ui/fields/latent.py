"""Latent: what a projection loses, what the flow adds, and which latent dimension is best for so many rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import panel as pn
import param
import xarray as xr

from workbench import costs, data, fields
from workbench.costs import Cost
from workbench.fields.latent.codecs import MOST_COLUMNS, MOST_ROWS
from workbench.fields.latent.dimension import DIMS
from workbench.fields.latent.verdicts import NETWORKS, STUDY
from workbench.figures import fields as figures
from workbench.ui.fields.canvas import SOLVERS
from workbench.ui.fields.training import LARGEST, TABLES, PointsFile
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.upload import file_field, keep
from workbench.ui.kit.view import View

DIGITS, FILE = "digits", "file"
POINTS = [150, 600, 4000]
LEARNERS = {entry.label: name for name, entry in fields.LEARNERS.items()}


class LatentView(View):
    """Reconstruction and flow, added up exactly, for every latent dimension."""

    title, slug = "Latent", "latent"
    help = (
        "A flow is learned in the space of the leading principal axes. For them the squared W₂ is what the projection "
        "loses plus what the flow adds, whatever the flow: so the best dimension can be read off. The law of digits is "
        "known in closed form; of your own rows a fifth is kept out to judge by. What is not shipped waits for Run."
    )
    apart = True
    experiment = staticmethod(fields.best_dimension)
    inputs = ("source", "file", "points", "learner", "solver", "steps", "seed")
    display = ("shown", "offset", "error")

    source = param.Selector(
        default=DIGITS, objects={"Handwritten digits, a known law": DIGITS, "Your own table …": FILE}, label="Rows"
    )
    file = param.ClassSelector(class_=PointsFile, default=None, allow_None=True)
    points = param.Selector(default=600, objects=POINTS, label="Points learned from", doc="of a table: four fifths")
    learner = param.Selector(default="mixture", objects=LEARNERS, label="Learner")
    solver = param.Selector(default="rk4", objects=SOLVERS, label="Solver")
    steps = param.Integer(default=24, bounds=(1, 100), label="Steps of the solver")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="Same seed, same points and paths")
    shown = param.Selector(default=32, objects=list(DIMS), label="Latent dimension k looked at")
    offset = param.Number(default=1.0, bounds=(0.0, 3.0), step=0.05, label="Decoder off by c")
    error = param.Number(default=0.1, bounds=(0.0, 1.0), step=0.01, label="Field off by b")

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a missing file; what it holds is judged when it is read."""
        if inputs["source"] == FILE and inputs["file"] is None:
            raise ValueError(f"Choose a table or an array, each row a point ({TABLES}).")

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments; rows of a file stand in the place of the law."""
        asked = {name: inputs[name] for name in ("points", "learner", "solver", "steps", "seed")}
        if inputs["source"] == DIGITS:
            return {"data": DIGITS, "dims": list(DIMS), **asked}
        own = np.asarray(inputs["file"].contents())
        if own.ndim != 2 or len(own) > MOST_ROWS or own.shape[1] > MOST_COLUMNS:
            raise ValueError(
                f"{inputs['file'].name} has shape {own.shape}; this page takes up to {MOST_ROWS:,} rows of "
                f"{MOST_COLUMNS:,} numbers"
            )
        dims = [k for k in (1, *DIMS) if k <= own.shape[1]]
        return {"data": own, "dims": dims, **asked}

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return a shipped answer for its settings."""
        if inputs["source"] != DIGITS:
            return None
        return data.result_for(f"fields/latent_{inputs['points']}.nc", **self.arguments(inputs))

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time; that of a shipped answer is nothing, that of a file goes by its size."""
        if inputs["source"] == DIGITS and self.precomputed(inputs) is not None:
            return Cost(0.1)
        own = inputs["source"] == FILE and inputs["file"] is not None
        points = len(inputs["file"].data) / 500 if own else inputs["points"]
        asked = {"dims": DIMS, "points": int(points) + 1, "learner": inputs["learner"]}
        return costs.of(fields.best_dimension, **asked) or Cost(20.0)

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result; rows of a file and the dimensions are not among them."""
        names = ("points", "learner", "solver", "steps", "seed")
        super()._adopt({name: value for name, value in parameters.items() if name in names})

    def take_file(self, name: str, data: bytes) -> None:
        """Use an uploaded file."""
        keep(self, "file", PointsFile, name, data, LARGEST)

    def controls(self) -> list[Any]:
        """Return the widgets, and the chooser of a file where one is asked for."""
        wanted = pn.bind(lambda source: source == FILE, self.param.source)
        field = file_field(self, "file", "CSV, TSV, NPZ or NPY", TABLES, self.take_file, visible=wanted)
        rest = [widget_for(self, name) for name in (*self.inputs, *self.display) if name not in ("source", "file")]
        return [widget_for(self, "source"), field, *rest]

    def pictures(self) -> Sequence[Any]:
        """Return the sum, what comes out, the bounds, the study and the cross term."""
        return [
            Picture("Reconstruction + flow", self._sum, _sum_in_words),
            Picture("Generated", self._made, self._made_in_words, height=430),
            Picture("Flow and bounds", self._bounds, self._bounds_in_words),
            Picture("Mixture and network", self._learners, self._learners_in_words),
            Picture(
                "Best dimension against data", lambda _: figures.dimension_curves(data.result(STUDY)), _study_words
            ),
            Picture("A decoder with an offset", self._broken, self._broken_in_words),
        ]

    def _at(self, ds: xr.Dataset) -> xr.Dataset:
        return ds.sel(dimension=self.shown, method="nearest")

    def _sum(self, ds: xr.Dataset) -> Any:
        return figures.latent_budget(ds, dimension=int(self._at(ds).dimension))

    def _made(self, ds: xr.Dataset) -> Any:
        return figures.latent_samples(ds, dimension=self.shown)

    def _made_in_words(self, ds: xr.Dataset) -> str:
        return f"{ds.sizes['shown']} rows that the flow made in {int(self._at(ds).dimension)} dimensions, decoded."

    def _bounds(self, ds: xr.Dataset) -> Any:
        return figures.latent_bounds(ds, dimension=self.shown)

    def _bounds_in_words(self, ds: xr.Dataset) -> str:
        one = self._at(ds)
        if ds.attrs["truth"] == "unknown":
            return "Of your own rows the true field is not known, so no bound can be computed."
        return (
            f"In {int(one.dimension)} dimensions the flow adds {float(one.flow):.3g}; the one-sided bound says "
            f"{figures.told_power(float(one.one_sided))}, the classical one {figures.told_power(float(one.classical))}."
        )

    def _learners(self, ds: xr.Dataset) -> Any:
        return figures.learner_columns(data.result(STUDY), data.result(NETWORKS), points=self.points)

    def _learners_in_words(self, ds: xr.Dataset) -> str:
        told = []
        for label, name in (("a fitted mixture", STUDY), ("a network of 1,500 steps", NETWORKS)):
            total = data.result(name).total.sel(points=self.points).mean("seed")
            best = total[int(total.argmin("dimension"))]
            told.append(f"{label} does best in {int(best.dimension)} dimensions with {float(best):.2f}")
        seeds = data.result(NETWORKS).sizes["seed"]
        return f"From {self.points:,} digits {' and '.join(told)}; mean and range of {seeds} seeds, a shipped study."

    def _broken_dataset(self) -> xr.Dataset:
        return fields.additive_counterexample(self.offset, self.error)

    def _broken(self, ds: xr.Dataset) -> Any:
        return figures.additive_violation(self._broken_dataset())

    def _broken_in_words(self, ds: xr.Dataset) -> str:
        one = self._broken_dataset()
        verb = "exceeds" if float(one.squared) > float(one.additive) else "stays below"
        return (
            f"W₂² = {float(one.squared):.4f} {verb} the sum of squares {float(one.additive):.4f}: an offset of the "
            f"decoder and one of the field add before they are squared ({float(one.triangle):.4f} always holds)."
        )

    def sentence(self, ds: xr.Dataset) -> str:
        """Say which dimension is best, how both errors share the sum, and what the classical bound makes of it."""
        best = ds.sel(dimension=int(ds.best))
        lost, flow, reach = float(best.reconstruction), float(best.flow), 2 * float(best.flow_error)
        if ds.attrs["truth"] == "unknown":
            return (
                f"On rows kept out, {int(ds.best)} dimensions do best: {lost:.3g} lost by the projection and "
                f"{flow:+.3g} ± {reach:.2g} added by the flow over what real rows differ by, {float(best.total):.3g} ± "
                f"{2 * float(best.total_error):.2g} together (two standard errors over rows)."
            )
        close = "" if bool(ds.separated) else " (others lie within the error)"
        return (
            f"Use k = {int(ds.best)}{close}: {lost:.2f} lost by the projection and {flow:.2f} ± {reach:.2f} added by "
            f"the flow, so W₂² ≤ {lost + flow:.2f} up to that error; "
            f"the classical bound says {figures.told_power(float(best.classical))}."
        )


def _sum_in_words(ds: xr.Dataset) -> str:
    first, last = ds.isel(dimension=0), ds.isel(dimension=-1)
    return (
        f"From {int(first.dimension)} to {int(last.dimension)} dimensions the projection's loss falls from "
        f"{float(first.reconstruction):.2f} to {float(last.reconstruction):.2f}, the flow's goes from "
        f"{float(first.flow):.2f} to {float(last.flow):.2f}. Bars: two standard errors."
    )


def _study(_: xr.Dataset) -> Any:
    return figures.dimension_curves(data.result(STUDY))


def _study_words(ds: xr.Dataset) -> str:
    study = data.result(STUDY)
    told = ", ".join(f"{int(k)} from {int(n):,} points" for n, k in zip(study.points, study.best, strict=True))
    return f"Least sum at {told}; mean and range of {study.sizes['seed']} seeds, always the same study."
