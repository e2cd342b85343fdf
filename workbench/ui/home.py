"""The index: what each room answers with a picture of real data, all verdicts, recent results, and a search."""

import html
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import holoviews as hv
import panel as pn
import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.rooms import ROOMS
from workbench.ui.catalogue import LONGEST_QUERY, found_html, room_classes, verdicts_html
from workbench.ui.kit import dispatch, saved
from workbench.ui.kit.page import page
from workbench.ui.kit.picture import plot_pane
from workbench.ui.kit.room import PURPOSE, Room
from workbench.ui.kit.table import table_html
from workbench.ui.kit.verdict_table import STYLE
from workbench.verdicts import OUTCOMES

HEIGHT = 300
CARD = """
h2 { font-size: 20px; margin: 6px 8px 2px; }
p { font-size: 14px; line-height: 1.4; margin: 0 8px 6px; min-height: 2.8em; }
a { color: inherit; text-underline-offset: 4px; }
"""
COLUMNS = """
.columns { columns: 2 560px; column-gap: 24px; }
section { break-inside: avoid; }
"""
LIST = STYLE + "a { color: inherit; }"


class Home(pn.viewable.Viewer):
    """The front door: the rooms, their verdicts, and the results that this server keeps."""

    search = param.String(default="", doc="words that what is shown must contain")
    outcome = param.Selector(default="", objects={"every outcome": "", **{word: word for word in OUTCOMES}})

    title = "Home"
    question = "How far can you move safely through a geometry, and what tells you so?"

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self._place = dispatch.Place()
        self._waiting: list[Callable[[], None]] = []
        self._found = pn.pane.HTML("", stylesheets=[LIST], sizing_mode="stretch_width")
        self._verdicts = pn.pane.HTML("", stylesheets=[STYLE, COLUMNS], sizing_mode="stretch_width")

    def close(self) -> None:
        """Nothing runs here."""

    def _card(self, room: type[Room]) -> pn.Column:
        words = f'<h2><a href="{room.slug}">{html.escape(room.title)}</a></h2><p>{html.escape(room.purpose)}</p>'
        frame = pn.Column(height=HEIGHT, sizing_mode="stretch_width", min_width=200)
        self._waiting.append(lambda: frame.append(_pane(room.thumbnail())))
        return pn.Column(
            pn.pane.HTML(words, stylesheets=[CARD], sizing_mode="stretch_width"),
            frame,
            styles={"flex": "1 1 calc(50% - 24px)", "min-width": "min(100%, 330px)"},
            margin=8,
        )

    def _search_bar(self) -> pn.FlexBox:
        words = pmui.TextInput(
            label="Search rooms, tabs, experiments, guides and verdicts",
            max_length=LONGEST_QUERY,
            sizing_mode="stretch_width",
            styles={"flex": "1 1 330px"},
        )
        words.param.watch(lambda event: setattr(self, "search", event.new), "value_input")  # at every letter
        outcome = pmui.Select.from_param(self.param.outcome, label="Verdicts with", width=180)
        return pn.FlexBox(words, outcome, sizing_mode="stretch_width", margin=(4, 8))

    @param.depends("search", watch=True)
    def _show_found(self) -> None:
        self._found.object = found_html(self.search)

    @param.depends("search", "outcome", watch=True)
    def _show_verdicts(self) -> None:
        self._verdicts.object = verdicts_html(self.search, self.outcome)

    def _recent(self) -> pn.viewable.Viewable:
        return pn.pane.HTML(recent_html(saved.recent()), stylesheets=[LIST], sizing_mode="stretch_width")

    def main(self) -> list[Any]:
        """Return the parts of the main column."""
        heading = pn.pane.HTML(f"<h1>{html.escape(self.question)}</h1>", stylesheets=[PURPOSE])
        self._waiting.clear()
        cards = [self._card(room) for room in room_classes().values()]
        self._waiting.append(self._show_verdicts)
        # A served page gets its pictures, one after the other, when a visitor has connected; elsewhere they are there.
        if dispatch.in_session():
            pn.state.onload(self._hang)
        else:
            self._hang()
        rooms = pn.FlexBox(*cards, sizing_mode="stretch_width")
        return [heading, self._search_bar(), self._found, rooms, self._recent(), self._verdicts]

    def _hang(self) -> None:
        """Put in the next thing that waits, and see to the others when others have had their turn."""
        if self._waiting:
            self._waiting.pop(0)()
            self._place.call(self._hang)

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(*self.main(), sizing_mode="stretch_width")

    def page(self) -> Any:
        """Return the whole page."""
        return page(self, self.title, sidebar=[], main=self.main())


def _pane(picture: Any) -> Any:
    """Return what a card shows of a thumbnail: figures get the card's height and lose title and tools."""
    if not isinstance(picture, (hv.Element, hv.Overlay, hv.Layout)):
        return picture
    return plot_pane(picture.opts(height=HEIGHT, title="", toolbar=None, backend="bokeh"), height=HEIGHT)


def recent_html(found: list[saved.SavedResult]) -> str:
    """Return the table of saved results, each linked to its room; how to get one if there are none."""
    if not found:
        where = (
            "This server's results folder is empty." if saved.folder() else "This server was given no results folder."
        )
        return (
            f"<h2>Recent results</h2><p>{where} Start it with <code>workbench serve --results FOLDER</code> and save "
            "results there (<code>workbench run … -o FOLDER/name.nc</code>).</p>"
        )
    rows = [
        (
            _link(one),
            Markup("<code>{}</code>").format(one.function),
            time.strftime("%Y-%m-%d %H:%M", time.localtime(one.modified)),
        )
        for one in found
    ]
    return f"<h2>Recent results</h2>{table_html(('Result', 'Made by', 'When'), rows, name='Recent results')}"


def _link(one: saved.SavedResult) -> str | Markup:
    """The name of a result, linked to its room if there is one."""
    if one.room not in ROOMS:
        return one.name
    return Markup('<a href="{}?result={}">{}</a>').format(one.room, quote(one.name), one.name)
