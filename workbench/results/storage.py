"""Save and open results: NetCDF-4 by default, Zarr on request; written atomically, read without pickle."""

import io
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from workbench.checks import memory
from workbench.results.attributes import decode_attribute, encode_attribute
from workbench.results.conventions import validate
from workbench.results.hdf5 import Unfit, unpacked_bytes

NETCDF_MAGIC = (b"\x89HDF\r\n\x1a\n",)
DEFAULT_LIMIT = 4 * 2**30
PathOrName = str | os.PathLike[str]


def save(ds: xr.Dataset, path: PathOrName) -> Path:
    """Write ``ds`` to ``path`` (``.nc`` NetCDF-4, ``.zarr`` Zarr) and return the path.

    The data appear under ``path`` only when they are complete: a killed process or a full disk leaves whatever was
    there before. Raises ``ValueError`` for an invalid result or another suffix, ``OSError`` with the folder's name
    if it cannot be written.
    """
    validate(ds)
    target = check_target(path)
    encoded = _encode(ds)
    try:
        with _beside(target) as temporary:
            if target.suffix == ".nc":
                encoded.to_netcdf(temporary, engine="h5netcdf", encoding=_compression(encoded))
                os.replace(temporary, target)
            else:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # zarr v3 warns that its string type has no final specification
                    encoded.to_zarr(temporary, mode="w")
                _replace_folder(temporary, target)
    except OSError as error:
        raise OSError(f"could not write {target.name!r} in {str(target.parent)!r}: {error}") from error
    return target


def check_target(path: PathOrName) -> Path:
    """Return where a result is to be saved, or refuse it before anything is computed.

    Raises ``ValueError`` for a suffix other than ``.nc`` and ``.zarr``, and for a place where something else than a
    result is: a ``.zarr`` folder is replaced only if it is Zarr (or empty), a ``.nc`` never replaces a folder.
    ``FileNotFoundError`` if the folder around it does not exist.

    >>> check_target("result.nc").suffix
    '.nc'
    """
    target = Path(path)
    if target.suffix not in (".nc", ".zarr"):
        raise ValueError(f"cannot save to {target.name!r}: end the name in .nc (NetCDF) or .zarr (Zarr)")
    if not target.absolute().parent.is_dir():
        raise FileNotFoundError(f"the folder {str(target.absolute().parent)!r} does not exist; create it first")
    if target.is_dir() and not (target.suffix == ".zarr" and _is_zarr(target)):
        raise ValueError(
            f"the folder {str(target)!r} holds something else than a saved result and would be lost; move it away, or "
            "choose another name"
        )
    if target.suffix == ".zarr" and target.exists() and not target.is_dir():
        raise ValueError(f"{str(target)!r} is a file and would be lost; choose another name")
    return target


def _is_zarr(folder: Path) -> bool:
    """Whether a folder is a Zarr group as xarray writes one (format 2 or 3), or empty."""
    inside = {entry.name for entry in folder.iterdir()}
    return not inside or "zarr.json" in inside or ".zgroup" in inside


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Give a fresh temporary name in the target's folder, and remove whatever is left there at the end."""
    folder = tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        yield Path(folder) / target.name
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _replace_folder(temporary: Path, target: Path) -> None:
    """Put a finished folder in the place of an older one: the old one steps aside until the new one stands."""
    aside = temporary.with_name("previous")
    if target.exists():
        os.replace(target, aside)
    os.replace(temporary, target)


def open_result(path: PathOrName, *, max_bytes: int = DEFAULT_LIMIT) -> xr.Dataset:
    """Read a result that :func:`save` wrote, whole, into memory.

    Raises ``FileNotFoundError``, or ``ValueError`` if the file is no NetCDF-4/Zarr, is damaged, is no workbench
    result, or would unpack to more than ``max_bytes``.
    """
    source = Path(path)
    if not source.exists():
        raise FileNotFoundError(f"there is no file {str(source)!r}")
    if source.suffix == ".zarr" and source.is_dir():
        return _read(source, source.name, max_bytes, engine="zarr")
    with source.open("rb") as file:
        _check_magic(file.read(8), source.name)
    return _read(source, source.name, max_bytes, engine="h5netcdf")


def open_bytes(data: bytes, *, name: str = "the upload", max_bytes: int = DEFAULT_LIMIT) -> xr.Dataset:
    """Read a result from the bytes of a NetCDF file, as an upload brings it; errors as :func:`open`."""
    _check_magic(data[:8], name)
    return _read(io.BytesIO(data), name, max_bytes, engine="h5netcdf")


def to_bytes(ds: xr.Dataset) -> bytes:
    """Return ``ds`` as the bytes of a NetCDF-4 file."""
    with tempfile.TemporaryDirectory() as folder:
        return save(ds, Path(folder) / "result.nc").read_bytes()


def _check_magic(head: bytes, name: str) -> None:
    if not head.startswith(NETCDF_MAGIC):
        raise ValueError(
            f"{name} is not a NetCDF-4 file, whatever its name says; open a result that the workbench saved"
        )


def _read(source: Path | io.BytesIO, name: str, max_bytes: int, *, engine: str) -> xr.Dataset:
    with _in_words(name):
        needed = unpacked_bytes(source, max_bytes) if engine == "h5netcdf" else 0
    memory(needed, name)
    with _in_words(name), xr.open_dataset(source, engine=engine, decode_times=False) as lazy:
        if lazy.nbytes > max_bytes:
            raise Unfit(f"it unpacks to {lazy.nbytes:,} bytes, more than the {max_bytes:,} allowed here")
        found = decoded(lazy.load())
    return validate(found)


@contextmanager
def _in_words(name: str) -> Iterator[None]:
    """Say what is wrong with a file as one ``ValueError``."""
    try:
        yield
    except Unfit as error:
        raise ValueError(f"{name} is refused: {error}") from None
    except Exception as error:  # the readers raise many kinds; all mean the same to the user
        raise ValueError(f"{name} is damaged or is not a workbench result: {str(error)[:300]}") from error


def _compression(ds: xr.Dataset) -> dict[Any, dict[str, Any]]:
    """Compress numeric variables worth it; strings and scalars are left alone."""
    return {
        name: {"zlib": True, "complevel": 4, "shuffle": True}
        for name, variable in ds.variables.items()
        if variable.dtype.kind in "iuf" and variable.size > 64
    }


def _encode(ds: xr.Dataset) -> xr.Dataset:
    encoded = ds.copy()
    encoded.attrs = {key: encode_attribute(value) for key, value in ds.attrs.items()}
    for name in ds.variables:
        encoded[name].attrs = {key: encode_attribute(value) for key, value in ds[name].attrs.items()}
        encoded[name].encoding = {}
    return encoded


def decoded(ds: xr.Dataset) -> xr.Dataset:
    """Return a Dataset as it came from a file with its attributes and text as they were before saving."""
    ds.attrs = {key: decode_attribute(value) for key, value in ds.attrs.items()}
    renewed = {}
    for name in list(ds.variables):
        variable = ds[name].variable
        if variable.dtype.kind in "OT":
            renewed[name] = (variable.dims, np.asarray(variable.values).astype(str), variable.attrs)
    ds = ds.assign({n: v for n, v in renewed.items() if n in ds.data_vars})
    ds = ds.assign_coords({n: v for n, v in renewed.items() if n in ds.coords})
    for name in ds.variables:
        ds[name].attrs = {key: decode_attribute(value) for key, value in ds[name].attrs.items()}
        ds[name].encoding = {}
    ds.encoding = {}
    return ds
