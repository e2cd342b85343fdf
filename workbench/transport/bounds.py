"""What any potentials and any plan prove about the unregularised optimum: a lower and an upper bound.

For every f the c-transforms g_j = min_i (C_ij − f_i), f_i = min_j (C_ij − g_j) are feasible, so a·f + b·g is at most
the optimum; every plan, scaled down to the marginals and completed by a product, costs at least the optimum.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from workbench import checks
from workbench.progress import Progress
from workbench.transport.measures import Cloud
from workbench.transport.pricing import MatrixCosts, PointCosts
from workbench.transport.solution import problem

Floats = NDArray[np.float64]


class Bounds(NamedTuple):
    """lower ≤ optimum ≤ upper, and the feasible potentials f (n,), g (m,) behind the lower bound."""

    lower: float
    upper: float
    f: Floats
    g: Floats


def transport_bounds(
    f: ArrayLike,
    g: ArrayLike,
    x: ArrayLike | None = None,
    y: ArrayLike | None = None,
    x_weights: ArrayLike | None = None,
    y_weights: ArrayLike | None = None,
    *,
    cost: ArrayLike | None = None,
    plan: ArrayLike | sparse.sparray | None = None,
) -> Bounds:
    """Return bounds on the optimal cost from *any* potentials f (n,), g (m,) and, if given, any ``plan`` (n, m).

    Clouds, weights, ``cost`` and errors as :func:`exact_transport`. The lower bound is the better of the two
    c-transforms that start from f and from g. The upper bound is the cost of the plan made feasible; without a plan,
    of the product of the two masses. Cost: n·m reduced costs a transform, four of them; memory O(n + m) for clouds.

    >>> bounds = transport_bounds([0, 0], [0, 0], cost=[[0, 1], [1, 0]])
    >>> abs(bounds.lower) < 1e-15, bounds.upper  # the lower bound allows for rounding
    (True, 0.5)
    """
    given = problem(x, y, x_weights, y_weights, cost=cost)
    given.refuse_extremes("a bound")
    potentials = [checks.finite_array(name, value, ndim=1) for name, value in (("f", f), ("g", g))]
    for name, value, size in zip("fg", potentials, given.shape, strict=True):
        if len(value) != size:
            raise ValueError(f"{name} has {len(value)} entries for {size} points; give one potential per point")
    if given.clouds is None:
        costs = MatrixCosts(given.matrix)
    else:
        costs = PointCosts(*(np.ascontiguousarray(c.coordinates.T) for c in given.clouds))
    shift_f, shift_g = given.shifts()
    own_f, own_g = potentials[0][given.rows] - shift_f, potentials[1][given.columns] - shift_g
    turned, meter = costs.turned(), Progress()
    zero_f, zero_g = np.zeros(len(own_f)), np.zeros(len(own_g))

    def transform(values: Floats, *, of_rows: bool) -> Floats:
        if of_rows:  # min over rows, one value a column
            return turned.smallest(zero_g, values, 1, np.inf, meter).least
        return costs.smallest(zero_f, values, 1, np.inf, meter).least

    best = None
    for start_rows in (True, False):
        if start_rows:
            new_g = transform(own_f, of_rows=True)
            new_f = transform(new_g, of_rows=False)
        else:
            new_f = transform(own_g, of_rows=False)
            new_g = transform(new_f, of_rows=True)
        lower = float(given.a @ new_f + given.b @ new_g) - costs.rounding(new_f, new_g)
        if best is None or lower > best[0]:
            best = lower, new_f, new_g
    lower, new_f, new_g = best
    upper = _product_cost(given.a, given.b, given.clouds, given.matrix)
    if plan is not None:
        checks.memory(24.0 * len(given.a) * len(given.b), "the cost of a given plan")
        upper = min(upper, repaired_cost(_dense_plan(plan, given), given.dense(), given.a, given.b))
    return Bounds(lower + given.added, upper + given.added, *given.restore_potentials(new_f, new_g))


def _dense_plan(plan: ArrayLike | sparse.sparray, given) -> Floats:
    if sparse.issparse(plan):
        plan = plan.toarray()
    array = checks.finite_array("plan", plan, ndim=2)
    if array.shape != given.shape:
        raise ValueError(f"plan has shape {array.shape} for {given.shape[0]} and {given.shape[1]} points")
    if array.min() < 0:
        raise ValueError(f"plan holds negative masses (smallest {array.min():g}); masses must be at least 0")
    return array[np.ix_(given.rows, given.columns)]


def _product_cost(a: Floats, b: Floats, clouds: tuple[Cloud, Cloud] | None, matrix: Floats | None) -> float:
    if matrix is not None:
        return float(a @ matrix @ b)
    x, y = clouds
    return float((np.square(x.coordinates) @ a).sum() + (np.square(y.coordinates) @ b).sum())


def c_transforms(x: Floats, cost: Floats) -> tuple[Floats, Floats]:
    """Return feasible potentials (u, v) from any x: v_j = min_i (C_ij − x_i), u_i = min_j (C_ij − v_j).

    >>> u, v = c_transforms(np.array([3.0, 0.0]), np.array([[0.0, 1.0], [1.0, 0.0]]))
    >>> u.tolist(), v.tolist()
    ([3.0, 2.0], [-3.0, -2.0])
    """
    v = (cost - x[:, None]).min(axis=0)
    return (cost - v).min(axis=1), v


def repaired_cost(plan: Floats, cost: Floats, a: Floats, b: Floats) -> float:
    """Return the cost of ``plan`` (n, m) made feasible: rows, then columns scaled down, the rest added as a product.

    Reference: Altschuler, Weed, Rigollet, "Near-linear time approximation algorithms for optimal transport via
    Sinkhorn iteration", arXiv 1705.09634, algorithm 2.
    """
    rows = plan.sum(axis=1)
    by_row = np.minimum(1.0, a / np.where(rows > 0, rows, 1.0))
    columns = by_row @ plan
    by_column = np.minimum(1.0, b / np.where(columns > 0, columns, 1.0))
    missing_a = np.maximum(a - by_row * (plan @ by_column), 0.0)
    missing_b = np.maximum(b - by_column * columns, 0.0)
    kept = float(by_row @ ((plan * cost) @ by_column))
    missing = missing_b.sum()
    return kept + (float(missing_a @ cost @ missing_b) / missing if missing > 0 else 0.0)
