"""Columns of numbers and of text by their names: CSV in its dialects, or Parquet where pyarrow is installed.

A table of items, for readers that look for columns by name: the first row names them. Nothing is guessed: a missing
value, a NaN, a row of another length and text among numbers are refused with their row. (Clouds of numbers alone are
read by :mod:`~workbench.clouds.tables`.)
"""

import contextlib
import csv
import importlib.util
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import isolated
from workbench.clouds.decoding import TextFile, open_text
from workbench.progress import Progress

FORMATS = ("csv", "tsv", "txt", "parquet")
MOST_COLUMNS = 200
MOST_FIELDS = 50_000_000
LARGEST = 20_000_000
"""Rows of a table."""
LONGEST_NAME = 60
CHUNK = 20_000
SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas"}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
PLAIN = frozenset("0123456789+-.,eE")
LIMITS = isolated.Limits(seconds=60, memory=2**30)


def read_columns(
    data: bytes, name: str, *, apart: bool = True, most: int = MOST_COLUMNS, progress: Progress | None = None
) -> tuple[dict[str, NDArray[Any]], str]:
    """Return up to ``most`` columns by their names, and how they were read.

    Columns of numbers become float64, all others text. Raises ``ValueError`` for another ending than CSV, TSV, TXT or
    Parquet, and for what is no such table. Parquet, and every file if ``apart``, is read in a process apart with
    bounded time and memory, which ``progress`` can end.

    >>> columns, told = read_columns(b"donor;dose\\na;0,5\\nb;2\\n", "mine.csv", apart=False)
    >>> columns["donor"].tolist(), columns["dose"].tolist(), told
    (['a', 'b'], [0.5, 2.0], 'separated by semicolons; decimal comma')
    """
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


def named_column(columns: Mapping[str, Any], names: Sequence[str], file: str) -> str | None:
    """Return which column bears one of ``names``, None if none does; ``ValueError`` if several do."""
    found = [key for key in columns if key.strip().lower() in names]
    if len(found) > 1:
        raise ValueError(
            f"{file} has the columns {' and '.join(found)}; only one of them can be meant, rename the other"
        )
    return found[0] if found else None


# ---- text -----------------------------------------------------------------------------------------------------------


def _from_text(text: TextFile, most: int = MOST_COLUMNS) -> tuple[dict[str, NDArray[Any]], str]:
    rows = _rows(text)
    try:
        number, names, separator = next(rows)
    except StopIteration:
        raise ValueError(f"{text.name} holds no rows") from None
    _check_names(names, text.name, most)
    if all(NUMBER.fullmatch(field) for field in names):
        raise ValueError(f"{text.name} begins with numbers; let the first row name the columns")
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
                raise ValueError(f"{text.name} has one column ({line.strip()[:40]!r}); two or more are needed")
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
        raise ValueError(f"{file} has {len(names)} columns; a table of items has 2 to {most}")
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
            what = f"{field!r}, which is no number" if value is None else f"{field!r}: numbers must be finite"
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
