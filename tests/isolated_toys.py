"""Functions for the tests of the process apart, which imports them by name."""

import ctypes
import os
import signal
import sys
import time

import numpy as np


def same(*values, **named):
    """Give back what came."""
    return [list(values), named]


def process() -> int:
    """Say who works."""
    return os.getpid()


def niceness() -> int:
    """Say how far this process lets others go first."""
    return os.nice(0)


def spin(seconds: float) -> float:
    """Work without a pause."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return seconds


def sleep(seconds: float) -> float:
    """Do nothing for a while."""
    time.sleep(seconds)
    return seconds


def hold_the_interpreter() -> int:
    """One operation of the interpreter that takes hours, as a number in a certificate can ask for."""
    return len(str(10 ** int("400000000")))


def take(count: int) -> int:
    """Take memory and use it."""
    return int(np.ones(count, dtype=np.uint8).sum())


def crash() -> None:
    """End as a faulty library does."""
    ctypes.string_at(0)


def leave(code: int) -> None:
    """End without a word."""
    os._exit(code)


def kill() -> None:
    """End as the kernel does when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


def fail(kind: str) -> None:
    """Raise an error of a kind."""
    raise {"value": ValueError, "type": TypeError, "key": KeyError, "file": FileNotFoundError}[kind](f"no {kind}")


def chatter() -> str:
    """Print, which must not disturb the answer."""
    print("hello")
    os.write(1, b"DONE" * 100)
    sys.stdout.flush()
    return "said"


def foreign() -> object:
    """Something that does not travel."""
    return object()


def large_answer() -> np.ndarray:
    """An answer near the limit on memory."""
    return np.zeros(2**27, dtype=np.uint8)


def stuck(*anything) -> None:
    """A reader on a file that is never done."""
    while True:
        pass
