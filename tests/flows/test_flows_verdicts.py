"""The rows of the flows room: what they say today, and that other runs would make them say something else."""

import pytest

from workbench import data
from workbench.flows.verdicts import ESTIMATORS
from workbench.verdicts import Outcome, judge

BY_MEASURE = {claim.measure.__name__: claim for claim in ESTIMATORS}


def test_todays_outcomes():
    assert [row.outcome for row in judge(ESTIMATORS)] == [
        Outcome.PARTLY,
        Outcome.HOLDS,
        Outcome.PARTLY,
        Outcome.FAILS,
        Outcome.HOLDS,
    ]


@pytest.mark.parametrize(
    ("row", "pair", "estimators", "factor", "outcome"),
    [
        ("variates_help", "torus-cube", ["lower-cv", "upper-cv"], 0.5, Outcome.HOLDS),
        ("variates_help", "translated", ["upper-cv"], 10.0, Outcome.FAILS),
        ("design", "near-convergence", ["design"], 10.0, Outcome.PARTLY),
    ],
)
def test_other_errors_give_another_outcome(monkeypatch, row, pair, estimators, factor, outcome):
    ds = data.result("flows/errors.nc")
    ratio = ds.rmse_ratio.copy(deep=True)
    ratio.loc[{"pair": pair, "estimator": estimators}] *= factor
    monkeypatch.setattr(data, "result", lambda name: ds.assign(rmse_ratio=ratio))
    assert BY_MEASURE[row].verdict().outcome is outcome


def test_a_run_in_which_monte_carlo_ends_farther_away_would_be_whole(monkeypatch):
    ds = data.result("flows/paper.nc")
    w2 = ds.w2.copy(deep=True)
    w2.loc[{"estimator": "monte-carlo"}] *= 2
    monkeypatch.setattr(data, "result", lambda name: ds.assign(w2=w2))
    row = BY_MEASURE["flows_closer"].verdict()
    assert row.outcome is Outcome.HOLDS
    assert "6 of 6 checkpoints" in row.measured


def test_a_table_of_roots_would_hold(monkeypatch):
    ds = data.result("flows/paper.nc")
    monkeypatch.setattr(data, "result", lambda name: ds.assign(w2=ds.w2**2))
    assert BY_MEASURE["squared_or_not"].verdict().outcome is Outcome.HOLDS
