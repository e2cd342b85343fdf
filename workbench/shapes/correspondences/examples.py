"""Pairs of surfaces whose true correspondence is known exactly, because both are made from one parameter domain."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, cKDTree

from workbench import checks, results
from workbench.registry import Entry, Fact, Registry
from workbench.shapes.correspondences.mesh import TriangleMesh
from workbench.shapes.correspondences.sheet import PLASTIC, bent, sheet

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
    first, faces = sheet(n, rng, PLASTIC)
    second, other_faces = sheet(n, rng, PLASTIC[::-1])  # another lattice: no offset makes the two alike
    x, y = TriangleMesh(bent(*first.T, 0.0), faces), TriangleMesh(bent(*second.T, dial), other_faces)
    return known_pair("helicoid-catenoid", x, y, bent(*second.T, 0.0))


# ---- closed surfaces over the sphere --------------------------------------------------------------------------------


def directions(n: int, rng: np.random.Generator) -> tuple[Floats, Ints]:
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


def _closed(
    name: str,
    n: int,
    rng: np.random.Generator,
    grown: float = 0.0,
    shape: Callable[..., Floats] = _blob,
    cut: float = 0.0,
) -> Pair:
    """Return a closed surface, and one ``grown`` of it in other triangles, less a disc of radius ``cut``."""
    first, faces = directions(n, rng)
    second, other_faces = directions(n, rng)
    if cut:
        middle = BUMPS[1, :3] / np.linalg.norm(BUMPS[1, :3])
        left = np.all(second[other_faces] @ middle < np.cos(cut), axis=1)
        kept = np.unique(other_faces[left])
        second, other_faces = second[kept], np.searchsorted(kept, other_faces[left])
    x, y = TriangleMesh(shape(first), faces), TriangleMesh(shape(second, grown), other_faces)
    return known_pair(name, x, y, shape(second))


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
    return _closed("remeshed", n, rng, dial)


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
    return _closed("regrown", n, rng, dial)


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
    pair = _closed("partial", n, rng, cut=dial)
    of_y = np.linspace(0, len(pair.truth) - 1, LANDMARKS + 2).astype(np.int64)[1:-1]
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

    pair = _closed("symmetric", n, rng, shape=shape)
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


def known_pair(name: str, x: TriangleMesh, y: TriangleMesh, places: Floats) -> Pair:
    """Return a pair with the nearest vertices of X as its truth; ``places`` (n_Y, 3) on X are exact."""
    if len(places) != len(y.vertices):  # a mended mesh would have other numbers
        raise ValueError("the triangulation came out with vertices of no face; take another seed or n")
    return Pair(name, x, y, places, cKDTree(x.vertices).query(places)[1].astype(np.int64))
