"""Triangle meshes: what a surface is here, and those that are made here, each with what is known of it exactly.

>>> surface("icosphere", 642)
Surface(icosphere: 642 vertices, 1,280 faces)
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.registry import Fact, Registry

MOST_FACES = 2_000_000
LARGEST, SMALLEST = 1e100, 1e-100
"""Bounds of an extent: areas and volumes of what lies between can be multiplied without leaving double precision."""
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
SURFACES = Registry("surface", facts={"closed": Fact(bool, says="whether it has no border")})


@dataclass(frozen=True, eq=False, repr=False)
class Surface(results.Described):
    """A triangle mesh: ``vertices`` (n, 3) in any unit of length, ``faces`` (m, 3) of indices, counter-clockwise.

    Faces without area, doubled and turned ones are allowed, and counted by ``shapes.surface_report``. Raises
    ``ValueError`` for indices out of range, more than 2,000,000 faces and extents outside 1e-100 … 1e100.

    >>> Surface([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]]).area
    0.5
    """

    vertices: Floats
    faces: Integers
    name: str = "surface"

    def __init__(self, vertices: ArrayLike, faces: ArrayLike, name: str = "surface") -> None:
        places = checks.finite_array("vertices", vertices, ndim=2)
        if places.shape[1] != 3:
            raise ValueError(f"vertices must be (n, 3), got shape {places.shape}; give flat ones a third coordinate 0")
        corners = checks.finite_array("faces", faces, ndim=2, dtype=np.int64)
        if corners.shape[1] != 3:
            raise ValueError(f"faces must be (m, 3), got shape {corners.shape}; cut polygons into triangles first")
        if len(corners) > MOST_FACES:
            raise ValueError(f"the mesh has {len(corners):,} faces; the most is {MOST_FACES:,}: simplify it first")
        if corners.min() < 0 or corners.max() >= len(places):
            raise ValueError(f"faces must name vertices 0 to {len(places) - 1}, got {corners.min()} to {corners.max()}")
        extent = float(np.abs(places).max())
        if not SMALLEST < extent < LARGEST:
            raise ValueError(
                f"the largest coordinate is {extent:.3g}; rescale the mesh to between {SMALLEST:g} and {LARGEST:g}"
            )
        # copies: nobody else writes into them, and kernels are not compiled again for arrays that are read-only
        object.__setattr__(self, "vertices", np.array(places, order="C"))
        object.__setattr__(self, "faces", np.array(corners, order="C"))
        object.__setattr__(self, "name", str(name))

    def __repr__(self) -> str:
        return f"Surface({self.name}: {len(self.vertices):,} vertices, {len(self.faces):,} faces)"

    def describe(self) -> Any:
        """Return what a result records of the surface."""
        return {"name": self.name, "vertices": self.vertices, "faces": self.faces}

    def moved_to(self, vertices: ArrayLike, name: str | None = None) -> "Surface":
        """Return the same faces with their vertices at other places, (n, 3)."""
        places = checks.finite_array("vertices", vertices, ndim=2)
        if places.shape != self.vertices.shape:
            raise ValueError(f"the mesh has vertices of shape {self.vertices.shape}, got {places.shape}")
        return Surface(places, self.faces, name or self.name)

    @property
    def corners(self) -> Floats:
        """The places of the corners of every face, (m, 3, 3)."""
        return self.vertices[self.faces]

    @functools.cached_property
    def doubled_normals(self) -> Floats:
        """(v₁ − v₀) × (v₂ − v₀) of every face, (m, 3): normals as long as twice the area."""
        a, b, c = np.moveaxis(self.corners, 1, 0)
        return np.cross(b - a, c - a)

    @functools.cached_property
    def areas(self) -> Floats:
        """The area of every face, (m,)."""
        return np.linalg.norm(self.doubled_normals, axis=1) / 2

    @functools.cached_property
    def normals(self) -> Floats:
        """Unit normals, (m, 3); zeros for a face without area."""
        doubled = 2 * self.areas[:, None]
        return np.divide(self.doubled_normals, doubled, out=np.zeros_like(self.doubled_normals), where=doubled > 0)

    @property
    def barycentres(self) -> Floats:
        """The mean of the corners of every face, (m, 3)."""
        return self.corners.mean(axis=1)

    @property
    def area(self) -> float:
        """The total area."""
        return float(self.areas.sum())

    @property
    def centroid(self) -> Floats:
        """The centre of the area, (3,); the mean of the vertices where there is no area."""
        total = self.areas.sum()
        return self.areas @ self.barycentres / total if total > 0 else self.vertices.mean(axis=0)

    @property
    def volume(self) -> float:
        """The signed volume within a closed mesh, positive where normals point out; it means nothing for an open one.

        >>> round(box((1, 2, 3)).volume, 12)
        6.0
        """
        a, b, c = np.moveaxis(self.corners - self.centroid, 1, 0)
        return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)

    @property
    def extent(self) -> float:
        """The longest side of the box around the mesh."""
        return float(np.ptp(self.vertices, axis=0).max())


def surface(name: str, size: int | None = None, **options: Any) -> Surface:
    """Return a named surface of ``SURFACES`` with about ``size`` vertices (default: what suits it).

    Raises ``ValueError`` for an unknown name or a size outside 3 … 200,000, ``TypeError`` for an unknown option.

    >>> surface("torus", 500, ring=2.0, tube=0.5).faces.shape
    (1024, 3)
    """
    make = SURFACES[name]
    if size is not None:
        options["size"] = checks.integer("size", size, minimum=3, maximum=200_000)
    return make(**options)


def as_surface(given: Surface | str) -> Surface:
    """Return a surface as it is, or by its name in ``SURFACES``; ``TypeError`` for anything else."""
    if isinstance(given, Surface):
        return given
    if isinstance(given, str):
        return _named(given)
    raise TypeError(f"give a Surface, or a name of SURFACES, not {type(given).__name__}")


@functools.lru_cache(maxsize=16)
def _named(name: str) -> Surface:
    return surface(name)


def subdivide(mesh: Surface, times: int = 1) -> Surface:
    """Return the mesh with every face cut into four at the middles of its edges: the same set of points, (4m faces).

    >>> finer = subdivide(box(), 2)
    >>> len(finer.faces), bool(abs(finer.area - box().area) < 1e-12)
    (192, True)
    """
    times = checks.integer("times", times, minimum=0, maximum=8)
    vertices, faces = mesh.vertices, mesh.faces
    if len(faces) * 4**times > MOST_FACES:
        raise ValueError(f"{len(faces) * 4**times:,} faces would come of it; the most is {MOST_FACES:,}")
    for _ in range(times):
        vertices, faces = _cut(vertices, faces)
    return Surface(vertices, faces, mesh.name)


def _cut(vertices: Floats, faces: Integers) -> tuple[Floats, Integers]:
    sides = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    edges, place = np.unique(sides, axis=0, return_inverse=True)
    ab, bc, ca = (len(vertices) + place.reshape(-1, 3)).T
    a, b, c = faces.T
    made = np.stack([a, ab, ca, ab, b, bc, ca, bc, c, ab, bc, ca], axis=1).reshape(-1, 3)
    return np.concatenate([vertices, vertices[edges].mean(axis=1)]), made


# ---- spheres, and what is made of them -------------------------------------------------------------------------------


@functools.lru_cache(maxsize=8)
def _unit_sphere(level: int) -> tuple[Floats, Integers]:
    """Return vertices and faces of the icosahedron, cut into four ``level`` times and pushed out to radius 1."""
    golden = (1 + math.sqrt(5)) / 2
    rows = [(0, s, t * golden) for s in (-1, 1) for t in (-1, 1)]
    vertices = np.array([np.roll(row, k) for k in range(3) for row in rows], dtype=np.float64)
    vertices /= np.linalg.norm(vertices, axis=1, keepdims=True)
    near = vertices @ vertices.T > 0.4
    faces = np.array(
        [(i, j, k) for i in range(12) for j in range(i) for k in range(j) if near[i, j] and near[j, k] and near[k, i]]
    )
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    inwards = np.einsum("ij,ij->i", a, np.cross(b, c)) < 0
    faces[inwards] = faces[inwards][:, ::-1]
    for _ in range(level):
        vertices, faces = _cut(vertices, faces)
        vertices /= np.linalg.norm(vertices, axis=1, keepdims=True)
    vertices.flags.writeable = faces.flags.writeable = False
    return vertices, faces


def _level(size: int) -> int:
    """Return the number of cuts that comes nearest to ``size`` = 10·4^level + 2 vertices."""
    return min(range(8), key=lambda level: abs(math.log((10 * 4**level + 2) / size)))


@SURFACES.add("icosphere", label="Sphere", formula=r"x^2+y^2+z^2=r^2", closed=True)
def icosphere(size: int = 642, *, radius: float = 1.0, centre: ArrayLike = (0.0, 0.0, 0.0)) -> Surface:
    """Return a sphere of 10·4^k + 2 vertices (12, 42, 162, 642, 2562, 10,242, …), the number nearest to ``size``.

    >>> [len(icosphere(size).vertices) for size in (12, 40, 642)]
    [12, 42, 642]
    """
    radius = checks.real("radius", radius, exclusive_minimum=0)
    vertices, faces = _unit_sphere(_level(checks.integer("size", size, minimum=3, maximum=200_000)))
    return Surface(radius * vertices + _place("centre", centre), faces, "icosphere")


@SURFACES.add("walnut", label="Walnut (folded)", formula=r"r(n)=1+d\,f(n)", closed=True)
def walnut(size: int = 642, *, depth: float = 0.16, layer: float = 0.0) -> Surface:
    """Return a folded sphere, and the layers that lie on it: what an inner and an outer cortex are to each other.

    The surface of ``layer`` 0 is r(n)·n over the unit sphere with folds of ``depth``; that of a ``layer`` t > 0 lies
    further out by t(1 − f/2), thinner on the crests. All layers of one size share their faces, so vertex i belongs to
    vertex i.

    >>> inner, outer = walnut(162), walnut(162, layer=0.1)
    >>> bool(outer.volume > inner.volume), bool((inner.faces == outer.faces).all())
    (True, True)
    """
    depth = checks.real("depth", depth, minimum=0, maximum=0.4)
    layer = checks.real("layer", layer, minimum=0, maximum=1)
    n, faces = _unit_sphere(_level(checks.integer("size", size, minimum=3, maximum=200_000)))
    fold = np.sin(5 * n[:, 0] + 2 * n[:, 1] ** 2) * np.cos(4 * n[:, 1] - n[:, 2]) + 0.5 * np.sin(6 * n[:, 2] + n[:, 0])
    fold /= 1.5
    radius = 1 + depth * fold + layer * (1 - fold / 2)
    return Surface(radius[:, None] * n, faces, "walnut" if layer == 0 else f"walnut, layer {layer:g}")


@SURFACES.add("walnut-outer", label="Walnut, outer layer", formula=r"r(n)=1+d\,f(n)+t(1-f/2)", closed=True)
def outer_walnut(size: int = 642, *, depth: float = 0.16, layer: float = 0.1) -> Surface:
    """Return the layer that lies on :func:`walnut`, with the same faces: what a deformation should find."""
    return walnut(size, depth=depth, layer=layer)


@SURFACES.add("ellipsoid", label="Ellipsoid", formula=r"(x/a)^2+(y/b)^2+(z/c)^2=1", closed=True)
def ellipsoid(size: int = 642, *, axes: ArrayLike = (1.0, 0.8, 0.6)) -> Surface:
    """Return an ellipsoid with these half-axes, on the faces of :func:`icosphere`."""
    lengths = _place("axes", axes)
    checks.real("the shortest of axes", lengths.min(), exclusive_minimum=0)
    vertices, faces = _unit_sphere(_level(checks.integer("size", size, minimum=3, maximum=200_000)))
    return Surface(lengths * vertices, faces, "ellipsoid")


@SURFACES.add("box", label="Box", closed=True)
def box(lengths: ArrayLike = (1.0, 2.0, 3.0), *, size: int = 8) -> Surface:
    """Return a box around the origin, 8 vertices and 12 faces, cut into four until ``size`` vertices are near.

    >>> box((1, 2, 3)).area
    22.0
    """
    sides = _place("lengths", lengths)
    checks.real("the shortest of lengths", sides.min(), exclusive_minimum=0)
    corners = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 2
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = np.array([face for a, b, c, d in quads for face in ((a, b, c), (a, c, d))])
    mesh = Surface(sides * corners, faces, "box")
    wanted = checks.integer("size", size, minimum=3, maximum=200_000)
    return subdivide(mesh, min(range(8), key=lambda times: abs(math.log((6 * 4**times + 2) / wanted))))


# ---- grids, wrapped or not -------------------------------------------------------------------------------------------


def grid_faces(rows: int, columns: int, *, wrap_rows: bool = False, wrap_columns: bool = False) -> Integers:
    """Return faces (m, 3) of a grid of vertices numbered row by row, cut by the diagonal from (i, j) to (i+1, j+1)."""
    i, j = np.meshgrid(
        np.arange(rows if wrap_rows else rows - 1), np.arange(columns if wrap_columns else columns - 1), indexing="ij"
    )
    i, j = i.ravel(), j.ravel()
    down, right = (i + 1) % rows, (j + 1) % columns
    a, b, c, d = i * columns + j, down * columns + j, down * columns + right, i * columns + right
    return np.stack([a, b, c, a, c, d], axis=1).reshape(-1, 3)


def _along(function: Callable[[Floats, Floats], tuple[Floats, ...]], u: Floats, v: Floats) -> Floats:
    """Return the places (rows × columns, 3) of a parametrised surface."""
    first, second = np.meshgrid(u, v, indexing="ij")
    return np.stack([np.broadcast_to(part, first.shape).ravel() for part in function(first, second)], axis=1)


@SURFACES.add("torus", label="Torus", formula=r"(\sqrt{x^2+y^2}-R)^2+z^2=r^2", closed=True)
def torus(size: int = 1152, *, ring: float = 2.0, tube: float = 0.5) -> Surface:
    """Return a torus about the z axis; with ``tube`` > ``ring`` it crosses itself (a spindle torus).

    >>> torus(200).vertices.shape
    (200, 3)
    """
    ring = checks.real("ring", ring, exclusive_minimum=0)
    tube = checks.real("tube", tube, exclusive_minimum=0)
    size = checks.integer("size", size, minimum=18, maximum=200_000)
    rows = max(3, round(math.sqrt(2 * size)))
    columns = max(3, round(size / rows))
    u, v = 2 * np.pi * np.arange(rows) / rows, 2 * np.pi * np.arange(columns) / columns
    places = _along(
        lambda a, b: (
            (ring + tube * np.cos(b)) * np.cos(a),
            (ring + tube * np.cos(b)) * np.sin(a),
            tube * np.sin(b),
        ),
        u,
        v,
    )
    return Surface(places, grid_faces(rows, columns, wrap_rows=True, wrap_columns=True), "torus")


@SURFACES.add("sheet", label="Flat sheet", formula="z=0", closed=False)
def sheet(size: int = 1681, *, side: float = 4.0, height: float = 0.0) -> Surface:
    """Return a square of the plane z = ``height`` about the z axis, cut by diagonals from (x, y) to (x+h, y+h).

    >>> sheet(9, side=2.0).faces.shape
    (8, 3)
    """
    count = max(2, round(math.sqrt(checks.integer("size", size, minimum=4, maximum=200_000))))
    line = checks.real("side", side, exclusive_minimum=0) * (np.arange(count) / (count - 1) - 0.5)
    height = checks.real("height", height)
    return Surface(_along(lambda a, b: (a, b, np.full_like(a, height)), line, line), grid_faces(count, count), "sheet")


@SURFACES.add("two-sheets", label="Sheet under a triangle", formula=r"z=0,\quad z=0.1", closed=False)
def two_sheets(size: int = 1681, *, splits: int = 0) -> Surface:
    """Return a sheet [−2, 2]² of about ``size`` vertices at z = 0 below one large triangle at z = 0.1.

    The triangle has the circumradius 4 and is cut into four ``splits`` times. A map that lifts the middle of the sheet
    carries the one through the other, however smooth it is: the triangle moves with its corners alone.

    >>> two_sheets(9, splits=1).faces.shape
    (12, 3)
    """
    turn = np.pi / 2 + 2 * np.pi * np.arange(3) / 3
    corners = np.stack([4 * np.cos(turn), 4 * np.sin(turn), np.full(3, 0.1)], axis=1)
    floor, lid = sheet(size), subdivide(Surface(corners, [[0, 1, 2]]), splits)
    vertices = np.concatenate([floor.vertices, lid.vertices])
    return Surface(vertices, np.concatenate([floor.faces, lid.faces + len(floor.vertices)]), "sheet under a triangle")


@SURFACES.add("catenoid", label="Catenoid", formula=r"(\cosh v\cos u,\ \cosh v\sin u,\ v)", closed=False)
def catenoid(size: int = 1200, *, reach: float = 1.2) -> Surface:
    """Return the catenoid over |v| ≤ ``reach``, cut open along u = 0: isometric to :func:`helicoid`, vertex by vertex.

    >>> a, b = catenoid(400), helicoid(400)
    >>> bool(abs(a.area / b.area - 1) < 0.02), bool((a.faces == b.faces).all())
    (True, True)
    """
    return _minimal(lambda u, v: (np.cosh(v) * np.cos(u), np.cosh(v) * np.sin(u), v), size, reach, "catenoid")


@SURFACES.add("helicoid", label="Helicoid", formula=r"(\sinh v\sin u,\ -\sinh v\cos u,\ u)", closed=False)
def helicoid(size: int = 1200, *, reach: float = 1.2) -> Surface:
    """Return one turn of the helicoid over |v| ≤ ``reach``; its vertices belong to those of :func:`catenoid`."""
    return _minimal(lambda u, v: (np.sinh(v) * np.sin(u), -np.sinh(v) * np.cos(u), u), size, reach, "helicoid")


def _minimal(function: Callable[[Floats, Floats], tuple[Floats, ...]], size: int, reach: float, name: str) -> Surface:
    reach = checks.real("reach", reach, exclusive_minimum=0, maximum=5)
    size = checks.integer("size", size, minimum=9, maximum=200_000)
    rows = max(3, round(math.sqrt(size * math.pi / reach)))
    columns = max(3, round(size / rows))
    u, v = 2 * np.pi * np.arange(rows) / (rows - 1), np.linspace(-reach, reach, columns)
    return Surface(_along(function, u, v), grid_faces(rows, columns), name)


def _place(name: str, value: ArrayLike) -> Floats:
    made = checks.finite_array(name, value, ndim=1)
    if made.shape != (3,):
        raise ValueError(f"{name} must be three numbers, got shape {made.shape}")
    return made
