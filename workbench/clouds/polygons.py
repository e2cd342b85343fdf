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
MOST_STEPS = 10**9
"""Corners looked at while ears of one mesh are clipped: a few seconds. A concave polygon of k corners takes from k
to k³, so its work can be bounded only while it is done."""
BLOCK = 2**18


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
    counts = np.asarray(counts, np.int64)
    corners = np.asarray(corners)
    if len(counts) == 0:
        return np.empty((0, 3), np.int64)
    if (counts == 3).all():
        return corners.reshape(-1, 3)
    starts = np.cumsum(counts) - counts
    places = np.cumsum(counts - 2) - (counts - 2)
    triangles = np.empty((int((counts - 2).sum()), 3), corners.dtype)
    concave: list[int] = []
    order = np.argsort(counts, kind="stable")
    sizes, first = np.unique(counts[order], return_index=True)
    for size, chosen in zip(sizes.tolist(), np.split(order, first[1:]), strict=True):
        block = max(1, BLOCK // size)
        for begin in range(0, len(chosen), block):
            some = chosen[begin : begin + block]
            fans = corners[starts[some][:, None] + np.arange(size)]
            rows = places[some][:, None] + np.arange(size - 2)
            triangles[rows] = np.stack([np.broadcast_to(fans[:, :1], rows.shape), fans[:, 1:-1], fans[:, 2:]], axis=2)
            if size > 3:
                concave += some[~_fans_fit(vertices[fans])].tolist()
    steps = MOST_STEPS
    for polygon in concave:
        size = int(counts[polygon])
        mine = corners[starts[polygon] : starts[polygon] + size]
        cut, steps = _clip(_flat(vertices[mine]), ROUNDING, steps)
        if steps <= 0:
            raise ValueError(
                f"{what} {polygon + 1} ({size} corners) is one concave polygon too many to cut into triangles here; "
                "triangulate the mesh in the program that made it"
            )
        if len(cut) == 0:
            raise ValueError(
                f"{what} {polygon + 1} ({size} corners) crosses itself, so it has no inside that could be cut into "
                "triangles; mend it in the program that made it"
            )
        triangles[places[polygon] : places[polygon] + size - 2] = mine[cut]
    return triangles


def _fans_fit(polygons: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell for polygons (p, k, 3) whether the triangles of the fan from the first corner all turn the right way."""
    arms = polygons[:, 1:] - polygons[:, :1]
    areas = np.cross(arms[:, :-1], arms[:, 1:])
    normals = areas.sum(axis=1)
    lengths = np.linalg.norm(normals, axis=1)
    sizes = (arms**2).sum(axis=2).max(axis=1)
    turned = np.einsum("pij,pj->pi", areas, normals)
    return (turned >= -ROUNDING * (lengths * sizes)[:, None]).all(axis=1) & (
        (lengths > ROUNDING * sizes) | (np.abs(areas).max(axis=(1, 2)) <= ROUNDING * sizes)
    )


def _flat(polygon: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a polygon's corners (k, 2) in the plane of its vector area, anticlockwise, of size 1."""
    centred = polygon - polygon[0]
    size = np.abs(centred).max()
    centred = centred / size if size > 0 else centred
    normal = np.cross(centred[:-1], centred[1:]).sum(axis=0)
    length = np.linalg.norm(normal)
    if length <= ROUNDING:
        return np.empty((0, 2))
    normal /= length
    across = np.cross(normal, np.eye(3)[np.argmin(np.abs(normal))])
    across /= np.linalg.norm(across)
    return np.stack([centred @ across, centred @ np.cross(normal, across)], axis=1)


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
