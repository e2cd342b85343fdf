"""The one form for invariances, constants and blind spots, and what rankings say in it."""

import numpy as np
import pytest

from workbench import metrics, results
from workbench.metrics import grammar
from workbench.metrics.rankings import blind, extremes

LABELS = {"a": "A", "b": "B"}


def test_parts_join_to_one_result():
    parts = (
        grammar.invariances(LABELS, {"t": ("turned", True)}, [[0.0], [0.5]]),
        grammar.constants(LABELS, {"c": "largest"}, [[1.0], [np.nan]]),
        grammar.blind_spots(LABELS, [0.0, 0.1], [0.5, 0.6], ["B", "A"], ["x | y", "x | z"]),
    )
    ds = results.dataset(*grammar.joined(*parts))
    assert ds.yardstick.values.tolist() == ["a", "b"]
    assert results.problems(ds, provenance=False) == []


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: grammar.invariances(LABELS, {"t": ("turned", True)}, [[0.0]]), "2 yardsticks"),
        (lambda: grammar.constants(LABELS, {"c": "largest"}, [[0.0, 1.0]] * 2), "2 yardsticks"),
        (lambda: grammar.blind_spots(LABELS, [0.0], [0.0], ["a", "b"], ["x", "y"]), "seen has shape"),
        (lambda: grammar.blind_spots(LABELS, [0.0, 0], [0.0, 0], ["a"], ["x", "y"]), "references has 1"),
        (
            lambda: grammar.joined(
                grammar.constants(LABELS, {"c": "largest"}, [[1.0]] * 2),
                grammar.constants({"z": "Z"}, {"c": "largest"}, [[1.0]]),
            ),
            "different yardsticks",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.fixture(scope="module")
def moved():
    return metrics.ranking_invariances(*metrics.binormal(200, seed=1))


def test_what_should_not_matter_moves_no_score_except_the_mean_over_ties(moved):
    harmless = moved.invariance_change.isel(transformation=np.flatnonzero(moved.invariance_harmless.values))
    for name in moved.yardstick.values:
        stands = (harmless.sel(yardstick=name) <= grammar.STANDS).values
        # twice every item makes ties: the mean over their orders is another number, and only that
        assert stands.all() or (name == "ap-tie-mean" and harmless.transformation.values[~stands].tolist() == ["twice"])


def test_each_score_is_blind_to_what_it_is_known_to_be(moved):
    change = moved.invariance_change
    assert float(change.sel(yardstick="auroc", transformation="negatives-twice")) == 0
    assert float(change.sel(yardstick="auroc", transformation="turned")) == pytest.approx(0, abs=1e-15)
    assert float(change.sel(yardstick="ap", transformation="easy-negatives")) == 0
    assert float(change.sel(yardstick="ap", transformation="negatives-twice")) > 0.01
    gains = moved.constant.sel(yardstick="auroc")
    assert float(gains.sel(axiom="topmost")) == pytest.approx(float(gains.sel(axiom="lowest")), abs=1e-14)
    assert float(gains.sel(axiom="topmost")) == pytest.approx(1 / (20 * 180), abs=1e-14)


def test_constants_are_those_of_the_scores(moved):
    for name in moved.yardstick.values:
        assert float(moved.constant.sel(yardstick=name, axiom="perfect")) == pytest.approx(1)
    random = moved.constant.sel(axiom="random")
    assert float(random.sel(yardstick="auroc")) == pytest.approx(0.5, abs=0.02)
    assert float(random.sel(yardstick="ap")) == pytest.approx(metrics.chance_ap(20, 200), abs=0.02)


@pytest.mark.parametrize(("p", "m"), [(3, 7), (4, 5)])
def test_blind_spots_of_both_scores_equal_a_search_over_all_orders(p, m):
    from itertools import combinations

    orders = [np.array(places) - np.arange(p) for places in combinations(range(p + m), p)]
    auroc = np.array([1 - order.sum() / (p * m) for order in orders])
    ap = np.array([extremes.ap_of(order) for order in orders])
    equal = np.abs(auroc[:, None] - auroc[None, :]) < 1e-12
    widest = np.abs(ap[:, None] - ap[None, :])[equal].max()
    found = metrics.ranking_confusions(p, m)
    assert float(found.blind_reference.sel(yardstick="auroc")) == pytest.approx(widest, abs=1e-12)
    near = np.abs(ap[:, None] - ap[None, :]) <= blind.NEARLY
    most = np.abs(auroc[:, None] - auroc[None, :])[near].max()
    assert float(found.blind_seen.sel(yardstick="ap")) <= blind.NEARLY
    assert float(found.blind_reference.sel(yardstick="ap")) <= most + 1e-12


def test_blind_spots_are_nearly_equal_and_told_in_words():
    found = metrics.ranking_confusions(20, 180)
    assert (found.blind_seen <= blind.NEARLY).all()
    assert float(found.blind_reference.sel(yardstick="auroc")) > 0.6
    assert float(found.blind_reference.sel(yardstick="ap")) > 0.6
    assert all(" | " in str(pair) for pair in found.blind_pair.values)


def test_many_items_are_searched_in_proportion():
    large, small = metrics.ranking_confusions(5000, 95_000), metrics.ranking_confusions(10, 190)
    np.testing.assert_array_equal(large.blind_reference, small.blind_reference)
