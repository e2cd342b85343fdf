"""A rival without training: undo the known blur of one population, and follow the exact field of what comes out."""

import numpy as np

from workbench import checks
from workbench.fields.core.exact import ExactField, exact_field
from workbench.fields.core.laws import Floats, GaussianMixture, gaussian
from workbench.fields.population.laws import BLUR, PRINT

SIDE, EDGE = 40, 3.6
LEAST = 1e-7


def deconvolve(source: Floats, rounds: int = 60) -> GaussianMixture:
    """Return the law before the blur: the nonparametric maximum-likelihood mixture on a grid of 40 × 40.

    ``source`` (n, 2) are points with noise of variance 0.5² + 0.05²; ``rounds`` of the EM algorithm of Kiefer and
    Wolfowitz's estimate over [−3.6, 3.6]². It knows the noise and nothing of letters, and is as spiky as all such
    estimates. Raises ``ValueError`` for points far outside. Cost: ``rounds`` · n · 1,600 · 1 ns.

    Reference: Kiefer and Wolfowitz, "Consistency of the maximum likelihood estimator …", 1956.

    >>> deconvolve(np.random.default_rng(0).normal(scale=0.5, size=(50, 2))).dimension
    2
    """
    x = checks.finite_array("source", source, ndim=2)
    rounds = checks.integer("rounds", rounds, minimum=1, maximum=10_000)
    if x.shape[1] != 2 or np.abs(x).max() > EDGE + 6 * BLUR:
        raise ValueError(f"the deconvolution has a grid of half-width {EDGE} in the plane; these points leave it")
    side = np.linspace(-EDGE, EDGE, SIDE)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    squares = ((x[:, None, :] - grid) ** 2).sum(axis=2)
    likelihood = np.exp(-(squares - squares.min(axis=1, keepdims=True)) / (2 * (BLUR**2 + PRINT**2)))
    weights = np.full(len(grid), 1 / len(grid))
    for _ in range(rounds):
        weights *= (1 / (likelihood @ weights)) @ likelihood / len(x)
    kept = weights > LEAST
    weights = weights[kept] / weights[kept].sum()
    return GaussianMixture(weights, grid[kept], np.tile(PRINT**2 * np.eye(2), (len(weights), 1, 1)))


def deconvolved_field(source: Floats) -> ExactField:
    """Return the exact field of the deconvolved law, which is what a population tells of itself."""
    return exact_field(gaussian([0.0, 0.0], BLUR**2 * np.eye(2)), deconvolve(source), "paired")
