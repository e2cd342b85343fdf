"""The tab of sampled graphs without a browser: vertices under the hand, files, and what it refuses."""

import json

import numpy as np
import pytest

from workbench import shapes
from workbench.ui.shapes.graphs import FILE, GraphsView

PATIENCE = 120


@pytest.fixture
def view():
    made = GraphsView(n=30)
    made.start()
    assert made.runner.wait(PATIENCE)
    yield made
    made.close()


def settled(view):
    assert view.runner.wait(PATIENCE)
    return view.result


def test_a_vertex_that_is_dragged_moves_the_sample(view):
    before = view.result
    view.move(0, 0.4, 0.2)
    after = settled(view)
    assert view.complaint == ""
    assert after.vertex.values[0].tolist() == [0.4, 0.2]
    assert not np.array_equal(before.point.values, after.point.values)
    view.move(0, *after.vertex.values[1])
    assert "at one place" in view.complaint
    view.reset()
    assert np.array_equal(settled(view).vertex.values, shapes.planar_graph("isosceles").vertices)


def test_a_map_is_sampled_and_points_are_taken_as_they_are(view):
    view.graph = FILE
    assert "Choose a file" in view.complaint
    ring = {"type": "LineString", "coordinates": [[8, 47], [8.1, 47], [8.1, 47.1], [8, 47]]}
    view.take_file("roads.geojson", json.dumps(ring).encode())
    ds = settled(view)
    assert view.complaint == ""
    assert ds.truth.values.tolist() == [1, 1]
    assert ds.sizes["number"] == 30
    view.take_file("points.csv", b"x;y\n0;0\n1;0\n0,5;1\n0,5;1\n")
    ds = settled(view)
    assert (ds.sizes["number"], int(ds.merged), int(ds.truth[0])) == (3, 1, -1)
    view.take_file("bad.geojson", b'{"type": "Topology"}')
    settled(view)
    assert "does not know" in view.complaint


def test_a_certificate_that_fails_is_told(view):
    t = np.arange(6) * np.pi / 3
    hexagon = shapes.Graph(np.stack([np.cos(t), np.sin(t)], axis=1), [(k, (k + 1) % 6) for k in range(6)])
    sentence = view.sentence(shapes.shadow_report(hexagon, n=6, reach=0.9, hop=0, phase=(0, 0)))
    assert "is not proved: no apex at 6 of 12 cells" in sentence
    assert "the graph has 1 and 1" in sentence


def test_more_crossings_than_are_arranged_are_refused_in_words(view):
    view.param.update(graph="grid", n=1000, reach=0.8, hop=0)
    view.run()
    assert settled(view) is not None
    assert "Take a smaller β" in view.complaint or "take a smaller" in view.complaint
