"""Experiment (c): does the onset of damage follow the temperature of the loss as the radius says it should?"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.progress import Progress
from workbench.steps.data import Data
from workbench.steps.experiments.onset import loss_onset
from workbench.steps.experiments.setting import Direction, Network, make_ray
from workbench.steps.predictors import predict

COMPARED = ("bound", "quadratic-root")


@results.experiment
def temperature_scaling(
    network: Network = "mlp-relu",
    *,
    temperatures: Sequence[float] = (0.25, 0.5, 1.0, 2.0, 4.0),
    direction: Direction = "-gradient",
    stage: str = "converged",
    ratio: float = 2.0,
    data: Data | None = None,
    samples: int = 256,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Measure at several temperatures T where the loss CE(z/T) reaches ``ratio`` times its start, and what predicts it.

    Returns over ``temperature``: the measured ``onset``, ``raw`` (ρ_a at T = 1, which ignores T), ``bound`` ρ_a(T) and
    ``quadratic`` (root of the second-order model); and over ``predictor`` the ``spread``, the standard deviation of
    log10(measured/predicted) over the temperatures: 0 would be perfect scaling. The direction is that of T = 1.
    Raises ``ValueError`` for unknown names and T ≤ 0. ``progress.publish`` gets the temperatures that are there.
    Reference: arXiv 2603.13552 claims a collapse "0.992 → 0.164"
    whose definition is not in its code; this is the same question with a definition.
    """
    progress = progress or Progress()
    grid = np.unique(checks.finite_array("temperatures", temperatures, ndim=1))
    if grid[0] <= 0:
        raise ValueError("temperatures must be positive")
    base = make_ray(network, direction, stage=stage, data=data, samples=samples, seed=seed)
    raw = predict("bound", base)
    table = np.full((len(grid), 2 + len(COMPARED)), np.nan)
    for n, temperature in enumerate(grid):
        progress.update(n, len(grid), f"T = {temperature:g}")
        ray = make_ray(
            base.model, base.direction, data=data, samples=samples, seed=seed, temperature=float(temperature)
        )
        table[n] = [loss_onset(ray, ratio), raw, *(predict(name, ray, ratio=ratio) for name in COMPARED)]
        if 1 < n + 1 < len(grid):
            rest = f"{len(grid) - n - 1} more temperatures"
            progress.publish(results.unfinished(_dataset(grid[: n + 1], table[: n + 1], ratio), rest))
    progress.update(len(grid), len(grid), "done")
    return _dataset(grid, table, ratio)


def _dataset(grid: np.ndarray, table: np.ndarray, ratio: float) -> xr.Dataset:
    with np.errstate(divide="ignore", invalid="ignore"):  # a predictor that says ∞ has no logarithm, and no spread
        spread = np.std(np.log10(table[:, :1] / table[:, 1:]), axis=0)
    along = ("temperature",)
    return results.dataset(
        {
            "onset": (along, table[:, 0], f"measured distance to {ratio:g} times the loss", "τ"),
            "raw": (along, table[:, 1], "bound radius at T = 1", "τ"),
            "bound": (along, table[:, 2], "bound radius at T", "τ"),
            "quadratic": (along, table[:, 3], "root of the quadratic model at T", "τ"),
            "spread": (("predictor",), spread, "standard deviation of log10(measured/predicted)"),
        },
        {
            "temperature": (along, grid, "temperature of the loss"),
            "predictor": (("predictor",), ["raw", "bound", "quadratic"], "predictor"),
        },
    )
