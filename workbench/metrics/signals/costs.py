"""What the experiments on signals cost, measured on one core."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.costs import Cost

START = 0.02
PER_COMPONENT = 2.5e-9
"""Seconds for a component's coordinate at one node; what matters is applied in full besides."""
PER_ENTRY = 1.2e-9
NODES = {1: 179, 2: 1521}
SNR_NODES = 24


def _size(density: Any) -> tuple[int, int]:
    return getattr(density, "components", 2), getattr(density, "dimension", 2)


def _passes(density: Any, points: float, samples: int, nodes: int = SNR_NODES) -> float:
    k, d = _size(density)
    each = 4e-8 + PER_COMPONENT * k * d + PER_ENTRY * 1.5 * d * d
    return points * nodes * NODES.get(d, samples) * each


def iem(density: Any, samples: int) -> Cost:
    """Estimate :func:`workbench.metrics.iem`."""
    return Cost(START + {1: 0.05, 2: 0.3}.get(_size(density)[1], _passes(density, 2, samples, 48)), 2e7)


def information_balance(density: Any, samples: int) -> Cost:
    """Estimate :func:`workbench.metrics.information_balance`."""
    return iem(density, samples)


def iem_matrix(density: Any, points: Any, samples: int) -> Cost:
    """Estimate :func:`workbench.metrics.iem_matrix`."""
    n, d = max(len(np.atleast_1d(points)), 1), _size(density)[1]
    return Cost(START + 1.3 * _passes(density, n, samples), 60.0 * n * n + 32.0 * n * NODES.get(d, samples) * d)


def iem_tensor(density: Any, x: Any, samples: int) -> Cost:
    """Estimate :func:`workbench.metrics.iem_tensor`."""
    d = _size(density)[1]
    return Cost(START + 6 * _passes(density, len(np.atleast_1d(x)), samples, 48), 16.0 * NODES.get(d, samples) * d * d)


def iem_geodesic(density: Any, samples: int) -> Cost:
    """Estimate :func:`workbench.metrics.iem_geodesic`."""
    d = _size(density)[1]
    return Cost(0.3 if d == 1 else 2.0 if d == 2 else 100 * _passes(density, 33, samples, 16), 1e8)


def confusable_pairs(density: Any, starts: int, samples: int) -> Cost:
    """Estimate :func:`workbench.metrics.confusable_pairs`."""
    d = _size(density)[1]
    return Cost(0.1 if d == 1 else 1.5 if d == 2 else 60 * (starts + 2) * _passes(density, 2, samples), 1e8)


def signal_invariances(density: Any) -> Cost:
    """Estimate :func:`workbench.metrics.signal_invariances`."""
    return Cost({1: 0.5}.get(_size(density)[1], 1.0), 1e8)


def signal_report(means: Any) -> Cost:
    """Estimate :func:`workbench.metrics.signal_report`."""
    return Cost(0.7 if means is None or np.ndim(means) == 1 or np.shape(means)[1] == 1 else 2.0, 2e8)


def fit_mixture(points: Any, components: Any) -> Cost:
    """Estimate :func:`workbench.metrics.fit_mixture`."""
    shape = np.shape(points)
    n, d = (shape[0], shape[1] if len(shape) > 1 else 1) if shape else (400, 2)
    total = float(np.sum(components))
    return Cost(START + 0.05 * np.size(components) + 2e-8 * n * total * (d + 3) ** 2, 50.0 * n * d)


def points_report(points: Any, components: Any, count: int, samples: int) -> Cost:
    """Estimate :func:`workbench.metrics.points_report`."""
    shape = np.shape(points) if points is not None else (400, 2)
    n, d = shape[0] if shape else 400, shape[1] if len(shape) > 1 else 1
    k = float(np.max(components))
    each = 4e-8 + PER_COMPONENT * k * d + PER_ENTRY * 1.5 * d * d
    nodes = {1: 179, 2: 700}.get(d, samples)
    return fit_mixture(np.empty((n, d)) if n * d < 10**7 else points, components) + Cost(
        1.3 * min(n, count) * 20 * nodes * each, 1e8
    )


def photograph_study(picture: Any, crops: int, samples: int) -> Cost:
    """Estimate :func:`workbench.metrics.photograph_study`."""
    patches = 64 * crops if picture is None else 1024
    return Cost(0.3 + 8 * patches * 20 * samples * 9e-6, 2e8)


def masking_study(count: int, samples: int) -> Cost:
    """Estimate :func:`workbench.metrics.masking_study`."""
    return Cost(0.3 + 2 * count * 20 * samples * 9e-6, 2e8)


def recognition_study(snrs: Sequence[float], known: int, asked: int, samples: int) -> Cost:
    """Estimate :func:`workbench.metrics.recognition_study`."""
    return Cost(3 + len(snrs) * (known + asked) * SNR_NODES * samples * 9e-6, 3e8)


def denoiser_trial(points: int, pairs: int, steps: int) -> Cost:
    """Estimate :func:`workbench.metrics.denoiser_trial`."""
    return Cost(1.0 + 2.5e-3 * steps + 0.05 * pairs, 1e8 + 100.0 * points)
