"""Run a function on somebody else's file in a process that can be ended: bounded time, bounded memory, no pickle.

A reader of NetCDF, of meshes or of certificates may crash, hang or take all memory on a file that was written to make
it do so. :func:`call` runs it in a process apart::

    ds_parts = isolated.call(read_mesh, data, limits=isolated.Limits(seconds=10, memory=2**29))

The function must stand at the top of a module of an installed package (the other process imports it by name), and
its arguments and result must be plain data: None, booleans, numbers, text, bytes, NumPy arrays of numbers or text, and
lists, tuples and mappings (with text as keys) of them. They travel as JSON and raw bytes, so a process that has been
taken over by what it reads can answer nonsense but cannot make this one execute anything.

A ``ValueError``, ``TypeError`` or ``FileNotFoundError`` of the function arrives here with its message, any other error
as ``RuntimeError``. Work that exceeds its limits, or crashes, is :class:`Stopped`, a ``ValueError`` whose message is a
sentence for the user. The process stays warm for the next call: about 1 ms a call beside the work, 30 MB for the
process and what the function's module imports (about 130 MB for NetCDF); it leaves when nobody has called it for ten
minutes, or when this process ends, however that happens.
"""

import atexit
import contextlib
import functools
import importlib
import json
import math
import os
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.checks import integer, real
from workbench.progress import Cancelled, Progress

IDLE_SECONDS = 600
START_SECONDS = 120.0
WAIT_FOR_A_PLACE = 120.0
MOST_PROCESSES = max(1, min(4, os.cpu_count() or 1))
LARGEST_IDLE = 400 * 2**20  # a process that has grown beyond this is not used again
LARGEST_HEADER = 64 * 2**20
LOOK_SECONDS = 0.1
GRACE_SECONDS = 2.0
ERRORS = {"ValueError": ValueError, "TypeError": TypeError, "FileNotFoundError": FileNotFoundError}
READY, STARTED, DONE, FAILED = b"READ", b"STAR", b"DONE", b"FAIL"
_HEAD = struct.Struct("<4sQ")


class Stopped(ValueError):
    """The work was ended, or ended itself, before it had an answer."""


class _Gone(Exception):
    """The other process closed its end."""


@dataclass(frozen=True)
class Limits:
    """What a call may take: seconds of time (of the clock and of a core), bytes of memory beside what is imported."""

    seconds: float = 20.0
    memory: int = 2**30

    def __post_init__(self) -> None:
        real("seconds", self.seconds, exclusive_minimum=0)
        integer("memory", self.memory, minimum=2**20)


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

    >>> from workbench import isolated
    >>> isolated.call(math.hypot, 3.0, 4.0)
    5.0
    """
    limits = limits or Limits()
    name = _importable_name(function)
    request = _pack({"function": name, "seconds": float(limits.seconds), "memory": int(limits.memory)})
    work = _pack([list(arguments), named])
    if not _places.acquire(timeout=WAIT_FOR_A_PLACE):
        raise Stopped("too many files are being read at once; try again in a moment")
    try:
        for last_try in (False, True):
            process = _take()
            try:
                return process.run(request, work, limits, progress)
            except _Gone:  # it left, as an idle one does, while the request was on its way
                if last_try:
                    raise Stopped("the process that was to read it could not be started") from None
            finally:
                _give_back(process)
    finally:
        _places.release()


def warm(*modules: str) -> None:
    """Start a process in the background and let it import ``modules``, so that the first call is as quick as others."""

    def start() -> None:
        with contextlib.suppress(Exception):
            call(_import_all, list(modules))

    threading.Thread(target=start, name="warm isolated process", daemon=True).start()


def _import_all(modules: list[str]) -> None:
    for module in modules:
        importlib.import_module(module)


def _importable_name(function: Callable[..., Any]) -> str:
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    found: Any = sys.modules.get(module or "")
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is not function or module == "__main__":
        raise TypeError(f"another process cannot import {name or function!r}; use a function at the top of a module")
    return f"{module}:{name}"


# ---- the side that asks ------------------------------------------------------------------------------------------

_places = threading.BoundedSemaphore(MOST_PROCESSES)
_idle: list["_Process"] = []
_lock = threading.Lock()


def _take() -> "_Process":
    while True:
        with _lock:
            process = _idle.pop() if _idle else None
        if process is None:
            return _Process()
        if process.usable():
            return process
        process.end()


def _give_back(process: "_Process") -> None:
    if process.usable():
        with _lock:
            _idle.append(process)
    else:
        process.end()


@atexit.register
def _end_all() -> None:
    with _lock:
        processes, _idle[:] = list(_idle), []
    for process in processes:
        process.end()


class _Process:
    """One process apart and the two pipes to it."""

    def __init__(self) -> None:
        path = [entry or os.getcwd() for entry in sys.path]
        code = f"import sys; sys.path[:] = {path!r}; from workbench import isolated; isolated._answer()"
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={**os.environ, **threads, "MALLOC_ARENA_MAX": "2"},
        )
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()  # type: ignore[union-attr]
        os.set_blocking(self._in, False)
        self._sound, self._new = True, True

    def usable(self) -> bool:
        return self._sound and self._process.poll() is None

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            pipe.close()  # type: ignore[union-attr]

    def run(self, request: bytes, work: bytes, limits: Limits, progress: Progress | None) -> Any:
        self._sound = False  # until the answer is here, whatever happens
        patience = _Patience(START_SECONDS, progress)
        if self._new:
            self._expect(READY, patience)
            self._new = False
        self._send(request, patience)
        self._send(work, patience)
        self._expect(STARTED, patience)
        patience = _Patience(limits.seconds + GRACE_SECONDS, progress)
        try:
            kind, answer = self._receive(patience, limits.memory + LARGEST_HEADER)
        except _Gone:
            raise Stopped(self._last_words(limits)) from None
        except TimeoutError:
            raise Stopped(f"it took longer than {limits.seconds:g} s and was stopped") from None
        value, keep = _unpack(answer)
        self._sound = keep is True
        if kind == DONE:
            return value
        if value[0] == "MemoryError":
            raise Stopped(_too_much_memory(limits))
        raise ERRORS.get(value[0], RuntimeError)(value[1] if value[0] in ERRORS else f"{value[0]}: {value[1]}")

    def _last_words(self, limits: Limits) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_SECONDS)
        code = -(self._process.returncode or 0)
        if code in (signal.SIGXCPU, signal.SIGALRM):
            return f"it took longer than {limits.seconds:g} s and was stopped"
        if code in (signal.SIGKILL, signal.SIGABRT):
            return _too_much_memory(limits)
        return "the program that reads it crashed on it; the file is damaged, or made to do that"

    def _expect(self, wanted: bytes, patience: "_Patience") -> None:
        try:
            kind, _ = self._receive(patience, 0)
        except TimeoutError:
            raise _Gone from None
        if kind != wanted:
            raise _Gone

    def _send(self, data: bytes, patience: "_Patience") -> None:
        left = memoryview(data)
        while left:
            patience.wait(self._in, select.POLLOUT)
            try:
                left = left[os.write(self._in, left[: 2**20]) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise _Gone from error

    def _receive(self, patience: "_Patience", largest: int) -> tuple[bytes, bytearray]:
        kind, size = _HEAD.unpack(self._read(_HEAD.size, patience))
        if size > largest:
            raise _Gone
        return kind, self._read(size, patience)

    def _read(self, count: int, patience: "_Patience") -> bytearray:
        data = bytearray()
        while len(data) < count:
            patience.wait(self._out, select.POLLIN)
            more = os.read(self._out, min(count - len(data), 2**20))
            if not more:
                raise _Gone
            data += more
        return data


class _Patience:
    """Waits for a pipe until a deadline, with an eye on whether the caller still wants the answer."""

    def __init__(self, seconds: float, progress: Progress | None) -> None:
        self._end, self._progress = time.monotonic() + seconds, progress

    def wait(self, pipe: int, event: int) -> None:
        poll = select.poll()
        poll.register(pipe, event)
        while not poll.poll(LOOK_SECONDS * 1000):
            if self._progress is not None and self._progress.cancelled:
                raise Cancelled("cancelled before it finished")
            if time.monotonic() > self._end:
                raise TimeoutError


def _too_much_memory(limits: Limits) -> str:
    return f"it needs more than the {limits.memory / 2**20:,.0f} MiB of memory allowed for it"


# ---- plain data as bytes -----------------------------------------------------------------------------------------


def _pack(value: Any) -> bytes:
    """Return plain data as a message without a head: JSON for what has a structure, then the bytes of the arrays."""
    buffers: list[bytes | memoryview] = []
    text = json.dumps(_node(value, buffers)).encode(errors="surrogatepass")
    sizes = [len(text), *(len(buffer) for buffer in buffers)]
    head = struct.pack(f"<Q{len(sizes)}Q", len(sizes), *sizes)
    body = b"".join([head, text, *buffers])
    return struct.pack("<Q", len(body)) + body


def _node(value: Any, buffers: list[Any]) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float, np.integer, np.floating, np.bool_)):
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, (bytes, bytearray, memoryview)):
        buffers.append(memoryview(value).cast("B"))
        return {"bytes": len(buffers)}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufcUS":
        flat = np.ascontiguousarray(value)
        buffers.append(flat.reshape(-1).view(np.uint8).data if flat.size else b"")
        return {"array": len(buffers), "dtype": flat.dtype.str, "shape": list(value.shape)}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": [[key, _node(entry, buffers)] for key, entry in value.items()]}
    if isinstance(value, (list, tuple)):
        return {"list" if isinstance(value, list) else "tuple": [_node(entry, buffers) for entry in value]}
    raise TypeError(f"a {type(value).__name__} cannot be handed to another process; use numbers, text, bytes or arrays")


def _unpack(data: bytes | bytearray) -> Any:
    """Return what :func:`_pack` packed; trusts nothing in it but raises whatever it likes."""
    view = memoryview(data)
    (count,) = struct.unpack_from("<Q", view)
    sizes = struct.unpack_from(f"<{count}Q", view, 8)
    starts = np.cumsum([8 + 8 * count, *sizes], dtype=object)
    parts = [view[start : start + size] for start, size in zip(starts, sizes, strict=False)]
    return _value(json.loads(bytes(parts[0]).decode(errors="surrogatepass")), parts)


def _value(node: Any, parts: list[memoryview]) -> Any:
    if not isinstance(node, dict):
        return node
    if "bytes" in node:
        return bytes(parts[node["bytes"]])
    if "array" in node:
        dtype = np.dtype(node["dtype"])
        if dtype.kind not in "biufcUS":
            raise ValueError(f"arrays of type {dtype} do not travel")
        shape = tuple(node["shape"])
        if math.prod(shape) == 0:
            return np.empty(shape, dtype)
        return np.frombuffer(parts[node["array"]], dtype).reshape(shape)
    if "dict" in node:
        return {key: _value(entry, parts) for key, entry in node["dict"]}
    if "tuple" in node:
        return tuple(_value(entry, parts) for entry in node["tuple"])
    return [_value(entry, parts) for entry in node["list"]]


# ---- the side that answers ---------------------------------------------------------------------------------------


def _answer() -> None:
    """Serve requests until nobody asks any more. Runs in the process apart."""
    requests, replies = os.dup(0), os.dup(1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)  # whatever is printed must not reach the pipe
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who asks
    threading.Thread(target=_leave_with, args=(requests,), daemon=True).start()
    _reply(replies, READY)
    for request, work in _requests(requests):
        module, _, name = request["function"].partition(":")
        function = functools.reduce(getattr, name.split("."), importlib.import_module(module))
        _reply(replies, STARTED)
        with _limited(request["seconds"], request["memory"]):
            kind, value = _outcome(function, *_unpack(work))
        del work
        out_of_memory = kind == FAILED and value[0] == "MemoryError"
        keep = not out_of_memory and _memory_used() < LARGEST_IDLE
        _reply(replies, kind, (value, keep))
        if not keep:
            return


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
        _node(value, [])
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
        yield _unpack(parts[0]), parts[1]


def _exactly(pipe: int, count: int) -> bytearray | None:
    data = bytearray()
    while len(data) < count:
        more = os.read(pipe, min(count - len(data), 2**20))
        if not more:
            return None
        data += more
    return data


def _reply(pipe: int, kind: bytes, value: Any = None) -> None:
    body = b"" if kind in (READY, STARTED) else _pack(value)[8:]
    left = memoryview(_HEAD.pack(kind, len(body)) + body)
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
