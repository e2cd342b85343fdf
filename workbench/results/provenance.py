"""Where a result came from: function, parameters as JSON, seed, version and time, and the lines to repeat it."""

import dataclasses
import functools
import hashlib
import inspect
import json
import math
import os
import time
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec

import numpy as np
import xarray as xr

import workbench
from workbench.results.conventions import validate

Parameters = ParamSpec("Parameters")
LARGEST_LISTED_ARRAY = 256
NOT_PARAMETERS = ("progress",)


def describe(value: Any) -> Any:
    """Return ``value`` as something JSON can hold.

    Numbers, strings and containers stay what they are; arrays of up to 256 entries become lists, larger ones a
    digest (shape, dtype and SHA-256 of the bytes), so that two different inputs never look alike. Dataclasses
    become their fields; anything else is named by its type, or describes itself through a ``describe()`` method.
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, np.generic):
        return describe(value.item())
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {str(key): describe(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, range, set, frozenset)):
        entries = sorted(value) if isinstance(value, (set, frozenset)) else value
        return [describe(entry) for entry in entries]
    if callable(getattr(value, "describe", None)) and not isinstance(value, type):
        return describe(value.describe())
    if hasattr(value, "__array__") and not isinstance(value, type):
        return _describe_array(np.asarray(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: describe(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"type": type(value).__name__, **fields}
    return f"<{getattr(value, '__qualname__', type(value).__qualname__)}>"


def _describe_array(array: np.ndarray) -> Any:
    if array.size <= LARGEST_LISTED_ARRAY and array.dtype.kind in "biufU":
        return describe(array.tolist())
    digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    return {"shape": list(array.shape), "dtype": str(array.dtype), "sha256": digest}


def experiment(function: Callable[Parameters, xr.Dataset]) -> Callable[Parameters, xr.Dataset]:
    """Decorate a function that returns a Dataset: attach provenance, then check the conventions.

    The parameters are described *before* the call, so a generator passed as seed is named, not its later state.
    ``progress`` is not a parameter of the result. Attributes that the function itself sets are kept.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> xr.Dataset:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        described = {name: describe(value) for name, value in bound.arguments.items() if name not in NOT_PARAMETERS}
        started = time.perf_counter()
        ds = function(*args, **kwargs)
        seconds = time.perf_counter() - started
        return validate(stamp(ds, public_name(function), described, seconds=round(seconds, 6)))

    run.is_workbench_experiment = True  # type: ignore[attr-defined]
    return run


def stamp(
    ds: xr.Dataset, function: str, parameters: Mapping[str, Any] | None = None, *, seconds: float = 0.0
) -> xr.Dataset:
    """Return ``ds`` with the attributes that say where it came from; its other attributes stay.

    :func:`experiment` does this for finished results. Call it for what is handed out in another way: the unfinished
    state of a long run, or a log that grew beside somebody's training.
    """
    described = describe(dict(parameters or {}))
    seed = described.get("seed")
    return ds.assign_attrs(
        function=function,
        parameters=json.dumps(described),
        seed=seed if isinstance(seed, (int, str)) else "none",
        version=workbench.__version__,
        seconds=seconds,
    )


def unfinished(ds: xr.Dataset, missing: str) -> xr.Dataset:
    """Return ``ds`` marked as the first part of a result, for ``progress.publish``.

    ``missing`` says in words what is still to come ("the exact distance"); in ``ds`` it is absent or NaN.

    >>> from workbench import results
    >>> part = results.unfinished(xr.Dataset({"sw2": ((), float("nan"))}), "the error bars")
    >>> results.missing(part)
    'the error bars'
    """
    return ds.assign_attrs(unfinished=missing)


def missing(ds: xr.Dataset) -> str:
    """Return what is still to come of a result, in words; an empty string for a whole one."""
    return str(ds.attrs.get("unfinished", ""))


def is_experiment(value: Any) -> bool:
    """Return whether ``value`` is a function made by :func:`experiment`."""
    return bool(getattr(value, "is_workbench_experiment", False))


def public_name(function: Callable[..., Any]) -> str:
    """Name a room's function by the room, ``workbench.flows.gradient_flow``, wherever its file is."""
    parts = function.__module__.split(".")
    return ".".join([*parts[:2], function.__qualname__])


def python_lines(ds: xr.Dataset) -> str:
    """Return the lines of Python that make ``ds`` again; an array too large to print is left as a named blank."""
    *package, name = ds.attrs["function"].split(".")
    parameters = json.loads(ds.attrs["parameters"])
    blanks: list[str] = []
    arguments = []
    for key, value in parameters.items():
        if isinstance(value, dict) and "sha256" in value:
            blanks.append(f"# {key}: your array of shape {tuple(value['shape'])}, SHA-256 {value['sha256'][:12]}…")
            arguments.append(f"{key}={key}")
        elif isinstance(value, str) and value.startswith("<"):
            blanks.append(f"# {key}: your {value[1:-1]}")
            arguments.append(f"{key}={key}")
        else:
            arguments.append(f"{key}={value!r}")
    call = f"result = {package[-1]}.{name}({', '.join(arguments)})"
    source = f"from {'.'.join(package[:-1])} " if package[1:] else ""
    return "\n".join([f"{source}import {package[-1]}", *blanks, call])
