"""Everything about one ranking in one result: it equals its parts, and what a threshold does."""

import numpy as np
import pytest

from workbench import metrics, results
from workbench.metrics import rankings


@pytest.fixture(scope="module")
def report():
    return metrics.ranking_report(seed=2)


def test_the_report_equals_its_parts(report):
    drawn = rankings.example(seed=2)
    one = metrics.ranking(drawn.y, drawn.scores, group=drawn.group)
    np.testing.assert_array_equal(report.ap, one.ap)
    listed = metrics.repairs(drawn.y, drawn.scores)
    np.testing.assert_array_equal(report.ap_gain, listed.ap_gain)
    np.testing.assert_array_equal(report.best_ap_gain, listed.best_ap_gain)
    np.testing.assert_array_equal(report.difference, metrics.compare(drawn.y, drawn.scores, drawn.other).difference)
    found = metrics.ap_range(20, 180, float(one.auroc[0]))
    assert (float(report.lowest), float(report.highest)) == (float(found.lowest), float(found.highest))


def test_its_own_arrays_and_the_same_drawn_are_one(report):
    drawn = rankings.example(seed=2)
    own = metrics.ranking_report(drawn.y, drawn.scores, other=drawn.other, group=drawn.group, seed=2)
    for name in report.data_vars:
        np.testing.assert_array_equal(own[name], report[name])


def test_ticks_tell_what_a_threshold_does(report):
    drawn = rankings.example(seed=2)
    for fired in (0.0, 0.004, 0.1, 0.5, 1.0):
        at = rankings.at_firing_rate(report, fired)
        through = drawn.scores >= at["threshold"]
        assert at["fired"] == pytest.approx(through.mean())
        assert at["fired"] <= fired + 1e-9
        assert at["tpr"] == pytest.approx(through[drawn.y == 1].mean())
        assert at["fpr"] == pytest.approx(through[drawn.y == 0].mean())
        if through.any():
            assert at["precision"] == pytest.approx(drawn.y[through].mean())
        assert rankings.firing_rate_at(report, at["threshold"]) == pytest.approx(at["fired"])


def test_thinned_negatives_are_negatives_that_count_less(report):
    drawn = rankings.example(seed=2)
    for share in (0.1, 0.5):
        found = metrics.ranking_report(seed=2, kept=share)
        weights = np.where(drawn.y == 1, 1.0, share)
        expected = metrics.ranking(drawn.y, drawn.scores, weights=weights).isel(part=0)
        assert float(found.thinned_ap_here) == pytest.approx(float(expected.ap), abs=1e-14)
        assert float(found.thinned_auroc_here) == pytest.approx(float(report.auroc[0]), abs=1e-14)
    assert (np.diff(report.thinned_ap) < 0).all()


def test_under_weights_the_rest_is_left_out():
    y, scores = metrics.binormal(100, seed=1)
    found = metrics.ranking_report(y, scores, weights=np.linspace(1, 2, 100))
    assert "lowest" not in found
    assert "invariance_change" not in found
    assert np.isfinite(float(found.ap_error[0]))


def test_many_items_are_listed_in_part_and_the_report_can_be_saved():
    y, scores = metrics.binormal(30_000, prevalence=0.05, seed=0)
    found = metrics.ranking_report(y, scores, other=scores.round(1))
    assert found.sizes["tick"] == 400
    assert found.sizes["mistake"] <= 1000 < int(found.mistakes)
    assert int(found.table_items) == pytest.approx(2000, abs=2)
    assert results.open_bytes(results.to_bytes(found), name="saved.nc").identical(found)


def test_refusals():
    with pytest.raises(ValueError, match="or neither"):
        metrics.ranking_report([0, 1])
    with pytest.raises(ValueError, match="other has 1 scores for 2 items"):
        metrics.ranking_report([0, 1], [0.1, 0.2], other=[0.3])
    with pytest.raises(ValueError, match="kept must be at least"):
        metrics.ranking_report(kept=0)


def test_the_example_is_what_it_says():
    drawn = rankings.example(100, prevalence=0.3, scale=0.2, seed=1)
    assert drawn.y.sum() == 30
    assert drawn.scores[drawn.group == "B"].max() <= 0.2 < drawn.scores[drawn.group == "A"].max()
    np.testing.assert_array_equal(rankings.example(50, noise=0).other, rankings.example(50, noise=0).scores)
    with pytest.raises(ValueError, match="item must be at most 49"):
        rankings.moved(drawn.scores[:50], [(50, 0.1)])
