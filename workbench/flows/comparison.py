"""How far each estimator is from the truth at equal cost: RMSE against a high-accuracy reference, side by side."""

import time
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.clouds.named import cloud, pair
from workbench.flows.flow import gradient_flow
from workbench.progress import Progress
from workbench.registry import Registry
from workbench.transport.estimators import ESTIMATORS
from workbench.transport.evaluate import draw, make_rule, mean_and_error
from workbench.transport.measures import Cloud, prepare_pair

PAIRS = Registry("pair")
REFERENCE_DIRECTIONS, REFERENCE_REPEATS = 1000, 16
FIRST_REFERENCE, FIRST_REPEATS = 2, 5  # of the first answer
BASELINE = "monte-carlo"
Points = NDArray[np.float64]


@PAIRS.add("torus-cube", label="Torus → cube")
def torus_cube(n: int, rng: np.random.Generator) -> tuple[Points, Points]:
    """Return a torus and a cube on the same centre."""
    return cloud("torus", n, rng), cloud("cube", n, rng)


@PAIRS.add("sphere-two-blobs", label="Sphere → two blobs")
def sphere_two_blobs(n: int, rng: np.random.Generator) -> tuple[Points, Points]:
    """Return a sphere and two blobs on the same centre."""
    return cloud("sphere", n, rng), cloud("two-blobs", n, rng)


@PAIRS.add("translated", label="Torus → cube, moved by (2, 1, 0)")
def translated(n: int, rng: np.random.Generator) -> tuple[Points, Points]:
    """Return a torus and a cube apart, so that the translation dominates."""
    x, y = torus_cube(n, rng)
    return x + np.array([2.0, 1.0, 0.0]), y


@PAIRS.add("near-convergence", label="After 10 steps of the flow")
def near_convergence(n: int, rng: np.random.Generator) -> tuple[Points, Points]:
    """Return a torus that has flowed 10 steps towards its cube."""
    x, y = torus_cube(n, rng)
    flow = gradient_flow(x, y, steps=10, frames=2, checkpoints=(), seed=rng)
    return flow.positions.values[-1].astype(np.float64), y


def methods_for(dim: int, n_directions: int) -> list[str]:
    """Return the estimators that work in ``dim`` dimensions with ``n_directions`` directions."""
    return [name for name in ESTIMATORS if _works(name, n_directions, dim)]


def _works(name: str, n_directions: int, dim: int) -> bool:
    try:
        make_rule(name, n_directions, dim, np.random.default_rng(0))
    except ValueError:
        return False
    return True


@results.experiment
def compare_estimators(
    pairs: Sequence[str] = ("torus-cube", "sphere-two-blobs", "translated", "near-convergence"),
    methods: Sequence[str] | None = None,
    *,
    n_directions: int = 100,
    n: int = 2048,
    repeats: int = 100,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compare estimators of SW_2² on named pairs (``PAIRS``), ``repeats`` independent draws each.

    Returns, over (pair, estimator): ``rmse`` against the reference, ``rmse_standard_error``, ``relative_rmse``,
    ``bias``, ``variance``, ``seconds_per_draw``, ``rmse_ratio`` to Monte Carlo at equal L, and
    ``rmse_ratio_equal_time`` (Monte Carlo given the same time); per pair ``reference`` and its standard error
    (``design`` with 1000 directions × 16 rotations).

    ``methods`` defaults to all that work in three dimensions with this L. Raises ``ValueError`` for unknown names.
    Cost: pairs × methods × repeats × n × L × 10 ns.

    >>> ds = compare_estimators(("torus-cube",), ("monte-carlo", "design"), n=200, repeats=20)
    >>> bool(ds.rmse_ratio.sel(estimator="design") < 0.1)
    True
    """
    rng = checks.generator(seed)
    n = checks.integer("n", n, minimum=1)
    streams = zip([PAIRS[name] for name in pairs], rng.spawn(len(pairs)), strict=True)
    clouds = {entry.name: entry(n, stream) for entry, stream in streams}
    return _compare(clouds, methods, n_directions, repeats, rng, threads, progress)


@results.experiment
def compare_on(
    x: ArrayLike | str,
    y: ArrayLike | str,
    methods: Sequence[str] | None = None,
    *,
    n: int = 1000,
    n_directions: int = 100,
    repeats: int = 50,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compare estimators on your own pair of clouds (n, d), (m, d), or on ``n`` points of two named shapes.

    Result, errors and cost as :func:`compare_estimators`. ``progress.publish`` gets a first table from the first five
    draws of each estimator and an eighth of the reference.

    >>> ds = compare_on("torus", "cube", ("monte-carlo", "spiral"), n=200, repeats=20)
    >>> bool(ds.rmse_ratio.sel(estimator="spiral") < 0.2)
    True
    """
    given = pair(x, y, n, seed)
    return _compare({"given": given}, methods, n_directions, repeats, checks.generator(seed), threads, progress)


def _compare(
    clouds: Mapping[str, tuple[ArrayLike, ArrayLike]],
    methods: Sequence[str] | None,
    n_directions: int,
    repeats: int,
    rng: np.random.Generator,
    threads: int | None,
    progress: Progress | None,
) -> xr.Dataset:
    progress = progress or Progress()
    repeats = checks.integer("repeats", repeats, minimum=2)
    n_directions = checks.integer("n_directions", n_directions, minimum=1)
    prepared = {name: prepare_pair(x, y) for name, (x, y) in clouds.items()}
    dim = next(iter(prepared.values()))[0].dim
    names = [ESTIMATORS[name].name for name in methods] if methods is not None else methods_for(dim, n_directions)
    for name in names:
        make_rule(name, n_directions, dim, np.random.default_rng(0))
    names = [BASELINE, *[name for name in names if name != BASELINE]]
    trials = {
        label: Trial(
            *two, rng.spawn(REFERENCE_REPEATS), [rng.spawn(repeats) for _ in names], names, n_directions, threads
        )
        for label, two in prepared.items()
    }
    total, done = len(trials) * len(names), 0

    def table() -> xr.Dataset:
        return _table(list(trials), names, list(trials.values()), n_directions)

    if len(trials) == 1 and repeats > FIRST_REPEATS:  # one pair, somebody is waiting for: a small answer first
        trial = next(iter(trials.values()))
        trial.refer(FIRST_REFERENCE)
        for j in range(len(names)):
            trial.draw(j, FIRST_REPEATS)
        rest = f"the other {repeats - FIRST_REPEATS} draws of each, and the whole reference,"
        progress.publish(results.unfinished(table(), rest))
    for label, trial in trials.items():
        trial.refer(REFERENCE_REPEATS)
        for j, name in enumerate(names):
            progress.update(done, total, f"{label}: {name}")
            trial.draw(j, repeats)
            done += 1
    progress.update(1, 1, "done")
    return table()


class Trial:
    """The draws of several estimators on one pair, and their reference; each stream of random numbers is used once."""

    def __init__(
        self,
        x: Cloud,
        y: Cloud,
        reference_streams: list[np.random.Generator],
        streams: list[list[np.random.Generator]],
        names: list[str],
        n_directions: int,
        threads: int | None,
    ) -> None:
        self._clouds, self._threads = (x, y), threads
        self._reference_streams, self._streams = reference_streams, streams
        self._names, self._n_directions = names, n_directions
        self._references: list[float] = []
        self._values: list[list[float]] = [[] for _ in names]
        self._seconds: list[list[float]] = [[] for _ in names]

    def refer(self, count: int) -> None:
        """Bring the rotations of the reference up to ``count``."""
        while len(self._references) < count:
            stream = self._reference_streams[len(self._references)]
            rule = make_rule("design", REFERENCE_DIRECTIONS, self._clouds[0].dim, stream)
            self._references.append(draw(*self._clouds, rule, threads=self._threads).value)

    def draw(self, j: int, count: int) -> None:
        """Bring the draws of the j-th estimator up to ``count``."""
        values, dim = self._values[j], self._clouds[0].dim
        while len(values) < count:
            started = time.perf_counter()
            rule = make_rule(self._names[j], self._n_directions, dim, self._streams[j][len(values)])
            values.append(draw(*self._clouds, rule, threads=self._threads).value)
            self._seconds[j].append(time.perf_counter() - started)

    @property
    def reference(self) -> tuple[float, float]:
        """High-accuracy SW_2² and its standard error, from the rotations so far."""
        mean, error = mean_and_error(self._references)
        return float(mean), float(error)

    @property
    def values(self) -> NDArray[np.float64]:
        """Estimates (estimator, draw) so far."""
        return np.array(self._values)

    @property
    def seconds(self) -> NDArray[np.float64]:
        """Median time of one draw of each estimator."""
        return np.median(self._seconds, axis=1)


def _table(
    pairs: list[str],
    names: list[str],
    trials: Sequence[Trial],
    n_directions: int,
) -> xr.Dataset:
    draws, seconds = np.array([trial.values for trial in trials]), np.array([trial.seconds for trial in trials])
    references = np.array([trial.reference for trial in trials])
    deviation = draws - references[:, 0][:, None, None]
    squares = deviation**2
    rmse = np.sqrt(squares.mean(axis=2))
    with np.errstate(divide="ignore", invalid="ignore"):
        # d(rmse) = d(mean square) / (2 rmse); an estimator that is exact has no error to speak of
        error = np.nan_to_num(squares.std(axis=2, ddof=1) / np.sqrt(draws.shape[2]) / (2 * rmse))
        ratio = rmse / rmse[:, :1]
        relative = rmse / references[:, :1]
    equal_time = ratio * np.sqrt(seconds / seconds[:, :1])
    dims = ("pair", "estimator")
    return results.dataset(
        {
            "rmse": (dims, rmse, "root mean square error of SW₂²"),
            "rmse_standard_error": (dims, error, "standard error of the root mean square error"),
            "relative_rmse": (dims, relative, "root mean square error ÷ SW₂²"),
            "bias": (dims, deviation.mean(axis=2), "mean error of SW₂²"),
            "variance": (dims, draws.var(axis=2, ddof=1), "variance of SW₂²"),
            "seconds_per_draw": (dims, seconds, "time of one estimate", "s"),
            "rmse_ratio": (dims, ratio, "error ÷ Monte Carlo error at equal L"),
            "rmse_ratio_equal_time": (dims, equal_time, "error ÷ Monte Carlo error at equal time"),
            "reference": (dims[:1], references[:, 0], "reference SW₂²"),
            "reference_standard_error": (dims[:1], references[:, 1], "standard error of the reference"),
        },
        {
            "pair": (("pair",), np.array(pairs), "pair of clouds"),
            "estimator": (("estimator",), np.array(names), "estimator"),
        },
        {"n_directions": n_directions},
    )
