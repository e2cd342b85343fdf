"""The same curvature in torch: runs on the processor and, unchanged, on a CUDA card when there is one.

Pair functions come from :mod:`workbench.fisher.metric`; triangle, transforms and contraction are torch operations in
float64, in batches, with all eight orientation triples and no use of symmetry (64 n² bytes are kept). It has been run
on processors only so far; the tests cover a CUDA card wherever they find one.
"""

import itertools

import numpy as np
from numpy.typing import NDArray

from workbench import checks
from workbench.fisher import metric
from workbench.fisher.cumulants import triple
from workbench.fisher.metric import Pairs
from workbench.progress import Progress

BYTES_PER_PAIR = 64
KINDS = tuple(itertools.product((0, 1), repeat=3))


def choose_device(device: str = "auto") -> str:
    """Return "cuda" or "cpu"; "auto" prefers a CUDA card. Raises ``ValueError`` for a card that is not there."""
    import torch

    device = checks.choice("device", device, ("auto", "cpu", "cuda"))
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda' was asked for and torch finds no CUDA card; use device='cpu' or 'auto'")
    return device if device != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")


def cumulant_density(
    pairs: Pairs, space_metric: NDArray, device: str = "auto", progress: Progress | None = None
) -> NDArray:
    """Return the share of each momentum in ‖T‖² as (L_x, L_y), computed in torch on ``device``."""
    import torch

    progress = progress or Progress()
    device = choose_device(device)
    torus = pairs.torus
    X, Y = torus.shape
    n, half = torus.sites, Y // 2 + 1
    if device == "cpu":
        checks.memory(BYTES_PER_PAIR * n**2, f"the torch engine at {X} × {Y}")
    kept = torch.empty((8, n, X, half), dtype=torch.complex128, device=device)
    size = max(1, 2**22 // n)
    steps = 8 * -(-n // size)
    for i, kind in enumerate(KINDS):
        source = _Source(triple(pairs, space_metric, kind), device)
        for begin in range(0, n, size):
            progress.update(i * (n / size) + begin / size, 2 * steps, "third cumulants in space")
            rows = torch.arange(begin, min(begin + size, n), device=device)
            kept[i, rows] = torch.fft.rfft2(source.planes(rows))
    inverse = torch.from_numpy(metric.inverse(metric.to_momentum(space_metric))).to(device)
    columns = kept.reshape(8, X, Y, X * half)
    out = torch.empty(X * half, dtype=torch.float64, device=device)
    size = max(1, size // 8)
    for begin in range(0, X * half, size):
        progress.update(steps + steps * begin / (X * half), 2 * steps, "contraction over the zone")
        at = torch.arange(begin, min(begin + size, X * half), device=device)
        T = torch.fft.fft2(columns[..., at], dim=(1, 2)).reshape(2, 2, 2, X, Y, len(at))
        out[at] = _contract(T, inverse, at // half, at % half) / n
    progress.update(1, 1)
    return _whole_zone(out.reshape(X, half).cpu().numpy(), Y)


def _contract(T, inverse, kx, ky):
    """Contract (2, 2, 2, k₁x, k₁y, k₂) with the three inverse metrics; one number for each k₂."""
    import torch

    X, Y = inverse.shape[2:]
    x = torch.arange(X, device=T.device)[:, None, None]
    y = torch.arange(Y, device=T.device)[None, :, None]
    zeroth = inverse[:, :, (-x - kx) % X, (-y - ky) % Y]
    raised = torch.einsum("abcxyk,cfk->abfxyk", T, inverse[:, :, kx, ky])
    raised = torch.einsum("abfxyk,bexy->aefxyk", raised, inverse)
    raised = torch.einsum("aefxyk,adxyk->defxyk", raised, zeroth)
    return (raised * T.conj()).real.sum(dim=(0, 1, 2, 3, 4))


def _whole_zone(half: NDArray, Y: int) -> NDArray:
    """Complete the k_y ≥ 0 half by inversion."""
    out = np.empty((len(half), Y))
    out[:, : half.shape[1]] = half
    for y in range(half.shape[1], Y):
        out[:, y] = np.roll(half[::-1, Y - y], 1)
    return out


class _Source:
    """A :class:`Triple` on the device, and T(d₁, ·) for a batch of numbered displacements d₁."""

    def __init__(self, source, device: str) -> None:
        import torch

        def move(array):
            return torch.from_numpy(np.ascontiguousarray(array)).to(device)

        self.shape = source.of_d2.shape
        n = source.of_d2.size
        S = len(source.first)
        matrices = (source.first, source.second, source.third)
        self.first, self.second, self.third = (move(a.transpose(0, 2, 1, 3).reshape(S, 2, 2, n)) for a in matrices)
        self.signs = move(source.signs)
        self.of_d1, self.of_d2 = move(source.of_d1.ravel()), move(source.of_d2.ravel())
        self.of_difference = move(source.of_difference.ravel())
        self.metric_12, self.metric_13 = move(source.metric_12.ravel()), move(source.metric_13.ravel())
        self.means, self.same = source.means, source.same

    def planes(self, rows):
        import torch

        X, Y = self.shape
        sites = torch.arange(X * Y, device=rows.device)
        dx = sites // Y - (rows // Y)[:, None]
        dy = sites % Y - (rows % Y)[:, None]
        difference = dx % X * Y + dy % Y
        out = self.of_d1[rows, None] + self.of_d2 + self.of_difference[difference]
        for s in range(len(self.first)):
            sign = torch.where(dx < 0, self.signs[s, 0], 1.0) * torch.where(dy < 0, self.signs[s, 1], 1.0)
            product = torch.einsum("ijn,jkb->ikbn", self.second[s], self.first[s][:, :, rows])
            out += sign * torch.einsum("ikbn,kibn->bn", product, self.third[s][:, :, difference])
        return self._coincide(out, rows, sites).reshape(len(rows), X, Y)

    def _coincide(self, out, rows, sites):
        import torch

        if self.same[1]:
            out[:, 0] = -2 * self.means[0] * self.metric_12[rows]
        if self.same[2]:
            out[torch.arange(len(rows), device=rows.device), rows] = -2 * self.means[1] * self.metric_12[rows]
        if self.same[0]:
            out[rows == 0] = -2 * self.means[0] * self.metric_13
        return out
