"""Look over the finished cells before any data are read: which variables there are, how large, with which labels.

Cells may differ in size (a spectrum has more momenta on a larger lattice): the labels of a dimension are united, and
what a cell does not have will be NaN.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from workbench.checks import choice
from workbench.results.conventions import PROVENANCE
from workbench.sweeps import cellfile
from workbench.sweeps.grid import Cell, Plan
from workbench.sweeps.store import Store


@dataclass
class Variable:
    """One variable of the result: its dimensions within a cell, and what all cells need of its type."""

    dims: tuple[str, ...]
    dtype: np.dtype
    attrs: dict[str, Any]
    seen: int = 0


@dataclass
class Survey:
    """What the result will look like, known from the cells' headers and coordinates before any data are read."""

    plan: Plan
    present: dict[tuple[int, ...], Cell]
    failures: dict[str, dict[str, Any]]
    axes: dict[str, str] = field(default_factory=dict)
    labels: dict[str, np.ndarray] = field(default_factory=dict)
    label_attrs: dict[str, dict[str, Any]] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    attrs: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    uneven: set[str] = field(default_factory=set)

    @cached_property
    def cell_grid(self) -> np.ndarray:
        """The cells as an array of objects over the axes."""
        grid = np.empty(self.plan.shape, dtype=object)
        for cell in self.plan.cells:
            grid[cell.index] = cell
        return grid

    @property
    def axis_dims(self) -> tuple[str, ...]:
        """The names of the result's leading dimensions."""
        return tuple(self.axes.values())

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a variable within a cell."""
        return tuple(len(self.labels[dim]) for dim in self.variables[name].dims)

    def dtype(self, name: str) -> np.dtype:
        """The type of a variable in the result: numbers become float64 where some entries will be missing."""
        variable = self.variables[name]
        holes = variable.seen < math.prod(self.plan.shape) or any(dim in self.uneven for dim in variable.dims)
        return np.dtype(np.float64) if holes and variable.dtype.kind in "biu" else variable.dtype

    def bytes_per_cell(self) -> int:
        """How much memory one cell takes in the result."""
        return sum(math.prod(self.shape(name)) * self.dtype(name).itemsize for name in self.variables)


def survey(store: Store, plan: Plan, keep: Sequence[str] | None = None) -> Survey:
    """Read the headers and coordinates of all finished cells. Raises ``RuntimeError`` if there is none."""
    finished = store.finished()
    failed = store.failures()
    found = Survey(
        plan,
        {cell.index: cell for cell in plan.cells if cell.key in finished},
        {cell.key: failed[cell.key] for cell in plan.cells if cell.key in failed and cell.key not in finished},
    )
    if not found.present:
        first = next(iter(found.failures.values()), {"error": "nothing", "message": "no cell was computed"})
        raise RuntimeError(
            f"all {len(plan.cells)} cells failed; the first says {first['error']}: {first['message']}. The full "
            f"records are in {str(store.path / 'failed')!r}"
        )
    own = {*plan.axes, *plan.fixed, "repeat"}

    def small(entry: dict[str, Any]) -> bool:
        return _is_label(entry) or (not entry["dims"] and entry["name"] in own)

    clashes: set[str] = set()
    seen: dict[str, None] = {}
    for position, cell in enumerate(found.present.values()):
        header, parts = cellfile.read(store.cell(cell.key), small)
        seen |= dict.fromkeys(entry["name"] for entry in header["variables"] if not _is_label(entry))
        entries = _kept(header["variables"], keep)
        clashes |= _clashes(entries, parts, cell, own)
        _unite_labels(found, entries, parts)
        _unite_variables(found, entries)
        _unite_attrs(found, header["attrs"], first=position == 0)
        found.seconds += header["seconds"]
    for name in keep or ():
        choice("variable", name, seen)
    _name_axes(found, clashes)
    return found


def _kept(entries: list[dict[str, Any]], keep: Sequence[str] | None) -> list[dict[str, Any]]:
    """Return the header entries of the wanted variables and of the labels of their dimensions."""
    if keep is None:
        return entries
    dims = {dim for entry in entries if entry["name"] in keep for dim in entry["dims"]}
    return [entry for entry in entries if entry["name"] in {*keep, *dims}]


def _is_label(entry: dict[str, Any]) -> bool:
    return entry["dims"] == [entry["name"]]


def _clashes(entries: list[dict[str, Any]], parts: dict[str, cellfile.Part], cell: Cell, own: set[str]) -> set[str]:
    """Names of the cell that mean something else than the parameter of the same name.

    A scalar that merely repeats the parameter (lattice size ``L`` in a result for ``L``) is no clash: the axis
    carries it.
    """
    found = set()
    for variable in entries:
        name = variable["name"]
        repeats_it = not variable["dims"] and name in parts and _same(parts[name][1].item(), cell.parameters.get(name))
        if name in own and not repeats_it:
            found.add(name)
    return found


def _same(value: Any, parameter: Any) -> bool:
    return type(parameter) in (int, float, str, bool) and value == parameter


def _unite_labels(found: Survey, entries: list[dict[str, Any]], parts: dict[str, cellfile.Part]) -> None:
    for dim in (entry["name"] for entry in entries if _is_label(entry)):
        (_, values, attrs), known = parts[dim], found.labels.get(dim)
        if known is None:
            found.labels[dim], found.label_attrs[dim] = values, attrs
        elif not np.array_equal(known, values):
            found.labels[dim] = _union(dim, known, values)
            found.uneven.add(dim)


def _union(dim: str, known: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Unite labels: in ascending order if they come so, else in the order in which they are met."""
    for labels in (known, more):
        if len(np.unique(labels)) < len(labels):
            raise ValueError(
                f"the dimension {dim!r} has repeating labels and differs from cell to cell, so cells cannot be lined "
                "up; keep only other variables (keep=[…]), or sweep the sizes apart"
            )
    if known.dtype.kind in "biuf" and all(np.all(np.diff(labels) > 0) for labels in (known, more)):
        return np.union1d(known, more)
    return np.concatenate([known, more[~np.isin(more, known)]])


def _unite_variables(found: Survey, entries: list[dict[str, Any]]) -> None:
    for entry in entries:
        name, dims, dtype = entry["name"], tuple(entry["dims"]), np.dtype(entry["dtype"])
        if _is_label(entry):
            continue
        variable = found.variables.setdefault(name, Variable(dims, dtype, entry["attrs"]))
        if variable.dims != dims:
            raise ValueError(
                f"the variable {name!r} has dimensions {variable.dims} in one cell and {dims} in another; keep only "
                "other variables (keep=[…]), or sweep the cases apart"
            )
        variable.dtype = np.result_type(variable.dtype, dtype)
        variable.seen += 1


def _unite_attrs(found: Survey, attrs: dict[str, Any], *, first: bool) -> None:
    """Keep the attributes that all cells agree on."""
    own = {name: value for name, value in attrs.items() if name not in PROVENANCE}
    if first:
        found.attrs = own
    found.attrs = {name: value for name, value in found.attrs.items() if name in own and own[name] == value}


def _name_axes(found: Survey, clashes: set[str]) -> None:
    """Name the axes after their parameters, with ``sweep_`` before a name that the cells use for something else."""
    names = [*found.plan.axes, *(["repeat"] if found.plan.repeats > 1 else [])]
    clashing = clashes & {*found.variables, *found.labels}
    found.axes = {name: f"sweep_{name}" if name in clashing else name for name in names}
    for name in {*found.plan.axes, *found.plan.fixed} - clashing:
        found.variables.pop(name, None)
