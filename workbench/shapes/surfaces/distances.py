"""How far two surfaces are from each other: ASSD, Hausdorff distances, and vertices to their true partners."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from workbench.shapes.meshes import Surface

Floats = NDArray[np.float64]
MOST_PAIRS = 4_000_000
SMALLEST = 2.0**-20
"""Triangles smaller than this beside the largest count as one size."""


@dataclass(frozen=True)
class SurfaceErrors:
    """``assd`` ½(mean distance of vertices to the other surface, both ways), ``hd90``, ``hd``; ``vertex`` the mean
    distance of vertices to those of the same number, NaN where the meshes have different faces.
    """

    assd: float
    hd90: float
    hd: float
    vertex: float


def surface_errors(a: Surface, b: Surface) -> SurfaceErrors:
    """Return the distances between two surfaces, exact from each vertex to the other's triangles.

    >>> from workbench.shapes.meshes import sheet
    >>> errors = surface_errors(sheet(25), sheet(81, height=0.5))
    >>> errors.assd, errors.hd, errors.vertex
    (0.5, 0.5, nan)
    """
    there = distances_to(a.vertices[np.unique(a.faces)], b)
    back = distances_to(b.vertices[np.unique(b.faces)], a)
    same = a.faces.shape == b.faces.shape and a.vertices.shape == b.vertices.shape and (a.faces == b.faces).all()
    partner = float(np.linalg.norm(a.vertices - b.vertices, axis=1).mean()) if same else float("nan")
    return SurfaceErrors(
        float(there.mean() + back.mean()) / 2,
        float(max(np.quantile(there, 0.9), np.quantile(back, 0.9))),
        float(max(there.max(), back.max())),
        partner,
    )


def distances_to(points: Floats, mesh: Surface) -> Floats:
    """Return the distance of each point (n, 3) to the nearest point of the mesh's triangles, (n,).

    Of triangles of one size the nearest has its barycentre no farther than the distance found so far plus the largest
    distance of a corner from its barycentre; neighbours are asked for until that many are looked at. Small and large
    triangles are looked at apart, lest one large one makes all of the small ones possible.
    """
    centres, best = mesh.barycentres, np.full(len(points), np.inf)
    radius = np.linalg.norm(mesh.corners - centres[:, None], axis=2).max(axis=1)
    size = np.floor(np.log2(np.maximum(radius / radius.max(), SMALLEST)) / 2)
    for one in np.unique(size):
        _look_among(points, mesh.corners[size == one], centres[size == one], float(radius[size == one].max()), best)
    return best


def _look_among(points: Floats, corners: Floats, centres: Floats, reach: float, best: Floats) -> None:
    """Lower the distances ``best`` (n,) to those to the nearest of some triangles within ``reach`` of their centres."""
    tree = cKDTree(centres)
    left, count = np.arange(len(points)), min(8, len(centres))
    while len(left):
        block = max(1, MOST_PAIRS // count)
        unsure = []
        for start in range(0, len(left), block):
            chosen = left[start : start + block]
            away, near = tree.query(points[chosen], k=count)
            away, near = away.reshape(len(chosen), count), near.reshape(len(chosen), count)
            nearest(points[chosen], corners, near, found := np.empty(len(chosen)))
            best[chosen] = np.minimum(best[chosen], found)
            unsure.append(chosen[away[:, -1] < best[chosen] + reach])
        if count == len(centres):
            break
        left = np.concatenate(unsure)
        count = min(4 * count, len(centres))


@njit(cache=True, nogil=True)
def nearest(points: NDArray, corners: NDArray, near: NDArray, out: NDArray) -> None:
    """Write the distance of each point to the nearest of the triangles that ``near`` (n, k) names."""
    for i in range(points.shape[0]):
        least = np.inf
        for k in range(near.shape[1]):
            least = min(least, _squared(points[i], corners[near[i, k]]))
        out[i] = np.sqrt(least)


@njit(cache=True, nogil=True)
def _squared(p: NDArray, triangle: NDArray) -> float:
    """Return the squared distance of a point to a triangle: its foot lies in the face, on an edge or at a corner."""
    abx, aby, abz = (triangle[1, 0] - triangle[0, 0], triangle[1, 1] - triangle[0, 1], triangle[1, 2] - triangle[0, 2])
    acx, acy, acz = (triangle[2, 0] - triangle[0, 0], triangle[2, 1] - triangle[0, 1], triangle[2, 2] - triangle[0, 2])
    apx, apy, apz = p[0] - triangle[0, 0], p[1] - triangle[0, 1], p[2] - triangle[0, 2]
    aa, bb, ab = (
        abx * abx + aby * aby + abz * abz,
        acx * acx + acy * acy + acz * acz,
        abx * acx + aby * acy + abz * acz,
    )
    d, e = abx * apx + aby * apy + abz * apz, acx * apx + acy * apy + acz * apz
    square = aa * bb - ab * ab
    if square > 0:
        s, t = (bb * d - ab * e) / square, (aa * e - ab * d) / square
        if s >= 0 and t >= 0 and s + t <= 1:
            x, y, z = apx - s * abx - t * acx, apy - s * aby - t * acy, apz - s * abz - t * acz
            return x * x + y * y + z * z
    least = np.inf
    for k in range(3):
        m = (k + 1) % 3
        ex, ey, ez = (
            triangle[m, 0] - triangle[k, 0],
            triangle[m, 1] - triangle[k, 1],
            triangle[m, 2] - triangle[k, 2],
        )
        x, y, z = p[0] - triangle[k, 0], p[1] - triangle[k, 1], p[2] - triangle[k, 2]
        length = ex * ex + ey * ey + ez * ez
        s = min(max((x * ex + y * ey + z * ez) / length, 0.0), 1.0) if length > 0 else 0.0
        x, y, z = x - s * ex, y - s * ey, z - s * ez
        least = min(least, x * x + y * y + z * z)
    return least
