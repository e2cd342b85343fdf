"""The fused kernel: one-dimensional optimal transport along many directions in O(n) memory.

For every direction θ both clouds are projected, sorted and matched, and the matched differences are folded into the
gradient at once; nothing of size n × L is ever stored. Three choices make it fast.

* **Radix sort by rank.** A projection θ·x lies in [−r, r], r the radius of the centred cloud, so it is mapped
  linearly to a 24-bit key, which is the resolution that float32 has there, and sorted by two passes over 12-bit digits
  (three over 8-bit digits for small clouds). This is branch-free, needs no SIMD, and in the last pass the rank of a
  point is known at the moment it is placed: its partner is looked up and the difference written in place, so the
  sorted cloud itself is never stored.
* **Structure of arrays.** Coordinates are ``(d, n)``, so that projecting and accumulating run over unit strides.
* **Blocks of directions.** The differences of ``BLOCK`` directions are added to the gradient together, in tiles that
  stay in the first-level cache.

The functions release the GIL; ``transport.py`` spreads directions over threads. Clouds arrive centred on their own
means (the shift between the means enters as one exact number per direction), so float32 cancels nowhere. Sums that
grow with n are float64.
"""

import numpy as np
from numba import njit

KEY_BITS = 24
LARGEST_KEY = 2**KEY_BITS - 1
BLOCK = 4
TILE = 1024
SMALL_CLOUD = 1200

kernel = njit(nogil=True, cache=True, fastmath=True)


@kernel
def digit_layout(n):
    """Return (bits per digit, digits): short histograms for small clouds, few passes for large ones."""
    if n < SMALL_CLOUD:
        return 8, 3
    return 12, 2


@kernel
def project(coordinates, direction, out):
    """Write θ·x into ``out``."""
    n = out.shape[0]
    for i in range(n):
        out[i] = direction[0] * coordinates[0, i]
    for axis in range(1, coordinates.shape[0]):
        for i in range(n):
            out[i] += direction[axis] * coordinates[axis, i]


@kernel
def sort_key(value, lowest, scale):
    """Return the 24-bit key of a projection. Every step is monotone, so the keys keep the order."""
    return np.uint32(np.int32((value - lowest) * scale))


@kernel
def count_digits(values, lowest, scale, bits, starts):
    """Fill ``starts[k]`` with the first position of every value of the k-th digit."""
    mask = np.uint32((1 << bits) - 1)
    shift = np.uint32(bits)
    one = np.uint32(1)
    starts[:] = 0
    first, second = starts[0], starts[1]
    if starts.shape[0] == 2:
        for i in range(values.shape[0]):
            key = sort_key(values[i], lowest, scale)
            first[key & mask] += one
            second[key >> shift] += one
    else:
        third = starts[2]
        for i in range(values.shape[0]):
            key = sort_key(values[i], lowest, scale)
            first[key & mask] += one
            second[(key >> shift) & mask] += one
            third[key >> (shift + shift)] += one
    for k in range(starts.shape[0]):
        total = np.uint32(0)
        for digit in range(starts.shape[1]):
            number = starts[k, digit]
            starts[k, digit] = total
            total += number


@kernel
def sort_values(values, spare, lowest, scale, bits, starts):
    """Sort ``values`` and return the array that holds them sorted: ``values`` or ``spare``."""
    count_digits(values, lowest, scale, bits, starts)
    mask = np.uint32((1 << bits) - 1)
    source, target = values, spare
    for k in range(starts.shape[0]):
        start = starts[k]
        shift = np.uint32(k * bits)
        for i in range(source.shape[0]):
            value = source[i]
            digit = (sort_key(value, lowest, scale) >> shift) & mask
            position = start[digit]
            start[digit] = position + np.uint32(1)
            target[position] = value
        source, target = target, source
    return source


@kernel
def order_but_last(values, order, spare, lowest, scale, bits, starts):
    """Order the indices of ``values`` by all digits except the last; return the array that holds the order."""
    count_digits(values, lowest, scale, bits, starts)
    mask = np.uint32((1 << bits) - 1)
    start = starts[0]
    for i in range(values.shape[0]):
        digit = sort_key(values[i], lowest, scale) & mask
        position = start[digit]
        start[digit] = position + np.uint32(1)
        order[position] = np.uint32(i)
    source, target = order, spare
    for k in range(1, starts.shape[0] - 1):
        start = starts[k]
        shift = np.uint32(k * bits)
        for j in range(source.shape[0]):
            i = source[j]
            digit = (sort_key(values[i], lowest, scale) >> shift) & mask
            position = start[digit]
            start[digit] = position + np.uint32(1)
            target[position] = i
        source, target = target, source
    return source


@kernel
def full_order(values, order, spare, lowest, scale, bits, starts):
    """Return the indices that sort ``values``, in ``order`` or ``spare``."""
    source = order_but_last(values, order, spare, lowest, scale, bits, starts)
    target = spare if starts.shape[0] == 2 else order
    start = starts[starts.shape[0] - 1]
    shift = np.uint32((starts.shape[0] - 1) * bits)
    for j in range(source.shape[0]):
        i = source[j]
        digit = sort_key(values[i], lowest, scale) >> shift
        position = start[digit]
        start[digit] = position + np.uint32(1)
        target[position] = i
    return target


@kernel
def match_in_place(values, partners, offset, power, source, lowest, scale, bits, start, shift):
    """Last sorting pass: replace each value by its difference to its partner; return Σ |difference|^power.

    For ``power`` 1 the sign of the difference is left, which is what the gradient needs.
    """
    cost = 0.0
    for j in range(source.shape[0]):
        i = source[j]
        value = values[i]
        digit = sort_key(value, lowest, scale) >> shift
        rank = start[digit]
        start[digit] = rank + np.uint32(1)
        difference = value - partners[rank] + offset
        if power == 2:
            cost += np.float64(difference) * np.float64(difference)
            values[i] = difference
        else:
            cost += abs(np.float64(difference))
            values[i] = np.sign(difference)
    return cost


@kernel
def accumulate(gradient, differences, coefficients):
    """Add Σ_b coefficients[b, axis] · differences[b] to every row of the gradient, tile by tile."""
    n = gradient.shape[1]
    for begin in range(0, n, TILE):
        end = min(n, begin + TILE)
        for axis in range(gradient.shape[0]):
            row = gradient[axis]
            for b in range(coefficients.shape[0]):
                coefficient = coefficients[b, axis]
                difference = differences[b]
                for i in range(begin, end):
                    row[i] += coefficient * difference[i]


@kernel
def key_scale(radius):
    """Return the factor from projections to keys; 0 when all points coincide."""
    if radius == 0:
        return np.float32(0)
    return np.float32(np.float32(LARGEST_KEY) / (np.float32(2) * radius))


@kernel
def costs_equal(x, y, radius_x, radius_y, directions, offsets, power):
    """Return Σ_r |x_(r) − y_(r) + offset|^power per direction, for clouds of equal size and equal weights."""
    n = x.shape[1]
    bits, digits = digit_layout(n)
    starts = np.empty((digits, 1 << bits), np.uint32)
    first, second = np.empty(n, np.float32), np.empty(n, np.float32)
    third, fourth = np.empty(n, np.float32), np.empty(n, np.float32)
    costs = np.zeros(directions.shape[0])
    for l in range(directions.shape[0]):
        project(x, directions[l], first)
        xs = sort_values(first, second, -radius_x, key_scale(radius_x), bits, starts)
        project(y, directions[l], third)
        ys = sort_values(third, fourth, -radius_y, key_scale(radius_y), bits, starts)
        cost = 0.0
        for r in range(n):
            difference = np.float64(xs[r] - ys[r] + offsets[l])
            cost += difference * difference if power == 2 else abs(difference)
        costs[l] = cost
    return costs


@kernel
def gradient_equal(x, y, radius_x, radius_y, directions, offsets, weights, power):
    """Return the costs of :func:`costs_equal` and Σ_l weights_l θ_l (matched difference), shape (d, n).

    For ``power`` 1 the matched difference is its sign.
    """
    n = x.shape[1]
    bits, digits = digit_layout(n)
    starts = np.empty((digits, 1 << bits), np.uint32)
    last_shift = np.uint32((digits - 1) * bits)
    lowest, scale = -radius_x, key_scale(radius_x)
    projections = np.empty((BLOCK, n), np.float32)
    first, second = np.empty(n, np.float32), np.empty(n, np.float32)
    order, spare = np.empty(n, np.uint32), np.empty(n, np.uint32)
    gradient = np.zeros((x.shape[0], n), np.float32)
    coefficients = np.empty((BLOCK, x.shape[0]), np.float32)
    costs = np.zeros(directions.shape[0])
    for l in range(directions.shape[0]):
        project(y, directions[l], first)
        ys = sort_values(first, second, -radius_y, key_scale(radius_y), bits, starts)
        row = l % BLOCK
        values = projections[row]
        project(x, directions[l], values)
        source = order_but_last(values, order, spare, lowest, scale, bits, starts)
        costs[l] = match_in_place(
            values, ys, offsets[l], power, source, lowest, scale, bits, starts[digits - 1], last_shift
        )
        for axis in range(x.shape[0]):
            coefficients[row, axis] = weights[l] * directions[l, axis]
        if row == BLOCK - 1 or l == directions.shape[0] - 1:
            accumulate(gradient, projections, coefficients[: row + 1])
    return costs, gradient


@kernel
def merge(px, order_x, masses_x, py, order_y, masses_y, offset, power):
    """Match two sorted, weighted projections by the quantile merge; return Σ_ij π_ij |difference|^power.

    π is the monotone coupling. ``px[i]`` and ``py[j]`` are replaced by the mass-weighted differences
    Σ_j π_ij (x_i − y_j) and −Σ_i π_ij (x_i − y_j); signs instead of differences when ``power`` is 1.
    """
    n, m = order_x.shape[0], order_y.shape[0]
    i = j = 0
    left_x, left_y = masses_x[order_x[0]], masses_y[order_y[0]]
    value_x, value_y = np.float64(px[order_x[0]]), np.float64(py[order_y[0]])
    moved_x = moved_y = 0.0
    cost = 0.0
    while True:
        mass = min(left_x, left_y)
        difference = value_x - value_y + offset
        if power == 2:
            cost += mass * difference * difference
        else:
            cost += mass * abs(difference)
            difference = np.sign(difference)
        moved_x += mass * difference
        moved_y -= mass * difference
        advance_x, advance_y = left_x <= left_y, left_y <= left_x
        left_x -= mass
        left_y -= mass
        if advance_x:
            px[order_x[i]] = moved_x
            moved_x = 0.0
            i += 1
        if advance_y:
            py[order_y[j]] = moved_y
            moved_y = 0.0
            j += 1
        if i == n or j == m:
            break
        if advance_x:
            left_x, value_x = masses_x[order_x[i]], np.float64(px[order_x[i]])
        if advance_y:
            left_y, value_y = masses_y[order_y[j]], np.float64(py[order_y[j]])
    _finish(px, order_x, i, moved_x)
    _finish(py, order_y, j, moved_y)
    return cost


@kernel
def _finish(values, order, position, moved):
    """Write what rounding left over: the atom in progress, and zero for atoms whose partner ran out."""
    if position < order.shape[0]:
        values[order[position]] = moved
        for k in range(position + 1, order.shape[0]):
            values[order[k]] = 0.0


@kernel
def gradient_merged(x, y, radius_x, radius_y, masses_x, masses_y, directions, offsets, weights, power, want_x, want_y):
    """Return costs and Σ_l weights_l θ_l (mass-weighted difference) for both clouds; any sizes and weights."""
    n, m, dim = x.shape[1], y.shape[1], x.shape[0]
    bits_x, digits_x = digit_layout(n)
    bits_y, digits_y = digit_layout(m)
    starts_x = np.empty((digits_x, 1 << bits_x), np.uint32)
    starts_y = np.empty((digits_y, 1 << bits_y), np.uint32)
    px, py = np.empty((1, n), np.float32), np.empty((1, m), np.float32)
    first_x, second_x = np.empty(n, np.uint32), np.empty(n, np.uint32)
    first_y, second_y = np.empty(m, np.uint32), np.empty(m, np.uint32)
    gradient_x = np.zeros((dim, n if want_x else 0), np.float32)
    gradient_y = np.zeros((dim, m if want_y else 0), np.float32)
    coefficients = np.empty((1, dim), np.float32)
    costs = np.zeros(directions.shape[0])
    for l in range(directions.shape[0]):
        project(x, directions[l], px[0])
        project(y, directions[l], py[0])
        order_x = full_order(px[0], first_x, second_x, -radius_x, key_scale(radius_x), bits_x, starts_x)
        order_y = full_order(py[0], first_y, second_y, -radius_y, key_scale(radius_y), bits_y, starts_y)
        costs[l] = merge(px[0], order_x, masses_x, py[0], order_y, masses_y, offsets[l], power)
        for axis in range(dim):
            coefficients[0, axis] = weights[l] * directions[l, axis]
        if want_x:
            accumulate(gradient_x, px, coefficients)
        if want_y:
            accumulate(gradient_y, py, coefficients)
    return costs, gradient_x, gradient_y
