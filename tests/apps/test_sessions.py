"""Visitors come and go: the server keeps nothing of them, and a closed tab stops its work."""

import subprocess
import sys
import time

import psutil
import pytest

pytestmark = pytest.mark.ui
UNUSED_LIFETIME = 6  # seconds: a session is let go 3 s after its visitor left, at a look each second, then collected

# In a process of its own, since the browser's driver keeps an event loop running in this one. The client must know the
# models that a page sends.
VISIT = """
import sys
import panel_material_ui, workbench.ui.kit.pointcloud, workbench.ui.kit.screen
from bokeh.client import pull_session
for _ in range(int(sys.argv[2])):
    pull_session(url=sys.argv[1]).close()
"""

# A browser whose connection comes so late that its session was let go meanwhile: Bokeh builds one for the connection.
STYLES = """
import sys
import panel_material_ui, workbench.ui.kit.pointcloud, workbench.ui.kit.screen
from bokeh.client import pull_session
from bokeh.models import ImportedStyleSheet
session = pull_session(url=sys.argv[1])
found = {model.url for root in session.document.roots for model in root.select({"type": ImportedStyleSheet})}
session.close()
print(*sorted(found), sep="\\n")
"""


def server_process(server: str) -> psutil.Process:
    port = int(server.rsplit(":", 1)[1])
    (process,) = (
        psutil.Process(connection.pid)
        for connection in psutil.net_connections("tcp")
        if connection.laddr.port == port and connection.status == psutil.CONN_LISTEN
    )
    return process


def resident_memory(server: str) -> int:
    return server_process(server).memory_info().rss


def cpu_seconds(process: psutil.Process, during: float) -> float:
    before = sum(process.cpu_times()[:2])
    time.sleep(during)
    return sum(process.cpu_times()[:2]) - before


def visit(server: str, path: str, times: int) -> None:
    command = [sys.executable, "-W", "ignore", "-c", VISIT, f"{server}/{path}", str(times)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def memory_at_rest(server: str) -> int:
    """Wait until the server has let go of those who left: its memory stands for longer than a session lives alone."""
    sizes = [resident_memory(server)]
    for _ in range(60):
        time.sleep(1)
        sizes.append(resident_memory(server))
        if len(set(sizes[-UNUSED_LIFETIME:])) == 1 and len(sizes) > UNUSED_LIFETIME:
            break
    return sizes[-1]


def test_a_session_without_a_page_takes_its_styles_from_this_server(server):
    command = [sys.executable, "-W", "ignore", "-c", STYLES, f"{server}/demo"]
    urls = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout.split()
    assert urls
    assert all(url.startswith("static/extensions/panel/") for url in urls), urls


@pytest.mark.slow
def test_forty_sessions_leave_nothing(server):
    """What leaks grows in every round of forty; what the allocator keeps for later grows in the first ones only."""
    visit(server, "demo", 20)
    sizes = [memory_at_rest(server)]
    for _ in range(3):
        visit(server, "demo", 40)
        sizes.append(memory_at_rest(server))
        if sizes[-1] - sizes[-2] < 5e6:
            return
    raise AssertionError(f"memory grew in every round: {[round(size / 1e6, 1) for size in sizes]} MB")


@pytest.mark.slow  # counts processor time, which others would take away
def test_a_closed_tab_stops_its_work(open_page, server):
    """A run of minutes keeps a core busy while its page is open, and no longer than a moment afterwards."""
    page = open_page("flows?tab=paper&n=2000&seeds=5")
    page.get_by_role("button", name="Run").click()
    page.get_by_role("button", name="Cancel").wait_for()
    process = server_process(server)
    # half a core on an idle machine, far less on one that is shared; a page at rest takes a fiftieth
    assert any(cpu_seconds(process, 1) > 0.2 for _ in range(40)), "the run did not start"
    page.close()
    for _ in range(40):  # an idle server still looks for sessions to let go, every second
        if cpu_seconds(process, 1) < 0.1:
            return
    raise AssertionError("the server still works for a page that was closed 40 seconds ago")
