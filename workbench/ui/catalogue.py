"""What can be looked for on the home page: rooms, tabs, experiments, how-to pages and verdicts.

>>> [entry.label for entry in find(entries(), "lattice") if entry.kind == "room"]
['Fisher']
"""

import functools
import importlib
import inspect
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from markupsafe import Markup

from workbench.rooms import ROOMS
from workbench.sweeps.experiments import experiments
from workbench.ui.kit.room import Room
from workbench.ui.kit.table import table_html
from workbench.ui.kit.verdict_table import verdict_html
from workbench.ui.server.serve import apps_folder
from workbench.verdicts import Verdict

LONGEST_QUERY = 100  # letters
MOST_FOUND = 30
SENTENCE_END = re.compile(r"(?<=[.?!]) (?=[A-Z])")
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)


class Entry(NamedTuple):
    """Something that has a name: its kind, what it is called, what it is about, and the address that shows it."""

    kind: str
    label: str
    about: str
    address: str = ""


@functools.cache
def room_classes() -> dict[str, type[Room]]:
    """Return the frame of every room by name: what ``workbench.ui.<room>`` exports as a Room."""
    return {name: _room_class(name) for name in ROOMS}


def _room_class(name: str) -> type[Room]:
    module = importlib.import_module(f"workbench.ui.{name}")
    found = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Room)]
    return next(value for value in found if value.slug == name)


@functools.cache
def entries() -> tuple[Entry, ...]:
    """Return all that can be found, rooms first; verdicts aside, which :func:`verdicts_html` looks through."""
    found: list[Entry] = []
    for name, room in room_classes().items():
        found.append(Entry("room", room.title, room.purpose, name))
    for name, room in room_classes().items():
        views = room.view_classes
        found += [Entry("tab", f"{room.title}: {v.title}", _plain(v.help), f"{name}?tab={v.slug}") for v in views]
    for name, room in room_classes().items():
        shown = {view.experiment_name(): f"{name}?tab={view.slug}" for view in room.view_classes}
        for label, function in experiments(name).items():
            about = (inspect.getdoc(function) or "").split("\n")[0]
            found.append(Entry("experiment", f"{name}.{label}", about, shown.get(f"workbench.{name}.{label}", "")))
    return (*found, *_guides())


def _guides() -> list[Entry]:
    """The how-to pages, where the documentation stands beside the pages; they are files, and no page shows them."""
    found = []
    for file in sorted((apps_folder().parent / "docs").glob("*.md")):
        title = TITLE.search(file.read_text(encoding="utf-8"))
        found.append(Entry("guide", title[1] if title else file.stem, f"docs/{file.name}"))
    return found


def _plain(markdown: str) -> str:
    """The first sentence of a help text without its marks."""
    return re.sub(r"[`*$]", "", SENTENCE_END.split(" ".join(markdown.split()))[0])


Named = TypeVar("Named", bound=Sequence[str])


def find(among: Iterable[Named], query: str) -> list[Named]:
    """Return those in whose texts all words of the query occur, in any order and any case."""
    words = query[:LONGEST_QUERY].casefold().split()
    return [one for one in among if all(word in " ".join(one).casefold() for word in words)]


def found_html(query: str) -> str:
    """Return what was found as a table of links, nothing for an empty query."""
    if not query.strip():
        return ""
    found = find(entries(), query)
    if not found:
        return Markup("<p>No room, tab, experiment or guide speaks of “{}”.</p>").format(query[:LONGEST_QUERY])
    rows = [(entry.kind, _link(entry), entry.about) for entry in found[:MOST_FOUND]]
    more = f"<p>{len(found) - MOST_FOUND} more; add a word.</p>" if len(found) > MOST_FOUND else ""
    return table_html(("What", "Name", "About"), rows, name="Found", wide=True) + more


def _link(entry: Entry) -> str | Markup:
    name = Markup("<code>{}</code>").format(entry.label) if entry.kind == "experiment" else entry.label
    return Markup('<a href="{}">{}</a>').format(entry.address, name) if entry.address else name


def verdicts_html(query: str = "", outcome: str = "") -> str:
    """Return the verdict tables of all rooms in columns; only rows with the words and the outcome, where given."""
    sections, shown, known = [], 0, 0
    for room in room_classes().values():
        rows = list(room.verdicts())
        fitting = [row for row in rows if _fits(row, room, query) and outcome in ("", row.outcome.word)]
        shown, known = shown + len(fitting), known + len(rows)
        if fitting:
            table = verdict_html(fitting, name=f"Verdicts of {room.title}")
            sections.append(f"<section><h2>{room.title}: what holds, what does not</h2>{table}</section>")
    told = f"{shown} of {known} claims" if shown < known else f"{known} claims of papers, judged by numbers"
    return f'<p>{told}</p><div class="columns">{"".join(sections)}</div>'


def _fits(row: Verdict, room: type[Room], query: str) -> bool:
    return bool(find([(row.claim, row.measured, row.how, row.paper, room.title)], query))
