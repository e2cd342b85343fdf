"""The r-sweep and the temperature experiment."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import param
import xarray as xr

from workbench import costs, steps
from workbench.costs import Cost
from workbench.figures import steps as figures
from workbench.steps import STAGES
from workbench.ui.kit.picture import Picture
from workbench.ui.steps.base import StepsView, direction, network, samples, stage
from workbench.ui.steps.own import OwnView


class SweepView(OwnView):
    """Accuracy and loss against r along four directions."""

    title, slug = "Sweep of r", "sweep"
    help = (
        "Move the network along a direction by r times its bound radius ρ_a and look at its own batch. Choose the "
        "stage: what holds for a converged network does not hold after twenty steps."
    )
    experiment = staticmethod(steps.sweep_radius)
    shipped_file = "sweep_radius.nc"
    inputs = (*OwnView.OWN_INPUTS, "samples")
    display = ("stage",)

    samples = samples()
    stage = stage()

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the setting, at all stages."""
        return {**self.own(inputs), "samples": inputs["samples"], "stages": tuple(STAGES)}

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Some 700 forward passes."""
        estimate = costs.of(steps.sweep_radius, self.known(inputs), samples=inputs["samples"], stages=tuple(STAGES))
        return estimate + len(STAGES) * self.training(inputs)

    def pictures(self) -> Sequence[Any]:
        """Accuracy and loss."""
        return [
            Picture(
                "Accuracy", lambda ds: figures.sweep_accuracy(ds, stage=_stage(ds, self.stage)), self._accuracy_words
            ),
            Picture("Loss", lambda ds: figures.sweep_loss(ds, stage=_stage(ds, self.stage)), self._loss_words),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """What is lost below 1, and where damage begins."""
        one = ds.sel(stage=_stage(ds, self.stage))
        one = one.isel(direction=np.isfinite(one.radius.values))  # those that have been swept
        if not one.sizes["direction"]:
            return f"{_stage(ds, self.stage)}: not swept yet."
        drop = one.accuracy_start - one.accuracy
        below = 100 * float(drop.where(one.r < 1).max())
        first = one.r.where(drop >= 0.05).min("r")
        begins = float(first.min())
        onset = (
            f"five points are first lost at r = {begins:.2g}" if np.isfinite(begins) else "no sweep loses five points"
        )
        return f"{_stage(ds, self.stage)}: at r < 1 at most {below:.1f} points of accuracy are lost; {onset}."

    def _accuracy_words(self, ds: xr.Dataset) -> str:
        start = float(ds.accuracy_start.sel(stage=_stage(ds, self.stage)).max())
        return f"Accuracy at the start {start:.3f}; the dashed line is r = 1."

    def _loss_words(self, ds: xr.Dataset) -> str:
        one = ds.sel(stage=_stage(ds, self.stage)).sel(r=1.0, method="nearest").loss_ratio.dropna("direction")
        listed = ", ".join(f"{name} {float(v):.3g}" for name, v in zip(one.direction.values, one.values, strict=True))
        return f"Loss at r ≈ 1, over its start: {listed}."


def _stage(ds: xr.Dataset, wanted: str) -> str:
    """Return the stage to show: a network of one's own has only the one in which it was given."""
    names = [str(name) for name in ds.stage.values]
    return wanted if wanted in names else names[-1]


class TemperatureView(StepsView):
    """The onset of damage at several temperatures of the loss."""

    title, slug = "Temperature", "temperature"
    help = (
        "Divide the logits by a temperature T before the softmax and measure again where the loss reaches q times its "
        "start. If a predictor scales as it should, its line is parallel to the diamonds."
    )
    experiment = staticmethod(steps.temperature_scaling)
    shipped_file = "temperature_scaling.nc"
    inputs = ("network", "stage", "direction", "ratio", "samples")
    columns = 1

    network = network()
    stage = stage()
    direction = direction()
    ratio = param.Number(2.0, bounds=(1.1, 10.0), step=0.1, label="Loss ratio q that counts as damage")
    samples = samples()

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Some 300 passes."""
        return costs.of(steps.temperature_scaling, **inputs)

    def pictures(self) -> Sequence[Any]:
        """The onset and three predictors."""
        return [Picture("Onset and temperature", figures.temperature_curves, self._words, height=420)]

    def sentence(self, ds: xr.Dataset) -> str:
        """How constant measured/predicted is."""
        raw, bound, quadratic = ds.spread.values
        return (
            f"Standard deviation of log10(measured/predicted) over T: {raw:.3f} for a radius that ignores T, "
            f"{bound:.3f} for ρ_a(T), {quadratic:.3f} for the quadratic root."
        )

    def _words(self, ds: xr.Dataset) -> str:
        low, high = float(ds.onset.min()), float(ds.onset.max())
        return f"The measured onset runs from τ = {low:.3g} to {high:.3g} while T changes by a factor of 16."
