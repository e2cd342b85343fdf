"""The definition of R: known manifolds, invariance, and refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.fisher.tensors import invariants


def multinomial(p):
    """Metric and third cumulant of a multinomial family with outcomes 0 … len(p), in its natural parameters."""
    p = np.asarray(p)
    m = len(p)
    eye = np.eye(m)
    F = np.diag(p) - np.outer(p, p)
    T = np.einsum("a,ab,ac->abc", p, eye, eye)
    for ab, c in (("ab", "c"), ("ac", "b"), ("bc", "a")):
        T -= np.einsum(f"{ab[0]},{ab},{c}->abc", p, eye, p)
    return F, T + 2 * np.einsum("a,b,c->abc", p, p, p)


@settings(deadline=None)
@given(st.lists(st.floats(0.05, 1), min_size=3, max_size=6))
def test_multinomial_is_a_sphere_of_radius_two(weights):
    p = np.array(weights) / np.sum(weights)
    m = len(p) - 1
    assert invariants(*multinomial(p[:-1])).scalar_curvature == pytest.approx(m * (m - 1) / 4, rel=1e-9)


def test_trinomial_has_curvature_one_half():
    assert invariants(*multinomial([0.2, 0.5])).scalar_curvature == pytest.approx(0.5, rel=1e-13)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_ricci_terms_sum_to_the_curvature_and_change_of_basis_changes_nothing(seed, m):
    rng = np.random.default_rng(seed)
    A, T = rng.normal(size=(m, m)), rng.normal(size=(m, m, m))
    F = A @ A.T + np.eye(m)
    T = sum(T.transpose(p) for p in [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
    parts = invariants(F, T)
    assert sum(parts.ricci_terms) == pytest.approx(parts.scalar_curvature, rel=1e-12, abs=1e-12)
    assert parts.ricci_terms[2] == pytest.approx(-parts.ricci_terms[0] / 2)
    B = rng.normal(size=(m, m)) + 3 * np.eye(m)
    if np.linalg.cond(B) < 100:
        other = invariants(B @ F @ B.T, np.einsum("ia,jb,kc,abc->ijk", B, B, B, T))
        assert other.cumulant_norm == pytest.approx(parts.cumulant_norm, rel=1e-8)
        assert other.trace_norm == pytest.approx(parts.trace_norm, rel=1e-8, abs=1e-8)


def test_brute_force_contraction_agrees():
    F, T = multinomial([0.1, 0.3, 0.4])
    G = np.linalg.inv(F)
    norm = np.einsum("abc,def,ad,be,cf->", T, T, G, G, G)
    t = np.einsum("abc,bc->a", T, G)
    parts = invariants(F, T)
    assert parts.cumulant_norm == pytest.approx(norm, rel=1e-12)
    assert parts.trace_norm == pytest.approx(t @ G @ t, rel=1e-12)


def test_refusals():
    F, T = multinomial([0.2, 0.5])
    with pytest.raises(ValueError, match="singular"):
        invariants(np.ones((2, 2)), T)
    with pytest.raises(ValueError, match="symmetric"):
        invariants(F, np.arange(8.0).reshape(2, 2, 2))
    with pytest.raises(ValueError, match=r"\(m, m\)"):
        invariants(F, np.zeros((3, 3, 3)))
    with pytest.raises(ValueError, match="NaN"):
        invariants(F * np.nan, T)
