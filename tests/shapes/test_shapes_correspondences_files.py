"""Meshes from files, and the cortex where it is installed."""

import importlib.util
import io

import numpy as np
import pytest

from workbench import shapes
from workbench.shapes.correspondences import cortex
from workbench.shapes.correspondences.examples import available, directions


def test_points_without_faces_are_no_mesh():
    with pytest.raises(ValueError, match="points without faces"):
        shapes.read_mesh(b"1 2 3\n4 5 6\n", file_format="xyz")


def test_surfaces_are_found_over_directions_of_their_sphere():
    way, faces = directions(500, np.random.default_rng(0))
    linear = way @ np.array([[1, 2, 0], [0, 1, 0], [3, 0, 1.0]]) * np.array([2.0, 1.0, 0.5])
    asked, _ = directions(90, np.random.default_rng(1))
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


def table(text, name="marks.csv"):
    stream = io.BytesIO(text)
    stream.name = name
    return stream


def test_landmarks_are_read_and_guide_a_match():
    body = shapes.shape_pair("symmetric", 150, seed=3)
    sides = np.argsort(body.places[:, 0])[[0, 12, -1, -12]]
    rows = "\n".join(f"{body.truth[v]};{v}" for v in sides)
    marks = shapes.read_landmarks(table(f"x;y\n{rows}\n".encode()))
    assert np.array_equal(marks, np.stack([body.truth[sides], sides], axis=1))
    guided = shapes.match(body.x, body.y, landmarks=marks, k_final=40)
    away = np.linalg.norm(body.x.vertices[guided.points] - body.places, axis=1)
    assert np.median(away) < 0.3  # … not at the mirror image


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        (b"1,2,3\n4,5,6\n", "a.csv", "3 columns"),
        (b"1,2\n1.5,3\n", "a.csv", "pair 2 of a.csv is 1.5, 3"),
        (b"1,2\n-1,3\n", "a.csv", "counted from 0"),
        (b"1,2\n3,2\n", "a.csv", "vertex 2 of Y twice"),
        (b"1,2\n", "a.pdf", "the formats are csv"),
        ("\n".join(f"{k},{k}" for k in range(201)).encode(), "a.csv", "at most 200"),
        (b"a,b\n", "a.csv", "a.csv"),
    ],
)
def test_tables_that_hold_no_landmarks_are_refused(text, name, words):
    with pytest.raises(ValueError, match=words):
        shapes.read_landmarks(table(text, name))
