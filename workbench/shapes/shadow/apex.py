"""The apex certificate: a proof, from the sample alone, that a flag complex and its shadow have one homotopy type.

For a point x of the shadow let st(x) be the simplices whose hull holds x. If for every x some vertex v (an *apex*) has
σ ∪ {v} in the complex for all σ of st(x), the projection of the complex to the plane is a homotopy equivalence. It is
enough to look at the nodes of the arrangement: the star of any other point lies in that of a node at the border of its
face or piece. And since the complex is flag, v is an apex if it is, or has as neighbour, every vertex of every edge
and triangle through x; by Carathéodory's theorem larger simplices add no other vertices.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workbench.shapes.shadow.arrangement import Arrangement
from workbench.shapes.shadow.doubled import side_of_crossing
from workbench.shapes.shadow.exact import UNIT
from workbench.shapes.shadow.faces import triangles

MOST_WORK = 2_000_000_000
"""Pairs of a node and a triangle beyond which no certificate is tried: about 20 s."""
MOST_OPEN = 3_000_000
"""Of these pairs, those that floats may leave open."""

Ints = NDArray[np.int64]
Bits = NDArray[np.uint64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Apex:
    """What the certificate says: the number of cells looked at, and the nodes (cells) without an apex.

    ``exact`` counts the sides of lines that only integers could decide.
    """

    cells: int
    failing: Ints
    exact: int = 0

    @property
    def proved(self) -> bool:
        """Whether every cell has an apex, so that the projection is a homotopy equivalence."""
        return self.failing.size == 0

    def __str__(self) -> str:
        if self.proved:
            return f"proved, an apex at all {self.cells} cells"
        return f"not proved, no apex at {self.failing.size} of {self.cells} cells"


def apex_certificate(arrangement: Arrangement, rows: Bits) -> Apex:
    """Return the apex certificate of the flag complex of the arrangement's edges, whose adjacency is ``rows``.

    Raises ``ValueError`` for more work than is allowed, before it begins. Cost: a few
    nanoseconds for each node in the strip of each triangle.
    """
    n, corners = len(arrangement.points), triangles(arrangement.ends)
    if arrangement.nodes * len(corners) > MOST_WORK:
        raise ValueError(
            f"{arrangement.nodes:,} cells and {len(corners):,} triangles are too many for the apex certificate; take a "
            "smaller β or fewer points"
        )
    star = np.zeros((arrangement.nodes, rows.shape[1]), dtype=np.uint64)
    lines = arrangement.lines
    _stars_of_edges(
        star, n, arrangement.ends, arrangement.run, arrangement.edge_from, arrangement.edge_to, lines.of_edge, corners
    )
    order = np.argsort(arrangement.where[:, 0], kind="stable")
    opened = _stars_of_triangles(
        star,
        n,
        corners,
        arrangement.ends,
        lines.of_edge,
        lines.first,
        lines.second,
        arrangement.sides,
        arrangement.points.near,
        arrangement.points.rest,
        arrangement.crossing,
        arrangement.where,
        arrangement.error,
        order,
        arrangement.on_start,
        arrangement.on_line,
    )
    if len(opened) > MOST_OPEN:
        raise ValueError(
            "too many cells lie too close to edges for floats: many points are nearly on one line. Round the points to "
            "fewer digits, so that they are exactly on it, or take fewer"
        )
    asked = _decide(star, opened, corners, arrangement)
    return Apex(arrangement.nodes, np.flatnonzero(~_have_apex(star, rows, n)), asked)


@njit(cache=True, nogil=True)
def _put(star: Bits, node: int, v: int) -> None:
    star[node, v >> 6] |= np.uint64(1) << np.uint64(v & 63)


@njit(cache=True, nogil=True)
def _stars_of_edges(
    star: Bits, n: int, ends: Ints, run: Ints, edge_from: Ints, edge_to: Ints, of_edge: Ints, corners: Ints
) -> None:
    """Enter the vertices of all edges, and of flat triangles, at the nodes along them."""
    for v in range(n):
        _put(star, v, v)
    for e in range(len(ends)):
        for k in range(edge_from[e], edge_to[e] + 1):
            _put(star, run[k], ends[e, 0])
            _put(star, run[k], ends[e, 1])
    for t in range(len(corners)):
        e, f, g = corners[t]
        if of_edge[e] == of_edge[f]:
            for edge in (e, f, g):
                for k in range(edge_from[edge], edge_to[edge] + 1):
                    for other in (e, f):
                        _put(star, run[k], ends[other, 0])
                        _put(star, run[k], ends[other, 1])


@njit(cache=True, nogil=True)
def _stars_of_triangles(
    star: Bits,
    n: int,
    corners: Ints,
    ends: Ints,
    of_edge: Ints,
    first: Ints,
    second: Ints,
    sides: NDArray[np.int8],
    near: Floats,
    rest: Floats,
    crossing: Ints,
    where: Floats,
    error: Floats,
    order: Ints,
    on_start: Ints,
    on_line: Ints,
) -> Ints:
    """Enter the corners of each triangle at the nodes in it; return (node, triangle, bits of the sides) left open."""
    opened = []
    xs = where[order, 0]
    largest = 0.0  # of the errors that are small; nodes whose place is not known are looked at every time
    for v in range(len(error)):
        if error[v] < 1e-6:
            largest = max(largest, error[v])
    unknown = np.flatnonzero(error >= 1e-6)
    for t in range(len(corners)):
        if len(opened) > MOST_OPEN:
            break
        e, f, g = corners[t]
        if of_edge[e] == of_edge[f]:
            continue
        a, b = ends[e]
        c = ends[f, 0] if ends[f, 0] != a and ends[f, 0] != b else ends[f, 1]
        left, right = min(near[a, 0], near[b, 0], near[c, 0]), max(near[a, 0], near[b, 0], near[c, 0])
        low, high = min(near[a, 1], near[b, 1], near[c, 1]), max(near[a, 1], near[b, 1], near[c, 1])
        start = np.searchsorted(xs, left - largest - UNIT)
        stop = np.searchsorted(xs, right + largest + UNIT, side="right")
        for k in range(start, stop + len(unknown)):
            v = order[k] if k < stop else unknown[k - stop]
            if where[v, 1] < low - error[v] - UNIT or where[v, 1] > high + error[v] + UNIT:
                continue
            inside, open_sides, side = True, 0, 1
            for edge in (e, f, g):
                line = of_edge[edge]
                wanted = sides[line, a + b + c - ends[edge, 0] - ends[edge, 1]]
                here = 0
                if v < n:
                    here = sides[line, v]
                else:
                    px, py = near[first[line]]
                    dx, dy = near[second[line], 0] - px, near[second[line], 1] - py
                    ex, ey = where[v, 0] - px, where[v, 1] - py
                    value = dx * ey - dy * ex
                    size = abs(dx) + abs(dy)
                    allowed = 10 * UNIT * (size + abs(ex) + abs(ey)) + 2 * size * error[v]
                    if value > allowed:
                        here = 1
                    elif value < -allowed:
                        here = -1
                    else:
                        through = False
                        for i in range(on_start[v], on_start[v + 1]):
                            through = through or on_line[i] == line
                        if not through:  # an edge through the node has this line, or nothing is known
                            ab, cd = ends[crossing[v - n, 0]], ends[crossing[v - n, 1]]
                            here = side_of_crossing(near, rest, (first[line], second[line]), ab, cd)
                if here == 2:
                    open_sides |= side
                elif here == -wanted:
                    inside = False
                    break
                side <<= 1
            if inside and open_sides == 0:
                _put(star, v, a)
                _put(star, v, b)
                _put(star, v, c)
            elif inside:
                opened.append((v, t, open_sides))
    found = np.empty((len(opened), 3), dtype=np.int64)
    for k in range(len(opened)):
        found[k, 0], found[k, 1], found[k, 2] = opened[k]
    return found


def _decide(star: Bits, opened: Ints, corners: Ints, arrangement: Arrangement) -> int:
    """Decide in integers which of the open nodes lie in their triangles; return how many signs were needed."""
    lines, ends, count = arrangement.lines, arrangement.ends, len(arrangement.lines)
    first, second = lines.first.tolist(), lines.second.tolist()
    node, triangle, bits = opened.T
    names = ends[corners[triangle]].reshape(-1, 6)
    total = names.sum(axis=1) // 2  # each corner is an end of two sides
    inside, asked = np.ones(len(opened), dtype=bool), 0
    for side in range(3):
        at = np.flatnonzero(bits >> side & 1)
        edge = corners[triangle[at], side]
        line = lines.of_edge[edge]
        keys, back = np.unique(node[at] * count + line, return_inverse=True)
        signs = np.empty(len(keys), dtype=np.int64)
        last, place = -1, (0, 0, 1)
        for k, (v, on) in enumerate(zip((keys // count).tolist(), (keys % count).tolist(), strict=True)):
            if v != last:
                last, place = v, arrangement.exactly(v)
            signs[k] = arrangement.points.side_of(first[on], second[on], place)
        wanted = arrangement.sides[line, total[at] - ends[edge].sum(axis=1)]
        inside[at] &= signs[back] != -wanted
        asked += len(keys)
    _put_all(star, node[inside], names[inside])
    return asked


@njit(cache=True, nogil=True)
def _put_all(star: Bits, node: Ints, names: Ints) -> None:
    for k in range(len(node)):
        for v in names[k]:
            _put(star, node[k], v)


@njit(cache=True, nogil=True)
def _have_apex(star: Bits, rows: Bits, n: int) -> NDArray[np.bool_]:
    """Return for each node whether some vertex is equal or adjacent to all vertices of its star."""
    found = np.zeros(len(star), dtype=np.bool_)
    words = star.shape[1]
    common = np.empty(words, dtype=np.uint64)
    for node in range(len(star)):
        common[:] = ~np.uint64(0)
        for u in range(n):
            if star[node, u >> 6] >> np.uint64(u & 63) & np.uint64(1):
                for word in range(words):
                    own = np.uint64(1) << np.uint64(u & 63) if word == u >> 6 else np.uint64(0)
                    common[word] &= rows[u, word] | own
        for word in range(words):
            found[node] = found[node] or common[word] != 0
    return found
