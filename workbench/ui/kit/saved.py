"""The folder of saved results that a server is given (WORKBENCH_RESULTS): list it, and open one by name.

What lies in the folder is trusted less than the folder: a file may be damaged, a link may lead nowhere or out of it, a
name in an address may be anything. None of that may keep the page from the other results, or from the visitor.
"""

import functools
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from workbench import results

MOST_LISTED = 50
LONGEST_NAME = 255  # what file systems take


@dataclass(frozen=True)
class SavedResult:
    """One file of the folder."""

    name: str
    function: str
    modified: float

    @property
    def room(self) -> str:
        """The room whose experiment made it, e.g. ``flows``."""
        parts = self.function.split(".")
        return parts[1] if len(parts) > 1 and parts[0] == "workbench" else ""


def folder() -> Path | None:
    """Return the folder, or None if the server was given none."""
    named = os.environ.get("WORKBENCH_RESULTS")
    return Path(named) if named else None


def recent() -> list[SavedResult]:
    """Return the newest results of the folder, newest first; files that are no results are left out."""
    where = folder()
    try:
        files = list(where.glob("*.nc")) if where is not None else []
    except OSError:  # the folder has gone, or may not be read
        files = []
    known = [(found.st_mtime, path, found) for path in files if (found := _status(path)) is not None]
    newest = sorted(known, key=lambda one: (-one[0], one[1].name))[:MOST_LISTED]
    listed = ((_function(path, found.st_mtime_ns, found.st_size), path, when) for when, path, found in newest)
    return [SavedResult(path.name, function, when) for function, path, when in listed if function]


def _status(path: Path) -> os.stat_result | None:
    """Return what the system knows of a plain file that lies in the folder itself, None for everything else."""
    try:
        found = path.stat()
        inside = path.resolve().parent == path.parent.resolve()
    except (OSError, RuntimeError, ValueError):  # a link to nowhere, a ring of links, a folder that may not be entered
        return None
    return found if inside and stat.S_ISREG(found.st_mode) else None


@functools.lru_cache(maxsize=4 * MOST_LISTED)
def _function(path: Path, modified: int, size: int) -> str:
    """Return the name of the function that made a result, ``""`` for what is none; read once for a state of a file."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            function = file.attrs["function"]
    except Exception:  # whatever the file is, it is no result to list
        return ""
    return function if isinstance(function, str) and 0 < len(function) <= LONGEST_NAME else ""


def open_named(name: str, *, max_bytes: int = results.DEFAULT_LIMIT) -> xr.Dataset:
    """Open one result of the folder by its file name, in a process that can be ended.

    Raises ``ValueError`` if there is no folder, no such file in it (a path that leads elsewhere included), or the
    file is no result.
    """
    where = folder()
    if where is None:
        raise ValueError("this server has no results folder; start it with --results FOLDER")
    plain = isinstance(name, str) and Path(name).name == name and name.isprintable() and len(name) <= LONGEST_NAME
    path = where / name if plain else where
    if not plain or _status(path) is None:
        raise ValueError(f"there is no saved result {str(name)[:80]!r} on this server")
    return results.open_foreign(path, name=name, max_bytes=max_bytes)
