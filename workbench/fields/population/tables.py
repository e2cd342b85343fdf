"""Populations from one's own table: which population and time each row belongs to, and its features.

CSV, TSV and Parquet by the names of their columns, NPZ by the names of its arrays. Nothing is guessed: a population
without rows at one of the two times, a feature that never changes, a particle named twice are refused in words.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.clouds import foreign
from workbench.clouds.columns import named_column, read_columns
from workbench.clouds.source import bytes_of
from workbench.fields.core.laws import Floats
from workbench.fields.population.laws import MOST_COUNT, Population, populations
from workbench.progress import Progress

LARGEST = 16 * 2**20
ROLES = {
    "population": ("population", "populations", "donor", "patient", "sample", "group"),
    "time": ("time", "times", "timepoint", "day"),
    "particle": ("particle", "particles", "track"),
    "features": ("features", "x", "points"),
}
LEAST_ROWS = 10
"""Of a population at one time."""
MOST_ROWS, MOST_FEATURES = 200_000, 64
LONGEST_NAME = 60


@dataclass(frozen=True)
class PopulationTable:
    """Rows of a table: ``features`` (n, d), ``population`` (n,) names or numbers, ``time`` (n,) numbers.

    ``particle`` (n,) names what is followed from one time to the other, None where nothing is; ``sentence`` says how
    the table was read.
    """

    features: Floats
    population: NDArray[Any]
    time: Floats
    particle: NDArray[Any] | None
    sentence: str


def read_populations(source: Any, *, name: str | None = None, progress: Progress | None = None) -> PopulationTable:
    """Read a table of populations from a CSV, TSV, Parquet or NPZ file, and say how it was read.

    ``source``: a path, a binary file, or bytes with their ``name``. A table names its columns in the first row: one is
    called "population" (or donor, patient, sample, group), one "time" (or timepoint, day), perhaps one "particle" (or
    track); every other column of numbers is a feature. An NPZ archive has arrays "population" (n,), "time" (n,),
    "features" (n, d), perhaps "particle" (n,), all of numbers. Files are read in a process apart, with bounded time and
    memory, which ``progress`` can end; up to 16 MiB.

    Raises ``FileNotFoundError``; ``ValueError`` for another format, missing values (with their row), and a file
    without populations, times or features.

    >>> rows = "\\n".join(["donor,time,u,v", *(f"d{k % 2},{k // 2 % 2},{k},{k * k}" for k in range(40))])
    >>> found = read_populations(rows.encode(), name="mine.csv")
    >>> found.features.shape, found.sentence.split("; ")[:3]
    ((40, 2), ['40 rows', '2 populations in the column donor', 'times in the column time'])
    """
    if isinstance(source, bytes):
        source = io.BytesIO(source)
        source.name = name or "the upload"
    called, data = bytes_of(source, LARGEST)
    called = name or called
    kind = Path(called).suffix.lower()
    if not data:
        raise ValueError(f"{called} is empty")
    if kind == ".npz":
        parts: Mapping[str, NDArray[Any]] = foreign.read_members(data, called, 8 * LARGEST, progress=progress)
        return _of_arrays(parts, called)
    columns, told = read_columns(data, called, progress=progress)
    return _of_columns(columns, called, told)


def _roles(parts: Mapping[str, NDArray[Any]], name: str, what: str) -> dict[str, str | None]:
    roles = {role: named_column(parts, names, name) for role, names in ROLES.items()}
    for role in ("population", "time"):
        if roles[role] is None:
            raise ValueError(
                f"{name} has the {what}s {', '.join(list(parts)[:8])}; call the one that says which {role} a row "
                f"belongs to “{role}”"
            )
    return roles


def _of_columns(columns: Mapping[str, NDArray[Any]], name: str, told: str) -> PopulationTable:
    roles = _roles(columns, name, "column")
    known = [roles[role] for role in ("population", "time", "particle")]
    features = [key for key, values in columns.items() if key not in known and values.dtype.kind != "U"]
    left_out = [key for key in columns if key not in known and key not in features]
    if not features:
        raise ValueError(f"{name} has no column of numbers beside {roles['population']!r} and {roles['time']!r}")
    shown = ", ".join(features[:6]) + ", …" * (len(features) > 6)
    more = [f"left out: {', '.join(left_out[:6])}"] if left_out else []
    table = np.stack([columns[key] for key in features], axis=1).astype(np.float64)
    return _table(table, columns, roles, name, "column", [f"features: {shown}", *more, told])


def _of_arrays(parts: Mapping[str, NDArray[Any]], name: str) -> PopulationTable:
    roles = _roles(parts, name, "array")
    if roles["features"] is None:
        raise ValueError(
            f"{name} holds the arrays {', '.join(list(parts)[:8])}; name the one with a row of numbers for each point "
            "“features”"
        )
    features = np.asarray(parts[roles["features"]])
    left_out = [key for key in parts if key not in roles.values()]
    more = [f"left out: {', '.join(left_out[:6])}"] if left_out else []
    if features.ndim != 2:
        raise ValueError(f"'features' in {name} must have a row for each point, got the shape {features.shape}")
    return _table(features, parts, roles, name, "array", [f"{features.shape[1]} features", *more])


def _table(
    features: NDArray[Any], parts: Mapping[str, Any], roles: Mapping[str, Any], name: str, what: str, more: list[str]
) -> PopulationTable:
    of = {role: None if roles[role] is None else np.asarray(parts[roles[role]]) for role in ROLES}
    if of["time"].dtype.kind == "U":
        raise ValueError(f"the {what} {roles['time']!r} of {name} holds text; give times as numbers, e.g. 0 and 1")
    particle = of["particle"]
    own_population_table(features, of["population"], of["time"], particle)
    count = len(np.unique(of["population"]))
    told = [f"{len(features)} rows", f"{count} populations in the {what} {roles['population']}"]
    told += [f"times in the {what} {roles['time']}"]
    told += [f"followed by {roles['particle']}"] if particle is not None else []
    return PopulationTable(
        features.astype(np.float64),
        of["population"],
        of["time"].astype(np.float64),
        particle,
        "; ".join([*told, *more]),
    )


def own_population_table(
    features: ArrayLike,
    population: ArrayLike,
    time: ArrayLike,
    particle: ArrayLike | None = None,
    *,
    before: float | None = None,
    after: float | None = None,
) -> tuple[Population, ...]:
    """Return the populations of a table: ``features`` (n, d), and for each row its ``population`` and ``time``.

    The earliest and the latest time are taken unless ``before`` and ``after`` say otherwise; rows of other times are
    left out. ``particle`` (n,) names what is followed: then points are paired, and every particle must be there once at
    both times. Raises ``ValueError`` for rows that do not fit together, fewer than two populations or times, a
    population with fewer than 10 rows at one of them, more than 200,000 rows, 500 populations or 64 features, and a
    feature that is the same everywhere.

    >>> rng = np.random.default_rng(0)
    >>> first = own_population_table(rng.normal(size=(40, 2)), np.repeat(["a", "b"], 20), np.tile([0, 1], 20))[0]
    >>> first.name, first.source.shape, first.paired
    ('a', (10, 2), False)
    """
    x = checks.finite_array("features", features, ndim=2)
    n, d = x.shape
    if n > MOST_ROWS or d > MOST_FEATURES:
        raise ValueError(f"{n:,} rows of {d} features are too many: up to {MOST_ROWS:,} of {MOST_FEATURES} are taken")
    names = _labels("population", population, n)
    times = checks.finite_array("time", time, ndim=1)
    if len(times) != n:
        raise ValueError(f"there are {n} rows of features and {len(times)} times")
    followed = None if particle is None else _labels("particle", particle, n)
    first, last = _two_times(times, before, after)
    constant = np.flatnonzero(np.ptp(x[(times == first) | (times == last)], axis=0) == 0)
    if len(constant):
        raise ValueError(f"feature {int(constant[0]) + 1} is the same in all rows; leave it out")
    known = np.unique(names)
    if not 2 <= len(known) <= MOST_COUNT:
        raise ValueError(f"the table has {len(known)} population(s); 2 to {MOST_COUNT} can be compared")
    made = []
    for name in known:
        rows = names == name
        ends = []
        for t in (first, last):
            of_time = np.flatnonzero(rows & (times == t))
            if len(of_time) < LEAST_ROWS:
                raise ValueError(
                    f"population {name} has {len(of_time)} row(s) at time {t:g}; give {LEAST_ROWS} or more at both "
                    "times, or leave the population out"
                )
            ends.append(of_time)
        if followed is not None:
            ends = _paired(str(name), followed, ends, (first, last))
        made.append(Population(str(name), x[ends[0]], x[ends[1]], followed is not None))
    return tuple(made)


def _labels(role: str, values: ArrayLike, n: int) -> NDArray[np.str_]:
    """Return names of one sort, whole numbers without a decimal point."""
    array = np.asarray(values)
    if array.shape != (n,):
        raise ValueError(f"{role} must have one entry for each of the {n} rows, got the shape {array.shape}")
    if array.dtype.kind in "iuf":
        array = checks.finite_array(role, array)
        kinds, inverse = np.unique(array, return_inverse=True)
        return np.array([f"{kind:g}" if kind == int(kind) else repr(float(kind)) for kind in kinds])[inverse]
    if array.dtype.kind == "O":
        array = np.array([str(one) for one in array])
    if array.dtype.kind != "U":
        raise TypeError(f"{role} must hold names or numbers, got {array.dtype}")
    if array.dtype.itemsize > 4 * LONGEST_NAME:
        raise ValueError(f"{role} has a name of more than {LONGEST_NAME} letters; give short names")
    return array


def _two_times(times: Floats, before: float | None, after: float | None) -> tuple[float, float]:
    there = np.unique(times)
    if len(there) < 2:
        raise ValueError(f"all rows are of time {there[0]:g}; a population before and after is needed")
    ends = []
    for role, wanted, default in (("before", before, there[0]), ("after", after, there[-1])):
        value = float(default) if wanted is None else checks.real(role, wanted)
        if value not in there:
            listed = ", ".join(f"{t:g}" for t in there[:8]) + ", …" * (len(there) > 8)
            raise ValueError(f"no row is of time {value:g} ({role}); the table has the times {listed}")
        ends.append(value)
    if ends[0] >= ends[1]:
        raise ValueError(f"before ({ends[0]:g}) must be earlier than after ({ends[1]:g})")
    return ends[0], ends[1]


def _paired(name: str, followed: NDArray[np.str_], ends: list, times: tuple[float, float]) -> list:
    sorted_ends = []
    for rows, t in zip(ends, times, strict=True):
        order = rows[np.argsort(followed[rows], kind="stable")]
        twice = np.flatnonzero(followed[order][1:] == followed[order][:-1])
        if len(twice):
            raise ValueError(
                f"particle {followed[order[twice[0]]]} of population {name} stands twice at time {t:g}; leave out the "
                "column of particles if points are not followed"
            )
        sorted_ends.append(order)
    lost = np.setxor1d(followed[sorted_ends[0]], followed[sorted_ends[1]])
    if len(lost):
        raise ValueError(
            f"particle {lost[0]} of population {name} is there at one time only ({len(lost)} such); leave those out, "
            "or the column of particles"
        )
    return sorted_ends


def example_population_table(count: int = 12, points: int = 60, seed: int = 0) -> PopulationTable:
    """Return an invented table: two blobs of unequal weight that shift across their axis, different in each population.

    >>> example_population_table(3).features.shape
    (360, 2)
    """
    those = populations("mixtures", checks.integer("count", count, minimum=2, maximum=100), points, seed)
    features = np.concatenate([np.concatenate([one.source, one.target]) for one in those])
    names = np.repeat([f"P{i + 1:02d}" for i in range(len(those))], 2 * points)
    times = np.tile(np.repeat([0.0, 1.0], points), len(those))
    return PopulationTable(features, names, times, None, "an invented example: blobs that shift across their axis")
