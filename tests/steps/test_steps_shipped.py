"""Shipped results belong to the page's defaults, and repeat."""

import json

import numpy as np
import pytest

from workbench import steps
from workbench.steps.verdicts import study

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
