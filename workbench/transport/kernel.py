"""The fused kernel: one-dimensional optimal transport along many directions in O(n) memory.

For every direction θ both clouds are projected, sorted and matched, and the matched differences are folded into the
gradient at once; nothing of size n × L is ever stored. Three choices make it fast.

* **Radix sort by rank.** A projection θ·x lies in [−r, r], r the radius of the centred cloud, so it is mapped
  linearly to a 22-bit key and sorted by two passes over 11-bit digits. This is branch-free, needs no SIMD (NumPy's
  own sort is several times slower where it has no good vector code for the machine), and in the last pass the rank
  of a point is known at the moment it is placed: its partner is looked up and the difference written in place, so
  the sorted cloud itself is never stored. Points closer than r/2²¹, a few units in the last place of float32, may be
  matched in either order, which changes a cost by less than their distance times that of their partners.
* **Structure of arrays.** Coordinates are ``(d, n)``, so that projecting and accumulating run over unit strides.
* **Blocks of directions.** The differences of ``BLOCK`` directions are added to the gradient together, in tiles that
  stay in the first-level cache.

The functions release the GIL; ``transport.py`` spreads directions over threads. Clouds arrive centred on their own
means (the shift between the means enters as one exact number per direction), so float32 cancels nowhere. Sums that
grow with n are float64.
"""

import numpy as np
from numba import njit

DIGIT_BITS = 11
DIGITS = 2
LARGEST_KEY = 2 ** (DIGITS * DIGIT_BITS) - 1
BLOCK = 4
TILE = 1024

kernel = njit(nogil=True, cache=True, fastmath=True)


@kernel
def empty_starts():
    """Return room for the first position of every value of both digits."""
    return np.empty((DIGITS, 1 << DIGIT_BITS), np.uint32)


@kernel
def project(coordinates, direction, radius, out):
    """Write θ·x into ``out``, clamped to [−radius, radius].

    The radius bounds every projection, so the clamp changes nothing; it is there because the sort makes an index of
    the value. Here it runs over vectors and costs nothing that can be measured; in the sort it would cost a fifth.
    """
    n = out.shape[0]
    for i in range(n):
        out[i] = direction[0] * coordinates[0, i]
    for axis in range(1, coordinates.shape[0]):
        for i in range(n):
            out[i] += direction[axis] * coordinates[axis, i]
    for i in range(n):
        out[i] = min(max(out[i], -radius), radius)


@kernel
def sort_key(value, lowest, scale):
    """Return the 22-bit key of a projection in [lowest, −lowest]. Every step is monotone, so the keys keep the order.

    The key is an index: :func:`project` and :func:`key_scale` see to it that none reaches outside the histogram.
    """
    return np.uint32(np.int32((value - lowest) * scale))


@kernel
def low_digit(key):
    """Return the lower half of a key."""
    return key & np.uint32((1 << DIGIT_BITS) - 1)


@kernel
def high_digit(key):
    """Return the upper half of a key."""
    return key >> np.uint32(DIGIT_BITS)


@kernel
def key_scale(radius):
    """Return the factor from projections to keys; 0 when all points coincide.

    A key below the largest is aimed at, which leaves room for the roundings of ``(value − lowest) · scale``: three,
    each of at most 1/4 at that size. The factor stays finite for the smallest radius: below 1e-32 the keys get coarser
    instead of overflowing.
    """
    if radius == 0:
        return np.float32(0)
    return np.float32(min(np.float64(LARGEST_KEY - 1) / (2.0 * np.float64(radius)), 3e38))


@kernel
def counts_to_starts(counts):
    """Turn the number of keys with each digit into the first position of each digit."""
    total = np.uint32(0)
    for digit in range(counts.shape[0]):
        number = counts[digit]
        counts[digit] = total
        total += number


@kernel
def count_low_digits(values, lowest, scale, starts):
    """Prepare the first pass; the high digits are counted during it."""
    starts[:] = 0
    low = starts[0]
    for i in range(values.shape[0]):
        low[low_digit(sort_key(values[i], lowest, scale))] += np.uint32(1)
    counts_to_starts(low)


@kernel
def take_place(start, digit):
    """Return the next free position for a digit and move on."""
    position = start[digit]
    start[digit] = position + np.uint32(1)
    return position


@kernel
def sort_values(values, spare, lowest, scale, starts):
    """Sort ``values`` in place, by way of ``spare``."""
    count_low_digits(values, lowest, scale, starts)
    low, high = starts[0], starts[1]
    for i in range(values.shape[0]):
        key = sort_key(values[i], lowest, scale)
        spare[take_place(low, low_digit(key))] = values[i]
        high[high_digit(key)] += np.uint32(1)
    counts_to_starts(high)
    for i in range(values.shape[0]):
        key = sort_key(spare[i], lowest, scale)
        values[take_place(high, high_digit(key))] = spare[i]


@kernel
def order_by_low_digit(values, order, lowest, scale, starts):
    """Write the indices of ``values`` to ``order``, by the low digit of their keys; make the high digit ready."""
    count_low_digits(values, lowest, scale, starts)
    low, high = starts[0], starts[1]
    for i in range(values.shape[0]):
        key = sort_key(values[i], lowest, scale)
        order[take_place(low, low_digit(key))] = np.uint32(i)
        high[high_digit(key)] += np.uint32(1)
    counts_to_starts(high)


@kernel
def full_order(values, order, spare, lowest, scale, starts):
    """Write the indices that sort ``values`` to ``order``."""
    order_by_low_digit(values, spare, lowest, scale, starts)
    high = starts[1]
    for j in range(spare.shape[0]):
        i = spare[j]
        order[take_place(high, high_digit(sort_key(values[i], lowest, scale)))] = i


@kernel
def match_in_place(values, partners, offset, order, lowest, scale, starts):
    """Last sorting pass: replace each value by its difference to its partner."""
    high = starts[1]
    for j in range(order.shape[0]):
        i = order[j]
        value = values[i]
        rank = take_place(high, high_digit(sort_key(value, lowest, scale)))
        values[i] = value - partners[rank] + offset


@kernel
def cost_of(differences, power):
    """Return Σ |difference|^power; for ``power`` 1 leave the signs, which is what the gradient needs.

    A pass of its own, because a running float64 sum inside the sorting pass would make every point wait for the last.
    """
    cost = 0.0
    if power == 2:
        for i in range(differences.shape[0]):
            cost += np.float64(differences[i]) * np.float64(differences[i])
    else:
        for i in range(differences.shape[0]):
            cost += abs(np.float64(differences[i]))
            differences[i] = np.sign(differences[i])
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
def costs_equal(x, y, radius_x, radius_y, directions, offsets, power):
    """Return Σ_r |x_(r) − y_(r) + offset|^power per direction, for clouds of equal size and equal weights."""
    n = x.shape[1]
    starts = empty_starts()
    xs, ys, spare = np.empty(n, np.float32), np.empty(n, np.float32), np.empty(n, np.float32)
    costs = np.zeros(directions.shape[0])
    for l in range(directions.shape[0]):
        project(x, directions[l], radius_x, xs)
        sort_values(xs, spare, -radius_x, key_scale(radius_x), starts)
        project(y, directions[l], radius_y, ys)
        sort_values(ys, spare, -radius_y, key_scale(radius_y), starts)
        for r in range(n):
            xs[r] += offsets[l] - ys[r]
        costs[l] = cost_of(xs, power)
    return costs


@kernel
def gradient_equal(x, y, radius_x, radius_y, directions, offsets, weights, power):
    """Return the costs of :func:`costs_equal` and Σ_l weights_l θ_l (matched difference), shape (d, n).

    For ``power`` 1 the matched difference is its sign.
    """
    n = x.shape[1]
    starts = empty_starts()
    lowest, scale = -radius_x, key_scale(radius_x)
    projections = np.empty((BLOCK, n), np.float32)
    ys, spare, order = np.empty(n, np.float32), np.empty(n, np.float32), np.empty(n, np.uint32)
    gradient = np.zeros((x.shape[0], n), np.float32)
    coefficients = np.empty((BLOCK, x.shape[0]), np.float32)
    costs = np.zeros(directions.shape[0])
    for l in range(directions.shape[0]):
        project(y, directions[l], radius_y, ys)
        sort_values(ys, spare, -radius_y, key_scale(radius_y), starts)
        row = l % BLOCK
        values = projections[row]
        project(x, directions[l], radius_x, values)
        order_by_low_digit(values, order, lowest, scale, starts)
        match_in_place(values, ys, offsets[l], order, lowest, scale, starts)
        costs[l] = cost_of(values, power)
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
    starts = empty_starts()
    px, py = np.empty((1, n), np.float32), np.empty((1, m), np.float32)
    order_x, order_y, spare = np.empty(n, np.uint32), np.empty(m, np.uint32), np.empty(max(n, m), np.uint32)
    gradient_x = np.zeros((dim, n if want_x else 0), np.float32)
    gradient_y = np.zeros((dim, m if want_y else 0), np.float32)
    coefficients = np.empty((1, dim), np.float32)
    costs = np.zeros(directions.shape[0])
    for l in range(directions.shape[0]):
        project(x, directions[l], radius_x, px[0])
        project(y, directions[l], radius_y, py[0])
        full_order(px[0], order_x, spare[:n], -radius_x, key_scale(radius_x), starts)
        full_order(py[0], order_y, spare[:m], -radius_y, key_scale(radius_y), starts)
        costs[l] = merge(px[0], order_x, masses_x, py[0], order_y, masses_y, offsets[l], power)
        for axis in range(dim):
            coefficients[0, axis] = weights[l] * directions[l, axis]
        if want_x:
            accumulate(gradient_x, px, coefficients)
        if want_y:
            accumulate(gradient_y, py, coefficients)
    return costs, gradient_x, gradient_y
