"""Run torch on one thread inside a block, so that sums have one order and results repeat exactly."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_lock = threading.Lock()
_inside = 0
_previous = 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Set torch to one thread; the number from before comes back when the last concurrent block ends."""
    global _inside, _previous
    with _lock:
        if _inside == 0:
            _previous = torch.get_num_threads()
        _inside += 1
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                torch.set_num_threads(_previous)
