"""Where the small data that ship with the workbench are: precomputed results, trained nets, study tables."""

from pathlib import Path

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
