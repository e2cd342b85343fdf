"""The gradient flow of one cloud into another, and what to watch while it runs."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.clouds.named import pair
from workbench.progress import Progress
from workbench.transport.estimators import ESTIMATORS
from workbench.transport.evaluate import draw, make_rule, mean_and_error
from workbench.transport.exact import wasserstein
from workbench.transport.measures import Cloud, check_same_dim, masses, points, prepare
from workbench.transport.sliced import PRECISIONS

LOSSES = ("squared", "unsquared")
EXACT_BY_DEFAULT = 5_000_000
READ_METHOD = "design"
FAR = 2.0**-4  # of the distance to the origin: the extent at which single precision keeps 20 bits of a cloud
LEAST_SINGLE, MOST_SINGLE = 1e-30, 1e38
Random = np.random.Generator


@dataclass(frozen=True)
class Stepper:
    """How a cloud moves: the estimator of the gradient, the loss and the step."""

    method: str
    n_directions: int
    loss: str
    eta: float
    learning_rate: float
    batch_size: int | None
    dtype: type[np.floating]
    threads: int | None

    def step(self, x: NDArray, x_weights: NDArray | None, y: Cloud, y_all: NDArray, rng: Random) -> float:
        """Move ``x`` in place by one step with fresh directions; return the estimate of SW_2² that it followed."""
        if self.batch_size is None:
            return self._move(x, slice(None), x_weights, y, rng)
        chosen = rng.choice(len(x), min(self.batch_size, len(x)), replace=False, p=x_weights)
        partners = rng.choice(
            len(y_all), min(self.batch_size, len(y_all)), replace=False, p=None if y.masses is None else y.all_masses
        )
        return self._move(x, chosen, None, prepare("y", y_all[partners], None, self.dtype), rng)

    def _move(self, x: NDArray, chosen: Any, weights: NDArray | None, y: Cloud, rng: Random) -> float:
        part = x[chosen]
        cloud = prepare("x", part, weights, self.dtype)
        rule = make_rule(self.method, self.n_directions, cloud.dim, rng)
        found = draw(cloud, y, rule, want_x=True, threads=self.threads)
        velocity = _per_mass(found.gradient_x, weights)
        if self.loss == "squared":
            x[chosen] = part - (self.eta * cloud.dim / 2) * velocity
        elif found.value > 0:
            x[chosen] = part - self.learning_rate * velocity / (2 * np.sqrt(found.value))
        return found.value


def _per_mass(gradient: NDArray | None, weights: NDArray | None) -> NDArray[np.float64]:
    """Return the gradient per unit of mass; points without mass do not move."""
    assert gradient is not None
    if weights is None:
        return gradient * len(gradient)
    safe = np.where(weights > 0, weights, 1.0)
    return gradient / safe[:, None]


@dataclass
class Recorder:
    """Collects what is seen at the frames of a flow: first where the points are, then, frame by frame, how far."""

    y: Cloud
    y_points: NDArray
    stored_as: type[np.floating]
    x_weights: NDArray | None
    y_weights: NDArray | None
    checkpoints: frozenset[int]
    n_directions: int
    repeats: int
    threads: int | None
    rng: Random
    frames: list[int] = field(default_factory=list)
    positions: list[NDArray] = field(default_factory=list)
    sw2: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    exact: dict[int, float] = field(default_factory=dict)

    def keep(self, step: int, x: NDArray, seconds_per_step: float) -> None:
        """Store where the points are at ``step``, in full precision until the frame has been read."""
        self.frames.append(step)
        self.positions.append(x.copy())
        self.seconds.append(seconds_per_step)

    def read(self) -> float:
        """Read SW_2² with its error at the first frame that was not read yet; return SW_2²."""
        x = self.positions[len(self.sw2)]
        cloud = prepare("x", x, self.x_weights, self.y.coordinates.dtype.type)
        rules = [make_rule(READ_METHOD, self.n_directions, cloud.dim, rng) for rng in self.rng.spawn(self.repeats)]
        sw2, error = mean_and_error([draw(cloud, self.y, rule, threads=self.threads).value for rule in rules])
        self.sw2.append(float(sw2))
        self.errors.append(float(error))
        return self.sw2[-1]

    def solve(self, step: int) -> None:
        """Compute exact W_2² at a checkpoint."""
        x = self.positions[self.frames.index(step)]
        self.exact[step] = wasserstein(x, self.y_points, self.x_weights, self.y_weights)


@results.experiment
def gradient_flow(
    x: ArrayLike | str,
    y: ArrayLike | str,
    *,
    n: int = 1000,
    steps: int = 100,
    method: str = "design",
    n_directions: int = 100,
    eta: float = 1.0,
    checkpoints: Sequence[int] | None = None,
    loss: str = "squared",
    learning_rate: float = 0.01,
    x_weights: ArrayLike | None = None,
    y_weights: ArrayLike | None = None,
    batch_size: int | None = None,
    frames: int = 51,
    stop_below: float = 0.0,
    read_directions: int = 100,
    read_repeats: int = 4,
    precision: str = "single",
    threads: int | None = None,
    seed: int | np.random.Generator = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Let the cloud ``x`` (n, d) flow down the sliced Wasserstein distance to ``y`` (m, d).

    A name in ``SHAPES`` (or ``"text:…"``) in place of a cloud stands for ``n`` points of that shape.

    ``loss="squared"`` takes steps in velocity units, x_i ← x_i − τ ∇_i SW_2² / a_i with τ = eta·d/2 and a_i the mass
    of x_i (1/n); eta in (0, 1]: monotone there, stable up to 2. ``loss="unsquared"`` is the paper's own experiment,
    plain gradient descent x_i ← x_i − learning_rate ∇_i SW_2 / a_i: constant speed, ending in a limit cycle whose
    height learning_rate²/(4d) ranks nothing. Directions are drawn anew at every step; a fixed finite set is no metric
    and the flow would stall on it.

    ``batch_size`` follows a random part of both clouds at every step. The result holds about ``frames`` frames,
    evenly spaced (float32), and stops early at a frame whose SW_2² is at most ``stop_below``. SW_2² is read with the
    ``design`` rule (``read_directions`` × ``read_repeats``), whatever drives the flow, so that flows compare. Exact
    W_2² is computed at ``checkpoints`` (step numbers; by default the first and last step where n·m ≤ 5e6).

    ``progress.publish`` gets the flow as soon as it has run, with NaN for the distances that are read afterwards, and
    again before exact transport.

    Returns a Dataset: ``positions`` (frame, point, axis), ``target`` (target_point, axis), ``sw2`` and
    ``sw2_standard_error`` (frame), ``seconds_per_step`` (frame), ``sw2_seen`` (step) as the estimator saw it,
    ``w2`` (checkpoint). All distances are *squared*. Positions are single precision where that keeps a millionth of
    the extent of either cloud, otherwise double (clouds in map coordinates, say).

    Raises ``ValueError`` for bad clouds, names and numbers, or for more memory than there is, before the first step.
    Cost: about 10 ns per point, direction and step on one core.

    Reference: Bonneel et al. 2015 (section 3, the gradient); Nguyen & Ho, arXiv 2305.00402, section 4.2 (the
    experiment with point-cloud gradient flows).

    >>> flow = gradient_flow("torus", "cube", n=300, steps=20, frames=3)
    >>> flow.positions.shape, bool(flow.w2[-1] < 0.3 * flow.w2[0])
    ((3, 300, 3), True)
    """
    progress = progress or Progress()
    x, y = pair(x, y, n, seed)
    start, target = points("x", x).copy(), points("y", y)
    steps = checks.integer("steps", steps, minimum=0, maximum=10_000_000)
    weights = masses("x_weights", x_weights, len(start))
    stepper = _stepper(method, n_directions, loss, eta, learning_rate, batch_size, precision, threads, start)
    cloud_y = prepare("y", target, y_weights, stepper.dtype)
    check_same_dim(prepare("x", start, x_weights, stepper.dtype), cloud_y)
    wanted = _checkpoints(checkpoints, steps, len(start) * len(target))
    schedule = _schedule(steps, checks.integer("frames", frames, minimum=2, maximum=100_000), wanted)
    checks.memory(8.0 * len(schedule) * start.size, f"a film of {len(schedule)} frames of {len(start)} points")
    if wanted:
        checks.memory(24.0 * len(start) * len(target), f"exact transport of {len(start)} to {len(target)} points")
    stop_below = checks.real("stop_below", stop_below, minimum=0)
    rng, read_rng = checks.generator(seed).spawn(2)
    recorder = Recorder(
        cloud_y,
        target,
        _storage(start, target),
        weights,
        masses("y_weights", y_weights, len(target)),
        wanted,
        checks.integer("read_directions", read_directions, minimum=1),
        checks.integer("read_repeats", read_repeats, minimum=2),
        threads,
        read_rng,
    )
    seen = _run(stepper, recorder, start, weights, target, schedule, stop_below, rng, progress)
    _read(recorder, target, seen, progress)
    return _as_dataset(recorder, target, seen)


def _stepper(
    method: str,
    n_directions: int,
    loss: str,
    eta: float,
    learning_rate: float,
    batch_size: int | None,
    precision: str,
    threads: int | None,
    start: NDArray,
) -> Stepper:
    """Check how to move, and try the estimator once, so that a wrong name or number stops before the first step."""
    n_directions = checks.integer("n_directions", n_directions, minimum=1)
    ESTIMATORS[method](n_directions, start.shape[1], np.random.default_rng(0))
    return Stepper(
        method,
        n_directions,
        checks.choice("loss", loss, LOSSES),
        checks.real("eta", eta, exclusive_minimum=0, maximum=1),
        checks.real("learning_rate", learning_rate, exclusive_minimum=0),
        None if batch_size is None else checks.integer("batch_size", batch_size, minimum=1),
        PRECISIONS[checks.choice("precision", precision, PRECISIONS)],
        None if threads is None else checks.integer("threads", threads, minimum=1),
    )


def _checkpoints(checkpoints: Sequence[int] | None, steps: int, pairs: int) -> frozenset[int]:
    if checkpoints is None:
        return frozenset({0, steps}) if pairs <= EXACT_BY_DEFAULT else frozenset()
    return frozenset(checks.integer("checkpoints", step, minimum=0, maximum=steps) for step in checkpoints)


def _schedule(steps: int, frames: int, checkpoints: frozenset[int]) -> list[int]:
    """Return the steps at which a frame is kept: evenly spaced ones and the checkpoints."""
    even = np.unique(np.linspace(0, steps, min(frames, steps + 1)).round().astype(int))
    return sorted({*even.tolist(), *checkpoints})


def _run(
    stepper: Stepper,
    recorder: Recorder,
    x: NDArray,
    weights: NDArray | None,
    target: NDArray,
    schedule: list[int],
    stop_below: float,
    rng: Random,
    progress: Progress,
) -> list[float]:
    """Step from frame to frame; return the estimates that the steps followed.

    The frames are read on the way only where that decides when to stop.
    """
    seen: list[float] = []
    last = schedule[-1]
    for frame in schedule:
        begun, spent = len(seen), time.perf_counter()
        while len(seen) < frame:
            seen.append(stepper.step(x, weights, recorder.y, target, rng))
            progress.update(len(seen), last, f"step {len(seen)} of {last}")
        seconds = (time.perf_counter() - spent) / (frame - begun) if frame > begun else 0.0
        recorder.keep(frame, x, seconds)
        if stop_below > 0 and recorder.read() <= stop_below:
            break
    return seen


def _read(recorder: Recorder, target: NDArray, seen: list[float], progress: Progress) -> None:
    """Read the distances of all frames, then exact transport; what there is goes to ``progress.publish`` first."""
    solved = [step for step in recorder.frames if step in recorder.checkpoints]
    count, total = len(recorder.frames), len(recorder.frames) + len(solved)
    if not recorder.sw2:
        progress.publish(results.unfinished(_as_dataset(recorder, target, seen), "distances with their errors"))
    while len(recorder.sw2) < count:
        sw2 = recorder.read()
        progress.update(len(recorder.sw2), total, f"reading: SW₂² {sw2:.3g}")
    if solved:
        progress.publish(results.unfinished(_as_dataset(recorder, target, seen), "exact distance"))
    for k, step in enumerate(solved):
        progress.update(count + k, total, f"exact distance at step {step}")
        recorder.solve(step)
    progress.update(total, total, "done")


def _storage(*clouds: NDArray[np.float64]) -> type[np.floating]:
    """Return the precision that holds the clouds to a millionth of their own extent, far from the origin or not.

    Single where it will do, which is the common case and half the size of a film.
    """
    with np.errstate(over="ignore"):
        extents = [float(np.ptp(cloud, axis=0).max()) for cloud in clouds]
    farthest = max(float(np.abs(cloud).max()) for cloud in clouds)
    enough = min(extents) >= max(FAR * farthest, LEAST_SINGLE) and farthest <= MOST_SINGLE
    return np.float32 if enough else np.float64


def _as_dataset(recorder: Recorder, target: NDArray, seen: list[float]) -> xr.Dataset:
    frames = np.array(recorder.frames)
    dim = target.shape[1]
    unread = np.full(len(frames) - len(recorder.sw2), np.nan)
    film = np.stack([np.asarray(x, dtype=recorder.stored_as) for x in recorder.positions])
    variables: dict[str, tuple] = {
        "positions": (("frame", "point", "axis"), film, "positions of the moving cloud"),
        "target": (("target_point", "axis"), target.astype(recorder.stored_as), "positions of the target cloud"),
        "sw2": (("frame",), np.append(recorder.sw2, unread), "sliced Wasserstein distance SW₂² (squared)"),
        "sw2_standard_error": (("frame",), np.append(recorder.errors, unread), "standard error of SW₂²"),
        "seconds_per_step": (("frame",), np.array(recorder.seconds), "time per step since the frame before", "s"),
    }
    coordinates: dict[str, tuple] = {
        "frame": (("frame",), frames, "step"),
        "point": (("point",), np.arange(recorder.positions[0].shape[0]), "point"),
        "target_point": (("target_point",), np.arange(len(target)), "target point"),
        "axis": (("axis",), np.array([f"x{k + 1}" for k in range(dim)]), "axis"),
    }
    if seen:
        variables["sw2_seen"] = (("step",), np.array(seen), "SW₂² as the estimator that drives the flow saw it")
        coordinates["step"] = (("step",), np.arange(len(seen)), "step")
    if recorder.exact:
        exact = sorted(recorder.exact.items())
        variables["w2"] = (("checkpoint",), np.array([v for _, v in exact]), "exact Wasserstein distance W₂² (squared)")
        coordinates["checkpoint"] = (("checkpoint",), np.array([s for s, _ in exact]), "step")
    for name, weights, dimension in (
        ("x_weights", recorder.x_weights, "point"),
        ("y_weights", recorder.y_weights, "target_point"),
    ):
        if weights is not None:
            variables[name] = ((dimension,), weights, f"mass of each {dimension.replace('_', ' ')}")
    return results.dataset(variables, coordinates)
