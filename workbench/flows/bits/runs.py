"""Runs of a model in few bits: an ensemble, each member spun up and run with every operation rounded."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, parallel, results
from workbench.flows.bits import models
from workbench.flows.bits.kernels import trajectory
from workbench.flows.bits.rounded_array import run_function
from workbench.flows.bits.rounding import DOUBLE_EXPONENT, Format, number_format, round_to, streams
from workbench.progress import Cancelled, Progress
from workbench.registry import Entry

MOST_RUNS, MOST_STEPS = 1000, 100_000_000
CHUNK_SECONDS = 0.2
Model = str | Callable[[Any], Any]


@results.experiment
def low_precision_run(
    model: Model,
    bits: int,
    rounding: str = "nearest",
    *,
    runs: int = 4,
    steps: int = 20_000,
    every: int | None = None,
    spin_up: int = 2000,
    step: float | None = None,
    parameters: Mapping[str, float] | None = None,
    start: ArrayLike | None = None,
    exponent_bits: int = DOUBLE_EXPONENT,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Run a model with every operation rounded to ``bits`` explicit bits; 52 is double precision.

    ``model`` is a name in ``MODELS``, or a Python function ``f(state)`` that returns dx/dt of a state (variables, runs)
    written with + − × ÷, NumPy's elementwise functions and its ways to rearrange arrays: it is handed arrays that round
    after every operation, and stepped by the same scheme of Runge and Kutta of order four. Time runs in steps of
    ``step``; every ``every``-th state is kept, after ``spin_up`` steps *in the same precision* that are not. The runs
    start from ``start`` ((variables,) or (runs, variables)), else from the model's own random states; a function needs
    ``start`` and ``step``. Constants, parameters and starts are rounded to nearest once. ``rounding``,
    ``exponent_bits`` as in :func:`round_to`; each run has its own random stream.

    Returns ``state`` (run, time, variable). Raises ``ValueError``/``TypeError`` before any work for what is unknown or
    out of bounds, and afterwards if a run leaves the finite numbers (a step too large, or an overflow). Cost: runs ×
    steps × 1.5 µs (Lorenz-63) to 40 µs (shallow water); a function about 0.2 ms a step for all runs together.

    >>> ds = low_precision_run("lorenz63", 10, runs=2, steps=1000, spin_up=0, start=(1, 2, 20), every=1000)
    >>> ds.state.values[0, -1].tolist()
    [-0.86474609375, -1.552734375, 14.484375]
    >>> def decay(x):
    ...     return -0.1 * x
    >>> stuck = low_precision_run(decay, 7, steps=100, step=0.01, every=1, spin_up=0, start=[1.0])
    >>> float(stuck.state[0, -1, 0])
    1.0
    """
    progress = progress or Progress()
    fmt = number_format(bits, rounding, exponent_bits)
    runs = checks.integer("runs", runs, minimum=1, maximum=MOST_RUNS)
    spin_up = checks.integer("spin_up", spin_up, minimum=0, maximum=MOST_STEPS)
    entry = None if callable(model) else models.MODELS[model]
    every = (entry.fact("every") if entry else 1) if every is None else checks.integer("every", every, minimum=1)
    steps = checks.integer("steps", steps, minimum=every, maximum=MOST_STEPS)
    if step is None and entry is None:
        raise ValueError("a function needs its time step: give step=…")
    h = entry.fact("step") if step is None else checks.real("step", step, exclusive_minimum=0)
    rng = checks.generator(seed)
    starts = _starts(entry, start, runs, rng)
    size = starts.shape[1]
    checks.memory(8.0 * runs * (steps // every) * size, f"keeping {steps // every} states of {runs} runs")
    starts = round_to(starts, bits, exponent_bits=exponent_bits)
    plan = (fmt, spin_up, steps // every, every)
    if entry is None:
        if parameters is not None:
            raise ValueError("parameters belong to the models by name; a function brings its own")
        name, variables, observed = getattr(model, "__name__", "function"), None, None
        state = run_function(model, starts, h, *plan, streams(rng, 1)[0], progress)
    else:
        c = models.constants(entry, h, parameters)
        c = models.rounded_constants(c, bits, exponent_bits)
        state = run_entry(entry, starts, c, *plan, streams(rng, runs), progress)
        name, variables, observed = entry.name, entry.fact("variables"), entry.fact("observed")
    labels = np.array(variables if variables else [f"x{k + 1}" for k in range(size)])
    time = (spin_up + every * (1 + np.arange(steps // every))) * h
    return results.dataset(
        {"state": (("run", "time", "variable"), state, "state of the model")},
        {
            "run": (("run",), np.arange(runs), "number of the run"),
            "time": (("time",), time, "model time"),
            "variable": (("variable",), labels, "variable"),
        },
        {"model": name, "observed": list(observed if observed else labels)},
    )


def _starts(entry: Entry | None, start: ArrayLike | None, runs: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the checked states from which the runs start, (runs, variables)."""
    if start is None:
        if entry is None:
            raise ValueError("a function needs a state to start from: give start=… of shape (variables,)")
        return np.stack([entry.fact("start")(stream) for stream in rng.spawn(runs)])
    found = checks.finite_array("start", start, ndim=(1, 2))
    found = np.tile(found, (runs, 1)) if found.ndim == 1 else found
    if entry is not None and found.shape[1] != len(entry.fact("variables")):
        wanted = len(entry.fact("variables"))
        raise ValueError(f"start has {found.shape[1]} numbers a run; {entry.name} has {wanted} variables")
    if found.shape[0] != runs:
        raise ValueError(f"start holds {found.shape[0]} states; give one, or one for each of the {runs} runs")
    return found


def run_entry(
    entry: Entry,
    starts: NDArray[np.float64],
    c: NDArray[np.float64],
    fmt: Format,
    spin_up: int,
    samples: int,
    every: int,
    rngs: NDArray[np.uint64],
    progress: Progress,
    message: str = "",
) -> NDArray[np.float64]:
    """Return the states (run, sample, variable) of a compiled model; every run is one task for one core."""
    runs, size = starts.shape
    out = np.empty((runs, samples, size))
    chunk = max(1, int(CHUNK_SECONDS / (1e-9 * entry.fact("nanoseconds") * every)))
    warm = max(1, int(CHUNK_SECONDS / (1e-9 * entry.fact("nanoseconds"))))

    def work(k: int) -> None:
        x, scratch = starts[k].copy(), np.empty((6, size))
        last = np.empty((1, size))

        def part(span: int, target: NDArray[np.float64]) -> None:
            if progress.cancelled:
                raise Cancelled("cancelled before it finished")
            if not trajectory(entry.fact("kernel"), x, scratch, c, fmt, rngs[k], span, target):
                raise ValueError(
                    f"run {k} of {entry.name} left the finite numbers: the step is too large for these parameters, or "
                    "the format overflows"
                )

        for done in range(0, spin_up, warm):
            part(min(warm, spin_up - done), last)
        for done in range(0, samples, chunk):
            part(every, out[k, done : done + chunk])

    parallel.for_each(work, range(runs), progress, message=message or f"{entry.label}")
    return out
