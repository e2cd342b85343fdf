"""Plain Monte Carlo: iid uniform directions, equal weights. Error sd(f)/√L, in any dimension."""

import numpy as np

from workbench.transport.estimators.base import ESTIMATORS, Rule, equal_weights, uniform_directions


@ESTIMATORS.add(
    "monte-carlo",
    label="Monte Carlo",
    formula=r"\frac{1}{L}\sum_l f(\theta_l),\ \theta_l\ \text{iid}",
    reference="Bonneel, Rabin, Peyré, Pfister, Sliced and Radon Wasserstein barycenters of measures, 2015",
    cost="error falls like L^(-1/2)",
)
def monte_carlo(n_directions: int, dim: int, rng: np.random.Generator) -> Rule:
    """Return iid uniform directions with equal weights; unbiased."""
    return equal_weights(uniform_directions(n_directions, dim, rng))
