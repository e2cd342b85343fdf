"""Long experiments in a process of their own: a server's other visitors do not share an interpreter with a training.

A thread that trains holds Python's lock between its matrix products, a little at a time, thousands of times a second,
and every other visitor's slider waits for it. :func:`compute` runs an experiment elsewhere, lets the rest of the
machine go first, and brings back the same Dataset, with its progress and what there is of it on the way. Who cancels
ends the process, in the middle of whatever it does.
"""

import inspect
import math
import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from workbench import results
from workbench.isolated.calls import Pool, importable_name, run
from workbench.isolated.limits import Limits
from workbench.isolated.worker import named_function
from workbench.progress import Progress

MOST_WORKERS = max(1, min(4, os.cpu_count() or 1))
NICE = 10
LONGEST = Limits(seconds=24 * 3600, memory=2**34)
WORKERS = Pool(MOST_WORKERS, NICE)


def compute(
    experiment: Callable[..., xr.Dataset],
    arguments: Mapping[str, Any],
    *,
    progress: Progress | None = None,
    limits: Limits = LONGEST,
) -> xr.Dataset:
    """Return ``experiment(**arguments)``, computed in a process of its own that yields to the others of the machine.

    The experiment must be one of an installed package, and its arguments plain data (numbers, text, arrays, lists and
    mappings of them); ``TypeError`` otherwise, before anything starts. ``progress`` is handed every report and every
    unfinished result; once it is cancelled the process is ended. Errors as those of the experiment, and as
    :func:`workbench.isolated.call` for work that exceeds its ``limits`` (a day, 16 GiB). Waits for its turn while as
    many are running as the machine has cores. Cost beside the work: 3 s where no process is warm, else milliseconds.

    >>> from workbench.fields import irreducible_loss
    >>> apart = compute(irreducible_loss, {"source": "gaussian", "target": "two-blobs"})
    >>> bool(apart.loss == irreducible_loss("gaussian", "two-blobs").loss)
    True
    """
    name = importable_name(experiment)
    if not results.is_experiment(experiment):
        raise TypeError(f"{name} is no experiment; another function runs apart by isolated.call")
    heard = _Heard(progress or Progress())
    heard.update(0, 1, "starting in a process of its own")
    named = {"name": name, "arguments": dict(arguments)}
    answer = run(WORKERS, made, [], named, limits, heard, reports=True, patience=math.inf)
    return from_plain(answer, finished=True)


class _Heard(Progress):
    """Hands on what comes from the process apart, its results as Datasets again."""

    def __init__(self, whole: Progress) -> None:
        super().__init__()
        self._whole = whole

    def update(self, done: float, total: float, message: str = "") -> None:
        """Hand on a report."""
        self._whole.update(done, total, message)

    def publish(self, result: Any) -> None:
        """Hand on what there is of the result."""
        self._whole.publish(from_plain(result))

    @property
    def cancelled(self) -> bool:
        """Whether the work has been asked to stop."""
        return self._whole.cancelled


class _Parts(Progress):
    """In the process apart: turns unfinished results into plain data, where one is wanted."""

    def __init__(self, reported: Any) -> None:
        super().__init__()
        self._reported = reported

    def update(self, done: float, total: float, message: str = "") -> None:
        """Hand on a report."""
        self._reported.update(done, total, message)

    def publish(self, result: xr.Dataset) -> None:
        """Hand on a part of the result, if enough time has passed since the last."""
        if self._reported.wants_part():
            self._reported.publish(as_plain(result))


def made(name: str, arguments: dict[str, Any], progress: Any) -> dict[str, Any]:
    """Return an experiment's Dataset as plain data. Runs in the process apart."""
    experiment = named_function(name)
    if not results.is_experiment(experiment):
        raise TypeError(f"{name} is no experiment")
    if takes_progress(experiment):
        arguments["progress"] = _Parts(progress)
    return as_plain(experiment(**arguments))


def takes_progress(experiment: Callable[..., Any]) -> bool:
    """Tell whether an experiment reports how far it is."""
    return "progress" in inspect.signature(experiment).parameters


def as_plain(ds: xr.Dataset) -> dict[str, Any]:
    """Return a Dataset as plain data: its attributes, and dimensions, values and attributes of every variable."""
    variables = {
        str(name): {
            "dims": [str(dim) for dim in variable.dims],
            "values": np.asarray(variable.values, dtype=str) if variable.dtype.kind in "OT" else variable.values,
            "attrs": dict(variable.attrs),
            "is_coordinate": name in ds.coords,
        }
        for name, variable in ds.variables.items()
    }
    return {"variables": variables, "attrs": dict(ds.attrs)}


def from_plain(tree: Mapping[str, Any], *, finished: bool = False) -> xr.Dataset:
    """Return the Dataset that :func:`as_plain` took apart; checked as every result is, a finished one in full."""
    parts: tuple[dict[str, Any], dict[str, Any]] = {}, {}
    for name, one in tree["variables"].items():
        parts[bool(one["is_coordinate"])][name] = (one["dims"], np.array(one["values"]), one["attrs"])
    return results.validate(xr.Dataset(*parts, attrs=tree["attrs"]), provenance=finished)
