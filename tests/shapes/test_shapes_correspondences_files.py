"""Meshes from files, and the cortex where it is installed."""

import importlib.util

import numpy as np
import pytest

from workbench import shapes
from workbench.shapes.correspondences import cortex
from workbench.shapes.correspondences.examples import _directions, available


def test_points_without_faces_are_no_mesh():
    with pytest.raises(ValueError, match="points without faces"):
        shapes.read_mesh(b"1 2 3\n4 5 6\n", file_format="xyz")


def test_surfaces_are_found_over_directions_of_their_sphere():
    way, faces = _directions(500, np.random.default_rng(0))
    linear = way @ np.array([[1, 2, 0], [0, 1, 0], [3, 0, 1.0]]) * np.array([2.0, 1.0, 0.5])
    asked, _ = _directions(90, np.random.default_rng(1))
    on_sphere, moved = cortex.at_directions(asked, 40 * way, faces, way, linear)
    unit = on_sphere / np.linalg.norm(on_sphere, axis=1, keepdims=True)
    assert np.abs(unit - asked).max() < 1e-12  # the point of the flat face in this very direction
    scaled = on_sphere @ np.array([[1, 2, 0], [0, 1, 0], [3, 0, 1.0]]) * np.array([2.0, 1.0, 0.5])
    assert np.allclose(moved, scaled, atol=1e-12)
    (exact,) = cortex.at_directions(way[:20], way, faces, linear)
    assert np.allclose(exact, linear[:20])


@pytest.mark.skipif(importlib.util.find_spec("nilearn") is not None, reason="nilearn is installed")
def test_a_pair_whose_package_is_missing_says_so():
    assert "cortex-pial" not in available()
    with pytest.raises(ValueError, match="install nilearn"):
        shapes.shape_pair("cortex-pial")


@pytest.mark.skipif(importlib.util.find_spec("nilearn") is None, reason="needs nilearn")
def test_the_cortex_is_matched_to_its_pial_surface():
    pair = shapes.shape_pair("cortex-pial", 400)
    assert pair.x.euler == pair.y.euler == 2
    found = shapes.match(pair.x, pair.y)
    assert float(shapes.correspondence_error(pair, found)["mean"]) < 0.06
