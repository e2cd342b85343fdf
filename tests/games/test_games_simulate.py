"""Dynamics: what is observed never beats what is certified."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_games_weights import random_bounds

from workbench import games, results
from workbench.games import DYNAMICS, GALLERY, Box, QuadraticGame


@pytest.mark.parametrize("dynamics", list(DYNAMICS))
def test_every_dynamics_runs_and_converges(dynamics):
    toy = GALLERY["toy"]()
    ds = games.simulate(
        toy, dynamics=dynamics, steps=300, step=0.5, delay=3, window=4, region=Box([-2, -2], [2, 2]), start=[1.0, 0.5]
    )
    assert results.problems(ds) == []
    if dynamics != "mirror":
        assert ds.distance[-1] < 1e-3 * ds.distance[0]
    again = games.simulate(
        toy, dynamics=dynamics, steps=300, step=0.5, delay=3, window=4, region=Box([-2, -2], [2, 2]), start=[1.0, 0.5]
    )
    np.testing.assert_array_equal(ds.position, again.position)


@settings(deadline=None, max_examples=40)
@given(random_bounds(density=False), st.integers(0, 2**32 - 1), st.integers(0, 4))
def test_observed_never_beats_certified(bounds, seed, delay):
    rng = np.random.default_rng(seed)
    n = bounds.players
    matrix = bounds.L * rng.choice([-1, 1], (n, n))
    np.fill_diagonal(matrix, rng.uniform(bounds.mu, bounds.ell))
    game = QuadraticGame(matrix)
    certificate = games.certify(bounds)
    if not certificate.certified or certificate.margin < 1e-4:
        return
    options = {"certificate": certificate, "steps": 25, "start": rng.normal(size=n), "seed": int(rng.integers(1000))}
    euler = games.simulate(game, step=float(certificate.step_h0 * rng.uniform(0.1, 1)), **options)
    assert np.nanmax(euler.observed_factor) <= float(euler.certified_factor) + 1e-9
    rk4 = games.simulate(game, dynamics="rk4", step=certificate.step_rk4, **options)
    assert np.nanmax(rk4.observed_factor) <= 1 + 1e-9
    rates = certificate.player_steps * rng.uniform(0.05, 1, n)
    late = games.simulate(game, dynamics="delayed", step=rates, delay=delay, **options)
    bound = late.distance_max.values[0] * float(late.certified_factor) ** np.arange(26)
    assert np.all(late.distance_max <= bound * (1 + 1e-9) + 1e-13)
    lazy = games.simulate(game, dynamics="asynchronous", step=rates, window=delay + 1, **options)
    spans = np.arange(26) // int(lazy.certified_span)
    bound = lazy.distance_max.values[0] * float(lazy.certified_factor) ** spans
    assert np.all(lazy.distance_max <= bound * (1 + 1e-9) + 1e-13)


def test_projection_keeps_the_factor_and_the_box():
    example = GALLERY["isoelastic-cournot"]()
    ds = games.simulate(example, dynamics="projected", steps=40, start=example.region.lower)
    assert example.region.contains(ds.position.values).all()
    assert np.nanmax(ds.observed_factor) <= float(ds.certified_factor) + 1e-9
    np.testing.assert_allclose(ds.equilibrium, [0.24, 0.16], atol=1e-12)


def test_mirror_dynamics():
    pennies = games.simulate(GALLERY["matching-pennies"](), dynamics="mirror", steps=200, step=0.3)
    assert pennies.distance[-1] < 1e-10
    assert np.isnan(pennies.certified_factor)
    cournot = games.simulate(GALLERY["isoelastic-cournot"](), dynamics="mirror", steps=400, step=0.1)
    assert cournot.distance[-1] < 1e-6
    with pytest.raises(ValueError, match="positive"):
        games.simulate(GALLERY["toy"](), dynamics="mirror", start=[0.0, 1.0])


def test_divergence_is_cut_off():
    ds = games.simulate(GALLERY["linear-bertrand"](c=1.1), steps=3000, step=0.4)
    assert np.isnan(ds.position.values[-1]).all()
    assert np.isnan(ds.certified_factor)


def test_no_factor_beyond_what_is_proved():
    toy = GALLERY["toy"]()
    assert np.isnan(games.simulate(toy, step=1.1, steps=3).certified_factor)
    assert np.isnan(games.simulate(toy, step=[1.0, 3.0], steps=3).certified_factor)
    assert games.simulate(toy, step=[1.0, 0.2], steps=3).certified_norm == "max"
    leaves = GALLERY["isoelastic-cournot"](share=0.4)
    assert 0.98 < games.simulate(leaves, step=0.01, steps=3).certified_factor < 0.99  # h₀ is .052, leaf by leaf
    assert np.isnan(games.simulate(leaves, step=0.07, steps=3).certified_factor)
    assert np.isnan(games.simulate(leaves, step=[0.01, 0.02], steps=3).certified_factor)  # no common z there


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dynamics": "newton"}, "unknown dynamics"),
        ({"start": [1.0]}, "1 coordinates, the game 2"),
        ({"step": -0.1}, "positive"),
        ({"step": [0.1, 0.1, 0.1]}, "3 entries for 2 players"),
        ({"steps": 0}, "at least 1"),
        ({"steps": 10**9}, "at most"),
        ({"dynamics": "projected"}, "need a region"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(ValueError, match=message):
        games.simulate(GALLERY["toy"](), **options)
