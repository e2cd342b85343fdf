"""A Python that has imported the workbench already and runs each script in a fork of itself: no script pays for that.

A fork is as fresh as a new process: its own folder, environment, arguments and main module. Start it with
``warm_python()``, which yields a function; where processes can't fork, it starts a new Python each time.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from workbench.rooms import ROOMS

IMPORTED = (
    *(
        "holoviews",
        "scipy.stats",
        "torch",
        "workbench.cli",
        "workbench.figures",
        "workbench.results",
        "workbench.sweeps",
    ),
    *(f"workbench.{room}" for room in ROOMS),
)
Run = Callable[[Sequence[str], Path, Mapping[str, str]], tuple[int, str]]


@contextmanager
def warm_python() -> Iterator[Run]:
    """Yield ``run(arguments, folder, environment)``, as ``python arguments`` in that folder: (exit code, what it said).

    The first argument is a script's path, or ``-m`` and a module's name.
    """
    if not hasattr(os, "fork") or sys.platform == "darwin":  # frameworks of macOS don't survive a fork
        yield _new
        return
    command = [sys.executable, __file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:

        def run(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
            with tempfile.NamedTemporaryFile() as said:
                order = [list(map(str, arguments)), str(folder), dict(environment), said.name]
                server.stdin.write(json.dumps(order) + "\n")
                server.stdin.flush()
                return int(server.stdout.readline()), Path(said.name).read_text(errors="replace")

        yield run
        server.stdin.close()


def _new(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return done.returncode, done.stdout


def _serve() -> None:
    """Read orders, a line of JSON each, and answer each with the exit code of its fork."""
    import importlib

    for name in IMPORTED:
        importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            sys.exit(_become(*json.loads(line)))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(arguments: list[str], folder: str, environment: dict[str, str], said: str) -> int:
    """Run one script in this process, which is to end with the exit code that this returns."""
    import runpy
    import traceback

    out = os.open(said, os.O_WRONLY | os.O_APPEND)
    for descriptor in (1, 2):
        os.dup2(out, descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    module = arguments[0] == "-m"
    sys.argv = arguments[module:]
    sys.path[0] = folder if module else str(Path(arguments[0]).parent)
    try:
        if module:
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    _serve()
