"""What the term does not see: a class that hides, tables of changes, pairs that fool, two classes in the plane."""

import numpy as np
import pytest

from workbench import metrics
from workbench.metrics.embeddings import WITH, WITHOUT, two_classes
from workbench.metrics.embeddings.blind import TRANSFORMATIONS, few
from workbench.metrics.embeddings.hiding import _distance, _starts, reshaped
from workbench.metrics.embeddings.inputs import labelled
from workbench.metrics.embeddings.kernels import pull
from workbench.metrics.embeddings.sight import stretched
from workbench.progress import Progress

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3)) * [2, 0.7, 1] + np.repeat([[0, 0, 0], [3, 2, 0]], 30, axis=0)
Y = np.repeat(["a", "b"], 30)


@pytest.fixture(scope="module")
def hidden():
    return metrics.hide_from(X, Y, "b", steps=60)


def test_a_class_hides_from_the_term_and_not_from_the_energy_distance(hidden):
    after = hidden.after.values
    own = hidden.is_moved.values
    np.testing.assert_array_equal(after[~own], X[~own])
    assert float(hidden.confusion[1]) == pytest.approx(float(hidden.confusion[0]), rel=1e-13)
    assert float(metrics.energy_confusion(after, Y).value) == pytest.approx(float(hidden.confusion[0]), rel=1e-13)
    np.testing.assert_allclose(after[own].mean(0), X[own].mean(0), atol=1e-13)
    np.testing.assert_allclose(np.trace(np.cov(after[own].T)), np.trace(np.cov(X[own].T)), rtol=1e-13)
    distance = hidden.distance.values
    assert distance[-1] == pytest.approx(metrics.energy_distance(after[own], X[own]), rel=1e-10)
    assert np.all(np.diff(distance) > 0)
    assert distance[-1] <= float(hidden.bound)
    assert distance[-1] > 0.5


def test_the_ascent_ends_where_no_small_step_helps(hidden):
    own = hidden.is_moved.values
    x, z = X[own], hidden.after.values[own]
    rng = np.random.default_rng(1)
    spread = np.mean(np.sum((x - x.mean(0)) ** 2, axis=1))
    best = float(hidden.distance[-1])
    for _ in range(30):
        trial = z + 0.02 * rng.normal(size=z.shape)
        trial = trial - trial.mean(0)
        trial = x.mean(0) + trial * np.sqrt(spread / np.mean(np.sum(trial**2, axis=1)))
        assert metrics.energy_distance(trial, x) < best * (1 + 1e-6)


def test_the_slope_of_the_distance_is_its_derivative():
    x = X[:20] - X[:20].mean(0)
    inside = pull(x, x, 1.0, np.zeros_like(x)) / len(x) ** 2
    z = _starts(x)["a shell"]
    slope = _distance(z, x, 1.0, inside)[1]
    up, down = z.copy(), z.copy()
    up[3, 1] += 1e-6
    down[3, 1] -= 1e-6
    rise = (_distance(up, x, 1.0, inside)[0] - _distance(down, x, 1.0, inside)[0]) / 2e-6
    assert slope[3, 1] == pytest.approx(rise, abs=1e-8)


@pytest.mark.parametrize("shape", [(2, 1), (2, 3), (5, 1), (4, 8)])
def test_small_classes_keep_mean_and_trace(shape):
    x = np.random.default_rng(2).normal(size=shape)
    after, distance, _ = reshaped(x, 1.0, 10, Progress())
    np.testing.assert_allclose(after.mean(0), x.mean(0), atol=1e-14)
    assert np.sum((after - x.mean(0)) ** 2) == pytest.approx(np.sum((x - x.mean(0)) ** 2), rel=1e-13)
    assert distance[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"power": 2}, "sees means alone"),
        ({"moved": "c"}, "unknown class"),
        ({"features": np.repeat(np.eye(3)[:2], 30, axis=0)}, "there is no variance"),
    ],
)
def test_what_cannot_hide_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        metrics.hide_from(**{"features": X, "labels": Y, **arguments})


def test_the_table_says_what_moves_and_what_is_blind():
    found = metrics.embedding_invariances(X, Y)
    change = found.invariance_change
    for name in ("shuffled", "renamed", "moved", "turned"):
        assert float(change.sel(yardstick="confusion", transformation=name)) < 1e-12
        assert float(change.sel(yardstick="map-at-r", transformation=name)) < 1e-12
    assert float(change.sel(yardstick="confusion", transformation="doubled")) == pytest.approx(2 * np.log(2), abs=1e-12)
    assert float(change.sel(yardstick="confusion-of-directions", transformation="doubled")) < 1e-12
    assert float(change.sel(yardstick="map-at-r", transformation="doubled")) == 0
    assert float(change.sel(yardstick="confusion", transformation="hidden")) < 1e-12  # blind
    assert float(change.sel(yardstick="energy-distance", transformation="hidden")) > 0.3
    assert float(change.sel(yardstick="recall-at-1", transformation="twice")) > 0  # a twin is the nearest
    collapsed = found.constant.sel(axiom="collapsed")
    assert float(collapsed.sel(yardstick="map-at-r")) == 1
    means = [X[name == Y].mean(0) for name in "ab"]
    assert float(collapsed.sel(yardstick="confusion")) == pytest.approx(
        np.log(0.5 * np.sum((means[0] - means[1]) ** 2))
    )
    assert set(found.transformation.values) == set(TRANSFORMATIONS)


def test_of_many_items_a_part_of_each_class_is_looked_at():
    given = labelled(RNG.normal(size=(5000, 2)), np.r_[np.zeros(4997), 1, 1, 2])
    part = few(given, np.random.default_rng(0))
    assert part.counts.tolist() == [399, 2, 1]


def test_every_yardstick_is_fooled():
    found = metrics.embedding_confusions()
    assert found.yardstick.values.tolist() == list(metrics.EMBEDDING_YARDSTICKS)
    rows = {str(name): found.sel(yardstick=name) for name in found.yardstick.values}
    assert float(rows["confusion"].blind_seen) < 1e-12
    assert float(rows["confusion"].blind_reference) > 0.5
    assert float(rows["recall-at-1"].blind_reference) > 0.7
    assert float(rows["map-at-r"].blind_reference) > 1
    assert all(float(row.blind_seen) < 0.02 for row in rows.values())


@pytest.mark.parametrize("shape", ["drawn", "stretched", "hidden"])
def test_two_classes_in_the_plane(shape):
    found = metrics.confusion_sight(shape=shape, count=20, seed=3)
    assert float(found.confusion[1]) == pytest.approx(float(found.confusion[0]), rel=1e-13)
    assert float(np.ptp(found.confusion_along.values)) < 1e-12
    a, after = found.a.values, found.after.values
    assert float(found.distance[1]) == pytest.approx(metrics.energy_distance(a, after), rel=1e-12)
    assert (float(found.own) == 0) == (shape == "drawn")
    expected = metrics.retrieval(np.concatenate([a, after]), np.repeat([0, 1], 20), replicates=0)
    assert float(found.map_at_r[1]) == pytest.approx(float(expected.map_at_r), abs=1e-15)


def test_at_power_two_the_energy_distance_is_as_blind():
    found = metrics.confusion_sight(power=2, count=20)
    assert float(found.own) == pytest.approx(0, abs=1e-12)
    assert float(np.ptp(found.distance_along.values)) < 1e-12
    assert float(np.ptp(found.map_at_r_along.values)) > 0.01


def test_a_stretch_has_the_variances_asked_for():
    y = two_classes(50, seed=1)[1]
    made = stretched(y, 0.6, 30)
    values, axes = np.linalg.eigh(np.cov(made.T))
    assert values[1] / values[0] == pytest.approx(4.0, rel=1e-10)
    assert abs(np.rad2deg(np.arctan2(*axes[::-1, 1])) % 180) == pytest.approx(30, abs=1e-8)
    line = np.column_stack([np.arange(5.0), np.zeros(5)])
    assert np.sum((stretched(line, 0.5, 0) - line.mean(0)) ** 2) == pytest.approx(10)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"shape": "folded"}, "unknown shape"),
        ({"x": np.zeros((3, 2))}, "or neither"),
        ({"x": np.zeros((3, 3)), "y": np.eye(2)}, "points of the plane"),
        ({"x": np.eye(2), "y": np.ones((3, 2))}, "all points of class B coincide"),
        ({"stretch": 1.0}, "at most 0.999"),
    ],
)
def test_refusals_of_the_plane(arguments, words):
    with pytest.raises(ValueError, match=words):
        metrics.confusion_sight(**arguments)


@pytest.fixture(scope="module")
def report():
    return metrics.embedding_report(steps=30, seen=[0, 1, 2, 3, 4, 5, 6])


def test_the_report_is_of_the_unseen_classes(report):
    assert sorted(set(report.label.values.tolist())) == ["7", "8", "9"]
    at = report.map_at_r
    difference = float(at.sel(embedding=WITH) - at.sel(embedding=WITHOUT))
    assert float(report.change) == pytest.approx(difference, abs=1e-12)
    assert np.all((report.map_at_r_low < report.map_at_r) & (report.map_at_r < report.map_at_r_high))
    assert report.pixels.shape == (report.sizes["item"], 64)
    label = report.label.values
    np.testing.assert_array_equal(report.right, label[report.neighbour.values] == label[:, None])
    assert np.all(report.neighbour.values != np.arange(report.sizes["item"])[:, None])


def test_the_report_and_the_study_train_alike(report):
    assert 0 < float(report.shrinking) < 1
    assert report.seen.values.tolist() == [True] * 7 + [False] * 3
    off = metrics.embedding_report(steps=5, confusion=0)
    assert float(off.change) == 0  # one start, one series of batches


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"seen": [0]}, "1 of 10 classes are seen"),
        ({"seen": [0, 1, 2, 3, 4, 5, 6, 7, 8]}, "two unseen"),
        ({"seen": ["x", 1]}, "unknown class"),
        ({"labels": Y}, "or neither"),
    ],
)
def test_refusals_of_the_report(arguments, words):
    with pytest.raises(ValueError, match=words):
        metrics.embedding_report(**arguments)


def test_the_report_on_ones_own_items_has_no_pictures():
    x = RNG.normal(size=(40, 3)) + 4 * np.repeat(RNG.normal(size=(5, 3)), 8, axis=0)
    found = metrics.embedding_report(x, np.repeat(list("abcde"), 8), steps=5)
    assert "pixels" not in found
    assert found.seen.values.sum() == 2
    assert found.sizes["rank"] == 8
