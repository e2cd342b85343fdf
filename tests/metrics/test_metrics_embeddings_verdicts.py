"""The rows on embeddings: what they say today, and that other numbers would make them say something else."""

import pytest

from workbench import data
from workbench.metrics.embeddings import verdicts
from workbench.verdicts import Outcome

BY_MEASURE = {claim.measure.__name__: claim for claim in verdicts.CLAIMS}
TODAY = {
    "gain": Outcome.HOLDS,
    "losses": Outcome.PARTLY,
    "overfitting": Outcome.HOLDS,
    "hidden": Outcome.FAILS,
    "shrinking": Outcome.FAILS,
    "large_weight": Outcome.FAILS,
    "spread": Outcome.FAILS,
    "simple_features": Outcome.FAILS,
    "chosen": Outcome.FAILS,
    "other_power": Outcome.HOLDS,
}


@pytest.mark.parametrize("name", list(BY_MEASURE))
def test_todays_outcomes(name):
    row = BY_MEASURE[name].verdict()
    assert row.outcome is TODAY[name], row.measured


@pytest.mark.parametrize(
    ("row", "file", "variable", "plus", "where", "outcome"),
    [
        ("gain", "main", "map_at_r_difference", -0.01, {"loss": "binomial"}, Outcome.PARTLY),
        ("losses", "main", "map_at_r_difference", -1.0, {}, Outcome.PARTLY),
        ("losses", "longer", "map_at_r_difference", 1.0, {}, Outcome.PARTLY),
        ("overfitting", "longer", "map_at_r", 0.05, {"loss": "n-pair"}, Outcome.PARTLY),
        ("overfitting", "longer", "map_at_r", 1.0, {}, Outcome.FAILS),
        ("shrinking", "main", "shrinking", -0.11, {"loss": "binomial"}, Outcome.HOLDS),
        ("large_weight", "main", "map_at_r_difference", 0.2, {}, Outcome.HOLDS),
        ("large_weight", "main", "map_at_r_difference", 0.1075, {}, Outcome.PARTLY),
        ("spread", "main", "map_at_r_needed", -281.5, {"loss": "binomial"}, Outcome.HOLDS),
        ("simple_features", "main", "map_at_r", 0.3, {}, Outcome.HOLDS),
        ("chosen", "main", "chosen_difference", 0.03, {}, Outcome.HOLDS),
        ("chosen", "main", "chosen_difference", 0.018, {}, Outcome.PARTLY),
        ("other_power", "power", "map_at_r_difference", -0.001, {}, Outcome.PARTLY),
        ("other_power", "power", "map_at_r_difference", -0.01, {}, Outcome.FAILS),
    ],
)
def test_other_numbers_give_another_outcome(monkeypatch, row, file, variable, plus, where, outcome):
    name = f"metrics/embeddings_{file}.nc"
    ds = data.result(name)
    values = ds[variable].astype(float).copy(deep=True)
    values.loc[where] = values.loc[where] + plus
    read = data.result
    monkeypatch.setattr(data, "result", lambda asked: ds.assign({variable: values}) if asked == name else read(asked))
    assert BY_MEASURE[row].verdict().outcome is outcome


@pytest.mark.parametrize(
    ("row", "numbers", "outcome"),
    [
        ("gain", {"low": -0.1, "recall_low": -0.1}, Outcome.FAILS),
        ("losses", {"helped": 8, "runs": 8}, Outcome.HOLDS),
        ("losses", {"helped": 0, "runs": 8}, Outcome.FAILS),
        ("hidden", {"moved": 1e-3}, Outcome.HOLDS),
    ],
)
def test_rules_of_what_is_computed(row, numbers, outcome):
    assert BY_MEASURE[row].rule.outcome(numbers) is outcome
