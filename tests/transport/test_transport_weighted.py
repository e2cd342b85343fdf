"""Weighted points with the gradient in points and masses, against the fused kernel and finite differences."""

import numpy as np
import pytest

from workbench import transport
from workbench.transport.weighted import weighted_lines


def clouds(seed=0, n=40, m=30, dim=6):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, dim)), rng.random(n) + 0.1, rng.normal(size=(m, dim)) + 0.3, rng.random(m) + 0.1


@pytest.mark.parametrize("p", [1, 2])
def test_the_costs_are_those_of_the_double_precision_kernel(p):
    x, a, y, b = clouds()
    theta = transport.directions("orthogonal", 12, 6)
    costs = transport.projected_costs(x, y, theta, x_weights=a, y_weights=b, p=p, precision="double")
    found = weighted_lines(x, a, y, b, theta, np.full(12, 1 / 12), p=p)
    np.testing.assert_allclose(found.costs, costs, rtol=1e-12)
    assert found.value == pytest.approx(costs.mean())


@pytest.mark.parametrize("p", [1, 2])
def test_the_gradient_is_that_of_the_value_in_points_and_masses(p):
    x, a, y, b = clouds(1)
    theta, weights = transport.directions("orthogonal", 6, 6), np.full(6, 1 / 6)
    found = weighted_lines(x, a, y, b, theta, weights, p=p)
    rng, h = np.random.default_rng(5), 1e-6
    dx, da = rng.normal(size=x.shape), rng.normal(size=a.shape)
    for step_x, step_a, slope in ((dx, 0 * da, (found.by_point * dx).sum()), (0 * dx, da, found.by_mass @ da)):
        up = weighted_lines(x + h * step_x, a + h * step_a, y, b, theta, weights, p=p).value
        down = weighted_lines(x - h * step_x, a - h * step_a, y, b, theta, weights, p=p).value
        assert (up - down) / (2 * h) == pytest.approx(slope, rel=1e-5, abs=1e-8)


def test_equal_clouds_cost_nothing_and_pull_nowhere():
    x, a, _, _ = clouds(2)
    found = weighted_lines(x, a, x, a, np.eye(6), np.full(6, 1 / 6))
    assert found.value == 0
    assert np.abs(found.by_point).max() == 0
    assert np.abs(found.by_mass).max() < 1e-15


def test_threads_change_nothing():
    x, a, y, b = clouds(3, n=3000, m=2500, dim=3)
    theta, weights = transport.directions("design", 30, 3), np.full(30, 1 / 30)
    one, other = (weighted_lines(x, a, y, b, theta, weights, threads=threads) for threads in (True, False))
    np.testing.assert_array_equal(one.by_point, other.by_point)
    np.testing.assert_array_equal(one.by_mass, other.by_mass)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"x_masses": [1.0]}, "x_masses has 1 entries for 40 points"),
        ({"y_masses": -np.ones(30)}, "y_masses must be at least 0"),
        ({"p": 3}, "p must be 1 or 2"),
        ({"weights": [1.0]}, "do not fit together"),
        ({"directions": np.eye(5)}, "do not fit together"),
    ],
)
def test_what_does_not_fit_is_refused(change, told):
    x, a, y, b = clouds()
    given = {"x": x, "x_masses": a, "y": y, "y_masses": b, "directions": np.eye(6), "weights": np.ones(6)} | change
    with pytest.raises(ValueError, match=told):
        weighted_lines(**given)
