"""Correspondences of two surfaces by several methods with one signature: where on X does each vertex of Y lie?"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.progress import Progress
from workbench.registry import Fact, Registry
from workbench.shapes.correspondences import maps
from workbench.shapes.correspondences.descriptors import DESCRIPTORS, paired
from workbench.shapes.correspondences.laplacian import LAPLACIANS, Basis, basis
from workbench.shapes.correspondences.mesh import TriangleMesh, matchable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MODES = 100
"""Eigenpairs that descriptors are made of, where the meshes have as many."""
LANDMARK_TIMES = 6
MOST_LANDMARKS = 200
STEP = 5
SCALES = {"each": "both surfaces have area 1", "shared": "one unit for both: Y may be a part of X"}
MATCHERS = Registry(
    "matcher",
    facts={
        "refines": Fact(bool, says="whether it goes on to k_final eigenfunctions"),
        "trains": Fact(bool, says="whether it trains a network, which takes seconds"),
    },
)
"""How vertices of Y find their places on X: each takes a :class:`Task` and returns an :class:`Answer`."""


@dataclass(frozen=True)
class Task:
    """What a matcher gets: both surfaces with their bases and descriptors, and the settings."""

    x: Basis
    y: Basis
    of_x: Floats
    of_y: Floats
    k: int
    k_final: int
    mu: float
    iterations: int
    seed: int
    progress: Progress

    def first_map(self) -> Floats:
        """Return the regularised functional map of the descriptors."""
        return initial_map(self.x, self.y, self.of_x, self.of_y, self.k, self.mu)


@dataclass(frozen=True)
class Answer:
    """What a matcher finds: the point map, the functional map if it has one, and how far Sinkhorn was from its end."""

    points: Ints
    c: Floats | None
    marginal_error: float = float("nan")
    losses: Floats = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, eq=False)
class Correspondence(results.Described):
    """A map from the vertices of Y to those of X.

    ``points`` (n_Y,) are vertices of X; ``functional_map`` (k_Y, k_X), or None for a method without one, belongs to
    the bases ``x_basis`` and ``y_basis`` of the surfaces scaled to area 1; ``marginal_error`` is what Sinkhorn lacks
    after its rounds (NaN: none was used).
    """

    points: Ints
    functional_map: Floats | None
    method: str
    x_basis: Basis
    y_basis: Basis
    marginal_error: float

    def describe(self) -> Any:
        """Return what a result records of the map."""
        return {"method": self.method, "points": self.points}

    def carry(self, values: ArrayLike) -> NDArray[Any]:
        """Return values at vertices of X, (n_X, …), as the map carries them to Y, (n_Y, …)."""
        given = np.asarray(values)
        if given.shape[:1] != (len(self.x_basis.masses),):
            raise ValueError(f"values must be one for each of {len(self.x_basis.masses)} vertices, got {given.shape}")
        return given[self.points]


cached_basis = functools.lru_cache(maxsize=8)(basis)
"""Meshes never change and are known by their identity, so a second match of a pair takes its spectra from here."""


def bases(
    x: TriangleMesh, y: TriangleMesh, k: int, operator: str = "cotangent", scale: str = "each"
) -> tuple[Basis, Basis]:
    """Return the bases of both with as many eigenpairs as k and the descriptors need, in the scale of ``SCALES``."""
    of_x, of_y = (cached_basis(one, min(max(k, MODES), len(one.vertices) - 1), operator) for one in (x, y))
    return of_x, of_y if scale == "each" else of_y.in_units_of(of_x.area)


def described(
    x: Basis, y: Basis, name: str, landmarks: Sequence[Sequence[int]] | ArrayLike = ()
) -> tuple[Floats, Floats]:
    """Return descriptors of both, (n, channels), each channel of norm 1 in the masses; landmarks add heat kernels."""
    parts = [paired(x.first(MODES), y.first(MODES), name)]
    pairs = np.asarray(landmarks, dtype=np.int64).reshape(-1, 2)
    if len(pairs):
        times = np.geomspace(1 / x.values[min(30, x.k - 1)], 1 / max(x.values[1], 1e-3), LANDMARK_TIMES)
        parts.append((_around(x, pairs[:, 0], times), _around(y, pairs[:, 1], times)))
    joined = [np.concatenate(side, axis=1) for side in zip(*parts, strict=True)]
    norms = [np.sqrt((one.masses[:, None] * side**2).sum(axis=0)) for one, side in zip((x, y), joined, strict=True)]
    return tuple(side / np.maximum(norm, 1e-300) for side, norm in zip(joined, norms, strict=True))  # type: ignore[return-value]


def _around(spectrum: Basis, vertices: Ints, times: Floats) -> Floats:
    """Return the heat kernels k_t(·, v) for all v and t, (n, v·t)."""
    decay = np.exp(-np.outer(spectrum.values, times))
    kernels = np.einsum("nk,vk,kt->nvt", spectrum.functions, spectrum.functions[vertices], decay)
    return kernels.reshape(len(kernels), -1)


def _checked(
    x: Any, y: Any, k: int, mu: float, descriptors: str, operator: str, scale: str, landmarks: Any
) -> tuple[TriangleMesh, TriangleMesh, int, float, Ints]:
    x, y = matchable("x", x), matchable("y", y)
    least = min(len(x.vertices), len(y.vertices))
    k = checks.integer("k", k, minimum=2, maximum=min(least - 1, 500))
    mu = checks.real("mu", mu, minimum=0)
    checks.choice("descriptor", descriptors, DESCRIPTORS)
    checks.choice("Laplacian", operator, LAPLACIANS)
    checks.choice("scale", scale, SCALES)
    if scale == "shared" and not 0.02 < y.area / x.area < 1.05:
        raise ValueError(
            f"with scale='shared' y must be a part of x in the same unit; its area is {y.area / x.area:.3g} times that "
            "of x. Exchange them, or take scale='each'"
        )
    given = checks.finite_array("landmarks", landmarks, ndim=(1, 2), dtype=np.int64, allow_empty=True)
    if given.size:
        if given.ndim != 2 or given.shape[1] != 2 or len(given) > MOST_LANDMARKS:
            raise ValueError(
                f"landmarks must be up to {MOST_LANDMARKS} pairs (vertex of x, vertex of y), got shape {given.shape}"
            )
        ends = np.array([len(x.vertices), len(y.vertices)])
        wrong = np.argwhere((given < 0) | (given >= ends))
        if len(wrong):
            row, side = wrong[0]
            raise ValueError(
                f"landmark {row + 1} names vertex {given[row, side]} of {'xy'[side]}, which has {ends[side]} vertices "
                "counted from 0 (after coincident ones are merged)"
            )
    return x, y, k, mu, given.reshape(-1, 2)


@results.experiment
def functional_map(
    x: Any,
    y: Any,
    *,
    descriptors: str = "wks",
    k: int = 50,
    mu: float = 10.0,
    landmarks: ArrayLike = (),
    operator: str = "cotangent",
    scale: str = "each",
) -> xr.Dataset:
    """Compute the regularised functional map from functions on ``x`` to functions on ``y``, (k, k).

    Minimises ‖C A − B‖² + μ Σ D_ij C_ij², A and B the coefficients of the descriptors (each channel of norm 1) and D
    the resolvent mask. ``landmarks`` (m, 2) are vertices of x and y that belong together. Returns ``c`` (row, column),
    the two ``eigenvalue`` s (of the surfaces at area 1), ``orthogonality`` ‖CᵀC − I‖/√k and ``commutation``
    ‖CΛ_X − Λ_YC‖/‖Λ_X‖, both 0 for a map that keeps areas and lengths, and ``points`` (vertex), the map read out.

    Raises ``ValueError`` for what cannot be matched. Cost: the spectra, and k systems of k unknowns. The paper: arXiv
    2403.01781 (its released code has μ = 100 for learnt features of 256 channels; for unit channels 10 is as strong).

    >>> from workbench import shapes
    >>> pair = shapes.shape_pair("remeshed", 150)
    >>> ds = functional_map(pair.x, pair.x, k=12)  # a surface to itself
    >>> float(abs(ds.c - np.eye(12)).max()) < 1e-9
    True
    """
    x, y, k, mu, pairs = _checked(x, y, k, mu, descriptors, operator, scale, landmarks)
    of_x, of_y = bases(x, y, k, operator, scale)
    a, b = described(of_x, of_y, descriptors, pairs)
    c = initial_map(of_x, of_y, a, b, k, mu)
    return results.dataset(
        {
            "c": (("row", "column"), c, "functional map"),
            "eigenvalue_x": (("column",), of_x.values[:k], "eigenvalue of X at area 1"),
            "eigenvalue_y": (("row",), of_y.values[: len(c)], "eigenvalue of Y at area 1"),
            "orthogonality": ((), orthogonality(c), "‖CᵀC − I‖/√k"),
            "commutation": ((), commutation(c, of_x, of_y), "‖CΛ_X − Λ_YC‖/‖Λ_X‖"),
            "points": (("vertex",), maps.to_points(c, of_x, of_y), "vertex of X"),
        },
        {
            "row": (("row",), np.arange(len(c)), "number of the eigenfunction of Y"),
            "column": (("column",), np.arange(k), "number of the eigenfunction of X"),
            "vertex": (("vertex",), np.arange(len(y.vertices)), "number of the vertex of Y"),
        },
    )


def initial_map(x: Basis, y: Basis, a: Floats, b: Floats, k: int, mu: float) -> Floats:
    """Return the regularised map of the first k functions for descriptors (n, d)."""
    rows = maps.partners(x, y, k)
    mask = maps.resolvent_mask(x.values[:k], y.values[:rows])
    return maps.solve_map(x.coefficients(a, k), y.coefficients(b, rows), mask, mu)


def orthogonality(c: Floats) -> float:
    """Return ‖CᵀC − I‖/√k, 0 for a map that keeps areas; of a map with fewer rows the identity is of their number."""
    rows, columns = c.shape
    gram = c.T @ c if rows >= columns else c @ c.T
    return float(np.linalg.norm(gram - np.eye(len(gram))) / np.sqrt(len(gram)))


def commutation(c: Floats, x: Basis, y: Basis) -> float:
    """Return ‖CΛ_X − Λ_YC‖/‖Λ_X‖, 0 for a map that keeps lengths."""
    rows, columns = c.shape
    left = c * x.values[:columns] - y.values[:rows, None] * c
    return float(np.linalg.norm(left) / np.linalg.norm(x.values[:columns]))


def match(
    x: Any,
    y: Any,
    *,
    method: str = "zoomout",
    descriptors: str = "wks",
    k: int = 20,
    k_final: int = 60,
    mu: float = 10.0,
    landmarks: ArrayLike = (),
    operator: str = "cotangent",
    scale: str = "each",
    iterations: int = 60,
    seed: int = 0,
    progress: Progress | None = None,
) -> Correspondence:
    """Match two surfaces: return for each vertex of ``y`` its vertex of ``x``.

    ``x``, ``y`` are meshes or pairs (vertices, faces), each of one piece; their sizes do not matter, areas become 1
    (``scale`` "shared" keeps one unit for both, for a ``y`` that is a part of ``x``; the map is then slanted).
    ``method`` is in ``MATCHERS``. ``k`` eigenfunctions for the first map, ``k_final`` after refinement;
    ``iterations`` and ``seed`` are for the method that trains a network. Nothing here sees left from right: a surface
    with a mirror plane may be matched to its mirror image.

    Raises ``ValueError`` for several pieces, too few vertices for k, landmarks out of range. Cost: 0.1 s at 400
    vertices, seconds for "ot-features".

    >>> from workbench import shapes
    >>> pair = shapes.shape_pair("helicoid-catenoid", 200)
    >>> found = match(pair.x, pair.y, k=20, k_final=40)
    >>> found.points.shape == (len(pair.y.vertices),), found.functional_map.shape
    (True, (40, 40))
    """
    entry = MATCHERS[method]
    x, y, k, mu, pairs = _checked(x, y, k, mu, descriptors, operator, scale, landmarks)
    least = min(len(x.vertices), len(y.vertices))
    k_final = checks.integer("k_final", k_final, minimum=k, maximum=500)
    if entry.fact("refines") and k_final > least - 1:
        raise ValueError(f"k_final must be at most {least - 1} for these meshes, got {k_final}; give finer meshes")
    iterations = checks.integer("iterations", iterations, minimum=1, maximum=2_000)
    checks.memory(3 * 8 * len(x.vertices) * len(y.vertices) * (1 if method == "sinkhorn" else 0.1), "this match")
    of_x, of_y = bases(x, y, k_final if entry.fact("refines") else k, operator, scale)
    a, b = described(of_x, of_y, descriptors, pairs)
    task = Task(
        of_x, of_y, a, b, k, k_final, mu, iterations, checks.integer("seed", seed, minimum=0), progress or Progress()
    )
    found = entry(task)
    return Correspondence(found.points, found.c, method, of_x, of_y, found.marginal_error)


def _refined(task: Task, c: Floats) -> Floats:
    return maps.zoomed(c, task.x, task.y, task.k_final, STEP, task.progress)


def _read_out(task: Task, c: Floats, **told: Any) -> Answer:
    return Answer(maps.to_points(c, task.x, task.y), c, **told)


@MATCHERS.add(
    "descriptors", label="Nearest descriptor", formula="argmin ‖F_X(x) − F_Y(y)‖", refines=False, trains=False
)
def by_descriptors(task: Task) -> Answer:
    """Take the vertex of X with the nearest descriptor."""
    return Answer(maps.nearest(task.of_x, task.of_y), None)


@MATCHERS.add(
    "fmap",
    label="Functional map",
    formula=r"\min\|CA-B\|^2+\mu\sum D_{ij}C_{ij}^2",
    reference="Ovsjanikov et al. 2012; Ren et al. 2019",
    refines=False,
    trains=False,
)
def by_map(task: Task) -> Answer:
    """Read the regularised functional map out."""
    return _read_out(task, task.first_map())


@MATCHERS.add(
    "zoomout",
    label="Functional map, ZoomOut",
    formula=r"C_{k+5}=\Phi_Y^+\Pi(C_k)\Phi_X",
    reference="Melzi et al. 2019",
    refines=True,
    trains=False,
)
def by_zoomout(task: Task) -> Answer:
    """Refine the functional map by ZoomOut, five functions at a time."""
    return _read_out(task, _refined(task, task.first_map()))


@MATCHERS.add(
    "sinkhorn",
    label="Functional map, Sinkhorn",
    formula=r"C_{k+5}=\Phi_Y^+\Pi_\varepsilon(C_k)\Phi_X",
    reference="arXiv 2403.01781: ε = 0.1 of the mean, 10 rounds",
    refines=True,
    trains=False,
)
def by_sinkhorn(task: Task) -> Answer:
    """Refine the functional map through Sinkhorn's plans, and read the last one out by nearest rows."""
    c, _, error = maps.sinkhorn_zoom(task.first_map(), task.x, task.y, task.k_final, STEP, task.progress)
    return _read_out(task, c, marginal_error=error)


@MATCHERS.add(
    "ot-features",
    label="The paper's network on this pair, ZoomOut",
    formula=r"\text{functional-map losses} + 100\,SW_2(F_X,\Pi_{XY}F_Y)",
    reference="arXiv 2403.01781",
    refines=True,
    trains=True,
)
def by_features(task: Task) -> Answer:
    """Train features on the pair without truth, with the paper's losses; read the map out and refine it by ZoomOut."""
    from workbench.shapes.correspondences import network  # torch takes seconds to import

    trained = network.train(
        task.x.first(task.k),
        task.y.first(task.k),
        task.of_x,
        task.of_y,
        term="published",
        iterations=task.iterations,
        seed=task.seed,
        progress=task.progress,
    )
    return _read_out(task, _refined(task, trained.c), losses=trained.losses)
