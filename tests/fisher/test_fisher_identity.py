"""The identity holds for random tensors, and says nothing about their curvature."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import fisher
from workbench.fisher.tensors import connection_terms, invariants


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 7), st.integers(0, 2**31))
def test_ratios_are_minus_one_half_for_any_tensor(m, seed):
    ds = fisher.random_ricci_terms(m, draws=3, seed=seed)
    np.testing.assert_allclose(ds.ratio_3_1, -0.5, rtol=1e-12)  # four separate contractions: equal up to rounding
    np.testing.assert_allclose(ds.ratio_4_2, -0.5, rtol=1e-12)
    size = np.abs(ds.ricci_term).sum("term").values
    assert (np.abs(ds.ricci_term.sum("term") - ds.scalar_curvature) <= 1e-12 * size).all()


def test_the_connection_gives_the_terms_that_the_norms_give():
    moments = fisher.enumerate_moments(fisher.GRAPHS["torus"](3), fisher.J_CRITICAL)
    terms = connection_terms(moments.metric, moments.cumulant)
    np.testing.assert_allclose(terms, invariants(moments.metric, moments.cumulant).ricci_terms, rtol=1e-12)


def test_a_tensor_that_is_not_symmetric_breaks_the_identity():
    rng = np.random.default_rng(4)
    _, second, _, fourth = connection_terms(np.eye(4), rng.normal(size=(4, 4, 4)))
    assert abs(fourth / second + 0.5) > 1e-3


def test_curvatures_differ_all_the_same():
    assert float(fisher.random_ricci_terms(5, draws=50).scalar_curvature.std()) > 0.1
    assert float(np.abs(fisher.random_ricci_terms(1, draws=5).scalar_curvature).max()) < 1e-12  # a line is flat


def test_refusals_and_seed():
    with pytest.raises(ValueError, match="m must be at least 1"):
        fisher.random_ricci_terms(0)
    a, b = fisher.random_ricci_terms(seed=3), fisher.random_ricci_terms(seed=np.random.default_rng(3))
    np.testing.assert_array_equal(a.ricci_term, b.ricci_term)
