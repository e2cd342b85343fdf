"""The tab of correspondences without a browser: pairs, files, the point under the hand, and what it refuses."""

import numpy as np
import pytest

from workbench import shapes
from workbench.figures import shapes as figures
from workbench.ui.shapes.correspondences import FILES, CorrespondencesView

PATIENCE = 120


@pytest.fixture
def view():
    made = CorrespondencesView()
    made.start()
    assert made.runner.wait(PATIENCE)
    yield made
    made.close()


def settled(view):
    assert view.runner.wait(PATIENCE)
    return view.result


def off(mesh):
    rows = [f"OFF\n{len(mesh.vertices)} {len(mesh.faces)} 0"]
    rows += [" ".join(map(repr, row)) for row in mesh.vertices.tolist()]
    rows += [f"3 {a} {b} {c}" for a, b, c in mesh.faces.tolist()]
    return "\n".join(rows).encode()


def test_the_first_answer_ships_and_is_what_would_be_computed(view):
    shipped = view.precomputed(view.values())
    assert shipped is not None
    assert view.result.identical(shipped)
    again = shapes.correspondence_report()
    assert np.mean(again.points.values == shipped.points.values) > 0.95
    assert float(again["mean"]) == pytest.approx(float(shipped["mean"]), rel=0.1)


def test_the_hand_follows_a_point(view):
    place = view.result.flat_y.values[17]
    view.move(0, float(place[0]) - figures.APART, float(place[1]))
    assert view.probe == 17
    surface = view._shown[0].viewer
    marked = np.frombuffer(surface._canvas.marked, np.uint32).reshape(-1, 3)
    assert np.all((marked == 17).any(axis=1))
    assert len(marked) == int((view.result.faces_y.values == 17).any(axis=1).sum())
    assert "Vertex 17 of Y goes to vertex" in view._plane_in_words(view.result)
    view.move(0, float("nan"), 0.0)
    assert view.probe == 17
    view.probe = 10**6  # from an address
    assert view.probed(view.result) == view.result.sizes["vertex_y"] - 1


def test_surfaces_are_coloured_through_the_map_or_by_error(view):
    of_y = np.frombuffer(view._shown[0].viewer._canvas.colours, np.uint8).reshape(-1, 3)
    of_x = np.frombuffer(view._shown[1].viewer._canvas.colours, np.uint8).reshape(-1, 3)
    assert np.array_equal(of_y, of_x[view.result.points.values])
    view.by_error = True
    assert not np.array_equal(np.frombuffer(view._shown[0].viewer._canvas.colours, np.uint8).reshape(-1, 3), of_y)


def test_own_meshes_are_matched_and_have_no_errors(view):
    pair = shapes.shape_pair("remeshed", 130)
    view.pair = FILES
    assert "Choose two meshes" in view.complaint
    view.take_x("x.off", off(pair.x))
    view.take_y("y.off", off(pair.y))
    view.run()
    ds = settled(view)
    assert view.complaint == ""
    assert ds.sizes["vertex_x"] == 130
    assert "No truth is known" in view.sentence(ds)
    direct = shapes.match(pair.x, pair.y)
    assert np.mean(ds.points.values == direct.points) > 0.95
    view.take_y("two.off", b"OFF 3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n")
    view.run()
    settled(view)
    assert "give at least 12" in view.complaint
    view.take_y("points.off", b"OFF 3 0 0\n0 0 0\n1 0 0\n0 1 0\n")
    view.run()
    settled(view)
    assert "without faces" in view.complaint


def test_landmarks_of_a_file_are_used_or_refused_in_words(view):
    pair = shapes.shape_pair("symmetric", 150)
    view.param.update(pair="symmetric", n=150)
    settled(view)
    rows = "\n".join(f"{pair.truth[v]},{v}" for v in (0, 40, 80, 120))
    view.take_marks("marks.csv", rows.encode())
    ds = settled(view)
    assert view.complaint == ""
    marks = [[int(pair.truth[v]), v] for v in (0, 40, 80, 120)]
    direct = shapes.match(pair.x, pair.y, landmarks=marks)
    assert np.mean(ds.points.values == direct.points) > 0.95
    view.take_marks("marks.csv", b"0,9999\n")
    settled(view)
    assert "names vertex 9999 of y" in view.complaint


def test_what_cannot_be_computed_is_refused_before(view):
    view.param.update(k=60, k_final=20)
    assert "cannot end with 20" in view.complaint
    view.param.update(k=30, k_final=150, n=200)
    assert "too many for 200 vertices" in view.complaint


def test_training_waits_for_run_and_the_mirror_is_told(view):
    view.method = "ot-features"
    assert not view.cost(view.values()).is_quick
    assert not view.runner.busy
    view.param.update(method="zoomout", pair="symmetric", n=150, k_final=60)
    assert "mirrored truth" in view.sentence(settled(view))
