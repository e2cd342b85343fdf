"""The distances that a user would otherwise pick, beside the information-estimation metric, in one registry.

Each takes a density and points and returns squared distances of all pairs; what they mean by "far" differs.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.metrics.signals.features import squared_distances
from workbench.metrics.signals.mixture import Mixture
from workbench.progress import Progress
from workbench.registry import Fact, Registry

Floats = NDArray[np.float64]
PAPER = "arXiv 2510.02514"

SIGNAL_DISTANCES = Registry(
    "signal distance",
    facts={
        "symbol": Fact(str, says="a short name, for tables"),
        "reads_density": Fact(bool, says="whether it depends on the density"),
    },
)
"""Name → squared distances (n, n) of points (n, d) under a density."""


@SIGNAL_DISTANCES.add(
    "iem",
    label="Information-estimation metric",
    formula=r"\int_0^\infty E\|\varepsilon_1-\varepsilon_2\|^2\,d\gamma",
    reference=PAPER,
    cost="n passes",
    symbol="IEM",
    reads_density=True,
)
def full(density: Mixture, points: Floats, **options: Any) -> Floats:
    """Return IEM² at infinite SNR."""
    return squared_distances(density, points, snr=np.inf, progress=Progress(), **options)[0]


@SIGNAL_DISTANCES.add(
    "iem-1",
    label="Information-estimation metric up to the SNR where noise and density are as wide",
    formula=r"\int_0^{\Gamma} E\|\varepsilon_1-\varepsilon_2\|^2\,d\gamma",
    reference=PAPER,
    cost="n passes",
    symbol="IEM, coarse",
    reads_density=True,
)
def coarse(density: Mixture, points: Floats, **options: Any) -> Floats:
    """Return IEM² up to G = 1/mean variance: what is told apart under noise as wide as the density itself."""
    snr = density.dimension / float(np.trace(density.covariance))
    return squared_distances(density, points, snr=snr, progress=Progress(), **options)[0]


@SIGNAL_DISTANCES.add(
    "euclidean", label="Euclidean", formula=r"\|x_1-x_2\|", symbol="Euclid", reads_density=False, cost="n² d"
)
def euclidean(density: Mixture, points: Floats, **options: Any) -> Floats:
    """Return ‖x₁ − x₂‖²."""
    return np.square(points[:, None] - points[None]).sum(axis=2)


@SIGNAL_DISTANCES.add(
    "mahalanobis",
    label="Mahalanobis, of the whole density",
    formula=r"(x_1-x_2)^T C^{-1}(x_1-x_2)",
    symbol="Mahalanobis",
    reads_density=True,
    cost="n² d²",
)
def mahalanobis(density: Mixture, points: Floats, **options: Any) -> Floats:
    """Return the squared distance in standard deviations of the whole density."""
    values, vectors = np.linalg.eigh(density.covariance)
    white = points @ vectors / np.sqrt(np.maximum(values, values[-1] * 1e-13))
    return np.square(white[:, None] - white[None]).sum(axis=2)


@SIGNAL_DISTANCES.add(
    "log-density",
    label="Difference of log-densities",
    formula=r"|\log p(x_1)-\log p(x_2)|",
    symbol="|Δ log p|",
    reads_density=True,
    cost="n",
)
def log_density(density: Mixture, points: Floats, **options: Any) -> Floats:
    """Return (log p(x₁) − log p(x₂))², which is no metric: different points may have distance 0."""
    values = density.log_density(points)
    return np.square(values[:, None] - values[None])
