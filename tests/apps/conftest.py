"""A real server and a real browser: a page fails on any request that leaves the machine and on any console error.

Chromium is taken from the system (Debian: ``apt-get install chromium``) or from the path in CHROMIUM; without one the
tests marked ``ui`` are skipped, and said so.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
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
LOCAL = ("http://127.0.0.1", "http://localhost", "ws://127.0.0.1", "ws://localhost", "data:", "blob:", "about:")
MACOS_CHROMES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def chromium() -> str | None:
    """Return the path of a Chromium or Chrome, or None."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", *MACOS_CHROMES)
    return next((found for name in names if name and (found := shutil.which(name))), None)


def pytest_collection_modifyitems(items):
    if chromium() is None:
        for item in items:
            if "ui" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="no Chromium here; install it to run the browser tests"))


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(command: Sequence[str], port: int, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run a server until the block ends; yields its address once it answers."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_alive(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Serve every app of the repository from one process; yields the address of the server."""
    port = free_port()
    apps = sorted(str(path) for folder in ("apps", "tests/apps/pages") for path in (ROOT / folder).glob("*.py"))
    command = [sys.executable, "-m", "panel", "serve", *apps, "--port", str(port), "--address", "127.0.0.1"]
    command += ["--allow-websocket-origin", f"127.0.0.1:{port}", "--num-threads", "4", "--warm"]
    command += ["--unused-session-lifetime", "3000", "--check-unused-sessions", "1000", "--liveness"]
    with serving(command, port) as address:
        yield address


def _wait_until_alive(address: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server stopped"
        try:
            with urllib.request.urlopen(f"{address}/liveness", timeout=5):
                return
        except OSError:
            time.sleep(0.25)
    raise TimeoutError("the server did not start within two minutes")


@pytest.fixture(scope="session")
def browser():
    """One Chromium for the whole run."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield started
        started.close()


@contextmanager
def watched_pages(browser, address: str) -> Iterator[Callable]:
    """Yield a function that opens pages of a server and watches them.

    At the end any request to another machine, any error on the console and any exception on a page is an error.
    """
    contexts, trouble = [], []

    def guard(route):
        if route.request.url.startswith(LOCAL):
            route.continue_()
        else:
            trouble.append(f"request left the machine: {route.request.url}")
            route.abort()

    def start(path: str, *, width: int = 1400, height: int = 1000, dark: bool = False):
        scheme = "dark" if dark else "light"
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        context.set_default_timeout(30_000)
        context.route("**/*", guard)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: trouble.append(f"console: {m.text}") if m.type == "error" else None)
        page.on("pageerror", lambda error: trouble.append(f"exception: {error}"))
        page.goto(f"{address}/{path}")
        return page

    try:
        yield start
    finally:
        for context in contexts:
            context.close()
    assert not trouble, "\n".join(trouble)


@pytest.fixture
def open_page(browser, server):
    """Return a function ``open_page("flows?tab=compare", width=1400, dark=False)`` that opens a watched page."""
    with watched_pages(browser, server) as start:
        yield start
