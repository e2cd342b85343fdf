"""Up to four estimators on the same pair, against a reference far more accurate than any of them."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import param
import xarray as xr

from workbench import flows
from workbench.costs import Cost
from workbench.figures import flows as figures
from workbench.flows import costs
from workbench.ui.kit.choices.clouds import PairView, clouds_of, dim_of
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.table import Table, of_figure

MOST_METHODS = 4


class CompareView(PairView):
    """Error, variance and time of the chosen estimators."""

    title, slug = "Compare estimators", "compare"
    help = (
        "Independent draws of each estimator on the same two clouds, judged by a reference of 1000 directions × 16 "
        "rotations. Monte Carlo is always measured too: it is the unit of the picture."
    )
    registries: ClassVar[dict[str, Any]] = {"methods": flows.ESTIMATORS}
    experiment = staticmethod(flows.compare_on)
    inputs = (*PairView.PAIR_INPUTS, "methods", "n_directions", "repeats")

    methods = param.ListSelector(
        default=["lower-cv", "upper-cv", "spiral", "design"],
        objects=[name for name, entry in flows.ESTIMATORS.items() if entry.facts.get("dim", 3) <= 3],
        label="Estimators (up to four)",
    )
    n_directions = param.Integer(default=100, bounds=(1, 1000), label="Directions in one estimate")
    repeats = param.Integer(default=40, bounds=(5, 400), label="Draws of each estimator")

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse more than four estimators, and those that cannot do this dimension or number of directions."""
        super().check(inputs)
        if not 1 <= len(inputs["methods"]) <= MOST_METHODS:
            raise ValueError(f"Choose one to four estimators; {len(inputs['methods'])} are chosen.")
        for method in inputs["methods"]:
            flows.directions(method, inputs["n_directions"], dim_of(inputs))

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time of all draws and the reference."""
        counts = {"n_directions": inputs["n_directions"], "repeats": inputs["repeats"]}
        return costs.comparison(inputs["n"], pairs=1, methods=len(inputs["methods"]), **counts)

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the clouds and what is to be drawn on them."""
        return {**clouds_of(inputs), **{name: inputs[name] for name in ("methods", "n_directions", "repeats")}}

    def pictures(self) -> Sequence[Any]:
        """Return the errors, errors against time, and all numbers."""
        return [
            Picture("Errors", figures.estimator_errors, _errors_in_words),
            Picture("Error and time", figures.error_against_time, _time_in_words),
            Table("Numbers of the comparison", lambda ds: of_figure(figures.error_table(ds)), text=["estimator"]),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say which estimator is best, and by how much."""
        row = ds.isel(pair=0)
        best = str(row.estimator.values[int(np.argmin(row.rmse.values))])
        ratio = float(row.rmse_ratio.sel(estimator=best))
        gain = "Monte Carlo is the best of them" if best == "monte-carlo" else _gain(best, ratio)
        return (
            f"SW₂² = {float(row.reference):.4g} ± {float(row.reference_standard_error):.1g}. {gain}; "
            f"its relative error is {100 * float(row.relative_rmse.sel(estimator=best)):.2g} %."
        )


def _gain(best: str, ratio: float) -> str:
    if ratio == 0:
        return f"{best} is exact here"
    return f"{best} has the smallest error, {1 / ratio:.3g} times smaller than Monte Carlo with as many directions"


def _errors_in_words(ds: xr.Dataset) -> str:
    row = ds.isel(pair=0)
    parts = [f"{name} {float(row.rmse_ratio.sel(estimator=name)):.2g}" for name in row.estimator.values[1:]]
    return f"Root mean square error as a multiple of Monte Carlo's, equal directions: {', '.join(parts)}."


def _time_in_words(ds: xr.Dataset) -> str:
    row = ds.isel(pair=0)
    times = 1e3 * row.seconds_per_draw
    return f"One estimate takes {float(times.min()):.2g} to {float(times.max()):.2g} ms; further down is better."
