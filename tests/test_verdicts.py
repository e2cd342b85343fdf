"""Verdicts: the vocabulary of rules, and that no row of any room has an outcome that numbers could not change."""

import importlib
import itertools
import math
import random
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import workbench
from workbench import data, verdicts
from workbench.rooms import ROOMS
from workbench.verdicts import (
    Claim,
    Outcome,
    Rule,
    above,
    at_least,
    at_most,
    below,
    is_so,
    outside,
    rising,
    within,
)

PACKAGE = Path(workbench.__file__).parent

MOST_CHOICES = 200_000


def claims_of(room):
    there = (PACKAGE / room / "verdicts.py").is_file()
    return importlib.import_module(f"workbench.{room}.verdicts").CLAIMS if there else ()


ALL = [pytest.param(claim, id=f"{room}: {claim.says[:50]}") for room in ROOMS for claim in claims_of(room)]


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_verdicts_and_costs(room):
    assert claims_of(room), f"write the claims of {room} in workbench/{room}/verdicts.py"
    assert (PACKAGE / room / "costs.py").is_file(), (
        f"write what experiments of {room} cost in workbench/{room}/costs.py"
    )


@pytest.mark.parametrize(
    ("condition", "met", "missed", "words"),
    [
        (at_most("a", 2), {"a": 2}, {"a": 2.1}, "a ≤ 2"),
        (at_least("a", "b"), {"a": 2, "b": 2}, {"a": 1, "b": 2}, "a ≥ b"),
        (below("a", "b", times=0.5), {"a": 0.9, "b": 2}, {"a": 1, "b": 2}, "a < 0.5 × b"),
        (above("a", 0), {"a": 1e-9}, {"a": 0}, "a > 0"),
        (within("a", 1, "error", times=3), {"a": 1.3, "error": 0.11}, {"a": 1.3, "error": 0.09}, "|a − 1| ≤ 3 × error"),
        (outside("a", "b", 0.1), {"a": 1.3, "b": 1}, {"a": 1.05, "b": 1}, "|a − b| > 0.1"),
        (rising("a", "b", "c"), {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 3, "c": 3}, "a < b < c"),
        (is_so("a"), {"a": True}, {"a": False}, "a"),
        (at_most("a", 1) & above("b", 0), {"a": 1, "b": 1}, {"a": 1, "b": 0}, "a ≤ 1 and b > 0"),
        (at_most("a", 1) | above("b", 0), {"a": 2, "b": 1}, {"a": 2, "b": 0}, "a ≤ 1 or b > 0"),
        (~at_most("a", 1), {"a": 2}, {"a": 1}, "not (a ≤ 1)"),
    ],
)
def test_vocabulary(condition, met, missed, words):
    assert condition(met)
    assert not condition(missed)
    assert condition.in_words() == words
    assert set(condition.reads) == set(met)


def test_words_replace_names():
    assert at_most("worst_of", 1).in_words() == "worst of ≤ 1"
    assert at_most("a", "b").in_words({"a": "the worst of {all}"}) == "the worst of {all} ≤ b"


def test_rule_in_order_and_in_words():
    rule = Rule(at_most("a", 1), partly=at_most("a", 2), settled=below("error", 1))
    expected = {
        (1, 0): Outcome.HOLDS,
        (2, 0): Outcome.PARTLY,
        (3, 0): Outcome.FAILS,
        (1, 1): Outcome.OPEN,
        (math.nan, 0): Outcome.OPEN,
        (np.float32("nan"), 0): Outcome.OPEN,
        (1, math.nan): Outcome.OPEN,
    }
    for (a, error), outcome in expected.items():
        assert rule.outcome({"a": a, "error": error}) is outcome
    assert rule.sentence({"a": "loss"}) == (
        "is settled only if error < 1; then it holds if loss ≤ 1; in part if loss ≤ 2; otherwise not"
    )


def test_a_missing_number_is_named_even_behind_a_condition_that_is_met():
    rule = Rule(at_most("a", 1), partly=at_most("b", 2))
    with pytest.raises(ValueError, match=r"“b ≤ 2” reads 'b', which nothing measured; measured were 'a'"):
        rule.outcome({"a": 0})


def test_claim_makes_its_row():
    claim = Claim("x is small", lambda: {"x": 0.5}, "x = {x:.2f}", Rule(at_most("x", 1)), "room.x()", {"x": "the x"})
    row = claim.verdict()
    assert (row.claim, row.measured, row.outcome, row.how) == ("x is small", "x = 0.50", Outcome.HOLDS, "room.x()")
    assert row.rule == "holds if the x ≤ 1; otherwise not"
    assert claim.verdict({"x": 2.0}).outcome is Outcome.FAILS


def test_rooms_are_found_by_name_and_one_without_verdicts_has_none():
    assert verdicts.of_room("nowhere") == ()
    assert len(verdicts.of_room("steps")) == len(claims_of("steps"))


@pytest.mark.parametrize("claim", ALL)
def test_every_branch_of_every_rule_can_be_reached(claim):
    """Other numbers give other outcomes: for each rule some numbers hold, some fail, and its other branches exist."""
    measured = dict(claim.measure())
    assert set(claim.rule.reads) <= set(measured)
    assert set(claim.words) <= set(claim.rule.reads)
    values = {name: _others(measured[name]) for name in claim.rule.reads}
    constants = _constants(claim)
    values = {n: v if isinstance(measured[n], bool) else [*v, *constants] for n, v in values.items()}
    seen = set()
    for chosen in _choices(list(values.values())):
        seen.add(claim.rule.outcome({**measured, **dict(zip(values, chosen, strict=True))}))
    wanted = {Outcome.HOLDS, Outcome.FAILS}
    wanted |= {Outcome.PARTLY} if claim.rule.partly else set()
    wanted |= {Outcome.OPEN} if claim.rule.settled else set()
    assert seen == wanted
    for name in claim.rule.reads:
        if not isinstance(measured[name], bool):
            assert claim.rule.outcome({**measured, name: math.nan}) is Outcome.OPEN


def _choices(values):
    """All combinations, or so many draws of them where a rule reads too many numbers for all."""
    if math.prod(map(len, values)) <= MOST_CHOICES:
        return itertools.product(*values)
    draw = random.Random(0)
    return ([draw.choice(each) for each in values] for _ in range(MOST_CHOICES))


def _others(value):
    return [True, False] if isinstance(value, bool) else [value, -1e3, 0.0, 1e-6, 1e3]


def _constants(claim):
    """The limits that stand in the rule's words, with a little to either side: where an outcome may turn."""
    found = [float(text) for text in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?", claim.rule.sentence())]
    return sorted({x for limit in list(dict.fromkeys(found))[:3] for x in (limit, limit * 1.02)})


@pytest.mark.parametrize("claim", ALL)
def test_rows_tell_numbers(claim):
    row = claim.verdict()
    assert row.outcome in Outcome
    assert not re.search(r"\bnan\b", row.measured, re.IGNORECASE)  # and not the middle of "determinant"
    assert re.search(r"\d", row.measured)
    assert row.rule.count("holds if") == 1
    assert row.how


@pytest.mark.parametrize("claim", ALL)
def test_numbers_come_from_the_shipped_results(claim, monkeypatch):
    """Where a row reads a shipped result, other data give other numbers: nothing is typed beside them."""
    opened = []
    shipped = data.result
    rng = np.random.default_rng(1)

    def other(name: str) -> xr.Dataset:
        opened.append(name)
        ds = shipped(name)
        wrong = {}
        for key, values in ds.data_vars.items():
            if values.dtype.kind == "f":
                wrong[key] = values * xr.DataArray(rng.uniform(0.3, 0.9, values.shape), dims=values.dims)
            elif values.dtype.kind == "i" and key != "sites" and not key.startswith("L"):
                wrong[key] = values + 1
        return ds.assign(wrong)

    clear = getattr(claim.measure, "cache_clear", lambda: None)
    clear()
    before = claim.measure()
    clear()
    monkeypatch.setattr(data, "result", other)
    try:
        after = claim.measure()
    finally:
        clear()
    assert not opened or before != after


def test_no_outcome_is_typed_outside_the_ground():
    for file in (*(PACKAGE / "ui").rglob("*.py"), *(PACKAGE / "figures").rglob("*.py"), *PACKAGE.glob("*/verdicts.py")):
        assert not re.search(r"\bOutcome\b", file.read_text()), file
