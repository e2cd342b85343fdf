"""Error budget: what of a learned field's error is the data's, the training's and the solver's, and what bounds say."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import param
import xarray as xr

from workbench import costs, data, fields
from workbench.costs import Cost
from workbench.fields.core.report import UNTIL
from workbench.fields.core.shipped import BUDGETS, SHIPPED_LAW, SHIPPED_POINTS, SHIPPED_STEPS, shipped_sample
from workbench.figures import fields as figures
from workbench.ui.fields.canvas import SOLVERS
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.view import View

FIRST = "fields/first_budget.nc"


class BudgetView(View):
    """The error of a trained network, split, with means, sampled bounds and proved bounds apart."""

    title, slug = "Error budget", "budget"
    help = (
        "Follow the exact and the learned field from the same starts. Means over paths have an error bar; the bounds "
        "of the theory read the steepest slope of the field, which is sampled (and proves nothing) or proved from the "
        "network's weights (and is far too large)."
    )
    experiment = staticmethod(fields.error_budget)
    inputs = ("points", "step", "solver", "steps", "paths", "seed")
    registries: ClassVar[dict[str, Any]] = {"solver": fields.SOLVERS}

    points = param.Selector(default=128, objects=list(SHIPPED_POINTS), label="Training points")
    step = param.Selector(default=800, objects=list(SHIPPED_STEPS), label="Training step of the network")
    solver = param.Selector(default="euler", objects=SOLVERS, label="Solver")
    steps = param.Integer(default=20, bounds=(1, 200), label="Steps of the solver")
    paths = param.Selector(default=1000, objects=[200, 1000, 4000], label="Paths")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="Same seed, same paths")

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the network with its laws and the points that it was trained on."""
        return {
            "field": fields.shipped_network(inputs["points"], inputs["step"]),
            "source": fields.standard_gaussian(2),
            "target": fields.LAWS[SHIPPED_LAW](),
            "points": shipped_sample(inputs["points"]),
            "until": UNTIL,
            **{name: inputs[name] for name in ("solver", "steps", "paths", "seed")},
        }

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return the shipped budget for its settings."""
        return data.result_for(FIRST, **self.arguments(inputs))

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time."""
        asked = {name: inputs[name] for name in ("steps", "paths", "solver")}
        return costs.of(fields.error_budget, None, "gaussian", SHIPPED_LAW, **asked) or Cost(1.0)

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the solver of a shown result; its network is not one of the page's choices."""
        names = ("solver", "steps", "paths", "seed")
        super()._adopt({name: value for name, value in parameters.items() if name in names})

    def pictures(self) -> Sequence[Any]:
        """Return the bars, the error along time, the ends, and the study over all networks that ship."""
        return [
            Picture("Where the error comes from", figures.budget_bars, _bars_in_words, height=430),
            Picture("Ends of both flows", figures.flow_ends, _ends_in_words, height=430),
            Picture("Error along time", figures.field_error_in_time, _time_in_words),
            Picture("All networks that ship", lambda _: figures.budgets_along(data.result(BUDGETS)), _all_in_words),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Set the distance of the flows beside the bounds and the solver's part."""
        return (
            f"Both flows end {float(ds.coupled):.3f} ± {float(ds.coupled_error):.3f} apart; the one-sided bound says "
            f"{_power(ds, 'one_sided')}, the classical one {_power(ds, 'classical')} (slopes sampled), a proved one "
            f"{_power(ds, 'certified')}. The solver's steps add {float(ds.integration):.3f}, in all "
            f"{float(ds.total):.3f} ± {float(ds.total_error):.3f}."
        )


def _power(ds: xr.Dataset, name: str) -> str:
    value = float(ds[name])
    return f"{10**value:.3g}" if value < 5 else f"10^{value:.0f}"


def _bars_in_words(ds: xr.Dataset) -> str:
    parts = [f"The field errs by {float(ds.whole):.3f} in all"]
    if np.isfinite(float(ds.estimation)):
        parts.append(f"a perfect memoriser would err by {float(ds.estimation):.3f}")
    floor = f"where two exact ones have {float(ds.floor):.3f}"
    return f"{', '.join(parts)}; W₂ of samples {float(ds.wasserstein):.3f}, {floor}."


def _ends_in_words(ds: xr.Dataset) -> str:
    order = float(ds.order)
    told = f" Halving its steps shows order {order:.1f}." if np.isfinite(order) else ""
    return f"Pairs from one start are joined; the learned flow is the solver's.{told}"


def _time_in_words(ds: xr.Dataset) -> str:
    k = int(np.argmax(ds.field_error.values))
    return f"Largest at t = {float(ds.time[k]):.2f} ({float(ds.field_error[k]):.2f}); shaded: two standard errors."


def _all_in_words(_: xr.Dataset) -> str:
    ds = data.result(BUDGETS)
    over = ds.classical - np.log10(ds.coupled)
    return (
        f"Training points: step. The classical bound overstates by 10^{float(over.min()):.0f} to "
        f"10^{float(over.max()):.0f}; with a proved slope it would read 10^{float(ds.certified.min()):.0f} to "
        f"10^{float(ds.certified.max()):.0f}."
    )
