"""The trace term ‖tr T‖² without the third cumulants: O(n log n), exact to L = 1024 and beyond.

T_a = F^bc T_abc = ∂_a ln det F, and F is block circulant, so with t_α = (1/n) ∂_{J_α} Σ_k ln det F̂(k)

    ‖tr T‖² = n tᵀ F̂(0)⁻¹ t.

The derivative is analytic: summed over all bonds c of one orientation, Wick's theorem turns into the response of the
propagator, dg(k) = g(k) E g(k). Wick's theorem is about different bonds; where c meets a or b the sum is corrected by
−2 z F_ab for each meeting, and the diagonal of F is 1 − μ².
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench import checks
from workbench.fisher import metric
from workbench.fisher.pfaffian import Sector, sectors
from workbench.fisher.torus import J_CRITICAL, Torus, torus
from workbench.progress import Progress

BYTES_PER_SITE = 1200
"""Peak memory of the whole computation, measured at L = 512 and 1024."""


@dataclass(frozen=True)
class TraceTerm:
    """Metric in momentum space (2, 2, …), t (2,), ‖tr T‖² and its split over the zone (L_x, L_y)."""

    momentum_metric: NDArray
    t: NDArray
    norm: float
    density: NDArray


def trace_norm(
    L: int | tuple[int, int],
    J: float = J_CRITICAL,
    J_vertical: float | None = None,
    progress: Progress | None = None,
) -> float:
    """Return ‖tr T‖² of the Ising torus exactly.

    Sizes and couplings as in :func:`workbench.fisher.ising_curvature`. O(n log n) time and about 1.2 kB of memory a
    site (1.2 GB at L = 1024); raises ``ValueError`` if that much is not free.

    >>> from workbench import fisher
    >>> round(fisher.trace_norm(64), 4)
    595970.0821
    """
    lattice = torus(L, J, J_vertical)
    checks.memory(BYTES_PER_SITE * lattice.sites, f"the trace term at {lattice.width} × {lattice.height}")
    return trace_term(lattice, progress).norm


def trace_term(lattice: Torus, progress: Progress | None = None) -> TraceTerm:
    """Return the trace term with the metric it came from and its split over momenta."""
    progress = progress or Progress()
    directions = (0,) if lattice.isotropic else (0, 1)
    every = sectors(lattice)
    z, slope = metric.z_and_slope(lattice)
    found, responses = [], []
    for i, sector in enumerate(every):
        progress.update(i, len(every) + 1, "propagators and their response")
        g = sector.propagator()
        found.append((sector, metric.ends_in_space(sector, g)))
        responses.append([_connected_response(sector, g, found[-1][1], direction) for direction in directions])
    pairs = metric.assemble(lattice, z, slope, found)
    F = metric.metric_in_space(pairs)
    F_hat = metric.to_momentum(F)
    metric.check_conditioned(F_hat)
    inverse = metric.inverse(F_hat)
    logs = []
    for i, direction in enumerate(directions):
        derivative = _metric_derivative(pairs, F, [r[i] for r in responses], direction)
        logs.append(np.einsum("abxy,baxy->xy", inverse, metric.to_momentum(derivative)).real)
    if lattice.isotropic:
        logs.append(logs[0].T)
    progress.update(1, 1)
    t = np.array([values.sum() for values in logs]) / lattice.sites
    raised = np.linalg.solve(F_hat[:, :, 0, 0].real, t)
    density = raised[0] * logs[0] + raised[1] * logs[1]
    return TraceTerm(F_hat, t, float(lattice.sites * t @ raised), density)


def _connected_response(sector: Sector, g: NDArray, ends: dict, direction: int) -> dict:
    """Return Σ_c ⟨a b c⟩ connected in this sector, c over all bonds of one direction, without the slopes."""
    i, j = 2 * direction, 2 * direction + 1
    out = {}
    for alpha, beta in metric.PAIRS:
        rows, columns = slice(2 * alpha, 2 * alpha + 2), slice(2 * beta, 2 * beta + 2)
        response = g[rows, None, i] * g[None, j, columns] - g[rows, None, j] * g[None, i, columns]
        D = sector.in_space(response.reshape(4, *sector.torus.shape))
        G = ends[alpha, beta]
        out[alpha, beta] = D[1] * G[1, 0] + G[0, 1] * D[2] - D[0] * G[1, 1] - G[0, 0] * D[3]
    return out


def _metric_derivative(pairs: metric.Pairs, F: NDArray, responses: list[dict], direction: int) -> NDArray:
    """Return ∂F_αβ(d)/∂J of all bonds of one direction, (2, 2, L_x, L_y)."""
    slope, n = pairs.slope, pairs.torus.sites
    out = np.zeros_like(F)
    for alpha, beta in metric.PAIRS:
        both = slope[alpha] * slope[beta]
        for s, response in zip(pairs.sectors, responses, strict=True):
            with_a, with_b = (_summed_covariance(s, slope, x, direction) for x in (alpha, beta))
            excess = s.shift[direction] * n
            out[alpha, beta] += s.weight * (
                both * slope[direction] * response[alpha, beta]
                + both * excess * s.covariance(alpha, beta)
                + s.shift[alpha] * with_b
                + s.shift[beta] * with_a
                + s.shift[alpha] * s.shift[beta] * excess
            )
        meetings = (alpha == direction) + (beta == direction)
        out[alpha, beta] -= 2 * meetings * pairs.z[direction] * F[alpha, beta]
    for alpha in (0, 1):
        out[alpha, alpha, 0, 0] = -2 * pairs.mean[alpha] * F[alpha, direction].sum()
    out[1, 0] = metric.reverse(out[0, 1])
    return out


def _summed_covariance(s: metric.SectorPairs, slope: NDArray, alpha: int, direction: int) -> float:
    """Return Σ_c of the covariance of one bond with all bonds of a direction, in one sector."""
    key = (alpha, direction) if alpha <= direction else (direction, alpha)
    return float(slope[alpha] * slope[direction] * s.covariance(*key).sum())
