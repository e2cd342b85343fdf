"""‖T‖² of the torus with every symmetry used: O(n² log n) time, memory bounded by choice.

Stage 1, for each first displacement d₁ of a quarter of the torus: fill T(d₁, ·), one real 2-D FFT, keep the momenta k₂
that are wanted. Stage 2, for each k₂ of a quarter of the zone: unfold d₁ by the reflections, one 2-D FFT, and contract

    ‖T‖² = (1/n) Σ_{k₁,k₂} T_αβγ T*_α'β'γ' F̂⁻¹_αα'(k₀) F̂⁻¹_ββ'(k₁) F̂⁻¹_γγ'(k₂),   k₀ = −k₁−k₂.

With momenta measured from the centres of the bonds inversion makes T̂ and F̂ real. Permuting legs leaves six triples,
on an isotropic torus three. Where legs 0 and 1 are alike (two triples of three), exchanging them makes what stage 1
keeps real as well, up to the phase of the bonds' middle, and T̂ real up to one phase for each k₂: half the memory, and
two k₂ share one FFT of stage 2. If the kept momenta would not fit into ``max_memory`` they are done in several rounds.
"""

from functools import partial

import numba
import numpy as np
import psutil
import scipy.fft
from numpy.typing import NDArray

from workbench import checks
from workbench.fisher import zone
from workbench.fisher.cumulants import triple
from workbench.fisher.legs import BUFFER, Kept, Leg, kept_per_momentum, visited
from workbench.fisher.metric import Pairs
from workbench.fisher.torus import Torus
from workbench.parallel import for_each
from workbench.progress import Progress

LAST_LEG_HORIZONTAL = ((0, 0, 0), (0, 1, 0), (1, 1, 0))
LAST_LEG_VERTICAL = ((1, 1, 1), (1, 0, 1), (0, 0, 1))
"""Swapping x and y maps the first list to the second, entry by entry; (1, 0, 0) and (0, 1, 1) are permuted legs."""

DEFAULT_MEMORY = 5_600_000_000
"""What L = 192 keeps in one round; where less is free, the default gives way and there are more rounds."""
SHARE_OF_FREE = 0.75


def kept_bytes(pairs_isotropic: bool, sites: int) -> float:
    """Return the bytes that stage 1 keeps in one round: n²/4 reals for a mixed triple and half that for the others."""
    return (2 if pairs_isotropic else 4) * sites**2 / 4 * 8


def cumulant_density(
    pairs: Pairs,
    space_metric: NDArray,
    momentum_metric: NDArray,
    max_memory: float = DEFAULT_MEMORY,
    progress: Progress | None = None,
) -> NDArray:
    """Return the share of each momentum in ‖T‖² as (L_x, L_y); its sum is ‖T‖².

    ``max_memory`` bounds the bytes kept between the stages; each extra round repeats stage 1. Raises ``ValueError``
    if that much memory is not free.

    >>> from workbench.fisher.metric import metric_in_space, pairs, to_momentum
    >>> from workbench.fisher.torus import Torus
    >>> found = pairs(Torus(4, 4, 0.4, 0.4))
    >>> space = metric_in_space(found)
    >>> cumulant_density(found, space, to_momentum(space)).shape
    (4, 4)
    """
    progress = progress or Progress()
    torus = pairs.torus
    kinds = kinds_of(torus)
    where = zone.momenta(torus)
    per_momentum = sum(kept_per_momentum(kind, torus.shape) for kind in kinds)
    if max_memory == DEFAULT_MEMORY:
        max_memory = min(max_memory, SHARE_OF_FREE * psutil.virtual_memory().available)
    rounds = zone.blocks(where.starts, max(2, int(max_memory / per_momentum)))
    longest = max(end - begin for begin, end in rounds)
    checks.memory(longest * per_momentum, f"the third cumulants at {torus.width} × {torus.height}")
    legs = [Leg(triple(pairs, space_metric, kind), kind, torus.shape) for kind in kinds]
    kept = [Kept(leg, longest) for leg in legs]
    contract = _Contraction(torus, where, momentum_metric, kept)
    transforms = [(store, rows) for store in kept for rows in store.leg.batches()]
    plan = [(begin, *_round(where, begin, end, contract.block)) for begin, end in rounds]
    total = sum(len(transforms) + len(inner) for _, _, inner in plan)
    values, done = np.empty(len(where.kx)), 0.0
    for begin, columns, inner in plan:
        first, second = partial(_transform, columns, np.array(inner)), partial(contract, values, begin)
        done = for_each(first, transforms, progress, done=done, total=total, message="third cumulants in space")
        done = for_each(second, inner, progress, done=done, total=total, message="contraction over the zone")
    return zone.unfold(values, where, torus)


def kinds_of(torus: Torus) -> tuple[tuple[int, int, int], ...]:
    """Return the orientation triples that have to be computed."""
    return LAST_LEG_HORIZONTAL if torus.isotropic else LAST_LEG_HORIZONTAL + LAST_LEG_VERTICAL


def bytes_per_momentum(torus: Torus) -> int:
    """Return the bytes of two complex numbers a visited displacement, which the torch engine keeps for each k₂."""
    return 32 * sum(visited(kind, torus.shape) for kind in kinds_of(torus))


def phases_of(shape: tuple[int, int]) -> list[NDArray]:
    """Return e^(−iπ j / L) for the momenta j of both axes: a shift by half a step, from a site to a bond's centre."""
    return [np.exp(-1j * np.pi * np.arange(size) / size) for size in shape]


def _round(where: zone.Momenta, begin: int, end: int, block: int) -> tuple[NDArray, list[tuple[int, int]]]:
    """Return the momenta (P, 2) of one round and the blocks in which stage 2 takes them."""
    columns = np.stack([where.kx[begin:end], where.ky[begin:end]], axis=1)
    inside = where.starts[(where.starts >= begin) & (where.starts <= end)] - begin
    return columns, zone.blocks(inside, block)


def _transform(columns: NDArray, blocks: NDArray, task: tuple) -> None:
    store, rows = task
    store.leg.transform(rows, columns, blocks, store.values)


class _Contraction:
    """Stage 2: from kept T̂(d₁, k₂) to the share of each k₂."""

    def __init__(self, torus: Torus, where: zone.Momenta, momentum_metric: NDArray, kept: list[Kept]) -> None:
        self.torus, self.where, self.kept = torus, where, kept
        self.block = max(2, min(64, BUFFER // (16 * torus.sites)))
        self.phases = phases_of(torus.shape)
        self.white = whitener(momentum_metric, self.phases)

    def __call__(self, values: NDArray, offset: int, block: tuple[int, int]) -> None:
        begin, end = block
        at = slice(offset + begin, offset + end)
        kx, ky = self.where.kx[at], self.where.ky[at]
        inside = (self.where.starts >= at.start) & (self.where.starts <= at.stop)
        units = self.where.starts[inside] - at.start
        planes = [self._real_planes(store, store.block(begin, end), units, kx, ky) for store in self.kept]
        if self.where.mirror is None:
            horizontal, vertical = planes[:3], planes[3:]
        else:
            mirror = self.where.mirror[at] - at.start
            horizontal = planes
            vertical = [np.ascontiguousarray(p[mirror].transpose(0, 2, 1)) for p in planes]
        _contract(kx, ky, *horizontal, *vertical, *self.white, values[at])

    def _real_planes(self, store: Kept, kept: NDArray, units: NDArray, kx: NDArray, ky: NDArray) -> NDArray:
        """Return T̂(k₁, k₂) measured from bond centres, which is real, for a block of k₂: (P, L_x, L_y)."""
        leg = store.leg
        fx, fy = leg.folds
        out = np.empty((len(kx), *self.torus.shape))
        if leg.is_alike:
            turns = [
                _turns(k, fold, delta, size)
                for k, fold, delta, size in zip((kx, ky), leg.folds, leg.last_offset, self.torus.shape, strict=True)
            ]
            whole = np.conj(self._phase(leg.kind[0], kx, ky)) * self._phase(leg.kind[2], kx, ky)
            planes = np.empty((len(units) - 1, *self.torus.shape), dtype=complex)
            turns[0] *= whole[:, None]
            _unfold_pairs(kept, units, fx.index, fx.flipped, fy.index, fy.flipped, *turns, planes)
            axis = leg.kind[0]
            signs = _signs((kx, ky)[axis], self.torus.shape[axis])
            _part_pairs(scipy.fft.fft2(planes, overwrite_x=True), units, signs, axis, out)
            return out
        planes = np.empty((len(kx), *self.torus.shape), dtype=complex)
        last = [
            np.exp(-2j * np.pi * k * d / n) for k, d, n in zip((kx, ky), leg.last_offset, self.torus.shape, strict=True)
        ]
        _unfold(kept, fx.index, fx.flipped, fy.index, fy.flipped, *last, planes)
        planes = scipy.fft.fft2(planes, overwrite_x=True)
        _centre(planes, kx, ky, *self.phases, np.array(leg.kind), out)
        return out

    def _phase(self, orientation: int, kx: NDArray, ky: NDArray) -> NDArray:
        """Return e^(−ik/2) along the axis of an orientation."""
        return self.phases[orientation][ky if orientation else kx]


def _turns(k: NDArray, fold: zone.Folding, delta: int, size: int) -> NDArray:
    """Return, for each momentum and displacement along an axis (P, L), the phase that a kept real number has lost."""
    x = fold.representatives[fold.index]
    middle = np.where(fold.flipped, delta - x, x + delta)
    return np.exp(-1j * np.pi * (k[:, None] * middle % (2 * size)) / size)


def _signs(k: NDArray, size: int) -> NDArray:
    """Return the signs (P, L) of measuring from bond centres: −1 where k₀ + k₁ + k₂ is an odd multiple of 2π."""
    k1 = np.arange(size)
    turns = ((-k1 - k[:, None]) % size + k1 + k[:, None]) // size
    return 1.0 - 2.0 * (turns % 2)


@numba.njit(nogil=True, cache=True)
def _unfold_pairs(kept, units, index_x, flipped_x, index_y, flipped_y, turn_x, turn_y, planes):
    """Unfold real numbers to T̂(d₁, k₂), a plane for each unit of one or two momenta.

    The second, times i, becomes the imaginary part of what the FFT makes. Units stay together whatever the blocks and
    the rounds, so no bit depends on these.
    """
    X, Y = planes.shape[1:]
    reps_y = index_y.max() + 1
    for q in range(len(planes)):
        a, b = units[q], units[q + 1] - 1
        for x in range(X):
            first = turn_x[a, x]
            second = 1j * turn_x[b, x] if b > a else 0j
            for y in range(Y):
                rep = index_x[x] * reps_y + index_y[y]
                side = 1 if flipped_x[x] != flipped_y[y] else 0
                value = kept[rep, a, side] * (first * turn_y[a, y])
                if b > a:
                    value += kept[rep, b, side] * (second * turn_y[b, y])
                planes[q, x, y] = value


@numba.njit(nogil=True, cache=True)
def _part_pairs(planes, units, signs, axis, out):
    """Take the momenta of each plane apart, with the ``signs`` (P, L) along an axis of k₁."""
    X, Y = planes.shape[1:]
    for q in range(len(planes)):
        for p in range(units[q], units[q + 1]):
            for x in range(X):
                for y in range(Y):
                    part = planes[q, x, y].real if p == units[q] else planes[q, x, y].imag
                    out[p, x, y] = part * signs[p, y if axis else x]


@numba.njit(nogil=True, cache=True)
def _unfold(kept, index_x, flipped_x, index_y, flipped_y, last_x, last_y, planes):
    """Reflecting d₁ conjugates or swaps the two kept values, with a phase from the offset of the last bond."""
    P, X, Y = planes.shape
    reps_y = index_y.max() + 1
    for x in range(X):
        for y in range(Y):
            rep = index_x[x] * reps_y + index_y[y]
            fx, fy = flipped_x[x], flipped_y[y]
            for p in range(P):
                value = kept[rep, p, 1 if fx != fy else 0]
                if fy:
                    value = np.conj(value) * last_y[p]
                if fx:
                    value = value * last_x[p]
                planes[p, x, y] = value


@numba.njit(nogil=True, cache=True)
def _centre(planes, kx, ky, phase_x, phase_y, kind, out):
    """Measure momenta from bond centres, where inversion makes every value real."""
    P, X, Y = planes.shape
    for p in range(P):
        last = phase_y[ky[p]] if kind[2] else phase_x[kx[p]]
        for x in range(X):
            x0 = (2 * X - x - kx[p]) % X
            for y in range(Y):
                y0 = (2 * Y - y - ky[p]) % Y
                zeroth = phase_y[y0] if kind[0] else phase_x[x0]
                first = phase_y[y] if kind[1] else phase_x[x]
                out[p, x, y] = (planes[p, x, y] * (zeroth * first * last)).real


def whitener(momentum_metric: NDArray, phases: list[NDArray]) -> tuple[NDArray, NDArray, NDArray]:
    """Return the lower triangle of W(k), Wᵀ W = F̃(k)⁻¹, with F̃ the real metric measured from bond centres."""
    h, v = momentum_metric[0, 0].real, momentum_metric[1, 1].real
    mixed = (momentum_metric[0, 1] * phases[0].conj()[:, None] * phases[1][None, :]).real
    l00 = np.sqrt(h)
    l10 = mixed / l00
    l11 = np.sqrt(v - l10**2)
    return 1 / l00, -l10 / (l00 * l11), 1 / l11


@numba.njit(nogil=True, cache=True, fastmath={"contract"})
def _contract(kx, ky, hhh, hvh, vvh, vvv, vhv, hhv, w00, w10, w11, values):
    """Whiten the three legs one after the other and add up squares: ``values[p]`` = Σ_{k₁} ‖W⊗W⊗W T̂(k₀, k₁, k₂)‖²/n.

    ``kx, ky`` (P,) are the momenta k₂. Six planes (P, X, Y) over k₁ hold T̂ for the orientations α, β, γ of the legs at
    k₀, k₁, k₂, h for a horizontal bond and v for a vertical one: ``hvh`` is α = h, β = v, γ = h. The other two of the
    eight are these with legs 0 and 1 exchanged: T_vhh(k₀, k₁) = T_hvh(k₁, k₀). ``w00, w10, w11`` (X, Y) is the lower
    triangle of the whitener W(k), Wᵀ W = F̂(k)⁻¹, so that contracting with three inverse metrics becomes a sum of
    squares, which cannot cancel.
    """
    P, X, Y = hhh.shape
    for p in range(P):
        total = 0.0
        c00, c10, c11 = w00[kx[p], ky[p]], w10[kx[p], ky[p]], w11[kx[p], ky[p]]  # W(k₂), for γ
        for x in range(X):
            x0 = (2 * X - x - kx[p]) % X  # k₀ = −k₁ − k₂
            for y in range(Y):
                y0 = (2 * Y - y - ky[p]) % Y
                a00, a10, a11 = w00[x0, y0], w10[x0, y0], w11[x0, y0]  # W(k₀), for α
                b00, b10, b11 = w00[x, y], w10[x, y], w11[x, y]  # W(k₁), for β
                # The last leg's orientation is the letter; (α, β) counts hh, hv, vh, vv as 0, 1, 2, 3.
                h0, h1 = hhh[p, x, y], hvh[p, x, y]
                h2, h3 = hvh[p, x0, y0], vvh[p, x, y]
                v0, v1 = hhv[p, x, y], vhv[p, x0, y0]
                v2, v3 = vhv[p, x, y], vvv[p, x, y]
                for g in range(2):  # the whitened third leg: row g of W(k₂) applied to (h, v)
                    t0 = c00 * h0 if g == 0 else c10 * h0 + c11 * v0
                    t1 = c00 * h1 if g == 0 else c10 * h1 + c11 * v1
                    t2 = c00 * h2 if g == 0 else c10 * h2 + c11 * v2
                    t3 = c00 * h3 if g == 0 else c10 * h3 + c11 * v3
                    s0, s1 = b00 * t0, b10 * t0 + b11 * t1  # the second leg, for α = h …
                    s2, s3 = b00 * t2, b10 * t2 + b11 * t3  # … and α = v
                    r0, r1 = a00 * s0, a00 * s1  # the first leg
                    r2, r3 = a10 * s0 + a11 * s2, a10 * s1 + a11 * s3
                    total += r0 * r0 + r1 * r1 + r2 * r2 + r3 * r3
        values[p] = total / (X * Y)
