"""Exact transport and the Sinkhorn divergence: enumeration, closed forms, limits."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import flows


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 6), st.integers(1, 4), st.integers(0, 10**6))
def test_enumeration_of_all_matchings(n, dim, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, n, dim))
    cost = np.sum((x[:, None] - y[None]) ** 2, axis=2)
    best = min(cost[np.arange(n), list(order)].mean() for order in permutations(range(n)))
    assert flows.wasserstein(x, y) == pytest.approx(best, rel=1e-10)


def test_closed_forms(rng):
    x = rng.normal(size=(50, 3))
    assert flows.wasserstein(x, x) == pytest.approx(0, abs=1e-12)
    assert flows.wasserstein(x, x + np.array([1.0, 2.0, 2.0])) == pytest.approx(9, rel=1e-12)
    assert flows.wasserstein(x + 1e6, 2 * x + 1e6) == pytest.approx(np.mean(np.sum(x**2, axis=1)), rel=1e-8)
    # all mass of x on one point: the mean squared distance to it
    assert flows.wasserstein(x, x, x_weights=np.eye(50)[7]) == pytest.approx(
        np.mean(np.sum((x - x[7]) ** 2, axis=1)), rel=1e-12
    )


def test_weighted_one_dimension(rng):
    x, y = rng.normal(size=(20, 1)), rng.normal(size=(13, 1))
    a, b = rng.random(20), rng.random(13)
    sliced = flows.projected_costs(x, y, [[1.0]], x_weights=a, y_weights=b, precision="double")[0]
    assert flows.wasserstein(x, y, a, b) == pytest.approx(sliced, rel=1e-10)


def test_sinkhorn_is_debiased_and_tends_to_exact_transport(rng):
    x, y = rng.normal(size=(60, 2)), rng.normal(size=(45, 2)) + 1
    assert flows.sinkhorn_divergence(x, x) == pytest.approx(0, abs=1e-9)
    exact = flows.wasserstein(x, y)
    errors = [abs(flows.sinkhorn_divergence(x, y, regularisation=r) - exact) for r in (1.0, 0.2, 0.05)]
    assert errors[2] < errors[1] < errors[0]
    assert errors[2] < 0.02 * exact
    assert flows.sinkhorn_divergence(np.zeros((3, 2)), np.zeros((4, 2))) == 0


def test_sinkhorn_sees_a_translation_exactly(rng):
    """The cross term of |x − y − t|² is linear in each marginal, so |t|² is added at every regularisation."""
    x = rng.normal(size=(40, 2))
    shift = np.array([3.0, -1.0])
    assert flows.sinkhorn_divergence(x, x + shift, regularisation=0.1) == pytest.approx(10.0, rel=1e-6)


def test_refusals():
    with pytest.raises(ValueError, match="greater than 0"):
        flows.sinkhorn_divergence(np.eye(3), np.eye(3), regularisation=0)
    with pytest.raises(ValueError, match="3 dimensions and y in 2"):
        flows.wasserstein(np.eye(3), np.eye(2))
    with pytest.raises(ValueError, match="negative"):
        flows.wasserstein(np.eye(3), np.eye(3), [1, -1, 1])
