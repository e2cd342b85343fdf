"""One's own density fields: NPY and NPZ arrays, pictures, and tables of positions put onto a grid.

What a file promises is looked at before memory is taken, and nothing is unpickled. Positions are spread by cloud in
cell, linearly over the cells around each, in a periodic box whose side has to be said: no table tells it.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.clouds import foreign
from workbench.clouds.arrays import read_members
from workbench.clouds.pictures import read_picture
from workbench.clouds.tables import read_table
from workbench.fisher.entropic.grid import LEAST_SIDE, MOST_CELLS, Floats, grid_of
from workbench.progress import Progress

ARRAYS = (".npy", ".npz")
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
TABLES = (".csv", ".tsv", ".txt")
FORMATS = (*ARRAYS, *PICTURES, *TABLES)
DEFAULT_LIMIT = 64 * 2**20
LONGEST = 1024
"""Pixels of the longer side of a picture; larger ones are shrunk."""
Source = str | os.PathLike[str] | bytes


@dataclass(frozen=True, eq=False)
class FieldReading:
    """What a file holds: ``values`` of a density (nx, ny) or (nx, ny, nz), or ``positions`` (n, 2) or (n, 3).

    ``sentence`` says how it was read.
    """

    values: Floats | None
    positions: Floats | None
    sentence: str

    def density(self, *, box: float | None = None, side: int = 128) -> Floats:
        """Return the density: the values as they are, or the positions put onto ``side`` cells a side of a ``box``.

        Raises ``ValueError`` for positions without a box, and as :func:`cloud_in_cell`.
        """
        if self.values is not None:
            return self.values
        if box is None:
            raise ValueError("the file holds positions, and no table says how long its periodic box is; give box=…")
        return cloud_in_cell(self.positions, box, side)


def read_field(
    source: Source,
    *,
    name: str = "the upload",
    max_bytes: int = DEFAULT_LIMIT,
    apart: bool = False,
    progress: Progress | None = None,
) -> FieldReading:
    """Read a density field from a path, or from bytes with the file's ``name``.

    NPY, NPZ: an array of two or three dimensions (of an archive the only one, or the one named "density"). PNG, JPEG,
    WebP, BMP: the mean of the colours, the first axis pointing right and the second up. CSV, TSV, text: two or three
    columns of positions in a periodic box, which :meth:`FieldReading.density` puts onto a grid. ``apart`` reads a
    stranger's file in a process with bounded time and memory, which ``progress`` can end.

    Raises ``FileNotFoundError``; ``ValueError`` with a sentence for another format, a file larger than ``max_bytes``,
    an array of another shape, more than 16 million cells.

    >>> found = read_field(b"x,y\\n0.5,0.5\\n1.5,2.0\\n", name="mine.csv")
    >>> found.sentence
    '2 positions; 2 rows; columns x, y; separated by commas; 1 header row'
    >>> float(found.density(box=4.0, side=4).sum())
    16.0
    """
    data, name = _bytes_of(source, name, max_bytes)
    kind = Path(name).suffix.lower()
    if kind not in FORMATS:
        raise ValueError(f"{name} is no file of a field; the formats are {', '.join(FORMATS)}")
    if kind in ARRAYS:
        members = (
            foreign.read_members(data, name, max_bytes, progress=progress)
            if apart
            else read_members(data, name, max_bytes)
        )
        return _array(members, name)
    if kind in PICTURES:
        found = (
            foreign.read_picture(data, name, longest=LONGEST, max_bytes=max_bytes, progress=progress)
            if apart
            else read_picture(data, name=name, longest=LONGEST, max_bytes=max_bytes)
        )
        grey = found.pixels.mean(axis=-1)[::-1].T  # rows run down; y runs up
        grid_of(grey.shape)
        return FieldReading(np.ascontiguousarray(grey), None, f"{found.sentence}; mean of its colours as density")
    table, told = foreign.read_table(data, name, progress=progress) if apart else read_table(data, name)
    if table.shape[1] not in (2, 3):
        raise ValueError(f"{name} has {table.shape[1]} columns; positions have two or three (x, y[, z])")
    return FieldReading(None, table, f"{len(table)} positions; {told}")


def _bytes_of(source: Source, name: str, max_bytes: int) -> tuple[bytes, str]:
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {str(path)!r}")
        size, name = path.stat().st_size, path.name
        data = b"" if size > max_bytes else path.read_bytes()
    elif isinstance(source, (bytes, bytearray)):
        size, data = len(source), bytes(source)
    else:
        raise TypeError(f"source must be a path or bytes, got {type(source).__name__}")
    if size > max_bytes:
        raise ValueError(f"{name} has {size / 2**20:.0f} MiB; up to {max_bytes / 2**20:.0f} MiB are read here")
    if size == 0:
        raise ValueError(f"{name} is empty")
    return data, name


def _array(members: dict[str, NDArray], name: str) -> FieldReading:
    key = "density" if "density" in members else next(iter(members), "")
    if not members or (len(members) > 1 and key != "density"):
        raise ValueError(f"{name} holds the arrays {', '.join(members)[:80] or 'none'}; name the one to take 'density'")
    found = members[key]
    shape = " × ".join(map(str, found.shape))
    if found.ndim not in (2, 3):
        raise ValueError(f"{name} holds an array of {found.ndim} dimensions ({shape}); a field has two or three")
    grid_of(found.shape)
    values = checks.finite_array(f"the array in {name}", found, ndim=(2, 3))
    return FieldReading(values, None, f"{shape} cells; {found.dtype.name}")


def cloud_in_cell(positions: ArrayLike, box: float, side: int) -> Floats:
    """Return the density of positions (n, 2) or (n, 3) on ``side`` cells a side of a periodic box, of mean one.

    Each position is spread linearly over the grid points around it, so that mass is kept exactly. Raises ``ValueError``
    for other columns and for positions outside [0, box].

    >>> cloud_in_cell([[0.0, 0.0]], 1.0, 4)[0].tolist()
    [16.0, 0.0, 0.0, 0.0]
    """
    points = checks.finite_array("the positions", positions, ndim=2)
    if points.shape[1] not in (2, 3):
        raise ValueError(
            f"positions have two or three columns (x, y[, z]), got {points.shape[1]}; leave out the others"
        )
    box = checks.real("box", box, exclusive_minimum=0, maximum=1e12)
    d = points.shape[1]
    side = checks.integer("side", side, minimum=LEAST_SIDE, maximum=int(MOST_CELLS ** (1 / d) + 1e-6))
    outside = ((points < 0) | (points > box)).any(axis=1)
    if outside.any():
        row = int(np.argmax(outside))
        raise ValueError(
            f"{int(outside.sum())} of {len(points)} positions lie outside the box from 0 to {box:g} (row {row + 1}: "
            f"{', '.join(f'{value:g}' for value in points[row])}); give the box's true side, or move its corner to 0"
        )
    counts = np.zeros(side**d)
    _deposit(points * (side / box), side, counts)
    return counts.reshape((side,) * d) * (side**d / len(points))


@njit(cache=True, nogil=True)
def _deposit(points: Floats, side: int, counts: Floats) -> None:
    n, d = points.shape
    for i in range(n):
        for corner in range(1 << d):
            place, weight = 0, 1.0
            for axis in range(d):
                whole = int(np.floor(points[i, axis]))
                rest = points[i, axis] - whole
                if corner >> axis & 1:
                    whole += 1
                    weight *= rest
                else:
                    weight *= 1 - rest
                place = place * side + whole % side
            counts[place] += weight
