"""Third cumulants of the torus from the 2^L × 2^L row-to-row transfer matrix: the paper's own route, up to L = 8.

S(s, s') = exp(J_h Σ_i s_i s_{i+1} + J_v Σ_i s_i s'_i) takes row x to row x + 1; every bond energy of a row is an
entrywise factor of S, so a moment of three bonds is a trace of a product of L such matrices over tr S^L. It shares
nothing with the Pfaffian route. Rows run along the first direction of the torus, so within a row lie the *vertical*
bonds of :class:`Torus` and between rows the horizontal ones.
"""

import numpy as np
from numpy.typing import NDArray

from workbench.fisher.torus import Torus
from workbench.progress import Progress

LARGEST_HEIGHT = 8


def cumulants(torus: Torus, progress: Progress | None = None) -> tuple[NDArray, NDArray, NDArray]:
    """Return F_αβ(d) (2, 2, L_x, L_y), T_αβγ(d₁, d₂) (2, 2, 2, L_x, L_y, L_x, L_y) and the mean energies (2,).

    Time grows like L_x² L_y 8^(L_y); L_y ≤ 8, else ``ValueError``.

    >>> metric, third, energies = cumulants(Torus(3, 3, 0.4, 0.4))
    >>> metric.shape, third.shape, round(float(energies[0]), 6)
    ((2, 2, 3, 3), (2, 2, 2, 3, 3, 3, 3), 0.731061)
    """
    if torus.height > LARGEST_HEIGHT:
        raise ValueError(
            f"the transfer matrix of a torus with L_y = {torus.height} has 2^{torus.height} rows; "
            f"L_y ≤ {LARGEST_HEIGHT} is allowed here, use method='pfaffian' beyond"
        )
    progress = progress or Progress()
    rows = _Rows(torus)
    mean = np.array([rows.masks[a * torus.height].ravel() @ rows.loop(torus.width - 1).ravel() for a in (0, 1)])
    X, Y = torus.shape
    second = np.empty((2, X, 2 * Y))
    third = np.empty((2, X, X, 2 * Y, 2 * Y))
    for a in (0, 1):
        for x in range(X):
            progress.update(a * X + x, 2 * X, "moments by transfer matrix")
            second[a, x], third[a, x] = rows.moments(a, x)
    for x, y in np.ndindex(X, X):
        if y < x:
            third[:, x, y] = third[:, y, x].transpose(0, 2, 1)
    progress.update(2 * X, 2 * X)
    M2 = second.reshape(2, X, 2, Y).transpose(0, 2, 1, 3)
    M3 = third.reshape(2, X, X, 2, Y, 2, Y).transpose(0, 3, 5, 1, 4, 2, 6)
    F = M2 - np.multiply.outer(mean, mean)[:, :, None, None]
    return F, _third_cumulant(F, M3, mean), mean


def _third_cumulant(F: NDArray, M3: NDArray, mean: NDArray) -> NDArray:
    X, Y = F.shape[2:]
    x, y = np.arange(X), np.arange(Y)
    dx = (x[None, None, :, None] - x[:, None, None, None]) % X
    dy = (y[None, None, None, :] - y[None, :, None, None]) % Y
    ab = np.einsum("abij,c->abcij", F, mean)[..., None, None]
    ac = np.einsum("ackl,b->abckl", F, mean)[:, :, :, None, None]
    bc = np.einsum("bcijkl,a->abcijkl", F[:, :, dx, dy], mean)
    return M3 - ab - ac - bc - np.einsum("a,b,c->abc", mean, mean, mean)[:, :, :, None, None, None, None]


class _Rows:
    """The transfer matrix, its powers, and the bond energies of one row as entrywise masks (2 L_y, 2^L_y, 2^L_y)."""

    def __init__(self, torus: Torus) -> None:
        self.length = torus.width
        size = 2**torus.height
        spins = 1.0 - 2 * (np.arange(size)[:, None] >> np.arange(torus.height) & 1)
        across = spins.T[:, :, None] * spins.T[:, None, :]
        within = np.broadcast_to((spins * np.roll(spins, -1, axis=1)).T[:, :, None], across.shape)
        self.masks = np.concatenate([across, within])  # orientation 0 first, then 1, each by height
        exponent = torus.horizontal * across.sum(axis=0) + torus.vertical * within.sum(axis=0)
        self.step = np.exp(exponent - exponent.max())
        self.step /= np.linalg.norm(self.step, 2)
        powers = [np.eye(size)]
        for _ in range(self.length):
            powers.append(powers[-1] @ self.step)
        self.powers = powers
        self.partition = np.trace(powers[-1])
        self.height = torus.height

    def loop(self, rest: int) -> NDArray:
        """Return W with ⟨f⟩ = Σ f(s, s') W(s, s') for f on one row and ``rest`` plain rows around."""
        return self.step * self.powers[rest].T / self.partition

    def moments(self, a: int, x: int) -> tuple[NDArray, NDArray]:
        """Return ⟨a b⟩ (2 L_y,) for b in row x, and ⟨a b c⟩ (L_x, 2 L_y, 2 L_y) for c in rows y ≥ x."""
        flat = self.masks.reshape(len(self.masks), -1)
        first = self.step * self.masks[a * self.height]
        third = np.zeros((self.length, len(flat), len(flat)))
        if x == 0:
            here = (first * self.powers[self.length - 1].T / self.partition).ravel()
            second = flat @ here
            third[0] = (flat * here) @ flat.T
        else:
            before = self.powers[self.length - x - 1] @ first @ self.powers[x - 1]
            here = (before.T * self.step / self.partition).ravel()
            second = flat @ here
            third[x] = (flat * here) @ flat.T
        for b, mask in enumerate(self.masks):
            done = first * mask if x == 0 else first @ self.powers[x - 1] @ (self.step * mask)
            for y in range(x + 1, self.length):
                around = self.powers[self.length - y - 1] @ done @ self.powers[y - x - 1]
                third[y, b] = flat @ (around.T * self.step / self.partition).ravel()
        return second, third
