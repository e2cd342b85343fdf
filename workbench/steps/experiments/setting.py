"""The common start of every experiment: a model at a stage, a batch of its training data, a direction, a ray."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from workbench import checks
from workbench.progress import Progress
from workbench.steps.data import Data, digits
from workbench.steps.directions import unit_direction
from workbench.steps.ray import Ray
from workbench.steps.training import STAGES, at_stage

Network = str | nn.Module
Direction = str | Mapping[str, Tensor]


def make_ray(
    network: Network,
    direction: Direction,
    *,
    stage: str = "converged",
    data: Data | None = None,
    samples: int = 256,
    seed: int = 0,
    temperature: float = 1.0,
    progress: Progress | None = None,
) -> Ray:
    """Return the ray of a network (by name, or a user's trained module) on the first ``samples`` training samples.

    ``direction`` is a name of ``DIRECTIONS`` or a mapping parameter name → tensor. ``stage`` and ``seed`` choose the
    weights of a named network and are ignored for a module.
    """
    data = data or digits()
    model = at_stage(network, stage, data=data, seed=seed, progress=progress)
    inputs, targets = batch(data, samples)
    if isinstance(direction, str):
        direction = unit_direction(direction, model, inputs, targets, seed=seed)
    return Ray(model, inputs, targets, direction, temperature=temperature)


def batch(data: Data, samples: int) -> tuple[Tensor, Tensor]:
    """Return the first ``samples`` training samples (all, if there are fewer)."""
    samples = checks.integer("samples", samples, minimum=1)
    return data.train_inputs[:samples], data.train_targets[:samples]


def stages_of(network: Network, stages: Sequence[str]) -> list[str]:
    """Return the stages to visit, checked; a user's module has the single stage ``"given"``."""
    if isinstance(network, nn.Module):
        return ["given"]
    stages = [stages] if isinstance(stages, str) else list(stages)
    if not stages:
        raise ValueError(f"name at least one stage of {', '.join(STAGES)}")
    return [checks.choice("stage", stage, STAGES) for stage in stages]


def names_of(directions: Direction | Sequence[Direction]) -> tuple[list[str], list[Any]]:
    """Return labels and the directions themselves; a mapping is called "given"."""
    listed = [directions] if isinstance(directions, (str, Mapping)) else list(directions)
    if not listed:
        raise ValueError("name at least one direction")
    labels = [d if isinstance(d, str) else "given" for d in listed]
    if len(set(labels)) < len(labels):
        raise ValueError(f"directions must be distinct, got {labels}")
    return labels, listed
