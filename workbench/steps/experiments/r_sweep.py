"""Experiment (a): accuracy, loss and flips against r = τ/ρ_a, along several directions, at several stages."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.progress import Progress
from workbench.steps.data import Data, digits
from workbench.steps.directions import DIRECTIONS
from workbench.steps.experiments.setting import Direction, Network, make_ray, names_of, stages_of
from workbench.steps.networks import NETWORKS
from workbench.steps.radii import bound_radius, set_radius
from workbench.steps.ray import mean_loss

R_GRID = tuple(float(r) for r in np.round(np.geomspace(0.05, 64, 43), 4))


@results.experiment
def sweep_radius(
    network: Network = "mlp-relu",
    *,
    stages: Sequence[str] = ("converged",),
    directions: Direction | Sequence[Direction] = ("-gradient", "+gradient", "sign", "random"),
    r: Sequence[float] = R_GRID,
    data: Data | None = None,
    samples: int = 256,
    quantile: float = 1.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Move a network along each direction by r·ρ_a and measure what happens on its batch.

    ``network``: a name of ``NETWORKS`` or a trained module; ``directions``: names of ``DIRECTIONS`` or one mapping of
    tensors; ``data``: from ``make_data``, digits by default; the batch is its first ``samples`` training samples.
    Returns (stage, direction, r): ``tau``, ``loss_ratio``, ``accuracy``, ``flips`` (share of predictions changed); and
    (stage, direction): ``radius`` ρ_a of the batch, ``loss`` and ``accuracy_start``. One forward pass a
    point; the last stage comes first, and ``progress.publish`` gets the sweeps that are there, NaN elsewhere. Raises
    ``ValueError`` for unknown names and unusable numbers. Reference: P. Sao, arXiv 2603.13552, Fig. on r-sweeps.
    """
    progress = progress or Progress()
    labels, listed = names_of(directions)
    visited = stages_of(network, stages)
    grid = np.unique(checks.finite_array("r", r, ndim=1))
    if grid[0] <= 0:
        raise ValueError("r must be positive")
    data = data or digits()
    shape = (len(visited), len(listed), len(grid))
    table = {name: np.full(shape, np.nan) for name in ("tau", "loss_ratio", "accuracy", "flips")}
    start = {name: np.full(shape[:2], np.nan) for name in ("radius", "loss", "accuracy_start")}
    done, total = 0, len(visited) * len(listed)
    for i, stage in reversed(list(enumerate(visited))):
        for j, direction in enumerate(listed):
            progress.update(done, total, f"{stage}, {labels[j]}")
            ray = make_ray(network, direction, stage=stage, data=data, samples=samples, seed=seed)
            radius = set_radius(bound_radius(ray.slopes), quantile=quantile)
            start["radius"][i, j], start["loss"][i, j], start["accuracy_start"][i, j] = radius, ray.loss, ray.accuracy
            before = ray.logits.argmax(axis=1)
            for k, ratio in enumerate(grid):
                logits = ray.logits_at(ratio * radius) if np.isfinite(radius) else ray.logits
                table["tau"][i, j, k] = ratio * radius
                table["loss_ratio"][i, j, k] = mean_loss(logits, ray.labels) / ray.loss
                table["accuracy"][i, j, k] = (logits.argmax(axis=1) == ray.labels).mean()
                table["flips"][i, j, k] = (logits.argmax(axis=1) != before).mean()
            done += 1
            if done < total:
                rest = f"{total - done} more sweeps (last stage first)"
                progress.publish(results.unfinished(_dataset(table, start, visited, labels, grid), rest))
    progress.update(total, total, "done")
    return _dataset(table, start, visited, labels, grid)


def _dataset(table: dict, start: dict, visited: list[str], labels: list[str], grid: np.ndarray) -> xr.Dataset:
    table, start = ({name: values.copy() for name, values in part.items()} for part in (table, start))
    full, pair = ("stage", "direction", "r"), ("stage", "direction")
    return results.dataset(
        {
            "tau": (full, table["tau"], "distance moved", "τ"),
            "loss_ratio": (full, table["loss_ratio"], "loss over its value at the start"),
            "accuracy": (full, table["accuracy"], "accuracy on the batch"),
            "flips": (full, table["flips"], "share of predictions that changed"),
            "radius": (pair, start["radius"], "bound radius of the batch", "τ"),
            "loss": (pair, start["loss"], "loss at the start", "nat"),
            "accuracy_start": (pair, start["accuracy_start"], "accuracy at the start"),
        },
        {
            "stage": (("stage",), visited, "stage of training"),
            "direction": (("direction",), labels, "direction"),
            "r": (("r",), grid, "distance in units of the bound radius"),
        },
    )


@results.experiment
def sweep_study(
    networks: Sequence[str] = tuple(NETWORKS),
    *,
    stages: Sequence[str] = ("early", "middle", "converged"),
    directions: Sequence[str] = tuple(DIRECTIONS),
    samples: int = 256,
    seeds: Sequence[int] = (0,),
    progress: Progress | None = None,
) -> xr.Dataset:
    """Sweep many networks on digits and keep two numbers of each: what is lost below r = 1, and where damage begins.

    Returns over (network, stage, direction, seed): ``points_lost``, the largest loss of accuracy at r < 1, and
    ``onset_r``, the first r of the grid where 5 points are lost (∞ if nowhere). Seeds other than 0 train anew.
    """
    progress = progress or Progress()
    shape = (len(networks), len(stages), len(directions), len(seeds))
    lost, onset = np.empty(shape), np.empty(shape)
    for i, network in enumerate(networks):
        for k, seed in enumerate(seeds):
            progress.update(i * len(seeds) + k, len(networks) * len(seeds), f"{network}, seed {seed}")
            one = sweep_radius(network, stages=stages, directions=directions, samples=samples, seed=seed)
            drop = one.accuracy_start - one.accuracy
            lost[i, :, :, k] = 100 * drop.where(one.r < 1).max("r")
            onset[i, :, :, k] = one.r.where(drop >= 0.05).min("r").fillna(np.inf)
    progress.update(1, 1, "done")
    dims = ("network", "stage", "direction", "seed")
    return results.dataset(
        {
            "points_lost": (dims, lost, "largest loss of accuracy at r < 1", "percentage points"),
            "onset_r": (dims, onset, "first r where 5 points of accuracy are lost"),
        },
        {
            "network": (("network",), list(networks), "network"),
            "stage": (("stage",), list(stages), "stage of training"),
            "direction": (("direction",), list(directions), "direction"),
            "seed": (("seed",), list(seeds), "seed"),
        },
    )
