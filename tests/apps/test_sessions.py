"""Visitors come and go: the server keeps nothing of them, and a closed tab stops its work."""

import time
import urllib.request

import panel.models
import panel_material_ui
import psutil
import pytest
from bokeh.client import pull_session

import workbench.ui.pointcloud
import workbench.ui.screen  # noqa: F401  the client must know the models that a page sends

pytestmark = pytest.mark.ui
assert panel.models
assert panel_material_ui


def resident_memory(server: str) -> int:
    port = int(server.rsplit(":", 1)[1])
    (process,) = (
        psutil.Process(connection.pid)
        for connection in psutil.net_connections("tcp")
        if connection.laddr.port == port and connection.status == psutil.CONN_LISTEN
    )
    return process.memory_info().rss


def visit(server: str, path: str, times: int) -> None:
    for _ in range(times):
        pull_session(url=f"{server}/{path}").close()


def test_forty_sessions_leave_nothing(server):
    visit(server, "demo", 20)
    time.sleep(6)
    before = resident_memory(server)
    visit(server, "demo", 40)
    time.sleep(6)
    assert resident_memory(server) - before < 5e6


def test_liveness_answers(server):
    with urllib.request.urlopen(f"{server}/liveness", timeout=5) as answer:
        assert answer.status == 200
