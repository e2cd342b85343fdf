"""Inequalities between rational numbers, decided exactly; a double is a rational number."""

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

EPS = 2.0**-52


class Couplings:
    """A non-negative sparse matrix as sorted coordinates, with row sums that are exact or safely bounded."""

    def __init__(self, rows: NDArray, columns: NDArray, values: NDArray, players: int) -> None:
        order = np.argsort(rows, kind="stable")
        self.rows, self.columns, self.values = rows[order], columns[order], values[order]
        self.players = players
        self.starts = np.searchsorted(self.rows, np.arange(players + 1))

    @cached_property
    def transposed(self) -> "Couplings":
        """Return the transpose."""
        return Couplings(self.columns, self.rows, self.values, self.players)

    def product(self, x: NDArray) -> NDArray:
        """Return L x in floating point."""
        return np.bincount(self.rows, weights=self.values * x[self.columns], minlength=self.players)

    def exact_product(self, i: int, x: NDArray) -> Fraction:
        """Return row i of L x exactly."""
        span = slice(self.starts[i], self.starts[i + 1])
        pairs = zip(self.values[span].tolist(), x[self.columns[span]].tolist(), strict=True)
        return sum((Fraction(a) * Fraction(b) for a, b in pairs), Fraction(0))


def first_failing_row(diagonal: NDArray, couplings: Couplings, x: NDArray, factor: float, *, upper: bool) -> int | None:
    """Return the first i for which the claim fails, or None if it holds for all.

    upper=False: diagonal_i x_i - (L x)_i >= factor x_i.    upper=True: diagonal_i x_i + (L x)_i < factor x_i.
    Rows that floating point with its error bound decides are not touched again; the others are decided in rationals.
    """
    product = couplings.product(x)
    counts = np.diff(couplings.starts)
    own = diagonal * x
    goal = factor * x
    size = np.abs(own) + product + np.abs(goal)
    error = (counts + 8) * EPS * size
    spare = own - product - goal if not upper else goal - own - product
    tame = (np.abs(x) > 1e-140) & (np.abs(x) < 1e140) & (size > 1e-140) & (size < 1e140)
    for i in np.flatnonzero(~(tame & (spare > error))):
        left = Fraction(float(diagonal[i])) * Fraction(float(x[i]))
        gain = couplings.exact_product(int(i), x)
        right = Fraction(float(factor)) * Fraction(float(x[i]))
        if (left + gain >= right) if upper else (left - gain < right):
            return int(i)
    return None


def rational(value: float) -> fmpq:
    """Return a double as the rational number it is."""
    numerator, denominator = float(value).as_integer_ratio()
    return fmpq(numerator, denominator)


def rational_matrix(array: Any) -> list[list[fmpq]]:
    """Return a matrix of doubles as rationals."""
    return [[rational(entry) for entry in row] for row in np.asarray(array, dtype=float).tolist()]


def semidefinite(matrix: Sequence[Sequence[Any]], *, strict: bool = False) -> bool:
    """Return whether a symmetric matrix is positive (semi)definite, by symmetric elimination.

    Entries are rationals (then the answer is exact) or balls (then True is a proof for every matrix inside them and
    False says only that it was not proved). A zero pivot needs a zero column.
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
    """Return whether the largest singular value is proved to be at most ``bound``: bound^2 I - B^T B >= 0."""
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
