"""PLY files as their format says: text or binary of either byte order, elements and properties of any kind and order.

trimesh takes lists of mixed lengths for damage in binary files and 50 times the file as memory in text; plyfile reads
them record by record in Python, objects and all. Here records without lists are one NumPy view of the bytes, and
records with lists are walked in compiled code, twice: once to see that they lie in the file, and once to take them, so
no memory is taken for what is only promised.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workbench import checks
from workbench.clouds.decoding import open_text
from workbench.clouds.meshes import (
    LARGEST_INDEX,
    Mesh,
    Refused,
    check_finite,
    check_indices,
    first_lines,
    make_mesh,
    read_counted,
    read_numbers,
)

TYPES = {
    **{"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4"},
    **{"int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4"},
    **{"int64": "i8", "uint64": "u8", "float": "f4", "double": "f8", "float32": "f4", "float64": "f8"},
}
ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
FACE_LISTS = ("vertex_indices", "vertex_index")
LONGEST_HEADER = 2**18
MOST_PROPERTIES = 1000


@dataclass(frozen=True)
class _Property:
    name: str
    kind: str
    counted_by: str = ""
    """The type of the length of a list; empty for a single value."""


@dataclass
class _Element:
    name: str
    count: int
    properties: list[_Property] = field(default_factory=list)

    @property
    def has_lists(self) -> bool:
        return any(one.counted_by for one in self.properties)

    @property
    def smallest_record(self) -> int:
        """The least number of bytes that a record takes in a binary file."""
        return sum(np.dtype(one.counted_by or one.kind).itemsize for one in self.properties)

    def place(self, *names: str) -> int:
        """Return the place of the first property with one of these names, or -1."""
        found = [index for index, one in enumerate(self.properties) if one.name.lower() in names]
        return found[0] if found else -1


def read_ply(data: bytes, name: str) -> Mesh:
    """Read the vertices, faces and triangle strips of a PLY file; other elements and properties are left out.

    Errors name the element's record. Cost: a second and about six times the file's size for 50 MB.

    >>> text = (b"ply\\nformat ascii 1.0\\nelement vertex 3\\nproperty float x\\nproperty float y\\nproperty float z\\n"
    ...         b"element face 1\\nproperty list uchar int vertex_indices\\nend_header\\n"
    ...         b"0 0 0\\n1 0 0\\n0 1 0\\n3 0 1 2\\n")
    >>> read_ply(text, "a.ply").sentence
    '3 vertices, 1 face, 1 triangle; PLY in text'
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", errors="replace").encode()
    data = data.removeprefix(b"\xef\xbb\xbf")
    order, elements, end, header_lines = _read_header(data, name)
    by_name = {element.name: element for element in elements}
    if len(by_name) < len(elements):
        raise ValueError(f"{name} declares an element twice in its header")
    vertex = by_name.get("vertex")
    axes = [vertex.place(axis) for axis in "xyz"] if vertex else []
    if vertex is None or min(axes) < 0 or any(vertex.properties[axis].counted_by for axis in axes):
        raise ValueError(f"{name} is no PLY file of points: it has no element 'vertex' with the properties x, y and z")
    if vertex.count == 0:
        raise ValueError(f"{name} holds no points")
    checks.memory(10 * len(data), name)
    reader = _InText(data, name, header_lines) if not order else _InBytes(data, name, order, end)
    points = np.empty((0, 3))
    corners, counts, strips = array("i"), array("i"), array("i")
    try:
        for element in elements:
            place = element.place(*FACE_LISTS)
            has_list = place >= 0 and bool(element.properties[place].counted_by)
            if element is vertex:
                points = reader.scalars(element, axes)
            elif element.name == "face" and element.count:
                if not has_list:
                    raise ValueError(f"the faces of {name} have no list 'vertex_indices'")
                reader.lists(element, place, 3, corners, counts)
            elif element.name == "tristrips" and has_list:
                lengths = array("i")
                reader.lists(element, place, 0, strips, lengths)
                strips = _with_stops(strips, lengths)
            else:
                reader.skip(element)
    except Refused as error:
        raise ValueError(str(error)) from None
    _add_strips(strips, corners, counts)
    check_indices(corners, counts, len(points), lambda face: f"face {face + 1} of {name}")
    mesh = make_mesh(points, corners, counts, f"{name}: face")
    kind = {"": "PLY in text", "<": "binary PLY", ">": "binary PLY, big-endian"}[order]
    return Mesh(mesh.vertices, mesh.triangles, f"{mesh.sentence}; {kind}")


def _read_header(data: bytes, name: str) -> tuple[str, list[_Element], int, int]:
    """Return the byte order ("" for text), the elements, where the body begins, and the number of header lines."""
    head = data[:LONGEST_HEADER]
    newline = next((end for end in (b"\r\n", b"\n", b"\r") if head.startswith(b"ply" + end)), None)
    if newline is None:
        raise ValueError(f"{name} is not a PLY file: its first line must be 'ply'")
    order: str | None = None
    elements: list[_Element] = []
    start, number = 0, 0
    while True:
        stop = head.find(newline, start)
        if stop < 0 and head[start:].strip() == b"end_header":
            stop = len(head)  # a file without a body: its elements are found to be missing
        if stop < 0:
            raise ValueError(f"{name} is not a PLY file: its header has no line 'end_header' within 256 KiB")
        line = head[start:stop].decode("latin-1")
        start, number = stop + len(newline), number + 1
        words = line.split()
        where = f"line {number} of the header of {name}"
        if words == ["end_header"]:
            break
        if number == 1 or words[:1] in ([], ["comment"], ["obj_info"]):
            continue
        if words[0] == "format" and len(words) == 3 and words[1] in ORDERS:
            order = ORDERS[words[1]]
        elif words[0] == "element" and len(words) == 3 and words[2].isascii() and words[2].isdigit():
            elements.append(_Element(words[1], int(words[2])))
            if elements[-1].count > len(data):
                raise ValueError(f"{where} promises more than the file holds: {line.strip()[:60]!r}; it is cut off")
        elif words[0] == "property" and elements:
            elements[-1].properties.append(_read_property(words, where))
            if len(elements[-1].properties) > MOST_PROPERTIES:
                raise ValueError(f"{where}: more than {MOST_PROPERTIES} properties of one element are not read")
        else:
            raise ValueError(f"{where} is not a statement of PLY: {line.strip()[:60]!r}")
    if order is None:
        raise ValueError(f"{name} is not a PLY file: its header has no line 'format'")
    return order, elements, start, number


def _read_property(words: list[str], where: str) -> _Property:
    if len(words) == 5 and words[1] == "list" and words[2] in TYPES and words[3] in TYPES:
        if TYPES[words[2]][0] == "f":
            raise ValueError(f"{where} counts a list in {words[2]}; a length is a whole number")
        return _Property(words[4], TYPES[words[3]], TYPES[words[2]])
    if len(words) == 3 and words[1] in TYPES:
        return _Property(words[2], TYPES[words[1]])
    raise ValueError(f"{where} declares a property in no type of PLY: {' '.join(words)[:60]!r}")


# ---- text: an element a line ----------------------------------------------------------------------------------------


class _InText:
    def __init__(self, data: bytes, name: str, header_lines: int) -> None:
        self.name = name
        lines = open_text(data, name).lines()
        self.lines = ((number, line) for number, line in lines if number > header_lines and line.strip())

    def _records(self, element: _Element) -> Iterator[tuple[int, str]]:
        return first_lines(self.lines, element.count if element.properties else 0, f"{self.name}, {element.name}")

    def scalars(self, element: _Element, places: list[int]) -> NDArray[np.float64]:
        if not element.has_lists:
            wanted = (len(element.properties),)
            what = f"a {element.name} of {wanted[0]} numbers"
            return read_numbers(self._records(element), self.name, what, wanted, places)

        def picked() -> Iterator[tuple[int, str]]:
            for number, line in self._records(element):
                words = line.split()
                starts = self._starts(element, words, number)
                yield number, " ".join([words[starts[place]] for place in places])

        return read_numbers(picked(), self.name, f"a {element.name}", (3,))

    def lists(self, element: _Element, place: int, least: int, corners: array, counts: array) -> None:
        is_alone = len(element.properties) == 1 and least == 3
        for number, line in self._records(element):
            words = line.split()
            if not is_alone:
                starts = self._starts(element, words, number)
                words = words[starts[place] : starts[place + 1]]
            where = f"line {number} of {self.name}"
            counts.append(read_counted(words, corners, where) if least else _read_strip(words, corners, where))

    def skip(self, element: _Element) -> None:
        for _ in self._records(element):
            pass

    def _starts(self, element: _Element, words: list[str], number: int) -> list[int]:
        """Return where each property begins among the words of a record, and where the last one ends."""
        starts = [0]
        for one in element.properties:
            length = 1
            if one.counted_by:
                word = words[starts[-1]] if starts[-1] < len(words) else ""
                length = 1 + int(word) if word.isascii() and word.isdigit() and len(word) < 10 else len(words) + 1
            starts.append(starts[-1] + length)
        if starts[-1] != len(words):
            raise Refused(f"line {number} of {self.name} is not a {element.name} as the header says: {words[:8]}")
        return starts


def _read_strip(words: list[str], corners: array, where: str) -> int:
    try:
        indices = list(map(int, words[1:]))
    except ValueError:
        raise Refused(f"{where} is not a strip of triangles: {words[:8]}") from None
    if indices and (min(indices) < -1 or max(indices) > LARGEST_INDEX):
        raise Refused(f"{where} has an index outside the mesh")
    corners.extend(indices)
    return len(indices)


# ---- bytes ----------------------------------------------------------------------------------------------------------


class _InBytes:
    def __init__(self, data: bytes, name: str, order: str, start: int) -> None:
        self.data, self.name, self.order, self.position = data, name, order, start
        self.bytes = np.frombuffer(data, np.uint8)

    def _dtype(self, kind: str) -> np.dtype:
        return np.dtype(kind).newbyteorder(self.order)

    def _check_room(self, element: _Element) -> None:
        needed, left = element.count * element.smallest_record, len(self.data) - self.position
        if needed > left:
            raise Refused(
                f"{self.name} is cut off: its {element.count} records of {element.name!r} take {needed} bytes or more, "
                f"{max(left, 0)} follow"
            )

    def scalars(self, element: _Element, places: list[int]) -> NDArray[np.float64]:
        self._check_room(element)
        if element.has_lists:
            columns = []
            for place in places:
                counts = np.empty(element.count, np.int32)
                columns.append(self._take(element, place, 0, counts)[0].astype(np.float64))
            self._walk(element, -1, 0)
        else:
            record = np.dtype([(f"p{i}", self._dtype(one.kind)) for i, one in enumerate(element.properties)])
            records = np.frombuffer(self.data, record, element.count, self.position)
            self.position += element.count * record.itemsize
            columns = [records[f"p{place}"].astype(np.float64) for place in places]
        points = np.stack(columns, axis=1)
        check_finite(points, lambda row: f"{element.name} {row + 1} of {self.name}")
        return points

    def lists(self, element: _Element, place: int, least: int, corners: array, counts: array) -> None:
        self._check_room(element)
        kind = element.properties[place].kind
        if kind[0] not in "iu":
            raise Refused(f"{element.name!r} of {self.name} holds indices of type {kind}; they must be whole numbers")
        start = self.position
        total = self._walk(element, place, least)
        self.position = start
        checks.memory(8 * total + 4 * element.count, self.name)
        found_counts = np.empty(element.count, np.int32)
        indices, self.position = self._take(element, place, total, found_counts)
        low = -1 if least == 0 else 0
        if len(indices) and (int(indices.min()) < low or int(indices.max()) > LARGEST_INDEX):
            raise Refused(f"{self.name} has an index outside the mesh among its {element.name!r}")
        corners.frombytes(np.ascontiguousarray(indices, np.int32).view(np.uint8))
        counts.frombytes(found_counts.view(np.uint8))

    def skip(self, element: _Element) -> None:
        self._check_room(element)
        if element.has_lists:
            self._walk(element, -1, 0)
        else:
            self.position += element.count * element.smallest_record

    def _table(self, element: _Element) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        sizes = np.array([np.dtype(one.kind).itemsize for one in element.properties], np.int64)
        counted = [np.dtype(one.counted_by) if one.counted_by else None for one in element.properties]
        # A signed type of length is marked by its sign.
        lengths = [0 if one is None else one.itemsize * (-1 if one.kind == "i" else 1) for one in counted]
        return sizes, np.array(lengths, np.int64)

    def _walk(self, element: _Element, place: int, least: int) -> int:
        """Move behind an element, seeing that its records lie in the file; return the items in the list ``place``."""
        end, total, record = _pass(
            self.bytes, self.position, element.count, *self._table(element), self.order == ">", place, least,
            np.empty(0, np.uint8), np.empty(0, np.int32),
        )  # fmt: skip
        if end == CUT_OFF:
            raise Refused(f"{self.name} is cut off in {element.name} {record + 1} of {element.count}")
        if end == TOO_SHORT:
            raise Refused(f"{element.name} {record + 1} of {self.name} has fewer than {least} corners")
        self.position = end
        return total

    def _take(self, element: _Element, place: int, total: int, counts: NDArray[np.int32]) -> tuple[NDArray, int]:
        """Return the items of property ``place`` of all records, of known total, and where the element ends."""
        dtype = self._dtype(element.properties[place].kind)
        if not element.properties[place].counted_by:
            total = element.count
            start, end = self.position, self._walk(element, -1, 0)
            self.position = start
        taken = np.empty(total * dtype.itemsize, np.uint8)
        end, _, _ = _pass(
            self.bytes, self.position, element.count, *self._table(element), self.order == ">", place, 0, taken, counts
        )
        return taken.view(dtype), end


CUT_OFF, TOO_SHORT = -1, -2


@njit(cache=True, nogil=True)
def _pass(data, position, n_records, sizes, counted, is_big, place, least, taken, counts):
    """Walk over records with lists: ``sizes`` of the items, ``counted``: bytes of the length, negative if signed.

    Returns (end or a code, items in the property ``place``, record of the fault); with room in ``counts`` it also
    copies the items of ``place`` to ``taken`` and their numbers to ``counts``.
    """
    end, total, filled = len(data), 0, 0
    for record in range(n_records):
        for index in range(len(sizes)):
            length = 1
            width = abs(counted[index])
            if width:
                if width > end - position:
                    return CUT_OFF, total, record
                length = 0
                for i in range(width):
                    length = length * 256 + data[position + (i if is_big else width - 1 - i)]
                if counted[index] < 0 and width < 8 and length >= 1 << (8 * width - 1):
                    return CUT_OFF, total, record
                position += width
            if length < 0 or length > (end - position) // sizes[index]:
                return CUT_OFF, total, record
            if index == place:
                if length < least:
                    return TOO_SHORT, total, record
                if len(counts):
                    counts[record] = length
                    for i in range(length * sizes[index]):
                        taken[filled + i] = data[position + i]
                    filled += length * sizes[index]
                total += length
            position += length * sizes[index]
    return position, total, 0


# ---- strips of triangles --------------------------------------------------------------------------------------------


def _with_stops(strips: array, lengths: array) -> array:
    """Return the strips of several records as one list, with -1 between them."""
    ends = np.cumsum(np.frombuffer(lengths, np.int32)) if lengths else []
    return array("i", np.insert(np.frombuffer(strips, np.int32), ends, -1).tolist()) if len(ends) else strips


def _add_strips(strips: array, corners: array, counts: array) -> None:
    """Add the triangles of strips: every three corners in a row, each second one turned over; -1 begins a new strip."""
    if len(strips) < 3:
        return
    indices = np.frombuffer(strips, np.int32)
    places = np.arange(len(indices))
    begins = np.maximum.accumulate(np.where(indices == -1, places + 1, 0))
    triangles = np.stack([indices[:-2], indices[1:-1], indices[2:]], axis=1)
    turned = (places - begins)[:-2] % 2 == 1
    triangles[turned] = triangles[turned][:, [1, 0, 2]]
    triangles = triangles[(triangles != -1).all(axis=1)]
    corners.frombytes(np.ascontiguousarray(triangles).view(np.uint8))
    counts.frombytes(np.full(len(triangles), 3, np.int32).view(np.uint8))
