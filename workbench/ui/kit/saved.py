"""The folder of saved results that a server is given (WORKBENCH_RESULTS): list it, and open one by name."""

import os
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from workbench import results

MOST_LISTED = 50


@dataclass(frozen=True)
class SavedResult:
    """One file of the folder."""

    name: str
    function: str
    modified: float

    @property
    def room(self) -> str:
        """The room whose experiment made it, e.g. ``flows``."""
        return self.function.split(".")[1] if self.function.startswith("workbench.") else ""


def folder() -> Path | None:
    """Return the folder, or None if the server was given none."""
    named = os.environ.get("WORKBENCH_RESULTS")
    return Path(named) if named else None


def recent() -> list[SavedResult]:
    """Return the newest results of the folder, newest first; files that are no results are left out."""
    where = folder()
    if where is None or not where.is_dir():
        return []
    files = sorted(where.glob("*.nc"), key=lambda path: path.stat().st_mtime, reverse=True)[:MOST_LISTED]
    return [found for path in files if (found := _look(path)) is not None]


def _look(path: Path) -> SavedResult | None:
    """Read only the attributes."""
    try:
        with xr.open_dataset(path, engine="h5netcdf") as lazy:
            return SavedResult(path.name, str(lazy.attrs["function"]), path.stat().st_mtime)
    except Exception:  # whatever the file is, it is no result to list
        return None


def open_named(name: str, *, max_bytes: int = results.DEFAULT_LIMIT) -> xr.Dataset:
    """Open one result of the folder by its file name.

    Raises ``ValueError`` if there is no folder, no such file in it (a path that leads elsewhere included), or the
    file is no result.
    """
    where = folder()
    if where is None:
        raise ValueError("this server has no results folder; start it with --results FOLDER")
    path = where / name
    if Path(name).name != name or not path.is_file() or not path.resolve().is_relative_to(where.resolve()):
        raise ValueError(f"there is no saved result {name[:80]!r} on this server")
    return results.open(path, max_bytes=max_bytes)
