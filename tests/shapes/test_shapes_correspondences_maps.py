"""Functional maps: exact where descriptors are exact, orthogonal blocks for rotations, refinement, Sinkhorn."""

import numpy as np
import pytest
import trimesh

from workbench import shapes, transport
from workbench.progress import Cancelled, Progress
from workbench.shapes.correspondences import maps
from workbench.shapes.correspondences.laplacian import basis
from workbench.shapes.correspondences.matching import STEP, bases, described, initial_map
from workbench.shapes.correspondences.mesh import TriangleMesh


@pytest.fixture(scope="module")
def pair():
    return shapes.shape_pair("remeshed", 200, seed=1)


def test_a_surface_to_itself_is_the_identity(pair):
    ds = shapes.functional_map(pair.x, pair.x, k=25)
    assert float(np.abs(ds.c - np.eye(25)).max()) < 1e-9
    assert np.array_equal(ds.points, np.arange(200))
    assert float(ds.orthogonality) < 1e-9
    assert float(ds.commutation) < 1e-9


def test_numbers_of_vertices_do_not_matter(pair):
    order = np.random.default_rng(0).permutation(200)
    place = np.empty(200, dtype=int)
    place[order] = np.arange(200)
    other = TriangleMesh(pair.x.vertices[order], place[pair.x.faces])
    for method in ("descriptors", "fmap", "zoomout"):
        found = shapes.match(pair.x, other, method=method, k=20, k_final=40)
        assert np.array_equal(found.points, order)
    assert np.array_equal(found.carry(pair.x.vertices), other.vertices)


def test_a_rotation_of_the_sphere_turns_eigenspaces_by_its_character():
    made = trimesh.creation.icosphere(3)
    mesh = TriangleMesh(made.vertices, made.faces)
    angle = 2 * np.pi / 5  # about an axis of the icosahedron, so that vertices go to vertices
    axis = made.vertices[0] / np.linalg.norm(made.vertices[0])
    turned = trimesh.transform_points(made.vertices, trimesh.transformations.rotation_matrix(angle, axis))
    points = maps.nearest(mesh.vertices, turned)
    assert len(np.unique(points)) == len(points)
    spectrum = basis(mesh, 16)
    c = maps.of_points(points, spectrum, spectrum, 16, 16)
    for degree in range(4):
        block = slice(degree**2, (degree + 1) ** 2)
        character = np.sin((degree + 0.5) * angle) / np.sin(angle / 2)
        assert np.trace(c[block, block]) == pytest.approx(character, abs=1e-6)
        rest = np.delete(c[block], np.arange(block.start, block.stop), axis=1)
        assert np.abs(rest).max() < 1e-6
    assert np.abs(c.T @ c - np.eye(16)).max() < 1e-6


def test_maps_compose_in_a_full_basis():
    n = 60
    rng = np.random.default_rng(0)
    first, second = rng.permutation(n), rng.permutation(n)
    whole = _complete(basis(shapes.shape_pair("remeshed", n).x, n - 1))
    assert np.abs(whole.coefficients(whole.functions) - np.eye(n)).max() < 1e-10
    xy, yz, xz = (maps.of_points(p, whole, whole, n, n) for p in (first, second, first[second]))
    assert np.abs(yz @ xy - xz).max() < 1e-9


def _complete(spectrum):
    """Add the last function: what is orthogonal to all others."""
    from dataclasses import replace

    root = np.sqrt(spectrum.masses)[:, None]
    last = np.linalg.svd((root * spectrum.functions).T)[2][-1][:, None] / root
    return replace(
        spectrum,
        values=np.append(spectrum.values, 2 * spectrum.values[-1]),
        functions=np.concatenate([spectrum.functions, last], axis=1),
    )


def test_exact_descriptors_give_the_exact_map():
    rng = np.random.default_rng(0)
    c = rng.normal(size=(12, 10))
    a = rng.normal(size=(10, 15))
    found = maps.solve_map(a, c @ a, np.ones((12, 10)), 0.0)
    assert np.abs(found - c).max() < 1e-10


def test_the_batch_of_systems_equals_the_loop(pair):
    x, y = basis(pair.x, 20), basis(pair.y, 18)
    mask = maps.resolvent_mask(x.values, y.values)
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(20, 40)), rng.normal(size=(18, 40))
    found = maps.solve_map(a, b, mask, 3.0)
    for i in range(18):
        row = np.linalg.inv(a @ a.T + 3.0 * np.diag(mask[i])) @ a @ b[i]
        assert np.allclose(found[i], row, rtol=1e-8, atol=1e-10)

    # a minimum of the energy: every small change makes it larger
    def energy(c):
        return ((c @ a - b) ** 2).sum() + 3.0 * (mask * c**2).sum()

    for _ in range(5):
        assert energy(found + 1e-3 * rng.normal(size=found.shape)) > energy(found)


def test_the_mask_vanishes_for_equal_eigenvalues():
    values = np.array([0.0, 3.0, 7.0, 8.0])
    mask = maps.resolvent_mask(values, values)
    assert np.all(np.diag(mask) == 0)
    assert mask[0, 3] > mask[2, 3] > 0
    assert np.allclose(mask, maps.resolvent_mask(5 * values, 5 * values))


def test_refinement_takes_five_functions_more_at_a_time():
    pair = shapes.shape_pair("helicoid-catenoid", 150, seed=1)
    x, y = bases(pair.x, pair.y, 60)
    start = initial_map(x, y, *described(x, y, "wks"), 20, 10.0)
    steps = list(maps.zoom(start, x, y, 60, STEP))
    assert [len(c) for c in steps] == [25, 30, 35, 40, 45, 50, 55, 60]
    assert all(c.shape[0] == c.shape[1] for c in steps)


def test_a_part_is_matched_in_one_scale_by_a_slanted_map():
    pair = shapes.shape_pair("partial", 300)
    settings = {"landmarks": pair.landmarks, "k": 20, "k_final": 60}
    means = {}
    for method, scale in (("fmap", "shared"), ("zoomout", "shared"), ("zoomout", "each")):
        found = shapes.match(pair.x, pair.y, method=method, scale=scale, **settings)
        means[method, scale] = float(shapes.correspondence_error(pair, found)["mean"])
        if scale == "shared":  # Weyl: a part has fewer functions below an eigenvalue, by its share of the area
            rows, columns = found.functional_map.shape
            assert rows / columns == pytest.approx(pair.y.area / pair.x.area, abs=0.12)
    assert means["zoomout", "shared"] < 0.7 * means["fmap", "shared"]  # refinement brings it nearer to the truth
    assert means["zoomout", "shared"] < means["zoomout", "each"]
    with pytest.raises(ValueError, match="y must be a part of x"):
        shapes.match(pair.y, pair.x, scale="shared")


def test_sinkhorn_ends_with_exact_rows_and_says_what_columns_lack():
    rng = np.random.default_rng(0)
    a, b = rng.random(30), rng.random(40)
    a, b = a / a.sum(), b / b.sum()
    cost = rng.random((30, 40))
    rough, fine = maps.sinkhorn(cost, a, b), maps.sinkhorn(cost, a, b, rounds=2000)
    assert np.allclose(np.exp(rough).sum(axis=1), a, rtol=1e-12)
    assert maps.marginal_error(fine, b) < 1e-9 < maps.marginal_error(rough, b) < 0.1
    exact = transport.entropic_plan(x_weights=a, y_weights=b, cost=cost, eta=10 / cost.mean(), tolerance=1e-11)
    assert np.allclose(np.exp(fine), exact.plan.toarray(), atol=1e-8)


def test_a_map_through_plans_covers_more(pair):
    soft, hard = (
        shapes.correspondence_error(pair, shapes.match(pair.x, pair.y, method=method, k=20, k_final=50))
        for method in ("sinkhorn", "fmap")
    )
    assert float(soft.coverage) > float(hard.coverage)
    assert 0 <= float(soft.marginal_error) < 1
    assert np.isnan(hard.marginal_error)


def test_landmarks_tell_left_from_right():
    pair = shapes.shape_pair("symmetric", 250, seed=7)
    side = np.argsort(pair.places[:, 0])[[0, 20, -1, -20]]
    marks = np.stack([pair.truth[side], side], axis=1)
    alone = shapes.correspondence_error(pair, shapes.match(pair.x, pair.y, k=20, k_final=50))
    assert float(alone["mean"]) > 0.2 > 0.1 > float(alone.mean_mirrored)
    guided = shapes.match(pair.x, pair.y, landmarks=marks, k=20, k_final=50)
    assert float(shapes.correspondence_error(pair, guided)["mean"]) < 0.04
    with pytest.raises(ValueError, match=r"landmark 1 names vertex 999 of y"):
        shapes.match(pair.x, pair.y, landmarks=[[0, 999]])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"method": "zoomin"}, "unknown matcher 'zoomin'. Did you mean 'zoomout'"),
        ({"k": 300}, "k must be at most 199"),
        ({"k": 20, "k_final": 10}, "k_final must be at least 20"),
        ({"k_final": 250}, "k_final must be at most 199"),
        ({"mu": -1}, "mu must be at least 0"),
        ({"descriptors": "shot"}, "unknown descriptor"),
        ({"landmarks": [[1, 2, 3]]}, "landmarks must be up to"),
    ],
)
def test_settings_that_do_not_fit_are_refused(pair, settings, words):
    with pytest.raises(ValueError, match=words):
        shapes.match(pair.x, pair.y, **settings)


def test_work_can_be_cancelled(pair):
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        shapes.match(pair.x, pair.y, progress=progress)


def test_the_regularised_map_needs_its_mask(pair):
    x, y = basis(pair.x, 100), basis(pair.y, 100)
    a, b = described(x, y, "wks")
    with_mask, without = (initial_map(x, y, a, b, 30, mu) for mu in (10.0, 1e-6))
    away = [
        np.linalg.norm(pair.x.vertices[maps.to_points(c, x, y)] - pair.places, axis=1).mean()
        for c in (with_mask, without)
    ]
    assert away[0] < away[1]
