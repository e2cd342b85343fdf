"""The rows of the fisher room: what they say today, and that other values would make them say something else."""

import numpy as np
import pytest

from workbench import data, fisher
from workbench.fisher import paper
from workbench.fisher.verdicts import CLAIMS, verdicts
from workbench.verdicts import Outcome

HOLDS, PARTLY, FAILS, OPEN = Outcome.HOLDS, Outcome.PARTLY, Outcome.FAILS, Outcome.OPEN


def claim(text):
    return next(one for one in CLAIMS if text in one.says)


def test_todays_outcomes():
    assert [row.outcome for row in verdicts()][:10] == [
        HOLDS, HOLDS, FAILS, FAILS, FAILS, FAILS, OPEN, OPEN, PARTLY, FAILS,
    ]  # fmt: skip


def test_a_pure_power_would_hold_its_rows(monkeypatch):
    """Put |R| = n^(10/9) into both files: the limit, the author's rule and the pure power then hold."""
    shipped = data.result

    def pure(name):
        ds = shipped(name)
        if name not in ("fisher/beyond.nc", "fisher/torus.nc"):
            return ds
        R = -(ds.sites.astype(float) ** (10 / 9))
        flat = xr_like(ds.effective_exponent, 10 / 9)
        return ds.assign(scalar_curvature=R, effective_exponent=flat)

    monkeypatch.setattr(data, "result", pure)
    for text in ("d_R → 10/9", "author's own rule", "pure power"):
        assert claim(text).verdict().outcome is HOLDS


def test_another_law_would_fail_the_headline(monkeypatch):
    ds = data.result("fisher/torus.nc")
    steeper = ds.assign(scalar_curvature=-(ds.sites.astype(float) ** 1.2))
    monkeypatch.setattr(data, "result", lambda name: steeper)
    assert claim("L = 6…9").verdict().outcome is FAILS
    assert claim("Monte Carlo, L = 10…24").verdict().outcome is FAILS


def xr_like(array, value):
    return array.copy(data=np.full(array.shape, value))


def test_a_peak_would_be_found(monkeypatch):
    ds = data.result("fisher/across.nc")
    bump = -1 / (1 + 100 * (ds.J - ds.critical_coupling) ** 2)
    monkeypatch.setattr(data, "result", lambda name: ds.assign(curvature_per_site=bump))
    assert claim("R peaks at J_c").verdict().outcome is HOLDS


def test_other_models_are_settled_once_one_candidate_is_excluded():
    one = claim("Potts q = 3")
    numbers = {**one.measure(), "more": 4.0}
    assert one.verdict({**numbers, "chance": 1e-5, "rival_chance": 0.4}).outcome is FAILS
    assert one.verdict({**numbers, "chance": 0.4, "rival_chance": 1e-5}).outcome is HOLDS
    neither = one.verdict({**numbers, "chance": 0.02, "rival_chance": 0.4})
    assert neither.outcome is OPEN
    assert "4 times as many samples" in neither.measured


@pytest.mark.parametrize("exponent", ["predicted", "rival"])
def test_other_models_are_judged_by_the_shipped_sizes(monkeypatch, exponent):
    """Made-up curvatures of either exponent, with a constant and small errors: the other candidate is excluded."""
    candidates = paper.EXPONENTS["potts-3"]
    ds = fisher.shipped_growth()
    n = ds.sites.values.astype(float)
    R = -n * (-2 + 8 * n ** (getattr(candidates, exponent) - 1))
    made = ds.assign(
        scalar_curvature=("row", R, ds.scalar_curvature.attrs),
        scalar_curvature_error=("row", 1e-3 * abs(R), ds.scalar_curvature_error.attrs),
    )
    read = data.result
    monkeypatch.setattr(data, "result", lambda name: made if name.endswith("growth.nc") else read(name))
    assert claim("Potts q = 3").verdict().outcome is (HOLDS if exponent == "predicted" else FAILS)


def test_the_identity_row_measures_rounding():
    numbers = claim("R₃ = −R₁/2").measure()
    assert numbers["in_data"] < 1e-14
    assert 0 < numbers["in_random"] < 1e-14
    assert fisher.random_ricci_terms().sizes["draw"] == numbers["draws"]
