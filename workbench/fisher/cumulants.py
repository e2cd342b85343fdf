"""Exact third cumulants of bond energies on the torus, plane by plane.

For bonds a = (0, α), b = (d₁, β), c = (d₂, γ), with H_αβ(d) = G_αβ(d) ε and ε = [[0, 1], [−1, 0]], Wick's theorem
leaves in each Gaussian sector the connected triangle

    ⟨a b c⟩ connected = −(1−z_α²)(1−z_β²)(1−z_γ²) tr[ H_γα(−d₂) H_αβ(d₁) H_βγ(d₂−d₁) ],

eight products. Sectors mix by the law of total cumulance, which adds functions of a single displacement. Where two of
the bonds coincide σ² = 1 gives T_aab = −2 μ_a F_ab instead.
"""

from dataclasses import dataclass

import numba
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench import checks, results
from workbench.fisher import metric
from workbench.fisher.metric import Pairs, SectorPairs
from workbench.fisher.torus import J_CRITICAL, torus

LETTERS = {"h": 0, "v": 1}


@dataclass(frozen=True)
class Triple:
    """Everything :func:`planes` needs for one triple of orientations; S sectors, 2×2 matrices flattened to 4.

    ``first`` H_αβ(d₁), ``second`` −w Π(1−z²) H_γα(−d₂) and ``third`` H_βγ(d): (S, L_x, 4, L_y); ``signs`` (S, 2):
    −1 where the sector is antiperiodic; ``of_d1``, ``of_d2``, ``of_difference``: sector mixing; ``metric_12``,
    ``metric_13`` and ``means``: for coinciding bonds, which ``same`` (12, 13, 23) allows.
    """

    first: NDArray
    second: NDArray
    third: NDArray
    signs: NDArray
    of_d1: NDArray
    of_d2: NDArray
    of_difference: NDArray
    metric_12: NDArray
    metric_13: NDArray
    means: NDArray
    same: NDArray

    def planes(self, displacements: NDArray, out: NDArray) -> NDArray:
        """Fill ``out`` (B, L_x, L_y) with T(d₁, d₂) over all d₂ for each row d₁ of ``displacements`` (B, 2)."""
        _planes(
            displacements, self.first, self.second, self.third, self.signs, self.of_d1, self.of_d2,
            self.of_difference, self.metric_12, self.metric_13, self.means, self.same, out,
        )  # fmt: skip
        return out


def triple(pairs: Pairs, space_metric: NDArray, orientations: tuple[int, int, int]) -> Triple:
    """Prepare the cumulants of one orientation triple (0 horizontal, 1 vertical); O(n) memory and time."""
    a, b, c = orientations
    weight = -np.prod(pairs.slope[list(orientations)])
    first, second, third, signs = [], [], [], []
    for s in pairs.sectors:
        first.append(_times_epsilon(_ends(s, a, b)))
        second.append(weight * s.weight * _times_epsilon(-_ends(s, a, c).transpose(1, 0, 2, 3)))
        third.append(_times_epsilon(_ends(s, b, c)))
        signs.append([-1.0 if twist else 1.0 for twist in s.sector.structure])
    constant = sum(s.weight * s.shift[a] * s.shift[b] * s.shift[c] for s in pairs.sectors)
    return Triple(
        np.array(first),
        np.array(second),
        np.array(third),
        np.array(signs),
        _mixing(pairs, a, b, c) + constant,
        _mixing(pairs, a, c, b),
        _mixing(pairs, b, c, a),
        space_metric[a, b],
        space_metric[a, c],
        np.array([pairs.mean[a], pairs.mean[b]]),
        np.array([a == b, a == c, b == c]),
    )


def _ends(s: SectorPairs, alpha: int, beta: int) -> NDArray:
    """Return G_αβ(d) for either order of orientations; G_βα(d) = −G_αβ(−d)ᵀ, with the sign of a twisted border."""
    if (alpha, beta) in s.ends:
        return s.ends[alpha, beta]
    reversed_ = -metric.reverse(s.ends[beta, alpha]).transpose(1, 0, 2, 3)
    for axis, twist in enumerate(s.sector.structure):
        if twist:
            inside = np.ones(reversed_.shape[2 + axis])
            inside[1:] = -1
            reversed_ = reversed_ * (inside[:, None] if axis == 0 else inside)
    return reversed_


def _times_epsilon(G: NDArray) -> NDArray:
    return np.stack([-G[0, 1], G[0, 0], -G[1, 1], G[1, 0]], axis=1)


def _mixing(pairs: Pairs, a: int, b: int, other: int) -> NDArray:
    """Return Σ_s w_s Cov_s(a, b)(d) · (μ_other in s − μ_other)."""
    out = np.zeros(pairs.torus.shape)
    for s in pairs.sectors:
        covariance = s.covariance(a, b) if a <= b else metric.reverse(s.covariance(b, a))
        out += s.weight * s.shift[other] * pairs.slope[a] * pairs.slope[b] * covariance
    return out


@numba.njit(nogil=True, cache=True, fastmath={"contract"})
def _planes(
    displacements, first, second, third, signs, of_d1, of_d2, of_difference, metric_12, metric_13, means, same, out
):  # fmt: skip
    """Rows of d₂ outermost: neighbouring d₁ then share the same two rows of every sector in the fastest cache."""
    S, X, _, Y = second.shape
    for x in range(X):
        for i in range(len(displacements)):
            x1, y1 = displacements[i]
            dx = x - x1 if x >= x1 else x - x1 + X
            row = out[i, x]
            for y in range(y1):
                row[y] = of_d1[x1, y1] + of_d2[x, y] + of_difference[dx, y - y1 + Y]
            for y in range(y1, Y):
                row[y] = of_d1[x1, y1] + of_d2[x, y] + of_difference[dx, y - y1]
            for s in range(S):
                sign = 1.0 if x >= x1 else signs[s, 0]
                _row(row[y1:], first[s, x1, :, y1], sign, second[s, x], y1, third[s, dx], 0)
                sign *= signs[s, 1]
                _row(row[:y1], first[s, x1, :, y1], sign, second[s, x], 0, third[s, dx], Y - y1)
    for i in range(len(displacements)):
        x1, y1 = displacements[i]
        if same[0] and x1 == 0 and y1 == 0:
            out[i] = -2 * means[0] * metric_13
        else:
            if same[1]:
                out[i, 0, 0] = -2 * means[0] * metric_12[x1, y1]
            if same[2]:
                out[i, x1, y1] = -2 * means[1] * metric_12[x1, y1]


@numba.njit(nogil=True, cache=True, fastmath={"contract"})
def _row(row, first, sign, k, k_from, h, h_from):
    """Add sign · tr(k · first · h) along one row, k and h (4, L_y) read from ``k_from`` and ``h_from`` on.

    The eight rows are cut out one by one: so the compiler knows that they are contiguous and uses vectors.
    """
    n = len(row)
    m0, m1, m2, m3 = sign * first[0], sign * first[1], sign * first[2], sign * first[3]
    k0, k1, k2, k3 = k[0, k_from:], k[1, k_from:], k[2, k_from:], k[3, k_from:]
    h0, h1, h2, h3 = h[0, h_from:], h[1, h_from:], h[2, h_from:], h[3, h_from:]
    for y in range(n):
        row[y] += (
            (k0[y] * m0 + k1[y] * m2) * h0[y]
            + (k0[y] * m1 + k1[y] * m3) * h2[y]
            + (k2[y] * m0 + k3[y] * m2) * h1[y]
            + (k2[y] * m1 + k3[y] * m3) * h3[y]
        )


@results.experiment
def third_cumulant(
    L: int | tuple[int, int],
    J: float = J_CRITICAL,
    J_vertical: float | None = None,
    orientations: str = "hhh",
    dx: int = 1,
    dy: int = 0,
) -> xr.Dataset:
    """Return a slice of T: bond a at the origin, bond b at (``dx``, ``dy``), bond c anywhere on the torus.

    ``orientations`` is three letters h or v for a, b, c. O(n) once the pair functions are there (O(n log n)).
    The metric F_ac between the first and the third bond and the eigenvalues of F̂(k) come along.

    >>> from workbench import fisher
    >>> ds = fisher.third_cumulant(8, orientations="hhh", dx=1, dy=0)
    >>> dict(ds.sizes)
    {'x': 8, 'y': 8, 'branch': 2, 'kx': 8, 'ky': 8}
    """
    lattice = torus(L, J, J_vertical)
    if not isinstance(orientations, str) or len(orientations) != 3 or set(orientations) - set("hv"):
        raise ValueError(f"orientations must be three letters h or v, as in 'hhv'; got {orientations!r}")
    a, b, c = (LETTERS[letter] for letter in orientations)
    d1 = [checks.integer("dx", dx) % lattice.width, checks.integer("dy", dy) % lattice.height]
    pairs = metric.pairs(lattice)
    F = metric.metric_in_space(pairs)
    plane = triple(pairs, F, (a, b, c)).planes(np.array([d1]), np.empty((1, *lattice.shape)))[0]
    x, y = (np.arange(size) - size // 2 for size in lattice.shape)
    centred = np.ix_(x % lattice.width, y % lattice.height)
    dims = ("x", "y")
    spectrum = np.fft.fftshift(metric.eigenvalues(metric.to_momentum(F)), axes=(1, 2))
    kx, ky = (np.fft.fftshift(2 * np.pi * np.fft.fftfreq(size)) for size in lattice.shape)
    return results.dataset(
        {
            "cumulant": (dims, plane[centred], "third cumulant T_abc"),
            "covariance": (dims, F[a, c][centred], "covariance F_ac"),
            "metric_eigenvalue": (("branch", "kx", "ky"), spectrum, "eigenvalue of the metric F̂(k)"),
        },
        {
            "x": (("x",), x, "displacement of bond c along x", "sites"),
            "y": (("y",), y, "displacement of bond c along y", "sites"),
            "branch": (("branch",), ["lower", "upper"], "branch of the metric spectrum"),
            "kx": (("kx",), kx, "momentum along x", "rad/site"),
            "ky": (("ky",), ky, "momentum along y", "rad/site"),
        },
    )
