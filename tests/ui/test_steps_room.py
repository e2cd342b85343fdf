"""The views of the steps room without a browser: shipped defaults, refusals, sentences."""

import pytest

from workbench import data
from workbench.ui.steps.limits import LimitsView
from workbench.ui.steps.room import StepsRoom
from workbench.ui.steps.spike import SpikeView


@pytest.mark.parametrize("view_class", StepsRoom.view_classes, ids=lambda v: v.slug)
def test_the_default_is_shipped_and_says_something(view_class):
    view = view_class()
    ds = view.precomputed(view.values())
    assert view.experiment_name() in ("", ds.attrs["function"])  # a shipped study is no result that opens in a tab
    assert len(view.sentence(ds)) > 20
    for picture in view.figures:
        assert len(picture.summary(ds)) > 10
    view.close()


def test_other_inputs_are_not_shipped():
    view = SpikeView(seed=3)
    assert view.precomputed(view.values()) is None
    with pytest.raises(ValueError, match="comes after the last"):
        view.check({**view.values(), "at": 200, "steps": 100})
    with pytest.raises(ValueError, match="at least one guard"):
        view.check({**view.values(), "rules": []})
    with pytest.raises(ValueError, match="AdaHessian"):
        view.check({**view.values(), "optimizer": "adahessian"})
    view.close()


def test_a_reopened_result_sets_the_controls_whatever_its_parameters_are_called():
    limits = LimitsView()
    limits.show(data.result("steps/limits.nc").assign_attrs(parameters='{"directions": ["random"], "samples": 64}'))
    assert (limits.direction, limits.samples) == ("random", 64)
    spike = SpikeView()
    spike.show(data.result("steps/spike.nc").assign_attrs(parameters='{"seeds": [5], "multiplier": 100.0}'))
    assert (spike.seed, spike.multiplier) == (5, 100.0)
    spike.show(data.result("steps/spike.nc").assign_attrs(parameters='{"seeds": [1, 2]}'))  # no single seed to show
    assert spike.seed == 5
