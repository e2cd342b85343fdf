"""Compiled sums over pairs: mean powers of distances, their gradients, and what sorted distances say of a retrieval.

All take features transposed, (d, n): the innermost loop then runs over items, which compilers turn into vector
instructions without changing the order of any sum, and equal items are at distance exactly 0.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@njit(cache=True, nogil=True)
def squared_row(point: Floats, others: Floats, out: Floats) -> None:
    """Fill ``out`` (n,) with the squared distances of ``point`` (d,) to the columns of ``others`` (d, n)."""
    out[:] = 0.0
    for f in range(len(point)):
        value = point[f]
        row = others[f]
        for j in range(len(out)):
            off = row[j] - value
            out[j] += off * off


@njit(cache=True, nogil=True)
def power_sums(
    x: Floats, codes: Ints, others: Floats, other_codes: Ints, power: float, rows: Ints, sums: Floats
) -> None:
    """Add Σ|x − y|^power to ``sums`` (class of x, class of y), for the columns ``rows`` of x (d, n)."""
    squares = np.empty(others.shape[1])
    half = 0.5 * power
    for i in rows:
        squared_row(x[:, i], others, squares)
        for j in range(len(squares)):
            value = squares[j]
            if power == 1.0:
                value = np.sqrt(value)
            elif power != 2.0:
                value = value**half if value > 0 else 0.0
            sums[codes[i], other_codes[j]] += value


@njit(cache=True, nogil=True)
def power_gradient(x: Floats, codes: Ints, power: float, rows: Ints, out: Floats) -> None:
    """Fill the columns ``rows`` of ``out`` (d, n) with Σ_j (power/2)|x_i − x_j|^(power−2) (x_i − x_j), other classes.

    At coincident points the power below 2 has no gradient; 0 is taken, the middle of its subgradients.
    """
    d, n = x.shape
    squares = np.empty(n)
    for i in rows:
        squared_row(x[:, i], x, squares)
        for j in range(n):
            if codes[j] == codes[i] or squares[j] == 0:
                squares[j] = 0.0
            else:
                squares[j] = 0.5 * power * squares[j] ** (0.5 * power - 1)
        for f in range(d):
            total = 0.0
            for j in range(n):
                total += squares[j] * (x[f, i] - x[f, j])
            out[f, i] = total


@njit(cache=True, nogil=True)
def squared_rows(x: Floats, rows: Ints, out: Floats) -> None:
    """Fill ``out`` (row, n) with the squared distances of the columns ``rows`` of x (d, n) to all columns."""
    for k in range(len(rows)):
        squared_row(x[:, rows[k]], x, out[k])


@njit(cache=True, nogil=True)
def judge(every: Floats, relevant: Floats, found: Floats) -> None:
    """Fill ``found`` (query, 3) with R@1, MAP@R and precision at R from sorted distances.

    ``every`` (query, n) are the distances to all items and ``relevant`` (query, R + 1) those to the query's class, the
    query itself, at 0, among both. A tie of t items, r of them relevant, stands for all its orders alike: at each place
    of the tie an item is relevant with probability r/t, and then (j − 1)(r − 1)/(t − 1) of the j − 1 before it in the
    tie are relevant on average.
    """
    n, wanted = every.shape[1], relevant.shape[1] - 1
    for row in range(len(every)):
        start, of_class, before = 1, 1, 0
        first, precision, average = 0.0, 0.0, 0.0
        while start <= wanted:
            value = every[row, start]
            end = start
            while end < n and every[row, end] == value:
                end += 1
            hits = of_class
            while hits <= wanted and relevant[row, hits] == value:
                hits += 1
            tied, here = end - start, hits - of_class
            share = here / tied
            if start == 1:
                first = share
            if here > 0:
                for j in range(min(tied, wanted - start + 1)):
                    earlier = before + (j * (here - 1) / (tied - 1) if tied > 1 else 0.0)
                    average += share * (earlier + 1) / (start + j)
                    precision += share
            before += here
            of_class = hits
            start = end
        found[row, 0] = first
        found[row, 1] = average / wanted
        found[row, 2] = precision / wanted


@njit(cache=True, nogil=True)
def pull(z: Floats, x: Floats, power: float, slope: Floats) -> float:
    """Return Σ_ij |z_i − x_j|^power and add its gradient in z (n, d) to ``slope``; coincident points add nothing."""
    total = 0.0
    for i in range(len(z)):
        for j in range(len(x)):
            square = 0.0
            for f in range(z.shape[1]):
                off = z[i, f] - x[j, f]
                square += off * off
            if square == 0:
                continue
            value = np.sqrt(square) if power == 1.0 else square ** (0.5 * power)
            total += value
            weight = power * value / square
            for f in range(z.shape[1]):
                slope[i, f] += weight * (z[i, f] - x[j, f])
    return total
