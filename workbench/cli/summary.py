"""A result in a few lines of text, or as JSON."""

import json
from typing import Any

import numpy as np
import xarray as xr

MOST_VARIABLES = 40


def as_json(ds: xr.Dataset) -> dict[str, Any]:
    """Return what a program wants to know of a result: where from, how large, and its numbers.

    Scalars and short arrays are given in full, longer ones by their range.
    """
    return {
        "function": ds.attrs.get("function"),
        "parameters": json.loads(ds.attrs.get("parameters", "{}")),
        "seed": ds.attrs.get("seed"),
        "version": ds.attrs.get("version"),
        "seconds": ds.attrs.get("seconds"),
        "dimensions": {str(dim): int(n) for dim, n in ds.sizes.items()},
        "variables": {str(name): _variable(variable) for name, variable in ds.data_vars.items()},
        "coordinates": {str(name): _variable(variable) for name, variable in ds.coords.items()},
    }


def _variable(variable: xr.DataArray) -> dict[str, Any]:
    told: dict[str, Any] = {
        "dimensions": list(map(str, variable.dims)),
        "units": variable.attrs.get("units"),
        "long_name": variable.attrs.get("long_name"),
    }
    if variable.size <= 64:
        return told | {"values": variable.values.tolist()}
    if variable.dtype.kind in "iuf":
        low, high = _extremes(variable)
        return told | {"min": float(low), "max": float(high), "missing": _missing(variable)}
    return told | {"size": int(variable.size)}


def _extremes(variable: xr.DataArray) -> tuple[Any, Any]:
    """The least and the greatest entry; of a result that lies on the disk, piece by piece."""
    return variable.min().values.item(), variable.max().values.item()


def _missing(variable: xr.DataArray) -> int:
    return int(variable.isnull().sum()) if variable.dtype.kind == "f" else 0


def as_text(ds: xr.Dataset) -> str:
    """Return a result as a person reads it: the call, then a line for each variable.

    >>> from workbench import data
    >>> as_text(data.result("fisher/lattice.nc")).splitlines()[0][:48]
    "workbench.fisher.live_curvature(model = 'ising-2"
    """
    parameters = json.loads(ds.attrs.get("parameters", "{}"))
    told = ", ".join(f"{name} = {_short(value)}" for name, value in parameters.items())
    lines = [f"{ds.attrs.get('function', 'result')}({told})"]
    seconds, version = ds.attrs.get("seconds", 0), ds.attrs.get("version", "?")
    lines.append(f"  computed in {seconds:g} s with geometry-workbench {version}")
    if ds.sizes:
        lines.append("  " + ", ".join(f"{dim} {n}" for dim, n in ds.sizes.items()))
    names = list(ds.data_vars)
    rows = [(str(name), _range(ds[name]), _meaning(ds[name])) for name in names[:MOST_VARIABLES]]
    widths = [max((len(row[k]) for row in rows), default=0) for k in range(2)]
    lines += [f"  {name:<{widths[0]}}  {told:<{widths[1]}}  {meaning}".rstrip() for name, told, meaning in rows]
    if len(names) > MOST_VARIABLES:
        lines.append(f"  … and {len(names) - MOST_VARIABLES} more variables")
    return "\n".join(lines)


def _meaning(variable: xr.DataArray) -> str:
    units = variable.attrs.get("units", "1")
    return variable.attrs.get("long_name", "") + (f" [{units}]" if units not in ("1", "", "label") else "")


def _range(variable: xr.DataArray) -> str:
    """Return a scalar as it is, an array by its range, text by how many there are."""
    if variable.ndim == 0:
        return _number(variable.values.item())
    if variable.dtype.kind == "b":
        return f"{int(variable.sum())} of {variable.size} true"
    if variable.dtype.kind not in "iuf":
        return f"{len(np.unique(variable.values))} different"
    missing = _missing(variable)
    if missing == variable.size:
        return "all missing"
    low, high = _extremes(variable)
    told = f"{_number(low)} … {_number(high)}"
    return told + (f", {missing} missing" if missing else "")


def _number(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _short(value: Any) -> str:
    text = repr(value) if not isinstance(value, dict) or "sha256" not in value else f"array of shape {value['shape']}"
    return text if len(text) <= 60 else text[:57] + "…"
