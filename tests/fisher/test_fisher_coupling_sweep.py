"""Sweeping the coupling: monotone through the transition, and the same numbers as one by one."""

import math

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
