"""Write the architecture page, docs/architecture.md, and its picture: ``python docs/make_architecture.py``.

Boxes are the folders of the package, by the rooms of ``rooms.py``; arrows are the imports found in the source by ast,
as the walls' test finds them. A test keeps boxes and arrows those of the source; counts may age a little.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import NamedTuple

import workbench
from workbench.rooms import ROOMS

HERE = Path(__file__).resolve().parent
PAGE, PICTURE = HERE / "architecture.md", HERE / "images" / "architecture.svg"
PACKAGE = Path(workbench.__file__).resolve().parent
SHARED = {
    "transport": "optimal transport for every room: checked clouds, sliced kernels, designs, exact and entropic plans",
    "clouds": "where point clouds come from: named shapes, text, files, real data",
}
GROUND = {
    "rooms": "the one list of rooms",
    "checks": "arguments judged before any work, in sentences",
    "registry": "methods found by name, with what pages and tables want to know of them",
    "progress": "how far, how long still, and stop",
    "papers": "the papers whose claims are judged, by number",
    "parallel": "threads and processes within the cores there are",
    "isolated": "work on strangers' files, in a process that can be ended",
    "costs": "seconds and memory before a run",
    "verdicts": "claims of papers, and outcomes derived from numbers",
    "data": "what ships with the package",
    "results": "one labelled dataset for each experiment, saved, opened, named",
    "sweeps": "studies from a TOML file, resumed and shared between machines",
}
TOP = {"cli": "the command `workbench`", "notebook": "pages as cells of a notebook"}
LAYERS = ("pages", "figures", "room")


class House(NamedTuple):
    """What the source says: (files, lines) of each box, and how many files of one box import another."""

    boxes: dict[str, tuple[int, int]]
    arrows: dict[tuple[str, str], int]


def box_of(parts: tuple[str, ...]) -> str:
    """Return the box that a dotted name, without the package's own, belongs to."""
    if parts[0] in ("ui", "figures"):
        inner = parts[1] if len(parts) > 1 else ""
        return f"{parts[0]}/{inner}" if inner in (*ROOMS, "kit", "server") else parts[0]
    return "ground" if parts[0] in GROUND else parts[0]


def imported(file: Path) -> Iterator[tuple[str, ...]]:
    """Yield the names that a file imports from the package, split at their dots; relative ones resolved."""
    inside = ["workbench", *file.relative_to(PACKAGE).with_suffix("").parts]
    for node in ast.walk(ast.parse(file.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = inside[: len(inside) - node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "import_module":
            given = node.args[0] if node.args else None
            names = [given.value] if isinstance(given, ast.Constant) and isinstance(given.value, str) else []
        for name in names:
            first, *rest = name.split(".")
            if first == "workbench" and rest:
                yield tuple(rest)


def house() -> House:
    """Return the boxes and arrows of the source."""
    boxes: dict[str, tuple[int, int]] = {}
    arrows: Counter[tuple[str, str]] = Counter()
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        if parts == ("__init__",):
            continue
        own = box_of(parts)
        count, lines = boxes.get(own, (0, 0))
        boxes[own] = (count + 1, lines + len(file.read_text().splitlines()))
        found = {box_of(name) for name in imported(file) if name[0] != "__version__"}
        arrows.update((own, other) for other in found & KNOWN if other != own)
    return House(boxes, dict(arrows))


KNOWN = {*ROOMS, *SHARED, *TOP, "ground", "ui", "figures", "ui/kit", "ui/server"}
KNOWN |= {f"{layer}/{room}" for layer in ("ui", "figures") for room in ROOMS}


# ---- the picture --------------------------------------------------------------------------------------------------

WIDTH, HEIGHT, MARGIN, GAP = 1120, 810, 20, 18
ROWS = {"top": 15, "kit": 115, "ui": 225, "figures": 335, "theme": 425, "room": 520, "shared": 630, "ground": 730}
TALL = 62
COLOURS = {"top": "#eeeeee", "kit": "#d9e8f5", "ui": "#d9e8f5", "figures": "#e3f1de", "room": "#fdebd0"}
COLOURS |= {"theme": "#e3f1de", "shared": "#f3e3f3", "ground": "#e6e6e6"}


class Place(NamedTuple):
    """A box of the picture."""

    x: float
    y: float
    width: float
    row: str

    @property
    def middle(self) -> float:
        """The middle of its width."""
        return self.x + self.width / 2


def places() -> dict[str, Place]:
    """Return where each box stands: a column for each room, bars for what they share."""
    column = (WIDTH - 2 * MARGIN - (len(ROOMS) - 1) * GAP) / len(ROOMS)
    found = {}
    for number, room in enumerate(ROOMS):
        x = MARGIN + number * (column + GAP)
        for row, name in (("ui", f"ui/{room}"), ("figures", f"figures/{room}"), ("room", room)):
            found[name] = Place(x, ROWS[row], column, row)
    bars = {"top": tuple(TOP), "kit": ("ui/kit", "ui", "ui/server"), "theme": ("figures",), "shared": tuple(SHARED)}
    for row, names in {**bars, "ground": ("ground",)}.items():
        wide = (WIDTH - 2 * MARGIN - (len(names) - 1) * GAP) / len(names)
        for number, name in enumerate(names):
            found[name] = Place(MARGIN + number * (wide + GAP), ROWS[row], wide, row)
    return found


TITLES = {"ui": "ui: home, catalogue", "figures": "figures: the one look", "ground": "ground: " + ", ".join(GROUND)}


def drawn(found: House) -> list[tuple[str, str, int]]:
    """Return the arrows of the picture: those to the ground, which nearly all have, are left to the page's table."""
    where = places()
    return [
        (one, other, count)
        for (one, other), count in sorted(found.arrows.items())
        if one in where and other in where and other != "ground"
    ]


def picture(found: House) -> str:
    """Return the picture as SVG: boxes with files and lines, arrows as wide as many files go that way."""
    where = places()
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'role="img" aria-labelledby="title"><title id="title">What imports what in the workbench</title>',
        '<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 8 4 0 8z" fill="#555"/></marker></defs>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    parts += [_arrow(where[one], where[other], count, one, other) for one, other, count in drawn(found)]
    for name, place in where.items():
        files, lines = found.boxes.get(name, (0, 0))
        title = TITLES.get(name, name)
        parts.append(
            f'<g><rect x="{place.x:.1f}" y="{place.y}" width="{place.width:.1f}" height="{TALL}" rx="6" '
            f'fill="{COLOURS[place.row]}" stroke="#777"/>'
            f'<text x="{place.middle:.1f}" y="{place.y + 27}" text-anchor="middle" font-size="15" fill="#111">'
            f"{escape(title)}</text>"
            f'<text x="{place.middle:.1f}" y="{place.y + 47}" text-anchor="middle" font-size="12" fill="#333">'
            f"{files} {'file' if files == 1 else 'files'}, {_thousands(lines)} lines</text></g>"
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _thousands(lines: int) -> str:
    return f"{lines / 1000:.1f}k" if lines >= 1000 else str(lines)


def _arrow(one: Place, other: Place, count: int, name: str, target: str) -> str:
    """Return an arrow from the lower edge of a box to the upper edge of another, or round a row that lies between."""
    width = min(0.8 + count / 12, 5)
    tip = f"<title>{count} files of {escape(name)} import {escape(target)}</title>"
    style = f'fill="none" stroke="#555" stroke-opacity="0.55" stroke-width="{width:.1f}" marker-end="url(#end)"'
    if other.y < one.y:  # to what pages share, above them
        start, end = (
            (one.middle - 0.3 * one.width, one.y),
            (_clamped(one.middle - 0.3 * one.width, other), other.y + TALL),
        )
        bend = f"M{start[0]:.1f} {start[1]} L{end[0]:.1f} {end[1]}"
    elif one.y == other.y:  # along a row
        side = 1 if other.x > one.x else -1
        start, end = (one.x + one.width, other.x) if side > 0 else (one.x, other.x + other.width)
        y = one.y + TALL / 2 + 8 * side
        bend = f"M{start:.1f} {y} L{end:.1f} {y}"
    elif one.row == "ui" and other.row in ("room", "shared"):  # past the figures, along the side of the column
        x, y = one.x + one.width, one.y + TALL
        goal = x - 14 if other.row == "room" else _clamped(x, other)
        bend = f"M{x - 14:.1f} {y} C{x + 12:.1f} {y + 50} {x + 9:.1f} {y + 40} {x + 9:.1f} {y + 90} "
        bend += f"L{x + 9:.1f} {ROWS['room'] - 40} " + (
            f"L{goal:.1f} {other.y}"
            if other.row == "room"
            else f"L{x + 9:.1f} {ROWS['room'] + TALL} L{goal:.1f} {other.y}"
        )
    else:
        x = _clamped(one.middle, other)
        bend = f"M{one.middle:.1f} {one.y + TALL} L{x:.1f} {other.y}"
    return f'<path d="{bend}" {style}>{tip}</path>'


def _clamped(x: float, place: Place) -> float:
    return min(max(x, place.x + 20), place.x + place.width - 20)


# ---- the page -----------------------------------------------------------------------------------------------------

HEADING = """# How the house is built

Made by `python docs/make_architecture.py` from [`rooms.py`](../workbench/rooms.py) and the imports in the source. It is
for whoever maintains this next.

![What imports what](images/architecture.svg)

Arrows point the way imports go, downwards: a box knows what it points at, and not what points at it. The wider, the
more files. Nearly everything stands on the ground as well; those arrows are in the table below and not in the picture.

"""
RULES = """## The walls

[`tests/test_walls.py`](../tests/test_walls.py) walks the folders, reads all imports, and fails when one of these falls:

1. The ground knows nothing above it; `transport` and `clouds` stand on the ground and know no room.
2. A room knows the ground, `transport` and `clouds`, and no other room. It draws nothing.
3. Figures take a dataset or an array and give back a picture: they know the ground, and no room.
4. A page knows its own room, its own figures and what pages share (`ui/kit`); no other room's page.
5. What pages share, and the server, know no room by name: they read `rooms.py`.
6. Names made at run time are imported in a few files only, which the test lists.

A room is found from its line in `rooms.py`: home page, navigation, command line, sweeps, reference and tests read it.

## Where things go

| you bring | it goes to |
|---|---|
| a method beside others (estimator, solver, game, predictor) | one function and one line in the family's registry |
| an experiment | `workbench/ROOM/…`, decorated with `results.experiment`; a cost in the room's `costs.py` |
| a claim of a paper | the room's `verdicts.py`: what is measured, and the rule that makes an outcome of it |
| a picture | `workbench/figures/ROOM/`, listed in its `FIGURES` |
| a tab | `workbench/ui/ROOM/`, a `View` listed in the room's `room.py` |
| a room | one line in `rooms.py`, then the folders that `tests/test_walls.py` asks for |
"""


def page(found: House) -> str:
    """Return the whole page."""
    parts = [HEADING, "## The parts\n\n", *_rows("part", "what it is for", _purposes(found))]
    parts += ["\n", RULES, "\n## All arrows\n\n", *_rows("from", "to (files that import it)", _arrows(found))]
    return "".join(parts)


def _rows(first: str, second: str, rows: list[tuple[str, str]]) -> Iterator[str]:
    yield f"| {first} | {second} |\n|---|---|\n"
    yield from (f"| {a} | {b} |\n" for a, b in rows)


def _purposes(found: House) -> list[tuple[str, str]]:
    rows = [(f"`workbench/{name}`", room.purpose) for name, room in ROOMS.items()]
    rows += [(f"`workbench/{name}`", purpose) for name, purpose in SHARED.items()]
    rows += [(f"`workbench/{name}`, ground", purpose) for name, purpose in GROUND.items()]
    rows += [("`workbench/figures/ROOM`", "pictures from datasets; `figures/theme.py` is the one look")]
    rows += [("`workbench/ui/kit`", "what every page shares: view, page, picture, table, upload, address, runner")]
    rows += [("`workbench/ui/server`", "serving many visitors: sessions, fairness, memory")]
    rows += [("`workbench/ui/ROOM`", "one file for each tab: parameters and layout, no mathematics")]
    return rows + [(f"`workbench/{name}`", purpose) for name, purpose in TOP.items()]


def _arrows(found: House) -> list[tuple[str, str]]:
    return [
        (f"`{one}`", ", ".join(f"`{b}` ({n})" for (a, b), n in sorted(found.arrows.items()) if a == one))
        for one in sorted({a for a, _ in found.arrows})
    ]


if __name__ == "__main__":
    now = house()
    PICTURE.write_text(picture(now))
    PAGE.write_text(page(now))
