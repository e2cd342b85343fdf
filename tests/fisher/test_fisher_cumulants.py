"""Third cumulants in space: against enumeration entry by entry, and the symmetry of three bonds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import fisher
from workbench.fisher import metric, plain
from workbench.fisher.cumulants import triple
from workbench.fisher.torus import torus

COUPLING = st.one_of(st.sampled_from([0.0, fisher.J_CRITICAL]), st.floats(-0.9, 0.9))


@settings(deadline=None, max_examples=12)
@given(
    st.sampled_from([3, (3, 4), (5, 3)]), COUPLING, COUPLING, st.tuples(*[st.integers(0, 1)] * 3), st.integers(0, 10**6)
)
def test_every_entry_of_a_plane(L, J, J_vertical, kind, place):
    lattice = torus(L, J, J_vertical)
    n, shape = lattice.sites, lattice.shape
    moments = fisher.enumerate_moments(fisher.GRAPHS["torus"](L), np.tile([J, J_vertical], n))
    pairs = metric.pairs(lattice)
    source = triple(pairs, metric.metric_in_space(pairs), kind)
    d1 = np.unravel_index(place % n, shape)
    found = source.planes(np.array([d1]), np.empty((1, *shape)))[0]
    expected = moments.cumulant.reshape(n, 2, n, 2, *shape, 2)[0, kind[0], place % n, kind[1], :, :, kind[2]]
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_numpy_and_numba_planes_agree():
    lattice = torus((6, 5), 0.35, 0.5)
    pairs = metric.pairs(lattice)
    F = metric.metric_in_space(pairs)
    T = plain.dense_cumulant(pairs, F)
    where = np.array(list(np.ndindex(lattice.shape)))
    for kind in np.ndindex(2, 2, 2):
        planes = triple(pairs, F, kind).planes(where, np.empty((len(where), *lattice.shape)))
        np.testing.assert_allclose(planes.reshape(T[kind].shape), T[kind], atol=1e-13)
        np.testing.assert_allclose(T[kind], T[kind[0], kind[2], kind[1]].transpose(2, 3, 0, 1), atol=1e-12)


def test_slice_is_labelled_and_centred():
    ds = fisher.third_cumulant(6, orientations="hvh", dx=2, dy=-1)
    assert ds.cumulant.dims == ("x", "y")
    pairs = metric.pairs(torus(6))
    F = metric.metric_in_space(pairs)
    mean = pairs.mean[0]
    assert float(ds.covariance.sel(x=0, y=0)) == pytest.approx(1 - mean**2, rel=1e-12)
    coincident = -2 * mean * F[0, 1, 2, -1]  # third bond on the first
    assert float(ds.cumulant.sel(x=0, y=0)) == pytest.approx(coincident, rel=1e-12)


def test_slice_refusals():
    with pytest.raises(ValueError, match="three letters"):
        fisher.third_cumulant(4, orientations="hx")
    with pytest.raises(TypeError, match="dx must be a whole number"):
        fisher.third_cumulant(4, dx="a")
    with pytest.raises(ValueError, match="dy must be a whole number"):
        fisher.third_cumulant(4, dy=0.5)
