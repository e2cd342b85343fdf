"""One pair of clouds, or one cost matrix, and every solver on it: error, steps, and the bounds that close."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.clouds.named import pair
from workbench.progress import Progress
from workbench.transport import OT_SOLVERS, Solution, entropic_plan, exact_transport

Floats = NDArray[np.float64]
METHODS = ("sinkhorn", "sns", "newton")
MOST_LINES = 1500
MOST_KEPT = 4000
MOST_POINTS = 3000


@results.experiment
def compare_solvers(
    x: ArrayLike | str | None = "torus",
    y: ArrayLike | str | None = "cube",
    *,
    cost: ArrayLike | None = None,
    x_weights: ArrayLike | None = None,
    y_weights: ArrayLike | None = None,
    n: int = 300,
    log_eta: float = 2.5,
    density: float = 10.0,
    sinkhorn_first: int = 20,
    sinkhorn_limit: int = 300,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Solve one problem with Sinkhorn, SNS, ε-scaled Newton, and exactly; the exact value is proved.

    ``x``, ``y`` are clouds (n, d), (m, d) or names of shapes of ``n`` points; or give a ``cost`` matrix (n, m) and
    x = y = None. ``log_eta`` is log₁₀(η · mean cost), ``density`` the entries of P that SNS keeps per point (λ n),
    ``sinkhorn_first`` its N₁; Sinkhorn stops after ``sinkhorn_limit`` steps.

    Returns over (solver, record): iteration, L1 error of the marginals, ⟨C, P⟩ and both bounds, best so far, NaN after
    the last; per solver the steps; the exact value, lower bound and uniqueness; the points with the heaviest lines of
    the exact plan (for clouds); the entries of P that SNS keeps, the columns in the order of the exact plan. Raises
    ``ValueError`` as :func:`exact_transport` and for more than 3000 points. Cost: 0.4 s at n = 300.

    >>> ds = compare_solvers(n=50, log_eta=2)
    >>> ds.converged.sel(solver="newton").item(), bool(ds.lower_bound.max() <= ds.optimum <= ds.upper_bound.min())
    (True, True)
    """
    progress = progress or Progress()
    eta = 10 ** checks.real("log_eta", log_eta, minimum=-2, maximum=7)
    density = checks.real("density", density, exclusive_minimum=0, maximum=MOST_POINTS)
    options = {
        "sinkhorn": {"steps": checks.integer("sinkhorn_limit", sinkhorn_limit, minimum=1, maximum=100_000)},
        "sns": {"sinkhorn_steps": checks.integer("sinkhorn_first", sinkhorn_first, minimum=0, maximum=10_000)},
        "newton": {},
    }
    if cost is None:
        if x is None or y is None:
            raise ValueError("give two clouds x and y, or a cost matrix with x = y = None")
        points = pair(x, y, checks.integer("n", n, minimum=2, maximum=MOST_POINTS), seed)
        sizes = len(points[0]), len(points[1])
        problem = {"x": points[0], "y": points[1]}
    else:
        if x is not None or y is not None:
            raise ValueError("give two clouds x and y, or a cost matrix with x = y = None, not both")
        points, matrix = None, checks.finite_array("cost", cost, ndim=2)
        sizes = matrix.shape
        problem = {"cost": matrix}
    if max(sizes) > MOST_POINTS:
        raise ValueError(
            f"there are {sizes[0]} and {sizes[1]} points; entropic plans are compared up to {MOST_POINTS}. "
            "Give fewer, or call exact_transport, which takes more"
        )
    problem |= {"x_weights": x_weights, "y_weights": y_weights}
    options["sns"]["density"] = min(density / max(sizes), 1.0)
    progress.update(0, 4, "exact transport")
    exact = exact_transport(**problem)
    found: dict[str, Solution] = {}

    def so_far() -> xr.Dataset:
        return _dataset(
            exact, {name: found[name] for name in METHODS if name in found}, points, options["sns"]["density"]
        )

    for k, name in enumerate(reversed(METHODS)):  # Newton first: plan, bounds and proof need no more than it
        progress.update(k + 1, 4, OT_SOLVERS[name].label)
        found[name] = entropic_plan(**problem, epsilon=1 / eta, method=name, progress=progress, **options[name])
        if k == 0:
            progress.publish(results.unfinished(so_far(), "sparse Newton and Sinkhorn"))
    progress.update(1, 1, "done")
    return so_far()


def _dataset(
    exact: Solution, found: Mapping[str, Solution], points: tuple[Floats, Floats] | None, density: float
) -> xr.Dataset:
    longest = max(len(s.history["iteration"]) for s in found.values())

    def padded(name: str) -> Floats:
        rows = [s.history[name] for s in found.values()]
        return np.array([np.append(row, np.full(longest - len(row), np.nan)) for row in rows])

    dims, solver = ("solver", "record"), ("solver",)
    stats: dict[str, Sequence[Any]] = {
        name: [s.stats[name] for s in found.values()]
        for name in ("sinkhorn_steps", "newton_steps", "cg_steps", "converged", "marginal_error")
    }
    variables = {
        "iteration": (dims, padded("iteration"), "Sinkhorn and Newton steps so far"),
        "error": (dims, padded("marginal_error"), "L1 error of both marginals"),
        "value": (dims, padded("value"), "cost ⟨C, P⟩ of the entropic plan"),
        "lower_bound": (dims, padded("lower_bound"), "lower bound on the optimum, best so far"),
        "upper_bound": (dims, padded("upper_bound"), "upper bound on the optimum, best so far"),
        "sinkhorn_steps": (solver, np.array(stats["sinkhorn_steps"]), "Sinkhorn steps"),
        "newton_steps": (solver, np.array(stats["newton_steps"]), "Newton steps"),
        "cg_steps": (solver, np.array(stats["cg_steps"]), "steps of conjugate gradients"),
        "converged": (solver, np.array(stats["converged"]), "whether rounding was reached"),
        "last_error": (solver, np.array(stats["marginal_error"]), "L1 error of both marginals at the end"),
        "optimum": ((), exact.value, "optimal cost"),
        "proved_bound": ((), exact.lower_bound, "lower bound proved by the exact solver"),
        "rounds": ((), exact.stats["rounds"], "rounds of pricing"),
        "is_unique": ((), {True: 1, False: 0, None: -1}[exact.unique], "one optimal plan (−1: too many ties to tell)"),
    }
    coordinates = {
        "solver": (solver, np.array(list(found)), "solver"),
        "record": (("record",), np.arange(longest), "recorded iterate"),
    }
    _add_kept(variables, coordinates, exact, found["newton"], density)
    if points is not None:
        _add_lines(variables, coordinates, exact, points)
    return results.dataset(variables, coordinates, {"eta": found["newton"].stats["eta"]})


def _add_kept(variables: dict, coordinates: dict, exact: Solution, entropic: Solution, density: float) -> None:
    """Add the largest entries of the converged P, columns in the order in which the exact plan serves the rows."""
    plan = exact.plan.tocsr()
    partner = np.asarray(plan.argmax(axis=0)).ravel()
    place = np.empty(plan.shape[1], dtype=int)
    place[np.lexsort((np.arange(plan.shape[1]), partner))] = np.arange(plan.shape[1])
    entries = entropic.plan.tocoo()
    count = min(int(np.ceil(density * plan.shape[0] * plan.shape[1])), entries.nnz)
    heaviest = np.argsort(entries.data)[::-1]
    outside = max(1 - float(entries.data[heaviest[:count]].sum()), 0.0)
    shown = heaviest[: min(count, MOST_KEPT)]
    rows, columns = entries.coords
    kept = ("kept",)
    variables |= {
        "kept_row": (kept, rows[shown], "row of a kept entry"),
        "kept_column": (kept, place[columns[shown]], "column of a kept entry, in the order of the exact plan"),
        "kept_mass": (kept, entries.data[shown], "mass of a kept entry"),
        "kept_count": ((), count, "entries kept"),
        "mass_outside": ((), outside, "mass of the plan outside the kept entries"),
    }
    coordinates |= {"kept": (kept, np.arange(len(shown)), "kept entry, the heaviest first")}


def _add_lines(variables: dict, coordinates: dict, exact: Solution, points: tuple[Floats, Floats]) -> None:
    """Add both clouds and the heaviest lines of the exact plan."""
    plan = exact.plan.tocoo()
    shown = np.sort(np.argsort(plan.data)[::-1][:MOST_LINES])
    rows, columns = plan.coords
    line = ("line",)
    variables |= {
        "x": (("x_point", "axis"), points[0], "source points"),
        "y": (("y_point", "axis"), points[1], "target points"),
        "line_source": (line, rows[shown], "source of a line of the plan"),
        "line_target": (line, columns[shown], "target of a line of the plan"),
        "line_mass": (line, plan.data[shown], "mass along a line of the plan"),
    }
    coordinates |= {
        "x_point": (("x_point",), np.arange(len(points[0])), "source point"),
        "y_point": (("y_point",), np.arange(len(points[1])), "target point"),
        "axis": (("axis",), np.arange(points[0].shape[1]), "axis"),
        "line": (line, np.arange(len(shown)), "line of the plan"),
    }
