"""One cell as bytes: a Dataset in NumPy's ``.npz``, read with ``allow_pickle=False``.

Why not NetCDF, as everywhere else: a scalar cell takes 11 ms to write and 10 ms to read through HDF5, 0.1 and 0.2 ms
this way, and HDF5's file locks are unwelcome on the network folders of clusters. Every member of the archive carries
a CRC, so a flipped bit is found. The whole sweep is saved as NetCDF or Zarr as usual.
"""

import io
import json
import os
import zipfile
from collections.abc import Collection
from typing import Any

import numpy as np
import xarray as xr

HEADER = "header"
Source = str | os.PathLike[str] | io.BytesIO


class Damaged(ValueError):
    """A cell file that cannot be read or is not what its name says."""


def encode(ds: xr.Dataset, header: dict[str, Any]) -> bytes:
    """Return ``ds`` and a header of plain JSON values as the bytes of a cell file."""
    variables, arrays = [], {}
    for position, (name, variable) in enumerate(ds.variables.items()):
        values = np.asarray(variable.values)
        if values.dtype.kind == "T":
            values = values.astype(str)
        arrays[f"v{position}"] = values
        variables.append(
            {
                "name": name,
                "dims": list(variable.dims),
                "attrs": variable.attrs,
                "coordinate": name in ds.coords,
                "shape": list(values.shape),
                "dtype": values.dtype.str,
            }
        )
    text = json.dumps({**header, "attrs": ds.attrs, "variables": variables}, default=_plain)
    buffer = io.BytesIO()
    np.savez(buffer, **{HEADER: np.frombuffer(text.encode(), dtype=np.uint8)}, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"an attribute of type {type(value).__name__} cannot be stored; use numbers, strings or lists")


def read_header(source: Source) -> dict[str, Any]:
    """Return the header of a cell file alone. Raises :class:`Damaged`."""
    return _read(source, lambda archive: _header(archive))


def decode(source: Source, *, only: Collection[str] | None = None) -> tuple[dict[str, Any], xr.Dataset]:
    """Return the header and the Dataset of a cell file, or those of its variables that are in ``only``."""

    def read(archive: Any) -> tuple[dict[str, Any], xr.Dataset]:
        header = _header(archive)
        chosen = [(k, v) for k, v in enumerate(header["variables"]) if only is None or v["name"] in only]
        parts = {v["name"]: (v["dims"], archive[f"v{k}"], v["attrs"]) for k, v in chosen}
        coordinates = {v["name"] for _, v in chosen if v["coordinate"]}
        data = {name: part for name, part in parts.items() if name not in coordinates}
        return header, xr.Dataset(data, {name: parts[name] for name in coordinates}, header["attrs"])

    return _read(source, read)


def verify(source: Source, key: str) -> None:
    """Read every byte of a cell file against its checksums, and its key; raises :class:`Damaged`. Constant memory."""
    try:
        with zipfile.ZipFile(source) as archive:
            broken = archive.testzip()
    except Exception as error:  # zipfile raises many kinds; all mean the same
        raise Damaged(str(error)) from error
    if broken:
        raise Damaged(f"the checksum of {broken!r} does not match")
    found = read_header(source).get("key")
    if found != key:
        raise Damaged(f"the file holds the cell {found}, not {key}")


def _header(archive: Any) -> dict[str, Any]:
    return json.loads(archive[HEADER].tobytes())


def _read(source: Source, read: Any) -> Any:
    if isinstance(source, io.BytesIO):
        source.seek(0)
    try:
        if not zipfile.is_zipfile(source):
            raise Damaged("it is cut short, or no cell file at all")
        with np.load(source, allow_pickle=False) as archive:
            return read(archive)
    except Damaged:
        raise
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise Damaged(str(error)) from error
    except Exception as error:  # np.load and zipfile raise many kinds; all mean the same
        raise Damaged(f"{type(error).__name__}: {error}") from error
