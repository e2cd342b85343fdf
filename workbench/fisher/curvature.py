"""The scalar curvature of the Ising torus, by any of the engines, as one labelled result."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench import checks, results
from workbench.costs import Cost
from workbench.fisher import contraction, graphs, metric, plain, torch_engine, transfer_matrix
from workbench.fisher.enumeration import LARGEST_STATES, curvature_variables, enumerate_moments, enumeration_cost
from workbench.fisher.tensors import Invariants
from workbench.fisher.torus import J_CRITICAL, ORIENTATIONS, Torus, torus
from workbench.fisher.trace_norm import trace_term
from workbench.parallel import THREADS
from workbench.progress import Progress
from workbench.registry import Fact, Registry

ENGINES = Registry(
    "engine",
    facts={
        "estimate": Fact(Callable, says="(torus, bytes it may keep) → Cost"),
        "largest": Fact(int, required=False, says="the largest side that it is meant for"),
    },
)
"""Every way to find the curvature of the torus; all return the same :class:`Parts`.

The fact ``estimate`` is what an engine takes, a function of the torus and of the bytes that it may keep.
"""

SECONDS_PER_PAIR = 1.2e-8
"""Core-seconds for each pair of momenta and orientation triple, measured at L = 96 to 192 on a busy machine."""


def _pfaffian_cost(lattice: Torus, memory: float) -> Cost:
    """Two stages over n²/4 pairs of momenta for each triple; stage 1 once more for each round that memory forces."""
    kept = contraction.kept_bytes(lattice.isotropic, lattice.sites)
    work = (3 if lattice.isotropic else 6) * lattice.sites**2 * (1 + max(1.0, kept / memory)) / 2
    return Cost(0.02 + work * SECONDS_PER_PAIR / THREADS, min(kept, memory) + 3e8)


TORCH_SECONDS_PER_PAIR = 1.2e-7
"""Likewise for torch operations on a processor."""


def _torch_cost(lattice: Torus, memory: float) -> Cost:
    """As the Pfaffian engine, by what torch takes on a processor; a card is far faster."""
    reduced = _pfaffian_cost(lattice, memory)
    kept = contraction.bytes_per_momentum(lattice) * lattice.sites / 4
    return Cost(0.1 + reduced.seconds * TORCH_SECONDS_PER_PAIR / SECONDS_PER_PAIR, min(kept, memory) + 5e8)


@dataclass(frozen=True)
class Parts:
    """F_αβ(d) (2, 2, L_x, L_y), mean energies (2,) and the shares of each momentum in ‖T‖² and ‖tr T‖² (L_x, L_y)."""

    space_metric: NDArray
    mean: NDArray
    cumulant_density: NDArray
    trace_density: NDArray


@ENGINES.add(
    "pfaffian",
    label="Pfaffian, symmetry-reduced",
    formula=r"\mathrm{Pf}\,A,\ \text{Wick},\ \text{FFT}",
    cost="O(n² log n) time; memory bounded by max_memory",
    reference="McCoy & Wu 1973",
    estimate=_pfaffian_cost,
)
def pfaffian_engine(lattice: Torus, *, max_memory: float, device: str, progress: Progress) -> Parts:
    """Numba kernels over every core; the engine for large tori."""
    term = trace_term(lattice, progress)
    pairs = metric.pairs(lattice)
    F = metric.metric_in_space(pairs)
    density = contraction.cumulant_density(pairs, F, term.momentum_metric, max_memory, progress)
    return Parts(F, pairs.mean, density, term.density)


@ENGINES.add(
    "plain",
    label="Pfaffian, plain NumPy",
    cost="about 400 n² bytes",
    formula=r"\text{all triples, 4-D FFT}",
    largest=40,
    estimate=lambda lattice, memory: Cost(0.1 + 1e-5 * lattice.sites**2, 400.0 * lattice.sites**2),
)
def plain_engine(lattice: Torus, *, max_memory: float, device: str, progress: Progress) -> Parts:
    """No symmetry used, trace taken from T itself: the witness for the fast engine."""
    pairs = metric.pairs(lattice)
    F = metric.metric_in_space(pairs)
    return Parts(F, pairs.mean, *plain.densities(plain.dense_cumulant(pairs, F, progress), F))


@ENGINES.add(
    "torch",
    label="Pfaffian in torch",
    cost="O(n² log n) time; memory bounded by the card's or max_memory",
    formula=r"\mathrm{Pf}\,A,\ \text{CPU or CUDA}",
    estimate=_torch_cost,
)
def torch_route(lattice: Torus, *, max_memory: float, device: str, progress: Progress) -> Parts:
    """The same reduction in torch operations, on a CUDA card if there is one."""
    term = trace_term(lattice, progress)
    pairs = metric.pairs(lattice)
    F = metric.metric_in_space(pairs)
    density = torch_engine.cumulant_density(pairs, F, term.momentum_metric, device, max_memory, progress)
    return Parts(F, pairs.mean, density, term.density)


@ENGINES.add(
    "enumeration",
    label="every state",
    cost="2ⁿ states",
    formula=r"\sum_s",
    largest=4,
    estimate=lambda lattice, memory: enumeration_cost(2.0 ** (lattice.sites - 1), 2 * lattice.sites),
)
def enumeration_engine(lattice: Torus, *, max_memory: float, device: str, progress: Progress) -> Parts:
    """The oracle, for tori of at most 22 sites."""
    if 2 ** (lattice.sites - 1) > LARGEST_STATES:
        raise ValueError(
            f"method 'enumeration' would visit 2^{lattice.sites - 1} states of the {lattice.width} × {lattice.height} "
            "torus; it is for up to 4 × 5, use method='pfaffian'"
        )
    n, shape = lattice.sites, lattice.shape
    couplings = np.tile([lattice.horizontal, lattice.vertical], n)
    moments = enumerate_moments(graphs.torus_graph(shape), couplings, progress=progress)
    F = moments.metric.reshape(n, 2, *shape, 2)[0].transpose(0, 3, 1, 2)
    T = moments.cumulant.reshape(n, 2, *shape, 2, *shape, 2)[0].transpose(0, 3, 6, 1, 2, 4, 5)
    return Parts(F, moments.mean[:2], *plain.densities(T, F))


@ENGINES.add(
    "transfer-matrix",
    label="transfer matrix",
    cost="8^L time",
    formula=r"\mathrm{tr}\,S^L",
    largest=8,
    estimate=lambda lattice, memory: Cost(5e-7 * 8.0 ** min(lattice.shape), 100.0 * 4.0 ** min(lattice.shape)),
)
def transfer_matrix_engine(lattice: Torus, *, max_memory: float, device: str, progress: Progress) -> Parts:
    """The paper's own route, for L_y ≤ 8."""
    F, T, mean = transfer_matrix.cumulants(lattice, progress)
    return Parts(F, mean, *plain.densities(T, F))


@results.experiment
def ising_curvature(
    L: int | tuple[int, int],
    J: float = J_CRITICAL,
    J_vertical: float | None = None,
    method: str = "pfaffian",
    *,
    max_memory: float = contraction.DEFAULT_MEMORY,
    device: str = "auto",
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return the exact scalar curvature of the L × L (or L_x × L_y) Ising torus and everything it is made of.

    ``J`` couples horizontal bonds, ``J_vertical`` (default: the same) vertical ones; any real values up to ±5, the
    critical point and zero included. ``method`` names an entry of :data:`ENGINES`; ``max_memory`` bounds the bytes
    that are kept between the two stages of pfaffian and torch (on a card, the memory that it has free does); ``device``
    is for torch. :func:`estimate_cost` tells the time before. Raises ``ValueError`` for L < 3, for couplings out of
    range or so strong that the metric is singular in double precision, and for sizes past the engine or the memory.

    Variables: ``scalar_curvature``, ``cumulant_norm`` ‖T‖², ``trace_norm`` ‖tr T‖², ``ricci_1`` … ``ricci_4``,
    ``metric_eigenvalue`` (branch, kx, ky), ``cumulant_density`` and ``trace_density`` (kx, ky), whose sums are the
    norms, ``shell_curvature`` (shell), whose sum is R, ``zero_mode`` F̂(0), ``row_sum``, ``mean_energy``.

    >>> from workbench import fisher
    >>> round(float(fisher.ising_curvature(9).scalar_curvature), 6)
    -1653.340213
    """
    lattice = torus(L, J, J_vertical)
    engine = ENGINES[method]
    max_memory = checks.real("max_memory", max_memory, exclusive_minimum=0)
    parts = engine(lattice, max_memory=max_memory, device=device, progress=progress or Progress())
    return _as_dataset(lattice, parts)


def _as_dataset(lattice: Torus, parts: Parts) -> xr.Dataset:
    F_hat = metric.to_momentum(parts.space_metric)
    whole = Invariants(float(parts.cumulant_density.sum()), float(parts.trace_density.sum()))
    shift = np.fft.fftshift
    zone = ("kx", "ky")
    share = (parts.cumulant_density - parts.trace_density) / 4
    shells, per_shell = shell_sums(share)
    zero = F_hat[:, :, 0, 0].real
    kx, ky = (shift(2 * np.pi * np.fft.fftfreq(size)) for size in lattice.shape)
    return results.dataset(
        {
            **curvature_variables(whole),
            "metric_eigenvalue": (
                ("branch", *zone), shift(metric.eigenvalues(F_hat), axes=(1, 2)), "eigenvalue of the metric F̂(k)",
            ),
            "cumulant_density": (zone, shift(parts.cumulant_density), "share of k in ‖T‖²"),
            "trace_density": (zone, shift(parts.trace_density), "share of k in ‖tr T‖²"),
            "shell_curvature": (("shell",), per_shell, "share of the zone shell in R"),
            "zero_mode": (("orientation", "other_orientation"), zero, "metric at zero momentum F̂(0)"),
            "row_sum": (("orientation",), zero.sum(axis=1), "row sum of the metric Σ_b F_ab"),
            "mean_energy": (("orientation",), parts.mean, "mean bond energy"),
        },
        {
            "branch": (("branch",), ["lower", "upper"], "branch of the metric spectrum"),
            "kx": (("kx",), kx, "momentum along x", "rad/site"),
            "ky": (("ky",), ky, "momentum along y", "rad/site"),
            "shell": (("shell",), shells, "square shell of the zone, max(|j_x|, |j_y|)"),
            "orientation": (("orientation",), list(ORIENTATIONS), "bond orientation"),
            "other_orientation": (("other_orientation",), list(ORIENTATIONS), "bond orientation"),
        },
        {
            "sites": lattice.sites,
            "width": lattice.width,
            "height": lattice.height,
            "couplings": [lattice.horizontal, lattice.vertical],
        },
    )  # fmt: skip


def shell_sums(density: NDArray) -> tuple[NDArray, NDArray]:
    """Add a density over the zone (FFT order) up in square shells max(|j_x|, |j_y|) = 0, 1, …"""
    jx, jy = (np.abs(np.fft.fftfreq(size, 1 / size)).round().astype(int) for size in density.shape)
    shell = np.maximum(jx[:, None], jy[None, :])
    return np.arange(shell.max() + 1), np.bincount(shell.ravel(), weights=density.ravel())
