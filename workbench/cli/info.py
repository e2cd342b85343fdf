"""``workbench info``: what is installed and what there is."""

import importlib.metadata
import os
import platform
from typing import Annotated, Any

import psutil
import typer

import workbench
from workbench import data
from workbench.cli import console
from workbench.sweeps.experiments import ROOMS, experiments
from workbench.ui.server.serve import app_files

LIBRARIES = ("numpy", "scipy", "numba", "torch", "xarray", "panel", "holoviews", "dask", "zarr", "cvxpy")


def info(
    print_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Print versions, the machine, and what there is.

    The rooms with their experiments, and where the data and pages are.
    """
    told = facts()
    if print_json:
        return console.say_json(told)
    console.say(f"geometry-workbench {told['version']}, Python {told['python']}, {told['system']}")
    console.say(f"{told['cores']} cores, {told['memory_gib']:.1f} GiB of memory, {told['free_gib']:.1f} free")
    for room, names in told["rooms"].items():
        console.say(f"{room:<7} {', '.join(names) or 'no experiments'}")
    console.say(f"data    {told['data']}")
    console.say(f"pages   {', '.join(told['pages']) or 'none here'}")
    console.say("with    " + ", ".join(f"{name} {number or '—'}" for name, number in told["libraries"].items()))
    return None


def facts() -> dict[str, Any]:
    """Return what ``workbench info`` prints.

    >>> facts()["cores"] >= 1
    True
    """
    memory = psutil.virtual_memory()
    return {
        "version": workbench.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "memory_gib": memory.total / 2**30,
        "free_gib": memory.available / 2**30,
        "rooms": {room: list(experiments(room)) for room in ROOMS},
        "data": str(data.folder()),
        "pages": [page.stem for page in app_files()],
        "libraries": {name: _version(name) for name in LIBRARIES},
    }


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
