"""A Gaussian process that is told energies and gradients, and answers with energy, gradient, Hessian and variance.

Kernel over features f(x): k(x, x′) = σ² exp(−½ Σ_p θ_p² (f_p − f_p′)²) + c², one inverse length scale θ for every kind
of feature. With u = θ f, Jacobian J of u and δ = u − u′ the blocks of the covariance are

    cov(E, E′) = k + c²,   cov(E, ∇E′) = k J′ᵀδ,   cov(∇E, E′) = −k Jᵀδ,   cov(∇E, ∇E′) = k (JᵀJ′ − Jᵀδ δᵀJ′).

The mean is linear in the weights K⁻¹y, so its gradient and its Hessian are closed forms as well; no finite differences
are taken anywhere. Reference: R. Goswami, H. Jónsson, arXiv 2510.06030; O.-P. Koistinen et al., J. Chem. Theory Comput.
16 (2020) 499.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from workbench import checks
from workbench.steps.saddles.features import Features, features_for

Array = NDArray[np.float64]
NOISE = 1e-7
"""Variance of the noise of energies and of gradient components: the floor that keeps near-copies from ruining K."""
JITTER = (0.0, 1e-10, 1e-8, 1e-6, 1e-4)
"""Added to the diagonal, in units of its mean, only after a Cholesky factorisation has failed."""


@dataclass
class Data:
    """Observations in features, scaled by nothing: x (N, d), energies (N), gradients (N, d), features and Jacobians."""

    x: Array
    energies: Array
    gradients: Array
    f: Array
    jacobians: Array

    def __len__(self) -> int:
        return len(self.energies)

    def subset(self, indices: NDArray[np.intp]) -> "Data":
        """Return some of the observations."""
        return Data(*(part[indices] for part in (self.x, self.energies, self.gradients, self.f, self.jacobians)))


def make_data(features: Features, x: Array, energies: Array, gradients: Array) -> Data:
    """Return observations with their features."""
    made = [features.values(row) for row in x]
    return Data(x, energies, gradients, np.array([f for f, _ in made]), np.array([j for _, j in made]))


@dataclass
class Surrogate:
    """A Gaussian process for an energy surface, conditioned on energies and gradients.

    ``size`` is the number of coordinates, ``species`` the atoms they belong to (None: plain coordinates). ``constant``
    is c² (an unknown level of the energy), ``noise`` the variance of every observation.

    >>> import numpy as np
    >>> model = Surrogate(1).fit([[0.0], [1.0]], [0.0, 1.0], [[0.0], [2.0]], variance=2.0, scales=[0.7])
    >>> energy, gradient = model.predict([0.5])
    >>> abs(energy - 0.25) < 0.02, model.hessian([0.5]).shape
    (True, (1, 1))
    """

    size: int
    species: Sequence[str] | None = None
    constant: float = 0.0
    noise: float = NOISE
    variance: float = 1.0
    scales: Array = field(default_factory=lambda: np.ones(1))
    reference: float = 0.0

    def __post_init__(self) -> None:
        self.size = checks.integer("size", self.size, minimum=1)
        if self.species is not None and 3 * len(self.species) != self.size:
            raise ValueError(f"{len(self.species)} species need {3 * len(self.species)} coordinates, got {self.size}")
        self.features = features_for(self.size, self.species)
        self.scales = np.ones(len(self.features.types))

    def fit(
        self,
        x: ArrayLike,
        energies: ArrayLike,
        gradients: ArrayLike,
        *,
        variance: float | None = None,
        scales: ArrayLike | None = None,
        reference: float | None = None,
    ) -> "Surrogate":
        """Condition on observations: ``x`` (N, d), ``energies`` (N), ``gradients`` (N, d). Returns itself.

        ``variance`` is σ², ``scales`` the inverse length scales θ, one for each of ``features.types``; they keep their
        values if not given (:func:`workbench.steps.saddles.training.train` finds them). ``reference`` is the mean far
        from the data, by default the highest energy seen, so that no low plateau is invented. Cost: (N(1+d))³/3.
        """
        x = checks.finite_array("x", x, ndim=2)
        energies = checks.finite_array("energies", energies, ndim=1)
        gradients = checks.finite_array("gradients", gradients, ndim=2)
        if x.shape != (len(energies), self.size) or gradients.shape != x.shape:
            raise ValueError(
                f"x and gradients must have shape ({len(energies)}, {self.size}) for {len(energies)} energies, got "
                f"{x.shape} and {gradients.shape}"
            )
        return self.condition(make_data(self.features, x, energies, gradients), variance, scales, reference)

    def condition(
        self, data: Data, variance: float | None = None, scales: ArrayLike | None = None, reference: float | None = None
    ) -> "Surrogate":
        """Condition on checked observations; see :meth:`fit`."""
        if variance is not None:
            self.variance = checks.real("variance", variance, exclusive_minimum=0)
        if scales is not None:
            self.scales = checks.finite_array("scales", scales, ndim=1)
            if self.scales.shape != (len(self.features.types),) or not (self.scales > 0).all():
                raise ValueError(f"scales must be {len(self.features.types)} positive numbers, got {scales!r}")
        self.reference = float(data.energies.max()) if reference is None else checks.real("reference", reference)
        self._data = data
        n, d = len(data), self.size
        checks.memory(24.0 * (n * (1 + d)) ** 2, f"a surrogate of {n} points in {d} coordinates")
        matrix = covariance(self, data, data)
        matrix[np.diag_indices_from(matrix)] += self.noise
        self._factor = factorise(matrix)
        observed = np.concatenate([data.energies - self.reference, data.gradients.ravel()])
        weights = cho_solve(self._factor, observed)
        theta = self.scales[self.features.type_of]
        self._theta = theta
        self._u = data.f * theta
        self._alpha = weights[:n]
        self._v = np.einsum("npd,nd->np", data.jacobians, weights[n:].reshape(n, d)) * theta
        return self

    def __len__(self) -> int:
        return len(self._data)

    def _at(self, x: Array) -> tuple[float, Array, Array, Array, Array]:
        """Return the mean, its gradient over u, and what the Hessian needs."""
        f, jacobian = self.features.values(x)
        jacobian = jacobian * self._theta[:, None]
        delta = f * self._theta - self._u
        k = self.variance * np.exp(-0.5 * (delta * delta).sum(axis=1))
        s = self._alpha + (self._v * delta).sum(axis=1)
        mean = float(k @ s) + self.constant * float(self._alpha.sum()) + self.reference
        return mean, k @ self._v - (k * s) @ delta, jacobian, delta, np.array([k, s])

    def predict(self, x: ArrayLike) -> tuple[float, Array]:
        """Return the mean energy and its gradient (d) at ``x`` (d). Cost: N · features · d."""
        mean, slope, jacobian, _, _ = self._at(self._flat(x))
        return mean, jacobian.T @ slope

    def hessian(self, x: ArrayLike) -> Array:
        """Return the Hessian (d × d) of the mean at ``x``, in closed form."""
        x = self._flat(x)
        _, slope, jacobian, delta, (k, s) = self._at(x)
        mixed = (k[:, None] * delta).T @ self._v
        inner = (delta * (k * s)[:, None]).T @ delta - mixed - mixed.T
        inner[np.diag_indices_from(inner)] -= float(k @ s)
        return jacobian.T @ inner @ jacobian + self.features.curvature(x, slope * self._theta)

    def energy_variance(self, x: ArrayLike) -> float:
        """Return the variance of the energy at ``x``, given the data. Cost: (N(1+d))²."""
        x = self._flat(x)
        one = make_data(self.features, x[None], np.zeros(1), np.zeros((1, self.size)))
        cross = covariance(self, one, self._data)[0]
        return max(0.0, self.variance + self.constant - float(cross @ cho_solve(self._factor, cross)))

    def means(self, points: ArrayLike) -> Array:
        """Return the mean energies of many points (m, d); for plain coordinates only, as a contour plot wants them."""
        points = checks.finite_array("points", points, ndim=2)
        if self.species is not None:
            return np.array([self.predict(point)[0] for point in points])
        delta = points[:, None] * self._theta - self._u[None]
        k = self.variance * np.exp(-0.5 * (delta * delta).sum(axis=2))
        s = self._alpha + (self._v[None] * delta).sum(axis=2)
        return (k * s).sum(axis=1) + self.constant * self._alpha.sum() + self.reference

    def _flat(self, x: ArrayLike) -> Array:
        array = checks.finite_array("x", x).reshape(-1)
        if array.size != self.size:
            raise ValueError(f"x must hold {self.size} coordinates, got {array.size}")
        if not hasattr(self, "_data"):
            raise ValueError("the surrogate has seen nothing yet; call fit(x, energies, gradients) first")
        return array


def covariance(model: Any, a: Data, b: Data) -> Array:
    """Return the covariance of the observations of ``a`` with those of ``b``: energies first, then gradients."""
    n, m, d = len(a), len(b), a.x.shape[1]
    theta = model.scales[model.features.type_of]
    ja, jb = a.jacobians * theta[:, None], b.jacobians * theta[:, None]
    ua, ub = a.f * theta, b.f * theta
    delta = ua[:, None] - ub[None]
    k = model.variance * np.exp(-0.5 * (delta * delta).sum(axis=2))
    left = np.einsum("npd,np->nd", ja, ua)[:, None] - np.einsum("npd,mp->nmd", ja, ub, optimize=True)
    right = np.einsum("mpd,np->nmd", jb, ua, optimize=True) - np.einsum("mpd,mp->md", jb, ub)[None]
    p = ja.shape[1]
    inner = ja.transpose(0, 2, 1).reshape(n * d, p) @ jb.transpose(1, 0, 2).reshape(p, m * d)
    inner = inner.reshape(n, d, m, d)
    inner -= left.transpose(0, 2, 1)[:, :, :, None] * right[:, None]
    inner *= k[:, None, :, None]
    matrix = np.empty((n * (1 + d), m * (1 + d)))
    matrix[:n, :m] = k + model.constant
    matrix[:n, m:] = (k[:, :, None] * right).reshape(n, m * d)
    matrix[n:, :m] = -(k[:, :, None] * left).transpose(0, 2, 1).reshape(n * d, m)
    matrix[n:, m:] = inner.reshape(n * d, m * d)
    return matrix


def factorise(matrix: Array) -> Any:
    """Return the Cholesky factor, with the least jitter of ``JITTER`` that lets it exist."""
    scale = float(np.mean(np.diag(matrix)))
    for jitter in JITTER:
        if jitter:
            matrix = matrix.copy()
            matrix[np.diag_indices_from(matrix)] += jitter * scale
        try:
            return cho_factor(matrix, lower=True, check_finite=False)
        except LinAlgError:
            continue
    raise ValueError("the surrogate's covariance is singular; two observations contradict each other at one place")
