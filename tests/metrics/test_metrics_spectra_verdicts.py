"""The rows on spectra: their outcomes follow from the shipped numbers, and other numbers give others."""

import pytest

from workbench import data
from workbench.metrics.spectra.verdicts import CLAIMS
from workbench.verdicts import Outcome, judge

BY_MEASURE = {claim.measure.__name__: claim for claim in CLAIMS}


def test_every_row_is_settled():
    rows = {claim.measure.__name__: row for claim, row in zip(CLAIMS, judge(CLAIMS), strict=True)}
    assert all(row.outcome is not Outcome.OPEN for row in rows.values())
    assert rows["trend"].outcome is Outcome.HOLDS
    assert rows["not_random"].outcome is not Outcome.FAILS
    for name in ("identity", "ideal_law", "overflow", "spike_cut", "good_band"):
        assert rows[name].outcome is not Outcome.HOLDS, name


CHANGED = {
    "trend": ("spectra_table", lambda ds: ds.assign(erg_gap=-ds.alpha), Outcome.FAILS),
    "identity": ("spectra_table", lambda ds: ds.assign(erg_gap=0 * ds.alpha), Outcome.HOLDS),
    "not_random": ("spectra_table", lambda ds: ds.assign(shuffled=0 * ds.alpha), Outcome.FAILS),
    "readings": ("spectra_table", lambda ds: ds.assign(refit_low=ds.alpha, refit_high=ds.alpha), Outcome.HOLDS),
    "ideal_law": ("spectra_unlearned", lambda ds: ds.assign(gap_all=0 * ds.gap_all), Outcome.HOLDS),
    "good_band": ("spectra_unlearned", lambda ds: ds.assign(alpha=0 * ds.alpha + 9), Outcome.HOLDS),
    "only_learning": ("spectra_unlearned", lambda ds: ds.assign(gap=ds.gap + 50), Outcome.HOLDS),
    "nominal_bars": (
        "spectra_coverage",
        lambda ds: ds.assign(size=ds["size"] * 0 + ds.alpha_sd),
        Outcome.HOLDS,
    ),
    "along_training": ("spectra_training", lambda ds: ds.assign(alpha=10 - ds.accuracy + 0 * ds.alpha), Outcome.HOLDS),
}


@pytest.mark.parametrize("name", CHANGED)
def test_other_numbers_give_other_outcomes(monkeypatch, name):
    file, change, outcome = CHANGED[name]
    real = data.result

    def changed(asked):
        ds = real(asked)
        return change(ds) if asked == f"metrics/{file}.nc" else ds

    monkeypatch.setattr(data, "result", changed)
    assert BY_MEASURE[name].verdict().outcome is outcome
