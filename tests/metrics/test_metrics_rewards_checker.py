"""The checker of regrets takes true certificates and no false one, whatever the file says, and imports nothing."""

import ast
import copy
import json
import math
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import isolated, metrics
from workbench.metrics.rewards import checker
from workbench.metrics.rewards.worlds import random_mdp

SETS = (0.0, -1.0, 1.0, 0.5, 1e-300, 1e300, math.inf, math.nan, None, "1", True, 7, 2**62, 10**400, [], {}, [1.0])
FACTORS = (1 + 1e-6, 1 - 1e-6, 1.01, 0.99, 2.0, 0.5, -1.0)


@cache
def certificates():
    """Parsed certificates: an ordinary one, one with W = 1, one with W near 0, one of three states."""
    rng = np.random.default_rng(5)
    two = metrics.MDP([[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.1, 0.9]]], 0.9)
    three = random_mdp(3, 2, 0.7, seed=rng)
    r1, r2 = [[0.1, 0.3], [0.5, 0.9]], [[0.0, -2.0], [1.0, 0.8]]
    found = {
        "two": metrics.worst_case_regret(two, r1, r2),
        "opposite": metrics.worst_case_regret(two, r1, -np.array(r1)),
        "same": metrics.worst_case_regret(two, r1, 3 * np.array(r1)),
        "three": metrics.worst_case_regret(three, *rng.normal(size=(2, 3, 2))),
    }
    return {name: (json.loads(one.certificate()), one.value) for name, one in found.items()}


def sealed(document):
    """The JSON text with a digest that fits, as a forger would write it."""
    document = {key: value for key, value in document.items() if key != "digest"}
    try:
        document["digest"] = checker.digest(document)
    except (ValueError, TypeError):
        document["digest"] = "none"
    return json.dumps(document)


def exact_regret(document):
    """The regret of the game in a file, by another engine: every policy enumerated, in floating point."""
    states, actions = document["states"], document["actions"]
    move, begin = np.zeros((states * actions, states)), 0
    for row, end in enumerate(document["row_ends"]):
        move[row, document["columns"][begin:end]] = document["probabilities"][begin:end]
        begin = end
    mdp = metrics.MDP(move.reshape(states, actions, states), document["discount"], document["start"])
    rewards = [np.reshape(document[f"reward_{k}"], (states, actions)) for k in (1, 2)]
    points = []
    for code in range(actions**states):
        policy = code // actions ** np.arange(states) % actions
        chosen = mdp.dense()[np.arange(states), policy]
        visits = np.linalg.solve(np.eye(states) - mdp.discount * chosen.T, mdp.start)
        points.append([visits @ r[np.arange(states), policy] for r in rewards])
    points = np.array(points)
    width = np.ptp(points[:, 0])
    if width < 1e-9:
        return None
    best = 0.0
    # The longest chord ends on the polygon: on the lines between two policies' points at the height of a third.
    for height in points[:, 1]:
        across = [
            a[0] + (b[0] - a[0]) * ((height - a[1]) / (b[1] - a[1]) if a[1] != b[1] else 0)
            for a in points
            for b in points
            if min(a[1], b[1]) - 1e-12 <= height <= max(a[1], b[1]) + 1e-12
        ]
        best = max(best, (max(across) - min(across)) / width)
    right, left = points[np.argmax(points[:, 0])], points[np.argmin(points[:, 0])]
    return 1.0 if right[1] <= left[1] else min(best, 1.0)


def places(document, prefix=()):
    """Every number in a document, and the path to it."""
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in items:
        if isinstance(value, (dict, list)):
            yield from places(value, (*prefix, key))
        elif key != "digest":
            yield (*prefix, key)


def changed(document, place, value):
    made = copy.deepcopy(document)
    inside = made
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value(inside[place[-1]]) if callable(value) else value
    return made


def is_false(document):
    """Whether a second engine says that the claims of a file are false."""
    true = exact_regret(document)
    return true is None or not document["lower"] - 1e-9 <= true <= document["upper"] + 1e-9


@pytest.mark.parametrize("name", ["two", "opposite", "same", "three"])
def test_true_certificates_are_proved_and_narrow(name):
    document, value = certificates()[name]
    report = metrics.check_regret(json.dumps(document))
    assert report.valid, report.message
    assert report.lower - 1e-9 <= value <= report.upper + 1e-9
    assert report.upper - report.lower < 1e-9
    assert exact_regret(document) == pytest.approx(value, abs=1e-9)
    assert report.not_proved


def test_what_it_proves_is_proved_in_fractions():
    """The bounds once more in Python's own fractions, from the formulas of the module's first lines."""
    document, _ = certificates()["two"]
    exact = {key: [Fraction(v) for v in document[key]] for key in ("reward_1", "reward_2", "start", "probabilities")}
    gamma, factor = Fraction(document["discount"]), Fraction(document["factor"])
    rows = [exact["probabilities"][2 * k : 2 * k + 2] for k in range(4)]
    rows = [[1 - row[1], row[1]] if row[0] >= row[1] else [row[0], 1 - row[0]] for row in rows]
    mixed = [a - factor * b for a, b in zip(exact["reward_1"], exact["reward_2"], strict=True)]

    def bound(r, values, sign):
        values = [Fraction(v) for v in values]
        excess = max(
            sign * (r[k] + gamma * sum(p * v for p, v in zip(rows[k], values, strict=True)) - values[k // 2])
            for k in range(4)
        )
        worth = sum(p * v for p, v in zip(exact["start"], values, strict=True))
        return worth + sign * max(excess, Fraction(0)) / (1 - gamma)

    values = document["values"]
    upper = bound(mixed, values["best_mixed"], 1) - bound(mixed, values["worst_mixed"], -1)
    width = bound(exact["reward_1"], values["best_1"], 1) - bound(exact["reward_1"], values["worst_1"], -1)
    low, high = checker.bounds(checker.parse({k: v for k, v in document.items() if k != "digest"}))
    assert float(upper / width) == pytest.approx(checker.as_double(high), rel=1e-12)
    assert checker.as_double(low) == pytest.approx(0.829626292772, abs=1e-11)


def test_every_single_change_that_makes_it_false_is_refused():
    proved = refused = 0
    for name in ("two", "same", "three"):
        document, _ = certificates()[name]
        for place in places(document):
            for value in (*SETS, *(lambda x, f=f: x * f if isinstance(x, (int, float)) else x for f in FACTORS)):
                made = changed(document, place, value)
                report = metrics.check_regret(sealed(made))
                if report.valid:
                    proved += 1
                    assert not is_false(made), (name, place, value)
                else:
                    refused += 1
    assert proved > 100  # many changes leave the claim true and proved: a policy less visited, a value a little larger
    assert refused > 2000


@given(st.data())
def test_pairs_of_changes_prove_nothing_false(data):
    document, _ = certificates()[data.draw(st.sampled_from(["two", "opposite", "three"]))]
    spots = list(places(document))
    made = document
    for _ in range(2):
        place = data.draw(st.sampled_from(spots))
        factor = data.draw(st.sampled_from(FACTORS))
        made = changed(made, place, lambda x, f=factor: x * f if type(x) is float else x)
    made = changed(made, ("lower",), data.draw(st.sampled_from([0.0, document["lower"], 0.9, 1.0])))
    made = changed(made, ("upper",), data.draw(st.sampled_from([1.0, document["upper"], 0.1, made["lower"]])))
    assert not (metrics.check_regret(sealed(made)).valid and is_false(made))


def test_claims_that_say_more_than_the_witnesses():
    document, value = certificates()["two"]
    raised = changed(changed(document, ("lower",), value + 1e-6), ("upper",), 1.0)
    assert "the policies prove" in metrics.check_regret(sealed(raised)).message
    lowered = changed(changed(document, ("lower",), 0.0), ("upper",), value - 1e-6)
    assert "the factor proves" in metrics.check_regret(sealed(lowered)).message
    wide = changed(changed(document, ("lower",), 0.0), ("upper",), 1.0)
    assert metrics.check_regret(sealed(wide)).valid


BAD_TEXTS = {
    "{": "not strict JSON",
    '{"a": NaN}': "NaN is not allowed",
    '{"a": 1, "a": 2}': "a key appears twice",
    '{"a": 1.50}': "not written as Python writes it",
    '{"a": 1e400}': "not written as Python writes it",
    '{"a": ' + "9" * 5000 + "}": "not written as Python writes it",
    "{" + '"a": [' * 30 + "]" * 30 + "}": "not strict JSON|digest|more lists",
    "{" + '"a": [' * 100_000: "more lists",
    '{"format": "workbench-regret-certificate"}': "digest",
}


@pytest.mark.parametrize("text", BAD_TEXTS, ids=range(len(BAD_TEXTS)))
def test_texts_that_are_no_certificate(text):
    report = metrics.check_regret(text)
    assert not report.valid
    assert any(words in report.message for words in BAD_TEXTS[text].split("|")), report.message


def test_the_grammar_is_closed():
    document, _ = certificates()["two"]
    chances = document["probabilities"]
    for made, words in (
        ({**document, "note": 1.0}, "exactly the entries"),
        ({key: value for key, value in document.items() if key != "factor"}, "exactly the entries"),
        ({**document, "version": 2}, "reads version 1"),
        ({**document, "version": True}, "reads version 1"),
        ({**document, "states": 2.0}, "no count"),
        ({**document, "states": 10**9}, "no count"),
        ({**document, "actions": 300_000}, "more than the"),
        ({**document, "columns": [0, 0, *document["columns"][2:]]}, "do not rise"),
        ({**document, "columns": [0, 2, *document["columns"][2:]]}, "no state"),
        ({**document, "row_ends": [2, 2, 6, 8]}, "no transitions"),
        ({**document, "columns": [*document["columns"], 0], "probabilities": [*chances, 0.5]}, "after the last row"),
        ({**document, "probabilities": [0.9, 0.2, *chances[2:]]}, "do not sum to 1"),
        ({**document, "start": [0.5, 0.4]}, "do not sum to 1"),
        ({**document, "discount": 1}, "below 1"),
        ({**document, "factor": -0.5}, "below 0"),
        ({**document, "visits": {**document["visits"], "first": [1.0, 1.0, 1.0]}}, "list of 4 numbers"),
        ({**document, "reward_1": [1e-200, 0.3, 0.5, 0.9]}, "is no number"),
        ({**document, "lower": 0.9, "upper": 0.8}, "0 ≤ lower ≤ upper"),
        ({**document, "reward_1": [1.0, 1.0, 1.0, 1.0]}, "W is not defined"),
        ({**document, "visits": {**document["visits"], "second": document["visits"]["first"]}}, "not proved that"),
    ):
        report = metrics.check_regret(sealed(made))
        assert not report.valid
        assert words in report.message, (words, report.message)
    assert not metrics.check_regret(json.dumps({**document, "lower": 0.5})).valid  # the old digest


def test_paths_and_other_things(tmp_path):
    document, _ = certificates()["two"]
    file = tmp_path / "regret.json"
    file.write_text(json.dumps(document))
    assert metrics.check_regret(file).valid
    assert metrics.check_regret(str(file)).valid
    assert metrics.check_regret(file.read_bytes()).valid
    with pytest.raises(FileNotFoundError, match="there is no file"):
        metrics.check_regret(tmp_path / "none.json")
    with pytest.raises(TypeError, match="got int"):
        metrics.check_regret(3)


def test_it_imports_nothing_of_the_workbench_and_is_small():
    source = Path(checker.__file__).read_text()
    names = {
        alias.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    assert names == {"hashlib", "json", "collections.abc", "dataclasses", "itertools", "pathlib", "typing", "flint"}
    assert len(source.splitlines()) < 400


def test_a_result_carries_the_certificate_of_its_regret_or_says_why_not():
    ds = metrics.grid_rewards(details=False)
    found = metrics.regret_verification(ds.certificate.item())
    assert bool(found.valid)
    assert float(found.lower) <= float(ds.regret[0]) <= float(found.upper) + 1e-12
    assert float(found.upper - found.lower) < 1e-9
    assert (int(found.states), int(found.actions), float(found.discount)) == (17, 4, 0.95)
    assert "Some policy" in found.proves.item()
    nothing = metrics.grid_rewards(reward_1=np.zeros((4, 4)), details=False)
    assert nothing.certificate.item() == ""
    assert "reward 1 is trivial" in nothing.uncertified.item()


def test_the_verification_refuses_what_the_checker_refuses():
    document, value = certificates()["two"]
    forged = metrics.regret_verification(sealed({**document, "upper": value / 2, "lower": value / 4}))
    assert not bool(forged.valid)
    assert (float(forged.lower), float(forged.upper)) == (0.0, 1.0)
    assert float(forged.claimed_upper) == value / 2
    assert forged.proves.item() == ""
    assert "no less" in forged.message.item()
    nonsense = metrics.regret_verification(b"[1, 2")
    assert np.isnan(nonsense.states)
    assert not bool(nonsense.valid)
    large = metrics.regret_verification(b" " * (checker.LARGEST_TEXT + 1))
    assert not bool(large.valid)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        metrics.regret_verification("none.json")


def test_a_check_that_was_ended_proves_nothing(monkeypatch):
    def ended(*_, limits, **__):
        raise isolated.Stopped(limits.too_long)

    monkeypatch.setattr(isolated, "call", ended)
    found = metrics.regret_verification(sealed(certificates()["two"][0]), seconds=7)
    assert not bool(found.valid)
    assert found.message.item() == "the check came to no end: it took longer than 7 s and was stopped"
