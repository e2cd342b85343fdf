"""One draw of an estimator on a prepared pair of clouds: the value, and its exact gradient in both clouds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.transport.estimators import ESTIMATORS, Rule
from workbench.transport.estimators.base import Combination, Moments
from workbench.transport.lines import transport
from workbench.transport.measures import Cloud, in_one_unit, rescaled


@dataclass(frozen=True)
class Draw:
    """One estimate of SW_p^p (it may be slightly negative where weights are), and gradients (n, d) if asked for."""

    value: float
    gradient_x: NDArray[np.float64] | None
    gradient_y: NDArray[np.float64] | None
    costs: NDArray[np.float64]


def moments(x: Cloud, y: Cloud) -> Moments:
    """Return the difference of the means and the sum of the biased covariances of two clouds."""
    return Moments(x.centre - y.centre, _covariance(x) + _covariance(y))


def _covariance(cloud: Cloud) -> NDArray[np.float64]:
    coordinates = cloud.coordinates.astype(np.float64)
    return (coordinates * cloud.all_masses) @ coordinates.T


def draw(
    x: Cloud,
    y: Cloud,
    rule: Rule,
    *,
    power: int = 2,
    want_x: bool = False,
    want_y: bool = False,
    threads: int | None = None,
) -> Draw:
    """Evaluate a rule on a pair of clouds. Cost: one :func:`transport`, and O(n d²) for a control variate.

    Everything is computed in the one unit of the pair, and scaled at the end: a control variate takes fourth powers,
    which would leave double precision long before the result does. Raises ``ValueError`` if even the result does.
    """
    x, y, unit = in_one_unit(x, y)
    found = _draw_in_unit(x, y, rule, power, want_x, want_y, threads)
    if unit == 0:
        return found
    gradients = (found.gradient_x, found.gradient_y)
    return Draw(
        float(rescaled(f"SW_{power}^{power}", found.value, power * unit)),
        *(None if one is None else rescaled("the gradient", one, (power - 1) * unit) for one in gradients),
        rescaled("the cost along a direction", found.costs, power * unit),
    )


def _draw_in_unit(x: Cloud, y: Cloud, rule: Rule, power: int, want_x: bool, want_y: bool, threads: int | None) -> Draw:
    weights, pair = rule.weights, None
    if rule.control is not None:
        pair = moments(x, y)
        weights = rule.control.weights(rule.directions, pair)
    found = transport(x, y, rule.directions, weights, power=power, want_x=want_x, want_y=want_y, threads=threads)
    if rule.control is None or pair is None:
        return Draw(float(weights @ found.costs), found.gradient_x, found.gradient_y, found.costs)
    combination = rule.control.combine(found.costs, rule.directions, pair)
    gradient_x, gradient_y = found.gradient_x, found.gradient_y
    if gradient_x is not None:
        gradient_x += _through_moments(x, combination, pair.shift)
    if gradient_y is not None:
        gradient_y += _through_moments(y, combination, -pair.shift)
    return Draw(combination.value, gradient_x, gradient_y, found.costs)


def _through_moments(cloud: Cloud, combination: Combination, shift: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a_i (by_shift · shift + by_spread · (x_i − m_x)), the gradient that flows through the moments."""
    moved = combination.by_shift @ shift[:, None] + combination.by_spread @ cloud.coordinates
    return cloud.restore(moved * cloud.all_masses)


def mean_and_error(draws: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean of independent draws along the last axis and its standard error (NaN for a single draw).

    In units of the largest draw, so that nothing overflows or vanishes when it is squared.

    >>> mean, error = mean_and_error([1e300, 3e300])
    >>> float(mean), float(error)
    (2e+300, 1e+300)
    """
    draws = np.asarray(draws, dtype=np.float64)
    number = draws.shape[-1]
    unit = int(np.frexp(np.abs(draws).max())[1])
    inside = np.ldexp(draws, -unit)
    errors = inside.std(axis=-1, ddof=1) / np.sqrt(number) if number > 1 else np.full(draws.shape[:-1], np.nan)
    with np.errstate(under="ignore"):
        return np.ldexp(inside.mean(axis=-1), unit), np.ldexp(errors, unit)


def check_power(p: int) -> int:
    """Return the power p of W_p^p: 1 or 2, nothing else."""
    if isinstance(p, bool) or p not in (1, 2):
        raise ValueError(f"p must be 1 or 2, got {p!r}")
    return int(p)


def check_method(method: str, power: int) -> None:
    """Refuse an estimator that is unknown or made for another power."""
    needed = ESTIMATORS[method].facts.get("power", power)
    if needed != power:
        raise ValueError(f"the estimator {method!r} bounds W_2² and works for p = {needed} only, got p = {power}")


def make_rule(method: str, n_directions: int, dim: int, rng: np.random.Generator) -> Rule:
    """Draw a rule of the named estimator."""
    return ESTIMATORS[method](n_directions, dim, rng)
