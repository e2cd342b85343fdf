"""Repairs and groups: whom does it help to mend mistakes by AP, and what is the cause?"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import param
import xarray as xr

from workbench import costs, data, metrics
from workbench.costs import Cost
from workbench.figures import metrics as figures
from workbench.metrics.rankings import RULES
from workbench.ui.kit.picture import Picture
from workbench.ui.metrics.yardsticks import FamilyView

ROUNDING = 1e-14
"""Samples that agree but for this have no interval: all of them changed by the same."""
SHIPPED = {
    (400, 0.85): "rankings_drift",
    (200, 0.85): "rankings_drift_small",
    (200, 0.65): "rankings_drift_weak",
}
"""(items in a group, AUROC) → the shipped result with 50 steps, 400 samples, seed 0."""


class DriftView(FamilyView):
    """The gap of two groups under repairs, in the paper's set-up and three controls."""

    title, slug = "Repairs and groups", "drift"
    help = (
        "Two groups share one ranking, and mistakes are mended one after the other. Does the rule that picks them "
        "favour group A? The paper's set-up changes prevalence and score scale together; three controls change one of "
        "them, or none."
    )
    experiment = staticmethod(metrics.repair_drift)
    inputs = ("n", "auroc", "steps", "seeds", "seed")
    display = ("rule",)

    n = param.Integer(default=400, bounds=(100, 2000), label="Items in each group")
    auroc = param.Number(default=0.85, bounds=(0.5, 0.99), step=0.05, label="AUROC of each group")
    steps = param.Integer(default=50, bounds=(1, 500), label="Mistakes mended")
    seeds = param.Integer(default=400, bounds=(2, 1000), label="Samples")
    rule = param.Selector(
        default="ap", objects={told[0].upper() + told[1:]: name for name, told in RULES.items()}, label="Mend next"
    )
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="Same seed, same samples")

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return a shipped result for its settings."""
        name = SHIPPED.get((inputs["n"], inputs["auroc"]))
        if name is None or (inputs["steps"], inputs["seeds"], inputs["seed"]) != (50, 400, 0):
            return None
        return data.result(f"metrics/{name}.nc")

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time of all set-ups, rules and samples."""
        return costs.of(metrics.repair_drift, **inputs) or Cost(1.0)

    def pictures(self) -> Sequence[Any]:
        """Return the curves of one rule, and the ends of all."""
        return [
            Picture("Gap of the groups", self._curves, self._curves_in_words),
            Picture("After all repairs", figures.drift_ends, _ends_in_words),
        ]

    def _curves(self, ds: xr.Dataset) -> Any:
        return figures.drift_curves(ds, rule=self.rule)

    def _curves_in_words(self, ds: xr.Dataset) -> str:
        end = ds.isel(step=-1).sel(rule=self.rule if self.rule in ds.rule.values else ds.rule.values[0])
        start, last = float(ds.ap.isel(step=0).mean()), float(end.ap.mean())
        return f"Bands: 95 % over samples. AP rises from {start:.3f} to {last:.3f}, mean over the set-ups."

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what repairs by AP do in each set-up, and what that makes the cause."""
        rule = self.rule if self.rule in ds.rule.values else str(ds.rule.values[0])
        end = ds.isel(step=-1).sel(rule=rule)
        parts = [
            f"{figures.SETUP_LABELS.get(str(name), str(name))} {_change(end.sel(setup=name))}"
            for name in ds.setup.values
        ]
        return (
            f"After {int(ds.step[-1])} repairs ({figures.RULE_LABELS.get(rule, rule)}) the gap AUROC(A) − AUROC(B) has "
            f"changed by: {'; '.join(parts)}."
        )


def _change(one: xr.Dataset) -> str:
    """Return a change with its 95 % interval, two digits of which are shown; none where all samples agree."""
    change, reach = float(one.gap_change), 1.96 * float(one.gap_change_error)
    if reach <= ROUNDING:
        return f"{change + 0.0:+.5f} in every sample"
    digits = max(5, 1 - math.floor(math.log10(reach)))
    return f"{change:+.{digits}f} ± {reach:.{digits}f}"


def _ends_in_words(ds: xr.Dataset) -> str:
    return "Each rule in each set-up, with 95 % intervals over samples; above zero, group A gains on group B."
