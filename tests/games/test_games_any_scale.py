"""Games in any units: curvatures of 1e±290 are certified like those of 1, and what cannot be is told in words."""

import json
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_games_checker_fuzz import sealed

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
    certificate = games.certify(games.Bounds([1, 1], [1, 1], [[0, 1e160], [0.5e-160, 0]]))
    assert certificate.status is games.Status.UNKNOWN
    assert "more than a certificate can hold" in certificate.reason


@pytest.mark.parametrize("exponent", [20, 60, 100, 149])
@pytest.mark.parametrize("share", [0.5, 2.0])
def test_players_with_variables_of_other_units_have_the_same_certificate(exponent, share):
    """L₁₂ = 10^k, L₂₁ = share 10^−k: only the product counts, and the weights say the rest."""
    near = games.certify(games.Bounds([1, 1], [2, 2], [[0, 1.0], [share, 0]]))
    scale = 2.0 ** round(exponent * np.log2(10))
    bounds = games.Bounds([1, 1], [2, 2], [[0, scale], [share / scale, 0]])
    far = games.certify(bounds)
    assert far.status is near.status is (games.Status.CERTIFIED if share < 1 else games.Status.REFUSED)
    assert far.bounds is bounds
    if not far.certified:
        assert games.check_refusal(far.to_json())
        np.testing.assert_allclose(far.tau, near.tau, rtol=1e-12)
        return
    assert games.check(far.to_json())
    for name in ("margin", "beta", "step_paper", "step_h0", "step_sharp", "step_rk4", "player_steps"):
        np.testing.assert_allclose(getattr(far, name), getattr(near, name), rtol=1e-9)
    np.testing.assert_allclose(far.weights / near.weights, [1, scale**2], rtol=1e-12)
    np.testing.assert_allclose(np.array(far.band) / scale**2, near.band, rtol=1e-12)
    forged = json.loads(far.to_json())
    forged["margin"] *= 1.001
    assert not games.verify(sealed(forged))


def test_one_way_couplings_of_any_size():
    """Nobody answers player 2: any margin below the curvature is there, whatever the coupling."""
    for big in (1e-200, 1e-40, 1e40, 1e140):
        certificate = games.certify(games.Bounds([1, 2], [1, 2], [[0, big], [0, 0]]))
        assert certificate.certified, certificate.reason
        assert 0.98 < certificate.margin < 1
        assert games.check(certificate.to_json())


def kinds(s):
    """Games of every kind, all numbers times s."""
    e, rng = games.expressions, np.random.default_rng(5)
    wide = 0.3 * rng.normal(size=(5, 5)) + 2 * np.eye(5)
    for own in (slice(0, 2), slice(2, 5)):
        wide[own, own] = (wide[own, own] + wide[own, own].T) / 2
    waves = games.SmoothGame(
        [1, 1], costs=lambda x: [s * (x[0] ** 2 + 0.3 * e.sin(x[0] * x[1])), s * (x[1] ** 2 + 0.3 * e.cos(x[0] - x[1]))]
    )
    pair = games.SmoothGame(
        [1, 2],
        costs=lambda x: [
            s * (x[0] ** 2 + 0.2 * x[0] * x[1]),
            s * (x[1] ** 2 + x[2] ** 2 + 0.5 * x[1] * x[2] + 0.1 * e.tanh(x[0]) * x[2]),
        ],
    )
    trap = games.SmoothGame([1, 1], field=lambda x: [s * (0.9 * x[0] - e.tanh(x[1])), s * (0.9 * x[1] - e.tanh(x[0]))])
    square, cube = games.Box([-0.5] * 2, [0.5] * 2), games.Box([-0.5] * 3, [0.5] * 3)
    payoffs = [s * np.array([[1.0, 0], [0, 2]]), s * np.array([[0, 1.0], [2, 0]])]
    sampled = games.DifferentiableGame([1, 1], field=lambda x: s * np.array([x[0] + 0.2 * x[1], x[1] - 0.1 * x[0]]))
    return {
        "blocks": lambda: games.certify(games.QuadraticGame(wide * s, sizes=[2, 3])),
        "no weights for blocks": lambda: games.certify(games.QuadraticGame((wide - 1.9 * np.eye(5)) * s, sizes=[2, 3])),
        "payoffs": lambda: games.certify(games.NormalFormGame(payoffs, temperature=2 * s)),
        "no weights for payoffs": lambda: games.certify(games.NormalFormGame(payoffs, temperature=0.3 * s)),
        "aggregate": lambda: games.certify(waves, square, method="aggregate"),
        "leafwise": lambda: games.certify(waves, square, 0.7 * s, method="leafwise"),
        "leaves of blocks": lambda: games.certify(pair, cube, 0.5 * s, method="leafwise"),
        "basin": lambda: games.with_basin(waves, games.certify(waves, square, 0.5 * s, method="leafwise"), [0.1, 0.1]),
        "no weights at a point": lambda: games.certify(trap, games.Box([-1, -1], [1, 1])),
        "sampled": lambda: games.certify(sampled, square),
    }


@cache
def unscaled(kind):
    return kinds(1.0)[kind]()


@pytest.mark.parametrize("exponent", [160, *(pytest.param(k, marks=pytest.mark.slow) for k in (-280, 280))])
@pytest.mark.parametrize("kind", list(kinds(1.0)))
def test_every_kind_of_game_in_any_units(kind, exponent):
    """Scaled by a power of two: the same certificate, about the game as given, with the scale in it."""
    scale = 2.0 ** round(exponent * np.log2(10))
    one, other = unscaled(kind), kinds(scale)[kind]()
    assert other.status is one.status
    assert one.scale is None
    text = other.to_json()
    answer = games.check_refusal(text) if kind.startswith("no weights") else games.verify(text)
    assert answer.valid is (kind != "sampled")
    for name in ("margin", "tau", "beta", "rate_h0", "rate_players"):
        np.testing.assert_allclose(getattr(other, name) / scale, getattr(one, name), rtol=1e-9, err_msg=name)
    for name in ("step_paper", "step_h0", "step_sharp", "step_rk4"):
        np.testing.assert_allclose(getattr(other, name) * scale, getattr(one, name), rtol=1e-9, err_msg=name)
    assert other.tree == one.tree
    if kind == "no weights at a point":
        return
    assert 0.5 * scale < other.scale / one_scale(one) < 2 * scale
    if answer:
        assert any("up to a factor of two" in told for told in answer.proves) is not kind.startswith("no weights")
        plain = json.loads(text)
        for factor in (4.0, 0.25, 1.5):
            lied = sealed({**plain, "scale": plain["scale"] * factor})
            assert games.verify(lied).field == "scale" or games.check_refusal(lied).field == "scale"


def one_scale(certificate):
    """The power of two near the largest number of a certificate in its own units."""
    if certificate.bounds is not None:
        return 2.0 ** round(np.log2(max(np.abs(certificate.bounds.ell).max(), certificate.bounds.L.max())))
    return 2.0


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
