"""Defects put into a perfect crystal by closed forms: Volterra's cuts with the displacements of an isotropic solid."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.registry import Registry
from workbench.shapes.defects.atoms import LARGEST_INDEX, Atoms
from workbench.shapes.defects.lattices import LATTICES, is_vector

POISSON = 0.3
PUSHED = 0.25
"""Spacings: how far an interstitial pushes what is one spacing away."""
LEAST_BOUNDARY = 2

DEFECTS = Registry("defect")
"""Each entry takes atoms, the place and its own settings, and returns the atoms with the defect."""


def insert(atoms: Atoms, kind: str = "edge", *, at: ArrayLike = (0.0, 0.0), **settings: Any) -> Atoms:
    """Return a crystal with one defect more, its line through ``at`` (x, y).

    ``kind`` is one of ``DEFECTS``: ``edge``, ``screw``, ``mixed`` (``burgers=`` integers of the lattice, ``poisson=``),
    ``boundary`` (``burgers=``, ``apart=`` spacings, ``count=``), ``wedge`` (``degrees=`` 60 cut out or −60 put in),
    ``vacancy``, ``interstitial``. Displacements add up on the perfect sites; a wedge turns the lattice, so it comes
    first and no dislocation after it. ``ValueError`` for atoms that are no made crystal, and for a Burgers vector that
    is no lattice vector.

    >>> from workbench import shapes
    >>> found = shapes.holonomy(insert(shapes.crystal("triangular", 12), "edge", burgers=[1, 0]), radius=8)
    >>> found.burgers, found.rotation
    ((1, 0), 0)
    """
    if atoms.sites is None or atoms.axes is None:
        raise ValueError("defects are put into a crystal that was made by crystal(…); these atoms were not")
    place = checks.finite_array("at", at, ndim=1)
    if place.shape != (2,):
        raise ValueError(f"at must be (x, y), got {place.tolist()}")
    entry = DEFECTS[kind]
    made = entry(atoms, place, **settings)
    return replace(made, done=(*atoms.done, kind))


def _lattice_vector(atoms: Atoms, burgers: ArrayLike) -> tuple[NDArray, NDArray]:
    """Return a Burgers vector as integers and in space."""
    vector = checks.finite_array("burgers", burgers, ndim=1, dtype=np.int64)
    if vector.shape != (atoms.dimension,) or not vector.any() or np.abs(vector).max() > LARGEST_INDEX:
        raise ValueError(
            f"burgers must be {atoms.dimension} whole numbers within ±{LARGEST_INDEX}, not all 0; got {vector.tolist()}"
        )
    if not is_vector(atoms.lattice, vector):
        raise ValueError(
            f"burgers {vector.tolist()} is no vector of the {atoms.lattice} lattice: its integers count half cube "
            "edges, so ½[111] is [1, 1, 1]"
        )
    return vector, atoms.axes @ (vector @ LATTICES[atoms.lattice].fact("unit")) * atoms.spacing


def _displacement(x: NDArray, b: NDArray, poisson: float) -> NDArray:
    """Return u of an isotropic dislocation along z through the origin; b (d,) in space, cut along −b in the plane.

    ∮du = b counter-clockwise. The cut lies in the glide plane, so what slips along it fits again.
    """
    flat = np.hypot(b[0], b[1])
    direction = b[:2] / flat if flat > 1e-9 * np.linalg.norm(b) else np.array([1.0, 0.0])
    along, across = x[:, :2] @ direction, x[:, :2] @ np.array([-direction[1], direction[0]])
    angle, r2 = np.arctan2(across, along), along**2 + across**2
    u = np.zeros_like(x)
    if direction is not None and flat > 1e-9 * np.linalg.norm(b):
        k = 1 / (4 * (1 - poisson))
        first = flat / (2 * np.pi) * (angle + 2 * k * along * across / r2)
        second = -flat / (2 * np.pi) * ((1 - 2 * poisson) * k * np.log(r2) + k * (along**2 - across**2) / r2)
        u[:, 0] = first * direction[0] - second * direction[1]
        u[:, 1] = first * direction[1] + second * direction[0]
    if x.shape[1] == 3:
        u[:, 2] = b[2] * angle / (2 * np.pi)
    return u


def _dislocated(atoms: Atoms, places: NDArray, b: NDArray, poisson: float) -> Atoms:
    if "wedge" in atoms.done:
        raise ValueError(
            "a wedge has turned the lattice, so a Burgers vector has no one direction; leave the wedge out"
        )
    poisson = checks.real("poisson", poisson, minimum=0, maximum=0.5)
    moved = np.array(atoms.positions)
    for place in places:
        x = np.array(atoms.sites)
        x[:, :2] -= place
        # a line through an atom, or a cut along a row of them, would leave to rounding who slips which way
        x[:, :2] += 1e-6 * atoms.spacing * np.array([0.6180, 0.3819])
        moved += _displacement(x / atoms.spacing, b / atoms.spacing, poisson) * atoms.spacing
    return replace(atoms, positions=moved)


def _dislocation(atoms: Atoms, at: NDArray, burgers: ArrayLike | None, poisson: float, kind: str) -> Atoms:
    if atoms.dimension == 2 and kind != "edge":
        raise ValueError(f"a {kind} dislocation needs a crystal in space; in the plane there are edges")
    default = {"edge": (1, 0) if atoms.dimension == 2 else None, "screw": atoms.line}.get(kind)
    if burgers is None and default is None:
        raise ValueError(f"give burgers= of the {kind} dislocation as {atoms.dimension} whole numbers")
    vector, b = _lattice_vector(atoms, default if burgers is None else burgers)
    flat, upright = np.hypot(b[0], b[1]), abs(b[2]) if atoms.dimension == 3 else 0.0
    if kind == "edge" and upright > 1e-9 * atoms.spacing:
        raise ValueError(f"burgers {vector.tolist()} of an edge must stand on the line {list(atoms.line)}; try 'mixed'")
    if kind == "screw" and flat > 1e-9 * atoms.spacing:
        raise ValueError(
            f"burgers {vector.tolist()} of a screw must lie along the line {list(atoms.line)}; try 'mixed'"
        )
    return _dislocated(atoms, at[None], b, poisson)


@DEFECTS.add("edge", label="Edge dislocation", formula=r"\oint du = b \perp t")
def edge(atoms: Atoms, at: NDArray, burgers: ArrayLike | None = None, poisson: float = POISSON) -> Atoms:
    """Slip half a plane by a lattice vector that stands on the line."""
    return _dislocation(atoms, at, burgers, poisson, "edge")


@DEFECTS.add("screw", label="Screw dislocation", formula=r"\oint du = b \parallel t")
def screw(atoms: Atoms, at: NDArray, burgers: ArrayLike | None = None, poisson: float = POISSON) -> Atoms:
    """Slip half a plane along the line."""
    return _dislocation(atoms, at, burgers, poisson, "screw")


@DEFECTS.add("mixed", label="Mixed dislocation", formula=r"\oint du = b")
def mixed(atoms: Atoms, at: NDArray, burgers: ArrayLike | None = None, poisson: float = POISSON) -> Atoms:
    """Slip half a plane by any lattice vector."""
    return _dislocation(atoms, at, burgers, poisson, "mixed")


@DEFECTS.add("boundary", label="Low-angle boundary", formula=r"\theta \approx b / h")
def boundary(
    atoms: Atoms,
    at: NDArray,
    burgers: ArrayLike | None = None,
    poisson: float = POISSON,
    apart: float = 8.0,
    count: int = 3,
) -> Atoms:
    """Stack ``count`` edge dislocations, ``apart`` spacings from each other across their Burgers vector."""
    if atoms.dimension != 2:
        raise ValueError("a boundary is made in the plane")
    _, b = _lattice_vector(atoms, (1, 0) if burgers is None else burgers)
    apart = checks.real("apart", apart, minimum=LEAST_BOUNDARY, maximum=1e3)
    count = checks.integer("count", count, minimum=1, maximum=100)
    across = np.array([-b[1], b[0]]) / np.linalg.norm(b)
    steps = (np.arange(count) - (count - 1) / 2) * apart * atoms.spacing
    return _dislocated(atoms, at + steps[:, None] * across, b, poisson)


@DEFECTS.add("wedge", label="Wedge disclination", formula=r"\Omega = \pm 60^\circ")
def wedge(atoms: Atoms, at: NDArray, degrees: float = 60.0) -> Atoms:
    """Cut out one sector of the lattice's symmetry about an atom (degrees > 0), or put one in (< 0), and close."""
    if atoms.dimension != 2:
        raise ValueError("a wedge is put into a crystal in the plane")
    if atoms.done:
        raise ValueError(f"a wedge turns the lattice, so it must come first; the crystal has {', '.join(atoms.done)}")
    sector = 360.0 / LATTICES[atoms.lattice].fact("order")
    degrees = checks.real("degrees", degrees)
    if abs(degrees) != sector:
        raise ValueError(f"degrees of a wedge in the {atoms.lattice} lattice must be {sector:g} or −{sector:g}")
    sites = atoms.sites
    centre = sites[int(np.argmin(((sites - at) ** 2).sum(1)))]
    z = (sites - centre) @ np.array([1, 1j])
    turn = np.angle(z * np.exp(-1e-3j)) % (2 * np.pi) + 1e-3  # the cut lies just beside a row of atoms
    width = np.radians(sector)
    left = 2 * np.pi - np.radians(degrees)
    if degrees > 0:
        z, turn = z[(turn < left + 1e-3) | (z == 0)], turn[(turn < left + 1e-3) | (z == 0)]
    else:
        extra = (turn < width + 1e-3) & (z != 0)
        z, turn = np.concatenate([z, z[extra]]), np.concatenate([turn, turn[extra] + 2 * np.pi])
    moved = np.abs(z) * np.exp(1j * turn * 2 * np.pi / left) + centre @ np.array([1, 1j])
    places = np.stack([moved.real, moved.imag], 1)
    return replace(atoms, positions=places, sites=places)


def _nearest(atoms: Atoms, at: NDArray) -> int:
    return int(np.argmin(((atoms.positions[:, :2] - at) ** 2).sum(1)))


@DEFECTS.add("vacancy", label="Vacancy", formula=r"b = 0,\ \Omega = 0")
def vacancy(atoms: Atoms, at: NDArray) -> Atoms:
    """Take the nearest atom away."""
    keep = np.arange(len(atoms)) != _nearest(atoms, at)
    return replace(atoms, positions=atoms.positions[keep], sites=atoms.sites[keep])


@DEFECTS.add("interstitial", label="Interstitial", formula=r"b = 0,\ \Omega = 0")
def interstitial(atoms: Atoms, at: NDArray) -> Atoms:
    """Put an atom between three others of the plane, and push what is around it outwards, u = c r̂/r."""
    if atoms.dimension != 2:
        raise ValueError("an interstitial is put into a crystal in the plane")
    nearest = np.argsort(((atoms.positions - at) ** 2).sum(1))[:3]
    new, site = atoms.positions[nearest].mean(0), atoms.sites[nearest].mean(0)
    away = atoms.positions - new
    r2 = (away**2).sum(1, keepdims=True)
    pushed = atoms.positions + PUSHED * atoms.spacing**2 * away / np.maximum(r2, 0.3 * atoms.spacing**2)
    return replace(
        atoms, positions=np.concatenate([pushed, new[None]]), sites=np.concatenate([atoms.sites, site[None]])
    )
