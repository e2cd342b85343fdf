"""Clouds from the user's own files: tables (CSV, XYZ), meshes (PLY, OBJ, STL, OFF, GIFTI), arrays (NPY, NPZ), never
pickled.

A file is judged before it is read: its size, and whether it is what its name says. How it was read is said in a
sentence, for a table of five columns and decimal commas can be read in many ways and only one of them is meant.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from workbench import checks
from workbench.clouds.arrays import read_npy, read_npz
from workbench.clouds.gifti import read_gifti
from workbench.clouds.meshes import read_off, read_stl
from workbench.clouds.obj import read_obj
from workbench.clouds.ply import read_ply
from workbench.clouds.tables import LARGEST_DIM, read_table

FORMATS = ("ply", "obj", "stl", "off", "gii", "gii.gz", "xyz", "csv", "txt", "tsv", "npy", "npz")
DEFAULT_LIMIT = 256 * 2**20
DEFAULT_SAMPLES = 2048
BLOCK = 2**16
Points = NDArray[np.float64]
Source = str | os.PathLike[str] | bytes | BinaryIO


@dataclass(frozen=True)
class Reading:
    """What a file holds: ``points`` (n, d), perhaps ``weights`` (n,) and ``faces`` (t, 3), and how it was read."""

    points: Points
    weights: NDArray[np.float64] | None
    faces: NDArray[np.integer] | None
    sentence: str

    def cloud(self, n: int | None = None, *, seed: int | np.random.Generator = 0, normalise: bool = False) -> Points:
        """Return a cloud of it, (n, d): a mesh sampled uniformly by area, weighted points by weight, to ``n`` points
        (default 2048); other points as they are, or a random subset of ``n``. ``normalise`` as in :func:`load_cloud`.
        """
        if n is not None:
            n = checks.integer("n", n, minimum=1)
        rng = checks.generator(seed)
        points = self.points
        if self.faces is not None and len(self.faces):
            points = sample_mesh(points, self.faces, n or DEFAULT_SAMPLES, rng)
        elif self.weights is not None:
            points = points[rng.choice(len(points), n or DEFAULT_SAMPLES, p=self.weights / self.weights.sum())]
        elif n is not None and n < len(points):
            points = points[np.sort(rng.choice(len(points), n, replace=False))]
        return normalised(points) if normalise else points


def read_cloud(source: Source, *, file_format: str | None = None, max_bytes: int = DEFAULT_LIMIT) -> Reading:
    """Read all that a file says of a cloud, and say how it was read.

    ``source`` is a path, or bytes or a binary file with ``file_format`` (or a ``.name``). A table's columns are chosen
    by a header that names x, y and z, else all are taken; polygons of a mesh are cut into triangles inside themselves.

    Raises ``FileNotFoundError``; ``ValueError`` with the row or line for an unknown, broken or disguised format, a
    file larger than ``max_bytes``, a missing value, NaN or infinity, or no points at all. Cost: about a second and
    eight times the file's size as memory for 50 MB.

    >>> read_cloud(b"id;x;y\\n7;1,5;2\\n8;0,5;-1\\n", file_format="csv").sentence
    '2 rows; columns x, y of 3 (left out: id); separated by semicolons; decimal comma; 1 header row'
    """
    data, kind, name = _read(source, file_format, max_bytes)
    return _reading(data, kind, name, max_bytes)


def read_bytes(data: bytes, name: str, *, max_bytes: int = DEFAULT_LIMIT) -> Reading:
    """Read the bytes of a file called ``name``, whose ending tells the format, as :func:`read_cloud`.

    >>> read_bytes(b"1 2 3\\n4 5 6\\n", "two.xyz").sentence
    '2 rows; columns 1, 2, 3; separated by spaces'
    """
    kind = _format(ending_of(name), name)
    _check_size(len(data), name, max_bytes)
    return _reading(data, kind, name, max_bytes)


def _reading(data: bytes, kind: str, name: str, max_bytes: int) -> Reading:
    weights = None
    if kind in ("npy", "npz"):
        arrays = read_npy(data, name) if kind == "npy" else read_npz(data, name, max_bytes)
        points, weights, faces, sentence = arrays.points, arrays.weights, arrays.faces, arrays.sentence
    elif kind in ("gii", "gii.gz"):
        mesh = read_gifti(data, name, max_bytes)
        points, faces, sentence = mesh.vertices, mesh.triangles, mesh.sentence
    elif kind in ("ply", "obj", "stl", "off"):
        mesh = {"ply": read_ply, "obj": read_obj, "stl": read_stl, "off": read_off}[kind](data, name)
        points, faces, sentence = mesh.vertices, mesh.triangles, mesh.sentence
    else:
        points, sentence = read_table(data, name, xyz=kind == "xyz")
        faces = None
    if points.shape[1] > LARGEST_DIM:
        raise ValueError(f"{name} has {points.shape[1]} columns; a cloud may have up to {LARGEST_DIM} coordinates")
    return Reading(points, weights, faces, sentence)


def load_cloud(
    source: Source,
    *,
    file_format: str | None = None,
    n: int | None = None,
    seed: int | np.random.Generator = 0,
    normalise: bool = False,
    max_bytes: int = DEFAULT_LIMIT,
) -> Points:
    """Read a point cloud, (n, d).

    ``source`` is a path, or bytes or a binary file with ``file_format`` (or a ``.name``). Meshes are sampled uniformly
    by area to ``n`` points (default 2048); clouds keep all points, or a random subset of ``n``. ``normalise`` centres
    the cloud and scales it to root-mean-square radius 1.

    Raises as :func:`read_cloud`, which also says how the file was read.
    """
    if n is not None:
        n = checks.integer("n", n, minimum=1)
    rng = checks.generator(seed)
    return read_cloud(source, file_format=file_format, max_bytes=max_bytes).cloud(n, seed=rng, normalise=normalise)


def normalised(points: Points) -> Points:
    """Return the cloud centred, with root-mean-square radius 1 (a single place stays at the origin)."""
    points = points / _power_of_two(points)
    centred = points - points.mean(axis=0)
    centred /= _power_of_two(centred)
    radius = np.sqrt(np.mean(np.sum(centred**2, axis=1)))
    return centred / radius if radius > 0 else centred


def _power_of_two(values: Points) -> float:
    """Return the power of two next to the largest magnitude: dividing by it rounds nothing and no square overflows."""
    largest = max(values.max(), -values.min())
    return float(2.0 ** min(max(np.frexp(largest)[1], -1000), 1000)) if largest > 0 else 1.0


def sample_mesh(vertices: Points, triangles: NDArray[np.integer], n: int, rng: np.random.Generator) -> Points:
    """Return ``n`` points uniform by area on a triangle mesh: ``vertices`` (v, 3), ``triangles`` (t, 3) indices."""
    areas = triangle_areas(vertices / _power_of_two(vertices), triangles)
    total = areas.sum()
    if not 0 < total < np.inf:
        raise ValueError("the mesh has no area; give a mesh with proper triangles, or a file of points")
    chosen = vertices[triangles[rng.choice(len(areas), n, p=areas / total)]]
    u, v = np.sqrt(rng.random((n, 1))), rng.random((n, 1))
    return (1 - u) * chosen[:, 0] + u * (1 - v) * chosen[:, 1] + u * v * chosen[:, 2]


def triangle_areas(vertices: Points, triangles: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the area of every triangle, (t,); a block at a time, since corners take nine numbers a triangle."""
    areas = np.empty(len(triangles))
    for start in range(0, len(triangles), BLOCK):
        a, b, c = np.moveaxis(vertices[triangles[start : start + BLOCK]], 1, 0)
        areas[start : start + BLOCK] = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    return areas


def _read(source: Source, file_format: str | None, max_bytes: int) -> tuple[bytes, str, str]:
    """Return the bytes of the source, its format and a name for messages."""
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {str(path)!r}")
        kind = _format(file_format or ending_of(path.name), path.name)
        _check_size(path.stat().st_size, path.name, max_bytes)
        return path.read_bytes(), kind, path.name
    if isinstance(source, (bytes, bytearray)):
        data, name = bytes(source), "the upload"
    elif hasattr(source, "read"):
        name = os.path.basename(str(getattr(source, "name", "the upload")))
        data = source.read(max_bytes + 1)
        if not isinstance(data, bytes):
            raise TypeError(f"{name} is open as text; open it in binary mode, open(path, 'rb')")
    else:
        raise TypeError(f"source must be a path, bytes or a binary file, got {type(source).__name__}")
    kind = _format(file_format or ending_of(name), name)
    _check_size(len(data), name, max_bytes)
    return data, kind, name


def ending_of(name: str) -> str:
    """Return what a file's name ends with, "gii.gz" being one ending.

    >>> ending_of("left.surf.gii.gz"), ending_of("a.b.PLY")
    ('gii.gz', '.PLY')
    """
    return "gii.gz" if name.lower().endswith(".gii.gz") else Path(name).suffix


def _format(suffix: str, name: str) -> str:
    kind = suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise ValueError(f"cannot read {name!r} as {kind or 'nothing'!r}; the formats are {', '.join(FORMATS)}")
    return kind


def _check_size(size: int, name: str, max_bytes: int) -> None:
    if size == 0:
        raise ValueError(f"{name} is empty")
    if size > max_bytes:
        raise ValueError(f"{name} has {size / 2**20:.0f} MiB or more; the limit is {max_bytes / 2**20:.0f} MiB")
