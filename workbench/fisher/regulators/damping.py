"""How much damping a model of learning asks for: the metric g(c) = F^p + cF, and what each model would have small.

The paper (M. Zhuravlev, arXiv 2603.09067) takes p = 2, M = F², and reads c = β = α²/(1 − α) as a "regime" α ∈ [0, 1).
Its four models all are T = κ(g)^a μ_max^b, whose minimum over c ≥ 0 is known in closed form.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.fisher.regulators.spectra import spectrum
from workbench.registry import Fact, Registry

CONVERGENCE_MODELS = Registry(
    "convergence model",
    facts={
        "a": Fact((int, float), says="T = κ(g)^a μ_max^b: the power of the condition number"),
        "b": Fact((int, float), says="the power of the largest eigenvalue of g"),
    },
)
"""What the paper would have small; each is a function of μ_max and μ_min, the extreme eigenvalues of g(c)."""
LARGEST_POWER = 10.0


@CONVERGENCE_MODELS.add(
    "A", label="A: κ(g) μ_max", formula=r"\kappa(g)\,\mu_{\max}", reference="arXiv 2603.09067", a=1, b=1
)
def model_a(largest: NDArray, smallest: NDArray) -> NDArray:
    """Return κ(g) μ_max, the paper's choice."""
    return largest / smallest * largest


@CONVERGENCE_MODELS.add("B", label="B: κ(g)", formula=r"\kappa(g)", reference="arXiv 2603.09067", a=1, b=0)
def model_b(largest: NDArray, smallest: NDArray) -> NDArray:
    """Return κ(g) alone."""
    return largest / smallest


@CONVERGENCE_MODELS.add("C", label="C: μ_max", formula=r"\mu_{\max}", reference="arXiv 2603.09067", a=0, b=1)
def model_c(largest: NDArray, smallest: NDArray) -> NDArray:
    """Return μ_max alone."""
    return largest


@CONVERGENCE_MODELS.add(
    "D", label="D: μ_max/√μ_min", formula=r"\mu_{\max}/\sqrt{\mu_{\min}}", reference="arXiv 2603.09067", a=0.5, b=0.5
)
def model_d(largest: NDArray, smallest: NDArray) -> NDArray:
    """Return μ_max/√μ_min, which is the square root of model A."""
    return largest / np.sqrt(smallest)


def optimal_damping(F: ArrayLike, a: float = 1, b: float = 1, p: float = 2) -> float:
    """Return the c ≥ 0 at which κ(g)^a μ_max^b is least, g = F^p + cF; ``inf`` where it falls for ever.

    c* = (a λ_max^(p−1) − (a+b) λ_min^(p−1))/b if that is positive, else 0: it is positive from κ(F) > κ_c on, where
    κ_c = (1 + b/a)^(1/(p−1)) (:func:`damping_threshold`). ``F`` is a matrix (m, m) or its eigenvalues (m,); a, b ≥ 0
    and not both 0, p > 1. The paper's theorem is a = b = 1, p = 2: c* = λ_max − 2 λ_min, κ_c = 2.

    >>> optimal_damping([1, 6]), optimal_damping([1, 6], 2, 1), optimal_damping([1, 6], p=3), optimal_damping([1, 1.5])
    (4.0, 9.0, 34.0, 0.0)
    >>> optimal_damping([1, 6], b=0)
    inf
    """
    own, a, b, p = spectrum(F), *checked_law(a, b, p)
    if own.values[-1] - own.values[0] <= 1e-9 * own.values[-1]:
        return 0.0  # all directions alike: κ(g) = 1 for every c
    high, low = own.largest ** (p - 1), own.smallest ** (p - 1)
    if b == 0:
        return math.inf
    return max(0.0, (a * high - (a + b) * low) / b)


def damping_threshold(a: float = 1, b: float = 1, p: float = 2) -> float:
    """Return κ_c = (1 + b/a)^(1/(p−1)), the condition number of F above which κ(g)^a μ_max^b asks for damping.

    Any number above 1 can be had; 1 for b = 0, ``inf`` for a = 0 or where it is past double precision.

    >>> [damping_threshold(), damping_threshold(2, 1), damping_threshold(1, 3), round(damping_threshold(p=3), 6)]
    [2.0, 1.5, 4.0, 1.414214]
    """
    a, b, p = checked_law(a, b, p)
    if a == 0:
        return math.inf
    exponent = math.log1p(b / a) / (p - 1)
    return math.exp(exponent) if exponent < 700 else math.inf


def checked_law(a: float, b: float, p: float) -> tuple[float, float, float]:
    """Return the powers of T = κ(g)^a μ_max^b and of M = F^p, checked."""
    a = checks.real("a", a, minimum=0, maximum=LARGEST_POWER)
    b = checks.real("b", b, minimum=0, maximum=LARGEST_POWER)
    if a == b == 0:
        raise ValueError("a and b are both 0, so T is 1 for every c; give one of them a positive value")
    return a, b, checked_power(p)


def checked_power(p: float) -> float:
    """Return the power of M = F^p, between 1 (where g is F itself and nothing can be damped) and 10."""
    return checks.real("p", p, exclusive_minimum=1, maximum=LARGEST_POWER)


def alpha_of(c: ArrayLike) -> NDArray[np.float64]:
    """Return the regime α ∈ [0, 1] of a damping c = α²/(1 − α): 0 for c = 0, 1 for c = ∞.

    >>> [round(float(alpha_of(c)), 6) for c in (0, 0.5, 1, 3, float("inf"))]
    [0.0, 0.5, 0.618034, 0.791288, 1.0]
    """
    c = np.asarray(c, dtype=float)
    if np.any(np.isnan(c)) or np.any(c < 0):
        raise ValueError("a damping c is a number from 0 to ∞")
    with np.errstate(divide="ignore", over="ignore"):
        return 2 / (1 + np.sqrt(1 + 4 / c))


def beta_of(alpha: float) -> float:
    """Return the damping c = β = α²/(1 − α) of a regime α from 0 to below 1.

    >>> beta_of(0.5)
    0.5
    """
    alpha = checks.real("alpha", alpha, minimum=0)
    if alpha >= 1:
        raise ValueError(f"alpha must be below 1, where the damping becomes infinite; got {alpha:g}")
    return alpha**2 / (1 - alpha)


def extremes(values: NDArray, c: NDArray, p: float = 2) -> tuple[NDArray, NDArray]:
    """Return the largest and the smallest eigenvalue of g(c) = F^p + cF for each damping.

    For c = ∞ they are those of F, which is what g/c tends to: ratios are right there, sizes are infinite.
    """
    ends = values[[-1, 0]][:, None]
    with np.errstate(invalid="ignore"):
        found = ends**p + np.where(np.isinf(c), 0.0, c) * ends
    return tuple(np.where(np.isinf(c), ends, found))


def predicted(model: str, values: NDArray, c: NDArray, p: float = 2) -> NDArray:
    """Return T of one of :data:`CONVERGENCE_MODELS` for each damping, its limit at c = ∞ included."""
    entry = CONVERGENCE_MODELS[model]
    found = entry.function(*extremes(values, c, p))
    return np.where(np.isinf(c), found if entry.fact("b") == 0 else np.inf, found)
