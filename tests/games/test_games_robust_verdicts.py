"""The rows on robust decisions: every number comes from the shipped study, and other numbers give other outcomes."""

import pytest

from workbench import data, games
from workbench.games.robust import verdicts
from workbench.games.verdicts import verdicts as table
from workbench.verdicts import Outcome

BY_MEASURE = {claim.measure.__name__: claim for claim in verdicts.CLAIMS}


def test_the_rows_stand_in_the_rooms_table():
    told = {row.claim for row in table()}
    assert {claim.says for claim in verdicts.CLAIMS} <= told


def test_the_study_is_about_every_class_and_its_bounds_hold():
    ds = data.result(verdicts.RACE)
    assert set(ds.kind.values) == set(games.robust.CLASSES)
    assert bool((ds.profit <= ds.bound * (1 + 1e-9)).all())
    assert bool((ds.bound <= ds.root.expand_dims(method=ds.method) * (1 + 1e-6)).all())
    assert bool((ds.estimate <= ds.bound * (1 + 1e-9)).all())
    one = games.robust.knapsack("UN", 20, h=40, share=0.1, seed=0)
    again = games.robust.solve(one, "greedy").profit
    place = {"kind": "UN", "n": 20, "instance": 0, "method": "greedy"}
    assert float(ds.profit.sel(place)) == pytest.approx(again, rel=1e-8)


@pytest.mark.parametrize(
    ("measure", "changed", "outcome"),
    [
        ("uncorrelated", {"open": 1}, Outcome.FAILS),
        ("uncorrelated", {"open": 0, "unchecked": 0}, Outcome.HOLDS),
        ("correlated", {"median": 0.08}, Outcome.HOLDS),
        ("correlated", {"median": 0.02}, Outcome.PARTLY),
        ("correlated", {"median": 0.0}, Outcome.FAILS),
        ("greedy_loss", {"worst": 0.005}, Outcome.HOLDS),
        ("learned", {"argmax": 0.01}, Outcome.HOLDS),
        ("learned", {"argmax": 0.03}, Outcome.PARTLY),
        ("learned", {"argmax": 0.2}, Outcome.FAILS),
        ("sampled_scenarios", {"missed": 0.0005}, Outcome.HOLDS),
    ],
)
def test_outcomes_follow_the_numbers(measure, changed, outcome):
    claim = BY_MEASURE[measure]
    assert claim.rule.outcome({**claim.measure(), **changed}) is outcome


def test_samples_miss_what_the_exact_worst_case_finds():
    found = verdicts.sampled_scenarios()
    assert found["exact"] == pytest.approx(70.82608695652172, rel=1e-9)
    assert found["sampled"] > found["exact"]


def test_the_study_of_the_network_was_checked_and_stays_below_its_bounds():
    ds = data.result(verdicts.LEARNED)
    assert bool(ds.checked.all())
    assert bool((ds.profit <= ds.bound * (1 + 1e-9)).all())
    best = ds.bound.min("method")
    assert bool((ds.profit <= best.expand_dims(method=ds.method) * (1 + 1e-6)).all())
