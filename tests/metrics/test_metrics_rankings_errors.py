"""Error bars: DeLong by a double loop, the influence function by its own definition, and the paired tests."""

import numpy as np
import pytest
from scipy.stats import norm

from workbench import metrics
from workbench.metrics.rankings import levels, sample
from workbench.metrics.rankings.errors import ap_influence, interval
from workbench.metrics.rankings.levels import level_of


def placements(y, scores):
    up, down = scores[y == 1], scores[y == 0]
    wins = (up[:, None] > down[None, :]) + 0.5 * (up[:, None] == down[None, :])
    return wins.mean(1), wins.mean(0)


def weighted_ap(y, scores, weights):
    """AP under weights, by its definition."""
    total = 0.0
    for i in np.flatnonzero(y):
        above = scores >= scores[i]
        total += weights[i] * weights[above & (y == 1)].sum() / weights[above].sum()
    return total / weights[y == 1].sum()


@pytest.fixture(params=[None, 1], ids=["no ties", "ties"])
def drawn(request):
    y, scores = metrics.binormal(120, prevalence=0.3, separation=1.0, seed=8)
    return y, scores if request.param is None else scores.round(request.param)


def test_delong_equals_the_double_loop(drawn):
    y, scores = drawn
    v10, v01 = placements(y, scores)
    expected = v10.var(ddof=1) / len(v10) + v01.var(ddof=1) / len(v01)
    assert float(metrics.ranking(y, scores).auroc_error[0]) ** 2 == pytest.approx(expected, rel=1e-12)


def test_the_influence_is_the_derivative_of_ap(drawn):
    """IF_i is what AP gains for each bit of weight added to item i, times N: taken as a difference quotient."""
    y, scores = drawn
    found = ap_influence(levels(sample(y, scores)))
    place = level_of(scores)[0]
    mine = np.where(y == 1, found.positives[place], found.negatives[place])
    step, weights = 1e-6, np.ones(len(y))
    start = weighted_ap(y, scores, weights)
    quotient = np.empty(len(y))
    for i in range(len(y)):
        more, less = weights.copy(), weights.copy()
        more[i] += step
        less[i] -= step
        quotient[i] = (weighted_ap(y, scores, more) - weighted_ap(y, scores, less)) / (2 * step) * len(y)
    assert start == pytest.approx(float(metrics.ranking(y, scores).ap[0]), abs=1e-14)
    np.testing.assert_allclose(mine, quotient, atol=1e-6)
    assert abs(mine.mean()) < 1e-14
    assert float(metrics.ranking(y, scores).ap_error[0]) == pytest.approx(np.sqrt((mine**2).sum()) / len(y), rel=1e-12)


def test_errors_agree_with_the_bootstrap():
    y, scores = metrics.binormal(4000, prevalence=0.1, seed=1)
    found = metrics.bootstrap(y, scores, 1000)
    assert float(found.auroc_sd) == pytest.approx(float(found.auroc_error), rel=0.1)
    assert float(found.ap_sd) == pytest.approx(float(found.ap_error), rel=0.1)


def test_weights_of_one_size_change_no_error():
    y, scores = metrics.binormal(200, prevalence=0.2, seed=2)
    plain, weighted = (metrics.ranking(y, scores, weights=w).isel(part=0) for w in (None, np.full(200, 7.0)))
    for name in ("auroc_error", "ap_error", "ap_low", "ap_high"):
        assert float(plain[name]) == pytest.approx(float(weighted[name]), rel=1e-12)


def test_one_positive_has_no_interval_and_few_are_said():
    found = metrics.ranking([1, 0, 0, 0], [0.5, 0.9, 0.1, 0.2]).isel(part=0)
    assert np.isnan(found.ap_error)
    assert np.isnan(found.auroc_error)
    assert bool(found.few_positives)
    y, scores = metrics.binormal(400, prevalence=0.1)
    assert not bool(metrics.ranking(y, scores).few_positives[0])


def test_intervals_lie_within_0_and_1_and_widen_with_the_level():
    y, scores = metrics.binormal(60, prevalence=0.2, separation=2.5, seed=3)
    narrow, wide = (metrics.ranking(y, scores, level=level).isel(part=0) for level in (0.8, 0.99))
    for name in ("auroc", "ap"):
        assert 0 < float(wide[f"{name}_low"]) < float(narrow[f"{name}_low"]) < float(narrow[name])
        assert float(narrow[name]) < float(narrow[f"{name}_high"]) < float(wide[f"{name}_high"]) < 1
    assert np.isnan(interval(1.0, 0.0)).all()


# ---- two models --------------------------------------------------------------------------------------------------


@pytest.fixture
def models(drawn):
    y, a = drawn
    return y, a, a + np.random.default_rng(5).normal(size=len(y))


def test_delongs_paired_test_equals_the_double_loop(models):
    y, a, b = models
    pairs = [placements(y, scores) for scores in (a, b)]
    covariance = sum(np.cov(np.array([pair[k] for pair in pairs])) / len(pairs[0][k]) for k in range(2))
    found = metrics.compare(y, a, b).sel(metric="auroc")
    np.testing.assert_allclose(found.covariance.values, covariance, rtol=1e-11)
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    z = (pairs[0][0].mean() - pairs[1][0].mean()) / np.sqrt(variance)
    assert float(found.z) == pytest.approx(z, rel=1e-11)
    assert float(found.p_value) == pytest.approx(2 * norm.sf(abs(z)), rel=1e-9)


def test_the_test_of_ap_agrees_with_the_spread_of_the_difference(models):
    y, a, b = models
    found = metrics.compare(y, a, b).sel(metric="ap")
    rng = np.random.default_rng(0)
    differences = []
    for _ in range(600):
        chosen = rng.integers(0, len(y), len(y))
        differences.append(
            metrics.RANKING_SCORES["ap"](levels(sample(y[chosen], a[chosen])))
            - metrics.RANKING_SCORES["ap"](levels(sample(y[chosen], b[chosen])))
        )
    assert float(found.difference_error) == pytest.approx(np.std(differences), rel=0.15)
    assert float(found.difference) == pytest.approx(
        float(metrics.ranking(y, a).ap[0]) - float(metrics.ranking(y, b).ap[0]), abs=1e-15
    )


def test_the_same_order_twice_differs_by_nothing(models):
    y, a, _ = models
    found = metrics.compare(y, a, 3 * a + 1)
    assert (found.difference == 0).all()
    assert (found.difference_error == 0).all()
    assert np.isnan(found.p_value).all()


def test_comparing_refuses_in_words(models):
    y, a, b = models
    with pytest.raises(ValueError, match="same items"):
        metrics.compare(y, a, b[:-1])
    with pytest.raises(ValueError, match="two of each"):
        metrics.compare([1, 0, 0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="two different names"):
        metrics.compare(y, a, b, names=("m", "m"))


def test_under_weights_copies_give_the_same_difference(models):
    y, a, b = models
    weights = np.random.default_rng(1).integers(1, 4, len(y))
    weighted = metrics.compare(y, a, b, weights=weights)
    copies = metrics.compare(*(np.repeat(values, weights) for values in (y, a, b)))
    np.testing.assert_allclose(weighted.difference, copies.difference, atol=1e-14)
    assert (weighted.difference_error > copies.difference_error).all()  # copies are no new items


def test_formulas_hold_for_samples_of_samples():
    """The mean squared error by formula is that of samples, within its own spread."""
    found = metrics.interval_study((400,), prevalence=0.2, samples=400, replicates=50, seed=3)
    ratio = (found.formula / found.deviation).values.ravel()
    reach = 3 * (found.deviation_error / found.deviation).values.ravel()
    assert (abs(ratio - 1) < reach + 0.05).all()
    assert (abs(found.coverage - 0.95) < 0.04).all()


def test_too_small_samples_are_refused():
    with pytest.raises(ValueError, match=r"about 2\.0 of the rarer class"):
        metrics.interval_study((40,), prevalence=0.05)


def test_the_truth_of_endless_samples():
    auroc, ap = metrics.binormal_truth(0.1, 1.5)
    y, scores = metrics.binormal(400_000, prevalence=0.1, separation=1.5, seed=0)
    found = metrics.ranking(y, scores).isel(part=0)
    assert float(found.auroc) == pytest.approx(auroc, abs=4 * float(found.auroc_error))
    assert float(found.ap) == pytest.approx(ap, abs=4 * float(found.ap_error))
