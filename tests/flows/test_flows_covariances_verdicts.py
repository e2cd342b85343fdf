"""The rows on covariances: their outcomes follow from the shipped numbers, and other numbers give others."""

import pytest

from workbench import data
from workbench.flows.covariances.verdicts import CLAIMS
from workbench.verdicts import Outcome, judge

BY_MEASURE = {claim.measure.__name__: claim for claim in CLAIMS}


def test_every_row_is_settled_and_the_mechanism_is_as_computed():
    rows = {claim.measure.__name__: row for claim, row in zip(CLAIMS, judge(CLAIMS), strict=True)}
    assert all(row.outcome is not Outcome.OPEN for row in rows.values())
    assert rows["promise"].outcome is Outcome.FAILS
    assert rows["gradients"].outcome is Outcome.FAILS
    assert rows["means"].outcome is Outcome.HOLDS
    assert rows["least_eigenvalue"].outcome is Outcome.HOLDS
    assert rows["folds"].outcome is Outcome.FAILS


@pytest.mark.parametrize("factor", [0.0, 1.0])
def test_a_released_layer_that_kept_its_promise_would_hold(monkeypatch, factor):
    ds = data.result("flows/covariances_audit.nc")
    kept = ds.output_variance.where(ds.variant != "released", 1 + 0.01 * factor)
    monkeypatch.setattr(data, "result", lambda name: ds.assign(output_variance=kept))
    assert BY_MEASURE["promise"].verdict().outcome is Outcome.HOLDS


def test_a_better_bures_layer_would_hold(monkeypatch):
    ds = data.result("flows/covariances_study.nc")
    accuracy, mean = ds.accuracy.copy(deep=True), ds.mean_accuracy.copy(deep=True)
    accuracy.loc[{"layer": "bures-paper"}] = 0.999
    mean.loc[{"layer": "bures-paper"}] = 0.999
    monkeypatch.setattr(data, "result", lambda name: ds.assign(accuracy=accuracy, mean_accuracy=mean))
    assert BY_MEASURE["better_than_others"].verdict().outcome is Outcome.HOLDS


@pytest.mark.parametrize(
    ("row", "changed", "outcome"),
    [
        ("least_eigenvalue", {"spread": 0.5}, Outcome.PARTLY),
        ("least_eigenvalue", {"fall": 2.0}, Outcome.FAILS),
        ("folds", {"plain": 0.0, "generalised": 0.0}, Outcome.HOLDS),
        ("folds", {"plain": 0.03}, Outcome.PARTLY),
    ],
)
def test_other_numbers_give_another_outcome(row, changed, outcome):
    claim = BY_MEASURE[row]
    assert claim.verdict({**claim.measure(), **changed}).outcome is outcome


def test_the_study_has_ten_seeds_in_pairs():
    ds = data.result("flows/covariances_study.nc")
    assert ds.sizes["seed"] == 10
    assert ds.sizes["layer"] == 10
