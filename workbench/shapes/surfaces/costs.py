"""What the experiments on surfaces cost, measured on one core."""

import math
from collections.abc import Sequence

from workbench.costs import Cost
from workbench.shapes.meshes import Surface

PER_ITERATION = {
    "varifold": (1e-3, 5e-6),
    "surface": (1e-3, 2.5e-6),
    "cramer": (1e-3, 1e-5),
    "samples": (2e-3, 3e-7),
    "chamfer": (2e-3, 3e-7),
}
"""Seconds for an iteration, and for each vertex in it."""
PER_STEP = 1.2e-6
"""Seconds to carry a vertex through one step and to pull its gradient back."""


def _vertices(surface: Surface | str) -> int:
    if isinstance(surface, Surface):
        return len(surface.vertices)
    return 1700 if surface == "two-sheets" else 700


def self_intersections(surface: Surface | str) -> Cost:
    """Estimate :func:`workbench.shapes.self_intersections`."""
    return Cost(0.01 + 1e-5 * _vertices(surface), 5e7 + 500.0 * _vertices(surface))


def surface_report(surface: Surface | str) -> Cost:
    """Estimate :func:`workbench.shapes.surface_report`."""
    return Cost(0.02 + 2e-5 * _vertices(surface), 5e7 + 1000.0 * _vertices(surface))


def deform(
    source: Surface | str, target: Surface | str, loss: str, steps: int, iterations: int, seconds: float
) -> Cost:
    """Estimate :func:`workbench.shapes.deform`: the iterations, then what is measured at both ends."""
    count = max(_vertices(source), _vertices(target))
    fixed, each = PER_ITERATION.get(loss, PER_ITERATION["varifold"])
    one = fixed + each * count + PER_STEP * steps * _vertices(source)
    return Cost(min(iterations * one, seconds if math.isfinite(seconds) else math.inf) + 0.05 + 1.2e-4 * count, 1e8)


def bend_surface(source: Surface | str, target: Surface | str | None, drags: Sequence[Sequence[float]]) -> Cost:
    """Estimate :func:`workbench.shapes.bend_surface`: what is measured before and after."""
    count = max(_vertices(source), _vertices(target or source))
    return Cost(0.03 + 1.2e-4 * count + 2e-8 * count * len(drags), 5e7 + 2000.0 * count)


def carried_crossings(splits: Sequence[int]) -> Cost:
    """Estimate :func:`workbench.shapes.carried_crossings`."""
    return Cost(0.02 + 0.04 * len(splits), 5e7)


def compare_losses(
    pairs: Sequence[str],
    sizes: Sequence[int],
    losses: Sequence[str],
    fields: Sequence[str],
    seconds: float,
    seeds: int,
) -> Cost:
    """Estimate :func:`workbench.shapes.compare_losses`."""
    runs = len(pairs) * len(losses) * len(fields) * seeds
    return Cost(runs * sum((seconds + 0.1) * size / 642 for size in sizes), 3e8)


def sampling_noise(sizes: Sequence[int], draws: int, n_directions: int) -> Cost:
    """Estimate :func:`workbench.shapes.sampling_noise`."""
    return Cost(0.5 + 2.5e-8 * sum(sizes) * draws * n_directions, 2e8)


def rule_errors(
    pairs: Sequence[str], size: int, orientations: Sequence[float], directions: Sequence[int], draws: int
) -> Cost:
    """Estimate :func:`workbench.shapes.rule_errors`: five rules and a reference, all in double precision."""
    count = len(pairs) * len(orientations) * (3780 + 5 * draws * sum(directions))
    return Cost(0.5 + 4e-7 * size * count, 1e8)
