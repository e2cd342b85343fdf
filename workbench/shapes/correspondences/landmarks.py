"""Landmarks from the user's own files: a table of two columns, vertices of X and of Y that belong together."""

import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from workbench import isolated
from workbench.clouds.source import bytes_of
from workbench.clouds.tables import read_table
from workbench.progress import Progress
from workbench.shapes.correspondences.matching import MOST_LANDMARKS

FORMATS = ("csv", "tsv", "txt")
LARGEST_TABLE = 256 * 2**10
LIMITS = isolated.Limits(seconds=20, memory=2**30)


def read_landmarks(source: str | os.PathLike[str] | BinaryIO) -> NDArray[np.int64]:
    """Read landmarks from a table (CSV, TSV, text): rows of a vertex of X and the vertex of Y that belongs to it.

    Vertices are counted from 0; columns named x and y are found among others. Returns (m, 2), to be given as
    ``landmarks`` to :func:`match`, which refuses vertices that a mesh has not. Raises ``FileNotFoundError``;
    ``ValueError`` for another number of columns, numbers that count no vertex, a pair or a vertex given twice, and more
    than 200 pairs.

    >>> import io
    >>> stream = io.BytesIO(b"x,y\\n3,17\\n250,4\\n")
    >>> stream.name = "landmarks.csv"
    >>> read_landmarks(stream).tolist()
    [[3, 17], [250, 4]]
    """
    name, data = bytes_of(source, LARGEST_TABLE)
    return landmarks_in(data, name)[0]


def landmarks_in(
    data: bytes, name: str, *, apart: bool = False, progress: Progress | None = None
) -> tuple[NDArray[np.int64], str]:
    """Return the landmarks of a file's bytes and how they were read; ``apart`` in a process that can be ended."""
    if Path(name).suffix.lower().lstrip(".") not in FORMATS:
        raise ValueError(f"cannot read {name!r} as landmarks; the formats are {', '.join(FORMATS)}")
    found = (
        isolated.call(table_apart, data, name, limits=LIMITS, progress=progress) if apart else table_apart(data, name)
    )
    pairs = checked_landmarks(np.asarray(found["rows"]), name)
    return pairs, f"{len(pairs)} landmark{'' if len(pairs) == 1 else 's'}"


def table_apart(data: bytes, name: str) -> dict[str, Any]:
    """Return the rows of a table as they travel between processes."""
    return {"rows": read_table(data, name)[0]}


def checked_landmarks(rows: NDArray[np.float64], name: str) -> NDArray[np.int64]:
    """Return rows as pairs of vertices; ``ValueError`` names the first that is none."""
    if rows.ndim != 2 or rows.shape[1] != 2:
        raise ValueError(
            f"{name} has {rows.shape[-1]} columns; landmarks have two, a vertex of X and one of Y, or name the columns "
            "x and y"
        )
    if len(rows) > MOST_LANDMARKS:
        raise ValueError(f"{name} has {len(rows)} pairs; at most {MOST_LANDMARKS} landmarks are taken")
    wrong = ~((rows >= 0) & (rows == np.floor(rows)) & (rows < 2**31)).all(axis=1)
    if wrong.any():
        row = int(np.argmax(wrong))
        told = ", ".join(f"{value:g}" for value in rows[row])
        raise ValueError(f"pair {row + 1} of {name} is {told}; vertices are whole numbers counted from 0")
    pairs = rows.astype(np.int64)
    for side, letter in enumerate("XY"):
        vertices, counts = np.unique(pairs[:, side], return_counts=True)
        if counts.max() > 1:
            raise ValueError(f"{name} names vertex {vertices[counts.argmax()]} of {letter} twice; give it once")
    return pairs
