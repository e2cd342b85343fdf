"""Small experiments that worker processes can import: quick, seeded, and some that misbehave on purpose."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr

from workbench import results
from workbench.progress import Progress


@results.experiment
def walk(steps: int, scale: float = 1.0, kind: str = "normal", seed: int = 0) -> xr.Dataset:
    """A random walk whose length depends on a parameter."""
    rng = np.random.default_rng(seed)
    path = scale * np.cumsum(getattr(rng, kind)(size=steps))
    return results.dataset(
        {
            "end": ((), path[-1], "end of the walk", "m"),
            "path": (("time",), path, "position", "m"),
            "turns": ((), int(np.sum(np.diff(np.sign(path)) != 0)), "sign changes"),
            "steps": ((), steps, "number of steps"),
        },
        {"time": (("time",), np.arange(steps, dtype=float), "time", "s")},
        {"model": "walk", "own": scale},
    )


@results.experiment
def product(size: int, seed: int = 0) -> xr.Dataset:
    """Work for BLAS, whose rounding depends on its number of threads."""
    matrix = np.random.default_rng(seed).normal(size=(size, size))
    return results.dataset({"trace": ((), np.trace(matrix @ matrix @ matrix.T), "trace"), "size": ((), size, "size")})


def cube(x: float) -> float:
    """A number, no seed."""
    return x**3


def moments(n: int, seed: int) -> dict[str, float]:
    """A flat mapping of numbers."""
    sample = np.random.default_rng(seed).normal(size=n)
    return {"mean": sample.mean(), "variance": sample.var(), "n": n}


class Pair(NamedTuple):
    value: float
    standard_error: float


def named_pair(x: float) -> Pair:
    """A named tuple of numbers."""
    return Pair(x, x / 10)


@dataclass
class Point:
    x: float
    inside: bool


def point(x: float) -> Point:
    """A dataclass of numbers."""
    return Point(x, x < 1)


def text(x: float) -> object:
    """Nothing a sweep can hold."""
    return [x]


def fussy(x: float, seed: int = 0) -> float:
    """Fails for negative x."""
    if x < 0:
        raise ArithmeticError(f"no root of {x}")
    return x**0.5


def mended(x: float, folder: str) -> float:
    """Fails until a file appears."""
    if not (Path(folder) / "mended").exists():
        raise RuntimeError("not yet")
    return x


def counted(x: int, folder: str) -> int:
    """Leaves a trace of every call."""
    (Path(folder) / f"{x}-{time.time_ns()}").touch()
    return x


def deadly(x: int) -> int:
    """Kills the process that computes x = 3, as the kernel does when memory runs out."""
    if x == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return x


def slow(x: int, seconds: float = 0.2, folder: str = "") -> float:
    """Sleeps, leaving a file named by the process."""
    if folder:
        (Path(folder) / f"{os.getpid()}-{x}").touch()
    time.sleep(seconds)
    return np.sin(x)


def patient(x: int, progress: Progress | None = None) -> int:
    """Reports progress forever: ends only by being cancelled."""
    for k in range(10**9):
        (progress or Progress()).update(k, 10**9)
        time.sleep(0.005)
    return x


@results.experiment
def clashing(repeat: int, time: float, seed: int = 0) -> xr.Dataset:
    """Uses the names of its parameters for other things."""
    return results.dataset(
        {"path": (("time",), np.arange(3) * time + repeat, "path")},
        {"time": (("time",), np.arange(3), "time", "s")},
    )


@results.experiment
def field(size: int, depth: int, seed: int = 0) -> xr.Dataset:
    """A block of numbers with a label, for results written region by region."""
    values = np.random.default_rng(seed).normal(size=(depth, size))
    return results.dataset(
        {"field": (("layer", "site"), values, "field"), "name": ((), f"{size}x{depth}", "name")},
        {"layer": (("layer",), np.arange(depth), "layer"), "site": (("site",), np.arange(size), "site")},
    )


@results.experiment
def slow_walk(steps: int, seed: int = 0) -> xr.Dataset:
    """A walk that takes its time."""
    time.sleep(0.1)
    return walk(steps, seed=seed)


@results.experiment
def tangled(size: int) -> xr.Dataset:
    """A dimension whose labels repeat and differ from cell to cell, beside a number."""
    return results.dataset(
        {"total": ((), float(size), "total"), "parts": (("part",), np.ones(size), "parts")},
        {"part": (("part",), np.zeros(size, dtype=int), "part")},
    )


@results.experiment
def one_at_a_time(x: int, folder: str, seconds: float = 0.1, seed: int = 0) -> xr.Dataset:
    """Leaves a trace of every call, and takes its time."""
    (Path(folder) / f"{x}-{os.getpid()}-{time.time_ns()}").touch()
    time.sleep(seconds)
    if x < 0:
        raise ArithmeticError("negative")
    return results.dataset({"value": ((), float(x + seed), "value")})
