"""The compiled part of ``surfaces.py``: the projected measure of a triangle mesh along one direction.

The uniform measure of a triangle projects to the linear B-spline density on its three knots t_i = θ·v_i, so the
distribution function of a whole mesh is a sum over its vertices, F(t) = Σ_i α_i (t − t_i)²₊ + β_i (t − t_i)₊ +
γ_i 1[t ≥ t_i]. β and γ are not 0 only where knots of a triangle coincide. Between neighbouring knots F is a quadratic,
which a sweep carries along as (F, F', F''/2).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

TIE = 1e-9
"""Knots of a triangle closer than this, beside the radius, count as one."""
NODES, NODE_WEIGHTS = (0.5 * part for part in np.polynomial.legendre.leggauss(8))
NODES = NODES + 0.5
FEWER_NODES, FEWER_WEIGHTS = (0.5 * part for part in np.polynomial.legendre.leggauss(6))
FEWER_NODES = FEWER_NODES + 0.5

kernel = njit(cache=True, nogil=True)


@kernel
def sorted_three(t: NDArray, i: int, j: int, k: int) -> tuple[int, int, int]:
    """Return three indices in the order of their knots."""
    if t[j] < t[i]:
        i, j = j, i
    if t[k] < t[j]:
        j, k = k, j
        if t[j] < t[i]:
            i, j = j, i
    return i, j, k


@kernel
def add_knots(
    t: NDArray, faces: NDArray, shares: NDArray, sign: float, tie: float, alpha: NDArray, beta: NDArray, gamma: NDArray
) -> None:
    """Add sign · F to the coefficients of the vertices. ``shares`` (m,) are the areas over their sum."""
    for f in range(faces.shape[0]):
        w = sign * shares[f]
        if w == 0:
            continue
        i, j, k = sorted_three(t, faces[f, 0], faces[f, 1], faces[f, 2])
        low, middle, high = t[i], t[j], t[k]
        if high - low < tie:
            gamma[j] += w
        elif middle - low < tie:
            h = high - low
            alpha[i] -= w / (h * h)
            alpha[k] += w / (h * h)
            beta[i] += 2 * w / h
        elif high - middle < tie:
            h = high - low
            alpha[k] -= w / (h * h)
            alpha[i] += w / (h * h)
            beta[k] -= 2 * w / h
        else:
            alpha[i] += w / ((middle - low) * (high - low))
            alpha[j] -= w / ((middle - low) * (high - middle))
            alpha[k] += w / ((high - low) * (high - middle))


@kernel
def _value(c: float, b: float, a: float, s: float) -> float:
    return c + s * (b + s * a)


@kernel
def _roots(c: float, b: float, a: float, end: float) -> tuple[float, float, int]:
    """Return the roots of c + b s + a s² inside (0, end), in their order, and how many there are."""
    first, second = -1.0, -1.0
    if a == 0:
        if b != 0:
            first = -c / b
    else:
        square = b * b - 4 * a * c
        if square > 0:
            q = -0.5 * (b + np.copysign(np.sqrt(square), b))
            first = q / a
            second = c / q if q != 0 else -1.0
    inside_first, inside_second = 0 < first < end, 0 < second < end
    if inside_first and inside_second:
        return min(first, second), max(first, second), 2
    if inside_first:
        return first, 0.0, 1
    if inside_second:
        return second, 0.0, 1
    return 0.0, 0.0, 0


@kernel
def difference(
    t: NDArray,
    alpha: NDArray,
    beta: NDArray,
    gamma: NDArray,
    order: NDArray,
    radius: float,
    silent: float,
    breaks: NDArray,
    jumps: NDArray,
) -> tuple[float, float, float, int]:
    """Sweep D = F_X − F_Y; return ∫|D|, ∫D², the residual after the last knot, and the number of sign changes.

    The sign of D, 0 where |D| stays below ``silent``, changes at ``breaks`` by ``jumps`` (room for 3 a knot).
    """
    c = b = a = 0.0
    absolute = squared = 0.0
    sign, count = 0.0, 0
    n = order.shape[0]
    for place in range(n):
        i = order[place]
        c += gamma[i]
        b += beta[i]
        a += alpha[i]
        if place == n - 1:
            break
        start = t[i]
        g = t[order[place + 1]] - start
        if g <= 0:
            continue
        squared += g * (c * c + g * (b * c + g * ((b * b + 2 * a * c) / 3 + g * (a * b / 2 + g * a * a / 5))))
        first, second, number = _roots(c, b, a, g)
        edge = 0.0
        for piece in range(number + 1):
            end = g if piece == number else (first if piece == 0 else second)
            middle = _value(c, b, a, 0.5 * (edge + end))
            part = (end - edge) / 6 * (_value(c, b, a, edge) + 4 * middle + _value(c, b, a, end))
            absolute += abs(part)
            now = 0.0 if abs(middle) <= silent else np.sign(middle)
            if now != sign:
                breaks[count], jumps[count] = start + edge, now - sign
                count += 1
                sign = now
            edge = end
        c = _value(c, b, a, g)
        b += 2 * a * g
    if sign != 0:
        breaks[count], jumps[count] = t[order[n - 1]], -sign
        count += 1
    residual = max(abs(c), max(radius * abs(b), radius * radius * abs(a)))
    return absolute, squared, residual, count


@kernel
def potential_gradient(
    t: NDArray,
    faces: NDArray,
    shares: NDArray,
    breaks: NDArray,
    jumps: NDArray,
    direction: NDArray,
    factor: float,
    by_vertex: NDArray,
    by_share: NDArray,
) -> None:
    """Add factor · ∂∫|D|/∂(vertices, shares) with the potential φ, φ' = −sign D, held fixed (Danskin).

    The mean of φ over a face is linear in its share; a vertex moves it by E[φ' λ], λ its barycentric coordinate. Both
    are polynomials between the sign changes: a triangle cut at a level is a smaller triangle and its complement.
    """
    number = breaks.shape[0]
    steps, moments = np.zeros(number + 1), np.zeros(number + 1)
    for k in range(number):
        steps[k + 1] = steps[k] + jumps[k]
        moments[k + 1] = moments[k] + jumps[k] * breaks[k]
    for f in range(faces.shape[0]):
        i, j, k = sorted_three(t, faces[f, 0], faces[f, 1], faces[f, 2])
        low, middle, high = t[i], t[j], t[k]
        mean = (low + middle + high) / 3
        at = np.searchsorted(breaks, low, side="right")
        of_i = of_j = of_k = steps[at] / 3
        phi = -(mean * steps[at] - moments[at])
        while at < number and breaks[at] < high:
            r, jump = breaks[at], jumps[at]
            if r < middle:
                u, v = (r - low) / (middle - low), (r - low) / (high - low)
                of_i += jump * (1.0 - u * v * (3 - u - v)) / 3
                of_j += jump * (1.0 - u * v * u) / 3
                of_k += jump * (1.0 - u * v * v) / 3
                phi -= jump * (mean - r + u * v * (r - low) / 3)
            else:
                u, v = (high - r) / (high - middle), (high - r) / (high - low)
                of_k += jump * u * v * (3 - u - v) / 3
                of_j += jump * u * v * u / 3
                of_i += jump * u * v * v / 3
                phi -= jump * u * v * (high - r) / 3
            at += 1
        by_share[f] += factor * phi
        w = factor * shares[f]
        for axis in range(3):
            by_vertex[i, axis] -= w * of_i * direction[axis]
            by_vertex[j, axis] -= w * of_j * direction[axis]
            by_vertex[k, axis] -= w * of_k * direction[axis]


@kernel
def levels(t: NDArray, alpha: NDArray, beta: NDArray, gamma: NDArray, order: NDArray, pieces: NDArray) -> int:
    """Write F as pieces (level where it begins, knot, F', F''/2), rising; a jump has an infinite slope."""
    c = b = a = 0.0
    count, n = 0, order.shape[0]
    for place in range(n):
        i = order[place]
        if gamma[i] > 0:
            pieces[count, 0], pieces[count, 1], pieces[count, 2], pieces[count, 3] = c, t[i], 1e300, 0.0
            count += 1
        c += gamma[i]
        b += beta[i]
        a += alpha[i]
        g = t[order[place + 1]] - t[i] if place + 1 < n else 0.0
        if g > 0:
            pieces[count, 0], pieces[count, 1], pieces[count, 2], pieces[count, 3] = c, t[i], max(b, 0.0), a
            count += 1
            c = max(_value(c, b, a, g), c)
            b += 2 * a * g
    return count


@kernel
def _quantile(piece: NDArray, level: float, longest: float) -> float:
    """Return the place where F has the level, on the piece that holds it."""
    above = max(level - piece[0], 0.0)
    root = piece[2] + np.sqrt(max(piece[2] * piece[2] + 4 * piece[3] * above, 0.0))
    return piece[1] + (min(2 * above / root, longest) if root > 0 else 0.0)


@kernel
def squared_quantiles(first: NDArray, second: NDArray, radius: float, nodes: NDArray, weights: NDArray) -> float:
    """Return ∫₀¹ (Q_X − Q_Y)² du by a Gauss rule on every stretch of levels where both are one square root.

    The substitution u = 3s² − 2s³ takes the roots' infinite slopes out of both ends of a stretch.
    """
    i = j = 0
    level, total = 0.0, 0.0
    while True:
        while i + 1 < first.shape[0] and first[i + 1, 0] <= level:
            i += 1
        while j + 1 < second.shape[0] and second[j + 1, 0] <= level:
            j += 1
        end = 1.0
        if i + 1 < first.shape[0]:
            end = min(end, first[i + 1, 0])
        if j + 1 < second.shape[0]:
            end = min(end, second[j + 1, 0])
        if end > level:
            end_x = first[i + 1, 1] - first[i, 1] if i + 1 < first.shape[0] else 2 * radius
            end_y = second[j + 1, 1] - second[j, 1] if j + 1 < second.shape[0] else 2 * radius
            for k in range(nodes.shape[0]):
                s = nodes[k]
                at = level + (end - level) * s * s * (3 - 2 * s)
                apart = _quantile(first[i], at, end_x) - _quantile(second[j], at, end_y)
                total += weights[k] * 6 * s * (1 - s) * (end - level) * apart * apart
        if end >= 1.0:
            return total
        level = end


@kernel
def squared_bounds(first: NDArray, second: NDArray, radius: float) -> tuple[float, float]:
    """Return what ∫₀¹ (Q_X − Q_Y)² du lies between, in closed form.

    On a stretch of length L where both quantiles are one square root their means and variances V are polynomials of
    where they begin and end, and they rise together, so their covariance lies between 0 and √(V_X V_Y): the integral is
    L (mean difference)² and between L(√V_X − √V_Y)² and L(V_X + V_Y) more.
    """
    i = j = 0
    level, low, high = 0.0, 0.0, 0.0
    while True:
        while i + 1 < first.shape[0] and first[i + 1, 0] <= level:
            i += 1
        while j + 1 < second.shape[0] and second[j + 1, 0] <= level:
            j += 1
        end = 1.0
        if i + 1 < first.shape[0]:
            end = min(end, first[i + 1, 0])
        if j + 1 < second.shape[0]:
            end = min(end, second[j + 1, 0])
        if end > level:
            end_x = first[i + 1, 1] - first[i, 1] if i + 1 < first.shape[0] else 2 * radius
            end_y = second[j + 1, 1] - second[j, 1] if j + 1 < second.shape[0] else 2 * radius
            mean_x, spread_x = _mean_and_variance(first[i], level, end, end_x)
            mean_y, spread_y = _mean_and_variance(second[j], level, end, end_y)
            apart = (end - level) * (mean_x - mean_y) ** 2
            low += apart + (end - level) * (np.sqrt(spread_x) - np.sqrt(spread_y)) ** 2
            high += apart + (end - level) * (spread_x + spread_y)
        if end >= 1.0:
            return low, high
        level = end


@kernel
def _mean_and_variance(piece: NDArray, level: float, end: float, longest: float) -> tuple[float, float]:
    """Return mean and variance of the quantile of a piece, over the levels from ``level`` to ``end``."""
    start = _quantile(piece, level, longest)
    g = _quantile(piece, end, longest) - start
    if not g > 0:
        return start, 0.0
    a, length = piece[3], end - level
    b = length / g - a * g  # F' at the start, so that F rises by the length to the last bit
    mean = g * g * (b / 2 + 2 * a * g / 3) / length
    square = g * g * g * (b / 3 + a * g / 2) / length
    return start + mean, max(square - mean * mean, 0.0)
