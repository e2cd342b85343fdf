"""Labelled features from the user's own files: CSV with a class column, Parquet, NPY and NPZ.

A stranger's table may lie about its classes as well as its numbers: every column is read as rankings are, every array
as clouds are, and what is left out is said.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from workbench import isolated
from workbench.clouds.arrays import read_members
from workbench.clouds.columns import LIMITS, read_columns
from workbench.clouds.source import bytes_of
from workbench.metrics.embeddings.inputs import Floats, labelled
from workbench.metrics.rankings.files import DEFAULT_LIMIT, ROLES
from workbench.progress import Progress

FORMATS = ("csv", "tsv", "txt", "parquet", "npz", "npy")
MOST_COLUMNS = 4097
FEATURES = ("features", "embeddings", "x", "points")
LABELS = ("labels", "label", "y", "classes", "class", "targets", "target")
UNPACKED = 8 * DEFAULT_LIMIT


@dataclass(frozen=True)
class EmbeddingReading:
    """What a file holds: features (n, d), the class of each item in words or numbers, and how it was read."""

    features: Floats
    labels: NDArray[Any]
    sentence: str


def read_embeddings(
    source: str | os.PathLike[str] | BinaryIO,
    *,
    column: str | None = None,
    max_bytes: int = DEFAULT_LIMIT,
    apart: bool = False,
    progress: Progress | None = None,
) -> EmbeddingReading:
    """Read features and classes from a CSV, TSV, Parquet, NPY or NPZ file, and say how it was read.

    A table has a row of names; ``column`` names that of the classes, by default "label", "class", "y", "target", … or
    the only column of words; all other columns of numbers are features. An NPZ archive has arrays "features" (n, d)
    and "labels" (n,) of numbers; an NPY array (n, d + 1) has the class, a whole number, in its last column. Raises
    ``FileNotFoundError``; ``ValueError`` for an unknown or broken format, a missing value (with its row) and a file
    without classes or features. Parquet, and every file if ``apart``, is read in a process apart.

    >>> import io
    >>> stream = io.BytesIO(b"u,v,kind\\n1,2,cat\\n3,4,dog\\n5,6,cat\\n")
    >>> stream.name = "mine.csv"
    >>> found = read_embeddings(stream)
    >>> found.features.shape, found.labels.tolist(), found.sentence
    ((3, 2), ['cat', 'dog', 'cat'], '3 items of 2 features; 2 classes in the column kind; separated by commas')
    """
    name, data = bytes_of(source, max_bytes)
    return reading_of(contents_of(data, name, apart=apart, progress=progress), name, column)


@dataclass(frozen=True)
class Contents:
    """The columns of a table, or the arrays of an archive, before it is said which of them are the classes."""

    parts: Mapping[str, NDArray[Any]]
    told: str
    is_table: bool


def contents_of(data: bytes, name: str, *, apart: bool = True, progress: Progress | None = None) -> Contents:
    """Return what a file holds; errors as :func:`read_embeddings`."""
    kind = Path(name).suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise ValueError(f"cannot read {name!r} as {kind or 'nothing'!r}; the formats are {', '.join(FORMATS)}")
    if not data:
        raise ValueError(f"{name} is empty")
    if kind not in ("npy", "npz"):
        columns, told = read_columns(data, name, apart=apart, most=MOST_COLUMNS, progress=progress)
        return Contents(columns, told, True)
    if not apart:
        return Contents(arrays_apart(data, name), "", False)
    found = isolated.call(arrays_apart, data, name, limits=LIMITS, progress=progress)
    return Contents({key: np.asarray(value) for key, value in found.items()}, "", False)


def reading_of(contents: Contents, name: str, column: str | None = None) -> EmbeddingReading:
    """Return features and classes by their roles; errors as :func:`read_embeddings`."""
    if contents.is_table:
        return of_columns(contents.parts, name, column, contents.told)
    return of_arrays(contents.parts, name)


def arrays_apart(data: bytes, name: str) -> dict[str, Any]:
    """Return the arrays of an NPY or NPZ file by their names; called in a process apart."""
    return dict(read_members(data, name, UNPACKED))


def of_arrays(arrays: Mapping[str, NDArray[Any]], name: str) -> EmbeddingReading:
    """Return arrays by their roles; errors as :func:`read_embeddings`."""
    if set(arrays) == {"array"} and name.lower().endswith(".npy"):
        array = arrays["array"]
        if array.ndim != 2 or array.shape[1] < 2:
            raise ValueError(f"{name} has shape {array.shape}; give (n, d + 1): features, and the class as last column")
        labels = array[:, -1]
        if array.dtype.kind == "f" and not np.array_equal(labels, np.round(labels)):
            raise ValueError(
                f"the last column of {name} holds fractions; it must be the class, a whole number: or give an NPZ with "
                "arrays “features” and “labels”"
            )
        return _reading(array[:, :-1], labels, name, "the last column", ["class by a whole number"])
    lower = {key.lower(): key for key in arrays}
    chosen = [next((lower[key] for key in names if key in lower), None) for names in (FEATURES, LABELS)]
    if None in chosen:
        what = "features" if chosen[0] is None else "labels"
        listed = ", ".join(arrays)[:80] or "none"
        raise ValueError(f"{name} holds the arrays {listed}; name the {what} “{what}”, numbers (n, d) and (n,)")
    features, labels = (arrays[key] for key in chosen)
    if features.ndim != 2 or labels.ndim != 1:
        raise ValueError(f"{name} has features {features.shape} and labels {labels.shape}; give (n, d) and (n,)")
    others = [key for key in arrays if key not in chosen]
    more = [f"left out: {', '.join(others)[:80]}"] if others else []
    return _reading(features, labels, name, f"the array {chosen[1]}", more)


def of_columns(columns: Mapping[str, NDArray[Any]], name: str, column: str | None, told: str) -> EmbeddingReading:
    """Return columns by their roles; errors as :func:`read_embeddings`."""
    words = [key for key, value in columns.items() if value.dtype.kind == "U"]
    if column:
        if column not in columns:
            raise ValueError(f"{name} has no column {column!r}; it has {', '.join(columns)[:200]}")
        chosen = column
    else:
        usual = [key for key in columns if key.strip().lower() in ROLES["label"]]
        candidates = usual or words
        if len(candidates) != 1:
            listed = ", ".join(candidates or columns)[:120]
            raise ValueError(
                f"{name} has {'several columns that may hold' if candidates else 'no column that names'} the classes "
                f"({listed}); say which it is, or call it “label”"
            )
        chosen = candidates[0]
    numbers = [key for key, value in columns.items() if key != chosen and value.dtype.kind != "U"]
    if not numbers:
        raise ValueError(f"{name} has no column of numbers beside {chosen!r}; give one or more features")
    left_out = [key for key in words if key != chosen]
    features = np.column_stack([columns[key] for key in numbers])
    more = [f"left out: {', '.join(left_out[:6])}"] if left_out else []
    return _reading(features, columns[chosen], name, f"the column {chosen}", [*more, told])


def _reading(features: NDArray[Any], labels: NDArray[Any], name: str, where: str, more: list[str]) -> EmbeddingReading:
    try:
        given = labelled(features, labels)
    except (ValueError, TypeError) as error:  # refused here, where the file's name is known
        raise ValueError(f"{name}: {error}") from None
    n, d = given.features.shape
    told = [f"{n} items of {d} feature{'s' * (d != 1)}", f"{len(given.classes)} classes in {where}", *more]
    return EmbeddingReading(given.features, np.array(given.classes)[given.codes], "; ".join(told))
