"""Finding the surrogate's hyper-parameters: MAP with a log barrier on the variance, on a pruned set of observations.

Minimised over φ = (log σ², log θ): ½ yᵀK⁻¹y + ½ log det K, a normal prior on log θ, a Student-t prior on σ, and the
barrier −μ ln(ln σ²_max − ln σ²), which keeps the variance from running away when few observations say little about it;
μ = min(10⁻⁴ + 10⁻³N, ½). The published code uses scaled conjugate gradients; here SciPy's L-BFGS-B gets the same
function with its exact gradient.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve
from scipy.optimize import minimize

from workbench.steps.saddles.surrogate import Data, Surrogate, covariance, factorise

Array = NDArray[np.float64]
VARIANCE_MAX = 2.0
"""The bound σ²_max of the barrier, in squared units of the surface's ``scale``."""
DEGREES = 28.0
"""Degrees of freedom of the Student-t prior on σ."""
SPREAD = 2.0
"""Standard deviation of the normal prior on log θ around its first guess."""
FARTHEST = np.log(1e6)
"""How far log σ² and log θ may go from 0 when no barrier holds them."""


def barrier(log_variance: float, count: int, variance_max: float = VARIANCE_MAX) -> tuple[float, float]:
    """Return the log barrier for ``count`` observations and its derivative over log σ²; infinite at the bound.

    >>> barrier(0.0, 10)[0] < barrier(0.6, 10)[0] < barrier(0.693, 10)[0]
    True
    >>> barrier(np.log(2.0), 10)
    (inf, inf)
    """
    weight = min(1e-4 + 1e-3 * count, 0.5)
    gap = float(np.log(variance_max)) - log_variance
    if gap <= 0:
        return np.inf, np.inf
    return -weight * float(np.log(gap)), weight / gap


@dataclass
class Objective:
    """What training minimises, with its gradient over φ = (log σ², log θ₁, …)."""

    model: Surrogate
    data: Data
    reference: float
    centre: Array
    with_barrier: bool = True

    def __call__(self, phi: Array) -> tuple[float, Array]:
        """Return the objective and its gradient."""
        model, data = self.model, self.data
        model.variance, model.scales = float(np.exp(phi[0])), np.exp(phi[1:])
        bare = covariance(model, data, data)
        n = len(data)
        y = np.concatenate([data.energies - self.reference, data.gradients.ravel()])
        matrix = bare.copy()
        matrix[np.diag_indices_from(matrix)] += model.noise
        try:
            factor = factorise(matrix)
        except ValueError:
            return 1e25, np.zeros_like(phi)
        alpha = cho_solve(factor, y, check_finite=False)
        inverse = cho_solve(factor, np.eye(len(y)), check_finite=False)
        value = 0.5 * float(y @ alpha) + float(np.log(np.diag(factor[0])).sum())
        inner = inverse - np.outer(alpha, alpha)
        gradient = np.empty_like(phi)
        bare[:n, :n] -= model.constant
        gradient[0] = 0.5 * float((inner * bare).sum())
        gradient[1:] = [0.5 * float((inner * part).sum()) for part in scale_derivatives(model, data)]
        away = phi[1:] - self.centre
        value += 0.5 * float(away @ away) / SPREAD**2
        gradient[1:] += away / SPREAD**2
        ratio = np.exp(phi[0]) / DEGREES  # Student-t on σ: ½(ν + 1) log(1 + σ²/ν)
        value += 0.5 * (DEGREES + 1) * float(np.log1p(ratio))
        gradient[0] += 0.5 * (DEGREES + 1) * ratio / (1 + ratio)
        if self.with_barrier:
            wall, slope = barrier(float(phi[0]), n)
            value, gradient[0] = value + wall, gradient[0] + slope
        return value, gradient


def scale_derivatives(model: Surrogate, data: Data) -> list[Array]:
    """Return ∂K/∂log θ_t for every kind t of feature."""
    n, d = len(data), model.size
    theta = model.scales[model.features.type_of]
    j, u = data.jacobians * theta[:, None], data.f * theta
    delta = u[:, None] - u[None]
    k = model.variance * np.exp(-0.5 * (delta * delta).sum(axis=2))
    left, right, inner = _products(j, u)
    found = []
    for kind in range(len(model.features.types)):
        own = model.features.type_of == kind
        square = (delta[:, :, own] ** 2).sum(axis=2)
        l, r, m = _products(j[:, own], u[:, own])
        matrix = np.empty((n * (1 + d), n * (1 + d)))
        matrix[:n, :n] = -k * square
        upper = k[:, :, None] * (2 * r - square[:, :, None] * right)
        lower = k[:, :, None] * (2 * l - square[:, :, None] * left)
        matrix[:n, n:] = upper.reshape(n, n * d)
        matrix[n:, :n] = -lower.transpose(0, 2, 1).reshape(n * d, n)
        outer = left[:, :, :, None] * right[:, :, None, :]
        change = 2 * m - 2 * l[:, :, :, None] * right[:, :, None, :] - 2 * left[:, :, :, None] * r[:, :, None, :]
        block = k[:, :, None, None] * (change - square[:, :, None, None] * (inner - outer))
        matrix[n:, n:] = block.transpose(0, 2, 1, 3).reshape(n * d, n * d)
        found.append(matrix)
    return found


def _products(j: Array, u: Array) -> tuple[Array, Array, Array]:
    """Return Jᵢᵀδᵢⱼ, Jⱼᵀδᵢⱼ (n, n, d) and JᵢᵀJⱼ (n, n, d, d)."""
    n, p, d = j.shape
    own = np.einsum("npd,np->nd", j, u)
    across = np.einsum("npd,mp->nmd", j, u, optimize=True)
    inner = (j.transpose(0, 2, 1).reshape(n * d, p) @ j.transpose(1, 0, 2).reshape(p, n * d)).reshape(n, d, n, d)
    return own[:, None] - across, across.transpose(1, 0, 2) - own[None], inner.transpose(0, 2, 1, 3)


def first_guess(model: Surrogate, data: Data) -> Array:
    """Return log θ at the start: one over the largest difference of a feature seen, or over the feature's own size."""
    guesses = []
    for kind in range(len(model.features.types)):
        f = data.f[:, model.features.type_of == kind]
        reach = float(np.ptp(f, axis=0).max()) if model.species is None else float(np.abs(f).mean()) / 2
        guesses.append(-np.log(max(reach, 1.0 if model.species is None else 0.05)))
    return np.array(guesses)


def train(
    model: Surrogate, data: Data, reference: float, *, with_barrier: bool = True, iterations: int = 60
) -> tuple[Array, float]:
    """Set the model's variance and scales by MAP on ``data``, from where they stand; returns φ and the objective.

    Warm: the search starts at the model's present values. Cost: some twenty factorisations of N(1 + d) rows.
    """
    centre = first_guess(model, data)
    objective = Objective(model, data, reference, centre, with_barrier)
    top = float(np.log(VARIANCE_MAX)) - 1e-6 if with_barrier else FARTHEST
    phi = np.concatenate([[min(np.log(model.variance), top - 0.05)], np.log(model.scales)])
    bounds = [(-FARTHEST, top)] + [(c - 7, c + 7) for c in centre]
    phi = np.clip(phi, [low for low, _ in bounds], [high for _, high in bounds])
    found = minimize(objective, phi, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": iterations})
    model.variance, model.scales = float(np.exp(found.x[0])), np.exp(found.x[1:])
    return found.x, float(found.fun)
