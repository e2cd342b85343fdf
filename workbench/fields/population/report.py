"""Every method on populations never trained on: one of them to look at, and a study of many with paired intervals."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from scipy.stats import t as student

from workbench import checks, results
from workbench.fields.core.laws import Floats
from workbench.fields.population.laws import KINDS, Population, populations
from workbench.fields.population.methods import FIELDS, Known, methods_for, predict
from workbench.fields.population.network import PopulationNetwork
from workbench.fields.population.shipped import shipped_knowledge
from workbench.fields.population.swarm import swarm_flow
from workbench.fields.population.training import train_populations
from workbench.progress import Progress
from workbench.transport import wasserstein

FRAMES = 6
SHOWN_POINTS = 200
LEAST_HELD = 5
"""Populations from which on an interval is worth its name."""
FARTHEST = 6.0


@results.experiment
def population_report(
    kind: str = "letters", index: int = 0, points: int = SHOWN_POINTS, centres: Any = None, seed: int = 0
) -> xr.Dataset:
    """Return where every method takes one population that no training saw, at six times, and how far it ends.

    ``kind``: "letters" or "swarm", for which trained networks ship; ``index``: which of the held-out populations.
    ``centres`` (k, 2) replace the blobs of a swarm: k blobs of width 0.4 that somebody placed by hand.
    ``path`` (field, time, point, axis); ``distance`` (field,) is W₂ to ``target``, the very points that belong to the
    source; ``fresh`` W₂ to other points of the same law, with ``floor`` between two such samples (letters only).

    Raises ``ValueError`` for other kinds, and for centres farther than 6 or with letters. Cost: 0.2 s for 200 points.

    >>> ds = population_report("swarm", points=60)
    >>> bool(ds.distance.sel(field="exact") < 1e-6), ds.path.dims
    (True, ('field', 'time', 'point', 'axis'))
    """
    checks.choice("kind", kind, ("letters", "swarm"))
    index = checks.integer("index", index, minimum=0, maximum=499)
    points = checks.integer("points", points, minimum=20, maximum=1000)
    seed = checks.integer("seed", seed, minimum=0)
    one = _chosen(kind, index, points, centres, seed)
    known = shipped_knowledge(kind)
    times = np.linspace(0, 1, FRAMES)
    names = [name for name in methods_for(kind) if name != "flow-matching-optimum"]  # seconds, so only in the study
    paths = np.stack([predict(name, one, known, times) for name in names])
    distance, fresh, floor = _judge(one, paths[:, -1], np.random.default_rng([7, seed]))
    placed = np.full((1, 2), np.nan) if centres is None else np.asarray(centres, dtype=np.float64)
    return results.dataset(
        {
            "path": (("field", "time", "point", "axis"), paths, "points of the population on their way"),
            "centre": (("blob", "axis"), placed, "centres placed by hand, NaN where there are none"),
            "target": (("point", "axis"), one.target, "where the points have gone"),
            "distance": (("field",), distance, "W₂ of the end to the population's own target"),
            "fresh": (("field",), fresh, "W₂ of the end to other points of the target's law"),
            "floor": ((), floor, "W₂ between two samples of the target's law"),
            "number": ((), index, "held-out population"),
        },
        {
            "field": (("field",), names, "method"),
            "time": (("time",), times, "time t"),
            "blob": (("blob",), np.arange(len(placed)), "blob placed by hand"),
            "point": (("point",), np.arange(len(one.source)), "point"),
            "axis": (("axis",), ["x", "y"], "coordinate"),
        },
    )


def _chosen(kind: str, index: int, points: int, centres: Any, seed: int) -> Population:
    if centres is None:
        return populations(kind, index + 1, points, seed, held_out=True)[index]
    if kind != "swarm":
        raise ValueError('centres place the blobs of a swarm; with kind="letters" leave them out')
    placed = checks.finite_array("centres", centres, ndim=2)
    if placed.shape[1] != 2 or len(placed) > 8 or np.abs(placed).max() > FARTHEST:
        raise ValueError(
            f"centres are up to 8 points of the plane within {FARTHEST:g} of the origin, got {placed.shape}"
        )
    rng = np.random.default_rng([11, seed])
    x = placed[np.arange(points) % len(placed)] + 0.4 * rng.standard_normal((points, 2))
    return Population("swarm placed by hand", x, swarm_flow(x), True, swarm=True)


def _judge(one: Population, ends: Floats, rng: np.random.Generator) -> tuple[Floats, Floats, float]:
    """Return W₂ of ends (methods, n, d) to the own and to a fresh target, and between two fresh ones."""
    own = np.array([math.sqrt(max(wasserstein(end, one.target), 0.0)) for end in ends])
    if one.field is None:
        return own, np.full(len(ends), np.nan), math.nan
    first, second = one.fresh(len(one.source), rng), one.fresh(len(one.source), rng)
    fresh = np.array([math.sqrt(max(wasserstein(end, first), 0.0)) for end in ends])
    return own, fresh, math.sqrt(wasserstein(first, second))


@results.experiment
def compare_populations(
    kind: str = "letters",
    train: int = 72,
    held: int = 20,
    points: int = 300,
    steps: int = 8000,
    seeds: Sequence[int] = (0, 1, 2),
    separation: float = 0.0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Train with and without embeddings on ``train`` populations, and judge every method on ``held`` others.

    ``distance`` and ``fresh`` (field, seed, population) are W₂ to the own and to a fresh target, ``floor``
    (population,) between two fresh ones. ``gain`` (field, population) is the distance of "flow-matching" minus the
    method's, mean over the ``seeds`` of training; ``mean_gain`` (field,) with ``reach``, half its 95 % interval
    (Student's t, populations as units); ``seed_gain`` (field, seed) the mean over populations for each training;
    ``wins`` the populations it is better on. Parameters of the first seed's networks are kept. All networks take equal
    steps.

    Raises ``ValueError`` for fewer than 5 held-out populations, from which no interval can be told, and for a
    ``separation`` of anything but mixtures. Cost: 13 ms a step and seed, as much again for exact W₂.

    >>> ds = compare_populations("swarm", 4, 5, 30, 4, (0,))
    >>> bool(ds.distance.sel(field="exact").max() < 1e-6), ds.wins.sizes["field"]
    (True, 7)
    """
    progress = progress or Progress()
    checks.choice("kind", kind, KINDS)
    held = checks.integer("held", held, minimum=1, maximum=200)
    if held < LEAST_HELD:
        raise ValueError(f"no interval over {held} populations is worth its name: hold out {LEAST_HELD} or more")
    points = checks.integer("points", points, minimum=10, maximum=1000)
    seeds = [checks.integer("seed", s, minimum=0) for s in seeds]
    if not seeds:
        raise ValueError("give at least one seed of training")
    if separation and kind != "mixtures":
        raise ValueError(f'separation belongs to kind="mixtures", got {separation:g} with {kind!r}')
    training = populations(kind, train, points, separation=separation)
    others = populations(kind, held, points, held_out=True, separation=separation)
    names = list(methods_for(kind))
    embeddings = [FIELDS[name].fact("network") for name in names if "network" in FIELDS[name].facts]
    total = len(seeds) * (len(embeddings) + 1)
    distance, fresh = (np.full((len(names), len(seeds), held), np.nan) for _ in range(2))
    floor = np.full(held, np.nan)
    first: dict[str, PopulationNetwork] = {}
    still: dict[int, dict[str, Floats]] = {}
    for s, seed in enumerate(seeds):
        networks = {}
        for k, embedding in enumerate(embeddings):
            progress.update(s * (len(embeddings) + 1) + k, total, f"training with {embedding}, seed {seed}")
            networks[embedding] = train_populations(training, embedding, steps, seed=seed)
        first = first or networks
        known = Known(training, networks)
        progress.update((s + 1) * (len(embeddings) + 1) - 1, total, f"judging, seed {seed}")
        for i, one in enumerate(others):
            # What has no network is the same for all seeds of training
            ends = {n: predict(n, one, known)[-1] for n in names if i not in still or "network" in FIELDS[n].facts}
            ends = still.setdefault(i, ends) | ends
            stack = np.stack([ends[n] for n in names])
            distance[:, s, i], fresh[:, s, i], floor[i] = _judge(one, stack, np.random.default_rng([7, i]))
    progress.update(1, 1, "done")
    base = names.index("flow-matching")
    apart = distance[base] - distance
    gain = apart.mean(axis=1)
    reach = gain.std(axis=1, ddof=1) / math.sqrt(held) * student.ppf(0.975, held - 1)
    apart_fresh = (fresh[base] - fresh).mean(axis=1)
    reach_fresh = apart_fresh.std(axis=1, ddof=1) / math.sqrt(held) * student.ppf(0.975, held - 1)
    three = ("field", "seed", "population")
    variables: dict[str, tuple[Any, ...]] = {
        "distance": (three, distance, "W₂ of the end to the population's own target"),
        "fresh": (three, fresh, "W₂ of the end to a fresh sample of the target's law"),
        "floor": (("population",), floor, "W₂ between two fresh samples"),
        "gain": (("field", "population"), gain, "W₂ of flow matching minus the method's, mean over seeds"),
        "mean_gain": (("field",), gain.mean(axis=1), "mean gain over populations"),
        "reach": (("field",), reach, "half of its 95 % interval"),
        "mean_gain_fresh": (("field",), apart_fresh.mean(axis=1), "mean gain against fresh samples"),
        "reach_fresh": (("field",), reach_fresh, "half of its 95 % interval, fresh samples"),
        "seed_gain": (("field", "seed"), apart.mean(axis=2), "mean gain of each training"),
        "wins": (("field",), (gain > 0).sum(axis=1), "populations on which it beats flow matching"),
    }
    coordinates: dict[str, tuple[Any, ...]] = {
        "field": (("field",), names, "method"),
        "seed": (("seed",), seeds, "seed of training"),
        "population": (("population",), [one.name for one in others], "held-out population"),
    }
    for embedding, network in first.items():
        key = embedding.replace("-", "_")
        variables[f"network_{key}"] = ((f"parameter_{key}",), network.row, f"parameters, embedding {embedding}")
        coordinates[f"parameter_{key}"] = ((f"parameter_{key}",), np.arange(len(network.row)), "parameter")
    return results.dataset(variables, coordinates)
