"""What a loop encloses: a rotation and a Burgers vector, as integers, with the bonds that prove it.

∮du = b counter-clockwise about the line (start to finish, right hand), with u as a function of the present position:
b is minus the sum of the labels along the loop, E = dx − du.
"""

import json
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from workbench import checks
from workbench.shapes.defects import checker
from workbench.shapes.defects.atoms import Atoms, as_atoms
from workbench.shapes.defects.labels import Labelled, label_bonds
from workbench.shapes.defects.lattices import LATTICES
from workbench.shapes.defects.triangles import Triangulation, develop, triangulate, walk_along

MOST_CORNERS = 1000
CIRCLE = 48
FARTHEST = 8
"""Bonds that a detour between two atoms of a loop may take."""


@dataclass(frozen=True, eq=False)
class Holonomy:
    """What a loop encloses.

    ``rotation`` in units of the lattice's own turn (60° in the triangular one), 0 to 5; ``burgers`` integers of the
    lattice in crystal axes, None where a rotation is enclosed (it would depend on where the loop begins);
    ``vector`` (d,) the Burgers vector in space; ``bonds`` how many the loop crosses or goes along; ``path`` (k, d) its
    points, for pictures; ``content`` the certificate.
    """

    rotation: int
    burgers: tuple[int, ...] | None
    vector: NDArray | None
    bonds: int
    path: NDArray
    content: dict[str, Any]

    def document(self) -> str:
        """Return the certificate as JSON, which :func:`check_circuit` sums again without knowing how it was found."""
        return json.dumps(self.content)

    @property
    def degrees(self) -> float:
        """The enclosed angle Ω in degrees, −180 to 180; positive for a wedge cut out."""
        step = 360.0 / self.content["order"]
        r = -self.rotation % self.content["order"]
        return step * (r if r <= self.content["order"] / 2 else r - self.content["order"])


def polygon(atoms: Atoms, loop: ArrayLike | None, at: ArrayLike, radius: float | None) -> NDArray:
    """Return a loop as corners (m, d), counter-clockwise: the one given, or a circle; checked."""
    if loop is None:
        if radius is None:
            raise ValueError("give a loop, corners (m, 2), or the radius of a circle")
        radius = checks.real("radius", radius, exclusive_minimum=0)
        centre = checks.finite_array("at", at, ndim=1)
        if centre.shape != (2,):
            raise ValueError(f"at must be (x, y), got {centre.tolist()}")
        turn = 2 * np.pi * (np.arange(CIRCLE) + 0.37) / CIRCLE
        corners = centre + radius * np.stack([np.cos(turn), np.sin(turn)], 1)
    else:
        corners = checks.finite_array("loop", loop, ndim=2)
        if len(corners) > 3 and np.array_equal(corners[0], corners[-1]):
            corners = corners[:-1]
        if not 3 <= len(corners) <= MOST_CORNERS or corners.shape[1] not in (2, atoms.dimension):
            raise ValueError(f"loop must be 3 to {MOST_CORNERS} corners (m, 2), got shape {corners.shape}")
    after = np.roll(corners, -1, 0)
    area = (corners[:, 0] * after[:, 1] - corners[:, 1] * after[:, 0]).sum()
    if area < 0:
        corners = corners[::-1]
    if corners.shape[1] < atoms.dimension:
        height = np.full((len(corners), 1), atoms.positions[:, 2].mean())
        corners = np.concatenate([corners, height], 1)
    return corners


def holonomy(
    atoms: Atoms | ArrayLike | Triangulation | Labelled,
    loop: ArrayLike | None = None,
    *,
    at: ArrayLike = (0.0, 0.0),
    radius: float | None = None,
    lattice: str = "auto",
) -> Holonomy:
    """Return what a loop encloses, exactly: the rotation and, where there is none, the Burgers vector.

    ``loop`` is a polygon (m, 2), in space at middle height, or (m, 3); without one, a circle of ``radius`` around
    ``at``. It is taken counter-clockwise. A triangular lattice is laid out triangle by triangle and may hold wedges;
    any other goes along bonds that are labelled by lattice vectors. Several loops over the same atoms: hand in
    :func:`triangulate` or :func:`label_bonds` of them. ``ValueError`` for a loop that leaves the crystal or goes
    through a core: the bond that fails is named.

    >>> from workbench import shapes
    >>> made = shapes.insert(shapes.crystal("bcc", 9, line=[1, 1, 1]), "screw")
    >>> found = shapes.holonomy(made, radius=6)
    >>> found.burgers, shapes.check_circuit(found.document()).valid
    ((1, 1, 1), True)
    """
    if isinstance(atoms, Triangulation):
        return _in_triangles(atoms, polygon(atoms.atoms, loop, at, radius))
    if isinstance(atoms, Labelled):
        return _along_bonds(atoms, polygon(atoms.atoms, loop, at, radius))
    found = as_atoms(atoms)
    corners = polygon(found, loop, at, radius)
    if is_triangular(found, lattice):
        return _in_triangles(triangulate(found), corners)
    return _along_bonds(label_bonds(found, lattice), corners)


def is_triangular(atoms: Atoms, lattice: str = "auto") -> bool:
    """Return whether atoms are to be read as a triangular lattice: as said, or most of them have six neighbours."""
    if lattice != "auto":
        return LATTICES[lattice].name == "triangular"
    if atoms.lattice or atoms.dimension == 3:
        return atoms.lattice == "triangular"
    mesh = triangulate(atoms)
    inner = mesh.is_inner
    x = atoms.positions
    longest = np.linalg.norm(x[mesh.triangles] - x[np.roll(mesh.triangles, -1, 1)], axis=2).max(1)
    # a square has four neighbours, and diagonals √2 that make them six or eight
    return bool(inner.any()) and np.median(longest) < 1.25 * atoms.spacing * 1.05


# ---- triangles ------------------------------------------------------------------------------------------------------


def _in_triangles(mesh: Triangulation, corners: NDArray) -> Holonomy:
    return from_walk(mesh, walk_along(mesh, corners))


def from_walk(mesh: Triangulation, walk: NDArray, *, limited: bool = True) -> Holonomy:
    """Return the holonomy of a closed walk of triangles (k, 3); ``limited`` refuses sides that no certificate has."""
    atoms = mesh.atoms
    x = atoms.positions
    sides = np.linalg.norm(x[walk] - x[np.roll(walk, -1, 1)], axis=2)
    for bad in (
        () if not limited else (sides < checker.SHORTEST * atoms.spacing, sides > checker.LONGEST * atoms.spacing)
    ):
        if bad.any():
            k, side = np.argwhere(bad)[0]
            u, v = walk[k, side], walk[k, (side + 1) % 3]
            raise ValueError(
                f"the loop passes the bond of atoms {u} and {v} (counted from 0), which is {sides[k, side]:.3g} long "
                f"where {atoms.spacing:.3g} is the spacing; draw it around the core"
            )
    if limited:
        first, second = x[walk[:, 1]] - x[walk[:, 0]], x[walk[:, 2]] - x[walk[:, 0]]
        twice = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])
        around = sides.prod(1) / (2 * np.maximum(twice, 1e-300)) / atoms.spacing
        if around.max() > checker.WIDEST * (1 - 1e-9):
            u, v, w = walk[int(around.argmax())]
            raise ValueError(
                f"the loop passes between atoms {u}, {v} and {w} (counted from 0), whose circle has a radius of "
                f"{around.max():.2f} spacings: an atom is missing there, or it is a core; draw the loop around it"
            )
        _, counts = np.unique(np.sort(walk[:-1], 1), axis=0, return_counts=True)
        if counts.max() > 1:
            raise ValueError(
                "the loop passes one triangle of atoms twice, so it has not one inside; draw it wider, and let it not "
                "cross itself"
            )
    r, shift = develop(walk)
    burgers = vector = None
    if r == 0:
        axis = 0.0 if atoms.axes is None else float(np.arctan2(atoms.axes[1, 0], atoms.axes[0, 0]))
        if (
            round((_heading(x, walk) - axis) / (np.pi / 3)) % 2
        ):  # a triangle that stands on its tip: begin with the next
            walk = np.concatenate([walk[1:], walk[1:2]])
        sixths = round((_heading(x, walk) - axis) / (np.pi / 3))
        walk = np.roll(walk, -((-sixths // 2) % 3), 1)  # its first side lies along the first axis of the crystal
        _, shift = develop(walk)
        burgers = (-shift[0], -shift[1])
        turn = _heading(x, walk)
        plain = np.array(burgers) @ LATTICES["triangular"].fact("unit") * atoms.spacing
        vector = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ plain
    used, local = np.unique(walk, return_inverse=True)
    content = {
        "format": checker.FORMAT, "version": checker.VERSION, "kind": "triangles", "order": 6,
        "spacing": atoms.spacing, "atoms": x[used].tolist(), "walk": local.reshape(walk.shape).tolist(),
        "rotation": r, "shift": list(shift),
    }  # fmt: skip
    return Holonomy(r, burgers, vector, len(walk) - 1, x[walk].mean(1), content)


def _heading(x: NDArray, walk: NDArray) -> float:
    """Return the angle from the lattice as laid out to space: the mean over the loop, for one triangle may be bent."""
    rows = [tuple(map(int, row)) for row in walk]
    zeta = np.exp(1j * np.pi / 3)
    places = dict(zip(rows[0], (0, 1, zeta), strict=True))
    z = x @ np.array([1, 1j])
    total = 0j
    for row in rows:
        for w in set(row) - set(places):
            k = row.index(w)
            v, u = row[(k + 1) % 3], row[(k + 2) % 3]
            places = {u: places[u], v: places[v], w: places[v] + (places[u] - places[v]) * zeta}
        a, b = row[0], row[1]
        total += (z[b] - z[a]) / (places[b] - places[a])
    return float(np.angle(total))


# ---- labelled bonds -------------------------------------------------------------------------------------------------


def _along_bonds(labelled: Labelled, corners: NDArray) -> Holonomy:
    atoms = labelled.atoms
    stops = _stops(labelled, corners)
    steps: list[int] = []
    for a, b in zip(stops, [*stops[1:], stops[0]], strict=True):
        steps += _path(labelled, a, b)
    if not steps:
        raise ValueError("the loop goes around no atom; draw a larger one")
    taken = np.array(steps)
    total = -labelled.labels[taken].sum(0)
    winds = np.zeros(len(atoms.periods), dtype=int)
    start = labelled.frames[stops[0]]
    if len(atoms.periods):
        moved = labelled.bonds.vectors[taken].sum(0)
        winds = np.rint(np.linalg.lstsq(atoms.periods.T, moved, rcond=None)[0]).astype(int)
    wound = atoms.periods[winds != 0]  # a box around a cluster repeats as well, by no vector of the lattice
    winds = winds[winds != 0]
    named = _period_labels(labelled, start, wound)
    total = total + winds @ named
    unit = LATTICES[labelled.lattice].fact("unit") * atoms.spacing
    burgers = tuple(int(one) for one in total)
    ends = np.cumsum(labelled.bonds.vectors[taken], axis=0)
    path = atoms.positions[stops[0]] + np.concatenate([np.zeros((1, atoms.dimension)), ends])
    return Holonomy(
        0, burgers, start @ (total @ unit), len(taken), path, _document(labelled, taken, wound, winds, named, burgers)
    )


def _stops(labelled: Labelled, corners: NDArray) -> list[int]:
    """Return the atoms (by number) nearest to points along the loop, one after the other."""
    atoms = labelled.atoms
    after = np.roll(corners, -1, 0)
    points = []
    for p, q in zip(corners, after, strict=True):
        count = max(2, int(np.ceil(2 * np.linalg.norm(q - p) / atoms.spacing)))
        points.append(p + (q - p) * np.arange(count)[:, None] / count)
    sampled = np.concatenate(points)
    if len(sampled) > 20_000:
        raise ValueError("the loop is longer than 10,000 spacings; draw a shorter one")
    _, nearest = cKDTree(atoms.positions).query(sampled)
    flat = np.hypot(*(atoms.positions[nearest] - sampled)[:, :2].T)
    if flat.max() > 1.2 * atoms.spacing:
        worst = sampled[int(flat.argmax())]
        raise ValueError(f"the loop leaves the crystal at ({worst[0]:.4g}, {worst[1]:.4g}); draw it inside")
    bad = nearest[~labelled.is_framed[nearest]]
    if len(bad):
        raise ValueError(
            f"the loop passes atom {bad[0]} (counted from 0), whose bonds cannot be named by lattice vectors: it lies "
            "in a core or at a boundary of grains; draw the loop around it"
        )
    keep = nearest[np.concatenate([[True], np.diff(nearest) != 0])].tolist()
    return keep[:-1] if len(keep) > 1 and keep[0] == keep[-1] else keep


def _path(labelled: Labelled, a: int, b: int) -> list[int]:
    """Return the bonds of a shortest way from atom a to atom b; ``ValueError`` if there is none nearby."""
    if a == b:
        return []
    starts, second, good = labelled.starts, labelled.bonds.second, labelled.is_good
    came: dict[int, int] = {a: -1}
    queue = deque([(a, 0)])
    while queue:
        atom, depth = queue.popleft()
        if depth == FARTHEST:
            break
        for bond in range(starts[atom], starts[atom + 1]):
            other = int(second[bond])
            if good[bond] and other not in came:
                came[other] = bond
                if other == b:
                    way = [bond]
                    while (before := came[int(labelled.bonds.first[way[-1]])]) >= 0:
                        way.append(before)
                    return way[::-1]
                queue.append((other, depth + 1))
    raise ValueError(
        f"no way of well-named bonds leads from atom {a} to atom {b} (counted from 0): the bond between them is bad, "
        "so the loop goes through a core; draw it around"
    )


def _period_labels(labelled: Labelled, frame: NDArray, periods: NDArray) -> NDArray:
    """Return the periods as integers of the lattice; ``ValueError`` for one that is no lattice vector here."""
    atoms = labelled.atoms
    unit = LATTICES[labelled.lattice].fact("unit") * atoms.spacing
    found = np.linalg.solve(frame, periods.T).T @ np.linalg.inv(unit)
    named = np.rint(found).astype(np.int64)
    off = np.linalg.norm((found - named) @ unit, axis=1)
    if np.any(off > 0.35 * atoms.spacing):
        raise ValueError(
            "a period is no vector of the lattice near the loop: the cell is strained or turned too much to name it"
        )
    return named


def _document(
    labelled: Labelled, taken: NDArray, wound: NDArray, winds: NDArray, named: NDArray, burgers: tuple[int, ...]
) -> dict[str, Any]:
    """Return the labelled bonds, with what lets a stranger see that every label is the right one."""
    atoms = labelled.atoms
    basis = LATTICES[labelled.lattice].fact("unit").T * atoms.spacing
    nodes = []
    for node in labelled.bonds.first[taken].tolist():
        own = np.arange(labelled.starts[node], labelled.starts[node + 1])
        own = own[labelled.is_good[own]]
        nodes.append(
            {"vectors": labelled.bonds.vectors[own].tolist(), "labels": labelled.labels[own].tolist(),
             "frame": (labelled.frames[node] @ basis).tolist()}
        )  # fmt: skip
    start = atoms.positions[labelled.bonds.first[taken[0]]]
    path = start + np.concatenate([np.zeros((1, atoms.dimension)), labelled.bonds.vectors[taken].cumsum(0)])
    return {
        "format": checker.FORMAT, "version": checker.VERSION, "kind": "bonds", "lattice": labelled.lattice,
        "order": LATTICES[labelled.lattice].fact("order"), "spacing": atoms.spacing, "path": path.tolist(),
        "nodes": nodes, "labels": labelled.labels[taken].tolist(), "periods": wound.tolist(),
        "period_labels": named.tolist(), "winds": winds.tolist(), "burgers": list(burgers),
    }  # fmt: skip
