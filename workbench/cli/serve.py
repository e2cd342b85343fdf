"""``workbench serve``: the pages of all rooms on this machine."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

PASSWORD = "WORKBENCH_PASSWORD"


def serve(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 5006,
    address: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in (name them with --origin).")
    ] = "127.0.0.1",
    origin: Annotated[
        list[str] | None, typer.Option(help="Host under which visitors reach the server, host:port. Repeatable.")
    ] = None,
    results: Annotated[
        Path | None, typer.Option(help="Folder of saved results (.nc) that the home page lists.")
    ] = None,
    password: Annotated[
        str | None,
        typer.Option(help="Password, or JSON file of users, that visitors must give.", envvar=PASSWORD),
    ] = None,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Processes, for many visitors at once.")] = 1,
    show: Annotated[bool, typer.Option("--show", help="Open a browser.")] = False,
) -> None:
    """Serve the pages at http://localhost:5006 until Ctrl-C."""
    source = ctx.get_parameter_source("password")
    if password and source is not None and source.name == "COMMANDLINE" and not Path(password).is_file():
        _start_again_without(password)
    from workbench.ui.server.serve import serve as start

    code = start(
        port=port,
        address=address,
        origins=origin or (),
        processes=processes,
        basic_auth=password,
        results_folder=results,
        show=show,
    )
    raise typer.Exit(code)


def _start_again_without(password: str) -> None:
    """Replace this process by one whose command line, which everybody on the machine can read, holds no password."""
    kept, skip = [], False
    for argument in sys.argv[1:]:
        if skip or argument.startswith("--password="):
            skip = False
        elif argument == "--password":
            skip = True
        else:
            kept.append(argument)
    if len(kept) == len(sys.argv) - 1:  # called from Python, with arguments of its own: nothing to hide
        return
    os.execve(sys.executable, [sys.executable, "-m", "workbench.cli", *kept], {**os.environ, PASSWORD: password})
