"""Curvature by adding up every state: the oracle for everything else, for any small graph and any couplings.

p(s) ∝ exp(Σ_e J_e σ_e) with σ_e = s_i s_j for Ising spins and σ_e = δ(s_i, s_j) for q-state Potts spins. Metric and
third cumulant are central moments of the bond energies; nothing is approximated.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.costs import Cost
from workbench.fisher.graphs import Graph
from workbench.fisher.tensors import Invariants, invariants
from workbench.progress import Progress

LARGEST_STATES = 2**22
CHUNK = 2**14


@dataclass(frozen=True)
class Moments:
    """Exact cumulants of the m bond energies: mean (m,), metric (m, m), cumulant (m, m, m), and ln Z."""

    log_partition: float
    mean: NDArray
    metric: NDArray
    cumulant: NDArray


def enumerate_moments(
    graph: Graph, couplings: ArrayLike, q: int | None = None, progress: Progress | None = None
) -> Moments:
    """Return the exact cumulants of the bond energies of ``graph``.

    ``couplings`` is one number or one for each edge. ``q`` = None means Ising spins ±1, otherwise Potts spins with
    ``q`` colours. Site 0 is held fixed (all states have q equal copies), so the cost is q^(n−1) m³ operations; at
    most 2²² states are visited. Raises ``ValueError`` for more, for NaN and for a wrong number of couplings.
    """
    progress = progress or Progress()
    weights, mean, log_partition = _weights(graph, couplings, q)
    states, m = len(weights), graph.bonds
    metric, cumulant = np.zeros((m, m)), np.zeros((m, m * m))
    for done, chunk in enumerate(_chunks(states)):
        progress.update(done * CHUNK, states, "summing over states")
        centred = _energies(graph, q, chunk) - mean
        weighted = centred * weights[chunk, None]
        metric += weighted.T @ centred
        cumulant += weighted.T @ (centred[:, :, None] * centred[:, None, :]).reshape(len(chunk), m * m)
    progress.update(states, states)
    return Moments(log_partition, mean, metric, cumulant.reshape(m, m, m))


def enumerate_metric(graph: Graph, couplings: ArrayLike, q: int | None = None) -> NDArray:
    """Return the exact Fisher metric (m, m) alone, as :func:`enumerate_moments`, at q^(n−1) m² operations."""
    weights, mean, _ = _weights(graph, couplings, q)
    metric = np.zeros((graph.bonds, graph.bonds))
    for chunk in _chunks(len(weights)):
        centred = _energies(graph, q, chunk) - mean
        metric += (centred * weights[chunk, None]).T @ centred
    return metric


def _weights(graph: Graph, couplings: ArrayLike, q: int | None) -> tuple[NDArray, NDArray, float]:
    """Return the probability of every state, the mean bond energies (m,) and ln Z."""
    J = edge_couplings(graph, couplings)
    states = _count_states(graph, q)
    log_weights = np.concatenate([_energies(graph, q, chunk) @ J for chunk in _chunks(states)])
    largest = log_weights.max()
    weights = np.exp(log_weights - largest)
    total = weights.sum()
    weights /= total
    mean = np.zeros(graph.bonds)
    for chunk in _chunks(states):
        mean += weights[chunk] @ _energies(graph, q, chunk)
    return weights, mean, float(largest + np.log(total) + np.log(q or 2))


def edge_couplings(graph: Graph, couplings: ArrayLike) -> NDArray:
    """Return one finite coupling for each edge, spreading a single number over all of them."""
    J = checks.finite_array("couplings", couplings, ndim=(0, 1))
    if J.ndim == 1 and len(J) != graph.bonds:
        raise ValueError(
            f"the {graph.name} has {graph.bonds} edges, got {len(J)} couplings; give one each, or one number"
        )
    return np.broadcast_to(J, (graph.bonds,))


def _count_states(graph: Graph, q: int | None) -> int:
    colours = 2 if q is None else checks.integer("q", q, minimum=2)
    states = colours ** (graph.sites - 1)
    if states > LARGEST_STATES:
        raise ValueError(
            f"the {graph.name} has {colours}^{graph.sites - 1} states up to symmetry, more than the {LARGEST_STATES:,} "
            "that enumeration visits; use fewer sites, the Pfaffian engine (torus) or Monte Carlo"
        )
    return states


def _chunks(states: int) -> Iterator[NDArray]:
    for start in range(0, states, CHUNK):
        yield np.arange(start, min(start + CHUNK, states))


def _energies(graph: Graph, q: int | None, numbers: NDArray) -> NDArray:
    """Return the bond energies (states, m) of the states with these numbers, digits in base q, site 0 being 0."""
    colours = q or 2
    powers = colours ** np.arange(graph.sites - 1)
    spins = np.zeros((len(numbers), graph.sites), dtype=np.int8)
    spins[:, 1:] = numbers[:, None] // powers % colours
    first, second = np.array(graph.edges).T
    equal = (spins[:, first] == spins[:, second]).astype(float)
    return equal if q else 2 * equal - 1


def enumeration_cost(states: float, bonds: int) -> Cost:
    """Return what visiting so many states takes: every one adds to the products of all pairs of bonds."""
    return Cost(0.01 + 1.5e-8 * states * bonds**2, 8.0 * bonds**3 + 1e8)


@results.experiment
def enumerate_curvature(
    graph: Graph, couplings: ArrayLike, q: int | None = None, progress: Progress | None = None
) -> xr.Dataset:
    """Return the exact scalar curvature, its parts, the metric and the bond means of any small graph.

    Arguments, cost and errors are those of :func:`enumerate_moments`; couplings may differ from edge to edge.

    >>> from workbench import fisher
    >>> round(float(fisher.enumerate_curvature(fisher.GRAPHS["ring"](3), 0.7).scalar_curvature), 9)
    1.5
    """
    moments = enumerate_moments(graph, couplings, q, progress)
    parts = invariants(moments.metric, moments.cumulant)
    bonds = np.arange(graph.bonds)
    return results.dataset(
        {
            **curvature_variables(parts),
            "metric": (("bond", "other_bond"), moments.metric, "Fisher metric F_ab"),
            "mean_energy": (("bond",), moments.mean, "mean bond energy ⟨σ_a⟩"),
            "coupling": (("bond",), edge_couplings(graph, couplings).copy(), "coupling J_a"),
            "log_partition": ((), moments.log_partition, "ln Z"),
        },
        {"bond": (("bond",), bonds, "edge number"), "other_bond": (("other_bond",), bonds, "edge number")},
        {"graph": graph.name, "spins": "Ising" if q is None else f"Potts q = {q}"},
    )


def curvature_variables(parts: Invariants) -> dict[str, tuple]:
    """Return the scalar variables that every curvature result carries."""
    terms = {f"ricci_{i}": ((), term, f"Ricci term R{i}") for i, term in enumerate(parts.ricci_terms, start=1)}
    return {
        "scalar_curvature": ((), parts.scalar_curvature, "scalar curvature R"),
        "cumulant_norm": ((), parts.cumulant_norm, "‖T‖²"),
        "trace_norm": ((), parts.trace_norm, "‖tr T‖²"),
        **terms,
    }
