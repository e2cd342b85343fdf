"""One part of the directions in float64: NumPy sorting, no approximation, the reference of the fused kernel."""

import numpy as np
from numpy.typing import NDArray

from workbench.transport import kernel
from workbench.transport.measures import Cloud
from workbench.transport.single import Part, integer_masses


def run_part(
    x: Cloud,
    y: Cloud,
    directions: NDArray[np.float64],
    weights: NDArray[np.float64],
    power: int,
    want_x: bool,
    want_y: bool,
) -> Part:
    """Return costs (L,), and Σ_l w_l ∂cost_l as (d, n) arrays for the clouds asked for."""
    masses_x, masses_y, total = integer_masses(x, y)
    costs = np.empty(len(directions))
    gradient_x = np.zeros_like(x.coordinates) if want_x else None
    gradient_y = np.zeros_like(y.coordinates) if want_y else None
    shift = x.centre - y.centre
    for l, direction in enumerate(directions):
        px, py = direction @ x.coordinates, direction @ y.coordinates
        order_x, order_y = np.argsort(px, kind="stable"), np.argsort(py, kind="stable")
        costs[l] = kernel.merge(px, order_x, masses_x, py, order_y, masses_y, direction @ shift, power) / total
        factor = power * weights[l] / total
        if gradient_x is not None:
            gradient_x += factor * direction[:, None] * px
        if gradient_y is not None:
            gradient_y += factor * direction[:, None] * py
    return costs, gradient_x, gradient_y
