"""Figures of rewards: what they hold, on both backends."""

import holoviews as hv
import numpy as np
import pytest
from drawing import draw

from workbench import data, metrics
from workbench.figures import metrics as figures
from workbench.figures.choose import figure_for


@pytest.fixture(scope="module")
def lake():
    return metrics.grid_rewards(details=False)


def labelled(overlay):
    return {part.label: part for part in overlay.values() if part.label}


def test_the_polygon_closes_and_holds_the_chord(lake):
    parts = labelled(figures.return_polygon(lake))
    outline = parts["policies"]
    assert len(outline) == lake.sizes["vertex"] + 1
    np.testing.assert_array_equal(outline["J₁"][[0, -1]], lake.vertex_1.values[[0, 0]])
    chord = parts["regret's pair"]["J₁"]
    assert (chord[0] - chord[1]) / float(lake.range[0]) == pytest.approx(float(lake.regret[0]))


def test_maps_hold_both_rewards_and_say_where_policies_go(lake):
    figure = figures.reward_maps(lake)
    images = [part for part in figure if isinstance(part, hv.Image)]
    np.testing.assert_array_equal(images[0].dimension_values("value", flat=False)[::-1], lake.painted_1.values)
    letters = next(part for part in figure if isinstance(part, hv.Labels)).dframe()
    at = {(x, y): text for x, y, text in letters[["x", "y", "mark"]].itertuples(index=False)}
    assert at[0.0, 0.0] == "S←"  # the best first move on the slippery lake is to the wall
    assert at[3.0, -3.0] == at[8.0, -3.0] == "G"
    pair = figures.pair_maps(lake)
    visits = next(part for part in pair if isinstance(part, hv.Image)).dimension_values("value", flat=False)[::-1]
    np.testing.assert_allclose(visits**2, lake.pair_visits_1.sum("action").values[:16].reshape(4, 4))


def test_advantages_lie_towards_their_moves(lake):
    images = [part for part in figures.advantage_maps(lake) if isinstance(part, hv.Image)]
    for image, own in zip(images, (lake.advantage_1.values, lake.advantage_2.values), strict=True):
        fine = image.dimension_values("value", flat=False)[::-1]
        side = fine.shape[0] // 4
        assert fine.shape == (4 * side, 4 * side)
        cell = fine[side : 2 * side, :side] * np.abs(own[:16]).max()  # row 1, column 0: state 4
        middle = side // 2
        ends = [cell[middle, 1], cell[-2, middle], cell[middle, -2], cell[1, middle]]
        np.testing.assert_allclose(ends, own[4])  # ← ↓ → ↑
        assert np.isnan(np.diag(cell)).all()
        assert np.isnan(cell[0]).all()
        np.testing.assert_allclose(np.nanmax(np.abs(fine)), 1)


def test_a_point_of_the_picture_is_a_cell():
    assert figures.map_cell(0.0, 0.0, (4, 4)) == (0, 0, 0)
    assert figures.map_cell(3.4, -2.6, (4, 4)) == (0, 3, 3)
    assert figures.map_cell(5.0, -1.0, (4, 4)) == (1, 1, 0)
    for outside in ((4.2, 0.0), (0.0, 0.9), (0.0, -3.7), (9.0, 0.0), (np.nan, 0.0), (0.0, np.inf)):
        assert figures.map_cell(*outside, (4, 4)) is None
    figure = figures.reward_maps(metrics.grid_rewards(("SFG", "F#F"), details=False))
    for part in (one for one in figure if isinstance(one, hv.Image)):
        for x, y, value in part.dframe()[["x", "y", "value"]].itertuples(index=False):
            side, row, column = figures.map_cell(x, y, (2, 3))
            assert np.isnan(value) == ((row, column) == (1, 1))
            assert side in (0, 1)


def test_bars_and_cone_show_the_numbers(lake):
    bars = figures.distance_bars(lake).dframe().set_index("yardstick").distance
    assert bars["EPIC"] == float(lake.distance.sel(yardstick="epic"))
    assert bars["worst-case regret"] == 1
    cone = labelled(figures.regret_cone(lake))
    assert cone["VAL"].array([0, 1]).tolist() == [[float(lake.distance.sel(yardstick="val")), 1.0]]
    low, high = (cone["d ≤ W ≤ 2d"].dimension_values(k) for k in (1, 2))
    assert low.tolist() == [0, 0.5, 1]
    assert high.tolist() == [0, 1, 1]


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
def test_every_figure_draws(lake, backend):
    for make in (figures.reward_maps, figures.pair_maps, figures.advantage_maps, figures.return_polygon,
                 figures.distance_bars, figures.regret_cone):  # fmt: skip
        draw(make(lake), backend)
    for name in ("lake", "correlations", "bounds", "fooled"):
        draw(figure_for(data.result(f"metrics/rewards_{name}.nc")), backend)
    draw(figure_for(metrics.reward_blindness(*metrics.frozen_lake())), backend)


def test_studies_show_their_tables():
    ds = data.result("metrics/rewards_correlations.nc")
    marks = labelled(figures.regret_correlation_bars(ds))["worst case"]
    np.testing.assert_array_equal(marks.dimension_values("correlation"), ds.spearman.sel(target="worst").values)
    ds = data.result("metrics/rewards_fooled.nc")
    curve = next(part for part in figures.fooling_curves(ds) if part.label == "EPIC")
    np.testing.assert_allclose(curve.dimension_values("regret"), 1)
