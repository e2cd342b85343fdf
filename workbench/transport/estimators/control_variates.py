"""The control variates of the paper: Gaussian bounds of the one-dimensional cost, with known mean over the sphere.

With dm = m_x − m_y and biased covariances Σ the costs f(θ) lie between two quadratic forms,

    C_low = (θ·dm)²  ≤  f(θ)  ≤  C_up = (θ·dm)² + θᵀ(Σ_x + Σ_y)θ,      E θᵀMθ = tr M / d,

and the estimate subtracts what is known, e_l = C_l − E C:

    Ẑ = f̄ − γ̂ ē,    γ̂ = Σ (f_l − f̄) e_l / (Σ e_l² + λ).

Written out, Ẑ = Σ w_l f_l with w_l = 1/L − ē (e_l − ē) / (Σ e² + λ), which depends on the clouds through dm and Σ
only. Reference: K. Nguyen, N. Ho, "Sliced Wasserstein estimation with control variates", ICLR 2024, arXiv 2305.00402.

**The ridge λ.** As the means meet, e shrinks like |dm|² and without λ the gradient of γ̂ grows like 1/|dm|: hundreds
of times the Monte Carlo error. λ = L ρ ((tr Σ_x + tr Σ_y)/d)² with ρ = 0.01 is invisible while a translation
dominates, and lets γ̂ go to 0, that is to plain Monte Carlo, as it vanishes. The gradient returned is the exact
derivative of Ẑ, through γ̂ and λ.

**What to expect.** Both variates are polynomials of degree 2, which any orthogonal block already integrates exactly;
on centred shapes they gain almost nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.transport.estimators.base import (
    ESTIMATORS,
    Combination,
    Moments,
    Rule,
    equal_weights,
    uniform_directions,
)

RIDGE = 0.01


@dataclass(frozen=True)
class QuadraticControl:
    """A quadratic control variate: ``lower`` sees the means only, ``upper`` the covariances too."""

    upper: bool
    ridge: float = RIDGE

    def deviations(self, directions: NDArray[np.float64], moments: Moments) -> NDArray[np.float64]:
        """Return e_l = C(θ_l) − E C, (L,)."""
        form = np.outer(moments.shift, moments.shift) + (moments.spread if self.upper else 0)
        return np.einsum("li,ij,lj->l", directions, form, directions) - np.trace(form) / len(form)

    def _ridge(self, n_directions: int, moments: Moments) -> float:
        return n_directions * self.ridge * (np.trace(moments.spread) / len(moments.spread)) ** 2

    def weights(self, directions: NDArray[np.float64], moments: Moments) -> NDArray[np.float64]:
        """Return w_l = 1/L − ē (e_l − ē) / (Σ e² + λ); equal weights when there is nothing to correct with."""
        e = self.deviations(directions, moments)
        denominator = e @ e + self._ridge(len(e), moments)
        equal = np.full(len(e), 1 / len(e))
        if denominator == 0:
            return equal
        return equal - e.mean() * (e - e.mean()) / denominator

    def combine(self, costs: NDArray[np.float64], directions: NDArray[np.float64], moments: Moments) -> Combination:
        """Return Ẑ and its derivative through the weights (formulas: differentiate Ẑ in e_l and in λ)."""
        n_directions, dim = directions.shape
        e = self.deviations(directions, moments)
        ridge = self._ridge(n_directions, moments)
        denominator = e @ e + ridge
        if denominator == 0:
            return Combination(float(costs.mean()), np.zeros((dim, dim)), np.zeros((dim, dim)))
        excess = costs - costs.mean()
        gamma = excess @ e / denominator
        by_e = -gamma / n_directions - e.mean() * excess / denominator + 2 * e.mean() * gamma * e / denominator
        moment = (by_e[:, None] * directions).T @ directions
        traceless = 2 * (moment - np.trace(moment) / dim * np.eye(dim))
        by_ridge = e.mean() * gamma / denominator
        # λ = L ρ (tr S / d)²,  ∂ tr S / ∂x_i = 2 a_i (x_i − m_x)
        trace = np.trace(moments.spread)
        through_ridge = by_ridge * n_directions * self.ridge * 4 * trace / dim**2 * np.eye(dim)
        return Combination(
            float(costs.mean() - gamma * e.mean()),
            by_shift=traceless,
            by_spread=through_ridge + (traceless if self.upper else 0),
        )


@ESTIMATORS.add(
    "lower-cv",
    label="Lower control variate (the paper)",
    formula=r"\bar f-\hat\gamma(\bar C-E C),\ C=(\theta^\top(m_x-m_y))^2",
    reference="Nguyen, Ho, arXiv 2305.00402",
    cost="O(n d) more than Monte Carlo",
    power=2,
)
def lower_cv(n_directions: int, dim: int, rng: np.random.Generator) -> Rule:
    """Return iid directions corrected by the distance of the means, with a ridge; consistent, biased O(1/L)."""
    return equal_weights(uniform_directions(n_directions, dim, rng), QuadraticControl(upper=False))


@ESTIMATORS.add(
    "upper-cv",
    label="Upper control variate (the paper)",
    formula=r"\bar f-\hat\gamma(\bar C-E C),\ C=(\theta^\top(m_x-m_y))^2+\theta^\top(\Sigma_x+\Sigma_y)\theta",
    reference="Nguyen, Ho, arXiv 2305.00402",
    cost="O(n d²) more than Monte Carlo",
    power=2,
)
def upper_cv(n_directions: int, dim: int, rng: np.random.Generator) -> Rule:
    """Return iid directions corrected by means and covariances, with a ridge; consistent, biased O(1/L)."""
    return equal_weights(uniform_directions(n_directions, dim, rng), QuadraticControl(upper=True))
