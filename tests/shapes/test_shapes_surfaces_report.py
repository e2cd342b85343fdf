"""Meshes that are made here, meshes from files, what is wrong with them, and their distances."""

import numpy as np
import pytest

from workbench import shapes
from workbench.shapes.meshes import Surface, box, catenoid, helicoid, icosphere, sheet, subdivide
from workbench.shapes.surfaces.report import defects_in_words

CLOSED = {name: entry.facts["closed"] for name, entry in shapes.SURFACES.items()}
EULER = {"torus": 0, "sheet": 1, "catenoid": 1, "helicoid": 1}


@pytest.mark.parametrize("name", CLOSED)
def test_every_named_surface_is_sound_and_points_outwards(name):
    mesh = shapes.surface(name, 300)
    report = shapes.surface_report(mesh)
    assert bool(report.closed) == CLOSED[name]
    assert bool(report.sound)
    assert bool(report.oriented)
    assert int(report.euler) == EULER.get(name, 2)
    assert int(report.pieces) == (2 if name == "two-sheets" else 1)
    if CLOSED[name]:
        assert float(report.volume) > 0
    assert 75 <= len(mesh.vertices) <= 1200


def test_volumes_and_areas_of_what_is_known():
    assert box((1, 2, 3)).volume == pytest.approx(6)
    assert icosphere(10242).area == pytest.approx(4 * np.pi, rel=1e-3)
    assert shapes.surface("torus", 20_000).area == pytest.approx(4 * np.pi**2, rel=1e-3)
    assert subdivide(box(), 2).volume == pytest.approx(6)
    # dA = cosh²v du dv on both: 2π (v + sinh v cosh v) from −r to r, over two
    exact = 2 * np.pi * (1.2 + np.sinh(1.2) * np.cosh(1.2))
    for made in (catenoid(20_000), helicoid(20_000)):
        assert made.area == pytest.approx(exact, rel=1e-3)


def test_catenoid_and_helicoid_have_the_same_lengths():
    a, b = catenoid(5000), helicoid(5000)
    lengths = [np.linalg.norm(np.diff(m.vertices[m.faces[:, :2]], axis=1)[:, 0], axis=1) for m in (a, b)]
    np.testing.assert_allclose(*lengths, rtol=3e-3)


def test_defects_are_counted_each_for_itself():
    ball = icosphere(42)
    holed = Surface(ball.vertices, ball.faces[1:])
    assert int(shapes.surface_report(holed).border) == 3
    turned = Surface(ball.vertices, np.concatenate([ball.faces[:1, ::-1], ball.faces[1:]]))
    report = shapes.surface_report(turned)
    assert (int(report.turned), bool(report.closed), bool(report.oriented)) == (3, True, False)
    assert np.isnan(report.volume)
    more = Surface(np.vstack([ball.vertices, [[5, 5, 5]], ball.vertices[:1]]), np.vstack([ball.faces, ball.faces[:1]]))
    report = shapes.surface_report(more)
    assert (int(report.unused), int(report.doubled), int(report.doubled_vertices)) == (2, 1, 1)
    assert int(report.crowded) == 3
    assert not bool(report.sound)
    words = defects_in_words(report)
    assert "1 faces on the vertices of another" in words
    assert "2 vertices of no face" in words
    spindle = shapes.surface_report(shapes.surface("torus", 200, ring=0.4, tube=0.5))
    assert int(spindle.crossings) > 0
    assert int(shapes.surface_report(ball, crossings=False).crossings) == -1


def test_files_are_read_and_welded(tmp_path):
    stl = "solid a\n"
    for corners in icosphere(12).corners:
        rows = "".join(f"vertex {x:.9f} {y:.9f} {z:.9f}\n" for x, y, z in corners)
        stl += f"facet normal 0 0 0\nouter loop\n{rows}endloop\nendfacet\n"
    path = tmp_path / "ball.stl"
    path.write_text(stl + "endsolid a\n")
    mesh = shapes.load_surface(path)
    assert (len(mesh.vertices), len(mesh.faces), mesh.name) == (12, 20, "ball")
    assert bool(shapes.surface_report(mesh).closed)
    with pytest.raises(ValueError, match="no faces"):
        shapes.load_surface(b"1 2 3\n4 5 6\n", file_format="xyz")
    with pytest.raises(ValueError, match="three different corners"):
        shapes.load_surface(b"OFF 3 1 0\n0 0 0\n0 0 0\n1 0 0\n3 0 1 2\n", file_format="off")
    with pytest.raises(FileNotFoundError):
        shapes.load_surface(tmp_path / "none.ply")


@pytest.mark.parametrize(
    ("vertices", "faces", "told"),
    [
        ([[0, 0], [1, 0], [0, 1]], [[0, 1, 2]], r"vertices must be \(n, 3\)"),
        (np.eye(3), [[0, 1, 3]], "must name vertices 0 to 2"),
        (np.eye(3), [[0, 1, 2, 0]], "cut polygons into triangles"),
        ([[np.nan, 0, 0]], [[0, 0, 0]], "NaN"),
    ],
)
def test_what_is_no_mesh_is_refused(vertices, faces, told):
    with pytest.raises(ValueError, match=told):
        Surface(vertices, faces)


def test_names_and_sizes_are_checked():
    with pytest.raises(ValueError, match="Did you mean 'torus'"):
        shapes.surface("tours")
    with pytest.raises(ValueError, match="size must be at least 3"):
        shapes.surface("torus", 1)
    with pytest.raises(TypeError, match="give a Surface"):
        shapes.surface_report(3)
    with pytest.raises(ValueError, match="at most 8"):
        subdivide(box(), 9)


@pytest.mark.parametrize(("encoding", "p", "expected"), [("continuous", 1, 0.25), ("continuous", 2, 0.25 / 3), ("varifold", 2, 0.25 / 6), ("samples", 2, 0.25 / 3)])  # noqa: E501 # fmt: skip
def test_translations_cost_what_they_must(encoding, p, expected):
    a, b = icosphere(162), icosphere(162, centre=(0.3, 0, 0.4))
    value, error = shapes.surface_distance(a, b, encoding=encoding, p=p, n_directions=36 if encoding == "varifold" else 30)  # noqa: E501 # fmt: skip
    assert value == pytest.approx(expected, rel=6e-3 if encoding != "samples" else 0.15)
    assert error < 0.05 * expected


def test_the_cramer_distance_is_asked_for_by_name():
    a, b = icosphere(642), icosphere(642, centre=(0.5, 0, 0))
    value, error = shapes.surface_distance(a, b, distance="cramer", n_directions=60)
    # uniform densities on [−1, 1] that are s apart: s²/2 − s³/12, the mean over s = |cos|/2 of a uniform direction
    assert value == pytest.approx(1 / 24 - 1 / 384, rel=0.01)
    assert error < 1e-3 * value
    with pytest.raises(ValueError, match="has no p, got encoding='continuous' and p=2"):
        shapes.surface_distance(a, b, distance="cramer", p=2)
    with pytest.raises(ValueError, match="Did you mean 'cramer'"):
        shapes.surface_distance(a, b, distance="cramr")


def test_a_varifold_refuses_faces_that_are_wound_against_each_other():
    ball = icosphere(42)
    turned = Surface(ball.vertices, np.concatenate([ball.faces[:1, ::-1], ball.faces[1:]]), "mine")
    with pytest.raises(ValueError, match="mine: 3 edges are passed in the same direction"):
        shapes.surface_distance(turned, ball, encoding="varifold", p=2)
    assert shapes.surface_distance(turned, ball, n_directions=6).value < 1e-9
    assert sheet(16).area == pytest.approx(16)


def test_rules_are_judged_beside_their_reference():
    ds = shapes.rule_errors(size=42, orientations=(0.2,), directions=(36, 63), draws=6)
    rmse = ds.rmse.isel(pair=0, orientation=0)
    assert rmse.sel(rule="roots-5", directions=36) < 0.3 * rmse.sel(rule="monte-carlo", directions=36)
    assert rmse.sel(rule="roots-7", directions=63) < 0.3 * rmse.sel(rule="sobol", directions=63)
    assert float(ds.reference_error.max()) < 1e-3
    inner, outer = (shapes.surface(name, 42) for name in ("walnut", "walnut-outer"))
    half = np.ptp(outer.vertices, axis=0).max() / 2
    asked = {"encoding": "varifold", "p": 2, "scale": 0.2 * half, "method": "roots-7", "n_directions": 630}
    value, error = shapes.surface_distance(inner, outer, **asked)
    assert abs(value / half**2 - float(ds.reference[0, 0])) < 6 * error / half**2 + 2e-3 * value / half**2
    again = shapes.rule_errors(size=42, orientations=(0.2,), directions=(36, 63), draws=6)
    np.testing.assert_array_equal(ds.rmse, again.rmse)
    with pytest.raises(ValueError, match="unknown pair"):
        shapes.rule_errors(("brain",))
