"""Gaussian mixtures: the density that a distance reads, seen through noise of every size.

q_σ = Σ_k π_k N(m_k, C_k + σ² I) is p blurred by noise of standard deviation σ. One eigendecomposition
C_k = U_k diag(λ_k) U_kᵀ serves every σ, and responsibilities are taken as log-sum-exp, so that no tail underflows.
"""

import functools
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.metrics.signals.kernels import log_densities, scaled_hessians, scaled_scores

Floats = NDArray[np.float64]
MOST_COMPONENTS = 512
MOST_DIMENSIONS = 1024
MOST_ENTRIES = 2**24
"""Of all covariances together."""
SYMMETRY = 1e-10
LEAST_SHARE = 1e-13
"""An eigenvalue below this share of the largest of its matrix is rounding, and counts as zero."""
FARTHEST = 1e70
"""In least widths: beyond, squares of distances leave the range of float64."""


class Mixture(results.Described):
    """A Gaussian mixture Σ_k π_k N(m_k, C_k) in d dimensions.

    ``weights`` (k,) positive and summing to 1, ``means`` (k, d), ``covariances`` (k, d, d) symmetric and positive
    semidefinite; in one dimension means and variances (k,) will do. ``floor`` is added to every variance: the square of
    the width that the data cannot resolve, step²/12 for values rounded to a grid of that step.

    Raises ``ValueError`` naming the component for weights that do not sum to 1, asymmetric matrices, negative
    eigenvalues, shapes that do not fit, NaN. Cost: one eigendecomposition for each component.

    >>> bumps = Mixture([0.5, 0.5], [-2.0, 2.0], [0.25, 0.25])
    >>> bumps.dimension, float(bumps.log_density(0.0).round(6))
    (1, -8.225791)
    """

    def __init__(self, weights: ArrayLike, means: ArrayLike, covariances: ArrayLike, *, floor: float = 0.0) -> None:
        weights = checks.finite_array("weights", weights, ndim=1)
        means = checks.finite_array("means", means, ndim=(1, 2))
        matrices = checks.finite_array("covariances", covariances, ndim=(1, 3))
        floor = checks.real("floor", floor, minimum=0)
        means = means[:, None] if means.ndim == 1 else means
        matrices = matrices[:, None, None] if matrices.ndim == 1 else matrices
        _check_shapes(weights, means, matrices)
        self.weights = _shared(weights)
        self.means = _shared(means)
        self.eigenvalues, self.axes = _eigen(matrices, floor)
        self.rows = _shared(self.axes.transpose(0, 2, 1))
        self.covariances = _shared(matrices + floor * np.eye(means.shape[1]))
        self.floor = floor

    @classmethod
    def fit(
        cls,
        points: ArrayLike,
        components: int = 8,
        *,
        floor: float | None = None,
        seed: int = 0,
    ) -> "Mixture":
        """Return the mixture of ``components`` that fits ``points`` (n, d) by expectation maximisation.

        scikit-learn's ``GaussianMixture``, begun by k-means. ``floor`` (a variance) regularises; by default a
        millionth of the mean variance. Raises ``ValueError`` for fewer points than components. Cost: about
        n · components · d² · 50 operations.

        >>> rng = np.random.default_rng(0)
        >>> sides = np.where(rng.random(600) < 0.5, -3.0, 3.0)
        >>> found = Mixture.fit((sides + rng.normal(size=600))[:, None], 2)
        >>> np.sort(found.means.ravel()).round(0).tolist()
        [-3.0, 3.0]
        """
        from sklearn.mixture import GaussianMixture

        points = checks.finite_array("points", points, ndim=2)
        components = checks.integer("components", components, minimum=1, maximum=MOST_COMPONENTS)
        if len(points) < max(components, 2):
            raise ValueError(f"{len(points)} points cannot determine {components} components; give more points")
        spread = float(points.var(axis=0).mean())
        if not spread > 0:
            raise ValueError("all points are equal; a density needs points that differ")
        floor = 1e-6 * spread if floor is None else checks.real("floor", floor, exclusive_minimum=0)
        seed = checks.integer("seed", seed, minimum=0, maximum=2**32 - 1)
        # In units of the spread, so that scikit-learn's absolute tolerances mean the same for all data.
        unit, centre = np.sqrt(spread), points.mean(axis=0)
        model = GaussianMixture(components, reg_covar=floor / spread, random_state=seed, max_iter=300, tol=1e-4)
        with _quiet():
            model.fit((points - centre) / unit)
        matrices = model.covariances_ * spread
        return cls(
            model.weights_ / model.weights_.sum(),
            model.means_ * unit + centre,
            (matrices + matrices.transpose(0, 2, 1)) / 2,
        )

    @property
    def dimension(self) -> int:
        """The number of coordinates d."""
        return self.means.shape[1]

    @property
    def components(self) -> int:
        """The number of components k."""
        return len(self.weights)

    @functools.cached_property
    def mean(self) -> Floats:
        """The mean of the whole density, (d,)."""
        return self.weights @ self.means

    @functools.cached_property
    def covariance(self) -> Floats:
        """The covariance of the whole density, (d, d)."""
        apart = self.means - self.mean
        return np.einsum("k,kij->ij", self.weights, self.covariances) + (self.weights * apart.T) @ apart

    @property
    def least_variance(self) -> float:
        """The smallest eigenvalue of any component."""
        return float(self.eigenvalues.min())

    @functools.cached_property
    def largest_variance(self) -> float:
        """The largest eigenvalue of the whole density's covariance."""
        return float(max(np.linalg.eigvalsh(self.covariance)[-1], self.eigenvalues.max()))

    def points(self, name: str, x: ArrayLike) -> Floats:
        """Return ``x`` as points (n, d), or raise ``ValueError`` if it is none of this density's; one point (d,) too.

        In one dimension a number is a point, and an array (n,) holds n of them.
        """
        found = checks.finite_array(name, x, ndim=(0, 1, 2))
        d = self.dimension
        if d == 1 and found.ndim < 2:
            found = found.reshape(-1, 1)
        found = np.atleast_2d(found)
        if found.shape[1] != d:
            raise ValueError(f"{name} has points of {found.shape[1]} coordinates; the density has {d}")
        reach = float(np.abs(found).max(initial=0.0) + np.abs(self.means).max())
        if reach > FARTHEST * np.sqrt(max(self.least_variance, self.largest_variance * 1e-30)):
            raise ValueError(
                f"{name} lies {reach:.2g} from the density, whose least width is {np.sqrt(self.least_variance):.2g}; "
                "there every number would overflow: check the units"
            )
        return np.ascontiguousarray(found)

    def point(self, name: str, x: ArrayLike) -> Floats:
        """Return ``x`` as one point (d,)."""
        found = self.points(name, x)
        if len(found) != 1:
            raise ValueError(f"{name} must be one point, got {len(found)}")
        return found[0]

    def log_density(self, x: ArrayLike, sigma: float = 0.0) -> Floats:
        """Return log q_σ at the points ``x``: (n,), or a number for one point. Needs σ > 0 where p has no width."""
        found = self.points("x", x)
        sigma = self._width(sigma)
        places = self.projected(found)
        values = np.empty(len(found))
        log_densities(places, *self.blurred(sigma)[:2], values)
        values -= self.dimension * np.log(2 * np.pi) / 2
        return values if self._is_many(x) else values[0]

    def score(self, x: ArrayLike, sigma: float = 0.0) -> Floats:
        """Return ∇ log q_σ at the points ``x``, (n, d), or (d,) for one point.

        The best denoiser of x + σe is x + σ² times this, Tweedie's formula.

        >>> Mixture([1.0], [0.0], [4.0]).score(2.0, sigma=1.0).tolist()
        [-0.4]
        """
        found = self.points("x", x)
        sigma = self._width(sigma)
        log_weights, inverse = self.blurred(sigma)
        values = np.empty((len(found), 1, self.dimension))
        nothing = np.zeros((1, self.components, self.dimension))
        scaled_scores(self.projected(found), nothing, sigma, log_weights, inverse, self.rows, 1.0, values)
        values = values[:, 0]
        return values if self._is_many(x) else values[0]

    def hessian(self, x: ArrayLike, sigma: float = 0.0) -> Floats:
        """Return the second derivatives of log q_σ at the points ``x``, (n, d, d), or (d, d) for one point."""
        found = self.points("x", x)
        sigma = self._width(sigma)
        log_weights, inverse = self.blurred(sigma)
        d = self.dimension
        values = np.empty((len(found), 1, d, d))
        nothing = np.zeros((1, self.components, d))
        precisions = self.precisions(inverse)
        scaled_hessians(self.projected(found), nothing, sigma, log_weights, inverse, self.rows, precisions, 1.0, values)
        values = values[:, 0]
        return values if self._is_many(x) else values[0]

    def sample(self, n: int, *, seed: int | np.random.Generator = 0) -> Floats:
        """Return ``n`` independent points of the density, (n, d)."""
        n = checks.integer("n", n, minimum=1)
        checks.memory(24.0 * n * self.dimension, "the sample")
        rng = checks.generator(seed)
        chosen = rng.choice(self.components, n, p=self.weights / self.weights.sum())
        normal = rng.normal(size=(n, self.dimension))
        made = np.empty_like(normal)
        for k in range(self.components):
            mine = chosen == k
            made[mine] = self.means[k] + (normal[mine] * np.sqrt(self.eigenvalues[k])) @ self.axes[k].T
        return made

    def surprise(self, x: ArrayLike) -> Floats:
        """Return how many standard deviations each point lies from its nearest component, (n,): Mahalanobis' distance.

        Far beyond √d the density says nothing of the point, and one component dominates whatever is measured there.
        """
        places = self.projected(self.points("x", x))
        with np.errstate(divide="ignore", invalid="ignore"):
            squares = np.where(places == 0, 0.0, places**2 / self.eigenvalues)
        return np.sqrt(squares.sum(axis=2).min(axis=1))

    def projected(self, points: Floats) -> Floats:
        """Return the points (n, d) in the axes of every component, from its mean: (n, k, d)."""
        made = np.empty((len(points), self.components, self.dimension))
        for k in range(self.components):
            made[:, k] = (points - self.means[k]) @ self.axes[k]
        return made

    def turned(self, noise: Floats) -> Floats:
        """Return noise vectors (m, d) in the axes of every component, (m, k, d)."""
        return np.ascontiguousarray(np.einsum("md,kdc->mkc", noise, self.axes))

    def blurred(self, sigma: float) -> tuple[Floats, Floats]:
        """Return what blur σ makes of the components: log π − ½ log det (k,), inverse variances (k, d)."""
        variances = self.eigenvalues + sigma**2
        return np.log(self.weights) - np.log(variances).sum(axis=1) / 2, 1 / variances

    def precisions(self, inverse: Floats) -> Floats:
        """Return the inverse covariances (k, d, d) for inverse variances (k, d)."""
        return np.ascontiguousarray((self.axes * inverse[:, None, :]) @ self.axes.transpose(0, 2, 1))

    def describe(self) -> Any:
        """Return the three arrays, or their digests, for provenance."""
        return {
            "weights": results.describe(self.weights),
            "means": results.describe(self.means),
            "covariances": results.describe(self.covariances),
        }

    def __repr__(self) -> str:
        return f"Mixture({self.components} components in {self.dimension} dimensions)"

    def _width(self, sigma: float) -> float:
        sigma = checks.real("sigma", sigma, minimum=0)
        if sigma == 0 and self.least_variance == 0:
            raise ValueError(f"{_flat(self)}; give sigma > 0, or a floor to the mixture")
        return sigma

    def _is_many(self, x: Any) -> bool:
        return np.ndim(x) == 2 or (self.dimension == 1 and np.ndim(x) == 1)


def checked(density: Any) -> Mixture:
    """Return ``density`` if it is a mixture; ``TypeError`` otherwise."""
    if not isinstance(density, Mixture):
        raise TypeError(
            f"density must be a metrics.Mixture, got {type(density).__name__}; Mixture.fit(points) makes one from data"
        )
    return density


def needs_width(density: Mixture, snr: float) -> None:
    """Raise ``ValueError`` if the distance is infinite: at infinite SNR, of a density without width."""
    if np.isinf(snr) and density.least_variance == 0:
        raise ValueError(
            f"{_flat(density)}, so the distance is infinite at infinite SNR; give a finite snr, or a floor to the "
            "mixture (step²/12 for data rounded to that step)"
        )


def checked_snr(snr: Any) -> float:
    """Return an SNR, infinity allowed."""
    if isinstance(snr, (float, np.floating)) and snr == np.inf:
        return float(np.inf)
    return checks.real("snr", snr, exclusive_minimum=0, maximum=1e12)


def _flat(density: Mixture) -> str:
    k = int(np.argmin(density.eigenvalues.min(axis=1)))
    return f"component {k} of the density has no width in some direction"


def _check_shapes(weights: Floats, means: Floats, matrices: Floats) -> None:
    k, d = len(weights), means.shape[1]
    if k > MOST_COMPONENTS or d > MOST_DIMENSIONS or k * d * d > MOST_ENTRIES:
        raise ValueError(
            f"a mixture of {k} components in {d} dimensions is too large: up to {MOST_COMPONENTS} components, "
            f"{MOST_DIMENSIONS} dimensions and {MOST_ENTRIES:,} entries of covariances"
        )
    if len(means) != k or matrices.shape != (k, d, d):
        raise ValueError(
            f"weights {weights.shape}, means {means.shape} and covariances {matrices.shape} do not fit; they are (k,), "
            "(k, d) and (k, d, d)"
        )
    for name, values in (("means", means), ("covariances", matrices)):
        largest = float(np.abs(values).max())
        if largest > 1e100:
            raise ValueError(f"{name} hold {largest:.2g}; squares of it overflow: change the units")
    if not np.all(weights > 0):
        worst = int(np.argmin(weights))
        raise ValueError(f"weight {worst} is {weights[worst]:g}; weights are positive: leave the component out")
    total = float(weights.sum())
    if not abs(total - 1) <= 1e-9:
        raise ValueError(f"weights sum to {total:.12g}, not to 1; divide them by their sum")


def _eigen(matrices: Floats, floor: float) -> tuple[Floats, Floats]:
    """Return eigenvalues (k, d) and eigenvectors (k, d, d) of the covariances, refused by name where they are none."""
    for k, matrix in enumerate(matrices):
        scale = float(np.abs(matrix).max())
        if not np.all(np.abs(matrix - matrix.T) <= SYMMETRY * scale):
            raise ValueError(f"covariance {k} is not symmetric; give (C + Cᵀ)/2 if that is what you mean")
    values, vectors = np.linalg.eigh((matrices + matrices.transpose(0, 2, 1)) / 2)
    largest = np.abs(values).max(axis=1)
    for k in range(len(values)):
        if not values[k, 0] >= -1e-12 * largest[k]:
            raise ValueError(
                f"covariance {k} has the eigenvalue {values[k, 0]:.3g}; a covariance has none below 0: it is not "
                "positive semidefinite"
            )
    values = np.where(values <= LEAST_SHARE * largest[:, None], 0.0, values) + floor
    return _shared(values), _shared(vectors)


def _shared(values: Floats) -> Floats:
    """Return a copy that nobody writes into."""
    made = np.array(values, dtype=np.float64, order="C")
    made.flags.writeable = False
    return made


def _quiet() -> Any:
    """Return a context without scikit-learn's warning that the last digits of a fit had not settled."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    context = warnings.catch_warnings()

    class Quiet:
        def __enter__(self) -> None:
            context.__enter__()
            warnings.simplefilter("ignore", ConvergenceWarning)

        def __exit__(self, *told: Any) -> None:
            context.__exit__(*told)

    return Quiet()
