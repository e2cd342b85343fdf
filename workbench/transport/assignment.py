"""Exact optimal transport with its proof: a plan and potentials of equal value, in memory O(n + m).

Column generation over the complete bipartite graph. The network simplex (``network_simplex.py``) solves the problem on
few candidate pairs; its potentials price *all* n·m pairs (``pricing.py``, the matrix is never stored); pairs with a
negative reduced cost are added and the simplex goes on from its basis. When there is none left, the potentials are
feasible for the whole problem and their value equals the cost of the plan: that is the proof, and it stands whatever
the way to it.

The first potentials come from the same problem on clusters of four neighbours, solved in the same way; a cost matrix
has no neighbours and starts from its c-transforms.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from workbench import checks
from workbench.progress import Progress
from workbench.transport.network_simplex import ROUNDING, Simplex
from workbench.transport.pricing import Costs, MatrixCosts, PointCosts, kd_order
from workbench.transport.solution import Problem, Solution, problem

Floats = NDArray[np.float64]
CLUSTER = 4
SMALLEST_COARSE = 300
"""Problems of at most so many points on the larger side are not coarsened further."""
CANDIDATES = 6
"""Pairs that each point brings to the first simplex: those of smallest reduced cost."""
ADDED = 4
"""Pairs that a row brings after pricing."""
COARSE_GAP = 1e-4
"""A coarse problem only lends its potentials; it is left when its relative gap is below this."""
TIE = 1e-13
"""Reduced costs below TIE times the largest cost count as ties when plans are compared."""
TIES_A_POINT = 32


@dataclass
class _Level:
    costs: Costs
    a: Floats
    b: Floats


def exact_transport(
    x: ArrayLike | None = None,
    y: ArrayLike | None = None,
    x_weights: ArrayLike | None = None,
    y_weights: ArrayLike | None = None,
    *,
    cost: ArrayLike | None = None,
    progress: Progress | None = None,
) -> Solution:
    """Return an optimal plan between two weighted clouds (squared Euclidean cost) or for a cost matrix, with proof.

    ``x`` (n, d), ``y`` (m, d), or ``cost`` (n, m) alone; weights (n,), (m,) of one total, equal if left out. In the
    :class:`Solution`, ``value`` − ``lower_bound`` is an allowance for rounding, so that the bound holds in floating
    point too; ``plan`` has at most n + m − 1 entries, ``unique`` says whether another plan costs the same and
    ``support`` holds every pair that some optimal plan uses (ties up to 1e-13 of the largest cost; None if there are
    too many ties to list). ``stats``: ``rounds`` of pricing, ``pivots``, ``pairs`` kept at the end, ``pairs_priced``.

    Errors as :func:`workbench.transport.solution.problem`. Cost: about 2 s for n = m = 10⁴ in three dimensions,
    growing like n^1.7; memory O(n + m) for clouds, twice the matrix otherwise.

    Method: column generation with a primal network simplex; Peyré and Cuturi, "Computational optimal transport", 2019,
    section 3; Schmitzer, "A sparse multiscale algorithm for dense optimal transport", 2016, for the multiscale start.

    >>> found = exact_transport([[0.0], [1.0]], [[0.5], [3.0]])
    >>> round(found.value, 12), found.unique, found.plan.toarray().tolist()
    (2.125, True, [[0.5, 0.0], [0.0, 0.5]])
    """
    given = problem(x, y, x_weights, y_weights, cost=cost)
    checks.memory(_bytes(given), f"exact transport between {len(given.a)} and {len(given.b)} points")
    return solve_exact(given, progress or Progress())


def _bytes(given: Problem) -> float:
    points = len(given.a) + len(given.b)
    return 1200.0 * points + (8.0 * given.matrix.size if given.matrix is not None else 0.0)


def solve_exact(given: Problem, progress: Progress) -> Solution:
    """Solve a checked problem; see :func:`exact_transport`."""
    levels, order_x, order_y = _levels(given)
    stats = {"rounds": 0, "pivots": 0, "pairs": 0, "pairs_priced": 0, "levels": len(levels)}
    f = g = None
    for number, level in enumerate(reversed(levels)):
        at = (number, len(levels))
        f, g = _first_potentials(level, f, g, number, levels, progress, at)
        is_last = number == len(levels) - 1
        simplex, f, g, lower = _solve_level(level, f, g, progress, at, stats, is_last)
    level = levels[0]
    total = level.a.sum()
    tails, heads, mass = simplex.plan()
    value = math.fsum(level.costs.at(tails, heads) * mass) / total
    unique, union = _ties(level.costs, f, g, tails, heads, progress, at)
    stats["pairs"] = len(simplex.costs)
    progress.update(1, 1, "done")
    n, m = level.costs.shape
    plan = sparse.coo_array((mass / total, (order_x[tails], order_y[heads])), shape=(n, m))
    support = None
    if union is not None:
        support = given.restore(
            sparse.coo_array((np.ones(len(union[0])), (order_x[union[0]], order_y[union[1]])), (n, m))
        )
    own_f, own_g = np.empty(n), np.empty(m)
    own_f[order_x], own_g[order_y] = f, g
    value, lower = value + given.added, lower / total + given.added
    value, lower = given.in_full("W_2²", value), given.in_full("the bound", lower)
    return Solution(
        "exact",
        given.restore(plan),
        float(value),
        min(float(lower), float(value)),
        float(value),
        given.restore_potentials(own_f, own_g),
        unique,
        support,
        stats=stats,
    )


def _levels(given: Problem) -> tuple[list[_Level], NDArray[np.intp], NDArray[np.intp]]:
    """Return the problem and its coarser versions, the finest first, and the orders of its rows and columns."""
    n, m = len(given.a), len(given.b)
    if given.has_equal_masses:  # whole numbers: flows are then exact
        common = np.gcd(n, m)
        a, b = np.full(n, float(m // common)), np.full(m, float(n // common))
    else:
        a, b = given.a, given.b
    if given.clouds is None:
        return [_Level(MatrixCosts(given.matrix), a, b)], np.arange(n), np.arange(m)
    x, y = (np.ascontiguousarray(cloud.coordinates.T) for cloud in given.clouds)
    order_x, order_y = kd_order(x, CLUSTER), kd_order(y, CLUSTER)
    x, y, a, b = x[order_x], y[order_y], a[order_x], b[order_y]
    levels = [_Level(PointCosts(x, y), a, b)]
    while max(len(a), len(b)) > SMALLEST_COARSE and min(len(a), len(b)) > 2 * CLUSTER:
        (x, a), (y, b) = _clusters(x, a), _clusters(y, b)
        levels.append(_Level(PointCosts(x, y), a, b))
    return levels, order_x, order_y


def _clusters(x: Floats, a: Floats) -> tuple[Floats, Floats]:
    """Return the means and masses of runs of ``CLUSTER`` points."""
    starts = np.arange(0, len(a), CLUSTER)
    masses = np.add.reduceat(a, starts)
    return np.add.reduceat(a[:, None] * x, starts, axis=0) / masses[:, None], masses


def _first_potentials(
    level: _Level,
    f: Floats | None,
    g: Floats | None,
    number: int,
    levels: list[_Level],
    progress: Progress,
    at: tuple[int, int],
) -> tuple[Floats, Floats]:
    """Return feasible potentials: the c-transforms of the coarser ones, or of zero."""
    n, m = level.costs.shape
    if g is None:
        f = level.costs.smallest(np.zeros(n), np.zeros(m), 1, np.inf, progress, *at).least
    else:
        coarse = levels[len(levels) - number]
        between = PointCosts(level.costs.x, coarse.costs.y)
        f = between.smallest(np.zeros(n), g, 1, np.inf, progress, *at).least
    g = level.costs.turned().smallest(np.zeros(m), f, 1, np.inf, progress, *at).least
    return f, g


def _solve_level(
    level: _Level,
    f: Floats,
    g: Floats,
    progress: Progress,
    at: tuple[int, int],
    stats: dict[str, int],
    is_last: bool,
) -> tuple[Simplex, Floats, Floats, float]:
    """Return the solved simplex, feasible potentials and their value a·f + b·g."""
    costs, (n, m) = level.costs, level.costs.shape
    largest = costs.largest()
    # no pair costs more than its two artificial arcs, so these are empty at the optimum over all pairs
    far = 0.505 * (largest - f.min() - g.min()) + 1e-3 * largest + np.finfo(float).tiny
    simplex = Simplex(level.a, level.b, np.concatenate([f + far, g + far]))
    rows, columns = costs.smallest(f, g, min(CANDIDATES, m), np.inf, progress, *at).pairs()
    other_columns, other_rows = costs.turned().smallest(g, f, min(CANDIDATES, n), np.inf, progress, *at).pairs()
    known = np.unique(np.concatenate([rows * np.int64(m) + columns, other_rows * np.int64(m) + other_columns]))
    simplex.add(known // m, known % m, costs.at(known // m, known % m))
    negligible = 4 * ROUNDING * max(largest, far)
    total = level.a.sum()
    while True:
        message = f"{n} and {m} points, round {stats['rounds'] + 1}"
        simplex.solve(progress, *at, message)
        f, g = simplex.potentials
        middle = (f.mean() - g.mean()) / 2  # only f + g counts: small potentials keep the rounding small
        f, g = f - middle, g + middle
        found = costs.smallest(f, g, min(ADDED, m), 0.0, progress, *at, message=f"{message}, pricing")
        stats["rounds"] += 1
        stats["pairs_priced"] += n * m
        deficit = float(level.a @ found.least)
        f += np.minimum(found.least, 0.0)  # now feasible for every pair
        lower = math.fsum(level.a * f) + math.fsum(level.b * g) - total * costs.rounding(f, g)
        if not is_last and -deficit < COARSE_GAP * (lower - deficit) and simplex.artificial_flow < 1e-9 * total:
            break
        rows, places = np.nonzero((found.columns >= 0) & (found.reduced < -negligible))
        new = np.setdiff1d(rows * np.int64(m) + found.columns[rows, places], known)
        if len(new) == 0:
            break
        known = np.union1d(known, new)
        simplex.add(new // m, new % m, costs.at(new // m, new % m))
    stats["pivots"] += simplex.pivots
    return simplex, f, g, lower


def _ties(
    costs: Costs,
    f: Floats,
    g: Floats,
    tails: NDArray[np.integer],
    heads: NDArray[np.integer],
    progress: Progress,
    at: tuple[int, int],
) -> tuple[bool | None, tuple[NDArray[np.integer], NDArray[np.integer]] | None]:
    """Return whether the plan is the only one, and all pairs that some optimal plan uses (None: too many to list).

    With i → j for every pair of reduced cost 0 and j → i for every pair with mass, mass can go round exactly the
    cycles of this graph: a pair is used by some optimal plan iff its ends lie in one strongly connected component,
    and the plan is the only one iff those pairs form a forest.
    """
    n, m = costs.shape
    (rows, columns), is_complete = _tight(costs, f, g, progress, at)
    tight = np.union1d(rows * np.int64(m) + columns, tails * np.int64(m) + heads)
    rows, columns = tight // m, tight % m
    ends = np.concatenate([rows, heads + n]), np.concatenate([columns + n, tails])
    graph = sparse.coo_array((np.ones(len(ends[0])), ends), shape=(n + m, n + m)).tocsr()
    _, component = connected_components(graph, directed=True, connection="strong")
    used = component[rows] == component[n + columns]
    rows, columns = rows[used], columns[used]
    union = sparse.coo_array((np.ones(len(rows)), (rows, columns + n)), shape=(n + m, n + m)).tocsr()
    number, _ = connected_components(union, directed=False)
    has_cycle = len(rows) > n + m - number
    if not is_complete:
        return (False, None) if has_cycle else (None, None)
    return not has_cycle, (rows, columns)


def _tight(
    costs: Costs, f: Floats, g: Floats, progress: Progress, at: tuple[int, int]
) -> tuple[tuple[NDArray[np.integer], NDArray[np.integer]], bool]:
    """Return the pairs of reduced cost 0, and whether these are all."""
    n, m = costs.shape
    if m > n:
        (columns, rows), is_complete = _tight(costs.turned(), g, f, progress, at)
        return (rows, columns), is_complete
    most, limit = min(TIES_A_POINT, m), TIE * max(costs.largest(), np.finfo(float).tiny)
    found = costs.smallest(f, g, most, limit, progress, *at, message="ties")
    rows, columns = found.pairs()
    rows, columns, number = [rows], [columns], len(rows)
    crowded = np.flatnonzero(found.columns[:, -1] >= 0) if most < m else ()
    for row in crowded:
        inside = np.flatnonzero(costs.at(np.full(m, row), np.arange(m)) - f[row] - g < limit)
        rows.append(np.full(len(inside), row))
        columns.append(inside)
        number += len(inside)
        if number > TIES_A_POINT * (n + m):
            return (np.concatenate(rows), np.concatenate(columns)), False
    return (np.concatenate(rows), np.concatenate(columns)), True
