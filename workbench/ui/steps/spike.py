"""The spike laboratory: watch several guards train at once while the learning rate is wrong."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import param
import xarray as xr

from workbench import costs, steps
from workbench.costs import Cost
from workbench.figures import steps as figures
from workbench.steps import OPTIMISERS, RULES
from workbench.ui.kit.picture import Picture
from workbench.ui.steps.base import StepsView, network, options

KINDS = {"from then on (persistent)": True, "one step only": False}
MULTIPLIERS = {"× 10": 10.0, "× 100": 100.0, "× 1000": 1000.0, "× 10,000": 10_000.0}
FIRST_RULES = ("none", "gradient-clip", "update-clip", "armijo", "safe")
"""The guards of the shipped first picture."""


class SpikeView(StepsView):
    """Train live under clips of gradients and updates, Armijo, SafeStep and the guard, or none of them."""

    title, slug = "Spike laboratory", "spike"
    help = (
        "All guards train the same network on the same batches. At the chosen step the learning rate becomes far too "
        "large, once or for good. r is always measured along the update that was really made. Change anything and "
        "press Run: the curves grow as training goes on."
    )
    registries: ClassVar[dict[str, Any]] = {**StepsView.registries, "rules": RULES}
    experiment = staticmethod(steps.spike)
    shipped_file = "spike.nc"
    inputs = (
        "network",
        "optimizer",
        "learning_rate",
        "multiplier",
        "persistent",
        "at",
        "steps",
        "r_max",
        "rules",
        "seed",
    )

    network = network()
    optimizer = param.Selector(default="adam", objects=list(OPTIMISERS), label="Optimiser")
    learning_rate = param.Number(1e-2, bounds=(1e-4, 0.2), step=1e-3, label="Learning rate before the spike")
    multiplier = param.Selector(default=1000.0, objects=MULTIPLIERS, label="Learning rate in the spike")
    persistent = param.Selector(default=True, objects=KINDS, label="How long it stays wrong")
    at = param.Integer(60, bounds=(5, 300), step=5, label="Step of the spike")
    steps = param.Integer(160, bounds=(20, 400), step=10, label="Training steps")
    r_max = param.Number(1.0, bounds=(0.1, 4.0), step=0.1, label="r_max of SafeStep")
    rules = param.ListSelector(default=list(FIRST_RULES), objects=options(RULES), label="Guards")
    seed = param.Integer(0, bounds=(0, 999), label="Seed")

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the setting, with the one seed as a list of them."""
        return {name: value for name, value in inputs.items() if name != "seed"} | {"seeds": (inputs["seed"],)}

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Five milliseconds a step and guard on a small net."""
        return costs.of(steps.spike, inputs["network"], rules=inputs["rules"], steps=inputs["steps"])

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse what cannot be trained."""
        if not inputs["rules"]:
            raise ValueError("choose at least one guard")
        if inputs["at"] >= inputs["steps"]:
            raise ValueError(f"the spike at step {inputs['at']} comes after the last of {inputs['steps']} steps")
        if inputs["optimizer"] == "adahessian" and any(
            RULES[name].facts.get("of_gradients") for name in inputs["rules"]
        ):
            raise ValueError("clipping of gradients cannot reach AdaHessian's own; take such guards away")

    def pictures(self) -> Sequence[Any]:
        """Accuracy, loss and r."""
        return [
            Picture("Test accuracy", figures.spike_accuracy, self._accuracy_words),
            Picture("Loss", figures.spike_loss, self._loss_words),
            Picture("r and engagement", figures.spike_r, self._r_words),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Who survived."""
        last = ds.isel(seed=0, step=-1).accuracy
        if not bool(last.notnull().all()):
            return "Training …"
        return f"Test accuracy at the end: {_listed(ds, last, '.3f')}."

    def _accuracy_words(self, ds: xr.Dataset) -> str:
        low = ds.isel(seed=0).accuracy.isel(step=slice(self.at, None)).min("step")
        return f"Lowest from the spike on: {_listed(ds, low, '.2f')}."

    def _loss_words(self, ds: xr.Dataset) -> str:
        high = ds.isel(seed=0).loss.max("step")
        return f"Highest loss: {_listed(ds, high, '.2g')}."

    def _r_words(self, ds: xr.Dataset) -> str:
        engaged = ds.isel(seed=0).engaged.sum("step")
        return f"Steps at which each guard engaged: {_listed(ds, engaged, '.0f')}. Dashed: r = 1."


def _listed(ds: xr.Dataset, values: xr.DataArray, form: str) -> str:
    """Return "SafeStep 0.970, Armijo 0.880, …" for one value of each rule."""
    names = [figures.rule_label(ds, str(name)) for name in ds.rule.values]
    return ", ".join(f"{name} {float(value):{form}}" for name, value in zip(names, values.values, strict=True))
