"""The rows of the steps room: what they say today, and that other studies would make them say something else."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from workbench import data, steps
from workbench.steps.verdicts import CLAIMS, verdicts
from workbench.verdicts import Outcome

HOLDS, PARTLY, FAILS, OPEN = Outcome.HOLDS, Outcome.PARTLY, Outcome.FAILS, Outcome.OPEN
BY_MEASURE = {claim.measure.__name__: claim for claim in CLAIMS}


def test_todays_outcomes():
    found = {claim.measure.__name__: row.outcome for claim, row in zip(CLAIMS, verdicts(), strict=True)}
    assert found == {
        "below_one_when_converged": PARTLY,
        "below_one_early": FAILS,
        "linear_counterexample": FAILS,
        "bound_for_networks": PARTLY,
        "where_the_series_ends": FAILS,
        "persistent_spike": HOLDS,
        "every_optimiser": HOLDS,
        "gradient_clipping": FAILS,
        "single_spike": PARTLY,
        "forecasting": FAILS,
        "temperature_collapse": OPEN,
        "language_model": PARTLY,
        "fewer_calls": PARTLY,
        "as_reliable": HOLDS,
        "reported_robustness": FAILS,
        "pruning": HOLDS,
        "greedy_is_transport": FAILS,
        "gradient_is_enough": FAILS,
    }


def test_every_row_can_be_repeated():
    for row in verdicts():
        if row.how.startswith("workbench sweep "):
            assert (Path(__file__).parents[2] / row.how.removeprefix("workbench sweep ")).is_file()
        else:
            assert hasattr(steps, row.how.removeprefix("steps.").split("(")[0])


@pytest.mark.parametrize(
    ("row", "file", "variable", "change", "outcome"),
    [
        ("below_one_when_converged", "study_sweep", "points_lost", lambda x: 0 * x, HOLDS),
        ("below_one_early", "study_sweep", "points_lost", lambda x: 0 * x, HOLDS),
        ("linear_counterexample", "study_counterexamples", "linear_after", lambda x: 0 * x, HOLDS),
        ("bound_for_networks", "study_counterexamples", "tanh_radius", lambda x: 2 * x, HOLDS),
        ("bound_for_networks", "zeros_map", "exact", lambda x: 0.1 * x, FAILS),
        ("where_the_series_ends", "taylor_orders", "error", lambda x: 1 + x, HOLDS),
        ("persistent_spike", "study_spike_persistent", "accuracy", lambda x: 0.5 * x, FAILS),
        ("persistent_spike", "study_spike_persistent", "accuracy", lambda x: 0 * x + 0.95, OPEN),
        ("every_optimiser", "spike-survival", "survived", lambda x: 0.95 * x, PARTLY),
        ("gradient_clipping", "study_spike_persistent", "accuracy", lambda x: 5 * x, PARTLY),
        ("single_spike", "study_spike_single", "accuracy", lambda x: 0.9 * x, FAILS),
        ("forecasting", "study_onset", "spread", lambda x: 1 / x, HOLDS),
        ("temperature_collapse", "temperature_scaling", "spread", lambda x: 4 * x, PARTLY),
        ("language_model", "study_text_survival", "loss", lambda x: 0 * x.where(np.isfinite(x), 1) + 2, HOLDS),
        ("language_model", "study_text_survival", "engaged", lambda x: x + 0.1, FAILS),
        ("fewer_calls", "saddles_", "calls", lambda x: x * xr.where(x.method == "gp", 0.2, 1.0), HOLDS),
        ("fewer_calls", "saddles_", "calls", lambda x: x * xr.where(x.method == "gp", 9.0, 1.0), FAILS),
        ("as_reliable", "saddles_", "success", lambda x: x & (x.method != "gp"), FAILS),
        ("pruning", "saddle_pruning", "seconds_pruned", lambda x: 1 + 100 * x, FAILS),
        ("gradient_is_enough", "saddles_", "index", lambda x: 0 * x, FAILS),
    ],
)
def test_other_studies_give_another_outcome(monkeypatch, row, file, variable, change, outcome):
    shipped = data.result

    def changed(name):
        ds = shipped(name)
        return ds.assign({variable: change(ds[variable])}) if file in name else ds

    monkeypatch.setattr(data, "result", changed)
    assert BY_MEASURE[row].verdict().outcome is outcome
