"""The faces of an arrangement, and how many triangles of a flag complex cover each: what is left open is a hole.

Walking across a piece of the arrangement changes the number of triangles overhead by those that have an edge along it:
plus the ones on the side that is entered, minus the ones on the side that is left. So the numbers spread from the
outer face, where nothing is overhead, over all faces, in integers, without asking whether a point is in a triangle.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from workbench.shapes.shadow.arrangement import Arrangement

MOST_TRIANGLES = 5_000_000

Ints = NDArray[np.int64]
Bits = NDArray[np.uint64]


@dataclass(frozen=True)
class Faces:
    """The faces of an arrangement under the triangles of a flag complex.

    ``cycle`` (2S,) is the face cycle to the left of each half-edge: half-edge s runs along piece s, S + s against it.
    ``cover`` (F,) counts the triangles over each cycle, ``outer`` (F,) marks the outsides of components.
    ``component`` (V,) is the component of each node, ``merged`` how many components lie under a triangle of another.
    """

    cycle: Ints
    following: Ints
    cover: Ints
    outer: NDArray[np.bool_]
    component: Ints
    merged: int

    @property
    def holes(self) -> Ints:
        """The cycles of the bounded faces that no triangle covers: one for each hole of the shadow."""
        return np.flatnonzero(~self.outer & (self.cover == 0))

    @property
    def pieces(self) -> int:
        """The number of connected components of the shadow."""
        return int(self.component.max(initial=-1)) + 1 - self.merged

    def outlines(self, cycles: Ints, arrangement: Arrangement) -> list[Ints]:
        """Return for each of the given cycles its nodes in order."""
        starts = np.concatenate([arrangement.tail, arrangement.head])
        names, first = np.unique(self.cycle, return_index=True)
        found = []
        for half in first[np.isin(names, cycles)].tolist():
            nodes, at = [int(starts[half])], int(self.following[half])
            while at != half:
                nodes.append(int(starts[at]))
                at = int(self.following[at])
            found.append(np.array(nodes))
        return found


def adjacency_bits(edges: Ints, n: int) -> Bits:
    """Return the adjacency of n points as rows of bits, (n, ⌈n/64⌉)."""
    return _set_bits(edges, np.zeros((n, n // 64 + 1), dtype=np.uint64))


@njit(cache=True, nogil=True)
def _set_bits(edges: Ints, rows: Bits) -> Bits:
    for k in range(len(edges)):
        for i, j in ((edges[k, 0], edges[k, 1]), (edges[k, 1], edges[k, 0])):
            rows[i, j >> 6] |= np.uint64(1) << np.uint64(j & 63)
    return rows


@njit(cache=True, nogil=True)
def triangles_beside(ends: Ints, of_edge: Ints, sides: NDArray[np.int8], rows: Bits) -> tuple[Ints, Ints]:
    """Return how many triangles of the flag complex each edge has to its left and to its right; flat ones count not."""
    left, right = np.zeros(len(ends), dtype=np.int64), np.zeros(len(ends), dtype=np.int64)
    for e in range(len(ends)):
        i, j = ends[e]
        for word in range(rows.shape[1]):
            common = rows[i, word] & rows[j, word]
            while common:
                low = common & (~common + np.uint64(1))
                place = 0
                while low >> np.uint64(place) != np.uint64(1):
                    place += 1
                side = sides[of_edge[e], 64 * word + place]
                if side > 0:
                    left[e] += 1
                elif side < 0:
                    right[e] += 1
                common ^= low
    return left, right


def faces(arrangement: Arrangement, rows: Bits) -> Faces:
    """Return the faces of the arrangement of a flag complex, whose adjacency is ``rows``, with their covers.

    Cost: proportional to the pieces, and to edges × points / 64.
    """
    tail, head, line = arrangement.tail, arrangement.head, arrangement.line
    count = len(tail)
    following = _following(arrangement)
    cycle = _cycles(following)
    ends = arrangement.ends
    left, right = triangles_beside(ends, arrangement.lines.of_edge, arrangement.sides, rows)
    jump = _jumps(arrangement, left - right)
    total = arrangement.nodes
    _, component = connected_components(coo_array((np.ones(count), (tail, head)), shape=(total, total)), False)
    component = component.astype(np.int64)
    first, base, merged = _starts(arrangement, component, ends, rows)
    outer_half = _outer_halves(arrangement, first)
    number = int(cycle.max(initial=-1)) + 1
    outer = np.zeros(number, dtype=bool)
    outer[cycle[outer_half[outer_half >= 0]]] = True
    cover = np.full(number, -1, dtype=np.int64)
    for half, over in zip(outer_half.tolist(), base.tolist(), strict=True):
        if half >= 0:
            cover[cycle[half]] = over
    _spread(cycle, jump, cover)
    made = Faces(cycle, following, cover, outer, component, merged)
    _look_over(made, total, count, line)
    return made


def _following(arrangement: Arrangement) -> Ints:
    """Return for each half-edge the next one round the face on its left."""
    tail, head, line = arrangement.tail, arrangement.head, arrangement.line
    count, turn = len(tail), arrangement.lines.directions
    start = np.concatenate([tail, head])  # a piece goes out of its tail forward and out of its head backward
    rank = arrangement.lines.rank[line]
    angle = np.concatenate([rank, rank + turn])
    order = np.lexsort((angle, start))
    place = np.empty(2 * count, dtype=np.int64)
    place[order] = np.arange(2 * count)
    degree = np.bincount(start, minlength=arrangement.nodes)
    begin = np.concatenate([[0], np.cumsum(degree)])[:-1]
    twin = np.concatenate([np.arange(count, 2 * count), np.arange(count)])
    at = place[twin]  # arriving, turn to the next half-edge clockwise from where one came
    node = start[twin]
    return order[begin[node] + (at - begin[node] - 1) % degree[node]]


@njit(cache=True, nogil=True)
def _cycles(following: Ints) -> Ints:
    cycle = np.full(len(following), -1, dtype=np.int64)
    count = 0
    for first in range(len(following)):
        if cycle[first] < 0:
            half = first
            while cycle[half] < 0:
                cycle[half] = count
                half = following[half]
            count += 1
    return cycle


def _jumps(arrangement: Arrangement, weight: Ints) -> Ints:
    """Return for each piece the triangles on its left minus those on its right, over all edges along it."""
    change = np.zeros(len(arrangement.run) + 1, dtype=np.int64)
    np.add.at(change, arrangement.edge_from, weight)
    np.add.at(change, arrangement.edge_to, -weight)
    return np.cumsum(change)[arrangement.piece]


def _starts(arrangement: Arrangement, component: Ints, ends: Ints, rows: Bits) -> tuple[Ints, Ints, int]:
    """Return each component's lowest point, how many triangles of others lie over it, and how many components merge."""
    n = len(arrangement.points)
    number = int(component.max(initial=-1)) + 1
    order = np.argsort(arrangement.points.rank, kind="stable")
    _, at = np.unique(component[order], return_index=True)
    first = order[at]
    base = np.zeros(number, dtype=np.int64)
    if number == 1 or not len(ends):
        return first, base, 0
    corners = triangles(ends)
    joined = []
    lines, sides = arrangement.lines, arrangement.sides
    for own, p in enumerate(first.tolist()):
        over = _triangles_over(p, own, component[:n], corners, ends, lines.of_edge, sides, arrangement.points.near)
        base[own] = len(over)
        joined += [(own, int(component[a])) for a in over]
    pairs = np.array(joined, dtype=np.int64).reshape(-1, 2)
    together, _ = connected_components(
        coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(number, number)), False
    )
    return first, base, number - int(together)


def triangles(ends: Ints) -> Ints:
    """Return the triangles of a flag complex as its three edges (T, 3): those of corners ab, bc and ac.

    Edges may stand in any order and direction. Cost: the sum of the smaller degrees over the edges.
    """
    n = int(ends.max(initial=-1)) + 1
    low, high = np.sort(ends, axis=1).T
    order = np.lexsort((high, low))
    begin = np.searchsorted(low[order], np.arange(n + 1))
    args = (low[order], high[order], begin, order)
    count = _triangles(*args, np.empty((0, 3), dtype=np.int64))
    if count > MOST_TRIANGLES:
        raise ValueError(f"{count} triangles; at most {MOST_TRIANGLES} are listed. Take a smaller β or fewer points")
    found = np.empty((count, 3), dtype=np.int64)
    _triangles(*args, found)
    return found


@njit(cache=True, nogil=True)
def _triangles(low: Ints, high: Ints, begin: Ints, name: Ints, out: Ints) -> int:
    count = 0
    for e in range(len(low)):
        a, b = low[e], high[e]
        p, q = e + 1, begin[b]
        while p < begin[a + 1] and q < begin[b + 1]:
            if high[p] < high[q]:
                p += 1
            elif high[p] > high[q]:
                q += 1
            else:
                if count < len(out):
                    out[count, 0], out[count, 1], out[count, 2] = name[e], name[q], name[p]
                count += 1
                p += 1
                q += 1
    return count


@njit(cache=True, nogil=True)
def _triangles_over(
    p: int,
    own: int,
    component: Ints,
    corners: Ints,
    ends: Ints,
    of_edge: Ints,
    sides: NDArray[np.int8],
    near: NDArray[np.float64],
) -> Ints:
    """Return a corner of each triangle of another component with point p inside."""
    found = []
    for t in range(len(corners)):
        e, f, g = corners[t]
        a, b = ends[e]
        if component[a] == own:
            continue
        c = ends[f, 0] if ends[f, 0] != a and ends[f, 0] != b else ends[f, 1]
        if max(near[a, 0], near[b, 0], near[c, 0]) < near[p, 0] or min(near[a, 0], near[b, 0], near[c, 0]) > near[p, 0]:
            continue
        inside = True
        for edge in (e, f, g):
            opposite = a + b + c - ends[edge, 0] - ends[edge, 1]
            here = sides[of_edge[edge], p]
            inside = inside and here != 0 and here == sides[of_edge[edge], opposite]
        if inside:
            found.append(a)
    return np.array(found, dtype=np.int64)


def _outer_halves(arrangement: Arrangement, first: Ints) -> Ints:
    """Return for each component a half-edge with the outside on its left, −1 for a lone point.

    At its lowest point in lexicographic order every piece goes to the right, forward; beyond the last of them counter-
    clockwise lies the outside.
    """
    found = np.full(len(first), -1, dtype=np.int64)
    own = {int(p): k for k, p in enumerate(first)}
    rank = arrangement.lines.rank[arrangement.line]
    is_first = np.isin(arrangement.tail, first)
    for s in np.flatnonzero(is_first).tolist():
        k = own[int(arrangement.tail[s])]
        if found[k] < 0 or rank[s] > rank[found[k]]:
            found[k] = s
    return found


@njit(cache=True, nogil=True)
def _spread(cycle: Ints, jump: Ints, cover: Ints) -> None:
    """Spread the covers from the outer cycles over all others, across the pieces."""
    count = len(jump)
    size = len(cover)
    degree = np.zeros(size + 1, dtype=np.int64)
    for half in range(2 * count):
        degree[cycle[half] + 1] += 1
    begin = np.cumsum(degree)
    halves = np.empty(2 * count, dtype=np.int64)
    fill = begin[:-1].copy()
    for half in range(2 * count):
        halves[fill[cycle[half]]] = half
        fill[cycle[half]] += 1
    waiting = np.empty(size, dtype=np.int64)
    top = 0
    for c in range(size):
        if cover[c] >= 0:
            waiting[top] = c
            top += 1
    while top > 0:
        top -= 1
        c = waiting[top]
        for k in range(begin[c], begin[c + 1]):
            half = halves[k]
            # left of the piece = right of it + jump; the half-edge against it has the right side on its left
            other = cycle[half + count] if half < count else cycle[half - count]
            value = cover[c] - jump[half] if half < count else cover[c] + jump[half - count]
            if cover[other] == -1:
                cover[other] = value
                waiting[top] = other
                top += 1


def _look_over(made: Faces, nodes: int, pieces: int, line: Ints) -> None:
    """Raise ``RuntimeError`` if Euler's relation or the covers are broken: then this module has a fault."""
    components = int(made.component.max(initial=-1)) + 1
    bounded = int(np.count_nonzero(~made.outer))
    if bounded != pieces - nodes + components or np.any(made.cover < 0):
        raise RuntimeError(
            f"the arrangement contradicts itself ({nodes} nodes, {pieces} pieces on {len(np.unique(line))} lines, "
            f"{bounded} faces, {components} components); please report the points that led here"
        )
