"""A small language model under faults of its training: the shipped study, and a fault of one's own choice."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import param
import xarray as xr

from workbench import costs, steps
from workbench.costs import Cost
from workbench.figures import steps as figures
from workbench.ui.kit.picture import Picture
from workbench.ui.steps.base import StepsView, options

FAULTS = {f"{name}: {words}": name for name, words in steps.FAULTS.items()}
SHIPPED_RULES = ("none", "gradient-clip", "zclip", "agc", "update-clip", "guard")


class TextView(StepsView):
    """Train a transformer over the characters of Python's manual while something goes wrong."""

    title, slug = "Language model", "text"
    help = (
        "A transformer over real text (Python's own manual, by characters) trains while something goes wrong: a rate "
        "that is suddenly 300 times too large, batches of garbage, a warm-up the wrong way round, an overflow in "
        "bfloat16, or nothing. All rules see the same batches. The shipped study has five seeds; with other numbers "
        "press Run."
    )
    registries: ClassVar[dict[str, Any]] = {**StepsView.registries, "rules": steps.RULES}
    experiment = staticmethod(steps.text_survival)
    shipped_file = "study_text_survival.nc"
    inputs = ("rules", "steps", "at", "learning_rate", "r_max", "seeds")
    display = ("fault",)

    fault = param.Selector(default="rate", objects=FAULTS, label="What goes wrong")
    rules = param.ListSelector(default=list(SHIPPED_RULES), objects=options(steps.RULES), label="Guards")
    steps = param.Integer(150, bounds=(30, 400), step=10, label="Training steps")
    at = param.Integer(75, bounds=(5, 395), step=5, label="Step at which it goes wrong")
    learning_rate = param.Number(3e-3, bounds=(1e-4, 0.02), step=1e-4, label="Learning rate")
    r_max = param.Number(1.0, bounds=(0.1, 4.0), step=0.1, label="r_max of the guard")
    seeds = param.Integer(5, bounds=(1, 10), label="Seeds")

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the setting; seeds are 0, 1, 2, …"""
        return {**inputs, "seeds": tuple(range(inputs["seeds"]))}

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Fifteen milliseconds a step, for every fault, rule and seed."""
        return costs.of(steps.text_survival, **self.arguments(inputs))

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse what cannot be trained."""
        if not inputs["rules"]:
            raise ValueError("choose at least one guard")
        if inputs["at"] >= inputs["steps"]:
            raise ValueError(f"step {inputs['at']} comes after the last of {inputs['steps']} steps")

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result, whose seeds are a list."""
        found = dict(parameters)
        if isinstance(found.get("seeds"), list):
            found["seeds"] = len(found["seeds"])
        super()._adopt(found)

    def pictures(self) -> Sequence[Any]:
        """The losses, and how often rules engaged."""
        return [
            Picture("Loss at the end", lambda ds: figures.text_losses(ds, fault=self._shown_fault(ds)), self._words),
            Picture("Engagement", lambda ds: figures.text_engaged(ds, fault=self._shown_fault(ds)), self._engaged),
        ]

    def _shown_fault(self, ds: xr.Dataset) -> str:
        names = [str(name) for name in ds.fault.values]
        return self.fault if self.fault in names else names[0]

    def sentence(self, ds: xr.Dataset) -> str:
        """Which rule ends best under this fault, and where none would."""
        fault = self._shown_fault(ds)
        middle = ds.loss.sel(fault=fault).median("seed")
        order = np.argsort(middle.values)
        best, worst = (str(ds.rule.values[order[k]]) for k in (0, -1))
        last = float(middle.sel(rule=worst))
        ended = f"{last:.2f} ({figures.rule_label(ds, worst)})" if np.isfinite(last) else "a model that has overflowed"
        return (
            f"{fault}: held-out loss from {float(middle.sel(rule=best)):.2f} ({figures.rule_label(ds, best)}) to "
            f"{ended}, medians of {ds.sizes['seed']} seeds."
        )

    def _words(self, ds: xr.Dataset) -> str:
        middle = ds.loss.sel(fault=self._shown_fault(ds)).median("seed")
        listed = [
            f"{figures.rule_label(ds, str(name))} {f'{float(v):.2f}' if np.isfinite(v) else 'overflowed'}"
            for name, v in zip(ds.rule.values, middle.values, strict=True)
        ]
        return f"Median loss: {', '.join(listed)}."

    def _engaged(self, ds: xr.Dataset) -> str:
        share = 100 * ds.engaged.sel(fault=self._shown_fault(ds)).mean("seed")
        listed = [
            f"{figures.rule_label(ds, str(n))} {float(v):.1f}"
            for n, v in zip(ds.rule.values, share.values, strict=True)
        ]
        return f"Share of steps changed, in percent: {', '.join(listed)}."
