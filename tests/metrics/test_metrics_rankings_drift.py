"""Groups under repairs: the kernel against doing it step by step, and what the controls show."""

import numpy as np
import pytest

from workbench import metrics
from workbench.metrics.rankings import drift, levels, sample

AUROC, AP = metrics.RANKING_SCORES["auroc"], metrics.RANKING_SCORES["ap"]


@pytest.mark.parametrize("rule", ["ap", "topmost"])
def test_the_kernel_equals_mending_step_by_step(rule):
    rng = np.random.default_rng(3)
    label, group = rng.random(60) < 0.3, rng.integers(0, 2, 60)
    steps = 25
    found = drift.mended(label.copy(), group.copy(), steps, drift.CODES[rule], rng.random(steps))
    scores = np.arange(60, 0, -1.0)
    for step in range(steps + 1):
        here = metrics.mend(label, scores, rule, steps=step)
        parts = [levels(sample(label[group == g], here[group == g])) for g in range(2)]
        whole = levels(sample(label, here))
        expected = [AUROC(parts[0]), AUROC(parts[1]), AUROC(whole), AP(whole)]
        np.testing.assert_allclose(found[:, step], expected, atol=1e-13)


def test_random_repairs_mend_one_mistake_each_until_none_is_left():
    rng = np.random.default_rng(1)
    label, group = rng.random(30) < 0.5, rng.integers(0, 2, 30)
    pairs = label.sum() * (~label).sum()
    found = drift.mended(label, group, 400, drift.CODES["random"], rng.random(400))
    gained = np.diff(found[2])
    mended = gained > 0
    np.testing.assert_allclose(gained[mended], 1 / pairs, atol=1e-12)
    assert found[2, -1] == pytest.approx(1)
    assert found[3, -1] == pytest.approx(1)
    assert not mended[-1]


def test_controls_show_that_the_score_scale_is_the_cause():
    found = metrics.repair_drift(rules=["ap"], seeds=60, seed=5).isel(step=-1, rule=0)
    change, error = found.gap_change, found.gap_change_error
    for name in ("paper", "scale-only"):
        assert float(change.sel(setup=name)) > 5 * float(error.sel(setup=name))
    for name in ("same-scale", "equal"):
        assert abs(float(change.sel(setup=name))) < 4 * float(error.sel(setup=name))


def test_a_sample_is_the_same_for_every_rule_and_seed():
    one, two = (metrics.repair_drift(["paper"], rules, seeds=4, steps=5) for rules in (["ap"], ["random", "ap"]))
    np.testing.assert_array_equal(one.gap_change.sel(rule="ap"), two.gap_change.sel(rule="ap"))
    assert (one.gap_change.isel(step=0) == 0).all()
    assert (two.ap.diff("step") > 0).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"setups": ["mine"]}, "unknown set-up 'mine'"),
        ({"rules": ["auroc"]}, "unknown rule 'auroc'"),
        ({"rules": []}, "at least one"),
        ({"n": 30}, "leaves group B"),
        ({"auroc": 1.0}, "auroc must be at most"),
        ({"seeds": 1}, "seeds must be at least 2"),
    ],
)
def test_refused_in_words(options, words):
    with pytest.raises(ValueError, match=words):
        metrics.repair_drift(**options)
