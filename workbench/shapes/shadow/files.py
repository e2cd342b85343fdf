"""Points of the plane and road maps from the user's own files: tables, and GeoJSON."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench import isolated, results
from workbench.clouds.decoding import open_text
from workbench.clouds.source import bytes_of
from workbench.clouds.tables import read_table
from workbench.progress import Progress
from workbench.shapes.shadow.complexes import MOST_POINTS
from workbench.shapes.shadow.graphs import MOST_GRAPH_EDGES, Graph

FORMATS = ("csv", "tsv", "txt", "geojson", "json")
DEFAULT_LIMIT = 8 * 2**20
LIMITS = isolated.Limits(seconds=30, memory=2**30)
EARTH = 6371.0088
"""Mean radius in kilometres."""
_DEGREES = {"x": r"\b(longitude|long?|lng)\b", "y": r"\b(latitude|lat)\b"}


class PlanarReading(NamedTuple):
    """What a file holds: points (n, 2), the graph that its lines make (None: it has points only), how it was read."""

    points: NDArray[np.float64]
    graph: Graph | None
    sentence: str


def read_planar(
    source: str | os.PathLike[str] | BinaryIO,
    *,
    max_bytes: int = DEFAULT_LIMIT,
    apart: bool = False,
    progress: Progress | None = None,
) -> PlanarReading:
    """Read points of the plane from a table (CSV, TSV, text) or points and lines from GeoJSON.

    Columns named x and y, or longitude and latitude, are taken from a table with names; one without names has two
    columns. Longitudes and latitudes (GeoJSON always) become kilometres east and north of their middle on a tangent
    cylinder, which is right to a part in a thousand over 200 km. The lines of a GeoJSON file make a graph: equal
    positions are one vertex, crossings without a common position are none.

    Raises ``FileNotFoundError``; ``ValueError`` for an unknown format, another number of columns, more than 20,000
    points or 2,000 pieces of lines, degrees out of range, and whatever is no GeoJSON. ``apart`` reads in a process
    that can be ended.

    >>> import io
    >>> stream = io.BytesIO(b'{"type": "LineString", "coordinates": [[0, 0], [0, 1], [1, 1]]}')
    >>> stream.name = "roads.geojson"
    >>> read_planar(stream).sentence
    '3 positions, 2 pieces of lines; degrees to kilometres'
    """
    name, data = bytes_of(source, max_bytes)
    return read_bytes(data, name, apart=apart, progress=progress)


def read_bytes(data: bytes, name: str, *, apart: bool = False, progress: Progress | None = None) -> PlanarReading:
    """Read the bytes of a file called ``name``, whose ending tells the format, as :func:`read_planar`."""
    kind = Path(name).suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise ValueError(f"cannot read {name!r} as {kind or 'nothing'!r}; the formats are {', '.join(FORMATS)}")
    found = (
        isolated.call(planar_apart, data, name, limits=LIMITS, progress=progress) if apart else planar_apart(data, name)
    )
    points, edges = np.asarray(found["points"]), np.asarray(found["edges"])
    return PlanarReading(points, Graph(points, edges) if len(edges) else None, str(found["told"]))


def planar_apart(data: bytes, name: str) -> dict[str, Any]:
    """Return points, edges and a sentence as they travel between processes."""
    if name.lower().endswith("json"):
        return _geojson(data, name)
    degrees = False
    text = open_text(data, name)
    _, head = next(iter(text.lines()), (0, ""))
    if re.search(_DEGREES["x"], head, re.IGNORECASE) and re.search(_DEGREES["y"], head, re.IGNORECASE):
        degrees = True
        named = head
        for letter, pattern in _DEGREES.items():
            named = re.sub(pattern, letter, named, count=1, flags=re.IGNORECASE)
        body = bytes(text.data).decode(text.encoding)
        data = body.replace(head.strip(), named.strip(), 1).encode()
    points, told = read_table(data, name)
    if points.shape[1] != 2:
        raise ValueError(
            f"{name} has {points.shape[1]} columns; points of the plane have two, or name the columns x and y, or "
            "longitude and latitude"
        )
    _check_count(name, len(points))
    points = _kilometres(points, name) if degrees else points
    return {
        "points": points,
        "edges": np.empty((0, 2), dtype=np.int64),
        "told": f"{told}; degrees to kilometres" if degrees else told,
    }


def _geojson(data: bytes, name: str) -> dict[str, Any]:
    try:
        document = results.read_json(data.decode("utf-8-sig"))
    except ValueError as error:  # of the decoding and of the JSON alike
        raise ValueError(f"{name} is no JSON: {str(error)[:120]}") from None
    place: dict[tuple[float, float], int] = {}
    edges: set[tuple[int, int]] = set()
    for is_line, coordinates in _geometries(document, name):
        last = None
        for position in coordinates:
            here = place.setdefault(_position(position, name), len(place))
            if is_line and last is not None and last != here:
                edges.add((min(last, here), max(last, here)))
            last = here
        _check_count(name, len(place))
        if len(edges) > MOST_GRAPH_EDGES:
            raise ValueError(f"{name} has more than {MOST_GRAPH_EDGES} pieces of lines; cut out a smaller region")
    if not place:
        raise ValueError(f"{name} holds no positions; give Points, LineStrings or Polygons")
    told = f"{len(place)} positions, {len(edges)} pieces of lines; degrees to kilometres"
    points = _kilometres(np.array(list(place)), name)
    return {"points": points, "edges": np.array(sorted(edges), dtype=np.int64).reshape(-1, 2), "told": told}


_DEPTH = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}


def _geometries(value: Any, name: str) -> Iterator[tuple[bool, list[Any]]]:
    """Yield (is a line, positions) for every point set and line of a GeoJSON object."""
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise ValueError(f'{name} is no GeoJSON: an object with a "type" is missing')
    kind = value["type"]
    if kind == "FeatureCollection":
        for feature in _list(value.get("features"), name):
            yield from _geometries(feature, name)
    elif kind == "Feature":
        if value.get("geometry") is not None:
            yield from _geometries(value["geometry"], name)
    elif kind == "GeometryCollection":
        for geometry in _list(value.get("geometries"), name):
            yield from _geometries(geometry, name)
    elif kind in _DEPTH:
        coordinates = _list(value.get("coordinates"), name)
        if kind == "Point":
            yield False, [coordinates]
        else:
            lines = [coordinates]
            for _ in range(_DEPTH[kind] - 1):
                lines = [inner for line in lines for inner in _list(line, name)]
            for line in lines:
                yield kind != "MultiPoint", _list(line, name)
    else:
        raise ValueError(f"{name} has a {kind[:40]!r}, which GeoJSON does not know")


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{name} is no GeoJSON: a list is missing where {str(value)[:40]!r} stands")
    return value


def _position(value: Any, name: str) -> tuple[float, float]:
    numbers = _list(value, name)[:2]
    if len(numbers) < 2 or not all(type(v) in (int, float) and abs(v) <= 360 for v in numbers):
        raise ValueError(f"{name} has a position that is no longitude and latitude: {str(value)[:60]!r}")
    return float(numbers[0]), float(numbers[1])


def _kilometres(degrees: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """Return longitudes and latitudes as kilometres from their middle."""
    if np.abs(degrees[:, 1]).max() > 89 or np.abs(degrees[:, 0]).max() > 360:
        raise ValueError(f"{name} has latitudes beyond ±89° or longitudes beyond ±360°")
    middle = (degrees.min(axis=0) + degrees.max(axis=0)) / 2
    return EARTH * np.radians(degrees - middle) * np.array([np.cos(np.radians(middle[1])), 1.0])


def _check_count(name: str, count: int) -> None:
    if count > MOST_POINTS:
        raise ValueError(f"{name} has more than {MOST_POINTS} points; thin it out or cut out a smaller region")
