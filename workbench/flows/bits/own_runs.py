"""One's own model output: a table with a run in every column, or a NetCDF variable with runs and times."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench import isolated
from workbench.clouds.tables import read_table
from workbench.results.hdf5 import Unfit, unpacked_bytes

DEFAULT_LIMIT = 64 * 2**20
TABLES = (".csv", ".tsv", ".txt")
RUN_NAMES = ("run", "member", "ensemble", "realization", "number", "ens", "runs", "members")
HDF5 = b"\x89HDF\r\n\x1a\n"
Source = str | os.PathLike[str] | bytes


def read_runs(
    source: Source, *, name: str = "the upload", variable: str | None = None, max_bytes: int = DEFAULT_LIMIT
) -> tuple[NDArray[np.float64], str]:
    """Read an ensemble of model output: returns (runs, samples) and a sentence that says how it was read.

    ``source`` is a path, or bytes with the file's ``name``. A table (CSV, TSV, text) has a run in every column and a
    time in every row. A NetCDF-4 file has one numeric variable (or the one named ``variable``) with a dimension of
    runs (run, member, ensemble, realization, number …, else the first); all its other dimensions are samples. It is
    read in a process apart, with bounded time and memory. Raises ``FileNotFoundError``; ``ValueError`` for another
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
        try:
            values, told = isolated.call(_from_netcdf, data, name, variable, max_bytes, limits=limits)
        except isolated.Stopped as error:
            raise ValueError(f"{name} is refused: {error}") from None
    elif Path(name).suffix.lower() in TABLES:
        table, told = read_table(data, name)
        values = np.ascontiguousarray(table.T)
    else:
        raise ValueError(f"{name} is neither a table ({', '.join(TABLES)}) nor a NetCDF-4 file (.nc); convert it first")
    if len(values) < 2:
        raise ValueError(f"{name} holds {len(values)} run; the test compares whole runs and needs two or more")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds missing or infinite values; remove those times from every run first")
    return values, f"{values.shape[0]} runs of {values.shape[1]} samples; {told}"


def _from_netcdf(data: bytes, name: str, variable: str | None, max_bytes: int) -> tuple[NDArray[np.float64], str]:
    """Return runs and how they were found. Runs in the process apart."""
    try:
        unpacked_bytes(io.BytesIO(data), max_bytes)
        with xr.open_dataset(io.BytesIO(data), engine="h5netcdf", decode_times=False) as ds:
            chosen = _choose(ds, name, variable)
            runs = _run_dimension(chosen)
            values = np.asarray(chosen.transpose(runs, ...).values, dtype=np.float64)
    except Unfit as error:
        raise ValueError(f"{name} is refused: {error}") from None
    except (OSError, KeyError, RuntimeError) as error:
        raise ValueError(f"{name} is damaged or no NetCDF-4 file: {str(error)[:200]}") from None
    rest = " × ".join(str(dim) for dim in chosen.dims if dim != runs)
    return values.reshape(len(values), -1), f"variable {chosen.name!r}, runs along {str(runs)!r}, samples along {rest}"


def _choose(ds: xr.Dataset, name: str, variable: str | None) -> xr.DataArray:
    usable = [key for key, found in ds.data_vars.items() if found.dtype.kind in "iuf" and found.ndim >= 2]
    if variable is not None and variable not in usable:
        raise ValueError(f"{name} has no numeric variable {variable!r} with runs and times; it has: {_listed(usable)}")
    if variable is None and len(usable) != 1:
        raise ValueError(
            f"{name} has {len(usable)} numeric variables with two dimensions or more ({_listed(usable)}); keep one in "
            "the file, or name it with variable=…"
        )
    return ds[variable or usable[0]]


def _run_dimension(chosen: xr.DataArray) -> Any:
    return next((dim for dim in chosen.dims if str(dim).lower() in RUN_NAMES), chosen.dims[0])


def _listed(names: list[Any]) -> str:
    return ", ".join(map(str, names[:10])) or "none"
