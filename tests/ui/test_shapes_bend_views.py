"""The tab of surfaces bent by hand without a browser: what a hand does, the counter-example, files, the address."""

import numpy as np
import pytest
from test_shapes_surfaces_views import off

from workbench.shapes.meshes import icosphere
from workbench.ui.shapes.bend import FILE, BendView, loss_rows

PATIENCE = 120


@pytest.fixture
def view():
    made = BendView(vertices=162)
    made.start()
    assert made.runner.wait(PATIENCE)
    yield made
    made.close()


def settled(view):
    assert view.runner.wait(PATIENCE)
    assert view.complaint == ""
    return view.result


def test_a_vertex_goes_where_the_hand_puts_it_and_all_answers(view):
    first = view.result
    assert "Nothing is moved yet" in view.sentence(first)
    handle = int(first.handle[0])
    depth = float(first.vertices[1, handle, 1])
    view.move(handle, 0.25, 0.5)
    ds = settled(view)
    assert ds.vertices[1, handle].values == pytest.approx([0.25, depth, 0.5], abs=1e-3)
    assert "The map is a diffeomorphism: " in view.sentence(ds)
    assert [row[0] for row in loss_rows(ds).cells][-1].startswith("loss: Chamfer")
    view.side = "above"
    view.move(handle, 0.3, 0.4)
    assert settled(view).vertices[1, handle].values == pytest.approx([0.3, 0.4, 0.5], abs=1e-3)
    view.take_back()
    np.testing.assert_array_equal(settled(view).vertices, ds.vertices)
    view.move(9999, 0, 0)
    view.move(handle, np.nan, 0)
    assert len(view.drags[1]) == 1
    view.reset()
    np.testing.assert_array_equal(settled(view).vertices, first.vertices)


def test_drags_belong_to_their_surface_and_stand_in_the_address(view):
    view.move(int(view.result.handle[3]), 0.1, 0.1)
    settled(view)
    parameter = view.param["drags"]
    written = parameter.write(view.drags)
    assert parameter.read(written) == view.drags
    for bad in ("walnut-of-7~1_0_0_0", "nuts-of-162~1_0_0_0", "walnut-of-162~1_0_0", "walnut-of-162~-1_0_0_0", "x"):
        with pytest.raises(ValueError, match=r"names no surface|are up to|no number"):
            parameter.read(bad)
    view.vertices = 642
    assert settled(view).sizes["drag"] == 0
    view.vertices = 162
    assert settled(view).sizes["drag"] == 1


def test_the_counter_example_carries_a_mesh_through_itself(view):
    view.open_counter_example()
    ds = settled(view)
    assert ds.crossings.values.tolist() == [0, 198]
    assert "The map is a diffeomorphism: 1 step " in view.sentence(ds)
    assert float(ds.assd[0]) == 0


def test_own_meshes_are_bent(view):
    view.source = FILE
    assert "Choose a file" in view.complaint
    view.take_file("ball.off", off(icosphere(42)))
    assert settled(view).sizes["vertex"] == 42
    view.move(0, 0.1, 0.2)
    assert settled(view).sizes["drag"] == 1
