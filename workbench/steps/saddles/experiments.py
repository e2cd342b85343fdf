"""Experiments on saddle searches: one search in full, many with their statistics, basins, and what pruning saves."""

import functools
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, data, results
from workbench.progress import Progress
from workbench.steps.saddles.distances import configuration_distance, farthest_points
from workbench.steps.saddles.methods import SADDLE_METHODS, start_axis
from workbench.steps.saddles.modes import spectrum
from workbench.steps.saddles.search import SaddleResult, saddle, surface_of
from workbench.steps.saddles.stationary import stationary_points
from workbench.steps.saddles.statistics import calls_per_success, median_calls, success_rate
from workbench.steps.saddles.surfaces import SURFACES, Surface
from workbench.steps.saddles.surrogate import Surrogate, make_data
from workbench.steps.saddles.training import first_guess, train

Array = NDArray[np.float64]
GRID = 61
KICK = 0.2
"""Length of the displacement (of all atoms together) from a cluster's minimum where a search starts."""
SOFT = 5
"""Softest modes that a kick is mixed from."""
NEAR = 1e-2
"""A search on a plane surface has reached a proved saddle if it ends this near to it."""
MOST_STARTS = 2000
RIVAL_CALLS, RIVAL_SUCCESS = "calls of the rival", "whether the rival reached a first-order saddle"


@functools.cache
def known_points(name: str) -> xr.Dataset:
    """Return all stationary points of a named plane surface: the shipped enumeration, or a new one.

    The proof takes half a second, which the first search on a page should not wait for; a test repeats it.
    """
    try:
        return data.result(f"steps/stationary_{name}.nc")
    except FileNotFoundError:
        return stationary_points(name)


@functools.cache
def proved_saddles(name: str) -> Array:
    """Return the proved first-order saddles (m, 2) of a named plane surface, lowest first."""
    found = known_points(name)
    return found.x.values[found["index"].values == 1]


def which_saddle(surface: Surface, x: Array) -> int:
    """Return the number of the proved saddle near ``x``, from 0; −1 if there is none or nothing is proved."""
    if surface.jet is None or surface.name not in SURFACES:
        return -1
    distances = np.linalg.norm(proved_saddles(surface.name) - x, axis=1)
    return int(distances.argmin()) if distances.size and distances.min() < NEAR else -1


def succeeded(surface: Surface, found: SaddleResult) -> bool:
    """Return whether a search reached a first-order saddle: a proved one where there are proofs."""
    return found.is_saddle and (surface.jet is None or which_saddle(surface, found.x) >= 0)


@results.experiment
def saddle_search(
    surface: Surface | str = "mueller-brown",
    start: ArrayLike | str | None = None,
    *,
    angle: float = 90.0,
    method: str = "gp",
    rival: str = "dimer",
    trust: str = "assignment",
    threshold: float | str = "adaptive",
    subset: int | None = 10,
    barrier: bool = True,
    most_calls: int = 60,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Search one saddle and keep everything: calls, the path on the surrogate, rejected steps, trust radii, the rival.

    Arguments as :func:`workbench.steps.saddle`; on a plane surface the first axis points at ``angle`` degrees, on
    atoms it is random by ``seed``. ``start="kick"`` displaces a cluster from its minimum along a random mixture of its
    softest modes, and searches that way. Returns over call: ``x``, ``energy``, ``gradient``, ``threshold`` (NaN where
    no surrogate stood), ``variance`` σ² and ``training`` (size of the subset); over step: ``path``; over rejection:
    ``rejected`` (one row of NaN if there was none); the end with ``index``, ``lowest`` eigenvalue, ``saddle`` (number
    of the proved saddle reached, −1 none) and ``is_saddle``; ``rival_calls``, ``rival_success``; on plane surfaces
    the first ``axis``, ``surrogate`` and ``truth`` over a grid of the box, and the proved ``stationary`` points.
    Cost: 20 ms a call there.

    >>> ds = saddle_search("mueller-brown", [-0.9, 0.75])
    >>> bool(ds.is_saddle), int(ds["index"]), int(ds.saddle), int(ds.calls) < int(ds.rival_calls)
    (True, 1, 1, True)
    """
    chosen = surface_of(surface)
    axis = [np.cos(np.radians(checks.real("angle", angle))), np.sin(np.radians(angle))] if chosen.size == 2 else None
    if isinstance(start, str):
        checks.choice("start", start, ("kick",))
        start, axis = random_start(chosen, checks.generator(seed))
    common: dict[str, Any] = {"axis": axis, "seed": seed, "progress": progress}
    options = {"trust": trust, "threshold": threshold, "subset": subset, "barrier": barrier}
    found = saddle(chosen, start, method, most_calls=most_calls, **options, **common)
    parts = _search_parts(chosen, found)
    if chosen.size == 2:
        parts[0]["axis"] = (("coordinate",), np.array(axis), "first direction of the search")
    if SADDLE_METHODS[rival].fact("surrogate") and progress is not None:
        waiting = {"rival_calls": ((), np.nan, RIVAL_CALLS), "rival_success": ((), np.nan, RIVAL_SUCCESS)}
        first = results.dataset({**parts[0], **waiting}, *parts[1:])
        progress.publish(results.unfinished(first, "the rival"))
    against = saddle(chosen, start, rival, most_calls=max(500, most_calls), **options, **common)
    compared = {
        "rival_calls": ((), against.calls, RIVAL_CALLS),
        "rival_success": ((), succeeded(chosen, against), RIVAL_SUCCESS),
    }
    return results.dataset({**parts[0], **compared}, *parts[1:])


def _search_parts(chosen: Surface, found: SaddleResult) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return variables, coordinates and attributes of one search, without its rival."""
    log, calls = found.log, found.calls
    length, energy = chosen.length_unit, chosen.energy_unit
    late = slice(calls - len(log.thresholds), calls)
    per_call = {name: np.full(calls, np.nan) for name in ("threshold", "variance", "training")}
    per_call["threshold"][late] = log.thresholds
    per_call["variance"][late] = [np.exp(phi[0]) for phi in log.phi][: len(log.thresholds)]
    per_call["training"][late] = log.subset[: len(log.thresholds)]
    history = found.history
    rejected = np.array(log.rejected) if log.rejected else np.full((1, chosen.size), np.nan)
    path = np.array(log.path)
    variables = {
        **{name: (history[name].dims, history[name].values, *_words(history[name])) for name in history.data_vars},
        "threshold": (("call",), per_call["threshold"], "trust radius", length),
        "variance": (("call",), per_call["variance"], "variance σ² of the surrogate"),
        "training": (("call",), per_call["training"], "observations that trained the hyper-parameters"),
        "path": (("step", "coordinate"), path, "path of the search", length),
        "rejected": (("rejection", "coordinate"), rejected, "step that left the trusted region", length),
        "rejections": ((), len(log.rejected), "rejected steps"),
        "end": (("coordinate",), found.x, "where the search ended", length),
        "end_energy": ((), found.energy, "energy there", energy),
        "calls": ((), calls, "calls of the surface"),
        "check_calls": ((), found.check_calls, "calls of the index check"),
        "index": ((), found.index, "negative eigenvalues there (−1: not measured)"),
        "is_saddle": ((), succeeded(chosen, found), "whether a first-order saddle was reached"),
        "saddle": ((), which_saddle(chosen, found.x), "number of the proved saddle reached (−1: none)"),
        "lowest": ((), found.eigenvalues[0] if found.eigenvalues.size else np.nan, "lowest eigenvalue there", energy),
    }
    coordinates = {
        "call": (("call",), np.arange(1, calls + 1), "call"),
        "coordinate": (("coordinate",), np.arange(chosen.size), "coordinate"),
        "step": (("step",), np.arange(len(path)), "step on the way"),
        "rejection": (("rejection",), np.arange(len(rejected)), "rejected step"),
    }
    if chosen.jet is not None and chosen.box is not None:
        _add_grid(chosen, found, variables, coordinates)
    return variables, coordinates, {"reason": found.reason, "surface": chosen.name}


def _words(variable: xr.DataArray) -> tuple[str, str]:
    return variable.attrs["long_name"], variable.attrs["units"]


def _add_grid(surface: Surface, found: SaddleResult, variables: dict[str, Any], coordinates: dict[str, Any]) -> None:
    is_named = surface.name in SURFACES
    x, y, truth = _named_grid(surface.name) if is_named else _grid(surface)
    model = found.log.model
    mean = np.full((GRID, GRID), np.nan)
    if model is not None:
        points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        mean = model.means(points).reshape(GRID, GRID) * surface.scale
    known = known_points(surface.name) if is_named else None
    unit = surface.energy_unit
    variables["truth"] = (("grid_y", "grid_x"), truth, "energy of the surface", unit)
    variables["surrogate"] = (("grid_y", "grid_x"), mean, "mean energy of the last surrogate", unit)
    coordinates["grid_x"] = (("grid_x",), x, "first coordinate", surface.length_unit)
    coordinates["grid_y"] = (("grid_y",), y, "second coordinate", surface.length_unit)
    if known is not None:
        variables["stationary"] = (("point", "coordinate"), known.x.values, "proved stationary point")
        variables["stationary_index"] = (("point",), known["index"].values, "its number of negative eigenvalues")
        coordinates["point"] = (("point",), known.point.values, "stationary point, by energy")


def _grid(surface: Surface) -> tuple[Array, Array, Array]:
    """Return x (61), y (61) and the energies (61, 61) over a plane surface's box."""
    (left, right), (low, high) = surface.box or ((0, 1), (0, 1))
    x, y = np.linspace(left, right, GRID), np.linspace(low, high, GRID)
    return x, y, np.array([[surface.evaluate(np.array([a, b]))[0] for a in x] for b in y])


@functools.cache
def _named_grid(name: str) -> tuple[Array, Array, Array]:
    return _grid(SURFACES[name]())


def random_start(surface: Surface, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return a start and an axis: uniform over the middle of a plane box, or a kick from a cluster's minimum.

    A kick mixes the five softest modes at random; the axis is its direction.
    """
    if surface.box is not None:
        low, high = np.array(surface.box).T
        margin = 0.15 * (high - low)
        x = rng.uniform(low + margin, high - margin)
        return x, start_axis(rng, x, None)
    if surface.hessian is None:
        raise ValueError(
            f"the surface {surface.name!r} has no Hessian to take soft modes from; give starts of your own"
        )
    soft = spectrum(surface.hessian(surface.start), surface.start, surface.species).vectors[:, :SOFT]
    kick = soft @ rng.normal(size=soft.shape[1])
    kick /= np.linalg.norm(kick)
    return surface.start + KICK * kick, kick


@results.experiment
def saddle_table(
    surfaces: Sequence[str] = ("mueller-brown", "leps", "lennard-jones"),
    methods: Sequence[str] = ("gp", "gp-dimer", "dimer", "eigenvector-following"),
    *,
    starts: int = 20,
    threshold: float | str = "adaptive",
    most_calls: int = 600,
    most_surrogate_calls: int = 60,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Run every method from the same random starts on every surface, and count: a failure is kept, at what it spent.

    Returns over (surface, method, start): ``calls``, ``success`` (a first-order saddle, on planes a proved one),
    ``converged``, ``index``, ``energy``, ``seconds`` of CPU; over (surface, method): ``rate`` with ``rate_low`` and
    ``rate_high`` (95 % Clopper–Pearson), ``median_calls`` with failures censored, ``calls_per_saddle`` (failures at
    what they cost) with its bootstrap interval, and ``wrong`` ends. Methods on a surrogate stop after
    ``most_surrogate_calls``, others after ``most_calls``. Cost: a start takes milliseconds to seconds.
    """
    progress = progress or Progress()
    chosen = [SURFACES[name]() for name in surfaces]
    entries = [SADDLE_METHODS[name] for name in methods]
    starts = checks.integer("starts", starts, minimum=1, maximum=MOST_STARTS)
    shape = (len(chosen), len(entries), starts)
    table: dict[str, NDArray[Any]] = {name: np.zeros(shape) for name in ("calls", "energy", "seconds")}
    table |= {"success": np.zeros(shape, bool), "converged": np.zeros(shape, bool), "index": np.zeros(shape, int)}
    done, total = 0, int(np.prod(shape))
    for i, surface in enumerate(chosen):
        for k, rng in enumerate(np.random.default_rng(checks.integer("seed", seed, minimum=0)).spawn(starts)):
            start, axis = random_start(surface, rng)
            for j, entry in enumerate(entries):
                progress.update(done, total, f"{surface.name}, {entry.label}")
                most = most_surrogate_calls if entry.fact("surrogate") else most_calls
                began = time.process_time()
                found = saddle(surface, start, entry.name, axis=axis, threshold=threshold, most_calls=most)
                row = {
                    "calls": found.calls,
                    "energy": found.energy,
                    "seconds": time.process_time() - began,
                    "success": succeeded(surface, found),
                    "converged": found.converged,
                    "index": found.index,
                }
                for name, value in row.items():
                    table[name][i, j, k] = value
                done += 1
    progress.update(1, 1, "done")
    shares = np.array([[success_rate(int(row.sum()), starts) for row in part] for part in table["success"]])
    medians = np.array(
        [[median_calls(table["calls"][i, j], table["success"][i, j]) for j in range(shape[1])] for i in range(shape[0])]
    )
    spent = np.array(
        [
            [calls_per_success(table["calls"][i, j], table["success"][i, j]) for j in range(shape[1])]
            for i in range(shape[0])
        ]
    )
    wrong = (table["converged"] & (table["index"] != 1)).sum(axis=2)
    dims, pair = ("surface", "method", "start"), ("surface", "method")
    return results.dataset(
        {
            "calls": (dims, table["calls"], "calls of the surface"),
            "success": (dims, table["success"], "whether a first-order saddle was reached"),
            "converged": (dims, table["converged"], "whether the gradient vanished"),
            "index": (dims, table["index"], "negative eigenvalues there (−1: not converged)"),
            "energy": (dims, table["energy"], "energy at the end"),
            "seconds": (dims, table["seconds"], "CPU time", "s"),
            "rate": (pair, shares[..., 0], "share of searches that succeed"),
            "rate_low": (pair, shares[..., 1], "lower end of its 95 % interval"),
            "rate_high": (pair, shares[..., 2], "upper end of its 95 % interval"),
            "median_calls": (pair, medians, "median calls to a saddle, failures censored"),
            "calls_per_saddle": (pair, spent[..., 0], "all calls ÷ saddles reached"),
            "calls_per_saddle_low": (pair, spent[..., 1], "lower end of its 95 % bootstrap interval"),
            "calls_per_saddle_high": (pair, spent[..., 2], "upper end of its 95 % bootstrap interval"),
            "wrong": (pair, wrong, "searches whose gradient vanished at no first-order saddle"),
        },
        {
            "surface": (("surface",), np.array([s.name for s in chosen]), "surface"),
            "method": (("method",), np.array([e.name for e in entries]), "method"),
            "start": (("start",), np.arange(starts), "start"),
        },
    )


@results.experiment
def saddle_basins(
    method: str = "gp",
    *,
    surface: str = "mueller-brown",
    points: int = 15,
    angle: float = 90.0,
    most_calls: int = 40,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Map which proved saddle each start on a grid reaches, and in how many calls.

    Returns over (y, x): ``saddle`` (number of the proved saddle by energy, −1 none) and ``calls``; over saddle: where
    the ``proved`` ones are. The first axis points at ``angle`` degrees everywhere. Cost: points² searches.
    """
    progress = progress or Progress()
    chosen = SURFACES[surface]()
    if chosen.jet is None or chosen.box is None:
        raise ValueError(f"{surface!r} has no proved saddles to compare with; choose mueller-brown or leps")
    points = checks.integer("points", points, minimum=2, maximum=200)
    (left, right), (low, high) = chosen.box
    grid_x, grid_y = np.linspace(left, right, points + 2)[1:-1], np.linspace(low, high, points + 2)[1:-1]
    axis = [np.cos(np.radians(checks.real("angle", angle))), np.sin(np.radians(angle))]
    reached, calls = np.full((points, points), -1), np.zeros((points, points), int)
    for i, y in enumerate(grid_y):
        for j, x in enumerate(grid_x):
            progress.update(i * points + j, points * points, f"row {i + 1}")
            found = saddle(chosen, [x, y], method, axis=axis, most_calls=most_calls)
            calls[i, j] = found.calls
            reached[i, j] = which_saddle(chosen, found.x) if found.is_saddle else -1
    progress.update(1, 1, "done")
    proved = proved_saddles(chosen.name)
    return results.dataset(
        {
            "saddle": (("y", "x"), reached, "proved saddle reached (−1: none)"),
            "calls": (("y", "x"), calls, "calls of the surface"),
            "proved": (("number", "coordinate"), proved, "proved saddle"),
        },
        {
            "x": (("x",), grid_x, "first coordinate of the start"),
            "y": (("y",), grid_y, "second coordinate of the start"),
            "number": (("number",), np.arange(len(proved)), "saddle, by energy"),
            "coordinate": (("coordinate",), np.arange(2), "coordinate"),
        },
    )


@results.experiment
def pruning_cost(
    counts: Sequence[int] = (5, 10, 20, 30, 40),
    *,
    surface: str = "lennard-jones",
    subset: int = 10,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Time the hyper-parameters' training on all of n observations, and on a subset chosen by farthest points.

    Observations scatter around the surface's start. Returns over count: ``seconds_all`` and ``seconds_pruned`` (CPU,
    with choosing the subset) and the ``radius`` within which the subset covers all. Cost: grows as n³.
    """
    progress = progress or Progress()
    chosen = SURFACES[surface]()
    listed = [checks.integer("counts", n, minimum=2, maximum=200) for n in counts]
    size = checks.integer("subset", subset, minimum=3)
    rng = np.random.default_rng(checks.integer("seed", seed, minimum=0))
    x = chosen.start + 0.03 * rng.normal(size=(max(listed), chosen.size))
    pairs = [chosen.evaluate(row) for row in x]
    model = Surrogate(chosen.size, chosen.species, constant=0.0 if chosen.species is None else 1.0)
    everything = make_data(
        model.features,
        x,
        np.array([e for e, _ in pairs]) / chosen.scale,
        np.array([g for _, g in pairs]) / chosen.scale,
    )
    columns = np.zeros((3, len(listed)))
    for k, n in enumerate(listed):
        progress.update(k, len(listed), f"{n} observations")
        data = everything.subset(np.arange(n))
        for pruned in (False, True):
            began = time.process_time()
            used = data
            if pruned and n > size:
                points = data.x.reshape(n, -1, 3) if chosen.species else data.x
                matrix = np.array([[configuration_distance(a, b, chosen.species) for b in points] for a in points])
                chosen_points = farthest_points(matrix, size)
                used, columns[2, k] = data.subset(chosen_points.indices), chosen_points.radius
            model.variance, model.scales = 1.0, np.exp(first_guess(model, used))
            train(model, used, float(used.energies.max()), iterations=10)
            columns[int(pruned), k] = time.process_time() - began
    progress.update(1, 1, "done")
    return results.dataset(
        {
            "seconds_all": (("count",), columns[0], "CPU time of training on all observations", "s"),
            "seconds_pruned": (("count",), columns[1], "CPU time of choosing a subset and training on it", "s"),
            "radius": (("count",), columns[2], "covering radius of the subset", chosen.length_unit),
        },
        {"count": (("count",), np.array(listed), "observations")},
    )
