"""The flows figures show the numbers of their Dataset, on both backends."""

import holoviews as hv
import numpy as np
import pytest
from drawing import draw

from workbench import flows
from workbench.figures import flows as figures
from workbench.figures.choose import figure_for


@pytest.fixture(scope="module")
def flow():
    x, y = flows.cloud("torus", 60), flows.cloud("cube", 60, seed=1)
    return flows.gradient_flow(x, y, steps=6, n_directions=30, checkpoints=(0, 6))


@pytest.fixture(scope="module")
def table():
    return flows.compare_on(flows.cloud("torus", 60), flows.cloud("cube", 60), n_directions=30, repeats=4)


@pytest.fixture(scope="module")
def sphere():
    return flows.direction_costs(flows.cloud("torus", 60), flows.cloud("cube", 60), n_directions=10, resolution=9)


@pytest.fixture(scope="module")
def transfer():
    return flows.colour_transfer(flows.photograph("china", 40), flows.photograph("flower", 50), steps=3)


@pytest.fixture(scope="module")
def paper():
    return flows.seed_experiment(
        n=32, steps=20, checkpoints=(0, 10, 20), methods=("monte-carlo", "design"), seeds=(0, 1)
    )


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
def test_every_figure_draws(flow, table, sphere, transfer, paper, backend):
    plane = flows.direction_costs(flows.cloud("disc", 30), flows.cloud("square", 30), n_directions=4)
    many = flows.direction_costs(flows.cloud("clifford-torus", 30), flows.cloud("clifford-torus", 30, 1))
    made = [
        figures.flow_curves(flow),
        figures.flow_curves(flow, logarithmic=False),
        figures.estimator_errors(table),
        figures.error_against_time(table),
        figures.error_table(table),
        figures.direction_map(sphere),
        figures.direction_map(plane),
        figures.direction_map(many),
        *[figures.photograph(transfer, which) for which in ("image", "source", "target")],
        figures.palette_curve(transfer),
        figures.paper_curves(paper),
        figures.paper_table(paper),
    ]
    for element in made:
        draw(element, backend)


def find(overlay, kind, label=""):
    return next(e for e in overlay if isinstance(e, kind) and e.label == label)


def test_flow_curves_show_distance_band_and_checkpoints(flow):
    figure = figures.flow_curves(flow)
    curve = find(figure, hv.Curve, "SW₂², sliced")
    np.testing.assert_array_equal(curve.dimension_values("distance"), flow.sw2.values)
    band = find(figure, hv.Area)
    np.testing.assert_allclose(band.dimension_values("high"), flow.sw2 + 2 * flow.sw2_standard_error)
    exact = find(figure, hv.Scatter, "W₂², exact")
    np.testing.assert_array_equal(exact.dimension_values("step"), [0, 6])
    np.testing.assert_array_equal(exact.dimension_values("distance"), flow.w2.values)
    assert hv.Store.lookup_options("bokeh", figure, "plot").kwargs["logy"] is True
    without = flow.drop_vars(["w2", "checkpoint"])
    assert len(figures.flow_curves(without)) == 2


def test_errors_show_both_ratios(table):
    figure = figures.estimator_errors(table)
    for label, name in (("at equal directions", "rmse_ratio"), ("at equal time", "rmse_ratio_equal_time")):
        dots = find(figure, hv.Scatter, label)
        np.testing.assert_allclose(dots.dimension_values("ratio"), table[name].values[0])
        assert list(dots.dimension_values("estimator")) == list(table.estimator.values)
    assert [e.label for e in figures.error_against_time(table)] == list(table.estimator.values)


def test_the_map_shows_every_direction_and_its_opposite(sphere):
    figure = figures.direction_map(sphere)
    points = find(figure, hv.Points)
    assert len(points) == 20
    np.testing.assert_allclose(
        np.sort(np.abs(points.dimension_values("height"))), np.sort(np.repeat(np.abs(sphere.directions[:, 2]), 2))
    )
    mesh = find(figure, hv.Image)
    np.testing.assert_array_equal(mesh.dimension_values("cost", flat=False), sphere.cost_map.values)


def test_photographs_keep_their_colours_and_orientation(transfer):
    picture = figures.photograph(transfer, "source")
    np.testing.assert_allclose(picture.dimension_values("R", flat=False)[::-1], transfer.source[:, :, 0], atol=1e-6)


def test_the_paper_is_a_table_of_means(paper):
    table = figures.paper_table(paper)
    assert list(table.dimension_values("estimator")) == ["monte-carlo", "design"]
    expected = [f"{value:.4g}" for value in paper.w2.sel(checkpoint=10).mean("seed").values]
    assert list(table.dimension_values("step 10")) == expected


def test_results_find_their_figures(flow, sphere):
    assert isinstance(figure_for(flow), hv.Overlay)
    assert any(isinstance(part, hv.Image) for part in figure_for(sphere))
