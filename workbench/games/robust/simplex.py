"""The linear programme of the cuts: a dual simplex that keeps one dense inverse and starts from where it stood.

min z over (ξ, z) with 0 ≤ ξ ≤ 1, Σξ ≤ Γ and z + h_jᵀξ ≥ a_j for each cut j. There are few unknowns (n + 1) and the
programme changes by a few cuts at a time, or by the levels a alone, so that a handful of exchanges of one active
constraint each leads from one optimum to the next: a hundredth of a millisecond apiece at n = 80, where handing the
rows to a general solver takes some milliseconds. When the exchanges do not end, the caller asks the general one.

Constraints are numbered: i < n is ξ_i ≥ 0, n + i is ξ_i ≤ 1, 2n is the budget, 2n + 1 + j is cut j. ``inverse`` holds
in row p the direction that moves away from active constraint p and stays on all others; its last entry is that
constraint's multiplier, because the objective is z. A basis is dual feasible when no multiplier is negative.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

FEASIBLE = 1e-10  # how far a constraint may be violated, in units of the largest loss
PIVOT = 1e-9  # the smallest entry that is divided by
SLOPPY = 1e-11  # how far below 0 a multiplier may fall: ties are decided for the largest pivot
REFRESH = 120  # exchanges after which the inverse is computed anew

_FAST = {"reassoc", "contract", "nsz"}


@njit(cache=True, nogil=True, fastmath=_FAST)
def _against(row: NDArray, cut: NDArray, n: int) -> float:
    total = row[n]
    for i in range(n):
        total += cut[i] * row[i]
    return total


@njit(cache=True, nogil=True)
def _most_violated(
    point: NDArray, hits: NDArray, level: NDArray, norm: NDArray, count: int, budget: float
) -> tuple[int, float]:
    """Return (constraint, by how much), relative to the length of its normal; -1 if none is violated."""
    n = point.size - 1
    worst, found, total = FEASIBLE, -1, -budget
    for i in range(n):
        total += point[i]
        if -point[i] > worst:
            worst, found = -point[i], i
        elif point[i] - 1.0 > worst:
            worst, found = point[i] - 1.0, n + i
    if total > worst * np.sqrt(n):
        worst, found = total / np.sqrt(n), 2 * n
    for j in range(count):
        away = (level[j] - _against(point, hits[j], n)) / norm[j]
        if away > worst:
            worst, found = away, 2 * n + 1 + j
    return found, worst


@njit(cache=True, nogil=True)
def _product(rows: NDArray, constraint: int, hits: NDArray, out: NDArray) -> None:
    """Write what each row does to a constraint."""
    d = rows.shape[0]
    n = d - 1
    for p in range(d):
        if constraint < n:
            out[p] = rows[p, constraint]
        elif constraint < 2 * n:
            out[p] = -rows[p, constraint - n]
        elif constraint == 2 * n:
            total = 0.0
            for i in range(n):
                total -= rows[p, i]
            out[p] = total
        else:
            out[p] = _against(rows[p], hits[constraint - 2 * n - 1], n)


@njit(cache=True, nogil=True)
def _right_side(constraint: int, n: int, level: NDArray, budget: float) -> float:
    if constraint < n:
        return 0.0
    if constraint < 2 * n:
        return -1.0
    return -budget if constraint == 2 * n else level[constraint - 2 * n - 1]


@njit(cache=True, nogil=True)
def place(inverse: NDArray, basis: NDArray, point: NDArray, level: NDArray, budget: float) -> None:
    """Write the point (ξ, z) at which the active constraints meet."""
    d = point.size
    point[:] = 0.0
    for p in range(d):
        height = _right_side(basis[p], d - 1, level, budget)
        if height != 0.0:
            for k in range(d):
                point[k] += height * inverse[p, k]


@njit(cache=True, nogil=True)
def _renewed(inverse: NDArray, basis: NDArray, hits: NDArray) -> None:
    """Compute the inverse from the active constraints."""
    d = basis.size
    n = d - 1
    rows = np.zeros((d, d))
    for p in range(d):
        constraint = basis[p]
        if constraint < n:
            rows[p, constraint] = 1.0
        elif constraint < 2 * n:
            rows[p, constraint - n] = -1.0
        elif constraint == 2 * n:
            rows[p, :n] = -1.0
        else:
            rows[p, :n] = hits[constraint - 2 * n - 1]
            rows[p, n] = 1.0
    columns = np.linalg.inv(rows)
    for p in range(d):
        for k in range(d):
            inverse[p, k] = columns[k, p]


@njit(cache=True, nogil=True)
def reoptimise(
    inverse: NDArray,
    basis: NDArray,
    point: NDArray,
    hits: NDArray,
    level: NDArray,
    norm: NDArray,
    count: int,
    budget: float,
    most: int,
) -> int:
    """Move to the optimum from a dual feasible basis; return the number of exchanges, or -1 if it did not get there.

    ``inverse`` (d, d), ``basis`` (d,) and ``point`` (d,) are changed in place; ``hits`` (m, n), ``level`` (m,) and
    ``norm`` (m,), the length of each cut's normal, have ``count`` rows in use.
    """
    d = point.size
    n = d - 1
    alpha = np.empty(d)
    since, checked = 0, False
    for exchange in range(most):
        if since >= REFRESH:
            _renewed(inverse, basis, hits)
            place(inverse, basis, point, level, budget)
            since = 0
        enter, away = _most_violated(point, hits, level, norm, count, budget)
        if enter < 0:
            if checked or since == 0:
                return exchange
            # drift of the sums: once more from the inverse; if that does not hold either, from a new inverse
            place(inverse, basis, point, level, budget)
            checked = True
            for p in range(d):
                one = _right_side(basis[p], n, level, budget)
                if basis[p] > 2 * n and abs(_against(point, hits[basis[p] - 2 * n - 1], n) - one) > FEASIBLE:
                    since = REFRESH
                    checked = False
                    break
            continue
        checked = False
        _product(inverse, enter, hits, alpha)
        limit = np.inf
        for p in range(d):
            if alpha[p] > PIVOT:
                limit = min(limit, (max(inverse[p, n], 0.0) + SLOPPY) / alpha[p])
        leave = -1
        for p in range(d):
            ties = alpha[p] > PIVOT and max(inverse[p, n], 0.0) <= limit * alpha[p]
            if ties and (leave < 0 or alpha[p] > alpha[leave]):
                leave = p
        if leave < 0:
            return -1
        if enter < 2 * n:
            length = away
        elif enter == 2 * n:
            length = away * np.sqrt(n)
        else:
            length = away * norm[enter - 2 * n - 1]
        step = length / alpha[leave]
        for k in range(d):
            point[k] += step * inverse[leave, k]
            inverse[leave, k] /= alpha[leave]
        for p in range(d):
            if p != leave and alpha[p] != 0.0:
                factor = alpha[p]
                for k in range(d):
                    inverse[p, k] -= factor * inverse[leave, k]
        basis[leave] = enter
        since += 1
    return -1
