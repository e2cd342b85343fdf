"""What a result must carry, and a validator that lists all problems at once.

Whoever opens a result may not have made it, so the validator trusts nothing: every attribute has its type, every text
its length, every JSON its depth. What it lets pass can be saved, opened, shown and printed as Python.
"""

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from workbench.results.attributes import MOST_ATTRIBUTES, MOST_NAME, attribute_problem, plain_attributes, read_json

PROVENANCE = ("function", "parameters", "seed", "version", "seconds")
MOST_VARIABLES = 2_000
MOST_DIMENSIONS = 16
MOST_TOLD = 20

Definition = tuple[Any, ...]


def dataset(
    variables: Mapping[str, Definition],
    coordinates: Mapping[str, Definition] | None = None,
    attrs: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Build a Dataset whose every variable has a long name and units.

    Each definition is ``(dims, values, long_name)`` or ``(dims, values, long_name, units)``; units default to
    ``"1"`` (dimensionless). ``dims`` is a tuple of names, ``()`` for a scalar. Attributes come out as they will be
    read back from a file: paths and dates as text, tuples as lists; ``TypeError`` for one that no file can hold.

    >>> ds = dataset(
    ...     {"height": (("time",), [0.0, 4.9], "height fallen", "m")}, {"time": (("time",), [0.0, 1.0], "time", "s")}
    ... )
    >>> ds.height.attrs
    {'long_name': 'height fallen', 'units': 'm'}
    """

    def variable(definition: Definition) -> tuple[Any, ...]:
        dims, values, long_name, *units = definition
        return dims, values, {"long_name": long_name, "units": units[0] if units else "1"}

    return xr.Dataset(
        {name: variable(definition) for name, definition in variables.items()},
        {name: variable(definition) for name, definition in (coordinates or {}).items()},
        plain_attributes(attrs or {}),
    )


def problems(ds: xr.Dataset, *, provenance: bool = True) -> list[str]:
    """Return every way in which ``ds`` breaks the conventions, as sentences; an empty list is a valid result.

    >>> problems(xr.Dataset({"height": ((), 1.0)}), provenance=False)
    ["variable 'height' has no 'long_name'", "variable 'height' has no 'units'"]
    """
    if len(ds.variables) > MOST_VARIABLES:
        return [f"it has {len(ds.variables):,} variables; the most is {MOST_VARIABLES:,}"]
    found: list[str] = []
    for dim in ds.dims:
        if dim not in ds.coords:
            found.append(f"dimension {_short(dim)} has no coordinate")
    for name, variable in ds.variables.items():
        found += _variable_problems(name, variable)
    found += _attribute_problems("the result", ds.attrs)
    if provenance:
        found += _provenance_problems(ds.attrs)
    return found


def _variable_problems(name: Any, variable: xr.Variable) -> list[str]:
    called = f"variable {_short(name)}"
    found = []
    if not isinstance(name, str):
        found.append(f"{called} has a name that is not a string")
    elif not name or len(name) > MOST_NAME or "/" in name or not name.isprintable():
        found.append(f"{called} has no usable name: 1 to {MOST_NAME} printable letters without '/'")
    if variable.ndim > MOST_DIMENSIONS:
        found.append(f"{called} has {variable.ndim} dimensions; the most is {MOST_DIMENSIONS}")
    for attribute in ("long_name", "units"):
        if not isinstance(variable.attrs.get(attribute), str):
            found.append(f"{called} has no {attribute!r}")
    if variable.dtype.kind not in "biufUT":
        found.append(
            f"{called} has dtype {variable.dtype}; use numbers, booleans or strings "
            "(a complex variable is stored as two real ones)"
        )
    return found + _attribute_problems(called, variable.attrs)


def _attribute_problems(owner: str, attrs: Mapping[Any, Any]) -> list[str]:
    if len(attrs) > MOST_ATTRIBUTES:
        return [f"{owner} has {len(attrs):,} attributes; the most is {MOST_ATTRIBUTES}"]
    told = (attribute_problem(name, value) for name, value in attrs.items())
    return [f"{owner}: {problem}" for problem in told if problem]


def _provenance_problems(attrs: Mapping[Any, Any]) -> list[str]:
    found = [f"attribute {name!r} is missing" for name in PROVENANCE if name not in attrs]
    for name in ("function", "version"):
        if name in attrs and not (isinstance(attrs[name], str) and 0 < len(attrs[name]) <= MOST_NAME):
            found.append(f"attribute {name!r} is not a name")
    if "seed" in attrs and (
        not isinstance(attrs["seed"], (numbers.Integral, str)) or len(str(attrs["seed"])) > MOST_NAME
    ):
        found.append("attribute 'seed' is neither a whole number nor a word")
    if "seconds" in attrs and not _is_a_time(attrs["seconds"]):
        found.append(f"attribute 'seconds' is not a time, got {_short(attrs['seconds'])}")
    try:
        if not isinstance(read_json(attrs.get("parameters", "{}")), dict):
            found.append("attribute 'parameters' is not a JSON object")
    except ValueError as error:
        found.append(f"attribute 'parameters' is not JSON: {error}")
    return found


def _is_a_time(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_)) and 0 <= value < np.inf


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def validate(ds: xr.Dataset, *, provenance: bool = True) -> xr.Dataset:
    """Return ``ds`` unchanged if it follows the conventions; otherwise raise ``ValueError`` listing all problems."""
    if not isinstance(ds, xr.Dataset):
        raise TypeError(f"a result must be an xarray.Dataset, got {type(ds).__name__}")
    found = problems(ds, provenance=provenance)
    if found:
        rest = [f"… and {len(found) - MOST_TOLD} more"] if len(found) > MOST_TOLD else []
        raise ValueError("not a valid workbench result:\n- " + "\n- ".join(found[:MOST_TOLD] + rest))
    return ds
