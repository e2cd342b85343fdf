"""Quadratic, differentiable, normal-form and Markov games."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import games
from workbench.games import Box, DifferentiableGame, MarkovGame, NormalFormGame, QuadraticGame, Status
from workbench.games.gallery.finite import PENNIES, ROCK_PAPER_SCISSORS, two_state_game
from workbench.games.models.markov import solve_formulas
from workbench.games.small_gain.weights import perron


def differences(field, x, h=1e-6):
    return np.stack([(field(x + h * d) - field(x - h * d)) / (2 * h) for d in np.eye(len(x))], axis=1)


@pytest.mark.parametrize(
    ("matrix", "sizes", "message"),
    [
        ([[1, 2, 3], [4, 5, 6]], None, "square"),
        ([[1, np.nan], [0, 1]], None, "NaN"),
        (np.eye(3), [1, 1], "add up to 2"),
        ([[1, 1], [0, 1]], [2], "symmetric"),
    ],
)
def test_bad_quadratic_games(matrix, sizes, message):
    with pytest.raises(ValueError, match=message):
        QuadraticGame(matrix, sizes)


def test_blocks_must_fit():
    with pytest.raises(ValueError, match=r"block \(0, 1\) has shape"):
        QuadraticGame.from_blocks([[np.eye(2), np.ones((2, 3))], [np.ones((1, 2)), [[1.0]]]])
    with pytest.raises(ValueError, match="square table"):
        QuadraticGame.from_blocks([[np.eye(2)], [np.eye(2)]])
    game = QuadraticGame.from_blocks([[np.eye(2), np.ones((2, 1))], [0.1 * np.ones((1, 2)), [[2.0]]]], offset=[1, 0, 0])
    np.testing.assert_allclose(game.field(game.equilibrium()), 0, atol=1e-14)
    np.testing.assert_allclose(game.jacobian(np.zeros((4, 3)))[2], game.matrix)
    with pytest.raises(ValueError, match="singular"):
        QuadraticGame(np.ones((2, 2))).equilibrium()


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 4), min_size=2, max_size=4))
def test_quadratic_certificates_against_eigenvalues(seed, sizes):
    rng = np.random.default_rng(seed)
    d = sum(sizes)
    matrix = rng.normal(size=(d, d)) * 10 ** rng.uniform(-2, 0)
    edges = np.cumsum([0, *sizes])
    for a, b in itertools.pairwise(edges):
        root = rng.normal(size=(b - a, b - a))
        own = root @ root.T + rng.uniform(0, 2) * np.eye(b - a)
        matrix[a:b, a:b] = 0.5 * (own + own.T)
    game = QuadraticGame(matrix, sizes)
    certificate = games.certify(game)
    assert games.check(certificate.to_json()) == certificate.certified
    if certificate.certified:
        root = np.sqrt(np.repeat(certificate.weights, sizes))
        scaled = root[:, None] * matrix / root
        assert np.linalg.eigvalsh(0.5 * (scaled + scaled.T))[0] >= certificate.margin * (1 - 1e-9)
        assert np.linalg.eigvals(matrix).real.min() >= certificate.margin * (1 - 1e-9)
        h = certificate.step_h0 * rng.random()
        contraction = np.linalg.norm(np.eye(d) - h * scaled, 2)
        assert contraction <= certificate.factor(h) + 1e-10
        assert np.abs(np.linalg.eigvals(np.eye(d) - certificate.step_sharp * matrix)).max() < 1


def test_differentiable_torch_and_numpy_agree():
    def costs(blocks):
        x, y = blocks
        return [(x**2).sum() / 2 + 10 * x[0] * y[0], (y**2).sum() / 2 + 0.05 * x[0] * y[0] + torch.tanh(y[0])]

    by_torch = DifferentiableGame([1, 1], costs=costs)
    by_numpy = DifferentiableGame(
        [1, 1], field=lambda x: [x[0] + 10 * x[1], x[1] + 0.05 * x[0] + 1 / np.cosh(x[1]) ** 2]
    )
    x = np.array([[0.3, -0.2], [1.0, 0.5]])
    np.testing.assert_allclose(by_torch.field(x), by_numpy.field(x), atol=1e-14)
    np.testing.assert_allclose(by_torch.jacobian(x), by_numpy.jacobian(x), atol=1e-8)
    box = Box.around([0.0, 0.0], 0.1)
    for game in (by_torch, by_numpy):
        certificate = games.certify(game, box)
        assert certificate.status is Status.ESTIMATED
        assert "not a proof" in certificate.reason
        assert not games.check(certificate)
    linear = DifferentiableGame([1, 1], costs=lambda b: [b[0][0], b[1][0]])
    np.testing.assert_array_equal(linear.jacobian([0.0, 0.0]), np.zeros((2, 2)))
    given_jacobian = DifferentiableGame([1], field=lambda x: x**3, jacobian=lambda x: [[3 * x[0] ** 2]])
    assert given_jacobian.jacobian([2.0]) == 12


def test_bad_differentiable_games():
    with pytest.raises(ValueError, match="either costs"):
        DifferentiableGame([1])
    with pytest.raises(ValueError, match="returned 1 values for 2"):
        DifferentiableGame([1, 1], costs=lambda b: [b[0][0]]).field([0.0, 0.0])
    with pytest.raises(ValueError, match="not finite"):
        DifferentiableGame([1], field=lambda x: [np.nan]).field([0.0])
    with pytest.raises(ValueError, match="2 coordinates"):
        DifferentiableGame([1, 1], field=lambda x: x).field([0.0])


@pytest.mark.parametrize(
    ("table", "edge"), [(PENNIES, 1.0), (ROCK_PAPER_SCISSORS, 0.8660254037844386)], ids=["pennies", "rps"]
)
def test_zero_sum_thresholds(table, edge):
    for temperature, good in ((edge + 0.01, True), (edge - 0.01, False)):
        game = NormalFormGame([table, -table], temperature)
        certificate = games.certify(game)
        assert certificate.certified is good
        assert certificate.tau == pytest.approx(temperature - edge, abs=1e-12)
        assert games.check(certificate.to_json()) is good
        assert game.kl_margin() == temperature  # the truth: it converges for every temperature


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(2, 4), min_size=2, max_size=3), st.floats(0.3, 3))
def test_normal_form_bounds_hold_everywhere(seed, shape, temperature):
    rng = np.random.default_rng(seed)
    game = NormalFormGame(rng.normal(size=(len(shape), *shape)), temperature)
    theta = rng.normal(size=game.dimension) * 10 ** rng.uniform(-1, 1)
    j = game.jacobian(theta)
    np.testing.assert_allclose(j, differences(game.field, theta), atol=1e-6)
    bounds, edges = game.bounds(), np.cumsum([0, *game.sizes])
    for a, b in itertools.permutations(range(len(shape)), 2):
        block = j[edges[a] : edges[a + 1], edges[b] : edges[b + 1]]
        assert np.linalg.norm(block, 2) <= bounds.L[a, b] * (1 + 1e-9)
    certificate = games.certify(game)
    assert games.check(certificate.to_json()) == certificate.certified


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.integers(2, 4))
def test_kl_margin_is_a_bound(seed, n, m):
    rng = np.random.default_rng(seed)
    game = NormalFormGame(rng.normal(size=(2, n, m)), 1.0)
    w = 10 ** rng.uniform(-0.5, 0.5, 2)
    margin = game.kl_margin(w)
    x, y = (game.strategies(rng.normal(size=n + m) * 2) for _ in range(2))
    field = [[np.log(s[i]) - game.action_values(i, s) for i in range(2)] for s in (x, y)]
    left = sum(w[i] * (field[0][i] - field[1][i]) @ (x[i] - y[i]) for i in range(2))
    symmetric = sum(w[i] * (np.log(x[i]) - np.log(y[i])) @ (x[i] - y[i]) for i in range(2))
    assert left >= margin * symmetric - 1e-9


def test_mirror_step_is_euler_in_logits():
    game = NormalFormGame([PENNIES, -PENNIES], 1.5)
    theta = np.array([1.0, -1.0, -0.5, 0.5])
    euler = theta - 0.3 * game.field(theta)
    for a, b in zip(game.strategies(game.mirror_step(theta, np.full(4, 0.3))), game.strategies(euler), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-14)
    assert game.divergence(euler, np.zeros(4)) < game.divergence(theta, np.zeros(4))
    assert game.exploitability(np.zeros(4)) == pytest.approx(0)
    assert game.exploitability(theta) > 0
    with pytest.raises(ValueError, match="one shape"):
        NormalFormGame([PENNIES, np.ones((2, 3))], 1)
    with pytest.raises(ValueError, match="two players"):
        NormalFormGame(np.ones((3, 2, 2, 2)), 1).kl_margin()


def test_papers_markov_game():
    game = two_state_game()
    at = game.fisher_bounds(np.zeros(4))
    np.testing.assert_allclose(at.mu, 1, rtol=1e-12)
    np.testing.assert_allclose(at.L[0, 1], 0.55, rtol=1e-12)
    assert perron(at).tau == pytest.approx(0.45, rel=1e-11)
    # The paper's cube of logits +-.1 is +-.2 in logit differences, sampled at its corners.
    corners = 0.2 * np.array(list(itertools.product([-1, 1], repeat=4)))
    sampled = game.fisher_bounds(corners)
    alpha = perron(sampled).tau
    beta = max(np.linalg.norm(game.fisher_jacobian(c), 2) for c in corners)
    assert alpha == pytest.approx(0.3334, abs=2e-4)
    assert beta == pytest.approx(1.5718, abs=1e-4)
    assert 2 * alpha / beta**2 == pytest.approx(0.2699, abs=1e-4)
    estimate = games.certify(game, Box.around(np.zeros(4), 0.2))
    assert estimate.status is Status.ESTIMATED
    np.testing.assert_allclose(game.field(np.zeros(4)), 0, atol=1e-15)
    assert game.returns(np.zeros(4)) == pytest.approx([2 * np.log(2)] * 2)


def random_markov(seed, states=2, actions=(2, 2)):
    rng = np.random.default_rng(seed)
    transitions = rng.random((states, *actions, states))
    return MarkovGame(
        transitions / transitions.sum(axis=-1, keepdims=True),
        rng.normal(size=(len(actions), states, *actions)),
        0.8,
        0.5,
        np.full(states, 1 / states),
    )


@pytest.mark.parametrize("actions", [(2, 2), (3, 2), (2, 2, 2)])
def test_markov_formulas_against_torch(actions):
    game = random_markov(1, actions=actions)
    theta = np.random.default_rng(0).normal(size=game.dimension)
    formulas = game.formulas()
    np.testing.assert_allclose(formulas.field(theta), game.field(theta), atol=1e-13)
    np.testing.assert_allclose(formulas.jacobian(theta), game.jacobian(theta), atol=1e-12)
    np.testing.assert_allclose(game.jacobian(theta), differences(game.field, theta), atol=1e-7)
    natural = np.linalg.solve(game.fisher(theta), game.field(theta))
    np.testing.assert_allclose(game.field(theta, "natural"), natural, atol=1e-11)
    np.testing.assert_allclose(
        game.jacobian(theta, "natural"), differences(lambda t: game.field(t, "natural"), theta), atol=1e-6
    )
    if set(actions) == {2}:
        np.testing.assert_allclose(game.formulas("natural").field(theta), natural, atol=1e-12)
    else:
        with pytest.raises(ValueError, match="two actions"):
            game.formulas("natural")


def test_markov_returns_against_simulation_of_the_chain():
    game = random_markov(4, states=3)
    theta = np.random.default_rng(2).normal(size=game.dimension)
    policies = game.policies(theta)
    joint = np.einsum("sa,sb->sab", *policies)
    chain = np.einsum("sab,sabt->st", joint, game.transitions)
    state, total = game.start.copy(), np.zeros(2)
    for k in range(400):
        total += 0.2 * 0.8**k * np.einsum("s,sab,isab->i", state, joint, game.rewards)
        state = state @ chain
    entropy = np.array([-(p * np.log(p)).sum() for p in policies])
    np.testing.assert_allclose(game.returns(theta), total + 0.5 * entropy, atol=1e-12)


def test_bad_markov_games():
    good = random_markov(0)
    with pytest.raises(ValueError, match="sum to 1"):
        MarkovGame(2 * good.transitions, good.rewards, 0.9, 1.0)
    with pytest.raises(ValueError, match="expected"):
        MarkovGame(good.transitions, good.rewards[0], 0.9, 1.0)
    with pytest.raises(ValueError, match="at most"):
        MarkovGame(good.transitions, good.rewards, 1.0, 1.0)
    with pytest.raises(ValueError, match="distribution"):
        MarkovGame(good.transitions, good.rewards, 0.9, 1.0, [1.0, 1.0])
    with pytest.raises(ValueError, match="unknown dynamics"):
        good.field(np.zeros(4), "mirror")


def test_solving_formulas():
    e = games.expressions
    a = np.array([[2.0, 1.0, 0.5], [0.3, 3.0, 1.0], [0.1, 0.2, 4.0]])
    x = solve_formulas([[e.wrap(v) for v in row] for row in a], [e.wrap(v) for v in (1.0, 2.0, 3.0)])
    values = e.compile_program(x, 1)([0.0], e.FloatFunctions)
    np.testing.assert_allclose(values, np.linalg.solve(a, [1, 2, 3]), rtol=1e-14)
