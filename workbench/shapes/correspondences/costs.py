"""What the experiments on correspondences cost, measured on one core."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.costs import Cost
from workbench.shapes.correspondences.examples import LEAST, MOST, PAIRS
from workbench.shapes.correspondences.matching import MATCHERS

TRAINING = 2.0
"""Seconds for 60 steps of training with 300 vertices."""


def spectrum(surface: Any, k: int) -> Cost:
    """Estimate :func:`workbench.shapes.spectrum`."""
    n = _size(surface)
    return Cost(0.02 + _basis(n, k), 8.0 * n * (2 * k + 100))


def functional_map(x: Any, y: Any, k: int) -> Cost:
    """Estimate :func:`workbench.shapes.functional_map`."""
    sizes = _size(x), _size(y)
    return Cost(0.02 + sum(_basis(n, max(k, 100)) for n in sizes) + 1e-8 * k**4, 8.0 * sum(sizes) * 500 + 8.0 * k**3)


def correspondence_error(pair: Any) -> Cost:
    """Estimate :func:`workbench.shapes.correspondence_error`."""
    return Cost(0.05 + _distances(_size(pair.x) if hasattr(pair, "x") else 400), 2e8)


def correspondence_report(pair: str, x: Any, y: Any, n: int, method: str, k_final: int) -> Cost:
    """Estimate :func:`workbench.shapes.correspondence_report`; one's own surfaces have no truth to measure against."""
    trains = MATCHERS[method].fact("trains")
    if x is None and y is None:
        PAIRS[pair]
        n = min(max(n, LEAST), MOST)
        known = _distances(n)
    else:
        n, known = max(_size(x), _size(y)), 0.0
    work = 2 * _basis(n, max(k_final, 100)) + 4e-9 * n**2 * k_final + known
    tables = 3 if method == "sinkhorn" else 1
    return Cost(0.05 + work + trains * TRAINING * (n / 300) ** 1.7, 1e8 + 8.0 * n * n * tables + 8.0 * n * 1000)


def matcher_study(pairs: Sequence[str], methods: Sequence[str], seeds: Sequence[int], n: int) -> Cost:
    """Estimate :func:`workbench.shapes.matcher_study`."""
    trained = sum(TRAINING * (n / 300) ** 1.7 for name in methods if MATCHERS[name].fact("trains"))
    return Cost(0.1 + len(pairs) * len(seeds) * (_distances(n) + 0.2 * len(methods) + trained), 3e8)


def transport_term_study(
    pairs: Sequence[str], terms: Sequence[str], seeds: Sequence[int], n: int, iterations: int
) -> Cost:
    """Estimate :func:`workbench.shapes.transport_term_study`."""
    one = TRAINING * (n / 300) ** 1.7 * iterations / 60
    return Cost(0.1 + len(pairs) * len(seeds) * (_distances(n) + len(terms) * one), 5e8)


def _size(surface: Any) -> int:
    vertices = surface.vertices if hasattr(surface, "vertices") else surface[0] if surface is not None else ()
    return max(len(np.asarray(vertices)), 10)


def _basis(n: int, k: int) -> float:
    return 1.5e-9 * n**3 + 1e-3 if n <= 350 else 5e-6 * n * k


def _distances(n: int) -> float:
    return 2.5e-6 * n**2
