"""The gradient of ∫D² for two projected meshes, D = F_X − F_Y: compiled, exact, one sweep and one pass over the faces.

With ψ' = −2D the derivative of ∫D² in the share of a face is the mean of ψ over it, and a vertex of the face moves it
by share · E[ψ' λ], λ its barycentric coordinate. D is a quadratic between knots, and the density of a face times the
mean of λ across it another, so only the moments ∫D s^k ds, k = 0, 1, 2, over stretches between its knots are needed.
Differences of running sums would lose them in rounding for small faces; so the sums of ``BLOCK`` neighbouring intervals
are kept, each about its own beginning, and only added.
"""

import numpy as np
from numpy.typing import NDArray

from workbench.transport.surface_kernels import kernel, sorted_three

BLOCK = 32


@kernel
def sweep(
    t: NDArray, alpha: NDArray, beta: NDArray, gamma: NDArray, order: NDArray, places: NDArray, pieces: NDArray
) -> int:
    """Write D as quadratics c + b s + a s² (``pieces``) from each of the distinct ``places`` on; return how many."""
    c = b = a = 0.0
    count, n = 0, order.shape[0]
    for place in range(n):
        i = order[place]
        c += gamma[i]
        b += beta[i]
        a += alpha[i]
        g = t[order[place + 1]] - t[i] if place + 1 < n else 0.0
        if g <= 0 and place + 1 < n:
            continue
        places[count] = t[i]
        pieces[count, 0], pieces[count, 1], pieces[count, 2] = c, b, a
        count += 1
        c += g * (b + g * a)
        b += 2 * a * g
    return count


@kernel
def _of_piece(c: float, b: float, a: float, start: float, end: float, out: NDArray) -> None:
    """Write ∫(c + b s + a s²)(s − start)^k ds from ``start`` to ``end``, k = 0, 1, 2."""
    c, b = c + start * (b + start * a), b + 2 * a * start
    g = end - start
    out[0] = g * (c + g * (b / 2 + g * a / 3))
    out[1] = g * g * (c / 2 + g * (b / 3 + g * a / 4))
    out[2] = g * g * g * (c / 3 + g * (b / 4 + g * a / 5))


@kernel
def _add(total: NDArray, part: NDArray, shift: float) -> None:
    """Add the moments of a part that are about a point ``shift`` further on."""
    total[0] += part[0]
    total[1] += shift * part[0] + part[1]
    total[2] += shift * (shift * part[0] + 2 * part[1]) + part[2]


@kernel
def block_moments(places: NDArray, pieces: NDArray, blocks: NDArray, before: NDArray) -> None:
    """Write the moments of each block of intervals (k, 3) about its beginning, and ∫D up to every place (n,)."""
    part = np.empty(3)
    before[0] = 0.0
    for k in range(places.shape[0] - 1):
        first = k - k % BLOCK
        _of_piece(pieces[k, 0], pieces[k, 1], pieces[k, 2], 0.0, places[k + 1] - places[k], part)
        before[k + 1] = before[k] + part[0]
        if k == first:
            blocks[k // BLOCK] = 0.0
        _add(blocks[k // BLOCK], part, places[k] - places[first])


@kernel
def _moments(
    start: float, end: float, places: NDArray, pieces: NDArray, blocks: NDArray, out: NDArray, part: NDArray
) -> None:
    """Write the moments of D from ``start`` to ``end`` about ``start``."""
    out[:] = 0.0
    last = places.shape[0] - 1
    k = np.searchsorted(places, start, side="right") - 1
    while k < last and places[k] < end:
        if k % BLOCK == 0 and places[k] >= start and k + BLOCK <= last and places[k + BLOCK] <= end:
            _add(out, blocks[k // BLOCK], places[k] - start)
            k += BLOCK
            continue
        low, high = max(start, places[k]), min(end, places[k + 1])
        _of_piece(pieces[k, 0], pieces[k, 1], pieces[k, 2], low - places[k], high - places[k], part)
        _add(out, part, low - start)
        k += 1


@kernel
def _difference_at(t: float, places: NDArray, pieces: NDArray) -> float:
    """Return the mean of D just before and just after ``t``."""
    values = 0.0
    for k in (np.searchsorted(places, t, side="left") - 1, np.searchsorted(places, t, side="right") - 1):
        if 0 <= k < places.shape[0] - 1:
            s = t - places[k]
            values += pieces[k, 0] + s * (pieces[k, 1] + s * pieces[k, 2])
    return 0.5 * values


@kernel
def cramer_gradient(
    t: NDArray,
    faces: NDArray,
    shares: NDArray,
    places: NDArray,
    pieces: NDArray,
    blocks: NDArray,
    before: NDArray,
    tie: float,
    direction: NDArray,
    factor: float,
    by_vertex: NDArray,
    by_share: NDArray,
) -> None:
    """Add factor · ∂∫D²/∂(vertices, shares). ``blocks`` and ``before`` are those of :func:`block_moments`."""
    left, right, part = np.empty(3), np.empty(3), np.empty(3)
    for f in range(faces.shape[0]):
        i, j, k = sorted_three(t, faces[f, 0], faces[f, 1], faces[f, 2])
        low, middle, high = t[i], t[j], t[k]
        h, g = high - low, middle - low
        at = np.searchsorted(places, high, side="right") - 1
        inner = 0.0  # ∫ of the face's own distribution function times D, from its lowest to its highest knot
        of_i = of_j = of_k = 0.0  # E[D λ]
        if h < tie:
            of_i = of_j = of_k = _difference_at(middle, places, pieces) / 3
        else:
            if g >= tie:
                _moments(low, middle, places, pieces, blocks, left, part)
                across = left[2] / (g * h)
                inner += across
                of_j += across / g
                of_k += across / h
                of_i += 2 * left[1] / (g * h) - across / g - across / h
            g = high - middle
            if g >= tie:
                _moments(middle, high, places, pieces, blocks, right, part)
                first = (g * right[0] - right[1]) / (g * h)  # moments of high − t, over g h
                across = (g * (g * right[0] - 2 * right[1]) + right[2]) / (g * h)
                inner += right[0] - across
                of_j += across / g
                of_i += across / h
                of_k += 2 * first - across / g - across / h
        by_share[f] += factor * 2 * (inner - before[at])
        w = -2 * factor * shares[f]
        for axis in range(3):
            by_vertex[i, axis] += w * of_i * direction[axis]
            by_vertex[j, axis] += w * of_j * direction[axis]
            by_vertex[k, axis] += w * of_k * direction[axis]
