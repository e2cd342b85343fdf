"""Figures of the games room: they draw with both backends and show the numbers of the Dataset."""

import holoviews as hv
import numpy as np
import pytest
from drawing import draw

from workbench import games
from workbench.figures import choose
from workbench.figures import games as figures


@pytest.fixture(scope="module")
def results():
    return {
        "portrait": games.portrait("toy", frames=12, arrows=5),
        "margin_curve": games.margin_curve("toy", points=41),
        "gain_graph": games.gain_graph("linear-bertrand"),
        "step_curve": games.step_curve("toy", points=30),
        "rate_map": games.rate_map("toy", points=9),
        "box_study": games.box_study("isoelastic-cournot", max_boxes=2000),
        "delay_study": games.delay_study("toy", delays=(0, 2), steps=20),
        "ladder": games.ladder(games.resolve("toy")),
        "robust_plan": games.robust_plan(n=7),
        "budget_study": games.budget_study(5, [1], boxes=2000, samples=50),
    }


DRAWINGS = [
    ("portrait", figures.phase_portrait),
    ("portrait", figures.ball_sizes),
    ("margin_curve", figures.margin_band),
    ("gain_graph", figures.gain_circle),
    ("gain_graph", figures.gain_table),
    ("step_curve", figures.step_factors),
    ("rate_map", figures.rate_regions),
    ("box_study", figures.box_margins),
    ("box_study", figures.leaf_boxes),
    ("delay_study", figures.delay_curves),
    ("delay_study", lambda ds: figures.delay_curves(ds, kind="lazy")),
    ("ladder", figures.ladder_bars),
]


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
@pytest.mark.parametrize(("name", "figure"), DRAWINGS)
def test_draws_with_both_backends(results, backend, name, figure):
    draw(figure(results[name]), backend)


def test_every_experiment_has_a_figure(results):
    for name, ds in results.items():
        assert choose.room_figure(ds.attrs["function"]) is figures.FIGURES[name]


def test_portrait_shows_both_balls(results):
    overlay = figures.phase_portrait(results["portrait"])
    labels = {element.label for element in overlay}
    assert {"M-ball", "Euclidean ball", "equilibrium"} <= labels
    only = figures.phase_portrait(results["portrait"], shape="M")
    assert "Euclidean ball" not in {element.label for element in only}


def test_portrait_has_every_trajectory_and_a_gap_after_each(results):
    ds = results["portrait"]
    trajectories = next(e for e in figures.phase_portrait(ds) if isinstance(e, hv.Curve))
    x = trajectories.dimension_values("first").reshape(ds.sizes["trajectory"], -1)
    np.testing.assert_array_equal(x[:, :-1], ds.path.values[..., 0])
    assert np.all(np.isnan(x[:, -1]))


def test_band_is_where_the_margin_is_positive(results):
    span = next(e for e in figures.margin_band(results["margin_curve"]) if isinstance(e, hv.VSpan))
    np.testing.assert_allclose(span.data, (34.31457505076198, 1165.685424949238), rtol=1e-12)


def test_step_marks_are_at_the_steps(results):
    ds = results["step_curve"]
    wanted = ("h₀", "sharp", "paper 2α/β²")
    marks = {e.label: e.dimension_values("h")[0] for e in figures.step_factors(ds) if e.label in wanted}
    assert marks == {"h₀": float(ds.h0), "sharp": float(ds.sharp), "paper 2α/β²": float(ds.paper)}


def test_leaves_are_drawn_as_they_are(results):
    ds = results["box_study"]
    boxes = figures.leaf_boxes(ds)
    assert len(boxes) == ds.sizes["leaf"]
    labels = {e.label for e in figures.box_margins(ds)}
    assert "basin" in labels


def test_verdicts_are_told_by_shape_too(results):
    styles = hv.Store.lookup_options
    shapes = set()
    for element in figures.ladder_bars(results["ladder"]):
        if isinstance(element, hv.Points):
            shapes.add(styles("bokeh", element, "style").kwargs["marker"])
    assert len(shapes) >= 2
