"""Ensembles of runs from other people's NetCDF files: one variable, a dimension of runs, all others samples."""

import io
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench.results.hdf5 import Unfit, unpacked_bytes

RUN_NAMES = ("run", "member", "ensemble", "realization", "number", "ens", "runs", "members")


def read_ensemble(data: bytes, name: str, variable: str | None, max_bytes: int) -> tuple[NDArray[np.float64], str]:
    """Return (runs, samples) of the numeric variable of a NetCDF-4 file (or of ``variable``), and how they were found.

    Runs lie along a dimension called run, member, ensemble, realization, number, else along the first; all other
    dimensions are samples. Raises ``ValueError`` for a file that is damaged, unpacks to more than ``max_bytes``, or
    has no such variable. A stranger's file is read with this in a process apart (:mod:`workbench.isolated`).

    >>> import xarray as xr
    >>> data = bytes(xr.Dataset({"t": (("member", "time"), [[1.0, 2.0], [3.0, 4.0]])}).to_netcdf(engine="h5netcdf"))
    >>> values, sentence = read_ensemble(data, "mine.nc", None, 10_000)
    >>> values.tolist(), sentence
    ([[1.0, 2.0], [3.0, 4.0]], "variable 't', runs along 'member', samples along time")
    """
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
