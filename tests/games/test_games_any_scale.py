"""Games in any units: curvatures of 1e±290 are certified like those of 1, and what cannot be is told in words."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import games

RNG = np.random.default_rng(3)


def toy(scale):
    return games.Bounds(mu=scale * np.ones(2), ell=scale * np.ones(2), L=scale * np.array([[0, 10.0], [0.05, 0]]))


@pytest.mark.parametrize("exponent", [-290, -200, -120, 0, 120, 200, 290])
def test_a_game_in_other_units_has_the_same_certificate(exponent):
    scale, one = 10.0**exponent, games.certify(toy(1.0))
    other = games.certify(toy(scale))
    assert other.certified
    assert games.check(other.to_json())
    np.testing.assert_allclose(other.margin / scale, one.margin, rtol=1e-12)
    np.testing.assert_allclose(other.weights, one.weights, rtol=1e-12)
    for name in ("step_paper", "step_h0", "step_sharp", "step_rk4"):
        expected = min(getattr(one, name) / scale, 1e300)
        np.testing.assert_allclose(getattr(other, name), expected, rtol=1e-12)


@settings(deadline=None, max_examples=60)
@given(st.floats(-320, 305), st.floats(0, 300), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_no_bounds_end_in_a_raw_error(centre, spread, players, seed):
    rng = np.random.default_rng(seed)

    def numbers(*shape):
        return 10.0 ** np.clip(centre + spread * rng.uniform(-1, 1, shape), -323, 300)

    mu, couplings = numbers(players) * rng.choice([1, 1, -1], players), numbers(players, players)
    np.fill_diagonal(couplings, 0)
    bounds = games.Bounds(mu, mu + numbers(players), couplings)
    certificate = games.certify(bounds)
    if certificate.certified:
        assert games.check(certificate.to_json())
    assert certificate.reason


def test_what_lies_too_far_apart_is_said():
    certificate = games.certify(games.Bounds([1e-100, 1e100], [1e-100, 1e100], [[0, 1.0], [1.0, 0]]))
    assert certificate.status is games.Status.UNKNOWN
    assert "further apart" in certificate.reason


@pytest.mark.parametrize("exponent", [-250, 250])
def test_the_ladder_of_a_game_in_other_units_is_the_same(exponent):
    matrix = np.array([[1.0, 2.0], [-1.0, 1.0]])
    one = games.ladder(games.QuadraticGame(matrix))
    other = games.ladder(games.QuadraticGame(matrix * 2.0 ** round(exponent * np.log2(10))))
    assert one.verdict.values.tolist() == other.verdict.values.tolist()
    scale = 2.0 ** round(exponent * np.log2(10))
    np.testing.assert_allclose(other.margin / scale, one.margin, rtol=1e-6)


def test_numpy_functions_mean_those_of_formulas():
    e = games.expressions

    def by_numpy(x):
        u = np.sin(x[0]) * np.exp(x[1]) + np.sqrt(np.square(x[0]) + 1) - np.log(x[1] + 3) / np.float64(2)
        return [u, np.tanh(np.array(x))[1] * u]

    def by_hand(x):
        u = e.sin(x[0]) * e.exp(x[1]) + e.sqrt(x[0] ** 2 + 1) - e.log(x[1] + 3) / 2
        return [u, e.tanh(x[1]) * u]

    one, other = games.SmoothGame([1, 1], costs=by_numpy), games.SmoothGame([1, 1], costs=by_hand)
    point = np.array([0.2, 0.3])
    np.testing.assert_allclose(one.jacobian(point), other.jacobian(point), rtol=1e-15)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (abs, "no derivative at 0"),
        (lambda x: x if x > 0 else -x, "no truth value"),
        (lambda x: x if x == 0 else 1 / x, "no truth value"),
        (lambda x: float(x), "use the functions of"),
        (lambda x: np.arctan(x), "numpy.arctan is no function of formulas"),
        (lambda x: np.maximum(x, 0), "numpy.maximum is no function of formulas"),
    ],
)
def test_what_is_no_smooth_formula_is_refused_in_words(write, message):
    (x,) = games.expressions.variables(1)
    with pytest.raises(TypeError, match=message):
        write(x)
