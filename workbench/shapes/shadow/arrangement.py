"""The arrangement of a set of segments between points of the plane, exact: nodes, pieces, faces, and what covers them.

Every decision is combinatorial. Which side of a line a point is on (:mod:`.exact`) says which edges cross; the order of
the crossings along a line comes from floats where their error intervals are apart and from rationals where not, which
also finds crossings that are one point; the order of the pieces round a node is the order of the directions of lines.
Nothing is rounded, moved or merged by a tolerance.
"""

import itertools
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from workbench.shapes.shadow.exact import UNIT, ExactPoints, Lines, sides_of_lines

MOST_CROSSINGS = 1_500_000
"""Crossings of pairs of lines beyond which the arrangement is refused: about a minute and 1 GB."""

MOST_EXACT = 500_000
"""Places along lines whose order only integers decide, beyond which the arrangement is refused."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Arrangement:
    """Nodes and pieces of an arrangement; the first n nodes are the points, the others crossings.

    ``where`` (V, 2) are floats near the nodes in the scale of ``points.near`` and ``error`` (V,) bounds how near.
    ``ends`` (E, 2) are the edges in lexicographic order of their ends. ``run`` are the nodes along the lines, line
    after line (``run_line``) in lexicographic order; edge e covers the places ``edge_from[e]`` … ``edge_to[e]`` of it.
    A piece begins at each place of ``piece`` (S,) and ends at the next. ``on_line[on_start[v]:on_start[v + 1]]`` are
    the lines that have an edge through node v. ``crossing`` (V − n, 2) are two edges that cross at a node.
    """

    points: ExactPoints
    ends: Ints
    lines: Lines
    sides: NDArray[np.int8]
    where: Floats
    error: Floats
    run: Ints
    run_line: Ints
    edge_from: Ints
    edge_to: Ints
    piece: Ints
    on_start: Ints
    on_line: Ints
    crossing: Ints
    exact_decisions: int

    @property
    def tail(self) -> Ints:
        """The lower end of each piece."""
        return self.run[self.piece]

    @property
    def head(self) -> Ints:
        """The upper end of each piece."""
        return self.run[self.piece + 1]

    @property
    def line(self) -> Ints:
        """The line of each piece."""
        return self.run_line[self.piece]

    @property
    def nodes(self) -> int:
        """The number of nodes."""
        return len(self.where)

    @property
    def crossings(self) -> int:
        """The number of nodes that are no given point."""
        return len(self.crossing)

    def exactly(self, node: int) -> tuple[int, int, int]:
        """Return a node as integers (X, Y, W), the point (X/W, Y/W) in the scale of ``points.x``."""
        n = len(self.points)
        return _exactly(self.points, self.ends, self.crossing, node - n) if node >= n else _point(self.points, node)


def _point(points: ExactPoints, p: int) -> tuple[int, int, int]:
    return points.x[p], points.y[p], 1


def _exactly(points: ExactPoints, ends: Ints, crossing: Ints, k: int) -> tuple[int, int, int]:
    (a, b), (c, d) = ends[crossing[k]].tolist()
    return points.crossing(a, b, c, d)


def arrange(points: ExactPoints, edges: Ints) -> Arrangement:
    """Return the arrangement of the edges (E, 2) between different points.

    Raises ``ValueError`` for more than :data:`MOST_CROSSINGS` crossings, counted before any of them is made.
    Cost: E²/2 pairs at 2 ns, and about a microsecond for each crossing.

    >>> square = ExactPoints(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=float))
    >>> made = arrange(square, np.array([[0, 2], [1, 3]]))
    >>> made.nodes, made.crossings, len(made.piece)
    (5, 1, 4)
    """
    edges = np.asarray(edges, dtype=np.int64).reshape(-1, 2)
    downward = points.rank[edges[:, 0]] > points.rank[edges[:, 1]]
    ends = np.where(downward[:, None], edges[:, ::-1], edges)
    lines = Lines(points, ends)
    sides = sides_of_lines(points, lines, ends)
    pairs = _pairs_that_cross(points, ends, lines, sides)
    # Edges of one line overlap: the crossings of two lines are one point, whichever edges make it.
    of = np.sort(lines.of_edge[pairs], axis=1)
    _, kept = np.unique(of[:, 0] * len(lines) + of[:, 1], return_index=True)
    pairs, of = pairs[kept], of[kept]
    where, error = _crossing_points(points.near, ends, pairs)
    where = np.concatenate([points.near.reshape(-1, 2), where])
    error = np.concatenate([np.full(len(points), UNIT), error])
    line, point = np.nonzero(sides == 0)
    new = len(points) + np.arange(len(pairs))
    on, node = np.concatenate([line, of[:, 0], of[:, 1]]), np.concatenate([point, new, new])
    order = _rough_order(points, lines, on, where[node])
    on, node = on[order], node[order]
    name, decided = _settle(points, ends, pairs, on, node, error, _along(points, lines, on, where[node]))
    parts = _cut(len(points), ends, lines, on, name[node], len(where))
    kept = parts.pop("kept")
    return Arrangement(
        points,
        ends,
        lines,
        sides,
        where[kept],
        error[kept],
        **parts,
        crossing=pairs[kept[len(points) :] - len(points)],
        exact_decisions=decided,
    )


def _pairs_that_cross(points: ExactPoints, ends: Ints, lines: Lines, sides: NDArray[np.int8]) -> Ints:
    """Return the pairs of edges that cross in the inside of both, after counting them."""
    if not len(ends):
        return np.empty((0, 2), dtype=np.int64)
    span = np.sort(points.near[ends][:, :, 0], axis=1)
    order = np.argsort(span[:, 0], kind="stable")
    args = (order, span[order], ends, lines.of_edge, sides)
    count = _crossing_pairs(*args, np.empty((0, 2), dtype=np.int64))
    if count > MOST_CROSSINGS:
        raise ValueError(
            f"the {len(ends)} edges have {count} crossings; at most {MOST_CROSSINGS} are arranged. "
            "Take a smaller β or fewer points"
        )
    pairs = np.empty((count, 2), dtype=np.int64)
    _crossing_pairs(*args, pairs)
    return pairs


@njit(cache=True, nogil=True)
def _crossing_pairs(order: Ints, span: Floats, ends: Ints, of_edge: Ints, sides: NDArray[np.int8], out: Ints) -> int:
    """Count the pairs of edges that cross in the inside of both, and write them if ``out`` has room."""
    found = 0
    for p in range(len(order)):
        e = order[p]
        a, b, first = ends[e, 0], ends[e, 1], of_edge[e]
        for q in range(p + 1, len(order)):
            if span[q, 0] > span[p, 1]:  # sorted by their left ends; floats here are monotone in the integers
                break
            f = order[q]
            second = of_edge[f]
            if sides[first, ends[f, 0]] * sides[first, ends[f, 1]] >= 0:
                continue
            if sides[second, a] * sides[second, b] < 0:
                if found < len(out):
                    out[found, 0], out[found, 1] = e, f
                found += 1
    return found


@njit(cache=True, nogil=True)
def _crossing_points(near: Floats, ends: Ints, pairs: Ints) -> tuple[Floats, Floats]:
    """Return floats near the crossings and bounds of their errors (the larger coordinate); 2 where nothing is known."""
    where, error = np.empty((len(pairs), 2)), np.empty(len(pairs))
    for k in range(len(pairs)):
        a, b = ends[pairs[k, 0]]
        c, d = ends[pairs[k, 1]]
        ux, uy = near[b, 0] - near[a, 0], near[b, 1] - near[a, 1]
        vx, vy = near[d, 0] - near[c, 0], near[d, 1] - near[c, 1]
        wx, wy = near[c, 0] - near[a, 0], near[c, 1] - near[a, 1]
        u, v, w = max(abs(ux), abs(uy)), max(abs(vx), abs(vy)), max(abs(wx), abs(wy))
        den, num = ux * vy - uy * vx, wx * vy - wy * vx
        off_den, off_num = 10 * UNIT * (u + v), 10 * UNIT * (w + v)
        if abs(den) <= 2 * off_den:
            where[k] = near[a] + 0.5 * (near[b] - near[a])
            error[k] = 2.0
            continue
        t = min(max(num / den, 0.0), 1.0)
        off = (off_num + off_den) / (abs(den) - off_den) + UNIT
        where[k, 0], where[k, 1] = near[a, 0] + t * ux, near[a, 1] + t * uy
        error[k] = u * off + 8 * UNIT
    return where, error


def _along(points: ExactPoints, lines: Lines, on: Ints, where: Floats) -> Floats:
    """Return how far along its line each place is: the coordinate that changes faster, growing with the line."""
    first, second = points.near[lines.first], points.near[lines.second]
    steep = np.abs(second[:, 1] - first[:, 1]) > np.abs(second[:, 0] - first[:, 0])
    downward = steep & (second[:, 1] < first[:, 1])  # in lexicographic order x never falls, y may
    axis = steep.astype(np.int64)[on]
    return np.where(downward[on], -1.0, 1.0) * where[np.arange(len(on)), axis]


def _rough_order(points: ExactPoints, lines: Lines, on: Ints, where: Floats) -> Ints:
    return np.lexsort((_along(points, lines, on, where), on))


def _settle(
    points: ExactPoints, ends: Ints, pairs: Ints, on: Ints, node: Ints, error: Floats, at: Floats
) -> tuple[Ints, int]:
    """Put what floats leave open into exact order (``node``, in place); return names of nodes, and a count.

    The name of a node is the lowest number among those that are the same point: a crossing at a point gets its name.
    """
    n, total = len(points), len(error)
    same: list[tuple[int, int]] = []
    decided = 0
    known: dict[int, tuple[Fraction, Fraction]] = {}
    chains = _chains(on, at - error[node], at + error[node])
    if np.sum(chains[:, 1] - chains[:, 0]) > MOST_EXACT:
        raise ValueError(
            f"more than {MOST_EXACT} crossings are too close to others for floats: many points are nearly on one line. "
            "Round the points to fewer digits, so that they are exactly on it, or take fewer"
        )
    for start, stop in chains.tolist():
        chain = node[start:stop].tolist()
        for each in chain:
            if each not in known:
                x, y, w = _exactly(points, ends, pairs, each - n) if each >= n else _point(points, each)
                known[each] = (Fraction(x, w), Fraction(y, w))
        chain.sort(key=known.__getitem__)
        node[start:stop] = chain
        decided += len(chain) - 1
        same += [(p, q) for p, q in itertools.pairwise(chain) if known[p] == known[q]]
    if not same:
        return np.arange(total), decided
    first, second = np.array(same).T
    _, label = connected_components(coo_array((np.ones(len(first)), (first, second)), shape=(total, total)), False)
    lowest = np.full(label.max() + 1, total, dtype=np.int64)
    np.minimum.at(lowest, label, np.arange(total))
    return lowest[label], decided


@njit(cache=True, nogil=True)
def _chains(on: Ints, low: Floats, high: Floats) -> Ints:
    """Return the runs (start, stop) on one line whose order is open: no gap between all errors before and all after."""
    size = len(on)
    ahead = low.copy()  # the lowest end of an error interval from here to the end of the line
    for k in range(size - 2, -1, -1):
        if on[k] == on[k + 1]:
            ahead[k] = min(ahead[k], ahead[k + 1])
    found = np.empty((size, 2), dtype=np.int64)
    count = 0
    start = 0
    while start < size:
        stop, reach = start + 1, high[start]
        while stop < size and on[stop] == on[start] and ahead[stop] <= reach:
            reach = max(reach, high[stop])
            stop += 1
        if stop - start > 1:
            found[count, 0], found[count, 1] = start, stop
            count += 1
        start = stop
    return found[:count]


def _cut(n: int, ends: Ints, lines: Lines, on: Ints, node: Ints, total: int) -> dict[str, Ints]:
    """Cut every line at its nodes, keep what an edge covers, and number the nodes anew (``kept``: old names)."""
    fresh = np.ones(len(on), dtype=bool)
    fresh[1:] = (on[1:] != on[:-1]) | (node[1:] != node[:-1])
    on, node = on[fresh], node[fresh]
    edge_from, edge_to = (_places(on, node, n, lines.of_edge, ends[:, side]) for side in range(2))
    starts, stops = (np.bincount(at, minlength=len(on)) for at in (edge_from, edge_to))
    covered = np.cumsum(starts - stops)  # edges over the piece that follows each place
    touched = (covered > 0) | (stops > 0)
    kept = np.unique(np.concatenate([np.arange(n), node[touched]]))
    new = np.full(total, -1, dtype=np.int64)
    new[kept] = np.arange(len(kept))
    through = np.argsort(new[node[touched]], kind="stable")
    return {
        "kept": kept,
        "run": new[node],
        "run_line": on,
        "edge_from": edge_from,
        "edge_to": edge_to,
        "piece": np.flatnonzero(covered > 0),
        "on_start": np.searchsorted(new[node[touched]][through], np.arange(len(kept) + 1)),
        "on_line": on[touched][through],
    }


def _places(on: Ints, node: Ints, n: int, of_edge: Ints, point: Ints) -> Ints:
    """Return the place in the run where each edge's line passes the given point of it."""
    at = np.flatnonzero(node < n)
    keys = on[at] * n + node[at]
    order = np.argsort(keys)
    return at[order[np.searchsorted(keys[order], of_edge * n + point)]]
