"""The one table of all pages: every entry escaped, named for screen readers, scrolling sideways on a phone.

>>> from workbench.ui.kit.table import table_html
>>> text = table_html(["method", "error"], [["a < b", "0.01"]], name="Errors")
>>> "a &lt; b" in text and 'aria-label="Errors"' in text
True
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import panel as pn
import xarray as xr
from markupsafe import Markup

STYLE = """
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; line-height: 1.45; font-variant-numeric: tabular-nums; }
table.wide { width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 6px 10px; border-bottom: 1px solid rgba(127,127,127,0.35); }
th { font-weight: 600; }
td.number, th.number { text-align: right; white-space: nowrap; }
.mark { white-space: nowrap; font-weight: 600; }
code { font-size: 12px; overflow-wrap: anywhere; }
"""


class Rows(NamedTuple):
    """What a table shows: its column heads, and its rows of cells.

    A cell is text or a number and is escaped; :class:`markupsafe.Markup` is taken as it is.
    """

    heads: Sequence[str]
    cells: Iterable[Sequence[Any]]


def mark(icon: str, word: str) -> Markup:
    """Return a verdict as a cell: an icon that screen readers leave out, and the word."""
    return Markup('<span class="mark"><span aria-hidden="true">{}</span> {}</span>').format(icon, word)


def table_html(
    heads: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    name: str,
    numbers: Iterable[str] = (),
    wide: bool = False,
) -> str:
    """Return a table as HTML text.

    ``name`` is what a screen reader calls it, ``numbers`` the heads of the columns that are set right; a ``wide`` table
    fills the page. Every cell is escaped, unless it is :class:`markupsafe.Markup`.
    """
    right = set(numbers)
    classes = [Markup(' class="number"') if head in right else Markup("") for head in heads]
    top = Markup("").join(
        Markup('<th scope="col"{}>{}</th>').format(kind, head) for head, kind in zip(heads, classes, strict=True)
    )
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(Markup("<td{}>{}</td>").format(kind, cell) for cell, kind in zip(row, classes, strict=True))
        )
        for row in rows
    )
    width = Markup(' class="wide"') if wide else Markup("")
    return str(
        Markup(
            '<div class="scroll" tabindex="0" role="region" aria-label="{}">'
            "<table{}><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
        ).format(name, width, top, body)
    )


def of_figure(table: Any) -> Rows:
    """Return the rows of a HoloViews table."""
    frame = table.dframe()
    return Rows([str(head) for head in frame.columns], frame.itertuples(index=False, name=None))


class Table(pn.viewable.Viewer):
    """A table among the pictures of a view; ``rows(ds)`` says what of a result it shows.

    ``text`` names the columns that are set left; the others hold numbers and are set right. None: all are text.
    """

    def __init__(
        self,
        name: str,
        rows: Callable[[xr.Dataset], Rows],
        *,
        text: Iterable[str] | None = None,
        wide: bool = False,
    ) -> None:
        super().__init__()
        self._name, self._rows, self._wide = name, rows, wide
        self._text = None if text is None else set(text)
        self._pane = pn.pane.HTML("", stylesheets=[STYLE], sizing_mode="stretch_width")

    def update(self, ds: xr.Dataset) -> None:
        """Show the rows of ``ds``."""
        heads, cells = self._rows(ds)
        numbers = () if self._text is None else [head for head in heads if head not in self._text]
        self._pane.object = table_html(heads, cells, name=self._name, numbers=numbers, wide=self._wide)

    def __panel__(self) -> pn.viewable.Viewable:
        return self._pane
