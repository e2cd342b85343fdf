"""Exact answers about points and lines of the plane: signs, equal lines, equal directions, equal crossings.

Floats are dyadic, so any finite set of them is a set of integers over one power of two. :class:`ExactPoints` keeps
both: the integers (Python's, of any length) and floats in [0, 1] that are off by at most one rounding. A kernel decides
from the floats whatever lies outside their error bound and hands back the rest, which the integers decide.
"""

import math
from fractions import Fraction
from functools import cmp_to_key

import numpy as np
from numba import njit
from numpy.typing import NDArray

UNIT = 2.0**-52
"""A bound on the error of one scaled coordinate, of one difference and of one rounding, with room to spare."""
WIDEST_BITS = 1000
"""The most bits of the integers: what a spread of magnitudes of 1e±150 needs."""


class ExactPoints:
    """Points of the plane as integers and as nearby floats, sorted lexicographically with ties told.

    ``x``, ``y`` are lists of Python integers; ``near`` (n, 2) are floats in [0, 1], within :data:`UNIT` of the integers
    over ``extent``, and ``rest`` what they miss, so that the sum is good to 2⁻¹⁰⁴; ``rank`` (n,) is the place of each
    point in the lexicographic order, equal for equal points.

    >>> points = ExactPoints(np.array([[0.0, 0.5], [0.1, 0.25]]))
    >>> points.rank.tolist(), points.x[0]
    ([0, 1], 0)
    """

    def __init__(self, points: NDArray[np.float64]) -> None:
        flat = np.ascontiguousarray(points, dtype=np.float64)
        _, exponent = np.frexp(flat[flat != 0.0])
        lowest = int(exponent.min()) - 53 if exponent.size else 0
        highest = int(exponent.max()) if exponent.size else 0
        if highest - lowest > WIDEST_BITS:
            raise ValueError(
                f"the coordinates range from about 2^{lowest + 53} to 2^{highest}, too wide for one exact scale; "
                "round the tiny ones to 0"
            )
        mantissa, power = np.frexp(flat)
        whole = (mantissa * 2.0**53).astype(np.int64)
        rows = [
            [int(m) << (int(e) - 53 - lowest) if m else 0 for m, e in zip(ms, es, strict=True)]
            for ms, es in zip(whole, power, strict=True)
        ]
        left = min((row[0] for row in rows), default=0)
        below = min((row[1] for row in rows), default=0)
        self.x = [row[0] - left for row in rows]
        self.y = [row[1] - below for row in rows]
        self.extent = max(*self.x, *self.y, 1)
        self.origin, self.shift = (left, below), lowest
        near = [[a / self.extent, b / self.extent] for a, b in zip(self.x, self.y, strict=True)]
        self.near = np.array(near, dtype=np.float64).reshape(-1, 2)
        self.rest = np.array(
            [[_rest(v, self.extent, near) for v, near in zip(pair, row, strict=True)] for pair, row in self._rows()]
        ).reshape(-1, 2)
        pairs = sorted(set(zip(self.x, self.y, strict=True)))
        place = {pair: k for k, pair in enumerate(pairs)}
        self.rank = np.array([place[pair] for pair in zip(self.x, self.y, strict=True)], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.x)

    def _rows(self) -> list[tuple[tuple[int, int], list[float]]]:
        return list(zip(zip(self.x, self.y, strict=True), self.near.tolist(), strict=True))

    def side(self, a: int, b: int, p: int) -> int:
        """Return on which side of the line from point a to point b point p lies: 1 left, −1 right, 0 on it."""
        x, y = self.x, self.y
        value = (x[b] - x[a]) * (y[p] - y[a]) - (y[b] - y[a]) * (x[p] - x[a])
        return (value > 0) - (value < 0)

    def crossing(self, a: int, b: int, c: int, d: int) -> tuple[int, int, int]:
        """Return where the lines ab and cd meet, as (X, Y, W) with the point (X/W, Y/W) and W > 0."""
        x, y = self.x, self.y
        ux, uy, vx, vy = x[b] - x[a], y[b] - y[a], x[d] - x[c], y[d] - y[c]
        den = ux * vy - uy * vx
        num = (x[c] - x[a]) * vy - (y[c] - y[a]) * vx
        if den < 0:
            den, num = -den, -num
        return x[a] * den + num * ux, y[a] * den + num * uy, den

    def side_of(self, a: int, b: int, where: tuple[int, int, int]) -> int:
        """Return on which side of the line ab the point (X/W, Y/W) lies."""
        x, y = self.x, self.y
        big_x, big_y, w = where
        value = (x[b] - x[a]) * (big_y - y[a] * w) - (y[b] - y[a]) * (big_x - x[a] * w)
        return (value > 0) - (value < 0)

    def unscaled(self, where: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points of the scale of ``near`` in the coordinates that were given."""
        unit = math.ldexp(float(self.extent), self.shift)
        return where * unit + np.array([math.ldexp(float(o), self.shift) for o in self.origin])


def _rest(value: int, extent: int, near: float) -> float:
    """Return value/extent − near, rounded once."""
    top, bottom = near.as_integer_ratio()
    return (value * bottom - top * extent) / (extent * bottom)


class Lines:
    """The different lines that carry a set of edges, each with an edge that stands for it.

    ``of_edge`` (E,) is the line of each edge, ``first`` and ``second`` (L,) two points on each line in lexicographic
    order, ``rank`` (L,) the place of its direction among all directions, counter-clockwise from straight down;
    parallel lines have the same.
    """

    def __init__(self, points: ExactPoints, edges: NDArray[np.int64]) -> None:
        x, y = points.x, points.y
        known: dict[tuple[int, int, int], int] = {}
        directions: dict[tuple[int, int], int] = {}
        self.of_edge = np.empty(len(edges), dtype=np.int64)
        first, second, direction = [], [], []
        length = []
        for k, (i, j) in enumerate(edges.tolist()):
            dx, dy = x[j] - x[i], y[j] - y[i]
            step = math.gcd(dx, dy)
            ux, uy = dx // step, dy // step
            if ux < 0 or (ux == 0 and uy < 0):
                ux, uy, i, j = -ux, -uy, j, i
            key = (ux, uy, ux * y[i] - uy * x[i])
            line = known.setdefault(key, len(known))
            self.of_edge[k] = line
            if line == len(first):
                first.append(i)
                second.append(j)
                length.append(step)
                direction.append(directions.setdefault((ux, uy), len(directions)))
            elif step > length[line]:  # the longest edge stands for the line: it has the smallest relative error
                first[line], second[line], length[line] = i, j, step
        self.first, self.second = np.array(first, dtype=np.int64), np.array(second, dtype=np.int64)
        ordered = _by_angle(list(directions))
        place = np.empty(len(directions), dtype=np.int64)
        for k, name in enumerate(ordered):
            place[directions[name]] = k
        self.rank = place[np.array(direction, dtype=np.int64)] if direction else np.empty(0, dtype=np.int64)
        self.directions = len(directions)

    def __len__(self) -> int:
        return len(self.first)


def _by_angle(directions: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return directions of the right half plane counter-clockwise: by floats first, then made exact."""
    rough = sorted(directions, key=lambda d: math.atan2(float(Fraction(d[1], abs(d[0]) + abs(d[1]))), _share(d)))
    return sorted(rough, key=cmp_to_key(lambda p, q: p[1] * q[0] - p[0] * q[1]))


def _share(d: tuple[int, int]) -> float:
    return float(Fraction(d[0], abs(d[0]) + abs(d[1])))


def sides_of_lines(points: ExactPoints, lines: Lines, edges: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return on which side of each line each point lies, exactly: (L, n) of −1, 0, 1.

    Cost: L·n·2 ns, and a microsecond for each entry that the filter leaves open.
    """
    found = _sides(points.near, lines.first, lines.second)
    found[lines.of_edge, edges[:, 0]] = 0  # both ends of an edge are on its line
    found[lines.of_edge, edges[:, 1]] = 0
    first, second = lines.first.tolist(), lines.second.tolist()
    for line, p in np.argwhere(found == 2).tolist():
        found[line, p] = points.side(first[line], second[line], p)
    return found


@njit(cache=True, nogil=True)
def _sides(near: NDArray[np.float64], first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return the signs that floats decide, and 2 for the others."""
    found = np.empty((len(first), len(near)), dtype=np.int8)
    for line in range(len(first)):
        ax, ay = near[first[line]]
        dx, dy = near[second[line], 0] - ax, near[second[line], 1] - ay
        for p in range(len(near)):
            ex, ey = near[p, 0] - ax, near[p, 1] - ay
            value = dx * ey - dy * ex
            allowed = 10 * UNIT * (abs(dx) + abs(dy) + abs(ex) + abs(ey))
            found[line, p] = 1 if value > allowed else (-1 if value < -allowed else 2)
    return found
