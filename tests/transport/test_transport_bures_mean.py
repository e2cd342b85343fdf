"""The certified mean, and the other means, against closed forms, POT and their optimality conditions."""

import numpy as np
import ot
import pytest
from transport.test_transport_gaussians import A, B, random_spd

from workbench.progress import Cancelled, Progress
from workbench.transport.bures_mean import bures_mean
from workbench.transport.gaussians import bures_distance, bures_geodesic, bures_log, bures_map, spectral, symmetric
from workbench.transport.spd_metrics import SPD_METRICS, covariance_distance, covariance_geodesic, covariance_mean

C = np.array([[0.5, 0.2], [0.2, 3.0]])


def objective(g, x):
    return float(np.mean(bures_distance(g, x)))


def test_two_matrices():
    found = bures_mean([A, B])
    np.testing.assert_allclose(found.mean, [[1.43162633137, 0.05], [0.05, 0.8557270703533]], atol=1e-12)
    np.testing.assert_allclose(found.mean, bures_geodesic(A, B, 0.5), atol=1e-13)
    assert found.value == pytest.approx(0.11264659827626, abs=1e-13)
    assert found.value == pytest.approx(bures_distance(A, B) / 4, rel=1e-13)


def test_three_matrices_with_their_bound():
    found = bures_mean([A, B, C])
    np.testing.assert_allclose(
        found.mean, [[1.057777360774, 0.105431687777], [0.105431687777, 1.436140966997]], atol=1e-11
    )
    assert found.value == pytest.approx(0.272748338896, abs=1e-12)
    assert found.value - found.lower_bound <= 1e-12 * found.value
    assert found.converged


@pytest.mark.parametrize("condition", [1e2, 1e6, 1e10, 1e12])
def test_ill_conditioned_batches_are_certified(condition):
    x = random_spd(np.random.default_rng(7), 12, condition, 30)
    found = bures_mean(x)
    assert found.converged
    assert found.gap <= 2e-12 * found.value
    assert found.value == pytest.approx(objective(found.mean, x), rel=1e-9)
    if condition < 1e8:
        np.testing.assert_allclose(np.mean([bures_map(found.mean, one) for one in x], axis=0), np.eye(12), atol=1e-6)
        assert np.abs(bures_log(found.mean, x).mean(0)).max() < 1e-7
        theirs = ot.gaussian.bures_barycenter_fixpoint(x, eps=1e-9)
        np.testing.assert_allclose(found.mean, theirs, atol=1e-6)


def test_the_bound_lies_below_every_value():
    rng = np.random.default_rng(8)
    x = random_spd(rng, 4, 1e3, 6)
    for iterations in (1, 2, 5):
        early = bures_mean(x, max_iterations=iterations)
        assert not early.converged
        assert early.lower_bound < bures_mean(x).value < early.value
    best = bures_mean(x)
    for _ in range(20):
        other = symmetric(best.mean + 0.05 * rng.normal() * random_spd(rng, 4))
        if np.linalg.eigvalsh(other)[0] > 0:
            assert objective(other, x) > best.lower_bound


def test_singular_batches_are_certified_where_others_fail():
    y = np.random.default_rng(9).normal(size=(5, 12, 5))
    x = symmetric(y @ np.swapaxes(y, 1, 2))
    found = bures_mean(x)
    assert 0 <= found.gap < 1e-6 * found.value
    with np.errstate(invalid="ignore"), pytest.raises(np.linalg.LinAlgError):
        ot.gaussian.bures_barycenter_fixpoint(x)
    half = bures_mean([np.diag([1.0, 0]), np.diag([0, 1.0])])
    np.testing.assert_allclose(half.mean, np.eye(2) / 4, atol=1e-15)
    assert half.value == pytest.approx(0.5)
    assert half.gap < 1e-7


def test_batches_of_one_and_of_equals():
    assert bures_mean([A]).value < 1e-30
    same = bures_mean([A, A, A])
    np.testing.assert_allclose(same.mean, A, atol=1e-14)
    assert same.value < 1e-30
    assert same.converged
    assert bures_mean(np.zeros((2, 3, 3))).value == 0


def test_commuting_matrices_need_one_step():
    rng = np.random.default_rng(10)
    q = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    values = rng.random((8, 5)) ** 4
    x = symmetric((q * values[:, None, :]) @ q.T)
    found = bures_mean(x, max_iterations=2)
    np.testing.assert_allclose(found.mean, (q * np.mean(np.sqrt(values), 0) ** 2) @ q.T, atol=1e-13)


def test_weights_metric_and_power():
    doubled, weighted = bures_mean([A, A, B]), bures_mean([A, B], [2, 1])
    np.testing.assert_allclose(doubled.mean, weighted.mean, atol=1e-12)
    np.testing.assert_allclose(weighted.mean, bures_geodesic(A, B, 1 / 3), atol=1e-12)
    deformed = bures_mean([A, B, C], metric=C, power=0.5)
    assert deformed.value == pytest.approx(
        np.mean([bures_distance(deformed.mean, one, metric=C, power=0.5) for one in (A, B, C)]), rel=1e-10
    )
    nearby = symmetric(deformed.mean + np.array([[0.01, 0.004], [0.004, -0.01]]))
    assert np.mean([bures_distance(nearby, one, metric=C, power=0.5) for one in (A, B, C)]) > deformed.value
    for bad, words in (([1], "1 entries for 2"), ([-1, 2], "at least 0"), ([0, 0], "positive, finite sum")):
        with pytest.raises(ValueError, match=words):
            bures_mean([A, B], bad)


def test_cancel():
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        bures_mean([A, B, C], progress=progress)


@pytest.mark.parametrize("name", list(SPD_METRICS))
def test_every_metric_is_one(name):
    rng = np.random.default_rng(11)
    a, b, c = random_spd(rng, 4, 50, 3)
    d = np.sqrt([[covariance_distance(p, q, name) for q in (a, b, c)] for p in (a, b, c)])
    np.testing.assert_allclose(d, d.T, atol=1e-9)
    assert np.abs(np.diag(d)).max() < 1e-6
    assert d[0, 2] <= d[0, 1] + d[1, 2]
    path = covariance_geodesic(a, b, [0, 0.25, 1], name)
    np.testing.assert_allclose(path[[0, 2]], [a, b], atol=1e-10)
    assert np.sqrt(covariance_distance(a, path[1], name)) == pytest.approx(d[0, 1] / 4, rel=1e-8)
    x = np.stack([a, b, c])
    mean = covariance_mean(x, metric=name)
    least = np.mean(covariance_distance(mean, x, name))
    for _ in range(10):
        near = spectral(spectral(mean, np.log) + 0.05 * symmetric(rng.normal(size=(4, 4))), np.exp)
        assert np.mean(covariance_distance(near, x, name)) > least


def test_metrics_refuse():
    with pytest.raises(ValueError, match="Did you mean 'affine'"):
        covariance_distance(A, B, "afine")
    for name, entry in SPD_METRICS.items():
        if not entry.fact("singular"):
            with pytest.raises(ValueError, match="singular"):
                covariance_mean([np.diag([1.0, 0]), A], metric=name)
    with pytest.raises(TypeError, match="takes no 'power'"):
        covariance_distance(A, B, "affine", power=2)
