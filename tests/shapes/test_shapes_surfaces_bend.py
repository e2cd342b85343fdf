"""Surfaces bent by drags: each a composition of certified maps that puts the vertex where the hand has put it."""

import math

import numpy as np
import pytest

from workbench import shapes
from workbench.shapes.meshes import Surface, icosphere, sheet
from workbench.shapes.surfaces.bend import dragged, handles_of


def test_a_vertex_ends_where_it_was_dragged_in_steps_below_the_limit():
    ball = icosphere(162)
    drags = [(3, 0.4, -0.1, 0.2), (50, 0.0, 2.0, 0.5), (3, -0.1, 0.0, 0.0)]
    ds = shapes.bend_surface(ball, None, drags, width=0.4)
    moved, rho, counts = dragged(ball.vertices, drags[:2], 0.4)
    np.testing.assert_allclose(moved[50] - dragged(ball.vertices, drags[:1], 0.4)[0][50], [0, 2, 0.5], atol=1e-12)
    assert counts == ds.maps.values.tolist()[:2]
    assert counts[1] == math.ceil(math.hypot(2, 0.5) / (0.4 * math.sqrt(math.e)) / 0.9) > 1
    assert ds.sizes["map"] == ds.maps.values.sum()
    assert (ds.rho.values <= 0.9).all()
    assert rho[:1] == pytest.approx(math.hypot(0.4, 0.1, 0.2) / (0.4 * math.sqrt(math.e)))
    np.testing.assert_allclose(
        ds.vertices[1, 3] - dragged(ball.vertices, drags[:2], 0.4)[0][3], [-0.1, 0, 0], atol=1e-12
    )


def test_determinants_and_differences_stay_within_what_is_proved():
    ball, drags, h = icosphere(42), [(3, 0.3, -0.1, 0.2), (7, 0.0, 0.5, 0.0)], 1e-5
    rho, counts = dragged(ball.vertices, drags, 0.5)[1:]
    assert counts == [1, 1]
    rng = np.random.default_rng(0)
    points = rng.uniform(-1.3, 1.3, size=(400, 3))

    def carried(places):
        """Carry places beside the mesh, whose vertices decide where the bumps are."""
        return dragged(np.concatenate([ball.vertices, places]), drags, 0.5)[0][42:]

    columns = [(carried(points + h * e) - carried(points - h * e)) / (2 * h) for e in np.eye(3)]
    det = np.linalg.det(np.stack(columns, axis=2))
    assert np.prod(1 - rho) - 1e-6 <= det.min() < 0.9
    assert 1.1 < det.max() <= np.prod(1 + rho) + 1e-6
    ends = carried(points)
    stretch = np.linalg.norm(ends[1:] - ends[:-1], axis=1) / np.linalg.norm(points[1:] - points[:-1], axis=1)
    assert np.prod(1 - rho) <= stretch.min()
    assert stretch.max() <= np.prod(1 + rho)


def test_the_counter_example_is_made_by_hand():
    ds = shapes.bend_surface("two-sheets", None, [(840, 0, 0, 0.3)], width=0.3)
    assert (ds.rho < 1).all()
    assert ds.crossings.values.tolist() == [0, int(ds.crossings[1])]
    assert int(ds.crossings[1]) > 100
    assert int(ds.folded[1]) == 0
    nothing = shapes.bend_surface("two-sheets", None)
    assert nothing.crossings.values.tolist() == [0, 0]
    assert nothing.assd.values.tolist() == [0, 0]


def test_losses_fall_when_a_drag_is_taken_back():
    wrong = [(5, 0.0, 0.0, 0.4)]
    ds = shapes.bend_surface(icosphere(162), None, wrong)
    assert (ds.value.sel(when="after") > ds.value.sel(when="before")).all()
    assert (ds.assd[1], ds.sw1[1]) > (0, 0)
    ball = icosphere(42)
    turned = Surface(ball.vertices, np.concatenate([ball.faces[:1, ::-1], ball.faces[1:]]))
    values = shapes.bend_surface(turned, None, [(5, 0.0, 0.0, 0.4)]).value
    assert np.isnan(values.sel(loss="varifold")).all()
    assert np.isfinite(values.sel(loss="cramer")).all()


def test_handles_are_vertices_of_faces_spread_far():
    mesh = Surface(np.vstack([sheet(9).vertices, [[9, 9, 9]]]), sheet(9).faces)
    assert sorted(handles_of(mesh).tolist()) == list(range(9))
    ball = icosphere(642)
    places = ball.vertices[handles_of(ball, 12)]
    apart = np.linalg.norm(places[:, None] - places, axis=2) + 9 * np.eye(12)
    assert apart.min() > 0.8


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"drags": [(42, 0, 0, 0)]}, "drag 0 names vertex 42; there are 0 to 41"),
        ({"drags": [(0.5, 0, 0, 0)]}, r"names vertex 0\.5"),
        ({"drags": [(0, 1, 2)]}, "must be .vertex, dx, dy, dz., got 3 numbers"),
        ({"drags": [(0, 9, 0, 0)]}, "drag in smaller parts"),
        ({"drags": [(0, np.nan, 0, 0)]}, "NaN"),
        ({"drags": [(0, 0.1, 0, 0)] * 61}, "61 drags were given"),
        ({"drags": [(0, 3.9, 0, 0)] * 60, "width": 0.02}, "widen the bump"),
        ({"width": 0}, "width must be at least"),
        ({"source": Surface(np.eye(3), [[0, 1, 1]])}, "has no area"),
        ({"source": 3}, "give a Surface"),
    ],
)
def test_what_cannot_be_bent_is_refused(change, told):
    with pytest.raises((ValueError, TypeError), match=told):
        shapes.bend_surface(**({"source": icosphere(42), "target": None} | change))
