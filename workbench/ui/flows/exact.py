"""Exact transport: Sinkhorn, sparse Newton and full Newton on one problem, and the interval that a proof closes."""

from collections.abc import Mapping, Sequence
from typing import Any

import panel as pn
import param
import xarray as xr

from workbench import flows
from workbench.clouds import foreign
from workbench.costs import Cost
from workbench.figures import flows as figures
from workbench.flows import costs
from workbench.flows.exact.race import MOST_POINTS
from workbench.progress import Progress
from workbench.ui.kit.choices.clouds import PairView, clouds_of
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.upload import ReadUpload, file_field, keep

CLOUDS, MATRIX = "clouds", "matrix"
PROBLEMS = {"Two clouds": CLOUDS, "Your own cost matrix …": MATRIX}
LARGEST_UPLOAD = 32 * 2**20
MATRIX_ENDINGS = ".npy,.npz,.csv"


class MatrixFile(ReadUpload):
    """An uploaded cost matrix, with weights of its rows if the archive has them."""

    def read(self, progress: Progress) -> tuple[Any, str]:
        """Read all of the file: an array whose rows are the sources and whose columns are the targets."""
        reading = foreign.read_cloud(self.data, self.name, max_bytes=LARGEST_UPLOAD, progress=progress)
        n, m = reading.points.shape
        return reading, f"costs from {n} sources to {m} targets. {reading.sentence}"


class ExactView(PairView):
    """The paper's solvers on one problem, and the exact plan."""

    title, slug = "Exact transport", "exact"
    help = (
        "Entropic transport replaces the optimum by a blurred plan; η says how sharp. Sinkhorn needs the more steps "
        "the larger η is, Newton's method a handful: SNS keeps only the largest entries of the Hessian. Every iterate "
        "proves an interval for the true optimum; pricing every pair closes it."
    )
    experiment = staticmethod(flows.compare_solvers)
    inputs = ("problem", "matrix_file", *PairView.PAIR_INPUTS, "log_eta", "density", "sinkhorn_first", "sinkhorn_limit")

    problem = param.Selector(default=CLOUDS, objects=PROBLEMS, label="Problem")
    matrix_file = param.ClassSelector(class_=MatrixFile, default=None, allow_None=True)
    n = param.Integer(default=300, bounds=(50, 1500), label="Points in each cloud")
    log_eta = param.Number(
        default=2.5, bounds=(0, 5), step=0.1, label="Sharpness log₁₀ η", doc="η times the mean cost, as a power of ten"
    )
    density = param.Number(
        default=10.0, bounds=(1, 40), step=1, label="Entries kept per point, λ n", doc="the paper keeps 2, or 15"
    )
    sinkhorn_first = param.Integer(default=20, bounds=(0, 500), label="Sinkhorn steps before sparse Newton")
    sinkhorn_limit = param.Integer(default=300, bounds=(10, 5000), label="Sinkhorn alone stops after")

    def controls(self) -> list[Any]:
        """Return the choice of the problem, its clouds or its file, then the solvers' parameters."""
        is_matrix = pn.bind(lambda choice: choice == MATRIX, self.param.problem)
        is_clouds = pn.bind(lambda choice: choice == CLOUDS, self.param.problem)
        label = "NPY, NPZ or CSV, a row for each source"
        chooser = file_field(self, "matrix_file", label, MATRIX_ENDINGS, self.take_matrix, visible=is_matrix)
        pair = pn.Column(*self.pair_controls(), visible=is_clouds, sizing_mode="stretch_width", margin=0)
        others = ("log_eta", "density", "sinkhorn_first", "sinkhorn_limit", "seed")
        return [widget_for(self, "problem"), chooser, pair, *[self.control(name) for name in others]]

    def take_matrix(self, name: str, data: bytes) -> None:
        """Use an uploaded file as the cost matrix."""
        keep(self, "matrix_file", MatrixFile, name, data, LARGEST_UPLOAD)

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a missing file."""
        if inputs["problem"] == CLOUDS:
            super().check(inputs)
        elif inputs["matrix_file"] is None:
            raise ValueError(f"Choose a file with your costs ({MATRIX_ENDINGS}), a row for each source.")

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time; a file may hold as many points as the page takes."""
        if inputs["problem"] == MATRIX:
            held = inputs["matrix_file"]
            n = min(int((len(held.data) / 8) ** 0.5), MOST_POINTS) if held else inputs["n"]
        else:
            n = inputs["n"]
        return costs.race(n, sinkhorn_limit=inputs["sinkhorn_limit"])

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the problem, clouds or costs, and the solvers' parameters; a file is read here, by the worker."""
        kept = ("log_eta", "density", "sinkhorn_first", "sinkhorn_limit")
        if inputs["problem"] == MATRIX:
            reading = inputs["matrix_file"].contents()
            problem: dict[str, Any] = {"x": None, "y": None, "cost": reading.points, "x_weights": reading.weights}
        else:
            problem = clouds_of(inputs)
        return {**problem, **{name: inputs[name] for name in kept}}

    def pictures(self) -> Sequence[Any]:
        """Return errors, bounds, the plan and the kept entries."""
        return [
            Picture("Errors of the marginals", figures.solver_errors, _errors_in_words),
            Picture("Bounds on the optimum", figures.bounds_closing, _bounds_in_words),
            Picture("Optimal plan", figures.optimal_plan, _plan_in_words),
            Picture("Kept entries", figures.kept_entries, _kept_in_words),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Give the interval that Newton's plan proves, and what pricing makes of it."""
        last = ds.sel(solver="newton").dropna("record", subset=["iteration"]).isel(record=-1)
        low, high, optimum = float(last.lower_bound), float(last.upper_bound), float(ds.optimum)
        relative = (high - low) / abs(high) if high else 0.0
        gap = optimum - float(ds.proved_bound)
        proof = f"relative gap {gap / abs(optimum):.0e}" if optimum else f"gap {gap:.0e}"
        excess = f", {100 * (float(last.value) / optimum - 1):.2g} % above the optimum" if optimum else ""
        unique = {1: "; no other plan costs as little", 0: "; other plans cost the same"}.get(int(ds.is_unique), "")
        return (
            f"The entropic plan costs {float(last.value):.6g}{excess}. It proves that the optimum lies in "
            f"[{low:.7g}, {high:.7g}] (relative gap {relative:.1e}); {int(ds.rounds)} rounds of pricing make it "
            f"{optimum:.12g}, optimal ({proof}){unique}."
        )


def _errors_in_words(ds: xr.Dataset) -> str:
    parts = []
    for name in ds.solver.values:
        row = ds.sel(solver=name)
        steps = int(row.sinkhorn_steps) + int(row.newton_steps)
        end = "reached rounding" if bool(row.converged) else f"stopped at {float(row.last_error):.0e}"
        newton = f", {int(row.newton_steps)} of them Newton's" if int(row.newton_steps) else ""
        parts.append(f"{figures.SOLVER_LABELS[str(name)]} {end} after {steps} steps{newton}")
    return "; ".join(parts) + "."


def _bounds_in_words(ds: xr.Dataset) -> str:
    parts = []
    for name in ds.solver.values:
        last = ds.sel(solver=name).dropna("record", subset=["iteration"]).isel(record=-1)
        bounds = f"[{float(last.lower_bound):.6g}, {float(last.upper_bound):.6g}]"
        parts.append(f"{figures.SOLVER_LABELS[str(name)]} {bounds}")
    return f"At the last iterate the optimum {float(ds.optimum):.8g} is proved to lie in: {'; '.join(parts)}."


def _plan_in_words(ds: xr.Dataset) -> str:
    if "line" not in ds.dims:
        return "A cost matrix has no places; the kept entries show the plan."
    text = f"{ds.sizes['line']} lines join {ds.sizes['x_point']} sources to {ds.sizes['y_point']} targets."
    if ds.sizes["axis"] > 2:
        text += f" The first two of {ds.sizes['axis']} coordinates are shown."
    return text


def _kept_in_words(ds: xr.Dataset) -> str:
    kept, outside = int(ds.kept_count), float(ds.mass_outside)
    return f"The {kept} largest entries are kept; {outside:.1e} of the mass lies outside them. The rest is left out."
