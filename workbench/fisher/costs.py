"""What the experiments of this room cost: the engines' own estimates, and Monte Carlo by sweeps and triples."""

from collections.abc import Iterable, Mapping
from typing import Any

from workbench.costs import Cost, total
from workbench.fisher import contraction
from workbench.fisher.curvature import ENGINES
from workbench.fisher.entropic.costs import (  # noqa: F401 - found here by their names
    curvature_field,
    entropic_curvature,
    field,
    periodic_reconstruction,
    scale_flow,
    web_report,
    web_study,
)
from workbench.fisher.enumeration import enumeration_cost
from workbench.fisher.graphs import Graph
from workbench.fisher.monte_carlo.models import MODELS
from workbench.fisher.monte_carlo.run import sums_bytes
from workbench.fisher.monte_carlo.trace import trace_bytes
from workbench.fisher.regulators.costs import (  # noqa: F401 - found here by their names
    gaussian_charts,
    measured_convergence,
    phase_diagram,
    regimes,
    regulator_report,
    regulator_study,
    torus_regimes,
)
from workbench.fisher.shipped import shipped_scaling
from workbench.fisher.torus import J_CRITICAL, torus

SECONDS_PER_MODE = 5e-8
"""One momentum and direction of one sample without third cumulants, on one core."""
SECONDS_PER_FLIP = 0.5e-6
"""A cluster update of one site and chain, on two cores."""
SECONDS_PER_TRIPLE = 1e-9
"""One momentum triple and leg of one sample of one chain."""


def ising_curvature(
    L: int | tuple[int, int],
    J: float = J_CRITICAL,
    J_vertical: float | None = None,
    method: str = "pfaffian",
    max_memory: float = contraction.DEFAULT_MEMORY,
) -> Cost:
    """Estimate :func:`workbench.fisher.ising_curvature`, as its engine says."""
    return ENGINES[method].fact("estimate")(torus(L, J, J_vertical), max_memory)


def estimate_cost(
    L: int | tuple[int, int], J: float = J_CRITICAL, J_vertical: float | None = None
) -> tuple[float, float]:
    """Return about how many seconds and how many bytes ``ising_curvature`` with the default engine will take here.

    The rate is what two cores of an ordinary machine reach; treat it as good to a factor of two or three.
    """
    cost = ising_curvature(L, J, J_vertical)
    return cost.seconds, cost.bytes


def coupling_sweep(L: int | tuple[int, int], J_min: float, J_max: float, points: int, anisotropy: float) -> Cost:
    """Estimate :func:`workbench.fisher.coupling_sweep`: every coupling costs the same.

    >>> str(coupling_sweep(32, 0.3, 0.6, points=17, anisotropy=1.0))
    'about 0.7 s, 304 MB'
    """
    middle = 0.5 * (J_min + J_max)
    return points * ising_curvature(L, middle, middle * anisotropy)


def curvature_scaling(sizes: Iterable[int], J: float, method: str) -> Cost:
    """Estimate :func:`workbench.fisher.curvature_scaling`."""
    return total(ising_curvature(L, J, method=method) for L in sizes)


def exact_scaling(further: Iterable[int]) -> Cost:
    """Estimate :func:`workbench.fisher.exact_scaling`: what is shipped costs nothing."""
    known = set(shipped_scaling().L.values.tolist())
    return Cost(0.1) + total(ising_curvature(L) for L in set(further) - known)


def trace_norm(L: int) -> Cost:
    """Return the cost of the trace term alone, O(n log n)."""
    return Cost(0.01 + 5e-6 * L**2, 1000.0 * L**2)


def extrapolated_curvature(sizes: Iterable[int], anchors: Iterable[int]) -> Cost:
    """Estimate :func:`workbench.fisher.extrapolated_curvature`: exact at the anchors, the trace term at the sizes."""
    return total(ising_curvature(L) for L in anchors) + total(trace_norm(L) for L in sizes)


def enumerate_curvature(graph: Graph, q: int | None) -> Cost:
    """Estimate :func:`workbench.fisher.enumerate_curvature`: every state but for a global change of colours."""
    return enumeration_cost(float(q or 2) ** (graph.sites - 1), graph.bonds)


def third_cumulant(L: int | tuple[int, int]) -> Cost:
    """Estimate :func:`workbench.fisher.third_cumulant`, O(n log n)."""
    return Cost(0.2 + 2e-5 * torus(L, 0.0).sites)


def monte_carlo_curvature(model: str, L: int, chains: int, samples: int, spacing: int, thermalisation: int) -> Cost:
    """Estimate :func:`workbench.fisher.monte_carlo_curvature`: sweeps, and the triples of every sample."""
    made = MODELS[model]()
    n, d = L**made.dimension, made.dimension
    sweeps = (thermalisation + samples * spacing) * n * SECONDS_PER_FLIP
    series = 16.0 * chains * samples  # energy and order parameter of every sample
    seconds = chains * (sweeps + samples * n**2 / 12 * d**3 * SECONDS_PER_TRIPLE)
    return Cost(seconds, sums_bytes(n, d) + series + chains * n)


def sampled_trace_norm(model: str, L: int, chains: int, samples: int, spacing: int, thermalisation: int) -> Cost:
    """Estimate :func:`workbench.fisher.sampled_trace_norm`: sweeps, and a Fourier transform of every sample."""
    made = MODELS[model]()
    n, d = L**made.dimension, made.dimension
    sweeps = (thermalisation + samples * spacing) * n * SECONDS_PER_FLIP / 10
    return Cost(0.1 + chains * (sweeps + samples * n * d * SECONDS_PER_MODE), trace_bytes(n, d, chains))


def live_curvature(model: str, L: int, samples: int, chains: int, spacing: int) -> Cost:
    """Estimate :func:`workbench.fisher.live_curvature`; two seconds more for the pictures on the way."""
    return Cost(2.1) + monte_carlo_curvature(model, L, chains, samples, spacing, thermalisation=200)


def monte_carlo_survey(plan: Mapping[str, Mapping[Any, int]], chains: int, spacing: int) -> Cost:
    """Estimate :func:`workbench.fisher.monte_carlo_survey`."""
    return total(
        monte_carlo_curvature(model, int(L), chains, samples, spacing, thermalisation=500)
        for model, sizes in plan.items()
        for L, samples in sizes.items()
    )


def random_ricci_terms(m: int, draws: int) -> Cost:
    """Estimate :func:`workbench.fisher.random_ricci_terms`: four contractions of order m⁴ each."""
    return Cost(0.1 + draws * (2e-4 + 3e-9 * m**4))


def compare_model() -> Cost:
    """Estimate :func:`workbench.fisher.compare_model`, which reads a file."""
    return Cost(0.2)


def published() -> Cost:
    """Estimate :func:`workbench.fisher.published`, which has the numbers at hand."""
    return Cost(0.1)
