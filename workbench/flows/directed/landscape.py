"""Where two clouds differ: the cost over all directions, the axis that a vMF law should take, and the way to Max-SW."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.clouds.named import pair
from workbench.flows.directed.searches import adam
from workbench.flows.direction_costs import cost_map
from workbench.progress import Progress
from workbench.transport.directed import Look, axes_of, best_location, look, refined
from workbench.transport.evaluate import draw
from workbench.transport.max_sliced import search_pair
from workbench.transport.measures import Cloud, prepare_pair
from workbench.transport.sliced import projected_costs
from workbench.transport.vmf import RULES, check_kappa, check_location, chosen_rule, even_bounds

KAPPAS = tuple(float(k) for k in np.round(np.logspace(-1, 4, 21), 6))
LOOK, VALUE = 500, 100
"""Directions of the look all around, and of one value at a given axis."""
LOOK_RESOLVES = 0.1 * LOOK
"""The largest κ whose caps the look fills with enough directions."""
Vectors = NDArray[np.float64]


class Both(NamedTuple):
    """A pair of clouds as arrays, prepared in float64 for the certified search and in float32 for everything else."""

    x: ArrayLike
    y: ArrayLike
    wide: tuple[Cloud, Cloud]
    thin: tuple[Cloud, Cloud]


def _prepared(x: ArrayLike | str, y: ArrayLike | str, n: int, seed: int | np.random.Generator) -> Both:
    x, y = pair(x, y, n, seed)
    return Both(x, y, prepare_pair(x, y, dtype=np.float64), prepare_pair(x, y))


def _profile(
    x: Cloud, y: Cloud, kappas: Sequence[float], seen: Look, top: Vectors, rng: np.random.Generator
) -> tuple[Vectors, Vectors, Vectors]:
    """Return max F_κ with its standard error, and the axes, for every κ."""
    values, errors, axes = [], [], []
    around = best_location(seen, 0.1 * len(seen.costs))[1]
    for kappa in kappas:
        resolved = chosen_rule("auto", kappa, x.dim, len(seen.costs)) == "design-cosh"
        if resolved:
            axis = best_location(seen, kappa)[1]
        else:
            axis = refined(x, y, kappa, [around, top], len(seen.costs) // 4, rng)
        rule = RULES[chosen_rule("auto", kappa, x.dim, VALUE)]
        draws = [draw(x, y, rule(kappa, axis, VALUE, stream)).value for stream in rng.spawn(3)]
        values.append(np.mean(draws))
        errors.append(np.std(draws, ddof=1) / np.sqrt(len(draws)))
        axes.append(axis)
    return np.array(values), np.array(errors), np.array(axes)


@results.experiment
def kappa_profile(
    x: ArrayLike | str,
    y: ArrayLike | str,
    kappas: Sequence[float] = KAPPAS,
    *,
    n: int = 500,
    tolerance: float = 1e-6,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return κ ↦ max over ε of F_κ(ε), the way from SW_2² to Max-SW_2², with what is known of both ends.

    ``x`` (n, d), ``y`` (m, d) or names of shapes of ``n`` points. Holds ``value``, ``standard_error`` and ``location``
    at every κ; ``lower_bound`` and ``upper_bound``: SW times the least and the largest value of the even density, and
    no more than the certified Max-SW; ``sw2`` with its error, ``max_sw2`` and ``max_sw2_bound``. All *squared*. Raises
    ``ValueError`` for bad clouds and κ outside [0, 1e6]. Cost: about 10 ms a κ at 500 points.

    >>> ds = kappa_profile("torus", "cube", (0.1, 1.0, 10.0), n=200)
    >>> bool((ds.value.diff("kappa") > 0).all())
    True
    """
    progress = progress or Progress()
    kappas = [check_kappa(kappa) for kappa in kappas]
    if not kappas:
        raise ValueError("kappas is empty; give at least one κ")
    clouds = _prepared(x, y, checks.integer("n", n, minimum=1, maximum=1_000_000), seed)
    variables, coordinates = _profile_variables(clouds, kappas, tolerance, checks.generator(seed), progress)
    return results.dataset(variables, coordinates)


def _profile_variables(
    clouds: Both, kappas: Sequence[float], tolerance: float, rng: np.random.Generator, progress: Progress
) -> tuple[dict[str, tuple], dict[str, tuple]]:
    x, y = clouds.thin
    progress.update(0, 3, "the largest slice")
    tolerance = checks.real("tolerance", tolerance, exclusive_minimum=0, maximum=1)
    top = search_pair(*clouds.wide, tolerance, 50_000)
    progress.update(1, 3, "costs all around")
    looks = [look(x, y, LOOK, stream, 2) for stream in rng.spawn(3)]
    means = np.array([seen.mean_cost for seen in looks])
    sw2, error = means.mean(), means.std(ddof=1) / np.sqrt(len(means))
    progress.update(2, 3, "axes for every κ")
    values, errors, axes = _profile(x, y, kappas, looks[0], top.direction, rng)
    bounds = np.array([even_bounds(kappa, x.dim) for kappa in kappas]) if x.dim > 1 else np.ones((len(kappas), 2))
    progress.update(3, 3, "done")
    variables = {
        "value": (("kappa",), values, "largest mean cost F_κ over axes (squared)"),
        "standard_error": (("kappa",), errors, "standard error of the largest mean cost"),
        "location": (("kappa", "axis"), axes, "best axis"),
        "lower_bound": (("kappa",), bounds[:, 0] * sw2, "least that F_κ can be, from SW₂²"),
        "upper_bound": (("kappa",), np.minimum(bounds[:, 1] * sw2, top.upper_bound), "most that F_κ can be"),
        "sw2": ((), sw2, "SW₂² (squared)"),
        "sw2_standard_error": ((), error, "standard error of SW₂²"),
        "max_sw2": ((), top.value, "largest W₂² of a slice (squared)"),
        "max_sw2_bound": ((), top.upper_bound, "bound that no slice exceeds (squared)"),
        "max_direction": (("axis",), top.direction, "direction of the largest slice"),
        "evaluations": ((), top.evaluations, "slices of the certified search"),
        "certified": ((), top.certified, "whether the bound was reached within the tolerance"),
        "look_directions": (("look", "axis"), looks[0].directions, "direction of the look all around"),
        "look_costs": (("look",), looks[0].costs, "W₂² along the direction (squared)"),
    }
    coordinates = {
        "kappa": (("kappa",), np.array(kappas), "concentration κ"),
        "axis": (("axis",), np.array([f"x{k + 1}" for k in range(x.dim)]), "axis"),
        "look": (("look",), np.arange(LOOK), "number of the direction"),
    }
    return variables, coordinates


@results.experiment
def directed_slices(
    x: ArrayLike | str,
    y: ArrayLike | str,
    *,
    n: int = 500,
    kappas: Sequence[float] = KAPPAS,
    tolerance: float = 1e-6,
    resolution: int = 49,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return all that is needed to see where two clouds in space differ, and along which axis slices should lie.

    ``x`` (n, 3), ``y`` (m, 3) or names of shapes of ``n`` points. Adds to :func:`kappa_profile`: ``cost_map`` (height,
    azimuth) of f over the sphere, the eigenpairs of B (``axis_values``, ``axes``), and the way of the released search,
    50 Adam steps of 1e-4 from a random start: ``adam_start``, ``adam_end``, ``adam_cost``, ``adam_turned`` (degrees).
    Any other axis and κ are then read off by :func:`directed_at`. Raises ``ValueError`` for clouds that do not lie in
    three dimensions, and as :func:`kappa_profile`. Cost: about 0.3 s at 500 points.

    >>> ds = directed_slices("torus", "cube", n=100)
    >>> bool(ds.sw2 < ds.max_sw2)
    True
    """
    progress = progress or Progress()
    kappas = [check_kappa(kappa) for kappa in kappas]
    if not kappas:
        raise ValueError("kappas is empty; give at least one κ")
    resolution = checks.integer("resolution", resolution, minimum=3, maximum=500)
    clouds = _prepared(x, y, checks.integer("n", n, minimum=1, maximum=1_000_000), seed)
    dim = clouds.thin[0].dim
    if dim != 3:
        raise ValueError(
            f"the clouds lie in {dim} dimensions; the sphere of directions is drawn for 3. "
            "flows.kappa_profile and flows.max_sliced_wasserstein work in any"
        )
    rng = checks.generator(seed)
    variables, coordinates = _profile_variables(clouds, kappas, tolerance, rng, progress)
    map_variables, map_coordinates = cost_map(clouds.x, clouds.y, 3, resolution)
    seen = Look(
        variables["look_directions"][1], np.full(LOOK, 1 / LOOK), np.asarray(variables["look_costs"][1], np.float64)
    )
    axes = axes_of(seen)
    way = adam(*clouds.wide, rng)
    ends = projected_costs(clouds.x, clouds.y, np.array([way.start, way.end]))
    return results.dataset(
        {
            **variables,
            **map_variables,
            "axis_values": (("rank",), axes.values, "eigenvalue of B (squared)"),
            "axes": (("rank", "axis"), axes.vectors, "eigenvector of B"),
            "adam_start": (("axis",), way.start, "start of the released search"),
            "adam_end": (("axis",), way.end, "end of the released search"),
            "adam_cost": (("end",), ends, "W₂² along the start and the end (squared)"),
            "adam_turned": ((), way.turned, "angle of the released search", "degree"),
        },
        {
            **coordinates,
            **map_coordinates,
            "rank": (("rank",), np.arange(1, 4), "rank of the eigenvalue"),
            "end": (("end",), np.array(["start", "end"]), "end of the search"),
        },
    )


def directed_at(ds: xr.Dataset, kappa: float, location: ArrayLike | None = None) -> tuple[float, Vectors]:
    """Return F_κ(ε) and ε, read from the look all around of a :func:`directed_slices` or :func:`kappa_profile`.

    ``location=None`` is the best ε; where κ is too large for the look, its value is interpolated in the profile. No
    cloud is looked at again, so this takes a millisecond. The look has 500 directions and resolves κ up to 50; for
    other axes beyond that, the mean is taken over the directions that there are, normalised by their weights. Raises
    ``ValueError`` for a κ outside [0, 1e6] or a location of length zero.

    >>> from workbench import flows
    >>> ds = flows.kappa_profile("torus", "cube", [1.0], n=200)
    >>> value, axis = flows.directed_at(ds, 1.0)
    >>> abs(value / float(ds.value[0]) - 1) < 0.01
    True
    """
    kappa = check_kappa(kappa)
    directions, costs = ds.look_directions.values, ds.look_costs.values
    seen = Look(directions, np.full(len(costs), 1 / len(costs)), costs)
    if location is not None:
        axis = check_location(location, seen.dim)
    elif chosen_rule("auto", kappa, seen.dim, len(costs)) == "design-cosh":
        axis = best_location(seen, kappa)[1]
    else:
        logs = np.log(np.maximum(ds.kappa.values, 1e-9))
        nearest = int(np.argmin(np.abs(logs - np.log(kappa))))
        return float(np.interp(np.log(kappa), logs, ds.value.values)), ds.location.values[nearest]
    ones = Look(directions, seen.weights, np.ones_like(costs))
    return float(seen.value(kappa, axis) / ones.value(kappa, axis)), axis
