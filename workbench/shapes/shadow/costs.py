"""What the experiments on samples of graphs cost, measured on one core."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.costs import Cost

PER_ENTRY = 0.02
"""Seconds for a small complex with its shadow."""


def graph_constants() -> Cost:
    """Estimate :func:`workbench.shapes.graph_constants`."""
    return Cost(0.1)


def shadow_report(points: Any, n: int, reach: float, phase: tuple[int, int]) -> Cost:
    """Estimate :func:`workbench.shapes.shadow_report`: crossings grow like the fourth power of both."""
    count = n if points is None else len(np.asarray(points))
    one = 0.02 + 0.12 * (count / 80) ** 4 * (reach / 0.3) ** 4
    return Cost(one + phase[0] * phase[1] * PER_ENTRY * (count / 80), 1e8)


def shadow_phase(points: Any, epsilons: Sequence[float], betas: Sequence[float]) -> Cost:
    """Estimate :func:`workbench.shapes.shadow_phase`."""
    return Cost(len(epsilons) * len(betas) * 5 * PER_ENTRY * len(np.asarray(points)) / 80, 1e8)


def shadow_scales(graphs: Sequence[str], shares: Sequence[float], n: int) -> Cost:
    """Estimate :func:`workbench.shapes.shadow_scales`."""
    return Cost(len(graphs) * sum(0.03 + 200 * share**4 * (n / 60) ** 4 for share in shares), 2e8)


def theorem_runs(graphs: Sequence[str], arranged: int, theorem: str) -> Cost:
    """Estimate :func:`workbench.shapes.theorem_runs`."""
    if theorem == "T1" and not arranged:
        return Cost(2.0 * len(graphs), 5e8)
    return Cost(4.0 * len(graphs) + (25.0 if arranged > 50_000 else 0.0), 2e9)


def rips_agreement(samples: int, n: int) -> Cost:
    """Estimate :func:`workbench.shapes.rips_agreement`."""
    return Cost(0.01 * samples * (n / 30) ** 4, 1e8)
