"""Stage 1 of the contraction: T(d₁, ·) for one triple of orientations, transformed over d₂ and kept for stage 2."""

import math

import numba
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from workbench.fisher import zone
from workbench.fisher.cumulants import Triple

BUFFER = 2**20
"""Bytes of one working block of a thread, chosen to stay in the processor's cache."""
SHARED_ROWS = 8
"""Displacements that are filled together even where their planes leave the cache: what they read is read once."""


def kept_per_momentum(kind: tuple[int, int, int], shape: tuple[int, int]) -> int:
    """Return what stage 1 keeps for each k₂: two numbers a visited displacement, real where legs 0 and 1 are alike."""
    return (16 if kind[0] == kind[1] else 32) * visited(kind, shape)


def visited(kind: tuple[int, int, int], shape: tuple[int, int]) -> int:
    """Return how many displacements d₁ stage 1 visits for one orientation triple."""
    folds = (zone.fold(size, zone.offset(kind[0], kind[1], axis)) for axis, size in enumerate(shape))
    return math.prod(len(fold.representatives) for fold in folds)


class Leg:
    """Stage 1 for one orientation triple: which d₁ are visited and what becomes of them."""

    def __init__(self, source: Triple, kind: tuple[int, int, int], shape: tuple[int, int]) -> None:
        self.source, self.kind, self.shape = source, kind, shape
        a, b, c = kind
        self.folds = [zone.fold(size, zone.offset(a, b, axis)) for axis, size in enumerate(shape)]
        self.last_offset = [zone.offset(a, c, axis) for axis in (0, 1)]
        x, y = np.meshgrid(*(f.representatives for f in self.folds), indexing="ij")
        self.displacements = np.stack([x.ravel(), y.ravel()], axis=1)
        self.halves = [np.exp(1j * np.pi * np.arange(2 * size) / size) for size in shape]

    @property
    def count(self) -> int:
        """Number of displacements d₁ that are visited."""
        return len(self.displacements)

    @property
    def is_alike(self) -> bool:
        """Whether legs 0 and 1 are of one orientation, so that T̂(d₁, k₂) e^(ik₂·(d₁ + δ)/2) is real.

        Exchanging them gives T̂(d₁, k₂) = e^(−ik₂·d₁) T̂(−d₁, k₂), inversion about leg 0 gives T̂(−d₁, k₂) =
        e^(−ik₂·δ) T̂(d₁, k₂)*, with δ the ``last_offset``.
        """
        return self.kind[0] == self.kind[1]

    def batches(self) -> list[slice]:
        """Cut the displacements into pieces that share what they read, and fit the cache where they can."""
        size = max(SHARED_ROWS, BUFFER // (16 * self.shape[0] * self.shape[1]))
        return [slice(i, min(i + size, self.count)) for i in range(0, self.count, size)]

    def transform(self, rows: slice, columns: NDArray, blocks: NDArray, kept: NDArray) -> None:
        """Fill planes of T, transform them over d₂ and keep T̂(d₁, ±k_x, k_y) for the wanted momenta."""
        displacements = self.displacements[rows]
        planes = self.source.planes(displacements, np.empty((len(displacements), *self.shape)))
        found = np.empty((len(planes), self.shape[0], self.shape[1] // 2 + 1), dtype=complex)
        for plane, made in zip(planes, found, strict=True):  # one after the other: each fits the cache
            made[:] = scipy.fft.rfft2(plane, overwrite_x=True)
        at = (columns, blocks, rows.start, self.count)
        if self.is_alike:
            _keep_real(found, *at, displacements + np.array(self.last_offset), *self.halves, kept)
        else:
            _keep(found, *at, kept)


class Kept:
    """What stage 1 leaves for stage 2, block after block of momenta as stage 2 takes them.

    Within one block (count, momenta, ±k_x) is contiguous: stage 2 reads a block from front to back.
    """

    def __init__(self, leg: Leg, longest: int) -> None:
        self.leg = leg
        self.values = np.empty(leg.count * longest * 2, dtype=float if leg.is_alike else complex)

    def block(self, begin: int, end: int) -> NDArray:
        """Return the values (count, end − begin, 2) of one block of momenta."""
        count = self.leg.count
        return self.values[2 * count * begin : 2 * count * end].reshape(count, end - begin, 2)


@numba.njit(nogil=True, cache=True)
def _keep(transformed, columns, blocks, start, count, kept):
    """Put T̂(d₁, ±k_x, k_y) of some d₁, the first of them number ``start``, where :class:`Kept` has them."""
    X = transformed.shape[1]
    for begin, end in blocks:
        for i in range(len(transformed)):
            at = 2 * (count * begin + (start + i) * (end - begin))
            for p in range(begin, end):
                kx, ky = columns[p]
                kept[at] = transformed[i, kx, ky]
                kept[at + 1] = transformed[i, (X - kx) % X, ky]
                at += 2


@numba.njit(nogil=True, cache=True)
def _keep_real(transformed, columns, blocks, start, count, middles, half_x, half_y, kept):
    """As :func:`_keep` where legs 0 and 1 are alike, with the phase e^(ik₂·(d₁ + δ)/2) that makes the values real.

    ``middles`` (B, 2) are d₁ + δ, ``half_x`` and ``half_y`` the roots e^(iπ j/L) for j = 0 … 2L − 1.
    """
    X = transformed.shape[1]
    for begin, end in blocks:
        for i in range(len(transformed)):
            at = 2 * (count * begin + (start + i) * (end - begin))
            for p in range(begin, end):
                kx, ky = columns[p]
                px = half_x[(kx * middles[i, 0]) % len(half_x)]
                py = half_y[(ky * middles[i, 1]) % len(half_y)]
                kept[at] = (transformed[i, kx, ky] * (px * py)).real
                kept[at + 1] = (transformed[i, (X - kx) % X, ky] * (np.conj(px) * py)).real
                at += 2
