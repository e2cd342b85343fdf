"""A table of numbers that a visitor types over, with a box to tick in front of each row."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import panel as pn
import param
import xarray as xr
from panel.custom import JSComponent


class Lines(NamedTuple):
    """What a grid shows: numbers row by row, which rows are ticked, and a word behind each row."""

    numbers: Sequence[Sequence[float]]
    ticked: Sequence[bool]
    notes: Sequence[str]


class BrowserGrid(JSComponent):
    """The browser side: plain HTML inputs."""

    name_of_table = param.String(default="")
    first = param.String(default="")
    last = param.String(default="")
    heads = param.List(default=[])
    rows = param.List(default=[])
    ticked = param.List(default=[])
    notes = param.List(default=[])
    version = param.Integer(default=0, doc="raised once new rows are set")
    typed = param.List(default=[], doc="set by the browser: row, column, what was typed, a running number")
    turned = param.List(default=[], doc="set by the browser: row, ticked or not, a running number")

    _esm = Path(__file__).with_name("grid.js")


class Grid(pn.viewable.Viewer):
    """An editable table among the pictures of a view.

    ``lines(ds)`` says what of a result it shows; ``typed(row, column, number)`` and ``turned(row, ticked)`` are told
    what a hand did. ``heads`` name the columns of numbers, ``first`` the boxes, ``last`` the words at the end.
    """

    is_wide = True

    def __init__(
        self,
        name: str,
        heads: Sequence[str],
        lines: Callable[[xr.Dataset], Lines],
        typed: Callable[[int, int, float], None],
        turned: Callable[[int, bool], None],
        *,
        first: str = "",
        last: str = "",
    ) -> None:
        super().__init__()
        self._lines, self._typed, self._turned = lines, typed, turned
        self._grid = BrowserGrid(
            name_of_table=name, heads=list(heads), first=first, last=last, sizing_mode="stretch_width"
        )
        self._grid.param.watch(lambda event: self.was_typed(event.new), "typed")
        self._grid.param.watch(lambda event: self.was_turned(event.new), "turned")

    def update(self, ds: xr.Dataset) -> None:
        """Show the lines of ``ds``."""
        found = self._lines(ds)
        self._grid.param.update(
            rows=[[float(number) for number in row] for row in found.numbers],
            ticked=[bool(tick) for tick in found.ticked],
            notes=[str(note) for note in found.notes],
        )
        self._grid.version += 1

    def was_typed(self, told: Sequence[Any]) -> None:
        """Take a number from the browser, if it is one in a place that there is; show the old one if not."""
        place = self._place(told, 4)
        if place is None or not 0 <= told[1] < len(self._grid.heads):
            return
        try:
            number = float(told[2])
        except (TypeError, ValueError):
            number = math.nan
        if math.isfinite(number):
            self._typed(place, told[1], number)
        else:
            self._grid.version += 1

    def was_turned(self, told: Sequence[Any]) -> None:
        """Take a tick from the browser, if it is of a row that there is."""
        place = self._place(told, 3)
        if place is not None and told[1] in (0, 1):
            self._turned(place, bool(told[1]))

    def _place(self, told: Sequence[Any], length: int) -> int | None:
        """Return the row that the browser means; None if it means none, or says something else."""
        whole = len(told) == length and all(isinstance(value, int) for value in (*told[:2], told[-1]))
        return int(told[0]) if whole and 0 <= told[0] < len(self._grid.rows) else None

    def __panel__(self) -> pn.viewable.Viewable:
        return self._grid
