"""What the experiments on rankings cost, measured on one core."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.costs import Cost
from workbench.metrics.rankings.extremes import EXACT_STATES

SECONDS_PER_ITEM = 1.5e-7
"""Of sorting, both scores and both errors."""
START = 0.01
SECONDS_PER_DRAW = 1.5e-8
SECONDS_PER_STATE = 3e-9


def _items(values: Any) -> int:
    return max(np.size(values), 1)


def ranking(scores: Any) -> Cost:
    """Estimate :func:`workbench.metrics.ranking`."""
    return Cost(START + SECONDS_PER_ITEM * _items(scores), 100.0 * _items(scores))


def repairs(scores: Any) -> Cost:
    """Estimate :func:`workbench.metrics.repairs`."""
    return Cost(START + 3 * SECONDS_PER_ITEM * _items(scores), 150.0 * _items(scores))


def compare(a: Any) -> Cost:
    """Estimate :func:`workbench.metrics.compare`."""
    return Cost(START + 6 * SECONDS_PER_ITEM * _items(a), 300.0 * _items(a))


def bootstrap(scores: Any, replicates: int) -> Cost:
    """Estimate :func:`workbench.metrics.bootstrap`."""
    return Cost(START + SECONDS_PER_DRAW * _items(scores) * replicates, 60.0 * _items(scores) + 16.0 * replicates)


def ap_range(positives: int, negatives: int, auroc: float) -> Cost:
    """Estimate :func:`workbench.metrics.ap_range`."""
    states = min(positives * (negatives + 1.0) * ((1 - auroc) * positives * negatives + 1), EXACT_STATES)
    return Cost(START + 2 * SECONDS_PER_STATE * states + 1e-6 * positives, states + 100.0 * positives)


def ranking_invariances(scores: Any) -> Cost:
    """Estimate :func:`workbench.metrics.ranking_invariances`."""
    return Cost(START + 250 * 6e-8 * _items(scores), 200.0 * _items(scores))


def ranking_confusions() -> Cost:
    """Estimate :func:`workbench.metrics.ranking_confusions`."""
    return Cost(0.1, 2e7)


def ranking_report(scores: Any, n: int) -> Cost:
    """Estimate :func:`workbench.metrics.ranking_report`."""
    count = n if scores is None else _items(scores)
    return Cost(0.15 + 2e-6 * count, 500.0 * count + EXACT_STATES)


def repair_drift(setups: Sequence[str], rules: Sequence[str], n: int, steps: int, seeds: int) -> Cost:
    """Estimate :func:`workbench.metrics.repair_drift`."""
    runs = len(setups) * len(rules) * seeds
    return Cost(START + runs * (2e-9 * 2 * n * steps + 1e-4), 500.0 * n + 32.0 * runs * steps)


def group_repairs(scores: Any, rules: Sequence[str], steps: int, seeds: int) -> Cost:
    """Estimate :func:`workbench.metrics.group_repairs`."""
    runs = len(rules) * seeds
    return Cost(START + runs * (2e-9 * _items(scores) * steps + 1e-5), 100.0 * _items(scores) + 24.0 * runs * steps)


def interval_study(sizes: Sequence[int], samples: int, replicates: int) -> Cost:
    """Estimate :func:`workbench.metrics.interval_study`."""
    each = [samples * (3e-4 + 2e-7 * size) + SECONDS_PER_DRAW * size * replicates for size in sizes]
    return Cost(START + sum(each), 200.0 * max(sizes))
