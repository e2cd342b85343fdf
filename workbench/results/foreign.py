"""Results that strangers hand in: read in a process that can be ended, rebuilt here from plain arrays."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from workbench import isolated
from workbench.results.attributes import encode_attribute
from workbench.results.conventions import validate
from workbench.results.storage import DEFAULT_LIMIT, decoded, open_bytes, open_result

SECONDS = 20.0
BESIDE_THE_DATA = 256 * 2**20


def open_foreign(
    source: bytes | Path, *, name: str = "the upload", max_bytes: int = DEFAULT_LIMIT, seconds: float = SECONDS
) -> xr.Dataset:
    """Read a result of which nothing is known, from its bytes or its path, as a server must.

    As :func:`open_bytes`, which it calls in a process apart (:mod:`workbench.isolated`): a file on which the reader
    hangs, crashes or takes more than three times ``max_bytes`` of memory is refused with a sentence. Costs a
    hundredth of a second beside the reading, about a second the first time. Raises ``ValueError``,
    ``FileNotFoundError``.
    """
    limits = isolated.Limits(seconds=seconds, memory=3 * max_bytes + BESIDE_THE_DATA)
    handed = str(source) if isinstance(source, Path) else bytes(source)
    parts, attrs = isolated.read(_parts, handed, name, max_bytes, limits=limits)
    data, coordinates = (
        {key: (tuple(dims), values, own) for key, dims, values, own, labels in parts if labels is wanted}
        for wanted in (False, True)
    )
    return validate(decoded(xr.Dataset(data, coordinates, attrs)))


def _parts(source: bytes | str, name: str, max_bytes: int) -> tuple[list[Any], dict[str, Any]]:
    """Return a result as the plain data that travel between processes. Runs in the process apart."""
    if isinstance(source, str):
        ds = open_result(Path(source), max_bytes=max_bytes)
    else:
        ds = open_bytes(source, name=name, max_bytes=max_bytes)
    parts = [
        [key, list(variable.dims), np.asarray(variable.values), _encoded(variable.attrs), key in ds.coords]
        for key, variable in ds.variables.items()
    ]
    return parts, _encoded(ds.attrs)


def _encoded(attrs: dict[Any, Any]) -> dict[str, Any]:
    return {key: encode_attribute(value) for key, value in attrs.items()}
