"""``workbench serve``: the pages of all rooms on this machine."""

from pathlib import Path
from typing import Annotated

import typer


def serve(
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
        typer.Option(help="Password, or JSON file of users, that visitors must give.", envvar="WORKBENCH_PASSWORD"),
    ] = None,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Processes, for many visitors at once.")] = 1,
    show: Annotated[bool, typer.Option("--show", help="Open a browser.")] = False,
) -> None:
    """Serve the pages at http://localhost:5006 until Ctrl-C."""
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
