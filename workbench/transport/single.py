"""One part of the directions in float32, through the fused kernel."""

import numpy as np
from numpy.typing import NDArray

from workbench.transport import equal, kernel
from workbench.transport.measures import Cloud

Part = tuple[NDArray, NDArray | None, NDArray | None]


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
    offsets = (directions @ (x.centre - y.centre)).astype(np.float32)
    thetas = np.ascontiguousarray(directions, dtype=np.float32)
    same = x.n == y.n and x.masses is None and y.masses is None
    clouds = (x.coordinates, y.coordinates, x.radius, y.radius)
    if same and not want_y:
        if not want_x:
            return equal.costs_equal(*clouds, thetas, offsets, power, equal.top_bits(x.n)) / x.n, None, None
        factors = (power * weights / x.n).astype(np.float32)
        costs, gradient = equal.gradient_equal(*clouds, thetas, offsets, factors, power, equal.top_bits(x.n))
        return costs / x.n, gradient, None
    masses_x, masses_y, total = integer_masses(x, y)
    factors = (power * weights / total).astype(np.float32)
    costs, gradient_x, gradient_y = kernel.gradient_merged(
        *clouds, masses_x, masses_y, thetas, offsets, factors, power, want_x, want_y
    )
    return costs / total, gradient_x if want_x else None, gradient_y if want_y else None


def integer_masses(x: Cloud, y: Cloud) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return masses for the merge and their total; whole numbers (exact in float64) when both clouds are uniform."""
    if x.masses is None and y.masses is None:
        common = np.lcm(x.n, y.n)
        return np.full(x.n, float(common // x.n)), np.full(y.n, float(common // y.n)), float(common)
    return x.all_masses, y.all_masses, 1.0
