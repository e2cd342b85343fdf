"""What learns a latent flow: a fitted mixture with its exact field, or a network trained by flow matching."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.datasets import load_digits
from sklearn.mixture import GaussianMixture as Fit

from workbench.fields.core.exact import exact_field
from workbench.fields.core.laws import Floats, GaussianMixture, standard_gaussian
from workbench.fields.core.network import FieldNetwork
from workbench.fields.core.training import train
from workbench.progress import Progress
from workbench.registry import Registry

GREY = 16.0
RIDGE = 2e-3
"""Added to each class's covariance: corners of the pictures never change."""
FLOOR = 1e-3
"""Added by the fit to each covariance, as a share of the mean variance of a latent axis past 1, at least 10⁻³."""
WIDTH, DEPTH, STEPS, BATCH = 128, 3, 1500, 256

LEARNERS = Registry("learner")
"""What learns a field from latent points (n, k): (points, source, components, seed, progress) → field."""


def digits_law() -> GaussianMixture:
    """Return the mixture of the ten classes of scikit-learn's digits, grey from 0 to 1: a truth to measure against.

    Class means, class covariances (divisor n − 1) + 2·10⁻³ I, weights by the class counts.

    >>> law = digits_law()
    >>> law.dimension, float(np.trace(law.covariance).round(6))
    (64, 4.836486)
    """
    digits = load_digits()
    groups = [digits.data[digits.target == k] / GREY for k in range(10)]
    return GaussianMixture(
        [len(group) / len(digits.data) for group in groups],
        [group.mean(axis=0) for group in groups],
        [np.cov(group.T) + RIDGE * np.eye(64) for group in groups],
    )


def source_for(points: Floats) -> GaussianMixture:
    """Return N(0, s² I) with s² the mean variance of an axis of latent points (n, k)."""
    scale = float(np.sqrt(points.var(axis=0).mean()))
    return standard_gaussian(points.shape[1], max(scale, 1e-6))


@LEARNERS.add(
    "mixture",
    label="Fitted mixture, its exact field",
    formula=r"v^*\ \text{of the EM fit}",
    reference="Dempster, Laird, Rubin, “Maximum likelihood from incomplete data via the EM algorithm”, 1977",
)
def mixture(points: Floats, source: GaussianMixture, components: int, seed: int, progress: Progress) -> Any:
    """Return the exact field of a mixture fitted by EM: no training loop, and the rival that a network has to beat."""
    ridge = FLOOR * max(float(points.var(axis=0).mean()), 1.0) if points.var() > FLOOR else FLOOR * float(points.var())
    fit = Fit(min(components, max(len(points) // 5, 1)), reg_covar=ridge, random_state=seed, max_iter=1000).fit(points)
    return exact_field(source, GaussianMixture(fit.weights_ / fit.weights_.sum(), fit.means_, fit.covariances_))


@LEARNERS.add(
    "network",
    label="Network, 1,500 steps",
    formula=r"\min_v \mathbb{E}\|v(x_t, t) - u\|^2",
    reference="Dao, Phung, Nguyen, Tran, “Flow matching in latent space”, arXiv 2307.08698",
)
def network(points: Floats, source: GaussianMixture, components: int, seed: int, progress: Progress) -> Any:
    """Return a 128 × 3 network after 1,500 steps of Adam on batches of 256."""
    rng = np.random.default_rng([5, seed])
    done = 0

    def draw() -> tuple[Floats, Floats, Floats]:
        nonlocal done
        done += 1
        if done % 20 == 0:
            progress.update(done, STEPS, f"step {done:,} of {STEPS:,}")
        return source.sample(BATCH, rng), points[rng.integers(len(points), size=BATCH)], rng.random(BATCH)

    fresh = FieldNetwork.fresh(points.shape[1], width=WIDTH, depth=DEPTH, seed=rng)  # type: ignore[arg-type]
    return train(fresh, draw, STEPS)


def learned(
    name: str, points: ArrayLike, source: GaussianMixture, components: int, seed: int, progress: Progress
) -> Any:
    """Return the field that a learner of ``LEARNERS`` makes of latent points."""
    return LEARNERS[name].function(points, source, components, seed, progress)
