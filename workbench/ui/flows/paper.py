"""The experiment of the paper, side by side, in its own arrangement."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import param
import xarray as xr

from workbench import costs, data, flows
from workbench.costs import Cost
from workbench.figures import flows as figures
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.table import Table, of_figure
from workbench.ui.kit.view import View

THREE_D = {entry.label: name for name, entry in flows.SHAPES.items() if entry.facts["dim"] == 3}
METHODS = [name for name, entry in flows.ESTIMATORS.items() if entry.facts.get("dim", 3) == 3]
SHIPPED = "flows/paper.nc"
LONGEST = 8000
ONE_BLOCK = 3


class PaperView(View):
    """Gradient descent on n·SW₂ (unsquared) between two shapes at ±10, several estimators and seeds."""

    title, slug = "The paper's experiment", "paper"
    help = (
        "Two shapes of 2048 points, scaled by 2, stand at +10 and −10 on every axis; step 0.01 on n·SW₂. The paper "
        "prints the distances at steps 3000 to 8000 as W₂; they are W₂², as here. Orthogonal takes one block of three "
        "directions. The table first shown is a full run that ships with the workbench; change anything to run yours."
    )
    registries: ClassVar[dict[str, Any]] = {"methods": flows.ESTIMATORS}
    experiment = staticmethod(flows.seed_experiment)
    inputs = ("start_shape", "target_shape", "methods", "n_directions", "n", "steps", "seeds")
    columns = 1

    start_shape = param.Selector(default="torus", objects=THREE_D, label="From")
    target_shape = param.Selector(default="cube-surface", objects=THREE_D, label="To")
    methods = param.ListSelector(
        default=["monte-carlo", "lower-cv", "upper-cv", "orthogonal", "design"], objects=METHODS, label="Estimators"
    )
    n_directions = param.Integer(default=10, bounds=(2, 100), label="Directions per step")
    n = param.Integer(default=2048, bounds=(64, 2048), label="Points in each cloud")
    steps = param.Integer(default=LONGEST, bounds=(100, LONGEST), label="Steps")
    seeds = param.Integer(default=3, bounds=(1, 5), label="Seeds")

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return the shipped full run for the inputs that it was made with."""
        untouched = all(value == self.param[name].default for name, value in inputs.items())
        return data.result(SHIPPED) if untouched else None

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse an empty choice and what the estimators cannot do."""
        if not inputs["methods"]:
            raise ValueError("Choose at least one estimator.")
        for method in inputs["methods"]:
            flows.directions(method, inputs["n_directions"], 3)

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time: steps and exact transport."""
        return costs.of(flows.seed_experiment, **_arguments(inputs))

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the experiment; the checkpoints are the paper's, in proportion to the steps."""
        return _arguments(inputs)

    def pictures(self) -> Sequence[Any]:
        """Return the table of the paper and its curves."""
        table = Table("Exact W₂² at the checkpoints", lambda ds: of_figure(figures.paper_table(ds)), text=["estimator"])
        return [table, Picture("Exact distance", figures.paper_curves, _curves_in_words)]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say how the estimators compare at the first checkpoint."""
        mark = int(ds.checkpoint[0])
        means = ds.w2.sel(checkpoint=mark).mean("seed")
        parts = [f"{name} {float(means.sel(estimator=name)):.4g}" for name in ds.estimator.values]
        return f"Exact W₂² at step {mark} (mean over seeds: {ds.sizes['seed']}): {', '.join(parts)}."


def _arguments(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of the experiment; the checkpoints are the paper's, in proportion to the steps."""
    return {
        "start": inputs["start_shape"],
        "target": inputs["target_shape"],
        "methods": inputs["methods"],
        "n_directions": [ONE_BLOCK if m == "orthogonal" else inputs["n_directions"] for m in inputs["methods"]],
        "n": inputs["n"],
        "steps": inputs["steps"],
        "checkpoints": sorted({round(inputs["steps"] * share / 8) for share in range(3, 9)}),
        "seeds": list(range(inputs["seeds"])),
    }


def _curves_in_words(ds: xr.Dataset) -> str:
    last = ds.w2.isel(checkpoint=-1).mean("seed")
    return (
        f"All end near {float(last.min()):.2g} to {float(last.max()):.2g}: that is the limit cycle of a constant step, "
        "which depends on the step and ranks nothing. Bands span the seeds."
    )
