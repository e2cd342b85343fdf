"""The rows of the fisher room: what they say today, and that other values would make them say something else."""

import numpy as np

from workbench import data, fisher
from workbench.fisher.verdicts import CLAIMS, verdicts
from workbench.verdicts import Outcome

HOLDS, PARTLY, FAILS, OPEN = Outcome.HOLDS, Outcome.PARTLY, Outcome.FAILS, Outcome.OPEN


def claim(text):
    return next(one for one in CLAIMS if text in one.says)


def test_todays_outcomes():
    assert [row.outcome for row in verdicts()][:10] == [
        HOLDS, HOLDS, FAILS, FAILS, FAILS, OPEN, OPEN, OPEN, PARTLY, FAILS,
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


def test_other_models_are_settled_once_corrections_are_small():
    one = claim("Potts q = 3")
    numbers = dict(one.measure())
    assert numbers["drift"] > numbers["off"]
    assert one.verdict({**numbers, "drift": 0.01}).outcome is FAILS
    assert one.verdict({**numbers, "drift": 0.001, "fitted": numbers["predicted"], "off": 0.0}).outcome is HOLDS


def test_the_identity_row_measures_rounding():
    numbers = claim("R₃ = −R₁/2").measure()
    assert numbers["in_data"] < 1e-14
    assert 0 < numbers["in_random"] < 1e-14
    assert fisher.random_ricci_terms().sizes["draw"] == numbers["draws"]
