"""Meshes as text or triangles: OFF and STL, read statement by statement as their formats say, and what readers share.

trimesh reads these too, but knows a valid STL only by its usual spelling. Numbers are converted by ``numpy.loadtxt``;
what is written here is which statement holds them. OBJ and PLY have files of their own.

Every reader takes ``data`` and ``name`` and returns a :class:`Mesh`, or raises ``ValueError`` with the line and the
true reason.
"""

import itertools
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench import checks
from workbench.clouds.decoding import TextFile, open_text
from workbench.clouds.polygons import triangulate

LARGEST_INDEX = 2**31 - 1
Indices = array | NDArray[np.int32]


@dataclass(frozen=True)
class Mesh:
    """Vertices (v, 3), triangles (t, 3) as indices or None for a cloud of points, and how they were read."""

    vertices: NDArray[np.float64]
    triangles: NDArray[np.integer] | None
    sentence: str


def read_off(data: bytes, name: str) -> Mesh:
    """Read an Object File Format (OFF) file in text: a keyword, the numbers of elements, vertices, faces.

    Normals, colours and texture coordinates (NOFF, COFF, STOFF) are left out; the number of elements may stand on the
    line of the keyword. Vertices of another dimension (nOFF, 4OFF) and binary files are refused.

    >>> read_off(b"OFF 3 1 0\\n0 0 0\\n1 0 0\\n0 1 0\\n3 0 1 2\\n", "a.off").sentence
    '3 vertices, 1 face, 1 triangle'
    """
    text = open_text(data, name)
    checks.memory(12 * len(data), name)
    lines = ((number, line) for number, raw in text.lines() if (line := raw.split("#", 1)[0].strip()))
    _, first = next(lines, (1, ""))
    keyword = re.match(r"((?:ST)?C?N?)(4?)(n?)OFF\b|((?:ST)?C?N?)OFF(?=\d)", first)
    if not keyword:
        raise ValueError(f"{name} is not an OFF file: it does not start with OFF")
    if keyword[2] or keyword[3] or "BINARY" in first:
        raise ValueError(f"{name} is {first[:20]!r}; only three-dimensional OFF files in text are read")
    sizes = first[keyword.end() :].split() or next(lines, (2, ""))[1].split()
    if len(sizes) not in (2, 3) or not all(size.isascii() and size.isdigit() for size in sizes):
        raise ValueError(f"{name} must give the numbers of its vertices and faces after OFF, not {sizes[:4]}")
    n_vertices, n_faces = int(sizes[0]), int(sizes[1])
    vertices = first_lines(lines, n_vertices, f"{name}, vertex")
    points = read_numbers(vertices, name, "a vertex", wanted=range(3, 14))
    corners, counts = array("i"), array("i")
    face_lines = array("i")
    try:
        for number, line in first_lines(lines, n_faces, f"{name}, face"):
            counts.append(read_counted(line.split(), corners, f"line {number} of {name}", more=True))
            face_lines.append(number)
    except Refused as error:
        raise ValueError(str(error)) from None
    if len(points) == 0:
        raise ValueError(f"{name} holds no points")
    check_indices(corners, counts, len(points), lambda face: f"line {face_lines[face]} of {name}")
    return make_mesh(points, corners, counts, f"{name}: face")


def read_counted(words: list[str], corners: array, where: str, *, more: bool = False) -> int:
    """Append the indices of "3 0 1 2", a count and as many indices, and return the count; ``more`` may follow."""
    try:
        count = int(words[0]) if words else -1
        indices = list(map(int, words[1 : 1 + count])) if 0 <= count < len(words) else []
    except ValueError:
        count, indices = -1, []
    if count < 3 or len(indices) != count or (len(words) > 1 + count and not more):
        raise Refused(f"{where} is not a face, a number of corners (3 or more) and their indices: {words[:8]}")
    if min(indices) < 0 or max(indices) > LARGEST_INDEX:
        raise Refused(f"{where} has an index outside the mesh: {words[:8]}")
    corners.extend(indices)
    return count


def first_lines(lines: Iterator[tuple[int, str]], count: int, what: str) -> Iterator[tuple[int, str]]:
    """Yield the next ``count`` lines with their numbers; refuse a file that ends before, or what holds no numbers."""
    for index in range(count):
        line = next(lines, None)
        if line is None:
            raise Refused(f"{what} {index + 1} of {count} is missing: the file is cut off")
        if "_" in line[1] or not line[1].isascii():  # int("1_0") is 10 to Python and no number to anybody else
            raise Refused(f"line {line[0]}, {what} {index + 1}, is not a row of numbers: {line[1].strip()[:60]!r}")
        yield line


def read_stl(data: bytes, name: str) -> Mesh:
    """Read an STL file. It is binary if its size is that of the triangles that bytes 80 to 84 count, whatever it
    begins with; otherwise text that begins with "solid", in capitals or not, of one solid or several.

    >>> facet = "FACET NORMAL 0 0 1\\nOUTER LOOP\\nVERTEX 0 0 0\\nVERTEX 1 0 0\\nVERTEX 0 1 0\\nENDLOOP\\nENDFACET\\n"
    >>> read_stl(("SOLID a\\n" + facet + "ENDSOLID a\\n").encode(), "a.stl").sentence
    '1 triangle, STL in text'
    """
    promised = int.from_bytes(data[80:84], "little") if len(data) >= 84 else -1
    checks.memory(8 * len(data), name)
    if len(data) == 84 + 50 * promised:
        record = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
        corners = np.frombuffer(data, record, offset=84)["corners"].reshape(-1, 3).astype(np.float64)
        kind = "binary STL"
    elif _begins_solid(data) and (b"\0" not in data or data[:2] in (b"\xff\xfe", b"\xfe\xff")):
        corners = read_numbers(_stl_vertices(open_text(data, name)), name, "a vertex", wanted=(3,))
        kind = "STL in text"
    elif len(data) < 84:
        raise ValueError(f"{name} is not a whole STL file: it has {len(data)} bytes and does not begin with 'solid'")
    else:
        raise ValueError(
            f"{name} is not a whole STL file: it counts {promised} triangles, which take {84 + 50 * promised} bytes, "
            f"and has {len(data)}"
        )
    if len(corners) == 0:
        raise ValueError(f"{name} holds no triangles")
    check_finite(corners, lambda row: f"triangle {row // 3 + 1} of {name}")
    return Mesh(corners, np.arange(len(corners)).reshape(-1, 3), f"{_count(len(corners) // 3, 'triangle')}, {kind}")


def _begins_solid(data: bytes) -> bool:
    head = data[:1024].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe").lstrip()
    return head[:5].lower() == b"solid"


STL_NEXT = {
    "solid": ("facet", "endsolid"),
    "facet": ("outer",),
    "outer": ("vertex",),
    "vertex": ("vertex", "endloop"),
    "endloop": ("endfacet",),
    "endfacet": ("facet", "endsolid"),
    "endsolid": ("solid",),
}


def _stl_vertices(text: TextFile) -> Iterator[tuple[int, str]]:
    """Yield (line, coordinates) of the corners; the grammar is checked line by line, a name may be anything."""
    last, corners = "endsolid", 0
    for number, line in text.lines():
        words = line.split(None, 1)
        if not words:
            continue
        keyword, rest = words[0].lower(), words[1] if len(words) == 2 else ""
        if keyword not in STL_NEXT[last]:
            wanted = " or ".join(repr(word) for word in STL_NEXT[last])
            raise Refused(f"line {number} of {text.name} must be {wanted}, not {line.strip()[:60]!r}")
        if keyword == "vertex":
            corners += 1
            yield number, rest
        elif keyword == "endloop":
            if corners != 3:
                raise Refused(f"line {number} of {text.name} ends a facet of {corners} corners; STL has triangles")
            corners = 0
        last = keyword
    if last != "endsolid":
        raise Refused(f"{text.name} is cut off: it ends after {last!r}, without 'endsolid'")


# ---- shared ---------------------------------------------------------------------------------------------------------


class Refused(Exception):
    """A statement that must not be read; not a ``ValueError``, so that it passes through ``loadtxt`` as it is."""


def read_numbers(
    lines: Iterable[tuple[int, str]],
    name: str,
    what: str,
    wanted: Iterable[int],
    columns: Sequence[int] = (0, 1, 2),
) -> NDArray[np.float64]:
    """Return some ``columns`` of every line, (rows, columns); lines may have any of the ``wanted`` numbers of words.

    ``lines`` yields (number, line) and is run through to its end, also where it yields nothing.
    """
    allowed = set(wanted)
    where, content = 0, ""

    def rows() -> Iterator[str]:
        nonlocal where, content
        for where, content in lines:
            words = content.split()
            if len(words) not in allowed:
                raise Refused(not_numbers(where, name, what, content))
            if "d" in content or "D" in content:
                words = [word.replace("D", "e").replace("d", "e") for word in words]
            yield " ".join([words[column] for column in columns])

    try:
        stream = rows()
        first = next(stream, None)
        if first is None:
            return np.empty((0, len(columns)))
        points = np.loadtxt(itertools.chain([first], stream), dtype=np.float64, comments=None, ndmin=2)
    except Refused as error:
        raise ValueError(str(error)) from None
    except ValueError:
        raise ValueError(not_numbers(where, name, what, content)) from None
    check_finite(points, lambda row: f"vertex {row + 1} of {name}")
    return points


def not_numbers(line: int, name: str, what: str, content: str) -> str:
    """Say that a line does not hold the three numbers of ``what``."""
    return f"line {line} of {name} is not {what} of three numbers: {content.strip()[:60]!r}"


def check_finite(points: NDArray[np.float64], where: Callable[[int], str]) -> None:
    """Raise ``ValueError`` that names the first row with a number that is NaN or infinite."""
    if len(points) == 0:
        return
    good = np.isfinite(points).all(axis=1)
    if not good.all():
        row = int(np.argmin(good))
        raise ValueError(f"{where(row)} is {points[row].tolist()}, NaN or infinite; remove it first")


def check_indices(
    corners: Indices, counts: Indices, n_vertices: int, where: Callable[[int], str], *, base: int = 0
) -> None:
    """Raise if a corner names a vertex that the whole file does not have."""
    if len(counts) == 0:
        return
    indices = np.frombuffer(corners, np.int32)
    if indices.max() - base >= n_vertices:
        place = int(np.argmax(indices - base >= n_vertices))
        face = int(np.searchsorted(np.cumsum(counts), place, side="right"))
        raise ValueError(f"{where(face)} names vertex {indices[place]}, and the file has {n_vertices} vertices")
    indices -= base


def make_mesh(points: NDArray[np.float64], corners: Indices, counts: Indices, what: str) -> Mesh:
    """Return the mesh of points and polygons: ``corners`` holds their indices, ``counts`` how many each of them has."""
    if len(counts) == 0:
        return Mesh(points, None, f"{_count(len(points), 'point')}, no faces")
    sizes = np.frombuffer(counts, np.int32)
    triangles = triangulate(points, np.frombuffer(corners, np.int32), sizes, what)
    return Mesh(points, triangles, describe(len(points), sizes, len(triangles)))


def describe(n_vertices: int, sizes: NDArray[np.integer], n_triangles: int) -> str:
    """Say what a mesh consists of."""
    many = int((sizes > 3).sum())
    polygons = f" ({many:,} of more than three corners)" if many else ""
    faces = f"{_count(len(sizes), 'face')}{polygons}"
    return f"{_count(n_vertices, 'vertex', 'vertices')}, {faces}, {_count(n_triangles, 'triangle')}"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
