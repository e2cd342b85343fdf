"""The rows on rankings: what they say today, and that other numbers would make them say something else."""

import pytest

from workbench import data
from workbench.metrics.rankings import verdicts
from workbench.verdicts import Outcome

BY_MEASURE = {claim.measure.__name__: claim for claim in verdicts.CLAIMS}
TODAY = {
    "identities": Outcome.PARTLY,
    "equal_gains": Outcome.HOLDS,
    "falling_gains": Outcome.PARTLY,
    "drift_in_their_setup": Outcome.HOLDS,
    "cause_of_drift": Outcome.FAILS,
    "same_auroc": Outcome.FAILS,
    "released_rule": Outcome.PARTLY,
    "error_bars": Outcome.HOLDS,
}


@pytest.mark.parametrize("name", list(BY_MEASURE))
def test_todays_outcomes(name):
    row = BY_MEASURE[name].verdict()
    assert row.outcome is TODAY[name], row.measured


def _changed(monkeypatch, file, variable, factor, plus, **where):
    ds = data.result(f"metrics/{file}.nc")
    values = ds[variable].astype(float).copy(deep=True)
    values.loc[where] = values.loc[where] * factor + plus
    read = data.result
    monkeypatch.setattr(
        data, "result", lambda name: ds.assign({variable: values}) if name == f"metrics/{file}.nc" else read(name)
    )


@pytest.mark.parametrize(
    ("row", "file", "variable", "factor", "plus", "where", "outcome"),
    [
        ("drift_in_their_setup", "rankings_drift_weak", "gap_change", 0, 0.001, {"rule": "ap"}, Outcome.FAILS),
        ("drift_in_their_setup", "rankings_drift_weak", "gap_change", 0, 0.006, {"rule": "ap"}, Outcome.PARTLY),
        ("cause_of_drift", "rankings_drift", "gap_change", 1, 0.02, {"setup": "same-scale"}, Outcome.HOLDS),
        ("cause_of_drift", "rankings_drift", "gap_change", 1, 0.002, {"setup": "same-scale"}, Outcome.PARTLY),
        ("released_rule", "rankings_drift_small", "gap_change", 1, 0.01, {"rule": "topmost"}, Outcome.FAILS),
        ("error_bars", "rankings_intervals", "formula", 1.3, 0, {"size": 2000}, Outcome.PARTLY),
        ("error_bars", "rankings_intervals", "coverage", 0, 0.5, {"size": 2000}, Outcome.FAILS),
    ],
)
def test_other_numbers_give_another_outcome(monkeypatch, row, file, variable, factor, plus, where, outcome):
    _changed(monkeypatch, file, variable, factor, plus, **where)
    assert BY_MEASURE[row].verdict().outcome is outcome


@pytest.mark.parametrize(
    ("row", "numbers", "outcome"),
    [
        ("identities", {"ap": 0.0, "auroc": 0.0, "tied": 0.0}, Outcome.HOLDS),
        ("identities", {"ap": 0.1, "auroc": 0.0, "tied": 0.0}, Outcome.FAILS),
        ("equal_gains", {"spread": 1e-3, "off": 0.0, "count": 3, "gain": 0.1}, Outcome.FAILS),
    ],
)
def test_rules_of_what_is_computed(row, numbers, outcome):
    assert BY_MEASURE[row].verdict(numbers).outcome is outcome
