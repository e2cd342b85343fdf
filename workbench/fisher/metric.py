"""The exact Fisher metric of the Ising torus, in space and in momentum space, and the pair functions it is made of.

F_αβ(d) is the covariance of a bond of orientation α with the bond of orientation β at displacement d; F̂(k), its
Fourier transform, is one Hermitian 2×2 matrix for each momentum. In a Gaussian sector the covariance of two bonds is
−det G_αβ(d), G the 2×2 matrix of propagators between their ends; sectors mix by the law of total covariance.
"""

import math
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from workbench.fisher.pfaffian import Sector, sectors
from workbench.fisher.torus import Torus
from workbench.parallel import THREADS

PAIRS = ((0, 0), (0, 1), (1, 1))
"""Orientation pairs that are computed; (1, 0) follows by reversing the displacement."""
SMALLEST_EIGENVALUE = 1e-11


@dataclass(frozen=True)
class SectorPairs:
    """A sector in space: its weight, structure, its excess mean energies (2,), and G_αβ(d) as {(α, β): (2, 2, …)}.

    ``shift`` holds μ_α in this sector minus μ_α of the whole system.
    """

    sector: Sector
    shift: NDArray
    ends: dict[tuple[int, int], NDArray]

    @property
    def weight(self) -> float:
        """Signed weight in the partition function."""
        return self.sector.weight

    def covariance(self, alpha: int, beta: int) -> NDArray:
        """Return ⟨ψψ ψψ⟩ connected = −det G_αβ(d), without the factors 1 − z²."""
        G = self.ends[alpha, beta]
        return G[0, 1] * G[1, 0] - G[0, 0] * G[1, 1]


@dataclass(frozen=True)
class Pairs:
    """All that pairs of bonds know: z, 1 − z², exact mean energies (each (2,)) and the sectors in space."""

    torus: Torus
    z: NDArray
    slope: NDArray
    mean: NDArray
    sectors: list[SectorPairs]


def reverse(values: NDArray) -> NDArray:
    """Return f(−d) on the torus, over the last two axes."""
    return np.roll(values[..., ::-1, ::-1], (1, 1), axis=(-2, -1))


def ends_in_space(sector: Sector, g: NDArray) -> dict[tuple[int, int], NDArray]:
    """Transform the blocks of g(k) between bond ends to displacements."""
    out = {}
    for alpha, beta in PAIRS:
        block = g[2 * alpha : 2 * alpha + 2, 2 * beta : 2 * beta + 2]
        out[alpha, beta] = sector.in_space(block.reshape(4, *sector.torus.shape)).reshape(block.shape)
    return out


def z_and_slope(torus: Torus) -> tuple[NDArray, NDArray]:
    """Return z = tanh J and dz/dJ = 1 − z² = 1/cosh² J for the two orientations."""
    J = np.array([torus.horizontal, torus.vertical])
    return np.tanh(J), 1 / np.cosh(J) ** 2


def pairs(torus: Torus) -> Pairs:
    """Compute every pair function of the torus; O(n log n) time, about 500 bytes a site and sector."""
    z, slope = z_and_slope(torus)
    found = [(sector, ends_in_space(sector, sector.propagator())) for sector in sectors(torus)]
    return assemble(torus, z, slope, found)


def assemble(torus: Torus, z: NDArray, slope: NDArray, found: list) -> Pairs:
    """Fix the exact means and each sector's excess over them."""
    own = np.array([[slope[a] * ends[a, a][0, 1, 0, 0] for a in (0, 1)] for _, ends in found])
    weights = np.array([sector.weight for sector, _ in found])
    centre = weights @ own
    return Pairs(
        torus, z, slope, z + centre, [SectorPairs(s, m - centre, ends) for (s, ends), m in zip(found, own, strict=True)]
    )


def metric_in_space(pairs: Pairs) -> NDArray:
    """Return F_αβ(d) as a real (2, 2, L_x, L_y) array."""
    F = np.zeros((2, 2, *pairs.torus.shape))
    for alpha, beta in PAIRS:
        for s in pairs.sectors:
            connected = pairs.slope[alpha] * pairs.slope[beta] * s.covariance(alpha, beta)
            F[alpha, beta] += s.weight * (connected + s.shift[alpha] * s.shift[beta])
    for alpha in (0, 1):
        F[alpha, alpha, 0, 0] = 1 - pairs.mean[alpha] ** 2  # a bond with itself: σ² = 1
    F[1, 0] = reverse(F[0, 1])
    return F


def to_momentum(values: NDArray) -> NDArray:
    """Return Σ_d f(d) e^{−ik·d} over the last two axes."""
    return scipy.fft.fft2(values, workers=THREADS)


def eigenvalues(momentum_metric: NDArray) -> NDArray:
    """Return the two real eigenvalues of F̂(k), ascending, as (2, L_x, L_y)."""
    h, v = momentum_metric[0, 0].real, momentum_metric[1, 1].real
    centre, radius = (h + v) / 2, np.hypot((h - v) / 2, np.abs(momentum_metric[0, 1]))
    return np.stack([centre - radius, centre + radius])


def check_conditioned(momentum_metric: NDArray) -> None:
    """Refuse a metric so nearly singular that its inverse would be noise."""
    smallest = float(eigenvalues(momentum_metric)[0].min())
    if not smallest > SMALLEST_EIGENVALUE:
        raise ValueError(
            f"the smallest eigenvalue of the Fisher metric is {smallest:.1e}, lost in rounding: at couplings "
            "this strong the bonds are frozen; choose couplings of smaller size"
        )


def inverse(momentum_metric: NDArray) -> NDArray:
    """Return F̂(k)⁻¹ as (2, 2, L_x, L_y)."""
    (a, b), (c, d) = momentum_metric
    determinant = (a * d - b * c).real
    return np.array([[d, -b], [-c, a]]) / determinant


def ferdinand_fisher_slope() -> float:
    """Growth of the row sum Σ_b F_ab for each doubling of L at J_c, (4/π) ln 2 = 0.8825.

    A. Ferdinand and M. Fisher, Phys. Rev. 185 (1969) 832.

    >>> round(ferdinand_fisher_slope(), 4)
    0.8825
    """
    return 4 / math.pi * math.log(2)
