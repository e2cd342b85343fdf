"""Who computes which cell: several processes that share a store take different cells, and wait for each other's.

A claim is a lock on one byte of the file ``claims`` of the store, the byte being chosen by the cell's key. The system
lets go of it when its process ends, however that happens, so a killed sweep blocks nobody. Where the file system
knows no locks (some network folders), every claim is granted and two sweeps may compute the same cell, as they would
without claims; the store is written in one step either way.
"""

import contextlib
import fcntl
import os
import struct
from pathlib import Path

FILE = "claims"
PLACES = 2**40  # two keys that meet in one place only wait for each other


class Claims:
    """The claims of one sweep on the cells of a store. Close it to let go of all."""

    def __init__(self, store: Path) -> None:
        self._file: int | None = None
        with contextlib.suppress(OSError):
            self._file = os.open(store / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)

    def take(self, key: str) -> bool:
        """Return whether the cell is ours to compute; False if another sweep is at it. Asking again is harmless."""
        return self._lock(key, fcntl.F_WRLCK)

    def release(self, key: str) -> None:
        """Let another sweep have the cell."""
        self._lock(key, fcntl.F_UNLCK)

    def close(self) -> None:
        """Let go of every cell."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _lock(self, key: str, kind: int) -> bool:
        if self._file is None:
            return True
        place = int(key[:16], 16) % PLACES
        try:
            if hasattr(fcntl, "F_OFD_SETLK"):  # belongs to the opened file, so that threads of one process differ too
                request = struct.pack("hhqqi4x", kind, os.SEEK_SET, place, 1, 0)
                fcntl.fcntl(self._file, fcntl.F_OFD_SETLK, request)
            else:
                command = fcntl.LOCK_UN if kind == fcntl.F_UNLCK else fcntl.LOCK_EX | fcntl.LOCK_NB
                fcntl.lockf(self._file, command, 1, place)
        except (BlockingIOError, PermissionError):
            return False
        except OSError:
            return True
        return True
