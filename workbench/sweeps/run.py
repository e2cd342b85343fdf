"""The sweep itself: plan, skip what is finished, compute the rest, put it together."""

import contextlib
import os
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import xarray as xr

import workbench
from workbench import results
from workbench.checks import integer, memory
from workbench.costs import Cost, duration
from workbench.progress import Progress, RemainingTime
from workbench.sweeps import cellfile, forecast
from workbench.sweeps.assemble import provenance, read_box, whole
from workbench.sweeps.claims import Claims
from workbench.sweeps.engine import Outcome, run_here, run_with, run_with_own_workers
from workbench.sweeps.experiments import Function, checked, importable, name_of
from workbench.sweeps.grid import Cell, Grid, Plan, plan
from workbench.sweeps.pinning import pinned_process
from workbench.sweeps.store import MARK, Store
from workbench.sweeps.survey import survey
from workbench.sweeps.workers import queue_length
from workbench.sweeps.zarr_regions import check_zarr, write_zarr

PathOrName = str | os.PathLike[str]
SECONDS_BETWEEN_LOOKS = 0.25


def sweep(
    function: Function | str,
    grid: Grid,
    *,
    executor: Executor | int | None = None,
    store: PathOrName,
    repeats: int = 1,
    seed: int | None,
    paired: Sequence[str] = (),
    threads: int = 1,
    retry_failed: bool = True,
    keep: Sequence[str] | None = None,
    zarr: PathOrName | None = None,
    allow_import: bool = False,
    progress: Progress | None = None,
    announce: Callable[[str], None] | None = None,
) -> xr.Dataset:
    """Compute a function over a grid of its parameters and return one labelled Dataset; resume by calling again.

    >>> from workbench import sweeps
    >>> ds = sweeps.sweep(                                                            # doctest: +SKIP
    ...     "fisher.trace_norm", {"L": [8, 16, 32], "J": [0.40, 0.44]}, executor=2, store="trace-norm", seed=0
    ... )

    Parameters
    ----------
    function
        An experiment of a room, itself or by name (``"fisher.ising_curvature"``), or any function at the top of a
        module that returns a Dataset, a number, or a flat mapping of numbers.
    grid
        Parameter name to values. A list, tuple, range or 1-D array is an axis of the result; anything else is
        passed to every cell. A list that is *one* value for every cell goes into a list of its own: ``[[6, 7, 8]]``.
    executor
        ``None``: in this process. A number: that many worker processes, each with its libraries held to ``threads``
        threads; a cell that kills its worker is found and recorded. Or any ``concurrent.futures.Executor``,
        ``dask.distributed.Client(…).get_executor()`` among them.
    store
        Folder of finished cells, one file each, written so that a killed process, a power cut or a full disk never
        leaves half a cell. Cells found there are not computed again, whoever put them there.
    repeats
        How often each point of the grid is computed, each time with another seed; an axis ``repeat`` if over 1.
    seed
        The seed of the sweep. Each cell's own seed is derived from it, the function's name, the cell's parameters
        and the repeat, so that neither order nor the number of workers matters. ``None`` if the function takes no
        ``seed``, or the grid lists seeds itself.
    paired
        Parameters that do not enter the derived seeds: cells that differ in these alone share their randomness, as a
        paired comparison of methods wants it.
    threads
        Threads that numerical libraries may use within a cell; the same everywhere, as their number changes rounding.
    retry_failed
        Whether cells recorded as failed are tried again, or left as they are.
    keep
        Names of the variables that the result shall hold (the cells hold all). ``None``: all.
    zarr
        A ``.zarr`` folder to write the result to, box by box, when it may not fit into memory; the returned Dataset
        then reads from it lazily. An older result there is replaced, any other folder refused.
    allow_import
        Whether a name such as ``"your_package.module:function"`` may be imported, which runs that module. Not needed
        for a function that is handed in.
    announce
        Is told once, before the first cell, how many cells there are and about how long they will take, where the
        room of the function knows that and it is more than a moment. :func:`workbench.sweeps.cost` tells it by itself.

    Returns
    -------
    Dataset whose variables have the grid's axes, then ``repeat``, then their own dimensions, and ``cell_failed``,
    ``cell_error`` (text) and ``cell_seed`` over the axes. An axis whose name the cells use for something else is
    called ``sweep_<name>``. It is bit for bit the same for every executor; what a function *measures* (times) is
    not, of course.

    Raises
    ------
    ValueError, TypeError
        Bad grid, function, seed or store, before anything is computed.
    OSError
        The store cannot be written (full, read-only): finished cells are kept.
    WorkersDied
        A pool handed in as ``executor`` broke: finished cells are kept.
    RuntimeError
        Every cell failed.

    Cost beside the function: one to a few milliseconds a cell, most of it two flushes of the disk
    (``benchmarks/results/sweeps.md``), and about a second to start each worker process.
    """
    function = checked(function, allow_import=allow_import)
    cells = plan(function, grid, repeats=repeats, seed=seed, paired=paired)
    integer("threads", threads, minimum=1)
    _check_executor(executor, function)
    if zarr is not None:
        check_zarr(Path(zarr))
    folder = Store(store).prepare()
    progress = progress or Progress()
    pending = _pending(folder, cells, retry_failed)
    seconds = forecast.seconds_of(function, [cell.parameters for cell in pending])
    if announce is not None and seconds is not None and not Cost(sum(seconds)).is_quick:
        announce(forecast.sentence(sum(seconds), len(pending), len(cells.cells), _workers(executor)))
    weights = None if seconds is None else {cell.key: one for cell, one in zip(pending, seconds, strict=True)}
    with pinned_process(threads), contextlib.closing(Claims(folder.path)) as claims:
        _Run(folder, cells, threads, progress, pending, claims, weights).run(executor, pending)
    found = survey(folder, cells, keep)
    if zarr is not None:
        return write_zarr(folder, found, Path(zarr))
    memory(
        found.bytes_per_cell() * len(cells.cells),
        "the result of this sweep (its cells are stored; use zarr=… to write it piece by piece, or keep=[…])",
    )
    return results.validate(read_box(folder, found, whole(cells)).assign_attrs(provenance(folder, found)))


def _check_executor(executor: Any, function: Function) -> None:
    if executor is None:
        return
    if isinstance(executor, bool) or not isinstance(executor, (int, Executor)):
        raise TypeError(
            f"executor must be None, a number of worker processes, or a concurrent.futures.Executor, got "
            f"{type(executor).__name__}; for Dask pass client.get_executor()"
        )
    if isinstance(executor, int):
        integer("executor", executor, minimum=1)
        if not importable(function):
            raise ValueError(
                f"worker processes cannot import {name_of(function)!r}; put the function at the top of a module, or "
                "use executor=None or threads"
            )


def _workers(executor: Executor | int | None) -> int:
    """Return how many cells are computed at once, 1 where nobody can say."""
    if isinstance(executor, int):
        return executor
    return int(getattr(executor, "_max_workers", 1))


def _pending(store: Store, cells: Plan, retry_failed: bool) -> list[Cell]:
    """Return the cells still to compute; cells on disk are read against their checksums first."""
    finished = store.finished()
    for cell in cells.cells:
        if cell.key not in finished:
            continue
        try:
            store.verify(cell.key)
        except cellfile.Damaged as error:
            aside = store.set_aside(cell.key)
            finished.discard(cell.key)
            warnings.warn(
                f"the cell {cell.described} was damaged on disk ({error}); it is computed again, and the damaged file "
                f"kept as {str(aside)!r}",
                stacklevel=3,
            )
    given_up = set() if retry_failed else store.failures().keys()
    return [cell for cell in cells.cells if cell.key not in finished and cell.key not in given_up]


class _Run:
    """One run of a sweep: what a cell needs to be computed, and what becomes of its outcome."""

    def __init__(
        self,
        store: Store,
        cells: Plan,
        threads: int,
        progress: Progress,
        pending: list[Cell],
        claims: Claims,
        weights: dict[str, float] | None,
    ) -> None:
        self._store, self._plan, self._threads, self._progress = store, cells, threads, progress
        self._total, self._pending, self._claims = len(cells.cells), len(pending), claims
        self._weights = weights or dict.fromkeys((cell.key for cell in pending), 1.0)
        self._done, self._all = 0.0, sum(self._weights.values())
        self._elsewhere: list[Cell] = []
        self._began = (store.path / MARK).stat().st_mtime  # the store was prepared just now, by its own clock
        self._new = self._failed = 0
        self._remaining = RemainingTime()
        self._name = name_of(cells.function)

    def run(self, executor: Executor | int | None, pending: list[Cell]) -> None:
        """Compute the cells that no other sweep is computing, then wait for those, or take them over."""
        self._report()
        while pending:
            self._elsewhere = []
            if executor is None:
                run_here(filter(self._is_mine, pending), self._job, self._finish, self._progress)
            elif isinstance(executor, int):
                options = (self._job, self._finish, self._progress, self._is_mine)
                run_with_own_workers(executor, self._threads, pending, *options)
            else:
                mine, queue = filter(self._is_mine, pending), queue_length(executor)
                run_with(executor, mine, self._job, self._finish, self._progress, queue)
            pending = self._wait_for(self._elsewhere)

    def _is_mine(self, cell: Cell) -> bool:
        """Claim a cell just before it is computed; one that another sweep has, or has just finished, is left out."""
        if not self._claims.take(cell.key):
            self._elsewhere.append(cell)
            return False
        if self._is_settled(cell):
            self._claims.release(cell.key)
            self._count(cell)
            return False
        return True

    def _is_settled(self, cell: Cell) -> bool:
        """Whether another sweep has finished the cell, or has failed at it, since this one began."""
        return self._store.cell(cell.key).is_file() or self._store.failed_since(cell.key, self._began)

    def _wait_for(self, cells: list[Cell]) -> list[Cell]:
        """Wait until another sweep lets go of one of the cells; return those that are not settled then."""
        while cells:
            settled = {cell.key for cell in cells if self._is_settled(cell)}
            left = [cell for cell in cells if cell.key not in settled]
            for cell in cells:
                if cell.key in settled:
                    self._count(cell)
            free = next((cell for cell in left if self._claims.take(cell.key)), None)
            if free is not None:
                self._claims.release(free.key)
                return left
            cells = left
            if cells:
                self._report(f"{len(cells)} computed by another sweep")
                time.sleep(SECONDS_BETWEEN_LOOKS)
        return []

    def _job(self, cell: Cell) -> tuple[Any, ...]:
        return self._plan.function, cell.parameters, self._header(cell), self._threads

    def _header(self, cell: Cell) -> dict[str, Any]:
        return {
            "key": cell.key,
            "function": self._name,
            "parameters": cell.described,
            "seed": cell.seed,
            "version": workbench.__version__,
        }

    def _finish(self, cell: Cell, outcome: Outcome) -> None:
        data, error = outcome
        if data is not None:
            self._store.write(cell.key, data)
        else:
            self._store.record_failure(cell.key, {**(error or {}), **self._header(cell)})
            self._failed += 1
        self._claims.release(cell.key)
        self._count(cell)

    def _count(self, cell: Cell) -> None:
        self._new += 1
        self._done += self._weights[cell.key]
        self._report()

    def _report(self, *more: str) -> None:
        left = self._remaining.seconds(self._done, self._all)
        parts = [*more, *[f"{self._failed} failed"] * (self._failed > 0)]
        if left is not None and self._new < self._pending:
            parts.append(f"{duration(left)} left")
        self._progress.update(self._total - self._pending + self._new, self._total, ", ".join(parts))
