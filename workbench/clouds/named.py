"""Point clouds to flow: shapes sampled uniformly by length, area or volume where that has a meaning.

Every shape is a function ``(n, rng) -> (n, d)`` in ``SHAPES``, about 1 in radius and centred near the origin. Curved
surfaces are sampled by rejection against their area element, curves by their arc length.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.registry import Fact, Registry

SHAPES = Registry(
    "shape",
    facts={
        "dim": Fact(int, says="the dimension of its points"),
        "measure": Fact(str, says="what the points are uniform in: area, volume, length, …"),
        "source": Fact(str, required=False, says="where real data come from, and their licence"),
    },
)
LARGEST_CLOUD = 20_000_000
Points = NDArray[np.float64]
Random = np.random.Generator


def cloud(name: str, n: int, seed: int | np.random.Generator = 0) -> Points:
    """Return ``n`` points of the named shape, (n, d); ``"text:Hello"`` gives the points of a text.

    Raises ``ValueError`` for an unknown name (naming all) or a number of points that does not fit. Same seed, same
    points.

    >>> cloud("trefoil", 100, seed=1).shape
    (100, 3)
    """
    n = checks.integer("n", n, minimum=1, maximum=LARGEST_CLOUD)
    rng = checks.generator(seed)
    if isinstance(name, str) and name.startswith("text:"):
        from workbench.clouds.text import text_cloud

        return text_cloud(name.removeprefix("text:"), n, seed=rng)
    return SHAPES[name](n, rng)


def pair(
    x: ArrayLike | str, y: ArrayLike | str, n: int, seed: int | np.random.Generator
) -> tuple[ArrayLike, ArrayLike]:
    """Return the two clouds of an experiment; a name stands for ``n`` points of that shape.

    The points are those of ``cloud(x, n, seed)`` and ``cloud(y, n, seed + 1)``, so that a shape and itself differ.

    >>> x, y = pair("torus", "torus", 50, seed=0)
    >>> x.shape == y.shape, bool((x == y).all())
    (True, False)
    """
    next_seed = seed if isinstance(seed, np.random.Generator) else checks.integer("seed", seed, minimum=0) + 1
    first = cloud(x, n, seed) if isinstance(x, str) else x
    second = cloud(y, n, next_seed) if isinstance(y, str) else y
    return first, second


def _shape(name: str, label: str, dim: int = 3, measure: str = "area") -> Callable:
    return SHAPES.add(name, label=label, dim=dim, measure=measure)


def _unit_vectors(n: int, dim: int, rng: Random) -> Points:
    vectors = rng.standard_normal((n, dim))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _by_area(
    n: int,
    rng: Random,
    surface: Callable[[Points, Points], Points],
    u_range: tuple[float, float],
    v_range: tuple[float, float],
) -> Points:
    """Sample a parametrised surface uniformly by area: accept (u, v) in proportion to |∂_u × ∂_v|."""

    def area(u: Points, v: Points) -> Points:
        h = 1e-5
        along_u = (surface(u + h, v) - surface(u - h, v)) / (2 * h)
        along_v = (surface(u, v + h) - surface(u, v - h)) / (2 * h)
        return np.linalg.norm(np.cross(along_u, along_v), axis=1)

    grid_u, grid_v = np.meshgrid(np.linspace(*u_range, 101), np.linspace(*v_range, 101))
    bound = 1.05 * area(grid_u.ravel(), grid_v.ravel()).max()
    found, number = [], 0
    while number < n:
        u, v = rng.uniform(*u_range, 2 * n + 16), rng.uniform(*v_range, 2 * n + 16)
        kept = rng.random(len(u)) * bound < area(u, v)
        found.append(surface(u[kept], v[kept]))
        number += int(kept.sum())
    return np.concatenate(found)[:n]


def _by_length(n: int, rng: Random, curve: Callable[[Points], Points], end: float) -> Points:
    """Sample a curve over [0, end] uniformly by arc length."""
    t = np.linspace(0, end, 20_001)
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(curve(t), axis=0), axis=1))])
    return curve(np.interp(rng.random(n) * length[-1], length, t))


@_shape("torus", "Torus")
def torus(n: int, rng: Random) -> Points:
    """Return a torus of radii 1 and 0.4."""

    def surface(u: Points, v: Points) -> Points:
        ring = 1 + 0.4 * np.cos(v)
        return np.stack([ring * np.cos(u), ring * np.sin(u), 0.4 * np.sin(v)], axis=1)

    return _by_area(n, rng, surface, (0, 2 * np.pi), (0, 2 * np.pi))


@_shape("sphere", "Sphere")
def sphere(n: int, rng: Random) -> Points:
    """Return the unit sphere."""
    return _unit_vectors(n, 3, rng)


@_shape("ball", "Ball", measure="volume")
def ball(n: int, rng: Random) -> Points:
    """Return the unit ball."""
    return _unit_vectors(n, 3, rng) * np.cbrt(rng.random((n, 1)))


@_shape("cube", "Cube", measure="volume")
def cube(n: int, rng: Random) -> Points:
    """Return the solid cube [−1, 1]³."""
    return rng.uniform(-1, 1, (n, 3))


@_shape("cube-surface", "Surface of a cube")
def cube_surface(n: int, rng: Random) -> Points:
    """Return the six faces of [−1, 1]³."""
    points = rng.uniform(-1, 1, (n, 3))
    face = rng.integers(0, 6, n)
    points[np.arange(n), face % 3] = np.where(face < 3, -1.0, 1.0)
    return points


@_shape("ellipsoid", "Ellipsoid")
def ellipsoid(n: int, rng: Random) -> Points:
    """Return the surface with half-axes 1.2, 0.8 and 0.5."""

    def surface(u: Points, v: Points) -> Points:
        return np.stack([1.2 * np.cos(u) * np.sin(v), 0.8 * np.sin(u) * np.sin(v), 0.5 * np.cos(v)], axis=1)

    return _by_area(n, rng, surface, (0, 2 * np.pi), (0, np.pi))


@_shape("cylinder", "Closed cylinder")
def cylinder(n: int, rng: Random) -> Points:
    """Return a cylinder of radius 0.7 and height 2 with both lids."""
    radius, height = 0.7, 2.0
    angle = rng.uniform(0, 2 * np.pi, n)
    on_side = rng.random(n) * (height + radius) < height  # side 2πrh, lids 2πr²
    distance = np.where(on_side, radius, radius * np.sqrt(rng.random(n)))
    z = np.where(on_side, rng.uniform(-1, 1, n), rng.choice([-1.0, 1.0], n)) * height / 2
    return np.stack([distance * np.cos(angle), distance * np.sin(angle), z], axis=1)


@_shape("cone", "Cone")
def cone(n: int, rng: Random) -> Points:
    """Return the mantle of a cone of radius 1 and height 2."""
    share = np.sqrt(rng.random(n))
    angle = rng.uniform(0, 2 * np.pi, n)
    return np.stack([share * np.cos(angle), share * np.sin(angle), 1 - 2 * share], axis=1)


@_shape("moebius", "Möbius band")
def moebius(n: int, rng: Random) -> Points:
    """Return a Möbius band of half-width 0.4."""

    def surface(u: Points, v: Points) -> Points:
        ring = 1 + v * np.cos(u / 2)
        return np.stack([ring * np.cos(u), ring * np.sin(u), v * np.sin(u / 2)], axis=1)

    return _by_area(n, rng, surface, (0, 2 * np.pi), (-0.4, 0.4))


@_shape("klein-bottle", "Klein bottle (figure eight)")
def klein_bottle(n: int, rng: Random) -> Points:
    """Return the figure-eight immersion of the Klein bottle."""

    def surface(u: Points, v: Points) -> Points:
        across = np.cos(u / 2) * np.sin(v) - np.sin(u / 2) * np.sin(2 * v)
        ring = 1 + 0.45 * across
        height = np.sin(u / 2) * np.sin(v) + np.cos(u / 2) * np.sin(2 * v)
        return np.stack([ring * np.cos(u), ring * np.sin(u), 0.45 * height], axis=1)

    return _by_area(n, rng, surface, (0, 2 * np.pi), (0, 2 * np.pi))


def torus_knot(n: int, rng: Random, p: int, q: int) -> Points:
    """Return the (p, q) torus knot: p turns about the axis, q about the core; p and q without common divisor."""

    def curve(t: Points) -> Points:
        ring = 1 + 0.4 * np.cos(q * t)
        return np.stack([ring * np.cos(p * t), ring * np.sin(p * t), 0.4 * np.sin(q * t)], axis=1)

    return _by_length(n, rng, curve, 2 * np.pi)


@_shape("trefoil", "Trefoil knot", measure="length")
def trefoil(n: int, rng: Random) -> Points:
    """Return the trefoil, the (2, 3) torus knot."""
    return torus_knot(n, rng, 2, 3)


@_shape("torus-knot-3-7", "Torus knot (3, 7)", measure="length")
def torus_knot_3_7(n: int, rng: Random) -> Points:
    """Return the (3, 7) torus knot."""
    return torus_knot(n, rng, 3, 7)


@_shape("helix", "Double helix", measure="length")
def helix(n: int, rng: Random) -> Points:
    """Return two helices of three turns, opposite each other."""
    angle = rng.uniform(0, 6 * np.pi, n)
    turned = angle + np.pi * rng.integers(0, 2, n)
    return np.stack([0.5 * np.cos(turned), 0.5 * np.sin(turned), angle / (3 * np.pi) - 1], axis=1)


@_shape("swiss-roll", "Swiss roll")
def swiss_roll(n: int, rng: Random) -> Points:
    """Return a rolled sheet."""

    def curve(t: Points) -> Points:
        radius = 0.25 + 0.75 * t / (3 * np.pi)
        return np.stack([radius * np.cos(t), radius * np.sin(t)], axis=1)

    roll = _by_length(n, rng, curve, 3 * np.pi)
    return np.stack([roll[:, 0], rng.uniform(-0.8, 0.8, n), roll[:, 1]], axis=1)


@_shape("gaussian", "Gaussian", measure="probability")
def gaussian(n: int, rng: Random) -> Points:
    """Return an isotropic Gaussian of standard deviation 0.6."""
    return 0.6 * rng.standard_normal((n, 3))


@_shape("two-blobs", "Two Gaussian blobs", measure="probability")
def two_blobs(n: int, rng: Random) -> Points:
    """Return two Gaussians of standard deviation 0.25 at ±e_1."""
    side = rng.choice([-1.0, 1.0], n)
    return 0.25 * rng.standard_normal((n, 3)) + np.outer(side, [1.0, 0.0, 0.0])


@_shape("gaussian-mixture", "Eight Gaussian blobs", measure="probability")
def gaussian_mixture(n: int, rng: Random) -> Points:
    """Return eight Gaussians of standard deviation 0.15 at the corners of a cube."""
    return 0.15 * rng.standard_normal((n, 3)) + rng.choice([-0.8, 0.8], (n, 3))


@_shape("lorenz", "Lorenz attractor", measure="invariant measure")
def lorenz(n: int, rng: Random) -> Points:
    """Return states on the Lorenz attractor (σ = 10, ρ = 28, β = 8/3), far apart in time on many trajectories."""
    from workbench.clouds.lorenz import lorenz_states

    return lorenz_states(n, rng)


@_shape("saddle", "Saddle")
def saddle(n: int, rng: Random) -> Points:
    """Return the graph of 0.7 (x² − y²) over a square."""

    def surface(u: Points, v: Points) -> Points:
        return np.stack([u, v, 0.7 * (u**2 - v**2)], axis=1)

    return _by_area(n, rng, surface, (-1, 1), (-1, 1))


@_shape("disc", "Disc", dim=2)
def disc(n: int, rng: Random) -> Points:
    """Return the unit disc in the plane."""
    return _unit_vectors(n, 2, rng) * np.sqrt(rng.random((n, 1)))


@_shape("square", "Square", dim=2)
def square(n: int, rng: Random) -> Points:
    """Return the square [−1, 1]² in the plane."""
    return rng.uniform(-1, 1, (n, 2))


@_shape("circle", "Circle", dim=2, measure="length")
def circle(n: int, rng: Random) -> Points:
    """Return the unit circle in the plane."""
    return _unit_vectors(n, 2, rng)


@_shape("two-moons", "Two moons", dim=2, measure="length")
def two_moons(n: int, rng: Random) -> Points:
    """Return two interleaved half circles with a little noise."""
    angle = np.pi * rng.random(n)
    side = rng.choice([-1.0, 1.0], n)
    arc = np.stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25], axis=1) * side[:, None]
    return 0.75 * arc + 0.03 * rng.standard_normal((n, 2))


@_shape("spiral-2d", "Spiral in the plane", dim=2, measure="length")
def spiral_2d(n: int, rng: Random) -> Points:
    """Return three turns of an Archimedean spiral."""
    return _by_length(n, rng, lambda t: t[:, None] / (6 * np.pi) * np.stack([np.cos(t), np.sin(t)], axis=1), 6 * np.pi)


@_shape("clifford-torus", "Clifford torus (d = 4)", dim=4)
def clifford_torus(n: int, rng: Random) -> Points:
    """Return the flat torus in the 3-sphere, four coordinates."""
    u, v = rng.uniform(0, 2 * np.pi, (2, n))
    return np.stack([np.cos(u), np.sin(u), np.cos(v), np.sin(v)], axis=1) / np.sqrt(2)


@_shape("hypersphere", "Sphere in ten dimensions", dim=10)
def hypersphere(n: int, rng: Random) -> Points:
    """Return the unit sphere in ten dimensions."""
    return _unit_vectors(n, 10, rng)
