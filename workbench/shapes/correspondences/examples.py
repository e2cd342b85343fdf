"""Pairs of surfaces whose true correspondence is known exactly, because both are made from one parameter domain."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, Delaunay, cKDTree

from workbench import checks, results
from workbench.registry import Entry, Fact, Registry
from workbench.shapes.correspondences.mesh import TriangleMesh

LEAST, MOST = 60, 5_000
LANDMARKS = 5
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
PAIRS = Registry(
    "pair",
    facts={
        "dial": Fact(str, says="what the dial of the pair turns"),
        "start": Fact(float, says="where the dial stands by itself"),
        "most": Fact(float, says="the largest value of the dial; the smallest is 0"),
        "isometric": Fact(bool, says="whether a dial at its start leaves all lengths as they are"),
        "needs": Fact(str, required=False, says="the package that brings its surfaces"),
    },
)


@dataclass(frozen=True, eq=False)
class Pair(results.Described):
    """Two surfaces and the truth between them.

    ``places`` (n_Y, 3) is where each vertex of Y lies on X (exactly, as a rule between its vertices), and ``truth``
    (n_Y,) the vertex of X nearest to that. ``others`` holds further truths that a symmetry of X makes as good.
    ``scale`` is "shared" where Y is a part of X (see :func:`match`), and such a pair brings five ``landmarks``
    (vertex of X, vertex of Y).
    """

    name: str
    x: TriangleMesh
    y: TriangleMesh
    places: Floats
    truth: Ints
    others: tuple[Ints, ...] = ()
    arguments: tuple[Any, ...] = ()
    scale: str = "each"
    landmarks: Ints = field(default_factory=lambda: np.empty((0, 2), dtype=np.int64))

    def describe(self) -> Any:
        """Return what a result records of the pair."""
        return {"pair": self.name, "arguments": list(self.arguments)}

    @property
    def quantisation(self) -> float:
        """The mean distance from the exact places to the vertices of ``truth``, over √area of X."""
        away = np.linalg.norm(self.places - self.x.vertices[self.truth], axis=1)
        return float((away * self.y.masses).sum() / self.y.area / np.sqrt(self.x.area))


# ---- a strip of a minimal surface, bent without stretching ----------------------------------------------------------

LENGTH = 4.6
"""Of the strip along v, less than 2π, so that the catenoid does not meet itself."""
PLASTIC = (0.7548776662466927, 0.5698402909980532)
"""Powers of the inverse of the plastic number, the even sequence of the plane with the best known gaps."""


def _bent(u: Floats, v: Floats, t: float) -> Floats:
    """Return points between helicoid (t = 0) and catenoid (t = π/2); their metric cosh²u(du² + dv²) has no t."""
    c, s = np.cos(t), np.sin(t)
    return np.stack(
        [
            c * np.sinh(u) * np.sin(v) + s * np.cosh(u) * np.cos(v),
            -c * np.sinh(u) * np.cos(v) + s * np.cosh(u) * np.sin(v),
            c * v + s * u,
        ],
        axis=1,
    )


def _low(v: Floats) -> Floats:
    return -0.9 - 0.25 * np.sin(1.3 * v)


def _high(v: Floats) -> Floats:
    return 1.0 + 0.22 * np.cos(2.1 * v + 0.4)


def _stretched(u: Floats) -> Floats:
    return u / 2 + np.sinh(2 * u) / 4  # the integral of cosh²: areas along u


def _sheet(n: int, rng: np.random.Generator, ratios: tuple[float, float]) -> tuple[Floats, Ints]:
    """Return (u, v) of about n points even in area and their triangles; the outline has no symmetry."""
    fine = np.linspace(0, LENGTH, 4001)
    ends = [np.linspace(_low(v), _high(v), 801) for v in (0.0, LENGTH)]
    line = np.concatenate(
        [
            np.stack([_low(fine), fine], axis=1),
            np.stack([ends[1], np.full(801, LENGTH)], axis=1)[1:],
            np.stack([_high(fine), fine], axis=1)[::-1][1:],
            np.stack([ends[0], np.zeros(801)], axis=1)[::-1][1:-1],
        ]
    )
    s_low, s_high = float(_stretched(_low(fine)).min()), float(_stretched(_high(fine)).max())
    area = float(np.trapezoid(_stretched(_high(fine)) - _stretched(_low(fine)), fine))
    spacing = np.sqrt(2 / np.sqrt(3) * area / n)
    places = _bent(*line.T, 0.0)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(places, axis=0), axis=1))])
    count = max(int(along[-1] / spacing), 12)
    wanted = (np.arange(count) + rng.random()) / count * along[-1]
    rim = np.stack([np.interp(wanted, along, line[:, k]) for k in range(2)], axis=1)
    corners = line[[0, 4000, 4800, 8800]]
    rim = np.concatenate([corners, rim[cKDTree(corners).query(rim)[0] > 0.5 * spacing]])
    # Kronecker's sequence: as even as a lattice, moved by an offset of its own
    many = int(1.3 * n * (s_high - s_low) * LENGTH / area) + 50
    steps = np.arange(1, many + 1)[:, None] * np.array(ratios)
    unit = (steps + rng.random(2)) % 1.0
    table = np.linspace(-1.6, 1.6, 4001)
    u = np.interp(s_low + unit[:, 0] * (s_high - s_low), _stretched(table), table)
    v = unit[:, 1] * LENGTH
    inside = (u > _low(v)) & (u < _high(v))
    points = np.stack([u[inside], v[inside]], axis=1)
    points = points[cKDTree(_bent(*rim.T, 0.0)).query(_bent(*points.T, 0.0))[0] > 0.6 * spacing]
    points = np.concatenate([rim, points[: max(n - len(rim), 12)]])
    triangles = Delaunay(points).simplices.astype(np.int64)
    u, v = points[triangles].mean(axis=1).T
    inside = (u > _low(v)) & (u < _high(v))
    flat = points[triangles]
    (ax, ay), (bx, by) = (flat[:, 1] - flat[:, 0]).T, (flat[:, 2] - flat[:, 0]).T
    crossed = ax * by - ay * bx
    triangles[crossed < 0] = triangles[crossed < 0][:, ::-1]
    triangles = triangles[inside & (np.abs(crossed) > 1e-9)]
    used = np.unique(triangles)
    return points[used], np.searchsorted(used, triangles)


@PAIRS.add(
    "helicoid-catenoid",
    label="Helicoid → catenoid",
    formula=r"\cos t\,X_\text{hel} + \sin t\,X_\text{cat}",
    dial="the angle t to which the helicoid is bent, π/2 for the catenoid",
    start=float(np.pi / 2),
    most=float(np.pi / 2),
    isometric=True,
)
def helicoid_catenoid(n: int, dial: float, rng: np.random.Generator) -> Pair:
    """Return two triangulations of one strip, as a helicoid and bent by ``dial``: exactly isometric."""
    first, faces = _sheet(n, rng, PLASTIC)
    second, other_faces = _sheet(n, rng, PLASTIC[::-1])  # another lattice: no offset makes the two alike
    x, y = TriangleMesh(_bent(*first.T, 0.0), faces), TriangleMesh(_bent(*second.T, dial), other_faces)
    return _known("helicoid-catenoid", x, y, _bent(*second.T, 0.0))


# ---- closed surfaces over the sphere --------------------------------------------------------------------------------


def _directions(n: int, rng: np.random.Generator) -> tuple[Floats, Ints]:
    """Return n Fibonacci points on the sphere, turned at random, and the triangles of their hull, seen from outside."""
    k = np.arange(n) + 0.5
    height, angle = 1 - 2 * k / n, np.pi * (1 + np.sqrt(5)) * k
    ring = np.sqrt(1 - height**2)
    turn, upper = np.linalg.qr(rng.normal(size=(3, 3)))
    points = np.stack([ring * np.cos(angle), ring * np.sin(angle), height], axis=1) @ (turn * np.sign(np.diag(upper)))
    faces = ConvexHull(points).simplices.astype(np.int64)
    a, b, c = (points[faces[:, i]] for i in range(3))
    inward = np.einsum("fi,fi->f", np.cross(b - a, c - a), a) < 0
    faces[inward] = faces[inward][:, ::-1]
    return points, faces


BUMPS = np.array(
    [
        # x, y, z of the direction, height, sharpness
        [0.0, 0.0, 1.0, 0.55, 3.0],
        [1.0, 0.2, 0.1, 0.45, 5.0],
        [-0.7, 0.8, 0.0, 0.35, 6.0],
        [-0.4, -0.9, 0.3, 0.5, 8.0],
        [0.3, -0.3, -0.9, 0.4, 4.0],
        [0.5, 0.7, -0.5, -0.25, 6.0],
    ]
)


def _radius(way: Floats, bumps: Floats) -> Floats:
    centres = bumps[:, :3] / np.linalg.norm(bumps[:, :3], axis=1, keepdims=True)
    return 1 + np.exp(bumps[:, 4] * (way @ centres.T - 1)) @ bumps[:, 3]


def _blob(way: Floats, grown: float = 0.0, bumps: Floats = BUMPS) -> Floats:
    """Return points of a lumpy closed surface over directions; ``grown`` moves height from some lumps to others."""
    changed = bumps.copy()
    changed[:, 3] *= 1 + grown * np.array([0.6, -0.5, 0.4, -0.6, 0.5, 0.6])[: len(bumps)]
    return _radius(way, changed)[:, None] * way


def _closed(name: str, n: int, grown: float, rng: np.random.Generator, shape: Callable[..., Floats] = _blob) -> Pair:
    first, faces = _directions(n, rng)
    second, other_faces = _directions(n, rng)
    x, y = TriangleMesh(shape(first), faces), TriangleMesh(shape(second, grown), other_faces)
    return _known(name, x, y, shape(second))


@PAIRS.add(
    "remeshed",
    label="One surface, two triangulations",
    formula="r(ω)ω over two turned sets of Fibonacci points",
    dial="how far the lumps of the second surface are changed",
    start=0.0,
    most=1.0,
    isometric=True,
)
def remeshed(n: int, dial: float, rng: np.random.Generator) -> Pair:
    """Return a lumpy closed surface twice, with other vertices and faces."""
    return _closed("remeshed", n, dial, rng)


@PAIRS.add(
    "regrown",
    label="Lumps that grew (not isometric)",
    formula="r(ω)ω → r'(ω)ω, the lumps up to 60 % higher or lower",
    dial="how far the lumps are changed",
    start=0.3,
    most=1.5,
    isometric=False,
)
def regrown(n: int, dial: float, rng: np.random.Generator) -> Pair:
    """Return a lumpy closed surface and one whose lumps have grown or shrunk."""
    return _closed("regrown", n, dial, rng)


@PAIRS.add(
    "partial",
    label="A part of a surface, with five landmarks",
    formula="all of r(ω)ω but a disc of directions",
    dial="the radius of the disc that is cut out (radians)",
    start=0.8,
    most=1.6,
    isometric=True,
)
def partial(n: int, dial: float, rng: np.random.Generator) -> Pair:
    """Return a lumpy closed surface, and another triangulation of it with a disc cut out."""
    first, faces = _directions(n, rng)
    second, other_faces = _directions(n, rng)
    middle = BUMPS[1, :3] / np.linalg.norm(BUMPS[1, :3])
    left = np.all(second[other_faces] @ middle < np.cos(dial), axis=1)
    kept = np.unique(other_faces[left])
    second, other_faces = second[kept], np.searchsorted(kept, other_faces[left])
    x, y = TriangleMesh(_blob(first), faces), TriangleMesh(_blob(second), other_faces)
    pair = _known("partial", x, y, _blob(second))
    of_y = np.linspace(0, len(second) - 1, LANDMARKS + 2).astype(np.int64)[1:-1]
    return replace(pair, scale="shared", landmarks=np.stack([pair.truth[of_y], of_y], axis=1))


MIRRORED = np.array(
    [
        [0.0, 0.0, 1.0, 0.6, 4.0],
        [0.8, 0.7, 0.1, 0.5, 6.0],
        [-0.8, 0.7, 0.1, 0.5, 6.0],
        [0.5, -0.6, -0.7, 0.35, 6.0],
        [-0.5, -0.6, -0.7, 0.35, 6.0],
        [0.0, -1.0, 0.3, -0.2, 5.0],
    ]
)


@PAIRS.add(
    "symmetric",
    label="Left and right alike",
    formula="r(x, y, z) = r(−x, y, z)",
    dial="how far the lumps on one side are changed, which tells the sides apart",
    start=0.0,
    most=1.0,
    isometric=True,
)
def symmetric(n: int, dial: float, rng: np.random.Generator) -> Pair:
    """Return a surface with a mirror plane twice: the swap of left and right is as good a map as the truth."""

    def shape(way: Floats, grown: float = 0.0) -> Floats:
        bumps = MIRRORED.copy()
        bumps[1, 3] *= 1 + 0.5 * dial  # on both surfaces: the symmetry is what the dial takes away
        return _radius(way, bumps)[:, None] * way

    pair = _closed("symmetric", n, 0.0, rng, shape)
    if dial:
        return pair
    swapped = cKDTree(pair.x.vertices).query(pair.places * np.array([-1.0, 1.0, 1.0]))[1]
    return Pair(pair.name, pair.x, pair.y, pair.places, pair.truth, (swapped.astype(np.int64),))


def available() -> dict[str, Entry]:
    """Return the pairs that can be made here: all but those whose package is not installed."""
    return {name: entry for name, entry in PAIRS.items() if _is_there(entry.facts.get("needs", ""))}


def _is_there(package: str) -> bool:
    return not package or importlib.util.find_spec(package) is not None


def shape_pair(name: str, n: int = 400, *, dial: float | None = None, seed: int = 0) -> Pair:
    """Return a pair of surfaces of about ``n`` vertices each, in different triangulations, with its exact truth.

    ``name`` is in ``PAIRS``; what its ``dial`` turns and how far stands in the registry's facts (None: where it stands
    by itself). Raises ``ValueError`` for unknown names and n outside 60 to 5,000. Same seed, same pair.

    >>> pair = shape_pair("partial", 200, dial=0.6)
    >>> len(pair.x.vertices), pair.x.boundary, pair.y.boundary > 0, len(pair.truth) == len(pair.y.vertices)
    (200, 0, True, True)
    """
    entry = PAIRS[name]
    n = checks.integer("n", n, minimum=LEAST, maximum=MOST)
    start = entry.fact("start") if dial is None else dial
    dial = checks.real("dial", start, minimum=0, maximum=entry.fact("most"))
    made = entry(n, dial, np.random.default_rng(checks.integer("seed", seed, minimum=0)))
    return Pair(name, made.x, made.y, made.places, made.truth, made.others, (n, dial, seed), made.scale, made.landmarks)


def _known(name: str, x: TriangleMesh, y: TriangleMesh, places: Floats) -> Pair:
    if len(places) != len(y.vertices):  # a mended mesh would have other numbers
        raise ValueError("the triangulation came out with vertices of no face; take another seed or n")
    return Pair(name, x, y, places, cKDTree(x.vertices).query(places)[1].astype(np.int64))
