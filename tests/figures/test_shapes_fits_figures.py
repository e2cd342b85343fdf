"""The pictures of fits show what the results hold."""

import numpy as np
import pytest
from drawing import draw

from workbench import data, shapes
from workbench.figures import shapes as figures


@pytest.fixture(scope="module")
def reports():
    return {
        "photograph": shapes.fits_report("petals", "bspline", 300, size=16),
        "curve": shapes.fits_report("sine", "hash", 900, size=64, steps=5),
        "plane": shapes.fits_report("ripples", "linear", 100, size=20),
        "distance": shapes.fits_report("torus", "linear", 343, size=12, box=(-0.1, -0.1, -0.1, 0.1, 0.2, 0.1)),
    }


def parts(overlay, kind):
    return [part for part in overlay if type(part).__name__ == kind]


@pytest.mark.parametrize("kind", ["photograph", "curve", "plane", "distance"])
def test_every_kind_of_signal_is_drawn(reports, kind):
    draw(figures.fit_beside_signal(reports[kind]), "bokeh")
    draw(figures.fit_errors(reports[kind]), "matplotlib" if kind == "distance" else "bokeh")


def test_signal_and_fit_stand_side_by_side_the_right_way_up(reports):
    ds = reports["photograph"]
    left, right = parts(figures.fit_beside_signal(ds), "RGB")
    assert np.allclose(left.dimension_values("R", flat=False)[::-1], ds.signal_value[..., 0], atol=1e-6)
    assert right.bounds.lbrt()[0] > left.bounds.lbrt()[2]
    (image, _) = parts(figures.fit_beside_signal(reports["distance"]), "Image")
    middle = reports["distance"].signal_value.values[6, :, :, 0]
    assert np.allclose(image.dimension_values("f", flat=False), middle, atol=1e-6)  # rows rise with y in both


def test_errors_are_those_of_the_fit(reports):
    ds = reports["plane"]
    (image,) = parts(figures.fit_errors(ds), "Image")
    error = (ds.fit_value - ds.signal_value).values[..., 0]
    assert np.sort(image.dimension_values("error")) == pytest.approx(np.sort(error.ravel()), abs=1e-6)


def test_the_box_has_a_corner_to_drag_at_each_end(reports):
    (handles,) = parts(figures.fit_errors(reports["distance"]), "Points")
    assert handles.label == figures.fits.HANDLE
    assert handles.array(["x", "y"]).tolist() == [[-0.1, -0.1], [0.1, 0.2]]


def test_both_qualities_are_joined(reports):
    ds = reports["curve"]
    (joints,) = parts(figures.fit_quality(ds), "Segments")
    assert len(joints) == ds.sizes["rival"] == 5


@pytest.mark.parametrize("name", ["frontier", "longer", "orders", "first"])
def test_the_shipped_studies_are_drawn(name):
    ds = data.result(f"shapes/fits_{name}.nc")
    figure = figures.FIGURES[ds.attrs["function"].split(".")[-1]]
    draw(figure(ds), "bokeh")


def test_the_fit_that_stands_lies_on_the_frontier(reports):
    study = data.result("shapes/fits_frontier.nc")
    ds = reports["photograph"]
    drawn = figures.frontier_with(ds, study)
    (mark,) = [p for p in parts(drawn, "Scatter") if p.label == "this fit"]
    legends = [one for one in draw(drawn, "bokeh").state.below if type(one).__name__ == "Legend"]
    assert len(legends[0].items) == study.sizes["fit"] + 1
    assert mark.array(["numbers", "psnr"]).tolist() == [[int(ds.parameters_used), float(ds.psnr[1])]]
    (other,) = [p for p in parts(figures.frontier_with(reports["curve"], study), "Scatter") if p.label == "this fit"]
    assert len(other) == 0  # decibels of another signal do not compare
    draw(figures.frontier_seconds(study), "bokeh")


def test_one_order_is_drawn():
    draw(figures.order_lines(shapes.approximation_order("linear", "sine", (12, 24))), "bokeh")
