"""Atoms in space: positions, perhaps a lattice that they are known to form, and directions in which they repeat."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from workbench import checks
from workbench.results import Described
from workbench.shapes.defects.lattices import LATTICES, is_vector

MOST_ATOMS = 200_000
LARGEST_INDEX = 50
"""Of a Burgers vector or a line: nobody means more, and a crystal of such a period would not fit."""


@dataclass(frozen=True, eq=False)
class Atoms(Described):
    """Atoms and what is known of them; made by :func:`crystal`, :func:`as_atoms` or :func:`read_atoms`.

    ``positions`` (n, d), d = 2 or 3, ``spacing`` the distance of nearest neighbours, ``periods`` (p, d) the vectors by
    which everything repeats. A crystal that was made knows its ``lattice``, the ``axes`` (d, d) of it in space (columns
    are the crystal's axes), its ``sites`` before anything was displaced, its ``line`` in integers, and what was done.
    """

    positions: NDArray
    spacing: float
    periods: NDArray
    lattice: str = ""
    axes: NDArray | None = None
    sites: NDArray | None = None
    line: tuple[int, ...] = ()
    done: tuple[str, ...] = field(default=())

    @property
    def dimension(self) -> int:
        """2 or 3."""
        return self.positions.shape[1]

    def __len__(self) -> int:
        return len(self.positions)

    def describe(self) -> Any:
        """Return what tells these atoms from others."""
        return {"type": "Atoms", "lattice": self.lattice, "positions": self.positions, "periods": self.periods}

    def shaken(self, noise: float, seed: int | np.random.Generator = 0) -> "Atoms":
        """Return the atoms displaced at random by ``noise`` spacings (standard deviation along each axis)."""
        noise = checks.real("noise", noise, minimum=0, maximum=1)
        shift = noise * self.spacing * checks.generator(seed).normal(size=self.positions.shape)
        return replace(self, positions=self.positions + shift)


def as_atoms(positions: ArrayLike | Atoms, periods: ArrayLike | None = None) -> Atoms:
    """Return atoms at ``positions`` (n, 2) or (n, 3), their spacing the median distance to the nearest neighbour.

    ``periods`` (p, d) are vectors by which the atoms repeat. ``ValueError`` for fewer than 7 atoms, more than 200,000,
    two at one place.

    >>> as_atoms([[0, 0], [1, 0], [0, 1], [1, 1], [2, 0], [2, 1], [0, 2], [2, 2]]).spacing
    1.0
    """
    if isinstance(positions, Atoms):
        return positions
    found = checks.finite_array("positions", positions, ndim=2)
    n, d = found.shape
    if d not in (2, 3):
        raise ValueError(f"positions must be (n, 2) or (n, 3), got shape {found.shape}")
    if not 7 <= n <= MOST_ATOMS:
        raise ValueError(f"{n:,} atoms; give 7 to {MOST_ATOMS:,}, for a crystal needs neighbours")
    repeats = np.zeros((0, d)) if periods is None else checks.finite_array("periods", periods, ndim=2, allow_empty=True)
    if len(repeats) and (repeats.shape[1] != d or np.linalg.matrix_rank(repeats) < len(repeats)):
        raise ValueError(f"periods must be at most {d} independent vectors (p, {d}), got shape {repeats.shape}")
    centred = found - found.mean(0)
    nearest = cKDTree(centred).query(centred, k=2)[0][:, 1]
    spacing = float(np.median(nearest))
    if len(repeats):
        spacing = min(spacing, float(np.linalg.norm(repeats, axis=1).min()))
    if not nearest.min() > 1e-6 * spacing:
        twice = int(np.argmin(nearest))
        raise ValueError(f"two atoms lie at one place: atom {twice} (counted from 0) and another; keep one of them")
    return Atoms(found, spacing, repeats)


def crystal(
    kind: str = "triangular",
    size: float = 20.0,
    *,
    line: ArrayLike | None = None,
    spacing: float = 1.0,
    repeat: int = 1,
) -> Atoms:
    """Return a perfect crystal: a disc of radius ``size`` spacings in the plane, a cylinder of it in space.

    ``kind`` is one of ``LATTICES``. In space ``line`` (three integers, ``[1, 1, 1]`` of bcc by default) is the axis of
    the cylinder, along which it repeats after ``repeat`` shortest lattice vectors. The centre lies between atoms.
    ``ValueError`` for more than 200,000 atoms, or a line that is no direction of the lattice.

    >>> len(crystal("triangular", 10)), len(crystal("bcc", 6, line=[1, 1, 1]))
    (364, 151)
    """
    entry = LATTICES[kind]
    d, unit = entry.fact("dimension"), entry.fact("unit") * checks.real("spacing", spacing, exclusive_minimum=0)
    size = checks.real("size", size, minimum=2, maximum=400)
    repeat = checks.integer("repeat", repeat, minimum=1, maximum=50)
    if d == 2:
        if line is not None:
            raise ValueError("a crystal in the plane has no line; leave it out")
        axes, along, period = np.eye(2), (), np.zeros((0, 2))
    else:
        along = _line(kind, line)
        axes = _upright(np.array(along, dtype=float))
        period = np.array([[0.0, 0.0, repeat * np.linalg.norm(np.array(along) @ unit)]])
    expected = np.pi * (size * spacing) ** 2 * (float(period[0, 2]) if d == 3 else 1.0) / _volume(kind, unit)
    if expected > MOST_ATOMS:
        raise ValueError(
            f"a {kind} crystal of radius {size:g} has about {expected:,.0f} atoms; the most are {MOST_ATOMS:,}"
        )
    return _cut(kind, size * spacing, unit, axes, period, along, spacing)


def _line(kind: str, line: ArrayLike | None) -> tuple[int, ...]:
    given = (1, 1, 1) if line is None and kind == "bcc" else (1, 1, 0) if line is None and kind == "fcc" else line
    vector = checks.finite_array("line", (0, 0, 1) if given is None else given, ndim=1, dtype=np.int64)
    if vector.shape != (3,) or not vector.any() or np.abs(vector).max() > LARGEST_INDEX:
        raise ValueError(f"line must be three whole numbers within ±{LARGEST_INDEX}, not all 0; got {vector.tolist()}")
    vector = vector // np.gcd.reduce(vector)
    if not is_vector(kind, vector):
        vector = 2 * vector
    return tuple(vector.tolist())


def _upright(line: NDArray) -> NDArray:
    """Return the rotation whose last row is the line: it turns crystal axes so that the line stands along z."""
    z = line / np.linalg.norm(line)
    x = np.eye(3)[int(np.argmin(np.abs(z)))]
    x = x - (x @ z) * z
    x = x / np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z])


def _volume(kind: str, unit: NDArray) -> float:
    share = {"bcc": 4.0, "fcc": 2.0}.get(kind, 1.0)  # of the integers only every fourth, every second is an atom
    return share * float(abs(np.linalg.det(unit)))


def _cut(
    kind: str, radius: float, unit: NDArray, axes: NDArray, period: NDArray, line: tuple[int, ...], spacing: float
) -> Atoms:
    d = len(unit)
    height = float(period[0, -1]) if d == 3 else 0.0
    reach = int(np.ceil(np.hypot(radius, height) / np.linalg.svd(unit, compute_uv=False).min())) + 1
    grid = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * d, indexing="ij"), -1).reshape(-1, d)
    if kind == "bcc":
        grid = grid[(grid % 2 == grid[:, :1] % 2).all(1)]
    elif kind == "fcc":
        grid = grid[grid.sum(1) % 2 == 0]
    sites = grid @ unit @ axes.T
    sites[:, :2] -= spacing * np.array([0.2113, 0.1547])  # no atom, no row of atoms at the centre
    keep = (sites[:, :2] ** 2).sum(1) <= radius**2
    if d == 3:
        keep &= (sites[:, 2] >= -1e-9 * spacing) & (sites[:, 2] < height - 1e-9 * spacing)
    sites = sites[keep]
    return Atoms(sites, spacing, period, kind, axes, sites, line)
