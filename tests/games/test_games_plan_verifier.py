"""The checker of plans against the worst case: what is false is refused, whoever wrote it and however well formed."""

import copy
import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.games import robust
from workbench.games.plan_verifier import Refused, digest, document, grammar, proofs

SIX = "6 60 2\n40 20 8 20 48\n33 18 6 15 40\n25 10 5 14 30\n52 30 12 28 66\n18 9 4 9 24\n29 12 7 17 36"


@pytest.fixture(scope="module")
def honest():
    return json.loads(robust.solve(robust.read_instance(SIX)).certificate)


def signed(changed):
    """The document as a forger would hand it in: with a digest that fits."""
    return json.dumps({**changed, "digest": digest(changed)})


def test_an_honest_certificate_says_what_it_proves(honest):
    report = robust.verify(signed(honest))
    assert report.plan == (1, 0, 1, 0, 1, 0)
    assert report.at_least == pytest.approx(83)
    assert report.at_most == pytest.approx(83)
    assert report.none_above == pytest.approx(83)
    assert "at least 83" in str(report)


@pytest.mark.parametrize(("claim", "step"), [("at_least", 1), ("at_most", -1), ("none_above", -1)])
def test_each_claim_is_refused_a_millionth_too_far(honest, claim, step):
    changed = copy.deepcopy(honest)
    n, d = changed[claim]
    changed[claim] = [n + step * d // 10**6, d]
    with pytest.raises(Refused) as told:
        robust.verify(signed(changed))
    assert told.value.field == claim


def test_a_changed_file_is_noticed(honest):
    with pytest.raises(Refused, match="digest"):
        robust.verify(json.dumps({**honest, "plan": "111111"}))


def _with(honest, **changes):
    changed = copy.deepcopy(honest)
    for path, value in changes.items():
        *way, last = path.split("__")
        place = changed
        for step in way:
            place = place[step]
        place[last] = value
    return changed


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"plan": "1111111"}, "6 digits"),
        ({"plan": 101010}, "6 digits"),
        ({"plan": "100010"}, "not in the plan"),
        ({"extra": 1}, "unknown 'extra'"),
        ({"version": True}, "version"),
        ({"tree": [0, -1]}, "branches open"),
        ({"tree": [-1, -1]}, "goes on"),
        ({"tree": [0, 0, -1, -1, -1]}, "twice"),
        ({"tree": [6, -1, -1]}, "whole number"),
        ({"witness": 99}, "witness"),
        ({"denominator": 0}, "denominator"),
        ({"problem__budget": [0, 1]}, "spends more"),
        ({"problem__budget": [2, 0]}, "denominator ≥ 1"),
        ({"problem__capacity": 1}, "capacity"),
        ({"problem__weight": [0] * 6}, "weight"),
        ({"problem__profit": [True] * 6}, "profit"),
        ({"mixture__weights": [-1]}, "mixture.weights"),
        ({"mixture__recourses": ["111111"]}, "entries|not in the plan"),
        ({"at_least": [1, -1]}, "denominator ≥ 1"),
        ({"at_least": 83}, "fraction"),
    ],
)
def test_what_is_not_in_the_grammar_is_refused_by_name(honest, changes, told):
    with pytest.raises(Refused, match=told):
        robust.verify(signed(_with(honest, **changes)))


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "null", '{"format": "workbench-robust-plan"}', '{"a": 1, "a": 1}', '{"a": NaN}', '{"a": 1.0}',
        '{"a": 007}', '{"a": 99999999999999999999}', "[" * 100_000, '{"a": [[[[[1]]]]]}', b"\xff\xfe",
    ],
)  # fmt: skip
def test_what_is_no_certificate_is_refused(text):
    assert not robust.check(text)


def test_a_certificate_that_costs_too_much_is_not_begun(honest):
    with pytest.raises(Refused, match="allowed here"):
        robust.verify(signed(honest), seconds=1e-6)


def test_numbers_that_would_leave_64_bits_are_refused(honest):
    changed = _with(honest, problem__profit=[10**9] * 6, problem__outsourcing=[10**9] * 6, denominator=2**40)
    with pytest.raises(Refused, match="64 bits"):
        robust.verify(signed(changed))


@pytest.fixture(scope="module")
def truth():
    """Every plan's worst case, to judge forged documents about the same problem."""
    problem = robust.read_instance(SIX)
    plans = [format(k, "06b") for k in range(64)]
    values = {plan: float(robust.worst_case(problem, plan).at_least) for plan in plans}
    return values, max(values.values())


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_forged_document_proves_what_is_false(honest, truth, data):
    """Change entries at random, claims most of all; whatever is accepted must be true about its own problem."""
    values, best = truth
    changed = copy.deepcopy(honest)
    for _ in range(data.draw(st.integers(1, 3))):
        what = data.draw(st.sampled_from(["claim", "claim", "plan", "tree", "scenario", "mixture", "witness"]))
        if what == "claim":
            name = data.draw(st.sampled_from(["at_least", "at_most", "none_above"]))
            changed[name] = [data.draw(st.integers(-200, 200)), data.draw(st.integers(1, 3))]
        elif what == "plan":
            changed["plan"] = data.draw(st.text("01", min_size=6, max_size=6))
        elif what == "tree":
            at = data.draw(st.integers(0, len(changed["tree"]) - 1))
            changed["tree"][at] = data.draw(st.integers(-len(changed["scenarios"]), 5))
        elif what == "scenario":
            row = changed["scenarios"][data.draw(st.integers(0, len(changed["scenarios"]) - 1))]
            row[data.draw(st.integers(0, 5))] = data.draw(st.integers(0, changed["denominator"]))
        elif what == "mixture":
            rows = data.draw(st.integers(1, 3))
            changed["mixture"] = {
                "weights": [data.draw(st.integers(1, 9)) for _ in range(rows)],
                "recourses": [data.draw(st.text("012", min_size=6, max_size=6)) for _ in range(rows)],
            }
        else:
            changed["witness"] = data.draw(st.integers(0, len(changed["scenarios"]) - 1))
    try:
        report = robust.verify(signed(changed))
    except Refused:
        return
    worth = values["".join(map(str, report.plan))]
    assert report.at_least <= worth + 1e-6
    assert report.at_most >= worth - 1e-6
    assert report.none_above >= best - 1e-6


def test_five_plans_prove_what_no_single_one_does():
    problem = robust.read_instance(SIX)
    worst = robust.worst_case(problem, "111111")
    whole = grammar.parse(document.read(robust.solve(problem).certificate)).problem
    single = max(proofs.mixture_value(whole, (1,) * 6, (1,), (tuple(row),)) for row in worst.recourses.tolist())
    assert single <= 59 < float(worst.at_least)
    assert float(worst.at_least) == pytest.approx(70.82608695652172, rel=1e-9)


def test_the_exact_sum_is_that_of_fractions():
    problem = robust.knapsack("UN", 6, share=0.3, seed=4)
    worst = robust.worst_case(problem, "110111")
    losses = np.sort(
        sum(
            w * problem.loss * (row == 1)
            for w, row in zip(np.array(worst.weights, object), worst.recourses, strict=True)
        )
    )[::-1]
    plan = np.array([1, 1, 0, 1, 1, 1])
    earned = sum(
        w * int(((row > 0) * problem.outsourcing).sum()) for w, row in zip(worst.weights, worst.recourses, strict=True)
    )
    spent = losses[0] + Fraction(4, 5) * losses[1]
    total = sum(worst.weights)
    expected = int(((problem.profit - problem.outsourcing) * plan).sum()) + Fraction(earned - spent, total)
    assert worst.at_least == expected
