"""The torus: sizes and couplings are checked before any work, and criticality is where Onsager put it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import fisher
from workbench.fisher.torus import torus


def test_critical_coupling_is_onsagers():
    assert pytest.approx(0.440686793509772, abs=1e-15) == fisher.J_CRITICAL
    assert math.sinh(2 * fisher.J_CRITICAL) == pytest.approx(1)


@settings(deadline=None)
@given(st.floats(0.05, 3))
def test_critical_partner_is_an_involution(J):
    partner = fisher.critical_partner(J)
    assert math.sinh(2 * J) * math.sinh(2 * partner) == pytest.approx(1)
    assert fisher.critical_partner(partner) == pytest.approx(J)


@pytest.mark.parametrize(
    ("L", "error", "says"),
    [
        (2, ValueError, "doubled"),
        (0, ValueError, "at least 3"),
        ((3, 2), ValueError, "L_y must be at least 3"),
        ((3, 4, 5), ValueError, "pair"),
        (3.5, ValueError, "whole number"),
        ("9", TypeError, "whole number"),
        (True, TypeError, "whole number"),
        (None, TypeError, "whole number"),
    ],
)
def test_sizes_are_refused_with_a_sentence(L, error, says):
    with pytest.raises(error, match=says):
        torus(L)


@pytest.mark.parametrize("J", [math.nan, math.inf, 5.1, -6])
def test_couplings_are_refused_with_a_sentence(J):
    with pytest.raises(ValueError, match="J must be"):
        torus(4, J)
    with pytest.raises(ValueError, match="J_vertical must be"):
        torus(4, 0.4, J)
    with pytest.raises(TypeError, match="number"):
        torus(4, "0.4")


def test_numpy_integers_and_pairs_are_welcome():
    assert torus(np.int64(5)).shape == (5, 5)
    lattice = torus((3, 7), 0.2, 0.3)
    assert (lattice.shape, lattice.sites, lattice.isotropic) == ((3, 7), 21, False)
    assert torus(4, 0.3).isotropic
    assert not torus(4, 0.3, 0.4).isotropic


@pytest.mark.parametrize("J", [0.0, -0.4, math.nan, math.inf, -math.inf, 1e300, 400.0])
def test_couplings_without_a_partner_are_refused_with_a_sentence(J):
    with pytest.raises(ValueError, match=r"J must be|the critical partner is below"):
        fisher.critical_partner(J)


@given(st.floats(1e-320, 300))
def test_every_other_coupling_has_one(J):
    assert 0 < fisher.critical_partner(J) < math.inf


@pytest.mark.parametrize("anisotropy", [0.0, -1.0, math.nan, math.inf, 1e-310])
def test_anisotropies_without_a_critical_coupling_are_refused_with_a_sentence(anisotropy):
    with pytest.raises(ValueError, match="anisotropy must be"):
        fisher.critical_coupling(anisotropy)
