"""A server to look at and a browser without a screen to look with: for tests, screenshots and benchmarks of the pages.

Chromium is taken from the system (Debian: ``apt-get install chromium``) or from the path in CHROMIUM.
"""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-unsafe-swiftshader",
)
NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
START = 120  # seconds that a server may take until it answers
END = 20  # seconds that it may take to end, before it is killed


def chromium() -> str | None:
    """Return the path of a Chromium or Chrome, or None."""
    names = (os.environ.get("CHROMIUM"), *NAMES)
    return next((found for name in names if name and (found := shutil.which(name))), None)


@contextmanager
def launched() -> "Iterator[Browser]":
    """Start Chromium without a screen; needs the package playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def remembering(folder: str | os.PathLike[str]) -> "Iterator[BrowserContext]":
    """Start Chromium with its caches in ``folder``: the pages' scripts, megabytes of them, are read and compiled once.

    A page costs a third less than in a browser that remembers nothing. No name but this machine's own is ever resolved.
    """
    from playwright.sync_api import sync_playwright

    flags = [*FLAGS, "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch_persistent_context(folder, executable_path=chromium(), args=flags)
        yield started
        started.close()


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(
    command: Sequence[str], port: int, environment: Mapping[str, str] | None = None, *, alive: str = "liveness"
) -> Iterator[tuple[str, subprocess.Popen]]:
    """Run a server until the block ends; yields its address, once it answers, and its process.

    ``alive`` is the path under which it answers. Raises ``RuntimeError`` if it stops by itself, ``TimeoutError`` if it
    is silent for two minutes.
    """
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_alive(f"{address}/{alive}", process)
        yield address, process
    finally:
        process.terminate()
        try:
            process.wait(END)
        except subprocess.TimeoutExpired:  # a visitor's run in a thread
            process.kill()
            process.wait()


def _wait_until_alive(address: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server stopped with exit code {process.returncode}")
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.25)
    raise TimeoutError("the server did not answer within two minutes")
