"""Which displacements and momenta have to be visited, and how the reflections of the torus give the rest.

A bond sits half a step from its site, so the reflection that fixes a bond of orientation α sends a bond of
orientation β at d to δ − d, δ = 2 (s_α − s_β) ∈ {−1, 0, 1}. In momentum space all four reflections and, on an
isotropic torus, the swap of x and y, act on k alone.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.fisher.torus import Torus


def offset(alpha: int, beta: int, axis: int) -> int:
    """Return δ along an axis: twice the difference of the half-steps of the two orientations.

    >>> offset(0, 1, axis=0), offset(0, 1, axis=1), offset(0, 0, axis=0)
    (1, -1, 0)
    """
    return int(alpha == axis) - int(beta == axis)


@dataclass(frozen=True)
class Folding:
    """One axis of displacements folded by d → δ − d: the representatives, and for each d its representative's index
    and whether it is the reflected one."""

    representatives: NDArray
    index: NDArray
    flipped: NDArray


def fold(size: int, delta: int) -> Folding:
    """Fold the displacements 0 … size − 1 by the reflection d → delta − d."""
    d = np.arange(size)
    lower = np.minimum(d, (delta - d) % size)
    representatives, index = np.unique(lower, return_inverse=True)
    return Folding(representatives, index, d != lower)


@dataclass(frozen=True)
class Momenta:
    """The momenta k₂ that are visited.

    ``kx``, ``ky`` (P,) indices; ``mirror`` (P,) the place of (k_y, k_x) in this list on an isotropic torus, else None;
    ``starts`` cut the list into units that must stay together.
    """

    kx: NDArray
    ky: NDArray
    mirror: NDArray | None
    starts: NDArray


def momenta(torus: Torus) -> Momenta:
    """List a quarter of the zone; on an isotropic torus (k_x, k_y) and (k_y, k_x) stand side by side."""
    nx, ny = (size // 2 + 1 for size in torus.shape)
    if not torus.isotropic:
        kx, ky = (grid.ravel() for grid in np.meshgrid(np.arange(nx), np.arange(ny), indexing="ij"))
        return Momenta(kx, ky, None, np.append(np.arange(0, len(kx), 2), len(kx)))
    listed, mirror, starts = [], [], [0]
    for i in range(nx):
        for j in range(i + 1):
            at = len(listed)
            listed += [(i, j)] if i == j else [(i, j), (j, i)]
            mirror += [at] if i == j else [at + 1, at]
            starts.append(len(listed))
    kx, ky = np.array(listed).T
    return Momenta(kx, ky, np.array(mirror), np.array(starts))


def blocks(starts: NDArray, largest: int) -> list[tuple[int, int]]:
    """Cut a list into consecutive blocks of at most ``largest`` entries (but at least one unit) at allowed places."""
    out, begin = [], 0
    for previous, end in itertools.pairwise(starts):
        if end - begin > largest and previous > begin:
            out.append((begin, int(previous)))
            begin = int(previous)
    out.append((begin, int(starts[-1])))
    return out


def unfold(values: NDArray, where: Momenta, torus: Torus) -> NDArray:
    """Spread values on the visited momenta over the whole zone (L_x, L_y)."""
    quarter = np.zeros([size // 2 + 1 for size in torus.shape])
    quarter[where.kx, where.ky] = values
    folded = [np.minimum(np.arange(size), size - np.arange(size)) for size in torus.shape]
    return quarter[np.ix_(*folded)]
