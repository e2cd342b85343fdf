"""Where the integrals over SNR and noise are evaluated: nodes with positive weights, the same for every point.

Positive weights and common noise are what makes a rule give a metric: the distance it computes is the length of the
difference of two feature vectors, whatever its error, so symmetry and the triangle inequality hold exactly.

**SNR.** g = u^p / s₀ with u = t/(1 − t) maps g in (0, G) to t in (0, t_G); Gauss–Legendre in t. The integrand
E‖ε₁ − ε₂‖² tends to ‖x₁ − x₂‖² as g → 0 and falls as 1/g² as g → ∞, so with dg it is smooth at both ends for every
whole p ≥ 1. s₀ is the geometric mean of the smallest and the largest variance, and p grows with their ratio: p = 1
resolves two decades of SNR well, p = 3 six, which photographs need.

**Noise.** In one and two dimensions the trapezoidal rule on a square grid: responsibilities are analytic in a strip, so
it converges as exp(−2πa/h), much faster than Gauss–Hermite near a ridge. Above, scrambled Sobol points, whose
independent scrambles give a standard error.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import qmc

from workbench import checks
from workbench.metrics.signals.mixture import Mixture

Floats = NDArray[np.float64]
RADIUS = 8.9
"""Noise beyond weighs less than 1e-17."""
LARGEST_GRID = 2_000_000
STEPS = {1: 0.1, 2: 0.4}
"""Dimension → default step of the grid of noise."""
SCRAMBLES = 16
DEFAULT_NODES = 24
DEFAULT_SAMPLES = 1024


class SNRNodes(NamedTuple):
    """Nodes over SNR: ``snr`` g, ``sigma`` = g^−½ and ``weights`` of dg, each (t,)."""

    snr: Floats
    sigma: Floats
    weights: Floats


class NoiseNodes(NamedTuple):
    """Nodes over standard normal noise: ``noise`` (m, d), ``weights`` (m,) that sum to 1, and what they come from.

    ``scramble`` (m,) numbers the independent scrambles of Sobol points; all zero for a grid.
    """

    noise: Floats
    weights: Floats
    scramble: NDArray[np.int64]


class Rule(NamedTuple):
    """A rule over SNR and noise."""

    snr: SNRNodes
    noise: NoiseNodes


def halved(density: Mixture, snr: float, nodes: int, step: float | None) -> Rule:
    """Return the rule of half as many SNR nodes and twice the step, whose difference tells the error (d ≤ 2)."""
    step = STEPS[density.dimension] if step is None else step
    return rule(density, snr=snr, nodes=max(nodes // 2, 2), step=min(2 * step, 2.0))


def rule(
    density: Mixture,
    *,
    snr: float = np.inf,
    nodes: int = DEFAULT_NODES,
    step: float | None = None,
    samples: int = DEFAULT_SAMPLES,
    seed: int | np.random.Generator = 0,
) -> Rule:
    """Return the rule for ``density`` up to ``snr``: a grid of ``step`` for d ≤ 2, else ``samples`` Sobol points.

    ``step`` is 0.1 in one dimension and 0.4 in two, unless it is given.

    >>> made = rule(Mixture([1.0], [0.0], [1.0]))
    >>> len(made.snr.snr), len(made.noise.noise), float(made.noise.weights.sum().round(12))
    (24, 179, 1.0)
    """
    over_snr = snr_nodes(density, snr, nodes)
    if density.dimension <= 2:
        step = STEPS[density.dimension] if step is None else step
        return Rule(over_snr, noise_grid(density.dimension, step))
    return Rule(over_snr, sobol_noise(density.dimension, samples, seed))


def snr_nodes(density: Mixture, snr: float, nodes: int) -> SNRNodes:
    """Return Gauss–Legendre nodes for the integral over g from 0 to ``snr``, infinity included."""
    nodes = checks.integer("nodes", nodes, minimum=2, maximum=4096)
    largest = density.largest_variance
    least = max(density.least_variance, largest * 1e-12)
    scale = np.sqrt(least * largest)  # g · scale = u^p
    power = int(np.clip(round(np.log10(largest / least) / 2), 1, 4))
    end = 1.0
    if np.isfinite(snr):
        u = (snr * scale) ** (1 / power)
        end = u / (1 + u)
    places, weights = np.polynomial.legendre.leggauss(nodes)
    t = end * (places + 1) / 2
    u = t / (1 - t)
    g = u**power / scale
    slope = power * u ** (power - 1) / (1 - t) ** 2 / scale
    return SNRNodes(g, g**-0.5, end * weights / 2 * slope)


def noise_grid(dimension: int, step: float) -> NoiseNodes:
    """Return the trapezoidal rule of a grid of ``step`` for the normal law in one or two dimensions."""
    step = checks.real("step", step, exclusive_minimum=0, maximum=2)
    half = int(RADIUS / step)
    if (2 * half + 1) ** dimension > 4 * LARGEST_GRID:
        raise ValueError(
            f"a step of {step:g} makes a grid of more than {LARGEST_GRID:,} noise nodes; take a larger one"
        )
    line = step * np.arange(-half, half + 1)
    noise = line[:, None]
    if dimension == 2:
        noise = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)
        noise = noise[(noise**2).sum(axis=1) <= RADIUS**2]
    weights = np.exp(-(noise**2).sum(axis=1) / 2)
    return NoiseNodes(np.ascontiguousarray(noise), weights / weights.sum(), np.zeros(len(noise), dtype=np.int64))


def sobol_noise(
    dimension: int, samples: int, seed: int | np.random.Generator, scrambles: int = SCRAMBLES
) -> NoiseNodes:
    """Return ``samples`` scrambled Sobol points under the normal law, in equal parts from independent scrambles.

    Each scramble has a power of two of points, so ``samples`` is rounded up to scrambles · 2^j.
    """
    samples = checks.integer("samples", samples, minimum=1, maximum=2**20)
    each = max(int(np.ceil(np.log2(samples / scrambles))), 0)
    checks.memory(16.0 * scrambles * 2**each * dimension, "the noise")
    noise = []
    for rng in checks.generator(seed).spawn(scrambles):
        made = qmc.Sobol(dimension, scramble=True, seed=rng).random_base2(each)
        noise.append(ndtri(np.clip(made, 1e-16, 1 - 1e-16)))
    count = scrambles * 2**each
    return NoiseNodes(
        np.ascontiguousarray(np.concatenate(noise)),
        np.full(count, 1 / count),
        np.repeat(np.arange(scrambles), 2**each),
    )
