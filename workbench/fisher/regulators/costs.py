"""What the experiments on regulators cost: eigenvalues, and a few hundred dampings of a few learners."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.costs import Cost

SECONDS_PER_ENTRY = 3e-10
"""Of m³, of a symmetric matrix taken apart."""
SECONDS_PER_RATE = 1e-8
"""Of one rate at one damping."""
DAMPINGS = 15 * 360
SECONDS_PER_SITE = 3e-6
"""Of the exact metric of a torus, for each site."""


def _apart(F: Any) -> Cost:
    shape = np.shape(F)
    m = shape[0] if shape else 1
    if len(shape) < 2:
        return Cost(0.01, 8.0 * m)
    return Cost(0.01 + SECONDS_PER_ENTRY * m**3, 40.0 * m**2)


def regimes(F: Any) -> Cost:
    """Estimate :func:`workbench.fisher.regimes`."""
    return _apart(F)


def measured_convergence(F: Any, c: Any) -> Cost:
    """Estimate :func:`workbench.fisher.measured_convergence`."""
    m = max(np.shape(F) or (1,))
    return _apart(F) + Cost(0.01 + SECONDS_PER_RATE * m * (np.size(c) + 400), 32.0 * m * np.size(c))


def gaussian_charts() -> Cost:
    """Estimate :func:`workbench.fisher.gaussian_charts`."""
    return Cost(0.02)


def phase_diagram() -> Cost:
    """Estimate :func:`workbench.fisher.phase_diagram`."""
    return Cost(0.02, 8e6)


def torus_regimes(sizes: Sequence[int], couplings: Any) -> Cost:
    """Estimate :func:`workbench.fisher.torus_regimes`: O(n log n) for every size and coupling."""
    count = 27 if couplings is None else np.size(couplings)
    sites = sum(float(L) ** 2 for L in sizes)
    return Cost(0.05 + count * (0.005 * len(sizes) + SECONDS_PER_SITE * sites), 2000.0 * max(map(float, sizes)) ** 2)


def regulator_report(source: str, L: int, F: Any) -> Cost:
    """Estimate :func:`workbench.fisher.regulator_report`: the matrix, and the dampings of every learner."""
    if F is not None:
        m = max(np.shape(F) or (1,))
        return _apart(F) + Cost(0.1 + SECONDS_PER_RATE * DAMPINGS * m, 8.0 * 360 * m)
    if source == "torus":
        return Cost(0.1 + (SECONDS_PER_SITE + DAMPINGS * SECONDS_PER_RATE) * L**2, 6000.0 * L**2)
    if source == "digits":
        return Cost(1.0, 1e8)  # scikit-learn is imported
    states = {"complete": 2.0 ** (L - 1), "open grid": 2.0 ** (L * L - 1)}.get(source, 2.0 ** (L - 1))
    bonds = {"complete": L * (L - 1) / 2, "open grid": 2.0 * L * (L - 1)}.get(source, float(L))
    return Cost(0.1 + 1e-9 * states * bonds**2, 100.0 * states + 2e7)


def regulator_study(draws: int) -> Cost:
    """Estimate :func:`workbench.fisher.regulator_study`."""
    return Cost(0.7 + 4e-3 * draws, 1e8)
