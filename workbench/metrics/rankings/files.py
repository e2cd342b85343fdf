"""Rankings from the user's own files: CSV in its dialects, or Parquet where pyarrow is installed.

A column named "label" (or "y", "target", …) says which items are positive, "group" and "weight" are optional, every
other column of numbers is a score. Nothing is guessed: a missing value, a NaN, a row of another length and text among
numbers are refused with their row.
"""

import contextlib
import csv
import importlib.util
import io
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from workbench import isolated
from workbench.clouds.decoding import TextFile, open_text
from workbench.clouds.source import bytes_of
from workbench.metrics.rankings.inputs import LARGEST, LONGEST_NAME, MOST_GROUPS, Sample, sample
from workbench.progress import Progress

FORMATS = ("csv", "tsv", "txt", "parquet")
DEFAULT_LIMIT = 64 * 2**20
MOST_COLUMNS = 200
MOST_FIELDS = 50_000_000
CHUNK = 20_000
ROLES = {
    "label": ("label", "labels", "y", "y_true", "target", "truth", "class", "outcome"),
    "group": ("group", "groups", "subgroup"),
    "weight": ("weight", "weights", "sample_weight"),
}
SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas"}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
PLAIN = frozenset("0123456789+-.,eE")
TRUTH = {"0": False, "1": True, "false": False, "true": True}
LIMITS = isolated.Limits(seconds=60, memory=2**30)


@dataclass(frozen=True)
class RankingReading:
    """What a file holds: labels (N,), scores by the name of their column, groups, weights, and how it was read."""

    positive: NDArray[np.bool_]
    scores: Mapping[str, NDArray[Any]]
    group: NDArray[np.str_] | None
    weights: NDArray[np.float64] | None
    sentence: str

    def sample(self, name: str | None = None) -> Sample:
        """Return one column of scores (the first) with its labels, weights and groups, checked."""
        chosen = next(iter(self.scores)) if name is None else name
        return sample(self.positive, self.scores[chosen], weights=self.weights, group=self.group)


def read_rankings(
    source: str | os.PathLike[str] | BinaryIO,
    *,
    positive: str | None = None,
    max_bytes: int = DEFAULT_LIMIT,
    apart: bool = False,
    progress: Progress | None = None,
) -> RankingReading:
    """Read labels and scores from a CSV, TSV or Parquet file, and say how it was read.

    ``source`` is a path, or a binary file with a ``.name``. The first row names the columns: one of "label", "y",
    "y_true", "target", "truth", "class", "outcome" holds the labels (0 and 1, true and false, or two texts of which
    ``positive`` is the positive one), "group" and "weight" may be there, all other columns of numbers are scores.

    Raises ``FileNotFoundError``; ``ValueError`` for an unknown or broken format, a missing value (with its row), and
    a file without labels or without scores. Parquet, and every file if ``apart``, is read in a process apart with
    bounded time and memory, which ``progress`` can end.

    >>> stream = io.BytesIO(b"label;model\\n1;0,9\\n0;0,2\\n1;0,4\\n")
    >>> stream.name = "mine.csv"
    >>> found = read_rankings(stream)
    >>> found.scores["model"].tolist(), found.sentence
    ([0.9, 0.2, 0.4], '3 items, 2 positive; scores: model; separated by semicolons; decimal comma')
    """
    name, data = bytes_of(source, max_bytes)
    columns, told = read_columns(data, name, apart=apart, progress=progress)
    return reading_of(columns, name, positive, told)


def read_columns(
    data: bytes, name: str, *, apart: bool = True, most: int = MOST_COLUMNS, progress: Progress | None = None
) -> tuple[dict[str, NDArray[Any]], str]:
    """Return up to ``most`` columns by their names, and how they were read; errors as :func:`read_rankings`."""
    kind = Path(name).suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise ValueError(f"cannot read {name!r} as {kind or 'nothing'!r}; the formats are {', '.join(FORMATS)}")
    if not data:
        raise ValueError(f"{name} is empty")
    if kind == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise ValueError(
            f"{name} is Parquet, which needs the package pyarrow: install it (pip install pyarrow), or save the table "
            "as CSV"
        )
    if not apart and kind != "parquet":
        return _from_text(open_text(data, name), most)
    found = isolated.call(columns_apart, data, name, most, limits=LIMITS, progress=progress)
    return {key: np.asarray(value) for key, value in found["columns"].items()}, found["told"]


def columns_apart(data: bytes, name: str, most: int = MOST_COLUMNS) -> dict[str, Any]:
    """Return what :func:`read_columns` returns, as it travels between processes; called in a process apart."""
    if name.lower().endswith(".parquet"):
        return {"columns": parquet_columns(data, name, most), "told": "Parquet"}
    columns, told = _from_text(open_text(data, name), most)
    return {"columns": columns, "told": told}


def reading_of(columns: Mapping[str, NDArray[Any]], name: str, positive: str | None, told: str) -> RankingReading:
    """Return columns by their roles: labels, groups, weights, scores; errors as :func:`read_rankings`."""
    roles = {role: _column(columns, names, name) for role, names in ROLES.items()}
    if roles["label"] is None:
        listed = ", ".join(list(columns)[:8])
        raise ValueError(
            f"{name} has the columns {listed}; name the one that says which items are positive “label”, and give it "
            "0 and 1"
        )
    others = {key: value for key, value in columns.items() if key not in roles.values()}
    scores = {key: value for key, value in others.items() if value.dtype.kind != "U"}
    left_out = [key for key in others if key not in scores]
    if not scores:
        raise ValueError(f"{name} has no column of numbers beside {roles['label']!r}; give one or more scores")
    group = None if roles["group"] is None else columns[roles["group"]].astype(str)
    if group is not None and len(np.unique(group)) > MOST_GROUPS:
        raise ValueError(f"{name} names {len(np.unique(group))} groups; up to {MOST_GROUPS} are told apart")
    weights = None
    if roles["weight"] is not None:
        weights = columns[roles["weight"]]
        if weights.dtype.kind == "U":
            raise ValueError(f"the column {roles['weight']!r} of {name} holds text; weights are numbers above 0")
        weights = weights.astype(float)
    is_positive = _labels(columns[roles["label"]], roles["label"], name, positive)
    shown = list(scores)[:6] + ["…"] * (len(scores) > 6)
    parts = [f"{len(is_positive)} items, {int(is_positive.sum())} positive", f"scores: {', '.join(shown)}"]
    parts += [f"{role}s" for role in ("group", "weight") if roles[role] is not None]
    parts += [f"left out: {', '.join(left_out[:6])}"] if left_out else []
    found = RankingReading(is_positive, scores, group, weights, "; ".join([*parts, told]))
    for key in scores:  # one class only, weights of 0: refused here, where the file's name is known
        found.sample(key)
    return found


def _column(columns: Mapping[str, Any], names: Sequence[str], file: str) -> str | None:
    found = [key for key in columns if key.strip().lower() in names]
    if len(found) > 1:
        raise ValueError(
            f"{file} has the columns {' and '.join(found)}; only one of them can be meant, rename the other"
        )
    return found[0] if found else None


def _labels(values: NDArray[Any], column: str, file: str, positive: str | None) -> NDArray[np.bool_]:
    kinds = np.unique(values)
    if len(kinds) > 2:
        raise ValueError(f"the column {column!r} of {file} holds {len(kinds)} different labels; a ranking needs two")
    texts = [_plain(kind) for kind in kinds.tolist()]
    if positive is not None and positive.strip():
        wanted = positive.strip()
        if wanted not in texts:
            raise ValueError(f"positive={wanted!r} is none of the labels of {file}: {' and '.join(texts)}")
        return values == kinds[texts.index(wanted)]
    if all(text.lower() in TRUTH for text in texts):
        return np.isin(values, [kind for kind, text in zip(kinds, texts, strict=True) if TRUTH[text.lower()]])
    if len(kinds) == 1:
        raise ValueError(f"all labels of {file} are {texts[0]}; a ranking needs positives and negatives")
    raise ValueError(f"{file} holds the labels {texts[0]} and {texts[1]}; say which is positive")


def _plain(label: Any) -> str:
    """Return a label as people write it: 1.0 is "1"."""
    if isinstance(label, float) and label.is_integer():
        return str(int(label))
    return str(label).strip()


# ---- text -----------------------------------------------------------------------------------------------------------


def _from_text(text: TextFile, most: int = MOST_COLUMNS) -> tuple[dict[str, NDArray[Any]], str]:
    rows = _rows(text)
    try:
        number, names, separator = next(rows)
    except StopIteration:
        raise ValueError(f"{text.name} holds no rows") from None
    _check_names(names, text.name, most)
    if all(NUMBER.fullmatch(field) for field in names):
        raise ValueError(f"{text.name} begins with numbers; let the first row name the columns, one of them “label”")
    comma = separator != ","
    chunks: list[list[NDArray[Any]]] = []
    numeric: list[bool] | None = None
    held: list[list[str]] = []
    first, total = 0, 0
    marks: set[str] = set()

    def close() -> None:
        nonlocal numeric, held, first, total
        if not held:
            return
        columns = list(zip(*held, strict=True))
        if numeric is None:
            numeric = [all(_number(field, comma) is not None for field in column) for column in columns]
        made = []
        for name, column, is_number in zip(names, columns, numeric, strict=True):
            if is_number:
                marks.update(mark for mark in ",." if any(mark in field for field in column))
                made.append(_numbers(column, name, text.name, first, comma))
            else:
                made.append(np.array(column))
        if len(marks) == 2:
            raise ValueError(
                f"{text.name} mixes decimal marks: some of its numbers have a comma and some a point; write one "
                "mark, and no separators of thousands"
            )
        chunks.append(made)
        total += len(held)
        held, first = [], first + len(held)

    for number, fields, _ in rows:
        if len(fields) != len(names):
            raise ValueError(
                f"line {number} of {text.name} has {len(fields)} values, the first row names {len(names)} columns"
            )
        for name, field in zip(names, fields, strict=True):
            if not field:
                raise ValueError(f"line {number} of {text.name} has no value in the column {name}; fill it or drop it")
            if len(field) > LONGEST_NAME:
                raise ValueError(f"line {number} of {text.name} has {len(field)} letters in the column {name}; up to "
                                 f"{LONGEST_NAME} are read")  # fmt: skip
        held.append(fields)
        if len(held) == CHUNK:
            close()
            if total > LARGEST or total * len(names) > MOST_FIELDS:
                raise ValueError(f"{text.name} has more than {total:,} rows of {len(names)} columns, too many to read")
    close()
    if not chunks:
        raise ValueError(f"{text.name} has names of columns and no rows under them")
    columns = {name: np.concatenate([chunk[k] for chunk in chunks]) for k, name in enumerate(names)}
    return columns, f"separated by {SEPARATORS[separator]}" + "; decimal comma" * ("," in marks)


def _rows(text: TextFile) -> Iterator[tuple[int, list[str], str]]:
    """Yield line number, fields and separator of every row, the names first; blank lines and # remarks are left out."""
    separator = ""
    for number, line in text.lines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not separator:
            separator = next((mark for mark in SEPARATORS if mark in line), "")
            if not separator:
                raise ValueError(f"{text.name} has one column ({line.strip()[:40]!r}); a ranking has labels and scores")
        if line.count('"') % 2:
            raise ValueError(f"line {number} of {text.name} opens a quotation that it does not close")
        fields = line.split(separator)
        if '"' in line:
            try:
                fields = next(csv.reader([line], delimiter=separator, skipinitialspace=True))
            except csv.Error as error:
                raise ValueError(f"line {number} of {text.name} cannot be read: {error}") from None
        yield number, [field.strip() for field in fields], separator


def _check_names(names: Sequence[str], file: str, most: int) -> None:
    if not 2 <= len(names) <= most:
        raise ValueError(f"{file} has {len(names)} columns; labels and what goes with them are 2 to {most}")
    for k, name in enumerate(names):
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise ValueError(f"column {k + 1} of {file} has no usable name: 1 to {LONGEST_NAME} printable letters")
    doubled = sorted({name for name in names if list(names).count(name) > 1})
    if doubled:
        raise ValueError(f"{file} has two columns named {doubled[0]!r}; names must differ")


def _number(field: str, comma: bool) -> float | None:
    if comma and field.count(",") == 1 and "." not in field:
        field = field.replace(",", ".")
    field = field.replace("−", "-")
    if NUMBER.fullmatch(field):
        return float(field)
    return math.nan if field.lower().lstrip("+-") in ("nan", "inf", "infinity") else None


def _numbers(column: Sequence[str], name: str, file: str, first: int, comma: bool) -> NDArray[np.float64]:
    # NumPy reads plain columns at once; whatever it refuses, or reads as infinite, is looked at field by field
    written = "".join(column)
    plain = [field.replace(",", ".") for field in column] if comma and "," in written else column
    if set(written) <= PLAIN:
        with contextlib.suppress(ValueError):
            read = np.array(plain).astype(np.float64)
            if np.isfinite(read).all():
                return read
    found = np.empty(len(column))
    for k, field in enumerate(column):
        value = _number(field, comma)
        if value is None or not math.isfinite(value):
            what = f"{field!r}, which is no number" if value is None else f"{field!r}: scores must be finite"
            raise ValueError(f"row {first + k + 1} of {file} (below the names) has {what}, in the column {name}")
        found[k] = value
    return found


# ---- Parquet --------------------------------------------------------------------------------------------------------


def parquet_columns(data: bytes, name: str, most: int = MOST_COLUMNS) -> dict[str, NDArray[Any]]:
    """Return the columns of a Parquet file as arrays of numbers or text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(io.BytesIO(data))
        schema, rows = file.schema_arrow, file.metadata.num_rows
        _check_names(schema.names, name, most)
        if rows > LARGEST or rows * len(schema.names) > MOST_FIELDS:
            raise ValueError(f"{name} has {rows:,} rows of {len(schema.names)} columns, too many to read")
        table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{name} cannot be read as Parquet: {str(error)[:200]}") from None
    found = {}
    for key, column in zip(table.column_names, table.columns, strict=True):
        if column.null_count:
            row = int(np.flatnonzero(np.asarray(column.is_null()))[0])
            raise ValueError(f"row {row + 1} of {name} has no value in the column {key}; fill it or drop the row")
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            found[key] = np.asarray(column)
        elif pa.types.is_boolean(kind):
            found[key] = np.asarray(column).astype(np.int64)
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
            texts = [str(value)[: LONGEST_NAME + 1] for value in column.to_pylist()]
            if max(map(len, texts), default=0) > LONGEST_NAME:
                raise ValueError(f"the column {key} of {name} has texts of more than {LONGEST_NAME} letters")
            found[key] = np.array(texts)
    return found
