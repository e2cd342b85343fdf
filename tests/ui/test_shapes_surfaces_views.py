"""The tab of surfaces without a browser: the shipped answer, files, and what it refuses."""

import pytest

from workbench.shapes.meshes import icosphere
from workbench.ui.shapes.surfaces import FILE, SurfacesView

PATIENCE = 120


@pytest.fixture
def view():
    made = SurfacesView()
    made.start()
    assert made.runner.wait(PATIENCE)
    yield made
    made.close()


def settled(view):
    view.run()
    assert view.runner.wait(PATIENCE)
    return view.result


def off(mesh):
    rows = [f"OFF {len(mesh.vertices)} {len(mesh.faces)} 0"]
    rows += [" ".join(map(repr, map(float, v))) for v in mesh.vertices]
    rows += ["3 " + " ".join(map(str, f)) for f in mesh.faces]
    return "\n".join(rows).encode()


def test_the_first_answer_is_shipped_and_says_what_is_proved(view):
    assert view.complaint == ""
    sentence = view.sentence(view.result)
    assert "The map is a diffeomorphism: 4 steps with ρ ≤ 0." in sentence
    assert "0 crossing pairs (exact)" in sentence
    assert "true partners" in sentence
    assert view.precomputed(view.values()) is not None
    assert view.precomputed(view.values() | {"seed": 1}) is None


def test_own_meshes_are_taken_on_both_sides(view):
    view.param.update(iterations=5, source=FILE)
    assert "Choose a file" in view.complaint
    view.take_file("source", "ball.off", off(icosphere(42)))
    view.target = FILE
    view.take_file("target", "larger.off", off(icosphere(42, radius=1.2)))
    ds = settled(view)
    assert view.complaint == ""
    assert (ds.sizes["vertex"], ds.sizes["target_vertex"]) == (42, 42)
    assert "no defects" in ds.attrs["source_told"]
    view.take_file("target", "points.ply", b"1 2 3")
    settled(view)
    assert "points.ply" in view.complaint


def test_a_file_without_faces_is_refused_in_words(view):
    view.param.update(iterations=5, source=FILE)
    view.take_file("source", "cloud.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\n")
    settled(view)
    assert "no faces; a surface needs triangles" in view.complaint


def test_more_work_waits_for_run(view):
    shown = view.result
    view.vertices = 10_242
    assert not view.runner.busy
    assert view.result is shown
    assert view.cost(view.values()).seconds > 5
