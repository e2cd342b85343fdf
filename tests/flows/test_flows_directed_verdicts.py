"""The rows on directed slices: what they say today, and that other numbers would make them say something else."""

import pytest

from workbench import data
from workbench.flows.directed.verdicts import CLAIMS
from workbench.verdicts import Outcome, judge

BY_MEASURE = {claim.measure.__name__: claim for claim in CLAIMS}


def test_todays_outcomes():
    rows = judge(CLAIMS)
    assert {claim.measure.__name__: row.outcome for claim, row in zip(CLAIMS, rows, strict=True)} == {
        "released_search": Outcome.FAILS,
        "proof": Outcome.HOLDS,
        "released_kappa": Outcome.PARTLY,
        "sampled_means": Outcome.FAILS,
        "predicted_axis": Outcome.FAILS,
        "metric": Outcome.FAILS,
        "flows_closer": Outcome.FAILS,
    }


@pytest.mark.parametrize(
    ("row", "changed", "outcome"),
    [
        ("released_search", {"mean": 0.97}, Outcome.HOLDS),
        ("released_search", {"mean": 0.8}, Outcome.PARTLY),
        ("proof", {"gap": 1e-3}, Outcome.FAILS),
        ("released_kappa", {"at_1": 1.6}, Outcome.HOLDS),
        ("released_kappa", {"at_100": 1.2}, Outcome.FAILS),
        ("sampled_means", {"least": 1.0}, Outcome.HOLDS),
        ("predicted_axis", {"networks": 0.95}, Outcome.HOLDS),
        ("predicted_axis", {"networks": 0.6}, Outcome.PARTLY),
        ("predicted_axis", {"steps": 250}, Outcome.OPEN),
        ("predicted_axis", {"networks": float("nan")}, Outcome.OPEN),
        ("metric", {"left": 0.5}, Outcome.HOLDS),
        ("flows_closer", {"directed": 0.001}, Outcome.HOLDS),
    ],
)
def test_other_numbers_give_another_outcome(row, changed, outcome):
    claim = BY_MEASURE[row]
    assert claim.verdict({**claim.measure(), **changed}).outcome is outcome


def test_the_numbers_come_from_the_files(monkeypatch):
    ds = data.result("flows/directed_searches.nc")
    share = ds.share.copy(deep=True)
    share.loc[{"search": "adam-published"}] = 1.0
    monkeypatch.setattr(data, "result", lambda name: ds.assign(share=share))
    assert BY_MEASURE["released_search"].verdict().outcome is Outcome.HOLDS
