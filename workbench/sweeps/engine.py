"""Run cells through an executor and hand each outcome on as soon as it is there."""

import contextlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from queue import Empty, SimpleQueue
from typing import Any

from workbench.progress import Cancelled, Progress
from workbench.sweeps.grid import Cell
from workbench.sweeps.workers import failure, processes, queue_length, run_cell

NO_WORKER_LIVES = (
    "no worker process stays alive: either memory is short (use fewer workers), or this script starts the sweep again "
    "whenever a worker imports it. In a script, put the call under: if __name__ == '__main__':"
)

Outcome = tuple[bytes | None, dict[str, Any] | None]
Job = Callable[[Cell], tuple[Any, ...]]
Finish = Callable[[Cell, Outcome], None]
WAKE_UP_SECONDS = 0.25
MOST_DEATHS_IN_A_ROW = 3


class WorkersDied(RuntimeError):
    """The pool of processes broke while it held these cells."""

    def __init__(
        self,
        suspects: list[Cell],
        message: str = "a worker process died (killed, or out of memory), and its pool with it; finished cells are "
        "kept, so run the same line again, with fewer workers if memory is short. With executor=<number of workers> "
        "the sweep finds the cell that does it and goes on",
    ) -> None:
        super().__init__(message)
        self.suspects = suspects


def run_here(cells: Iterable[Cell], job: Job, finish: Finish, progress: Progress) -> None:
    """Run the cells one after the other in this process; a cell that reports progress can be cancelled midway."""
    for cell in cells:
        function, parameters, *rest = job(cell)
        if takes_progress(function):
            parameters = {**parameters, "progress": _Cancellable(progress)}
        finish(cell, run_cell(function, parameters, *rest))


def run_with(
    executor: Executor, cells: Iterable[Cell], job: Job, finish: Finish, progress: Progress, queue: int
) -> None:
    """Keep ``queue`` cells in the executor's hands until all are done; stop on cancel, or when the pool breaks.

    Futures announce themselves when they are done: asking all of them each time would cost more than a small cell.
    """
    waiting = iter(cells)
    running: dict[Future[Outcome], Cell] = {}
    done: SimpleQueue[Future[Outcome]] = SimpleQueue()
    try:
        _submit(executor, waiting, job, running, done, queue)
        while running:
            with contextlib.suppress(Empty):
                _collect(done.get(timeout=WAKE_UP_SECONDS), running, finish)
            if progress.cancelled:
                raise Cancelled("cancelled before it finished; the finished cells are kept")
            _submit(executor, waiting, job, running, done, queue)
    except BrokenProcessPool as error:  # the pool is marking its futures: cancelling them now would trip it up
        raise WorkersDied(list(running.values())) from error
    except CancelledError as error:
        raise RuntimeError(
            "the executor was shut down, or lost its scheduler, with cells still to do; finished cells are kept, so "
            "run the same line again"
        ) from error
    except BaseException:
        for future in running:
            future.cancel()
        raise


def _submit(
    executor: Executor,
    waiting: Iterator[Cell],
    job: Job,
    running: dict[Future[Outcome], Cell],
    done: SimpleQueue[Future[Outcome]],
    queue: int,
) -> None:
    while len(running) < queue and (cell := next(waiting, None)) is not None:
        try:
            future = executor.submit(run_cell, *job(cell))
        except BrokenProcessPool:
            running[Future()] = cell  # it never left: it goes back with the others
            raise
        running[future] = cell
        future.add_done_callback(done.put)


def _collect(future: Future[Outcome], running: dict[Future[Outcome], Cell], finish: Finish) -> None:
    """Hand on what is finished. A future of a broken pool stays among the running, so that its cell is not lost."""
    error = future.exception()
    if isinstance(error, BrokenProcessPool):
        raise error
    outcome = future.result() if error is None else (None, failure({}, type(error).__name__, str(error)))
    finish(running.pop(future), outcome)


def run_with_own_workers(
    workers: int,
    threads: int,
    cells: list[Cell],
    job: Job,
    finish: Finish,
    progress: Progress,
    is_mine: Callable[[Cell], bool] = lambda cell: True,
) -> None:
    """Run the cells that are ours on worker processes of the sweep's own; find and record the cell that kills one.

    When the pool breaks, any of the cells it held may be to blame. They are run again one at a time: the one that
    breaks the pool is recorded as failed, and the sweep goes on with the rest. When several in a row do, it is not
    the cells: the sweep gives up.
    """
    left = {cell.key: cell for cell in cells}
    deaths = 0

    def finish_and_cross_off(cell: Cell, outcome: Outcome) -> None:
        nonlocal deaths
        deaths = 0
        finish(cell, outcome)
        left.pop(cell.key)

    def ours(batch: list[Cell]) -> Iterator[Cell]:
        for cell in batch:
            if is_mine(cell):
                yield cell
            else:
                left.pop(cell.key)

    suspects: list[Cell] = []
    while left:
        batch, alone = suspects or list(left.values()), bool(suspects)
        try:
            with _Pool(workers, threads) as pool:
                run_with(pool, ours(batch), job, finish_and_cross_off, progress, 1 if alone else queue_length(pool))
        except WorkersDied as error:
            if alone:
                so_far = deaths + 1
                message = "the worker process died while it computed this cell (killed, or out of memory)"
                finish_and_cross_off(error.suspects[0], (None, failure({}, "WorkerDied", message)))
                deaths = so_far
                if deaths == MOST_DEATHS_IN_A_ROW:
                    raise WorkersDied(error.suspects, NO_WORKER_LIVES) from error
            else:
                suspects = error.suspects
        suspects = [cell for cell in suspects if cell.key in left]


class _Pool:
    """A pool of processes that does not wait for the cells it still holds when it is left by an error."""

    def __init__(self, workers: int, threads: int) -> None:
        self._pool = processes(workers, threads=threads)

    def __enter__(self) -> ProcessPoolExecutor:
        return self._pool

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        started = list((self._pool._processes or {}).values())
        self._pool.shutdown(wait=kind is None, cancel_futures=True)
        if kind is not None:
            for process in started:
                process.terminate()


def takes_progress(function: Callable[..., Any]) -> bool:
    """Return whether the function has a ``progress`` parameter.

    >>> takes_progress(run_here), takes_progress(len)
    (True, False)
    """
    return "progress" in inspect.signature(function).parameters


class _Cancellable(Progress):
    """What a cell reports to: silent, and cancelled when the sweep is."""

    def __init__(self, sweep: Progress) -> None:
        super().__init__()
        self._sweep = sweep

    def update(self, done: float, total: float, message: str = "") -> None:
        if self._sweep.cancelled:
            self.cancel()
        super().update(done, total, message)
