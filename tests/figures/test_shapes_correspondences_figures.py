"""The pictures of correspondences show what the results hold."""

import numpy as np
import pytest
from drawing import draw

from workbench import data, shapes
from workbench.figures import shapes as figures


@pytest.fixture(scope="module")
def report():
    return shapes.correspondence_report("partial", n=130, k=12, k_final=24)


def part(overlay, label):
    return next(one for one in overlay if one.label == label)


def test_the_flat_view_has_a_handle_its_image_and_the_truth(report):
    overlay = figures.matched_plane(report, 5)
    assert np.allclose(part(overlay, "probe").array(["x", "y"]), report.flat_y.values[5] - [figures.APART, 0])
    image, truth = (report.flat_x.values[int(report[name][5])] + [figures.APART, 0] for name in ("points", "truth"))
    assert np.allclose(part(overlay, "its image").array(["x", "y"]), image)
    assert np.allclose(part(overlay, "its true place").array(["x", "y"]), truth)
    coloured = part(overlay, "Y, coloured through the map").dimension_values("place")
    assert np.array_equal(coloured, report.place_x.values[report.points.values])
    for backend in ("bokeh", "matplotlib"):
        draw(overlay, backend)


def test_colours_are_carried_by_the_map_or_tell_the_error(report):
    of_x, of_y = figures.surface_colours(report)
    assert np.array_equal(of_y, of_x[report.points.values])
    assert of_x.min() >= 0
    assert of_x.max() <= 1
    _, by_error = figures.surface_colours(report, by_error=True)
    worst, best = int(report.error.values.argmax()), int(report.error.values.argmin())
    assert by_error[worst].sum() < by_error[best].sum()


def test_curves_and_matrix_are_drawn_with_and_without_a_truth(report):
    own = shapes.correspondence_report(x=_mesh(report, "x"), y=_mesh(report, "y"), method="descriptors", k=12)
    for ds in (report, own):
        for figure in (figures.error_curves, figures.map_matrix, figures.matched_plane):
            for backend in ("bokeh", "matplotlib") if ds is report else ("bokeh",):
                if ds is report or figure is figures.matched_plane:
                    draw(figure(ds), backend)
                else:
                    figure(ds)
    curve = part(figures.error_curves(report), "the map")
    assert np.allclose(curve.dimension_values("share"), 100 * report.curve)
    image = figures.map_matrix(report)
    assert np.allclose(image.dimension_values("magnitude", flat=False), np.abs(report.c.values))


def _mesh(ds, side):
    return ds[side].values, ds["faces_x" if side == "x" else "faces_y"].values


@pytest.mark.parametrize("name", ["methods", "term", "first"])
def test_what_ships_is_drawn(name):
    ds = data.result(f"shapes/correspondences_{name}.nc")
    figure = figures.FIGURES[ds.attrs["function"].split(".")[-1]]
    for backend in ("bokeh", "matplotlib"):
        draw(figure(ds), backend)


def test_other_experiments_have_their_pictures(report):
    mesh = _mesh(report, "x")
    draw(figures.FIGURES["spectrum"](shapes.spectrum(mesh, k=12)), "bokeh")
    draw(figures.FIGURES["functional_map"](shapes.functional_map(mesh, mesh, k=12)), "bokeh")
