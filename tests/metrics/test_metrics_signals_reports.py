"""What moves each distance of signals, what fools it, the reports of the tabs, handles, and the verdicts."""

import numpy as np
import pytest

from workbench import data, metrics, results
from workbench.metrics import signals
from workbench.metrics.signals import verdicts
from workbench.metrics.signals.handles import dragged, drawn, handles, reweighted
from workbench.progress import Progress
from workbench.verdicts import Outcome

BUMPS = signals.bumps()
PAPER = signals.paper_mixture()


@pytest.fixture(scope="module")
def line():
    return metrics.signal_invariances(BUMPS, -1.0, 0.5)


@pytest.fixture(scope="module")
def plane():
    return metrics.signal_invariances(PAPER, (2.5, -2.0), (0.0, 1.0))


def change(ds, yardstick, transformation):
    return float(ds.invariance_change.sel(yardstick=yardstick, transformation=transformation))


@pytest.mark.parametrize("name", ["moved", "turned", "exchanged", "split", "units"])
def test_the_metric_stands_where_it_should(line, plane, name):
    assert change(line, "iem", name) <= 1e-12
    assert change(plane, "iem", name) <= 1e-9


def test_each_yardstick_has_its_own_weakness(line, plane):
    assert change(plane, "iem", "axis-units") == pytest.approx(5.579375579 / 5.547131658 - 1, abs=1e-7)
    assert change(line, "euclidean", "units") == pytest.approx(1.0)
    assert change(plane, "mahalanobis", "axis-units") < 1e-12
    assert change(plane, "mahalanobis", "gaussian") < 1e-12 < change(plane, "iem", "gaussian")
    assert change(line, "euclidean", "elsewhere") < 1e-12 < change(line, "iem", "elsewhere")
    assert change(line, "euclidean", "half") == pytest.approx(0.5)


def test_constants_and_blind_spots(line):
    constant = line.constant.sel(yardstick="iem")
    assert float(constant.sel(axiom="triangle")) == 0
    assert float(constant.sel(axiom="gram")) == 0
    tensor = np.sqrt(metrics.iem_tensor(BUMPS, [0.0]).eigenvalue.values[0, 0])
    assert 0.8 * tensor < float(constant.sel(axiom="upper")) <= tensor
    assert str(line.blind_pair.sel(yardstick="iem").values) == "−2 | 2"
    seen = line.blind_seen.sel(yardstick="log-density")
    assert float(seen) < 1e-9
    assert float(line.blind_reference.sel(yardstick="log-density")) > 1


def test_every_yardstick_of_the_registry_is_symmetric_and_zero_at_home():
    points = PAPER.sample(6, seed=1)
    for entry in metrics.SIGNAL_DISTANCES.values():
        squared = entry(PAPER, points, nodes=8, step=1.0)
        np.testing.assert_allclose(squared, squared.T, atol=1e-12)
        np.testing.assert_allclose(np.diag(squared), 0, atol=1e-12)


def test_the_report_of_the_line_says_what_the_functions_say():
    ds = metrics.signal_report()
    assert float(ds.distance) == pytest.approx(1.7335331487477, abs=1e-9)
    assert float(ds.ridge_distance) == pytest.approx(3.4426280025783, abs=1e-9)
    np.testing.assert_allclose(ds.ridge.values.ravel(), [-0.25, 0.25])
    at = ds.distance_map.sel(x=2.0, method="nearest")
    exact = float(metrics.iem(BUMPS, -2.0, float(at.x)).distance)
    assert float(at) == pytest.approx(exact, rel=1e-4)
    assert abs(float(ds.balance - ds.information)) < 1e-7
    assert float(np.trapezoid(ds.share, np.log(ds.snr))) == pytest.approx(1, abs=0.02)


def test_the_report_of_the_plane():
    example = metrics.SIGNAL_EXAMPLES["paper"]()
    state = drawn(example.density, example.a, example.b)
    ds = metrics.signal_report(**state._asdict())
    assert float(ds.distance) == pytest.approx(5.547131657972, abs=1e-6)
    place = ds.isel(x=10, y=30)
    exact = float(metrics.iem(PAPER, example.a, (float(place.x), float(place.y))).distance)
    assert float(place.distance_map) == pytest.approx(exact, rel=2e-2)
    assert float(ds.length) >= float(ds.distance)


def test_points_are_fitted_compared_and_put_on_a_map():
    ds = metrics.points_report(count=40)
    assert ds.sizes["point"] == 40
    i, j = ds.fooled.values
    ratio = ds.distance / ds.euclidean.where(ds.euclidean > 0)
    assert float(ratio[i, j]) == pytest.approx(float(ratio.min()))
    assert 0 <= float(ds.same_neighbour) <= 1
    wide = metrics.points_report(
        metrics.Mixture([1.0], np.zeros((1, 5)), np.eye(5)[None]).sample(80), count=20, samples=32
    )
    assert wide.place.shape == (20, 2)
    with pytest.raises(ValueError, match="all points are equal"):
        metrics.points_report(np.zeros((30, 2)))
    one_apart = np.zeros((400, 2))
    one_apart[7] = 1.0
    with pytest.raises(ValueError, match="that were drawn are equal"):
        metrics.points_report(one_apart, components=1, count=3, seed=1)


@pytest.mark.parametrize("dimension", [2, 5])
def test_distances_good_to_some_percent_are_published_before_the_others(dimension):
    class Kept(Progress):
        published = None

        def publish(self, ds):
            self.published = ds

    progress = Kept()
    points = metrics.Mixture([0.5, 0.5], [np.zeros(dimension), np.full(dimension, 3.0)], [np.eye(dimension)] * 2)
    ds = metrics.points_report(points.sample(60), components=2, count=20, progress=progress)
    first = progress.published
    assert results.missing(first)
    assert not results.missing(ds)
    assert set(first.variables) == set(ds.variables)
    np.testing.assert_allclose(first.distance, ds.distance, rtol=0.1)
    off = ~np.eye(20, dtype=bool)
    assert first.error.isnull().values[off].all()
    assert (ds.error.values[off] > 0).all()
    np.testing.assert_array_equal(first.means, ds.means)


# ---- handles -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", metrics.SIGNAL_EXAMPLES)
def test_a_handle_dropped_where_it_was_changes_nothing(name):
    state = signals.signal_state(name)
    for item, x, y in handles(state):
        after = dragged(state, item, x, y)
        np.testing.assert_allclose(after.means, state.means, atol=1e-12)
        np.testing.assert_allclose(after.covariances, state.covariances, atol=1e-9)
        np.testing.assert_allclose([after.a, after.b], [state.a, state.b], atol=1e-12)


def test_handles_move_turn_and_stretch():
    state = signals.signal_state("paper")
    assert dragged(state, 0, 1.0, 2.0).a == (1.0, 2.0)
    assert dragged(state, 20, -1.0, 0.5).means[1] == (-1.0, 0.5)
    turned = np.array(dragged(state, 11, 0.0, 4.0).covariances[0])  # the long axis of the first, now 3 upwards
    np.testing.assert_allclose(turned, [[0.1, 0], [0, 9.0]], atol=1e-12)
    flat = np.array(dragged(state, 12, 0.0, 1.0).covariances[0])  # onto the mean: held at the least width
    assert np.linalg.eigvalsh(flat)[0] == pytest.approx(0.05**2)
    assert reweighted(state, 0.5).weights == (0.5, 0.5)
    with pytest.raises(ValueError, match="there is no handle 55"):
        dragged(state, 55, 0.0, 0.0)
    with pytest.raises(ValueError, match="x must be at most 100"):
        dragged(state, 0, 1e9, 0.0)


# ---- verdicts ----------------------------------------------------------------------------------------------------


def test_the_claims_are_judged_by_their_numbers():
    rows = [claim.verdict() for claim in verdicts.CLAIMS]
    for row in rows:
        assert row.outcome is not None
        assert "{" not in row.measured
    outcomes = {row.claim[:40]: row.outcome for row in rows}
    assert list(outcomes.values())[:5] == [Outcome.HOLDS] * 5
    assert rows[6].outcome is Outcome.PARTLY  # units: all together yes, one axis no


def test_other_numbers_would_give_other_outcomes():
    axioms = verdicts.CLAIMS[1]
    good = dict(axioms.measure())
    assert axioms.rule.outcome(good) is Outcome.HOLDS
    assert axioms.rule.outcome({**good, "excess": 1e-3}) is Outcome.FAILS
    assert axioms.rule.outcome({**good, "least": -1e-3}) is Outcome.FAILS
    recognition = verdicts.CLAIMS[-1]
    numbers = dict(recognition.measure())
    assert recognition.rule.outcome({**numbers, "lower": 0.01}) is Outcome.HOLDS


def test_the_released_estimator_is_off_as_the_study_says():
    found = verdicts.plot_estimator()
    assert found["exact"] == pytest.approx(5.547131657972, abs=1e-10)
    assert found["mean"] == pytest.approx(5.614, abs=0.05)
    assert found["bias"] > 3 * found["bias_error"]


def test_the_study_of_digits_has_paired_intervals():
    ds = data.result("metrics/signals_digits.nc")
    assert float(ds.gain[0]) == 0
    assert (ds.gain_error[1:] > 0).all()
