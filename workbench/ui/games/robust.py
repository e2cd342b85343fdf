"""Decide now, be hit later: your plan's exact worst case, the best plan, and a bound with its certificate."""

import html
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import panel_material_ui as pmui
import param
import xarray as xr

from workbench import costs, games
from workbench.costs import Cost
from workbench.figures import games as figures
from workbench.games import robust
from workbench.ui.games.certificate_card import TO_FOLLOW
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.grid import Grid, Lines
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.proof import CertificateFile
from workbench.ui.kit.upload import Upload, file_chooser, keep
from workbench.ui.kit.view import View

LARGEST_UPLOAD = 200_000
MOST = 30
COLUMNS = ("profit", "loss", "weight", "repair", "outsourcing")
HEADS = ("Profit p̄", "Loss p̂", "Weight c", "Repair t", "Elsewhere f")


class RobustView(View):
    """Click items in and out, type over their numbers; the worst case answers."""

    title, slug = "Robust decisions", "robust"
    help = (
        "Choose items now; then up to Γ of them lose profit. What you chose may be produced, repaired at the cost of "
        "capacity, or bought elsewhere at a loss. The worst case of your plan is exact; the bound on all plans comes "
        "with a certificate that a second program proves in whole numbers."
    )
    experiment = staticmethod(games.robust_plan)
    inputs = ("chosen", "kind", "n", "h", "deviation", "share", "seed", "method", "table")
    registries: ClassVar[dict[str, Any]] = {"method": robust.METHODS}

    chosen = param.ListSelector(
        default=["1", "2", "3", "4", "5", "6"],
        objects=[str(k) for k in range(1, MOST + 1)],
        label="Your plan",
        doc="Click items in and out.",
    )
    kind = param.Selector(default="SC", objects={label: name for name, label in robust.CLASSES.items()}, label="Items")
    n = param.Integer(default=12, bounds=(2, MOST), label="Number of items")
    h = param.Integer(default=40, bounds=(10, 100), label="Capacity, % of all items")
    deviation = param.Number(default=0.5, bounds=(0.0, 1.0), step=0.1, label="Spread of the losses δ")
    share = param.Number(default=0.15, bounds=(0.0, 0.5), step=0.05, label="Share of the items that may be hit Γ/n")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed")
    method = param.Selector(
        default="price-and-branch",
        objects={entry.label: name for name, entry in robust.METHODS.items()},
        label="How the best plan is looked for",
    )
    table = param.ClassSelector(class_=Upload, default=None, allow_None=True)

    def controls(self) -> list[Any]:
        """Return the sliders, and the place to drop items of one's own."""
        own = file_chooser("Your items: CSV, or a published instance", ".csv,.txt", self.take)
        keep_items = pmui.FileDownload(
            label="These items as CSV", filename="items.csv", callback=self._items_csv, size="small", margin=(4, 10)
        )
        drawn = pmui.Button(label="Back to drawn items", size="small", variant="outlined", on_click=self._forget_items)
        return [*(widget_for(self, name) for name in self.inputs if name != "table"), own, keep_items, drawn]

    def _items_csv(self) -> io.BytesIO:
        """Return the items of the result as a file."""
        return io.BytesIO(b"" if self.result is None else self.result.attrs["table"].encode())

    def _forget_items(self, _: Any) -> None:
        """Forget items of one's own."""
        self.table = None

    def _type_over(self, row: int, column: int, number: float) -> None:
        """Take a number that was typed over one of an item."""
        if self.table is not None:
            text = self.table.data.decode("utf-8", errors="replace")
        elif self.result is not None:
            text = self.result.attrs["table"]
        else:
            return
        try:
            text = robust.retyped(text, row + 1, COLUMNS[column], number)
        except ValueError as error:
            self.complaint = str(error)
            return
        self.take("the items typed over", text.encode())

    def _turn(self, row: int, ticked: bool) -> None:
        """Put an item into the plan or take it out."""
        if row + 1 > MOST:
            self.complaint = f"a plan on this page takes items up to number {MOST}; robust.worst_case takes all"
            return
        others = {name for name in self.chosen if name != str(row + 1)}
        self.chosen = sorted(others | ({str(row + 1)} if ticked else set()), key=int)

    def take(self, name: str, data: bytes) -> None:
        """Use an uploaded table."""
        keep(self, "table", Upload, name, data, LARGEST_UPLOAD)

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the experiment: item numbers, and the text of a file."""
        dropped = inputs["table"]
        text = None if dropped is None else dropped.data.decode("utf-8", errors="replace")
        return {**inputs, "chosen": sorted(int(number) for number in inputs["chosen"]), "table": text}

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a plan with items that are not there."""
        above = [number for number in inputs["chosen"] if int(number) > inputs["n"]]
        if above and inputs["table"] is None:
            raise ValueError(
                f"the plan has item {above[0]} and there are {inputs['n']}; take it out of the plan or add items"
            )

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time by the number of items."""
        return costs.of(games.robust_plan, **self.arguments(inputs))

    def pictures(self) -> Sequence[Any]:
        """Return what is lost, the race of bounds, the items and the certificate."""
        return [
            Picture("Worst case", figures.tornado, _hit),
            Picture("Bounds", figures.bounds_race, _race),
            Grid("Items", HEADS, _items, self._type_over, self._turn, first="Your plan", last="Best plan"),
            CertificateFile("plan.json", lambda ds: ds.attrs.get("certificate", ""), _told),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what the plan is worth, what the best is, and what none exceeds."""
        own = f"Your plan is worth at least {float(ds.own_profit):,.6g} whatever happens"
        if math.isnan(float(ds.bound)):
            return f"{own}."
        remark = ds.attrs.get("remark", "")
        return (
            f"{own}; none is worth more than {float(ds.bound):,.6g}; "
            f"the best found is worth at least {float(ds.best_profit):,.6g}."
            + (f" The plan comes from {remark}." if remark else "")
        )


def _hit(ds: xr.Dataset) -> str:
    hit = [str(int(i)) for i, x in zip(ds.item, ds.own_scenario * ds.own_plan, strict=True) if float(x) > 1e-6]
    return f"The worst case of your plan hits item {', '.join(hit)}." if hit else "Nothing of your plan is hit."


def _race(ds: xr.Dataset) -> str:
    gap = float(ds.bound - ds.best_profit)
    if math.isnan(gap):
        return "The best plan to follow."
    return f"Left between the best plan and the bound: {max(gap, 0.0):.3g}. The thin line is your plan."


def _items(ds: xr.Dataset) -> Lines:
    best = ds.best_plan.values
    return Lines(
        np.column_stack([ds[name].values for name in COLUMNS]).tolist(),
        (ds.own_plan.values > 0).tolist(),
        ["" if math.isnan(taken) else "in" if taken else "out" for taken in best],
    )


def _told(ds: xr.Dataset, text: str) -> str:
    return card_html(ds) if text else TO_FOLLOW


def card_html(ds: xr.Dataset) -> str:
    """Return what the second program says of the best plan's certificate, as HTML."""
    if not bool(ds.checked):
        return "<h3>Not checked here</h3><p>The check takes longer than this page waits; robust.verify does it.</p>"
    plan = ", ".join(str(int(i)) for i, x in zip(ds.item, ds.best_plan, strict=True) if x > 0) or "nothing"
    told = (
        f"Taking {plan} is worth at least {float(ds.best_profit):,.8g}; no plan is worth more than "
        f"{float(ds.bound):,.8g}."
    )
    return f'<h3><span aria-hidden="true">✔</span> Proved in whole numbers</h3><p>{html.escape(told)}</p>'
