"""The verdicts follow from the numbers, and other numbers give other outcomes."""

import pytest

from workbench.fields.verdicts import CLAIMS, verdicts
from workbench.verdicts import Outcome


def test_the_table_stands_as_measured():
    words = [row.outcome for row in verdicts()]
    assert words[:4] == [Outcome.HOLDS, Outcome.PARTLY, Outcome.FAILS, Outcome.PARTLY]
    assert words[4:6] == [Outcome.PARTLY, Outcome.OPEN]
    assert all(row.measured and row.how for row in verdicts())


@pytest.mark.parametrize(
    ("claim", "changed", "outcome"),
    [
        (0, {"largest": 9.0}, Outcome.FAILS),
        (1, {"rise_32": 1.0, "rise_128": 1.0, "rise_1024": 1.0}, Outcome.HOLDS),
        (1, {"rise_1024": 1.4}, Outcome.FAILS),
        (2, {"excess": 0.0}, Outcome.HOLDS),
        (3, {"most": 0.5}, Outcome.HOLDS),
        (3, {"true": False}, Outcome.FAILS),
        (4, {"worst_later": 0.5}, Outcome.HOLDS),
        (4, {"worst_start": 1.0}, Outcome.FAILS),
        (5, {"difference": -0.1, "reach": 0.01, "high": -0.09}, Outcome.HOLDS),
        (5, {"difference": 0.1, "reach": 0.01, "high": 0.11}, Outcome.FAILS),
        (6, {}, Outcome.OPEN),
        (6, {"low": 0.01}, Outcome.HOLDS),
        (6, {"low": -0.02, "high": -0.01}, Outcome.FAILS),
        (7, {}, Outcome.HOLDS),
        (7, {"low": -0.01}, Outcome.OPEN),
        (7, {"low": -0.02, "high": -0.01}, Outcome.FAILS),
        (8, {}, Outcome.HOLDS),
        (8, {"least_seed": -0.1}, Outcome.FAILS),
        (9, {}, Outcome.FAILS),
        (9, {"times": 0.5}, Outcome.HOLDS),
        (10, {}, Outcome.FAILS),
        (10, {"letters_low": 0.01, "swarm_low": 0.01}, Outcome.HOLDS),
        (10, {"letters_low": -0.1, "letters_high": 0.1}, Outcome.OPEN),
        (11, {}, Outcome.PARTLY),
        (11, {"apart": 0.5}, Outcome.HOLDS),
    ],
)
def test_other_numbers_give_other_outcomes(claim, changed, outcome):
    one = CLAIMS[claim]
    assert one.verdict({**one.measure(), **changed}).outcome == outcome
