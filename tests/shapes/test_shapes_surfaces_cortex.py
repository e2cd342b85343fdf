"""Surfaces in GIFTI, read as its specification says and refused where a file asks for more than a surface needs."""

import base64
import gzip
import importlib.util
import zlib

import numpy as np
import pytest

from workbench import shapes
from workbench.shapes.meshes import icosphere
from workbench.shapes.surfaces.gifti import hull_faces, read_gifti


def written(places, faces, *, packed=True, order="Little", layout="RowMajorOrder", head=""):
    parts = []
    for intent, values, kind in (("POINTSET", places, "f4"), ("TRIANGLE", faces, "i4")):
        name = {"f4": "FLOAT32", "i4": "INT32"}[kind]
        raw = np.asarray(values).astype((">" if order == "Big" else "<") + kind)
        raw = raw.tobytes(order="F" if layout.startswith("Column") else "C")
        text = base64.b64encode(zlib.compress(raw) if packed else raw).decode()
        parts.append(
            f'<DataArray Intent="NIFTI_INTENT_{intent}" DataType="NIFTI_TYPE_{name}" Dimensionality="2" '
            f'Dim0="{len(values)}" Dim1="3" ArrayIndexingOrder="{layout}" Endian="{order}Endian" '
            f'Encoding="{"GZip" if packed else ""}Base64Binary"><Data>{text}</Data></DataArray>'
        )
    return f'<?xml version="1.0"?>{head}<GIFTI>{"".join(parts)}</GIFTI>'.encode()


@pytest.mark.parametrize("options", [{}, {"packed": False}, {"order": "Big"}, {"layout": "ColumnMajorOrder"}])
def test_a_surface_is_read_in_every_layout(options, tmp_path):
    ball = icosphere(42)
    path = tmp_path / "ball.gii.gz"
    path.write_bytes(gzip.compress(written(ball.vertices, ball.faces, **options)))
    places, faces = read_gifti(path)
    np.testing.assert_allclose(places, ball.vertices, atol=1e-7)
    np.testing.assert_array_equal(faces, ball.faces)


def test_smaller_spheres_are_the_hulls_of_the_first_vertices():
    fine = icosphere(642).vertices
    for size in (12, 42, 162):
        faces = hull_faces(fine[:size])
        assert {frozenset(face) for face in faces.tolist()} == {frozenset(f) for f in icosphere(size).faces.tolist()}
        assert shapes.Surface(fine[:size], faces).volume > 0


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (written(np.eye(3), [[0, 1, 2]], head='<!DOCTYPE a [<!ENTITY b "c">]>'), "declares entities"),
        (b"<GIFTI>", "is no GIFTI file"),
        (b"<GIFTI></GIFTI>", "has no points"),
        (written(np.eye(3), [[0, 1, 2]]).replace(b'Dim0="3"', b'Dim0="4"'), "9 numbers that says it is"),
        (written(np.eye(3), [[0, 1, 2]]).replace(b"GZipBase64", b"ASCII"), "base64 of numbers"),
    ],
)
def test_what_is_no_surface_is_refused(data, told, tmp_path):
    path = tmp_path / "bad.gii"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=told):
        read_gifti(path)


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
