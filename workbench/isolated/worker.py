"""The side that answers. :func:`answer` runs in the process apart, from its first line to its last."""

import contextlib
import functools
import importlib
import math
import os
import select
import signal
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from workbench.isolated.plain_data import check, pack, unpack
from workbench.isolated.process import DONE, ERRORS, FAILED, GRACE_SECONDS, HEAD, PART, READY, STARTED, TOLD
from workbench.progress import Progress

IDLE_SECONDS = 600
TELL_EVERY, SHOW_EVERY = 0.1, 0.25
"""Seconds between two reports of work that reports, and between two results of which there is a part."""
LARGEST_IDLE = 400 * 2**20  # a process that has grown beyond this is not used again
LARGEST_IDLE_WORKER = 2**30  # the same for one that runs experiments, which may have torch in it


def answer(nice: int = 0) -> None:
    """Serve requests until nobody asks any more."""
    os.nice(nice)
    requests, replies = os.dup(0), os.dup(1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)  # whatever is printed must not reach the pipe
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who asks
    threading.Thread(target=_leave_with, args=(requests,), daemon=True).start()
    _reply(replies, READY)
    for request, work in _requests(requests):
        function = named_function(request["function"])
        _reply(replies, STARTED)
        with _limited(request["seconds"], request["memory"]):
            arguments, named = unpack(work)
            if request.get("reports"):
                named["progress"] = Reported(replies)
            kind, value = _outcome(function, arguments, named)
        del work
        out_of_memory = kind == FAILED and value[0] == "MemoryError"
        largest = LARGEST_IDLE_WORKER if request.get("reports") else LARGEST_IDLE
        keep = not out_of_memory and _memory_used() < largest
        _reply(replies, kind, (value, keep))
        if not keep:
            return


def named_function(name: str) -> Callable[..., Any]:
    """Import what ``importable_name`` has named, for the one who asks, who names what is his own."""
    module, _, attribute = name.partition(":")
    return functools.reduce(getattr, attribute.split("."), importlib.import_module(module))


class Reported(Progress):
    """The progress of work in the process apart: it goes to the one who asked, who ends the process to cancel it."""

    def __init__(self, replies: int) -> None:
        super().__init__()
        self._replies, self._lock = replies, threading.Lock()
        self._next_report = self._next_part = 0.0

    def show(self, done: float, total: float, message: str) -> None:
        """Report at most every ``TELL_EVERY`` seconds."""
        with self._lock:
            if time.monotonic() >= self._next_report:
                _reply(self._replies, TOLD, [float(done), float(total), message])
                self._next_report = time.monotonic() + TELL_EVERY

    def wants_part(self) -> bool:
        """Tell whether enough time has passed for another part of the result to be shown."""
        return time.monotonic() >= self._next_part

    def publish(self, result: Any) -> None:
        """Hand over plain data, at most every ``SHOW_EVERY`` seconds; waits while the other side is busy with one."""
        with self._lock:
            if self.wants_part():
                _reply(self._replies, PART, result)
                self._next_part = time.monotonic() + SHOW_EVERY


def _leave_with(pipe: int) -> None:
    """End this process, in the middle of whatever it does, when the other end of the pipe is closed."""
    poll = select.poll()
    poll.register(pipe, 0)  # hanging up is always told
    while not poll.poll():
        pass
    os._exit(0)


def _outcome(function: Callable[..., Any], arguments: list[Any], named: dict[str, Any]) -> tuple[bytes, Any]:
    try:
        value = function(*arguments, **named)
        check(value)
        return DONE, value
    except MemoryError:
        return FAILED, ["MemoryError", ""]
    except Exception as error:
        known = next((name for name, kind in ERRORS.items() if isinstance(error, kind)), type(error).__name__)
        return FAILED, [known, str(error)[:10_000]]


def _requests(pipe: int) -> Iterator[tuple[dict[str, Any], bytearray]]:
    while select.select([pipe], [], [], IDLE_SECONDS)[0]:
        parts = []
        for _ in range(2):
            size = _exactly(pipe, 8)
            if size is None:
                return
            data = _exactly(pipe, struct.unpack("<Q", size)[0])
            if data is None:
                return
            parts.append(data)
        yield unpack(parts[0]), parts[1]


def _exactly(pipe: int, count: int) -> bytearray | None:
    data = bytearray()
    while len(data) < count:
        more = os.read(pipe, min(count - len(data), 2**20))
        if not more:
            return None
        data += more
    return data


def _reply(pipe: int, kind: bytes, value: Any = None) -> None:
    pieces = [] if kind in (READY, STARTED) else pack(value)
    if pieces:
        pieces[0] = pieces[0][8:]  # an answer tells its length in its own head
    for piece in (HEAD.pack(kind, sum(map(len, pieces))), *pieces):
        left = memoryview(piece)
        while left:
            left = left[os.write(pipe, left) :]


@contextlib.contextmanager
def _limited(seconds: float, memory: int) -> Iterator[None]:
    """Hold this process to the limits: the system ends it when its time is over, and gives it no more memory."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = math.ceil(used.ru_utime + used.ru_stime + seconds) + 1
    before = {kind: resource.getrlimit(kind) for kind in (resource.RLIMIT_CPU, resource.RLIMIT_AS)}
    _lower(resource.RLIMIT_CPU, cpu)
    _lower(resource.RLIMIT_AS, _memory_used(addresses=True) + memory)
    _lower(resource.RLIMIT_CORE, 0)
    signal.setitimer(signal.ITIMER_REAL, seconds + GRACE_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for kind, values in before.items():
            resource.setrlimit(kind, values)


def _lower(kind: int, value: int) -> None:
    import resource

    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with contextlib.suppress(ValueError, OSError):  # macOS knows no limit on addresses
        resource.setrlimit(kind, (value, hard))


def _memory_used(*, addresses: bool = False) -> int:
    """Return the bytes of this process, in memory or in its address space."""
    try:
        pages = Path("/proc/self/statm").read_text().split()
        return int(pages[0 if addresses else 1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import psutil

        told = psutil.Process().memory_info()
        return told.vms if addresses else told.rss
