"""Sliced losses: generators of digits trained with each estimator of the sliced distance, paired over seeds."""

from collections.abc import Mapping, Sequence
from typing import Any

import param
import xarray as xr

from workbench import costs, data, fields
from workbench.costs import Cost
from workbench.fields.sliced.generator import ANY_DIMENSION, COMPARED
from workbench.fields.sliced.verdicts import STUDY
from workbench.figures import fields as figures
from workbench.transport import ESTIMATORS
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.view import View

METHODS = {ESTIMATORS[name].label: name for name in ANY_DIMENSION}
SHIPPED_SEEDS = 8


class SlicedLossView(View):
    """What the choice of the estimator is worth to a generator that is trained with it."""

    title, slug = "Sliced losses", "sliced-losses"
    help = (
        "A small generator of handwritten digits is trained with SW₂² as its loss. Control variates and orthogonal "
        "directions promise a gradient that varies less; with one seed, every estimator starts from the same network "
        "and sees the same batches. The study that ships is shown at once, others wait for Run."
    )
    apart = True
    experiment = staticmethod(fields.generator_study)
    inputs = ("methods", "n_directions", "steps", "seeds")
    display = ("shown",)

    methods = param.ListSelector(default=list(COMPARED), objects=METHODS, label="Estimators, beside Monte Carlo")
    n_directions = param.Selector(default=50, objects=[10, 50, 200], label="Directions at each step")
    steps = param.Selector(default=600, objects=[100, 300, 600, 1200], label="Steps")
    seeds = param.Integer(default=SHIPPED_SEEDS, bounds=(2, 20), label="Seeds")
    shown = param.Selector(default="monte-carlo", objects=METHODS, label="Digits of")

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the estimators with Monte Carlo first, and the seeds as numbers."""
        methods = ["monte-carlo", *(name for name in inputs["methods"] if name != "monte-carlo")]
        rest = {name: inputs[name] for name in ("n_directions", "steps")}
        return {"methods": methods, "seeds": list(range(inputs["seeds"])), **rest}

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return the shipped study for its settings."""
        return data.result_for(STUDY, **self.arguments(inputs))

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time; that of the shipped study is nothing."""
        if self.precomputed(inputs) is not None:
            return Cost(0.1)
        return costs.of(fields.generator_study, **self.arguments(inputs)) or Cost(60.0)

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result; its seeds are counted."""
        found = dict(parameters)
        if isinstance(found.get("seeds"), list):
            found["seeds"] = len(found["seeds"])
        super()._adopt(found)

    def pictures(self) -> Sequence[Any]:
        """Return the distances, the variances and the digits."""
        return [
            Picture("W₂ to held-out digits", figures.generator_distances, _distances_in_words),
            Picture("Variance of the gradient", figures.gradient_variances, _variances_in_words),
            Picture("Generated digits", self._digits, self._digits_in_words, height=430),
        ]

    def _method(self, ds: xr.Dataset) -> str:
        return self.shown if self.shown in ds.estimator.values else str(ds.estimator.values[0])

    def _digits(self, ds: xr.Dataset) -> Any:
        return figures.generated_digits(ds, method=self._method(ds))

    def _digits_in_words(self, ds: xr.Dataset) -> str:
        return f"{ds.sizes['shown']} digits of the generator trained with {self._method(ds)}, first seed."

    def sentence(self, ds: xr.Dataset) -> str:
        """Give each estimator's paired difference to Monte Carlo, and its variance."""
        parts = []
        for name in ds.estimator.values[1:]:
            one = ds.sel(estimator=name)
            varies = (
                f"variance × {float(one.variance_ratio):.2f}, before training × {float(one.variance_ratio_start):.2f}"
            )
            parts.append(f"{name} {float(one.difference):+.3f} ± {float(one.reach):.3f} ({varies})")
        return (
            f"W₂ to held-out digits after {int(ds.step[-1])} steps, beside Monte Carlo over {ds.sizes['seed']} seeds: "
            f"{'; '.join(parts)}. In brackets the variance of the gradient, Monte Carlo's being 1."
        )


def _distances_in_words(ds: xr.Dataset) -> str:
    last = ds.wasserstein.isel(step=-1).mean("seed")
    return (
        f"Mean and range of the seeds: from {float(ds.wasserstein.isel(step=0).mean()):.2f} to {float(last.min()):.3f}–"
        f"{float(last.max()):.3f}; two samples of real digits are {float(ds.floor.mean()):.2f} apart."
    )


def _variances_in_words(ds: xr.Dataset) -> str:
    first = ds.variance.isel(step=0).mean("seed")
    last = ds.variance.isel(step=-1).mean("seed")
    return (
        f"Over draws of directions, relative to the squared gradient: {float(first.min()):.2f}–"
        f"{float(first.max()):.2f} before training, {float(last.min()):.1f}–{float(last.max()):.1f} at the end."
    )
