"""What the experiments on embeddings cost, measured on one core."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.costs import Cost

START = 0.02
SECONDS_PER_STEP = 5e-4
"""Of training, in batches of 40; a run of 120 steps takes 60 ms."""
DIGITS = (1797, 64)
SECONDS_OF_BASELINE = {"raw": 0.01, "pca": 0.02, "random": 0.01, "lda": 0.03, "nca": 0.4}


def _shape(features: Any) -> tuple[int, int]:
    if features is None:
        return DIGITS
    shape = np.shape(features)
    return (shape[0], shape[1]) if len(shape) == 2 else (1, 1)


def _retrieval(items: int, features: int) -> float:
    return float(items) ** 2 * (0.15 * features + 5) * 1e-9


def energy_confusion(features: Any, power: float) -> Cost:
    """Estimate :func:`workbench.metrics.energy_confusion`."""
    n, d = _shape(features)
    return Cost(START + float(n) ** 2 * (d + 4) * (1e-9 if power == 2 else 4e-9), 40.0 * n * d)


def retrieval(features: Any, replicates: int) -> Cost:
    """Estimate :func:`workbench.metrics.retrieval`."""
    n, d = _shape(features)
    return Cost(START + _retrieval(n, d) + replicates * n * 1e-8, 40.0 * n * d + 6e7)


def zero_shot(
    features: Any,
    losses: Sequence[str],
    confusions: Sequence[float],
    steps: int,
    splits: int,
    baselines: Sequence[str],
    validate: bool,
) -> Cost:
    """Estimate :func:`workbench.metrics.zero_shot`."""
    n, d = _shape(features)
    half = n / 2
    run = steps * SECONDS_PER_STEP * (1 + d / 1000) + _retrieval(int(half), 16) + half * d * 2e-7
    simple = sum(
        SECONDS_OF_BASELINE.get(name, 0.1) * half * d / 57_000 + _retrieval(int(half), d) for name in baselines
    )
    runs = len(losses) * len(confusions) * (2 if validate else 1)
    return Cost(START + splits * (runs * run + simple), 100.0 * n * d)


def embedding_report(features: Any, steps: int) -> Cost:
    """Estimate :func:`workbench.metrics.embedding_report`."""
    n, d = _shape(features)
    both = 2 * steps * SECONDS_PER_STEP * (1 + d / 1000)
    return Cost(0.2 + both + 6 * _retrieval(n // 2, d) + n * d * 1e-6, 200.0 * n * d)


def hide_from(features: Any, steps: int) -> Cost:
    """Estimate :func:`workbench.metrics.hide_from`."""
    n, d = _shape(features)
    return Cost(START + steps * (n / 2.0) ** 2 * (d + 8) * 3e-9 + _retrieval(n, d), 60.0 * n * d)


def embedding_invariances() -> Cost:
    """Estimate :func:`workbench.metrics.embedding_invariances`."""
    return Cost(0.3, 5e7)


def embedding_confusions() -> Cost:
    """Estimate :func:`workbench.metrics.embedding_confusions`."""
    return Cost(0.5, 5e7)


def confusion_sight() -> Cost:
    """Estimate :func:`workbench.metrics.confusion_sight`."""
    return Cost(0.3, 5e7)
