"""The inner loops: velocity, score and log-density of a blurred mixture at many points, and of the memoriser.

Responsibilities are taken as a log-sum-exp that runs along the components: whenever a larger exponent comes, what was
summed so far is scaled down, so that no tail under- or overflows and one pass is enough.
"""

from collections.abc import Callable

import numpy as np
from numba import njit

from workbench.parallel import for_each
from workbench.progress import Progress

NEGLIGIBLE = 46.0
"""A component whose exponent lies so far below the largest weighs less than 1e-20 and adds nothing to a digit."""
BLOCK = 2048
"""Points of a task; fewer are not worth a thread."""


@njit(cache=True, nogil=True)
def mixture_kernel(x, log_weights, means, precisions, gains, drifts, velocity, score, density, spread):
    """Write E[u | x], ∇log p, log p and Var[v_k | x] at the points ``x`` (n, d).

    Component k contributes v_k = drifts[k] + gains[k] (x − means[k]) with the score −precisions[k] (x − means[k]).
    """
    n, d = x.shape
    k = len(log_weights)
    away, own, mean_v, mean_g = np.empty(d), np.empty(d), np.empty(d), np.empty(d)
    for i in range(n):
        top, total, squares = -np.inf, 0.0, 0.0
        mean_v[:], mean_g[:] = 0.0, 0.0
        for c in range(k):
            q = 0.0
            for a in range(d):
                away[a] = x[i, a] - means[c, a]
            for a in range(d):
                s = 0.0
                for b in range(d):
                    s += precisions[c, a, b] * away[b]
                own[a] = s
                q += s * away[a]
            exponent = log_weights[c] - 0.5 * q
            if exponent < top - NEGLIGIBLE:
                continue
            if exponent > top:
                down = np.exp(top - exponent)
                total, squares = total * down, squares * down
                for a in range(d):
                    mean_v[a] *= down
                    mean_g[a] *= down
                top, w = exponent, 1.0
            else:
                w = np.exp(exponent - top)
            total += w
            size = 0.0
            for a in range(d):
                v = drifts[c, a]
                for b in range(d):
                    v += gains[c, a, b] * away[b]
                size += v * v
                mean_v[a] += w * v
                mean_g[a] -= w * own[a]
            squares += w * size
        size = 0.0
        for a in range(d):
            v = mean_v[a] / total
            velocity[i, a] = v
            score[i, a] = mean_g[a] / total
            size += v * v
        density[i] = top + np.log(total)
        spread[i] = max(squares / total - size, 0.0)


@njit(cache=True, nogil=True)
def plane_kernel(x, log_weights, means, precisions, gains, drifts, velocity, score, density, spread):
    """Write what :func:`mixture_kernel` writes, in the plane: everything in registers, two to three times as fast."""
    k = len(log_weights)
    for i in range(len(x)):
        x0, x1 = x[i, 0], x[i, 1]
        top, total, squares = -np.inf, 0.0, 0.0
        v0, v1, g0, g1 = 0.0, 0.0, 0.0, 0.0
        for c in range(k):
            d0, d1 = x0 - means[c, 0], x1 - means[c, 1]
            p0 = precisions[c, 0, 0] * d0 + precisions[c, 0, 1] * d1
            p1 = precisions[c, 1, 0] * d0 + precisions[c, 1, 1] * d1
            exponent = log_weights[c] - 0.5 * (p0 * d0 + p1 * d1)
            if exponent < top - NEGLIGIBLE:
                continue
            if exponent > top:
                down = np.exp(top - exponent)
                total, squares = total * down, squares * down
                v0, v1, g0, g1 = v0 * down, v1 * down, g0 * down, g1 * down
                top, w = exponent, 1.0
            else:
                w = np.exp(exponent - top)
            total += w
            u0 = drifts[c, 0] + gains[c, 0, 0] * d0 + gains[c, 0, 1] * d1
            u1 = drifts[c, 1] + gains[c, 1, 0] * d0 + gains[c, 1, 1] * d1
            v0 += w * u0
            v1 += w * u1
            g0 -= w * p0
            g1 -= w * p1
            squares += w * (u0 * u0 + u1 * u1)
        v0, v1 = v0 / total, v1 / total
        velocity[i, 0], velocity[i, 1] = v0, v1
        score[i, 0], score[i, 1] = g0 / total, g1 / total
        density[i] = top + np.log(total)
        spread[i] = max(squares / total - v0 * v0 - v1 * v1, 0.0)


@njit(cache=True, nogil=True)
def memoriser_kernel(x, times, points, mean, variance, velocity, score, density, spread):
    """Write the same for the source N(mean, variance · I) and the sample ``points`` (m, d), at a time for each x.

    All components have one width σ = s(1 − t), so that an exponent is one squared distance; components that weigh
    less than 1e-20 of the nearest are passed over, which near t = 1 is nearly all of them.
    """
    n, d = x.shape
    m = len(points)
    exponents, mean_y, place = np.empty(m), np.empty(d), np.empty(d)
    for i in range(n):
        t = times[i]
        left = 1.0 - t
        half = 0.5 / (variance * left * left)
        for a in range(d):
            place[a] = x[i, a] - left * mean[a]
        top = -np.inf
        for j in range(m):
            q = 0.0
            for a in range(d):
                away = place[a] - t * points[j, a]
                q += away * away
            exponents[j] = -half * q
            top = max(top, exponents[j])
        total, squares = 0.0, 0.0
        mean_y[:] = 0.0
        for j in range(m):
            if exponents[j] < top - NEGLIGIBLE:
                continue
            w = np.exp(exponents[j] - top)
            total += w
            size = 0.0
            for a in range(d):
                # From x itself, so that the spread keeps its digits when all points that matter lie close together
                away = points[j, a] - x[i, a]
                size += away * away
                mean_y[a] += w * away
            squares += w * size
        size = 0.0
        for a in range(d):
            away = mean_y[a] / total
            velocity[i, a] = away / left
            score[i, a] = -(place[a] - t * (x[i, a] + away)) * 2.0 * half
            size += away * away
        density[i] = top + np.log(total / m) + 0.5 * d * np.log(half / np.pi)
        spread[i] = max(squares / total - size, 0.0) / (left * left)


def over_blocks(n: int, work: Callable[[slice], None], *, cost: float) -> None:
    """Run ``work`` on the points in blocks, over all cores where they are worth it.

    ``cost`` is the number of components for a point.
    """
    if n * cost < 50 * BLOCK:
        work(slice(0, n))
        return
    for_each(work, [slice(k, min(k + BLOCK, n)) for k in range(0, n, BLOCK)], Progress())
