"""The one line at the top of a notebook, and the folder of shipped data."""

import asyncio
import base64
import threading

import pytest

from workbench import data, notebook


def test_static_notebooks_name_the_live_widget(monkeypatch):
    monkeypatch.delenv("WORKBENCH_LIVE", raising=False)
    notebook._state["live"] = False
    assert not notebook.is_live()
    assert "make lab" in notebook.widget(dict).data


def test_live_notebooks_build_it():
    notebook._state["live"] = True
    try:
        assert notebook.widget(dict, a=1) == {"a": 1}
    finally:
        notebook._state["live"] = False


def test_data_paths_stay_in_the_folder():
    assert data.path("README.md").is_file()
    for name in ("../pyproject.toml", "missing.nc"):
        with pytest.raises(FileNotFoundError, match="README"):
            data.path(name)


def test_the_messages_of_widgets_are_handled_on_one_thread_in_their_order():
    seen = []

    async def kernel():
        handle = notebook._on_loop(lambda k: seen.append((k, threading.get_ident())), asyncio.get_running_loop())
        handle(0)  # on the loop's own thread: at once
        assert seen == [(0, threading.get_ident())]
        worker = threading.Thread(target=lambda: [handle(k) for k in range(1, 50)])
        worker.start()
        while len(seen) < 50:
            await asyncio.sleep(0.001)
        worker.join()

    asyncio.run(kernel())
    assert seen == [(k, threading.get_ident()) for k in range(50)]


def test_style_sheets_of_the_library_are_named_by_their_contents():
    from bokeh.models import ImportedStyleSheet
    from panel.io.resources import CDN_DIST, DIST_DIR

    sheet = ImportedStyleSheet(url=f"{CDN_DIST}css/loading.css?v=1")
    notebook._by_contents(sheet, CDN_DIST)
    kind, text = sheet.url.split(",")
    assert kind == "data:text/css;base64"
    assert base64.b64decode(text) == (DIST_DIR / "css" / "loading.css").read_bytes()
    other = ImportedStyleSheet(url="https://example.org/own.css")
    notebook._by_contents(other, CDN_DIST)
    assert other.url == "https://example.org/own.css"


def test_a_room_is_shown_by_its_name():
    notebook._state["live"] = False
    assert "FlowsRoom" in notebook.room("flows").data
    with pytest.raises(ValueError, match="flows"):
        notebook.room("cellar")
