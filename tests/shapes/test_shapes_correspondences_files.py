"""Meshes from files, GIFTI above all, and the cortex where it is installed."""

import base64
import gzip
import importlib.util
import io
import zlib

import numpy as np
import pytest

from workbench import shapes
from workbench.shapes.correspondences import cortex
from workbench.shapes.correspondences.examples import available, directions
from workbench.shapes.correspondences.gifti import read_gifti

POINTS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.5]])
FACES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]])


def array(values, intent, kind, encoding="GZipBase64Binary", **changes):
    dtype = {"NIFTI_TYPE_FLOAT32": "<f4", "NIFTI_TYPE_INT32": "<i4"}[kind]
    raw = np.asarray(values).astype(dtype).tobytes()
    if encoding == "ASCII":
        text = " ".join(map(str, np.ravel(values).tolist()))
    else:
        text = base64.b64encode(zlib.compress(raw) if encoding[0] == "G" else raw).decode()
    about = {
        "Intent": intent,
        "DataType": kind,
        "Encoding": encoding,
        "Endian": "LittleEndian",
        "ArrayIndexingOrder": "RowMajorOrder",
        "Dimensionality": 2,
        "Dim0": len(values),
        "Dim1": 3,
    } | changes
    told = " ".join(f'{key}="{value}"' for key, value in about.items())
    return f"<DataArray {told}><MetaData/><Data>{text}</Data></DataArray>"


def surface(encoding="GZipBase64Binary", head="", **changes):
    points = array(POINTS, "NIFTI_INTENT_POINTSET", "NIFTI_TYPE_FLOAT32", encoding, **changes)
    faces = array(FACES, "NIFTI_INTENT_TRIANGLE", "NIFTI_TYPE_INT32", encoding)
    doctype = '<!DOCTYPE GIFTI SYSTEM "http://www.nitrc.org/frs/download.php/1594/gifti.dtd">'
    return f'<?xml version="1.0"?>{head or doctype}<GIFTI Version="1.0">{points}{faces}</GIFTI>'.encode()


@pytest.mark.parametrize("encoding", ["ASCII", "Base64Binary", "GZipBase64Binary"])
@pytest.mark.parametrize("packed", [False, True])
def test_gifti_is_read_in_its_encodings(encoding, packed):
    data = surface(encoding)
    points, faces = read_gifti(gzip.compress(data) if packed else data, "a.gii")
    assert np.array_equal(points, POINTS)
    assert np.array_equal(faces, FACES)


def test_a_mesh_is_read_by_its_ending(tmp_path):
    path = tmp_path / "left.surf.gii.gz"
    path.write_bytes(gzip.compress(surface()))
    assert shapes.read_mesh(path).euler == 2
    stream = io.BytesIO(surface())
    stream.name = "left.gii"
    assert np.array_equal(shapes.read_mesh(stream).vertices, POINTS)
    assert shapes.read_mesh(surface(), file_format="gii").area == pytest.approx(shapes.read_mesh(path).area)
    with pytest.raises(ValueError, match="points without faces"):
        shapes.read_mesh(b"1 2 3\n4 5 6\n", file_format="xyz")


BOMB = '<!DOCTYPE GIFTI [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"solid", "no XML"),
        (b"<html></html>", "begins with <html>"),
        (b"<GIFTI></GIFTI>", "no array of NIFTI_INTENT_POINTSET"),
        (surface(head=BOMB), "declares XML entities"),
        (surface(Dim0=10**12), "dimensions"),
        (surface(Dim0=5), "promises 60 bytes and has 48"),
        (surface(Dim0=3), "unpacks to more than 36 bytes"),
        (surface(Dim1=2, Dim0=6), "three columns"),
        (surface(DataType="NIFTI_TYPE_RGB24"), "RGB24"),
        (surface(Encoding="ExternalFileBinary"), "ExternalFileBinary"),
        (surface(Dimensionality="x"), "does not say its dimensions"),
        (surface("ASCII").replace(b"1.5", b"one"), "no number"),
        (surface().replace(b"<Data>e", b"<Data>!"), "not in base64"),
        (surface("Base64Binary", Encoding="GZipBase64Binary"), "cannot be unpacked"),
        (gzip.compress(surface(), mtime=0)[:40], "no XML"),
    ],
)
def test_a_broken_gifti_is_refused_with_the_reason(data, words):
    with pytest.raises(ValueError, match=words):
        read_gifti(data, "a.gii")


def test_surfaces_are_found_overdirections_of_their_sphere():
    way, faces = directions(500, np.random.default_rng(0))
    linear = way @ np.array([[1, 2, 0], [0, 1, 0], [3, 0, 1.0]]) * np.array([2.0, 1.0, 0.5])
    asked, _ = directions(90, np.random.default_rng(1))
    on_sphere, moved = cortex.atdirections(asked, 40 * way, faces, way, linear)
    unit = on_sphere / np.linalg.norm(on_sphere, axis=1, keepdims=True)
    assert np.abs(unit - asked).max() < 1e-12  # the point of the flat face in this very direction
    scaled = on_sphere @ np.array([[1, 2, 0], [0, 1, 0], [3, 0, 1.0]]) * np.array([2.0, 1.0, 0.5])
    assert np.allclose(moved, scaled, atol=1e-12)
    (exact,) = cortex.atdirections(way[:20], way, faces, linear)
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
