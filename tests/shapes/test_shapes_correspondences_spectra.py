"""Spectra against closed forms: the sphere, flat and rolled rectangles, one surface bent, one surface scaled."""

import importlib.util

import numpy as np
import pytest
import trimesh

from workbench import shapes
from workbench.shapes.correspondences.descriptors import paired
from workbench.shapes.correspondences.laplacian import DENSE, basis, cotangent
from workbench.shapes.correspondences.mesh import TriangleMesh, matchable

SIDES = (2.0, 1.3)


def sphere(subdivisions):
    made = trimesh.creation.icosphere(subdivisions)
    return TriangleMesh(made.vertices, made.faces)


def sheet(rows, columns, rolled=False):
    u, v = np.meshgrid(np.linspace(0, SIDES[0], columns), np.linspace(0, SIDES[1], rows))
    u, v = u.ravel(), v.ravel()
    flat = np.stack([u, v, 0 * u], axis=1)
    bent = np.stack([np.sin(u), v, np.cos(u)], axis=1)
    k = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = (part.ravel() for part in (k[:-1, :-1], k[:-1, 1:], k[1:, :-1], k[1:, 1:]))
    return TriangleMesh(bent if rolled else flat, np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)]))


@pytest.fixture(scope="module")
def spheres():
    return [shapes.spectrum(sphere(s), k=17).eigenvalue.values for s in (2, 3)]


def test_the_sphere_has_its_eigenvalues_with_their_multiplicities(spheres):
    exact = np.repeat([l * (l + 1) for l in range(4)], [2 * l + 1 for l in range(4)])
    coarse, fine = (values[: len(exact)] for values in spheres)
    assert np.abs(fine[4:] / exact[4:] - 1).max() < 0.015
    # the error falls like h², a factor of 4 for each subdivision (l = 1 converges faster)
    orders = np.log2(np.abs(coarse[4:] - exact[4:]).mean() / np.abs(fine[4:] - exact[4:]).mean())
    assert 1.8 < orders < 2.2


@pytest.mark.parametrize("rolled", [False, True])
def test_a_rectangle_has_its_neumann_spectrum_flat_or_rolled(rolled):
    m, n = np.meshgrid(np.arange(8), np.arange(8))
    exact = np.sort((np.pi**2 * (m**2 / SIDES[0] ** 2 + n**2 / SIDES[1] ** 2)).ravel())[:12]
    found = shapes.spectrum(sheet(27, 41, rolled), k=12)
    assert np.allclose(found.eigenvalue, exact, rtol=0.012, atol=1e-8)
    assert float(found.residual) < 1e-8
    gram = found.eigenfunction.values.T @ (found.mass.values[:, None] * found.eigenfunction.values)
    assert np.abs(gram - np.eye(12)).max() < 1e-9


def test_bending_without_stretching_leaves_the_spectrum():
    pairs = [shapes.shape_pair("helicoid-catenoid", 500, dial=t, seed=3) for t in (0.0, 0.8, np.pi / 2)]
    assert np.array_equal(pairs[0].y.faces, pairs[2].y.faces)
    values = [basis(pair.y, 16).values for pair in pairs]
    for other in values[1:]:
        assert np.abs(other[1:] / values[0][1:] - 1).max() < 0.02
    assert pairs[2].y.area == pytest.approx(pairs[0].y.area, rel=0.01)


def test_both_solvers_agree_and_eigenspaces_do():
    mesh = sphere(2)
    pieces = sheet(21, 21)
    assert len(mesh.vertices) < DENSE < len(pieces.vertices)
    stiffness, masses = cotangent(pieces)
    import scipy.linalg

    exact = scipy.linalg.eigh(stiffness.toarray(), np.diag(masses), eigvals_only=True, subset_by_index=[0, 9])
    assert np.allclose(basis(pieces, 10).values, exact * pieces.area, rtol=1e-9, atol=1e-6)
    whole = basis(mesh, 9).functions
    projector = whole[:, 1:4] @ whole[:, 1:4].T  # of the eigenspace l = 1, which has no columns of its own
    assert np.allclose(projector, 3 * mesh.vertices @ mesh.vertices.T, atol=0.06)


def test_scaling_scales_the_spectrum_and_leaves_signatures():
    pair = shapes.shape_pair("remeshed", 150)
    large = TriangleMesh(7.5 * pair.x.vertices, pair.x.faces)
    one, other = shapes.spectrum(pair.x, k=20), shapes.spectrum(large, k=20)
    assert np.allclose(one.eigenvalue, 7.5**2 * other.eigenvalue, atol=1e-8)
    for name in shapes.DESCRIPTORS:
        a, b = paired(basis(pair.x, 40), basis(large, 40), name)
        assert np.allclose(a, b, rtol=1e-6)
        assert a.shape == (150, 100)


def test_a_mesh_is_mended_and_what_was_done_is_told():
    box = trimesh.creation.box().subdivide()
    soup = TriangleMesh(box.triangles.reshape(-1, 3), np.arange(3 * len(box.faces)).reshape(-1, 3))
    assert (len(soup.vertices), soup.euler, soup.boundary, soup.is_oriented) == (26, 2, 0, True)
    assert "coincident vertices merged" in soup.told
    assert soup.area == pytest.approx(6.0)
    assert soup.masses.sum() == pytest.approx(6.0)
    more = TriangleMesh([*box.vertices, [9, 9, 9]], [*box.faces, [0, 0, 1], box.faces[0]])
    assert "1 vertex of no face left out" in more.told
    assert "2 faces without area or given twice left out" in more.told
    assert np.array_equal(more.vertices, np.asarray(box.vertices))  # the order of vertices is kept


def test_what_has_no_spectrum_or_match_is_refused_in_words():
    good = sphere(1)
    with pytest.raises(ValueError, match="k must be at most 41 for a mesh of 42 vertices"):
        shapes.spectrum(good, k=42)
    with pytest.raises(ValueError, match="faces must name vertices 0 to 2"):
        TriangleMesh(np.eye(3), [[0, 1, 3]])
    with pytest.raises(ValueError, match="no face of the mesh has an area"):
        TriangleMesh([[0, 0, 0], [1, 0, 0], [2, 0, 0]], [[0, 1, 2]])
    with pytest.raises(ValueError, match="cut polygons into triangles"):
        TriangleMesh(np.eye(4)[:, :3], [[0, 1, 2, 3]])
    with pytest.raises(TypeError, match="must be a mesh"):
        shapes.spectrum(5)
    twice = trimesh.util.concatenate([trimesh.creation.icosphere(1), trimesh.creation.icosphere(1).apply_scale(3)])
    mesh = TriangleMesh(twice.vertices, twice.faces)
    assert int(shapes.spectrum(mesh, k=5).zeros) == 2
    with pytest.raises(ValueError, match="2 pieces"):
        matchable("x", mesh)
    assert mesh.largest_component().area == pytest.approx(9 * good.area)


@pytest.mark.skipif(importlib.util.find_spec("robust_laplacian") is None, reason="needs robust-laplacian")
def test_the_robust_laplacian_agrees_on_a_good_mesh():
    mesh = sphere(2)
    assert np.allclose(basis(mesh, 9, "robust").values, basis(mesh, 9).values, rtol=1e-3, atol=1e-6)


@pytest.mark.skipif(importlib.util.find_spec("robust_laplacian") is not None, reason="robust-laplacian is installed")
def test_the_robust_laplacian_is_asked_for_by_name():
    with pytest.raises(ValueError, match=r"geometry-workbench\[shapes\]"):
        basis(sphere(1), 5, "robust")
