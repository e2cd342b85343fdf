"""Start the dashboards with the options that keep a server fast, private and offline for months.

``panel serve apps/*.py`` works as well; this adds: warm pages, ended sessions let go within seconds, a liveness address
for health checks, and no origin but this machine's own.
"""

import contextlib
import json
import os
import secrets
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
LOGIN = Path(__file__).with_name("login.html")  # Panel's own asks a content network for its pictures
GRACE = 10  # seconds for the server to end by itself
LARGEST_MESSAGE = 100 * 2**20  # of one WebSocket message; fairness.py bounds what is put together from several


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
    show: bool = False,
) -> list[str]:
    """Return the ``panel serve`` command line.

    ``origins`` are the host names under which visitors reach the server (``host:port``), needed behind a proxy; the
    wildcard is refused. Raises ``ValueError`` for a port, a number of processes, or an origin that cannot be used. A
    password is not among the arguments: everybody on the machine can read them (:func:`environment`).
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
    line += ["--show"] if show else []
    line += ["--setup", str(SETUP), "--basic-login-template", str(LOGIN)]
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


def environment(
    *,
    processes: int = 1,
    results_folder: str | os.PathLike[str] | None = None,
    basic_auth: str | None = None,
) -> dict[str, str]:
    """Return the environment of the server.

    ``basic_auth`` is a password, or the path of a JSON file ``{"user": "password"}``. It travels here because other
    users of the machine can read a command line and not an environment. Raises ``ValueError`` if the results folder
    is not a folder or the file of users holds anything else.
    """
    added = {"BOKEH_RESOURCES": "server"}
    if results_folder is not None:
        folder = Path(results_folder).resolve()
        if not folder.is_dir():
            raise ValueError(f"the results folder {str(results_folder)!r} is not a folder; create it first")
        added["WORKBENCH_RESULTS"] = str(folder)
    if processes > 1:
        added["PANEL_CDN_ROOT"] = "/cdn/"
    if basic_auth:
        added["PANEL_BASIC_AUTH"] = _checked_password(basic_auth)
        # Signs the cookie of whoever has logged in; all processes of this server share it, and a restart ends logins.
        added["PANEL_COOKIE_SECRET"] = os.environ.get("PANEL_COOKIE_SECRET") or secrets.token_hex(32)
    return {**os.environ, **added}


def _checked_password(given: str) -> str:
    """Return the password, or the absolute path of a file of users that Panel will be able to read."""
    path = Path(given)
    if path.suffix != ".json" and not path.is_file():
        return given
    if not path.is_file():
        raise ValueError(
            f"there is no file of users {given!r}; create it, or give a password that does not end in .json"
        )
    try:
        users = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"cannot read the users in {given!r}: {error}") from error
    if not isinstance(users, dict) or not users or not all(isinstance(v, str) and v for v in users.values()):
        raise ValueError(f'{given!r} must hold one JSON object of names and passwords, {{"user": "password"}}')
    return str(path.resolve())


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
    """Serve the dashboards until interrupted; returns the server's exit code. Arguments as for :func:`command` and
    :func:`environment`.

    ``results_folder`` is a folder of saved results that the home page lists.
    """
    line = command(
        port=port,
        address=address,
        origins=origins,
        processes=processes,
        show=show,
    )
    added = environment(processes=processes, results_folder=results_folder, basic_auth=basic_auth)
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
