"""Figures of embeddings: their data, read back, on both backends."""

import holoviews as hv
import numpy as np
import pytest
from drawing import draw

from workbench import data, metrics
from workbench.figures import metrics as figures
from workbench.figures.choose import figure_for

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(24, 3)) + 3 * np.repeat(np.eye(3), 8, axis=0), np.repeat(list("abc"), 8)


@pytest.fixture(scope="module")
def report():
    return data.result("metrics/embeddings_first.nc")


@pytest.fixture(scope="module")
def study():
    return metrics.zero_shot(losses=["binomial", "triplet"], confusions=(0, 0.13, 1), steps=3, splits=3)


@pytest.fixture(scope="module")
def sight():
    return metrics.confusion_sight(count=10)


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
def test_every_experiment_has_a_figure_of_its_own(report, study, sight, backend):
    made = [metrics.energy_confusion(X, Y), metrics.retrieval(X, Y), metrics.hide_from(X, Y, steps=3)]
    made += [metrics.embedding_invariances(X, Y), metrics.embedding_confusions(), report, study, sight]
    for ds in made:
        assert ds.attrs["function"].split(".")[-1] in figures.FIGURES
        draw(figure_for(ds), backend)


def test_the_plane_holds_every_item_once_and_marks_the_neighbours(report):
    figure = figures.embedding_plane(report, query=20)
    points = [part for part in figure if isinstance(part, hv.Points)]
    items = np.concatenate([part["item"] for part in points])
    assert sorted(items.tolist()) == list(range(report.sizes["item"]))
    rings = {part.label: part for part in figure if isinstance(part, hv.Scatter)}
    right = int(report.right.values[20].sum())
    assert len(rings["neighbour, right"]) == right
    assert len(rings["neighbour, wrong"]) == report.sizes["rank"] - right
    assert rings["query"]["x"][0] == report.place.values[20, 0]


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
def test_the_row_of_neighbours_shows_pictures_and_marks(report, backend):
    figure = figures.neighbour_tiles(report, query=20)
    draw(figure, backend)
    sheet = next(part for part in figure if isinstance(part, hv.Image)).dimension_values("grey", flat=False)
    seen = np.asarray(sheet)[:, 1:9]
    picture = report.pixels.values[20].reshape(8, 8)
    assert np.array_equal(seen, picture) or np.array_equal(seen[::-1], picture)
    words = next(part for part in figure if isinstance(part, hv.Labels)).dimension_values("text")
    assert words[0].startswith("query")
    assert sum(word.startswith("✔") for word in words) == int(report.right.values[20].sum())
    frames = [part for part in figure if isinstance(part, hv.Rectangles)]
    assert sum(map(len, frames)) == 1 + report.sizes["rank"]
    draw(figures.neighbour_tiles(report.drop_vars("pixels"), query=21), backend)


def test_scores_and_intervals_are_those_of_the_result(report):
    figure = figures.retrieval_methods(report)
    marks = {part.label: part for part in figure if isinstance(part, hv.Scatter)}
    np.testing.assert_array_equal(marks["MAP@R"]["score"], report.map_at_r)
    reach = next(part for part in figure if isinstance(part, hv.Segments))
    np.testing.assert_array_equal(reach["score2"], report.map_at_r_high)


def test_curves_of_a_study(study):
    figure = figures.confusion_curve(study, loss="triplet")
    curve = next(part for part in figure if isinstance(part, hv.Curve) and part.label == "triplet")
    np.testing.assert_allclose(curve["value"], study.map_at_r.sel(loss="triplet").mean("split"))
    lines = [part for part in figure if isinstance(part, hv.Curve) and part.label.endswith("features")]
    assert len(lines) == study.sizes["baseline"]
    changes = [part for part in figures.confusion_changes(study) if isinstance(part, hv.Scatter)]
    np.testing.assert_array_equal(changes[0]["change"], study.map_at_r_difference[0, 1:])
    spread = figures.split_spread(study, loss="triplet", weight=1)
    marks = next(part for part in spread if isinstance(part, hv.Scatter))
    np.testing.assert_allclose(marks["change"], study.map_at_r[1, 2] - study.map_at_r[1, 0])
    draw(spread, "matplotlib")


def test_points_that_can_be_dragged_are_numbered_through(sight):
    figure = figures.confusion_points(sight)
    items = {part.label: part["item"].tolist() for part in figure if "item" in [d.name for d in part.vdims]}
    assert items == {"A": list(range(10)), "B before": list(range(10, 20))}
    draw(figure, "matplotlib")


def test_the_dial_of_the_term_stands(sight):
    figure = figures.sight_dials(sight)
    marks = {part.label: float(part["ratio"][0]) for part in figure if isinstance(part, hv.Scatter)}
    assert marks["energy confusion E"] == pytest.approx(1.0, abs=1e-12)
    assert marks["energy distance of A and B"] == pytest.approx(float(sight.distance[1] / sight.distance[0]))
    draw(figure, "bokeh")
