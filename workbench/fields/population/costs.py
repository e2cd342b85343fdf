"""What the experiments on populations cost, measured on one core."""

from collections.abc import Sequence
from typing import Any

from workbench.costs import Cost

STEP = {"none": 2.5e-3, "deep-sets": 4.3e-3, "graph": 7e-3}
"""Seconds of a training step with clouds of 300 points."""
PIXELS = 270
TERM = 6e-9
TRANSPORT = 2.5e-7
"""Of an exact W₂ in the plane, for each pair of points."""


def population_gap(kind: str, count: int, draws: int, times: int) -> Cost:
    """Estimate :func:`workbench.fields.population_gap`."""
    components = PIXELS if kind == "letters" else 4
    return Cost(0.02 + times * count * (2e-4 + count * draws * components * TERM), 4e7)


def population_report(points: int) -> Cost:
    """Estimate :func:`workbench.fields.population_report`."""
    return Cost(0.05 + 6e-4 * points + 14 * TRANSPORT * points**2, 2e7)


def own_population_report(features: Any, folds: int, steps: int, width: int, seeds: Sequence[int]) -> Cost:
    """Estimate :func:`workbench.fields.own_population_report`, both trainings of each fold."""
    rows, size = len(features), 1e-3 + 5e-3 * (width / 128) ** 1.5
    return Cost(0.5 + folds * len(seeds) * (steps * (size + 2e-8 * rows) + 1.0), 4e7 + 300.0 * rows)


def compare_populations(kind: str, train: int, held: int, points: int, steps: int, seeds: Sequence[int]) -> Cost:
    """Estimate :func:`workbench.fields.compare_populations`."""
    size = points / 300
    training = steps * (
        STEP["none"] + (STEP["deep-sets"] - STEP["none"]) * size + (STEP["graph"] - STEP["none"]) * size
    )
    judging = held * (0.3 + 16 * TRANSPORT * points**2)
    optimum = held * 20 * points * train * PIXELS * TERM if kind == "letters" else 0.0
    return Cost(0.1 + len(seeds) * (training + judging) + optimum, 4e7 + 4.0 * train * points**2)
