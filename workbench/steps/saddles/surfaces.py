"""Energy surfaces: analytic ones with oracles, clusters of atoms, and whatever an ASE calculator computes.

A :class:`Surface` turns coordinates into an energy and a gradient; one such evaluation is a *call*, the currency of
every comparison. Plane surfaces also carry their formula over jets, so that :func:`workbench.steps.stationary_points`
can prove which stationary points they have.

>>> from workbench import steps
>>> surface = steps.SURFACES["mueller-brown"]()
>>> energy, gradient = surface(surface.start)
>>> round(surface([-0.8220015587327321, 0.6243128028148714])[0], 6)
-40.664844
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.registry import Registry
from workbench.steps.saddles.jets import Jet, Scalar, exponential, variables

Array = NDArray[np.float64]
Evaluation = tuple[float, Array]

SURFACES = Registry("surface")
CLOSEST = 0.3
"""Two atoms nearer than this (in the surface's unit of length) are refused: 1/r says nothing there."""
LARGEST_CLUSTER = 64


@dataclass(frozen=True)
class Surface:
    """An energy surface over a vector of coordinates.

    ``evaluate`` maps coordinates (d) to the energy and its gradient (d). ``species`` names the atoms whose Cartesian
    coordinates, three each, the vector holds; None for plain coordinates. ``scale`` is the energy that the surrogate
    takes as its unit (the bound on its variance is an absolute number, so a surface of hundreds of units must be
    scaled), ``tolerance`` the largest component of the gradient that counts as converged.
    ``step`` is the longest step of a search, in units of length.
    """

    name: str
    evaluate: Callable[[Array], Evaluation]
    start: Array
    species: tuple[str, ...] | None = None
    hessian: Callable[[Array], Array] | None = None
    jet: Callable[[Sequence[Scalar]], Jet] | None = None
    box: tuple[tuple[float, float], ...] | None = None
    scale: float = 1.0
    tolerance: float = 0.01
    step: float = 0.1
    length_unit: str = "1"
    energy_unit: str = "1"

    @property
    def size(self) -> int:
        """The number of coordinates."""
        return self.start.size

    def __call__(self, x: ArrayLike) -> Evaluation:
        """Return the energy and the gradient at ``x`` (d); ``ValueError`` says what is wrong with the coordinates."""
        return self.evaluate(self.check("x", x))

    def check(self, name: str, x: ArrayLike) -> Array:
        """Return coordinates as a finite vector of the right length, with no two atoms on top of each other."""
        array = checks.finite_array(name, x)
        wanted = (self.size,) if self.species is None else ((self.size,), (self.size // 3, 3))
        if array.shape != wanted and (self.species is None or array.shape not in wanted):
            raise ValueError(f"{name} must have shape {wanted} for the surface {self.name!r}, got {array.shape}")
        flat = array.reshape(-1)
        if self.species is not None and len(self.species) > 1:
            i, j, nearest = closest_pair(flat)
            if nearest < CLOSEST:
                raise ValueError(
                    f"{name}: atoms {i} and {j} are {nearest:.3g} {self.length_unit} apart; keep all pairs at least "
                    f"{CLOSEST} apart, since the surrogate's features are inverse distances"
                )
        return flat

    def describe(self) -> dict[str, Any]:
        """Name the surface for provenance."""
        return {"surface": self.name, "coordinates": self.size, "species": "".join(self.species or ())}


def closest_pair(x: Array) -> tuple[int, int, float]:
    """Return the two atoms that are nearest to each other and their distance."""
    points = x.reshape(-1, 3)
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    i, j = np.unravel_index(int(distances.argmin()), distances.shape)
    return int(i), int(j), float(distances[i, j])


# ---- Müller–Brown --------------------------------------------------------------------------------------------------

_A = (-200.0, -100.0, -170.0, 15.0)
_a = (-1.0, -1.0, -6.5, 0.7)
_b = (0.0, 0.0, 11.0, 0.6)
_c = (-10.0, -10.0, -6.5, 0.7)
_X0 = (1.0, 0.0, -0.5, -1.0)
_Y0 = (0.0, 0.5, 1.5, 1.0)


def _mueller_brown(x: Sequence[Scalar]) -> Jet:
    """Return energy, gradient and Hessian in closed form, of floats or balls: Σ A e^q with q a quadratic form."""
    energy = gx = gy = hxx = hxy = hyy = 0.0 * x[0]
    for A, a, b, c, x0, y0 in zip(_A, _a, _b, _c, _X0, _Y0, strict=True):
        dx, dy = x[0] - x0, x[1] - y0
        e = A * exponential(a * dx * dx + b * dx * dy + c * dy * dy)
        qx, qy = 2 * a * dx + b * dy, b * dx + 2 * c * dy
        energy, gx, gy = energy + e, gx + e * qx, gy + e * qy
        hxx, hxy, hyy = hxx + e * (qx * qx + 2 * a), hxy + e * (qx * qy + b), hyy + e * (qy * qy + 2 * c)
    return Jet(energy, [gx, gy], [[hxx, hxy], [hxy, hyy]])


@SURFACES.add(
    "mueller-brown",
    label="Müller–Brown",
    formula=r"E=\sum_{k=1}^4 A_k e^{a_k(x-x_k)^2+b_k(x-x_k)(y-y_k)+c_k(y-y_k)^2}",
    reference="K. Müller, L. D. Brown, Theor. Chim. Acta 53 (1979) 75",
)
def mueller_brown() -> Surface:
    """Return the Müller–Brown surface: three minima and two saddles in its box, all of them certified."""
    return _plane("mueller-brown", _mueller_brown, (-0.9, 0.9), ((-2.0, 1.5), (-0.75, 2.5)), scale=100.0, tolerance=1.0)


# ---- LEPS ----------------------------------------------------------------------------------------------------------

_D = (4.746, 4.746, 3.445)
_S = (0.05, 0.30, 0.05)
_BETA, _R0 = 1.942, 0.742


def _leps(x: Sequence[Scalar]) -> Jet:
    """Return the LEPS energy of a collinear A–B–C from the distances AB and BC, as a jet."""
    ab, bc = variables(x)
    coulomb, exchange = [], []
    for r, depth, overlap in zip((ab, bc, ab + bc), _D, _S, strict=True):
        once = ((r - _R0) * -_BETA).exp()
        twice = once * once
        coulomb.append((1.5 * twice - once) * (0.5 * depth / (1 + overlap)))
        exchange.append((twice - 6.0 * once) * (0.25 * depth / (1 + overlap)))
    j1, j2, j3 = exchange
    # ½ Σ (differences)² is the same number as J₁² + J₂² + J₃² − J₁J₂ − J₂J₃ − J₁J₃, and balls keep it above zero better
    d12, d23, d13 = j1 - j2, j2 - j3, j1 - j3
    return coulomb[0] + coulomb[1] + coulomb[2] - ((d12 * d12 + d23 * d23 + d13 * d13) * 0.5).sqrt()


@SURFACES.add(
    "leps",
    label="LEPS, collinear A + BC",
    formula=r"E=\sum Q-\sqrt{\sum J^2-J_{AB}J_{BC}-J_{BC}J_{AC}-J_{AB}J_{AC}}",
    reference="London, Eyring, Polanyi, Sato; constants as in H. Jónsson et al., NEB (1998)",
)
def leps() -> Surface:
    """Return the LEPS surface of a collinear reaction A + BC → AB + C over the distances (AB, BC), in Å and eV."""
    return _plane("leps", _leps, (1.3, 0.8), ((0.5, 3.0), (0.5, 3.0)), length_unit="Å", energy_unit="eV")


def plane_surface(
    name: str,
    formula: Callable[[Jet, Jet], Jet],
    start: Sequence[float],
    box: Sequence[Sequence[float]],
    **more: Any,
) -> Surface:
    """Return a surface over two coordinates from its formula, so that its stationary points can be proved.

    ``formula`` takes two :class:`~workbench.steps.saddles.jets.Jet` and combines them with ``+ - * /``, whole powers
    and the methods ``exp``, ``log``, ``sqrt``, ``sin`` and ``cos``; the gradient and the Hessian follow. ``start`` lies
    in the ``box`` ((low, high), (low, high)); ``more`` are fields of :class:`Surface`, for instance ``scale``. Raises
    ``TypeError`` for a formula that returns no jet, ``ValueError`` for a start outside the box.

    >>> from workbench import steps
    >>> well = steps.plane_surface("well", lambda x, y: (x**2 - 1) ** 2 + y**2, (0.5, 0.5), ((-2, 2), (-1, 1)))
    >>> steps.stationary_points(well)["index"].values.tolist()
    [0, 0, 1]
    """
    limits = checks.finite_array("box", box)
    if limits.shape != (2, 2) or not (limits[:, 0] < limits[:, 1]).all():
        raise ValueError(f"box must be ((low, high), (low, high)) with low < high, got {np.asarray(box).tolist()}")
    first = checks.finite_array("start", start, ndim=1)
    if first.shape != (2,) or not ((limits[:, 0] <= first) & (first <= limits[:, 1])).all():
        raise ValueError(f"start must be two coordinates inside the box {limits.tolist()}, got {first.tolist()}")

    def jet(x: Sequence[Scalar]) -> Jet:
        made = formula(*variables(x))
        if not isinstance(made, Jet):
            raise TypeError(f"the formula must return a jet made of its arguments, got {type(made).__name__}")
        return made

    jet(first.tolist())
    return _plane(name, jet, first.tolist(), tuple((float(a), float(b)) for a, b in limits), **more)


def _plane(name: str, jet: Callable[[Sequence[Scalar]], Jet], start: Sequence[float], box: Any, **more: Any) -> Surface:
    """Return a surface over two coordinates from its jet."""

    def evaluate(x: Array) -> Evaluation:
        found = jet([float(x[0]), float(x[1])])
        return found.value, np.array(found.gradient)

    def hessian(x: Array) -> Array:
        return np.array(jet([float(x[0]), float(x[1])]).hessian)

    return Surface(name, evaluate, np.array(start), hessian=hessian, jet=jet, box=box, **more)


# ---- Lennard-Jones clusters ----------------------------------------------------------------------------------------


def lennard_jones_energy(x: Array) -> Evaluation:
    """Return Σ 4(r⁻¹² − r⁻⁶) over all pairs and its gradient, for positions (3n)."""
    points = x.reshape(-1, 3)
    i, j = np.triu_indices(len(points), 1)
    d = points[i] - points[j]
    inverse = 1 / (d * d).sum(axis=1)
    six = inverse**3
    force = (-48 * six * six + 24 * six) * inverse  # dE/d(r²) · 2
    gradient = np.zeros_like(points)
    np.add.at(gradient, i, force[:, None] * d)
    np.add.at(gradient, j, -force[:, None] * d)
    return float((4 * (six * six - six)).sum()), gradient.reshape(-1)


def lennard_jones_hessian(x: Array) -> Array:
    """Return the Hessian (3n × 3n) of a Lennard-Jones cluster."""
    points = x.reshape(-1, 3)
    n = len(points)
    hessian = np.zeros((n, 3, n, 3))
    i, j = np.triu_indices(n, 1)
    d = points[i] - points[j]
    inverse = 1 / (d * d).sum(axis=1)
    six = inverse**3
    first = (-48 * six * six + 24 * six) * inverse
    second = (672 * six * six - 192 * six) * inverse**2
    blocks = first[:, None, None] * np.eye(3) + second[:, None, None] * d[:, :, None] * d[:, None, :]
    for a, b, sign in ((i, i, 1), (j, j, 1), (i, j, -1), (j, i, -1)):
        np.add.at(hessian, (a, slice(None), b), sign * blocks)
    return hessian.reshape(3 * n, 3 * n)


def pair_surface(
    name: str,
    potential: Callable[[Array], tuple[Array, Array, Array]],
    start: ArrayLike,
    species: Sequence[str],
    **more: Any,
) -> Surface:
    """Return the surface E = Σ φ(r_ij) of atoms, from a function of distances r (m) that returns φ, φ′ and φ″ (m each).

    ``start`` (n, 3) are positions, ``species`` (n) names; ``more`` are fields of :class:`Surface`.

    >>> spring = pair_surface("spring", lambda r: ((r - 1) ** 2, 2 * (r - 1), 2 + 0 * r), [[0, 0, 0], [2, 0, 0]], "HH")
    >>> spring.start.size, spring([[0, 0, 0], [2, 0, 0]])
    (6, (1.0, array([-2.,  0.,  0.,  2.,  0.,  0.])))
    """
    points = checks.finite_array("start", start, ndim=2)
    if points.shape != (len(species), 3):
        raise ValueError(f"{len(species)} species need positions of shape ({len(species)}, 3), got {points.shape}")
    n = len(points)
    i, j = np.triu_indices(n, 1)

    def parts(x: Array) -> tuple[Array, Array, tuple[Array, Array, Array]]:
        d = x.reshape(-1, 3)[i] - x.reshape(-1, 3)[j]
        r = np.sqrt((d * d).sum(axis=1))
        return d, r, potential(r)

    def evaluate(x: Array) -> Evaluation:
        d, r, (value, first, _) = parts(x)
        pull = (first / r)[:, None] * d
        gradient = np.zeros((n, 3))
        np.add.at(gradient, i, pull)
        np.add.at(gradient, j, -pull)
        return float(value.sum()), gradient.reshape(-1)

    def hessian(x: Array) -> Array:
        d, r, (_, first, second) = parts(x)
        across, along = first / r, (second - first / r) / r**2
        blocks = across[:, None, None] * np.eye(3) + along[:, None, None] * d[:, :, None] * d[:, None, :]
        found = np.zeros((n, 3, n, 3))
        for a, b, sign in ((i, i, 1), (j, j, 1), (i, j, -1), (j, i, -1)):
            np.add.at(found, (a, slice(None), b), sign * blocks)
        return found.reshape(3 * n, 3 * n)

    return Surface(name, evaluate, points.reshape(-1), species=tuple(species), hessian=hessian, **more)


@SURFACES.add(
    "lennard-jones",
    label="Lennard-Jones cluster of 7",
    formula=r"E=\sum_{i<j}4(r_{ij}^{-12}-r_{ij}^{-6})",
    reference="minima: Wales & Doye, Cambridge Cluster Database",
)
def lennard_jones(n: int = 7) -> Surface:
    """Return a cluster of ``n`` Lennard-Jones atoms (ε = σ = 1), started at a compact minimum.

    Seven and thirteen atoms start from the pentagonal bipyramid and the icosahedron, their global minima; other sizes
    from the best of twenty relaxed random packings (seed 0).
    """
    n = checks.integer("n", n, minimum=3, maximum=LARGEST_CLUSTER)
    return Surface(
        f"lennard-jones-{n}",
        lennard_jones_energy,
        _compact(n),
        species=("X",) * n,
        hessian=lennard_jones_hessian,
        length_unit="σ",
        energy_unit="ε",
    )


@SURFACES.add("lennard-jones-13", label="Lennard-Jones cluster of 13", reference="Cambridge Cluster Database")
def lennard_jones_13() -> Surface:
    """Return the cluster of thirteen, started at its icosahedron."""
    return lennard_jones(13)


def _compact(n: int) -> Array:
    from scipy.optimize import minimize

    golden = (1 + 5**0.5) / 2
    if n == 7:
        ring = [(np.cos(t), np.sin(t), 0.0) for t in 2 * np.pi * np.arange(5) / 5]
        starts = [np.array([*ring, (0, 0, 0.6), (0, 0, -0.6)])]
    elif n == 13:
        corners = [p for a in (-1, 1) for b in (-golden, golden) for p in ((0, a, b), (a, b, 0), (b, 0, a))]
        starts = [np.array([(0.0, 0.0, 0.0), *corners]) * (1.08 / np.sqrt(1 + golden**2))]
    else:
        rng = np.random.default_rng(0)
        starts = [rng.uniform(-1, 1, (n, 3)) * n ** (1 / 3) for _ in range(20)]
    options = {"maxiter": 5000, "gtol": 1e-10, "ftol": 0.0}
    found = [
        minimize(lennard_jones_energy, s.reshape(-1), jac=True, method="L-BFGS-B", options=options) for s in starts
    ]
    best = min(found, key=lambda f: f.fun).x.reshape(-1, 3)
    return (best - best.mean(axis=0)).reshape(-1)
