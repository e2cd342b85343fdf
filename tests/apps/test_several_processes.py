"""A server of several processes: every process has all it needs, and nothing is asked of the network."""

import sys
import urllib.request

import pytest
from chromium import free_port, serving
from conftest import watched_pages
from hands import drag

from workbench.rooms import ROOMS

pytestmark = [
    pytest.mark.ui,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="processes are forked"),
]


def test_two_processes_serve_every_room_offline(browser):
    from playwright.sync_api import expect

    port = free_port()
    command = [sys.executable, "-m", "workbench.cli", "serve", "--port", str(port), "--processes", "2"]
    with (
        serving(command, port) as (address, _),
        watched_pages(browser, address) as open_page,
    ):
        for room in ("home", *(name for name in ROOMS if name != "games")):
            page = open_page(room)
            page.locator("canvas").first.wait_for()
            page.close()
        page = open_page("games?tab=contraction")
        told = page.locator(".sentence").first.inner_text()
        drag(page, "a", 0.9, exact=True)
        expect(page.locator(".sentence").first).not_to_have_text(told)
    with pytest.raises(OSError, match="refused"):  # the forked processes went with their parent
        urllib.request.urlopen(f"{address}/liveness", timeout=5)
