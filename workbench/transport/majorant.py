"""Matching along one direction and what it says of all others: the compiled ground of the certified Max-SW search.

Along θ the sorted pairing π is optimal; along any other θ' it is still a pairing that mass could follow. So with

    M = Σ_ij π_ij (x_i − y_j)(x_i − y_j)ᵀ,      f(θ') = W_2²(θ'♯x, θ'♯y) ≤ θ'ᵀ M θ'  for every θ',

with equality at θ' = θ: one sort bounds the cost over the whole sphere. Two consequences carry the search.

* **A bound on a cap.** With q = cᵀMc, b = |Mc − qc| and λ the largest eigenvalue of M on c^⊥, all θ' within the angle r
  of c have f(θ') ≤ (q + λ)/2 + (q − λ)/2 · cos 2s + b sin 2s at s = min(r, ½ atan2(2b, q − λ)).
* **Mixtures.** A convex combination of pairings is a plan as well, so αM₁ + (1 − α)M₂ bounds f too. f is a lower
  envelope of quadratic forms and its maximum may sit on a kink, where each single M still rises across it; the mixture
  that cancels the slopes turns that first-order bound into a second-order one.

The bound holds for *any* pairing, so the sort by 22-bit keys of ``kernel.py`` is good enough for M; only a value that
claims to be the best is computed again with an exact sort in float64. Matrices are kept as (xx, yy, zz, xy, xz, yz); a
plane is a sphere whose third coordinate vanishes.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workbench.transport import kernel

compiled = njit(nogil=True, cache=True)

BOUND, READY, MATRIX, VERTICES, WIDTH = 0, 1, 2, 8, 17
"""Columns of a cell: its bound, whether it was matched at its own centre, its matrix, its three vertices."""
Floats = NDArray[np.float64]
CUTS = 8
ASCENT_STEPS = 12
BEST, DROPPED, AXIS, STATE = 0, 1, 2, 5
"""Places in the state: best value, largest bound of a cell that was let go, direction of the best value."""
COUNT, EVALUATIONS, NEXT_CUT, COUNTERS = 0, 1, 2, 3


@compiled
def _add_pair(matrix, x, i, y, j, shift, mass):
    """Add mass · (x_i − y_j)(x_i − y_j)ᵀ."""
    a = x[0, i] - y[0, j] + shift[0]
    b = x[1, i] - y[1, j] + shift[1]
    c = x[2, i] - y[2, j] + shift[2]
    matrix[0] += mass * a * a
    matrix[1] += mass * b * b
    matrix[2] += mass * c * c
    matrix[3] += mass * a * b
    matrix[4] += mass * a * c
    matrix[5] += mass * b * c


@compiled
def pair_moment(
    x: Floats,
    y: Floats,
    order_x: NDArray[np.int64],
    order_y: NDArray[np.int64],
    masses_x: Floats,
    masses_y: Floats,
    equal: bool,
    shift: NDArray[np.float64],
    matrix: Floats,
) -> None:
    """Write M of the pairing of two orders to ``matrix``; masses that differ are merged by their quantiles."""
    matrix[:] = 0.0
    n, m = order_x.shape[0], order_y.shape[0]
    if equal:
        for r in range(n):
            _add_pair(matrix, x, order_x[r], y, order_y[r], shift, 1.0)
        matrix /= n
        return
    i = j = 0
    left_x, left_y = masses_x[order_x[0]], masses_y[order_y[0]]
    while True:
        mass = min(left_x, left_y)
        _add_pair(matrix, x, order_x[i], y, order_y[j], shift, mass)
        advance_x, advance_y = left_x <= left_y, left_y <= left_x
        left_x -= mass
        left_y -= mass
        if advance_x:
            i += 1
        if advance_y:
            j += 1
        if i == n or j == m:
            return
        if advance_x:
            left_x = masses_x[order_x[i]]
        if advance_y:
            left_y = masses_y[order_y[j]]


@compiled
def _exact_order(points, direction):
    """Return the order of the projections, sorted in float64."""
    values = np.empty(points.shape[1])
    for i in range(points.shape[1]):
        values[i] = direction[0] * points[0, i] + direction[1] * points[1, i] + direction[2] * points[2, i]
    return np.argsort(values)


@compiled
def exact_moment(clouds: tuple, direction: Floats, matrix: Floats) -> float:
    """Write M of the exactly sorted pairing along ``direction`` and return the cost f(θ) = θᵀMθ."""
    x, y, _, _, masses_x, masses_y, equal, shift, _, _ = clouds
    pair_moment(x, y, _exact_order(x, direction), _exact_order(y, direction), masses_x, masses_y, equal, shift, matrix)
    return form(matrix, direction)


@compiled
def fast_moment(clouds: tuple, direction: Floats, matrix: Floats, scratch: tuple) -> None:
    """Write M of the pairing sorted by keys; points closer than a key may be swapped, which only loosens the bound."""
    x, y, single_x, single_y, masses_x, masses_y, equal, shift, radius_x, radius_y = clouds
    px, py, order_x, order_y, spare, starts = scratch
    thin = np.empty(3, np.float32)
    for k in range(3):
        thin[k] = direction[k]
    kernel.project(single_x, thin, radius_x, px)
    kernel.project(single_y, thin, radius_y, py)
    kernel.full_order(px, order_x, spare[: px.shape[0]], -radius_x, kernel.key_scale(radius_x), starts)
    kernel.full_order(py, order_y, spare[: py.shape[0]], -radius_y, kernel.key_scale(radius_y), starts)
    pair_moment(x, y, order_x, order_y, masses_x, masses_y, equal, shift, matrix)


@compiled
def form(matrix: Floats, v: Floats) -> float:
    """Return vᵀMv."""
    return (
        matrix[0] * v[0] * v[0]
        + matrix[1] * v[1] * v[1]
        + matrix[2] * v[2] * v[2]
        + 2 * (matrix[3] * v[0] * v[1] + matrix[4] * v[0] * v[2] + matrix[5] * v[1] * v[2])
    )


@compiled
def apply(matrix: Floats, v: Floats, out: Floats) -> None:
    """Write Mv to ``out``."""
    out[0] = matrix[0] * v[0] + matrix[3] * v[1] + matrix[4] * v[2]
    out[1] = matrix[3] * v[0] + matrix[1] * v[1] + matrix[5] * v[2]
    out[2] = matrix[4] * v[0] + matrix[5] * v[1] + matrix[2] * v[2]


@compiled
def _normalise(v):
    length = np.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2])
    for k in range(3):
        v[k] /= length


@compiled
def _slope(matrix, centre, out):
    """Write Mc − qc, the tangential part of half the gradient, to ``out``; return q."""
    q = form(matrix, centre)
    apply(matrix, centre, out)
    for k in range(3):
        out[k] -= q * centre[k]
    return q


@compiled
def cap_bound(matrix: Floats, centre: Floats, angle: float) -> float:
    """Return the largest value of θᵀMθ over the cap of the angle around ``centre``, or a little more."""
    slope = np.empty(3)
    q = _slope(matrix, centre, slope)
    b = np.sqrt(slope[0] ** 2 + slope[1] ** 2 + slope[2] ** 2)
    # M on the plane across c has the trace tr M − q, and its determinant is cᵀ adj(M) c
    xx, yy, zz, xy, xz, yz = matrix[0], matrix[1], matrix[2], matrix[3], matrix[4], matrix[5]
    half = 0.5 * (xx + yy + zz - q)
    determinant = (
        (yy * zz - yz * yz) * centre[0] ** 2
        + (xx * zz - xz * xz) * centre[1] ** 2
        + (xx * yy - xy * xy) * centre[2] ** 2
        + 2 * (xz * yz - xy * zz) * centre[0] * centre[1]
        + 2 * (xy * yz - xz * yy) * centre[0] * centre[2]
        + 2 * (xy * xz - xx * yz) * centre[1] * centre[2]
    )
    largest = half + np.sqrt(max(half * half - determinant, 0.0))
    s = min(angle, 0.5 * np.arctan2(2 * b, q - largest))
    return 0.5 * (q + largest) + 0.5 * (q - largest) * np.cos(2 * s) + b * np.sin(2 * s)


@compiled
def improve(matrix: Floats, other: Floats, centre: Floats, angle: float, bound: float) -> float:
    """Mix ``other`` into ``matrix`` if the mixture that cancels the slopes at the centre bounds the cap better.

    Returns the bound that holds then.
    """
    first, second = np.empty(3), np.empty(3)
    _slope(matrix, centre, first)
    _slope(other, centre, second)
    across = along = 0.0
    for k in range(3):
        across += (first[k] - second[k]) ** 2
        along += (first[k] - second[k]) * first[k]
    share = min(max(along / across, 0.0), 1.0) if across > 0 else 0.5
    if share == 0.0:
        return bound
    mixed = (1 - share) * matrix + share * other
    found = cap_bound(mixed, centre, angle)
    if found < bound:
        matrix[:] = mixed
        return found
    return bound


@compiled
def _centre_and_angle(cell, centre):
    """Write the centre of a cell; return the largest angle to one of its vertices, rounded up."""
    a, b, c = cell[VERTICES : VERTICES + 3], cell[VERTICES + 3 : VERTICES + 6], cell[VERTICES + 6 : VERTICES + 9]
    for k in range(3):
        centre[k] = a[k] + b[k] + c[k]
    _normalise(centre)
    chord = 0.0
    for v in (a, b, c):
        chord = max(chord, (v[0] - centre[0]) ** 2 + (v[1] - centre[1]) ** 2 + (v[2] - centre[2]) ** 2)
    return 2 * np.arcsin(min(0.5 * np.sqrt(chord), 1.0)) * (1 + 1e-12) + 1e-14


@compiled
def _push(heap, count, cell):
    """Add a cell to the heap, whose top has the largest bound."""
    i = count
    while i > 0:
        parent = (i - 1) // 2
        if heap[parent, BOUND] >= cell[BOUND]:
            break
        heap[i] = heap[parent]
        i = parent
    heap[i] = cell


@compiled
def _pop(heap, count, out):
    """Move the top of a heap of ``count`` cells to ``out``."""
    out[:] = heap[0]
    last = count - 1
    i = 0
    while True:
        child = 2 * i + 1
        if child >= last:
            break
        if child + 1 < last and heap[child + 1, BOUND] > heap[child, BOUND]:
            child += 1
        if heap[child, BOUND] <= heap[last, BOUND]:
            break
        heap[i] = heap[child]
        i = child
    heap[i] = heap[last]


@compiled
def _child(cell, which, flat, out):
    """Write the part ``which`` of a cell: one of two halves of an arc, one of four quarters of a triangle."""
    out[READY] = 0.0
    out[MATRIX:VERTICES] = cell[MATRIX:VERTICES]
    a, b, c = cell[VERTICES : VERTICES + 3], cell[VERTICES + 3 : VERTICES + 6], cell[VERTICES + 6 : VERTICES + 9]
    ab, bc, ca = a + b, b + c, c + a
    _normalise(ab)
    if flat:  # an arc from a to b, its middle for the third vertex
        first, second = (a, ab) if which == 0 else (ab, b)
        third = first + second
        _normalise(third)
    else:
        _normalise(bc)
        _normalise(ca)
        if which == 0:
            first, second, third = a, ab, ca
        elif which == 1:
            first, second, third = b, bc, ab
        elif which == 2:
            first, second, third = c, ca, bc
        else:
            first, second, third = ab, bc, ca
    out[VERTICES : VERTICES + 3] = first
    out[VERTICES + 3 : VERTICES + 6] = second
    out[VERTICES + 6 : VERTICES + 9] = third


@compiled
def _ascend(clouds, start, matrix, cuts, state, counters, scratch, limit):
    """Climb from ``start`` (whose M is ``matrix``) by θ ← normalise(θ + 2(Mθ − qθ)/q), keeping the best exact value.

    The matrices on the way become cuts: climbing zigzags over a kink, and so leaves one of either side.
    """
    here, slope = start.copy(), np.empty(3)
    current = matrix.copy()
    exact = np.empty(6)
    for _ in range(ASCENT_STEPS):
        q = _slope(current, here, slope)
        if q <= state[BEST]:
            return
        value = exact_moment(clouds, here, exact)
        counters[EVALUATIONS] += 1
        cuts[counters[NEXT_CUT] % CUTS] = exact
        counters[NEXT_CUT] += 1
        if value <= state[BEST]:
            return
        state[BEST] = value
        state[AXIS : AXIS + 3] = here
        if counters[EVALUATIONS] >= limit or q == 0.0:
            return
        for k in range(3):
            here[k] += 2 * slope[k] / q
        _normalise(here)
        fast_moment(clouds, here, current, scratch)
        counters[EVALUATIONS] += 1
        cuts[counters[NEXT_CUT] % CUTS] = current
        counters[NEXT_CUT] += 1


@compiled
def search(
    clouds: tuple,
    heap: Floats,
    cuts: Floats,
    state: Floats,
    counters: NDArray[np.int64],
    flat: bool,
    relative: float,
    absolute: float,
    slack: float,
    limit: int,
) -> int:
    """Split the cell with the largest bound until none exceeds the best value, or ``limit`` evaluations are used up.

    ``state`` and ``counters`` carry the search from call to call. ``slack`` times the trace of a matrix is added to
    each of its bounds, for what the sums rounded. Returns 0 when done, 1 at the limit, 2 when the heap must grow.
    """
    n, m = clouds[0].shape[1], clouds[1].shape[1]
    scratch = (
        np.empty(n, np.float32),
        np.empty(m, np.float32),
        np.empty(n, np.uint32),
        np.empty(m, np.uint32),
        np.empty(max(n, m), np.uint32),
        kernel.empty_starts(),
    )
    cell, part = np.empty(WIDTH), np.empty(WIDTH)
    centre, matrix = np.empty(3), np.empty(6)
    parts = 2 if flat else 4
    while counters[COUNT] > 0:
        if heap[0, BOUND] <= state[BEST] * (1 + relative) + absolute:
            return 0
        if counters[EVALUATIONS] >= limit:
            return 1
        if counters[COUNT] + parts > heap.shape[0]:
            return 2
        _pop(heap, counters[COUNT], cell)
        counters[COUNT] -= 1
        inherited = cell[MATRIX:VERTICES]
        if cell[READY] == 0.0:
            angle = _centre_and_angle(cell, centre)
            fast_moment(clouds, centre, matrix, scratch)
            counters[EVALUATIONS] += 1
            if form(matrix, centre) > state[BEST]:
                _ascend(clouds, centre, matrix, cuts, state, counters, scratch, limit)
            bound = cap_bound(matrix, centre, angle)
            if cell[BOUND] < np.inf:
                bound = improve(matrix, inherited, centre, angle, bound)
            for k in range(min(counters[NEXT_CUT], CUTS)):
                bound = improve(matrix, cuts[k], centre, angle, bound)
            bound += slack * (matrix[0] + matrix[1] + matrix[2])
            cell[READY] = 1.0
            if bound < cell[BOUND]:
                cell[BOUND] = bound
                inherited[:] = matrix
            _keep(heap, cell, state, counters, relative, absolute)
            continue
        for which in range(parts):
            _child(cell, which, flat, part)
            angle = _centre_and_angle(part, centre)
            moved = part[MATRIX:VERTICES]
            # the parent's plan bounds the child as well: most children are never matched at their own centre
            bound = cap_bound(moved, centre, angle)
            for k in range(min(counters[NEXT_CUT], CUTS)):
                bound = improve(moved, cuts[k], centre, angle, bound)
            bound += slack * (moved[0] + moved[1] + moved[2])
            part[BOUND] = min(bound, cell[BOUND])
            _keep(heap, part, state, counters, relative, absolute)
    return 0


@compiled
def _keep(heap, cell, state, counters, relative, absolute):
    """Push a cell that may hold a better value; remember the bound of one that cannot."""
    if cell[BOUND] <= state[BEST] * (1 + relative) + absolute:
        state[DROPPED] = max(state[DROPPED], cell[BOUND])
        return
    _push(heap, counters[COUNT], cell)
    counters[COUNT] += 1
