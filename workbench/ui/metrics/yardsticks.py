"""What all tabs of this room share: the table yardstick × transformation, the blind spots, and the constants.

A tab is a :class:`FamilyView` that puts :class:`Yardsticks` among its pictures; it shows whichever parts of
:mod:`workbench.metrics.grammar` the result holds, and nothing of those that it lacks.
"""

import html

import numpy as np
import panel as pn
import xarray as xr
from markupsafe import Markup

from workbench.metrics.grammar import STANDS
from workbench.ui.kit.picture import CAPTION
from workbench.ui.kit.table import STYLE, Rows, mark, table_html
from workbench.ui.kit.view import View

HEADING = "h3 { font-size: 15px; font-weight: 600; margin: 10px 4px 4px; }"


class FamilyView(View):
    """A tab of this room: pictures side by side, and whatever says that it ``is_wide`` over the whole width."""

    def _picture_grid(self) -> pn.viewable.Viewable:
        basis = f"calc({100 / self.columns:.4f}% - 12px)"
        cells = [
            pn.Column(
                shown,
                styles={
                    "flex": "1 1 100%" if getattr(shown, "is_wide", False) else f"1 1 {basis}",
                    "min-width": "min(100%, 330px)",
                },
                margin=4,
            )
            for shown in self._shown
        ]
        return pn.FlexBox(*cells, sizing_mode="stretch_width")


class Yardsticks(pn.viewable.Viewer):
    """The tables of one family: invariances, blind spots, constants, each under its question."""

    is_wide = True

    def __init__(self, family: str = "") -> None:
        super().__init__()
        self._family = family
        self._pane = pn.pane.HTML("", stylesheets=[STYLE, HEADING, CAPTION], sizing_mode="stretch_width")

    def update(self, ds: xr.Dataset) -> None:
        """Show the parts that ``ds`` holds."""
        of = f" of {self._family}" if self._family else ""
        parts = [
            _part("What moves each yardstick", invariance_rows, ds, "invariance_change", f"Invariances{of}", KEY),
            _part("The pair that fools it", blind_rows, ds, "blind_seen", f"Blind spots{of}", ""),
            _part("Its constants", constant_rows, ds, "constant", f"Constants{of}", ""),
        ]
        self._pane.object = "".join(parts)

    def __panel__(self) -> pn.viewable.Viewable:
        return self._pane


KEY = (
    "✔ stands where the change should not matter; ✘ moves where it should not; a number alone: moves, and may; "
    "○ blind: stands although something happened."
)


def _part(heading, rows, ds: xr.Dataset, needs: str, name: str, key: str) -> str:
    if needs not in ds:
        return ""
    heads, cells = rows(ds)
    below = f"<p>{html.escape(key)}</p>" if key else ""
    return f"<h3>{html.escape(heading)}</h3>{table_html(heads, cells, name=name, wide=True)}{below}"


def invariance_rows(ds: xr.Dataset) -> Rows:
    """Return a row a yardstick and a column a transformation: how far it moves, and whether it ought to."""
    harmless = ds.invariance_harmless.values.astype(bool)
    cells = [
        [str(label), *(moved(float(value), bool(ought)) for value, ought in zip(row, harmless, strict=True))]
        for label, row in zip(ds.yardstick_label.values, ds.invariance_change.values, strict=True)
    ]
    return Rows(["yardstick", *map(str, ds.transformation_label.values)], cells)


def moved(change: float, harmless: bool) -> Markup | str:
    """Return a change as a cell: an icon and a number, by whether the yardstick ought to stand."""
    if np.isnan(change):
        return "not defined"
    stands = abs(change) <= STANDS
    number = "0" if change == 0 else f"{abs(change):.1e}" if abs(change) < 1e-3 else f"{abs(change):.3f}"
    if harmless:
        return mark("✔" if stands else "✘", "stands" if stands else f"moves {number}")
    return mark("○", "blind") if stands else number


def blind_rows(ds: xr.Dataset) -> Rows:
    """Return what each yardstick and its reference see of the pair that fools it."""
    cells = [
        [str(row.yardstick_label.values), str(row.blind_pair.values), _number(row.blind_seen),
         f"{_number(row.blind_reference)} ({row.blind_reference_name.values})"]
        for row in (ds.isel(yardstick=k) for k in range(ds.sizes["yardstick"]))
    ]  # fmt: skip
    return Rows(["yardstick", "the two", "it sees a difference of", "the reference sees"], cells)


def constant_rows(ds: xr.Dataset) -> Rows:
    """Return the numbers that belong to each yardstick."""
    cells = [
        [str(label), *(_number(value) for value in row)]
        for label, row in zip(ds.yardstick_label.values, ds.constant.values, strict=True)
    ]
    return Rows(["yardstick", *map(str, ds.axiom_label.values)], cells)


def _number(value: float | xr.DataArray) -> str:
    value = float(value)
    if np.isnan(value):
        return "—"
    if np.isinf(value):
        return "∞"
    return "0" if value == 0 else f"{value:.1e}" if abs(value) < 1e-3 else f"{value:.4g}"
