"""A room: its views as tabs, the verdict table, the state in the URL. Served it is a page, in a notebook a cell."""

import html
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import panel as pn
import panel_material_ui as pmui
import param
import xarray as xr

from workbench import results
from workbench.papers import cited
from workbench.rooms import ROOMS
from workbench.ui.kit import saved, url
from workbench.ui.kit.dispatch import Place, in_session
from workbench.ui.kit.message import message
from workbench.ui.kit.page import THEME, page
from workbench.ui.kit.runner import Runner
from workbench.ui.kit.upload import LARGEST_UPLOAD, check_size, file_chooser
from workbench.ui.kit.verdict_table import verdict_table
from workbench.ui.kit.view import View
from workbench.ui.kit.written import Written
from workbench.verdicts import Verdict, of_room

PURPOSE = """
h1 { font-size: 22px; line-height: 1.3; font-weight: 600; margin: 6px 8px 2px; }
details { font-size: 14px; line-height: 1.4; margin: 0 8px 4px; }
summary { cursor: pointer; width: fit-content; opacity: 0.85; }
ul { margin: 2px 0 4px; padding-left: 20px; opacity: 0.85; overflow-wrap: anywhere; }
"""


class Room(pn.viewable.Viewer):
    """The common frame of all rooms; a subclass names its views and its thumbnail.

    Its verdicts are those of the package that bears its slug.
    """

    slug: ClassVar[str] = ""
    """The name of the room's package; title and purpose come from :mod:`workbench.rooms`, unless they are set here."""
    title: ClassVar[str] = ""
    purpose: ClassVar[str] = ""
    """What a person does here, in one sentence."""
    also: ClassVar[tuple[str, ...]] = ()
    """Papers, with their arXiv numbers, whose methods are here and of which no claim is judged."""
    view_classes: ClassVar[tuple[type[View], ...]] = ()

    tab = param.Integer(default=0, bounds=(0, None))
    notice = param.String(default="", doc="what the visitor should know, e.g. a refused value in the address")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        entry = ROOMS.get(cls.slug)
        if entry is not None:
            cls.title, cls.purpose = cls.title or entry.title, cls.purpose or entry.purpose

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self._place = Place()
        self._views: dict[int, View] = {}
        self._write_address: Callable[..., None] | None = None
        self._sidebar = pn.Column(sizing_mode="stretch_width")
        self._bodies = [pn.Column(sizing_mode="stretch_width", min_height=400) for _ in self.view_classes]
        self._tabs = pmui.Tabs(
            *[(view_class.title, body) for view_class, body in zip(self.view_classes, self._bodies, strict=True)],
            active=self.tab,
            sizing_mode="stretch_width",
            styles={"max-height": "none"},  # Panel's 100 % would let a tall tab run over what stands below it
        )
        self._built: dict[int, pn.Column] = {}
        self._tabs.param.watch(lambda event: setattr(self, "tab", event.new), "active")
        self._reader = Runner()
        self._judged: list[Verdict] = []
        self._furnished = False
        if not in_session():
            self.furnish()

    @classmethod
    def verdicts(cls) -> Iterable[Verdict]:
        """Return the rows of the verdict table: by default those of ``workbench.<slug>.verdicts``."""
        return of_room(cls.slug)

    @classmethod
    def thumbnail(cls) -> Any:
        """Return a small picture from real data for the home page: a figure, or a viewer. None: no picture."""
        return None

    @property
    def view(self) -> View:
        """The view that is open."""
        return self._view_at(self.tab)

    def _view_at(self, index: int) -> View:
        """Return the view of a tab, made when it is first asked for: a page has many, and a visitor opens few."""
        if index not in self._views:
            self._views[index] = self.view_classes[index]()
            self._keep_in_address(self._views[index])
        return self._views[index]

    def furnish(self) -> None:
        """Put the open tab in, and start its work; later tabs follow as they are opened.

        A served page does this when its visitor has connected: one that only fetches addresses gets an empty room,
        which costs the server little.
        """
        self._furnished = True
        self._open_tab()

    @param.depends("tab", watch=True)
    def _open_tab(self) -> None:
        """Build a tab when it is first seen; a room with many pictures opens as fast as one with few."""
        self._tabs.active = self.tab
        if self._furnished:
            self._in_turns(self._build_sidebar, self._build_body, lambda index: self._view_at(index).start())

    def _in_turns(self, *steps: Callable[[int], None]) -> None:
        """Take the steps for the open tab; on a server one by one, so that other visitors are heard in between."""
        first, *others = steps
        first(index := self.tab)
        for step in others:
            if in_session():
                self._place.call(step, index)
            else:
                step(index)

    def _build_sidebar(self, index: int) -> None:
        if index not in self._built:
            self._built[index] = self._view_at(index).sidebar()
        self._sidebar.objects = [self._built[index]]

    def _build_body(self, index: int) -> None:
        body = self._bodies[index]
        if not body.objects:
            body.objects = [self._view_at(index)]

    def close(self) -> None:
        """Stop all work; called when the visitor leaves."""
        self._reader.close()
        for view in self._views.values():
            view.close()

    # ---- saved results --------------------------------------------------------------------------------------------

    def open_result(self, data: bytes, name: str = "the file") -> None:
        """Show a saved NetCDF result in the view it came from; a file that is no such result is refused in words."""
        try:
            check_size(name, data, LARGEST_UPLOAD)
        except ValueError as error:
            self.notice = str(error)
            return
        self._read(lambda: results.open_foreign(data, name=name, max_bytes=8 * LARGEST_UPLOAD))

    def _read(self, read: Callable[[], xr.Dataset]) -> None:
        """Show what ``read`` returns, or say why not; on a server it reads in another thread, so that nobody waits."""

        def show(ds: xr.Dataset) -> None:
            try:
                self.show(ds)
            except ValueError as error:
                self.notice = str(error)

        def refuse(error: Exception) -> None:
            self.notice = str(error)

        if in_session():
            self._reader.submit(lambda _: read(), show, refuse)
            return
        try:
            found = read()
        except ValueError as error:
            refuse(error)
        else:
            show(found)

    def show(self, ds: Any) -> None:
        """Show a Dataset in the view whose experiment made it; ``ValueError`` if this room has none."""
        made_by = ds.attrs["function"]
        for index, view_class in enumerate(self.view_classes):
            if view_class.experiment_name() == made_by:
                self._view_at(index).show(ds)
                self.tab = index
                self.notice = ""
                return
        known = ", ".join(name for view_class in self.view_classes if (name := view_class.experiment_name()))
        raise ValueError(f"this result was made by {made_by}; the {self.title} room shows results of {known or 'none'}")

    # ---- the address ----------------------------------------------------------------------------------------------

    def read_address(self, search: str) -> None:
        """Take the state from a URL's query; refused values are named in the notice.

        ``tab`` names a view, ``result`` a file of the server's results folder, all else are parameters of the view.
        """
        state = url.read_state(search)
        wanted = state.get("tab", "")
        slugs = [view_class.slug for view_class in self.view_classes]
        complaints = []
        if wanted in slugs:
            self.tab = slugs.index(wanted)
        elif wanted:
            complaints.append(f"There is no tab {wanted[:40]!r} here; the tabs are {', '.join(slugs)}.")
        if "result" in state:
            self.notice = ""
            self._read(lambda: saved.open_named(state["result"], max_bytes=8 * LARGEST_UPLOAD))
            complaints += [self.notice] if self.notice else []
        names = (*self.view.inputs, *self.view.display)
        complaints += url.apply_state(self.view, _addressable(self.view, names), state)
        self.notice = " ".join(complaints)

    def state(self) -> dict[str, str]:
        """Return the tab and whatever differs from its defaults, as an address holds it."""
        names = _addressable(self.view, (*self.view.inputs, *self.view.display))
        return {"tab": self.view.slug, **url.write_state(self.view, names)}

    def follow_address(self, location: Any) -> None:
        """Read the state from ``location`` once, then keep it up to date."""
        given = location.search or ""
        kept = {name: value for name, value in url.read_state(given).items() if name == "theme"}
        self.read_address(given)

        def write(*_: Any) -> None:
            location.search = url.query({**self.state(), **kept})

        write()
        self.param.watch(write, "tab")
        self._write_address = write
        for view in self._views.values():
            self._keep_in_address(view)

    def _keep_in_address(self, view: View) -> None:
        names = _addressable(view, (*view.inputs, *view.display))
        if names and self._write_address is not None:
            view.param.watch(self._write_address, list(names))

    # ---- layout -----------------------------------------------------------------------------------------------------

    def _opener(self) -> Any:
        return file_chooser("Open a saved result (.nc)", ".nc", lambda name, data: self.open_result(data, name))

    def _verdicts(self) -> list[Any]:
        return [verdict_table(self._judged)] if self._judged else []

    def _header(self) -> str:
        """Return what a person does here, and the papers behind the claims, which open on a click or with a key."""
        papers = cited([*(row.paper for row in self._judged), *self.also])
        items = "".join(f"<li>{html.escape(paper)}</li>" for paper in papers)
        count = "one paper" if len(papers) == 1 else f"{len(papers)} papers"
        folded = f"<details><summary>From {count}</summary><ul>{items}</ul></details>" if papers else ""
        return f"<h1>{html.escape(self.purpose)}</h1>{folded}"

    def main(self) -> list[Any]:
        """Return the parts of the main column."""
        self._judged = list(self.verdicts())
        purpose = pn.pane.HTML(self._header(), stylesheets=[PURPOSE], sizing_mode="stretch_width")
        return [purpose, message(self.param.notice), self._tabs, *self._verdicts()]

    def __panel__(self) -> pn.viewable.Viewable:
        return pmui.Row(
            pn.Column(self._sidebar, self._opener(), width=300),
            pn.Column(*self.main(), sizing_mode="stretch_width"),
            sizing_mode="stretch_width",
            theme_config=THEME,  # the look of the page, also where there is none
        )

    def page(self) -> Any:
        """Return the whole page, with its state in the URL and its clean-up arranged."""
        if pn.state.location is not None:
            self.follow_address(pn.state.location)
        if not self._furnished:
            pn.state.onload(self.furnish)
        return page(self, self.title, sidebar=[self._sidebar, self._opener()], main=self.main())


def _addressable(view: View, names: Iterable[str]) -> tuple[str, ...]:
    """The parameters a URL can hold: uploads, arrays and other objects stay out of it."""
    kinds = (param.Number, param.Boolean, param.String, param.Selector, param.ListSelector, param.Range, Written)
    return tuple(name for name in names if isinstance(view.param[name], kinds))
