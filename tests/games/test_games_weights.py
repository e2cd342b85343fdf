"""Perron weights against closed forms, eigenvalues and brute force."""

import math

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from workbench.games import Bounds, perron
from workbench.games.small_gain.band import coordinate_band, two_player_band, two_player_margin
from workbench.games.small_gain.weights import lipschitz, margin, small_gain_radius

TOY = Bounds([1, 1], [1, 1], [[0, 10], [0.05, 0]])
SECOND = Bounds([2, 0.5], [5, 1.5], [[0, 3], [0.2, 0]])
RING = Bounds([1, 1, 1], [1, 1, 1], [[0, 4, 0], [0, 0, 0.5], [0.3, 0, 0]])


@st.composite
def random_bounds(draw, smallest=2, largest=6, density=True):
    n = draw(st.integers(smallest, largest))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    mu = 10 ** rng.uniform(-1, 1, n)
    couplings = 10 ** rng.uniform(-3, 1, (n, n)) / n
    if density:
        couplings *= rng.random((n, n)) < rng.uniform(0.3, 1.0)
    np.fill_diagonal(couplings, 0)
    return Bounds(mu, mu * rng.uniform(1, 5, n), couplings)


def test_toy():
    best = perron(TOY)
    assert best.tau == pytest.approx(0.2928932188134525, abs=1e-15)
    assert best.margin == pytest.approx(best.tau, rel=1e-13)
    assert best.w[1] == pytest.approx(200, rel=1e-14)
    assert lipschitz(TOY, best.w) == pytest.approx(1.707106781186548, rel=1e-14)
    assert two_player_band((1, 1), 10, 0.05) == pytest.approx((34.31457505076198, 1165.685424949238), rel=1e-14)
    assert two_player_band((1, 1), 10, 0.05, 0.1) == pytest.approx((47.12096587623842, 848.8790341237616), rel=1e-14)
    assert two_player_margin((1, 1), 10, 0.05) == pytest.approx(best.tau, abs=1e-15)
    assert small_gain_radius(TOY) == pytest.approx(math.sqrt(0.5), rel=1e-14)


def test_second_oracle():
    best = perron(SECOND)
    assert best.tau == pytest.approx(0.1718070673576088, rel=1e-13)
    assert lipschitz(SECOND, best.w) == pytest.approx(5.163765920900464, rel=1e-13)
    assert two_player_band((2, 0.5), 3, 0.2) == pytest.approx((3.377223398316207, 66.62277660168379), rel=1e-13)


def test_three_ring():
    best = perron(RING)
    assert best.tau == pytest.approx(0.1565673346982508, rel=1e-13)
    np.testing.assert_allclose(best.w, [1, 22.49153774137998, 7.904207343311251], rtol=1e-12)
    assert best.attained


def test_one_way_coupling_is_not_attained():
    best = perron(Bounds([1, 2], [1, 2], [[0, 3], [0, 0]]))
    assert (best.tau, best.attained) == (1.0, False)
    assert 0.99 <= best.margin < 1
    assert two_player_band((1, 2), 3, 0) == (pytest.approx(1.125), math.inf)
    assert two_player_band((1, 1), 1, 1, 3.0) is None


def test_refused_oracle():
    assert perron(Bounds([1, 1], [1, 1], [[0, 2], [0.6, 0]])).tau == pytest.approx(-0.09544511501033223, rel=1e-12)
    assert two_player_band((1, 1), 2, 0.6) is None


def test_decoupled_groups_attain():
    n = 4
    couplings = np.zeros((n, n))
    couplings[0, 1] = couplings[1, 0] = 0.5
    couplings[2, 3], couplings[3, 2] = 4, 0.1
    best = perron(Bounds(np.ones(n), np.ones(n), couplings))
    assert best.attained
    assert best.margin == pytest.approx(1 - math.sqrt(0.4), rel=1e-12)


@settings(deadline=None, max_examples=150)
@given(random_bounds())
def test_perron_against_eigenvalues(bounds):
    best = perron(bounds)
    a = bounds.comparison()
    eigenvalues = np.linalg.eigvals(a)
    scale = np.abs(a).max()
    assert best.tau == pytest.approx(eigenvalues.real.min(), abs=1e-9 * scale)
    assert best.margin <= best.tau + 1e-12 * scale
    assert np.all(a @ best.witness <= best.ceiling * best.witness + 1e-12 * scale)
    if best.margin > 0:
        assert np.all(a @ best.z >= best.margin * best.z)
        assert np.all(a.T @ best.v >= best.margin * best.v)
        assert margin(bounds, best.w) >= best.margin - 1e-9 * scale
        assert small_gain_radius(bounds) < 1


@settings(deadline=None, max_examples=60)
@given(random_bounds(density=False), st.integers(0, 1000), st.floats(0.1, 10))
def test_margin_maps_as_it_should(bounds, seed, factor):
    rng = np.random.default_rng(seed)
    w = 10 ** rng.uniform(-1, 1, bounds.players)
    value, scale = margin(bounds, w), np.abs(bounds.comparison()).max()
    close = {"rel": 1e-9, "abs": 1e-11 * scale * max(1, factor)}
    assert margin(bounds, factor * w) == pytest.approx(value, **close)
    assert margin(bounds.scaled(factor), w) == pytest.approx(factor * value, **close)
    order = rng.permutation(bounds.players)
    assert margin(bounds.relabelled(order), w[order]) == pytest.approx(value, **close)
    assert perron(bounds.relabelled(order)).tau == pytest.approx(perron(bounds).tau, **close)
    assert value <= perron(bounds).tau + 1e-9 * scale
    # x -> c x by player scales L_ij by c_i/c_j: tau does not move.
    c = 10 ** rng.uniform(-1, 1, bounds.players)
    scaled = Bounds(bounds.mu, bounds.ell, bounds.L * c[:, None] / c)
    assert perron(scaled).tau == pytest.approx(perron(bounds).tau, rel=1e-7, abs=1e-9 * scale)


@settings(deadline=None, max_examples=40)
@given(random_bounds(2, 4, density=False))
def test_no_other_weights_do_better(bounds):
    best = perron(bounds)
    found = minimize(
        lambda s: -margin(bounds, np.exp(np.concatenate([[0], s]))), np.log(best.w[1:]) + 0.3, method="Nelder-Mead"
    )
    assert -found.fun <= best.tau + 1e-8 * np.abs(bounds.comparison()).max()
    # Strictly worse away from w*.
    other = best.w * np.exp(0.5 * np.arange(bounds.players))
    assert margin(bounds, other) < best.tau


@settings(deadline=None, max_examples=100)
@given(random_bounds(2, 2, density=False), st.floats(0, 0.9))
def test_band_ends_have_the_target_margin(bounds, share):
    alpha = share * perron(bounds).tau
    band = two_player_band(tuple(bounds.mu), bounds.L[0, 1], bounds.L[1, 0], alpha)
    if perron(bounds).tau <= alpha + 1e-6 or alpha < 0:
        return
    for end in band:
        assert margin(bounds, [1, end]) == pytest.approx(alpha, abs=1e-7 * np.abs(bounds.comparison()).max())
    inside = coordinate_band(bounds, [1, math.sqrt(band[0] * band[1])], alpha)
    np.testing.assert_allclose(inside[1], band, rtol=1e-6)


def test_coordinate_band_of_three_players():
    w = perron(RING).w
    band = coordinate_band(RING, w, 0.1)
    for i in range(3):
        for end in band[i]:
            moved = w.copy()
            moved[i] = end
            assert margin(RING, moved) == pytest.approx(0.1, abs=1e-9)
    assert np.isnan(coordinate_band(RING, w, 0.2)).all()


def test_bad_weights_are_refused():
    with pytest.raises(ValueError, match="3 entries"):
        margin(TOY, [1, 2, 3])
    with pytest.raises(ValueError, match="positive"):
        margin(TOY, [1, -2])


def test_sparse_and_dense_agree():
    sparse = Bounds(RING.mu, RING.ell, sp.csr_array(RING.L))
    assert perron(sparse).tau == pytest.approx(perron(RING).tau, rel=1e-13)
    assert lipschitz(sparse, [1, 2, 3]) == pytest.approx(lipschitz(RING, [1, 2, 3]))
    assert small_gain_radius(sparse) == pytest.approx(small_gain_radius(RING))
