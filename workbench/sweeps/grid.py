"""A grid of parameters unrolled into cells, each with a key that names its file and a seed of its own.

The seed of a cell comes from the sweep's seed, the function's name, the cell's parameters and the repeat, never from
the order in which cells run: so the number of workers, a crash or a wider grid change no cell's numbers.
"""

import hashlib
import inspect
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import workbench
from workbench import results
from workbench.checks import integer
from workbench.sweeps.experiments import Function, name_of, source_digest

Grid = Mapping[str, Any]
LARGEST_SWEEP = 500_000
SEED_BITS = 53  # still exact where numbers are doubles, as in JSON


@dataclass(frozen=True)
class Cell:
    """One call of the function: where it sits in the grid, with what, and under which name it is kept."""

    index: tuple[int, ...]
    parameters: dict[str, Any]
    described: dict[str, Any]
    seed: int | None
    key: str


@dataclass(frozen=True)
class Plan:
    """A function and all its cells, in the order of the grid."""

    function: Function
    axes: dict[str, list[Any]]
    fixed: dict[str, Any]
    repeats: int
    seed: int | None
    cells: list[Cell]

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values along each axis, the repeats last when there is more than one."""
        sizes = tuple(len(values) for values in self.axes.values())
        return (*sizes, self.repeats) if self.repeats > 1 else sizes


def plan(function: Function, grid: Grid, *, repeats: int, seed: int | None, paired: Sequence[str] = ()) -> Plan:
    """Check a grid against a function and unroll it.

    A list, tuple, range or 1-D array is an axis; any other value is passed to every cell, and so is a list that is
    all alone in a list: ``[[6, 7, 8]]``. Raises ``ValueError`` or
    ``TypeError``, before anything is computed, for unknown or missing parameters, empty or repeating axes, values
    that cannot be written down, or seeds that would not be used.
    """
    axes, fixed = axes_and_fixed(grid)
    repeats = integer("repeats", repeats, minimum=1)
    signature = inspect.signature(function)
    _check_parameters(function, signature, axes, fixed)
    root = _root_seed(signature, grid, seed, repeats)
    _check_size(axes, repeats)
    _check_paired(paired, {**axes, **fixed})
    unroll = _Unroller(signature, name_of(function), source_digest(function), root, frozenset(paired))
    cells = []
    for point in itertools.product(*(enumerate(values) for values in axes.values())):
        index = tuple(position for position, _ in point)
        parameters = fixed | {name: value for name, (_, value) in zip(axes, point, strict=True)}
        for repeat in range(repeats):
            cells.append(unroll.cell((*index, repeat) if repeats > 1 else index, parameters, repeat))
    return Plan(function, axes, fixed, repeats, root, cells)


def axes_and_fixed(grid: Grid) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """Return the axes of a grid, parameter to values, and what is passed to every cell; refuse what is neither.

    >>> axes_and_fixed({"L": range(3, 6), "method": "pfaffian", "sizes": [[6, 7, 8]]})
    ({'L': [3, 4, 5]}, {'method': 'pfaffian', 'sizes': [6, 7, 8]})
    """
    if not isinstance(grid, Mapping):
        raise TypeError(f"grid must map parameter names to lists of values, got {type(grid).__name__}")
    axes: dict[str, list[Any]] = {}
    fixed: dict[str, Any] = {}
    for name, value in grid.items():
        if not isinstance(name, str):
            raise TypeError(f"grid names must be strings, got {name!r}")
        if _is_one_list(value):
            fixed[name] = _plain(name, value[0])
        elif isinstance(value, (list, tuple, range)) or (isinstance(value, np.ndarray) and value.ndim == 1):
            if len(value) > LARGEST_SWEEP:
                raise ValueError(
                    f"grid axis {name!r} has {len(value):,} values; the largest sweep has {LARGEST_SWEEP:,} cells"
                )
            axes[name] = [_plain(name, entry) for entry in value]
            _check_axis(name, axes[name])
        else:
            fixed[name] = _plain(name, value)
    return axes, fixed


def _is_one_list(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple)) and len(value) == 1 and isinstance(value[0], (list, tuple, dict, np.ndarray))
    )


def _plain(name: str, value: Any) -> Any:
    """Return a NumPy scalar as a Python one; refuse what ``results.describe`` can only call by its type."""
    value = value.item() if isinstance(value, np.generic) else value
    if _has_blank(results.describe(value)):
        raise TypeError(
            f"grid parameter {name!r} has a value of type {type(value).__name__}, which cannot be written into a "
            "file name; use numbers, strings, arrays, or a name that your function looks up"
        )
    return value


def _has_blank(described: Any) -> bool:
    if isinstance(described, str):
        return described.startswith("<") and described.endswith(">")
    if isinstance(described, dict):
        return any(_has_blank(value) for value in described.values())
    return isinstance(described, list) and any(_has_blank(value) for value in described)


def _check_axis(name: str, values: list[Any]) -> None:
    if not values:
        raise ValueError(f"grid axis {name!r} is empty; give at least one value")
    labels = axis_labels(values).tolist()
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise ValueError(f"grid axis {name!r} names the value {twice!r} more than once; use repeats= for repetitions")


def axis_labels(values: Sequence[Any]) -> np.ndarray:
    """Return the coordinate of an axis: numbers, booleans or strings as they are, anything else as its JSON."""
    kinds = {bool if isinstance(value, bool) else type(value) for value in values}
    if kinds == {bool}:
        return np.array(values, dtype=bool)
    if kinds == {int} and all(abs(value) < 2**63 for value in values):
        return np.array(values, dtype=np.int64)
    if kinds <= {int, float} and float in kinds:
        return np.array(values, dtype=np.float64)
    if kinds == {str}:
        return np.array(values, dtype=str)
    return np.array([value if isinstance(value, str) else _canonical(results.describe(value)) for value in values])


def _check_parameters(function: Function, signature: inspect.Signature, axes: Grid, fixed: Grid) -> None:
    given = {*axes, *fixed}
    named = {n: p for n, p in signature.parameters.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    anything = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    unknown = sorted(given - named.keys())
    if unknown and not anything:
        raise ValueError(f"{name_of(function)} has no parameter {unknown[0]!r}; it takes: {', '.join(named) or 'none'}")
    missing = [n for n, p in named.items() if p.default is p.empty and n not in given | {"seed"}]
    if missing:
        raise ValueError(f"{name_of(function)} needs a value for {', '.join(map(repr, missing))}; add it to the grid")


def _root_seed(signature: inspect.Signature, grid: Grid, seed: int | None, repeats: int) -> int | None:
    """Return the seed that the cells' seeds come from, or None where the function or the grid makes it needless."""
    if seed is not None:
        seed = integer("seed", seed, minimum=0)
    if "seed" in grid:
        if seed is not None or repeats > 1:
            raise ValueError("the grid sets 'seed' itself: leave repeats at 1 and pass seed=None, or take it out there")
        return None
    if "seed" not in signature.parameters:
        if repeats > 1:
            raise ValueError(f"repeats={repeats} would compute the same thing again: the function takes no seed")
        return None
    if seed is None:
        raise ValueError("give the sweep a seed (a whole number): every cell's own seed is derived from it")
    return seed


def _check_size(axes: Mapping[str, list[Any]], repeats: int) -> None:
    count = int(np.prod([len(values) for values in axes.values()], dtype=object)) * repeats
    if count > LARGEST_SWEEP:
        raise ValueError(f"the grid has {count:,} cells; the largest sweep is {LARGEST_SWEEP:,}, so split it")


def _check_paired(paired: Sequence[str], names: Iterable[str]) -> None:
    if isinstance(paired, str):
        raise TypeError(f"paired must be a list of parameter names, got the string {paired!r}")
    for name in paired:
        if name not in names:
            raise ValueError(f"paired names {name!r}, which is not in the grid ({', '.join(names)})")


@dataclass(frozen=True)
class _Unroller:
    signature: inspect.Signature
    name: str
    source: str
    root: int | None
    paired: frozenset[str]

    def cell(self, index: tuple[int, ...], parameters: dict[str, Any], repeat: int) -> Cell:
        described = {name: value for name, value in self._with_defaults(parameters).items() if name != "seed"}
        seed = parameters.get("seed")
        if self.root is not None:
            seed = self._derive(described, repeat)
            parameters = {**parameters, "seed": seed}
        identity = {
            "function": self.name,
            "source": self.source,
            "parameters": described,
            "seed": seed,
            "version": workbench.__version__,
        }
        return Cell(index, parameters, described, seed, _digest(identity)[:40])

    def _with_defaults(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Describe the whole call, so that naming a default, or sweeping over one, changes no key and no seed."""
        bound = self.signature.bind_partial(**parameters)
        bound.apply_defaults()
        return {name: results.describe(value) for name, value in sorted(bound.arguments.items()) if name != "progress"}

    def _derive(self, described: dict[str, Any], repeat: int) -> int:
        own = {name: value for name, value in described.items() if name not in self.paired}
        digest = _digest({"function": self.name, "parameters": own})
        words = [int(digest[k : k + 8], 16) for k in range(0, 64, 8)]
        state = np.random.SeedSequence([self.root, *words], spawn_key=(repeat,)).generate_state(1, np.uint64)
        return int(state[0]) >> (64 - SEED_BITS)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _digest(value: Any) -> str:
    return hashlib.sha256(_canonical(value).encode()).hexdigest()
