"""Experiments: the climate in few bits beside that in double precision, for one format, many, or one's own runs."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.flows.bits import models
from workbench.flows.bits.climate_test import (
    cumulative,
    floor_distances,
    holm,
    rounding_test,
    samples,
)
from workbench.flows.bits.cycles import Cycle, find_cycle
from workbench.flows.bits.rounding import MOST_BITS, ROUNDINGS, number_format
from workbench.flows.bits.runs import MOST_RUNS, low_precision_run
from workbench.progress import Progress
from workbench.registry import Entry

LENGTHS = 12
MOST_DRAWN = 3000
DRAWN_VARIABLES = 3


@results.experiment
def precision_climate(
    model: str = "lorenz63",
    bits: int = 10,
    rounding: str = "nearest",
    *,
    runs: int = 4,
    reference_runs: int = 8,
    steps: int = 20_000,
    cycle_steps: int = 60_000,
    parameters: Mapping[str, float] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compare a model's climate in few bits with its climate in double precision, and look for the cycle.

    Returns the test of :func:`rounding_test` on the observed variables as scalars (``w1``, ``standard_error``,
    ``floor``, ``p_value``, ``smallest_p``, ``detectable``); ``w1_so_far`` with ``floor_mean_so_far``/``floor_so_far``
    against the length of the runs; ``low_orbit``, ``high_orbit`` (point, axis) of the first run; and for round to
    nearest ``period`` (run, 0: none found within ``cycle_steps``), ``cycles`` (how many different ones) and
    ``cycle_orbit``. Runs on one cycle are one run: their p-value flatters, so the number of cycles belongs to it.

    Raises ``ValueError`` as :func:`low_precision_run`. Cost: (runs + reference_runs) × steps × 1.5 to 40 µs, and runs ×
    cycle_steps × as much.

    >>> ds = precision_climate("lorenz63", 7, runs=2, reference_runs=4, steps=4000)
    >>> bool(ds.w1 > 0), ds.period.values.tolist()  # both runs have fallen into cycles
    (True, [901, 901])
    """
    progress = progress or Progress()
    entry = models.model(model)
    runs = checks.integer("runs", runs, minimum=2, maximum=MOST_RUNS)
    reference_runs = checks.integer("reference_runs", reference_runs, minimum=2, maximum=MOST_RUNS)
    cycle_steps = checks.integer("cycle_steps", cycle_steps, minimum=0, maximum=10_000_000)
    checks.choice("rounding", rounding, ROUNDINGS)
    seeds = checks.generator(seed).integers(0, 2**31, 3)
    both = {"steps": steps, "parameters": parameters, "progress": progress}
    low = low_precision_run(model, bits, rounding, runs=runs, seed=int(seeds[0]), **both)
    high = low_precision_run(model, MOST_BITS, runs=reference_runs, seed=int(seeds[1]), **both)
    found = compare(samples("low", low), samples("high", high), low.time.values, seed=int(seeds[2]))
    about = {"bits": int(bits), "rounding": rounding, "quantity": entry.fact("quantity"), "label": entry.label}
    about |= {"step": entry.fact("step")}
    if rounding != "nearest" or not cycle_steps:
        return _climate(entry, found, low, high, [Cycle(None, None, 0, np.empty((0, 0)))] * runs, about)
    so_far = _climate(entry, found, low, high, None, about)
    progress.publish(results.unfinished(so_far, "the cycles that runs end on"))
    cycles = []
    for k in range(runs):
        progress.update(k, runs, "looking for cycles")
        start = low.state.values[k, -1]  # the run goes on from where it ended
        cycles.append(find_cycle(model, bits, start, cycle_steps, parameters=parameters, progress=progress))
    return _climate(entry, found, low, high, cycles, about)


def _climate(
    entry: Entry,
    found: tuple[dict, dict],
    low: xr.Dataset,
    high: xr.Dataset,
    cycles: list[Cycle] | None,
    about: Mapping[str, Any],
) -> xr.Dataset:
    """Return what is known of two ensembles; ``cycles`` are those of each run, None while they are looked for."""
    axes = entry.fact("variables")[: min(DRAWN_VARIABLES, low.sizes["variable"])]
    drawn = len(axes)
    first = next((c for c in cycles or [] if c.period), None)
    orbit = np.empty((0, drawn)) if first is None else first.orbit[:MOST_DRAWN, :drawn]
    variables, coordinates = found
    variables = variables | {
        "low_orbit": (("point", "axis"), _thinned(low.state.values[0, :, :drawn]), "states in few bits"),
        "high_orbit": (("point", "axis"), _thinned(high.state.values[0, :, :drawn]), "states in double precision"),
        "cycle_orbit": (("cycle_point", "axis"), orbit, "states of the cycle"),
    }
    coordinates = coordinates | {
        "point": (("point",), np.arange(min(MOST_DRAWN, low.sizes["time"])), "number of the state"),
        "cycle_point": (("cycle_point",), np.arange(len(orbit)), "step of the cycle"),
        "axis": (("axis",), np.array(axes), "variable"),
    }
    if cycles is not None:
        names = {c.name for c in cycles if c.period}
        variables["period"] = (("run",), np.array([c.period or 0 for c in cycles]), "period of the cycle", "steps")
        variables["cycles"] = ((), len(names), "different cycles found")
        coordinates["run"] = (("run",), np.arange(len(cycles)), "number of the run")
    return results.dataset(variables, coordinates, about)


def _thinned(states: NDArray[np.float64]) -> NDArray[np.float64]:
    return states[: min(MOST_DRAWN, len(states))]


@results.experiment
def compare_runs(
    low: ArrayLike, high: ArrayLike, *, quantity: str = "your quantity", seed: int = 0, progress: Progress | None = None
) -> xr.Dataset:
    """Put two ensembles of your own model output, (runs, times) each, to the test of :func:`rounding_test`.

    Returns the scalars and the curves against the number of samples that :func:`precision_climate` returns. Raises
    ``ValueError`` for fewer than two runs or NaN. Cost: the sorting, and about 0.3 s.

    >>> rng = np.random.default_rng(0)
    >>> ds = compare_runs(rng.normal(0.5, 1, (4, 300)), rng.normal(0, 1, (8, 300)))
    >>> round(float(ds.w1), 1), bool(ds.p_value < 0.01)
    (0.5, True)
    """
    progress = progress or Progress()
    a, b = samples("low", low), samples("high", high)
    progress.update(0, 1, "testing")
    variables, coordinates = compare(a, b, np.arange(1, min(a.shape[1], b.shape[1]) + 1), seed=seed)
    progress.update(1, 1, "done")
    return results.dataset(variables, coordinates, {"quantity": str(quantity), "label": "your own runs"})


def compare(low: NDArray, high: NDArray, time: NDArray, *, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the variables and coordinates of a test: its scalars, and W₁ as the runs grow longer."""
    test = rounding_test(low, high, seed=seed)
    rng = np.random.default_rng(seed)
    count = len(time)
    marks = np.unique(np.geomspace(min(10, count), count, LENGTHS).astype(int))
    per_low, per_high = low.shape[1] // count, high.shape[1] // count
    curve, mean, floor = (np.empty(len(marks)) for _ in range(3))
    for k, mark in enumerate(marks):
        a, b = low[:, : mark * per_low], high[:, : mark * per_high]
        cdf, width = cumulative(a, b)
        sides = np.where(np.arange(len(cdf)) < len(a), 1 / len(a), -1 / len(b))
        curve[k] = width * np.abs(sides @ cdf).sum()
        null = floor_distances(cdf[len(a) :], width, test.runs, rng)
        mean[k], floor[k] = null.mean(), np.quantile(null, 0.95)
    scalars = {
        "w1": (test.w1, "W₁ between the climates"),
        "standard_error": (test.standard_error, "standard error of W₁"),
        "floor": (test.floor, "95 % floor of W₁ between double-precision runs"),
        "floor_mean": (test.floor_mean, "mean W₁ between double-precision runs"),
        "p_value": (test.p_value, "p-value by permuting whole runs"),
        "smallest_p": (test.smallest_p, "least p-value that so many runs can give"),
        "detectable": (test.detectable, "least shift seen with 90 % probability"),
    }
    variables: dict[str, Any] = {name: ((), value, text) for name, (value, text) in scalars.items()}
    whole, width = cumulative(low, high)
    grid = min(low.min(), high.min()) + width * np.arange(1, whole.shape[1] + 1)
    variables |= {
        "low_cdf": (("value",), whole[: len(low)].mean(axis=0), "distribution function under test"),
        "high_cdf": (("value",), whole[len(low) :].mean(axis=0), "distribution function of the reference"),
        "w1_so_far": (("length",), curve, "W₁ between the climates so far"),
        "floor_mean_so_far": (("length",), mean, "mean W₁ between double-precision runs so far"),
        "floor_so_far": (("length",), floor, "95 % floor so far"),
    }
    lengths = time[marks - 1] - (time[0] - (time[1] - time[0]) if count > 1 else 0)
    return variables, {
        "length": (("length",), lengths.astype(float), "length of the runs"),
        "value": (("value",), grid, "value of the quantity"),
    }


@results.experiment
def precision_sweep(
    model: str = "lorenz63",
    bits: Sequence[int] = (6, 7, 8, 9, 10, 11, 12, 14, 23),
    roundings: Sequence[str] = ("nearest", "stochastic"),
    *,
    runs: int = 8,
    reference_runs: int = 16,
    steps: int = 102_000,
    cycle_steps: int = 200_000,
    yardstick: Mapping[str, Sequence[float]] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Test a model's climate in many formats against one ensemble in double precision.

    Returns, over (bits, rounding): ``w1`` ± ``standard_error``, ``p_value``, ``p_holm`` (corrected for all tests of
    the sweep), ``cycles`` and ``period`` (of the first run; 0: none within ``cycle_steps``; nearest only); and
    ``floor``, ``floor_mean``, ``detectable`` of the sizes. ``yardstick`` names one parameter and values of it: the same
    W₁ for double-precision runs of the changed model, ``changed_w1`` (change), says what a rounding error amounts to.

    Raises ``ValueError`` before any work for formats, roundings or parameters that there are not. Cost: (bits ×
    roundings × runs + reference_runs) × steps × 1.5 to 40 µs, and the cycles.

    >>> ds = precision_sweep("lorenz63", (6, 23), ("nearest",), runs=4, reference_runs=8, steps=6000, cycle_steps=9000)
    >>> ds.period.values.ravel().tolist()
    [308.0, 0.0]
    """
    progress = progress or Progress()
    entry = models.model(model)
    kinds = [checks.choice("rounding", name, ROUNDINGS) for name in roundings]
    for count in bits:
        number_format(count)
    change = list((yardstick or {}).items())
    if len(change) > 1:
        raise ValueError(f"yardstick names one parameter, got {', '.join(name for name, _ in change)}")
    parameter, values = change[0] if change else ("none", [])
    for value in values:
        models.constants(entry, entry.fact("step"), {parameter: value})
    rng = checks.generator(seed)
    jobs = [(count, kind) for count in bits for kind in kinds]
    shape = (len(bits), len(kinds))
    names = ("w1", "standard_error", "p_value", "cycles", "period")
    table = {name: np.zeros(shape) for name in names}
    high = low_precision_run(model, MOST_BITS, runs=reference_runs, steps=steps, seed=int(rng.integers(2**31)))
    last = None
    for k, (count, kind) in enumerate(jobs):
        progress.update(k, len(jobs) + len(values), f"{count} bits, {kind}")
        low = low_precision_run(model, count, kind, runs=runs, steps=steps, seed=int(rng.integers(2**31)))
        last = rounding_test(low, high, trials=60 if k == 0 else 10, seed=1) if k == 0 else _quick(low, high, last)
        where = np.unravel_index(k, shape)
        table["w1"][where], table["standard_error"][where] = last.w1, last.standard_error
        table["p_value"][where] = last.p_value
        if kind == "nearest" and cycle_steps:
            found = [
                find_cycle(model, count, low.state.values[r, -1], cycle_steps, progress=progress) for r in range(runs)
            ]
            table["cycles"][where] = len({c.name for c in found if c.period})
            table["period"][where] = found[0].period or 0
    changed = []
    for k, value in enumerate(values):
        progress.update(len(jobs) + k, len(jobs) + len(values), f"{parameter} = {value}")
        other = low_precision_run(
            model, MOST_BITS, runs=runs, steps=steps, parameters={parameter: value}, seed=int(rng.integers(2**31))
        )
        changed.append(_quick(other, high, last))
    dims = ("bits", "rounding")
    told = {
        "w1": "W₁ to double precision",
        "standard_error": "standard error of W₁",
        "p_value": "p-value by permuting whole runs",
        "cycles": "different cycles among the runs",
        "period": "period of the first run's cycle, 0 if none was found",
    }
    variables = {
        name: (dims, table[name], text, *(["steps"] if name == "period" else [])) for name, text in told.items()
    }
    variables |= {
        "p_holm": (dims, holm(table["p_value"]), "p-value corrected by Holm for all tests of the sweep"),
        "floor": ((), last.floor, "95 % floor of W₁ between double-precision runs"),
        "floor_mean": ((), last.floor_mean, "mean W₁ between double-precision runs"),
        "detectable": ((), last.detectable, "least shift seen with 90 % probability"),
        "smallest_p": ((), last.smallest_p, "least p-value that so many runs can give"),
        "changed_w1": (("change",), np.array([t.w1 for t in changed]), "W₁ of the changed model to the model"),
    }
    return results.dataset(
        variables,
        {
            "bits": (("bits",), np.array(bits), "explicit bits of the fraction"),
            "rounding": (("rounding",), np.array(kinds), "rounding"),
            "change": (("change",), np.array(list(values), dtype=float), f"value of {parameter}"),
        },
        {"quantity": entry.fact("quantity"), "label": entry.label, "parameter": parameter},
    )


def equivalent_change(w1: float, sweep: xr.Dataset) -> tuple[float, float]:
    """Return the two values of a model's parameter whose change moves the climate next less and next more than ``w1``.

    ``sweep`` is a :func:`precision_sweep` with a ``yardstick``. NaN on a side where no value lies, and on both where W₁
    does not rise with the change: then it is no measure of one.

    >>> from workbench import data
    >>> equivalent_change(0.027, data.result("flows/bits_lorenz96.nc"))
    (8.05, 8.1)
    """
    w1 = checks.real("w1", w1, minimum=0)
    change, moved = sweep.change.values, sweep.changed_w1.values
    if not len(moved) or np.any(np.diff(moved) <= 0):
        return np.nan, np.nan
    k = int(np.searchsorted(moved, w1))
    return float(change[k - 1]) if k else np.nan, float(change[k]) if k < len(change) else np.nan


def _quick(low: xr.Dataset, high: xr.Dataset, first: Any) -> Any:
    """Return a test whose power is taken from the first one of equal sizes."""
    made = rounding_test(low, high, trials=10, seed=1)
    return dataclasses.replace(made, detectable=first.detectable)
