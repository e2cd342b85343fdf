"""The trace term by Monte Carlo: it carries the growth of the curvature and reaches sizes that third cumulants do not.

R = ¼(‖T‖² − ‖tr T‖²), and ‖T‖²/n settles quickly with size (``trace_norm`` and ``cumulant_norm`` of the solvable model
show it), so how R grows is how ‖tr T‖² grows. That needs O(n log n) a sample where ‖T‖² needs n² d³/12.
"""

import xarray as xr

from workbench import checks, results
from workbench.fisher.monte_carlo.estimators import cumulants
from workbench.fisher.monte_carlo.models import MODELS, lattice_shape
from workbench.fisher.monte_carlo.run import BATCH, Run, _sum
from workbench.fisher.monte_carlo.samplers import ALGORITHMS
from workbench.progress import Progress


def trace_bytes(sites: int, dimension: int, chains: int) -> float:
    """Return the bytes that a run without third cumulants keeps, and the fields of one batch in two threads.

    >>> f"{trace_bytes(128**2, 2, 4) / 1e6:.0f} MB"
    '40 MB'
    """
    sums = chains * sites * dimension**2 * (1 + dimension)
    batch = 2 * BATCH * sites * dimension * 2
    return 8.0 * (sums + batch)


@results.experiment
def sampled_trace_norm(
    model: str,
    L: int,
    J: float | None = None,
    *,
    chains: int = 4,
    samples: int = 2048,
    spacing: int = 4,
    thermalisation: int = 500,
    algorithm: str = "swendsen-wang",
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Estimate ‖tr T‖² of a lattice model by cluster Monte Carlo, at sizes past the reach of the third cumulants.

    Arguments as in :func:`monte_carlo_curvature`; ``chains`` is at least 4, since even and odd ones make the two
    independent halves. Returns ``trace_norm`` with its ``_error`` (delete-one-chain jackknife), ``row_sum`` (the metric
    at k = 0), the mean energy and autocorrelation times in samples. Cost: O(n log n) a sample. Raises ``ValueError``
    for an unknown name, a side below 3, fewer than 4 chains or 32 samples, or more memory than there is.
    (M. Zhuravlev, arXiv 2603.07651, for R; the estimator is ours.)

    >>> ds = sampled_trace_norm("ising-2d", 4, samples=64, thermalisation=10, seed=1)
    >>> bool(ds.trace_norm > 0), ds.trace_norm.dims
    (True, ())
    """
    progress = progress or Progress()
    made = MODELS[model]()
    side = lattice_shape(made, L)[0]
    chains = checks.integer("chains", chains, minimum=4)
    checks.memory(
        trace_bytes(side**made.dimension, made.dimension, chains), f"the trace term of {made.label} at L = {side}"
    )
    run = Run(
        made, side, made.critical if J is None else checks.real("J", J, exclusive_minimum=0.0),
        chains=chains, samples=checks.integer("samples", samples, minimum=32),
        spacing=checks.integer("spacing", spacing, minimum=1),
        thermalisation=checks.integer("thermalisation", thermalisation, minimum=0),
        algorithm=ALGORITHMS[algorithm].name, seed=checks.integer("seed", seed, minimum=0), cumulant=False,
    )  # fmt: skip
    while not run.finished:
        run.advance(progress)
    pooled, _, errors = run.estimates()
    series = run._series_variables()
    metric = cumulants(run.geometry, _sum(run.sums)).metric
    return results.dataset(
        {
            "trace_norm": ((), pooled.trace_norm, "‖tr T‖²"),
            "trace_norm_error": ((), errors[2], "standard error of ‖tr T‖²"),
            "row_sum": ((), metric[0].sum() / made.dimension, "row sum of the metric Σ_b F_ab"),
            **{name: series[name] for name in ("energy", "energy_error", "tau_energy", "tau_order")},
        },
        {},
        {"sites": run.geometry.sites, "samples_taken": run.taken * chains},
    )
