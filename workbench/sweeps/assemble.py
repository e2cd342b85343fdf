"""Finished cells to one labelled Dataset: the axes of the sweep, then the dimensions of a single cell.

Failed cells are NaN, named in ``cell_failed`` and ``cell_error``.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import xarray as xr

import workbench
from workbench import results
from workbench.sweeps import cellfile
from workbench.sweeps.experiments import name_of
from workbench.sweeps.grid import Cell, Plan, axis_labels
from workbench.sweeps.store import Store
from workbench.sweeps.survey import Survey

Box = tuple[slice, ...]


def read_box(store: Store, found: Survey, box: Box) -> xr.Dataset:
    """Read the cells whose index lies in ``box`` (a slice along each axis) into memory, as a part of the result."""
    size = tuple(range(*cut.indices(n)) for cut, n in zip(box, found.plan.shape, strict=True))
    lengths = tuple(len(r) for r in size)
    arrays = {name: _blank(lengths + found.shape(name), found.dtype(name)) for name in found.variables}
    needed = arrays.keys() | found.uneven
    for offset in itertools.product(*(range(n) for n in lengths)):
        cell = found.present.get(tuple(r[k] for r, k in zip(size, offset, strict=True)))
        if cell is not None:
            _, parts = cellfile.read(store.cell(cell.key), lambda entry: entry["name"] in needed)
            for name in arrays.keys() & parts.keys():
                arrays[name][offset + _places(found, parts, name)] = parts[name][1]
    data = {
        name: (found.axis_dims + variable.dims, arrays[name], variable.attrs)
        for name, variable in found.variables.items()
    }
    return xr.Dataset(data | _outcomes(found, box)).assign_coords(coordinates(found, box))


def _blank(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    return np.full(shape, np.nan if dtype.kind == "f" else "" if dtype.kind == "U" else 0, dtype=dtype)


def _places(found: Survey, parts: dict[str, cellfile.Part], name: str) -> tuple[Any, ...]:
    """Where the entries of a cell's variable go within the united labels."""
    dims = found.variables[name].dims
    if not any(dim in found.uneven for dim in dims):
        return tuple(slice(None) for _ in dims)
    return np.ix_(*(_positions(found.labels[dim], _labels(found, parts, dim)) for dim in dims))


def _labels(found: Survey, parts: dict[str, cellfile.Part], dim: str) -> np.ndarray:
    return parts[dim][1] if dim in found.uneven else found.labels[dim]


def _positions(labels: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    order = np.argsort(labels, kind="stable")
    return order[np.searchsorted(labels, wanted, sorter=order)]


def _outcomes(found: Survey, box: Box) -> dict[str, tuple[Any, ...]]:
    """Which cells failed and why, and the seed of each, over the sweep's axes."""
    part = found.cell_grid[box] if box else found.cell_grid

    def over_cells(value: Callable[[Cell], Any], dtype: Any, long_name: str) -> tuple[Any, ...]:
        values = np.array([value(cell) for cell in part.ravel()], dtype=dtype).reshape(part.shape)
        return found.axis_dims, values, {"long_name": long_name, "units": "1"}

    longest = max([1, *(len(_message(record)) for record in found.failures.values())])
    outcomes = {
        "cell_failed": over_cells(lambda cell: cell.index not in found.present, bool, "whether the cell failed"),
        "cell_error": over_cells(
            lambda cell: _message(found.failures.get(cell.key)), f"U{longest}", "error of a cell that failed"
        ),
    }
    if found.plan.seed is not None:
        outcomes["cell_seed"] = over_cells(lambda cell: cell.seed, np.int64, "seed of the cell")
    return outcomes


def _message(record: dict[str, Any] | None) -> str:
    return "" if record is None else f"{record['error']}: {record['message']}"


def coordinates(found: Survey, box: Box) -> dict[str, tuple[Any, ...]]:
    """The labels of the result's dimensions, and the fixed parameters that are numbers or strings."""
    made: dict[str, tuple[Any, ...]] = {}
    axes = [*map(axis_labels, found.plan.axes.values()), *([np.arange(found.plan.repeats)] * (found.plan.repeats > 1))]
    for (name, dim), labels, cut in zip(found.axes.items(), axes, box, strict=True):
        made[dim] = ((dim,), labels[cut], {"long_name": name.replace("_", " "), "units": "1"})
    for name, value in found.plan.fixed.items():
        if isinstance(value, (bool, int, float, str)) and name not in {*found.variables, *found.labels}:
            made[name] = ((), value, {"long_name": name.replace("_", " "), "units": "1"})
    for dim, labels in found.labels.items():
        made[dim] = ((dim,), labels, found.label_attrs[dim])
    return made


def provenance(store: Store, found: Survey) -> dict[str, Any]:
    """The attributes of the result: the sweep's call, what all cells agree on, and the time the cells took."""
    plan = found.plan
    parameters = {
        "function": name_of(plan.function),
        "grid": {name: results.describe(value) for name, value in {**plan.axes, **plan.fixed}.items()},
        "store": store.path.name,
        "repeats": plan.repeats,
        "seed": plan.seed,
    }
    return {
        **found.attrs,
        "function": "workbench.sweeps.sweep",
        "parameters": results.parameters_json(parameters),
        "seed": plan.seed if plan.seed is not None else "none",
        "version": workbench.__version__,
        "seconds": round(found.seconds, 6),
        "swept_function": name_of(plan.function),
        "cells": len(plan.cells),
        "failed_cells": len(plan.cells) - len(found.present),
    }


def whole(plan: Plan) -> Box:
    """The box that holds every cell."""
    return tuple(slice(None) for _ in plan.shape)


def boxes(plan: Plan, bytes_per_cell: int, limit: int) -> Iterator[Box]:
    """Cut the grid into boxes of at most ``limit`` bytes (at least one cell), fixing leading axes one by one."""
    fixed, size = 0, bytes_per_cell * math.prod(plan.shape)
    while size > limit and fixed < len(plan.shape):
        size //= plan.shape[fixed]
        fixed += 1
    lead: Iterable[tuple[int, ...]] = itertools.product(*(range(n) for n in plan.shape[:fixed]))
    for index in lead:
        yield tuple(slice(k, k + 1) for k in index) + tuple(slice(None) for _ in plan.shape[fixed:])
