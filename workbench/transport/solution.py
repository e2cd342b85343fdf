"""What every solver of optimal transport takes and returns: a checked problem, and one solution with its bounds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from workbench import checks
from workbench.transport.measures import Cloud, in_one_unit, points, prepare_pair, rescaled
from workbench.transport.measures import masses as checked_masses

Floats = NDArray[np.float64]
SAME_TOTAL = 1e-9


@dataclass(frozen=True)
class Solution:
    """A transport plan with the potentials that bound its cost.

    ``plan`` (n, m), a sparse matrix with the given masses (scaled to sum 1) as its row and column sums; ``value``
    its cost Σ P_ij C_ij; ``potentials`` f (n,), g (m,) with f_i + g_j ≤ C_ij, whose value a·f + b·g is the
    ``lower_bound`` of the unregularised optimum; ``upper_bound`` the cost of a plan with the right marginals (that of
    ``plan``, repaired). The optimum lies between the two, whatever the solver did.

    ``unique`` and ``support`` (the union of the supports of all optimal plans, as a sparse 0/1 matrix) are told by
    exact solvers only, None elsewhere and where ties are too many to list. ``duals`` x (n,), y (m,) are the potentials
    of the regularised problem, P_ij = exp(η (x_i + y_j − C_ij) − 1), −∞ for atoms without mass; None for exact
    solvers. ``history`` holds one array per quantity, one entry per recorded iteration; ``stats`` what the solver
    counted.
    """

    method: str
    plan: sparse.csr_array
    value: float
    lower_bound: float
    upper_bound: float
    potentials: tuple[Floats, Floats]
    unique: bool | None = None
    support: sparse.csr_array | None = None
    duals: tuple[Floats, Floats] | None = None
    history: Mapping[str, Floats] = field(default_factory=dict)
    stats: Mapping[str, Any] = field(default_factory=dict)

    @property
    def gap(self) -> float:
        """The width of the interval that is proved to hold the optimum."""
        return self.upper_bound - self.lower_bound

    @property
    def relative_gap(self) -> float:
        """The gap ÷ the upper bound (0 where both bounds vanish)."""
        return self.gap / abs(self.upper_bound) if self.upper_bound else abs(self.gap)


@dataclass(frozen=True)
class Problem:
    """Masses a (n,), b (m,) > 0 summing to 1, with two clouds (squared Euclidean cost) or a cost ``matrix`` (n, m).

    Atoms of zero mass are left out; ``rows`` and ``columns`` say which of the ``shape`` given remain.
    """

    a: Floats
    b: Floats
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    shape: tuple[int, int]
    clouds: tuple[Cloud, Cloud] | None
    matrix: Floats | None
    unit: int = 0
    """Clouds are in units of 2^``unit``, so costs in units of 4^``unit``; 0 unless they are very small or large."""
    least: float = 0.0
    """A lower bound on every cost, of atoms without mass too."""

    @property
    def has_equal_masses(self) -> bool:
        """Whether all masses of each side are the same."""
        return bool(self.a.min() == self.a.max() and self.b.min() == self.b.max())

    def dense(self) -> Floats:
        """Return the whole cost matrix (between the clouds' means removed, see :meth:`shifts`)."""
        if self.matrix is not None:
            return self.matrix
        x, y = (cloud.coordinates for cloud in self.clouds)
        cost = np.zeros((x.shape[1], y.shape[1]))
        for u, v in zip(x, y, strict=True):
            cost += np.square(u[:, None] - v[None, :])
        return cost

    def shifts(self) -> tuple[Floats, Floats]:
        """Return what the centring took from the potentials: |x − y|² = |x̃ − ỹ|² + (2 s·x̃ + |s|²) − 2 s·ỹ."""
        if self.clouds is None:
            return np.zeros(len(self.a)), np.zeros(len(self.b))
        x, y = self.clouds
        s = x.centre - y.centre
        return 2 * s @ x.coordinates + s @ s, -2 * s @ y.coordinates

    @property
    def added(self) -> float:
        """What the centring took from every cost: |s|², for plans with the right marginals."""
        if self.clouds is None:
            return 0.0
        s = self.clouds[0].centre - self.clouds[1].centre
        return float(s @ s)

    def restore(self, plan: sparse.coo_array | sparse.csr_array) -> sparse.csr_array:
        """Return a matrix over the kept atoms as one over all that were given."""
        plan = sparse.coo_array(plan)
        where = self.rows[plan.coords[0]], self.columns[plan.coords[1]]
        return sparse.csr_array((plan.data, where), shape=self.shape)

    def restore_potentials(self, f: Floats, g: Floats) -> tuple[Floats, Floats]:
        """Return potentials for all atoms given; those without mass get a value that is feasible for any cost."""
        shift_f, shift_g = self.shifts()
        f, g = f + shift_f, g + shift_g
        full_f = _filled(f, self.rows, self.shape[0], self.least - g.max())
        full_g = _filled(g, self.columns, self.shape[1], self.least - full_f.max())
        return self.in_full("a potential", full_f), self.in_full("a potential", full_g)

    def in_full(self, what: str, costs: Any) -> Any:
        """Return costs in the units of what was given; ``ValueError`` if no number is large enough."""
        return rescaled(what, costs, 2 * self.unit)

    def refuse_extremes(self, what: str) -> None:
        """Raise ``ValueError`` if the clouds needed a unit of their own."""
        if self.unit:
            raise ValueError(
                f"x and y have a size near 2^{self.unit}; {what} is computed for sizes from 1e-15 to 1e15. "
                f"Rescale both clouds by 2^{-self.unit}"
            )


def _filled(values: Floats, kept: NDArray[np.intp], size: int, other: float) -> Floats:
    if len(kept) == size:
        return values
    full = np.full(size, other)
    full[kept] = values
    return full


def of_clouds(x: Cloud, y: Cloud) -> Problem:
    """Return the problem of two checked clouds of one dimension."""
    rows = np.arange(x.size) if x.kept is None else x.kept
    columns = np.arange(y.size) if y.kept is None else y.kept
    x, y, unit = in_one_unit(x, y)
    return Problem(x.all_masses, y.all_masses, rows, columns, (x.size, y.size), (x, y), None, unit)


def problem(
    x: ArrayLike | None = None,
    y: ArrayLike | None = None,
    x_weights: ArrayLike | None = None,
    y_weights: ArrayLike | None = None,
    *,
    cost: ArrayLike | None = None,
) -> Problem:
    """Check two clouds (n, d), (m, d) *or* a ``cost`` matrix (n, m), with weights of one total, before any work.

    Raises ``ValueError`` for both or neither, clouds of different dimension, NaN or infinity, negative weights, a
    total of 0, and weights whose totals differ (both are named).

    >>> given = problem(cost=[[0, 1], [1, 0]], x_weights=[1, 3], y_weights=[2, 2])
    >>> given.a.tolist(), given.b.tolist(), given.shape
    ([0.25, 0.75], [0.5, 0.5], (2, 2))
    """
    if (cost is None) == (x is None and y is None) or (x is None) != (y is None):
        raise ValueError(
            "give either two clouds x (n, d) and y (m, d), or a matrix cost=… (n, m), not both and not one"
        )
    _check_totals(x_weights, y_weights)
    if cost is None:
        return of_clouds(*prepare_pair(x, y, x_weights, y_weights, np.float64))
    matrix = points("cost", cost)
    n, m = matrix.shape
    largest = np.abs(matrix).max()
    if largest > 1e150:
        raise ValueError(f"cost holds {largest:.3g}; costs may be at most 1e150 in magnitude, so rescale them")
    least = float(matrix.min())
    masses_a, rows = _kept(checked_masses("x_weights", x_weights, n), n)
    masses_b, columns = _kept(checked_masses("y_weights", y_weights, m), m)
    if len(rows) < n or len(columns) < m:
        matrix = matrix[np.ix_(rows, columns)]
    return Problem(masses_a, masses_b, rows, columns, (n, m), None, matrix, least=least)


def _kept(weights: Floats | None, n: int) -> tuple[Floats, NDArray[np.intp]]:
    if weights is None:
        return np.full(n, 1 / n), np.arange(n)
    kept = np.flatnonzero(weights)
    return weights[kept], kept


def _check_totals(x_weights: ArrayLike | None, y_weights: ArrayLike | None) -> None:
    if x_weights is None or y_weights is None:
        return
    first = float(checks.finite_array("x_weights", x_weights, ndim=1).sum())
    second = float(checks.finite_array("y_weights", y_weights, ndim=1).sum())
    if abs(first - second) > SAME_TOTAL * max(abs(first), abs(second)):
        raise ValueError(
            f"x_weights sum to {first:.9g} and y_weights to {second:.9g}; balanced transport moves equal totals: "
            "divide each by its sum if only the shares matter"
        )
