"""Following a field: fixed steps of three orders, and adaptive steps that give up in words where a field is stiff."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import RK45

from workbench import checks
from workbench.fields.core.laws import Floats
from workbench.progress import Progress
from workbench.registry import Fact, Registry

Field = Callable[[Floats, float], Floats]
MOST_STEPS = 100_000
MOST_ADAPTIVE = 10_000
FALLBACK = 1000
"""Fixed steps that are taken where adaptive ones underflow."""

SOLVERS = Registry(
    "solver",
    facts={
        "order": Fact(int, says="power of the step in which the error at the end falls"),
        "evaluations": Fact(int, says="evaluations of the field in a step"),
    },
)


class Trajectory(NamedTuple):
    """Where points (n, d) have gone: ``end`` (n, d), ``path`` (frames, n, d) at ``times`` (frames,).

    ``evaluations`` of the field for all points, ``steps`` taken, and ``note``: what has to be said, or "".
    """

    end: Floats
    path: Floats
    times: Floats
    evaluations: int
    steps: int
    note: str


@SOLVERS.add("euler", label="Euler", order=1, evaluations=1, formula=r"x + h\,v(x, t)")
def euler(field: Field, x: Floats, t: float, h: float) -> Floats:
    """Return the point after a step of Euler's method."""
    return x + h * field(x, t)


@SOLVERS.add("heun", label="Heun", order=2, evaluations=2, formula=r"x + \frac{h}{2} (k_1 + k_2)")
def heun(field: Field, x: Floats, t: float, h: float) -> Floats:
    """Return the point after a step of Heun's method."""
    first = field(x, t)
    return x + 0.5 * h * (first + field(x + h * first, t + h))


@SOLVERS.add(
    "rk4", label="Runge–Kutta 4", order=4, evaluations=4, formula=r"x + \frac{h}{6} (k_1 + 2 k_2 + 2 k_3 + k_4)"
)
def rk4(field: Field, x: Floats, t: float, h: float) -> Floats:
    """Return the point after a step of the classical method of Runge and Kutta."""
    k1 = field(x, t)
    k2 = field(x + 0.5 * h * k1, t + 0.5 * h)
    k3 = field(x + 0.5 * h * k2, t + 0.5 * h)
    k4 = field(x + h * k3, t + h)
    return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def integrate(
    field: Field,
    x0: ArrayLike,
    steps: int = 50,
    solver: str = "rk4",
    *,
    start: float = 0.0,
    end: float = 1.0,
    frames: int = 2,
    tolerance: float = 1e-6,
    progress: Progress | None = None,
) -> Trajectory:
    """Carry points ``x0`` (n, d) along ``field(x, t)`` from ``start`` to ``end``.

    ``solver``: a name in ``SOLVERS`` with that many ``steps`` of equal length, or "adaptive": Dormand and Prince's
    method of order 5 on all points together with relative and absolute ``tolerance``. Where its step underflows (a
    stiff field: the memoriser near t = 1), 1,000 fixed steps of order 4 are taken instead, and ``note`` says so.
    ``frames`` points of each path are kept. Cost: ``evaluations`` calls of the field with all points.

    Raises ``ValueError`` for unknown solvers, times that do not increase, and a field that leaves the numbers.

    >>> round(float(integrate(lambda x, t: -x, [[1.0]], 20).end[0, 0]), 6)
    0.367879
    """
    x = checks.finite_array("x0", x0, ndim=2)
    steps = checks.integer("steps", steps, minimum=1, maximum=MOST_STEPS)
    frames = checks.integer("frames", frames, minimum=2, maximum=1000)
    checks.choice("solver", solver, (*SOLVERS, "adaptive"))
    start, end = checks.real("start", start), checks.real("end", end)
    if not start < end:
        raise ValueError(f"the end of the integration must come after its start; got {start:g} to {end:g}")
    progress = progress or Progress()
    if solver != "adaptive":
        return _fixed(field, x, steps, solver, start, end, frames, progress)
    tolerance = checks.real("tolerance", tolerance, minimum=1e-13, maximum=0.1)
    return _adaptive(field, x, start, end, frames, tolerance, progress)


def _fixed(
    field: Field, x: Floats, steps: int, solver: str, start: float, end: float, frames: int, progress: Progress
) -> Trajectory:
    entry = SOLVERS[solver]
    kept = np.unique(np.linspace(0, steps, min(frames, steps + 1)).round().astype(int))
    grid = start + (end - start) * np.arange(steps + 1) / steps
    grid[-1] = end  # never a rounding past the last time of the field
    path = [x]
    for k in range(steps):
        x = entry(_within(field, start, end), x, grid[k], grid[k + 1] - grid[k])
        if k + 1 in kept:
            path.append(x)
        progress.update(k + 1, steps, f"step {k + 1} of {steps}")
    if not np.isfinite(x).all():
        raise ValueError(f"the field leaves the numbers within {steps} steps of {entry.label}; take more of them")
    return Trajectory(x, np.stack(path), grid[kept], steps * entry.fact("evaluations"), steps, "")


def _within(field: Field, start: float, end: float) -> Field:
    """Keep the times of inner stages between the two ends: t + h can lie a rounding past the last one."""
    return lambda x, t: field(x, min(max(t, start), end))


def _adaptive(
    field: Field, x: Floats, start: float, end: float, frames: int, tolerance: float, progress: Progress
) -> Trajectory:
    shape, inside = x.shape, _within(field, start, end)
    solver = RK45(
        lambda t, y: inside(y.reshape(shape), t).ravel(), start, x.ravel(), end, rtol=tolerance, atol=tolerance
    )
    wanted = np.linspace(start, end, frames)
    path, taken = [x], 0
    while solver.status == "running" and taken < MOST_ADAPTIVE:
        solver.step()
        taken += 1
        if solver.status == "failed":
            break
        dense = solver.dense_output()
        while len(path) < frames and wanted[len(path)] <= solver.t:
            path.append(dense(wanted[len(path)]).reshape(shape))
        progress.update((solver.t - start) / (end - start), 1.0, f"t = {solver.t:.4f}")
    if solver.status != "finished" or not np.isfinite(solver.y).all():
        made = _fixed(field, x, FALLBACK, "rk4", start, end, frames, progress)
        why = "underflowed" if solver.status == "failed" else f"were more than {MOST_ADAPTIVE:,}"
        note = f"the adaptive steps {why} at t = {solver.t:.4f}, so {FALLBACK:,} fixed steps of order 4 were taken"
        return made._replace(note=note, evaluations=made.evaluations + solver.nfev)
    return Trajectory(solver.y.reshape(shape), np.stack(path), wanted, solver.nfev, taken, "")
