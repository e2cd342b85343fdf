"""Exact Gaussian sectors of the Ising torus: Pfaffians, propagators, and the zero mode that makes J_c harmless.

Z ∝ Σ_s η_s Pf A_s over the four spin structures (periodic or antiperiodic along x and y; η = −1 for both periodic),
with four Grassmann modes R, L, U, D on each site (C. Hurst and H. Green, J. Chem. Phys. 33 (1960) 1059; B. McCoy and
T. T. Wu, *The Two-Dimensional Ising Model*, 1973). Z is linear in each z_e = tanh J_e, so a bond energy acts as
σ_e = z_e + (1 − z_e²) ψ_i ψ_j on its two end modes, and Wick's theorem gives every moment of different bonds from the
propagator g = −A⁻¹.

A sector whose momentum block at a corner of the zone nearly vanishes (k = 0 of the periodic sector, at J_c exactly)
is written as two Gaussian sectors. With A(k) = λ Q + rest, Q = u wᵀ − w uᵀ, a Pfaffian is linear in the rank-two Q:

    Pf(A) · Pf(g_full) = Pf′ · [ (λ − 1/ζ) Pf(g) + (1/ζ) Pf(g + ζ Q/n) ]      for any ζ ≠ 0,

where g inverts the rest only and Pf′ = Pf(A)/λ. Nothing on the right diverges, at any coupling. ζ = √n makes both
terms of the size of their neighbours.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from workbench.fisher.torus import Torus
from workbench.parallel import THREADS

ON_SITE = np.array([[0, 1, -1, -1], [-1, 0, 1, -1], [1, -1, 0, 1], [1, 1, -1, 0]], dtype=float)
"""On-site block of A in the order R, L, U, D."""

STRUCTURES = ((0, 0), (0, 1), (1, 0), (1, 1))
"""Spin structures (x, y): 0 periodic, 1 antiperiodic."""


@dataclass(frozen=True)
class Sector:
    """One Gaussian term of the partition function: a signed weight and the recipe for its propagator.

    ``corner`` is the index of the momentum whose block is replaced by ``block``, or None for the plain inverse.
    Weights of all sectors sum to one; they may be negative.
    """

    torus: Torus
    structure: tuple[int, int]
    weight: float
    corner: tuple[int, int] | None = None
    block: NDArray | None = field(default=None, repr=False)

    def momenta(self) -> tuple[NDArray, NDArray]:
        """Return k_x (L_x, 1) and k_y (1, L_y); an antiperiodic direction is shifted by half a step."""
        kx, ky = (_momenta(size, twist) for size, twist in zip(self.torus.shape, self.structure, strict=True))
        return kx[:, None], ky[None, :]

    def propagator(self) -> NDArray:
        """Return g(k) as a complex (4, 4, L_x, L_y) array in the basis of bond ends.

        Modes 0, 1 are the two ends of the horizontal bond of the site, 2, 3 those of the vertical one, so that a
        bond is a pair of modes at one place. Cost O(n).
        """
        kx, ky = self.momenta()
        a = 1 + math.tanh(self.torus.horizontal) * np.exp(1j * kx)
        b = 1 + math.tanh(self.torus.vertical) * np.exp(1j * ky)
        g = -_inverse(a, b, self.corner)
        if self.corner is not None:
            g[:, :, *self.corner] = self.block
        shift = (None, np.exp(-1j * kx), None, np.exp(-1j * ky))  # L and D ends live one step ahead
        for mode in (1, 3):
            g[:, mode] *= shift[mode]
            g[mode, :] *= shift[mode].conj()
        return g

    def in_space(self, values: NDArray) -> NDArray:
        """Transform real-in-space functions of momentum (…, L_x, L_y) to displacements 0 ≤ d < L, exactly real.

        Two real functions ride on one complex transform, so the leading axis must be even.
        """
        packed = values[0::2] + 1j * values[1::2]
        packed = scipy.fft.fft2(packed, workers=THREADS, overwrite_x=True) / self.torus.sites
        for axis, twist in enumerate(self.structure):
            if twist:
                size = self.torus.shape[axis]
                phase = np.exp(-1j * np.pi * np.arange(size) / size)
                packed *= phase[:, None] if axis == 0 else phase
        out = np.empty(values.shape)
        out[0::2], out[1::2] = packed.real, packed.imag
        return out


def _momenta(size: int, twist: int) -> NDArray:
    return 2 * np.pi * (np.arange(size) + twist / 2) / size


def _inverse(a: NDArray, b: NDArray, singular_corner: tuple[int, int] | None) -> NDArray:
    """Invert every 4×4 block by its Schur complement; a (L_x, 1) and b (1, L_y) are the R–L and U–D entries.

    With p = 1/a, r = 2 Re p, m = 2i Im p the complement is [[−m, b − r], [r − b*, m]], of determinant
    4 (Im p)² + |b − r|². A singular block is left as finite rubbish for the caller to replace.
    """
    p = 1 / a
    r, m = 2 * p.real, 2j * p.imag
    c = b - r
    determinant = 4 * p.imag**2 + np.abs(c) ** 2
    if singular_corner is not None:
        determinant[singular_corner] = 1.0
    s11, s12, s21, s22 = m / determinant, -c / determinant, c.conj() / determinant, -m / determinant
    x = -p.conj()  # P⁻¹ = [[0, x], [p, 0]]
    out = np.empty((4, 4, *determinant.shape), dtype=complex)
    out[2, 2], out[2, 3], out[3, 2], out[3, 3] = s11, s12, s21, s22
    # P⁻¹Q = [[x, −x], [−p, −p]] and RP⁻¹ = [[−p, x], [p, x]]
    u11, u12, u21, u22 = x, -x, -p, -p
    v11, v12, v21, v22 = -p, x, p, x
    out[0, 2], out[0, 3] = -(u11 * s11 + u12 * s21), -(u11 * s12 + u12 * s22)
    out[1, 2], out[1, 3] = -(u21 * s11 + u22 * s21), -(u21 * s12 + u22 * s22)
    out[2, 0], out[2, 1] = -(s11 * v11 + s12 * v21), -(s11 * v12 + s12 * v22)
    out[3, 0], out[3, 1] = -(s21 * v11 + s22 * v21), -(s21 * v12 + s22 * v22)
    out[0, 0], out[0, 1] = -(out[0, 2] * v11 + out[0, 3] * v21), x - (out[0, 2] * v12 + out[0, 3] * v22)
    out[1, 0], out[1, 1] = p - (out[1, 2] * v11 + out[1, 3] * v21), -(out[1, 2] * v12 + out[1, 3] * v22)
    return out


def sectors(torus: Torus) -> list[Sector]:
    """Return the four to eight Gaussian sectors of the torus with weights that sum to one; O(n)."""
    pieces = [piece for structure in STRUCTURES for piece in _pieces(torus, structure)]
    largest = max(log_size for _, log_size, _, _ in pieces)
    raw = [factor * math.exp(log_size - largest) for factor, log_size, _, _ in pieces]
    total = math.fsum(raw)
    return [
        Sector(torus, structure, value / total, *corner)
        for value, (_, _, structure, corner) in zip(raw, pieces, strict=True)
        if value
    ]


def log_partition(torus: Torus) -> float:
    """Return ln Z of the torus, exactly; O(n).

    >>> from workbench.fisher.torus import Torus
    >>> round(log_partition(Torus(4, 4, 0.4, 0.4)), 6)
    14.561093
    """
    pieces = [piece for structure in STRUCTURES for piece in _pieces(torus, structure)]
    largest = max(log_size for _, log_size, _, _ in pieces)
    total = math.fsum(factor * math.exp(log_size - largest) for factor, log_size, _, _ in pieces)
    cosh = math.log(math.cosh(torus.horizontal)) + math.log(math.cosh(torus.vertical))
    return torus.sites * (math.log(2) + cosh) + largest + math.log(total / 2)


def _pieces(torus: Torus, structure: tuple[int, int]) -> list[tuple]:
    """Return (signed factor, log of size, structure, (corner, block)) of the sector or of its two halves."""
    log_rest, corners = _pfaffian_factors(torus, structure)
    sign = -1.0 if structure == (0, 0) else 1.0
    values = {index: 2 - a * b for index, (a, b) in corners.items()}  # Pfaffian of the corner over its value at z = 0
    nearest = min(values, key=lambda index: abs(values[index]), default=None)
    others = [value for index, value in values.items() if index != nearest]
    factor = sign * math.prod(others)
    if nearest is None:
        return [(factor, log_rest, structure, ())]
    planes = _split(*corners[nearest])
    zeta = math.sqrt(torus.sites)
    if abs(planes.low) * zeta > 1:
        return [(factor * values[nearest], log_rest, structure, ())]
    g = planes.propagator
    factor *= -planes.high * planes.orientation
    return [
        (factor * (planes.low - 1 / zeta), log_rest, structure, (nearest, g)),
        (factor / zeta, log_rest, structure, (nearest, g + zeta * planes.plane)),
    ]


def _pfaffian_factors(torus: Torus, structure: tuple[int, int]) -> tuple[float, dict]:
    """Return ½ Σ ln det A(k) without the corners, and {index: (a, b)} of the corners, where A(k) is real."""
    zh, zv = math.tanh(torus.horizontal), math.tanh(torus.vertical)
    cosines = [np.cos(_momenta(size, twist)) for size, twist in zip(torus.shape, structure, strict=True)]
    determinant = (
        (1 + zh**2) * (1 + zv**2)
        - 2 * zh * (1 - zv**2) * cosines[0][:, None]
        - 2 * zv * (1 - zh**2) * cosines[1][None, :]
    )
    real = [_real_momenta(size, twist) for size, twist in zip(torus.shape, structure, strict=True)]
    corners = {
        (i, j): (1 + zh * math.copysign(1, cosines[0][i]), 1 + zv * math.copysign(1, cosines[1][j]))
        for i in real[0]
        for j in real[1]
    }
    for index in corners:
        determinant[index] = 1.0
    return float(np.log(determinant).sum() / 2), corners


def _real_momenta(size: int, twist: int) -> list[int]:
    """Return the indices j whose momentum equals its own negative modulo 2π (k = 0 or π)."""
    return [j for j in range(size) if (2 * j + twist) % size == 0]


def _corner_block(a: float, b: float) -> NDArray:
    block = ON_SITE.copy()
    block[0, 1], block[1, 0], block[2, 3], block[3, 2] = a, -a, b, -b
    return block


@dataclass(frozen=True)
class _Planes:
    """A real corner block A = λ (u wᵀ − w uᵀ) + λ₂ (p qᵀ − q pᵀ) split into its two invariant planes.

    ``low`` = λ, ``high`` = λ₂, ``plane`` = u wᵀ − w uᵀ, ``orientation`` = det[u w p q] (so that Pf A = λ λ₂ ·
    orientation) and ``propagator`` = −(rest)⁻¹ = (p qᵀ − q pᵀ)/λ₂.
    """

    low: float
    high: float
    plane: NDArray
    orientation: float
    propagator: NDArray


def _split(a: float, b: float) -> _Planes:
    block = _corner_block(a, b)
    _, vectors = np.linalg.eigh(block.T @ block)  # doubly degenerate, low plane first, well separated where it matters
    u, w, p, q = vectors.T
    high = float(p @ block @ q)
    return _Planes(
        low=float(u @ block @ w),
        high=high,
        plane=np.outer(u, w) - np.outer(w, u),
        orientation=float(np.linalg.det(vectors)),
        propagator=(np.outer(p, q) - np.outer(q, p)) / high,
    )
