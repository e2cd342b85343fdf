"""Shipped results belong to the page's defaults, and the verdicts are read from them."""

import json
from pathlib import Path

import numpy as np
import pytest

from workbench import steps
from workbench.steps.verdicts import study, verdicts
from workbench.verdicts import Outcome

DEFAULTS = {
    "zeros_map": "mlp-tanh",
    "taylor_orders": "mlp-tanh",
    "limits": "mlp-relu",
    "sweep_radius": "mlp-relu",
    "temperature_scaling": "mlp-relu",
    "spike": "mlp-relu",
    "bottlenecks": "mlp-relu",
}


@pytest.mark.parametrize("name", list(DEFAULTS))
def test_shipped_results_are_of_the_current_experiments(name):
    ds = study(name)
    assert ds.attrs["function"] == f"workbench.steps.{name}"
    assert json.loads(ds.attrs["parameters"])["network"] == DEFAULTS[name]


def test_a_shipped_result_repeats():
    again = steps.bottlenecks("mlp-relu")
    shipped = study("bottlenecks")
    np.testing.assert_allclose(again.radius, shipped.radius, rtol=1e-6)
    np.testing.assert_array_equal(again["sample"], shipped["sample"])


def test_verdicts_show_both_sides():
    rows = verdicts()
    outcomes = {row.outcome for row in rows}
    assert {Outcome.HOLDS, Outcome.FAILS} <= outcomes
    for row in rows:
        assert "nan" not in row.measured
        if row.how.startswith("workbench sweep "):
            assert (Path(__file__).parents[2] / row.how.removeprefix("workbench sweep ")).is_file()
        else:
            assert row.how.startswith("steps.")
            assert hasattr(steps, row.how.removeprefix("steps.").split("(")[0])
