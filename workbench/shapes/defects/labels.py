"""Bonds named by lattice vectors: in any lattice, in the plane and in space, with the orientation carried along.

Every atom has a frame F (d, d), which takes lattice vectors to space near it. It is fitted to the atom's neighbours,
starting from the frame of an atom next to it: one orientation for all would be wrong in a bent crystal. A bond is named
by the lattice vector whose image lies nearest, if that is within ``MISFIT`` spacings, clearly nearer than any other,
and the atom at the other end names it by the opposite vector.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from workbench.shapes.defects.atoms import Atoms, as_atoms
from workbench.shapes.defects.lattices import LATTICES

MISFIT = 0.35
TIE = 0.1
"""Spacings by which the second nearest lattice vector must lie farther than the nearest."""
REACH = 1.0 + MISFIT
SEEDS = 12
SEEN_BADLY = 0.25
"""Share of an atom's near neighbours that may go without a name."""
FIT = 3
STRAIN = 0.25
"""Of FᵀF in a first guess: more of it, and a bcc crystal could be called a squeezed fcc one (Bain)."""


@dataclass(frozen=True, eq=False)
class Bonds:
    """All pairs of near atoms, each both ways: ``first``, ``second`` (b,), ``vectors`` (b, d) with periods counted."""

    first: NDArray
    second: NDArray
    vectors: NDArray


def near_pairs(atoms: Atoms, reach: float) -> Bonds:
    """Return the pairs of atoms up to ``reach`` apart, images included: an atom may be its own neighbour."""
    x, periods = atoms.positions, atoms.periods
    counts = [int(np.ceil(reach / np.linalg.norm(period))) for period in periods]
    if counts:
        grid = np.stack(np.meshgrid(*[np.arange(-k, k + 1) for k in counts], indexing="ij"), -1).reshape(
            -1, len(counts)
        )
        shifts = grid @ periods
    else:
        shifts = np.zeros((1, atoms.dimension))
    ghosts = (x[None] + shifts[:, None]).reshape(-1, atoms.dimension)
    found = cKDTree(x).sparse_distance_matrix(cKDTree(ghosts), reach, output_type="ndarray")
    found = found[found["v"] > 1e-9 * atoms.spacing]
    order = np.lexsort((found["j"], found["i"]))
    i, j = found["i"][order], found["j"][order]
    return Bonds(i, j % len(x), ghosts[j] - x[i])


@dataclass(frozen=True, eq=False)
class Labelled:
    """Atoms with frames (n, d, d), NaN where none fits, and bonds with their integer labels (b, d) and ``is_good``."""

    atoms: Atoms
    lattice: str
    frames: NDArray
    bonds: Bonds
    labels: NDArray
    is_good: NDArray

    @cached_property
    def starts(self) -> NDArray:
        """Where the bonds of each atom begin in the list (n + 1,)."""
        return np.searchsorted(self.bonds.first, np.arange(len(self.atoms) + 1))

    @cached_property
    def is_framed(self) -> NDArray:
        """Which atoms (n,) have a frame."""
        return np.isfinite(self.frames[:, 0, 0])


def shell(lattice: str, spacing: float) -> tuple[NDArray, NDArray]:
    """Return the labels (c, d) of a lattice's bonds and the vectors (c, d) that they mean in crystal axes."""
    labels = LATTICES[lattice]()
    return labels, labels @ LATTICES[lattice].fact("unit") * spacing


def _reach(lattice: str, spacing: float) -> float:
    return (float(np.linalg.norm(shell(lattice, 1.0)[1], axis=1).max()) + MISFIT / 2) * spacing


def _padded(bonds: Bonds, chosen: NDArray, n: int) -> tuple[NDArray, NDArray]:
    """Return the bond vectors (m, k, d) of the chosen atoms, and which entries are there."""
    starts = np.searchsorted(bonds.first, np.arange(n + 1))
    counts = starts[chosen + 1] - starts[chosen]
    at = starts[chosen][:, None] + np.arange(max(int(counts.max(initial=0)), 1))
    there = np.arange(at.shape[1]) < counts[:, None]
    return np.where(there, at, 0), there


def _match(
    vectors: NDArray, there: NDArray, frames: NDArray, ideal: NDArray, spacing: float
) -> tuple[NDArray, NDArray]:
    """Return the nearest label of each vector (m, k) and whether it may be used."""
    images = np.einsum("mij,cj->mci", frames, ideal)
    off = np.linalg.norm(vectors[:, :, None] - images[:, None], axis=-1)
    order = np.partition(off, 1, axis=-1)
    nearest = off.argmin(-1)
    good = there & (order[..., 0] <= MISFIT * spacing) & (order[..., 1] - order[..., 0] >= TIE * spacing)
    return nearest, good


def _fit(vectors: NDArray, there: NDArray, frames: NDArray, ideal: NDArray, spacing: float) -> tuple[NDArray, NDArray]:
    """Return frames (m, d, d) fitted to the neighbours, from first guesses, and whether each may be trusted."""
    for _ in range(FIT):
        nearest, good = _match(vectors, there, frames, ideal, spacing)
        chosen = ideal[nearest] * good[..., None]
        gram = np.einsum("mki,mkj->mij", chosen, chosen)
        mixed = np.einsum("mki,mkj->mij", vectors * good[..., None], chosen)
        usable = np.linalg.cond(gram) < 1e6
        gram[~usable] = np.eye(gram.shape[-1])
        fitted = mixed @ np.linalg.inv(gram)
        frames = np.where(usable[:, None, None], fitted, frames)
    nearest, good = _match(vectors, there, frames, ideal, spacing)
    near = there & (np.linalg.norm(vectors, axis=-1) <= 1.2 * spacing)
    unnamed = (near & ~good).sum(1) / np.maximum(near.sum(1), 1)
    doubled = np.zeros(len(frames), dtype=bool)
    for c in range(len(ideal)):
        doubled |= ((nearest == c) & good).sum(1) > 1
    return frames, usable & (unnamed <= SEEN_BADLY) & ~doubled & (good.sum(1) >= len(ideal[0]) + 1)


def guessed_frames(vectors: NDArray, lattice: str, spacing: float) -> tuple[NDArray, float]:
    """Return the frame of one atom from its neighbours (k, d) alone, and how well it fits, 0 to 1.

    Every choice of neighbours as the images of ``d`` lattice vectors that is nearly a rotation is tried.
    """
    _, ideal = shell(lattice, spacing)
    d = vectors.shape[1]
    near = vectors[np.argsort(np.linalg.norm(vectors, axis=1))[: len(ideal)]]
    if len(near) < d:
        return np.eye(d), 0.0
    basis = np.array(_independent(ideal, d))
    picks = np.stack(np.meshgrid(*[np.arange(len(near))] * d, indexing="ij"), -1).reshape(-1, d)
    tried = np.swapaxes(near[picks], 1, 2) @ np.linalg.inv(basis.T)
    strain = np.abs(np.swapaxes(tried, 1, 2) @ tried - np.eye(d)).max((1, 2))
    tried = tried[(strain < STRAIN) & (np.linalg.det(tried) > 0)]
    if not len(tried):
        return np.eye(d), 0.0
    images = np.einsum("mij,cj->mci", tried, ideal)
    off = np.linalg.norm(images[:, :, None] - vectors[None, None], axis=-1)
    matched = off.min(2) <= MISFIT / 2 * spacing
    extra = len(vectors[np.linalg.norm(vectors, axis=1) <= _reach(lattice, spacing)])
    score = matched.sum(1) / max(len(ideal), extra) - 0.1 * off.min(2).mean(1) / spacing
    # of equal fits the one nearest to the axes of space, so that no rounding chooses
    turn = np.trace(tried, axis1=1, axis2=2)
    best = int(np.lexsort((turn, np.round(score, 6)))[-1])
    return tried[best], float(score[best])


def _independent(ideal: NDArray, d: int) -> list[NDArray]:
    found: list[NDArray] = []
    for vector in ideal:
        if np.linalg.matrix_rank(np.array([*found, vector]), tol=1e-6) > len(found):
            found.append(vector)
        if len(found) == d:
            break
    return found


def guess_lattice(atoms: Atoms) -> tuple[str, int, NDArray]:
    """Return the lattice that fits best, the atom that shows it best, and its frame.

    ``ValueError`` if none fits: no atom has three quarters of the neighbours of any lattice.
    """
    names = (
        [atoms.lattice] if atoms.lattice else [n for n, e in LATTICES.items() if e.fact("dimension") == atoms.dimension]
    )
    reach = max(_reach(name, atoms.spacing) for name in names)
    bonds = near_pairs(atoms, reach)
    centre = atoms.positions.mean(0)
    far = np.argsort(((atoms.positions - centre) ** 2).sum(1))
    tried = far[np.unique(np.linspace(0, 0.7 * (len(far) - 1), SEEDS).astype(int))]
    best = (-1.0, "", 0, np.eye(atoms.dimension))
    for name in names:
        for atom in tried.tolist():
            own = bonds.vectors[bonds.first == atom]
            if atoms.axes is not None:
                nearest, good = _match(
                    own[None], np.ones((1, len(own)), dtype=bool), atoms.axes[None], shell(name, atoms.spacing)[1],
                    atoms.spacing,
                )  # fmt: skip
                frame, score = atoms.axes, len(np.unique(nearest[good])) / len(shell(name, 1.0)[0])
            else:
                frame, score = guessed_frames(own, name, atoms.spacing)
            if score > best[0] + 1e-9:
                best = (score, name, atom, frame)
    if best[0] < 0.7:
        raise ValueError(
            f"no lattice fits these atoms: the best, {best[1] or 'none'}, explains {max(best[0], 0):.0%} of the "
            f"neighbours of an atom; known are {', '.join(names)}. Name one if the atoms are shaken, or "
            "give fewer, larger grains"
        )
    return best[1], best[2], best[3]


def label_bonds(atoms: Atoms | ArrayLike, lattice: str = "auto") -> Labelled:
    """Return frames and labels for all atoms, spread from one atom to its neighbours and on; (n) log (n).

    ``ValueError`` if no lattice fits. Atoms in a core, or beyond a large-angle boundary, get no frame or no good bond.
    """
    atoms = as_atoms(atoms)
    known = atoms if lattice == "auto" else replace(atoms, lattice=LATTICES[lattice].name)
    name, seed, guess = guess_lattice(known)
    labels, ideal = shell(name, atoms.spacing)
    n, d = atoms.positions.shape
    bonds = near_pairs(atoms, _reach(name, atoms.spacing))
    frames = np.full((n, d, d), np.nan)
    front, parents = np.array([seed]), guess[None]
    starts = np.searchsorted(bonds.first, np.arange(n + 1))
    while len(front):
        at, there = _padded(bonds, front, n)
        fitted, fine = _fit(bonds.vectors[at], there, parents, ideal, atoms.spacing)
        new = front[fine]
        frames[new] = fitted[fine]
        reached = np.concatenate([bonds.second[starts[i] : starts[i + 1]] for i in new] or [np.zeros(0, dtype=int)])
        source = np.repeat(new, starts[new + 1] - starts[new])
        open_ = np.isnan(frames[reached, 0, 0])
        front, where = np.unique(reached[open_], return_index=True)
        parents = frames[source[open_][where]]
    nearest = np.zeros(len(bonds.first), dtype=np.int64)
    good = np.zeros(len(bonds.first), dtype=bool)
    framed = np.flatnonzero(np.isfinite(frames[:, 0, 0]))
    at, there = _padded(bonds, framed, n)
    named, fine = _match(bonds.vectors[at], there, frames[framed], ideal, atoms.spacing)
    nearest[at[there]], good[at[there]] = named[there], fine[there]
    found = labels[nearest]
    back = _backwards(bonds, atoms)
    good &= (back >= 0) & good[back] & (found == -found[back]).all(1)
    return Labelled(atoms, name, frames, bonds, found, good)


def _backwards(bonds: Bonds, atoms: Atoms) -> NDArray:
    """Return for each bond the number of the same bond from its other end."""
    grid = np.rint(bonds.vectors / (1e-6 * atoms.spacing)).astype(np.int64)
    here = np.lexsort((*grid.T, bonds.second, bonds.first))
    there = np.lexsort((*(-grid).T, bonds.first, bonds.second))
    back = np.empty(len(bonds.first), dtype=np.int64)
    back[here] = there
    return back
