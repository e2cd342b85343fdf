"""The tab of saddle searches without a browser: its default, its refusals, the drag."""

import holoviews as hv
import pytest
from bokeh.models import PointDrawTool

from workbench import data, steps
from workbench.ui.steps.saddles import SaddleView


@pytest.fixture
def view():
    made = SaddleView()
    yield made
    made.close()


def test_the_default_is_what_the_experiment_gives(view):
    shipped = view.precomputed(view.values())
    fresh = steps.saddle_search(**view.arguments(view.values()))
    assert shipped.x.values == pytest.approx(fresh.x.values, abs=1e-6)
    assert int(shipped.calls) == int(fresh.calls)
    assert "proved to be one of the 2" in view.sentence(fresh)


def test_a_dropped_start_moves_the_controls_within_their_bounds(view):
    view.move_to(-0.61234, 9.0)
    assert (view.x, view.y) == (-0.612, view.param.y.bounds[1])


def test_the_page_moving_its_own_mark_moves_nothing(view):
    picture = view.figures[0]
    picture._drawn = (0.25, 0.5)
    picture._moved("data", None, {"x": [0.25], "y": [0.5]})
    assert (view.x, view.y) == (-0.4, 1.2)
    picture._moved("data", None, {"x": [0.1], "y": [0.5]})
    assert (view.x, view.y) == (0.1, 0.5)


def test_the_start_can_be_dragged_and_a_redraw_is_no_drag(view):
    picture, ds = view.figures[0], data.result("steps/saddle_search.nc")
    picture.update(ds)
    plot = hv.renderer("bokeh").get_plot(picture._plot.object).state
    assert isinstance(plot.toolbar.active_drag, PointDrawTool)
    picture.update(ds.assign(x=ds.x + 0.01))
    assert (view.x, view.y) == (-0.4, 1.2)
    source = plot.toolbar.active_drag.renderers[0].data_source
    source.data = {**source.data, "x": [0.3], "y": [0.6]}
    assert (view.x, view.y) == (0.3, 0.6)


def test_a_start_outside_the_surface_is_refused(view):
    with pytest.raises(ValueError, match="outside the surface"):
        view.check({**view.values(), "surface": "leps", "x": -1.0})
    view.check({**view.values(), "surface": "lennard-jones"})


def test_clusters_are_announced_and_planes_start_by_themselves(view):
    assert view.cost(view.values()).is_quick
    assert not view.cost({**view.values(), "surface": "lennard-jones-13"}).is_quick


def test_a_failed_search_says_why(view):
    ds = steps.saddle_search(start=[0.9, 1.9], method="dimer", rival="dimer")
    assert "no first-order saddle: it left the surface's box" in view.sentence(ds)
    assert "reached none" in view.sentence(ds)


def test_a_reopened_result_sets_the_start(view):
    ds = data.result("steps/saddle_search.nc")
    view.show(ds.assign_attrs(parameters='{"start": [0.1, 0.45], "threshold": 0.3, "method": "gp-all"}'))
    assert (view.x, view.y, view.threshold, view.adaptive, view.method) == (0.1, 0.45, 0.3, False, "gp-all")
