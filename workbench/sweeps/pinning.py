"""One thread for every numerical library while a cell runs, so that workers do not fight and bits do not change.

Two workers with two BLAS threads each are several times slower than two with one, and BLAS, torch and OpenMP round
sums differently with another number of threads. So a cell computes with the same number of threads wherever it runs:
in this process, in a pool of threads or processes, or on a Dask worker.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)

_lock = threading.Lock()
_sweeps_here = 0
_undo: list[Callable[[], None]] = []
_this_thread = threading.local()


@contextlib.contextmanager
def pinned_process(threads: int) -> Iterator[None]:
    """Limit this process to ``threads`` while the block runs; the last block to end puts everything back."""
    global _sweeps_here
    with _lock:
        if _sweeps_here == 0:
            _undo.extend(_limit_process(threads))
        _sweeps_here += 1
    try:
        yield
    finally:
        with _lock:
            _sweeps_here -= 1
            if _sweeps_here == 0:
                while _undo:
                    _undo.pop()()
        _this_thread.state = None


def pin_worker(threads: int) -> None:
    """Limit the thread that calls, and its process if it is a worker's, for good; the second call costs nothing.

    OpenMP and numba count threads per calling thread, so every thread of a pool must come through here. Libraries
    imported since the last call are limited as well.
    """
    state = (threads, "torch" in sys.modules, "numba" in sys.modules, "scipy.linalg" in sys.modules)
    if getattr(_this_thread, "state", None) == state:
        return
    if _sweeps_here:
        _limit_thread(threads)
    else:
        _limit_process(threads)
    _this_thread.state = state


def _limit_process(threads: int) -> list[Callable[[], None]]:
    """Limit loaded libraries, and by environment variables those loaded later; return what undoes it."""
    before = {name: os.environ.get(name) for name in VARIABLES}
    os.environ.update(dict.fromkeys(VARIABLES, str(threads)))
    return [lambda: _restore_environment(before), *_limit_thread(threads)]


def _restore_environment(before: dict[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _limit_thread(threads: int) -> list[Callable[[], None]]:
    from threadpoolctl import threadpool_limits

    limits = threadpool_limits(threads)
    undo: list[Callable[[], None]] = [limits.restore_original_limits]
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "set_num_threads"):
        torch_before = torch.get_num_threads()
        torch.set_num_threads(threads)
        undo.append(lambda: torch.set_num_threads(torch_before))
    numba = sys.modules.get("numba")
    if numba is not None and hasattr(numba, "set_num_threads"):
        numba_before = numba.get_num_threads()
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
        undo.append(lambda: numba.set_num_threads(numba_before))
    return undo
