"""The symmetry-reduced curvature in torch: the algorithm of :mod:`workbench.fisher.contraction` for a CUDA card.

The same two stages and the same symmetries, with torch operations on whole batches in place of loops over a cache. In
stage 1 the triangle tr(k · first · h) is written as Σ_j A_j(d₁, d₂) h_j(d₂ − d₁): A = C(d₁) k is one matrix product for
a batch of displacements d₁ that share a row of the torus, and h(d₂ − d₁) is a window that slides over h laid out on
four tori side by side with the signs of its borders, so that nothing is gathered. It runs, unchanged, on a processor.
"""

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench import checks
from workbench.fisher import zone
from workbench.fisher.contraction import DEFAULT_MEMORY, Leg, bytes_per_momentum, kinds_of, phases_of, whitener
from workbench.fisher.cumulants import Triple, triple
from workbench.fisher.metric import Pairs
from workbench.progress import Progress

if TYPE_CHECKING:
    import torch

SHARE_OF_CARD = 0.6
"""Of the memory that a card has free: what is kept between the stages; working blocks and transforms take the rest."""
BLOCK = {"cuda": 2**27, "cpu": 2**21}
"""Numbers in one working array: enough to fill a card, few enough to stay near a processor's caches."""


def choose_device(device: str = "auto") -> str:
    """Return "cuda" or "cpu"; "auto" prefers a CUDA card. Raises ``ValueError`` for a card that is not there."""
    import torch

    device = checks.choice("device", device, ("auto", "cpu", "cuda"))
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda' was asked for and torch finds no CUDA card; use device='cpu' or 'auto'")
    return device if device != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")


def cumulant_density(
    pairs: Pairs,
    space_metric: NDArray,
    momentum_metric: NDArray,
    device: str = "auto",
    max_memory: float = DEFAULT_MEMORY,
    progress: Progress | None = None,
) -> NDArray:
    """Return the share of each momentum in ‖T‖² as (L_x, L_y), computed in torch on ``device``, in float64.

    On a processor ``max_memory`` bounds the bytes kept between the stages, on a card the memory that it has free does;
    what does not fit is done in several rounds, each of which repeats stage 1. Raises ``ValueError`` if the processor
    has not that much memory free.
    """
    import torch

    progress = progress or Progress()
    device = choose_device(device)
    torus = pairs.torus
    kinds = kinds_of(torus)
    where = zone.momenta(torus)
    per_momentum = bytes_per_momentum(torus)
    if device == "cuda":
        max_memory = SHARE_OF_CARD * torch.cuda.mem_get_info()[0]
    rounds = zone.blocks(where.starts, max(2, int(max_memory / per_momentum)))
    longest = max(end - begin for begin, end in rounds)
    if device == "cpu":
        checks.memory(longest * per_momentum, f"the torch engine at {torus.width} × {torus.height}")
    legs = [_DeviceLeg(triple(pairs, space_metric, kind), kind, torus.shape, device) for kind in kinds]
    contract = _Contraction(torus, where, momentum_metric, legs, device)
    values = torch.empty(len(where.kx), dtype=torch.float64, device=device)
    for i, (begin, end) in enumerate(rounds):
        done = [2 * i, 2 * len(rounds), "third cumulants in space"]
        kept = [leg.transform(where.kx[begin:end], where.ky[begin:end], progress, done) for leg in legs]
        done = [2 * i + 1, 2 * len(rounds), "contraction over the zone"]
        contract(values, begin, end, kept, progress, done)
        del kept
    progress.update(1, 1)
    return zone.unfold(values.cpu().numpy(), where, torus)


class _DeviceLeg(Leg):
    """Stage 1 for one orientation triple, on the device."""

    def __init__(self, source: Triple, kind: tuple[int, int, int], shape: tuple[int, int], device: str) -> None:
        super().__init__(source, kind, shape)
        self.device = device
        self.of_d1, self.of_d2 = self._move(source.of_d1), self._move(source.of_d2)
        self.second = self._move(source.second.transpose(0, 2, 1, 3).reshape(len(source.second), 4, -1))
        self.coefficients = self._move(_coefficients(source.first))
        ones = np.ones((1, 2))
        self.third = [
            self._move(_unrolled(h[:, j], sign))
            for h, sign in zip(source.third, source.signs, strict=True)
            for j in range(4)
        ]
        self.of_difference = self._move(_unrolled(source.of_difference, ones[0]))
        self.metric_12, self.metric_13 = self._move(source.metric_12), self._move(source.metric_13)

    def _move(self, array: NDArray) -> "torch.Tensor":
        import torch

        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)

    def transform(self, kx: NDArray, ky: NDArray, progress: Progress, done: list) -> "torch.Tensor":
        """Return T̂(d₁, ±k_x, k_y) for the wanted momenta as (displacements, 2, P)."""
        import torch

        X, Y = self.shape
        half = Y // 2 + 1
        plus = self._move(kx * half + ky)
        minus = self._move((X - kx) % X * half + ky)
        kept = torch.empty((self.count, 2, len(kx)), dtype=torch.complex128, device=self.device)
        at = 0
        for x1, ys in self._rows():
            progress.update(done[0] + at / self.count, done[1], done[2])
            found = torch.fft.rfft2(self._planes(x1, ys)).reshape(len(ys), -1)
            upwards = torch.arange(len(ys) - 1, -1, -1, device=self.device)[:, None]
            kept[at : at + len(ys), 0] = found[upwards, plus]
            kept[at : at + len(ys), 1] = found[upwards, minus]
            at += len(ys)
        return kept

    def _rows(self) -> Iterator[tuple[int, NDArray]]:
        """Visit the displacements in their order, a piece of one row of the torus at a time, each from its end."""
        X, Y = self.shape
        size = max(1, BLOCK[self.device] // (8 * X * Y))
        reps_x, reps_y = (fold.representatives for fold in self.folds)
        for x1 in reps_x:
            for begin in range(0, len(reps_y), size):
                yield int(x1), reps_y[begin : begin + size][::-1].copy()

    def _planes(self, x1: int, ys: NDArray) -> "torch.Tensor":
        """Return T((x1, y), ·) for each y of ``ys``, which descend, as (len(ys), L_x, L_y)."""
        X, Y = self.shape
        rows = self._move(ys)
        out = self._window(self.of_difference, x1, ys) + self.of_d2
        out += self.of_d1[x1, rows][:, None, None]
        for s, second in enumerate(self.second):
            A = (self.coefficients[s, :, :, x1, rows].movedim(-1, 0) @ second).reshape(len(ys), 4, X, Y)
            for j in range(4):
                out.addcmul_(A[:, j], self._window(self.third[4 * s + j], x1, ys))
        return self._coincide(out, x1, ys)

    def _window(self, unrolled: "torch.Tensor", x1: int, ys: NDArray) -> "torch.Tensor":
        """Return f(d₂ − d₁) for d₁ = (x1, y), y in ``ys``; without a copy where the rows follow each other."""
        X, Y = self.shape
        largest, count = int(ys[0]), len(ys)
        if count == largest - int(ys[-1]) + 1:
            # each row starts one place after the one before, as y descends by one; strides cannot be negative
            return unrolled.as_strided((count, X, Y), (1, 2 * Y, 1), (X - x1) * 2 * Y + Y - largest)
        return unrolled[X - x1 : 2 * X - x1].unfold(1, Y, 1)[:, self._move(Y - ys)].movedim(0, 1)

    def _coincide(self, out: "torch.Tensor", x1: int, ys: NDArray) -> "torch.Tensor":
        source = self.source
        rows = self._move(ys)
        if source.same[1]:
            out[:, 0, 0] = -2 * source.means[0] * self.metric_12[x1, rows]
        if source.same[2]:
            out[self._move(np.arange(len(ys))), x1, rows] = -2 * source.means[1] * self.metric_12[x1, rows]
        if source.same[0] and x1 == 0 and ys[-1] == 0:
            out[-1] = -2 * source.means[0] * self.metric_13
        return out


def _coefficients(first: NDArray) -> NDArray:
    """Return C (S, 4, 4, L_x, L_y) with tr(k · first · h) = Σ_ij C_ji k_i h_j, all 2×2 matrices flattened to 4."""
    S, X, _, Y = first.shape
    m = first.transpose(0, 2, 1, 3)
    C = np.zeros((S, 4, 4, X, Y))
    for i, j, l in itertools.product(range(2), repeat=3):  # tr = Σ k_ij m_jl h_li
        C[:, 2 * l + i, 2 * i + j] = m[:, 2 * j + l]
    return C


def _unrolled(values: NDArray, signs: NDArray) -> NDArray:
    """Lay f out on four tori side by side, (2 L_x, 2 L_y): place (X + dx, Y + dy) holds f(d), −X < dx < X, with the
    sign of each border that a negative displacement crosses."""
    X, Y = values.shape
    out = np.tile(values, (2, 2))
    out[:X] *= signs[0]
    out[:, :Y] *= signs[1]
    return out


class _Contraction:
    """Stage 2 on the device: from kept T̂(d₁, k₂) to the share of each k₂."""

    def __init__(self, torus, where: zone.Momenta, momentum_metric: NDArray, legs: list[_DeviceLeg], device: str):
        import torch

        def move(array: NDArray) -> "torch.Tensor":
            return torch.from_numpy(np.ascontiguousarray(array)).to(device)

        self.where, self.legs, self.device, self.shape = where, legs, device, torus.shape
        self.kx, self.ky = move(where.kx), move(where.ky)
        self.phases = [move(phase) for phase in phases_of(torus.shape)]
        self.white = [move(w) for w in whitener(momentum_metric, phases_of(torus.shape))]
        self.folded = []
        for leg in legs:
            fx, fy = leg.folds
            swapped = fx.flipped[:, None] != fy.flipped
            index = 2 * (fx.index[:, None] * len(fy.representatives) + fy.index) + swapped
            self.folded.append((move(index.ravel()), move(fx.flipped), move(fy.flipped)))
        self.x, self.y = (torch.arange(size, device=device) for size in torus.shape)
        self.block = max(2, BLOCK[device] // (4 * torus.sites))

    def __call__(
        self, values: "torch.Tensor", begin: int, end: int, kept: list["torch.Tensor"], progress: Progress, done: list
    ) -> None:
        starts = self.where.starts
        inside = starts[(starts >= begin) & (starts <= end)]
        for first, last in zone.blocks(inside - begin, self.block):
            progress.update(done[0] + first / (end - begin), done[1], done[2])
            at = slice(begin + first, begin + last)
            planes = [self._real_planes(i, kept[i][:, :, first:last], at) for i in range(len(self.legs))]
            if self.where.mirror is None:
                horizontal, vertical = planes[:3], planes[3:]
            else:
                mirror = self.where.mirror[at] - at.start
                horizontal, vertical = planes, [p[mirror].transpose(1, 2) for p in planes]
            values[at] = self._contract(at, *horizontal, *vertical)

    def _real_planes(self, i: int, kept: "torch.Tensor", at: slice) -> "torch.Tensor":
        """Unfold d₁, transform it and measure momenta from bond centres: T̂(k₀, k₁, k₂) as real (P, L_x, L_y)."""
        import torch

        X, Y = self.shape
        leg, (index, fx, fy) = self.legs[i], self.folded[i]
        count = kept.shape[2]
        planes = kept.reshape(-1, count).index_select(0, index).reshape(X, Y, count)
        kx, ky = self.kx[at], self.ky[at]
        one = torch.ones(count, dtype=torch.complex128, device=self.device)
        last_x, last_y = (
            torch.polar(one.real, -2 * np.pi * leg.last_offset[axis] / self.shape[axis] * k.double())
            for axis, k in enumerate((kx, ky))
        )
        planes = torch.where(fy[:, None], planes.conj() * last_y, planes)
        planes *= torch.where(fx[:, None, None], last_x, one)
        planes = torch.fft.fft2(planes.permute(2, 0, 1).contiguous())
        phase_x, phase_y = self.phases
        x0, y0 = self._zeroth(at)
        last = phase_y[ky] if leg.kind[2] else phase_x[kx]
        first = phase_y[None, :] if leg.kind[1] else phase_x[:, None]
        zeroth = phase_y[y0][:, None, :] if leg.kind[0] else phase_x[x0][:, :, None]
        planes *= zeroth * last[:, None, None]
        return (planes * first).real

    def _zeroth(self, at: slice) -> tuple["torch.Tensor", "torch.Tensor"]:
        """Return k₀ = −k₁ − k₂ as x (P, L_x) and y (P, L_y)."""
        X, Y = self.shape
        return (-self.x - self.kx[at, None]) % X, (-self.y - self.ky[at, None]) % Y

    def _contract(self, at, hhh, hvh, vvh, vvv, vhv, hhv) -> "torch.Tensor":
        """The sum of squares of :func:`workbench.fisher.contraction._contract`, over whole planes."""
        X, Y = self.shape
        kx, ky = self.kx[at], self.ky[at]
        x0, y0 = self._zeroth(at)
        there = x0[:, :, None] * Y + y0[:, None, :]

        def at_zeroth(planes):
            return planes.reshape(len(planes), -1).gather(1, there.reshape(len(planes), -1)).reshape(planes.shape)

        w00, w10, w11 = self.white
        a00, a10, a11 = (w.ravel()[there] for w in self.white)
        c00, c10, c11 = (w[kx, ky][:, None, None] for w in self.white)
        # The last leg's orientation is the letter; (α, β) counts hh, hv, vh, vv.
        h = (hhh, hvh, at_zeroth(hvh), vvh)
        v = (hhv, at_zeroth(vhv), vhv, vvv)
        total = 0.0
        for whiten in (lambda p, q: c00 * p, lambda p, q: c10 * p + c11 * q):
            t0, t1, t2, t3 = (whiten(p, q) for p, q in zip(h, v, strict=True))
            s0, s1, s2, s3 = w00 * t0, w10 * t0 + w11 * t1, w00 * t2, w10 * t2 + w11 * t3
            for whitened in (a00 * s0, a00 * s1, a10 * s0 + a11 * s2, a10 * s1 + a11 * s3):
                total = total + whitened.square().sum((1, 2))
        return total / (X * Y)
