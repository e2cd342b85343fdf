"""What a result must carry, and a validator that lists all problems at once."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

PROVENANCE = ("function", "parameters", "seed", "version", "seconds")

Definition = tuple[Any, ...]


def dataset(
    variables: Mapping[str, Definition],
    coordinates: Mapping[str, Definition] | None = None,
    attrs: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Build a Dataset whose every variable has a long name and units.

    Each definition is ``(dims, values, long_name)`` or ``(dims, values, long_name, units)``; units default to
    ``"1"`` (dimensionless). ``dims`` is a tuple of names, ``()`` for a scalar.
    """

    def variable(definition: Definition) -> tuple[Any, ...]:
        dims, values, long_name, *units = definition
        return dims, values, {"long_name": long_name, "units": units[0] if units else "1"}

    return xr.Dataset(
        {name: variable(definition) for name, definition in variables.items()},
        {name: variable(definition) for name, definition in (coordinates or {}).items()},
        dict(attrs or {}),
    )


def problems(ds: xr.Dataset, *, provenance: bool = True) -> list[str]:
    """Return every way in which ``ds`` breaks the conventions, as sentences; an empty list is a valid result."""
    found: list[str] = []
    for dim in ds.dims:
        if dim not in ds.coords:
            found.append(f"dimension {dim!r} has no coordinate")
    for name, variable in ds.variables.items():
        if not isinstance(name, str):
            found.append(f"variable name {name!r} is not a string")
        for attribute in ("long_name", "units"):
            if not isinstance(variable.attrs.get(attribute), str):
                found.append(f"variable {name!r} has no {attribute!r}")
        if variable.dtype.kind not in "biufUT":
            found.append(
                f"variable {name!r} has dtype {variable.dtype}; use numbers, booleans or strings "
                "(a complex variable is stored as two real ones)"
            )
    if provenance:
        found += _provenance_problems(ds.attrs)
    return found


def _provenance_problems(attrs: Mapping[Any, Any]) -> list[str]:
    found = [f"attribute {name!r} is missing" for name in PROVENANCE if name not in attrs]
    try:
        parameters = json.loads(attrs.get("parameters", "{}"))
    except (TypeError, ValueError):
        found.append("attribute 'parameters' is not JSON")
    else:
        if not isinstance(parameters, dict):
            found.append("attribute 'parameters' is not a JSON object")
    if "seconds" in attrs and not (np.isscalar(attrs["seconds"]) and attrs["seconds"] >= 0):
        found.append("attribute 'seconds' is not a time")
    return found


def validate(ds: xr.Dataset, *, provenance: bool = True) -> xr.Dataset:
    """Return ``ds`` unchanged if it follows the conventions; otherwise raise ``ValueError`` listing all problems."""
    if not isinstance(ds, xr.Dataset):
        raise TypeError(f"a result must be an xarray.Dataset, got {type(ds).__name__}")
    found = problems(ds, provenance=provenance)
    if found:
        raise ValueError("not a valid workbench result:\n- " + "\n- ".join(found))
    return ds
