"""Crossing pairs of faces: exact signs against rationals, pairs against a second algorithm, meshes of known count."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import shapes
from workbench.shapes.meshes import Surface, icosphere, sheet, subdivide, torus, two_sheets
from workbench.shapes.surfaces.crossings import find_crossings
from workbench.shapes.surfaces.predicates import ROOM, exact_coordinates, side, turn
from workbench.shapes.surfaces.study import bump
from workbench.shapes.surfaces.touching import APART, CROSSING, DOUBLED, FOLDED, has_area, relation

# ---- a second engine: rational clipping, which shares nothing with the signs of the first --------------------------


def minus(a, b):
    return [x - y for x, y in zip(a, b, strict=True)]


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def cross(a, b):
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def between(a, b, da, db):
    s = da / (da - db)
    return [x + s * (y - x) for x, y in zip(a, b, strict=True)]


def clipped(polygon, height):
    """Return the part of a convex polygon (or segment, or point) where height ≥ 0."""
    kept = []
    for k, a in enumerate(polygon):
        b = polygon[(k + 1) % len(polygon)]
        da, db = height(a), height(b)
        if da >= 0:
            kept.append(a)
        if da * db < 0:
            kept.append(between(a, b, da, db))
    return kept


def meet_in_more(f, g, shared):
    """Return whether two triangles (lists of three rational points) meet in more than the shared points."""
    normal = cross(minus(f[1], f[0]), minus(f[2], f[0]))

    def height(p):
        return dot(normal, minus(p, f[0]))

    part = clipped(clipped(g, height), lambda p: -height(p))
    for k in range(3):
        inward = cross(normal, minus(f[(k + 1) % 3], f[k]))
        part = clipped(part, lambda p, inward=inward, k=k: dot(inward, minus(p, f[k])))
    return any(p not in shared for p in part)


def rational(vertices):
    return [[Fraction(float(x)) for x in vertex] for vertex in vertices]


def judged(vertices, f, g):
    v = exact_coordinates(np.asarray(vertices, dtype=float))
    return relation(v, np.array(f), np.array(g), np.empty(ROOM), np.zeros(2, dtype=np.int64))


def has_areas(vertices, faces):
    v, out = exact_coordinates(np.asarray(vertices, dtype=float)), np.zeros(len(faces), dtype=bool)
    has_area(v, np.asarray(faces), np.empty(ROOM), np.zeros(2, dtype=np.int64), out)
    return out


# ---- signs ---------------------------------------------------------------------------------------------------------

nearly = st.sampled_from([0.0, 0.5, 0.1, 0.3, 1 / 3, 0.1 + 2**-56, 0.3 - 2**-55, 1.0, -0.7])


@settings(max_examples=150, deadline=None)
@given(st.lists(nearly, min_size=12, max_size=12))
def test_signs_are_those_of_rational_determinants(numbers):
    points = np.array(numbers).reshape(4, 3)
    if not points.any():
        return
    v, work, stats = exact_coordinates(points), np.empty(ROOM), np.zeros(2, dtype=np.int64)
    a, b, c, d = rational(points)
    value = dot(minus(a, d), cross(minus(b, d), minus(c, d)))
    assert side(v, 0, 1, 2, 3, work, stats) == (value > 0) - (value < 0)
    for axis in range(3):
        area = cross(minus(a, c), minus(b, c))[axis]
        assert turn(v, 0, 1, 2, axis, work, stats) == (area > 0) - (area < 0)


def test_what_floating_point_cannot_decide_goes_to_an_expansion():
    line = np.array([[0.1, 0.1, 0.1], [0.2, 0.2, 0.2], [0.3, 0.3, 0.3], [0.7, 0.5, 0.9]])
    stats = np.zeros(2, dtype=np.int64)
    value = side(exact_coordinates(line), 0, 1, 2, 3, np.empty(ROOM), stats)
    a, b, c, d = rational(line)
    true = dot(minus(a, d), cross(minus(b, d), minus(c, d)))
    assert value == (true > 0) - (true < 0)
    assert stats[0] == 1


def test_coordinates_beyond_exact_arithmetic_are_refused():
    with pytest.raises(ValueError, match=r"vertex 2 is at .*set it to 0"):
        find_crossings(Surface([[0, 0, 0], [1, 1e-90, 0], [0, 1, 0]], [[0, 1, 2]]))


# ---- pairs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shared", [0, 1])
def test_pairs_are_judged_as_by_rational_clipping(shared):
    """On a grid of few places, where every degenerate position comes up: edges on edges, corners in faces."""
    rng = np.random.default_rng(shared)
    f, g = [0, 1, 2], [3, 4, 5] if shared == 0 else [4, 0, 3]
    seen = {APART: 0, CROSSING: 0}
    for trial in range(700):
        points = rng.integers(0, 3, size=(6 - shared, 3)).astype(float)
        points[:, 2] *= trial % 3 > 0  # a third of them in one plane
        if len(np.unique(points, axis=0)) < len(points) or not has_areas(points, [f, g]).all():
            continue
        exact = rational(points)
        expected = meet_in_more([exact[i] for i in f], [exact[i] for i in g], [exact[0]] if shared else [])
        found = judged(points, f, g)
        assert found == (CROSSING if expected else APART), points
        assert judged(points, g[1:] + g[:1], f[::-1]) == found
        seen[found] += 1
    assert min(seen.values()) > 30


def test_neighbours_folded_and_doubled():
    points = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, -1, 0], [1, 1, 0], [0.2, 0.3, 0.1]]
    assert judged(points, [0, 1, 2], [1, 0, 3]) == APART
    assert judged(points, [0, 1, 2], [0, 1, 4]) == FOLDED
    assert judged(points, [0, 1, 2], [0, 1, 5]) == APART
    assert judged(points, [0, 1, 2], [2, 0, 1]) == DOUBLED


# ---- meshes --------------------------------------------------------------------------------------------------------


def joined(*meshes):
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    faces = [mesh.faces + start for mesh, start in zip(meshes, starts, strict=False)]
    return Surface(np.concatenate([mesh.vertices for mesh in meshes]), np.concatenate(faces))


@pytest.mark.parametrize("mesh", [icosphere(642), torus(400), shapes.surface("walnut", 642), subdivide(sheet(16))])
def test_proper_surfaces_have_none(mesh):
    assert find_crossings(mesh).embedded


def test_two_spheres_through_each_other_are_counted_by_brute_force():
    mesh = joined(icosphere(42), icosphere(42, centre=(0.9, 0.3, 0.1)))
    found = find_crossings(mesh)
    exact, expected = rational(mesh.vertices), []
    low, high = mesh.corners.min(axis=1), mesh.corners.max(axis=1)
    for i, j in itertools.combinations(range(len(mesh.faces)), 2):
        common = set(mesh.faces[i]) & set(mesh.faces[j])
        if (low[i] > high[j]).any() or (low[j] > high[i]).any() or len(common) > 1:
            continue
        if meet_in_more(*([exact[k] for k in mesh.faces[n]] for n in (i, j)), [exact[k] for k in common]):
            expected.append([i, j])
    assert found.pairs.tolist() == expected
    assert len(expected) > 20
    assert found.candidates > len(expected)


def test_the_count_does_not_depend_on_order_place_or_size():
    mesh = torus(200, ring=0.4, tube=0.5)
    count = len(find_crossings(mesh).pairs)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(mesh.vertices))
    back = np.argsort(order)
    other = Surface(mesh.vertices[order], rng.permutation(back[mesh.faces]))
    assert count > 0
    assert len(find_crossings(other).pairs) == count
    assert len(find_crossings(mesh.moved_to(mesh.vertices * 2.0**40)).pairs) == count
    assert len(find_crossings(mesh.moved_to(mesh.vertices[:, [2, 0, 1]])).pairs) == count


def test_vertices_at_one_place_are_one():
    mesh = icosphere(42)
    apart = Surface(mesh.corners.reshape(-1, 3), np.arange(3 * len(mesh.faces)).reshape(-1, 3))
    assert find_crossings(apart).embedded
    twice = find_crossings(joined(mesh, mesh))
    assert len(twice.doubled) == len(mesh.faces)
    assert not twice.embedded


def test_a_certified_map_carries_198_crossings():
    ds = shapes.carried_crossings()
    assert ds.after.values.tolist() == [198, 176, 46, 0]
    assert ds.before.values.tolist() == [0, 0, 0, 0]
    assert float(ds.rho) == pytest.approx(0.3 / np.sqrt(np.e))
    with pytest.raises(ValueError, match="is certified"):
        shapes.carried_crossings(height=2.0)


def test_coplanar_pairs_are_decided_not_left():
    flat = two_sheets(169)
    down = flat.moved_to(flat.vertices * [1, 1, 0])
    found = find_crossings(down)
    exact, lid = rational(down.vertices), down.faces[-1]
    triangle = [exact[k] for k in lid]
    expected = [n for n, face in enumerate(down.faces[:-1]) if meet_in_more([exact[k] for k in face], triangle, [])]
    assert found.pairs[:, 0].tolist() == expected
    assert 250 < len(expected) < 288
    assert bump(flat.vertices)[:, 2].max() == pytest.approx(0.3, abs=1e-12)


def test_faces_without_area_are_left_out_and_counted():
    mesh = Surface([[0, 0, 0], [1, 1, 1], [2, 2, 2], [0, 1, 0]], [[0, 1, 2], [0, 2, 3], [1, 1, 2]])
    found = find_crossings(mesh)
    assert found.flat.tolist() == [0, 2]
    ds = shapes.self_intersections(mesh)
    assert (int(ds.flat), int(ds.crossings), bool(ds.embedded)) == (2, 0, False)


def test_a_mesh_beyond_the_limits_is_refused(monkeypatch):
    monkeypatch.setattr("workbench.shapes.surfaces.crossings.MOST_COMPARISONS", 10)
    with pytest.raises(ValueError, match="pairs of faces lie above one another along every axis"):
        find_crossings(icosphere(162))
    monkeypatch.undo()
    monkeypatch.setattr("workbench.shapes.surfaces.crossings.MOST_CROSSINGS", 3)
    with pytest.raises(ValueError, match="more than 3 pairs of faces cross"):
        find_crossings(torus(200, ring=0.4, tube=0.5))
