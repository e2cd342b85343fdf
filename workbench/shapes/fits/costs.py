"""What fits cost, measured on one core: closed forms by the band of their normal equations, trainings by steps."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench import checks
from workbench.costs import Cost, total
from workbench.registry import Entry
from workbench.shapes.fits.compare import CLOSED
from workbench.shapes.fits.methods import FITS, checked_budget, checked_method
from workbench.shapes.fits.report import RIVALS
from workbench.shapes.fits.signals import DEFAULT_SIZE, SIGNALS, Signal

PER_BAND, PER_EIGEN = 5e-10, 3.5e-10
"""Seconds: for each P b² of one factorisation with the band of the inverse, and for each P³ of all eigenvalues."""
FACTORS = 12
PER_STEP = 2.5e-3
"""Seconds of a step of training on 1,024 samples of a picture, with one grid."""
FLOORS = 20


def _shape(signal: Any, size: int | None) -> tuple[int, int, int]:
    """Return dimension, samples along an axis and channels of a signal, without making it."""
    if isinstance(signal, Signal):
        return signal.dimension, signal.shape[0], signal.channels
    if isinstance(signal, str):
        kind = SIGNALS[signal].fact("kind") if signal in SIGNALS else "formula"
        d = {"photograph": 2, "distance": 3}.get(kind, 0)
        d = d or (2 if signal == "ripples" or "y" in signal else 1)
        return d, size or DEFAULT_SIZE[d], 3 if kind == "photograph" else 1
    d = 1 if np.ndim(signal) == 1 else 2
    return d, size or DEFAULT_SIZE[d], 1 if d == 1 else 3


def _one(name: str, d: int, samples: int, channels: int, parameters: int, steps: int) -> Cost:
    entry: Entry = FITS[checked_method(name)]
    count = checked_budget(parameters) / channels
    if not entry.fact("linear"):
        grids = 3 if name.startswith("metric") else 1
        return Cost(0.3 + steps * PER_STEP * (0.4 + 0.6 * grids) * 2 ** (d - 2) + 1e-5 * samples**d, 2e8)
    family = entry.fact("family")
    if not family.local:
        n = samples**d
        return Cost(PER_EIGEN * count**3 + 4e-10 * n * count**2, 32.0 * n * count)
    width = count ** (1 - 1 / d) * (family.order - 1) * (2.5 if name == "metric" else 1)
    return Cost(
        0.01 + FACTORS * PER_BAND * count * (width + 4) ** 2 + 2e-6 * samples**d * 4**d / 10, 16.0 * count * width
    )


def fit_signal(signal: Any, method: str, parameters: int, size: int | None, steps: int) -> Cost:
    """Estimate :func:`workbench.shapes.fit_signal`."""
    return _one(method, *_shape(signal, size), parameters, steps)


def best_linear_fit(signal: Any, grid: str, parameters: int, size: int | None) -> Cost:
    """Estimate :func:`workbench.shapes.best_linear_fit`."""
    return (1 + 2 * FLOORS / FACTORS) * _one(checked_method(grid, linear=True), *_shape(signal, size), parameters, 0)


def fits_report(signal: Any, method: str, parameters: int, size: int | None, steps: int) -> Cost:
    """Estimate :func:`workbench.shapes.fits_report`."""
    shape = _shape(signal, size)
    names = dict.fromkeys([*RIVALS, checked_method(method)])
    bound = 2 * FLOORS / FACTORS * _one("metric", *shape, parameters, 0)
    return total([_one(name, *shape, parameters, steps) for name in names]) + bound


def compare_fits(
    signals: Any, methods: Sequence[str], parameters: Any, seeds: int, size: int | None, steps: int
) -> Cost:
    """Estimate :func:`workbench.shapes.compare_fits`."""
    many = [signals] if isinstance(signals, (str, Signal)) else list(signals)
    runs = checks.integer("seeds", seeds, minimum=1, maximum=100)
    made = [
        _one(name, *_shape(one, size), int(budget), steps)
        for one in many
        for budget in np.atleast_1d(parameters)
        for name in [*methods, CLOSED[0]]
    ]
    return runs * total(made)


def approximation_order(sizes: Sequence[int]) -> Cost:
    """Estimate :func:`workbench.shapes.approximation_order`."""
    return Cost(sum(0.002 + 1.2e-8 * float(n) ** 3 for n in sizes), 1e8)


def approximation_orders(methods: Sequence[str], functions: Sequence[str], sizes: Sequence[int]) -> Cost:
    """Estimate :func:`workbench.shapes.approximation_orders`."""
    return len(methods) * len(functions) * approximation_order(sizes)
