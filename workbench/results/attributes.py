"""Attributes of a result: what may be one, how it is written into a file, and JSON that is not trusted.

NetCDF attributes are numbers, arrays of numbers and text. Everything else (None, booleans, lists, mappings, integers
of more than 64 bits, text that HDF5 cannot hold) travels as JSON after the mark ``json:``, and so does a text that
itself begins with the mark.
"""

import dataclasses
import datetime
import decimal
import enum
import fractions
import json
import numbers
import os
import re
import uuid
from collections.abc import Mapping
from typing import Any

import numpy as np

JSON_MARK = "json:"
MOST_ATTRIBUTES = 200
MOST_NAME = 256
MOST_TEXT = 16 * 2**20
MOST_NUMBERS = 2**17
DEEPEST = 64
# What NetCDF, HDF5 and the CF conventions keep for themselves: as an attribute of one's own it would be lost or misread
RESERVED = frozenset(
    [
        *("CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "DIMENSION_LABELS"),
        *("_NCProperties", "_Netcdf4Dimid", "_Netcdf4Coordinates", "_nc3_strict"),
        *(
            "_FillValue",
            "missing_value",
            "scale_factor",
            "add_offset",
            "dtype",
            "coordinates",
            "_Unsigned",
            "_Encoding",
        ),
    ]
)


def plain_attributes(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    """Return attributes as they will be read back from a file; ``TypeError`` names the one that no file can hold.

    >>> import pathlib
    >>> plain_attributes({"file": pathlib.Path("cloud.csv"), "size": (3, 4), "large": 2**70})
    {'file': 'cloud.csv', 'size': [3, 4], 'large': 1180591620717411303424}
    """
    made = {}
    for name, value in attrs.items():
        try:
            made[name] = _plain(value)
        except (TypeError, RecursionError) as error:
            told = str(error) if isinstance(error, TypeError) else "it is nested too deeply"
            raise TypeError(f"the attribute {name!r} cannot be saved: {told}") from None
    return made


def _plain(value: Any, *, inside: bool = False) -> Any:
    """Return one attribute, or (``inside``) an entry of one, in the form in which it is read back."""
    if value is None or isinstance(value, (bool, np.bool_)):
        return None if value is None else bool(value)
    if isinstance(value, enum.Enum):
        return _plain(value.value, inside=inside)
    if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "biufUmM":
        return _plain(value[()], inside=inside)
    if isinstance(value, (np.datetime64, np.timedelta64, datetime.timedelta, fractions.Fraction, decimal.Decimal)):
        return str(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (numbers.Complex, uuid.UUID)):
        return str(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    return _plain_container(value, inside)


def _plain_container(value: Any, inside: bool) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufU":
        as_numbers = value.dtype.kind in "iuf" and value.ndim == 1 and value.size > 0 and not inside
        return value if as_numbers else _plain(value.tolist(), inside=inside)
    if isinstance(value, Mapping):
        return {str(key): _plain(entry, inside=True) for key, entry in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [_plain(entry, inside=True) for entry in value]
    if isinstance(value, (set, frozenset)):
        return sorted((_plain(entry, inside=True) for entry in value), key=repr)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name), inside=True) for f in dataclasses.fields(value)}
    raise TypeError(
        f"it holds a value of type {type(value).__name__}; use numbers, text, dates, paths, lists or mappings"
    )


def attribute_problem(name: Any, value: Any) -> str:
    """Return what is wrong with an attribute as a sentence, or ``""``."""
    if not isinstance(name, str) or not 0 < len(name) <= MOST_NAME or not name.isprintable():
        return f"an attribute's name must be 1 to {MOST_NAME} printable letters, got {_short(name)}"
    if name in RESERVED:
        return f"the attribute name {name!r} belongs to the file format; choose another"
    try:
        plain = plain_attributes({name: value})[name]
        size = plain.size if isinstance(plain, np.ndarray) else 0
        text = encode_attribute(plain)
    except (TypeError, ValueError, RecursionError) as error:
        return str(error) or f"the attribute {name!r} cannot be saved"
    if size > MOST_NUMBERS or (isinstance(text, str) and len(text) > MOST_TEXT):
        return f"the attribute {name!r} is too long; make it a variable of the result"
    return ""


def encode_attribute(value: Any) -> Any:
    """Return a plain attribute as NetCDF can hold it."""
    plain = _plain(value)
    if isinstance(plain, (np.ndarray, float)):
        return plain
    if isinstance(plain, int) and not isinstance(plain, bool) and -(2**63) <= plain < 2**63:
        return plain
    if isinstance(plain, str) and not plain.startswith(JSON_MARK) and "\0" not in plain and _is_utf8(plain):
        return plain
    text = JSON_MARK + json.dumps(plain)
    read_json(text.removeprefix(JSON_MARK))  # what could not be read back is refused now
    return text


def decode_attribute(value: Any) -> Any:
    """Return what :func:`encode_attribute` encoded. Raises ``ValueError`` for JSON that it would not have written."""
    if isinstance(value, str) and value.startswith(JSON_MARK):
        return read_json(value.removeprefix(JSON_MARK))
    return value.item() if isinstance(value, np.generic) else value


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_json(text: Any) -> Any:
    """Return the value of a JSON text that somebody else may have written.

    Raises ``ValueError`` for anything but JSON (NaN, as Python writes it, passes), for more than 16 MiB of it, and for
    brackets nested more than 64 deep, which would exhaust the stack here or in whatever walks through the value later.

    >>> read_json('{"L": [4, 6]}')
    {'L': [4, 6]}
    >>> read_json("[" * 5000 + "]" * 5000)
    Traceback (most recent call last):
    ...
    ValueError: brackets are nested more than 64 deep
    """
    if not isinstance(text, str):
        raise ValueError(f"it must be a text, got {type(text).__name__}")
    if len(text) > MOST_TEXT:
        raise ValueError(f"it has {len(text):,} characters; the most is {MOST_TEXT:,}")
    if text.count("[") + text.count("{") > DEEPEST:
        _check_depth(text)
    return json.loads(text)


def _check_depth(text: str) -> None:
    """Count open brackets outside of strings."""
    depth = 0
    for match in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if match.group() in "[{" else -1
        if depth > DEEPEST:
            raise ValueError(f"brackets are nested more than {DEEPEST} deep")


_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
