"""What a store holds, without computing anything."""

import os
from dataclasses import dataclass
from typing import Any

from workbench.sweeps.store import Store


@dataclass(frozen=True)
class Status:
    """How many cells of a store are finished, failed and damaged, and how much disk the finished ones take."""

    finished: int
    failed: int
    damaged: int
    bytes: int


def status(store: str | os.PathLike[str]) -> Status:
    """Return the :class:`Status` of a store; ``ValueError`` if the folder is none.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(status(Store(folder + "/cells").prepare().path))
    Status(finished=0, failed=0, damaged=0, bytes=0)
    """
    folder = _existing(store)
    keys = folder.finished()
    return Status(
        finished=len(keys),
        failed=len(folder.failures().keys() - keys),
        damaged=len(list(folder.path.glob("damaged/*"))),
        bytes=sum(folder.cell(key).stat().st_size for key in keys),
    )


def failures(store: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Return the records of a store's failed cells: function, parameters, seed, error, message and traceback."""
    return list(_existing(store).failures().values())


def _existing(path: str | os.PathLike[str]) -> Store:
    store = Store(path)
    if not store.is_store():
        raise ValueError(f"{str(path)!r} is not the store of a sweep")
    return store
