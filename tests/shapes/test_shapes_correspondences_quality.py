"""What a map is worth: distances, errors, floors, folds, eigenspaces, and the pairs with their truth."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from scipy.spatial import Delaunay

from workbench import results, shapes
from workbench.shapes.correspondences import quality
from workbench.shapes.correspondences.examples import available
from workbench.shapes.correspondences.geodesics import paths
from workbench.shapes.correspondences.mesh import TriangleMesh
from workbench.shapes.correspondences.quality import COLLAPSED, FLIPPED, KEPT
from workbench.shapes.correspondences.sheet import bent


@pytest.fixture(scope="module")
def pair():
    return shapes.shape_pair("helicoid-catenoid", 220, seed=4)


@pytest.fixture(scope="module")
def found(pair):
    return shapes.match(pair.x, pair.y, k=25, k_final=60)


# ---- distances ------------------------------------------------------------------------------------------------------


def test_distances_on_a_flat_sheet_are_never_too_short_and_hardly_too_long():
    i, j = (axis.ravel() for axis in np.meshgrid(np.arange(13), np.arange(15)))
    places = np.stack([i + 0.5 * (j % 2), j * np.sqrt(3) / 2], axis=1)
    places += 0.05 * np.random.default_rng(0).normal(size=places.shape)
    mesh = TriangleMesh(np.c_[places, 0 * i], Delaunay(places).simplices)
    sources = np.arange(40)
    exact = np.linalg.norm(mesh.vertices[:40, None] - mesh.vertices, axis=2)
    far = exact > 0
    found = [paths(mesh, sources, points)[far] / exact[far] for points in (1, 3, 7)]
    assert min(ratio.min() for ratio in found) > 1 - 1e-12
    assert [ratio.max() < bound for ratio, bound in zip(found, (1.04, 1.015, 1.004), strict=True)] == [True] * 3
    assert found[1].mean() < 1.006


def test_distances_on_the_sphere_are_great_circles():
    made = trimesh.creation.icosphere(3)
    mesh = TriangleMesh(made.vertices, made.faces)
    exact = np.arccos(np.clip(mesh.vertices[:6] @ mesh.vertices.T, -1, 1))
    by_paths, by_heat = (shapes.geodesic_distances(mesh, range(6), method=name) for name in ("paths", "heat"))
    far = exact > 0.5
    assert np.abs(by_paths[far] / exact[far] - 1).max() < 0.012
    assert np.abs(by_heat[far] / exact[far] - 1).mean() < 0.03
    assert np.allclose(by_heat[:, :6].diagonal(), 0)
    assert np.array_equal(by_paths[[4, 2]], shapes.geodesic_distances(mesh, [4, 2]))


def test_distances_from_what_is_not_there_are_refused():
    made = trimesh.creation.icosphere(1)
    with pytest.raises(ValueError, match="vertices 0 to 41, got 0 to 42"):
        shapes.geodesic_distances((made.vertices, made.faces), [0, 42])
    with pytest.raises(ValueError, match="unknown geodesic method"):
        shapes.geodesic_distances((made.vertices, made.faces), method="crow")


# ---- pairs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(available()))
def test_every_pair_has_its_truth(name):
    pair = shapes.shape_pair(name, 200, seed=7)
    again = shapes.shape_pair(name, 200, seed=7)
    assert np.array_equal(pair.x.vertices, again.x.vertices)
    assert np.array_equal(pair.y.faces, again.y.faces)
    assert not np.array_equal(pair.x.vertices, shapes.shape_pair(name, 200, seed=8).x.vertices)
    for mesh in (pair.x, pair.y):
        assert mesh.components == 1
        assert mesh.is_oriented
        assert not mesh.told
        assert abs(len(mesh.vertices) - 200) < 60
    # no vertex of X is nearer to the exact place than the one that stands for it, and none is far
    away = np.linalg.norm(pair.places - pair.x.vertices[pair.truth], axis=1)
    spacing = np.sqrt(pair.x.area / len(pair.x.vertices))
    assert away.max() < 1.2 * spacing
    assert 0.2 < pair.quantisation * np.sqrt(len(pair.x.vertices)) < 0.6
    # the truth keeps what it should: nothing is flipped but what the quantisation folds
    assert quality.carried_faces(pair.x, pair.y, pair.truth).flipped < 0.06


def test_no_seed_makes_the_two_triangulations_alike():
    for seed in range(8):
        pair = shapes.shape_pair("helicoid-catenoid", 100, seed=seed)
        assert 0.3 < pair.quantisation * np.sqrt(len(pair.x.vertices)) < 0.6


def test_the_bent_strip_keeps_all_lengths():
    rng = np.random.default_rng(0)
    u, v, h = rng.uniform(-1, 1, 50), rng.uniform(0, 4, 50), 1e-5
    for t in (0.0, 0.7, np.pi / 2):
        along_u = (bent(u + h, v, t) - bent(u - h, v, t)) / (2 * h)
        along_v = (bent(u, v + h, t) - bent(u, v - h, t)) / (2 * h)
        for a, b, metric in (
            (along_u, along_u, np.cosh(u) ** 2),
            (along_v, along_v, np.cosh(u) ** 2),
            (along_u, along_v, 0),
        ):
            assert np.allclose(np.einsum("ni,ni->n", a, b), metric, atol=1e-8)


def test_a_dial_beyond_its_end_is_refused():
    with pytest.raises(ValueError, match=r"dial must be at most 1\.6"):
        shapes.shape_pair("partial", 200, dial=2)
    with pytest.raises(ValueError, match="n must be at most 5000"):
        shapes.shape_pair("partial", 10**6)
    with pytest.raises(ValueError, match="unknown pair 'helicoid'"):
        shapes.shape_pair("helicoid")


# ---- errors ---------------------------------------------------------------------------------------------------------


def test_the_truth_has_no_error_and_the_floor_lies_below_the_map(pair, found):
    perfect = shapes.correspondence_error(pair, replace(found, points=pair.truth))
    assert float(perfect["mean"]) == float(perfect.worst) == 0
    assert np.allclose(perfect.curve, 1)
    ds = shapes.correspondence_error(pair, found)
    assert 0 < float(ds.floor) <= float(ds["mean"]) < 0.08
    assert float(ds["median"]) <= float(ds.worst)
    assert np.all(np.diff(ds.curve) > -1e-12)
    assert float(ds["mean"]) == pytest.approx(float(ds.error.values @ pair.y.masses) / pair.y.area)
    coarse = shapes.correspondence_error(pair, shapes.match(pair.x, pair.y, method="fmap", k=12))
    assert float(coarse.floor) > float(ds.floor)  # fewer functions allow less
    assert not results.problems(ds)


def test_errors_shrink_with_the_scale_of_nothing(pair, found):
    large = TriangleMesh(100 * pair.x.vertices, pair.x.faces)
    same = shapes.match(large, pair.y, k=25, k_final=60)
    assert np.array_equal(same.points, found.points)


def test_a_map_of_another_pair_is_refused(pair, found):
    with pytest.raises(ValueError, match="this pair has"):
        shapes.correspondence_error(shapes.shape_pair("remeshed", 100), found)
    with pytest.raises(TypeError, match="shape_pair"):
        shapes.correspondence_error(pair, found.points)


def test_the_mirror_image_is_told_apart_from_the_truth():
    pair = shapes.shape_pair("symmetric", 250, seed=1)
    (swapped,) = pair.others
    base = shapes.match(pair.x, pair.y, k=15, k_final=30)
    ds = shapes.correspondence_error(pair, replace(base, points=swapped))
    assert float(ds.mean_mirrored) == 0
    assert float(ds["mean"]) > 0.2
    assert float(ds.flipped) > 0.5  # a mirror turns the surface inside out
    assert not shapes.shape_pair("symmetric", 250, dial=0.5).others


# ---- without a truth ------------------------------------------------------------------------------------------------


def test_folds_are_counted_by_area():
    x = TriangleMesh([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], [[0, 1, 2], [1, 3, 2]])
    keep = quality.carried_faces(x, x, np.arange(4))
    assert (keep.flipped, keep.collapsed, keep.stretch) == (0, 0, 0)
    swap = quality.carried_faces(x, x, np.array([0, 2, 1, 3]))
    assert (swap.flipped, swap.state.tolist()) == (1.0, [FLIPPED, FLIPPED])
    shut = quality.carried_faces(x, x, np.array([0, 1, 2, 2]))
    assert (shut.collapsed, shut.state.tolist()) == (0.5, [KEPT, COLLAPSED])
    assert quality.coverage(x, np.array([0, 1, 2, 2])) == pytest.approx(5 / 6)
    mixed = TriangleMesh(x.vertices, [[0, 1, 2], [1, 2, 3]])
    assert np.isnan(quality.carried_faces(x, mixed, np.arange(4)).flipped)


def test_eigenspaces_that_are_not_resolved_are_found():
    x = np.array([0, 2, 2.01, 2.02, 6, 7, 7.03, 11.0])
    groups = quality.eigenspaces(x, x * 1.004)
    assert list(zip(groups.start.tolist(), groups.size.tolist(), strict=True)) == [(1, 3), (5, 2)]
    assert groups.apart == pytest.approx(0.004, rel=0.01)
    assert quality.eigenspaces(x, x).size.tolist() == []
    made = trimesh.creation.icosphere(2)
    ball = TriangleMesh(made.vertices, made.faces)
    turned = shapes.shape_pair("remeshed", 162)
    sphere = TriangleMesh(turned.x.vertices / np.linalg.norm(turned.x.vertices, axis=1, keepdims=True), turned.x.faces)
    a, b = (shapes.correspondences.laplacian.basis(mesh, 9).values for mesh in (ball, sphere))
    assert quality.eigenspaces(a, b).size.tolist() == [3, 5]  # l = 1 and l = 2


# ---- reports --------------------------------------------------------------------------------------------------------


def test_a_report_of_own_meshes_has_no_errors_and_says_so(pair):
    ds = shapes.correspondence_report(x=pair.x, y=(pair.y.vertices, pair.y.faces), k=15, k_final=30)
    assert not bool(ds.has_truth)
    assert np.isnan(ds.error).all()
    assert np.isnan(ds["mean"])
    assert ds.truth.values.max() == -1
    assert 0 < float(ds.coverage) <= 1
    with pytest.raises(ValueError, match="give both surfaces"):
        shapes.correspondence_report(x=pair.x)


def test_a_report_publishes_the_map_before_its_errors():
    from workbench.progress import Progress

    class Kept(Progress):
        parts: list = []  # noqa: RUF012 - of this test alone

        def publish(self, result):
            self.parts.append(result)

    progress = Kept()
    whole = shapes.correspondence_report("regrown", n=130, k=12, k_final=24, progress=progress)
    (early,) = progress.parts
    assert "errors" in results.missing(early)
    assert np.array_equal(early.points, whole.points)
    assert np.isnan(early["mean"])
    assert np.isfinite(whole["mean"])
    assert set(early.variables) == set(whole.variables)
