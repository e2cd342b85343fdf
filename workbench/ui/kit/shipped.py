"""The studies behind a room's verdicts: each with its picture, what was measured, and what follows for the claims."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import panel as pn
import param
import xarray as xr

from workbench import data
from workbench.costs import duration
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.study import StudyView
from workbench.ui.kit.verdict_table import STYLE, verdict_html
from workbench.verdicts import Verdict, of_room


@dataclass(frozen=True)
class Shipped:
    """A study that ships: its file, what it is called on a page, and how it is drawn.

    ``how`` is what the verdicts that rest on it name as their source; without it, the call of its experiment.
    """

    file: str
    label: str
    figure: Callable[[xr.Dataset], Any]
    how: str = ""

    @property
    def name(self) -> str:
        """The name in an address: that of the file."""
        return self.file.rpartition("/")[2].removesuffix(".nc")

    def rows(self) -> list[Verdict]:
        """Return the verdicts that rest on the study."""
        room = self.file.partition("/")[0]
        source = self.how or f".{data.result(self.file).attrs['function'].rpartition('.')[2]}("
        return [row for row in of_room(room) if source in row.how]


def choice_of(shelf: Sequence[Shipped]) -> param.Selector:
    """Return the parameter that chooses among studies."""
    return param.Selector(default=shelf[0].name, objects={one.label: one.name for one in shelf}, label="Study")


class ShippedView(StudyView):
    """The studies of a room, one at a time; a subclass names its ``shelf`` and has ``chosen = choice_of(shelf)``."""

    title, slug = "Behind the verdicts", "behind"
    help = (
        "Studies too long for a page ship with the workbench, and scripts make them again. Here is the picture of "
        "each, and below it the claims that were judged by its numbers, with the rules that did so."
    )
    inputs = ("chosen",)
    columns = 1
    shelf: ClassVar[tuple[Shipped, ...]] = ()

    def shipped(self, name: str) -> Shipped:
        """Return the study of that name."""
        return next(one for one in self.shelf if one.name == name)

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset:
        """Open the shipped result; which it is stands in its attributes."""
        one = self.shipped(inputs["chosen"])
        return data.result(one.file).assign_attrs(shipped=one.name)

    def pictures(self) -> Sequence[Any]:
        """Return the picture of the study and the claims that rest on it."""
        return [Picture("Study", self._figure, self._in_words, height=430), Judged(self._rows)]

    def _figure(self, ds: xr.Dataset) -> Any:
        return self.shipped(ds.attrs["shipped"]).figure(ds)

    def _rows(self, ds: xr.Dataset) -> list[Verdict]:
        return self.shipped(ds.attrs["shipped"]).rows()

    def _in_words(self, ds: xr.Dataset) -> str:
        one = self.shipped(ds.attrs["shipped"])
        took = f", which took {duration(float(ds.attrs['seconds']))}" if "seconds" in ds.attrs else ""
        call = ds.attrs["function"].removeprefix("workbench.")
        shape = ", ".join(f"{name} {count:,}" for name, count in ds.sizes.items())
        return f"{one.label}: made by {call}{took}; kept in data/{one.file}. Sizes: {shape}."

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what was measured, and what that makes of the first of the claims."""
        first, *others = self._rows(ds)
        more = f" {len(others)} more claim{'s rest' if len(others) > 1 else ' rests'} on it, below." if others else ""
        return f"{first.measured} “{first.claim.rstrip('.')}”: {first.outcome.word}.{more}"


class Judged(pn.viewable.Viewer):
    """The claims that rest on a study, as a table."""

    def __init__(self, rows: Callable[[xr.Dataset], list[Verdict]]) -> None:
        super().__init__()
        self._rows = rows
        self._pane = pn.pane.HTML("", stylesheets=[STYLE], sizing_mode="stretch_width")

    def update(self, ds: xr.Dataset) -> None:
        """Show the claims that rest on ``ds``."""
        self._pane.object = verdict_html(self._rows(ds), name="Claims that rest on this study")

    def __panel__(self) -> pn.viewable.Viewable:
        return self._pane
