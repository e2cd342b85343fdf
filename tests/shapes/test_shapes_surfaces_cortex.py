"""The average cortex: its smaller meshes, its known sizes, and what is said where it is not installed."""

import importlib.util

import numpy as np
import pytest

from workbench import shapes
from workbench.shapes.cortex import hull_faces
from workbench.shapes.meshes import icosphere


def test_smaller_spheres_are_the_hulls_of_the_first_vertices():
    fine = icosphere(642).vertices
    for size in (12, 42, 162):
        faces = hull_faces(fine[:size])
        assert {frozenset(face) for face in faces.tolist()} == {frozenset(f) for f in icosphere(size).faces.tolist()}
        assert shapes.Surface(fine[:size], faces).volume > 0


def test_names_sizes_and_a_missing_package_are_told(monkeypatch):
    with pytest.raises(ValueError, match="Did you mean 'pial'"):
        shapes.cortex("pail")
    with pytest.raises(ValueError, match="size must be one of 12, 42"):
        shapes.cortex(size=100)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="install it"):
        shapes.cortex()


@pytest.mark.skipif(importlib.util.find_spec("nilearn") is None, reason="nilearn is not installed")
def test_the_average_brain_has_its_known_area_and_thickness():
    white, pial = (shapes.cortex(layer, size=10242) for layer in ("white", "pial"))
    assert white.area == pytest.approx(66661.80, abs=0.01)
    assert white.volume == pytest.approx(336494.81, abs=0.01)
    assert pial.area == pytest.approx(76345.45, abs=0.01)
    assert np.linalg.norm(white.vertices - pial.vertices, axis=1).mean() == pytest.approx(2.5062, abs=1e-4)
    assert len(shapes.find_crossings(white).pairs) == 0
    assert len(shapes.find_crossings(shapes.cortex("white", "right", size=10242)).pairs) == 3
