"""The scores of a ranking against brute force over pairs, exact fractions, scikit-learn, and numbers known before."""

from fractions import Fraction
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import metrics
from workbench.metrics.rankings import levels, sample
from workbench.metrics.rankings.levels import Levels
from workbench.metrics.rankings.scores import tie_bracket

SCORES = metrics.RANKING_SCORES


def by_pairs(y, scores):
    """AUROC over all pairs and AP at the ends of the levels, in exact fractions."""
    up = [s for s, one in zip(scores, y, strict=True) if one]
    down = [s for s, one in zip(scores, y, strict=True) if not one]
    pairs = sum(Fraction(2 * (a > b) + (a == b), 2) for a in up for b in down)
    precisions = [Fraction(sum(a >= s for a in up), sum(a >= s for a in scores)) for s in up]
    return pairs / (len(up) * len(down)), sum(precisions, Fraction(0)) / len(up)


def ap_in_order(labels):
    """AP of labels in an order without ties, in fractions."""
    found, true = [], 0
    for k, one in enumerate(labels, start=1):
        true += one
        if one:
            found.append(Fraction(true, k))
    return sum(found, Fraction(0)) / len(found)


@pytest.mark.parametrize("decimals", [None, 1, 0])
@pytest.mark.parametrize("seed", range(5))
def test_both_scores_equal_brute_force_in_fractions(decimals, seed):
    y, scores = metrics.binormal(60, prevalence=0.3, separation=1.0, seed=seed)
    scores = scores if decimals is None else scores.round(decimals)
    found = metrics.ranking(y, scores).isel(part=0)
    auroc, ap = by_pairs(y, scores.tolist())
    assert float(found.auroc) == float(auroc)
    assert float(found.ap) == pytest.approx(float(ap), abs=2e-16)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=2, max_size=12))
def test_any_small_ranking_equals_brute_force(items):
    y, scores = [one for one, _ in items], [float(score) for _, score in items]
    if len(set(y)) == 2:
        found = metrics.ranking(y, scores).isel(part=0)
        auroc, ap = by_pairs(y, scores)
        assert float(found.auroc) == float(auroc)
        assert float(found.ap) == pytest.approx(float(ap), abs=2e-16)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("decimals", [None, 1])
def test_scores_equal_scikit_learn(weighted, decimals):
    sklearn = pytest.importorskip("sklearn.metrics")
    y, scores = metrics.binormal(3000, prevalence=0.1, seed=2)
    scores = scores if decimals is None else scores.round(decimals)
    weights = np.random.default_rng(1).uniform(0.1, 3, len(y)) if weighted else None
    found = levels(sample(y, scores, weights=weights))
    curve = sklearn.precision_recall_curve(y, scores, sample_weight=weights)
    expected = {
        "auroc": sklearn.roc_auc_score(y, scores, sample_weight=weights),
        "ap": sklearn.average_precision_score(y, scores, sample_weight=weights),
        "partial-auroc": sklearn.roc_auc_score(y, scores, sample_weight=weights, max_fpr=0.1),
        "pr-trapezoid": sklearn.auc(curve[1], curve[0]),
    }
    for name in ("auroc", "ap", "partial-auroc"):
        assert SCORES[name](found) == pytest.approx(expected[name], abs=1e-13)
    # the trapezoid before the first level: scikit-learn's curve begins at precision 1 as well
    assert SCORES["pr-trapezoid"](found) == pytest.approx(expected["pr-trapezoid"], abs=1e-13)


def test_auroc_is_mann_whitneys_statistic():
    from scipy.stats import mannwhitneyu

    y, scores = metrics.binormal(500, prevalence=0.2, seed=3)
    scores = scores.round(1)
    u = mannwhitneyu(scores[y == 1], scores[y == 0]).statistic
    assert SCORES["auroc"](levels(sample(y, scores))) == pytest.approx(u / (100 * 400), abs=1e-15)


def test_logarithmic_auroc_equals_quadrature():
    from scipy.integrate import quad

    y, scores = metrics.binormal(200, prevalence=0.3, seed=1)
    one = metrics.ranking(y, scores.round(1)).isel(part=0)
    x, height = one.fpr.values, one.tpr.values

    def tpr(rate):  # the end of a vertical step, the line between two thresholds
        k = np.searchsorted(x, rate, side="right")
        if k == len(x):
            return 1.0
        return height[k - 1] + (height[k] - height[k - 1]) * (rate - x[k - 1]) / (x[k] - x[k - 1])

    ends = np.unique(np.append(np.log(np.maximum(x, 1e-3)), np.log(1e-3)))
    area = sum(quad(lambda t: tpr(np.exp(t)), a, b)[0] for a, b in pairwise(ends))
    assert SCORES["log-auroc"](levels(sample(y, scores.round(1)))) == pytest.approx(area / np.log(1000), abs=1e-7)


def test_the_mean_over_ties_equals_all_orders():
    y, scores = [1, 0, 1, 0, 0, 1, 0], [3.0, 2.0, 2.0, 2.0, 1.0, 1.0, 0.0]
    first, second = [1], [[0, 1, 0], [0, 1]]
    values = [ap_in_order([*first, *a, *b, 0]) for a in permutations(second[0]) for b in permutations(second[1])]
    low, mean, high = tie_bracket(levels(sample(y, scores)))
    assert mean == pytest.approx(float(sum(values) / len(values)), abs=1e-15)
    assert (low, high) == pytest.approx((float(min(values)), float(max(values))), abs=1e-15)


def test_the_group_end_is_none_of_the_bracket():
    """Five negatives above two tied positives: scikit-learn's value exceeds even the most favourable order."""
    found = metrics.ranking([0] * 5 + [1] * 2, [9.0, 8.0, 7.0, 6.0, 5.0, 1.0, 1.0]).isel(part=0)
    assert float(found.ap) == pytest.approx(0.2857, abs=1e-4)
    assert float(found.ap_optimistic) == pytest.approx(0.2262, abs=1e-4)
    assert float(found.ap_group) > float(found.ap_optimistic)


@pytest.mark.parametrize("ties", ["pessimistic", "mean", "optimistic", "group"])
def test_ties_choose_the_reading(ties):
    y, scores = metrics.binormal(300, prevalence=0.2, seed=5)
    found = metrics.ranking(y, scores.round(0), ties=ties).isel(part=0)
    assert float(found.ap) == float(found[f"ap_{ties}"])
    assert float(found.ap_pessimistic) < float(found.ap_mean) < float(found.ap_optimistic)
    assert float(found.tied_pairs) > 0


def test_chance_is_the_mean_over_all_orders_and_not_the_prevalence():
    orders = list(permutations([1, 1, 0, 0, 0]))
    mean = sum(ap_in_order(order) for order in orders) / len(orders)
    assert metrics.chance_ap(2, 5) == pytest.approx(float(mean), abs=1e-15)
    assert metrics.chance_ap(50, 1000) == pytest.approx(0.056167364682205, abs=1e-14)


def test_all_scores_equal():
    found = metrics.ranking([1, 0, 0, 1, 0], np.zeros(5)).isel(part=0)
    assert float(found.auroc) == 0.5
    assert float(found.ap) == pytest.approx(0.4, abs=1e-16)
    assert float(found.ap_mean) == pytest.approx(metrics.chance_ap(2, 5), abs=1e-15)


def test_perfect_and_worst_order():
    labels = np.array([1] * 4 + [0] * 6)
    best, worst = (metrics.ranking(y, np.arange(10, 0, -1)).isel(part=0) for y in (labels, labels[::-1]))
    assert (float(best.auroc), float(best.ap)) == (1, 1)
    assert float(worst.auroc) == 0
    assert float(worst.ap) == pytest.approx(np.mean([k / (6 + k) for k in range(1, 5)]), abs=1e-15)
    assert np.isnan(best.auroc_low)  # a variance of 0 is no certainty
    assert all(entry(levels(sample(labels, np.arange(10, 0, -1)))) == pytest.approx(1) for entry in SCORES.values())


def test_only_the_order_counts_and_negatives_count_for_ap_alone():
    y, scores = metrics.binormal(400, prevalence=0.2, seed=7)
    one = metrics.ranking(y, scores).isel(part=0)
    other = metrics.ranking(y, np.exp(3 * scores)).isel(part=0)
    assert (float(one.auroc), float(one.ap)) == (float(other.auroc), float(other.ap))
    twice = np.append(scores, scores[y == 0])
    more = metrics.ranking(np.append(y, np.zeros(320)), twice).isel(part=0)
    assert float(more.auroc) == float(one.auroc)
    assert float(more.ap) < float(one.ap) - 0.05


def test_the_count_of_pairs_is_exact_beyond_32_bits():
    count = 70_000  # P M = 4.9e9
    y = np.append(np.ones(count), np.zeros(count))
    scores = np.append(np.arange(count) + 0.5, np.arange(count))  # the i-th positive is above i + 1 negatives
    found = levels(sample(y, scores))
    assert SCORES["auroc"](found) == count * (count + 1) / 2 / count**2
    huge = Levels(
        *(np.array(a, dtype=np.int64) for a in ([3_000_000_000, 0], [0, 3_000_000_000])),
        found.scores,
        *([np.ones(2)] * 2),
    )
    assert SCORES["auroc"](huge) == 1.0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.uint64, np.int64, np.bool_])
def test_scores_keep_their_type(dtype):
    rng = np.random.default_rng(0)
    scores = (100 * rng.random(200)).astype(dtype)
    y = rng.random(200) < 0.4
    found = metrics.ranking(y, scores).isel(part=0)
    auroc, _ = by_pairs(y, [value.item() for value in scores])
    assert float(found.auroc) == float(auroc)


def test_neighbouring_integers_beyond_2_53_and_long_doubles_are_not_tied():
    base = 2**60
    assert float(metrics.ranking([0, 1], np.array([base, base + 1])).auroc[0]) == 1.0
    if np.finfo(np.longdouble).eps < np.finfo(float).eps:
        fine = np.array([1, 1], dtype=np.longdouble)
        fine[1] += np.finfo(np.longdouble).eps
        assert SCORES["auroc"](levels(sample([0, 1], fine))) == 1.0


def test_zero_has_one_sign_and_single_precision_makes_ties():
    assert float(metrics.ranking([0, 1], [0.0, -0.0]).auroc[0]) == 0.5
    close = np.array([1.0, 1.0 + 1e-9])
    assert float(metrics.ranking([0, 1], close).tied_pairs[0]) == 0
    assert float(metrics.ranking([0, 1], close.astype(np.float32)).tied_pairs[0]) == 1


def test_groups_are_judged_apart_and_one_of_a_single_class_has_no_score():
    y, scores = metrics.binormal(100, prevalence=0.3, seed=1)
    group = np.where(np.arange(100) < 40, "u", "v")
    group[y == 1] = "v"
    found = metrics.ranking(y, scores, group=group)
    assert found.part.values.tolist() == ["all", "u", "v"]
    assert np.isnan(found.auroc.sel(part="u"))
    inside = group == "v"
    alone = metrics.ranking(y[inside], scores[inside])
    assert float(found.ap.sel(part="v")) == float(alone.ap[0])


def test_integer_weights_are_copies():
    y, scores = metrics.binormal(80, prevalence=0.3, seed=4)
    weights = np.random.default_rng(0).integers(1, 4, 80)
    weighted = metrics.ranking(y, scores.round(1), weights=weights).isel(part=0)
    copies = metrics.ranking(np.repeat(y, weights), np.repeat(scores.round(1), weights)).isel(part=0)
    for name in ("auroc", "ap", "ap_trapezoid"):
        assert float(weighted[name]) == pytest.approx(float(copies[name]), abs=1e-14)
    assert np.isnan(weighted.ap_mean)


def test_curves_are_thinned_and_keep_their_ends():
    y, scores = metrics.binormal(20_000, prevalence=0.02, seed=0)
    one = metrics.ranking(y, scores).isel(part=0)
    assert one.sizes["point"] <= 1000
    assert (float(one.fpr[-1]), float(one.tpr[-1])) == (1, 1)
    assert float(one.precision[-1]) == pytest.approx(0.02)
    assert (np.diff(one.tpr) >= 0).all()
