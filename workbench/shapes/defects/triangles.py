"""Triangles of a triangular lattice, laid out as equilateral ones: charges of loops in Eisenstein integers.

A vertex is a + bζ with ζ = exp(iπ/3), ζ² = ζ − 1. A walk of triangles, each sharing an edge with the one before, is
unfolded onto the lattice; where it closes, the copy of its first triangle lies turned by ζʳ and shifted by τ. Off the
defects the result is the same for every loop that can be drawn into another: a theorem, not a tolerance.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay

from workbench.shapes.defects.atoms import Atoms, as_atoms

Eisenstein = tuple[int, int]
LARGEST_EDGE = 2.1
"""Spacings: longer edges belong to no bond, and triangles with one lie outside the crystal."""
MOST_STEPS = 20_000


def turned(z: Eisenstein, sixths: int) -> Eisenstein:
    """Return z ζᵏ: a turn by k sixths of a circle.

    >>> turned((1, 0), 1), turned((0, 1), 1), turned((2, 3), 6)
    ((0, 1), (-1, 1), (2, 3))
    """
    a, b = z
    for _ in range(sixths % 6):
        a, b = -b, a + b
    return a, b


@dataclass(frozen=True, eq=False)
class Triangulation:
    """The Delaunay triangles (t, 3) of atoms in the plane, counter-clockwise, those inside the crystal only."""

    atoms: Atoms
    triangles: NDArray

    @cached_property
    def _sides(self) -> tuple[NDArray, NDArray]:
        n = len(self.atoms)
        tri = self.triangles
        keys = (tri * n + np.roll(tri, -1, 1)).T.ravel()  # edges (0,1), (1,2), (2,0)
        order = np.argsort(keys)
        return keys[order], order % len(tri)

    def left_of(self, u: int, v: int) -> int:
        """Return the triangle that has the edge u → v counter-clockwise; −1 if there is none."""
        keys, owner = self._sides
        key = u * len(self.atoms) + v
        k = int(np.searchsorted(keys, key))
        return int(owner[k]) if k < len(keys) and keys[k] == key else -1

    @cached_property
    def degrees(self) -> NDArray:
        """The number of triangles at each atom (n,): its coordination z, inside the crystal."""
        return np.bincount(self.triangles.ravel(), minlength=len(self.atoms))

    @cached_property
    def is_inner(self) -> NDArray:
        """Which atoms (n,) have triangles all around, two bonds deep from the rim of the crystal."""
        keys, _ = self._sides
        n = len(self.atoms)
        u, v = keys // n, keys % n
        position = np.searchsorted(keys, v * n + u)
        there = keys[np.minimum(position, len(keys) - 1)] == v * n + u
        rim = np.zeros(n, dtype=bool)
        rim[u[~there]] = rim[v[~there]] = True
        deep = rim | (self.degrees == 0)
        near = deep.copy()
        near[u[deep[v]]] = True
        near[v[deep[u]]] = True
        return ~near

    @cached_property
    def charges(self) -> NDArray:
        """6 − z of every inner atom (n,), 0 elsewhere: its charge in units of 60°."""
        return np.where(self.is_inner, 6 - self.degrees, 0)


def triangulate(atoms: Atoms | ArrayLike) -> Triangulation:
    """Return the triangles of atoms in the plane; ``ValueError`` for atoms in space."""
    atoms = as_atoms(atoms)
    if atoms.dimension != 2:
        raise ValueError("triangles are of atoms in the plane; in space the circuit goes along labelled bonds")
    x = atoms.positions - atoms.positions.mean(0)
    found = Delaunay(x).simplices
    sides = np.linalg.norm(x[found] - x[np.roll(found, -1, 1)], axis=2)
    found = found[sides.max(1) <= LARGEST_EDGE * atoms.spacing].astype(np.int64)
    first, second = x[found[:, 1]] - x[found[:, 0]], x[found[:, 2]] - x[found[:, 0]]
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    found = found[area != 0]
    flipped = area[area != 0] < 0
    found[flipped] = found[flipped][:, ::-1]
    return Triangulation(atoms, found)


def develop(walk: NDArray) -> tuple[int, Eisenstein]:
    """Return the rotation r (mod 6) and the shift τ of a closed walk of triangles (k, 3), counter-clockwise each.

    The first and the last triangle are the same. ``ValueError`` where two that follow share no edge.

    >>> fan = [[0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 5], [0, 5, 1], [0, 1, 2]]  # around an atom with five neighbours
    >>> develop(np.array(fan))
    (5, (0, 0))
    """
    rows = [tuple(map(int, row)) for row in walk]
    if len(rows) < 2 or set(rows[0]) != set(rows[-1]):
        raise ValueError("the walk must begin and end with the same triangle")
    places: dict[int, Eisenstein] = dict(zip(rows[0], ((0, 0), (1, 0), (0, 1)), strict=True))
    start = dict(places)
    for k, (before, after) in enumerate(pairwise(rows)):
        new = set(after) - set(before)
        if not new:
            continue
        if len(new) > 1:
            raise ValueError(f"triangles {k} and {k + 1} of the walk share no edge")
        (w,) = new
        place = after.index(w)
        v, u = after[(place + 1) % 3], after[(place + 2) % 3]  # the shared edge is v → u in the new triangle
        # the new one lies to the left of v → u: w = v + (u − v) ζ
        dv = (places[u][0] - places[v][0], places[u][1] - places[v][1])
        step = turned(dv, 1)
        places = {u: places[u], v: places[v], w: (places[v][0] + step[0], places[v][1] + step[1])}
    a, b = rows[0][:2]
    way = (places[b][0] - places[a][0], places[b][1] - places[a][1])
    r = next(k for k in range(6) if turned((1, 0), k) == way)
    return r, (places[a][0] - start[a][0], places[a][1] - start[a][1])


def walk_along(mesh: Triangulation, loop: NDArray) -> NDArray:
    """Return the closed walk of triangles (k, 3) that a polygon (m, 2) crosses; first and last are the same.

    ``ValueError`` if the polygon leaves the crystal. An edge of the polygon that meets an atom passes beside it.
    """
    x, tri = mesh.atoms.positions, mesh.triangles
    # shifted by a hair in an odd direction: a corner on an atom or a bond would lie in no triangle
    points = loop + 1e-7 * mesh.atoms.spacing * np.array([0.7548776662466927, 0.5698402909980532])
    points = np.concatenate([points, points[:1]])
    start = current = _containing(x, tri, points[0], mesh.atoms.spacing)
    walk = [current]
    for p, q in pairwise(points):
        for _ in range(MOST_STEPS):
            step = _exit(x, tri[current], p, q)
            if step is None:
                break
            u, v = step
            following = mesh.left_of(v, u)
            if following < 0:
                raise ValueError(
                    f"the loop leaves the crystal between atoms {u} and {v} (counted from 0); draw it inside"
                )
            current = following
            if len(walk) > 1 and walk[-2] == current:
                walk.pop()  # to and fro
            else:
                walk.append(current)
            if len(walk) > MOST_STEPS:
                raise ValueError(f"the loop crosses more than {MOST_STEPS:,} bonds; draw a shorter one")
    if current != start:
        raise ValueError("the loop could not be followed through the triangles; move it a little")
    while len(walk) > 3 and walk[1] == walk[-2]:  # to and fro where it begins
        walk = walk[1:-1]
    return tri[np.array(walk if len(walk) > 1 else [start, start])]


def clusters(mesh: Triangulation) -> list[NDArray]:
    """Return the atoms whose coordination is wrong, grouped: those that share a bond belong together."""
    odd = np.flatnonzero(mesh.charges)
    number = np.full(len(mesh.atoms), -1)
    number[odd] = np.arange(len(odd))
    pairs = np.concatenate([mesh.triangles[:, [k, (k + 1) % 3]] for k in range(3)])
    pairs = number[pairs[(number[pairs] >= 0).all(1)]]
    graph = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(odd), len(odd)))
    _, label = connected_components(graph, directed=False)
    order = np.argsort(label, kind="stable")
    return np.split(odd[order], np.flatnonzero(np.diff(label[order])) + 1) if len(odd) else []


def walk_around(mesh: Triangulation, inside: NDArray) -> NDArray | None:
    """Return the closed walk of triangles (k, 3) around a group of atoms, counter-clockwise, within their triangles.

    None if the triangles at these atoms are no disc, as where a group goes round other atoms and has two rims.
    """
    held = np.isin(mesh.triangles, inside)
    star = np.flatnonzero(held.any(1))
    tri = mesh.triangles[star]
    sides = {(int(u), int(v)) for t in tri for u, v in zip(t, np.roll(t, -1), strict=True)}
    following: dict[int, int] = {}
    for u, v in sides:
        if (v, u) not in sides:
            if u in following:
                return None
            following[u] = v
    if not following or set(following) & set(inside.tolist()):
        return None
    first = u = next(iter(following))
    walk: list[int] = []
    for k in range(len(following)):
        if k and u == first:
            return None  # more than one rim
        v = following[u]
        # the triangles of the star at v, from the edge u → v to the next edge of the rim
        t = mesh.left_of(u, v)
        while True:
            if not walk or walk[-1] != t:
                walk.append(t)
            corner = [int(one) for one in mesh.triangles[t]]
            w = corner[(corner.index(v) + 1) % 3]  # v → w bounds t; beyond it lies the next triangle at v
            if following[v] == w:
                break
            t = mesh.left_of(w, v)
            if t < 0:
                return None
        u = v
    if u != first or len({*walk}) < 3:
        return None
    walk.append(walk[0]) if walk[-1] != walk[0] else None
    return mesh.triangles[np.array(walk)]


def _cross(o: NDArray, a: NDArray, b: NDArray) -> float:
    return float((a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]))


def _containing(x: NDArray, tri: NDArray, point: NDArray, spacing: float) -> int:
    near = np.flatnonzero(((x[tri].mean(1) - point) ** 2).sum(1) < (1.5 * spacing) ** 2)
    for k in near.tolist():
        a, b, c = x[tri[k]]
        if _cross(a, b, point) >= 0 and _cross(b, c, point) >= 0 and _cross(c, a, point) >= 0:
            return k
    raise ValueError(f"the loop begins at ({point[0]:.4g}, {point[1]:.4g}), where there is no crystal; draw it inside")


def _exit(x: NDArray, triangle: NDArray, p: NDArray, q: NDArray) -> tuple[int, int] | None:
    """Return the edge through which the segment p → q leaves a triangle; None if q lies in it."""
    corners = [int(v) for v in triangle]
    for k in range(3):
        u, v = corners[k], corners[(k + 1) % 3]
        # q lies beyond the edge, and the line from p passes between its ends
        if _cross(x[u], x[v], q) < 0 and _cross(p, q, x[u]) <= 0 <= _cross(p, q, x[v]):
            return u, v
    return None
