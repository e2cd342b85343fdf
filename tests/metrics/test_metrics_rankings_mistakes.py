"""What mending is worth: formulas against doing it, for neighbours, for any pair, with ties and along whole paths."""

import numpy as np
import pytest

from workbench import metrics
from workbench.metrics.rankings import levels, mistakes, sample
from workbench.metrics.rankings.levels import level_of

AUROC, AP = metrics.RANKING_SCORES["auroc"], metrics.RANKING_SCORES["ap"]


def both(y, scores):
    found = levels(sample(y, scores))
    return AUROC(found), AP(found)


@pytest.fixture(params=[None, 1, 0], ids=["no ties", "ties", "many ties"])
def drawn(request):
    y, scores = metrics.binormal(70, prevalence=0.4, separation=0.7, seed=6)
    return y, scores if request.param is None else scores.round(request.param)


def exchanged(scores, i, j):
    moved = scores.copy()
    moved[[i, j]] = moved[[j, i]]
    return moved


def test_every_mistake_gains_what_mending_it_gains(drawn):
    y, scores = drawn
    found = metrics.repairs(y, scores)
    start = both(y, scores)
    assert found.sizes["mistake"] > 3
    for k in range(found.sizes["mistake"]):
        moved = exchanged(scores, int(found.negative_item[k]), int(found.positive_item[k]))
        after = both(y, moved)
        assert after[0] - start[0] == pytest.approx(float(found.auroc_gain[k]), abs=1e-14)
        assert after[1] - start[1] == pytest.approx(float(found.ap_gain[k]), abs=1e-14)


def test_every_pair_gains_what_exchanging_it_gains(drawn):
    y, scores = drawn
    found = levels(sample(y, scores))
    place = level_of(scores)[0]
    start = both(y, scores)
    rng = np.random.default_rng(0)
    pairs = [(i, j) for i in np.flatnonzero(y == 0) for j in np.flatnonzero(y == 1) if place[i] < place[j]]
    best = 0.0
    for i, j in pairs:
        gain = mistakes.exchange_gains(found, place[i], place[j])
        best = max(best, float(gain[1]))
        if rng.random() < 0.2:
            after = both(y, exchanged(scores, i, j))
            assert after[0] - start[0] == pytest.approx(float(gain[0]), abs=1e-14)
            assert after[1] - start[1] == pytest.approx(float(gain[1]), abs=1e-14)
    listed = metrics.repairs(y, scores, count=1)
    assert float(listed.best_ap_gain[0]) == pytest.approx(best, abs=1e-14)


def test_the_best_ten_are_the_ten_best(drawn):
    y, scores = drawn
    found = levels(sample(y, scores))
    count = len(found.positives)
    gains = sorted(
        (
            float(mistakes.exchange_gains(found, g, h)[1])
            for g in range(count)
            for h in range(g + 1, count)
            if found.negatives[g] and found.positives[h]
        ),
        reverse=True,
    )
    listed = metrics.repairs(y, scores, count=10).best_ap_gain.values
    np.testing.assert_allclose(listed, gains[:10], atol=1e-14)


@pytest.mark.parametrize("by", ["ap", "auroc"])
def test_the_best_inside_a_group_are_the_best_of_its_pairs(drawn, by):
    y, scores = drawn
    group = np.array(["u", "v", "w"])[np.random.default_rng(1).integers(0, 3, len(y))]
    group[y == 1] = np.where(group[y == 1] == "w", "u", group[y == 1])  # w has no positive, and so no exchange
    listed = metrics.repairs(y, scores, group=group, count=4, by=by)
    found, place = levels(sample(y, scores)), level_of(scores)[0]
    column = {"auroc": 0, "ap": 1}[by]
    everywhere = set()
    for name in ("u", "v"):
        pairs = {
            (place[i], place[j])
            for i in np.flatnonzero((y == 0) & (group == name))
            for j in np.flatnonzero((y == 1) & (group == name))
            if place[i] < place[j]
        }
        gains = sorted((float(mistakes.exchange_gains(found, g, h)[column]) for g, h in pairs), reverse=True)
        one = listed.sel(inside=name)
        padded = np.concatenate([gains[:4], np.full(max(4 - len(gains), 0), np.nan)])
        np.testing.assert_allclose(one[f"inside_{by}_gain"], padded, atol=1e-14)
        up, down = int(one.inside_negative_item[0]), int(one.inside_positive_item[0])
        assert (group[up], group[down], y[up], y[down]) == (name, name, 0, 1)
        after = np.subtract(both(y, exchanged(scores, up, down)), both(y, scores))
        assert after[column] == pytest.approx(gains[0], abs=1e-14)
        everywhere |= {round(gain, 13) for gain in gains}
    assert np.isnan(listed[f"inside_{by}_gain"].sel(inside="w")).all()
    assert (listed.inside_upper_rank.sel(inside="w") == -1).all()
    best = float(listed[f"best_{by}_gain"][0])
    assert best >= max(everywhere) - 1e-12


def test_known_gains_and_the_papers_formula():
    """Ten negatives, ten positives, a negative, a positive: rank 21 is worth 2.62 times rank 10."""
    order = [0] * 10 + [1] * 10 + [0, 1]
    found = metrics.repairs(order, np.arange(22, 0, -1))
    np.testing.assert_allclose(found.ap_gain, [0.000826446280992, 0.00216450216450], atol=1e-14)
    np.testing.assert_allclose(found.auroc_gain, 1 / (11 * 11), atol=1e-17)
    assert mistakes.sharpest(mistakes.neighbours(levels(sample(order, np.arange(22, 0, -1)))))[:2] == (10, 21)
    y, scores = metrics.binormal(300, prevalence=0.2, separation=1.0, seed=1)
    listed = metrics.repairs(y, scores)
    ranked = y[np.argsort(-scores)]
    k = listed["rank"].values
    t = np.array([ranked[:rank].sum() for rank in k])
    np.testing.assert_allclose(listed.ap_gain, (t + 1) / (60 * k * (k + 1)), rtol=1e-12)


@pytest.mark.parametrize("rule", list(mistakes.RULES))
def test_mending_to_the_end_gains_all_that_is_missing(rule):
    y, scores = metrics.binormal(30, prevalence=0.4, separation=0.5, seed=2)
    start, gained = both(y, scores), np.zeros(2)
    here = scores
    for step in range(1000):
        found = metrics.repairs(y, here)
        if not found.sizes["mistake"]:
            break
        before = both(y, here)
        here = metrics.mend(y, here, rule, seed=step)
        gained += np.array(both(y, here)) - before
        assert both(y, here)[0] - before[0] == pytest.approx(float(found.auroc_gain[0]), abs=1e-14)
    assert both(y, here) == (1, 1)
    np.testing.assert_allclose(gained, 1 - np.array(start), atol=1e-12)


def test_the_rules_pick_what_they_say():
    y, scores = metrics.binormal(60, prevalence=0.3, separation=0.5, seed=9)
    found = metrics.repairs(y, scores)
    by_ap = metrics.mend(y, scores, "ap")
    assert both(y, by_ap)[1] - both(y, scores)[1] == pytest.approx(float(found.ap_gain.max()), abs=1e-14)
    topmost = metrics.mend(y, scores, "topmost")
    changed = set(np.flatnonzero(topmost != scores))
    assert changed == {int(found.negative_item[0]), int(found.positive_item[0])}
    np.testing.assert_array_equal(metrics.mend(y, scores, "random", seed=3), metrics.mend(y, scores, "random", seed=3))
    with pytest.raises(ValueError, match="unknown rule"):
        metrics.mend(y, scores, "auroc")


def test_a_perfect_ranking_has_no_mistakes():
    found = metrics.repairs([1, 1, 0], [3.0, 2.0, 1.0])
    assert found.sizes["mistake"] == found.sizes["best"] == 0
    np.testing.assert_array_equal(metrics.mend([1, 1, 0], [3.0, 2.0, 1.0]), [3.0, 2.0, 1.0])


def test_groups_of_both_items_are_told():
    y, scores, _, group = metrics.rankings.example(100, seed=3)
    found = metrics.repairs(y, scores, group=group)
    for k in range(found.sizes["mistake"]):
        pair = group[[int(found.negative_item[k]), int(found.positive_item[k])]]
        assert bool(found.same_group[k]) == (pair[0] == pair[1])


def test_exchanges_that_are_none_are_refused():
    found = levels(sample([1, 0, 1], [3.0, 2.0, 1.0]))
    for upper, lower, words in ((1, 1, "a lower one"), (0, 2, "needs a negative"), (1, 5, "a lower one")):
        with pytest.raises(ValueError, match=words):
            mistakes.exchange_gains(found, upper, lower)
