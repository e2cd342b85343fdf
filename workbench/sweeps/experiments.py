"""What can be swept: the experiments of the rooms, found by name, and functions of your own.

A function returns an ``xarray.Dataset`` (every experiment of a room does), a number, or a flat mapping, named tuple
or dataclass of numbers; the last three are made into a Dataset of scalars.
"""

import dataclasses
import difflib
import hashlib
import importlib
import inspect
import numbers
import sys
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

import numpy as np
import xarray as xr

from workbench import results
from workbench.checks import choice
from workbench.rooms import ROOMS

Function = Callable[..., Any]
MOVED = {
    "workbench.studies:random_games": "workbench.games.random_games",
    "workbench.studies:spike_survival": "workbench.steps.spike_survival",
}
"""Names of yesterday, in TOML files and stored results, and where their functions are today."""


def experiments(room: str) -> dict[str, Function]:
    """Return the experiments of a room by name: its public functions made by ``results.experiment``, sorted.

    >>> "ising_curvature" in experiments("fisher")
    True
    """
    return {name: function for name, function in public_functions(room).items() if results.is_experiment(function)}


def public_functions(room: str) -> dict[str, Function]:
    """Return the functions that a room lists in its ``__all__`` by name, sorted, wherever they were written."""
    module = importlib.import_module(f"workbench.{choice('room', room, ROOMS)}")
    found = {name: getattr(module, name) for name in sorted(module.__all__)}
    return {name: value for name, value in found.items() if inspect.isfunction(value)}


def current_name(name: str) -> str:
    """Return the name that a function bears today, given one from an older file or result."""
    return MOVED.get(name, name)


def find(name: str, *, allow_import: bool = False) -> Function:
    """Return the function called ``name``: ``"fisher.ising_curvature"``, or ``"your_package.module:function"``.

    A name may stand in somebody else's file, and importing a module runs it. So only modules of the workbench are
    imported, unless ``allow_import`` says that the name is trusted; and outside the rooms only functions decorated
    with ``results.experiment`` are taken. Raises ``ValueError`` saying which names exist.

    >>> name_of(find("fisher.ising_curvature"))
    'workbench.fisher.ising_curvature'
    """
    name = current_name(name)
    if ":" in name:
        return _find_outside(name, allow_import)
    room, dot, function = name.removeprefix("workbench.").partition(".")
    if not dot:
        raise ValueError(f"{name!r} is no experiment; write it as room.function, for example 'fisher.ising_curvature'")
    known = public_functions(choice("room", room, ROOMS))
    if function in known:
        return known[function]
    near = difflib.get_close_matches(function, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"the room {room!r} has no function {function!r}.{hint} "
        f"Its experiments: {', '.join(experiments(room)) or 'none'}"
    )


def _find_outside(name: str, allow_import: bool) -> Function:
    module_name, _, function_name = name.partition(":")
    parts = module_name.split(".")
    if not all(part.isidentifier() for part in [*parts, function_name]):
        raise ValueError(f"{name[:80]!r} is no name of a function; write it as package.module:function")
    ours = parts[0] == "workbench" and not any(part.startswith("_") for part in parts)
    if not ours and not allow_import:
        raise ValueError(
            f"{name!r} is not part of the workbench, and to import it would run it: if you trust whoever wrote this, "
            "say so with --allow-import (in Python: allow_import=True), or hand in the function itself"
        )
    try:
        function = getattr(importlib.import_module(module_name), function_name, None)
    except ImportError as error:
        raise ValueError(f"cannot import the module of {name!r}: {error}") from error
    if not results.is_experiment(function):
        raise ValueError(f"{name!r} is not a function decorated with workbench.results.experiment")
    return function


def name_of(function: Function) -> str:
    """Return the name a function is known by and :func:`find` finds it by, wherever in its room its file is."""
    parts = function.__module__.split(".")
    if parts[0] == "workbench" and len(parts) > 1 and parts[1] in ROOMS:
        return results.public_name(function)
    return f"{function.__module__}:{function.__qualname__}"


def source_digest(function: Function) -> str:
    """Return a digest of the source of a function outside the workbench, ``""`` inside.

    The version speaks for the code of the workbench. Nothing speaks for a function in somebody's notebook, so its
    text does: edit it, and its cells are computed afresh. What it calls is not looked at.
    """
    if function.__module__.split(".")[0] == "workbench":
        return ""
    plain = inspect.unwrap(function)
    try:
        text = inspect.getsource(plain).encode()
    except (OSError, TypeError):
        text = plain.__code__.co_code + repr(plain.__code__.co_consts).encode()
    return hashlib.sha256(text).hexdigest()


def checked(function: Function | str, *, allow_import: bool = False) -> Function:
    """Return the function to sweep; refuse what cannot be named, or holds values that no file name could tell."""
    if isinstance(function, str):
        return find(function, allow_import=allow_import)
    plain = inspect.unwrap(function) if callable(function) else function
    if not isinstance(plain, FunctionType):
        raise TypeError(
            f"sweep takes a function or its name, got {type(function).__name__}; write a small function around it"
        )
    if plain.__closure__:
        raise ValueError(
            f"{function.__qualname__!r} captures variables from around it ({', '.join(plain.__code__.co_freevars)}), "
            "which no cell file could tell apart; make them parameters and put them into the grid"
        )
    return function


def importable(function: Function) -> bool:
    """Return whether another Python process finds the function by its module and name."""
    module = sys.modules.get(function.__module__)
    if function.__module__ == "__main__" and not hasattr(module, "__file__"):
        return False
    found: Any = module
    for part in function.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is function


def as_dataset(value: Any) -> xr.Dataset:
    """Return what an experiment returned as a Dataset that follows the conventions (provenance aside).

    >>> as_dataset({"mean": 0.5, "count": 3})["count"].item()
    3
    """
    if isinstance(value, xr.Dataset):
        return results.validate(value.assign_attrs(results.plain_attributes(value.attrs)), provenance=False)
    if isinstance(value, Mapping):
        fields = dict(value)
    elif hasattr(value, "_asdict"):
        fields = value._asdict()
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    else:
        fields = {"value": value}
    return results.dataset({name: ((), _number(name, entry), name.replace("_", " ")) for name, entry in fields.items()})


def _number(name: str, value: Any) -> Any:
    plain = value.item() if isinstance(value, (np.generic, np.ndarray)) and np.ndim(value) == 0 else value
    if isinstance(plain, (str, numbers.Real)):
        return plain
    raise TypeError(
        f"the function returned {name} = {type(value).__name__}; a swept function returns a Dataset, a number, or a "
        "flat mapping of numbers"
    )
