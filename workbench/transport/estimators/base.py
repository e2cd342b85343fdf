"""What every estimator returns, and the registry they are found in."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from workbench import checks
from workbench.registry import Fact, Registry

ESTIMATORS = Registry(
    "estimator",
    facts={
        "dim": Fact(int, required=False, says="the only dimension it works in"),
        "power": Fact((int, float), required=False, says="the only power p it corrects for"),
    },
)


@dataclass(frozen=True)
class Moments:
    """First and second moments of a pair of clouds, all that the control variates of the paper see.

    ``shift`` = m_x − m_y (d,), ``spread`` = Σ_x + Σ_y (d, d), biased covariances.
    """

    shift: NDArray[np.float64]
    spread: NDArray[np.float64]


@dataclass(frozen=True)
class Combination:
    """An estimate from costs f_l: its value, and how it moves with the moments.

    ``by_shift`` (d, d) and ``by_spread`` (d, d) give the part of the gradient that flows through the moments:
    ∂value/∂x_i = Σ_l w_l ∂f_l/∂x_i + a_i (by_shift · shift + by_spread · (x_i − m_x)), a_i the mass of x_i.
    """

    value: float
    by_shift: NDArray[np.float64]
    by_spread: NDArray[np.float64]


class Control(Protocol):
    """A correction that knows the moments of the clouds."""

    def weights(self, directions: NDArray[np.float64], moments: Moments) -> NDArray[np.float64]:
        """Return w with estimate = Σ_l w_l f_l."""
        ...

    def combine(self, costs: NDArray[np.float64], directions: NDArray[np.float64], moments: Moments) -> Combination:
        """Return the estimate and the part of its gradient that flows through w."""
        ...


@dataclass(frozen=True)
class Rule:
    """One random draw of a quadrature rule on the sphere: estimate = Σ_l weights_l f(directions_l), Σ weights = 1."""

    directions: NDArray[np.float64]
    weights: NDArray[np.float64]
    control: Control | None = None


def equal_weights(directions: NDArray[np.float64], control: Control | None = None) -> Rule:
    """Return the rule that gives every direction the weight 1/L."""
    return Rule(directions, np.full(len(directions), 1 / len(directions)), control)


def require_dim(method: str, dim: int, only: int, instead: str) -> None:
    """Refuse a dimension that a rule is not made for, naming one that is."""
    if dim != only:
        raise ValueError(f"the estimator {method!r} is for clouds in {only} dimensions, got {dim}; use {instead}")


def uniform_directions(n_directions: int, dim: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return iid uniform unit vectors (n_directions, dim): normalised Gaussians."""
    while True:
        vectors = rng.standard_normal((n_directions, dim))
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if lengths.all():
            return vectors / lengths


def random_rotations(number: int, dim: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return Haar-distributed orthogonal matrices (number, dim, dim).

    QR of a Gaussian matrix is Haar only once the diagonal of R is made positive: F. Mezzadri, "How to generate random
    matrices from the classical compact groups", arXiv math-ph/0609050, section 5.
    """
    if number * dim * dim > 1_000_000:
        checks.memory(3 * 8 * number * dim * dim, f"{number} rotations in {dim} dimensions")
    q, r = np.linalg.qr(rng.standard_normal((number, dim, dim)))
    return q * np.sign(np.einsum("kii->ki", r))[:, None, :]
