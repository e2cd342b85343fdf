"""Reduced costs c_ij − f_i − g_j of all pairs, never stored: the smallest of each row, found block by block.

Points are put in the order of a k-d tree, so that neighbours in memory are neighbours in space. Two boxes of points
whose distance² less their largest potentials is above what is sought are skipped whole; the answer is the same as
after looking at every pair, and in few dimensions most pairs are never touched.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workbench.parallel import for_each
from workbench.progress import Progress

Floats = NDArray[np.float64]
Indices = NDArray[np.int32]
BLOCK = 64
BLOCKS_A_TASK = 16
ROWS_A_TASK = 256
UNIT = 2.0**-53
"""The relative error of one operation in double precision."""


def kd_order(points: Floats, leaf: int = 4) -> NDArray[np.intp]:
    """Return an order of ``points`` (n, d) in which runs of ``leaf`` (and of its doublings) lie close together.

    Median splits along the widest axis, the left side a multiple of ``leaf`` times a power of two.
    """
    order = np.arange(len(points))
    waiting = [(0, len(points))]
    while waiting:
        start, end = waiting.pop()
        if end - start <= leaf:
            continue
        part = order[start:end]
        inside = points[part]
        axis = int(np.argmax(np.ptp(inside, axis=0)))
        half = leaf
        while 2 * half < end - start:
            half *= 2
        order[start:end] = part[np.argpartition(inside[:, axis], half - 1)]
        waiting += [(start, start + half), (start + half, end)]
    return order


@dataclass(frozen=True)
class Found:
    """The ``k`` smallest reduced costs of each row below the threshold: ``columns`` (n, k), −1 where there is none."""

    columns: Indices
    reduced: Floats

    @property
    def least(self) -> Floats:
        """The smallest of each row (n,); the threshold where none lies below it."""
        return self.reduced[:, 0]

    def pairs(self) -> tuple[NDArray[np.intp], Indices]:
        """Return rows and columns of all that were found."""
        rows, places = np.nonzero(self.columns >= 0)
        return rows, self.columns[rows, places]


class PointCosts:
    """Squared Euclidean costs between the rows of ``x`` (n, d) and ``y`` (m, d), both in k-d order."""

    def __init__(self, x: Floats, y: Floats) -> None:
        self.x, self.y = np.ascontiguousarray(x), np.ascontiguousarray(y)
        self.shape = (len(x), len(y))
        self._boxes = _boxes(self.x), _boxes(self.y)
        self._transposed = np.ascontiguousarray(self.x.T), np.ascontiguousarray(self.y.T)

    def rounding(self, f: Floats, g: Floats) -> float:
        """Return a bound on the rounding error of any reduced cost and of the test that skips a block."""
        size = self.largest() + float(np.abs(f).max() + np.abs(g).max())
        return (2 * self.x.shape[1] + 10) * UNIT * size

    def turned(self) -> "PointCosts":
        """Return the costs with rows and columns exchanged."""
        other = object.__new__(PointCosts)
        other.x, other.y, other.shape = self.y, self.x, self.shape[::-1]
        other._boxes, other._transposed = self._boxes[::-1], self._transposed[::-1]
        return other

    def at(self, rows: NDArray[np.integer], columns: NDArray[np.integer]) -> Floats:
        """Return the costs of some pairs."""
        return np.square(self.x[rows] - self.y[columns]).sum(axis=1)

    def largest(self) -> float:
        """Return a bound on every cost."""
        low = np.minimum(self.x.min(axis=0), self.y.min(axis=0))
        high = np.maximum(self.x.max(axis=0), self.y.max(axis=0))
        return float(np.square(high - low).sum())

    def smallest(
        self, f: Floats, g: Floats, k: int, threshold: float, progress: Progress, *at: float, message: str = ""
    ) -> Found:
        """Return the ``k`` smallest c_ij − f_i − g_j below ``threshold`` (may be infinite) of every row."""
        found = Found(np.full((self.shape[0], k), -1, np.int32), np.full((self.shape[0], k), threshold))
        (low, high), (other_low, other_high) = self._boxes
        highest_f, highest_g = _block_maxima(f), _block_maxima(g)

        def work(first: int) -> None:
            _smallest_of_points(
                first, min(first + BLOCKS_A_TASK, len(low)), self.x, self._transposed[1], f, g,
                low, high, other_low, other_high, highest_f, highest_g, found.columns, found.reduced,
            )  # fmt: skip

        _spread(work, range(0, len(low), BLOCKS_A_TASK), progress, at, message)
        return found


class MatrixCosts:
    """Costs given as a matrix (n, m)."""

    def __init__(self, matrix: Floats) -> None:
        self.matrix, self.shape = np.ascontiguousarray(matrix), matrix.shape

    def rounding(self, f: Floats, g: Floats) -> float:
        """Return a bound on the rounding error of any reduced cost."""
        return 4 * UNIT * (self.largest() + float(np.abs(f).max() + np.abs(g).max()))

    def turned(self) -> "MatrixCosts":
        """Return the costs with rows and columns exchanged."""
        return MatrixCosts(self.matrix.T)

    def at(self, rows: NDArray[np.integer], columns: NDArray[np.integer]) -> Floats:
        """Return the costs of some pairs."""
        return self.matrix[rows, columns]

    def largest(self) -> float:
        """Return a bound on every cost."""
        return float(np.abs(self.matrix).max())

    def smallest(
        self, f: Floats, g: Floats, k: int, threshold: float, progress: Progress, *at: float, message: str = ""
    ) -> Found:
        """Return the ``k`` smallest c_ij − f_i − g_j below ``threshold`` (may be infinite) of every row."""
        found = Found(np.full((self.shape[0], k), -1, np.int32), np.full((self.shape[0], k), threshold))

        def work(first: int) -> None:
            last = min(first + ROWS_A_TASK, self.shape[0])
            _smallest_of_matrix(first, last, self.matrix, f, g, found.columns, found.reduced)

        _spread(work, range(0, self.shape[0], ROWS_A_TASK), progress, at, message)
        return found


Costs = PointCosts | MatrixCosts


class _Fixed(Progress):
    """A meter that stands where the caller is, but still passes a cancellation on."""

    def __init__(self, owner: Progress, at: tuple[float, ...], message: str) -> None:
        super().__init__()
        self._owner, self._at, self._message = owner, at or (0.0, 1.0), message

    def update(self, done: float, total: float, message: str = "") -> None:
        """Report the caller's state."""
        self._owner.update(*self._at, self._message)


def _spread(work, firsts: range, progress: Progress, at: tuple[float, ...], message: str) -> None:
    if len(firsts) < 4:  # not worth a thread
        for first in firsts:
            work(first)
        return
    for_each(work, firsts, _Fixed(progress, at, message))


def _boxes(points: Floats) -> tuple[Floats, Floats]:
    starts = np.arange(0, len(points), BLOCK)
    return np.minimum.reduceat(points, starts, axis=0), np.maximum.reduceat(points, starts, axis=0)


def _block_maxima(values: Floats) -> Floats:
    return np.maximum.reduceat(values, np.arange(0, len(values), BLOCK))


@njit(cache=True, nogil=True)
def _insert(value, column, values, columns):
    """Put a value into the ascending list of the smallest, dropping the largest."""
    place = len(values) - 1
    while place > 0 and values[place - 1] > value:
        values[place], columns[place] = values[place - 1], columns[place - 1]
        place -= 1
    values[place], columns[place] = value, column


@njit(cache=True, nogil=True)
def _smallest_of_matrix(first, last, matrix, f, g, columns, reduced):
    k = columns.shape[1]
    for i in range(first, last):
        for j in range(matrix.shape[1]):
            value = matrix[i, j] - f[i] - g[j]
            if value < reduced[i, k - 1]:
                _insert(value, j, reduced[i], columns[i])


@njit(cache=True, nogil=True)
def _smallest_of_points(
    first, last, x, y_transposed, f, g, low, high, other_low, other_high, highest_f, highest_g, columns, reduced
):
    """Blocks ``first`` … ``last`` − 1 of rows against all blocks of columns, the nearest first."""
    n, m, dim, k = len(x), y_transposed.shape[1], x.shape[1], columns.shape[1]
    bounds = np.empty(len(other_low))
    values = np.empty(BLOCK)
    for p in range(first, last):
        row_start, row_end = p * BLOCK, min((p + 1) * BLOCK, n)
        for q in range(len(other_low)):
            apart = 0.0
            for axis in range(dim):
                gap = max(other_low[q, axis] - high[p, axis], low[p, axis] - other_high[q, axis], 0.0)
                apart += gap * gap
            bounds[q] = apart - highest_f[p] - highest_g[q]
        for q in np.argsort(bounds):
            limit = reduced[row_start, k - 1]
            for i in range(row_start + 1, row_end):
                limit = max(limit, reduced[i, k - 1])
            if bounds[q] >= limit:
                break  # and so are all further blocks
            start, width = q * BLOCK, min(BLOCK, m - q * BLOCK)
            for i in range(row_start, row_end):
                for b in range(width):
                    values[b] = -g[start + b]
                for axis in range(dim):
                    at = x[i, axis]
                    for b in range(width):
                        apart = at - y_transposed[axis, start + b]
                        values[b] += apart * apart
                limit = reduced[i, k - 1] + f[i]
                least = values[0]
                for b in range(1, width):
                    least = min(least, values[b])
                if least < limit:
                    for b in range(width):
                        value = values[b] - f[i]
                        if value < reduced[i, k - 1]:
                            _insert(value, start + b, reduced[i], columns[i])
