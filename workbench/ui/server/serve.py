"""Start the dashboards with the options that keep a server fast, private and offline for months.

``panel serve apps/*.py`` works as well; this adds: warm pages, ended sessions let go within seconds, a liveness address
for health checks, and no origin but this machine's own.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import workbench
from workbench import checks
from workbench.rooms import ROOMS

SETUP = Path(__file__).with_name("setup.py")
GRACE = 10  # seconds for the server to end by itself
LARGEST_MESSAGE = 100 * 2**20  # an upload of the 64 MiB that a page accepts grows by a third on its way


def apps_folder() -> Path:
    """Return where the apps are: inside an installed package, or beside it in a checkout; it may not exist."""
    here = Path(workbench.__file__).resolve().parent
    installed = here / "_apps"
    return installed if installed.is_dir() else here.parent / "apps"


def app_files() -> list[Path]:
    """Return the app scripts, home first."""
    return [file for room in ("home", *ROOMS) if (file := apps_folder() / f"{room}.py").is_file()]


def command(
    *,
    port: int = 5006,
    address: str = "127.0.0.1",
    origins: Sequence[str] = (),
    processes: int = 1,
    basic_auth: str | None = None,
    show: bool = False,
) -> list[str]:
    """Return the ``panel serve`` command line.

    ``origins`` are the host names under which visitors reach the server (``host:port``), needed behind a proxy; the
    wildcard is refused. ``basic_auth`` is a password or the path of a JSON file of users, as Panel takes it. Raises
    ``ValueError`` for a port, a number of processes, or an origin that cannot be used.
    """
    checks.integer("port", port, minimum=1, maximum=65535)
    checks.integer("processes", processes, minimum=1, maximum=64)
    if any("*" in origin for origin in origins):
        raise ValueError("an origin of * lets any web page use this server; name the hosts that visitors use")
    apps = [str(file) for file in app_files()]
    if not apps:
        raise FileNotFoundError(
            f"there are no apps in {str(apps_folder())!r}; install the package anew or run a checkout"
        )
    own = {address, "localhost", "127.0.0.1"} - {"0.0.0.0", "::"}
    line = [sys.executable, "-m", "panel", "serve", *apps, "--port", str(port), "--address", address]
    line += [part for host in sorted({f"{name}:{port}" for name in own} | set(origins)) for part in _origin(host)]
    # No --num-threads: work runs in threads of our own, and Panel's lose clicks. A callback that Bokeh schedules is an
    # event of the document and, as we understand it, gone when another thread holds the document's events just then.
    line += ["--index", "home", "--liveness"]
    line += ["--unused-session-lifetime", "3000", "--check-unused-sessions", "1000"]
    line += ["--websocket-max-message-size", str(LARGEST_MESSAGE)]
    line += ["--basic-auth", basic_auth] if basic_auth else []
    line += ["--show"] if show else []
    line += ["--setup", str(SETUP)]
    return line + (_many_processes(processes) if processes > 1 else ["--warm"])


def _origin(host: str) -> list[str]:
    return ["--allow-websocket-origin", host]


def _many_processes(processes: int) -> list[str]:
    """Several processes lose Panel's local resources unless they are told where those are (and would ask a CDN)."""
    import panel

    dist = Path(panel.__file__).parent / "dist"
    static = f"cdn/{panel.__version__}/dist={dist}"
    # no --warm: it would start threads before the fork, which the children would not have
    return ["--num-procs", str(processes), "--static-dirs", static]


def environment(*, processes: int = 1, results_folder: str | os.PathLike[str] | None = None) -> dict[str, str]:
    """Return the environment of the server; raises ``ValueError`` if the results folder is not a folder."""
    added = {"BOKEH_RESOURCES": "server"}
    if results_folder is not None:
        folder = Path(results_folder).resolve()
        if not folder.is_dir():
            raise ValueError(f"the results folder {str(results_folder)!r} is not a folder; create it first")
        added["WORKBENCH_RESULTS"] = str(folder)
    if processes > 1:
        added["PANEL_CDN_ROOT"] = "/cdn/"
    return {**os.environ, **added}


def serve(
    *,
    port: int = 5006,
    address: str = "127.0.0.1",
    origins: Sequence[str] = (),
    processes: int = 1,
    basic_auth: str | None = None,
    results_folder: str | os.PathLike[str] | None = None,
    show: bool = False,
) -> int:
    """Serve the dashboards until interrupted; returns the server's exit code. Arguments as for :func:`command`.

    ``results_folder`` is a folder of saved results that the home page lists.
    """
    line = command(
        port=port,
        address=address,
        origins=origins,
        processes=processes,
        basic_auth=basic_auth,
        show=show,
    )
    added = environment(processes=processes, results_folder=results_folder)
    process = subprocess.Popen(line, env=added, start_new_session=True)
    try:
        with _interrupted_by(signal.SIGTERM):
            return process.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        _stop_group(process)


@contextmanager
def _interrupted_by(number: signal.Signals) -> Iterator[None]:
    """Let a signal end the block as Ctrl-C does (in the main thread, where alone handlers may be set)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(number, interrupt)
    try:
        yield
    finally:
        signal.signal(number, before)


def _stop_group(process: subprocess.Popen) -> None:
    """End the server and the processes that it forked, which would go on serving without it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
            break
