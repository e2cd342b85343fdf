"""Where the small data that ship with the workbench are: precomputed results, trained nets, study tables."""

import functools
import json
from pathlib import Path
from typing import Any

import xarray as xr

from workbench import results

_HERE = Path(__file__).resolve().parent


def folder() -> Path:
    """Return the data folder: inside an installed package, or beside it in a checkout."""
    installed = _HERE / "_data"
    return installed if installed.is_dir() else _HERE.parent / "data"


def path(name: str) -> Path:
    """Return the path of a shipped file, e.g. ``path("fisher/torus.nc")``.

    Raises ``FileNotFoundError`` naming what the folder does hold.
    """
    found = (folder() / name).resolve()
    if not found.is_relative_to(folder().resolve()) or not found.exists():
        there = sorted(str(p.relative_to(folder())) for p in folder().rglob("*") if p.is_file())
        raise FileNotFoundError(f"no shipped data file {name!r}; there are: {', '.join(there) or 'none'}")
    return found


def result(name: str) -> xr.Dataset:
    """Return a shipped result, e.g. ``result("fisher/torus.nc")``, read from its file once in a process.

    Every caller gets a Dataset of its own, but they share their arrays: copy before writing into one. Raises
    ``FileNotFoundError`` like :func:`path`.
    """
    return _read(name).copy(deep=False)


def result_for(name: str, **arguments: object) -> xr.Dataset | None:
    """Return a shipped result if its experiment was called with these arguments (others being what they are), or None.

    What the first answer of a tab was made of stands in its file and in the script that made it, and nowhere else.

    >>> result_for("flows/first_flow.nc", x="torus", y="cube", steps=60).sizes["frame"]
    61
    >>> result_for("flows/first_flow.nc", x="torus", y="sphere", steps=60) is None
    True
    """
    made = _parameters(name)
    asked = results.describe(arguments)
    return result(name) if all(key in made and made[key] == value for key, value in asked.items()) else None


@functools.lru_cache(maxsize=128)
def _parameters(name: str) -> dict[str, Any]:
    return json.loads(_read(name).attrs["parameters"])


@functools.lru_cache(maxsize=128)
def _read(name: str) -> xr.Dataset:
    return results.open(path(name))
