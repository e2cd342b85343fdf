"""Bounds and regions: what is accepted, what is refused, how they map."""

import numpy as np
import pytest
import scipy.sparse as sp

from workbench.games import Bounds, Box

L = [[0, 10], [0.05, 0]]


@pytest.mark.parametrize(
    ("mu", "ell", "couplings", "message"),
    [
        ([1, np.nan], [1, 1], L, "NaN"),
        ([1, 1], [1, 1], [[0, 1, 2], [1, 0, 3]], "square"),
        ([1, 1, 1], [1, 1, 1], L, "3 players"),
        ([1, 1], [1, 1], [[0, -1], [1, 0]], "negative"),
        ([1, 1], [1, 1], [[1, 1], [1, 0]], "diagonal"),
        ([1, 1], [1, 0.5], L, "below mu"),
        ([1, 1], [1, 1], [[0, np.inf], [1, 0]], "infinite"),
    ],
)
@pytest.mark.parametrize("form", [np.asarray, lambda a: sp.csr_array(np.asarray(a, dtype=float))])
def test_bad_bounds_are_refused(mu, ell, couplings, message, form):
    with pytest.raises(ValueError, match=message):
        Bounds(mu, ell, form(couplings))


def test_bounds_are_read_only_and_map():
    b = Bounds([1, 2], [3, 4], L)
    with pytest.raises(ValueError, match="read-only"):
        b.mu[0] = 5
    np.testing.assert_array_equal(b.comparison(), [[1, -10], [-0.05, 2]])
    np.testing.assert_array_equal(b.relabelled([1, 0]).L, [[0, 0.05], [10, 0]])
    np.testing.assert_array_equal(b.scaled(2).ell, [6, 8])
    with pytest.raises(ValueError, match="each of the 2 players once"):
        b.relabelled([0, 0])
    sparse = Bounds([1, 2], [3, 4], sp.csr_array(np.array(L)))
    np.testing.assert_array_equal(sparse.relabelled([1, 0]).L.toarray(), [[0, 0.05], [10, 0]])


@pytest.mark.parametrize(
    ("lower", "upper", "message"),
    [
        ([0, 1], [1, 1], "empty or flat"),
        ([0, 2], [1, 1], "empty or flat"),
        ([0, -np.inf], [1, 1], "unbounded"),
        ([0, np.nan], [1, 1], "NaN"),
        ([0], [1, 1], "one length"),
    ],
)
def test_bad_regions_are_refused(lower, upper, message):
    with pytest.raises(ValueError, match=message):
        Box(lower, upper)


def test_box_projects_samples_and_lists_corners():
    box = Box.around([0.0, 1.0], [1.0, 0.5])
    assert box.contains(box.sample(100, seed=1)).all()
    assert len(np.unique(box.vertices(), axis=0)) == 4
    np.testing.assert_array_equal(box.project(np.array([9.0, -9.0])), [1.0, 0.5])
    with pytest.raises(ValueError, match="at most 16"):
        Box(np.zeros(17), np.ones(17)).vertices()
