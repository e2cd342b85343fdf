"""What a correspondence is worth: its error against the truth, and what can be said of it without one."""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench import checks, results
from workbench.shapes.correspondences import maps
from workbench.shapes.correspondences.examples import Pair
from workbench.shapes.correspondences.geodesics import MOST_ENTRIES, geodesic_distances
from workbench.shapes.correspondences.laplacian import Basis
from workbench.shapes.correspondences.matching import Correspondence, commutation, orthogonality
from workbench.shapes.correspondences.mesh import TriangleMesh, as_mesh

FARTHEST = 0.25
"""The largest error, over √area, that curves show."""
KEPT, FLIPPED, COLLAPSED = 0, 1, 2
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@functools.lru_cache(maxsize=6)
def all_distances(mesh: TriangleMesh) -> Floats:
    """Return the distances between all vertices over √area, (n, n); kept for the meshes that were last asked for."""
    if len(mesh.vertices) ** 2 > MOST_ENTRIES:
        raise ValueError(f"{len(mesh.vertices):,} vertices are too many for all distances; take at most 5,000")
    return geodesic_distances(mesh) / np.sqrt(mesh.area)


@dataclass(frozen=True)
class Faces:
    """What a map does to the faces of Y, by area of Y: shares ``flipped``, ``collapsed``, and the state of each.

    A face is collapsed where two corners have one image, and flipped where the triangle of its images is seen from the
    inner side of X. ``stretch`` is the middle (by area) of |log₂| of the ratio of areas of those that did not collapse.
    NaN for ``flipped`` where a mesh has no consistent orientation.
    """

    flipped: float
    collapsed: float
    stretch: float
    state: NDArray[np.int8]


def carried_faces(x: TriangleMesh, y: TriangleMesh, points: Ints) -> Faces:
    """Return what the map ``points`` (n_Y,) makes of the faces of Y on X."""
    images = points[y.faces]
    collapsed = np.any(images == np.roll(images, 1, axis=1), axis=1)
    a, b, c = (x.vertices[images[:, k]] for k in range(3))
    crossed = np.cross(b - a, c - a)
    outward = x.normals[images].sum(axis=1)
    oriented = x.is_oriented and y.is_oriented
    flipped = ~collapsed & (np.einsum("fi,fi->f", crossed, outward) < 0)
    share = y.face_areas / y.area
    ratio = np.linalg.norm(crossed, axis=1) / 2 / x.area / share
    good = ~collapsed & (ratio > 0)
    stretch = _middle(np.abs(np.log2(ratio[good])), share[good]) if good.any() else np.nan
    state = np.where(collapsed, COLLAPSED, np.where(flipped & oriented, FLIPPED, KEPT)).astype(np.int8)
    return Faces(
        float(share[flipped].sum()) if oriented else np.nan, float(share[collapsed].sum()), float(stretch), state
    )


def coverage(x: TriangleMesh, points: Ints) -> float:
    """Return the share of the area of X whose vertices are images."""
    return float(x.masses[np.unique(points)].sum() / x.area)


@dataclass(frozen=True)
class Eigenspaces:
    """Where the eigenfunctions of two spectra can be told apart: ``start`` and ``size`` of each group that cannot.

    ``apart`` is how far the two spectra differ, relative, by the middle of the modes; eigenvalues nearer to each other
    than twice that may stand in another order on the other surface, or mixed.
    """

    start: Ints
    size: Ints
    apart: float


def eigenspaces(x: Floats, y: Floats) -> Eigenspaces:
    """Return the groups of more than one eigenvalue that the two spectra, of surfaces at area 1, do not resolve.

    >>> groups = eigenspaces(np.array([0, 2, 2.001, 6, 9.0]), np.array([0, 2, 2.002, 6.01, 9.02]))
    >>> groups.start.tolist(), groups.size.tolist()
    ([1], [2])
    """
    k = min(len(x), len(y))
    x, y = x[:k], y[:k]
    middle = np.maximum((x + y) / 2, 1e-12)
    apart = float(np.median((np.abs(x - y) / middle)[1:])) if k > 1 else 0.0
    gaps = np.diff(x) / middle[1:]
    together = np.append(gaps[1:] <= max(2 * apart, 1e-9), False)  # between modes j and j + 1, from j = 1
    starts, sizes, j = [], [], 1
    while j < k:
        end = j
        while end < k - 1 and together[end - 1]:
            end += 1
        if end > j:
            starts.append(j)
            sizes.append(end - j + 1)
        j = end + 1
    return Eigenspaces(np.array(starts, dtype=np.int64), np.array(sizes, dtype=np.int64), apart)


def best_in_basis(truth: Ints, x: Basis, y: Basis, k: int) -> Ints:
    """Return the map that is read out of the truth itself, written in k functions: what a basis allows."""
    k = min(k, x.k)
    return maps.to_points(maps.of_points(truth, x, y, k, maps.partners(x, y, k)), x, y)


def errors(pair: Pair, points: Ints) -> Floats:
    """Return the distance on X between each image and the true vertex, over √area of X, (n_Y,)."""
    return all_distances(pair.x)[pair.truth, points]


def _middle(values: Floats, shares: Floats) -> float:
    order = np.argsort(values)
    total = np.cumsum(shares[order])
    return float(values[order][min(np.searchsorted(total, total[-1] / 2), len(values) - 1)])


def certificate(x: TriangleMesh, y: TriangleMesh, found: Correspondence) -> dict[str, tuple]:
    """Return what can be said of a map without the truth, as definitions of variables."""
    faces = carried_faces(x, y, found.points)
    c = found.functional_map
    of_x, of_y = found.x_basis.values, found.y_basis.values
    k = min(len(of_x), len(of_y)) if c is None else min(c.shape)
    groups = eigenspaces(of_x[:k], of_y[:k])
    return {
        "flipped": ((), faces.flipped, "share of the area of Y whose triangles are flipped"),
        "collapsed": ((), faces.collapsed, "share of the area of Y whose triangles have two corners at one vertex"),
        "stretch": ((), faces.stretch, "middle |log₂| of the ratio of areas"),
        "coverage": ((), coverage(x, found.points), "share of the area of X that has an image"),
        "images": ((), len(np.unique(found.points)) / len(found.points), "vertices of X in the image per vertex of Y"),
        "orthogonality": ((), np.nan if c is None else orthogonality(c), "‖CᵀC − I‖/√k"),
        "commutation": (
            (),
            np.nan if c is None else commutation(c, found.x_basis, found.y_basis),
            "‖CΛ_X − Λ_YC‖/‖Λ_X‖",
        ),
        "marginal_error": ((), found.marginal_error, "what the columns of Sinkhorn's plan lack"),
        "spectra_apart": ((), groups.apart, "relative difference of the two spectra, middle of the modes"),
        "ambiguous": ((), int(groups.size.sum()), "eigenfunctions in eigenspaces that are not resolved"),
        "group_start": (("group",), groups.start, "first eigenfunction of the eigenspace"),
        "group_size": (("group",), groups.size, "eigenfunctions in the eigenspace"),
        "face_state": (("face",), faces.state, "0 kept, 1 flipped, 2 collapsed"),
    }


def judged(pair: Pair, found: Correspondence, thresholds: Floats) -> dict[str, tuple]:
    """Return the errors of a map against the truth, as definitions of variables; means are by area of Y."""
    share = pair.y.masses / pair.y.area
    of_map = errors(pair, found.points)
    k = MODES_OF_FLOOR if found.functional_map is None else found.functional_map.shape[1]
    of_best = errors(pair, best_in_basis(pair.truth, found.x_basis, found.y_basis, k))
    distances = all_distances(pair.x)
    swapped = [float(distances[other, found.points] @ share) for other in pair.others]

    def curve(values: Floats) -> Floats:
        return (values[None, :] <= thresholds[:, None]) @ share

    return {
        "error": (("vertex_y",), of_map, "distance from the true vertex over √area"),
        "mean": ((), float(of_map @ share), "mean error over √area"),
        "median": ((), _middle(of_map, share), "median error over √area"),
        "worst": ((), float(of_map.max()), "largest error over √area"),
        "floor": ((), float(of_best @ share), "mean error of the truth written in the same basis"),
        "mean_mirrored": (
            (),
            min(swapped, default=np.nan),
            "mean error against the truth after a symmetry of X (NaN: X has none)",
        ),
        "quantisation": ((), pair.quantisation, "mean distance from the exact truth to its vertex over √area"),
        "curve": (("threshold",), curve(of_map), "share of Y with at most this error"),
        "floor_curve": (("threshold",), curve(of_best), "share of Y with at most this error: truth in the same basis"),
    }


MODES_OF_FLOOR = 50
"""Eigenfunctions of the floor of a method that has no functional map."""


@results.experiment
def correspondence_error(pair: Pair, match: Correspondence, thresholds: int = 51) -> xr.Dataset:
    """Compare a correspondence with the exact truth of its pair.

    Returns the ``error`` of each vertex (distance on X from the vertex nearest to the truth, over √area), ``mean``,
    ``median`` and ``worst``, the ``floor`` (the truth itself written in the same basis and read out: what this basis
    allows), curves over ``threshold`` up to 0.25, ``quantisation`` (how far the exact truth is from vertices), and what
    needs no truth: shares ``flipped`` and ``collapsed``, ``coverage``, ``orthogonality``, ``commutation``, eigenspaces
    that are not resolved. Distances are paths through points on edges, about 0.5 % too long.

    Raises ``ValueError`` for a map of another pair. Cost: a millisecond for each vertex of X, once for a pair.

    >>> from workbench import shapes
    >>> pair = shapes.shape_pair("helicoid-catenoid", 200)
    >>> ds = correspondence_error(pair, shapes.match(pair.x, pair.y))
    >>> bool(ds.floor <= ds["mean"] < 0.06), float(ds.curve[-1]) > 0.9
    (True, True)
    """
    if not isinstance(pair, Pair) or not isinstance(match, Correspondence):
        raise TypeError("give a Pair (shape_pair) and a Correspondence (match)")
    if len(match.points) != len(pair.y.vertices) or len(match.x_basis.masses) != len(pair.x.vertices):
        raise ValueError(
            f"the map sends {len(match.points)} vertices to a mesh of {len(match.x_basis.masses)}; this pair has "
            f"{len(pair.y.vertices)} and {len(pair.x.vertices)}"
        )
    grid = np.linspace(0, FARTHEST, checks.integer("thresholds", thresholds, minimum=2, maximum=10_000))
    variables = {**judged(pair, match, grid), **certificate(pair.x, pair.y, match)}
    return numbered(variables, {"threshold": (("threshold",), grid, "error over √area")})


NUMBERS = {
    "vertex_x": "number of the vertex of X",
    "vertex_y": "number of the vertex of Y",
    "face": "number of the face of Y",
    "face_x": "number of the face of X",
    "group": "number of the eigenspace",
    "row": "number of the eigenfunction of Y",
    "column": "number of the eigenfunction of X",
    "axis": "coordinate",
    "corner": "corner of the face",
    "mode": "number of the eigenvalue",
    "flat": "coordinate: 0 across, 1 up",
}


def numbered(variables: dict[str, tuple], axes: dict[str, tuple]) -> xr.Dataset:
    """Return a Dataset in which the dimensions without values of their own are numbered."""
    sizes: dict[str, int] = {}
    for dims, values, *_ in variables.values():
        sizes.update(zip(dims, np.shape(values), strict=True))
    more = {dim: ((dim,), np.arange(size), NUMBERS[dim]) for dim, size in sizes.items() if dim not in axes}
    return results.dataset(variables, {**more, **axes})


def checked_pair(x: Any, y: Any) -> tuple[TriangleMesh, TriangleMesh]:
    """Return two meshes of one's own."""
    if x is None or y is None:
        raise ValueError("give both surfaces, x and y, or neither for a pair by its name")
    return as_mesh("x", x), as_mesh("y", y)
