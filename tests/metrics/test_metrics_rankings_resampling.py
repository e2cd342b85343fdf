"""The bootstrap: a replicate is the score of the items it drew, draws are even, seeds repeat, bands hold the curve."""

import numpy as np
import pytest
from scipy.stats import chi2

from workbench import metrics
from workbench.metrics.rankings import levels, sample
from workbench.metrics.rankings.resampling import _both, _drawn_from, curve_bands
from workbench.progress import Cancelled, Progress


def test_a_replicate_is_the_score_of_the_items_it_drew():
    y, scores = metrics.binormal(60, prevalence=0.3, seed=1)
    scores = scores.round(1)
    found = levels(sample(y, scores))
    place = np.searchsorted(-found.scores, -scores)
    for state in range(5):
        drawn = np.zeros(2 * len(found.scores), dtype=np.int64)
        items = np.zeros(60, dtype=np.int64)
        _drawn_from(np.uint64(state), 2 * place + y, 0, 60, drawn)
        _drawn_from(np.uint64(state), np.arange(60), 0, 60, items)  # the same draws, item by item
        again = levels(sample(np.repeat(y, items), np.repeat(scores, items)))
        expected = [metrics.RANKING_SCORES[name](again) for name in ("auroc", "ap")]
        np.testing.assert_allclose(_both(drawn), expected, atol=1e-14)


def test_every_item_is_drawn_equally_often():
    count, size = np.zeros(7, dtype=np.int64), 7
    for state in range(4000):
        _drawn_from(np.uint64(state * 2654435761), np.arange(size), 0, size, count)
    expected = count.sum() / size
    assert count.sum() == 4000 * size
    assert ((count - expected) ** 2 / expected).sum() < chi2.ppf(0.9999, size - 1)


def test_the_same_seed_gives_the_same_replicates_and_another_others():
    y, scores = metrics.binormal(300, seed=2)
    first, again, other = (metrics.bootstrap(y, scores, 40, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.ap, again.ap)
    assert (first.ap != other.ap).any()


def test_replicates_of_one_class_are_counted_and_stratified_ones_never_are():
    y = np.zeros(30, dtype=int)
    y[0] = 1
    scores = np.arange(30.0)
    found = metrics.bootstrap(y, scores, 300)
    assert 60 < int(found.undefined) < 160  # (29/30)^30 = 36 %
    assert np.isnan(found.ap.values).sum() == int(found.undefined)
    assert np.isfinite(float(found.ap_sd))
    assert int(metrics.bootstrap(y, scores, 300, stratified=True).undefined) == 0


def test_stratified_replicates_vary_less():
    y, scores = metrics.binormal(400, prevalence=0.1, seed=4)
    free, kept = (metrics.bootstrap(y, scores, 600, stratified=kind) for kind in (False, True))
    assert float(kept.ap_sd) < float(free.ap_sd)


def test_refusals_and_cancellation():
    with pytest.raises(ValueError, match="replicates must be at least 2"):
        metrics.bootstrap([0, 1], [0.0, 1.0], 1)
    stopped = Progress()
    stopped.cancel()
    y, scores = metrics.binormal(1000)
    with pytest.raises(Cancelled):
        metrics.bootstrap(y, scores, 50, progress=stopped)


def test_bands_hold_the_curve():
    y, scores = metrics.binormal(400, prevalence=0.25, seed=6)
    given = sample(y, scores)
    bands = curve_bands(given, seed=1)
    one = metrics.ranking(y, scores).isel(part=0)
    inside = slice(5, -5)
    tpr = np.interp(bands["rate"], one.fpr.values, one.tpr.values)
    assert (bands["tpr_low"][inside] <= tpr[inside] + 0.02).all()
    assert (tpr[inside] <= bands["tpr_high"][inside] + 0.02).all()
    true = one.tpr.values
    precision = one.precision.values[[np.searchsorted(true, rate - 1e-12) for rate in bands["rate"]]]
    held = (bands["precision_low"] <= precision + 1e-12) & (precision <= bands["precision_high"] + 1e-12)
    assert held[inside].mean() > 0.9


def test_too_few_items_have_no_bands():
    bands = curve_bands(sample([1, *[0] * 400], np.arange(401.0)), seed=0)
    assert np.isfinite(bands["tpr_low"]).all() or np.isnan(bands["tpr_low"]).all()
