"""The kernel for clouds of any sizes and masses, and what it shares with that for equal ones (``equal.py``).

For every direction θ both clouds are projected, sorted and matched, and the matched differences are folded into the
gradient at once; nothing of size n × L is ever stored. Two choices make it fast.

* **Radix sort by rank.** A projection θ·x lies in [−r, r], r the radius of the centred cloud, so it is mapped
  linearly to a 22-bit key and sorted by two passes over 11-bit digits. This is branch-free and needs no SIMD (NumPy's
  own sort is several times slower where it has no good vector code for the machine). Points closer than r/2²¹, a few
  units in the last place of float32, may be matched in either order, which changes a cost by less than their distance
  times that of their partners.
* **Structure of arrays.** Coordinates are ``(d, n)``, so that projecting and accumulating run over unit strides.

The functions release the GIL; ``lines.py`` spreads directions over threads. Clouds arrive centred on their own
means (the shift between the means enters as one exact number per direction), so float32 cancels nowhere. Sums that
grow with n are float64.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

DIGIT_BITS = 11
DIGITS = 2
LARGEST_KEY = 2 ** (DIGITS * DIGIT_BITS) - 1

kernel = njit(nogil=True, cache=True, fastmath=True)


@kernel
def empty_starts() -> NDArray:
    """Return room for the first position of every value of both digits."""
    return np.empty((DIGITS, 1 << DIGIT_BITS), np.uint32)


@kernel
def project(coordinates: NDArray, direction: NDArray, radius: float, out: NDArray) -> None:
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
def sort_key(value: float, lowest: float, scale: float) -> int:
    """Return the 22-bit key of a projection in [lowest, −lowest]. Every step is monotone, so the keys keep the order.

    The key is an index: :func:`project` and :func:`key_scale` see to it that none reaches outside the histogram.
    """
    return np.uint32(np.int32((value - lowest) * scale))


@kernel
def low_digit(key: int) -> int:
    """Return the lower half of a key."""
    return key & np.uint32((1 << DIGIT_BITS) - 1)


@kernel
def high_digit(key: int) -> int:
    """Return the upper half of a key."""
    return key >> np.uint32(DIGIT_BITS)


@kernel
def key_scale(radius: float) -> float:
    """Return the factor from projections to keys; 0 when all points coincide.

    A key below the largest is aimed at, which leaves room for the roundings of ``(value − lowest) · scale``: three,
    each of at most 1/4 at that size. The factor stays finite for the smallest radius: below 1e-32 the keys get coarser
    instead of overflowing.
    """
    if radius == 0:
        return np.float32(0)
    return np.float32(min(np.float64(LARGEST_KEY - 1) / (2.0 * np.float64(radius)), 3e38))


@kernel
def counts_to_starts(counts: NDArray) -> None:
    """Turn the number of keys with each digit into the first position of each digit."""
    total = np.uint32(0)
    for digit in range(counts.shape[0]):
        number = counts[digit]
        counts[digit] = total
        total += number


@kernel
def count_low_digits(values: NDArray, lowest: float, scale: float, starts: NDArray) -> None:
    """Prepare the first pass; the high digits are counted during it."""
    starts[:] = 0
    low = starts[0]
    for i in range(values.shape[0]):
        low[low_digit(sort_key(values[i], lowest, scale))] += np.uint32(1)
    counts_to_starts(low)


@kernel
def take_place(start: NDArray, digit: int) -> int:
    """Return the next free position for a digit and move on."""
    position = start[digit]
    start[digit] = position + np.uint32(1)
    return position


@kernel
def full_order(values: NDArray, order: NDArray, spare: NDArray, lowest: float, scale: float, starts: NDArray) -> None:
    """Write the indices that sort ``values`` to ``order``, by way of ``spare``.

    The first pass orders the indices by the low digit. It counts the high digits on the way, which needs no order, and
    so saves a pass over the values.
    """
    count_low_digits(values, lowest, scale, starts)
    low, high = starts[0], starts[1]
    for i in range(values.shape[0]):
        key = sort_key(values[i], lowest, scale)
        spare[take_place(low, low_digit(key))] = np.uint32(i)
        high[high_digit(key)] += np.uint32(1)
    counts_to_starts(high)
    for j in range(spare.shape[0]):
        i = spare[j]
        order[take_place(high, high_digit(sort_key(values[i], lowest, scale)))] = i


@kernel
def accumulate(gradient: NDArray, differences: NDArray, direction: NDArray, weight: float) -> None:
    """Add weight · direction[axis] · differences to every row of the gradient."""
    for axis in range(gradient.shape[0]):
        row, factor = gradient[axis], weight * direction[axis]
        for i in range(row.shape[0]):
            row[i] += factor * differences[i]


@kernel
def merge(
    px: NDArray,
    order_x: NDArray,
    masses_x: NDArray,
    py: NDArray,
    order_y: NDArray,
    masses_y: NDArray,
    offset: float,
    power: int,
) -> float:
    """Match two sorted, weighted projections by the quantile merge; return Σ_ij π_ij |difference|^power.

    π is the monotone coupling. ``px[i]`` and ``py[j]`` are replaced by the mass-weighted differences
    Σ_j π_ij (x_i − y_j) and −Σ_i π_ij (x_i − y_j); signs instead of differences when ``power`` is 1.
    """
    n, m = order_x.shape[0], order_y.shape[0]
    i = j = 0  # the ranks of the two atoms that exchange mass now
    # What is left of their masses, and where they lie. The places are kept beside the arrays, because an atom's entry
    # is overwritten with its sum as soon as the atom is used up.
    left_x, left_y = masses_x[order_x[0]], masses_y[order_y[0]]
    value_x, value_y = np.float64(px[order_x[0]]), np.float64(py[order_y[0]])
    moved_x = moved_y = 0.0
    cost = 0.0
    while True:
        mass = min(left_x, left_y)  # monotone coupling: the lowest atoms left exchange all they can
        difference = value_x - value_y + offset
        if power == 2:
            cost += mass * difference * difference
        else:
            cost += mass * abs(difference)
            difference = np.sign(difference)
        moved_x += mass * difference
        moved_y -= mass * difference
        # Compared before subtracting: both are true where both are used up at once, as at every step of two equal
        # clouds. A remainder is never compared with 0, which rounding would spoil: whole masses stay whole (they are
        # exact in float64), and with others a remainder of 1e-17 only makes one more step of that little mass.
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
        # Rounded masses need not add up to the same total, so one side may end a last bit before the other. Tested
        # here, between the two halves of the step, since the next atom of a side that has ended must not be read.
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
def gradient_merged(
    x: NDArray,
    y: NDArray,
    radius_x: float,
    radius_y: float,
    masses_x: NDArray,
    masses_y: NDArray,
    directions: NDArray,
    offsets: NDArray,
    weights: NDArray,
    power: int,
    want_x: bool,
    want_y: bool,
) -> tuple[NDArray, NDArray, NDArray]:
    """Return costs and Σ_l weights_l θ_l (mass-weighted difference) for both clouds; any sizes and weights."""
    n, m, dim = x.shape[1], y.shape[1], x.shape[0]
    starts = empty_starts()
    px, py = np.empty(n, np.float32), np.empty(m, np.float32)
    order_x, order_y, spare = np.empty(n, np.uint32), np.empty(m, np.uint32), np.empty(max(n, m), np.uint32)
    gradient_x = np.zeros((dim, n if want_x else 0), np.float32)
    gradient_y = np.zeros((dim, m if want_y else 0), np.float32)
    costs = np.zeros(directions.shape[0])
    for l in range(directions.shape[0]):
        project(x, directions[l], radius_x, px)
        project(y, directions[l], radius_y, py)
        full_order(px, order_x, spare[:n], -radius_x, key_scale(radius_x), starts)
        full_order(py, order_y, spare[:m], -radius_y, key_scale(radius_y), starts)
        costs[l] = merge(px, order_x, masses_x, py, order_y, masses_y, offsets[l], power)
        if want_x:
            accumulate(gradient_x, px, directions[l], weights[l])
        if want_y:
            accumulate(gradient_y, py, directions[l], weights[l])
    return costs, gradient_x, gradient_y
