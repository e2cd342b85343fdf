"""The pictures of sampled graphs show what the results hold."""

import numpy as np
import pytest
from drawing import draw

from workbench import data, shapes
from workbench.figures import shapes as figures


@pytest.fixture(scope="module")
def report():
    return shapes.shadow_report("bow-tie", n=40, reach=0.3, hop=0.6, phase=(3, 3))


def parts(overlay, kind):
    return [part for part in overlay if type(part).__name__ == kind]


def test_the_shadow_shows_its_holes_numbered_and_the_sample(report):
    overlay = figures.shadow_holes(report)
    pieces, holes = parts(overlay, "Polygons")
    assert (len(pieces.split()), len(holes.split())) == tuple(report.betti_shadow.values)
    assert sorted(parts(overlay, "Labels")[0].dimension_values("hole")) == ["1", "2"]
    for backend in ("bokeh", "matplotlib"):
        draw(overlay, backend)


def test_the_sample_has_a_handle_at_each_vertex(report):
    (handles,) = [p for p in parts(figures.sampled_complex(report), "Points") if p.label == figures.shadow.HANDLE]
    assert np.array_equal(handles.array(["x", "y"]), report.vertex.values)
    assert sum(len(p) for p in parts(figures.sampled_complex(report), "Points")) == 40 + 5


def test_the_map_shows_holes_and_leaves_what_is_unknown_blank(report):
    gone = report.copy(deep=True)
    gone["holes_shadow"][0, 0] = gone["holes_complex"][0, 0] = -1
    (image,) = parts(figures.shadow_scales_map(gone), "Image")
    values = image.dimension_values("holes", flat=False)
    assert np.isnan(values[0, 0])
    assert np.nanmax(values) == report.holes_shadow.max()


@pytest.mark.parametrize("name", ["scales", "window", "agreement"])
def test_the_shipped_studies_are_drawn(name):
    ds = data.result(f"shapes/shadow_{name}.nc")
    figure = figures.FIGURES[ds.attrs["function"].split(".")[-1]]
    for backend in ("bokeh", "matplotlib"):
        draw(figure(ds), backend)


@pytest.mark.parametrize("ds", [shapes.graph_constants("theta")], ids=["constants"])
def test_constants_are_drawn(ds):
    draw(figures.graph_numbers(ds), "bokeh")


def test_a_phase_diagram_is_drawn_as_a_map_or_as_points():
    points = shapes.sample_graph("square", 30)
    for epsilons in ([0.3], [0.3, 0.5]):
        draw(figures.scales_of_points(shapes.shadow_phase(points, epsilons, [0.3, 0.5, 0.7])), "bokeh")
