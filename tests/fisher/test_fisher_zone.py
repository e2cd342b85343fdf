"""Folding displacements and momenta: nothing is lost, nothing counted twice."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import fisher
from workbench.fisher import zone
from workbench.fisher.torus import torus


@given(st.integers(3, 40), st.sampled_from([-1, 0, 1]))
def test_every_displacement_is_reached_once(size, delta):
    fold = zone.fold(size, delta)
    d = fold.representatives[fold.index]
    np.testing.assert_array_equal(np.where(fold.flipped, (delta - d) % size, d), np.arange(size))
    assert len(fold.representatives) <= size // 2 + 1


@given(st.integers(3, 12), st.integers(3, 12))
def test_unfolding_counts_every_momentum_once(X, Y):
    lattice = torus((X, Y), 0.2, 0.3)
    where = zone.momenta(lattice)
    values = np.arange(len(where.kx), dtype=float)
    whole = zone.unfold(values, where, lattice)
    assert whole[X - 1, 1] == whole[1, Y - 1] == whole[1, 1]
    assert set(np.unique(whole)) == set(values)


@pytest.mark.parametrize("L", [3, 4, 9])
def test_mirror_swaps_the_momentum(L):
    where = zone.momenta(torus(L))
    np.testing.assert_array_equal(where.kx[where.mirror], where.ky)
    np.testing.assert_array_equal(where.mirror[where.mirror], np.arange(len(where.kx)))
    assert len(where.kx) == (L // 2 + 1) ** 2


@given(st.lists(st.integers(1, 2), min_size=1, max_size=30), st.integers(1, 10))
def test_blocks_cover_the_list_and_keep_units_together(units, largest):
    starts = np.concatenate([[0], np.cumsum(units)])
    cut = zone.blocks(starts, largest)
    assert cut[0][0] == 0
    assert cut[-1][1] == starts[-1]
    assert all(a[1] == b[0] for a, b in itertools.pairwise(cut))
    assert {edge for block in cut for edge in block} <= set(starts.tolist())
    assert all(end - begin <= max(largest, 2) for begin, end in cut)


def test_offsets_of_bond_centres():
    assert [zone.offset(0, 1, axis) for axis in (0, 1)] == [1, -1]
    assert zone.offset(1, 1, 0) == 0
    assert fisher.J_CRITICAL > 0
