"""What a ranking refuses, in words, before any work."""

import numpy as np
import pytest

from workbench import metrics

Y, S = [0, 1, 1, 0], [0.1, 0.2, 0.3, 0.4]


@pytest.mark.parametrize(
    ("y", "scores", "options", "words"),
    [
        ([1, 1], [0.1, 0.2], {}, "all 2 labels are positive"),
        ([0, 0], [0.1, 0.2], {}, "all 2 labels are negative"),
        (Y, [0.1, np.nan, 0.3, 0.4], {}, "row 1"),
        (Y, [0.1, 0.2, np.inf, 0.4], {}, "row 2"),
        ([1, 2, 2, 1], S, {}, "say which is positive, e.g. positive=2"),
        (["sick", "well", "well", "sick"], S, {}, "say which is positive"),
        (["a", "b", "c", "a"], S, {}, "3 different labels"),
        ([-1, 1, 1, -1], S, {"positive": 7}, "none of the labels"),
        ([0, 1, None, 0], S, {}, "no label in row 2"),
        ([0, 1, np.nan, 0], S, {}, "NaN"),
        (Y, S[:3], {}, "4 labels and scores has 3"),
        (Y, [S], {}, "dimension"),
        ([], [], {}, "empty"),
        (Y, S, {"weights": [1, 1, 0, 1]}, "row 2"),
        (Y, S, {"weights": [1, 1]}, "2 values for 4 items"),
        (Y, S, {"group": ["a"]}, "group has shape"),
        (Y, S, {"ties": "worst"}, "unknown ties 'worst'"),
        (Y, S, {"ties": "mean", "weights": np.ones(4)}, "where every item counts once"),
        (Y, S, {"level": 2}, "level must be at most"),
    ],
)
def test_refused_in_words(y, scores, options, words):
    with pytest.raises((ValueError, TypeError), match=words):
        metrics.ranking(y, scores, **options)


@pytest.mark.parametrize(
    "scores", [np.ma.masked_array(S, [0, 1, 0, 0]), np.array(S) * 1j, ["0.1", "0.2", "0.3", "0.4"]]
)
def test_what_would_be_lost_without_a_word_is_refused(scores):
    with pytest.raises((ValueError, TypeError), match=r"masked|complex|text"):
        metrics.ranking(Y, scores)


@pytest.mark.parametrize(
    ("y", "positive"),
    [([False, True, True, False], None), (["no", "yes", "yes", "no"], "yes"), ([-1, 1, 1, -1], 1),
     ([0.0, 1.0, 1.0, 0.0], None), ([5, 4, 4, 5], 4), (np.array([b"n", b"y", b"y", b"n"]), "y")],
)  # fmt: skip
def test_labels_that_say_what_they_mean(y, positive):
    assert float(metrics.ranking(y, S, positive=positive).auroc[0]) == 0.5


def test_pandas_and_torch_are_taken():
    import pandas as pd
    import torch

    table = pd.DataFrame({"y": Y, "s": S})
    assert float(metrics.ranking(table.y, table.s).auroc[0]) == 0.5
    assert float(metrics.ranking(torch.tensor(Y), torch.tensor(S)).auroc[0]) == 0.5


def test_tensors_with_gradients_and_ragged_lists_are_refused():
    import torch

    with pytest.raises(TypeError, match="requires a gradient"):
        metrics.ranking(Y, torch.tensor(S, requires_grad=True))
    with pytest.raises(ValueError, match="different lengths"):
        metrics.ranking(Y, [[1.0], [1.0, 2.0]])


def test_a_group_may_be_called_all():
    found = metrics.ranking(Y, S, group=["all", "all", "b", "b"])
    assert found.part.values.tolist() == ["(all)", "all", "b"]


def test_the_input_is_left_alone():
    scores, y = np.array([0.3, 0.1, 0.2]), np.array([1, 0, 1])
    kept = scores.copy()
    metrics.ranking_report(y, scores)
    np.testing.assert_array_equal(scores, kept)
