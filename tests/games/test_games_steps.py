"""Step sizes: the paper's, h0, the sharp step, RK4, rates by player, delays."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_games_weights import RING, SECOND, TOY, random_bounds

from workbench.games import Bounds, Status, certify, check, perron
from workbench.games.small_gain import steps as s
from workbench.games.small_gain.weights import lipschitz


def test_toy():
    best = perron(TOY)
    assert s.paper_step(best.tau, lipschitz(TOY, best.w)) == pytest.approx(0.2010101267766693, rel=1e-13)
    assert s.h0(TOY) == 1
    assert certify(TOY).factor(1.0) == pytest.approx(0.7071067811865475, rel=1e-13)
    sharp = s.sharp_step(TOY, best.z)
    assert sharp.step == pytest.approx(1.171572875253810, rel=1e-11)
    # It is the true limit: J = [[1, 10], [.05, 1]] loses stability just beyond.
    radius = np.abs(np.linalg.eigvals(np.eye(2) - 1.171572875253811 * np.array([[1, 10], [0.05, 1]]))).max()
    assert radius == pytest.approx(1, abs=1e-12)


def test_other_oracles():
    assert s.h0(SECOND) == pytest.approx(0.2857142857142857)
    assert s.sharp_step(SECOND, perron(SECOND).z).step == pytest.approx(0.3225806451612903, rel=1e-11)
    assert s.sharp_step(RING, perron(RING).z).step == pytest.approx(1.084932494495329, rel=1e-11)


def test_rk4_guideline_can_expand():
    j = np.array([[1, 2, 2], [0, 1, 2], [0, 0, 1]]) + 0.001 * np.eye(3)
    h = s.rk4_guideline(np.linalg.norm(j, 2))
    hj = h * j
    step = np.eye(3) - hj + hj @ hj / 2 - hj @ hj @ hj / 6 + hj @ hj @ hj @ hj / 24
    assert np.linalg.norm(step, 2) == pytest.approx(1.006335741382, rel=1e-11)
    assert np.linalg.eigvalsh(0.5 * (j + j.T))[0] > 0  # although the game is strongly monotone


def member(bounds, rng):
    """A random signed Jacobian within the bounds, one coordinate a player."""
    n = bounds.players
    j = bounds.L * rng.uniform(-1, 1, (n, n))
    np.fill_diagonal(j, rng.uniform(bounds.mu, bounds.ell))
    return j


def rk4(j, h):
    hj = h * j
    return np.eye(len(j)) - hj + hj @ hj / 2 - hj @ hj @ hj / 6 + hj @ hj @ hj @ hj / 24


def shrinks(h, j, u):
    """Tell exactly whether |I − h J| u < u: for a tiny h the difference drowns in the rounding of floats."""
    h, exact, vector = (
        Fraction(h),
        [[Fraction(x) for x in row] for row in j.tolist()],
        [Fraction(x) for x in u.tolist()],
    )
    rows = [sum(abs((i == k) - h * x) * vector[k] for k, x in enumerate(row)) for i, row in enumerate(exact)]
    return h == 0 or all(row < bound for row, bound in zip(rows, vector, strict=True))


@settings(deadline=None, max_examples=250)
@given(random_bounds(density=False), st.integers(0, 2**32 - 1))
def test_no_member_beats_the_certificate(bounds, seed):
    certificate = certify(bounds)
    if not certificate.certified:
        return
    rng = np.random.default_rng(seed)
    root = np.sqrt(certificate.weights)

    def norm(matrix):
        return np.linalg.norm(root[:, None] * matrix / root, 2)

    u, z = certificate.sharp_vector, certificate.z
    for j in (member(bounds, rng), bounds.comparison()):
        flow = 0.5 * (root[:, None] * j / root + (root[:, None] * j / root).T)
        assert np.linalg.eigvalsh(flow)[0] >= certificate.margin * (1 - 1e-9) - 1e-12
        h = rng.uniform(0, certificate.step_h0)
        assert norm(np.eye(len(j)) - h * j) <= certificate.factor(h) + 1e-10
        assert norm(j) <= certificate.beta * (1 + 1e-10)
        assert norm(np.eye(len(j)) - rng.uniform(0, certificate.step_paper) * j) < 1 + 1e-12
        for share in (1.0, rng.uniform(0, 1)):
            assert shrinks(share * certificate.step_sharp, j, u)
        assert norm(rk4(j, rng.uniform(0, 1) * certificate.step_rk4)) <= 1 + 1e-10
        rates = rng.uniform(0, 1, len(j)) * certificate.player_steps
        factor = s.player_factor(bounds, z, rates)
        assert np.max(np.abs(np.eye(len(j)) - rates[:, None] * j) @ z / z) <= factor + 1e-12
        assert factor < 1


@settings(deadline=None, max_examples=60)
@given(random_bounds(density=False))
def test_sharp_is_the_largest_and_convex(bounds):
    best = perron(bounds)
    if best.margin <= 1e-6:
        return
    h = s.sharp_step(bounds, best.z).step
    assert h >= s.h0(bounds) * (1 - 1e-9)
    assert s.step_radius(bounds, h) < 1 + 1e-12
    assert s.step_radius(bounds, h * (1 + 1e-6)) > 1 - 1e-9
    grid = np.linspace(0, 1.2 * h, 25)
    radii = np.array([s.step_radius(bounds, x) for x in grid])
    assert np.all(radii[1:-1] <= 0.5 * (radii[:-2] + radii[2:]) + 1e-8)
    assert s.step_radius(bounds, s.h0(bounds)) == pytest.approx(1 - s.h0(bounds) * best.tau, abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(random_bounds(density=False), st.integers(0, 8))
def test_delayed_factor_solves_its_equation(bounds, delay):
    best = perron(bounds)
    if best.margin <= 1e-6:
        return
    eta = 0.7 * s.player_steps(bounds)
    factor = s.delayed_factor(bounds, best.z, eta, delay)
    assert s.player_factor(bounds, best.z, eta) <= factor + 1e-12
    assert factor < 1
    own = np.maximum(np.abs(1 - eta * bounds.mu), np.abs(1 - eta * bounds.ell))
    gain = eta * (bounds.L @ best.z) / best.z
    assert np.max(own + gain * factor ** (-delay)) <= factor + 1e-9


def test_large_games_use_the_given_vector():
    n = 600
    couplings = np.full((n, n), 0.5 / n)
    np.fill_diagonal(couplings, 0)
    bounds = Bounds(np.ones(n), 2 * np.ones(n), couplings)
    sharp = s.sharp_step(bounds, np.ones(n))
    assert sharp.step == pytest.approx(2 / (2 + 0.5 * (n - 1) / n), rel=1e-9)


def test_no_step_without_margin():
    assert s.paper_step(-1, 2) == 0
    assert s.best_paper_factor(0.5, 1) == pytest.approx(np.sqrt(0.75))
    assert s.player_factor(Bounds([0.1, 0.1], [1, 1], [[0, 9], [9, 0]]), [1, 1], 0.1) > 1
    assert s.delayed_factor(Bounds([0.1, 0.1], [1, 1], [[0, 9], [9, 0]]), [1, 1], 0.1, 3) > 1


@given(st.integers(2, 6), st.integers(0, 10**6))
@settings(deadline=None, max_examples=60)
def test_one_way_couplings_are_certified_with_their_steps(players, seed):
    """Reducible games make the proving vectors uneven; a positive tau must still come back verified."""
    rng = np.random.default_rng(seed)
    couplings = rng.uniform(0, 2, (players, players)) * (rng.random((players, players)) < 0.4)
    bounds = Bounds(mu=rng.uniform(0.5, 2, players), ell=np.full(players, 2.0), L=np.triu(couplings, 1))
    certificate = certify(bounds)
    assert certificate.status is Status.CERTIFIED
    assert check(certificate)
    assert certificate.step_sharp <= 1.0
