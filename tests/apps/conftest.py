"""A real server and a real browser: a page fails on any request that leaves the machine and on any console error.

Chromium is taken from the system (Debian: ``apt-get install chromium``) or from the path in CHROMIUM; without one the
tests marked ``ui`` are skipped, and said so.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from chromium import chromium, free_port, launched, serving

from workbench.ui.server import serve

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ("http://127.0.0.1", "http://localhost", "ws://127.0.0.1", "ws://localhost", "data:", "blob:", "about:")


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
def browser():
    """One Chromium for the whole run."""
    with launched() as started:
        yield started


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
