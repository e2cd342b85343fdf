"""The pictures of surfaces show what the results hold."""

import numpy as np
import pytest
from drawing import draw

from workbench import data, shapes
from workbench.figures import shapes as figures


@pytest.mark.parametrize("name", ["first", "carried", "noise", "losses", "fields", "cortex", "rules"])
def test_the_shipped_results_are_drawn(name):
    ds = data.result(f"shapes/surfaces_{name}.nc")
    figure = figures.FIGURES[ds.attrs["function"].split(".")[-1]]
    for backend in ("bokeh", "matplotlib"):
        draw(figure(ds), backend)


def test_the_bounds_are_drawn_below_their_line():
    ds = data.result("shapes/surfaces_first.nc")
    overlay = figures.deformation_proof(ds)
    (marks,) = [part for part in overlay if type(part).__name__ == "Scatter"]
    np.testing.assert_allclose(marks.dimension_values("rho"), ds.rho.values)
    for backend in ("bokeh", "matplotlib"):
        draw(overlay, backend)


def test_crossings_and_defects_are_drawn():
    spindle = shapes.surface("torus", 200, ring=0.4, tube=0.5)
    for ds, figure in (
        (shapes.self_intersections(spindle), figures.crossing_pairs),
        (shapes.surface_report(spindle), figures.mesh_defects),
    ):
        assert figures.FIGURES[ds.attrs["function"].split(".")[-1]] is figure
        draw(figure(ds), "bokeh")


def test_a_bent_surface_is_drawn_flat_from_every_side():
    ds = shapes.bend_surface("two-sheets", None, [(840, 0, 0, 0.3)], width=0.3)
    ball = shapes.bend_surface(shapes.surface("icosphere", 162), None)
    for side, (across, up, _) in figures.SIDES.items():
        *_, handles = figures.bent_surface(ds, side)
        item = handles.dimension_values("item").astype(int)
        np.testing.assert_allclose(handles.dimension_values("across"), ds.vertices.values[1, item, across])
        np.testing.assert_allclose(handles.dimension_values("up"), ds.vertices.values[1, item, up])
        _, wrong, hidden = figures.bent_surface(ball, side)
        assert len(wrong) == 0
        assert 10 < len(hidden) < ball.sizes["number"]  # those behind cannot be taken hold of
    for backend in ("bokeh", "matplotlib"):
        draw(figures.bent_surface(ds), backend)
