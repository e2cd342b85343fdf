"""Which regime each direction of a model is in, and what of that does not depend on the chart.

α_k = vᵀMv/vᵀgv = λ_k/(λ_k + β) are quotients of two tensors: no change of parameters moves them. Together they are the
eigenvalues of F(F + β)⁻¹, the hat matrix of ridge regression, and their sum is its effective number of parameters. The
condition number κ(g), and with it the one α that the paper reads from it, do depend on the chart (:func:`in_chart`).
"""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.fisher.regulators.damping import alpha_of, optimal_damping
from workbench.fisher.regulators.spectra import MOST_PARAMETERS, spectrum

MOST_CHARTS = 10_000
WORST_JACOBIAN = 1e12


@results.experiment
def regimes(F: ArrayLike, beta: float | None = None) -> xr.Dataset:
    """Return the regime of a Fisher matrix after the paper, and that of each of its directions.

    ``F`` is a matrix (m, m) or its eigenvalues (m,); ``beta`` the damping at which directions are judged (None: c*).
    Variables: ``kappa`` of F, ``c_star`` and ``alpha`` (0 where κ ≤ 2), ``eigenvalue`` and ``alpha_k`` (direction,),
    ``spread`` = max α_k − min α_k with the most it can be, ``spread_bound`` = (√κ − 1)/(√κ + 1) at
    ``spread_beta`` = √(λ_min λ_max); ``deviation`` = ‖M − (tr M/tr F)F‖/‖M‖ of M = F²; ``kappa_g`` = κ(F² + c*F), which
    is 2κ wherever κ > 2; ``gain`` = T(0)/T(c*) = κ²/(4(κ − 1)); ``effective_parameters`` Σ α_k. Raises ``ValueError``
    for a singular F, naming the combination of parameters that changes nothing. M. Zhuravlev, arXiv 2603.09067.

    >>> ds = regimes([1.0, 5.0])
    >>> float(ds.c_star), round(float(ds.alpha), 12), float(ds.kappa_g)
    (3.0, 0.791287847478, 10.0)
    """
    own = spectrum(F)
    c_star = optimal_damping(own)
    beta = c_star if beta is None else checks.real("beta", beta, minimum=0)
    values = own.values
    alpha_k = values / (values + beta)
    M = values**2
    deviation = M - M.sum() / values.sum() * values
    mu = M + c_star * values
    root = np.sqrt(own.condition)
    return results.dataset(
        {
            "kappa": ((), own.condition, "condition number κ of F"),
            "c_star": ((), c_star, "optimal damping c* of model A"),
            "alpha": ((), float(alpha_of(c_star)), "regime α of model A"),
            "beta": ((), beta, "damping β at which directions are judged"),
            "eigenvalue": (("direction",), values, "eigenvalue λ of F"),
            "alpha_k": (("direction",), alpha_k, "regime α of the direction"),
            "spread": ((), float(alpha_k.max() - alpha_k.min()), "spread of the regimes"),
            "spread_bound": ((), (root - 1) / (root + 1), "largest spread over all β"),
            "spread_beta": ((), float(np.sqrt(own.smallest * own.largest)), "β of the largest spread"),
            "deviation": ((), float(np.linalg.norm(deviation) / np.linalg.norm(M)), "deviation fraction δ of M = F²"),
            "kappa_g": ((), float(mu[-1] / mu[0]), "condition number of g at c*"),
            "gain": ((), float((M[-1] ** 2 / M[0]) / (mu[-1] ** 2 / mu[0])), "T(0)/T(c*) of model A"),
            "effective_parameters": ((), float(alpha_k.sum()), "effective number of parameters Σ α_k"),
        },
        {"direction": (("direction",), np.arange(len(values)), "eigenvector, by rising λ")},
    )


def in_chart(F: ArrayLike, jacobian: ArrayLike) -> NDArray[np.float64]:
    """Return the Fisher matrix Jᵀ F J in other parameters ξ, J = ∂θ/∂ξ, as an array that every function here takes.

    ``F`` is a matrix (m, m) or its eigenvalues (m,), ``jacobian`` (m, m) and invertible. M taken along as a tensor,
    Jᵀ M J, keeps every α_k; M = F² made anew in the chart does not, nor does κ(g). Raises ``ValueError`` for a Jacobian
    of another shape or so nearly singular that it is no change of parameters.

    >>> F = in_chart([1.0, 2.0], [[2.0, 0.0], [0.0, 1.0]])
    >>> F.tolist(), float(regimes(F).kappa)
    ([[4.0, 0.0], [0.0, 2.0]], 2.0)
    """
    own = spectrum(F)
    m = len(own.values)
    if m > MOST_PARAMETERS:
        raise ValueError(f"F has {m:,} parameters; up to {MOST_PARAMETERS:,} can change their chart")
    J = checks.finite_array("jacobian", jacobian, ndim=2)
    if J.shape != (m, m):
        raise ValueError(f"jacobian must be ({m}, {m}) as F, got {J.shape}; give ∂θ_i/∂ξ_j in row i and column j")
    condition = np.linalg.cond(J)
    if not condition < WORST_JACOBIAN:
        raise ValueError(f"jacobian is singular (condition number {condition:.1e}): the new parameters are no chart")
    found = J.T @ own.as_matrix() @ J
    return (found + found.T) / 2


CHARTS = {
    "(μ, σ)": lambda mu, sigma: np.eye(2),
    "(μ, ln σ)": lambda mu, sigma: np.diag([1.0, sigma]),
    "(μ, σ²)": lambda mu, sigma: np.diag([1.0, 1 / (2 * sigma)]),
    "(μ/σ², −1/(2σ²))": lambda mu, sigma: np.array([[sigma**2, 2 * mu * sigma**2], [0.0, sigma**3]]),
}
"""Charts of the normal distributions, by the Jacobian ∂(μ, σ)/∂ξ as a function of μ and σ; the last one is natural."""


@results.experiment
def gaussian_charts(sigma: float = 2.0, mu: float = 0.0, beta: float = 0.5) -> xr.Dataset:
    """Return what the paper's recipe makes of one normal distribution N(μ, σ²) in four charts.

    Variables over ``chart``: ``kappa`` of F, ``c_star``, ``alpha`` and ``kappa_g``; ``alpha_own`` (chart, direction),
    the α_k at ``beta`` of M = F² made anew in each chart; ``alpha_kept`` (chart, direction), those of the pair (M, F)
    of the first chart carried over as tensors, which no chart moves (a generalised eigenproblem finds them again).
    ``sigma`` from 0.01 to 100, ``mu`` from −100 to 100, ``beta`` > 0.

    >>> gaussian_charts(2.0).alpha.values.round(6).tolist()
    [0.0, 0.686141, 0.349295, 0.961481]
    """
    sigma = checks.real("sigma", sigma, minimum=0.01, maximum=100.0)
    mu = checks.real("mu", mu, minimum=-100.0, maximum=100.0)
    beta = checks.real("beta", beta, exclusive_minimum=0.0)
    F = np.diag([1 / sigma**2, 2 / sigma**2])
    M = F @ F
    found, kept, anew = [], [], []
    for jacobian_at in CHARTS.values():
        J = jacobian_at(mu, sigma)
        own = regimes(in_chart(F, J), beta)
        found.append([float(own[name]) for name in ("kappa", "c_star", "alpha", "kappa_g")])
        anew.append(own.alpha_k.values)
        inner = np.linalg.solve(in_chart(F, J), J.T @ M @ J)
        ratios = np.sort(np.linalg.eigvals(inner).real)
        kept.append(ratios / (ratios + beta))
    table = np.array(found).T
    pair = ("chart", "direction")
    return results.dataset(
        {
            "kappa": (("chart",), table[0], "condition number κ of F in the chart"),
            "c_star": (("chart",), table[1], "optimal damping c* of model A"),
            "alpha": (("chart",), table[2], "regime α of model A"),
            "kappa_g": (("chart",), table[3], "condition number of g at c*"),
            "alpha_own": (pair, np.array(anew), "regime of a direction, M made anew in the chart"),
            "alpha_kept": (pair, np.array(kept), "regime of a direction, M carried over as a tensor"),
        },
        {
            "chart": (("chart",), list(CHARTS), "parameters of N(μ, σ²)"),
            "direction": (("direction",), np.arange(2), "direction, by rising α"),
        },
    )
