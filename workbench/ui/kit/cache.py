"""Results that were computed already, shared by all visitors of one server.

The key is the canonical JSON of the function's name and its inputs, never an object's identity; what is kept is
read-only, so no visitor can change what another one sees. Least recently used results leave first.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import xarray as xr

from workbench.progress import Progress
from workbench.results import describe

DEFAULT_BYTES = 256 * 2**20
LOOK_SECONDS = 0.1


class ResultCache:
    """A thread-safe cache of Datasets bounded by their total size."""

    def __init__(self, max_bytes: int = DEFAULT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[str, xr.Dataset] = OrderedDict()
        self._lock = threading.Lock()
        self._at_work: dict[str, list[Any]] = {}  # key → its lock, and how many want it

    @staticmethod
    def key(name: str, inputs: Mapping[str, Any]) -> str:
        """Return the canonical key: equal inputs give equal keys, and different ones different keys."""
        return json.dumps([name, describe(inputs)], sort_keys=True)

    def get(self, key: str) -> xr.Dataset | None:
        """Return the result kept under ``key`` (a shallow copy of read-only data), or None."""
        with self._lock:
            found = self._entries.get(key)
            if found is None:
                return None
            self._entries.move_to_end(key)
        return found.copy(deep=False)

    def put(self, key: str, result: xr.Dataset) -> None:
        """Keep ``result``, unless it alone is larger than half the cache."""
        if result.nbytes > self._max_bytes // 2:
            return
        frozen = result.copy(deep=False)
        for variable in frozen.variables.values():
            variable.values.flags.writeable = False
        with self._lock:
            self._entries[key] = frozen
            self._entries.move_to_end(key)
            while sum(entry.nbytes for entry in self._entries.values()) > self._max_bytes:
                self._entries.popitem(last=False)

    @contextmanager
    def turn(self, key: str, progress: Progress) -> Iterator[None]:
        """Be the only one to compute ``key`` within the block; wait for whoever is at it.

        Afterwards the result may be there: look first. ``progress`` says what is waited for, and can end that.
        """
        with self._lock:
            entry = self._at_work.setdefault(key, [threading.Lock(), 0])
            entry[1] += 1
        try:
            while not entry[0].acquire(timeout=LOOK_SECONDS):
                progress.update(0, 1, "waiting for another visitor's run of the same")
            try:
                yield
            finally:
                entry[0].release()
        finally:
            with self._lock:
                entry[1] -= 1
                if not entry[1]:
                    del self._at_work[key]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)


RESULTS = ResultCache()
