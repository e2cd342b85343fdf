"""The plain route: all eight orientation triples, every displacement, one full 4-D transform, no symmetry used.

Slow and hungry (about 400 n² bytes), but short enough to check by eye; it is the witness for the symmetry-reduced
engine, and the common last step of the engines that find T by other means.
"""

import itertools

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from workbench import checks
from workbench.fisher import metric
from workbench.fisher.cumulants import triple
from workbench.fisher.metric import Pairs
from workbench.parallel import THREADS
from workbench.progress import Progress

BYTES_PER_PAIR = 400


def dense_cumulant(pairs: Pairs, space_metric: NDArray, progress: Progress | None = None) -> NDArray:
    """Return T_αβγ(d₁, d₂) as (2, 2, 2, L_x, L_y, L_x, L_y) from the Pfaffian sectors, in NumPy operations only."""
    progress = progress or Progress()
    torus = pairs.torus
    checks.memory(BYTES_PER_PAIR * torus.sites**2, f"the plain engine at {torus.width} × {torus.height}")
    out = np.empty((2, 2, 2, *torus.shape, *torus.shape))
    for i, kind in enumerate(itertools.product((0, 1), repeat=3)):
        progress.update(i, 8, "third cumulants in space")
        source = triple(pairs, space_metric, kind)
        for x1, y1 in np.ndindex(torus.shape):
            out[*kind, x1, y1] = _plane(source, x1, y1)
    progress.update(8, 8)
    return out


def _plane(source, x1: int, y1: int) -> NDArray:
    S, X, _, Y = source.second.shape
    first = source.first[:, x1, :, y1].reshape(S, 2, 2)
    third = np.roll(source.third, (x1, y1), axis=(1, 3))
    third[:, :x1] *= source.signs[:, 0, None, None, None]
    third[..., :y1] *= source.signs[:, 1, None, None, None]
    second, third = (a.reshape(S, X, 2, 2, Y) for a in (source.second, third))
    plane = np.einsum("sxijy,sjk,sxkiy->xy", second, first, third, optimize=True)
    plane += source.of_d1[x1, y1] + source.of_d2 + np.roll(source.of_difference, (x1, y1), axis=(0, 1))
    if source.same[0] and (x1, y1) == (0, 0):
        return -2 * source.means[0] * source.metric_13
    if source.same[1]:
        plane[0, 0] = -2 * source.means[0] * source.metric_12[x1, y1]
    if source.same[2]:
        plane[x1, y1] = -2 * source.means[1] * source.metric_12[x1, y1]
    return plane


def densities(cumulant: NDArray, space_metric: NDArray) -> tuple[NDArray, NDArray]:
    """Contract T_αβγ(d₁, d₂) and F_αβ(d): return the share of each momentum in ‖T‖² and in ‖tr T‖², both (L_x, L_y).

    The trace is taken from T itself, t_α = (1/n) Σ_q T̂_αβγ(q, −q) F̂⁻¹_βγ(q), not from the derivative of F.
    """
    X, Y = cumulant.shape[-2:]
    n = X * Y
    T = scipy.fft.fftn(cumulant, axes=(3, 4, 5, 6), workers=THREADS)
    F_hat = metric.to_momentum(space_metric)
    metric.check_conditioned(F_hat)
    inverse = metric.inverse(F_hat)
    x, y = np.arange(X), np.arange(Y)
    x0 = -(x[:, None, None, None] + x[None, None, :, None]) % X
    y0 = -(y[None, :, None, None] + y[None, None, None, :]) % Y
    raised = np.einsum("abcijkl,ceij->abeijkl", T.transpose(0, 1, 2, 5, 6, 3, 4), inverse)
    raised = raised.transpose(0, 1, 2, 5, 6, 3, 4)
    raised = np.einsum("abcijkl,bdij->adcijkl", raised, inverse)
    cumulant_density = np.zeros((X, Y))
    for a, b in itertools.product((0, 1), repeat=2):
        cumulant_density += np.einsum(
            "bcijkl,bcijkl,ijkl->kl", raised[a], T[b].conj(), inverse[a, b][x0, y0], optimize=True
        ).real
    diagonal = T[:, :, :, x[:, None], y[None, :], (-x % X)[:, None], (-y % Y)[None, :]]
    logs = np.einsum("abcij,bcij->aij", diagonal, inverse).real
    t = logs.sum(axis=(1, 2)) / n
    trace_density = np.einsum("a,axy->xy", np.linalg.solve(F_hat[:, :, 0, 0].real, t), logs)
    return cumulant_density / n, trace_density
