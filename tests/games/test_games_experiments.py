"""The studies behind the page: their numbers against closed forms and against the library."""

import numpy as np
import pytest

from workbench import games, results
from workbench.games.experiments.rates import true_limit


@pytest.mark.parametrize("name", ["toy", "linear-bertrand", "isoelastic-cournot", "matching-pennies", "bilinear"])
@pytest.mark.parametrize("study", [games.portrait, games.margin_curve, games.gain_graph, games.step_curve])
def test_every_study_is_a_valid_result(name, study):
    assert results.problems(study(name)) == []


def test_portrait_of_the_toy():
    ds = games.portrait("toy", time=2.0, frames=20, arrows=5)
    m = ds["size"].sel(shape="M").values
    # J is similar to a symmetric matrix in the M norm, so the M-ball shrinks at exactly the certified rate.
    np.testing.assert_allclose(m, np.exp(-float(ds.margin) * ds.frame.values), rtol=1e-9)
    assert ds["size"].sel(shape="Euclid").max() > 4
    assert games.check(ds.attrs["certificate"])
    np.testing.assert_array_equal(ds.path.values, games.portrait("toy", time=2.0, frames=20, arrows=5).path.values)
    with pytest.raises(ValueError, match="two coordinates"):
        games.portrait([[1.0]])


def test_portrait_in_a_metric_ball_never_grows_when_certified():
    for name in ("linear-bertrand", "isoelastic-cournot", "lq-wgan"):
        ds = games.portrait(name, frames=30, arrows=3)
        m = ds["size"].sel(shape="M").values
        assert np.all(np.diff(m) <= 1e-12)
        assert np.all(m <= np.exp(-float(ds.margin) * ds.frame.values) * (1 + 1e-9))


def test_step_curve_of_the_toy():
    ds = games.step_curve("toy")
    assert float(ds.true_limit) == pytest.approx(1.171572875253810, rel=1e-12)
    assert float(ds.sharp) == pytest.approx(float(ds.true_limit), rel=1e-11)
    np.testing.assert_allclose(ds.certified, ds.true, atol=1e-9)
    assert float(ds.rk4_guideline) == pytest.approx(2.5 / 1.707106781186548, rel=1e-12)
    assert true_limit(np.array([[0.0, 1.0], [-1.0, 0.0]])) == 0
    refused = games.step_curve("bilinear")
    assert np.isnan(refused.sharp)


@pytest.mark.parametrize("name", ["toy", "linear-bertrand", "lq-wgan", "isoelastic-cournot"])
def test_certified_never_beats_true(name):
    steps = games.step_curve(name)
    assert np.all(steps.true.values <= steps.certified.values + 1e-9)
    rates = games.rate_map(name, points=9)
    assert np.all(rates.true.values <= rates.certified.values + 1e-9)
    inside = (rates.eta_1.values[:, None] <= float(rates.limit[0])) & (rates.eta_2.values <= float(rates.limit[1]))
    assert np.all(rates.certified.values[inside] < 1)


def test_margin_curve():
    ds = games.margin_curve("toy", alpha=0.1)
    assert ds.band.values == pytest.approx([47.12096587623842, 848.8790341237616], rel=1e-12)
    assert float(ds.margin.max()) <= float(ds.tau) + 1e-12
    inside = (ds.ratio > ds.band[0]) & (ds.ratio < ds.band[1])
    assert np.all((ds.margin > 0.1) == inside)
    assert np.isnan(games.margin_curve("toy", alpha=0.3).band).all()
    three = games.margin_curve("linear-bertrand", {"firms": 3, "c": 0.5}, player=2)
    assert np.isfinite(three.band).all()


def test_gain_graph_radius():
    ds = games.gain_graph("linear-bertrand", {"firms": 5, "c": 0.9})
    assert float(ds.radius) == pytest.approx(0.9)
    assert float(games.gain_graph([[1, 4, 0], [0, 1, 0.5], [0.3, 0, 1]]).radius) == pytest.approx(0.6 ** (1 / 3))


def test_box_study_shows_the_trap():
    trap = games.box_study("vertex-trap")
    assert float(trap.corner_margin) == pytest.approx(0.480, abs=1e-3)
    assert float(trap.point_margin) == pytest.approx(-0.1)
    assert trap.attrs["status"] == "REFUSED"
    good = games.box_study("isoelastic-cournot")
    area = np.prod(good.leaf_upper.values - good.leaf_lower.values, axis=1).sum()
    assert area == pytest.approx(np.prod(good.region.values[1] - good.region.values[0]))
    assert np.isfinite(float(good.basin_radius))
    assert games.check(good.attrs["certificate"])
    with pytest.raises(ValueError, match="games of formulas"):
        games.box_study("toy")


def test_delay_study_respects_its_bounds():
    ds = games.delay_study("linear-bertrand", steps=60)
    assert np.all(ds.late <= ds.late_bound * (1 + 1e-9) + 1e-12)
    assert np.all(ds.lazy <= ds.lazy_bound * (1 + 1e-9) + 1e-12)
    assert np.isnan(games.delay_study("bilinear", steps=5).late_bound).all()


def test_which_game_is_meant():
    assert games.resolve([[1, 0], [0, 1]]).game.name == "your game"
    assert games.resolve("toy", {"a": 1.0}).game.matrix[0, 1] == 1
    with pytest.raises(ValueError, match="does not take these options"):
        games.resolve("toy", {"colour": 1})
    with pytest.raises(ValueError, match="unknown game"):
        games.resolve("chess")
    assert games.ladder("toy").sizes["rung"] == 7
    assert games.simulate([[1, 0.5], [0.2, 1]], steps=5).sizes["step"] == 6
    with pytest.raises(ValueError, match="no number"):
        games.parse_matrix("1 a; 0 1")
