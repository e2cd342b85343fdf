"""The inner loops: velocity, score and log-density of a blurred mixture at many points, and of the memoriser.

Points are taken in blocks, and every innermost loop runs along a block (or along the training points), so that the
compiler does several at once. It cannot do that with a call of ``exp``, so the responsibilities have one of their own
(:func:`_weight`). They are taken relative to the largest exponent of each point: no tail under- or overflows.
"""

import itertools
from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workbench.parallel import THREADS, for_each
from workbench.progress import Progress

NEGLIGIBLE = 60.0
"""A component whose exponent lies so far below the largest weighs 1e-26 and adds nothing to a digit."""
BLOCK = 64
"""Points whose numbers stay in the nearest cache together."""
COLUMNS, ROWS = 128, 256
"""Points and rows of matrices in one product of BLAS, whose result stays in the second cache."""
PRODUCT = 150_000
"""Multiplications of one product; beyond some 260,000 OpenBLAS would start threads of its own."""
PER_OCTAVE = 16
POWERS = 2.0 ** (-np.arange(int(NEGLIGIBLE / np.log(2) * PER_OCTAVE) + 3) / PER_OCTAVE)
STEPS = PER_OCTAVE / np.log(2)
# The step of the table as a number of few digits, whose multiples are exact, and the rest of it
COARSE = np.float64(np.float32(np.log(2) / PER_OCTAVE))
FINE = float(np.log(2) / PER_OCTAVE - COARSE)
SUMS = {"reassoc", "contract"}
"""What a compiler may do to the order of sums; never to infinity."""
WORTH_THREADS = 2_000_000
"""Points times components from which on several threads are faster than one: some 10 ms of work."""
SHARES = 4
"""Blocks for each thread, so that one which is held up does not hold up all."""


@njit(inline="always")
def _weight(below):
    """Return exp(below) for ``below`` ≤ 0 to the last digits: a power of 2^(1/16) from a table, times a polynomial."""
    below = max(below, -NEGLIGIBLE)
    step = np.uint64(-below * STEPS)
    r = (below + step * COARSE) + step * FINE
    p = 1 / 720 + r * (1 / 5040)
    p = 1 / 24 + r * (1 / 120 + r * p)
    return POWERS[step] * (1 + r * (1 + r * (0.5 + r * (1 / 6 + r * p))))


@njit(cache=True, nogil=True, fastmath=SUMS)
def mixture_kernel(
    x: NDArray, log_weights: NDArray, means: NDArray, precisions: NDArray, gains: NDArray, drifts: NDArray,
    velocity: NDArray, score: NDArray, density: NDArray, spread: NDArray,
) -> None:  # fmt: skip
    """Write E[u | x], ∇log p, log p and Var[v_k | x] at the points ``x`` (n, d).

    Component k contributes v_k = drifts[k] + gains[k] (x − means[k]) with the score −precisions[k] (x − means[k]). The
    products of all matrices of a group of components with a block of points are one product of BLAS, as P x − P m; that
    costs ‖x‖/σ times the rounding of a number, σ being the width of the component. Sums follow the largest exponent
    from group to group, so that no tail overflows and each product is needed once.
    """
    n, d = x.shape
    k = len(log_weights)
    group = max(1, min(ROWS // d, PRODUCT // (d * d * COLUMNS)))
    rows, turns = precisions.reshape(k * d, d), gains.reshape(k * d, d)
    pulled, moved = np.empty(k * d), np.empty(k * d)
    for c in range(k):
        for a in range(d):
            pulled[c * d + a] = 0.0
            moved[c * d + a] = drifts[c, a]
            for b in range(d):
                pulled[c * d + a] += precisions[c, a, b] * means[c, b]
                moved[c * d + a] -= gains[c, a, b] * means[c, b]
    exponents = np.empty((group, COLUMNS))
    top, new, total = np.empty(COLUMNS), np.empty(COLUMNS), np.empty(COLUMNS)
    squares, w, q = np.empty(COLUMNS), np.empty(COLUMNS), np.empty(COLUMNS)
    mean_v, mean_g = np.empty((d, COLUMNS)), np.empty((d, COLUMNS))
    for start in range(0, n, COLUMNS):
        m = min(COLUMNS, n - start)
        columns = np.ascontiguousarray(x[start : start + m].T)
        top[:] = -np.inf
        total[:], squares[:], mean_v[:], mean_g[:] = 0.0, 0.0, 0.0, 0.0
        for first in range(0, k, group):
            last = min(first + group, k)
            pull = np.dot(rows[first * d : last * d], columns)
            new[:m] = top[:m]
            for c in range(first, last):
                q[:] = 0.0
                for a in range(d):
                    row, shift, mean = (c - first) * d + a, pulled[c * d + a], means[c, a]
                    for i in range(m):
                        y = pull[row, i] - shift
                        pull[row, i] = y
                        q[i] += y * (columns[a, i] - mean)
                for i in range(m):
                    exponents[c - first, i] = log_weights[c] - 0.5 * q[i]
                    new[i] = max(new[i], exponents[c - first, i])
            for i in range(m):
                w[i] = np.exp(top[i] - new[i])
                total[i] *= w[i]
                squares[i] *= w[i]
                top[i] = new[i]
            for a in range(d):
                for i in range(m):
                    mean_v[a, i] *= w[i]
                    mean_g[a, i] *= w[i]
            turn = np.dot(turns[first * d : last * d], columns)
            for c in range(first, last):
                nearest = -np.inf
                for i in range(m):
                    nearest = max(nearest, exponents[c - first, i] - top[i])
                if nearest < -NEGLIGIBLE:
                    continue
                for i in range(m):
                    w[i] = _weight(exponents[c - first, i] - top[i])
                    total[i] += w[i]
                q[:] = 0.0
                for a in range(d):
                    row, shift = (c - first) * d + a, moved[c * d + a]
                    for i in range(m):
                        u = turn[row, i] + shift
                        q[i] += u * u
                        mean_v[a, i] += w[i] * u
                        mean_g[a, i] -= w[i] * pull[row, i]
                for i in range(m):
                    squares[i] += w[i] * q[i]
        for i in range(m):
            size = 0.0
            for a in range(d):
                v = mean_v[a, i] / total[i]
                velocity[start + i, a] = v
                score[start + i, a] = mean_g[a, i] / total[i]
                size += v * v
            density[start + i] = top[i] + np.log(total[i])
            spread[start + i] = max(squares[i] / total[i] - size, 0.0)


@njit(cache=True, nogil=True, fastmath=SUMS)
def plane_kernel(
    x: NDArray, log_weights: NDArray, means: NDArray, precisions: NDArray, gains: NDArray, drifts: NDArray,
    velocity: NDArray, score: NDArray, density: NDArray, spread: NDArray,
) -> None:  # fmt: skip
    """Write what :func:`mixture_kernel` writes, in the plane, where a component's numbers stay in registers."""
    n, k = len(x), len(log_weights)
    exponents, x0, x1 = np.empty((k, BLOCK)), np.empty(BLOCK), np.empty(BLOCK)
    top, total, squares = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    v0, v1, g0, g1 = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    for start in range(0, n, BLOCK):
        m = min(BLOCK, n - start)
        for i in range(m):
            x0[i], x1[i] = x[start + i, 0], x[start + i, 1]
        top[:] = -np.inf
        total[:], squares[:], v0[:], v1[:], g0[:], g1[:] = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for c in range(k):
            m0, m1, level = means[c, 0], means[c, 1], log_weights[c]
            p00, p01, p11 = precisions[c, 0, 0], precisions[c, 0, 1], precisions[c, 1, 1]
            for i in range(m):
                d0, d1 = x0[i] - m0, x1[i] - m1
                exponent = level - 0.5 * (d0 * (p00 * d0 + p01 * d1) + d1 * (p01 * d0 + p11 * d1))
                exponents[c, i] = exponent
                top[i] = max(top[i], exponent)
        for c in range(k):
            m0, m1, b0, b1 = means[c, 0], means[c, 1], drifts[c, 0], drifts[c, 1]
            p00, p01, p11 = precisions[c, 0, 0], precisions[c, 0, 1], precisions[c, 1, 1]
            a00, a01, a10, a11 = gains[c, 0, 0], gains[c, 0, 1], gains[c, 1, 0], gains[c, 1, 1]
            for i in range(m):
                w = _weight(exponents[c, i] - top[i])
                d0, d1 = x0[i] - m0, x1[i] - m1
                u0 = b0 + a00 * d0 + a01 * d1
                u1 = b1 + a10 * d0 + a11 * d1
                total[i] += w
                v0[i] += w * u0
                v1[i] += w * u1
                g0[i] -= w * (p00 * d0 + p01 * d1)
                g1[i] -= w * (p01 * d0 + p11 * d1)
                squares[i] += w * (u0 * u0 + u1 * u1)
        for i in range(m):
            one, two = v0[i] / total[i], v1[i] / total[i]
            velocity[start + i, 0], velocity[start + i, 1] = one, two
            score[start + i, 0], score[start + i, 1] = g0[i] / total[i], g1[i] / total[i]
            density[start + i] = top[i] + np.log(total[i])
            spread[start + i] = max(squares[i] / total[i] - one * one - two * two, 0.0)


@njit(cache=True, nogil=True, fastmath=SUMS)
def memoriser_kernel(
    x: NDArray, times: NDArray, columns: NDArray, mean: NDArray, variance: float,
    velocity: NDArray, score: NDArray, density: NDArray, spread: NDArray,
) -> None:  # fmt: skip
    """Write the same for the source N(mean, variance · I) and a sample, its coordinates in ``columns`` (d, m).

    All components have one width σ = s(1 − t), so that an exponent is one squared distance. There is a time for each x.
    """
    n, d = x.shape
    m = columns.shape[1]
    distances, weights = np.empty(m), np.empty(m)
    for i in range(n):
        t = times[i]
        left = 1.0 - t
        half = 0.5 / (variance * left * left)
        distances[:] = 0.0
        for a in range(d):
            place = x[i, a] - left * mean[a]
            for j in range(m):
                away = place - t * columns[a, j]
                distances[j] += away * away
        nearest = np.inf
        for j in range(m):
            nearest = min(nearest, distances[j])
        total = 0.0
        for j in range(m):
            w = _weight(half * (nearest - distances[j]))
            weights[j] = w
            total += w
        size, squares = 0.0, 0.0
        for a in range(d):
            # From x itself, so that the spread keeps its digits when all points that matter lie close together
            here = x[i, a]
            along, across = 0.0, 0.0
            for j in range(m):
                away = columns[a, j] - here
                along += weights[j] * away
                across += weights[j] * away * away
            along /= total
            squares += across
            size += along * along
            velocity[i, a] = along / left
            score[i, a] = -(here - left * mean[a] - t * (here + along)) * 2.0 * half
        density[i] = -half * nearest + np.log(total / m) + 0.5 * d * np.log(half / np.pi)
        spread[i] = max(squares / total - size, 0.0) / (left * left)


def over_blocks(n: int, work: Callable[[slice], None], *, terms: float) -> None:
    """Run ``work`` on ``n`` points in blocks, over all cores where the ``terms`` of all points are worth it."""
    if terms < WORTH_THREADS:
        work(slice(0, n))
        return
    ends = np.linspace(0, n, SHARES * THREADS + 1).astype(int).tolist()
    for_each(work, [slice(a, b) for a, b in itertools.pairwise(ends) if b > a], Progress())
