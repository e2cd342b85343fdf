"""What the experiments on fields cost, measured on one core."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.costs import Cost
from workbench.fields.core.integrators import SOLVERS
from workbench.fields.core.laws import FiniteSample, GaussianMixture

START = 0.02
SECONDS_PER_FLOP = 1e-11
"""Of a training step in single precision on one core, everything in."""
SECONDS_PER_TERM = 2e-9
"""Of an exact field, for each point and component in the plane."""
MATCHING = 7e-8
"""Of a batch matched by exact transport, for each pair of points."""


def _parameters(width: int, depth: int, dimension: int = 2) -> int:
    return width * (dimension + 1) + (depth - 1) * width * width + width * dimension


def _components(law: Any) -> int:
    if isinstance(law, GaussianMixture):
        return len(law.weights)
    if isinstance(law, FiniteSample):
        return len(law.points)
    return 5 if isinstance(law, str) else len(np.atleast_1d(law))


def _training(
    target: Any, points: int, coupling: str, width: int, depth: int, steps: int, batch: int, looks: int
) -> float:
    known = points if isinstance(target, str | GaussianMixture) else _components(target)
    step = 1e-4 + 6 * batch * (_parameters(width, depth) + 40 * width * depth) * SECONDS_PER_FLOP
    if coupling == "optimal":
        step += 3e-4 + MATCHING * batch**2
    look = 2 * 2400 * _parameters(width, depth) * SECONDS_PER_FLOP + 0.01
    return START + steps * step + looks * look + 25_000 * known * SECONDS_PER_TERM


def train_field(
    target: Any, points: int, coupling: str, width: int, depth: int, steps: int, batch: int, looks: int
) -> Cost:
    """Estimate :func:`workbench.fields.train_field`."""
    seconds = _training(target, points, coupling, width, depth, steps, batch, looks)
    return Cost(seconds, 40.0 * batch * width * depth + 2e6)


def training_study(
    target: str, points: Sequence[int], seeds: Sequence[int], steps: int, looks: int, width: int, depth: int
) -> Cost:
    """Estimate :func:`workbench.fields.training_study`."""
    runs = [_training(target, n, "independent", width, depth, steps, 512, looks) for n in points]
    return Cost(START + len(seeds) * sum(runs), 2e7)


def field_report(points: int, steps: int) -> Cost:
    """Estimate :func:`workbench.fields.field_report`."""
    return Cost(START + 0.02 + (4000 + 120.0 * steps) * points * SECONDS_PER_TERM + steps * 4e-4, 1e7)


def irreducible_loss(source: Any, target: Any, samples: int) -> Cost:
    """Estimate :func:`workbench.fields.irreducible_loss`."""
    pairs = _components(source) * _components(target)
    return Cost(START + samples * pairs * 2 * SECONDS_PER_TERM, 100.0 * samples)


def error_budget(source: Any, target: Any, steps: int, solver: str, paths: int) -> Cost:
    """Estimate :func:`workbench.fields.error_budget` of a 128 × 3 network."""
    pairs = _components(source) * _components(target)
    evaluations = 320 + 1.4 * SOLVERS[solver].fact("evaluations") * steps
    seconds = 0.4 + paths * evaluations * 1.1e-6 + 400.0 * paths * pairs * SECONDS_PER_TERM
    return Cost(seconds, 1000.0 * paths)


def budget_study(points: Sequence[int], steps: Sequence[int], paths: int) -> Cost:
    """Estimate :func:`workbench.fields.budget_study`."""
    return len(points) * len(steps) * error_budget("gaussian", "five-blobs", 50, "rk4", paths)
