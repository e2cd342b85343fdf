"""What the experiments on defects cost, measured on one core."""

from typing import Any

import numpy as np

from workbench.costs import Cost


def defect_dictionaries(wedges: Any, characters: Any, strengths: Any) -> Cost:
    """Estimate :func:`workbench.shapes.defect_dictionaries`."""
    return Cost(0.01 + 2e-3 * (np.size(wedges) + np.size(strengths)) + 1e-4 * np.size(characters), 1e7)


def circuit_report(size: float, atoms: Any) -> Cost:
    """Estimate :func:`workbench.shapes.circuit_report`."""
    found = np.shape(getattr(atoms, "positions", atoms)) if atoms is not None else (3.7 * size**2, 2)
    count, d = float(found[0]), int(found[-1])
    return Cost(0.03 + (1.5e-4 if d == 2 else 4e-4) * count, 2e7 + 2e4 * count)


def circuit_verification(document: Any) -> Cost:
    """Estimate :func:`workbench.shapes.circuit_verification`: half a second where no process is warm."""
    size = len(document) if isinstance(document, str | bytes) else 2e4
    return Cost(0.1 + 1.5e-6 * size, 1e8 + 100.0 * size)


def noise_breakdown(noises: Any, repeats: int, size: float) -> Cost:
    """Estimate :func:`workbench.shapes.noise_breakdown`."""
    return Cost(np.size(noises) * repeats * (0.06 + 1.5e-5 * size**2), 1e8)


def dislocation_circuits(size: float) -> Cost:
    """Estimate :func:`workbench.shapes.dislocation_circuits`."""
    return Cost(6 + 0.02 * size**2, 2e8)
