"""Value and gradient for two clouds of equal size and equal weights: the case that training loops and flows run.

The kernel of ``kernel.py`` sorts indices and then looks each point up, which is a jump through memory for every point:
cheap while the cloud lies in the cache, most of the time at a million points. Here nothing jumps, by four steps.

* **Places instead of projections.** A projection θ·x in [−r, r] becomes a whole number of 32 bits, in steps of
  r/2³¹, which is finer than the rounding of the projection itself. Its upper 22 bits are the sort key of
  ``kernel.py``, ready to use, and the whole number still says where the point lies.
* **One pass there and back.** Sorting x by the low digit carries the places only, no indices. The second pass finds
  each point's rank and its partner and writes the difference where the place was. Then the first pass is run once
  more, *reading* from where it wrote: the same counters, started anew, hand every point its difference back in the
  order of the cloud.
* **Buckets that fit the cache.** Each pass follows one array from front to back and, in the others, one front for
  every value of a digit. Two digits of 11 bits are best while the cloud lies in the second-level cache. Beyond, the
  cloud is first dealt to a few buckets by the top of its key, there and back likewise, and the buckets are sorted and
  matched one by one by what is left of the key.
* **Blocks of directions.** The differences of ``BLOCK`` directions are added to the gradient together, in tiles that
  stay in the first-level cache, so the gradient is fetched once for all of them.
"""

import numpy as np
from numpy.typing import NDArray

from workbench.transport.kernel import DIGIT_BITS, DIGITS, counts_to_starts, kernel, take_place

BLOCK = 8
TILE = 1024
KEY_BITS = DIGITS * DIGIT_BITS
BELOW_KEY = 32 - KEY_BITS
MIDDLE = np.uint32(1 << 31)  # the place of 0
FARTHEST = np.float32(2**31 - 128)  # the largest single number below 2³¹
FITS_THE_CACHE = 250_000  # points whose places, partners and spare room lie in a second-level cache, or nearly
MANY = 4_000_000


def top_bits(n: int) -> int:
    """Return by how many bits of the key to deal ``n`` points to buckets; what remains must be even.

    The buckets hold 10⁴ to 10⁵ points. 4, 6 and 8 bits were timed at 1, 4 and 16 million points: the best is taken.

    >>> top_bits(10_000), top_bits(1_000_000)
    (0, 4)
    """
    return 0 if n <= FITS_THE_CACHE else 4 if n <= MANY else 6


@kernel
def place_scale(radius: float) -> float:
    """Return the factor from projections to places; 0 when all points coincide, and finite for the smallest radius."""
    if radius == 0:
        return np.float32(0)
    return np.float32(min(np.float64(FARTHEST) / np.float64(radius), 3e38))


@kernel
def to_place(scaled: float) -> int:
    """Return the place of a projection that is already in steps, clamped: its digits are indices of a histogram."""
    return np.uint32(np.int32(min(max(scaled, -FARTHEST), FARTHEST))) ^ MIDDLE


@kernel
def from_place(place: int) -> float:
    """Return the projection, in steps, that a place stands for."""
    return np.float32(np.int32(place ^ MIDDLE))


@kernel
def write_places(coordinates: NDArray, direction: NDArray, out: NDArray) -> None:
    """Write the places of θ·x to ``out``; ``direction`` is θ in steps.

    Up to three dimensions in one loop, which is twice as fast as one a coordinate.
    """
    dim, n = coordinates.shape
    if dim <= 3:
        a, b, c = coordinates[0], coordinates[min(1, dim - 1)], coordinates[dim - 1]
        u, v, w = direction[0], direction[1] if dim > 1 else np.float32(0), direction[2] if dim > 2 else np.float32(0)
        for i in range(n):
            out[i] = to_place(u * a[i] + v * b[i] + w * c[i])
        return
    tile = np.empty(min(TILE, n), np.float32)
    for begin in range(0, n, TILE):
        line = tile[: min(TILE, n - begin)]
        line[:] = 0
        for axis in range(dim):
            row, factor = coordinates[axis][begin : begin + TILE], direction[axis]
            for i in range(line.shape[0]):
                line[i] += factor * row[i]
        places = out[begin : begin + TILE]
        for i in range(line.shape[0]):
            places[i] = to_place(line[i])


@kernel
def count(places: NDArray, shift: int, mask: int, starts: NDArray) -> None:
    """Fill ``starts`` with the first position of every value of one digit."""
    starts[:] = 0
    for i in range(places.shape[0]):
        starts[(places[i] >> shift) & mask] += np.uint32(1)
    counts_to_starts(starts)


@kernel
def count_both(places: NDArray, bits: int, mask: int, starts: NDArray) -> None:
    """Fill the two rows of ``starts`` with the first positions of the low and the high digit."""
    starts[:] = 0
    low, high = starts[0], starts[1]
    for i in range(places.shape[0]):
        key = places[i] >> np.uint32(BELOW_KEY)
        low[key & mask] += np.uint32(1)
        high[(key >> bits) & mask] += np.uint32(1)
    before_low = before_high = np.uint32(0)
    for digit in range(low.shape[0]):  # both sums in one loop: neither waits for the other
        number_low, number_high = low[digit], high[digit]
        low[digit], high[digit] = before_low, before_high
        before_low += number_low
        before_high += number_high


@kernel
def spread(places: NDArray, shift: int, mask: int, starts: NDArray, out: NDArray) -> None:
    """Write the places in the order of one digit; ``starts`` becomes the ends."""
    for i in range(places.shape[0]):
        out[take_place(starts, (places[i] >> shift) & mask)] = places[i]


@kernel
def gather(places: NDArray, shift: int, mask: int, starts: NDArray, source: NDArray, out: NDArray) -> None:
    """Run :func:`spread` backwards: fetch each point's number from where its place had been put.

    ``out`` may be the memory of ``places``: each place is read before its point is written.
    """
    for i in range(places.shape[0]):
        out[i] = source[take_place(starts, (places[i] >> shift) & mask)]


@kernel
def sort_bucket(places: NDArray, spare: NDArray, bits: int, starts: NDArray, factor: float, out: NDArray) -> None:
    """Write ``factor`` times the steps that the places of a bucket stand for to ``out``, sorted."""
    mask = np.uint32((1 << bits) - 1)
    count_both(places, bits, mask, starts)
    spread(places, np.uint32(BELOW_KEY), mask, starts[0], spare)
    high, shift = starts[1], np.uint32(BELOW_KEY + bits)
    for j in range(spare.shape[0]):
        out[take_place(high, (spare[j] >> shift) & mask)] = factor * from_place(spare[j])


@kernel
def match_bucket(
    places: NDArray,
    spare: NDArray,
    bits: int,
    starts: NDArray,
    again: NDArray,
    factor: float,
    unit: float,
    partners: NDArray,
    offset: float,
) -> None:
    """Replace each place of a bucket, in its memory, by the difference to the partner of the same rank.

    The difference is taken in the common unit and scaled afterwards: a compiler may round a product and what is added
    to it at once, and then the difference of a point to itself would be a rounding error with a sign, not 0.
    ``again`` (a row like those of ``starts``) remembers where the first pass began.
    """
    mask = np.uint32((1 << bits) - 1)
    count_both(places, bits, mask, starts)
    again[:] = starts[0]
    spread(places, np.uint32(BELOW_KEY), mask, starts[0], spare)
    high, shift, differences = starts[1], np.uint32(BELOW_KEY + bits), spare.view(np.float32)
    for j in range(spare.shape[0]):
        rank = take_place(high, (spare[j] >> shift) & mask)
        differences[j] = unit * (factor * from_place(spare[j]) - partners[rank]) + offset
    gather(places, np.uint32(BELOW_KEY), mask, again, differences, places.view(np.float32))


@kernel
def cost_of(differences: NDArray, power: int) -> float:
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
def fold(gradient: NDArray, differences: NDArray, coefficients: NDArray, power: int, costs: NDArray) -> None:
    """Add Σ_b coefficients[b, axis] · differences[b] to every row of the gradient, and their costs to ``costs``.

    Tile by tile, so that each difference is fetched once; four directions in one loop, so that the gradient is too.
    Where fewer than four are left the last is taken again, with coefficient 0. For ``power`` 1 the differences are
    replaced by their signs.
    """
    last = coefficients.shape[0] - 1
    for begin in range(0, gradient.shape[1], TILE):
        for b in range(last + 1):
            costs[b] += cost_of(differences[b][begin : begin + TILE], power)
        for first in range(0, last + 1, 4):
            p, q = differences[first], differences[min(first + 1, last)]
            r, s = differences[min(first + 2, last)], differences[min(first + 3, last)]
            for axis in range(gradient.shape[0]):
                add_four(
                    gradient[axis][begin : begin + TILE],
                    p[begin : begin + TILE],
                    q[begin : begin + TILE],
                    r[begin : begin + TILE],
                    s[begin : begin + TILE],
                    coefficients[first, axis],
                    coefficients[first + 1, axis] if first + 1 <= last else np.float32(0),
                    coefficients[first + 2, axis] if first + 2 <= last else np.float32(0),
                    coefficients[first + 3, axis] if first + 3 <= last else np.float32(0),
                )


@kernel
def add_four(
    row: NDArray, p: NDArray, q: NDArray, r: NDArray, s: NDArray, a: float, b: float, c: float, d: float
) -> None:
    """Add a p + b q + c r + d s to ``row``.

    Over slices from 0, not over a range of a whole row: an index that might be negative would have to be tested
    against Python's rule for negative indices, and the loop would not run over vectors (five times slower).
    """
    for i in range(row.shape[0]):
        row[i] += a * p[i] + b * q[i] + c * r[i] + d * s[i]


@kernel
def room(n: int, top: int) -> tuple[NDArray, ...]:
    """Return what sorting and matching write to: starts and ends of digits and buckets, and three rows of numbers.

    The last, ``hot``, serves one bucket after the other and so stays in the cache; of the n numbers only as many as
    the largest bucket holds are ever touched. A pass that writes in any order waits for every line that is not there.
    """
    bits = (KEY_BITS - top) // 2
    return (
        np.empty((2, 1 << bits), np.uint32),
        np.empty(1 << bits, np.uint32),
        np.empty((2, 1 << top), np.uint32),
        np.empty(n, np.uint32),
        np.empty(n, np.uint32),
        np.empty(n if top > 0 else 0, np.float32),
    )


@kernel
def deal(places: NDArray, top: int, edges: NDArray, out: NDArray) -> None:
    """Deal the places to buckets by the top of their keys; the rows of ``edges`` become their begins and ends."""
    shift, mask = np.uint32(32 - top), np.uint32((1 << top) - 1)
    count(places, shift, mask, edges[0])
    edges[1] = edges[0]
    spread(places, shift, mask, edges[1], out)


@kernel
def units(radius_x: float, radius_y: float) -> tuple[float, float, float]:
    """Return the steps of two clouds in their common unit, which is the larger step, and that unit."""
    larger = max(radius_x, radius_y)
    if larger == 0:
        return np.float32(0), np.float32(0), np.float32(0)
    return np.float32(radius_x / larger), np.float32(radius_y / larger), np.float32(larger / FARTHEST)


@kernel
def sort_points(
    cloud: NDArray,
    radius: float,
    direction: NDArray,
    top: int,
    scratch: tuple[NDArray, ...],
    factor: float,
    out: NDArray,
) -> None:
    """Write ``factor`` times the projections of a cloud on a direction, in steps, to ``out``, sorted."""
    starts, _, edges, places, spare, hot = scratch
    bits = np.uint32((KEY_BITS - top) // 2)
    write_places(cloud, direction * place_scale(radius), places)
    if top == 0:
        sort_bucket(places, spare, bits, starts, factor, out)
        return
    deal(places, top, edges, spare)
    for k in range(edges.shape[1]):
        begin, end = edges[0, k], edges[1, k]
        if begin < end:
            number = end - begin
            sort_bucket(spare[begin:end], places[:number], bits, starts, factor, hot[:number])
            out[begin:end] = hot[:number]


@kernel
def match_points(
    cloud: NDArray,
    radius: float,
    direction: NDArray,
    top: int,
    scratch: tuple[NDArray, ...],
    factor: float,
    unit: float,
    partners: NDArray,
    offset: float,
    out: NDArray,
) -> None:
    """Write each point's difference to its partner to ``out``, in the order of the cloud."""
    starts, again, edges, places, spare, hot = scratch
    bits, own = np.uint32((KEY_BITS - top) // 2), out.view(np.uint32)
    write_places(cloud, direction * place_scale(radius), own)
    if top == 0:
        match_bucket(own, spare, bits, starts, again, factor, unit, partners, offset)
        return
    deal(own, top, edges, spare)
    for k in range(edges.shape[1]):
        begin, end = edges[0, k], edges[1, k]
        if begin < end:
            number = end - begin
            hot[:number] = partners[begin:end]
            match_bucket(spare[begin:end], places[:number], bits, starts, again, factor, unit, hot[:number], offset)
    shift, mask = np.uint32(32 - top), np.uint32((1 << top) - 1)
    gather(own, shift, mask, edges[0], spare.view(np.float32), out)


@kernel
def costs_equal(
    x: NDArray,
    y: NDArray,
    radius_x: float,
    radius_y: float,
    directions: NDArray,
    offsets: NDArray,
    power: int,
    top: int,
) -> NDArray:
    """Return Σ_r |x_(r) − y_(r) + offset|^power per direction; ``top``: see :func:`top_bits`."""
    n = x.shape[1]
    scratch = room(n, top)
    factor_x, factor_y, unit = units(radius_x, radius_y)
    xs, ys = np.empty(n, np.float32), np.empty(n, np.float32)
    costs = np.zeros(directions.shape[0])
    for l in range(directions.shape[0]):
        sort_points(x, radius_x, directions[l], top, scratch, factor_x, xs)
        sort_points(y, radius_y, directions[l], top, scratch, factor_y, ys)
        for r in range(n):
            xs[r] = unit * (xs[r] - ys[r]) + offsets[l]
        costs[l] = cost_of(xs, power)
    return costs


@kernel
def gradient_equal(
    x: NDArray,
    y: NDArray,
    radius_x: float,
    radius_y: float,
    directions: NDArray,
    offsets: NDArray,
    weights: NDArray,
    power: int,
    top: int,
) -> tuple[NDArray, NDArray]:
    """Return the costs of :func:`costs_equal` and Σ_l weights_l θ_l (matched difference), (d, n).

    For ``power`` 1 the matched difference is its sign.
    """
    dim, n = x.shape
    scratch = room(n, top)
    factor_x, factor_y, unit = units(radius_x, radius_y)
    block = min(BLOCK, directions.shape[0])
    partners, differences = np.empty(n, np.float32), np.empty((block, n), np.float32)
    gradient, coefficients = np.zeros((dim, n), np.float32), np.empty((block, dim), np.float32)
    costs = np.zeros(directions.shape[0])
    for l in range(directions.shape[0]):
        row = l % block
        sort_points(y, radius_y, directions[l], top, scratch, factor_y, partners)
        match_points(x, radius_x, directions[l], top, scratch, factor_x, unit, partners, offsets[l], differences[row])
        for axis in range(dim):
            coefficients[row, axis] = weights[l] * directions[l, axis]
        if row == block - 1 or l == directions.shape[0] - 1:
            fold(gradient, differences, coefficients[: row + 1], power, costs[l - row : l + 1])
    return costs, gradient
