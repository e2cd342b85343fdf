"""The cortex of FreeSurfer's average brain, read from the package nilearn where that is installed, and never copied.

All surfaces of a hemisphere have the same faces, so a vertex's true partner on another one is that of the same number.
"""

import functools
import importlib.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from workbench import checks
from workbench.clouds import read_cloud
from workbench.shapes.meshes import Surface

LAYERS = {"white": "white", "pial": "pial", "inflated": "infl", "sphere": "sphere"}
SIZES = (12, 42, 162, 642, 2562, 10242)
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
    places, faces = cortex_layer(layer, hemisphere)
    if size < len(places):
        faces = hull_faces(cortex_layer("sphere", hemisphere)[0][:size])
    return Surface(places[:size], faces, f"cortex, {layer} {hemisphere}")


@functools.lru_cache(maxsize=8)
def cortex_layer(layer: str, hemisphere: str = "left") -> tuple[Floats, NDArray[np.int64]]:
    """Return vertices (10242, 3) in mm and faces of a layer, both read-only; ``ValueError`` where nilearn has none."""
    found = importlib.util.find_spec("nilearn")
    if found is None or not found.submodule_search_locations:
        raise ValueError("the cortex is read from the package nilearn; install it (pip install nilearn)")
    folder = Path(next(iter(found.submodule_search_locations))) / "datasets" / "data" / "fsaverage5"
    path = folder / f"{LAYERS[layer]}_{hemisphere}.gii.gz"
    if not path.is_file():
        raise ValueError(f"this nilearn has no {path.name} of fsaverage5; install another version")
    reading = read_cloud(path)
    assert reading.faces is not None
    places, faces = reading.points, reading.faces.astype(np.int64)
    places.flags.writeable = faces.flags.writeable = False
    return places, faces


def hull_faces(sphere: Floats) -> NDArray[np.int64]:
    """Return the triangles of the convex hull of points of a sphere around the origin, wound outwards."""
    faces = ConvexHull(sphere).simplices.astype(np.int64)
    a, b, c = np.moveaxis(sphere[faces], 1, 0)
    inwards = np.einsum("ij,ij->i", a + b + c, np.cross(b - a, c - a)) < 0
    faces[inwards] = faces[inwards][:, ::-1]
    return faces
