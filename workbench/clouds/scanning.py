"""Large OBJ files read by compiled code: a second for the largest, every number rounded as it should be.

Python takes two microseconds for a line of a mesh, which is ten seconds for what scanners write, and as long for all
others whom the interpreter serves. Here the bytes are walked once. A decimal number of up to 2⁵³ times a power of ten
up to 10²² is one multiplication or division of two exact doubles, so its one rounding is the right one (W. D. Clinger,
"How to read floating point numbers accurately", PLDI 1990); the few others are listed for Python's own ``float``.

Nothing here explains: a line that is not plain is left to the reader that knows the format's every turn and word.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

EXACT, LONG, NO_NUMBER = 0, 1, 2
POWERS = 10.0 ** np.arange(23)
LARGEST_EXACT = 2**53
MOST_KEYWORDS = 64
TAB, LINE_FEED, RETURN, SPACE = 9, 10, 13, 32
HASH, PLUS, MINUS, POINT, SLASH, BACKSLASH, UNDERSCORE = 35, 43, 45, 46, 47, 92, 95
ZERO, NINE = 48, 57
VERTEX, FACE, OTHER = 118, 102, 111  # v, f, o


@njit(cache=True, nogil=True, inline="always")
def _is_digit(byte):
    return ZERO <= byte <= NINE


@njit(cache=True, nogil=True)
def _number(data, start, end, powers):
    """Return the number that stands in ``data[start:end]``, and whether that is exact.

    LONG is a number whose value is not found here, NO_NUMBER is none.
    """
    i, negative = start, False
    if i < end and (data[i] == PLUS or data[i] == MINUS):
        negative = data[i] == MINUS
        i += 1
    mantissa, scale, digits, is_long = 0, 0, 0, False
    while i < end and _is_digit(data[i]):
        if mantissa < LARGEST_EXACT:
            mantissa = 10 * mantissa + (data[i] - ZERO)
        else:
            is_long = True
        digits += 1
        i += 1
    if i < end and data[i] == POINT:
        i += 1
        while i < end and _is_digit(data[i]):
            if mantissa < LARGEST_EXACT:
                mantissa = 10 * mantissa + (data[i] - ZERO)
                scale -= 1
            else:
                is_long = True
            digits += 1
            i += 1
    if digits == 0:
        return 0.0, NO_NUMBER
    if i < end and (data[i] | 32 == 101 or data[i] | 32 == 100):  # e, or Fortran's d
        i += 1
        down = False
        if i < end and (data[i] == PLUS or data[i] == MINUS):
            down = data[i] == MINUS
            i += 1
        first, exponent = i, 0
        while i < end and _is_digit(data[i]):
            if exponent < 100_000:
                exponent = 10 * exponent + (data[i] - ZERO)
            i += 1
        if i == first:
            return 0.0, NO_NUMBER
        scale += -exponent if down else exponent
    if i != end:
        return 0.0, NO_NUMBER
    if is_long or mantissa > LARGEST_EXACT or (mantissa and abs(scale) > 22):
        return 0.0, LONG
    value = float(mantissa)
    if mantissa:
        value = value * powers[scale] if scale >= 0 else value / powers[-scale]
    return (-value if negative else value), EXACT


@njit(cache=True, nogil=True)
def _line_end(data, start):
    """Return where a line ends, and where the next one begins: LF, CR LF and CR end lines."""
    i = start
    while i < len(data) and data[i] != LINE_FEED and data[i] != RETURN:
        i += 1
    after = i + 1
    if after < len(data) and data[i] == RETURN and data[after] == LINE_FEED:
        after += 1
    return i, after


@njit(cache=True, nogil=True, inline="always")
def _is_blank(byte):
    return byte in (SPACE, TAB)


@njit(cache=True, nogil=True)
def _is_plain(data, start, end):
    """Tell whether there are only printable ASCII letters, blanks and tabs."""
    for i in range(start, end):  # noqa: SIM110  compiled
        if data[i] > 126 or (data[i] < SPACE and data[i] != TAB):
            return False
    return True


@dataclass(frozen=True)
class ScannedMesh:
    """What an OBJ file holds up to the line ``stopped`` (0: to its end): vertices, faces, and keywords of other lines.

    ``points`` (v, 3), ``corners`` (Σ counts,) from 1, ``counts`` and ``lines`` (f,), ``keywords`` with the line of the
    first of each. ``stop`` is the place of the line that is not plain, ``above`` how many vertices stand before it.
    """

    points: NDArray[np.float64]
    corners: NDArray[np.int32]
    counts: NDArray[np.int32]
    lines: NDArray[np.int32]
    keywords: list[tuple[bytes, int]]
    stopped: int
    stop: int
    above: int


def scan_obj(data: bytes, start: int = 0) -> ScannedMesh:
    """Read the vertices and faces of an OBJ file from the byte ``start`` on, up to the first line that is not plain.

    >>> found = scan_obj(b"v 0 0 0\\nv 1 0 .5\\nv 1 1 1e-3\\nf 1/1 2/2 -1\\nusemtl red\\n")
    >>> found.points[:, 2].tolist(), found.corners.tolist(), found.keywords
    ([0.0, 0.5, 0.001], [1, 2, 3], [(b'usemtl', 5)])
    """
    view = np.frombuffer(data, np.uint8)
    vertices, faces, words = _count_obj(view, start)
    points, corners = np.empty((vertices, 3)), np.empty(words, np.int32)
    counts, lines = np.empty(faces, np.int32), np.empty(faces, np.int32)
    keywords = np.empty((MOST_KEYWORDS, 3), np.int64)
    long = np.empty((3000, 2), np.int64)
    while True:
        found = _fill_obj(view, start, points, corners, counts, lines, keywords, long, POWERS)
        above, n_faces, n_corners, n_keywords, n_long, stop, stopped = found
        if n_long <= len(long):
            break
        long = np.empty((n_long, 2), np.int64)  # now it is known how many there are
    if not stopped:
        _fill_long(points, data, long[:n_long])
    named = [(bytes(data[first:last]), line) for first, last, line in keywords[:n_keywords].tolist()]
    return ScannedMesh(
        points[:above], corners[:n_corners], counts[:n_faces], lines[:n_faces], named, stopped, stop, above
    )


def _fill_long(table: NDArray[np.float64], data: bytes, long: NDArray[np.int64]) -> None:
    """Let Python read the numbers whose places in the table hold NaN."""
    flat, places = table.reshape(-1), np.flatnonzero(np.isnan(table))
    for place, (first, last) in zip(places.tolist(), long.tolist(), strict=True):
        flat[place] = float(data[first:last].lower().replace(b"d", b"e"))


@njit(cache=True, nogil=True)
def _count_obj(data, start):
    """Return upper bounds: lines that begin with v, lines that begin with f, words on these."""
    vertices = faces = words = 0
    i = start
    while i < len(data):
        end, after = _line_end(data, i)
        while i < end and _is_blank(data[i]):
            i += 1
        if i < end and data[i] | 32 == VERTEX:
            vertices += 1
        elif i < end and data[i] | 32 == FACE:
            faces += 1
            for k in range(i + 1, end):
                words += _is_blank(data[k - 1]) and not _is_blank(data[k])
        i = after
    return vertices, faces, words


@njit(cache=True, nogil=True)
def _fill_obj(data, start, points, corners, counts, lines, keywords, long, powers):
    n_vertices = n_faces = n_corners = n_keywords = n_long = line = 0
    i = start
    while i < len(data):
        line += 1
        here = i
        end, after = _line_end(data, i)
        for k in range(i, end):
            if data[k] == HASH:
                end = k
                break
        while i < end and _is_blank(data[i]):
            i += 1
        last = end
        while last > i and _is_blank(data[last - 1]):
            last -= 1
        if i == last:
            i = after
            continue
        stop = i
        while stop < last and not _is_blank(data[stop]):
            stop += 1
        is_vertex = stop == i + 1 and data[i] | 32 == VERTEX
        is_face = data[i] | 32 == FACE and (stop == i + 1 or (stop == i + 2 and data[i + 1] | 32 == OTHER))
        good = data[last - 1] != BACKSLASH and _is_plain(data, i, last if is_vertex or is_face else stop)
        if good and is_vertex:
            good, n_long = _vertex(data, stop, last, points, n_vertices, long, n_long, powers)
            n_vertices += good
        elif good and is_face:
            found = _face(data, stop, last, corners, n_corners, n_vertices)
            good = found >= 3
            if good:
                counts[n_faces], lines[n_faces] = found, line
                n_faces += 1
                n_corners += found
        elif good:
            good, n_keywords = _keyword(data, i, stop, line, keywords, n_keywords)
        if not good:
            return n_vertices, n_faces, n_corners, n_keywords, n_long, here, line
        i = after
    return n_vertices, n_faces, n_corners, n_keywords, n_long, len(data), 0


@njit(cache=True, nogil=True)
def _vertex(data, start, end, points, row, long, n_long, powers):
    """Read the first three of 3, 4, 6, 7 or 8 words; NaN holds the place of a number that Python has to read."""
    words, i = 0, start
    while i < end:
        while i < end and _is_blank(data[i]):
            i += 1
        first = i
        while i < end and not _is_blank(data[i]):
            i += 1
        if words < 3:
            value, kind = _number(data, first, i, powers)
            if kind == NO_NUMBER:
                return False, n_long
            if kind == LONG:
                value = np.nan
                if n_long < len(long):
                    long[n_long, 0], long[n_long, 1] = first, i
                n_long += 1
            points[row, words] = value
        words += 1
    return words == 3 or words == 4 or 6 <= words <= 8, n_long


@njit(cache=True, nogil=True)
def _face(data, start, end, corners, place, above):
    """Read the vertex numbers of a face, and return how many they are; 0 for anything odd."""
    count, i = 0, start
    while i < end:
        while i < end and _is_blank(data[i]):
            i += 1
        negative = data[i] == MINUS
        if negative or data[i] == PLUS:
            i += 1
        first, index = i, 0
        while i < end and _is_digit(data[i]):
            index = 10 * index + (data[i] - ZERO)
            i += 1
            if i - first > 10:
                return 0
        if i == first or (i < end and data[i] != SLASH and not _is_blank(data[i])):
            return 0
        while i < end and not _is_blank(data[i]):
            if data[i] == UNDERSCORE:
                return 0
            i += 1
        if negative:
            index = above + 1 - index
        if not 0 < index < 2**31:
            return 0
        corners[place + count] = index
        count += 1
    return count


@njit(cache=True, nogil=True)
def _keyword(data, start, end, line, keywords, count):
    """Note a keyword with its line if it is a new one."""
    for k in range(count):
        first, length = keywords[k, 0], keywords[k, 1] - keywords[k, 0]
        if length == end - start:
            same = True
            for i in range(length):
                same &= data[first + i] | 32 == data[start + i] | 32
            if same:
                return True, count
    if count == len(keywords):
        return False, count
    keywords[count, 0], keywords[count, 1], keywords[count, 2] = start, end, line
    return True, count + 1
