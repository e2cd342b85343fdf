"""The second, small program: it sums a circuit again and knows nothing of how it was found.

It imports nothing of the workbench: Python's own library, and python-flint for rationals. A document is read as if its
author meant to deceive: strict JSON of bounded size, a closed grammar, and only then claims, each decided in integers
and rationals; every number in it is the double that it is written as. What is not decided is not proved.

What is proved of *triangles*: they are counter-clockwise, none is met twice, each shares an edge with the next, every
side is 0.4 to 1.75 spacings long, no atom of the file lies inside a triangle's circle, and the walk unfolded onto the
triangular lattice closes with the rotation and the shift that are claimed. Empty circles make them triangles of *the*
Delaunay triangulation of these atoms: they do not overlap, so the walk goes round once, and nobody can find a Burgers
vector in a perfect crystal by joining atoms that are no neighbours.

Of *bonds*: the path closes but for whole periods; every neighbour that is listed lies within 0.35 spacings of where the
frame of its atom puts the label, nearer than any other label's place; both atoms of a step name it alike; frames change
by less than 0.35 spacings from atom to atom; and the sum is the Burgers vector claimed.
"""

import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flint import fmpq

FORMAT, VERSION = "workbench-circuit", 1
SHORTEST, LONGEST, MISFIT = 0.4, 1.75, 0.35
WIDEST = 0.9
"""Spacings: the largest radius of a triangle's circle, 0.58 in a perfect lattice and 1 with an atom left out inside."""
LARGEST_TEXT = 8 * 2**20
MOST_TRIANGLES, MOST_NODES, MOST_NEIGHBOURS = 20_001, 2_000, 24
LARGEST_INTEGER = 10**6
LONGEST_NUMBER = 32
LARGEST, SMALLEST = 1e100, 1e-100
CLOSED = fmpq(1, 10**6)
"""Spacings: what rounding may leave open of a closed path."""
TRIANGLES = ("format", "version", "kind", "order", "spacing", "atoms", "walk", "rotation", "shift")
BONDS = (
    "format", "version", "kind", "order", "lattice", "spacing", "path", "nodes", "labels", "periods", "period_labels",
    "winds", "burgers",
)  # fmt: skip
NODE = ("vectors", "labels", "frame")
NOT_PROVED = (
    "That the atoms in the file are those of anything outside it, and that it lists all of them.",
    "That a path of bonds goes round once, and that an atom's neighbours are also those of others.",
)

Vector = tuple[fmpq, ...]
Frame = tuple[Vector, ...]


def _signs(d: int, entries: Iterable[tuple[int, ...]]) -> frozenset[tuple[int, ...]]:
    made = {
        tuple(s * p for s, p in zip(signs, turned, strict=True))
        for entry in entries
        for turned in itertools.permutations(entry)
        for signs in itertools.product((1, -1), repeat=d)
    }
    return frozenset(made)


SHELLS: dict[str, tuple[int, frozenset[tuple[int, ...]]]] = {
    "triangular": (6, frozenset({(1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1)})),
    "square": (4, _signs(2, [(1, 0)])),
    "sc": (4, _signs(3, [(1, 0, 0)])),
    "bcc": (4, _signs(3, [(1, 1, 1), (2, 0, 0)])),
    "fcc": (4, _signs(3, [(1, 1, 0)])),
}
"""Lattice → the order of its rotations, and the labels that a bond may have."""


class Refused(Exception):
    """The document does not prove what it says; the message says which claim failed."""


@dataclass(frozen=True)
class Report:
    """Whether the claims hold, why or why not, what was proved, and what to read beside the word "valid".

    ``rotation`` in turns of the lattice; ``burgers`` integers, None where a rotation is enclosed or nothing is proved.
    For triangles they are in the axes of the first triangle of the walk.
    """

    valid: bool
    message: str
    rotation: int = 0
    burgers: tuple[int, ...] | None = None
    not_proved: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.valid


def check_circuit(document: str | bytes | Path) -> Report:
    """Return a :class:`Report` on a circuit, its JSON text or a path to it; never raises for a bad one.

    A loop of 60 bonds takes some hundredths of a second, the largest that is read some seconds. Raises
    ``FileNotFoundError`` for a path that leads to no file.

    >>> check_circuit('{"format": "workbench-circuit"}').valid
    False
    """
    content = content_of(document)
    try:
        plain = read(content)
        if type(plain) is not dict or plain.get("kind") not in ("triangles", "bonds"):
            raise Refused("the document is no circuit of triangles or bonds")
        rotation, burgers = (_triangles if plain["kind"] == "triangles" else _bonds)(plain)
    except Refused as error:
        return Report(False, str(error))
    except Exception as error:  # a checker that fails has proved nothing
        return Report(False, f"the document is malformed: {type(error).__name__}: {str(error)[:200]}")
    told = f"rotation {rotation}" if burgers is None else f"b = {burgers}, no rotation"
    open_ = NOT_PROVED[:1] if plain["kind"] == "triangles" else NOT_PROVED
    return Report(True, f"{told} is proved", rotation, burgers, open_)


# ---- triangles ------------------------------------------------------------------------------------------------------


def _triangles(plain: dict[str, Any]) -> tuple[int, tuple[int, ...] | None]:
    entries = _keyed(plain, TRIANGLES, "the document")
    _head(entries, 6)
    spacing = _positive(entries["spacing"])
    walk = _list(entries["walk"], "walk", 3, MOST_TRIANGLES)
    atoms = [_vector(one, 2, "atoms") for one in _list(entries["atoms"], "atoms", 3, 3 * MOST_TRIANGLES)]
    rows = [tuple(_integer(i, "walk", 0, len(atoms) - 1) for i in _list(row, "walk", 3, 3)) for row in walk]
    if rows[0] != rows[-1]:
        raise Refused("the walk does not end with the triangle that it begins with")
    if len({frozenset(row) for row in rows}) != len(rows) - 1:
        raise Refused("the walk meets a triangle twice")
    low, high = (spacing * fmpq(*limit.as_integer_ratio()) for limit in (SHORTEST, LONGEST))
    for k, row in enumerate(rows[:-1]):
        if len(set(row)) != 3:
            raise Refused(f"triangle {k} has a corner twice")
        a, b, c = (atoms[i] for i in row)
        if not _turn(a, b, c) > 0:
            raise Refused(f"triangle {k} is not counter-clockwise")
        for p, q in ((a, b), (b, c), (c, a)):
            length = _square(_minus(p, q))
            if not (length >= low * low and length <= high * high):
                raise Refused(f"a side of triangle {k} is not {SHORTEST:g} to {LONGEST:g} spacings long")
    _empty_circles(atoms, rows[:-1], spacing)
    _counter_clockwise([_middle([atoms[i] for i in row]) for row in rows[:-1]])
    rotation, shift = _unfold(rows)
    if rotation != _integer(entries["rotation"], "rotation", 0, 5):
        raise Refused(f"the walk turns by {rotation} sixths, not by {entries['rotation']}")
    claimed = tuple(_integer(one, "shift") for one in _list(entries["shift"], "shift", 2, 2))
    if shift != claimed:
        raise Refused(f"the walk shifts by {shift}, not by {claimed}")
    return rotation, (-shift[0], -shift[1]) if rotation == 0 else None


def _empty_circles(atoms: list[Vector], rows: list[tuple[int, ...]], spacing: fmpq) -> None:
    """Refuse a triangle with an atom of the file inside its circle; only atoms of the cells around can lie there."""
    reach = 2 * spacing * fmpq(*WIDEST.as_integer_ratio())
    cells: dict[tuple[int, int], list[int]] = {}
    for i, (x, y) in enumerate(atoms):
        cells.setdefault((int((x / reach).floor()), int((y / reach).floor())), []).append(i)
    for k, row in enumerate(rows):
        a, b, c = (atoms[i] for i in row)
        sides = [_square(_minus(p, q)) for p, q in ((a, b), (b, c), (c, a))]
        if not sides[0] * sides[1] * sides[2] <= reach * reach * _turn(a, b, c) ** 2:  # R = abc / (2 · turn)
            raise Refused(f"the circle of triangle {k} is wider than {WIDEST:g} spacings")
        column, line = int((a[0] / reach).floor()), int((a[1] / reach).floor())
        for cell in itertools.product((column - 1, column, column + 1), (line - 1, line, line + 1)):
            for i in cells.get(cell, ()):
                if i not in row and _in_circle(a, b, c, atoms[i]) > 0:
                    raise Refused(f"atom {i} lies inside the circle of triangle {k}, so its corners are no neighbours")


def _in_circle(a: Vector, b: Vector, c: Vector, p: Vector) -> fmpq:
    """Return what is positive if p lies inside the circle through a, b, c, which are counter-clockwise."""
    (ax, ay), (bx, by), (cx, cy) = _minus(a, p), _minus(b, p), _minus(c, p)
    return (
        (ax * ax + ay * ay) * (bx * cy - cx * by)
        - (bx * bx + by * by) * (ax * cy - cx * ay)
        + (cx * cx + cy * cy) * (ax * by - bx * ay)
    )


def _unfold(rows: list[tuple[int, ...]]) -> tuple[int, tuple[int, int]]:
    """Lay the triangles out one after the other, corners as a + bζ; return the turn and the shift of the last."""
    places = dict(zip(rows[0], ((0, 0), (1, 0), (0, 1)), strict=True))
    for k, (before, after) in enumerate(itertools.pairwise(rows)):
        new = [i for i in after if i not in before]
        if len(new) != 1:
            raise Refused(f"triangles {k} and {k + 1} do not share two corners")
        at = after.index(new[0])
        v, u = after[(at + 1) % 3], after[(at + 2) % 3]
        if before[(before.index(u) + 1) % 3] != v:
            raise Refused(f"triangles {k} and {k + 1} lie on one side of their edge")
        (a, b), (c, d) = places[v], places[u]
        places = {u: places[u], v: places[v], new[0]: (a - (d - b), b + (c - a) + (d - b))}
    (a, b), (c, d) = places[rows[0][0]], places[rows[0][1]]
    turns = [(1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1)]
    return turns.index((c - a, d - b)), (a, b)


# ---- labelled bonds -------------------------------------------------------------------------------------------------


def _bonds(plain: dict[str, Any]) -> tuple[int, tuple[int, ...] | None]:
    entries = _keyed(plain, BONDS, "the document")
    lattice = entries["lattice"]
    if type(lattice) is not str or lattice not in SHELLS:
        raise Refused("the document names no lattice that is known here")
    order, shell = SHELLS[lattice]
    d = len(next(iter(shell)))
    _head(entries, order)
    spacing = _positive(entries["spacing"])
    labels = [_label(one, shell, "labels") for one in _list(entries["labels"], "labels", 3, MOST_NODES)]
    count = len(labels)
    path = [_vector(one, d, "path") for one in _list(entries["path"], "path", count + 1, count + 1)]
    frames = [_node(one, d, shell, spacing, k) for k, one in enumerate(_list(entries["nodes"], "nodes", count, count))]
    limit = (spacing * fmpq(*MISFIT.as_integer_ratio())) ** 2
    for k, label in enumerate(labels):
        here, there = frames[k], frames[(k + 1) % count]
        step = _minus(path[k + 1], path[k])
        _named(step, label, here, shell, limit, f"step {k}")
        _named(step, label, there, shell, limit, f"step {k} seen from its end")
        for one in shell:
            if not _square(_minus(_image(here, one), _image(there, one))) <= limit:
                raise Refused(f"the frame turns too much between atoms {k} and {k + 1}")
    total = [-sum(label[i] for label in labels) for i in range(d)]
    periods = [_vector(one, d, "periods") for one in _list(entries["periods"], "periods", 0, d)]
    p = len(periods)
    named = [
        tuple(_integer(i, "period_labels") for i in _list(one, "period_labels", d, d))
        for one in _list(entries["period_labels"], "period_labels", p, p)
    ]
    winds = [_integer(one, "winds") for one in _list(entries["winds"], "winds", p, p)]
    left = _minus(path[-1], path[0])
    for period, label, times in zip(periods, named, winds, strict=True):
        if not _square(_minus(period, _image(frames[0], label))) <= limit:
            raise Refused("a period is not the lattice vector that is claimed")
        left = tuple(a - times * b for a, b in zip(left, period, strict=True))
        total = [a + times * b for a, b in zip(total, label, strict=True)]
    if not _square(left) <= (CLOSED * spacing) ** 2:
        raise Refused("the path does not close but for the periods that are claimed")
    _counter_clockwise([one[:2] for one in path[:-1]])
    claimed = tuple(_integer(one, "burgers") for one in _list(entries["burgers"], "burgers", d, d))
    if tuple(total) != claimed:
        raise Refused(f"the labels sum to b = {tuple(total)}, not to {claimed}")
    return 0, claimed


def _node(plain: Any, d: int, shell: frozenset[tuple[int, ...]], spacing: fmpq, k: int) -> Frame:
    """Return the frame of an atom, columns the images of unit labels, if its neighbours are where it puts them."""
    entries = _keyed(plain, NODE, f"atom {k}")
    rows = [_vector(one, d, "frame") for one in _list(entries["frame"], "frame", d, d)]
    labels = [_label(one, shell, "labels") for one in _list(entries["labels"], "labels", d, MOST_NEIGHBOURS)]
    vectors = _list(entries["vectors"], "vectors", len(labels), len(labels))
    limit = (spacing * fmpq(*MISFIT.as_integer_ratio())) ** 2
    if len(set(labels)) != len(labels):
        raise Refused(f"two neighbours of atom {k} have one label")
    for vector, label in zip(vectors, labels, strict=True):
        _named(_vector(vector, d, "vectors"), label, tuple(rows), shell, limit, f"a neighbour of atom {k}")
    if not any(_determinant(pick) for pick in itertools.combinations(labels, d)):
        raise Refused(f"the neighbours of atom {k} do not fix its frame")
    return tuple(rows)


def _named(
    vector: Vector, label: tuple[int, ...], frame: Frame, shell: frozenset[tuple[int, ...]], limit: fmpq, what: str
) -> None:
    off = _square(_minus(vector, _image(frame, label)))
    if not off <= limit:
        raise Refused(f"{what} is not within {MISFIT:g} spacings of its label {label}")
    if not all(_square(_minus(vector, _image(frame, other))) > off for other in shell if other != label):
        raise Refused(f"{what} is nearer to another label than to {label}")


def _image(frame: Frame, label: tuple[int, ...]) -> Vector:
    return tuple(sum((c * n for c, n in zip(row, label, strict=True)), fmpq(0)) for row in frame)


def _determinant(rows: tuple[tuple[int, ...], ...]) -> int:
    if len(rows) == 2:
        return rows[0][0] * rows[1][1] - rows[0][1] * rows[1][0]
    a, b, c = rows
    cross = (b[1] * c[2] - b[2] * c[1], b[2] * c[0] - b[0] * c[2], b[0] * c[1] - b[1] * c[0])
    return sum(x * y for x, y in zip(a, cross, strict=True))


def _minus(a: Vector, b: Vector) -> Vector:
    return tuple(x - y for x, y in zip(a, b, strict=True))


def _square(a: Vector) -> fmpq:
    return sum((x * x for x in a), fmpq(0))


def _middle(points: list[Vector]) -> Vector:
    return tuple(sum(column, fmpq(0)) / len(points) for column in zip(*points, strict=True))


def _turn(a: Vector, b: Vector, c: Vector) -> fmpq:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _counter_clockwise(points: list[Vector]) -> None:
    area = sum((a[0] * b[1] - a[1] * b[0] for a, b in zip(points, [*points[1:], points[0]], strict=True)), fmpq(0))
    if not area > 0:
        raise Refused("the loop does not go counter-clockwise")


# ---- the closed grammar ---------------------------------------------------------------------------------------------


def _head(entries: dict[str, Any], order: int) -> None:
    version = entries["version"]
    if entries["format"] != FORMAT or type(version) is not int or version != VERSION:
        raise Refused(f"this checker reads version {VERSION} of {FORMAT} and no other")
    if _integer(entries["order"], "order", 1, 6) != order:
        raise Refused(f"the order of the lattice's rotations is {order}")


def _keyed(plain: Any, keys: tuple[str, ...], where: str) -> dict[str, Any]:
    if type(plain) is not dict or set(plain) != set(keys):
        told = sorted(map(str, set(plain) ^ set(keys)))[:5] if type(plain) is dict else type(plain).__name__
        raise Refused(f"{where} has not exactly the entries of its grammar: {str(told)[:200]}")
    return plain


def _list(value: Any, where: str, least: int, most: int) -> list[Any]:
    if type(value) is not list or not least <= len(value) <= most:
        raise Refused(f"{where} must be a list of {least} to {most} entries")
    return value


def _integer(value: Any, where: str, least: int = -LARGEST_INTEGER, most: int = LARGEST_INTEGER) -> int:
    if type(value) is not int or not least <= value <= most:
        raise Refused(f"{where} holds what is no whole number from {least} to {most}")
    return value


def _label(value: Any, shell: frozenset[tuple[int, ...]], where: str) -> tuple[int, ...]:
    found = tuple(_integer(one, where) for one in _list(value, where, 2, 3))
    if found not in shell:
        raise Refused(f"{where} holds {found}, which leads to no neighbour in this lattice")
    return found


def _vector(value: Any, d: int, where: str) -> Vector:
    return tuple(_number(one, where) for one in _list(value, where, d, d))


def _positive(value: Any) -> fmpq:
    found = _number(value, "spacing")
    if not found > 0:
        raise Refused("spacing is not positive")
    return found


def _number(value: Any, where: str) -> fmpq:
    """Return a double, or an integer that one holds, as the rational that it is."""
    if type(value) is int and abs(value) < 2**53:
        value = float(value)
    if type(value) is not float or not (value == 0 or SMALLEST <= abs(value) <= LARGEST):
        raise Refused(f"{where} holds what is no number that is 0 or of size {SMALLEST:g} to {LARGEST:g}")
    return fmpq(*value.as_integer_ratio())


# ---- strict JSON ----------------------------------------------------------------------------------------------------


def content_of(document: str | bytes | Path) -> bytes:
    """Return the text of a document; a path is read up to one byte more than is allowed."""
    if isinstance(document, bytes):
        return document
    if isinstance(document, str) and document.lstrip()[:1] == "{":
        return document.encode()
    with Path(document).open("rb") as file:
        return file.read(LARGEST_TEXT + 1)


def read(content: bytes) -> Any:
    """Return strict JSON: no doubled names, no NaN, no endless numbers, no depth, of bounded size."""
    if len(content) > LARGEST_TEXT:
        raise Refused(f"the document is larger than {LARGEST_TEXT // 2**20} MiB")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(f"the document is no UTF-8 text: {error.reason} at byte {error.start}") from error
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_int=_short(int), parse_float=_short(float), parse_constant=_constant
        )
    except (json.JSONDecodeError, RecursionError) as error:
        raise Refused(f"the document is no JSON: {str(error)[:200]}") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Refused("an object names an entry twice")
    return made


def _short(kind: Any) -> Any:
    def read_number(text: str) -> Any:
        if len(text) > LONGEST_NUMBER:
            raise Refused("a number has too many digits")
        return kind(text)

    return read_number


def _constant(text: str) -> Any:
    raise Refused(f"{text} is no number")
