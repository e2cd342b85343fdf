"""Equal angles in the plane: L lines through the origin, π/L apart, with one random offset.

Exact for every even trigonometric polynomial of degree below 2L.
"""

import numpy as np

from workbench.transport.estimators.base import ESTIMATORS, Rule, equal_weights, require_dim


@ESTIMATORS.add(
    "equispaced",
    label="Equal angles (d = 2)",
    formula=r"\theta_l = \pi(l+u)/L,\ u\ \text{uniform}",
    reference="the trapezoidal rule on the circle",
    cost="exact for even harmonics below degree 2L",
    dim=2,
)
def equispaced(n_directions: int, dim: int, rng: np.random.Generator) -> Rule:
    """Return equal angles with a uniform offset, equal weights; unbiased, d = 2 only."""
    require_dim("equispaced", dim, 2, "'design' or 'orthogonal'")
    angles = np.pi * (np.arange(n_directions) + rng.random()) / n_directions
    return equal_weights(np.stack([np.cos(angles), np.sin(angles)], axis=1))
