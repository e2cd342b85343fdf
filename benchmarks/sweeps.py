"""What a sweep costs beside the function itself, next to a bare loop and to xyzpy, and what a second worker brings.

    python benchmarks/sweeps.py [--quick] [--write]

xyzpy (another library for labelled sweeps) is no dependency: name the Python of an environment that has it in
WORKBENCH_XYZPY_PYTHON, and it is measured in the same run; without, its rows are left out.
"""

import argparse
import contextlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from datetime import date
from pathlib import Path

import numpy as np

from workbench import results, sweeps

HERE = Path(__file__).resolve().parent
ROUNDS = 3


def moments(n: int, scale: float, seed: int = 0) -> dict[str, float]:
    """A cell of a few microseconds: what is left is the sweep."""
    sample = scale * np.random.default_rng(seed).normal(size=n)
    return {"mean": sample.mean(), "variance": sample.var()}


@results.experiment
def walk(n: int, scale: float, seed: int = 0):
    """The same as an experiment: a labelled curve with provenance."""
    path = scale * np.cumsum(np.random.default_rng(seed).normal(size=n))
    return results.dataset({"path": (("step",), path, "position")}, {"step": (("step",), np.arange(n), "step")})


def busy(index: int, seconds: float) -> float:
    """A cell of honest work on one core: CPU time, so that a slow moment of the machine does not count as work."""
    total, matrix = 0.0, np.random.default_rng(index).normal(size=(60, 60))
    end = time.process_time() + seconds
    while time.process_time() < end:
        total += float(np.linalg.norm(matrix @ matrix))
    return float(index)


XYZPY = """
import json, sys, tempfile, time, warnings
import numpy as np, xyzpy
warnings.simplefilter("ignore")
def moments(n, scale):
    sample = scale * np.random.default_rng(0).normal(size=n)
    return sample.mean(), sample.var()
combos = {"n": list(range(1, int(sys.argv[1]) + 1)), "scale": [0.5, 1.0, 1.5, 2.0, 2.5]}
count = len(combos["n"]) * 5
runner = xyzpy.Runner(moments, var_names=["mean", "variance"])
started = time.perf_counter()
runner.run_combos(combos, verbosity=0)
memory = time.perf_counter() - started
with tempfile.TemporaryDirectory() as folder:
    crop = runner.Crop(name="crop", parent_dir=folder, batchsize=1)
    started = time.perf_counter()
    crop.sow_combos(combos, verbosity=0)
    crop.grow_missing(verbosity=0)
    crop.reap(verbosity=0)
    disk = time.perf_counter() - started
print(json.dumps({"memory": memory / count, "disk": disk / count}))
"""


def best(action: Callable[[], float]) -> float:
    """Return the least of a few timings: noise only ever adds."""
    return min(action() for _ in range(ROUNDS))


def overhead(sizes: int) -> list[tuple[str, float]]:
    """Return seconds per cell of each way to fill the same grid with results."""
    grid = {"n": list(range(1, sizes + 1)), "scale": [0.5, 1.0, 1.5, 2.0, 2.5]}
    count = 5 * sizes
    rows = [("bare loop, numbers", best(lambda: timed(lambda: loop(moments, grid))) / count)]
    rows.append(("bare loop, Datasets", best(lambda: timed(lambda: loop(walk, grid))) / count))
    for label, function in (("numbers", moments), ("Datasets", walk)):
        fresh, resumed = sweep_times(function, grid)
        rows += [
            (f"sweep, {label}, every cell on disk", fresh / count),
            (f"the same line again, {label}", resumed / count),
        ]
    with flushing_switched_off():
        fresh, _ = sweep_times(moments, grid)
    rows.append(("sweep, numbers, without flushing (not offered: a power cut could lose cells)", fresh / count))
    return rows


@contextlib.contextmanager
def flushing_switched_off() -> Iterator[None]:
    """Make fsync do nothing, to see what durability costs."""
    flush, os.fsync = os.fsync, lambda handle: None
    try:
        yield
    finally:
        os.fsync = flush


def loop(function: Callable[..., object], grid: dict[str, list]) -> None:
    """Call the function for every point of the grid and drop what it returns."""
    for n in grid["n"]:
        for scale in grid["scale"]:
            function(n, scale)


def timed(action: Callable[[], object]) -> float:
    """Return the seconds that ``action`` takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def sweep_times(function: Callable[..., object], grid: dict[str, list]) -> tuple[float, float]:
    """Return the least seconds for a fresh sweep and for repeating it."""
    fresh, resumed = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            for times in (fresh, resumed):
                times.append(timed(lambda: sweeps.sweep(function, grid, store=Path(folder) / "store", seed=0)))
    return min(fresh), min(resumed)


def against_xyzpy(sizes: int) -> list[tuple[str, float]]:
    """Return xyzpy's seconds per cell, in memory and with a file a cell, or nothing where it is not installed."""
    python = os.environ.get("WORKBENCH_XYZPY_PYTHON")
    if not python:
        print("xyzpy: left out (set WORKBENCH_XYZPY_PYTHON to a Python that has it)", file=sys.stderr)
        return []
    runs = []
    for _ in range(ROUNDS):
        done = subprocess.run([python, "-c", XYZPY, str(sizes)], capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"xyzpy: left out ({done.stderr.strip().splitlines()[-1:]})", file=sys.stderr)
            return []
        runs.append(json.loads(done.stdout))
    return [
        ("xyzpy Runner, numbers, in memory", min(run["memory"] for run in runs)),
        ("xyzpy Crop, numbers, every cell on disk", min(run["disk"] for run in runs)),
    ]


def scaling(cells: int, seconds: float) -> list[tuple[str, float]]:
    """Return wall seconds for cells of equal CPU time: in this process, and on one and two workers already started."""
    least = dict.fromkeys(("this process", "1 worker process", "2 worker processes"), float("inf"))
    with sweeps.processes(1) as one, sweeps.processes(2) as two:
        for executor, workers in ((one, 1), (two, 2)):
            run_busy(executor, 4 * workers, 0.05)
        for _ in range(ROUNDS):  # interleaved, so that a slow minute of the machine hits all of them
            for (label, known), executor in zip(least.items(), (None, one, two), strict=True):
                least[label] = min(known, run_busy(executor, cells, seconds))
    return list(least.items())


def run_busy(executor: Executor | None, cells: int, seconds: float) -> float:
    """Return the wall seconds of one sweep over busy cells."""
    grid = {"index": list(range(cells)), "seconds": seconds}
    with tempfile.TemporaryDirectory() as folder:
        return timed(lambda: sweeps.sweep(busy, grid, executor=executor, store=Path(folder) / "s", seed=None))


def main() -> None:
    """Measure and print; with --write also keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smaller grids")
    parser.add_argument("--write", action="store_true", help="store the table in benchmarks/results/sweeps.md")
    options = parser.parse_args()
    sweep_times(moments, {"n": [1], "scale": [1.0]})  # imports that happen once
    text = report(40 if options.quick else 100, 8 if options.quick else 20)
    print(text)
    if options.write:
        target = HERE / "results" / "sweeps.md"
        target.parent.mkdir(exist_ok=True)
        target.write_text(text + "\n")


def report(sizes: int, cells: int) -> str:
    """Return both tables as Markdown."""
    per_cell = overhead(sizes) + against_xyzpy(sizes)
    disk = dict(per_cell)["sweep, numbers, every cell on disk"]
    lines = ["# Sweeps", "", machine(), "", f"## Time per cell, {5 * sizes} cells of a few microseconds", ""]
    lines += ["| way | ms per cell | ÷ our sweep on disk |", "|---|---|---|"]
    lines += [f"| {label} | {1e3 * seconds:.3f} | {seconds / disk:.2f} |" for label, seconds in per_cell]
    spent = scaling(cells, 0.25)
    lines += ["", f"## {cells} cells of 0.25 s CPU time each ({0.25 * cells:g} s in all), workers already started", ""]
    lines += ["| where | wall s | speed-up over this process |", "|---|---|---|"]
    lines += [f"| {label} | {seconds:.2f} | {spent[0][1] / seconds:.2f} |" for label, seconds in spent]
    lines += [
        "",
        "Ours flushes every cell and its folder (fsync, as slow as the disk); xyzpy's Crop writes and does not flush.",
    ]
    return "\n".join(lines)


def machine() -> str:
    """Return where and with what this was measured."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "xarray"))
    return (
        f"{os.cpu_count()} cores ({platform.machine()}, shared with other work), Python {platform.python_version()}, "
        f"{versions}, {date.today().isoformat()}, load average {os.getloadavg()[1]:.1f}. "
        f"Least of {ROUNDS} runs; trust the ratios."
    )


if __name__ == "__main__":
    main()
