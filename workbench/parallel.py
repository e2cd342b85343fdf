"""How the workbench uses the cores of the machine: threads over work that holds no Python lock.

Kernels are compiled with ``nogil`` and FFTs release the lock themselves, so threads run side by side; unlike numba's
own ``parallel=True`` this is safe when several visitors of one page compute at once, and every number is written by
one task, so results do not depend on the number of threads.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from workbench.progress import Progress


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


THREADS = available_cores()


def for_each(
    work: Callable[[Any], None],
    tasks: Iterable[Any],
    progress: Progress,
    *,
    done: float = 0,
    total: float | None = None,
    message: str = "",
) -> float:
    """Run ``work`` on every task over all cores, reporting each finished one; returns the new count of units done.

    Stops at the first error or at cancellation, without starting what has not begun.

    >>> done = []
    >>> for_each(done.append, [1, 2, 3], Progress())
    3
    >>> sorted(done)
    [1, 2, 3]
    """
    tasks = list(tasks)
    total = done + len(tasks) if total is None else total
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            for _ in pool.map(work, tasks):
                done += 1
                progress.update(done, total, message)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return done
