"""Clouds from the user's own files: PLY, OBJ, STL (meshes sampled by area), XYZ, CSV, NPY (never pickled).

A file is judged before it is read: its size, and whether it is what its name says.
"""

import io
import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from workbench import checks

FORMATS = ("ply", "obj", "stl", "xyz", "csv", "npy")
DEFAULT_LIMIT = 256 * 2**20
DEFAULT_SAMPLES = 2048
LARGEST_DIM = 256
Points = NDArray[np.float64]


def load_cloud(
    source: str | os.PathLike[str] | bytes | BinaryIO,
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

    Raises ``FileNotFoundError``; ``ValueError`` for an unknown, broken or disguised format, a file larger than
    ``max_bytes``, NaN or infinity, or no points at all.
    """
    if n is not None:
        n = checks.integer("n", n, minimum=1)
    data, kind, name = _read(source, file_format, max_bytes)
    rng = checks.generator(seed)
    points, triangles = _PARSERS[kind](data, name)
    points = checks.finite_array(f"the file {name}", points, ndim=2)
    if points.shape[1] > LARGEST_DIM:
        raise ValueError(f"{name} has {points.shape[1]} columns; a cloud may have up to {LARGEST_DIM} coordinates")
    if triangles is not None and len(triangles):
        points = sample_mesh(points, triangles, n or DEFAULT_SAMPLES, rng)
    elif n is not None and n < len(points):
        points = points[np.sort(rng.choice(len(points), n, replace=False))]
    return normalised(points) if normalise else points


def normalised(points: Points) -> Points:
    """Return the cloud centred, with root-mean-square radius 1 (a single place stays at the origin)."""
    centred = points - points.mean(axis=0)
    radius = np.sqrt(np.mean(np.sum(centred**2, axis=1)))
    return centred / radius if radius > 0 else centred


def sample_mesh(vertices: Points, triangles: NDArray[np.integer], n: int, rng: np.random.Generator) -> Points:
    """Return ``n`` points uniform by area on a triangle mesh: ``vertices`` (v, 3), ``triangles`` (t, 3) indices."""
    corners = vertices[triangles]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    total = areas.sum()
    if not 0 < total < np.inf:
        raise ValueError("the mesh has no area; give a mesh with proper triangles, or a file of points")
    chosen = corners[rng.choice(len(areas), n, p=areas / total)]
    u, v = np.sqrt(rng.random((n, 1))), rng.random((n, 1))
    return (1 - u) * chosen[:, 0] + u * (1 - v) * chosen[:, 1] + u * v * chosen[:, 2]


def _read(source, file_format: str | None, max_bytes: int) -> tuple[bytes, str, str]:
    """Return the bytes of the source, its format and a name for messages."""
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {str(path)!r}")
        kind = _format(file_format or path.suffix, path.name)
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
    kind = _format(file_format or Path(name).suffix, name)
    _check_size(len(data), name, max_bytes)
    return data, kind, name


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


def _text(data: bytes, name: str) -> str:
    if b"\0" in data[:65536]:
        raise ValueError(f"{name} holds binary data but its name says text; use the suffix of its real format")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not readable text ({error.reason} at byte {error.start})") from error


def _parse_table(data: bytes, name: str) -> tuple[Points, None]:
    """Read rows of numbers separated by commas, semicolons, tabs or spaces; ``#`` comments and one header line."""
    rows: list[list[float]] = []
    for number, line in enumerate(_text(data, name).splitlines(), start=1):
        fields = line.split("#", 1)[0].replace(",", " ").replace(";", " ").split()
        if not fields:
            continue
        try:
            rows.append([float(field) for field in fields])
        except ValueError:
            if rows or number > 5:
                raise ValueError(f"line {number} of {name} is not a row of numbers: {line.strip()[:60]!r}") from None
        else:
            if len(rows[-1]) != len(rows[0]):
                raise ValueError(f"line {number} of {name} has {len(fields)} numbers, the first row {len(rows[0])}")
    if not rows:
        raise ValueError(f"{name} holds no rows of numbers")
    return np.array(rows), None


def _parse_xyz(data: bytes, name: str) -> tuple[Points, None]:
    """Read x y z (and more columns, such as colours or normals, which are left out)."""
    points, _ = _parse_table(data, name)
    if points.shape[1] < 3:
        raise ValueError(f"{name} has {points.shape[1]} columns; an XYZ file needs three (use .csv for other clouds)")
    return points[:, :3], None


def _parse_npy(data: bytes, name: str) -> tuple[Points, None]:
    """Read a numeric array without pickle; the size promised by the header is checked before memory is taken."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = reader(stream)
    except ValueError as error:
        raise ValueError(f"{name} is not a NumPy file ({error})") from error
    if dtype.hasobject or dtype.kind not in "biuf":
        raise ValueError(f"{name} holds {dtype}, not numbers; pickled objects are never read")
    promised = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if len(data) - stream.tell() < promised:
        raise ValueError(f"{name} is cut off: its header promises {promised} bytes, {len(data) - stream.tell()} follow")
    return np.load(io.BytesIO(data), allow_pickle=False), None


def _parse_mesh(data: bytes, name: str, kind: str) -> tuple[Points, NDArray[np.integer] | None]:
    import trimesh

    try:
        loaded = trimesh.load(io.BytesIO(data), file_type=kind, process=False)
        if isinstance(loaded, trimesh.Scene):
            loaded = loaded.to_mesh()
        points = np.asarray(loaded.vertices, dtype=np.float64)
        triangles = np.asarray(loaded.faces) if isinstance(loaded, trimesh.Trimesh) else None
    except Exception as error:
        # trimesh raises many kinds of errors on damaged input; the user needs one sentence.
        raise ValueError(f"{name} is no readable {kind.upper()} file ({type(error).__name__}: {error})") from error
    if len(points) == 0:
        raise ValueError(f"{name} holds no points")
    if triangles is not None and len(triangles) and not 0 <= triangles.min() <= triangles.max() < len(points):
        raise ValueError(f"{name} is damaged: a triangle points to a vertex that does not exist")
    return points, triangles


def _parse_ply(data: bytes, name: str) -> tuple[Points, NDArray[np.integer] | None]:
    end = data.find(b"end_header")
    if not data.startswith(b"ply") or end < 0:
        raise ValueError(f"{name} is not a PLY file: it must start with 'ply' and have an 'end_header'")
    for line in data[:end].split(b"\n"):
        words = line.split()
        if words[:1] == [b"element"]:
            count = int(words[2]) if len(words) == 3 and words[2].isdigit() else -1
            if not 0 <= count <= len(data):
                raise ValueError(f"{name} is damaged: its header says {line.decode('latin-1').strip()!r}")
    return _parse_mesh(data, name, "ply")


def _parse_stl(data: bytes, name: str) -> tuple[Points, NDArray[np.integer] | None]:
    is_text = data.lstrip()[:5].lower() == b"solid" and b"facet" in data[:1000]
    if not is_text:
        triangles = int.from_bytes(data[80:84], "little") if len(data) >= 84 else -1
        if triangles < 0 or len(data) != 84 + 50 * triangles:
            raise ValueError(f"{name} is not a whole STL file: {len(data)} bytes do not fit {triangles} triangles")
    return _parse_mesh(data, name, "stl")


def _parse_obj(data: bytes, name: str) -> tuple[Points, NDArray[np.integer] | None]:
    text = _text(data, name)
    has_faces = any(line.startswith("f ") for line in text.splitlines())
    if has_faces:
        return _parse_mesh(data, name, "obj")
    rows = [line.split()[1:4] for line in text.splitlines() if line.startswith("v ")]
    if not rows:
        raise ValueError(f"{name} is not an OBJ file: it has no line that starts with 'v '")
    try:
        points = np.array(rows, dtype=np.float64).reshape(len(rows), 3)
    except ValueError as error:
        raise ValueError(f"{name} has a vertex that is not three numbers") from error
    return points, None


_PARSERS = {
    "ply": _parse_ply,
    "obj": _parse_obj,
    "stl": _parse_stl,
    "xyz": _parse_xyz,
    "csv": _parse_table,
    "npy": _parse_npy,
}
