"""A run that can be watched: the lattice after every batch, and the estimate closing in on the exact value."""

import math

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.fisher.curvature import ising_curvature
from workbench.fisher.monte_carlo.models import MODELS
from workbench.fisher.monte_carlo.run import Run, make_run
from workbench.progress import Progress


@results.experiment
def live_curvature(
    model: str = "ising-2d",
    L: int = 16,
    J_ratio: float = 1.0,
    *,
    samples: int = 1024,
    chains: int = 4,
    spacing: int = 2,
    algorithm: str = "swendsen-wang",
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Run :func:`monte_carlo_curvature` at J = J_ratio · J_c and keep the running estimate along the way.

    ``progress.publish`` gets the unfinished result after each batch of 32 samples from every chain:
    lattice, running R with error, energy series. ``exact_curvature`` is the exact value of the 2-D Ising torus, NaN
    elsewhere. Arguments, cost and errors otherwise as in :func:`monte_carlo_curvature`.
    """
    progress = progress or Progress()
    ratio = checks.real("J_ratio", J_ratio, minimum=0.2, maximum=3.0)
    J = ratio * MODELS[model]().critical
    run = make_run(
        model, L, J, chains=chains, samples=samples, spacing=spacing, thermalisation=200, algorithm=algorithm, seed=seed
    )
    exact = float(ising_curvature(L, J).scalar_curvature) if model == "ising-2d" else math.nan
    history: list[tuple[float, float, float]] = []
    while not run.finished:
        run.advance(progress)
        pooled, _, errors = run.estimates()
        history.append((run.taken, pooled.scalar_curvature, errors[0]))
        progress.publish(_with_history(run, history, exact).assign_attrs(run.provenance()))
    return _with_history(run, history, exact)


def _with_history(run: Run, history: list, exact: float) -> xr.Dataset:
    taken, R, error = np.array(history).T
    energy = run.energy[:, : run.taken].mean(axis=0)
    made = results.dataset(
        {
            "running_curvature": (("taken",), R, "running estimate of R"),
            "running_error": (("taken",), error, "its standard error"),
            "exact_curvature": ((), exact, "exact scalar curvature R"),
            "energy_series": (("sample",), energy, "mean bond energy over the chains"),
        },
        {
            "taken": (("taken",), taken, "samples taken from each chain"),
            "sample": (("sample",), np.arange(run.taken), "sample"),
        },
    )
    snapshot = run.snapshot()
    return made.merge(snapshot).assign_attrs(snapshot.attrs)
