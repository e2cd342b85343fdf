"""The gradient: central differences, identities that hold for any directions, and degenerate clouds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import flows
from workbench.transport.evaluate import draw, make_rule
from workbench.transport.measures import prepare

METHODS = [name for name, entry in flows.ESTIMATORS.items() if entry.facts.get("dim", 3) == 3]


def gradients(x, y, rule, power=2, x_weights=None, y_weights=None):
    pair = prepare("x", x, x_weights, np.float64), prepare("y", y, y_weights, np.float64)
    return draw(*pair, rule, power=power, want_x=True, want_y=True)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("weighted", [False, True])
def test_central_differences(rng, method, weighted):
    x, y = rng.normal(size=(9, 3)), rng.normal(size=(9, 3)) * 1.5 + [0.5, 0, 1]
    a, b = (rng.random(9), rng.random(9)) if weighted else (None, None)
    rule = make_rule(method, 24, 3, np.random.default_rng(1))
    found = gradients(x, y, rule, 2, a, b)
    h = 1e-5
    for cloud, gradient in ((x, found.gradient_x), (y, found.gradient_y)):
        for i, k in ((0, 0), (4, 2), (8, 1)):
            ends = []
            for sign in (1, -1):
                kept = cloud[i, k]
                cloud[i, k] = kept + sign * h
                ends.append(gradients(x, y, rule, 2, a, b).value)
                cloud[i, k] = kept
            assert (ends[0] - ends[1]) / (2 * h) == pytest.approx(gradient[i, k], abs=2e-9)


def test_central_differences_for_p_one(rng):
    x, y = rng.normal(size=(9, 3)), rng.normal(size=(14, 3))
    rule = make_rule("monte-carlo", 24, 3, rng)
    found = gradients(x, y, rule, power=1)
    h = 1e-7  # shorter than any gap, so that no sign changes
    moved = x.copy()
    moved[4, 1] += h
    ahead = gradients(moved, y, rule, power=1).value
    moved[4, 1] -= 2 * h
    behind = gradients(moved, y, rule, power=1).value
    assert (ahead - behind) / (2 * h) == pytest.approx(found.gradient_x[4, 1], abs=1e-8)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 5), st.integers(1, 30), st.integers(0, 10**6))
def test_sum_and_euler_identities(n, m, dim, number, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, dim)), rng.normal(size=(m, dim)) + 1
    a, b = rng.random(n) + 0.01, rng.random(m) + 0.01
    rule = make_rule("monte-carlo", number, dim, rng)
    found = gradients(x, y, rule, 2, a, b)
    shift = a @ x / a.sum() - b @ y / b.sum()
    moment = (rule.weights[:, None] * rule.directions).T @ rule.directions
    np.testing.assert_allclose(found.gradient_x.sum(axis=0), 2 * moment @ shift, atol=1e-12)
    euler = np.sum(x * found.gradient_x) + np.sum(y * found.gradient_y)
    assert euler == pytest.approx(2 * found.value, rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("precision", ["single", "double"])
def test_a_point_and_equal_points_have_gradient_zero(method, precision):
    for n in (1, 5):
        x = np.full((n, 3), 0.1)
        options = {"method": method, "n_directions": 24, "precision": precision}
        value, gradient = flows.sliced_wasserstein_gradient(x, x, **options)
        assert value == 0
        np.testing.assert_array_equal(gradient, 0)
    value, gradient = flows.sliced_wasserstein_gradient([[0, 0, 0]], [[3, 0, 0]], method="design", n_directions=6)
    np.testing.assert_allclose(gradient, [[-2.0, 0, 0]], atol=1e-6)


@pytest.mark.parametrize("method", ["lower-cv", "upper-cv"])
def test_control_variates_fall_back_when_the_means_meet(rng, method):
    x, y = rng.normal(size=(200, 3)), 2 * rng.normal(size=(200, 3))
    x -= x.mean(axis=0)
    y -= y.mean(axis=0)
    control = flows.sliced_wasserstein(x, y, method=method, seed=3, precision="double")
    plain = flows.sliced_wasserstein(x, y, method="monte-carlo", seed=3, precision="double")
    assert np.isfinite(control.value)
    if method == "lower-cv":
        assert control.value == pytest.approx(plain.value, rel=1e-12)


def test_the_ridge_tames_the_gradient_as_the_means_meet(rng):
    x, y = flows.cloud("torus", 500), flows.cloud("cube", 500, seed=1)
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    truth = flows.sliced_wasserstein_gradient(x, y, n_directions=1000)[1]

    def error(method, shift):
        errors = [
            flows.sliced_wasserstein_gradient(x + shift, y, method=method, n_directions=20, seed=seed)[1] - truth
            for seed in range(20)
        ]
        return np.sqrt(np.mean(np.square(errors)))

    plain = error("monte-carlo", 0)
    for shift in (1e-1, 1e-2, 1e-4, 1e-8):
        assert error("lower-cv", np.array([shift, 0, 0])) < 3 * plain


@pytest.mark.parametrize("seed", range(3))
def test_ties_have_a_finite_gradient(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 2, (2, 300, 3)).astype(float)
    value, gradient = flows.sliced_wasserstein_gradient(x, y)
    assert np.isfinite(gradient).all()
    assert value >= 0
