"""One's own model output: a table with a run in every column, or a NetCDF variable with runs and times."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench import isolated
from workbench.clouds import foreign
from workbench.clouds.ensembles import read_ensemble
from workbench.clouds.tables import read_table
from workbench.progress import Progress

DEFAULT_LIMIT = 64 * 2**20
TABLES = (".csv", ".tsv", ".txt")
HDF5 = b"\x89HDF\r\n\x1a\n"
Source = str | os.PathLike[str] | bytes


def read_runs(
    source: Source,
    *,
    name: str = "the upload",
    variable: str | None = None,
    max_bytes: int = DEFAULT_LIMIT,
    apart: bool = False,
    progress: Progress | None = None,
) -> tuple[NDArray[np.float64], str]:
    """Read an ensemble of model output: returns (runs, samples) and a sentence that says how it was read.

    ``source`` is a path, or bytes with the file's ``name``. A table (CSV, TSV, text) has a run in every column and a
    time in every row. A NetCDF-4 file has one numeric variable (or the one named ``variable``) with a dimension of
    runs (run, member, ensemble, realization, number …, else the first); all its other dimensions are samples. It is
    read in a process apart, with bounded time and memory; so is a table if ``apart`` says that it is a stranger's.
    ``progress`` may ask for the end of such a reading. Raises ``FileNotFoundError``; ``ValueError`` for another
    format, a file larger than ``max_bytes``, missing values, or fewer than two runs.

    >>> values, sentence = read_runs(b"a,b\\n1,2\\n3,4\\n5,7\\n", name="mine.csv")
    >>> values.tolist(), sentence
    ([[1.0, 3.0, 5.0], [2.0, 4.0, 7.0]], '2 runs of 3 samples; 3 rows; columns a, b; separated by commas; 1 header row')
    """
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {str(path)!r}")
        if path.stat().st_size > max_bytes:
            raise ValueError(f"{path.name} has more than the {max_bytes / 2**20:.0f} MiB that are read here")
        source, name = path.read_bytes(), path.name
    if not isinstance(source, (bytes, bytearray)):
        raise TypeError(f"source must be a path or bytes, got {type(source).__name__}")
    data = bytes(source)
    if len(data) > max_bytes:
        raise ValueError(f"{name} has more than the {max_bytes / 2**20:.0f} MiB that are read here")
    if data.startswith(HDF5):
        limits = isolated.Limits(seconds=20, memory=3 * max_bytes + 2**28)
        asked = {"limits": limits, "progress": progress}
        values, told = isolated.read(read_ensemble, data, name, variable, max_bytes, **asked)
    elif Path(name).suffix.lower() in TABLES:
        table, told = foreign.read_table(data, name, progress=progress) if apart else read_table(data, name)
        values = np.ascontiguousarray(table.T)
    else:
        raise ValueError(f"{name} is neither a table ({', '.join(TABLES)}) nor a NetCDF-4 file (.nc); convert it first")
    if len(values) < 2:
        raise ValueError(f"{name} holds {len(values)} run; the test compares whole runs and needs two or more")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds missing or infinite values; remove those times from every run first")
    return values, f"{values.shape[0]} runs of {values.shape[1]} samples; {told}"
