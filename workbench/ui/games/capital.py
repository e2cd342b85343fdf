"""Invest now or later, when factors have moved costs and revenues: the certified worst case, and what samples miss."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import panel_material_ui as pmui
import param
import xarray as xr

from workbench import costs, games
from workbench.costs import Cost
from workbench.figures import games as figures
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.table import Rows, Table
from workbench.ui.kit.upload import Upload, file_chooser, keep
from workbench.ui.kit.view import View

LARGEST_UPLOAD = 50_000
MOST = 20
BOXES = 40_000


class CapitalView(View):
    """Click projects in and out; both sides of the worst case answer."""

    title, slug = "Capital budgeting", "capital"
    help = (
        "Projects that you take now earn their whole revenue, later ones 80 % of it; four factors then move all costs "
        "and revenues, and the budget must hold whatever they do. Splitting the box of factors certifies what a plan "
        "earns at worst, from both sides; random samples, the usual way, only ever say “at most”."
    )
    experiment = staticmethod(games.budget_study)
    inputs = ("chosen", "n", "spend", "seed", "samples", "table")

    chosen = param.ListSelector(
        default=["1", "2"],
        objects=[str(k) for k in range(1, MOST + 1)],
        label="Your plan: taken now",
        doc="Click projects in and out.",
    )
    n = param.Integer(default=8, bounds=(2, MOST), label="Number of projects")
    spend = param.Number(default=0.5, bounds=(0.1, 1.5), step=0.05, label="Budget, share of all costs")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed")
    samples = param.Selector(default=1000, objects=[100, 1000, 10_000], label="Samples")
    table = param.ClassSelector(class_=Upload, default=None, allow_None=True)

    def controls(self) -> list[Any]:
        """Return the widgets, and the place to drop projects of one's own."""
        own = file_chooser("Your projects: CSV", ".csv", self.take)
        drawn = pmui.Button(
            label="Back to drawn projects", size="small", variant="outlined", on_click=self._forget_projects
        )
        return [*(widget_for(self, name) for name in self.inputs if name != "table"), own, drawn]

    def take(self, name: str, data: bytes) -> None:
        """Use an uploaded table."""
        keep(self, "table", Upload, name, data, LARGEST_UPLOAD)

    def _forget_projects(self, _: Any) -> None:
        """Forget projects of one's own."""
        self.table = None

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the experiment: project numbers, and the text of a file."""
        dropped = inputs["table"]
        text = None if dropped is None else dropped.data.decode("utf-8", errors="replace")
        chosen = sorted(int(number) for number in inputs["chosen"])
        return {**inputs, "chosen": chosen, "table": text, "boxes": BOXES}

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a plan with projects that are not there."""
        above = [number for number in inputs["chosen"] if int(number) > inputs["n"]]
        if above and inputs["table"] is None:
            raise ValueError(
                f"the plan has project {above[0]} and there are {inputs['n']}; take it out of the plan or add projects"
            )

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time by the number of projects."""
        return costs.of(games.budget_study, **self.arguments(inputs))

    def pictures(self) -> Sequence[Any]:
        """Return what samples miss, how the bounds met, the worst factors and the projects."""
        return [
            Picture("Samples", figures.sampled_minimum, _missed),
            Picture("Bounds", figures.box_bounds, _bounds),
            Picture("Factors", figures.worst_factors, _factors),
            Table("Projects", _projects, wide=True),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what the plan earns at worst, what samples say instead, and what no plan exceeds."""
        own = (
            f"Your plan earns between {float(ds.own_at_least):.4g} and {float(ds.own_at_most):.4g} in its worst case; "
            f"the least of {int(ds.drawn[-1]):,} samples, {float(ds.own_sampled):.4g}, is "
            f"{float(ds.own_missed):.1%} too good"
        )
        if math.isnan(float(ds.bound)):
            return f"{own}."
        return (
            f"{own}. The best plan found earns at least {float(ds.at_least):.4g}; none earns more than "
            f"{float(ds.bound):.4g}."
        )


def _missed(ds: xr.Dataset) -> str:
    gap = float(1 - ds.own_at_least / ds.own_at_most) if float(ds.own_at_most) else 0.0
    return (
        f"The least of {int(ds.drawn[-1]):,} samples is {float(ds.own_sampled):.4g}; the worst case is at most "
        f"{float(ds.own_at_most):.4g}, certified to {gap:.2%}."
    )


def _bounds(ds: xr.Dataset) -> str:
    if math.isnan(float(ds.bound)):
        return "The best plan to follow."
    return (
        f"After {int(ds.boxes[-1]):,} boxes the best plan earns {float(ds.lower[-1]):.4g} to {float(ds.upper[-1]):.4g} "
        f"at worst; the thin line bounds all plans (in floating point, without a certificate)."
    )


def _factors(ds: xr.Dataset) -> str:
    told = ", ".join(f"{value:.2f}" for value in ds.own_factors.values)
    return f"The worst factors found for your plan: {told}."


def _projects(ds: xr.Dataset) -> Rows:
    best = ds.plan.values
    rows = [
        (
            str(int(ds.project[i])),
            f"{float(ds.cost[i]):.4g}",
            f"{float(ds.dearest[i]):.4g}",
            f"{float(ds.revenue[i]):.4g}",
            "now" if ds.own_plan[i] else "",
            "" if math.isnan(best[i]) else "now" if best[i] else "",
        )
        for i in range(ds.sizes["project"])
    ]
    return Rows(("Project", "Cost c̄", "Cost at most", "Revenue r̄", "Your plan", "Best plan"), rows)
