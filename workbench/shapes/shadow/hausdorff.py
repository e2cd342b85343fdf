"""How far a shadow and a graph lie apart: their Hausdorff distance, between two bounds that meet.

The distance to a convex set is a convex function, so on a segment or a triangle it is largest at a corner. For a piece
with corners v and a set that is the union of convex parts s this encloses the farthest point of the piece,

    max_v min_s d(v, s)  ≤  sup_x d(x, set)  ≤  min_s max_v d(v, s),

and halving the pieces whose upper bound exceeds the best lower one brings both together.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workbench import checks
from workbench.shapes.shadow.graphs import Graph
from workbench.shapes.shadow.shadows import Shadow

Floats = NDArray[np.float64]
MOST_TRIANGLES = 200_000
MOST_WORK = 200_000_000
"""Pairs of pieces and parts that are looked at in one round; a second is 50 million."""
ROUNDING = 1e-12
"""By so much of the largest coordinate both bounds are widened, a thousand times what floats lose."""


@dataclass(frozen=True)
class Apart:
    """A distance in [``lower``, ``upper``], and its two sides: the farthest point of the shadow, and of the graph."""

    lower: float
    upper: float
    from_shadow: tuple[float, float]
    from_graph: tuple[float, float]


def hausdorff_distance(shadow: Shadow, graph: Graph, *, tolerance: float = 0.01, work: int = MOST_WORK) -> Apart:
    """Return the Hausdorff distance of a shadow and a graph of the plane, enclosed to ``tolerance`` times β.

    The larger of the distances from the farthest point of either to the other. The theorems promise less than
    β + ξε/2 inside their windows. Raises ``ValueError`` for a graph in space, more than 200,000 triangles, and more
    than ``work`` pairs of triangles and edges of the graph. Cost: 20 ns a pair. The paper: arXiv 2506.01603.

    >>> from workbench import shapes
    >>> border = shapes.Graph([[0, 0], [3, 0], [0, 4]], [[0, 1], [1, 2], [2, 0]])
    >>> found = hausdorff_distance(shapes.rips_shadow(border.vertices, 6.0), border, tolerance=1e-6)
    >>> round(found.lower, 4), round(found.upper, 4)  # of a triangle and its border: the radius of its circle
    (1.0, 1.0)
    """
    if graph.vertices.shape[1] != 2:
        raise ValueError("a shadow lies in the plane; give a graph with vertices (V, 2)")
    tolerance = checks.real("tolerance", tolerance, exclusive_minimum=0) * shadow.beta
    work = checks.integer("work", work, minimum=1)
    lines = graph.vertices[graph.edges]
    triangles = shadow.points[triangles_of(shadow.edges, len(shadow.points))]
    edges = shadow.points[shadow.edges] if len(shadow.edges) else np.repeat(shadow.points[:, None], 2, axis=1)
    if (len(triangles) + len(edges)) * len(lines) > work:
        raise ValueError(
            f"{len(triangles) + len(edges):,} triangles and edges against {len(lines):,} edges of the graph are more "
            f"than {work:,} pairs; take a smaller β"
        )
    bare = np.repeat(shadow.points[:, None], 2, axis=1)  # a point without edges belongs to the shadow as well
    reach = ROUNDING * max(np.abs(shadow.points).max(), np.abs(graph.vertices).max())
    here = [_farthest(pieces, _as_triangles(lines), tolerance) for pieces in (triangles, edges, bare) if len(pieces)]
    shadowed = (max(low for low, _ in here), max(high for _, high in here))
    parts = np.concatenate([_as_triangles(edges), _as_triangles(bare), triangles])
    drawn = _farthest(lines, parts, tolerance)
    sides = [(float(max(low - reach, 0.0)), float(high + reach)) for low, high in (shadowed, drawn)]
    return Apart(max(side[0] for side in sides), max(side[1] for side in sides), sides[0], sides[1])


def triangles_of(edges: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return the triangles (T, 3) of the flag complex of edges (E, 2), i < j, over ``count`` points.

    >>> triangles_of(np.array([[0, 1], [0, 2], [1, 2], [2, 3]]), 4).tolist()
    [[0, 1, 2]]
    """
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    first, second = (np.ascontiguousarray(edges[order, k]) for k in range(2))
    starts = np.searchsorted(first, np.arange(count + 1))
    found = np.empty((MOST_TRIANGLES, 3), dtype=np.int64)
    total = _triangles(starts, first, second, found)
    if total > MOST_TRIANGLES:
        raise ValueError(f"the complex has more than {MOST_TRIANGLES:,} triangles; take a smaller β")
    return found[:total].copy()


def _as_triangles(segments: Floats) -> Floats:
    """Return segments (n, 2, 2) as triangles without an area."""
    return np.concatenate([segments, segments[:, 1:]], axis=1)


def _farthest(pieces: Floats, parts: Floats, tolerance: float) -> tuple[float, float]:
    """Return bounds, at most ``tolerance`` apart, of the farthest point of the pieces (n, k, 2) from the parts."""
    best, ceiling = 0.0, 0.0
    while len(pieces):
        low, high = _bounds(pieces, parts)
        best = max(best, float(low.max()))
        done = high <= best + tolerance
        if done.any():
            ceiling = max(ceiling, float(high[done].max()))
        pieces = _halved(pieces[~done])
    return best, max(best, ceiling)


def _halved(pieces: Floats) -> Floats:
    """Cut every piece through the middle of its longest side."""
    if not len(pieces):
        return pieces
    k = pieces.shape[1]
    sides = [(i, (i + 1) % k) for i in range(k if k > 2 else 1)]
    lengths = np.stack([np.linalg.norm(pieces[:, i] - pieces[:, j], axis=1) for i, j in sides], axis=1)
    longest = lengths.argmax(axis=1)
    halves = []
    for side, (i, j) in enumerate(sides):
        some = pieces[longest == side]
        middle = (some[:, i] + some[:, j]) / 2
        for corner in (i, j):
            half = some.copy()
            half[:, corner] = middle
            halves.append(half)
    return np.concatenate(halves)


@njit(cache=True, nogil=True)
def _triangles(starts, first, second, found):
    # neighbours of i above i are second[starts[i]:starts[i + 1]], ascending: merge those of both ends of each edge
    total = 0
    for e in range(len(first)):
        i, j = first[e], second[e]
        a, b = e + 1, starts[j]
        while a < starts[i + 1] and b < starts[j + 1]:
            if second[a] < second[b]:
                a += 1
            elif second[b] < second[a]:
                b += 1
            else:
                if total == len(found):
                    return total + 1
                found[total, 0], found[total, 1], found[total, 2] = i, j, second[a]
                total += 1
                a += 1
                b += 1
    return total


@njit(cache=True, nogil=True)
def _bounds(pieces, parts):
    count, k = pieces.shape[0], pieces.shape[1]
    low, high = np.empty(count), np.empty(count)
    near = np.empty(k)
    for p in range(count):
        near[:] = np.inf
        least = np.inf
        for s in range(len(parts)):
            worst = 0.0
            for c in range(k):
                d = _squared(pieces[p, c, 0], pieces[p, c, 1], parts[s])
                near[c] = min(near[c], d)
                worst = max(worst, d)
            least = min(least, worst)
        low[p], high[p] = np.sqrt(near.max()), np.sqrt(least)
    return low, high


@njit(cache=True, nogil=True)
def _squared(x, y, part):
    # squared distance to a triangle, which may be a segment: 0 inside, else to the nearest side
    turn = (part[1, 0] - part[0, 0]) * (part[2, 1] - part[0, 1]) - (part[1, 1] - part[0, 1]) * (part[2, 0] - part[0, 0])
    inside = turn != 0.0
    least = np.inf
    for i in range(3):
        j = (i + 1) % 3
        ux, uy = part[j, 0] - part[i, 0], part[j, 1] - part[i, 1]
        vx, vy = x - part[i, 0], y - part[i, 1]
        if (ux * vy - uy * vx) * turn < 0.0:
            inside = False
        length = ux * ux + uy * uy
        t = 0.0 if length == 0.0 else min(max((ux * vx + uy * vy) / length, 0.0), 1.0)
        wx, wy = vx - t * ux, vy - t * uy
        least = min(least, wx * wx + wy * wy)
    return 0.0 if inside else least
