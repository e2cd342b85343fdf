"""How fast gradient descent with the metric g(c) = F^p + cF really is, for every loss and step rule, without a loop.

θ ← θ − η g⁻¹ H θ shrinks mode k by |1 − η r_k| a step, r_k = h_k/μ_k, h = λ⁰, λ¹, λ² for the losses. The loss has come
down to the ``tolerance`` when the slowest mode squared has: N = ln(1/tolerance)/(−2 ln max_k |1 − η r_k|) steps, a real
number here; the steps that are taken are the next whole one. Multiplying g by a number changes no rule that sets its
step by the rates, so these have a limit at c = ∞, where g is F up to a factor.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy import optimize

from workbench import checks, results
from workbench.fisher.regulators.damping import checked_power
from workbench.fisher.regulators.spectra import Spectrum, spectrum
from workbench.registry import Fact, Registry

LEARNER_LOSSES = Registry("loss", facts={"power": Fact(int, says="its Hessian is F to this power")})
"""Quadratic losses, by their Hessian: each entry maps the eigenvalues of F to those of H."""


@LEARNER_LOSSES.add("isotropic", label="isotropic, H = 1", formula="H = 1", reference="arXiv 2603.09067", power=0)
def isotropic(values: NDArray) -> NDArray:
    """Return the paper's Hessian, the same in all directions."""
    return np.ones_like(values)


@LEARNER_LOSSES.add("likelihood", label="maximum likelihood, H = F", formula="H = F", power=1)
def likelihood(values: NDArray) -> NDArray:
    """Return the Hessian of the log-likelihood at its maximum, which is F."""
    return values


@LEARNER_LOSSES.add("squared", label="squared means, H = F²", formula="H = F^2", power=2)
def squared(values: NDArray) -> NDArray:
    """Return the Hessian of half the squared distance of the mean parameters, F²."""
    return values**2


@dataclass(frozen=True)
class Rates:
    """The rates r_k = h_k/μ_k at some dampings (C,): the lowest and highest times 1 + c, and 1/(1 + c) to undo that.

    Kept apart because at c = ∞ the rates vanish and their ratio does not. ``condition`` is κ(g).
    """

    low: NDArray
    high: NDArray
    weight: NDArray
    condition: NDArray


STEP_RULES = Registry(
    "step rule",
    facts={
        "natural": Fact(bool, says="whether somebody would choose it who wants to learn fast"),
        "unit": Fact(str, choices=("steps", "time"), says="what is counted"),
    },
)
"""How the step η is set: each entry returns η·r for the lowest and the highest rate, gradient flow the rate itself."""


@STEP_RULES.add("best", label="best constant step", formula=r"\eta = 2/(r_{\min}+r_{\max})", natural=True, unit="steps")
def best_step(rates: Rates, eta: float) -> tuple[NDArray, NDArray]:
    """Return the products at the step that makes the slowest mode fastest."""
    ratio = rates.high / rates.low
    return 2 / (1 + ratio), 2 * ratio / (1 + ratio)


@STEP_RULES.add("smooth", label="step 1/L", formula=r"\eta = 1/r_{\max}", natural=True, unit="steps")
def smooth_step(rates: Rates, eta: float) -> tuple[NDArray, NDArray]:
    """Return the products at one over the smoothness of the loss in the metric g."""
    return rates.low / rates.high, np.ones_like(rates.high)


@STEP_RULES.add("flow", label="gradient flow", formula=r"\dot\theta = -g^{-1}H\theta", natural=True, unit="time")
def gradient_flow(rates: Rates, eta: float) -> tuple[NDArray, NDArray]:
    """Return the rates themselves: time is continuous and there is no step."""
    return rates.weight * rates.low, rates.weight * rates.high


@STEP_RULES.add("fixed", label="one step for every c", formula=r"\eta = \eta_0", natural=True, unit="steps")
def fixed_step(rates: Rates, eta: float) -> tuple[NDArray, NDArray]:
    """Return the products at a step that stays whatever the damping."""
    return eta * rates.weight * rates.low, eta * rates.weight * rates.high


@STEP_RULES.add("timid", label="step 1/κ(g)", formula=r"\eta = 1/\kappa(g)", natural=False, unit="steps")
def timid_step(rates: Rates, eta: float) -> tuple[NDArray, NDArray]:
    """Return the products at the step for which the paper's model A counts the steps."""
    step = rates.weight / rates.condition
    return step * rates.low, step * rates.high


def rates_of(values: NDArray, c: NDArray, loss: str, p: float = 2) -> Rates:
    """Return the extreme rates at every damping c (C,), infinity included."""
    curvature = LEARNER_LOSSES[loss](values)
    lead = np.where(np.isinf(c), 1.0, 1 + c)[:, None]  # g over λ(1 + c), so that nothing overflows
    with np.errstate(invalid="ignore"):
        inner = np.where(np.isinf(c)[:, None], 1.0, (values ** (p - 1) + c[:, None]) / lead)
    rates = curvature / (values * inner)
    ends = inner[:, [-1, 0]] * values[[-1, 0]]
    return Rates(rates.min(axis=1), rates.max(axis=1), 1 / (1 + c), ends[:, 0] / ends[:, 1])


def first_step(values: NDArray, loss: str, p: float = 2) -> float:
    """Return 1/r_max at c = 0, which is where a learner with one step for every c would set it."""
    rates = rates_of(values, np.zeros(1), loss, p)
    return float(1 / rates.high[0])


def count(values: NDArray, c: NDArray, loss: str, step: str, eta: float, tolerance: float, p: float = 2) -> NDArray:
    """Return the steps (or the time) that every damping takes, a real number; ``inf`` where it never gets there."""
    rates = rates_of(values, c, loss, p)
    low, high = STEP_RULES[step](rates, eta)
    needed = math.log(1 / tolerance) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        if STEP_RULES[step].fact("unit") == "time":
            return np.where(low > 0, needed / low, np.inf)
        gain = np.minimum(low, 2 - high)  # one minus the factor of the slowest mode
        return np.where(gain > 0, needed / -np.log1p(-np.minimum(gain, 1.0)), np.inf)


@dataclass(frozen=True)
class Least:
    """Where something is least over c ∈ [0, ∞], what it is there, and whether it is the same for every c."""

    c: float
    value: float
    is_flat: bool


GRID = 321
DECADES = 6
TIE = 1e-11


def least(measure: Callable[[NDArray], NDArray], scale: float) -> Least:
    """Return where ``measure`` is least over all dampings, both ends 0 and ∞ included as what they are.

    A grid over twelve powers of ten around ``scale``, then a bounded search; at a tie the smaller c. ``c`` is NaN where
    nothing is finite.
    """
    grid = np.concatenate([[0.0], scale * np.logspace(-DECADES, DECADES, GRID), [np.inf]])
    values = measure(grid)
    finite = np.isfinite(values)
    if not finite.any():
        return Least(math.nan, math.inf, False)
    best = float(values[finite].min())
    tied = finite & (values <= best + TIE * abs(best))
    if tied.all():
        return Least(0.0, best, True)
    k = int(np.flatnonzero(tied)[0])
    if not 0 < k < len(grid) - 1:
        return Least(float(grid[k]), best, False)
    low = math.log(grid[max(k - 1, 1)]) - (k == 1)
    high = math.log(grid[min(k + 1, len(grid) - 2)])
    found = optimize.minimize_scalar(
        lambda u: float(measure(np.array([math.exp(u)]))[0]), bounds=(low, high), method="bounded",
        options={"xatol": 1e-9},
    )  # fmt: skip
    c = math.exp(found.x)
    if values[0] <= found.fun + TIE * abs(
        found.fun
    ):  # a minimum at 0 so flat that the grid beside it ties with rounding
        return Least(0.0, float(values[0]), False)
    return Least(c, float(found.fun), False)


def best_learning(
    own: Spectrum, loss: str, step: str, eta: float | None = None, tolerance: float = 1e-6, p: float = 2
) -> Least:
    """Return the damping at which one learner needs least, and what it needs there."""
    values = own.distinct()[0]
    eta = first_step(values, loss, p) if eta is None else eta
    return least(lambda c: count(values, c, loss, step, eta, tolerance, p), own.largest ** (p - 1))


@results.experiment
def measured_convergence(
    F: ArrayLike,
    c: ArrayLike,
    loss: str = "isotropic",
    step: str = "best",
    eta: float | None = None,
    tolerance: float = 1e-6,
    p: float = 2,
) -> xr.Dataset:
    """Return how many steps gradient descent with the metric F^p + cF takes to bring a quadratic loss to ``tolerance``.

    ``F`` is a matrix (m, m) or its eigenvalues (m,), ``c`` one or more dampings from 0 to ∞, ``loss`` one of
    :data:`LEARNER_LOSSES`, ``step`` one of :data:`STEP_RULES`; ``eta`` is the step of the rule "fixed" (None: 1/r_max
    at c = 0).
    Variables over ``c``: ``needed`` (a real number of steps, or the time of gradient flow; infinite where it diverges
    or stands still), ``whole_steps`` (the next whole number, NaN for time); and ``best_c``, ``least_needed``. Closed
    form, O(m) for each c. Raises ``ValueError`` for a negative c, an unknown loss or rule, a tolerance outside (0, 1).

    >>> found = measured_convergence([1, 3, 10], [0.0, float("inf")])
    >>> found.needed.values.round(3).tolist(), float(found.best_c)
    ([345.376, 34.423], inf)
    """
    own = spectrum(F)
    c = _dampings(c)
    tolerance = checks.real("tolerance", tolerance, exclusive_minimum=0, maximum=0.999)
    checks.choice("loss", loss, LEARNER_LOSSES)
    checks.choice("step", step, STEP_RULES)
    p = checked_power(p)
    values = own.distinct()[0]
    eta = first_step(values, loss, p) if eta is None else checks.real("eta", eta, exclusive_minimum=0)
    needed = count(values, c, loss, step, eta, tolerance, p)
    is_time = STEP_RULES[step].fact("unit") == "time"
    found = best_learning(own, loss, step, eta, tolerance, p)
    whole = np.full(len(c), np.nan) if is_time else np.maximum(np.ceil(needed - 1e-9), 1)
    return results.dataset(
        {
            "needed": (("c",), needed, "time needed" if is_time else "steps needed, a real number"),
            "whole_steps": (("c",), whole, "steps taken"),
            "best_c": ((), found.c, "damping that needs least"),
            "least_needed": ((), found.value, "what it needs"),
        },
        {"c": (("c",), c, "damping c")},
        {"loss": LEARNER_LOSSES[loss].label, "step": STEP_RULES[step].label, "eta": eta, "any_c": found.is_flat},
    )


def _dampings(c: ArrayLike) -> NDArray[np.float64]:
    """Return dampings from 0 to ∞ as an array; infinity is a value here like another."""
    given = np.atleast_1d(np.asarray(c))
    if given.dtype.kind not in "iuf" or given.ndim != 1 or not given.size or given.size > 1_000_000:
        raise ValueError(f"c must be a number or a list of up to a million numbers, got {str(c)[:60]}")
    given = given.astype(float)
    if np.isnan(given).any() or (given < 0).any():
        raise ValueError("c must be from 0 to ∞: g = F^p + cF has to stay positive definite")
    return given
