"""Sweeping the coupling: monotone through the transition, and the same numbers as one by one."""

import math

import mpmath
import numpy as np
import pytest

from workbench import fisher


def test_no_peak_at_the_critical_point():
    ds = fisher.coupling_sweep(12, 0.38, 0.46, points=17)
    assert (np.diff(ds.curvature_per_site) < 0).all()
    assert float(ds.critical_coupling) == pytest.approx(fisher.J_CRITICAL, abs=1e-14)


def test_values_and_anisotropy():
    ds = fisher.coupling_sweep((4, 5), 0.3, 0.5, points=3, anisotropy=1.5)
    one = fisher.ising_curvature((4, 5), 0.4, 0.6)
    assert float(ds.curvature_per_site[1]) == pytest.approx(float(one.scalar_curvature) / 20, rel=1e-12)
    J = float(ds.critical_coupling)
    assert math.sinh(2 * J) * math.sinh(3 * J) == pytest.approx(1)
    assert fisher.critical_partner(J) == pytest.approx(1.5 * J)


def test_refusals():
    with pytest.raises(ValueError, match="below J_max"):
        fisher.coupling_sweep(4, 0.5, 0.4)
    with pytest.raises(ValueError, match="at most 5"):
        fisher.coupling_sweep(4, 0.5, 2.0, anisotropy=4.0)
    with pytest.raises(ValueError, match="points"):
        fisher.coupling_sweep(4, points=1)
    with pytest.raises(ValueError, match="anisotropy"):
        fisher.critical_coupling(0.0)


@pytest.mark.parametrize("anisotropy", [1e-300, 1e-12, 0.1, 1, 3, 1e12, 1e300])
def test_any_anisotropy_has_its_critical_coupling(anisotropy):
    J = fisher.critical_coupling(anisotropy)
    np.testing.assert_allclose(fisher.critical_partner(J), anisotropy * J, rtol=1e-12)


def test_partners_at_both_ends_of_the_numbers():
    with mpmath.workdps(50):
        for J in (1e-300, 1e-8, 0.4999, 0.5001, 20.0, 300.0):
            exact = mpmath.asinh(1 / mpmath.sinh(2 * mpmath.mpf(J))) / 2
            np.testing.assert_allclose(fisher.critical_partner(J), float(exact), rtol=4e-15)
    with pytest.raises(ValueError, match="below the smallest number"):
        fisher.critical_partner(1000.0)


@pytest.mark.parametrize("sides", [[4, 4], [0, 8], [-4, 8]])
def test_a_logarithm_needs_different_positive_sides(sides):
    with pytest.raises(ValueError, match="positive, with at least two different"):
        fisher.fit_logarithm(sides, [1.0, 2.0])
