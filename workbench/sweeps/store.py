"""The folder that a sweep keeps its cells in: one file per finished cell, complete or not there at all.

::

    my-store/
        store.json                 says that this folder is a sweep store
        cells/3f/3f09…c2.npz       finished cells, by key
        failed/77a1….json          cells whose function raised: parameters, error and traceback
        damaged/…                  files that could not be read, kept for a person to look at
        claims                     an empty file whose locks say which cells are being computed

A cell is written beside its place, flushed to the disk, then moved there, so neither SIGKILL nor a power cut nor a
full disk leaves half a cell. Several sweeps, one after the other or at once, may share a store; those at once share
the work (:mod:`workbench.sweeps.claims`).
"""

import contextlib
import errno
import json
import os
import socket
import tempfile
from pathlib import Path
from typing import Any

import psutil

from workbench.sweeps import cellfile

MARK = "store.json"
PART = ".part"
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}


class Store:
    """A sweep's folder on disk. Creating the object touches nothing; :meth:`prepare` makes the folder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(Store(folder + "/cells").prepare().finished())
    set()
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"store must be the path of a folder, got {type(path).__name__}")
        self.path = Path(path)

    def prepare(self) -> "Store":
        """Make the folder, check that it can be written to, clear what a killed sweep left half-written.

        Raises ``ValueError`` for a folder that holds something else, ``OSError`` with a sentence where it cannot be
        written.
        """
        try:
            self._check_folder()
            self.path.mkdir(parents=True, exist_ok=True)
            self._replace(self.path / MARK, b'{"what": "workbench sweep store", "format": 1}\n')
            for name in ("cells", "failed", "damaged"):
                (self.path / name).mkdir(exist_ok=True)
            self._clear_parts()
        except OSError as error:
            raise self._explained(error) from error
        return self

    def _check_folder(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(f"the store {str(self.path)!r} is a file; give a folder")
        if self.path.is_dir() and not self.is_store():
            foreign = [file for file in self.path.iterdir() if file.suffix != PART]
            # asked again: another sweep may have made the folder a store since, and its mark is the first it writes
            if foreign and not self.is_store():
                raise ValueError(
                    f"the folder {str(self.path)!r} holds other things ({foreign[0].name!r}); give a new or empty "
                    "folder as store"
                )

    def is_store(self) -> bool:
        """Return whether the folder carries the mark of a sweep store."""
        return (self.path / MARK).is_file()

    def cell(self, key: str) -> Path:
        """Return where the cell of that key is, or would be."""
        return self.path / "cells" / key[:2] / f"{key}.npz"

    def finished(self) -> set[str]:
        """Return the keys of all finished cells."""
        return {file.stem for file in self.path.glob("cells/*/*.npz")}

    def write(self, key: str, data: bytes) -> None:
        """Keep a finished cell, and forget that it ever failed. Raises ``OSError`` with a sentence."""
        target = self.cell(key)
        try:
            if not target.parent.is_dir():
                target.parent.mkdir(exist_ok=True)
                _flush_folder(target.parent.parent)
            self._replace(target, data)
            self._failure(key).unlink(missing_ok=True)
        except OSError as error:
            raise self._explained(error) from error

    def set_aside(self, key: str) -> Path:
        """Move a damaged cell out of the way, keeping its bytes, and return where it is now."""
        aside = self.path / "damaged" / f"{key}.npz"
        try:
            os.replace(self.cell(key), aside)
        except OSError as error:
            raise self._explained(error) from error
        return aside

    def record_failure(self, key: str, record: dict[str, Any]) -> None:
        """Keep what is known of a cell that raised."""
        try:
            self._replace(self._failure(key), json.dumps(record, indent=1, default=str).encode())
        except OSError as error:
            raise self._explained(error) from error

    def failures(self) -> dict[str, dict[str, Any]]:
        """Return the records of failed cells by key; an unreadable record still counts as a failure."""
        found = {}
        for file in sorted(self.path.glob("failed/*.json")):
            try:
                found[file.stem] = json.loads(file.read_text())
            except ValueError:
                found[file.stem] = {"error": "unknown", "message": "the record of this failure is damaged"}
        return found

    def failed_since(self, key: str, moment: float) -> bool:
        """Return whether the cell was recorded as failed at or after that time (of the file system's clock)."""
        try:
            return self._failure(key).stat().st_mtime >= moment
        except OSError:
            return False

    def verify(self, key: str) -> None:
        """Read a cell against its checksums; raises ``cellfile.Damaged``."""
        cellfile.verify(self.cell(key), key)

    def _failure(self, key: str) -> Path:
        return self.path / "failed" / f"{key}.json"

    def _replace(self, target: Path, data: bytes) -> None:
        """Put ``data`` at ``target`` in one step that survives a power cut."""
        prefix = f".{socket.gethostname()}.{os.getpid()}."
        handle, part = tempfile.mkstemp(suffix=PART, prefix=prefix, dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(part)
            raise
        _flush_folder(target.parent)

    def _clear_parts(self) -> None:
        """Remove half-written files whose writer, a process of this machine, is gone."""
        for file in self.path.rglob(f".*{PART}"):
            host, pid = file.name.removeprefix(".").rsplit(".", 3)[:2]
            if host == socket.gethostname() and not (pid.isdigit() and psutil.pid_exists(int(pid))):
                file.unlink(missing_ok=True)

    def _explained(self, error: OSError) -> OSError:
        where = f"the sweep's store {str(self.path)!r}"
        if error.errno in FULL:
            why = "its disk is full; free some space"
        elif error.errno in READ_ONLY:
            why = "it cannot be written to (read-only, or not yours); change that or give another folder"
        else:
            why = f"{error.strerror or error}; see to that"
        advice = "then run the same line again. Finished cells are kept there and will not be computed twice"
        return OSError(error.errno, f"could not write to {where}: {why}, {advice}")


def _flush_folder(folder: Path) -> None:
    """Make a rename durable; systems that cannot open a folder for this do without."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
