"""The studies behind the verdicts: a map that carries a mesh into itself, losses at equal time, samples and rules."""

import itertools
import math
import time
from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr
from scipy.stats import norm, qmc

from workbench import checks, results
from workbench.progress import Progress
from workbench.shapes.cortex import cortex
from workbench.shapes.meshes import Surface, icosphere, subdivide, surface, two_sheets
from workbench.shapes.surfaces.crossings import find_crossings
from workbench.shapes.surfaces.deform import deform, frame_of, framed
from workbench.shapes.surfaces.losses import LOSSES
from workbench.shapes.surfaces.measures import varifold
from workbench.transport.designs import design_table
from workbench.transport.evaluate import make_rule
from workbench.transport.sliced import projected_costs
from workbench.transport.surfaces import surface_lines

HEIGHT, WIDTH = 0.3, 2.0
PAIRS: dict[str, Callable[[int], tuple[Surface, Surface]]] = {
    "walnut": lambda size: (surface("walnut", size), surface("walnut-outer", size)),
    "sphere": lambda size: (surface("icosphere", size), surface("walnut", size)),
    "cortex": lambda size: (cortex("white", size=size), cortex("pial", size=size)),
}


def bump(places: np.ndarray, height: float = HEIGHT) -> np.ndarray:
    """Return the places (n, 3) moved up by height · exp(−(x² + y²)/2), a map with ρ = height/√e."""
    moved = places.copy()
    moved[:, 2] += height * np.exp(-(places[:, 0] ** 2 + places[:, 1] ** 2) / WIDTH)
    return moved


@results.experiment
def carried_crossings(
    splits: Sequence[int] = (0, 1, 2, 3), height: float = HEIGHT, *, progress: Progress | None = None
) -> xr.Dataset:
    """Count the crossings of a mesh that a certified diffeomorphism carries: a large triangle above a bump.

    The map z += ``height`` exp(−(x² + y²)/2) has ρ = ``height``/√e < 1, so no two points meet; but the image of the
    upper triangle is curved, and the straight one through its moved corners is not that image. Splitting it (``splits``
    times, before the map) brings the two together. Returns over ``splits`` the crossing pairs ``before`` and ``after``,
    ``folded`` neighbours after, and ``rho`` with the bounds of the determinant. Raises ``ValueError`` for a height at
    which the map is no diffeomorphism. Cost: 0.1 s.

    >>> carried_crossings((0,)).after.values.tolist()
    [198]
    """
    progress = progress or Progress()
    rho = checks.real("height", height, minimum=0) / math.sqrt(math.e)
    if rho >= 1:
        raise ValueError(f"a height of {height:g} has ρ = {rho:.3g}; below {math.sqrt(math.e):.3g} it is certified")
    rows = []
    for k, count in enumerate(splits):
        mesh = two_sheets(splits=checks.integer("splits", count, minimum=0, maximum=5))
        moved = find_crossings(mesh.moved_to(bump(mesh.vertices, height)))
        rows.append((len(find_crossings(mesh).pairs), len(moved.pairs), len(moved.folded), moved.exact_decisions))
        progress.update(k + 1, len(splits))
    before, after, folded, exact = np.array(rows).reshape(-1, 4).T
    along = ("splits",)
    return results.dataset(
        {
            "before": (along, before, "crossing pairs before the map"),
            "after": (along, after, "crossing pairs after the map"),
            "folded": (along, folded, "folded neighbours after the map"),
            "exact_decisions": (along, exact, "signs left to exact arithmetic"),
            "rho": ((), rho, "Lipschitz constant of the displacement"),
            "det_low": ((), 1.0, "lower bound on the determinant: the map is a shear"),
        },
        {"splits": (along, list(splits), "times the large triangle was split")},
    )


@results.experiment
def compare_losses(
    pairs: Sequence[str] = ("walnut",),
    sizes: Sequence[int] = (642, 2562, 10242),
    losses: Sequence[str] = tuple(LOSSES),
    fields: Sequence[str] = ("bspline",),
    seconds: float = 4.0,
    seeds: int = 3,
    *,
    rate: float = 2e-3,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Deform with every loss for the same processor time, and measure what none of them minimises.

    ``pairs`` are names of ``PAIRS``; runs of a larger mesh get more time, ``seconds`` · size/642. Returns over (pair,
    field, loss, size, run) ``assd``, ``hd90``, ``hd``, ``vertex_error``, ``sw1``, ``crossings``, ``rho``, ``det_low``,
    ``det_high``, ``iterations`` and ``used`` seconds, and over (pair, size) the same distances at the ``start_…``. The
    number of iterations depends on the machine, so this is repeatable in kind only.

    Raises ``ValueError`` for unknown names, and for the pair "cortex" where nilearn is not installed. Cost: the product
    of all, 20 min at the defaults.
    """
    progress = progress or Progress()
    seconds = checks.real("seconds", seconds, exclusive_minimum=0, maximum=3600)
    seeds = checks.integer("seeds", seeds, minimum=1, maximum=100)
    for name in pairs:
        checks.choice("pair", name, PAIRS)
    for name in losses:
        checks.choice("loss", name, LOSSES)
    shape = (len(pairs), len(fields), len(losses), len(sizes), seeds)
    measured = {name: np.full(shape, np.nan) for name in MEASURED}
    start = {name: np.full((len(pairs), len(sizes)), np.nan) for name in DISTANCES}
    for field, loss in itertools.product(fields, losses):  # what is compiled or loaded first is not in the times
        deform(icosphere(42), icosphere(42), loss=loss, field=field, iterations=2)
    for done, place in enumerate(np.ndindex(shape)):
        pair, of_field, of_loss, size, run = place
        progress.update(done, math.prod(shape), f"{losses[of_loss]}, {sizes[size]} vertices")
        meshes = PAIRS[pairs[pair]](sizes[size])
        begun = time.process_time()
        ds = deform(
            *meshes,
            loss=losses[of_loss],
            field=fields[of_field],
            iterations=100_000,
            seconds=seconds * sizes[size] / 642,
            rate=rate,
            seed=seed + run,
        )
        used = time.process_time() - begun
        for name in DISTANCES:
            measured[name][place], start[name][pair, size] = float(ds[name][1]), float(ds[name][0])
        others = {
            "crossings": int(ds.crossings[1]),
            "rho": float(ds.rho.max()),
            "det_low": float(ds.det_low),
            "det_high": float(ds.det_high),
            "iterations": ds.sizes["iteration"],
            "used": used,
        }
        for name, value in others.items():
            measured[name][place] = value
    progress.update(1, 1, "done")
    along = ("pair", "field", "loss", "size", "run")
    return results.dataset(
        {
            **{name: (along, values, MEASURED[name]) for name, values in measured.items()},
            **{f"start_{name}": (("pair", "size"), v, f"{MEASURED[name]} at the start") for name, v in start.items()},
        },
        {
            "pair": (("pair",), list(pairs), "source and target"),
            "field": (("field",), list(fields), "field"),
            "loss": (("loss",), list(losses), "loss"),
            "size": (("size",), list(sizes), "vertices"),
            "run": (("run",), np.arange(seeds), "number of the run"),
        },
    )


DISTANCES = ("assd", "hd90", "hd", "vertex_error", "sw1")
MEASURED = {
    "assd": "mean distance between the surfaces (ASSD)",
    "hd90": "90 % of the vertices are nearer (HD90)",
    "hd": "Hausdorff distance of the vertices",
    "vertex_error": "mean distance to the true partner",
    "sw1": "sliced W₁ of the surfaces (exact)",
    "crossings": "crossing pairs of faces (exact)",
    "rho": "largest proved bound of a step",
    "det_low": "proved lower bound on the determinant",
    "det_high": "proved upper bound on the determinant",
    "iterations": "iterations",
    "used": "processor time, measuring included",
}


@results.experiment
def sampling_noise(
    sizes: Sequence[int] = (1000, 3000, 10000, 30000), draws: int = 8, n_directions: int = 60, *, seed: int = 0
) -> xr.Dataset:
    """Compare SW₁ of samples of two surfaces with the exact value, and that of finer meshes of the same sets.

    Returns ``exact`` SW₁ of a sphere and a box along one fixed design, ``finer`` the same after every face was cut into
    16 and 64, ``residual`` of rounding, and over (``samples``, draw) ``sampled`` SW₁ along the same directions.
    Raises ``ValueError`` for a number of directions without a design. Cost: 3 s.
    """
    from workbench.clouds.files import sample_mesh
    from workbench.shapes.meshes import box

    table = design_table(n_directions)
    if table is None:
        raise ValueError(f"there is no design of {n_directions} directions; see transport.design_sizes()")
    meshes = icosphere(642), box()
    rng = checks.generator(seed)
    values, residuals = [], []
    for times in (0, 2, 3):
        x, y = (subdivide(mesh, times) for mesh in meshes)
        found = surface_lines((x.vertices, x.faces), (y.vertices, y.faces), table)
        values.append(found.w1.mean())
        residuals.append(found.residual.max())
    sampled = np.empty((len(sizes), draws))
    for i, count in enumerate(sizes):
        for k in range(draws):
            points = [sample_mesh(mesh.vertices, mesh.faces, count, rng) for mesh in meshes]
            sampled[i, k] = projected_costs(*points, table, p=1).mean()
    return results.dataset(
        {
            "exact": ((), values[0], "SW₁ of the surfaces (exact)"),
            "finer": (("cuts",), values[1:], "SW₁ of the same surfaces, cut finer"),
            "residual": ((), max(residuals), "what rounding left after the last knot"),
            "sampled": (("samples", "draw"), sampled, "SW₁ of samples"),
        },
        {
            "cuts": (("cuts",), [2, 3], "times every face was cut into four"),
            "samples": (("samples",), list(sizes), "points of each surface"),
            "draw": (("draw",), np.arange(draws), "number of the draw"),
        },
    )


RULES = ("monte-carlo", "sobol", "orthogonal", "roots-5", "roots-7")
REFERENCE = 3780
"""Directions of the reference of :func:`rule_errors`: 60 rotated copies of the 63 lines."""


def sobol_directions(count: int, dim: int, rng: np.random.Generator) -> np.ndarray:
    """Return quasi-random directions (count, dim): scrambled Sobol' points through the normal law, and normalised."""
    engine = qmc.Sobol(dim, scramble=True, rng=rng)
    points = engine.random_base2(math.ceil(math.log2(count)))[:count]
    vectors = norm.ppf(np.clip(points, 1e-12, 1 - 1e-12))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@results.experiment
def rule_errors(
    pairs: Sequence[str] = ("walnut",),
    size: int = 642,
    orientations: Sequence[float] = (0.2, 1.0),
    directions: Sequence[int] = (36, 63, 216),
    draws: int = 32,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Measure the error of SW₂² of two varifolds by rules on S⁵: random, quasi-random, orthogonal, and those of E6.

    ``pairs`` are names of ``PAIRS``, ``orientations`` λ in half-sizes of both. Returns over (pair, orientation, rule,
    directions) the relative ``rmse`` of ``draws`` draws beside a ``reference`` (pair, orientation) of 3780 directions,
    whose own relative ``reference_error`` comes from its 60 copies; ``bias`` the mean relative deviation and
    ``uncertainty`` of the rmse. Raises ``ValueError`` for unknown pairs, and "cortex" without nilearn. Cost: 10 s.

    Delsarte, Goethals, Seidel, Geom. Dedicata 6 (1977) 363 (designs); quasi-random as in Nguyen, Bariletto, Ho, arXiv
    2309.11713, but in six dimensions: Sobol' points through the normal law.
    """
    progress = progress or Progress()
    size = checks.integer("size", size, minimum=12, maximum=20_000)
    draws = checks.integer("draws", draws, minimum=2, maximum=1000)
    for name in pairs:
        checks.choice("pair", name, PAIRS)
    counts = [checks.integer("directions", count, minimum=1, maximum=10_000) for count in directions]
    shape = (len(pairs), len(orientations), len(RULES), len(counts))
    values = np.full((*shape, draws), np.nan)
    reference, error = np.empty((2, *shape[:2]))
    rng = checks.generator(seed)
    for done, (i, j) in enumerate(np.ndindex(shape[:2])):
        meshes = PAIRS[pairs[i]](size)
        centre, half = frame_of(*meshes)
        length = checks.real("orientation", orientations[j], minimum=0, maximum=10)
        (x, x_masses), (y, y_masses) = (varifold(framed(mesh, centre, half), length) for mesh in meshes)

        def costs(theta: np.ndarray, pair: tuple = (x, y), masses: tuple = (x_masses, y_masses)) -> np.ndarray:
            return projected_costs(*pair, theta, x_weights=masses[0], y_weights=masses[1], precision="double")

        rule = make_rule("roots-7", REFERENCE, 6, rng)
        copies = (rule.weights * costs(rule.directions)).reshape(60, 63).sum(axis=1) * 60
        reference[i, j], error[i, j] = copies.mean(), copies.std(ddof=1) / math.sqrt(60) / copies.mean()
        for k, (name, count) in enumerate(itertools.product(RULES, counts)):
            for draw in range(draws):
                if name == "sobol":
                    values[i, j].reshape(-1, draws)[k, draw] = costs(sobol_directions(count, 6, rng)).mean()
                else:
                    rule = make_rule(name, count, 6, rng)
                    values[i, j].reshape(-1, draws)[k, draw] = rule.weights @ costs(rule.directions)
            progress.update(done + (k + 1) / (len(RULES) * len(counts)), math.prod(shape[:2]), name)
    off = values / reference[:, :, None, None, None] - 1
    rmse = np.sqrt((off**2).mean(axis=-1))
    along = ("pair", "orientation", "rule", "directions")
    return results.dataset(
        {
            "rmse": (along, rmse, "relative root-mean-square error"),
            "uncertainty": (along, (off**2).std(axis=-1, ddof=1) / (2 * rmse * math.sqrt(draws)), "error of the rmse"),
            "bias": (along, off.mean(axis=-1), "mean relative deviation"),
            "reference": (along[:2], reference, "SW₂² of the varifolds, in half-sizes"),
            "reference_error": (along[:2], error, "relative standard error of the reference"),
        },
        {
            "pair": (("pair",), list(pairs), "source and target"),
            "orientation": (("orientation",), list(orientations), "λ, worth of a normal, in half-sizes"),
            "rule": (("rule",), list(RULES), "rule"),
            "directions": (("directions",), counts, "number of directions"),
        },
    )
