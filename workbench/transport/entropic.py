"""Entropic plans: min ⟨C, P⟩ + (1/η) Σ P log P over plans with given marginals, with bounds on the true optimum.

The dual is the concave f(x, y) = −(1/η) Σ exp(η (x_i + y_j − C_ij) − 1) + a·x + b·y; the plan is the exponential, its
gradient the error of the marginals. η = 1/ε; POT's ``reg`` is 1/η. Here: the problem, its record of iterations, plain
Sinkhorn, and what people call, :func:`entropic_plan`; the Newton methods are in ``newton.py``.
"""

import inspect
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from workbench import checks
from workbench.progress import Progress
from workbench.registry import Entry, Fact, Registry
from workbench.transport.assignment import solve_exact
from workbench.transport.bounds import c_transforms, repaired_cost
from workbench.transport.solution import Problem, Solution, problem

Floats = NDArray[np.float64]
HIGHEST_EXPONENT = 700.0
LARGEST_SCALING = 1e50
"""Sinkhorn's scalings are absorbed into the kernel before they leave [1/LARGEST_SCALING, LARGEST_SCALING]."""
NEGLIGIBLE = 1e-16
RECORD_ALL = 100
RECORD_GROWTH = 1.1
OT_SOLVERS = Registry(
    "solver",
    facts={
        "regularised": Fact(bool, says="whether it solves the entropic problem (or the exact one)"),
    },
)
"""Solvers of optimal transport: entropic ones take a :class:`Dual` and options, the exact one a checked problem."""


class Dual:
    """The regularised problem at one η, and the record of what a solver did on it.

    ``a`` (n,), ``b`` (m,), ``cost`` (n, m); ``every`` tells how often bounds are taken: all of the first hundred
    iterations and then at distances that grow by a tenth, or (0) only at the end.
    """

    def __init__(self, given: Problem, eta: float, progress: Progress, *, bounds: bool = True) -> None:
        self.given, self.eta, self.progress, self.bounds = given, eta, progress, bounds
        self.a, self.b, self.cost = given.a, given.b, given.dense()
        self.history: dict[str, list[float]] = {
            name: [] for name in ("iteration", "marginal_error", "value", "lower_bound", "upper_bound", "newton")
        }
        self.counts: dict[str, Any] = {"sinkhorn_steps": 0, "newton_steps": 0, "cg_steps": 0, "line_search_steps": 0}
        self._lower, self._upper, self._next_record = -math.inf, math.inf, 0

    @property
    def steps(self) -> int:
        """Sinkhorn and Newton steps so far."""
        return self.counts["sinkhorn_steps"] + self.counts["newton_steps"]

    def plan(self, x: Floats, y: Floats, eta: float | None = None) -> Floats | None:
        """Return P (n, m), or None where an entry would overflow."""
        eta = self.eta if eta is None else eta
        exponent = x[:, None] - self.cost
        exponent += y
        exponent *= eta
        exponent -= 1.0
        if not exponent.max() < HIGHEST_EXPONENT:
            return None
        return np.exp(exponent, out=exponent)

    def soft_rows(self, y: Floats, eta: float) -> Floats:
        """Return the x that gives the rows their masses, by a stable log-sum-exp."""
        return _soft(y - self.cost, self.a, eta)

    def soft_columns(self, x: Floats, eta: float) -> Floats:
        """Return the y that gives the columns their masses."""
        return _soft((x[:, None] - self.cost).T, self.b, eta)

    def error(self, plan: Floats) -> float:
        """Return the L1 error of both marginals."""
        return float(np.abs(plan.sum(axis=1) - self.a).sum() + np.abs(plan.sum(axis=0) - self.b).sum())

    def rounding(self, eta: float) -> float:
        """Return the L1 error that rounding of exponents of this size leaves."""
        return 1e-15 * math.sqrt(sum(self.cost.shape)) + 2e-16 * eta * float(np.ptp(self.cost))

    def is_converged(self, error: float, tolerance: float) -> bool:
        """Return whether an error is at the tolerance, or within a few times of rounding."""
        return error <= max(tolerance, 3 * self.rounding(self.eta))

    def wants_record(self) -> bool:
        """Return whether this iteration is one whose bounds are taken."""
        return self.bounds and self.steps >= self._next_record

    def record(self, x: Floats, plan: Floats, error: float, *, is_newton: bool = False) -> None:
        """Take error, cost and both bounds (best so far) at this iterate, if it is one to be recorded."""
        if not self.wants_record():
            return
        self._next_record = max(self.steps + 1, int(self.steps * RECORD_GROWTH) if self.steps > RECORD_ALL else 0)
        self.append(x, plan, error, is_newton=is_newton)

    def append(self, x: Floats, plan: Floats, error: float, *, is_newton: bool) -> None:
        """Record this iterate."""
        u, v = c_transforms(x, self.cost)
        self._lower = max(self._lower, float(self.a @ u + self.b @ v))
        self._upper = min(self._upper, repaired_cost(plan, self.cost, self.a, self.b))
        added = self.given.added
        values = (self.steps, error, float(np.vdot(plan, self.cost)) + added * plan.sum())
        for name, value in zip(
            self.history, (*values, self._lower + added, self._upper + added, float(is_newton)), strict=True
        ):
            self.history[name].append(value)

    def solution(self, method: str, x: Floats, y: Floats, plan: Floats, *, converged: bool) -> Solution:
        """Return the result at the last iterate."""
        given, (n, m) = self.given, self.cost.shape
        error = self.error(plan)
        if not self.history["iteration"] or self.history["iteration"][-1] != self.steps:
            self.append(x, plan, error, is_newton=self.counts["newton_steps"] > 0)
        u, v = c_transforms(x, self.cost)
        least = NEGLIGIBLE * np.minimum(self.a[:, None], self.b) / max(n, m)
        rows, columns = np.nonzero(plan > least)
        kept = sparse.coo_array((plan[rows, columns], (rows, columns)), shape=(n, m))
        shift_x, shift_y = given.shifts()
        dual = float(self.a @ x + self.b @ y) - float(plan.sum()) / self.eta + given.added
        stats = {**self.counts, "marginal_error": error, "converged": converged, "eta": self.eta, "dual_value": dual}
        return Solution(
            method,
            given.restore(kept),
            float(np.vdot(plan, self.cost)) + given.added * float(plan.sum()),
            self._lower + given.added,
            self._upper + given.added,
            given.restore_potentials(u, v),
            duals=(_all(x + shift_x, given.rows, given.shape[0]), _all(y + shift_y, given.columns, given.shape[1])),
            history={name: np.array(values) for name, values in self.history.items()},
            stats=stats,
        )


def _all(values: Floats, kept: NDArray[np.intp], size: int) -> Floats:
    full = np.full(size, -np.inf)  # no mass: the exponential vanishes
    full[kept] = values
    return full


def _soft(exponents: Floats, masses: Floats, eta: float) -> Floats:
    highest = exponents.max(axis=1)
    total = np.exp(eta * (exponents - highest[:, None])).sum(axis=1)
    return (np.log(masses) + 1.0 - np.log(total)) / eta - highest


OT_SOLVERS.add(
    "exact",
    label="Network simplex, priced",
    formula=r"\min \langle C, P\rangle = \max\, a \cdot f + b \cdot g,\; f_i + g_j \leq C_{ij}",
    reference="column generation with a network simplex",
    cost="about n^1.7 for clouds, O(n + m) memory",
    regularised=False,
)(solve_exact)


@OT_SOLVERS.add(
    "sinkhorn",
    label="Sinkhorn",
    formula=r"x \leftarrow x + (\log a - \log P1)/\eta,\; y \leftarrow y + (\log b - \log P^T1)/\eta",
    reference="Cuturi, 2013; Schmitzer, 2019, for the absorption",
    cost="2 n m an iteration",
    regularised=True,
)
def sinkhorn(dual: Dual, *, tolerance: float = 1e-13, steps: int = 10_000) -> Solution:
    """Alternate the two marginals until their L1 error is at most ``tolerance``.

    Scalings multiply a kernel exp(η (x_i + y_j − C_ij) − 1) and are absorbed into x and y when they grow, so a step
    costs two products with a matrix and no η overflows.
    """
    x, y, plan, error = sinkhorn_steps(dual, steps, None, None, tolerance=tolerance)
    return dual.solution("sinkhorn", x, y, plan, converged=dual.is_converged(error, tolerance))


def sinkhorn_steps(
    dual: Dual, steps: int, x: Floats | None, y: Floats | None, *, tolerance: float = 0.0
) -> tuple[Floats, Floats, Floats, float]:
    """Do at most ``steps`` Sinkhorn steps; returns x, y, the plan and the L1 error of its marginals."""
    n, m = dual.cost.shape
    eta, a, b = dual.eta, dual.a, dual.b
    x = np.zeros(n) if x is None else x.copy()
    y = np.zeros(m) if y is None else y.copy()
    kernel, u, v, error = None, np.ones(n), np.ones(m), math.inf
    rows = None
    for step in range(steps):
        if kernel is None:  # one step by log-sum-exp, then a kernel whose columns have their masses
            x = dual.soft_rows(y, eta)
            y = dual.soft_columns(x, eta)
            kernel, u, v = dual.plan(x, y), np.ones(n), np.ones(m)
        else:
            u = a / rows
            v = b / (u @ kernel)
        dual.counts["sinkhorn_steps"] += 1
        rows = kernel @ v
        error = float(np.abs(u * rows - a).sum())
        scalings = (u.max(), v.max(), 1 / max(u.min(), 1e-300), 1 / max(v.min(), 1e-300))
        must_absorb = max(scalings) > LARGEST_SCALING or not rows.min() > 1e-200
        if must_absorb or dual.wants_record() or error <= tolerance or step == steps - 1:
            x, y = x + np.log(u) / eta, y + np.log(v) / eta
            kernel, u, v = u[:, None] * kernel * v, np.ones(n), np.ones(m)
            rows = kernel.sum(axis=1)
            dual.record(x, kernel, dual.error(kernel))
            if must_absorb:
                kernel = None
        if step % 50 == 0:
            dual.progress.update(step, steps, f"Sinkhorn, error {error:.1e}")
        if error <= tolerance:
            break
    plan = dual.plan(x, y)
    return x, y, plan, dual.error(plan)


def entropic_plan(
    x: ArrayLike | None = None,
    y: ArrayLike | None = None,
    x_weights: ArrayLike | None = None,
    y_weights: ArrayLike | None = None,
    *,
    epsilon: float | None = None,
    eta: float | None = None,
    method: str = "newton",
    cost: ArrayLike | None = None,
    bounds: bool = True,
    progress: Progress | None = None,
    **options: Any,
) -> Solution:
    """Return the plan that minimises ⟨C, P⟩ + (1/η) Σ P log P, with bounds on the *unregularised* optimum.

    Clouds, weights, ``cost`` and errors as :func:`exact_transport`. Give one of ``epsilon``, the regularisation as a
    share of the mean cost, or ``eta`` = 1/ε in the units of 1/cost. ``method`` names one of ``OT_SOLVERS``:
    ``"newton"`` (ε-scaled, to rounding at any η), ``"sns"`` (the paper's; ``density`` λ and ``sinkhorn_steps`` N₁),
    ``"sinkhorn"``; ``options`` (``tolerance``, ``steps``) go to it. The :class:`Solution` has a ``history`` of marginal
    error, cost and both bounds, best so far, at every iterate (``bounds=False``: at the last only).

    Cost: a few matrices n·m of memory; Newton some ten to thirty steps of n·min(n, m)² each, 0.3 s at n = 500.

    Reference: Tang, Shavlovsky, Rahmanian, Tardini, Thekumparampil, Xiao, Ying, "Accelerating Sinkhorn algorithm with
    sparse Newton iterations", arXiv 2401.12253.

    >>> found = entropic_plan(cost=[[0, 1], [1, 0]], eta=3)
    >>> round(found.value, 15)  # 1/(1 + e³)
    0.047425873177567
    """
    entry = OT_SOLVERS[method]
    if not entry.fact("regularised"):
        raise ValueError(f"method {method!r} solves the exact problem; call exact_transport for it")
    if (epsilon is None) == (eta is None):
        raise ValueError("give one of epsilon (a share of the mean cost) and eta (= 1/ε, in units of 1/cost)")
    name, value = ("eta", eta) if epsilon is None else ("epsilon", epsilon)
    value = checks.real(name, value, exclusive_minimum=0)
    options = check_options(entry, options)
    given = problem(x, y, x_weights, y_weights, cost=cost)
    given.refuse_extremes("an entropic plan")
    n, m = len(given.a), len(given.b)
    checks.memory(56.0 * n * m + 16.0 * min(n, m) ** 2, f"an entropic plan between {n} and {m} points")
    dual = Dual(given, 1.0, progress or Progress(), bounds=bounds)
    mean = float(given.a @ dual.cost @ given.b) + given.added
    if epsilon is not None and not mean > 0:
        raise ValueError(f"epsilon is a share of the mean cost, which is {mean:g} here; give eta instead")
    dual.eta = value if epsilon is None else 1 / (value * mean)
    spread = dual.eta * float(np.ptp(dual.cost))
    if not spread < LARGEST_EXPONENT_RANGE:
        raise ValueError(
            f"{name}={value:g} makes η times the range of costs {spread:.2g}; at most {LARGEST_EXPONENT_RANGE:g} can "
            "be told apart in double precision. Take exact_transport, which is what this tends to"
        )
    found = entry(dual, **options)
    dual.progress.update(1, 1, "done")
    return found


LARGEST_EXPONENT_RANGE = 1e10


def check_options(entry: Entry, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a solver, each checked; unknown ones are refused by name."""
    known = {
        "tolerance": lambda value: checks.real("tolerance", value, minimum=0, maximum=1),
        "steps": lambda value: checks.integer("steps", value, minimum=1, maximum=10_000_000),
        "density": lambda value: checks.real("density", value, exclusive_minimum=0, maximum=1),
        "sinkhorn_steps": lambda value: checks.integer("sinkhorn_steps", value, minimum=0, maximum=1_000_000),
        "dense_up_to": lambda value: checks.integer("dense_up_to", value, minimum=0, maximum=20_000),
    }
    checked = {name: known[checks.choice("option", name, known)](value) for name, value in options.items()}
    taken = list(inspect.signature(entry.function).parameters)[1:]
    for name in checked:
        if name not in taken:
            raise ValueError(f"method {entry.name!r} takes {', '.join(taken)}; it has no {name}")
    return checked
