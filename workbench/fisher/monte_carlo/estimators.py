"""From bond fields to the curvature: sums over samples, and estimators without the bias of squared noise.

With b̃_α(k) the Fourier transform of the bond field of direction α, measured from bond centres,

    F̃_αβ(k) = (1/n) Cov(b̃_α*, b̃_β),    T̃_αβγ(k₀, k₁, k₂) = (1/n) ⟨b̃_α b̃_β b̃_γ⟩ connected,  k₀ + k₁ + k₂ = 0,

which averages over all translations at once; inversion makes both real. Squaring a noisy T̃ would add its variance, so
‖T‖² = T̃₁ · T̃₂ from two independent halves of the data. The trace needs no T̃: with the power P_αβ(k) of one sample
t_γ = (1/n²) Σ_k F̃⁻¹_αβ(k) ⟨(B_γ − ⟨B_γ⟩) P_αβ(k)⟩, O(n log n) a sample, and ‖tr T‖² = n t₁ᵀ F̃(0)⁻¹ t₂.
"""

import math
from dataclasses import dataclass, fields

import numba
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from workbench.fisher.monte_carlo.momenta import Triples, centring_phases, reversal_signs
from workbench.fisher.tensors import Invariants

CACHED = 8
"""Samples transformed together in a run without triples."""


@dataclass
class Sums:
    """Sums over samples; d directions, n momenta, P triples.

    ``count`` (), ``total`` (d,): B; ``power`` (n, d, d): Re b̃_α* b̃_β; ``weighted`` (d, n, d, d): B_γ times power;
    ``triple`` (P, d, d, d): Re b̃ b̃ b̃.
    """

    count: NDArray
    total: NDArray
    power: NDArray
    weighted: NDArray
    triple: NDArray

    @classmethod
    def empty(cls, d: int, n: int, P: int) -> "Sums":
        """Return sums over no sample."""
        shapes = ((), (d,), (n, d, d), (d, n, d, d), (P, d, d, d))
        return cls(*(np.zeros(shape) for shape in shapes))

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __sub__(self, other: "Sums") -> "Sums":
        return Sums(*(getattr(self, f.name) - getattr(other, f.name) for f in fields(self)))


class Geometry:
    """What does not change from sample to sample."""

    def __init__(self, shape: tuple[int, ...], triples: Triples) -> None:
        self.shape, self.triples = shape, triples
        self.sites, self.dimension = math.prod(shape), len(shape)
        self.phases = centring_phases(shape)
        self.signs = reversal_signs(shape)

    def empty(self) -> Sums:
        """Return sums over no sample, of the right shape."""
        return Sums.empty(self.dimension, self.sites, len(self.triples.legs))

    def add(self, sums: Sums, fields_: NDArray) -> None:
        """Add a batch of bond fields (B, d, *shape) to ``sums`` in place; O(B (n log n + P d³)).

        Without triples few samples at a time stay in the processor's cache; with them, many are multiplied at once.
        """
        step = len(fields_) if len(self.triples.legs) else CACHED
        for begin in range(0, len(fields_), step):
            self._add(sums, fields_[begin : begin + step])

    def _add(self, sums: Sums, fields_: NDArray) -> None:
        axes = tuple(range(2, 2 + self.dimension))
        b = (scipy.fft.fftn(fields_, axes=axes) * self.phases).reshape(len(fields_), self.dimension, self.sites)
        re, im = (np.ascontiguousarray(part.transpose(2, 1, 0)) for part in (b.real, b.imag))  # (n, d, B)
        sums.count += len(fields_)
        sums.total += re[0].sum(axis=1)
        _add_powers(re, im, sums.power, sums.weighted)
        _add_triples(re, im, self.triples.legs, sums.triple)


@numba.njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"})
def _add_powers(re, im, power, weighted):
    n, d, B = re.shape
    p = np.empty(B)
    for k in range(n):
        for a in range(d):
            for b in range(a, d):
                total = 0.0
                for s in range(B):
                    p[s] = re[k, a, s] * re[k, b, s] + im[k, a, s] * im[k, b, s]
                    total += p[s]
                power[k, a, b] += total
                power[k, b, a] = power[k, a, b]
                for c in range(d):
                    total = 0.0
                    for s in range(B):
                        total += re[0, c, s] * p[s]
                    weighted[c, k, a, b] += total
                    weighted[c, k, b, a] = weighted[c, k, a, b]


@numba.njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"})
def _add_triples(re, im, legs, out):
    _, d, B = re.shape
    pr, pi = np.empty(B), np.empty(B)
    for p in range(len(legs)):
        i, j, l = legs[p]
        for b in range(d):
            for c in range(d):
                for s in range(B):
                    pr[s] = re[j, b, s] * re[l, c, s] - im[j, b, s] * im[l, c, s]
                    pi[s] = re[j, b, s] * im[l, c, s] + im[j, b, s] * re[l, c, s]
                for a in range(d):
                    total = 0.0
                    for s in range(B):
                        total += re[i, a, s] * pr[s] - im[i, a, s] * pi[s]
                    out[p, a, b, c] += total


@dataclass(frozen=True)
class Cumulants:
    """Estimates from sums: mean B (d,), metric F̃ (n, d, d), ``response`` (d, n, d, d), T̃ (P, d, d, d)."""

    mean: NDArray
    metric: NDArray
    response: NDArray
    triple: NDArray


def cumulants(geometry: Geometry, sums: Sums) -> Cumulants:
    """Turn raw sums into connected moments; only momenta with a zero leg need a correction."""
    n, m = geometry.sites, sums.total / sums.count
    power, weighted = sums.power / sums.count, sums.weighted / sums.count
    response = weighted - np.einsum("c,kab->ckab", m, power)
    at_zero = weighted[:, 0] - _with_means(m, power[0]) + 2 * np.einsum("a,b,c->abc", m, m, m)
    response[:, 0] = at_zero
    metric = power / n
    metric[0] -= np.outer(m, m) / n
    triple = sums.triple / sums.count
    legs = geometry.triples.legs
    touching = np.flatnonzero((legs[:, 0] == 0) & (legs[:, 1] != 0))
    q = legs[touching, 1]
    triple[touching] -= np.einsum("a,pbc,cp->pabc", m, power[q], geometry.signs[:, q])
    if len(legs):
        triple[(legs == 0).all(axis=1)] = at_zero
    return Cumulants(m, metric, response / n, triple / n)


def _with_means(m: NDArray, power: NDArray) -> NDArray:
    return np.einsum("a,bc->abc", m, power) + np.einsum("b,ac->abc", m, power) + np.einsum("c,ab->abc", m, power)


def estimate(geometry: Geometry, first: Sums, second: Sums) -> Invariants:
    """Return ‖T‖² and ‖tr T‖² from two independent halves; the metric is pooled.

    Model and lattice are isotropic (all sides equal), so t is averaged over directions. Raises ``ValueError`` if the
    samples are too few for the metric to be positive definite.
    """
    n, legs = geometry.sites, geometry.triples.legs
    metric = cumulants(geometry, first + second).metric
    if np.linalg.eigvalsh(metric).min() <= 0:
        raise ValueError(f"{int(first.count + second.count)} samples are too few: the metric is not positive definite")
    inverse = np.linalg.inv(metric)
    halves = [cumulants(geometry, half) for half in (first, second)]
    traces = [np.einsum("ckab,kab->c", half.response, inverse).mean() / n for half in halves]
    trace_norm = n * traces[0] * traces[1] * inverse[0].sum()
    raised = halves[0].triple
    for leg in range(3):
        raised = np.einsum("pabc,pcd->pdab", raised, inverse[legs[:, 2 - leg]])
    per_triple = np.einsum("pabc,pabc->p", raised, halves[1].triple)
    return Invariants(float(geometry.triples.weight @ per_triple / n), float(trace_norm))
