"""The rows on exact transport: what they say today, and that other numbers would make them say something else."""

import pytest

from workbench import data
from workbench.flows.exact import verdicts
from workbench.verdicts import Outcome

BY_MEASURE = {claim.measure.__name__: claim for claim in verdicts.CLAIMS}
TODAY = {
    "order_of_magnitude": Outcome.HOLDS,
    "count_on_random_costs": Outcome.PARTLY,
    "count_on_digits": Outcome.PARTLY,
    "count_on_digits_l1": Outcome.PARTLY,
    "few_entries": Outcome.PARTLY,
    "sparsity_needed": Outcome.FAILS,
    "other_etas": Outcome.FAILS,
    "without_sinkhorn": Outcome.PARTLY,
    "accuracy_of_what": Outcome.FAILS,
    "proved": Outcome.HOLDS,
}


@pytest.mark.parametrize("name", list(BY_MEASURE))
def test_todays_outcomes(name):
    row = BY_MEASURE[name].verdict()
    assert row.outcome is TODAY[name], row.measured


def _changed(monkeypatch, file, variable, factor, **where):
    ds = data.result(f"flows/{file}.nc")
    values = ds[variable].astype(float).copy(deep=True)
    values.loc[where] *= factor
    read = data.result
    monkeypatch.setattr(data, "result", lambda name: ds.assign({variable: values}) if file in name else read(name))


@pytest.mark.parametrize(
    ("row", "file", "variable", "factor", "where", "outcome"),
    [
        ("order_of_magnitude", "sns_random", "sinkhorn_steps", 1e-3, {"variant": "sinkhorn"}, Outcome.FAILS),
        ("count_on_random_costs", "sns_random", "newton_steps", 0.1, {"variant": "sns 2/n"}, Outcome.HOLDS),
        ("few_entries", "sns_sparsity", "outside", 1e-3, {"eta": 1200.0}, Outcome.HOLDS),
        ("few_entries", "sns_sparsity", "outside", 1e30, {"density": 10.0}, Outcome.FAILS),
        ("sparsity_needed", "sns_random", "seconds", 1e3, {"variant": "newton"}, Outcome.HOLDS),
        ("accuracy_of_what", "sns_random", "excess", 1e-6, {"variant": "newton"}, Outcome.HOLDS),
        ("proved", "exact_scaling", "relative_gap", 1e4, {}, Outcome.FAILS),
        ("other_etas", "sns_sweep", "converged", 0.0, {"variant": "sns 2/n"}, Outcome.FAILS),
    ],
)
def test_other_numbers_give_another_outcome(monkeypatch, row, file, variable, factor, where, outcome):
    _changed(monkeypatch, file, variable, factor, **where)
    assert BY_MEASURE[row].verdict().outcome is outcome
