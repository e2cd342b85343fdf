"""Laws that a field starts from and ends in: Gaussian mixtures, and finite samples."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.registry import Registry

Floats = NDArray[np.float64]
MOST_COMPONENTS = 4096
MOST_POINTS = 200_000
MOST_DIMENSIONS = 512
MOST_ENTRIES = 2**24
"""Of all covariances of a mixture together, or of all coordinates of a sample."""
SYMMETRY = 1e-10
LEAST_SHARE = 1e-12
"""Of an eigenvalue in the largest of its matrix, below which the law counts as flat there and has no density."""


class GaussianMixture(results.Described):
    """A mixture Σ_k π_k N(m_k, C_k) of Gaussians in d dimensions; one component is a Gaussian.

    ``weights`` (k,) positive with sum 1, ``means`` (k, d), ``covariances`` (k, d, d) symmetric and positive definite;
    in one dimension means and variances (k,) will do. Raises ``ValueError`` naming the component for weights that do
    not sum to 1, asymmetric or singular covariances, and shapes that do not fit. Cost: an eigendecomposition each.

    >>> law = GaussianMixture([0.3, 0.7], [-2.0, 1.5], [0.25, 0.5])
    >>> law.dimension, float(law.mean[0].round(6)), float(law.covariance[0, 0].round(4))
    (1, 0.45, 2.9975)
    """

    def __init__(self, weights: ArrayLike, means: ArrayLike, covariances: ArrayLike) -> None:
        weights = checks.finite_array("weights", weights, ndim=1)
        means = checks.finite_array("means", means, ndim=(1, 2))
        covariances = checks.finite_array("covariances", covariances, ndim=(1, 3))
        means = means[:, None] if means.ndim == 1 else means
        covariances = covariances[:, None, None] if covariances.ndim == 1 else covariances
        k, d = means.shape
        if len(weights) != k or covariances.shape != (k, d, d):
            raise ValueError(
                f"a mixture of {k} means in {d} dimension(s) needs weights ({k},) and covariances ({k}, {d}, {d}); got "
                f"{weights.shape} and {covariances.shape}"
            )
        if k > MOST_COMPONENTS or d > MOST_DIMENSIONS or covariances.size > MOST_ENTRIES:
            raise ValueError(
                f"a mixture may have {MOST_COMPONENTS:,} components, {MOST_DIMENSIONS} dimensions and {MOST_ENTRIES:,} "
                f"entries of covariances; got {k:,}, {d:,} and {covariances.size:,}"
            )
        if (weights <= 0).any() or abs(weights.sum() - 1) > 1e-9:
            raise ValueError(f"weights must be positive and sum to 1; they sum to {weights.sum():.6g}")
        for j, matrix in enumerate(covariances):
            _check_covariance(j, matrix)
        self.weights = weights / weights.sum()
        self.means = means
        self.covariances = 0.5 * (covariances + covariances.transpose(0, 2, 1))
        self._roots = np.linalg.cholesky(self.covariances)

    def describe(self) -> Any:
        """Return weights, means and covariances."""
        return {"weights": self.weights, "means": self.means, "covariances": self.covariances}

    @property
    def dimension(self) -> int:
        """The number d of coordinates."""
        return self.means.shape[1]

    @property
    def mean(self) -> Floats:
        """The mean (d,) of the whole law."""
        return self.weights @ self.means

    @property
    def covariance(self) -> Floats:
        """The covariance (d, d) of the whole law."""
        apart = self.means - self.mean
        return np.einsum("k,kab->ab", self.weights, self.covariances) + np.einsum(
            "k,ka,kb->ab", self.weights, apart, apart
        )

    @property
    def is_gaussian(self) -> bool:
        """Whether there is one component."""
        return len(self.weights) == 1

    @property
    def isotropic_variance(self) -> float | None:
        """s² if the law is a Gaussian N(m, s² I), else None."""
        if not self.is_gaussian:
            return None
        matrix = self.covariances[0]
        s2 = float(matrix[0, 0])
        return s2 if np.array_equal(matrix, s2 * np.eye(len(matrix))) else None

    def sample(self, n: int, seed: int | np.random.Generator = 0) -> Floats:
        """Return ``n`` independent points (n, d).

        >>> standard_gaussian(2).sample(3, seed=0).shape
        (3, 2)
        """
        n = checks.integer("n", n, minimum=1, maximum=10**8)
        rng = checks.generator(seed)
        which = rng.choice(len(self.weights), size=n, p=self.weights)
        noise = rng.standard_normal((n, self.dimension))
        return self.means[which] + np.einsum("nab,nb->na", self._roots[which], noise)


class FiniteSample(results.Described):
    """A law that sits on the points (n, d) of a sample, each with mass 1/n: what a network is really trained on.

    >>> FiniteSample([[0.0, 1.0], [2.0, 3.0]]).dimension
    2
    """

    def __init__(self, points: ArrayLike) -> None:
        points = checks.finite_array("points", points, ndim=(1, 2))
        points = points[:, None] if points.ndim == 1 else points
        if len(points) > MOST_POINTS or points.shape[1] > MOST_DIMENSIONS or points.size > MOST_ENTRIES:
            raise ValueError(
                f"a sample may have {MOST_POINTS:,} points in {MOST_DIMENSIONS} dimensions and {MOST_ENTRIES:,} "
                f"coordinates in all; got shape {points.shape}"
            )
        self.points = np.ascontiguousarray(points)

    def describe(self) -> Any:
        """Return the points."""
        return {"points": self.points}

    @property
    def dimension(self) -> int:
        """The number d of coordinates."""
        return self.points.shape[1]

    @property
    def mean(self) -> Floats:
        """The mean (d,)."""
        return self.points.mean(axis=0)

    @property
    def covariance(self) -> Floats:
        """The covariance (d, d) of the law itself, with divisor n."""
        apart = self.points - self.mean
        return apart.T @ apart / len(apart)

    def sample(self, n: int, seed: int | np.random.Generator = 0) -> Floats:
        """Return ``n`` of the points, drawn with replacement."""
        n = checks.integer("n", n, minimum=1, maximum=10**8)
        return self.points[checks.generator(seed).integers(len(self.points), size=n)]


Law = GaussianMixture | FiniteSample


def _check_covariance(j: int, matrix: Floats) -> None:
    size = float(np.abs(matrix).max())
    if np.abs(matrix - matrix.T).max() > SYMMETRY * size:
        raise ValueError(f"the covariance of component {j} is not symmetric")
    values = np.linalg.eigvalsh(matrix)
    if not values[0] > LEAST_SHARE * values[-1]:
        raise ValueError(
            f"the covariance of component {j} is not positive definite (eigenvalues {values[0]:.3g} to "
            f"{values[-1]:.3g}); add a small multiple of the identity"
        )


def standard_gaussian(dimension: int, scale: float = 1.0) -> GaussianMixture:
    """Return N(0, scale² I), the usual source.

    >>> standard_gaussian(3, 2.0).isotropic_variance
    4.0
    """
    d = checks.integer("dimension", dimension, minimum=1, maximum=MOST_DIMENSIONS)
    s = checks.real("scale", scale, exclusive_minimum=0)
    return GaussianMixture([1.0], np.zeros((1, d)), s * s * np.eye(d)[None])


def gaussian(mean: ArrayLike, covariance: ArrayLike) -> GaussianMixture:
    """Return N(mean, covariance), ``mean`` (d,) and ``covariance`` (d, d); numbers in one dimension.

    >>> gaussian(1.0, 0.25).covariances.tolist()
    [[[0.25]]]
    """
    mean = np.atleast_1d(checks.finite_array("mean", mean, ndim=(0, 1)))
    covariance = np.atleast_2d(checks.finite_array("covariance", covariance, ndim=(0, 2)))
    return GaussianMixture([1.0], mean[None], covariance[None])


# ---- named laws in the plane ----------------------------------------------------------------------------------------

LAWS = Registry("law")
"""Targets of the page, by name; each is a function of nothing that returns a mixture in the plane."""


@LAWS.add("five-blobs", label="Five blobs on a circle", formula=r"m_k = 2\,(\cos 2\pi k/5, \sin 2\pi k/5)")
def five_blobs() -> GaussianMixture:
    """Return five Gaussians of covariance diag(0.08, 0.3) on a circle of radius 2."""
    turn = 2 * np.pi * np.arange(5) / 5
    means = 2 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return GaussianMixture(np.full(5, 0.2), means, np.tile(np.diag([0.08, 0.3]), (5, 1, 1)))


@LAWS.add("two-blobs", label="Two blobs")
def two_blobs() -> GaussianMixture:
    """Return two round Gaussians, the left one with three quarters of the mass."""
    return GaussianMixture([0.75, 0.25], [[-1.8, 0.0], [1.8, 0.0]], np.tile(0.15 * np.eye(2), (2, 1, 1)))


@LAWS.add("cross", label="A cross")
def cross() -> GaussianMixture:
    """Return two flat Gaussians that lie across each other."""
    return GaussianMixture([0.5, 0.5], np.zeros((2, 2)), [np.diag([4.0, 0.05]), np.diag([0.05, 4.0])])


@LAWS.add("gaussian", label="One tilted Gaussian")
def tilted() -> GaussianMixture:
    """Return one Gaussian, narrow and turned."""
    return gaussian([1.5, 0.5], [[1.0, 0.75], [0.75, 0.7]])


@LAWS.add("moons", label="Two moons")
def moons() -> GaussianMixture:
    """Return two half rings that hold each other, twelve Gaussians each."""
    turn = np.pi * (np.arange(12) + 0.5) / 12
    upper = np.stack([2 * np.cos(turn) - 1, 2 * np.sin(turn) - 0.5], axis=1)
    return GaussianMixture(np.full(24, 1 / 24), np.concatenate([upper, -upper]), np.tile(0.04 * np.eye(2), (24, 1, 1)))


def as_law(name: str, value: Any) -> Law:
    """Return a law: one itself, the name of one in ``LAWS``, or points (n, d) as a :class:`FiniteSample`.

    >>> as_law("target", "two-blobs").dimension, as_law("target", [[0.0, 1.0]]).dimension
    (2, 2)
    """
    if isinstance(value, GaussianMixture | FiniteSample):
        return value
    if isinstance(value, str):
        return LAWS[value]()
    try:
        return FiniteSample(value)
    except TypeError as error:
        raise TypeError(
            f"{name} must be a GaussianMixture, a FiniteSample, the name of a law or points (n, d): {error}"
        ) from error
