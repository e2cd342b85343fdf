"""Triangle meshes as this family takes them: checked, without doubled vertices and empty faces, and what was mended."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from workbench import checks, results
from workbench.clouds import files

MOST_VERTICES = 20_000
LEAST_VERTICES = 12
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TriangleMesh(results.Described):
    """A checked triangle mesh: ``vertices`` (n, 3), ``faces`` (F, 3) and ``told``, what was mended on the way.

    Coincident vertices are merged (they would cut the Laplacian), faces with a corner twice or without area and
    vertices of no face are left out; ``told`` counts them. Raises ``ValueError`` for what is no mesh, or one beyond
    20,000 vertices.

    >>> mesh = TriangleMesh([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [1, 1, 0]], [[0, 1, 2], [1, 4, 3]])
    >>> len(mesh.vertices), mesh.told, mesh.area
    (4, '1 coincident vertex merged', 1.0)
    """

    vertices: Floats
    faces: Ints
    told: str

    def __init__(self, vertices: Any, faces: Any) -> None:
        points = checks.finite_array("vertices", vertices, ndim=2)
        if points.shape[1] != 3:
            raise ValueError(f"vertices must be (n, 3), got shape {points.shape}")
        corners = checks.finite_array("faces", faces, ndim=2, dtype=np.int64)
        if corners.shape[1] != 3:
            raise ValueError(f"faces must be (F, 3), got shape {corners.shape}; cut polygons into triangles first")
        if corners.min() < 0 or corners.max() >= len(points):
            raise ValueError(f"faces must name vertices 0 to {len(points) - 1}, got {corners.min()} to {corners.max()}")
        extent = float(np.ptp(points, axis=0).max())
        if not 0 < extent < 1e100 or np.abs(points).max() > 1e8 * extent:
            raise ValueError(
                f"the vertices have the extent {extent:.3g} around coordinates up to {np.abs(points).max():.3g}; "
                "centre and rescale them first"
            )
        points, corners, told = _mended(points, corners)
        if len(points) > MOST_VERTICES:
            raise ValueError(
                f"the mesh has {len(points):,} vertices; this family takes up to {MOST_VERTICES:,}: simplify it first"
            )
        for name, value in (("vertices", points), ("faces", corners), ("told", told)):
            object.__setattr__(self, name, value)

    def describe(self) -> Any:
        """Return what a result records of the mesh."""
        return {"vertices": self.vertices, "faces": self.faces}

    @cached_property
    def face_areas(self) -> Floats:
        """The area of each face, (F,)."""
        return np.linalg.norm(self._crossed, axis=1) / 2

    @property
    def area(self) -> float:
        """The area of the surface."""
        return float(self.face_areas.sum())

    @cached_property
    def masses(self) -> Floats:
        """A third of the area around each vertex, (n,); they add up to the area."""
        return np.bincount(self.faces.ravel(), np.repeat(self.face_areas / 3, 3), minlength=len(self.vertices))

    @cached_property
    def normals(self) -> Floats:
        """The mean of the faces' normals around each vertex by area, (n, 3), not of unit length."""
        made = np.zeros_like(self.vertices)
        for k in range(3):
            np.add.at(made, self.faces[:, k], self._crossed)
        return made

    @cached_property
    def edges(self) -> Ints:
        """The edges as sorted pairs of vertices, (E, 2), each once."""
        return np.unique(np.sort(self._sides, axis=1), axis=0)

    @cached_property
    def components(self) -> int:
        """The number of connected pieces."""
        return int(connected_components(_adjacency(self.edges, len(self.vertices)), directed=False)[0])

    @property
    def euler(self) -> int:
        """Vertices − edges + faces: 2 for a sphere, 0 for a torus."""
        return len(self.vertices) - len(self.edges) + len(self.faces)

    @cached_property
    def boundary(self) -> int:
        """The number of edges with one face."""
        return int((self._edge_counts == 1).sum())

    @cached_property
    def is_oriented(self) -> bool:
        """Whether neighbours run through each common edge in opposite directions, and no edge has three faces."""
        ways = np.unique(self._sides, axis=0)
        return len(ways) == len(self._sides) and int(self._edge_counts.max()) <= 2

    def largest_component(self) -> "TriangleMesh":
        """Return the connected piece of the largest area."""
        _, label = connected_components(_adjacency(self.edges, len(self.vertices)), directed=False)
        of_face = label[self.faces[:, 0]]
        chosen = int(np.argmax(np.bincount(of_face, self.face_areas)))
        return TriangleMesh(self.vertices, self.faces[of_face == chosen])

    @property
    def sentence(self) -> str:
        """The mesh in words."""
        edge = f"{self.boundary:,} edges of its border" if self.boundary else "closed"
        pieces = "" if self.components == 1 else f", {self.components} pieces"
        mended = f"; {self.told}" if self.told else ""
        return f"{len(self.vertices):,} vertices, {len(self.faces):,} faces, {edge}{pieces}{mended}"

    @cached_property
    def _crossed(self) -> Floats:
        a, b, c = (self.vertices[self.faces[:, k]] for k in range(3))
        return np.cross(b - a, c - a)

    @cached_property
    def _sides(self) -> Ints:
        return np.concatenate([self.faces[:, [0, 1]], self.faces[:, [1, 2]], self.faces[:, [2, 0]]])

    @cached_property
    def _edge_counts(self) -> Ints:
        return np.unique(np.sort(self._sides, axis=1), axis=0, return_counts=True)[1]


def as_mesh(name: str, value: Any) -> TriangleMesh:
    """Return a mesh as checked: a :class:`TriangleMesh`, anything with ``vertices`` and ``faces``, or such a pair."""
    if isinstance(value, TriangleMesh):
        return value
    parts = (value.vertices, value.faces) if hasattr(value, "vertices") and hasattr(value, "faces") else value
    if not isinstance(parts, (tuple, list)) or len(parts) != 2:
        raise TypeError(f"{name} must be a mesh, or a pair (vertices, faces), got {type(value).__name__}")
    try:
        return TriangleMesh(*parts)
    except (ValueError, TypeError) as error:
        raise type(error)(f"{name}: {error}") from None


def matchable(name: str, value: Any) -> TriangleMesh:
    """Return a mesh that can be matched: one piece with enough vertices."""
    mesh = as_mesh(name, value)
    if mesh.components > 1:
        raise ValueError(
            f"{name} has {mesh.components} pieces, and functions that are constant on each would match anything; take "
            "one, e.g. largest_component()"
        )
    if len(mesh.vertices) < LEAST_VERTICES:
        raise ValueError(f"{name} has {len(mesh.vertices)} vertices; give at least {LEAST_VERTICES}")
    return mesh


def read_mesh(source: files.Source, *, file_format: str | None = None) -> TriangleMesh:
    """Read a mesh from PLY, OBJ, STL, OFF, GIFTI (.gii, .gii.gz) or NPZ (arrays ``points`` and ``faces``).

    Raises as :func:`workbench.clouds.read_cloud`, and ``ValueError`` for a file without faces.

    >>> read_mesh(b"OFF 4 4 0\\n0 0 0\\n1 0 0\\n0 1 0\\n0 0 1\\n3 0 2 1\\n3 0 1 3\\n3 1 2 3\\n3 2 0 3\\n",
    ...           file_format="off").euler
    2
    """
    return of_reading(files.read_cloud(source, file_format=file_format))


def of_reading(reading: files.Reading) -> TriangleMesh:
    """Return the mesh of a file that was read."""
    if reading.faces is None or not len(reading.faces):
        raise ValueError("the file holds points without faces; give a mesh (PLY, OBJ, STL, OFF with faces, GIFTI)")
    return TriangleMesh(reading.points, reading.faces)


def _mended(points: Floats, corners: Ints) -> tuple[Floats, Ints, str]:
    """Return vertices and faces without what breaks a Laplacian, and what was done."""
    given = len(points)
    used = np.unique(corners)
    points, corners = points[used], np.searchsorted(used, corners)
    unused = given - len(points)
    unique, back = np.unique(points, axis=0, return_inverse=True)
    merged = len(points) - len(unique)
    if merged:
        # keep the order of first appearance, so that vertex numbers change as little as can be
        first = np.full(len(unique), len(points))
        np.minimum.at(first, back.ravel(), np.arange(len(points)))
        order = np.argsort(first)
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        points, corners = unique[order], place[back.ravel()][corners]
    repeated = np.any(corners == np.roll(corners, 1, axis=1), axis=1)
    a, b, c = (points[corners[:, k]] for k in range(3))
    sides = np.stack([np.linalg.norm(b - a, axis=1), np.linalg.norm(c - b, axis=1), np.linalg.norm(a - c, axis=1)])
    empty = np.linalg.norm(np.cross(b - a, c - a), axis=1) <= 1e-12 * sides.max(axis=0) ** 2
    doubled = np.zeros(len(corners), dtype=bool)
    doubled[np.unique(np.sort(corners, axis=1), axis=0, return_index=True)[1]] = True
    kept = ~(repeated | empty) & doubled
    dropped = int(len(corners) - kept.sum())
    corners = corners[kept]
    if not len(corners):
        raise ValueError("no face of the mesh has an area; give triangles with three corners in different places")
    left = np.unique(corners)
    unused += len(points) - len(left)
    points, corners = points[left], np.searchsorted(left, corners)
    counted = (
        (merged, "coincident vertex merged", "coincident vertices merged"),
        (dropped, "face without area or given twice left out", "faces without area or given twice left out"),
        (unused, "vertex of no face left out", "vertices of no face left out"),
    )
    return points, corners, "; ".join(f"{n:,} {one if n == 1 else many}" for n, one, many in counted if n)


def _adjacency(edges: Ints, n: int) -> csr_array:
    i, j = edges.T
    return coo_array((np.ones(len(edges)), (i, j)), shape=(n, n)).tocsr()
