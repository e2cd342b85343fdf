"""Mending one's own ranking in two groups: gains known in advance, ties, and what is refused."""

import numpy as np
import pytest

from workbench import metrics
from workbench.metrics.rankings import example


@pytest.fixture(scope="module")
def drawn():
    return example(200, prevalence=0.15, scale=0.4, seed=3)


def test_it_begins_with_the_gap_of_the_groups_and_each_repair_gains_auroc_alike(drawn):
    ds = metrics.group_repairs(drawn.y, drawn.scores, drawn.group, steps=12, seeds=3)
    alone = {
        name: float(metrics.ranking(drawn.y[drawn.group == name], drawn.scores[drawn.group == name]).auroc[0])
        for name in "AB"
    }
    np.testing.assert_allclose(ds.group_gap.isel(mended=0), alone["A"] - alone["B"], atol=1e-12)
    positives = int(drawn.y.sum())
    np.testing.assert_allclose(np.diff(ds.mended_auroc), 1 / (positives * (200 - positives)), atol=1e-12)
    np.testing.assert_allclose(
        ds.mended_ap.sel(mend_rule="ap")[1] - ds.mended_ap.sel(mend_rule="ap")[0],
        metrics.repairs(drawn.y, drawn.scores).ap_gain.max(),
        atol=1e-12,
    )
    # nothing is left to chance but the rule that draws
    assert ds.group_gap_spread.sel(mend_rule=["ap", "topmost"]).values.max() < 1e-12
    assert ds.group_gap_spread.sel(mend_rule="random").values.max() > 0


def test_by_hand():
    # from the top: a negative of A, a positive of A, a negative of B, a positive of B, and both ends of each group
    y, group = [0, 1, 0, 1, 1, 0, 1, 0], list("AABBABBA")
    ds = metrics.group_repairs(y, np.arange(8)[::-1], group, steps=1, seeds=1, rules=("topmost",))
    # A: 0 1 1 0 → 2 of 4 pairs, then 3; B: 0 1 0 1 → 1 of 4 pairs in order
    np.testing.assert_allclose(ds.group_gap[0], [0.5 - 0.25, 0.75 - 0.25])


def test_ties_are_broken_at_random_and_the_same_seed_gives_the_same():
    y, scores, group = np.arange(60) % 3 == 0, np.zeros(60), np.where(np.arange(60) < 30, "u", "v")
    one, two = (metrics.group_repairs(y, scores, group, steps=4, seeds=5, seed=7) for _ in range(2))
    assert one.group_gap_spread.values[:, 0].min() > 0
    np.testing.assert_array_equal(one.group_gap, two.group_gap)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"group": ["u"] * 8}, r"the items have 1 group\(s\); a gap is that of two"),
        ({"group": list("uvwuvwuv")}, r"the items have 3 group\(s\)"),
        ({"group": list("uvvvvvvv")}, "group u has positives or negatives alone"),
        ({"group": None}, "have no groups"),
        ({"rules": ()}, "at least one rule"),
        ({"rules": ("luck",)}, "unknown rule 'luck'"),
        ({"steps": 0}, "steps must be at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused(change, words):
    given = {"y": [0, 1, 0, 1, 1, 0, 1, 0], "scores": np.arange(8.0), "group": list("uuvvuvvu")} | change
    with pytest.raises(ValueError, match=words):
        metrics.group_repairs(**given)


def test_the_report_has_it_where_there_are_two_groups(drawn):
    ds = metrics.ranking_report(drawn.y, drawn.scores, group=drawn.group)
    assert ds.group_gap.dims == ("mend_rule", "mended")
    assert "group_gap" not in metrics.ranking_report(drawn.y, drawn.scores)
    assert "group_gap" not in metrics.ranking_report(drawn.y, drawn.scores, group=np.arange(200) % 3)
