"""What the page shows: all fields on one canvas at one time, and the study of what training does to them."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.fields.core.budget import error_budget
from workbench.fields.core.exact import ExactField, exact_field
from workbench.fields.core.integrators import SOLVERS, integrate
from workbench.fields.core.irreducible import least_loss
from workbench.fields.core.laws import LAWS, Floats, GaussianMixture, standard_gaussian
from workbench.fields.core.network import FieldNetwork
from workbench.fields.core.plane import arrow_definitions, grid_of
from workbench.fields.core.probe import probe
from workbench.fields.core.shipped import SHIPPED_LAW, SHIPPED_POINTS, SHIPPED_STEPS, shipped_network, shipped_sample
from workbench.fields.core.training import train_field
from workbench.progress import Progress

UNTIL = 0.95
PROBED = 1200
PATHS = 60
CLOUD = 400
MOST_POINTS = 4096
FARTHEST = 20.0
"""Where a centre may be moved to, in units of the source's width."""


@results.experiment
def field_report(
    target: str = SHIPPED_LAW,
    points: int = 128,
    step: int = 800,
    time: float = 0.5,
    centres: Any = None,
    solver: str = "heun",
    steps: int = 30,
    seed: int = 0,
) -> xr.Dataset:
    """Return exact, memorised and learned field at one ``time``, their distances, and where their paths end.

    ``target``: a name in ``LAWS``, with its ``centres`` (k, 2) moved if they are given. ``points`` are drawn from it
    for the memoriser. The learned field is the network that ships for "five-blobs", those ``points`` and ``step``; for
    other laws and numbers there is none, and its values are NaN. ``steps`` of ``solver`` carry 60 paths to t = 0.95.

    Raises ``ValueError`` for unknown names, a time outside [0, 0.95], centres of another shape. Cost: about 40 ms.

    >>> ds = field_report(time=0.3)
    >>> bool(ds.truth < ds.memoriser), ds.sizes["path"]
    (True, 60)
    """
    law = moved(target, centres)
    points = checks.integer("points", points, minimum=2, maximum=MOST_POINTS)
    step = checks.integer("step", step, minimum=0)
    time = checks.real("time", time, minimum=0)
    if time > UNTIL:
        raise ValueError(f"time must be at most {UNTIL}, got {time:g}: the memoriser grows without bound at the end")
    checks.choice("solver", solver, SOLVERS)
    steps = checks.integer("steps", steps, minimum=1, maximum=1000)
    source = standard_gaussian(2)
    # The generator of `train_field`, so that the points shown are those that the network was trained on
    drawn = np.random.default_rng([0, checks.integer("seed", seed, minimum=0)])
    sample = law.sample(points, drawn)
    exact, memory = exact_field(source, law), exact_field(source, sample)
    learned = _network(target, points, step, seed)
    rng = np.random.default_rng([2, seed])
    x0, x1 = exact.couple(PROBED, rng)
    apart = probe(x0, x1, UNTIL)
    values = {"exact": exact(apart.x, apart.times), "memoriser": memory(apart.x, apart.times)}
    if learned is not None:
        values["learned"] = learned(apart.x, apart.times)
    unknown = (math.nan, math.nan)

    def between(a: str, b: str) -> tuple[float, float]:
        return apart.distance(values[a], values[b]) if a in values and b in values else unknown

    pairs = {
        "truth": (between("learned", "exact"), "distance of learned and exact field, E‖v̂ − v*‖²"),
        "memoriser": (between("learned", "memoriser"), "distance of learned field and memoriser, E‖v̂ − v*_n‖²"),
        "apart": (between("exact", "memoriser"), "distance of exact field and memoriser, E‖v* − v*_n‖²"),
    }
    start = source.sample(PATHS, rng)
    fields: dict[str, Any] = {"exact": exact, "memoriser": memory, "learned": learned}
    grid = grid_of(source, law)
    cloud = x0[:CLOUD] * (1 - time) + x1[:CLOUD] * time
    least = least_loss(exact, until=UNTIL)
    variables: dict[str, tuple[Any, ...]] = {
        **arrow_definitions(grid, (time,), **fields),
        "point": (("number", "axis"), sample, "points that the memoriser knows"),
        "cloud": (("draw", "axis"), cloud, "draws from p_t"),
        "centre": (("component", "axis"), law.means, "centres of the law"),
        "start": (("path", "axis"), start, "starts of the paths"),
        "irreducible": ((), least.value, "irreducible loss L*"),
        "irreducible_error": ((), least.error, "standard error of the irreducible loss"),
    }
    for name, (pair, words) in pairs.items():
        variables[name] = ((), pair[0], words)
        variables[f"{name}_error"] = ((), pair[1], f"standard error: {words}")
    for name, field in fields.items():
        ends = np.full((PATHS, 2), np.nan) if field is None else _ends(field, start, steps, solver)
        variables[f"end_{name}"] = (("path", "axis"), ends, f"ends of the paths of the {name} field at t = {UNTIL}")
    return results.dataset(
        variables,
        {
            "time": (("time",), [time], "time of the arrows"),
            "x": (("x",), grid.x, "first coordinate"),
            "y": (("y",), grid.y, "second coordinate"),
            "axis": (("axis",), ["x", "y"], "coordinate"),
            "number": (("number",), np.arange(points), "training point"),
            "draw": (("draw",), np.arange(len(cloud)), "draw"),
            "component": (("component",), np.arange(len(law.means)), "component"),
            "path": (("path",), np.arange(PATHS), "path"),
        },
    )


def moved(target: str, centres: Any = None) -> GaussianMixture:
    """Return a named law, its centres (k, 2) moved.

    >>> moved("two-blobs", [[0.0, 0.0], [1.0, 1.0]]).means.tolist()
    [[0.0, 0.0], [1.0, 1.0]]
    """
    law = LAWS[target]()
    if centres is None:
        return law
    centres = checks.finite_array("centres", centres, ndim=2)
    if centres.shape != law.means.shape:
        raise ValueError(f"{target!r} has centres of shape {law.means.shape}, got {centres.shape}")
    if np.abs(centres).max() > FARTHEST:
        raise ValueError(f"centres may lie up to {FARTHEST:g} from the middle, got {np.abs(centres).max():.4g}")
    return GaussianMixture(law.weights, centres, law.covariances)


def _network(target: str, points: int, step: int, seed: int) -> FieldNetwork | None:
    ships = target == SHIPPED_LAW and points in SHIPPED_POINTS and step in SHIPPED_STEPS and seed == 0
    return shipped_network(points, step) if ships else None


def _ends(field: ExactField | FieldNetwork, start: Floats, steps: int, solver: str) -> Floats:
    return integrate(field, start, steps, solver, end=UNTIL).end


CURVES = ("loss", "held_out", "truth", "memoriser")


@results.experiment
def training_study(
    target: str = SHIPPED_LAW,
    points: Sequence[int] = SHIPPED_POINTS,
    seeds: Sequence[int] = (0, 1, 2),
    steps: int = 6000,
    looks: int = 30,
    keep: Sequence[int] = SHIPPED_STEPS,
    width: int = 128,
    depth: int = 3,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Train a network for each number of ``points`` and each seed, and follow its distances to truth and memoriser.

    Parameters as :func:`train_field`, whose curves come with dimensions (points, seed, step); a seed draws points,
    start and batches. ``parameters`` are those of the first seed at the steps of ``keep``. Cost: about 2 ms for each
    step, number of points and seed.

    >>> training_study("two-blobs", (32,), (0,), steps=20, looks=2, keep=(10,), width=8, depth=1).truth.shape
    (1, 1, 3)
    """
    progress = progress or Progress()
    sizes = [checks.integer("points", n, minimum=8) for n in points]
    runs = [(n, s) for n in sizes for s in seeds]
    if not runs:
        raise ValueError("give at least one number of points and one seed")
    made: dict[tuple[int, int], xr.Dataset] = {}
    for k, (n, s) in enumerate(runs):
        inner = _Inner(progress, k, len(runs))
        made[n, s] = train_field(
            target, n, width=width, depth=depth, steps=steps, looks=looks, keep=keep, seed=s, progress=inner
        )
    first = made[runs[0]]

    def table(name: str) -> Floats:
        return np.stack([[made[n, s][name].values for s in seeds] for n in sizes])

    variables: dict[str, tuple[Any, ...]] = {}
    for name in CURVES:
        words = first[name].attrs["long_name"]
        variables[name] = (("points", "seed", "step"), table(name), words)
        if name != "loss":
            errors = table(f"{name}_error")
            variables[f"{name}_error"] = (("points", "seed", "step"), errors, f"standard error: {words}")
    for name in ("irreducible", "irreducible_n", "apart", "apart_error"):
        variables[name] = (("points", "seed"), table(name), first[name].attrs["long_name"])
    kept = np.stack([made[n, seeds[0]].parameters.values for n in sizes])
    variables["parameters"] = (("points", "kept", "parameter"), kept, "parameters of the first seed's networks")
    coordinates = {name: (first[name].dims, first[name].values, first[name].attrs["long_name"])
                   for name in ("step", "kept", "parameter", "layer")}  # fmt: skip
    return results.dataset(
        variables,
        {
            "points": (("points",), sizes, "training points"),
            "seed": (("seed",), list(seeds), "seed"),
            **coordinates,
        },
    )


class _Inner(Progress):
    """One training as a part of a study's progress; what it publishes is not the study's."""

    def __init__(self, outer: Progress, done: int, total: int) -> None:
        super().__init__()
        self._outer, self._done, self._total = outer, done, total

    def update(self, done: float, total: float, message: str = "") -> None:
        """Tell the study."""
        text = f"training {self._done + 1} of {self._total}: {message}"
        self._outer.update(self._done + done / total, self._total, text)


@results.experiment
def budget_study(
    points: Sequence[int] = SHIPPED_POINTS,
    steps: Sequence[int] = SHIPPED_STEPS,
    paths: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return the error budget of each network that ships: dimensions (points, step). Cost: about 1 s each.

    >>> budget_study((32,), (200,), paths=100).coupled.shape
    (1, 1)
    """
    progress = progress or Progress()
    made = []
    source, law = standard_gaussian(2), LAWS[SHIPPED_LAW]()
    for k, n in enumerate(points):
        sample = shipped_sample(n)
        for j, step in enumerate(steps):
            network = shipped_network(n, step)
            made.append(error_budget(network, source, law, points=sample, until=UNTIL, paths=paths, seed=seed))
            progress.update(k * len(steps) + j + 1, len(points) * len(steps), f"{n} points, step {step}")
    names = [name for name in made[0].data_vars if not made[0][name].dims]
    shape = (len(points), len(steps))
    return results.dataset(
        {
            name: (
                ("points", "step"),
                np.reshape([float(ds[name]) for ds in made], shape),
                made[0][name].attrs["long_name"],
            )
            for name in names
        },
        {
            "points": (("points",), list(points), "training points"),
            "step": (("step",), list(steps), "training step"),
        },
    )
