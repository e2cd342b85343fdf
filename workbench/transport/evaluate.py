"""One draw of an estimator on a prepared pair of clouds: the value, and its exact gradient in both clouds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.transport.estimators import ESTIMATORS, Rule
from workbench.transport.estimators.base import Combination, Moments
from workbench.transport.lines import transport
from workbench.transport.measures import Cloud


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
    """Evaluate a rule on a pair of clouds. Cost: one :func:`transport`, and O(n d²) for a control variate."""
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


def make_rule(method: str, n_directions: int, dim: int, rng: np.random.Generator) -> Rule:
    """Draw a rule of the named estimator."""
    return ESTIMATORS[method](n_directions, dim, rng)
