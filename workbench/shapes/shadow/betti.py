"""Betti numbers of a flag complex over the field with two elements: collapse first, then count ranks.

An edge whose ends' common neighbours all are, or have as neighbour, one further vertex can be taken out of a flag
complex without changing its homotopy type, and so can a vertex whose neighbours all belong to another one's. What is
left of the complex of a sampled graph is small, and its boundary matrices are reduced in plain integers.
"""

import itertools

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workbench.shapes.shadow.faces import adjacency_bits

MOST_SIMPLICES = 60_000
"""Simplices of one dimension, after collapsing, beyond which Betti numbers are refused."""

Ints = NDArray[np.int64]
Bits = NDArray[np.uint64]


def flag_betti(edges: Ints, n: int) -> tuple[int, int, int]:
    """Return the Betti numbers (b₀, b₁, b₂) over ℤ/2 of the flag complex of n vertices and the edges (E, 2).

    Raises ``ValueError`` if more than :data:`MOST_SIMPLICES` simplices of a dimension survive collapsing.
    Cost: for the complex of a sampled graph about edges × n/64 nanoseconds.
    Collapses: Boissonnat and Pritam, Edge collapse and persistence of flag complexes (2020).

    >>> hexagon = np.array([(i, j) for i in range(6) for j in range(i) if (i - j) % 6 != 3])
    >>> flag_betti(hexagon, 6)
    (1, 0, 1)
    """
    edges = np.asarray(edges, dtype=np.int64).reshape(-1, 2)
    alive, left = collapsed(edges, n)
    new = np.full(n, -1, dtype=np.int64)
    new[alive] = np.arange(len(alive))
    simplices = _cliques(new[left], len(alive))
    ranks = [0, *[_rank(faces, bigger) for faces, bigger in itertools.pairwise(simplices)]]
    counts = [len(level) for level in simplices]
    b0, b1, b2 = (counts[k] - ranks[k] - ranks[k + 1] for k in range(3))
    return b0, b1, b2


def collapsed(edges: Ints, n: int) -> tuple[Ints, Ints]:
    """Return the vertices and edges that are left when dominated ones are taken out, as long as there are any."""
    rows = adjacency_bits(edges, n)
    alive, kept = np.ones(n, dtype=bool), np.ones(len(edges), dtype=bool)
    while _collapse_edges(edges, kept, rows) + _collapse_vertices(alive, rows):
        kept &= alive[edges].all(axis=1)
    return np.flatnonzero(alive), edges[kept]


@njit(cache=True, nogil=True)
def _has(rows: Bits, i: int, j: int) -> bool:
    return bool(rows[i, j >> 6] >> np.uint64(j & 63) & np.uint64(1))


@njit(cache=True, nogil=True)
def _dominates(common: Bits, rows: Bits, w: int) -> bool:
    """Return whether all vertices of ``common`` are, or have as neighbour, w."""
    for word in range(len(common)):
        own = np.uint64(1) << np.uint64(w & 63) if word == w >> 6 else np.uint64(0)
        if common[word] & ~(rows[w, word] | own):
            return False
    return True


@njit(cache=True, nogil=True)
def _collapse_edges(edges: Ints, kept: NDArray[np.bool_], rows: Bits) -> int:
    taken = 0
    for e in range(len(edges)):
        i, j = edges[e]
        if not kept[e] or not _has(rows, i, j):
            kept[e] = False
            continue
        common = rows[i] & rows[j]
        for word in range(len(common)):
            left = common[word]
            while left and kept[e]:
                bit = left & (~left + np.uint64(1))
                left ^= bit
                place = 0
                while bit >> np.uint64(place) != np.uint64(1):
                    place += 1
                if _dominates(common, rows, 64 * word + place):
                    rows[i, j >> 6] &= ~(np.uint64(1) << np.uint64(j & 63))
                    rows[j, i >> 6] &= ~(np.uint64(1) << np.uint64(i & 63))
                    kept[e] = False
                    taken += 1
            if not kept[e]:
                break
    return taken


@njit(cache=True, nogil=True)
def _collapse_vertices(alive: NDArray[np.bool_], rows: Bits) -> int:
    taken = 0
    for v in range(len(alive)):
        if not alive[v]:
            continue
        for w in range(len(alive)):
            if w != v and _has(rows, v, w) and _dominates(rows[v], rows, w):
                for u in range(len(alive)):
                    rows[u, v >> 6] &= ~(np.uint64(1) << np.uint64(v & 63))
                rows[v] = 0
                alive[v] = False
                taken += 1
                break
    return taken


def _cliques(edges: Ints, n: int) -> list[list[tuple[int, ...]]]:
    """Return the simplices of dimensions 0 to 3, each with sorted vertices."""
    above: list[set[int]] = [set() for _ in range(n)]
    for i, j in np.sort(edges, axis=1).tolist():
        above[i].add(j)
    levels: list[list[tuple[int, ...]]] = [[(v,) for v in range(n)]]
    for dimension in range(1, 4):
        level: list[tuple[int, ...]] = []
        for simplex in levels[-1]:
            shared = set.intersection(*(above[v] for v in simplex))
            level += [(*simplex, w) for w in sorted(shared)]
            if len(level) > MOST_SIMPLICES:
                raise ValueError(
                    f"more than {MOST_SIMPLICES} simplices of dimension {dimension} are left of this complex; "
                    "take a smaller β or fewer points"
                )
        levels.append(level)
    return levels


def _rank(faces: list[tuple[int, ...]], simplices: list[tuple[int, ...]]) -> int:
    """Return the rank over ℤ/2 of the boundary from simplices to their faces, each column one integer of bits."""
    place = {face: k for k, face in enumerate(faces)}
    pivots: dict[int, int] = {}
    for simplex in simplices:
        column = 0
        for face in itertools.combinations(simplex, len(simplex) - 1):
            column ^= 1 << place[face]
        while column and (low := column.bit_length()) in pivots:
            column ^= pivots[low]
        if column:
            pivots[column.bit_length()] = column
    return len(pivots)
