"""Spherical-harmonic control variates: weights that make any directions exact for low even degrees.

Regressing f on the even harmonics H and keeping the constant is a linear estimate Σ w_l f_l whose weights know
nothing of f:

    w ∝ (I − H (HᵀH)⁻¹ Hᵀ) 1,   Σ w = 1.

Equivalently w is the shortest vector with Σ_l w_l q(θ_l) = mean of q for all even polynomials q up to the degree. That
form needs no harmonics: even polynomials of degree ≤ T restricted to the sphere are the homogeneous ones of degree T,
whose means are known in closed form in every dimension. The monomials are scaled by the root of their multinomial
coefficient, which makes their Gram matrix (θ·θ')^T and keeps the system well conditioned.

Reference: R. Leluc, A. Dieuleveut, F. Portier, J. Segers, A. Zhuman, "Sliced-Wasserstein estimation with spherical
harmonics as control variates", ICML 2024, arXiv 2402.01493.
"""

from functools import lru_cache
from math import comb, factorial, prod, sqrt

import numpy as np
from numpy.typing import NDArray

from workbench import checks
from workbench.transport.estimators.base import ESTIMATORS, Rule, uniform_directions

DIRECTIONS_PER_HARMONIC = 3
HIGHEST_DEGREE = 16


def harmonic_count(dim: int, degree: int) -> int:
    """Return the number of even harmonics of degree 2…``degree`` in ``dim`` dimensions."""
    return comb(degree + dim - 1, dim - 1) - 1


def affordable_degree(n_directions: int, dim: int) -> int:
    """Return the highest even degree with at least three directions per harmonic; 0 if there is none."""
    degree = 0
    while degree < HIGHEST_DEGREE and DIRECTIONS_PER_HARMONIC * harmonic_count(dim, degree + 2) <= n_directions:
        degree += 2
    return degree


@lru_cache(maxsize=32)
def _exponents(dim: int, degree: int) -> tuple[tuple[int, ...], ...]:
    if dim == 1:
        return ((degree,),)
    return tuple((k, *rest) for k in range(degree + 1) for rest in _exponents(dim - 1, degree - k))


def _double_factorial(number: int) -> int:
    return prod(range(number, 0, -2))


@lru_cache(maxsize=32)
def _scales_and_means(dim: int, degree: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return √multinomial, and the mean over the sphere, of every scaled monomial of the degree."""
    rising = prod(dim + 2 * k for k in range(degree // 2))
    scales, means = [], []
    for powers in _exponents(dim, degree):
        scale = sqrt(factorial(degree) // prod(factorial(k) for k in powers))
        even = all(k % 2 == 0 for k in powers)
        scales.append(scale)
        means.append(scale * prod(_double_factorial(k - 1) for k in powers) / rising if even else 0.0)
    return np.array(scales), np.array(means)


def monomials(directions: NDArray[np.float64], degree: int) -> NDArray[np.float64]:
    """Return the scaled homogeneous monomials of ``degree`` at the directions, (number, L)."""
    dim = directions.shape[1]
    scales, _ = _scales_and_means(dim, degree)
    powers = directions[None] ** np.arange(degree + 1)[:, None, None]
    values = np.ones((len(scales), len(directions)))
    exponents = np.array(_exponents(dim, degree))
    for axis in range(dim):
        values *= powers[exponents[:, axis], :, axis]
    return scales[:, None] * values


def harmonic_weights(directions: NDArray[np.float64], degree: int | None = None) -> NDArray[np.float64]:
    """Return the weights (L,) that make ``directions`` exact for even polynomials up to ``degree``.

    ``degree`` defaults to the highest that three directions per harmonic allow; an explicit one needs more
    directions than harmonics. Raises ``ValueError`` if there are too few directions.
    """
    n_directions, dim = directions.shape
    if degree is None:
        degree = affordable_degree(n_directions, dim)
        if degree == 0 and dim > 1:
            least = DIRECTIONS_PER_HARMONIC * harmonic_count(dim, 2)
            raise ValueError(
                f"harmonic-cv needs at least {least} directions in {dim} dimensions (3 per harmonic of degree 2), "
                f"got {n_directions}; give more directions or use 'orthogonal'"
            )
    degree = checks.integer("degree", degree, minimum=0)
    if degree % 2 or harmonic_count(dim, degree) >= n_directions:
        raise ValueError(
            f"degree must be even with fewer harmonics ({harmonic_count(dim, degree)}) than directions "
            f"({n_directions}), got {degree}"
        )
    values = monomials(directions, degree)
    return np.linalg.lstsq(values, _scales_and_means(dim, degree)[1], rcond=None)[0]


@ESTIMATORS.add(
    "harmonic-cv",
    label="Spherical-harmonic control variates",
    formula=r"\sum_l w_l f(\theta_l),\ w \propto (I-H(H^\top H)^{-1}H^\top)1",
    reference="Leluc, Dieuleveut, Portier, Segers, Zhuman, arXiv 2402.01493",
    cost="needs 3 directions per even harmonic; one least-squares solve",
)
def harmonic_cv(n_directions: int, dim: int, rng: np.random.Generator) -> Rule:
    """Return iid directions with harmonic weights; asymptotically unbiased (the weights depend on the directions)."""
    directions = uniform_directions(n_directions, dim, rng)
    return Rule(directions, harmonic_weights(directions))
