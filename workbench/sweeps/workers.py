"""What happens in a worker, and pools of worker processes whose libraries use one thread each."""

import functools
import multiprocessing
import os
import socket
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import workbench
from workbench.checks import integer
from workbench.progress import Cancelled
from workbench.sweeps import cellfile
from workbench.sweeps.experiments import as_dataset
from workbench.sweeps.pinning import pin_worker

# A queue too short starves fast workers; one too long holds results in memory, and delays a cancel.
QUEUE_PER_WORKER = 4
QUEUE_OF_A_CLUSTER = 1000


def run_cell(
    function: Callable[..., Any], parameters: dict[str, Any], header: dict[str, Any], threads: int
) -> tuple[bytes | None, dict[str, Any] | None]:
    """Compute one cell: return its file's bytes, or None and a record of the error. Runs in the worker.

    Errors travel as text, so that an exception that another process could not rebuild loses nothing.
    """
    try:
        if header["version"] != workbench.__version__:
            raise RuntimeError(
                f"this worker has geometry-workbench {workbench.__version__}, the sweep {header['version']}; "
                "install the same version on both"
            )
        pin_worker(threads)
        started = time.perf_counter()
        ds = as_dataset(function(**parameters))
        return cellfile.encode(ds, {**header, "seconds": round(time.perf_counter() - started, 6)}), None
    except Cancelled:
        raise
    except Exception as error:
        return None, failure(header, type(error).__name__, str(error), traceback.format_exc())


def failure(header: dict[str, Any], error: str, message: str, trace: str = "") -> dict[str, Any]:
    """Return the record of a cell that did not succeed.

    >>> failure({"key": "a"}, "ValueError", "no such method")["message"]
    'no such method'
    """
    return {**header, "error": error, "message": message, "traceback": trace, "host": socket.gethostname()}


def processes(workers: int, *, threads: int = 1) -> ProcessPoolExecutor:
    """Return a pool of worker processes, each with its numerical libraries held to ``threads`` threads.

    The processes are started afresh, not forked, so threads and locks of this one are not copied; a script that uses
    it needs the usual ``if __name__ == "__main__":``. They end when this process does, even if it is killed.
    """
    integer("workers", workers, minimum=1)
    return ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=functools.partial(_begin, threads),
    )


def _begin(threads: int) -> None:
    """Prepare a worker process: its libraries held to ``threads`` threads, its life to that of its parent."""
    end_with_parent()
    pin_worker(threads)


def end_with_parent() -> None:
    """End this process as soon as the one that started it (through multiprocessing) has ended, even by SIGKILL.

    A worker waits for its next piece of work on a pipe whose other end it holds itself, so it would wait for ever.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="ends with its parent", daemon=True).start()


def queue_length(executor: Executor) -> int:
    """Return how many cells to hand to an executor at once.

    Clusters get many, since a cluster that grows with demand grows by what is waiting.
    """
    if isinstance(executor, (ProcessPoolExecutor, ThreadPoolExecutor)):
        return QUEUE_PER_WORKER * executor._max_workers
    return QUEUE_OF_A_CLUSTER
