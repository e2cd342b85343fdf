"""Points and roads from files, good and bad."""

import io
import json

import numpy as np
import pytest

from workbench import shapes
from workbench.shapes.shadow import files
from workbench.shapes.shadow.files import EARTH, read_bytes


def test_tables_in_their_dialects():
    plain = read_bytes(b"0 1\n2 3\n", "a.txt")
    named = read_bytes(b"id;y;x\n7;1,5;0\n8;3;2\n", "b.csv")
    assert plain.points.tolist() == [[0, 1], [2, 3]]
    assert named.points.tolist() == [[0, 1.5], [2, 3]]
    assert named.graph is None


def test_longitudes_and_latitudes_become_kilometres():
    table = b"time,latitude,longitude,mag\nmonday,10,20,5\ntuesday,11,20,4\nsunday,11,21,4\n"
    found = read_bytes(table, "quakes.csv")
    km = EARTH * np.pi / 180
    assert np.allclose(found.points[1] - found.points[0], [0, km])
    assert np.allclose(found.points[2] - found.points[1], [km * np.cos(np.radians(10.5)), 0])
    assert "degrees to kilometres" in found.sentence


def test_geojson_lines_make_a_graph():
    ring = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    line = {"type": "LineString", "coordinates": [[0, 0], [0, 1, 300]]}
    features = [{"type": "Feature", "geometry": g} for g in (ring, line, None)]
    found = read_bytes(json.dumps({"type": "FeatureCollection", "features": features}).encode(), "roads.geojson")
    assert found.graph.betti == (1, 1)
    assert len(found.points) == 4


def test_geojson_points_make_a_sample():
    points = {"type": "GeometryCollection", "geometries": [
        {"type": "Point", "coordinates": [5, 5]}, {"type": "MultiPoint", "coordinates": [[6, 5], [5, 6]]}]}  # fmt: skip
    found = read_bytes(json.dumps(points).encode(), "p.json")
    assert found.graph is None
    assert found.points.shape == (3, 2)


BAD = [
    (b'{"type": "LineString"}', "a list is missing"),
    (b'{"type": "Topology"}', "does not know"),
    (b"[1, 2]", 'with a "type" is missing'),
    (b'{"type": "Point", "coordinates": ["a", 1]}', "no longitude and latitude"),
    (b'{"type": "Point", "coordinates": [NaN, 1]}', "no longitude and latitude"),
    (b'{"type": "Point", "coordinates": [1e400, 1]}', "no longitude and latitude"),
    (b'{"type": "Point", "coordinates": [true, 1]}', "no longitude and latitude"),
    (b'{"type": "Point", "coordinates": [0, 90]}', "beyond"),
    (b'{"type": "FeatureCollection", "features": []}', "no positions"),
    (b'{"type": ' + b"[" * 5000 + b"]" * 5000 + b"}", "nested"),
    (b"\xff\xfe\x00", "no JSON"),
    (b'{"type": "MultiPolygon", "coordinates": [1]}', "a list is missing"),
]


@pytest.mark.parametrize(("data", "words"), BAD)
def test_what_is_no_geojson_is_refused_in_words(data, words):
    with pytest.raises(ValueError, match=words):
        read_bytes(data, "bad.geojson")


def test_sizes_are_bounded_before_work(monkeypatch):
    monkeypatch.setattr(files, "MOST_GRAPH_EDGES", 5)
    line = {"type": "LineString", "coordinates": [[k, 0] for k in range(10)]}
    with pytest.raises(ValueError, match="more than 5 pieces"):
        read_bytes(json.dumps(line).encode(), "long.geojson")
    with pytest.raises(ValueError, match="3 columns"):
        read_bytes(b"1 2 3\n4 5 6\n", "space.txt")
    with pytest.raises(ValueError, match="the formats are"):
        read_bytes(b"1 2", "a.xlsx")


def test_a_file_is_read_apart_as_it_is_here():
    stream = io.BytesIO(b'{"type": "LineString", "coordinates": [[0, 0], [0, 1], [1, 1]]}')
    stream.name = "roads.geojson"
    here, apart = shapes.read_planar(stream), read_bytes(stream.getvalue(), stream.name, apart=True)
    assert np.array_equal(here.points, apart.points)
    assert np.array_equal(here.graph.edges, apart.graph.edges)
    assert here.sentence == apart.sentence
