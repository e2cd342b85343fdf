"""On which side a point lies, exactly: floating point where its error bound decides, expansions where it does not.

A double is a dyadic rational, and a sum of products of doubles is one too: an *expansion* holds it as an unevaluated
sum of doubles without loss (J. R. Shewchuk, "Adaptive precision floating-point arithmetic and fast robust geometric
predicates", 1997), so its sign is the sign of its largest part. That is exact as long as nothing under- or overflows,
which :func:`exact_coordinates` sees to. Nothing here may be compiled with ``fastmath``: every rounding counts.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

SMALLEST_COORDINATE = 1e-80
"""Nonzero coordinates of a mesh of extent 1 are larger: products of three of them keep all their bits."""
SPACE_BOUND, PLANE_BOUND = 1e-15, 4e-16  # above Shewchuk's (7 + 56ε)ε and (3 + 16ε)ε, ε = 2⁻⁵³
ROOM = 128
SPLITTER = 134217729.0  # 2²⁷ + 1
exact = njit(cache=True, nogil=True)


def exact_coordinates(vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return vertices scaled by a power of two to at most 1, on which the signs are exact.

    Raises ``ValueError`` for a coordinate that is not 0 and smaller than 1e-80 of the largest.
    """
    scaled = np.ldexp(vertices, -int(np.frexp(np.abs(vertices).max())[1]))
    small = (scaled != 0) & (np.abs(scaled) < SMALLEST_COORDINATE)
    if small.any():
        vertex = int(np.argmax(small.any(axis=1)))
        raise ValueError(
            f"vertex {vertex} is at {vertices[vertex].tolist()}, with a coordinate too small beside the others for "
            f"exact arithmetic ({SMALLEST_COORDINATE:g} of the largest); set it to 0"
        )
    return np.ascontiguousarray(scaled)


@exact
def two_product(a: float, b: float) -> tuple[float, float]:
    """Return the rounded product and what the rounding left (Dekker's splitting)."""
    product = a * b
    c = SPLITTER * a
    a_high = c - (c - a)
    a_low = a - a_high
    c = SPLITTER * b
    b_high = c - (c - b)
    b_low = b - b_high
    return product, a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


@exact
def grow(expansion: NDArray, length: int, term: float) -> int:
    """Add a double to an expansion in place, without zeros, smallest part first; return its new length."""
    rest, kept = term, 0
    for i in range(length):
        part = expansion[i]
        total = rest + part
        from_part = total - rest
        error = (rest - (total - from_part)) + (part - from_part)
        rest = total
        if error != 0:
            expansion[kept] = error
            kept += 1
    if rest != 0:
        expansion[kept] = rest
        kept += 1
    return kept


@exact
def _add_product(work: NDArray, length: int, sign: float, a: float, b: float) -> int:
    high, low = two_product(sign * a, b)
    return grow(work, grow(work, length, low), high)


@exact
def _add_triple(work: NDArray, length: int, sign: float, a: float, b: float, c: float) -> int:
    high, low = two_product(sign * a, b)
    length = _add_product(work, length, 1.0, low, c)
    return _add_product(work, length, 1.0, high, c)


@exact
def _add_bracket(v: NDArray, work: NDArray, length: int, sign: float, a: int, b: int, c: int) -> int:
    """Add sign · a·(b × c)."""
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        length = _add_triple(work, length, sign, v[a, i], v[b, j], v[c, k])
        length = _add_triple(work, length, -sign, v[a, i], v[b, k], v[c, j])
    return length


@exact
def _sign_of(work: NDArray, length: int) -> int:
    if length == 0:
        return 0
    return 1 if work[length - 1] > 0 else -1


@exact
def side(v: NDArray, a: int, b: int, c: int, d: int, work: NDArray, stats: NDArray) -> int:
    """Return the sign of (a − d)·((b − d) × (c − d)), exactly: which side of the plane abc the vertex d lies on.

    ``stats[0]`` counts the decisions that floating point had to leave to an expansion.
    """
    ax, ay, az = v[a, 0] - v[d, 0], v[a, 1] - v[d, 1], v[a, 2] - v[d, 2]
    bx, by, bz = v[b, 0] - v[d, 0], v[b, 1] - v[d, 1], v[b, 2] - v[d, 2]
    cx, cy, cz = v[c, 0] - v[d, 0], v[c, 1] - v[d, 1], v[c, 2] - v[d, 2]
    p, q, r, s, t, u = by * cz, bz * cy, bz * cx, bx * cz, bx * cy, by * cx
    value = ax * (p - q) + ay * (r - s) + az * (t - u)
    bound = abs(ax) * (abs(p) + abs(q)) + abs(ay) * (abs(r) + abs(s)) + abs(az) * (abs(t) + abs(u))
    if bound == 0:  # each of the products has a factor that is 0, and a difference that rounds to 0 is 0
        return 0
    if value > SPACE_BOUND * bound:
        return 1
    if value < -SPACE_BOUND * bound:
        return -1
    stats[0] += 1
    length = _add_bracket(v, work, 0, 1.0, a, b, c)
    length = _add_bracket(v, work, length, -1.0, a, b, d)
    length = _add_bracket(v, work, length, 1.0, a, c, d)
    return _sign_of(work, _add_bracket(v, work, length, -1.0, b, c, d))


@exact
def turn(v: NDArray, a: int, b: int, c: int, i: int, work: NDArray, stats: NDArray) -> int:
    """Return the sign of the area of abc seen along axis ``i``, exactly: 1 where a, b, c turn left."""
    j, k = (i + 1) % 3, (i + 2) % 3
    p = (v[a, j] - v[c, j]) * (v[b, k] - v[c, k])
    q = (v[a, k] - v[c, k]) * (v[b, j] - v[c, j])
    bound = abs(p) + abs(q)
    if bound == 0:
        return 0
    if p - q > PLANE_BOUND * bound:
        return 1
    if p - q < -PLANE_BOUND * bound:
        return -1
    stats[0] += 1
    length = _add_product(work, 0, 1.0, v[a, j], v[b, k])
    length = _add_product(work, length, -1.0, v[a, j], v[c, k])
    length = _add_product(work, length, -1.0, v[c, j], v[b, k])
    length = _add_product(work, length, -1.0, v[a, k], v[b, j])
    length = _add_product(work, length, 1.0, v[a, k], v[c, j])
    return _sign_of(work, _add_product(work, length, 1.0, v[c, k], v[b, j]))


@exact
def seen_along(v: NDArray, a: int, b: int, c: int, work: NDArray, stats: NDArray) -> int:
    """Return an axis along which the triangle is seen with an area, or −1: its corners lie on one line."""
    for i in (2, 0, 1):
        if turn(v, a, b, c, i, work, stats) != 0:
            return i
    return -1
