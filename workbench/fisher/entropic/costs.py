"""What the experiments on density fields cost, by cells; measured on two cores."""

from typing import Any

import numpy as np

from workbench.costs import Cost

START = 0.01
PER_TRANSFORM = 6e-8
"""Seconds for a cell in one transform, with what is done to it before the next."""
BYTES = 250.0


def _cells(shape: Any) -> tuple[float, int]:
    """Return how many cells a grid of this shape has, and its dimension."""
    sides = [float(n) for n in np.ravel(shape)]
    return float(np.prod(sides)), max(len(sides), 2)


def field(kind: str, shape: Any) -> Cost:
    """Estimate :func:`workbench.fisher.field`."""
    cells, d = _cells(shape)
    return Cost(START + cells * (4 * PER_TRANSFORM + (1.5e-5 * (d - 1) ** 2 if kind == "zeldovich" else 0)), 80 * cells)


def curvature_field(rho: Any) -> Cost:
    """Estimate :func:`workbench.fisher.curvature_field`: at most two transforms for each direction."""
    cells, d = float(np.size(rho)), max(np.ndim(rho), 2)
    return Cost(START + 6 * d * cells * PER_TRANSFORM, BYTES * cells)


def scale_flow(rho: Any, radii: Any) -> Cost:
    """Estimate :func:`workbench.fisher.scale_flow`."""
    one = curvature_field(rho)
    return Cost(START + 1.5 * np.size(radii) * one.seconds, 1.5 * one.bytes)


def entropic_curvature() -> Cost:
    """Estimate :func:`workbench.fisher.entropic_curvature`."""
    return Cost(0.1)


def periodic_reconstruction(rho: Any) -> Cost:
    """Estimate :func:`workbench.fisher.periodic_reconstruction`: some forty applications of five transforms."""
    cells, d = float(np.size(rho)) or 65_536.0, max(np.ndim(rho), 2)
    return Cost(START + 60 * (3 * d - 2) * cells * PER_TRANSFORM, 500 * cells)


def web_study(kind: str, shape: Any, fields: int) -> Cost:
    """Estimate :func:`workbench.fisher.web_study`."""
    cells, d = _cells(shape)
    return Cost(START, BYTES * cells) + fields * Cost(field(kind, shape).seconds + 8 * d * cells * PER_TRANSFORM)


def web_report(rho: Any, kind: str, shape: Any) -> Cost:
    """Estimate :func:`workbench.fisher.web_report`: two tensors and eight windows."""
    cells, d = _cells(shape) if rho is None else (float(np.size(rho)), np.ndim(rho))
    made = field(kind, shape).seconds if rho is None else 0.0
    return Cost(START + made + 60 * (d - 1) * cells * PER_TRANSFORM, 400 * cells)
