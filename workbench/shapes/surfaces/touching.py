"""Whether two triangles of a mesh meet where they should not: closed triangles, exact signs, coplanar pairs included.

Two closed triangles meet if and only if an edge of one meets the other. Two that share a corner s meet in more than s
if and only if the edge of one opposite to s meets the other: a further common point x makes the ray from s through x
leave one of the two triangles first, through that edge and inside the other triangle.
"""

from numpy.typing import NDArray

from workbench.shapes.surfaces.predicates import exact, seen_along, side, turn

APART, CROSSING, FOLDED, DOUBLED = 0, 1, 2, 3


@exact
def _in_triangle(v: NDArray, a: int, p: int, q: int, r: int, axis: int, work: NDArray, stats: NDArray) -> bool:
    one = turn(v, p, q, a, axis, work, stats)
    two = turn(v, q, r, a, axis, work, stats)
    three = turn(v, r, p, a, axis, work, stats)
    return (one >= 0 and two >= 0 and three >= 0) or (one <= 0 and two <= 0 and three <= 0)


@exact
def _segments_meet(v: NDArray, a: int, b: int, c: int, d: int, axis: int, work: NDArray, stats: NDArray) -> bool:
    """Return whether two closed segments of one plane meet, seen along ``axis``."""
    one, two = turn(v, a, b, c, axis, work, stats), turn(v, a, b, d, axis, work, stats)
    if one * two > 0:
        return False
    three, four = turn(v, c, d, a, axis, work, stats), turn(v, c, d, b, axis, work, stats)
    if three * four > 0:
        return False
    if one != 0 or two != 0 or three != 0 or four != 0:
        return True
    for k in range(3):  # on one line: their shadows on every axis overlap
        if max(v[a, k], v[b, k]) < min(v[c, k], v[d, k]) or max(v[c, k], v[d, k]) < min(v[a, k], v[b, k]):
            return False
    return True


@exact
def edge_meets(
    v: NDArray, a: int, b: int, side_a: int, side_b: int, p: int, q: int, r: int, work: NDArray, stats: NDArray
) -> bool:
    """Return whether the closed segment ab meets the closed triangle pqr; the sides are those of its plane."""
    if side_a * side_b > 0:
        return False
    if side_a == 0 and side_b == 0:
        axis = seen_along(v, p, q, r, work, stats)
        return (
            _in_triangle(v, a, p, q, r, axis, work, stats)
            or _in_triangle(v, b, p, q, r, axis, work, stats)
            or _segments_meet(v, a, b, p, q, axis, work, stats)
            or _segments_meet(v, a, b, q, r, axis, work, stats)
            or _segments_meet(v, a, b, r, p, axis, work, stats)
        )
    one = side(v, a, b, p, q, work, stats)
    two = side(v, a, b, q, r, work, stats)
    if one * two < 0:
        return False
    three = side(v, a, b, r, p, work, stats)
    return (one >= 0 and two >= 0 and three >= 0) or (one <= 0 and two <= 0 and three <= 0)


@exact
def relation(v: NDArray, f: NDArray, g: NDArray, work: NDArray, stats: NDArray) -> int:
    """Return how two faces lie to each other: APART, CROSSING, FOLDED onto each other at an edge, or DOUBLED.

    ``f``, ``g`` (3,) name vertices; faces without area must have been left out.
    """
    shared, at_f, at_g, last_f, last_g = 0, 0, 0, 0, 0
    for i in range(3):
        for j in range(3):
            if f[i] == g[j]:
                shared += 1
                last_f, last_g = at_f, at_g
                at_f, at_g = i, j
    if shared == 3:
        return DOUBLED
    if shared == 2:
        s, t = f[at_f], f[last_f]
        c, d = f[3 - at_f - last_f], g[3 - at_g - last_g]
        if side(v, s, t, c, d, work, stats) != 0:
            return APART
        axis = seen_along(v, s, t, c, work, stats)
        same = turn(v, s, t, c, axis, work, stats) == turn(v, s, t, d, axis, work, stats)
        return FOLDED if same else APART
    if shared == 1:
        s, a, b = f[at_f], f[(at_f + 1) % 3], f[(at_f + 2) % 3]
        c, d = g[(at_g + 1) % 3], g[(at_g + 2) % 3]
        of_c, of_d = side(v, s, a, b, c, work, stats), side(v, s, a, b, d, work, stats)
        if of_c * of_d > 0:
            return APART
        of_a, of_b = side(v, s, c, d, a, work, stats), side(v, s, c, d, b, work, stats)
        if of_a * of_b > 0:
            return APART
        met = edge_meets(v, c, d, of_c, of_d, s, a, b, work, stats) or edge_meets(
            v, a, b, of_a, of_b, s, c, d, work, stats
        )
        return CROSSING if met else APART
    return CROSSING if _disjoint_meet(v, f, g, work, stats) else APART


@exact
def _disjoint_meet(v: NDArray, f: NDArray, g: NDArray, work: NDArray, stats: NDArray) -> bool:
    """Return whether two faces without a common vertex meet."""
    p, q, r = f[0], f[1], f[2]
    a, b, c = g[0], g[1], g[2]
    of_a, of_b = side(v, p, q, r, a, work, stats), side(v, p, q, r, b, work, stats)
    of_c = side(v, p, q, r, c, work, stats)
    if (of_a > 0 and of_b > 0 and of_c > 0) or (of_a < 0 and of_b < 0 and of_c < 0):
        return False
    of_p, of_q = side(v, a, b, c, p, work, stats), side(v, a, b, c, q, work, stats)
    of_r = side(v, a, b, c, r, work, stats)
    if (of_p > 0 and of_q > 0 and of_r > 0) or (of_p < 0 and of_q < 0 and of_r < 0):
        return False
    return (
        edge_meets(v, a, b, of_a, of_b, p, q, r, work, stats)
        or edge_meets(v, b, c, of_b, of_c, p, q, r, work, stats)
        or edge_meets(v, c, a, of_c, of_a, p, q, r, work, stats)
        or edge_meets(v, p, q, of_p, of_q, a, b, c, work, stats)
        or edge_meets(v, q, r, of_q, of_r, a, b, c, work, stats)
        or edge_meets(v, r, p, of_r, of_p, a, b, c, work, stats)
    )


@exact
def has_area(v: NDArray, faces: NDArray, work: NDArray, stats: NDArray, out: NDArray) -> None:
    """Write for every face whether its corners span a triangle, exactly."""
    for k in range(faces.shape[0]):
        a, b, c = faces[k, 0], faces[k, 1], faces[k, 2]
        out[k] = a != b and b != c and c != a and seen_along(v, a, b, c, work, stats) >= 0


@exact
def sweep(
    v: NDArray,
    faces: NDArray,
    low: NDArray,
    high: NDArray,
    axis: int,
    first: int,
    last: int,
    room: NDArray,
    work: NDArray,
    stats: NDArray,
) -> int:
    """Judge every pair of faces i < j whose boxes touch, i in [first, last); return how many are not APART.

    Faces are sorted by ``low[:, axis]``. Pairs and their relation go into ``room`` (size, 3) as far as it reaches;
    ``stats`` counts decisions by expansions and candidates.
    """
    count = 0
    second, third = (axis + 1) % 3, (axis + 2) % 3
    for i in range(first, last):
        end, low2, high2, low3, high3 = high[i, axis], low[i, second], high[i, second], low[i, third], high[i, third]
        for j in range(i + 1, faces.shape[0]):
            if low[j, axis] > end:
                break
            if low[j, second] > high2 or high[j, second] < low2 or low[j, third] > high3 or high[j, third] < low3:
                continue
            stats[1] += 1
            found = relation(v, faces[i], faces[j], work, stats)
            if found != 0:
                if count < room.shape[0]:
                    room[count, 0], room[count, 1], room[count, 2] = i, j, found
                count += 1
    return count
