"""Several models at several sizes: the curvature of what has no exact solution, with error bars."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.fisher.monte_carlo.models import MODELS
from workbench.fisher.monte_carlo.run import monte_carlo_curvature
from workbench.progress import Progress


@results.experiment
def monte_carlo_survey(
    plan: Mapping[str, Mapping[int, int]],
    *,
    chains: int = 8,
    spacing: int = 2,
    seed: int = 1,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return |R| at criticality for every model and side of ``plan`` = {model: {L: samples from each chain}}.

    One row for each; errors, costs and refusals as in :func:`monte_carlo_curvature`.
    """
    progress = progress or Progress()
    todo = [(model, int(L), samples) for model, sizes in plan.items() for L, samples in sizes.items()]
    if not todo:
        raise ValueError(f"the plan is empty; name a model ({', '.join(MODELS)}) with {{L: samples}}")
    rows = []
    for i, (model, L, samples) in enumerate(todo):
        progress.update(i, len(todo), f"{model} L = {L}")
        samples = checks.integer("samples", samples)
        ds = monte_carlo_curvature(model, L, chains=chains, samples=samples, spacing=spacing, seed=seed)
        rows.append([float(ds[name]) for name in ("scalar_curvature", "scalar_curvature_error", "tau_energy")])
    progress.update(1, 1)
    R, error, tau = np.array(rows).T
    models, sides, samples = zip(*todo, strict=True)
    sites = [L ** MODELS[model]().dimension for model, L in zip(models, sides, strict=True)]
    return results.dataset(
        {
            "model": (("row",), list(models), "model"),
            "L": (("row",), np.array(sides), "side of the lattice", "sites"),
            "sites": (("row",), np.array(sites), "number of sites n"),
            "samples": (("row",), np.array(samples), "samples from each chain"),
            "scalar_curvature": (("row",), R, "scalar curvature R"),
            "scalar_curvature_error": (("row",), error, "its standard error"),
            "tau_energy": (("row",), tau, "autocorrelation time of the energy", "samples"),
        },
        {"row": (("row",), np.arange(len(rows)), "model and side")},
    )
