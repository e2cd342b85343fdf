"""The second filter: numbers of twice the precision, as sums of two floats, for signs that single floats leave open.

A regular sample, rounded to floats, has thousands of crossings that nearly are one point: 1e-17 apart, which floats
cannot see and integers are slow for. Sums and products of pairs follow Dekker (1971), errors at most a few 2⁻¹⁰⁴.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

ROUNDING = 2.0**-96
"""A bound on the relative error of the few operations below, with a factor of a hundred to spare."""
_SPLIT = 2.0**27 + 1

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Pair = tuple[float, float]


@njit(cache=True, nogil=True)
def _sum(a: Pair, b: Pair) -> Pair:
    s = a[0] + b[0]
    part = s - a[0]
    rest = (a[0] - (s - part)) + (b[0] - part)
    t = a[1] + b[1]
    part = t - a[1]
    low = (a[1] - (t - part)) + (b[1] - part)
    rest += t
    top = s + rest
    rest = rest - (top - s) + low
    return top + rest, rest - ((top + rest) - top)


@njit(cache=True, nogil=True)
def _product(a: Pair, b: Pair) -> Pair:
    p = a[0] * b[0]
    cut = _SPLIT * a[0]
    ah = cut - (cut - a[0])
    cut = _SPLIT * b[0]
    bh = cut - (cut - b[0])
    al, bl = a[0] - ah, b[0] - bh
    rest = ((ah * bh - p) + ah * bl + al * bh) + al * bl
    rest += a[0] * b[1] + a[1] * b[0]
    top = p + rest
    return top, rest - (top - p)


@njit(cache=True, nogil=True)
def _less(a: Pair, b: Pair) -> Pair:
    return _sum(a, (-b[0], -b[1]))


@njit(cache=True, nogil=True)
def _cross(ux: Pair, uy: Pair, vx: Pair, vy: Pair) -> Pair:
    return _less(_product(ux, vy), _product(uy, vx))


@njit(cache=True, nogil=True)
def side_of_crossing(near: Floats, rest: Floats, line: tuple[int, int], one: Ints, two: Ints) -> int:
    """Return on which side of the line through two points the crossing of two edges lies, 2 if that stays open.

    The crossing is a + u·num/den with a, b the ends of one edge and c, d of the other, u = b − a, v = d − c, w = c − a,
    den = u × v and num = w × v; its side is the sign of den·(q − p) × (a − p) + num·(q − p) × u, times that of den.
    """
    p, q = line
    a, b = one
    c, d = two
    ax, ay = (near[a, 0], rest[a, 0]), (near[a, 1], rest[a, 1])
    px, py = (near[p, 0], rest[p, 0]), (near[p, 1], rest[p, 1])
    cx, cy = (near[c, 0], rest[c, 0]), (near[c, 1], rest[c, 1])
    ux, uy = _less((near[b, 0], rest[b, 0]), ax), _less((near[b, 1], rest[b, 1]), ay)
    vx, vy = _less((near[d, 0], rest[d, 0]), cx), _less((near[d, 1], rest[d, 1]), cy)
    wx, wy = _less(cx, ax), _less(cy, ay)
    dx, dy = _less((near[q, 0], rest[q, 0]), px), _less((near[q, 1], rest[q, 1]), py)
    den, num = _cross(ux, uy, vx, vy), _cross(wx, wy, vx, vy)
    value = _sum(_product(den, _cross(dx, dy, _less(ax, px), _less(ay, py))), _product(num, _cross(dx, dy, ux, uy)))
    u, v = abs(ux[0]) + abs(uy[0]), abs(vx[0]) + abs(vy[0])
    w, size = abs(wx[0]) + abs(wy[0]), abs(dx[0]) + abs(dy[0])
    apart = abs(ax[0] - px[0]) + abs(ay[0] - py[0])
    if abs(den[0]) <= ROUNDING * (u + v):
        return 2
    # errors of coordinates, carried through each factor, and of the operations
    allowed = ROUNDING * ((u + v) * size * apart + (w + v) * size * u)
    allowed += ROUNDING * (abs(den[0]) * (size + apart) + abs(num[0]) * (size + u))
    if abs(value[0]) <= allowed:
        return 2
    return 1 if (value[0] > 0) == (den[0] > 0) else -1
