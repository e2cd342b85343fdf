"""One pair of surfaces, one method, and everything that is known of the map between them."""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import results
from workbench.progress import Progress
from workbench.shapes.correspondences import maps
from workbench.shapes.correspondences.examples import Pair, shape_pair
from workbench.shapes.correspondences.matching import MODES, Correspondence, described, match
from workbench.shapes.correspondences.mesh import TriangleMesh
from workbench.shapes.correspondences.quality import FARTHEST, certificate, checked_pair, judged, numbered

THRESHOLDS = 51
NO_TRUTH = -1
Floats = NDArray[np.float64]
cached_pair = functools.lru_cache(maxsize=8)(shape_pair)


@results.experiment
def correspondence_report(
    pair: str = "helicoid-catenoid",
    x: Any = None,
    y: Any = None,
    *,
    n: int = 300,
    dial: float | None = None,
    method: str = "zoomout",
    descriptors: str = "wks",
    k: int = 20,
    k_final: int = 60,
    mu: float = 10.0,
    landmarks: ArrayLike = (),
    scale: str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Match two surfaces and report the map: where each vertex goes, its error where the truth is known, what is sure.

    ``pair``, ``n``, ``dial`` and ``seed`` are those of :func:`shape_pair`; ``x`` and ``y``, meshes of one's own, take
    its place. The other settings are those of :func:`match` (``scale`` None and no
    ``landmarks``: as the pair says). Returns both meshes, ``points`` (the vertex of X for each
    of Y), ``truth`` (−1: not known), what :func:`correspondence_error` returns (errors NaN without a truth), the map
    ``c``, both ``eigenvalue`` s, the ``descriptor_curve`` of nearest descriptors, and a flat view of both surfaces.

    Raises as :func:`shape_pair` and :func:`match`. Cost: a tenth of a second at 300 vertices, and once for a pair half
    a second for the distances.

    >>> ds = correspondence_report("helicoid-catenoid", n=200)
    >>> bool(ds.has_truth), bool(ds.floor <= ds["mean"] < 0.06)
    (True, True)
    """
    progress = progress or Progress()
    if x is None and y is None:
        known: Pair | None = cached_pair(pair, n, dial=dial, seed=seed)
        first_mesh, second_mesh = known.x, known.y
    else:
        known = None
        first_mesh, second_mesh = checked_pair(x, y)
    scale = scale or ("each" if known is None else known.scale)
    marks = known.landmarks if known is not None and not np.size(landmarks) else landmarks
    settings = {"scale": scale, "method": method, "descriptors": descriptors, "k": k, "k_final": k_final, "mu": mu}
    found = match(first_mesh, second_mesh, **settings, landmarks=marks, seed=seed, progress=progress)
    grid = np.linspace(0, FARTHEST, THRESHOLDS)
    axes = {"threshold": (("threshold",), grid, "error over √area")}
    variables = {
        **_meshes(first_mesh, second_mesh, found),
        **certificate(first_mesh, second_mesh, found),
        **_map(found),
        **_nothing_known(len(second_mesh.vertices)),
    }
    if known is None:
        return numbered(variables, axes)
    variables |= {
        "truth": (("vertex_y",), known.truth, "true vertex of X"),
        "has_truth": ((), True, "the truth is known"),
    }
    progress.publish(results.unfinished(numbered(variables, axes), "the errors"))
    nearest = _by_descriptors(found, descriptors)
    told = judged(known, found, grid)
    of_nearest = judged(known, Correspondence(nearest, None, "descriptors", *_bases(found), np.nan), grid)
    told["descriptor_curve"] = (("threshold",), of_nearest["curve"][1], "share of Y: nearest descriptor")
    told["descriptor_mean"] = ((), of_nearest["mean"][1], "mean error of the nearest descriptor over √area")
    return numbered({**variables, **told}, axes)


def vertex_at(ds: xr.Dataset, across: float, up: float) -> int:
    """Return the vertex of Y that lies nearest to a place of the flat view of a report."""
    return int(np.argmin(np.hypot(ds.flat_y.values[:, 0] - across, ds.flat_y.values[:, 1] - up)))


def faces_around(faces: NDArray[np.integer], vertex: int) -> NDArray[np.intp]:
    """Return the numbers of the faces at a vertex."""
    return np.flatnonzero((faces == vertex).any(axis=1))


def _bases(found: Correspondence) -> tuple:
    return found.x_basis, found.y_basis


def _by_descriptors(found: Correspondence, name: str) -> NDArray[np.int64]:
    return maps.nearest(*described(found.x_basis, found.y_basis, name))


def _meshes(x: TriangleMesh, y: TriangleMesh, found: Correspondence) -> dict[str, tuple]:
    flat_x, along = _flat(x.vertices)
    flat_y, _ = _flat(y.vertices)
    return {
        "x": (("vertex_x", "axis"), x.vertices, "vertex of X", "length"),
        "y": (("vertex_y", "axis"), y.vertices, "vertex of Y", "length"),
        "faces_x": (("face_x", "corner"), x.faces, "vertices of the face of X"),
        "faces_y": (("face", "corner"), y.faces, "vertices of the face of Y"),
        "points": (("vertex_y",), found.points, "vertex of X"),
        "flat_x": (("vertex_x", "flat"), flat_x, "X along its two longest axes, of extent 1"),
        "flat_y": (("vertex_y", "flat"), flat_y, "Y along its two longest axes, of extent 1"),
        "place_x": (("vertex_x",), along, "place along the longest axis of X"),
        "place_y": (("vertex_y",), along[found.points], "place of the image along the longest axis of X"),
    }


def _flat(vertices: Floats) -> tuple[Floats, Floats]:
    """Return the vertices along their two longest axes, of extent 1 around 0, and their rank along the longest."""
    centred = vertices - vertices.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes * np.sign(axes[np.arange(3), np.abs(axes).argmax(axis=1)])[:, None]
    flat = centred @ axes[:2].T
    flat = (flat - (flat.max(axis=0) + flat.min(axis=0)) / 2) / np.ptp(flat, axis=0).max()
    return flat, (flat[:, 0] - flat[:, 0].min()) / np.ptp(flat[:, 0])


def _map(found: Correspondence) -> dict[str, tuple]:
    c = np.empty((0, 0)) if found.functional_map is None else found.functional_map
    modes = min(found.x_basis.k, found.y_basis.k, MODES)
    return {
        "c": (("row", "column"), c, "functional map"),
        "eigenvalue_x": (("mode",), found.x_basis.values[:modes], "eigenvalue of X at area 1"),
        "eigenvalue_y": (("mode",), found.y_basis.values[:modes], "eigenvalue of Y at area 1"),
    }


def _nothing_known(n: int) -> Mapping[str, tuple]:
    nan = np.full(THRESHOLDS, np.nan)
    numbers = {
        "mean": "mean error over √area",
        "median": "median error over √area",
        "worst": "largest error over √area",
        "floor": "mean error of the truth written in the same basis",
        "mean_mirrored": "mean error against the truth after a symmetry of X (NaN: X has none)",
        "quantisation": "mean distance from the exact truth to its vertex over √area",
        "descriptor_mean": "mean error of the nearest descriptor over √area",
    }
    curves = {
        "curve": "share of Y with at most this error",
        "floor_curve": "share of Y with at most this error: truth in the same basis",
        "descriptor_curve": "share of Y: nearest descriptor",
    }
    return {
        **{name: ((), np.nan, words) for name, words in numbers.items()},
        **{name: (("threshold",), nan, words) for name, words in curves.items()},
        "error": (("vertex_y",), np.full(n, np.nan), "distance from the true vertex over √area"),
        "truth": (("vertex_y",), np.full(n, NO_TRUTH, dtype=np.int64), "true vertex of X"),
        "has_truth": ((), False, "the truth is known"),
    }
