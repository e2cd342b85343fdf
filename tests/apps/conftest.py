"""A real server and a real browser: a page fails on any request that leaves the machine and on any console error.

Chromium is taken from the system (Debian: ``apt-get install chromium``) or from the path in CHROMIUM; without one the
tests marked ``ui`` are skipped, and said so. One server and one browser serve all tests of a process. Tests wait for
what they want to see, never for a time.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from chromium import chromium, free_port, remembering, serving

from workbench.ui.server import serve

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ("http://127.0.0.1", "http://localhost", "ws://127.0.0.1", "ws://localhost", "data:", "blob:", "about:")
PATIENCE = 60_000  # milliseconds: the first run in a fresh checkout compiles the kernels


def pytest_collection_modifyitems(items):
    if chromium() is None:
        for item in items:
            if "ui" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="no Chromium here; install it to run the browser tests"))


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Serve every app of the repository from one process; yields the address of the server."""
    port = free_port()
    apps = sorted(str(path) for folder in ("apps", "tests/apps/pages") for path in (ROOT / folder).glob("*.py"))
    command = [sys.executable, "-m", "panel", "serve", *apps, "--port", str(port), "--address", "127.0.0.1"]
    command += ["--allow-websocket-origin", f"127.0.0.1:{port}", "--warm"]
    command += ["--unused-session-lifetime", "3000", "--check-unused-sessions", "1000", "--liveness"]
    command += ["--setup", str(serve.SETUP)]
    with serving(command, port) as (address, _):
        yield address


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """One Chromium for the whole run; what a visit leaves behind, but for its caches, is cleared after each test."""
    from playwright.sync_api import expect

    expect.set_options(timeout=PATIENCE)
    with remembering(tmp_path_factory.mktemp("browser")) as started:
        started.set_default_timeout(PATIENCE)
        yield started


@contextmanager
def watched_pages(browser, address: str) -> Iterator[Callable]:
    """Yield a function that opens pages of a server and watches them.

    At the end any request to another machine, any error on the console and any exception on a page is an error.
    """
    pages, trouble = [], []

    def look(url):
        if not url.startswith(LOCAL):
            trouble.append(f"request left the machine: {url}")

    def start(path: str, *, width: int = 1400, height: int = 1000, dark: bool = False, still: bool = False):
        page = browser.new_page()
        pages.append(page)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(
            color_scheme="dark" if dark else "light", reduced_motion="reduce" if still else "no-preference"
        )
        page.on("request", lambda request: look(request.url))
        page.on("websocket", lambda socket: look(socket.url))
        page.on("console", lambda m: trouble.append(f"console: {m.text}") if m.type == "error" else None)
        page.on("pageerror", lambda error: trouble.append(f"exception: {error}"))
        page.goto(f"{address}/{path}")
        return page

    try:
        yield start
    finally:
        for page in pages:
            if not page.is_closed():
                page.evaluate("localStorage.clear()")
                page.close()
        browser.clear_cookies()
    assert not trouble, "\n".join(trouble)


@pytest.fixture
def open_page(browser, server):
    """Return a function ``open_page("flows?tab=compare", width=1400, dark=False)`` that opens a watched page."""
    with watched_pages(browser, server) as start:
        yield start
