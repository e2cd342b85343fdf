"""One process apart and the two pipes to it: how a request goes there, and what becomes of it."""

import contextlib
import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterable
from typing import Any

from workbench.isolated.limits import Limits, Stopped
from workbench.isolated.plain_data import Piece, unpack
from workbench.progress import Cancelled, Progress

START_SECONDS = 120.0
LARGEST_HEADER = 64 * 2**20
LOOK_SECONDS = 0.1
GRACE_SECONDS = 2.0
ERRORS = {"ValueError": ValueError, "TypeError": TypeError, "FileNotFoundError": FileNotFoundError}
READY, STARTED, DONE, FAILED = b"READ", b"STAR", b"DONE", b"FAIL"
TOLD, PART = b"TOLD", b"PART"
"""How far the work is, and what there is of its result; any number of them, before it is done."""
HEAD = struct.Struct("<4sQ")
"""What an answer begins with: its kind, and how many bytes follow."""


class Gone(Exception):
    """The other process closed its end."""


class Process:
    """A process apart that answers one request after the other; ``nice`` lets others of the machine go first."""

    def __init__(self, nice: int = 0) -> None:
        path = [entry or os.getcwd() for entry in sys.path]
        code = f"import sys; sys.path[:] = {path!r}; from workbench.isolated.worker import answer; answer({int(nice)})"
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
        """Whether it may get another request."""
        return self._sound and self._process.poll() is None

    def end(self) -> None:
        """End it, in the middle of whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            pipe.close()  # type: ignore[union-attr]

    def run(self, request: list[Piece], work: list[Piece], limits: Limits, progress: Progress | None) -> Any:
        """Return the answer to a request, or raise the error that it is; :class:`Gone` before the work has begun."""
        self._sound = False  # until the answer is here, whatever happens
        patience = Patience(START_SECONDS, progress)
        if self._new:
            self._expect(READY, patience)
            self._new = False
        self._send(request, patience)
        self._send(work, patience)
        self._expect(STARTED, patience)
        patience = Patience(limits.seconds + GRACE_SECONDS, progress)
        try:
            kind, answer = self._receive(patience, limits.memory + LARGEST_HEADER)
            while kind in (TOLD, PART):
                self._hear(kind, answer, progress)
                kind, answer = self._receive(patience, limits.memory + LARGEST_HEADER)
        except Gone:
            raise Stopped(self._last_words(limits)) from None
        except TimeoutError:
            raise Stopped(limits.too_long) from None
        value, keep = unpack(answer)
        self._sound = keep is True
        if kind == DONE:
            return value
        if value[0] == "MemoryError":
            raise Stopped(limits.too_much)
        raise ERRORS.get(value[0], RuntimeError)(value[1] if value[0] in ERRORS else f"{value[0]}: {value[1]}")

    @staticmethod
    def _hear(kind: bytes, answer: bytearray, progress: Progress | None) -> None:
        """Hand on what the work reports; ``Cancelled`` if nobody wants it any more."""
        if progress is None:
            return
        value = unpack(answer)
        if kind == PART:
            progress.publish(value)
        else:
            done, total, message = value
            progress.update(float(done), float(total), str(message))

    def _last_words(self, limits: Limits) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_SECONDS)
        code = -(self._process.returncode or 0)
        if code in (signal.SIGXCPU, signal.SIGALRM):
            return limits.too_long
        if code in (signal.SIGKILL, signal.SIGABRT):
            return limits.too_much
        return "the program that reads it crashed on it; the file is damaged, or made to do that"

    def _expect(self, wanted: bytes, patience: "Patience") -> None:
        try:
            kind, _ = self._receive(patience, 0)
        except TimeoutError:
            raise Gone from None
        if kind != wanted:
            raise Gone

    def _send(self, pieces: Iterable[Piece], patience: "Patience") -> None:
        for piece in pieces:
            left = memoryview(piece)
            while left:
                patience.wait(self._in, select.POLLOUT)
                try:
                    left = left[os.write(self._in, left[: 2**20]) :]
                except BlockingIOError:
                    continue
                except OSError as error:
                    raise Gone from error

    def _receive(self, patience: "Patience", largest: int) -> tuple[bytes, bytearray]:
        kind, size = HEAD.unpack(self._read(HEAD.size, patience))
        if size > largest:
            raise Gone
        return kind, self._read(size, patience)

    def _read(self, count: int, patience: "Patience") -> bytearray:
        data = bytearray()
        while len(data) < count:
            patience.wait(self._out, select.POLLIN)
            more = os.read(self._out, min(count - len(data), 2**20))
            if not more:
                raise Gone
            data += more
        return data


class Patience:
    """Waits for a pipe until a deadline, with an eye on whether the caller still wants the answer."""

    def __init__(self, seconds: float, progress: Progress | None) -> None:
        self._end, self._progress = time.monotonic() + seconds, progress

    def wait(self, pipe: int, event: int) -> None:
        """Return when the pipe is ready; raise ``TimeoutError``, or ``Cancelled``."""
        poll = select.poll()
        poll.register(pipe, event)
        while not poll.poll(LOOK_SECONDS * 1000):
            if self._progress is not None and self._progress.cancelled:
                raise Cancelled("cancelled before it finished")
            if time.monotonic() > self._end:
                raise TimeoutError
