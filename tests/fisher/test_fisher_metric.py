"""The exact metric against enumeration, its symmetries and its growth at criticality."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import fisher
from workbench.fisher import metric
from workbench.fisher.torus import torus

COUPLING = st.one_of(st.sampled_from([0.0, fisher.J_CRITICAL, -fisher.J_CRITICAL]), st.floats(-1.0, 1.0))


def space_metric(*args):
    return metric.metric_in_space(metric.pairs(torus(*args)))


@settings(deadline=None, max_examples=12)
@given(st.sampled_from([3, 4, (3, 4), (5, 3)]), COUPLING, COUPLING)
def test_metric_is_the_enumerated_covariance(L, J, J_vertical):
    lattice = torus(L, J, J_vertical)
    n = lattice.sites
    moments = fisher.enumerate_moments(fisher.GRAPHS["torus"](L), np.tile([J, J_vertical], n))
    expected = moments.metric.reshape(n, 2, *lattice.shape, 2)[0].transpose(0, 3, 1, 2)
    np.testing.assert_allclose(space_metric(L, J, J_vertical), expected, atol=1e-11)


@settings(deadline=None, max_examples=20)
@given(st.integers(3, 12), st.integers(3, 12), st.floats(0.05, 0.8), st.floats(0.05, 0.8))
def test_spectrum_is_positive_and_the_metric_reflects(X, Y, J, J_vertical):
    F = space_metric((X, Y), J, J_vertical)
    F_hat = metric.to_momentum(F)
    assert metric.eigenvalues(F_hat).min() > 0
    np.testing.assert_allclose(F[0, 0], metric.reverse(F[0, 0]), atol=1e-13)
    np.testing.assert_allclose(np.einsum("abxy,bcxy->acxy", metric.inverse(F_hat), F_hat)[0, 0], 1, atol=1e-9)
    swapped = space_metric((Y, X), J_vertical, J)
    np.testing.assert_allclose(swapped[1, 1].T, F[0, 0], atol=1e-12)


def test_eigenvalues_are_those_of_numpy():
    F_hat = metric.to_momentum(space_metric(6, 0.3, 0.5))
    expected = np.linalg.eigvalsh(F_hat.transpose(2, 3, 0, 1)).transpose(2, 0, 1)
    np.testing.assert_allclose(metric.eigenvalues(F_hat), expected, atol=1e-13)


def test_row_sum_grows_as_ferdinand_and_fisher_say():
    sums = [metric.metric_in_space(metric.pairs(torus(L)))[0].sum() for L in (128, 256, 512)]
    first, second = np.diff(sums)
    assert first > second > metric.ferdinand_fisher_slope()
    assert 2 * second - first == pytest.approx(metric.ferdinand_fisher_slope(), abs=5e-6)  # the correction falls as 1/L
    assert metric.ferdinand_fisher_slope() == pytest.approx(0.8825, abs=5e-5)


def test_a_frozen_lattice_is_refused():
    with pytest.raises(ValueError, match="lost in rounding"):
        fisher.ising_curvature(4, 5.0)
