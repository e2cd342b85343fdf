"""Surfaces in GIFTI, read as the format says and refused where a file asks for more than a surface needs."""

import gzip

import numpy as np
import pytest
from gifti_files import gifti

from workbench import shapes
from workbench.clouds import foreign, read_cloud
from workbench.clouds.gifti import read_gifti

POINTS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.5]])
FACES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]])
LIMIT = 10**6


def surface(*options, **changes):
    return gifti(POINTS, FACES, *options, **changes)


@pytest.mark.parametrize("encoding", ["ASCII", "Base64Binary", "GZipBase64Binary"])
@pytest.mark.parametrize("layout", ["RowMajorOrder", "ColumnMajorOrder"])
@pytest.mark.parametrize("endian", ["LittleEndian", "BigEndian"])
def test_a_surface_is_read_in_every_layout(encoding, layout, endian):
    data = surface(encoding, layout=layout, endian=endian)
    for given in (data, gzip.compress(data)):
        found = read_gifti(given, "a.gii", LIMIT)
        assert np.array_equal(found.vertices, POINTS)
        assert np.array_equal(found.triangles, FACES)


def test_every_reader_of_meshes_knows_it_by_its_ending(tmp_path):
    path = tmp_path / "left.surf.gii.gz"
    path.write_bytes(gzip.compress(surface()))
    assert read_cloud(path).sentence == "4 vertices, 4 triangles, GIFTI"
    assert shapes.read_mesh(path).euler == 2
    loaded = shapes.load_surface(path)
    assert (loaded.name, len(loaded.faces)) == ("left.surf", 4)
    assert shapes.load_surface(surface(), file_format="gii").area == pytest.approx(loaded.area)
    theirs = foreign.read_cloud(path.read_bytes(), path.name, max_bytes=LIMIT)
    assert np.array_equal(theirs.faces, FACES)
    with (tmp_path / "left.gii").open("wb+") as stream:
        stream.write(surface())
        stream.seek(0)
        assert np.array_equal(shapes.read_mesh(stream).vertices, POINTS)
    with pytest.raises(ValueError, match="as 'gz'"):
        read_cloud(tmp_path / "left.gii", file_format="gz")


BOMB = '<!DOCTYPE GIFTI [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"solid", "no XML"),
        (b"<html></html>", "begins with <html>"),
        (b"<GIFTI></GIFTI>", "no array of NIFTI_INTENT_POINTSET"),
        (surface(head=BOMB), "declares XML entities"),
        (surface(Dim0=10**13), "dimensions"),
        (surface(Dim0=10**6), "promises 12,000,000 bytes; the limit is 1,000,000"),
        (surface(Dim0=5), "promises 60 bytes and has 48"),
        (surface(Dim0=3), "unpacks to more than 36 bytes"),
        (surface(Dim1=2, Dim0=6), "three columns"),
        (surface(DataType="NIFTI_TYPE_RGB24"), "RGB24"),
        (surface(Encoding="ExternalFileBinary"), "ExternalFileBinary"),
        (surface(Dimensionality="x"), "does not say its dimensions"),
        (surface("ASCII").replace(b"1.5", b"one"), "no number"),
        (surface("ASCII").replace(b"1.5", b"nan"), "vertex 3 is .*NaN or infinite"),
        (surface().replace(b"<Data>e", b"<Data>!"), "not in base64"),
        (surface("Base64Binary", Encoding="GZipBase64Binary"), "cannot be unpacked"),
        (gzip.compress(surface(), mtime=0)[:40], "no XML"),
        (gzip.compress(surface() + b" " * LIMIT), "unpacks to more than 1,000,000 bytes"),
        (gifti(POINTS, [[0, 1, 4]]), r"triangle 0 names the vertices \[0, 1, 4\], and the file has 4"),
        (gifti(POINTS, [[0, 1, -1]]), "triangle 0 names"),
    ],
)
def test_a_broken_file_is_refused_with_the_reason(data, words):
    with pytest.raises(ValueError, match=words):
        read_gifti(data, "a.gii", LIMIT)
