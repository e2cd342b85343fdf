"""Inequalities between rational numbers, decided exactly; a double is a rational number.

Every comparison is written so that what is not a number, or not decided, counts as "not proved".
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

EPS = 2.0**-52
TAME = (1e-140, 1e140)  # between these neither overflow nor underflow can spoil the error bounds of a row


class Couplings:
    """A non-negative sparse matrix as sorted coordinates, each pair once; its arrays cannot be written to."""

    def __init__(self, rows: NDArray, columns: NDArray, values: NDArray, players: int) -> None:
        order = np.argsort(rows, kind="stable")
        self.rows, self.columns, self.values = rows[order], columns[order], values[order]
        self.players = players
        self.starts = np.searchsorted(self.rows, np.arange(players + 1))
        for array in (self.rows, self.columns, self.values, self.starts):
            array.setflags(write=False)

    @cached_property
    def transposed(self) -> "Couplings":
        """Return the transpose."""
        return Couplings(self.columns, self.rows, self.values, self.players)

    @property
    def counts(self) -> NDArray:
        """Number of entries of each row."""
        return np.diff(self.starts)

    def product(self, x: NDArray) -> NDArray:
        """Return L x in floating point."""
        return np.bincount(self.rows, weights=self.values * x[self.columns], minlength=self.players)

    def row(self, i: int) -> tuple[list[int], list[float]]:
        """Return the columns and the values of row i."""
        span = slice(self.starts[i], self.starts[i + 1])
        return self.columns[span].tolist(), self.values[span].tolist()

    def exact_product(self, i: int, x: Callable[[int], fmpq]) -> fmpq:
        """Return row i of L x exactly; ``x(j)`` is entry j."""
        return sum((rational(value) * x(j) for j, value in zip(*self.row(i), strict=True)), fmpq(0))

    def dense(self) -> NDArray:
        """Return the matrix as an array (N, N)."""
        matrix = np.zeros((self.players, self.players))
        matrix[self.rows, self.columns] = self.values
        return matrix


def failing_row(diagonal: NDArray, couplings: Couplings, x: NDArray, relation: str, factor: fmpq) -> int | None:
    """Return the first row i in which the relation is false, or None if it is proved for all rows; x ≥ 0.

    ">=", ">", "<=":  diagonal_i x_i - (L x)_i  relation  factor x_i.    "+<":  diagonal_i x_i + (L x)_i < factor x_i.
    Rows that floating point with its error bound decides are not touched again; the others are decided in rationals.
    """
    with np.errstate(all="ignore"):
        product, own, goal = couplings.product(x), diagonal * x, float(factor) * x
        size = np.abs(own) + product + np.abs(goal)
        spare = (
            own - product - goal
            if relation in (">=", ">")
            else goal - own + (product if relation == "<=" else -product)
        )
        tame = (np.abs(x) > TAME[0]) & (np.abs(x) < TAME[1]) & (size > TAME[0]) & (size < TAME[1])
        tame &= bool(factor == 0 or TAME[0] < abs(float(factor)) < TAME[1])
        decided = tame & (spare > (couplings.counts + 8) * EPS * size)
    if relation == "<=":
        decided |= x == 0  # there it says -(L x)_i ≤ 0
    for i in np.flatnonzero(~decided).tolist():
        entry = rational(float(x[i]))
        left, gain = rational(float(diagonal[i])) * entry, couplings.exact_product(i, lambda j: rational(float(x[j])))
        right = factor * entry
        holds = {
            ">=": left - gain >= right,
            ">": left - gain > right,
            "<=": left - gain <= right,
            "+<": left + gain < right,
        }
        if not holds[relation]:
            return i
    return None


def failing_norm_row(
    size: NDArray, couplings: Couplings, p: NDArray, w: NDArray, weight: Callable[[int], fmpq], beta: float
) -> int | None:
    """Return the first row in which Gᵀ W G p ≤ β² W p is false, G = diag(size) + L, or None if it is proved.

    ``weight(i)`` is the exact weight of player i, ``w`` the same within 4 roundings. Floating point decides first, as
    in :func:`failing_row`.
    """
    n = couplings.players
    back = couplings.transposed
    with np.errstate(all="ignore"):
        q = (size * p + couplings.product(p)) * w
        image, bound = size * q + back.product(q), beta * beta * (w * p)
        terms = couplings.counts.max(initial=0) + back.counts.max(initial=0) + 32
        tame = np.ones(n, dtype=bool)
        for x in (p, w, q, image, bound, w * p):
            tame &= (x > TAME[0]) & (x < TAME[1])
        tame &= bool(np.all(tame)) and TAME[0] < beta < TAME[1]  # a row sums what other rows gave
        decided = tame & (image * (1 + terms * EPS) <= bound * (1 - 4 * EPS))
    known: dict[int, fmpq] = {}

    def entry(j: int) -> fmpq:
        return rational(float(p[j]))

    def weighted(j: int) -> fmpq:
        if j not in known:
            known[j] = (rational(float(size[j])) * entry(j) + couplings.exact_product(j, entry)) * weight(j)
        return known[j]

    for i in np.flatnonzero(~decided).tolist():
        total = rational(float(size[i])) * weighted(i) + back.exact_product(i, weighted)
        if not total <= rational(beta) ** 2 * weight(i) * entry(i):
            return i
    return None


def rational(value: float) -> fmpq:
    """Return a double as the rational number it is."""
    return fmpq(*value.as_integer_ratio())


def rational_matrix(array: Any) -> list[list[fmpq]]:
    """Return a matrix of doubles as rationals."""
    return [[rational(entry) for entry in row] for row in np.asarray(array, dtype=float).tolist()]


def semidefinite(matrix: Sequence[Sequence[Any]], *, strict: bool = False) -> bool:
    """Return whether a symmetric matrix is positive (semi)definite, by symmetric elimination.

    Entries are rationals (then the answer is exact) or balls (then True is a proof for every matrix inside them and
    False says only that it was not proved). A zero pivot needs a zero column.

    >>> semidefinite([[2, -1], [-1, 2]]), semidefinite([[1, 2], [2, 1]])
    (True, False)
    """
    a = [list(row) for row in matrix]
    n = len(a)
    for k in range(n):
        pivot = a[k][k]
        if not pivot > 0:
            if strict or not (pivot == 0 and all(a[i][k] == 0 for i in range(k + 1, n))):
                return False
            continue
        for i in range(k + 1, n):
            if a[i][k] == 0:
                continue
            ratio = a[i][k] / pivot
            for j in range(i, n):
                a[i][j] -= ratio * a[k][j]
                a[j][i] = a[i][j]
    return True


def norm_at_most(block: Sequence[Sequence[Any]], bound: Any) -> bool:
    """Return whether the largest singular value is proved to be at most ``bound``: bound² I - Bᵀ B ≥ 0."""
    rows, columns = len(block), len(block[0])
    if all(entry == 0 for row in block for entry in row):
        return bool(bound >= 0)
    if rows == columns == 1:
        return bool(abs(block[0][0]) <= bound)
    if rows < columns:
        block = [list(column) for column in zip(*block, strict=True)]
        rows, columns = columns, rows
    gram = [
        [-sum((block[k][i] * block[k][j] for k in range(rows)), 0 * bound) for j in range(columns)]
        for i in range(columns)
    ]
    for i in range(columns):
        gram[i][i] += bound * bound
    return bool(bound >= 0) and semidefinite(gram)


def shifted(block: Sequence[Sequence[Any]], amount: Any, sign: int) -> list[list[Any]]:
    """Return sign (B - amount I)."""
    return [
        [sign * (entry - amount) if i == j else sign * entry for j, entry in enumerate(row)]
        for i, row in enumerate(block)
    ]
