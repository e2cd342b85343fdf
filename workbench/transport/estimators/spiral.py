"""The generalised spiral on the sphere: z_i = 1 − (2i−1)/L, φ_i = 1.8 √L arccos z_i, randomly rotated."""

import numpy as np
from numpy.typing import NDArray

from workbench.transport.estimators.base import ESTIMATORS, Rule, equal_weights, random_rotations, require_dim


def spiral_points(n_directions: int) -> NDArray[np.float64]:
    """Return the unrotated spiral, (n_directions, 3)."""
    z = 1 - (2 * np.arange(1, n_directions + 1) - 1) / n_directions
    azimuth = 1.8 * np.sqrt(n_directions) * np.arccos(z)
    radius = np.sqrt(1 - z**2)
    return np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth), z], axis=1)


@ESTIMATORS.add(
    "spiral",
    label="Spiral (d = 3)",
    formula=r"z_i = 1-\frac{2i-1}{L},\ \varphi_i = 1.8\sqrt{L}\arccos z_i,\ \text{one Haar rotation}",
    reference="Nguyen, Bariletto, Ho, Quasi-Monte Carlo for 3D sliced Wasserstein, arXiv 2309.11713",
    cost="any number of directions",
    dim=3,
)
def spiral(n_directions: int, dim: int, rng: np.random.Generator) -> Rule:
    """Return the spiral under one Haar rotation, equal weights; unbiased, d = 3 only."""
    require_dim("spiral", dim, 3, "'design' or 'orthogonal'")
    return equal_weights(spiral_points(n_directions) @ random_rotations(1, 3, rng)[0])
