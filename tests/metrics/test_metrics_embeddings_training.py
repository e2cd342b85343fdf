"""Losses against automatic differentiation, the training, the paired study, and how λ may be chosen."""

import numpy as np
import pytest
import torch
from scipy import stats

from workbench import metrics
from workbench.metrics.embeddings.baselines import digits
from workbench.metrics.embeddings.inputs import labelled
from workbench.metrics.embeddings.losses import EMBEDDING_LOSSES, Pairs
from workbench.metrics.embeddings.training import Setting, fresh, relative_gradient, shrinking_share, train
from workbench.metrics.embeddings.zero_shot import halves, paired
from workbench.progress import Cancelled, Progress

RNG = np.random.default_rng(0)
CODES = np.repeat(np.arange(4), 5)


def in_torch(name, f, y):
    """Return each loss as its formula says, in torch."""
    u = f / f.norm(dim=1, keepdim=True)
    s = u @ u.T
    same = y[:, None] == y[None, :]
    positive, negative = same & ~torch.eye(len(y), dtype=bool), ~same
    softplus = torch.nn.functional.softplus
    if name == "binomial":
        return (
            softplus(-2 * (s - 0.5), threshold=60)[positive].mean()
            + softplus(50 * (s - 0.5), threshold=60)[negative].mean()
        )
    i, j = positive.nonzero(as_tuple=True)
    if name == "n-pair":
        rivals = torch.logsumexp((100 * s).masked_fill(~negative, -1e300), 1)
        return softplus(rivals[i] - 100 * s[i, j], threshold=200).mean()
    squares = 2 - 2 * s
    if name == "triplet":
        over = 0.1 + squares[i, j][:, None] - squares[i]
        return over[negative[i] & (over > 0)].mean()
    squares = squares.clamp_min(1e-30)
    return squares[positive].mean() + ((1 - squares.sqrt()).clamp_min(0) ** 2)[negative].mean()


@pytest.mark.parametrize("name", list(EMBEDDING_LOSSES))
def test_each_loss_has_the_value_and_the_gradient_of_its_formula(name):
    f = torch.tensor(RNG.normal(size=(20, 3)), requires_grad=True)
    value = in_torch(name, f, torch.tensor(CODES))
    value.backward()
    own, slope = EMBEDDING_LOSSES[name](f.detach().numpy(), Pairs.of(CODES))
    assert own == pytest.approx(value.item(), rel=1e-10)
    np.testing.assert_allclose(slope, f.grad.numpy(), atol=1e-10)
    assert np.abs(np.sum(slope * f.detach().numpy())) < 1e-12  # each looks at directions alone


def test_a_triplet_loss_in_order_is_zero():
    f = np.eye(4)[CODES]
    value, slope = EMBEDDING_LOSSES["triplet"](f, Pairs.of(CODES))
    assert value == 0
    assert not slope.any()


@pytest.mark.parametrize(("codes", "words"), [([0, 1, 2], "share a class"), ([1, 1, 1], "all items .* one class")])
def test_a_batch_without_pairs_is_refused(codes, words):
    with pytest.raises(ValueError, match=words):
        Pairs.of(np.array(codes))


@pytest.mark.parametrize("power", [2.0, 1.0])
@pytest.mark.parametrize("normalised", [False, True])
def test_the_term_of_a_batch_is_that_of_the_library(power, normalised):
    f = RNG.normal(size=(20, 3)) + 1
    found = metrics.energy_confusion(f, CODES, power, normalised=normalised)
    np.testing.assert_allclose(relative_gradient(f, Pairs.of(CODES), power, normalised), found.gradient, atol=1e-14)
    assert not relative_gradient(np.ones((20, 3)), Pairs.of(CODES), power, normalised).any()


def test_eulers_identity_in_the_last_layer():
    h, w, b = RNG.normal(size=(20, 6)), RNG.normal(size=(3, 6)), RNG.normal(size=3)
    slope = relative_gradient(h @ w.T + b, Pairs.of(CODES), 2.0, False)
    own, own_bias = slope.T @ h, slope.sum(axis=0)
    assert np.sum(own * w) == pytest.approx(2.0, abs=1e-12)
    np.testing.assert_allclose(own_bias, 0, atol=1e-14)  # b drops out

    def log_energy(w):
        return float(metrics.energy_confusion(h @ w.T + b, CODES).log)

    up, down = w.copy(), w.copy()
    up[1, 2] += 1e-6
    down[1, 2] -= 1e-6
    assert own[1, 2] == pytest.approx((log_energy(up) - log_energy(down)) / 2e-6, abs=1e-8)
    assert shrinking_share(own, own_bias, w, b) == pytest.approx(
        4 / ((np.sum(w**2) + np.sum(b**2)) * np.sum(own**2)), rel=1e-12
    )
    assert shrinking_share(w, b, w, b) == pytest.approx(1.0)


def test_training_lowers_the_loss_and_repeats_itself():
    seen = digits().of(np.arange(10) < 4)
    short, long, again = (train(seen, Setting(steps=steps), seed=[3]) for steps in (1, 80, 80))
    assert long.loss < 0.7 * short.loss
    np.testing.assert_array_equal(long.network.last, again.network.last)
    assert np.isnan(long.shrinking)


def test_the_term_reaches_the_last_layer_alone():
    seen = digits().of(np.arange(10) < 4)
    start = fresh(seen, [3])
    without, strong = (train(seen, Setting(confusion=weight, steps=1), seed=[3]).network for weight in (0.0, 5.0))
    np.testing.assert_array_equal(without.first, strong.first)
    assert np.abs(without.last - strong.last).max() > 1e-4
    np.testing.assert_array_equal(without.last_bias, strong.last_bias)
    assert not np.array_equal(start.first, without.first)


@pytest.fixture(scope="module")
def study():
    return metrics.zero_shot(
        losses=["binomial", "n-pair"], confusions=(0.13, 0, 1), steps=20, splits=5, validate=True, seed=4
    )


def test_the_study_is_paired_and_repeats_itself(study):
    assert study.confusion.values.tolist() == [0, 0.13, 1]
    difference = study.map_at_r.values - study.map_at_r.values[:, :1]
    np.testing.assert_allclose(study.map_at_r_difference, difference.mean(axis=-1), atol=1e-15)
    reach = stats.t.ppf(0.975, 4) * difference[0, 2].std(ddof=1) / np.sqrt(5)
    assert float(study.map_at_r_reach[0, 2]) == pytest.approx(reach, rel=1e-12)
    alone = metrics.zero_shot(losses=["binomial"], confusions=(0, 1), steps=20, splits=5, baselines=(), seed=4)
    np.testing.assert_array_equal(alone.map_at_r[0, 1], study.map_at_r[0, 2])  # whatever else is compared
    assert study.seen.values.sum(axis=1).tolist() == [5] * 5
    assert len({tuple(row) for row in study.seen.values.tolist()}) == 5


def test_the_weight_is_chosen_on_seen_classes(study):
    kept = study.map_at_r_kept.values
    best = study.confusion.values[np.argmax(kept, axis=1)]
    np.testing.assert_array_equal(study.chosen_weight, best)
    taken = np.take_along_axis(study.map_at_r.values, np.argmax(kept, axis=1)[:, None], axis=1)[:, 0]
    expected = (taken - study.map_at_r.values[:, 0]).mean(axis=-1)
    np.testing.assert_allclose(study.chosen_difference, expected, atol=1e-15)


def test_shrinking_is_a_share_and_raw_features_need_no_training(study):
    assert np.isnan(study.shrinking.values[:, 0]).all()
    share = study.shrinking.values[:, 1:]
    assert np.all((share > 0) & (share < 1))
    first = digits().of(~study.seen.values[0])
    expected = metrics.retrieval(first.features, first.codes, replicates=0)
    assert float(study.map_at_r_simple.sel(baseline="raw")[0]) == pytest.approx(float(expected.map_at_r), abs=1e-15)


def test_statistics_of_paired_differences():
    rng = np.random.default_rng(6)
    values = 0.5 + rng.normal(size=(1, 400))
    told = {name: value[0] for name, (value, _) in paired(values, "x").items()}
    assert told["needed"] == pytest.approx((2.8016 * values.std(ddof=1) / values.mean()) ** 2, rel=1e-4)
    assert told["better"] == np.mean(values > 0)
    assert told["sign"] == pytest.approx(stats.binomtest(int((values > 0).sum()), 400).pvalue)
    none = {name: value[0] for name, (value, _) in paired(np.zeros((1, 5)), "x").items()}
    assert (none["difference"], none["sign"]) == (0, 1)
    assert np.isnan(none["needed"])


def test_halves_are_all_or_different():
    assert halves(4, 100, np.random.default_rng(0)).sum(axis=1).tolist() == [2] * 6
    drawn = halves(10, 40, np.random.default_rng(0))
    assert len({tuple(row) for row in drawn.tolist()}) == 40


def test_ones_own_classes_few_items_and_cancelling():
    rng = np.random.default_rng(7)
    x = rng.normal(size=(24, 3)) + 4 * np.repeat(rng.normal(size=(6, 3)), 4, axis=0)
    names = np.repeat(list("abcdef"), 4)
    found = metrics.zero_shot(x, names, steps=5, splits=3)
    assert np.isfinite(found.map_at_r).all()
    assert found["class"].values.tolist() == list("abcdef")
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        metrics.zero_shot(x, names, progress=progress)


X, Y = RNG.normal(size=(12, 2)), np.repeat(list("abcd"), 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"losses": ["margin"]}, "unknown loss"),
        ({"losses": []}, "at least one loss"),
        ({"confusions": (0.13,)}, "needs λ = 0"),
        ({"confusions": (0, -1)}, "at least 0"),
        ({"features": X, "labels": np.repeat(list("abc"), 4)}, "there are 3 classes"),
        ({"features": X, "labels": ["z", *Y[1:-1], "y"]}, "has one item"),
        ({"features": X}, "or neither"),
        ({"splits": 1}, "at least 2"),
    ],
)
def test_refusals(arguments, words):
    with pytest.raises(ValueError, match=words):
        metrics.zero_shot(**arguments)


def test_items_are_labelled_in_words_or_numbers():
    assert labelled(X, Y).classes == ("a", "b", "c", "d")
    assert labelled(X, np.repeat([2.0, 1.0], 6)).classes == ("1", "2")
