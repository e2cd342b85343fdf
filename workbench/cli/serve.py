"""``workbench serve``: the pages, in one process of this machine."""

from pathlib import Path
from typing import Annotated

import typer

import workbench


def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 5006,
    address: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")] = "localhost",
    show: Annotated[bool, typer.Option("--show", help="Open a browser.")] = False,
) -> None:
    """Serve the pages at http://localhost:5006 until Ctrl-C."""
    if not pages():
        raise FileNotFoundError(
            f"there are no pages beside {str(Path(workbench.__file__).parent)!r}: they come with the repository, not "
            "with the installed package. Clone it and run this from there; the experiments themselves are under "
            "'workbench run'"
        )
    from workbench.ui.serve import serve as start

    start(port=port, address=address, show=show)


def pages() -> list[Path]:
    """Return the page scripts of the checkout, home first; empty where the package was installed alone."""
    folder = Path(workbench.__file__).resolve().parents[1] / "apps"
    found = [page for page in folder.glob("*.py") if not page.name.startswith("_")]
    return sorted(found, key=lambda page: (page.stem != "home", page.stem))
