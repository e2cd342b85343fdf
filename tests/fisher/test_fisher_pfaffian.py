"""Gaussian sectors: ln Z and means against enumeration and Onsager, the propagator against a dense inverse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from workbench import fisher
from workbench.fisher import metric, pfaffian
from workbench.fisher.torus import torus

COUPLING = st.one_of(st.sampled_from([0.0, fisher.J_CRITICAL, -fisher.J_CRITICAL]), st.floats(-1.0, 1.0))


@settings(deadline=None, max_examples=12)
@given(st.sampled_from([3, 4, (3, 4), (4, 3)]), COUPLING, COUPLING)
def test_partition_function_and_means(L, J, J_vertical):
    lattice = torus(L, J, J_vertical)
    couplings = np.tile([J, J_vertical], lattice.sites)
    moments = fisher.enumerate_moments(fisher.GRAPHS["torus"](L), couplings)
    assert pfaffian.log_partition(lattice) == pytest.approx(moments.log_partition, rel=1e-12)
    np.testing.assert_allclose(metric.pairs(lattice).mean, moments.mean[:2], atol=1e-11)
    assert sum(s.weight for s in pfaffian.sectors(lattice)) == pytest.approx(1, abs=1e-12)


def test_large_torus_reaches_onsagers_free_energy():
    J = 0.35

    def inner(p, q):
        return np.log(np.cosh(2 * J) ** 2 - np.sinh(2 * J) * (np.cos(p) + np.cos(q)))

    integral = integrate.dblquad(inner, 0, np.pi, 0, np.pi, epsabs=1e-11)[0]
    onsager = np.log(2) + integral / (2 * np.pi**2)
    assert pfaffian.log_partition(torus(128, J)) / 128**2 == pytest.approx(onsager, abs=1e-10)


@pytest.mark.parametrize("structure", pfaffian.STRUCTURES)
def test_propagator_is_the_inverse_of_the_dense_matrix(structure):
    """The 4n × 4n matrix is written down bond by bond, then inverted."""
    lattice = torus((3, 4), 0.3, 0.5)
    X, Y = lattice.shape
    n = lattice.sites
    A = np.kron(np.eye(n), pfaffian.ON_SITE)
    for x, y in np.ndindex(X, Y):
        here = 4 * (x * Y + y)
        right = 4 * ((x + 1) % X * Y + y)
        up = 4 * (x * Y + (y + 1) % Y)
        across = np.tanh(0.3) * (-1 if structure[0] and x == X - 1 else 1)
        along = np.tanh(0.5) * (-1 if structure[1] and y == Y - 1 else 1)
        for i, j, z in ((here, right + 1, across), (here + 2, up + 3, along)):
            A[i, j] += z
            A[j, i] -= z
    dense = -np.linalg.inv(A)
    sector = pfaffian.Sector(lattice, structure, 1.0)
    ends = metric.ends_in_space(sector, sector.propagator())
    assert ends[0, 0][0, 1, 0, 0] == pytest.approx(dense[0, 4 * Y + 1], abs=1e-14)  # R here, L one step right
    assert ends[0, 1][0, 0, 1, 1] == pytest.approx(dense[0, 4 * (Y + 1) + 2], abs=1e-14)  # R here, U at (1, 1)
    assert ends[1, 1][1, 0, 1, 1] == pytest.approx(
        dense[4 + 3, 4 * (Y + 1) + 2], abs=1e-14
    )  # D above here, U at (1, 1)


def test_both_sides_of_the_zero_mode_meet():
    """The rewritten sector is used within 1/√n of criticality; the curvature passes through without a step."""
    L, J = 8, fisher.J_CRITICAL
    for step in (1e-3, 0.03, 0.06, 0.1):
        values = [float(fisher.ising_curvature(L, J + s * step).scalar_curvature) for s in (-1.01, -1, -0.99)]
        assert values[1] == pytest.approx((values[0] + values[2]) / 2, rel=1e-3)
    counts = {len(pfaffian.sectors(torus(L, J + s))) for s in (0.0, 0.3)}
    assert counts == {4, 5}


def test_rewriting_the_sector_changes_nothing(monkeypatch):
    """Away from criticality both forms are valid: force the rewritten one and compare."""
    lattice = torus(5, 0.3, 0.4)
    plain = metric.metric_in_space(metric.pairs(lattice))
    monkeypatch.setattr(pfaffian.math, "sqrt", lambda n: 0.01)  # ζ so small that every corner is split
    split = metric.pairs(lattice)
    assert len(split.sectors) > 4
    np.testing.assert_allclose(metric.metric_in_space(split), plain, atol=1e-10)
