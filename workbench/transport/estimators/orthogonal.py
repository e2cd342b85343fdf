"""Orthogonal directions: blocks of d mutually orthogonal unit vectors, each block a Haar rotation.

Within a full block Σ θθᵀ = I, so quadratic functions of θ are integrated exactly: translations and homotheties cost
no noise at all.
"""

import numpy as np

from workbench.transport.estimators.base import ESTIMATORS, Rule, equal_weights, random_rotations


@ESTIMATORS.add(
    "orthogonal",
    label="Orthogonal blocks",
    formula=r"\frac{1}{L}\sum_l f(\theta_l),\ \theta\ \text{in Haar blocks of } d",
    reference="Rowland, Hron, Tang, Choromanski, Sarlós, Weller, Orthogonal estimation of Wasserstein distances, "
    "arXiv 1903.03784",
    cost="exact for quadratics when L is a multiple of d",
)
def orthogonal(n_directions: int, dim: int, rng: np.random.Generator) -> Rule:
    """Return the first ``n_directions`` rows of as many Haar blocks as needed, equal weights; unbiased.

    >>> rule = orthogonal(6, 3, np.random.default_rng(0))
    >>> bool(np.abs(rule.directions.T @ rule.directions / 6 - np.eye(3) / 3).max() < 1e-12)
    True
    """
    blocks = random_rotations(-(-n_directions // dim), dim, rng)
    return equal_weights(blocks.reshape(-1, dim)[:n_directions])
