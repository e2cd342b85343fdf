"""What the experiments on spectra cost, measured on one core."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.costs import Cost
from workbench.metrics.spectra.layers import Layers

START = 0.1
SECONDS_PER_CUBE = 4e-10
"""Of the eigenvalues of an M × M matrix and the product before them, times M³."""
SCAN = 3e-7
"""Of one choice of a threshold, times M."""


def _sides(model: Any) -> list[tuple[int, int]]:
    """Return the sides of the matrices that can be seen without reading anything; nothing for a path."""
    if isinstance(model, Layers):
        return [layer.matrix.shape for layer in model]
    if callable(getattr(model, "state_dict", None)):
        model = model.state_dict()
    if not isinstance(model, Mapping):
        model = {"": model}
    shapes = [tuple(value.shape) for value in model.values() if hasattr(value, "shape")]
    sides = [(shape[0], math.prod(shape[1:])) for shape in shapes if len(shape) > 1]
    return [(max(pair), min(pair)) for pair in sides if min(pair) >= 1]


def _eigenvalues(rows: int, columns: int) -> float:
    return 3e-4 + SECONDS_PER_CUBE * columns**2 * (columns + rows / 4)


def score_layers(model_or_path: Any, repeats: int) -> Cost:
    """Estimate :func:`workbench.metrics.score_layers`; for a path, that of a network of 40 layers of 384 × 384."""
    sides = _sides(model_or_path) or [(384, 384)] * 40
    seconds = sum((1 + repeats) * (_eigenvalues(*pair) + SCAN * pair[1]) + 1e-3 for pair in sides)
    return Cost(START + seconds, max(24.0 * n * m + 32.0 * m**2 for n, m in sides))


def spectrum_report(model: Any, bootstrap: int, repeats: int, splits: int) -> Cost:
    """Estimate :func:`workbench.metrics.spectrum_report`; for a path, that of a network of 40 layers of 384 × 384."""
    sides = [(300, 100)] if model is None else _sides(model) or [(384, 384)] * 40
    n, m = max(sides, key=lambda pair: pair[1])
    whole = Cost(0.0) if model is None else score_layers(model, 0)
    one = (repeats + 2 * splits + 20) * _eigenvalues(n, m) + 2 * bootstrap * (SCAN * m + 5e-5) + 1e-8 * m**2
    return Cost(START + one, 60.0 * n * m + 40.0 * m**2) + whole


def spectra_invariances(weights: Any) -> Cost:
    """Estimate :func:`workbench.metrics.spectra_invariances`."""
    n, m = (300, 100) if weights is None else (_sides(weights) or [(300, 100)])[0]
    return Cost(START + 30 * _eigenvalues(n, m), 80.0 * n * m)


def spectra_confusions() -> Cost:
    """Estimate :func:`workbench.metrics.spectra_confusions`."""
    return Cost(0.5, 2e7)


def training_spectra(steps: int, points: int, seeds: Sequence[int], repeats: int) -> Cost:
    """Estimate :func:`workbench.metrics.training_spectra`."""
    return Cost(START + len(seeds) * (1.2e-3 * steps + points * (0.03 + 4e-3 * repeats)), 5e7)


def unlearned_spectra(laws: Sequence[str], repeats: int) -> Cost:
    """Estimate :func:`workbench.metrics.unlearned_spectra`."""
    return Cost(START + repeats * len(laws) * 0.015, 5e7)


def tail_coverage(cases: Sequence[str], repeats: int, bootstrap: int, splits: int) -> Cost:
    """Estimate :func:`workbench.metrics.tail_coverage`."""
    return Cost(START + repeats * len(cases) * (2e-4 * bootstrap + 3e-3 * splits), 5e7)


def score_networks(networks: Any, repeats: int, bootstrap: int) -> Cost:
    """Estimate :func:`workbench.metrics.score_networks`."""
    counts = [score_layers(network, repeats) for network in networks.values()]
    draws = sum(
        2 * bootstrap * sum(SCAN * m + 5e-5 for _, m in _sides(one) or [(384, 384)] * 40) for one in networks.values()
    )
    return Cost(draws) + sum(counts, Cost(START))


def large_spectrum(weights: Any, top: int, probes: int, steps: int) -> Cost:
    """Estimate :func:`workbench.metrics.large_spectrum` by its products with the layer and its orthogonalisations."""
    shape = np.shape(weights)
    entries = float(np.prod(shape)) if shape else 1e6
    columns = min(shape[0], entries / shape[0]) if shape else 1e3
    products = 4 * entries * (3 * top + probes * steps)
    return Cost(0.05 + (products + 4 * columns * probes * steps**2) / 2e9, 8 * columns * (2 * probes * steps + 3 * top))
