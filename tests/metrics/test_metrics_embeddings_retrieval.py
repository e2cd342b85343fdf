"""Retrieval scores: by hand, by brute force, under ties, on the digits, and what is left out."""

import importlib
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from workbench import metrics
from workbench.metrics.embeddings.inputs import labelled
from workbench.metrics.embeddings.retrieval import found_by


def score_of(relevant, wanted):
    """Return R@1, MAP@R and precision at R of one order."""
    top = np.asarray(relevant[:wanted], dtype=float)
    precision = np.cumsum(top) / np.arange(1, wanted + 1)
    return np.array([top[0], np.sum(precision * top) / wanted, top.mean()])


def by_all_orders(x, y, q):
    """Return the mean scores of a query over all orders of its ties, one by one."""
    others = [j for j in range(len(x)) if j != q]
    squares = np.array([np.sum((x[j] - x[q]) ** 2) for j in others])
    wanted = int(np.sum(y == y[q])) - 1
    groups = [[others[k] for k in np.flatnonzero(squares == v)] for v in np.unique(squares)]
    orders = itertools.product(*(itertools.permutations(group) for group in groups))
    return np.mean([score_of([y[j] == y[q] for part in order for j in part], wanted) for order in orders], axis=0)


def test_one_query_by_hand():
    # neighbours of item 0 in order: its class, another, its class, another, its class
    x = np.array([[0.0], [1], [2], [3], [4], [5]])
    found = metrics.retrieval(x, list("abbabb")[:1] + list("ababa"), replicates=0)
    query = found.sel(query=0)
    assert float(query.map_at_r_of_query) == pytest.approx((1 + 2 / 3) / 3, abs=1e-15)
    assert float(query.recall_at_1_of_query) == 1
    assert float(query.precision_at_r_of_query) == pytest.approx(2 / 3)


def test_a_perfect_embedding_scores_one():
    found = metrics.retrieval([[0.0], [0.1], [5.0], [5.2]], ["a", "a", "b", "b"], replicates=20)
    assert [float(found[name]) for name in ("recall_at_1", "map_at_r", "precision_at_r")] == [1, 1, 1]
    assert float(found.map_at_r_low) == float(found.map_at_r_high) == 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31))
def test_ties_stand_for_all_their_orders(seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 3, (7, 2)).astype(float)
    y = rng.integers(0, 2, 7)
    given = labelled(x, y, least_classes=1)
    queries, values, _ = found_by(given)
    assert queries.tolist() == [q for q in range(7) if np.sum(y == y[q]) > 1]
    for q, value in zip(queries, values, strict=True):
        np.testing.assert_allclose(value, by_all_orders(x, y, q), atol=1e-12)


def test_the_order_of_rows_is_nothing_to_ties():
    x = np.zeros((20, 3))
    y = np.repeat([0, 1], 10)
    found = metrics.retrieval(x, y, replicates=0)
    assert float(found.recall_at_1) == pytest.approx(9 / 19)  # a stable sort would say 0.5 or 1
    shuffled = np.random.default_rng(0).permutation(20)
    again = metrics.retrieval(x, y[shuffled], replicates=0)
    assert float(again.map_at_r) == pytest.approx(float(found.map_at_r), abs=1e-15)


def test_the_first_digits():
    x, y = load_digits(return_X_y=True)
    found = metrics.retrieval(x[:600], y[:600], replicates=200)
    assert float(found.recall_at_1) == pytest.approx(0.988333, abs=1e-6)
    assert float(found.map_at_r) == pytest.approx(0.5775, abs=2e-4)
    assert float(found.map_at_r_low) < float(found.map_at_r) < float(found.map_at_r_high)
    half = (float(found.map_at_r_high) - float(found.map_at_r_low)) / 2
    assert half == pytest.approx(1.96 * float(found.map_at_r_error), rel=0.25)
    by_class = found.map_at_r_of_class.values
    assert float(found.map_at_r) == pytest.approx(np.average(by_class, weights=np.bincount(y[:600])), abs=1e-12)


def test_directions_and_neighbours():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(50, 4)), rng.integers(0, 3, 50)
    found = metrics.retrieval(x * rng.uniform(0.1, 9, (50, 1)), y, normalised=True, neighbours=5, replicates=0)
    u = x / np.linalg.norm(x, axis=1, keepdims=True)
    cosine = u @ u.T - 9 * np.eye(50)
    np.testing.assert_array_equal(found.neighbour, np.argsort(-cosine, axis=1)[:, :5])
    assert float(found.map_at_r) == pytest.approx(float(metrics.retrieval(u, y, replicates=0).map_at_r), abs=1e-15)


def test_blocks_of_queries_do_not_matter(monkeypatch):
    module = importlib.import_module("workbench.metrics.embeddings.retrieval")  # its name is also the function's

    rng = np.random.default_rng(4)
    given = labelled(rng.normal(size=(90, 3)), rng.integers(0, 4, 90))
    whole = found_by(given)[1]
    monkeypatch.setattr(module, "MOST_AT_ONCE", 200)
    monkeypatch.setattr(module, "FEW_ITEMS", 10)
    np.testing.assert_array_equal(found_by(given)[1], whole)


def test_an_item_alone_in_its_class_is_no_query():
    found = metrics.retrieval([[0.0], [0.1], [3.0]], ["a", "a", "b"], replicates=0)
    assert int(found.left_out) == 1
    assert found["query"].values.tolist() == [0, 1]
    with pytest.raises(ValueError, match="no query has anything to find"):
        metrics.retrieval([[0.0], [1.0]], ["a", "b"])


def test_same_seed_same_interval():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(40, 2)), rng.integers(0, 2, 40)
    one, two, other = (metrics.retrieval(x, y, replicates=50, seed=seed) for seed in (1, 1, 2))
    assert one.drop_attrs().identical(two.drop_attrs())
    assert float(one.map_at_r_low) != float(other.map_at_r_low)
