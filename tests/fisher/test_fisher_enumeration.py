"""Enumeration, the oracle: closed forms, published values, and derivatives of ln Z."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import fisher
from workbench.fisher.enumeration import LARGEST_STATES

GRAPHS = fisher.GRAPHS


def curvature(name, L, J, q=None):
    return float(fisher.enumerate_curvature(GRAPHS[name](L), J, q=q).scalar_curvature)


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 8), st.sampled_from(["tree", "chain"]), st.integers(0, 10**6))
def test_trees_are_flat_for_any_couplings(L, name, seed):
    graph = GRAPHS[name](L)
    J = np.random.default_rng(seed).uniform(-1, 1, graph.bonds)
    found = fisher.enumerate_curvature(graph, J)
    assert float(found.scalar_curvature) == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(found.metric, np.diag(1 - np.tanh(J) ** 2), atol=1e-12)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.floats(-1, 1), min_size=3, max_size=3))
def test_the_triangle_is_a_piece_of_a_sphere(J):
    assert curvature("ring", 3, J) == pytest.approx(1.5, rel=1e-7)


@pytest.mark.parametrize(
    ("name", "L", "J", "expected"),
    [
        ("ring", 4, 0.5, -0.560276),
        ("ring", 4, 1.0, -12.171746),
        ("open grid", 3, fisher.J_CRITICAL, -3.058906),
        ("open grid", 4, fisher.J_CRITICAL, -11.778982),
        ("cube", 2, 0.2216544, 0.757959),
        ("torus", 3, fisher.J_CRITICAL, -105.641849566),
    ],
)
def test_known_ising_values(name, L, J, expected):
    assert curvature(name, L, J) == pytest.approx(expected, abs=5.1e-7)


@pytest.mark.parametrize(("q", "expected"), [(3, -79.850478), (4, -74.882853)])
def test_known_potts_values(q, expected):
    assert curvature("torus", 3, np.log(1 + np.sqrt(q)), q=q) == pytest.approx(expected, abs=1e-6)


def test_potts_with_two_colours_is_ising():
    graph = GRAPHS["open grid"](3)
    assert curvature("open grid", 3, 0.8, q=2) == pytest.approx(curvature("open grid", 3, 0.4), rel=1e-11)
    potts = fisher.enumerate_moments(graph, 0.8, q=2)
    ising = fisher.enumerate_moments(graph, 0.4)
    np.testing.assert_allclose(4 * potts.metric, ising.metric, atol=1e-13)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6), st.sampled_from([None, 3]))
def test_cumulants_are_derivatives_of_the_partition_function(seed, q):
    rng = np.random.default_rng(seed)
    graph = fisher.from_edges([(0, 1), (1, 2), (2, 3), (3, 0), (0, 2)])
    J, step = rng.uniform(-1, 1, 5), 1e-4
    centre = fisher.enumerate_moments(graph, J, q=q)
    for a in range(5):
        shift = step * np.eye(5)[a]
        above, below = (fisher.enumerate_moments(graph, J + s, q=q) for s in (shift, -shift))
        assert (above.log_partition - below.log_partition) / (2 * step) == pytest.approx(centre.mean[a], abs=1e-6)
        np.testing.assert_allclose((above.mean - below.mean) / (2 * step), centre.metric[a], atol=1e-6)
        np.testing.assert_allclose((above.metric - below.metric) / (2 * step), centre.cumulant[a], atol=1e-6)


def test_chunks_do_not_matter(monkeypatch):
    graph = GRAPHS["open grid"](3)
    whole = fisher.enumerate_moments(graph, 0.3)
    monkeypatch.setattr("workbench.fisher.enumeration.CHUNK", 37)
    np.testing.assert_allclose(fisher.enumerate_moments(graph, 0.3).cumulant, whole.cumulant, atol=1e-13)


def test_refusals():
    graph = GRAPHS["ring"](4)
    with pytest.raises(ValueError, match="4 edges, got 3 couplings"):
        fisher.enumerate_curvature(graph, [0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match="NaN"):
        fisher.enumerate_curvature(graph, np.nan)
    with pytest.raises(ValueError, match="q must be at least 2"):
        fisher.enumerate_curvature(graph, 0.1, q=1)
    with pytest.raises(ValueError, match=f"{LARGEST_STATES:,}"):
        fisher.enumerate_curvature(GRAPHS["torus"](5), 0.1)
