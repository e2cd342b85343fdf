"""The views of the fisher room without a browser: they compute, refuse, draw and tell."""

import math

import pytest

from workbench import fisher
from workbench.progress import Progress
from workbench.ui.fisher import FisherRoom
from workbench.ui.fisher.across import DEFAULTS, AcrossView
from workbench.ui.fisher.live import LiveView
from workbench.ui.fisher.metric import MetricView
from workbench.ui.fisher.scaling import ScalingView

SMALL = {"samples": 64, "L": 4, "points": 5, "draws": 3, "m": 3}


def small(view):
    """Return the view's inputs with everything that costs time made small."""
    return view.values() | {name: value for name, value in SMALL.items() if name in view.inputs}


@pytest.mark.parametrize("view_class", FisherRoom.view_classes)
def test_every_view_computes_draws_and_tells(view_class):
    view = view_class()
    inputs = small(view)
    view.check(inputs)
    assert view.cost(inputs).seconds > 0
    ds = view.compute(inputs, Progress())
    assert view.experiment_name() in ("", ds.attrs["function"])  # a shipped study is no result that opens in a tab
    view.result = ds
    assert view.sentence(ds)
    for picture in view.figures:
        assert picture.summary(ds)
        assert picture._plot.object is not None


@pytest.mark.parametrize("view_class", FisherRoom.view_classes)
def test_every_tab_opens_with_a_result(view_class):
    view = view_class()
    view.start()
    assert view.runner.wait(30)
    assert view.result is not None
    assert not view.complaint


def test_the_sweep_shows_a_coarse_curve_first_and_says_what_follows():
    class Kept(Progress):
        def __init__(self):
            super().__init__()
            self.parts = []

        def publish(self, result):
            self.parts.append(result)

    progress = Kept()
    whole = fisher.coupling_sweep(4, 0.3, 0.6, 17, progress=progress)
    first = progress.parts[0]
    assert first.sizes["J"] == 5
    assert (first.J.values[0], first.J.values[-1]) == (whole.J.values[0], whole.J.values[-1])
    assert first.attrs["unfinished"] == "12 more couplings"
    assert "unfinished" not in whole.attrs
    for part in progress.parts:  # what was shown first is what the whole says
        assert float(abs(part.curvature_per_site - whole.curvature_per_site.sel(J=part.J)).max()) == 0
    assert "0.300" in AcrossView().sentence(first)


def test_the_sweep_refuses_an_empty_range_and_frozen_bonds():
    view = AcrossView()
    with pytest.raises(ValueError, match="must be below"):
        view.check(DEFAULTS | {"J_min": 0.6, "J_max": 0.3})
    with pytest.raises(ValueError, match="frozen"):
        view.check(DEFAULTS | {"J_max": 1.0, "anisotropy": 4.0})


def test_a_size_that_has_no_metric_is_refused_and_the_shipped_ones_cost_nothing():
    view = ScalingView()
    with pytest.raises(ValueError, match="singular"):
        view.check({"extra": 2})
    assert view.arguments({"extra": 0}) == {"further": []}
    assert view.arguments({"extra": 70}) == {"further": [70]}
    assert view.cost({"extra": 0}).seconds < view.cost({"extra": 250}).seconds


def test_the_window_is_widened_until_a_line_can_be_fitted():
    view = ScalingView()
    ds = view.compute({"extra": 0}, Progress())
    view.window = (100, 101)
    low, high = view._window(ds)
    assert ((low <= ds.L) & (high >= ds.L)).sum() >= 2
    assert "two sizes" in view.sentence(ds) or "±" in view.sentence(ds)


def test_the_headline_of_the_paper_is_the_fit_over_its_own_window():
    view = ScalingView()
    assert "1.1115" in view.sentence(view.compute({"extra": 0}, Progress()))


def test_a_cube_too_large_to_watch_is_refused():
    view = LiveView()
    inputs = view.values() | {"model": "ising-3d", "L": 16}
    with pytest.raises(ValueError, match="limited to 8"):
        view.check(inputs)
    assert not view.cost(inputs | {"L": 8}).is_quick  # it runs before the visitor's eyes, when asked


def test_the_condition_number_in_the_sentence_is_that_of_the_spectrum():
    view = MetricView()
    ds = view.compute(view.values() | {"L": 8}, Progress())
    told = float(view.sentence(ds).split("condition number of ")[1].split(";")[0])
    assert math.isclose(told, float(ds.metric_eigenvalue.max() / ds.metric_eigenvalue.min()), rel_tol=5e-3)
