"""Triangles from polygons of any shape, each cut inside itself.

Polygons come as two arrays: ``corners``, the vertex indices of all of them one after the other, and ``counts``, how
many belong to each. A polygon is cut in the plane of its vector area Σ vᵢ × vᵢ₊₁ / 2 (Newell). A fan from its first
corner is tried first, for all polygons of one size together; where a triangle of the fan turns the wrong way, ears are
clipped. Why no test whether a corner lies inside an ear is needed: the winding number of a closed polygon around a
point is the sum of those of the triangles that it is cut into, so if all of these turn the right way they cover what
the polygon encloses, exactly once where it encloses it once. The order of clipping decides only whether that succeeds,
and there the usual test helps. A polygon that crosses itself has no such cut and is refused.

No library at hand does this: trimesh and the readers of meshes cut every polygon as a fan, which leaves a concave one
and counts the area outside.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

ROUNDING = 1e-12
"""Areas below this share of the square of a polygon's size are those of corners on one line."""
SMALLEST, LARGEST = 1e-60, 1e60
MOST_STEPS = 10**9
"""Corners looked at while ears of one mesh are clipped: a few seconds. A concave polygon of k corners takes from k
to k³, so its work can be bounded only while it is done."""


def triangulate(
    vertices: NDArray[np.float64], corners: NDArray[np.integer], counts: NDArray[np.integer], what: str = "polygon"
) -> NDArray[np.int64]:
    """Return triangles (t, 3) that cover every polygon: ``counts`` − 2 for each, in the order of the polygons.

    ``vertices`` (v, 3), ``corners`` (Σ counts,), ``counts`` (p,), each at least 3. Raises ``ValueError`` that names
    the polygon (``what`` and its number from 1) for one that crosses itself, and where clipping concave polygons would
    take minutes. Cost: linear for triangles, quadrilaterals and convex polygons, quadratic
    in the corners of a concave one.

    >>> arrow = np.array([[0, 0, 0], [4, -2, 0], [1, 0, 0], [4, 2, 0]], float)
    >>> triangulate(arrow, np.arange(4), np.array([4])).tolist()
    [[0, 1, 2], [0, 2, 3]]
    >>> triangulate(arrow, np.array([1, 2, 3, 0]), np.array([4])).tolist()
    [[0, 1, 2], [3, 0, 2]]
    """
    counts, corners = np.asarray(counts), np.asarray(corners)
    if (counts == 3).all():
        return corners.reshape(-1, 3)
    largest = np.abs(vertices).max()
    if not SMALLEST < largest < LARGEST:  # fourth powers of sizes are compared
        vertices = vertices * 2.0 ** -min(max(np.frexp(largest)[1], -1000), 1000)
    triangles = np.empty((int(counts.sum()) - 2 * len(counts), 3), corners.dtype)
    fault, is_crossing = _cut_all(vertices, corners, counts, triangles, ROUNDING, MOST_STEPS)
    if fault >= 0 and is_crossing:
        raise ValueError(
            f"{what} {fault + 1} ({counts[fault]} corners) crosses itself, so it has no inside that could be cut into "
            "triangles; mend it in the program that made it"
        )
    if fault >= 0:
        raise ValueError(
            f"{what} {fault + 1} ({counts[fault]} corners) is one concave polygon too many to cut into triangles here; "
            "triangulate the mesh in the program that made it"
        )
    return triangles


@njit(cache=True, nogil=True)
def _cut_all(vertices, corners, counts, triangles, rounding, steps):
    """Fill ``triangles``; return the first polygon that cannot be cut, or -1, and whether that is for crossing."""
    start = place = 0
    for polygon in range(len(counts)):
        size = counts[polygon]
        mine = corners[start : start + size]
        if size > 3 and not _fan_fits(vertices, mine, rounding):
            ears, steps = _clip(_flat(vertices, mine, rounding), rounding, steps)
            if len(ears) == 0:
                return polygon, steps > 0
            for i in range(size - 2):
                for k in range(3):
                    triangles[place + i, k] = mine[ears[i, k]]
        else:
            for i in range(size - 2):
                triangles[place + i, 0] = mine[0]
                triangles[place + i, 1] = mine[i + 1]
                triangles[place + i, 2] = mine[i + 2]
        start += size
        place += size - 2
    return -1, False


@njit(cache=True, nogil=True)
def _arm(vertices, start, end):
    """Return the vector from one vertex to another."""
    a, b = vertices[start], vertices[end]
    return b[0] - a[0], b[1] - a[1], b[2] - a[2]


@njit(cache=True, nogil=True)
def _cross(a, b):
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@njit(cache=True, nogil=True)
def _dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@njit(cache=True, nogil=True)
def _vector_area(vertices, mine):
    """Return twice the vector area of a polygon, and the square of its size as seen from its first corner."""
    nx = ny = nz = square = 0.0
    for i in range(1, len(mine) - 1):
        arm = _arm(vertices, mine[0], mine[i])
        n = _cross(arm, _arm(vertices, mine[0], mine[i + 1]))
        nx, ny, nz = nx + n[0], ny + n[1], nz + n[2]
        square = max(square, _dot(arm, arm))
    last = _arm(vertices, mine[0], mine[-1])
    return (nx, ny, nz), max(square, _dot(last, last))


@njit(cache=True, nogil=True)
def _fan_fits(vertices, mine, rounding):
    """Tell whether the triangles of the fan from the first corner all turn the way of the polygon, or have no area."""
    normal, square = _vector_area(vertices, mine)
    length = np.sqrt(_dot(normal, normal))
    largest = 0.0
    for i in range(1, len(mine) - 1):
        area = _cross(_arm(vertices, mine[0], mine[i]), _arm(vertices, mine[0], mine[i + 1]))
        if _dot(area, normal) < -rounding * length * square:
            return False
        largest = max(largest, _dot(area, area))
    return length > rounding * square or largest <= (rounding * square) ** 2


@njit(cache=True, nogil=True)
def _flat(vertices, mine, rounding):
    """Return a polygon's corners (k, 2) in the plane of its vector area, anticlockwise, of size 1."""
    normal, square = _vector_area(vertices, mine)
    length = np.sqrt(_dot(normal, normal))
    if length <= rounding * square:
        return np.empty((0, 2))
    normal = (normal[0] / length, normal[1] / length, normal[2] / length)
    least = 0 if abs(normal[0]) <= min(abs(normal[1]), abs(normal[2])) else 1 if abs(normal[1]) <= abs(normal[2]) else 2
    across = _cross(normal, (1.0 if least == 0 else 0.0, 1.0 if least == 1 else 0.0, 1.0 if least == 2 else 0.0))
    size = np.sqrt(_dot(across, across) * square)
    across = (across[0] / size, across[1] / size, across[2] / size)
    upward = _cross(normal, across)
    points = np.empty((len(mine), 2))
    for i in range(len(mine)):
        arm = _arm(vertices, mine[0], mine[i])
        points[i, 0], points[i, 1] = _dot(arm, across), _dot(arm, upward)
    return points


@njit(cache=True, nogil=True)
def _clip(points, rounding, steps):
    """Return the ears (k − 2, 3) of a polygon (k, 2) as places of its corners, none if it crosses itself.

    Also returns the ``steps`` that are left. Corners on one line make ears without area, which are clipped when they
    are met: they cover nothing. Only a corner that does not turn left can be the first to lie in an ear; such corners
    become fewer as ears are clipped, never more, and are kept in a list of their own.
    """
    k = len(points)
    ears = np.empty((max(k - 2, 0), 3), np.int64)
    if k < 3:
        return ears[:0], steps
    after = (np.arange(k) + 1) % k
    before = (np.arange(k) - 1) % k
    blocks = np.empty(k, np.bool_)
    for i in range(k):
        blocks[i] = _turn(points, before[i], i, after[i]) <= rounding
    blocking = np.flatnonzero(blocks)
    n_blocking = n_alive = len(blocking)
    left, found, here, tried = k, 0, 0, 0
    strict = True
    while left > 3 and steps > 0:
        steps -= 1
        a, c = before[here], after[here]
        area = _turn(points, a, here, c)
        is_ear = area >= -rounding
        if area > rounding and strict:
            steps -= n_blocking
            is_ear = not _blocked(points, a, here, c, blocking[:n_blocking], blocks)
        if is_ear:
            ears[found, 0], ears[found, 1], ears[found, 2] = a, here, c
            found += 1
            after[a], before[c] = c, a
            left -= 1
            n_alive -= blocks[here]
            blocks[here] = False
            for i in (a, c):
                if blocks[i] and _turn(points, before[i], i, after[i]) > rounding:
                    blocks[i] = False
                    n_alive -= 1
            if 2 * n_alive < n_blocking:
                n_blocking = 0
                for i in range(len(blocking)):
                    if blocks[blocking[i]]:
                        blocking[n_blocking] = blocking[i]
                        n_blocking += 1
                    if n_blocking == n_alive:
                        break
            here, tried = a, 0  # of the others only a and c turn differently now
        else:
            here = c
            tried += 1
            if tried > left:
                if not strict:
                    return ears[:0], steps
                strict, tried = False, 0
    a, c = before[here], after[here]
    if steps <= 0 or _turn(points, a, here, c) < -rounding:
        return ears[:0], steps
    ears[found, 0], ears[found, 1], ears[found, 2] = a, here, c
    return ears, steps


@njit(cache=True, nogil=True)
def _turn(points, a, b, c):
    """Return twice the signed area of the triangle a, b, c: positive if it turns left."""
    return (points[b, 0] - points[a, 0]) * (points[c, 1] - points[a, 1]) - (points[b, 1] - points[a, 1]) * (
        points[c, 0] - points[a, 0]
    )


@njit(cache=True, nogil=True)
def _blocked(points, a, b, c, blocking, blocks):
    """Tell whether a corner lies in the triangle a, b, c or on its edge.

    One at the place of a corner of the triangle does not count: it is the end of a bridge to a hole.
    """
    west = min(points[a, 0], points[b, 0], points[c, 0])
    east = max(points[a, 0], points[b, 0], points[c, 0])
    south = min(points[a, 1], points[b, 1], points[c, 1])
    north = max(points[a, 1], points[b, 1], points[c, 1])
    for p in blocking:
        x, y = points[p, 0], points[p, 1]
        if x < west or x > east or y < south or y > north or not blocks[p]:
            continue
        is_corner = False
        for i in (a, b, c):
            is_corner |= x == points[i, 0] and y == points[i, 1]
        if (
            not is_corner
            and _turn(points, a, b, p) >= 0
            and _turn(points, b, c, p) >= 0
            and _turn(points, c, a, p) >= 0
        ):
            return True
    return False
