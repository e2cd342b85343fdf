"""Text from a command line to the value that a parameter's annotation asks for: JSON and plain literals, no eval.

=====================  =========================================  ==================================
annotation             what to type                               what arrives
=====================  =========================================  ==================================
``int``                ``64``                                     ``64``
``float``              ``0.44``, ``1e-3``                         ``0.44``
``bool``               ``true``, ``false``, ``yes``, ``no``       ``True``
``str``, ``Literal``   ``pfaffian``                               ``"pfaffian"``
``… | None``           ``none``                                   ``None``
sequences, arrays      ``[6, 7, 8]``, ``@cloud.npy``, ``@x.csv``  a list, a tuple, or an array
arrays                 ``torus``, ``text:Hello``                  the name, for the experiment to look up
mappings               ``{"a": 1}``, ``@options.json``            a dict
=====================  =========================================  ==================================

A word where an array is asked for is handed on: experiments on clouds take names of clouds, in the library as here,
and the others refuse a text in their own words.
"""

import collections.abc
import inspect
import json
import os
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

NOTHING = object()
WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
LARGEST_FILE = 2 * 2**30


def annotations(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the resolved annotation of every parameter; ``Any`` where there is none that can be resolved."""
    plain = inspect.unwrap(function)
    try:
        hints = typing.get_type_hints(plain)
    except (NameError, TypeError):
        hints = {}
    return {name: hints.get(name, Any) for name in inspect.signature(function).parameters}


def parse(name: str, text: str, annotation: Any) -> Any:
    """Return the value of ``text``; raises ``ValueError`` saying what the parameter takes.

    >>> parse("--sizes", "[3, 4, 5]", list[int]), parse("--L", "8", int)
    ([3, 4, 5], 8)
    """
    value = _file(name, text[1:]) if text.startswith("@") and not _is_text_only(annotation) else _literal(text)
    for candidate in alternatives(annotation):
        found = _fit(value, text, candidate)
        if found is not NOTHING:
            return found
    raise ValueError(f"{name} takes {describe(annotation)}, got {text!r}")


def describe(annotation: Any) -> str:
    """Return what a parameter takes, in words for a help text; empty if a command line cannot say any of it.

    >>> describe(int), describe(list[float])
    ('a whole number', 'a list as JSON or @file.csv')
    """
    words = [_word(candidate) for candidate in alternatives(annotation)]
    told = [word for word in dict.fromkeys(words) if word]
    return "" if told == ["none"] else " or ".join(told)


def alternatives(annotation: Any) -> list[Any]:
    """Return the members of a union (text last, since any text fits it), or the annotation itself.

    NumPy's ``ArrayLike`` is one alternative, not the dozen that its definition lists.
    """
    if isinstance(annotation, typing.TypeVar):
        annotation = annotation.__bound__ or Any
    if isinstance(annotation, typing.TypeAliasType) if hasattr(typing, "TypeAliasType") else False:
        annotation = annotation.__value__
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return [annotation]
    members = [part for member in typing.get_args(annotation) for part in alternatives(member)]
    if any("_SupportsArray" in str(member) or "_NestedSequence" in str(member) for member in members):
        has_none = type(None) in members
        return [np.ndarray, *([type(None)] if has_none else [])]
    return sorted(members, key=_is_text_only)


def _is_text_only(annotation: Any) -> bool:
    return annotation in (str, Any, inspect.Parameter.empty)


def _literal(text: str) -> Any:
    """Return text as JSON, as a number or word that JSON would spell otherwise, or as it is."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    if text.lower() in ("none", "null"):
        return None
    try:
        return float(text)
    except ValueError:
        return text


def _file(name: str, path: str) -> Any:
    """Read the value of a parameter from a ``.npy``, ``.csv`` or ``.json`` file."""
    file = Path(path)
    if not file.is_file():
        raise ValueError(f"{name}: there is no file {path!r}")
    if file.stat().st_size > LARGEST_FILE:
        raise ValueError(f"{name}: {path!r} is larger than {LARGEST_FILE:,} bytes")
    try:
        if file.suffix == ".npy":
            return np.load(file, allow_pickle=False)
        if file.suffix == ".csv":
            return np.loadtxt(file, delimiter=",", ndmin=1)
        if file.suffix == ".json":
            return json.loads(file.read_text())
    except (ValueError, OSError) as error:
        raise ValueError(f"{name}: cannot read {path!r}: {error}") from error
    raise ValueError(f"{name}: {path!r} must end in .npy, .csv or .json")


def _fit(value: Any, text: str, annotation: Any) -> Any:
    """Return ``value`` as the annotation wants it, or NOTHING if it does not fit."""
    if annotation in (Any, inspect.Parameter.empty):
        return value
    if annotation is str:
        return value if isinstance(value, str) else text
    if annotation in (type(None), None):
        return None if value is None else NOTHING
    if annotation is bool:
        return value if isinstance(value, bool) else NOTHING
    if annotation in (int, float):
        return _fit_number(value, annotation)
    origin = typing.get_origin(annotation) or annotation
    if origin is Literal:
        return next((choice for choice in typing.get_args(annotation) if value == choice or text == choice), NOTHING)
    if _is_path(origin):
        return Path(text)
    if origin is np.ndarray and isinstance(value, str) and _is_name(text):
        return text
    return _fit_container(value, annotation, origin)


def _fit_number(value: Any, kind: type) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return NOTHING
    if kind is int:
        return int(value) if isinstance(value, int) or float(value).is_integer() else NOTHING
    return float(value)


def _fit_container(value: Any, annotation: Any, origin: Any) -> Any:
    if origin is np.ndarray:
        return np.asarray(value) if _is_numbers(value) else NOTHING
    if not inspect.isclass(origin):
        return NOTHING
    if issubclass(origin, Mapping):
        return value if isinstance(value, dict) else NOTHING
    if issubclass(origin, (list, tuple, collections.abc.Iterable)) and isinstance(value, (list, np.ndarray)):
        entries = typing.get_args(annotation)
        kind = entries[0] if entries else Any
        made = [_fit_entry(entry, kind) for entry in (value.tolist() if isinstance(value, np.ndarray) else value)]
        return NOTHING if any(entry is NOTHING for entry in made) else (tuple(made) if origin is tuple else made)
    return NOTHING


def _fit_entry(value: Any, annotation: Any) -> Any:
    found = (_fit(value, str(value), candidate) for candidate in alternatives(annotation))
    return next((entry for entry in found if entry is not NOTHING), NOTHING)


def _is_name(text: str) -> bool:
    """Whether a text can be the name of something, not JSON or a file gone wrong."""
    return bool(text.strip()) and text[0].isalpha() and text.isprintable()


def _is_numbers(value: Any) -> bool:
    try:
        return np.asarray(value).dtype.kind in "biuf"
    except ValueError:
        return False


def _is_path(origin: Any) -> bool:
    return inspect.isclass(origin) and issubclass(origin, os.PathLike)


def _word(annotation: Any) -> str:
    simple = {int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "none"}
    if annotation in simple:
        return simple[annotation]
    if annotation in (Any, inspect.Parameter.empty):
        return "a number, text or JSON"
    origin = typing.get_origin(annotation) or annotation
    if origin is Literal:
        return "one of " + ", ".join(map(str, typing.get_args(annotation)))
    if _is_path(origin):
        return "a file name"
    if inspect.isclass(origin):
        if origin is np.ndarray:
            return "numbers as JSON, @file.npy or a name that the experiment knows"
        if issubclass(origin, Mapping):
            return "JSON in braces or @file.json"
        if issubclass(origin, (list, tuple)) or origin in _SEQUENCES:
            return "a list as JSON or @file.csv"
    return ""


_SEQUENCES = {collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection}
