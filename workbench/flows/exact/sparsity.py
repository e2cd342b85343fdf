"""The paper's reason for a sparse Newton step: after some Sinkhorn steps nearly all mass lies in few entries.

On random costs it does so from the first step on: how little lies outside is a matter of η and of how many entries are
kept, hardly of how many steps were taken.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench import checks, results
from workbench.flows.exact.table import CASES
from workbench.progress import Progress
from workbench.transport.entropic import OT_SOLVERS, Dual, sinkhorn_steps
from workbench.transport.solution import problem

Floats = NDArray[np.float64]
MARKS = 24
ENUMERATED = 7
"""Up to so many points a side all n! assignments are looked at, 5040 of them."""


@results.experiment
def sparsity_decay(
    case: str = "random",
    etas: Sequence[float] = (100.0, 1200.0),
    densities: Sequence[float] = (1, 2, 5, 10, 15),
    *,
    n: int = 500,
    steps: int = 500,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Follow Sinkhorn's plans and tell how much mass lies outside their λ·n·m largest entries; λ = density ÷ points.

    ``case`` is a kind of cost matrix in ``CASES`` (``n`` is the size of the random one), ``densities`` the entries kept
    per point of the larger side. Returns ``outside`` over (eta, density, iteration), 1 to ``steps`` Sinkhorn steps, and
    ``limit`` over (eta, density), that of the converged plan. For random costs of at most seven points a side all
    vertices are listed: ``vertex_gap`` Δ is the cost of the second-best plan less that of the best, and ``bound`` over
    eta is 6n²e^{−ηΔ}, below which ``limit`` lies for every density ≥ 1 where η > (1 + 2 log n)/Δ; NaN elsewhere. How
    fast the limit is reached the paper bounds by √q/√t with a q that could not be read, so no bound is drawn for that.
    Converged means an L1 error of 1e-13 in the marginals: less mass than that may lie anywhere.

    Raises ``ValueError`` for an unknown case and for numbers out of range. Cost: 0.5 s for each η at n = 500.

    Reference: Tang and others, arXiv 2401.12253, theorem 1 as told by a digest; Weed, arXiv 1806.01879, for the bound.

    >>> ds = sparsity_decay(etas=[1000.0], n=5, steps=100)
    >>> bool(ds.limit.max() <= ds.bound.min() < 1e-5)
    True
    """
    progress = progress or Progress()
    entry = CASES[case]
    etas = [checks.real("an η", eta, exclusive_minimum=0, maximum=1e7) for eta in etas]
    densities = [checks.real("a density", density, exclusive_minimum=0) for density in densities]
    if not etas or not densities:
        raise ValueError("etas and densities must each hold at least one number")
    n = checks.integer("n", n, minimum=2, maximum=3000)
    steps = checks.integer("steps", steps, minimum=1, maximum=1_000_000)
    cost, a, b = entry(n, checks.generator(seed))
    given = problem(cost=cost, x_weights=a, y_weights=b)
    checks.memory(56.0 * cost.size, f"plans of {cost.shape[0]} × {cost.shape[1]} entries")
    counts = [max(1, math.ceil(density / max(cost.shape) * cost.size)) for density in densities]
    marks = np.unique(np.geomspace(1, steps, MARKS).astype(int))
    outside = np.zeros((len(etas), len(densities), len(marks)))
    limit = np.zeros((len(etas), len(densities)))
    for e, eta in enumerate(etas):
        dual, done, y = Dual(given, eta, Progress(), bounds=False), 0, None
        for k, mark in enumerate(marks.tolist()):
            progress.update(e + k / len(marks), len(etas), f"η = {eta:g}, step {mark}")
            _, y, plan, _ = sinkhorn_steps(dual, mark - done, None, y)
            done = mark
            outside[e, :, k] = _outside(plan, counts)
        x, y = OT_SOLVERS["newton"](Dual(given, eta, Progress(), bounds=False)).duals
        limit[e] = _outside(np.exp(eta * (x[:, None] + y - cost) - 1), counts)
    gap = _vertex_gap(cost) if a is None and max(cost.shape) <= ENUMERATED else math.nan
    size = cost.shape[0]
    is_sharp = [eta * gap > 1 + 2 * math.log(size) for eta in etas]
    bound = [
        6 * size**2 * math.exp(-eta * gap) if sharp else math.nan for eta, sharp in zip(etas, is_sharp, strict=True)
    ]
    progress.update(1, 1, "done")
    return results.dataset(
        {
            "outside": (("eta", "density", "iteration"), outside, "mass outside the largest entries"),
            "limit": (("eta", "density"), limit, "mass outside them in the converged plan"),
            "bound": (("eta",), bound, "bound on the distance of the converged plan from the best vertex"),
            "vertex_gap": ((), gap, "cost of the second-best vertex less that of the best, Δ"),
        },
        {
            "eta": (("eta",), np.array(etas), "η = 1/ε"),
            "density": (("density",), np.array(densities), "entries kept per point, λn"),
            "iteration": (("iteration",), marks, "Sinkhorn steps"),
        },
    )


def _outside(plan: Floats, counts: Sequence[int]) -> list[float]:
    """Return the mass outside the largest entries, small masses added up first."""
    ordered = np.sort(plan, axis=None)
    total = np.cumsum(ordered)
    return [float(total[-1 - count] / total[-1]) if count < plan.size else 0.0 for count in counts]


def _vertex_gap(cost: Floats) -> float:
    """Return Δ of an assignment problem: plans are permutations ÷ n, and n! of them are listed."""
    size = len(cost)
    orders = np.array(list(itertools.permutations(range(size))))
    values = np.sort(cost[np.arange(size), orders].mean(axis=1))
    return float(values[1] - values[0])
