"""What limits the step: all predictors in one currency."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import param
import xarray as xr
from markupsafe import Markup

from workbench import costs, steps
from workbench.costs import Cost
from workbench.figures import steps as figures
from workbench.ui.kit.formula import formula_html
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.table import Rows, Table
from workbench.ui.steps.base import direction, samples, stage
from workbench.ui.steps.own import OwnView


class LimitsView(OwnView):
    """Every predictor's answer on one axis, with the measured onset of damage."""

    title, slug = "What limits the step", "limits"
    help = (
        "Each mark is one method's answer to “how far may this step go?”, as a distance τ along the same unit update. "
        "The vertical lines are measured: where the loss reaches q times its start (solid), and where five points of "
        "accuracy are gone (dashed)."
    )
    experiment = staticmethod(steps.limits)
    shipped_file = "limits.nc"
    inputs = (*OwnView.OWN_INPUTS, "stage", "direction", "ratio", "samples")
    columns = 1

    stage = stage()
    direction = direction()
    ratio = param.Number(2.0, bounds=(1.1, 10.0), step=0.1, label="Loss ratio q that counts as damage")
    samples = samples()

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the setting, with the one direction as a list of them."""
        others = {name: inputs[name] for name in ("stage", "ratio", "samples")}
        return self.own(inputs) | others | {"directions": (inputs["direction"],)}

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """A few hundred passes."""
        return costs.of(steps.limits, self.known(inputs), samples=inputs["samples"]) + self.training(inputs)

    def pictures(self) -> Sequence[Any]:
        """The marks, and the table of costs."""
        return [
            Picture("What limits the step", figures.limit_marks, self._words, height=480),
            Table("Predictions", _predictions, wide=True),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """The predictor nearest to the measured onset of the loss."""
        onset = float(ds.onset.sel(damage="loss")[0])
        if not np.isfinite(onset):
            return f"Along this direction the loss never reaches {self.ratio:g} times its start."
        tau = ds.tau.values[0]
        with np.errstate(divide="ignore"):
            gap = np.abs(np.log(np.where((tau > 0) & np.isfinite(tau), tau, np.inf) / onset))
        best = int(np.argmin(gap))
        bound = float(ds.tau.sel(predictor="bound")[0])
        return (
            f"The loss reaches q times its start at τ = {onset:.3g}, that is r = {onset / bound:.2f}. Nearest: "
            f"{ds.label.values[best]} with τ = {tau[best]:.3g}."
        )

    def _words(self, ds: xr.Dataset) -> str:
        tau = ds.tau.values[0]
        missing = [
            f"{label} ({'∞' if np.isinf(t) else '0'})"
            for label, t in zip(ds.label.values, tau, strict=True)
            if not (np.isnan(t) or (np.isfinite(t) and t > 0))
        ]
        accuracy = float(ds.onset.sel(damage="accuracy")[0])
        lost = (
            f"Five points of accuracy are lost at τ = {accuracy:.3g}."
            if np.isfinite(accuracy)
            else ("Accuracy never falls by five points on this ray.")
        )
        return lost + (f" Not on the axis: {', '.join(missing)}." if missing else "")


def _predictions(ds: xr.Dataset) -> Rows:
    onset = float(ds.onset.sel(damage="loss")[0])
    # by name from the registry: what a file says is text, and no text of a file is set as mathematics
    formulas = [steps.PREDICTORS[str(n)].formula if n in steps.PREDICTORS else "" for n in ds.predictor.values]
    columns = ds.label.values, formulas, ds.tau.values[0], ds.cost.values, ds.reference.values
    return Rows(
        ("predictor", "formula", "τ", "measured ÷ τ", "cost", "reference"),
        [
            (label, Markup(formula_html(formula)), *_compared(tau, onset), cost, reference)
            for label, formula, tau, cost, reference in zip(*columns, strict=True)
        ],
    )


def _compared(tau: float, onset: float) -> tuple[str, str]:
    if np.isnan(tau):
        return "to follow …", ""
    return f"{tau:.3g}", f"{onset / tau:.2f}" if tau > 0 else ""
