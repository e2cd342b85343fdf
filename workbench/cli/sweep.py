"""``workbench sweep study.toml``: run a study, resume it by the same line."""

from concurrent.futures import Executor
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench import sweeps
from workbench.cli import console, summary
from workbench.progress import Cancelled


def sweep(
    study: Annotated[Path, typer.Argument(help="The study, a TOML file; docs/sweeps.md says what it holds.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Save the result here instead.")] = None,
    store: Annotated[Path | None, typer.Option(help="Keep the finished cells in this folder instead.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Worker processes on this machine.")] = None,
    dask: Annotated[str | None, typer.Option(help="Address of a Dask scheduler, tcp://host:8786.")] = None,
    retry: Annotated[bool, typer.Option(help="Try cells again that failed before.")] = True,
    allow_import: Annotated[
        bool, typer.Option("--allow-import", help="Import, that is run, the module of another package it names.")
    ] = False,
    print_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")] = False,
) -> None:
    """Run a sweep from a TOML file, or resume it.

    The same line again goes on where the last one ended: finished cells are kept whatever happens. Exit code 1 if
    cells failed: their errors are in the result, and in the folder "failed" of the store.
    """
    plan = sweeps.read_study(study)
    if dask is not None and workers is not None:
        raise ValueError("give --workers or --dask, not both")
    executor: Executor | int | None = _cluster(dask) if dask else workers
    progress = console.progress(plan.title or plan.experiment, quiet=quiet)
    try:
        with console.only_answers(), console.stoppable(progress):
            ds = sweeps.run_study(
                plan,
                executor=executor,
                store=store,
                output=output,
                retry_failed=retry,
                allow_import=allow_import,
                progress=progress,
                announce=None if quiet else console.note,
            )
    except (KeyboardInterrupt, Cancelled):
        console.note(f"stopped; finished cells are kept in {store or plan.store}, the same line again goes on")
        raise typer.Exit(console.STOPPED) from None
    saved = output or plan.output
    failed = int(ds.attrs["failed_cells"])
    if saved:
        console.note(f"saved {saved}")
    if failed:
        console.note(f"{failed} of {ds.attrs['cells']} cells failed; see {(store or plan.store) / 'failed'}")
    if print_json:
        console.say_json({"file": str(saved) if saved else None, "failed_cells": failed, **summary.as_json(ds)})
    else:
        console.say(summary.as_text(ds))
    raise typer.Exit(console.NO if failed else console.YES)


def _cluster(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise ValueError("--dask needs: pip install 'geometry-workbench[sweeps]'") from error
    try:
        return Client(address, timeout="20s").get_executor()
    except (OSError, ValueError) as error:
        raise ValueError(f"no Dask scheduler answers at {address}: {error}") from error
