"""The rows on regulators: what they say today, that other numbers would change them, and that the study repeats."""

import numpy as np
import pytest

from workbench import data, fisher
from workbench.fisher.regulators import verdicts
from workbench.fisher.regulators.verdicts import CLAIMS
from workbench.verdicts import Outcome, judge

HOLDS, FAILS = Outcome.HOLDS, Outcome.FAILS
BY_MEASURE = {claim.measure.__name__: claim for claim in CLAIMS}
TODAY = {
    "law": HOLDS, "at_optimum": FAILS, "gain": HOLDS, "interior": FAILS, "limit": FAILS, "general": HOLDS,
    "table": FAILS,
    "classical": FAILS, "spread": FAILS, "hessian": FAILS, "charts": FAILS, "learning": FAILS,
}  # fmt: skip


@pytest.fixture(scope="module")
def rows():
    return dict(zip(BY_MEASURE, judge(CLAIMS), strict=True))


def test_todays_outcomes(rows):
    assert {name: row.outcome for name, row in rows.items()} == TODAY


def test_what_the_rows_tell(rows):
    assert "0.90337, α = 0.6006" in rows["law"].measured
    assert "0.2515, 0.5052 and δ = 0.3230, 0.4211" in rows["table"].measured
    assert "δ = 0.167" in rows["table"].measured
    assert "A and D have" in rows["interior"].measured
    assert "0.618034" in rows["limit"].measured
    assert "24,864.5 steps against 34.4" in rows["learning"].measured
    assert "0.000 in (μ, σ), 0.686" in rows["charts"].measured


OTHERWISE = {
    "law": {"off": 1e-3}, "gain": {"departure": 0.5}, "general": {"damping_off": 1e-2},
    "at_optimum": {"largest_off": 0.0}, "interior": {"others": 0}, "limit": {"gap": 0.0}, "table": {"right": 4},
    "classical": {"margin": -0.1}, "spread": {"short": 0.0}, "hessian": {"square": 1e-6}, "charts": {"apart": 0.0},
    "learning": {"agree": 1000},
}  # fmt: skip


@pytest.mark.parametrize(("name", "numbers"), OTHERWISE.items())
def test_other_numbers_would_turn_the_row(name, numbers):
    claim = BY_MEASURE[name]
    changed = claim.rule.outcome({**claim.measure(), **numbers})
    assert changed is (FAILS if TODAY[name] is HOLDS else HOLDS)


def test_the_shipped_study_repeats():
    shipped = data.result("fisher/regulators.nc")
    anew = fisher.regulator_study(draws=3)
    for name in ("kappa", "c_star", "searched", "gain", "best", "least_needed", "deviation", "largest_spread"):
        np.testing.assert_allclose(anew[name], shipped[name], rtol=1e-6, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(anew.law_error, shipped.law_error[:3], atol=1e-9)


def test_the_shipped_tori_repeat():
    for name in ("regulators_torus", "regulators_critical"):
        shipped = data.result(f"fisher/{name}.nc")
        J = shipped.J.values[[3, 14, -1]]
        anew = fisher.torus_regimes((8, 16), J, shipped.attrs["path"])
        for variable in ("kappa", "alpha", "effective_share"):
            np.testing.assert_allclose(
                anew[variable], shipped[variable].sel(L=[8, 16], J=J), rtol=1e-8, err_msg=variable
            )


def test_the_study_is_a_rule_of_its_own_numbers():
    assert verdicts.study().attrs["function"] == "workbench.fisher.regulator_study"
