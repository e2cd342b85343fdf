"""Where a result came from: function, parameters as JSON, seed, version and time, and the lines to repeat it."""

import abc
import dataclasses
import functools
import hashlib
import importlib
import inspect
import json
import keyword
import math
import os
import sys
import time
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec

import numpy as np
import xarray as xr

import workbench
from workbench.results.attributes import DEEPEST, plain_attributes, read_json
from workbench.results.conventions import validate
from workbench.rooms import ROOMS

Parameters = ParamSpec("Parameters")
LARGEST_LISTED_ARRAY = 256
LONGEST_PARAMETER = 2**20
LARGEST_INTEGER = 4096  # bits; Python prints and reads no integer much longer
MOST_IN_A_COMMENT = 120
NOT_PARAMETERS = ("progress",)


class Described(abc.ABC):
    """Base of a class whose objects say in ``describe()`` what a result should record of them.

    Only a ``describe`` that a class of the workbench declares is ever called, this one included: pandas and others
    have methods of that name which mean something else.
    """

    @abc.abstractmethod
    def describe(self) -> Any:
        """Return numbers, strings, lists, mappings or arrays that tell this object from every other."""


def describe(value: Any) -> Any:
    """Return ``value`` as something JSON can hold.

    Numbers, strings and containers stay what they are; arrays (of any library that has ``__array__``) of up to 256
    entries become lists, larger ones a digest (shape, dtype and SHA-256 of the bytes), so that two different inputs
    never look alike. Dataclasses become their fields; a subclass of :class:`Described` describes itself; anything
    else is named by its type.

    >>> describe({"L": (4, 6), "method": "pfaffian", "rng": len})
    {'L': [4, 6], 'method': 'pfaffian', 'rng': '<len>'}
    """
    return _describe(value, 0)


def _describe(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if value.bit_length() <= LARGEST_INTEGER else hex(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, np.longdouble):  # Python has no number as fine; its own item() is itself
        return str(value)
    if isinstance(value, np.generic) and value.dtype.kind in "biufUS":
        return _describe(value.item(), depth)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _describe_array(np.frombuffer(value, np.uint8), depth)
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if depth >= DEEPEST // 2:
        return _named(value)
    if isinstance(value, Mapping):
        return {str(key): _describe(entry, depth + 1) for key, entry in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [_describe(entry, depth + 1) for entry in value]
    if isinstance(value, (set, frozenset)):
        return sorted((_describe(entry, depth + 1) for entry in value), key=_sortable)
    if isinstance(value, type):
        return _named(value)
    return _describe_object(value, depth)


def _describe_object(value: Any, depth: int) -> Any:
    if _describes_itself(type(value)):
        return _describe(value.describe(), depth + 1)
    if (array := _as_array(value)) is not None:
        return _describe_array(array, depth)
    if dataclasses.is_dataclass(value):
        fields = {f.name: _describe(getattr(value, f.name), depth + 1) for f in dataclasses.fields(value)}
        return {"type": type(value).__name__, **fields}
    return _named(value)


def _describes_itself(kind: type) -> bool:
    declared = (base for base in kind.__mro__ if "describe" in vars(base))
    return any(base.__module__.partition(".")[0] == "workbench" for base in declared)


def _sortable(entry: Any) -> tuple[str, Any]:
    """A key that sorts numbers among themselves and lets anything stand beside anything."""
    return ("", entry) if isinstance(entry, (int, float)) else (type(entry).__name__, repr(entry))


def _named(value: Any) -> str:
    return f"<{getattr(value, '__qualname__', type(value).__qualname__)}>"


def _as_array(value: Any) -> np.ndarray | None:
    """Return an array of any library as NumPy's, a masked one with its mask; None if it is no array."""
    if callable(getattr(value, "detach", None)):  # a tensor that requires a gradient, or lies on another device
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value
    if isinstance(value, np.ma.MaskedArray):
        return value
    if "scipy.sparse" in sys.modules and sys.modules["scipy.sparse"].issparse(value):
        found = value.tocsr(copy=True) if value.ndim == 2 else value.tocoo(copy=True)
        found.sum_duplicates()
        return np.array([*map(_describe_array, _sparse_parts(found)), list(value.shape)], dtype=object)
    if not hasattr(value, "__array__"):
        return None
    try:
        return np.asarray(value)
    except Exception:  # every library raises what it likes; the function itself will say what is wrong
        return None


def _sparse_parts(value: Any) -> tuple[np.ndarray, ...]:
    return (value.indptr, value.indices, value.data) if hasattr(value, "indptr") else (*value.coords, value.data)


def _describe_array(array: np.ndarray, depth: int = 0) -> Any:
    if isinstance(array, np.ma.MaskedArray):
        parts = {"values": np.asarray(array.filled(0)), "mask": np.ma.getmaskarray(array)}
        return {"type": "MaskedArray", **{name: _describe_array(part, depth + 1) for name, part in parts.items()}}
    if array.dtype.kind == "T" or (array.dtype.kind in "mM" and array.size <= LARGEST_LISTED_ARRAY):
        array = array.astype(str)
    if array.dtype.kind == "O":  # its bytes are addresses, so its entries speak for it
        listed = _describe(array.tolist(), depth + 1)
        if array.size <= LARGEST_LISTED_ARRAY:
            return listed
        data = json.dumps(listed).encode()
    elif array.size <= LARGEST_LISTED_ARRAY and array.dtype.kind in "biufU":
        return _describe(array.tolist(), depth)
    else:
        data = np.ascontiguousarray(array).tobytes()
    return {"shape": list(array.shape), "dtype": str(array.dtype), "sha256": hashlib.sha256(data).hexdigest()}


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
    return ds.assign_attrs(**plain_attributes(ds.attrs)).assign_attrs(
        function=function,
        parameters=parameters_json(described),
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


def parameters_json(described: Mapping[str, Any]) -> str:
    """Return described parameters as the text that a result carries; a list too long for that becomes a digest."""
    texts = {name: json.dumps(value) for name, value in described.items()}
    for name, text in texts.items():
        if len(text) > LONGEST_PARAMETER:
            kind, digest = type(described[name]).__name__, hashlib.sha256(text.encode()).hexdigest()
            texts[name] = json.dumps({"type": kind, "length": len(described[name]), "sha256": digest})
    return "{" + ", ".join(f"{json.dumps(name)}: {text}" for name, text in texts.items()) + "}"


def is_experiment(value: Any) -> bool:
    """Return whether ``value`` is a function made by :func:`experiment`."""
    return bool(getattr(value, "is_workbench_experiment", False))


def public_path(function: Callable[..., Any]) -> tuple[str, str]:
    """Return the package or module that offers a function, and its name there: what an import would say.

    That is the shortest package above the function's file which has it under its own name, so a room's function is
    named by the room, ``("workbench.flows", "gradient_flow")``, wherever in the room its file is. Everything that
    names a function for people or files goes through here.
    """
    parts, name = function.__module__.split("."), function.__qualname__
    own = inspect.unwrap(function)
    for length in range(1, len(parts)):
        package = sys.modules.get(".".join(parts[:length]))
        offered = vars(package).get(name) if package else None
        if callable(offered) and inspect.unwrap(offered) is own:
            return ".".join(parts[:length]), name
    return function.__module__, name


def public_name(function: Callable[..., Any]) -> str:
    """Return the dotted name of a function as :func:`public_path` finds it."""
    return ".".join(public_path(function))


def python_lines(ds: xr.Dataset) -> str:
    """Return the lines of Python that make ``ds`` again; an array too large to print is left as a named blank.

    A result may come from a stranger, and the lines may be run: so every name in them is checked to be a Python
    identifier, every value is a literal of its JSON, everything else is written as a comment of one line, and so is
    the call of a function that no room has.
    """
    function = ds.attrs["function"]
    parameters = read_json(ds.attrs["parameters"])
    *package, name = function.split(".")
    if not package or not all(_is_identifier(part) for part in (*package, name)):
        return f"# made by {_one_line(function)}, which Python cannot import by that name"
    blanks: list[str] = []
    arguments = []
    for key, value in parameters.items():
        told = _blank(value)
        if told:
            blanks.append(f"# {_one_line(key)}: your {told}")
        named = _is_identifier(key)
        written = (key if named else "...") if told else _literal(value)
        arguments.append(f"{key}={written}" if named else f"**{{{key!a}: {written}}}")
    call = f"result = {package[-1]}.{name}({', '.join(arguments)})"
    source = f"from {'.'.join(package[:-1])} " if package[1:] else ""
    lines = [f"{source}import {package[-1]}", *blanks, call]
    if not _is_ours(package, name):
        told = f"# {_one_line(function)} is no experiment of the workbench: see what it is, then take the marks away"
        lines = [told, *(line if line.startswith("#") else f"# {line}" for line in lines)]
    return "\n".join(lines)


def _is_ours(package: list[str], name: str) -> bool:
    """Whether the name is an experiment of a room: ``os.system`` is a good name too, ``workbench.cli.main`` as well."""
    if len(package) != 2 or package[0] != "workbench":
        return False
    if (package[1], name) == ("sweeps", "sweep"):
        return True
    return package[1] in ROOMS and is_experiment(getattr(importlib.import_module(".".join(package)), name, None))


def _is_identifier(word: str) -> bool:
    """Whether a word can stand as a name; of letters in one spelling only, since Python would normalise others."""
    normal = unicodedata.normalize("NFKC", word) == word
    return normal and word.isidentifier() and not keyword.iskeyword(word)


def _blank(value: Any) -> str:
    """Return what a value that cannot be written down is, in words, or ``""`` for one that can."""
    if isinstance(value, dict) and isinstance(value.get("sha256"), str):
        digest = f"SHA-256 {_one_line(value['sha256'][:12])}…"
        shape = value.get("shape")
        if isinstance(shape, list) and all(isinstance(n, int) for n in shape):
            return f"array of shape {tuple(shape)}, {digest}"
        kind = f"file {value['file']}" if "file" in value else f"{value.get('type')} of length {value.get('length')}"
        return f"{_one_line(kind)}, {digest}"
    if isinstance(value, str) and value.startswith("<") and value.endswith(">"):
        return _one_line(value[1:-1])
    return ""


def _one_line(text: str) -> str:
    """Return text that stays within a comment: printable, no line ends, not long."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[:MOST_IN_A_COMMENT])
    return shown + "…" * (len(text) > MOST_IN_A_COMMENT)


def _literal(value: Any) -> str:
    """Return a value read from JSON as a Python literal."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(key)}: {_literal(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return f"float({str(value)!r})"
    return repr(value)
