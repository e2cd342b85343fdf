"""Wavefront OBJ files, read statement by statement as the format says, and the large ones in compiled code.

trimesh loses faces after a tab, cuts concave polygons outside themselves and takes 30 times the size of the file as
memory. Here a large file is scanned (:mod:`~workbench.clouds.scanning`); where it has a line that is not plain, or is
small, its statements are read one by one, with the same result and with words for whatever is wrong.
"""

import codecs
import dataclasses
import re
from array import array
from collections.abc import Iterator

from numpy.typing import NDArray

from workbench import checks
from workbench.clouds.decoding import LONGEST_LINE, TextFile, open_text
from workbench.clouds.meshes import (
    LARGEST_INDEX,
    Indices,
    Mesh,
    Refused,
    check_finite,
    check_indices,
    make_mesh,
    not_numbers,
    read_numbers,
)
from workbench.clouds.scanning import ScannedMesh, scan_obj

LARGE = 2**18  # bytes from which compiled code is worth its start
VERTEX_WORDS = (3, 4, 6, 7, 8)
MAYBE_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.ASCII | re.I)
WITHOUT_SHAPE = re.compile(
    "vt|vn|vp|p|l|g|o|s|mg|usemtl|mtllib|usemap|maplib|lod|bevel|c_interp|d_interp|shadow_obj|trace_obj|cstype|deg|"
    "bmat|step|parm|trim|hole|scrv|sp|end|con|ctech|stech"
)
"""Statements that add no polygon to a mesh."""


def read_obj(data: bytes, name: str) -> Mesh:
    """Read a Wavefront OBJ file: vertices, and faces with any number of corners; textures and normals are left out.

    Negative indices count back from the last vertex above their line; a backslash continues a line. Curves, surfaces
    and included files are refused, since what they describe would be missing.

    >>> mesh = read_obj(b"v 0 0 0\\nv 1 0 0\\nv 1 1 0\\nv 0 1 0\\nf\\t1/1 2/2 -2 -1", "square.obj")
    >>> mesh.triangles.tolist(), mesh.sentence
    ([[0, 1, 2], [0, 2, 3]], '4 vertices, 1 face (1 of more than three corners), 2 triangles')
    """
    text = open_text(data, name)
    checks.memory(12 * len(data), name)
    is_large = len(data) >= LARGE and not text.encoding.startswith("utf-16") and text.encoding != "utf-32"
    mesh = _scanned(text) if is_large else None
    return _by_statement(text) if mesh is None else mesh


def _by_statement(text: TextFile) -> Mesh:
    """Read an OBJ file line by line in Python, whatever its lines look like."""
    name = text.name
    corners, counts, face_lines = array("i"), array("i"), array("i")
    unknown: set[str] = set()

    def vertices() -> Iterator[tuple[int, str]]:
        above = 0
        for line, keyword, rest in _statements(text):
            if keyword == "v":
                above += 1
                yield line, rest
            elif keyword in ("f", "fo"):
                counts.append(_read_face(rest, above, corners, line, name))
                face_lines.append(line)
            else:
                _note_keyword(keyword, line, name, unknown)

    points = read_numbers(vertices(), name, "a vertex", wanted=VERTEX_WORDS)
    return _mesh(name, points, corners, counts, face_lines, unknown)


def _scanned(text: TextFile) -> Mesh | None:
    """Read a large OBJ file in compiled code; None for one that needs to be read by statement.

    The words for a line that is refused are those of that other reader.
    """
    data, name = text.data, text.name
    found = scan_obj(data, len(codecs.BOM_UTF8) if text.encoding == "utf-8-sig" else 0)
    unknown: set[str] = set()
    try:
        for keyword, line in found.keywords:
            _note_keyword(keyword.decode("ascii").lower(), line, name, unknown)
        if found.stopped:
            ends = [end for end in (data.find(b"\n", found.stop), data.find(b"\r", found.stop)) if end >= 0]
            _explain(data[found.stop : min(ends, default=len(data))].decode(text.encoding), found, name)
            return None
    except Refused as error:
        raise ValueError(str(error)) from None
    check_finite(found.points, lambda row: f"vertex {row + 1} of {name}")
    return _mesh(name, found.points, found.corners, found.counts, found.lines, unknown)


def _explain(content: str, found: ScannedMesh, name: str) -> None:
    """Raise the words for the line at which a scan stopped, if it is a wrong one and not just an unusual one."""
    words = content.partition("#")[0].split(None, 1)
    keyword, rest = words[0].lower(), words[1] if len(words) == 2 else ""
    if content.rstrip().endswith("\\"):
        return
    if keyword in ("f", "fo"):
        _read_face(rest, found.above, array("i"), found.stopped, name)
    elif keyword == "v":
        numbers = rest.split()
        if len(numbers) not in VERTEX_WORDS or not all(re.fullmatch(MAYBE_NUMBER, one) for one in numbers[:3]):
            raise Refused(not_numbers(found.stopped, name, "a vertex", rest))


def _note_keyword(keyword: str, line: int, name: str, unknown: set[str]) -> None:
    """Pass over a statement that adds no polygon, noting one that is not known; refuse one that would add a shape."""
    if keyword in ("curv", "curv2", "surf", "call"):
        raise Refused(
            f"line {line} of {name} is {keyword!r}: free-form curves and surfaces and included files are not read; "
            "export the shape as a mesh of polygons"
        )
    if not WITHOUT_SHAPE.fullmatch(keyword):
        if re.match(r"[vf]?[-+.\d]", keyword):
            raise Refused(f"line {line} of {name} begins with {keyword[:20]!r}, which is no OBJ statement")
        unknown.add(keyword[:20])


def _mesh(
    name: str, points: NDArray, corners: Indices, counts: Indices, face_lines: Indices, unknown: set[str]
) -> Mesh:
    if len(points) == 0:
        raise ValueError(f"{name} is not an OBJ file: it has no line that starts with 'v '")
    check_indices(corners, counts, len(points), lambda face: f"line {face_lines[face]} of {name}", base=1)
    mesh = make_mesh(points, corners, counts, f"{name}: face")
    others = f"; statements not known and left out: {', '.join(sorted(unknown)[:5])}" if unknown else ""
    return dataclasses.replace(mesh, sentence=mesh.sentence + others)


def _statements(text: TextFile) -> Iterator[tuple[int, str, str]]:
    """Yield (line, keyword, rest) of an OBJ file, comments dropped and continued lines joined."""
    pending, first = "", 0
    for number, line in text.lines():
        if "#" in line:
            line = line.partition("#")[0]
        if pending or ("\\" in line and line.rstrip().endswith("\\")):
            first = first or number
            pending += line.rstrip().removesuffix("\\") + " "
            if len(pending) > LONGEST_LINE:
                raise Refused(f"line {first} of {text.name} goes on for more than 1 MiB")
            if line.rstrip().endswith("\\"):
                continue
            line, pending, number, first = pending, "", first, 0
        words = line.split(None, 1)
        if words:
            yield number, words[0].lower(), words[1] if len(words) == 2 else ""
    if pending.strip():
        raise Refused(f"line {first} of {text.name} ends with a backslash, and no line follows")


def _read_face(rest: str, above: int, corners: array, line: int, name: str) -> int:
    """Append the vertex indices of a face, from 1, and return how many they are."""
    words = rest.split()
    try:
        indices = [int(word.partition("/")[0]) for word in words] if "/" in rest else list(map(int, words))
    except ValueError:
        indices = []
    where = f"line {line} of {name}"
    if len(indices) < 3 or "_" in rest or not rest.isascii():
        raise Refused(f"{where} is not a face of three or more vertex numbers: {rest.strip()[:60]!r}")
    if min(indices) < 1:
        if 0 in indices:
            raise Refused(f"{where} has the vertex number 0; OBJ counts from 1")
        indices = [index if index > 0 else above + 1 + index for index in indices]
        if min(indices) < 1:
            raise Refused(f"{where} counts back beyond the first vertex: {rest.strip()[:60]!r}")
    if max(indices) > LARGEST_INDEX:
        raise Refused(f"{where} has the vertex number {max(indices)}, larger than any mesh")
    corners.extend(indices)
    return len(indices)
