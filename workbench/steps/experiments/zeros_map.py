"""Experiment (e): the map of softmax zeros in the complex plane, sample by sample, as training goes on."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from workbench import results
from workbench.progress import Progress
from workbench.steps.data import Data, digits
from workbench.steps.exact import exact_radius
from workbench.steps.experiments.setting import Direction, Network, make_ray, stages_of
from workbench.steps.radii import bound_radius, dominance_radius
from workbench.steps.training import STAGES


@results.experiment
def zeros_map(
    network: Network = "mlp-relu",
    *,
    stages: Sequence[str] = tuple(STAGES),
    direction: Direction = "-gradient",
    data: Data | None = None,
    samples: int = 256,
    seed: int = 0,
    temperature: float = 1.0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Locate the nearest zero of each sample's softmax partition function along a direction, at each stage.

    Returns over (stage, sample): ``zero_real``, ``zero_imaginary`` (the upper one of the pair), the radii ``exact`` ρ*,
    ``dominance`` ρ_dom and ``bound`` ρ_a, ``certified``, ``margin`` (top logit minus the second) and ``correct``; over
    sample the ``target``. An uncertified zero is the nearest one found. One JVP a stage and about 0.1 ms a sample. The
    last stage comes first: ``progress.publish`` gets the stages that are there.
    """
    progress = progress or Progress()
    visited = stages_of(network, stages)
    data = data or digits()
    columns: dict[str, dict[str, np.ndarray]] = {}
    targets = np.empty(0, dtype=int)
    for n, stage in enumerate(reversed(visited)):
        progress.update(n, len(visited), stage)
        ray = make_ray(network, direction, stage=stage, data=data, samples=samples, seed=seed, temperature=temperature)
        found = exact_radius(ray.logits, ray.slopes)
        ordered = np.sort(ray.logits, axis=1)
        entries = {
            "zero_real": found.zero.real,
            "zero_imaginary": found.zero.imag,
            "exact": found.radius,
            "dominance": dominance_radius(ray.logits, ray.slopes),
            "bound": bound_radius(ray.slopes),
            "certified": found.certified,
            "margin": ordered[:, -1] - ordered[:, -2],
            "correct": ray.logits.argmax(axis=1) == ray.labels,
        }
        for name, values in entries.items():
            columns.setdefault(name, {})[stage] = values
        targets = ray.labels
        if n + 1 < len(visited):
            there = visited[len(visited) - n - 1 :]
            earlier = ", ".join(visited[: len(visited) - n - 1])
            progress.publish(results.unfinished(_dataset(columns, there, targets), f"earlier stages ({earlier})"))
    progress.update(len(visited), len(visited), "done")
    return _dataset(columns, visited, targets)


def _dataset(columns: dict[str, dict[str, np.ndarray]], visited: Sequence[str], targets: np.ndarray) -> xr.Dataset:
    meanings = {
        "zero_real": ("real part of the nearest zero", "τ"),
        "zero_imaginary": ("imaginary part of the nearest zero", "τ"),
        "exact": ("exact radius of the linearised logits", "τ"),
        "dominance": ("dominance radius", "τ"),
        "bound": ("bound radius", "τ"),
        "certified": ("whether the exact radius is certified", "1"),
        "margin": ("top logit minus the second", "nat"),
        "correct": ("whether the prediction is right", "1"),
    }
    variables = {
        name: (("stage", "sample"), np.array([columns[name][stage] for stage in visited]), *meaning)
        for name, meaning in meanings.items()
    }
    variables["target"] = (("sample",), targets, "class of the sample")
    return results.dataset(
        variables,
        {
            "stage": (("stage",), list(visited), "stage of training"),
            "sample": (("sample",), np.arange(len(targets)), "sample in the batch"),
        },
    )
