"""The rows on few bits: what they say today, and that other runs would make them say something else."""

import pytest

from workbench import data
from workbench.flows.bits.verdicts import CLAIMS
from workbench.verdicts import Outcome, judge

BY_MEASURE = {claim.measure.__name__: claim for claim in CLAIMS}


def test_todays_outcomes():
    assert [row.outcome for row in judge(CLAIMS)] == [Outcome.PARTLY, Outcome.PARTLY, Outcome.HOLDS, Outcome.HOLDS]


@pytest.mark.parametrize(
    ("row", "change", "outcome"),
    [
        ("single_is_enough", lambda ds: ds.assign(p_holm=0 * ds.p_holm), Outcome.FAILS),
        ("ten_bits_often", lambda ds: ds.assign(p_holm=0 * ds.p_holm), Outcome.FAILS),
        ("ten_bits_often", lambda ds: ds.assign(p_holm=0 * ds.p_holm + 1), Outcome.HOLDS),
        ("stochastic_helps", lambda ds: ds.assign(w1=0 * ds.w1 + 1), Outcome.FAILS),
        ("stochastic_helps", lambda ds: ds.assign(p_holm=0 * ds.p_holm + 1), Outcome.OPEN),
        ("soil_stagnates", lambda ds: ds.assign(temperature=ds.exact), Outcome.FAILS),
    ],
)
def test_other_runs_give_another_outcome(monkeypatch, row, change, outcome):
    shipped = data.result

    def changed(name):
        is_soil = name.endswith("soil.nc")
        return change(shipped(name)) if is_soil == (row == "soil_stagnates") else shipped(name)

    monkeypatch.setattr(data, "result", changed)
    assert BY_MEASURE[row].verdict().outcome is outcome
