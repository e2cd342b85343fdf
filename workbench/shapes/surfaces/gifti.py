"""The cortex of FreeSurfer's average brain, read from the package nilearn where that is installed, and never copied.

All surfaces of a hemisphere have the same faces, so a vertex's true partner on another one is that of the same number.
The files are GIFTI: XML with arrays in base64, compressed by zlib.
"""

import base64
import functools
import gzip
import importlib.util
import xml.etree.ElementTree as ET
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from workbench import checks
from workbench.shapes.meshes import Surface

LAYERS = {"white": "white", "pial": "pial", "inflated": "infl", "sphere": "sphere"}
SIZES = (12, 42, 162, 642, 2562, 10242)
TYPES = {"NIFTI_TYPE_FLOAT32": "f4", "NIFTI_TYPE_INT32": "i4", "NIFTI_TYPE_FLOAT64": "f8"}
LARGEST = 64 * 2**20
Floats = NDArray[np.float64]


def cortex(layer: str = "white", hemisphere: str = "left", size: int = 642) -> Surface:
    """Return a surface of the average cortex (fsaverage5), in mm.

    ``layer`` is white, pial (outer), inflated or sphere; ``hemisphere`` left or right; ``size`` 12, 42, 162, 642, 2562
    or 10,242 vertices. The smaller ones are the first vertices of the whole, with the faces of the convex hull of these
    on the sphere. Raises ``ValueError`` where nilearn is not installed, and for other names and sizes.

    Fischl, Sereno, Tootell, Dale, "High-resolution intersubject averaging and a coordinate system for the cortical
    surface", 1999; the data are FreeSurfer's, under its own licence.

    >>> cortex("white", size=642)  # doctest: +SKIP
    Surface(cortex, white left: 642 vertices, 1,280 faces)
    """
    checks.choice("layer", layer, LAYERS)
    checks.choice("hemisphere", hemisphere, ("left", "right"))
    if size not in SIZES:
        raise ValueError(f"size must be one of {', '.join(map(str, SIZES))}, got {size!r}")
    folder = _folder()
    places, faces = read_gifti(folder / f"{LAYERS[layer]}_{hemisphere}.gii.gz")
    if size < len(places):
        sphere, _ = read_gifti(folder / f"sphere_{hemisphere}.gii.gz")
        faces = hull_faces(sphere[:size])
    return Surface(places[:size], faces, f"cortex, {layer} {hemisphere}")


def _folder() -> Path:
    found = importlib.util.find_spec("nilearn")
    if found is None or not found.submodule_search_locations:
        raise ValueError("the cortex is read from the package nilearn; install it (pip install nilearn)")
    return Path(next(iter(found.submodule_search_locations))) / "datasets" / "data" / "fsaverage5"


@functools.lru_cache(maxsize=8)
def read_gifti(path: Path) -> tuple[Floats, NDArray[np.int64]]:
    """Return vertices (n, 3) and faces (m, 3) of a GIFTI surface, compressed or not.

    Raises ``FileNotFoundError``; ``ValueError`` for a file beyond 64 MiB, declarations of XML's own (which can grow
    without bound), an encoding that is not base64, and arrays that are missing or of another shape.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r}")
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError(f"{path.name} has more than {LARGEST // 2**20} MiB")
    if b"<!ENTITY" in data:
        raise ValueError(f"{path.name} declares entities of its own, which no surface needs")
    try:
        root = ET.fromstring(data)
    except ET.ParseError as error:
        raise ValueError(f"{path.name} is no GIFTI file: {error}") from None
    arrays = {one.get("Intent"): _array(one, path.name) for one in root.iter("DataArray")}
    places, faces = (arrays.get(f"NIFTI_INTENT_{name}") for name in ("POINTSET", "TRIANGLE"))
    if places is None or faces is None or places.shape[1:] != (3,) or faces.shape[1:] != (3,):
        raise ValueError(f"{path.name} has no points (n, 3) with triangles (m, 3)")
    return places.astype(np.float64), faces.astype(np.int64)


def _array(element: ET.Element, name: str) -> NDArray:
    encoding, kind = element.get("Encoding"), TYPES.get(str(element.get("DataType")))
    text = element.findtext("Data") or ""
    if encoding not in ("Base64Binary", "GZipBase64Binary") or kind is None:
        raise ValueError(f"{name} has an array of {element.get('DataType')} as {encoding}; base64 of numbers is read")
    raw = base64.b64decode(text)
    if encoding == "GZipBase64Binary":
        unpacking = zlib.decompressobj()
        raw = unpacking.decompress(raw, LARGEST)
        if unpacking.unconsumed_tail:
            raise ValueError(f"{name} has an array of more than {LARGEST // 2**20} MiB")
    order = ">" if element.get("Endian") == "BigEndian" else "<"
    shape = [int(element.get(f"Dim{k}") or 0) for k in range(int(element.get("Dimensionality") or 0))]
    values = np.frombuffer(raw, order + kind)
    if len(shape) not in (1, 2) or int(np.prod(shape)) != len(values):
        raise ValueError(f"{name} has an array of {len(values)} numbers that says it is {shape}")
    layout = "F" if element.get("ArrayIndexingOrder") == "ColumnMajorOrder" else "C"
    return values.reshape(shape, order=layout)


def hull_faces(sphere: Floats) -> NDArray[np.int64]:
    """Return the triangles of the convex hull of points of a sphere around the origin, wound outwards."""
    faces = ConvexHull(sphere).simplices.astype(np.int64)
    a, b, c = np.moveaxis(sphere[faces], 1, 0)
    inwards = np.einsum("ij,ij->i", a + b + c, np.cross(b - a, c - a)) < 0
    faces[inwards] = faces[inwards][:, ::-1]
    return faces
