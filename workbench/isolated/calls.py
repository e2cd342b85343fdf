"""The side that asks: a few warm processes, a place for each call, and what is said when there is none."""

import atexit
import contextlib
import importlib
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from workbench.isolated.limits import Limits, Stopped
from workbench.isolated.plain_data import pack
from workbench.isolated.process import LOOK_SECONDS, Gone, Process
from workbench.progress import Cancelled, Progress

WAIT_FOR_A_PLACE = 120.0
WARMING = Limits(seconds=120)  # compiled code is compiled then, once for a machine
MOST_PROCESSES = max(1, min(4, os.cpu_count() or 1))


class Pool:
    """Processes for one sort of work: how many at once, how willingly they let others go first, and which are idle."""

    def __init__(self, most: int, nice: int = 0) -> None:
        self.places = threading.BoundedSemaphore(most)
        self.nice = nice
        self.idle: list[Process] = []
        _pools.append(self)


_pools: list[Pool] = []
READERS = Pool(MOST_PROCESSES)
_idle = READERS.idle
_lock = threading.Lock()
_kept_warm: list[str | Callable[[], Any]] = []
_warming = threading.Lock()


class Busy(Stopped):
    """All processes are at work on other files; the same call may succeed in a moment."""


def call(
    function: Callable[..., Any],
    *arguments: Any,
    limits: Limits | None = None,
    progress: Progress | None = None,
    **named: Any,
) -> Any:
    """Return ``function(*arguments, **named)``, computed in a process apart within ``limits``.

    ``progress`` is looked at ten times a second: once it is cancelled, the work is ended. Waits for a place if several
    calls are running (one a core, at most four).

    >>> import math
    >>> call(math.hypot, 3.0, 4.0)
    5.0
    """
    return run(READERS, function, list(arguments), named, limits or Limits(), progress)


def run(
    pool: Pool,
    function: Callable[..., Any],
    arguments: list[Any],
    named: dict[str, Any],
    limits: Limits,
    progress: Progress | None,
    *,
    reports: bool = False,
    patience: float = WAIT_FOR_A_PLACE,
) -> Any:
    """Return what a process of ``pool`` answers; work that ``reports`` is handed a ``progress`` that comes here."""
    name = importable_name(function)
    asked = {"function": name, "seconds": float(limits.seconds), "memory": int(limits.memory), "reports": reports}
    request, work = pack(asked), pack([arguments, named])
    _wait_for_a_place(pool, progress, patience)
    try:
        for last_try in (False, True):
            process = _take(pool)
            try:
                return process.run(request, work, limits, progress)
            except Gone:  # it left, as an idle one does, while the request was on its way
                if last_try:
                    raise Stopped("the process that was to read it could not be started") from None
            finally:
                _give_back(pool, process)
    finally:
        pool.places.release()


def read(
    function: Callable[..., Any],
    data: bytes | str,
    name: str,
    *arguments: Any,
    limits: Limits,
    progress: Progress | None = None,
) -> Any:
    """Return ``function(data, name, *arguments)`` for a file called ``name``, its bytes or its path, as :func:`call`.

    A reading that had to be stopped is told with the file's name: "mine.nc is refused: it took longer than …".
    """
    try:
        return call(function, data, name, *arguments, limits=limits, progress=progress)
    except Busy as error:
        raise Busy(f"{name} was not read: {error}") from None
    except Stopped as error:
        raise Stopped(f"{name} is refused: {error}") from None


def warm(*work: str | Callable[[], Any]) -> None:
    """Start a process in the background and let it import modules, named, or call functions.

    So the first call is as quick as others. From then on such a process is kept: where one had to be ended, another is
    made ready.
    """
    with _lock:
        _kept_warm[:] = dict.fromkeys([*_kept_warm, *work])
    _warm_one()


def _warm_one() -> None:
    def start() -> None:
        if _warming.acquire(blocking=False):  # one at a time, and a process that cannot start is not tried for ever
            for one in list(_kept_warm):
                with contextlib.suppress(Exception):
                    if isinstance(one, str):
                        call(_import, one, limits=WARMING)
                    else:
                        call(one, limits=WARMING)
            _warming.release()

    threading.Thread(target=start, name="warm isolated process", daemon=True).start()


def _import(module: str) -> None:
    importlib.import_module(module)


def importable_name(function: Callable[..., Any]) -> str:
    """Return the name under which another process imports ``function``; ``TypeError`` if none can."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    found: Any = sys.modules.get(module or "")
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is not function or module == "__main__":
        raise TypeError(f"another process cannot import {name or function!r}; use a function at the top of a module")
    return f"{module}:{name}"


def _wait_for_a_place(pool: Pool, progress: Progress | None, patience: float) -> None:
    end = time.monotonic() + patience
    while not pool.places.acquire(timeout=LOOK_SECONDS):
        if progress is not None and progress.cancelled:
            raise Cancelled("cancelled before it began")
        if time.monotonic() > end:
            raise Busy("too many files are being read at once; try again in a moment")


def _take(pool: Pool) -> Process:
    while True:
        with _lock:
            process = pool.idle.pop() if pool.idle else None
        if process is None:
            return Process(pool.nice)
        if process.usable():
            return process
        process.end()


def _give_back(pool: Pool, process: Process) -> None:
    if process.usable():
        with _lock:
            pool.idle.append(process)
        return
    process.end()
    if pool is READERS and _kept_warm and not _idle and not _warming.locked() and not sys.is_finalizing():
        _warm_one()


@atexit.register
def _end_all() -> None:
    with _lock:
        _kept_warm.clear()
        processes = [process for pool in _pools for process in pool.idle]
        for pool in _pools:
            pool.idle.clear()
    for process in processes:
        process.end()
