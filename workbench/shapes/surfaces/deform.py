"""Carry one surface into another by certified steps, and check what such a run claims."""

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench import checks, results
from workbench.progress import Progress
from workbench.shapes.meshes import Surface, as_surface
from workbench.shapes.surfaces.crossings import find_crossings
from workbench.shapes.surfaces.distances import surface_errors
from workbench.shapes.surfaces.fields import FIELDS, Field, NeuralField, SplineField, determinant_bounds, train
from workbench.shapes.surfaces.losses import LOSSES
from workbench.shapes.surfaces.measures import proper, require_winding
from workbench.shapes.surfaces.report import defects_in_words, surface_report
from workbench.transport.designs import design_table
from workbench.transport.surfaces import surface_lines

MOST_STEPS, MOST_ITERATIONS = 64, 100_000
MOST_DEFORMED = 200_000
FARTHEST = 3.0
"""Centroids may lie as many half-sizes apart: a field over both would have nothing to hold on to beyond."""
LIMIT = 0.9
Floats = NDArray[np.float64]


@results.experiment
def deform(
    source: Surface | str = "walnut",
    target: Surface | str = "walnut-outer",
    *,
    loss: str = "varifold",
    field: str = "bspline",
    steps: int = 8,
    iterations: int = 200,
    rate: float = 1e-3,
    orientation: float = 0.1,
    control: int = 12,
    limit: float = LIMIT,
    seconds: float = math.inf,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Carry a surface into another by a composition of steps x ↦ x + u_k(x), each a certified diffeomorphism.

    ``loss`` is a name of ``LOSSES``, ``field`` of ``FIELDS``; ``orientation`` is λ of the varifold in half-sizes of
    both meshes, ``control`` the coefficients along a side of the spline grid, ``limit`` the largest ρ_k allowed (steps
    beyond are scaled back after every iteration of Adam at ``rate``). It ends after ``iterations``, or after
    ``seconds`` of processor time, which then decide the result.

    Returns ``vertices`` (step, vertex, axis) with ``faces``, those of the target, ``rho`` of every step (map), proved,
    with ``det_low`` and ``det_high``, the ``loss`` of every iteration, and what is measured before (0) and after (1),
    over ``when``: ``assd``, ``hd90``, ``hd``, ``vertex_error`` (mean distance to the vertex of the same number; NaN
    where faces differ), ``sw1`` (exact, 60 directions), ``crossings`` (exact) and ``folded``.
    The parameters of the field are among the variables, so that :func:`certify_deformation` can check it all.

    Raises ``ValueError`` for unknown names, meshes without area or over 200,000 vertices, winding that is inconsistent
    (varifold), and centroids more than 3 half-sizes apart. Cost: 10 ms an iteration for 642 vertices.

    Le, Nguyen, Sun, Han, Ho, Xie, arXiv 2305.17555; the certificates are of this project.

    >>> from workbench.shapes.meshes import ellipsoid, icosphere
    >>> ds = deform(icosphere(162), ellipsoid(162), iterations=30)
    >>> bool(ds.assd[1] < ds.assd[0]), bool(ds.rho.max() <= 0.9), ds.crossings.values.tolist()
    (True, True, [0, 0])
    """
    progress = progress or Progress()
    moving, fixed = proper(as_surface(source)), proper(as_surface(target))
    make, entry = LOSSES[checks.choice("loss", loss, LOSSES)], FIELDS[checks.choice("field", field, FIELDS)]
    steps = checks.integer("steps", steps, minimum=1, maximum=MOST_STEPS)
    iterations = checks.integer("iterations", iterations, minimum=0, maximum=MOST_ITERATIONS)
    rate = checks.real("rate", rate, exclusive_minimum=0, maximum=1)
    orientation = checks.real("orientation", orientation, minimum=0, maximum=10)
    limit = checks.real("limit", limit, exclusive_minimum=0, maximum=0.99)
    if not seconds > 0:
        raise ValueError(f"seconds must be positive, got {seconds!r}")
    for mesh in (moving, fixed):
        checks.integer(f"the vertices of {mesh.name}", len(mesh.vertices), maximum=MOST_DEFORMED)
    centre, half = frame_of(moving, fixed)
    _check_apart(moving, fixed, half)
    if loss == "varifold":
        require_winding(moving)
    made = entry(np.zeros(3), 1.0, steps, checks.integer("seed", seed, minimum=0), control=control)
    start, goal = framed(moving, centre, half), framed(fixed, centre, half)
    pull = make(goal, orientation)
    rng, moments, history = np.random.default_rng(seed), {}, []
    begun = time.process_time()
    for number in range(1, iterations + 1):
        path = made.carry(start.vertices)
        value, gradient = pull(Surface(path[-1], start.faces), rng)
        history.append(value)
        train(made.arrays, made.pull(path, gradient), moments, number, rate)
        made.restrain(limit)
        used = time.process_time() - begun
        progress.update(max(number / iterations, min(used / seconds, 1.0)), 1.05, f"iteration {number}")
        if used >= seconds:
            break
    placed = _placed(made, centre, half)
    ds = _dataset(moving, fixed, placed, loss, np.array(history), progress)
    progress.update(1.05, 1.05, "done")
    return ds


def frame_of(a: Surface, b: Surface) -> tuple[Floats, float]:
    """Return the centre and the half-size of the box around two meshes."""
    both = np.concatenate([a.vertices, b.vertices])
    low, high = both.min(axis=0), both.max(axis=0)
    return (low + high) / 2, float((high - low).max()) / 2


def framed(mesh: Surface, centre: Floats, half: float) -> Surface:
    """Return the mesh with ``centre`` (3,) at the origin, in units of ``half``."""
    return Surface((mesh.vertices - centre) / half, mesh.faces, mesh.name)


def _check_apart(a: Surface, b: Surface, half: float) -> None:
    apart = float(np.linalg.norm(a.centroid - b.centroid))
    size = max(a.extent, b.extent) / 2
    if apart > FARTHEST * size:
        raise ValueError(
            f"the centroids are {apart:.3g} apart, {apart / size:.1f} half-sizes of the larger mesh; move one of them "
            f"to the other first (at most {FARTHEST:g})"
        )


def _placed(made: Field, centre: Floats, half: float) -> Field:
    """Return the field trained in the frame of half-size 1 as one in the units of the meshes: ρ stays what it is."""
    if isinstance(made, SplineField):
        arrays = {"spline": made.arrays["spline"] * half}
        return SplineField(centre + half * made.origin, half * made.spacing, arrays)
    assert isinstance(made, NeuralField)
    return NeuralField(centre, half, made.steps, made.arrays)


def _dataset(
    moving: Surface, fixed: Surface, made: Field, loss: str, history: Floats, progress: Progress
) -> xr.Dataset:
    path, rho = made.carry(moving.vertices), made.lipschitz()
    low, high = determinant_bounds(rho)
    found = []
    for k, vertices in enumerate((path[0], path[-1])):
        progress.update(1.01 + 0.02 * k, 1.05, "measuring")
        mesh = moving.moved_to(vertices)
        found.append((surface_errors(mesh, fixed), exact_sw1(mesh, fixed), find_crossings(mesh)))
    errors, sw1, crossings = zip(*found, strict=True)
    when, crossing = ("when",), crossings[1].pairs
    variables = {
        "vertices": (("step", "vertex", "axis"), path, "vertices after every step"),
        "faces": (("face", "corner"), moving.faces, "faces of the moving mesh"),
        "target_vertices": (("target_vertex", "axis"), fixed.vertices, "vertices of the target"),
        "target_faces": (("target_face", "corner"), fixed.faces, "faces of the target"),
        "rho": (("map",), rho, "proved bound on the Lipschitz constant of each step's displacement"),
        "det_low": ((), low, "proved lower bound on the determinant"),
        "det_high": ((), high, "proved upper bound on the determinant"),
        "loss": (("iteration",), history, LOSSES[loss].label),
        "assd": (when, [e.assd for e in errors], "mean distance between the surfaces (ASSD)"),
        "hd90": (when, [e.hd90 for e in errors], "90 % of the vertices are nearer (HD90)"),
        "hd": (when, [e.hd for e in errors], "Hausdorff distance of the vertices"),
        "vertex_error": (when, [e.vertex for e in errors], "mean distance to the true partner"),
        "sw1": (when, list(sw1), "sliced W₁ of the surfaces (exact)"),
        "crossings": (when, [len(c.pairs) for c in crossings], "crossing pairs of faces (exact)"),
        "folded": (when, [len(c.folded) for c in crossings], "neighbours folded onto each other (exact)"),
        "crossing_faces": (("pair", "end"), crossing[:10_000], "crossing faces after the last step"),
        **_field_variables(made),
    }
    coordinates = numbered(variables)
    coordinates["when"] = (when, ["before", "after"], "before and after the deformation")
    told = {
        f"{side}_told": defects_in_words(surface_report(mesh)) for side, mesh in (("source", moving), ("target", fixed))
    }
    return results.dataset(variables, coordinates, told)


def numbered(variables: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """Return a coordinate that counts for every dimension of some variables."""
    sizes: dict[str, int] = {}
    for dims, values, *_ in variables.values():
        sizes.update(zip(dims, np.shape(values), strict=True))
    return {dim: ((dim,), np.arange(size), f"number of the {dim.replace('_', ' ')}") for dim, size in sizes.items()}


def exact_sw1(a: Surface, b: Surface, n_directions: int = 60) -> float:
    """Return the exact W₁ of two surfaces, averaged over an unrotated design."""
    table = design_table(n_directions)
    assert table is not None
    return float(surface_lines((a.vertices, a.faces), (b.vertices, b.faces), table).w1.mean())


def _field_variables(made: Field) -> dict[str, tuple[Any, ...]]:
    if isinstance(made, SplineField):
        return {
            "spline": (("map", "i", "j", "l", "axis"), made.arrays["spline"], "coefficients of the B-spline steps"),
            "origin": (("axis",), made.origin, "place of the coefficient (0, 0, 0)"),
            "spacing": ((), made.spacing, "spacing of the coefficients"),
        }
    assert isinstance(made, NeuralField)
    dims = {0: ("unit", "input"), 1: ("other_unit", "unit"), 2: ("axis", "unit")}
    found: dict[str, tuple[Any, ...]] = {
        "centre": (("axis",), made.centre, "centre of the frame"),
        "half": ((), made.half, "half-size of the frame"),
    }
    for layer, names in dims.items():
        found[f"weight_{layer}"] = (names, made.arrays[f"weight_{layer}"], f"weights of layer {layer}")
        found[f"bias_{layer}"] = (names[:1], made.arrays[f"bias_{layer}"], f"biases of layer {layer}")
    return found


# ---- the certificate -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DeformationCertificate:
    """What was proved of a deformation: bounds of its steps, of the determinant, and the crossings it carries."""

    rho: Floats
    det_low: float
    det_high: float
    crossings: int
    folded: int
    deviation: float
    """The largest distance between the vertices that the result holds and those that its field gives."""

    @property
    def is_diffeomorphism(self) -> bool:
        """Whether every step has ρ < 1: then the map of space is a diffeomorphism."""
        return bool((self.rho < 1).all())

    @property
    def is_embedded(self) -> bool:
        """Whether the mesh that the map carries is free of crossings and folds; the map alone does not promise it."""
        return self.crossings == 0 and self.folded == 0

    @property
    def sentence(self) -> str:
        """The certificate in words."""
        return certificate_sentence(self.rho, self.det_low, self.det_high, self.crossings, self.folded)


def certificate_sentence(rho: Floats, det_low: float, det_high: float, crossings: int, folded: int) -> str:
    """Say what is proved of the map, and what was counted on the mesh.

    >>> certificate_sentence(np.array([0.2, 0.1]), 0.37, 2.3, 1, 0)
    'The map is a diffeomorphism: 2 steps with ρ ≤ 0.2, determinant between 0.37 and 2.3; the mesh it carries has 1 crossing pair (exact).'
    """  # noqa: E501
    number = f"{len(rho)} step{'' if len(rho) == 1 else 's'} with ρ ≤ {float(rho.max()):.2g}"
    if (rho < 1).all():
        text = f"The map is a diffeomorphism: {number}, determinant between {det_low:.3g} and {det_high:.3g}"
    else:
        text = f"That the map is a diffeomorphism is not proved: {number}"
    pairs = "pair" if crossings == 1 else "pairs"
    folds = f" and {folded} folded neighbours" if folded else ""
    return f"{text}; the mesh it carries has {crossings:,} crossing {pairs}{folds} (exact)."


def certify_deformation(result: xr.Dataset) -> DeformationCertificate:
    """Check a deformation from its field and its first vertices alone; nothing that the result says of itself is used.

    The bounds ρ_k are computed anew, the vertices are carried anew and compared with those of the result, and the
    crossings of the last mesh are counted exactly.

    Raises ``ValueError`` for a result without a field, arrays that do not fit together, and vertices that the field
    does not give. Cost: a second at most for 10,000 vertices.

    >>> from workbench.shapes.meshes import ellipsoid, icosphere
    >>> proof = certify_deformation(deform(icosphere(42), ellipsoid(42), iterations=5, steps=2))
    >>> proof.is_diffeomorphism, proof.is_embedded, proof.deviation
    (True, True, 0.0)
    """
    missing = [name for name in ("vertices", "faces") if name not in result]
    if missing:
        raise ValueError(f"the result has no {' and no '.join(missing)}; give one of shapes.deform")
    path = checks.finite_array("vertices", result.vertices.values, ndim=3)
    mesh = Surface(path[0], result.faces.values)
    made = _field_of(result)
    rho = made.lipschitz()
    if not np.isfinite(rho).all():
        raise ValueError("the bounds of the steps overflow; the field is too large to be checked")
    carried = made.carry(mesh.vertices)
    if carried.shape != path.shape:
        raise ValueError(f"the result has vertices of shape {path.shape}, and its field gives {carried.shape}")
    deviation = float(np.abs(carried - path).max())
    allowed = 1e-9 * float(np.abs(path).max())
    if not deviation <= allowed:
        raise ValueError(
            f"the vertices of the result are up to {deviation:.3g} from where its field carries them; it was changed"
        )
    found = find_crossings(mesh.moved_to(path[-1]))
    low, high = determinant_bounds(rho)
    return DeformationCertificate(rho, low, high, len(found.pairs), len(found.folded), deviation)


def _field_of(result: xr.Dataset) -> Field:
    """Read the field of a result, every array checked."""
    if "spline" in result:
        spline = checks.finite_array("spline", result["spline"].values, ndim=5)
        if len(set(spline.shape[1:4])) != 1 or spline.shape[4] != 3 or not 1 <= len(spline) <= MOST_STEPS:
            raise ValueError(f"spline must be (steps, N, N, N, 3), got shape {spline.shape}")
        origin = checks.finite_array("origin", result["origin"].values, ndim=1) if "origin" in result else np.empty(0)
        if origin.shape != (3,) or "spacing" not in result:
            raise ValueError("the result lacks the origin or the spacing of its spline")
        spacing = checks.real("spacing", float(result["spacing"]), exclusive_minimum=0)
        return SplineField(origin, spacing, {"spline": np.ascontiguousarray(spline)})
    names = [f"{kind}_{layer}" for layer in range(3) for kind in ("weight", "bias")]
    lacking = [name for name in (*names, "centre", "half") if name not in result]
    if lacking:
        raise ValueError(f"the result has no field: no spline, and no {lacking[0]}; give one of shapes.deform")
    arrays = {name: checks.finite_array(name, result[name].values, ndim=2 if "weight" in name else 1) for name in names}
    hidden = len(arrays["bias_0"])
    shapes = {"weight_0": (hidden, 4), "weight_1": (hidden, hidden), "bias_1": (hidden,), "weight_2": (3, hidden)}
    for name, shape in {**shapes, "bias_2": (3,)}.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} must have shape {shape}, got {arrays[name].shape}")
    centre = checks.finite_array("centre", result["centre"].values, ndim=1)
    if centre.shape != (3,):
        raise ValueError(f"centre must be three numbers, got shape {centre.shape}")
    half = checks.real("half", float(result["half"]), exclusive_minimum=0)
    steps = checks.integer("steps", result.sizes.get("step", 0) - 1, minimum=1, maximum=MOST_STEPS)
    return NeuralField(centre, half, steps, arrays)
