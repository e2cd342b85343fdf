"""Changes that come back to a page: at once in plain Python, as one for Bokeh, and none after a newer result."""

import asyncio
from types import SimpleNamespace

import numpy as np
import panel as pn
import pytest
import xarray as xr
from bokeh.document import Document
from panel.io.state import set_curdoc

from workbench.ui.kit import dispatch
from workbench.ui.kit.view import View
from workbench.ui.server.session import unwatch_busy


def test_in_plain_python_a_call_is_made_at_once():
    heard = []
    dispatch.Place().call(heard.append, 3)
    assert heard == [3]
    assert not dispatch.in_session()
    assert not dispatch.in_loaded_session()


class Loop:
    """The event loop of a server that runs what it is given at once."""

    def add_callback(self, function, *args):
        asyncio.run(function(*args))


class Session:
    """What Bokeh tells about a session: its server's loop, its lock, whether it has ended."""

    def __init__(self, document):
        self.document, self.destroyed = document, False
        self.server_context = SimpleNamespace(application_context=SimpleNamespace(io_loop=Loop()))

    async def with_locked_document(self, function):
        await function(self.document)


def test_on_a_server_a_call_runs_for_its_own_document_unless_the_session_has_ended(monkeypatch):
    document = Document()
    session = Session(document)
    document._session_context = lambda: session
    monkeypatch.setattr(type(pn.state), "loaded", True)
    with set_curdoc(document):
        home = dispatch.Place()
    heard = []
    home.call(lambda: heard.append(pn.state.curdoc))
    assert heard == [document]
    session.destroyed = True
    home.call(heard.append, "too late")
    assert heard == [document]


def test_bokeh_looks_at_its_models_once_for_many_changes(monkeypatch):
    document = Document()
    looks = []
    monkeypatch.setattr(document.models, "recompute", lambda: looks.append(1))
    with set_curdoc(document), dispatch.one_change():
        for _ in range(5):
            with document.models.freeze():
                pass
    assert looks == [1]


def test_an_error_does_not_leave_the_models_frozen():
    document = Document()
    with set_curdoc(document), pytest.raises(ValueError, match="no picture"), dispatch.one_change():
        raise ValueError("no picture")
    assert document.models._freeze_count == 0


class Slate:
    """A picture that remembers what it was given."""

    def __init__(self):
        self.seen = []

    def update(self, ds):
        self.seen.append(float(ds.value))

    def __panel__(self):
        return pn.Column()


class TwoSlates(View):
    def pictures(self):
        return [Slate(), Slate()]

    def sentence(self, ds):
        return f"the value is {float(ds.value)}"


def dataset(value):
    return xr.Dataset({"value": ((), np.float64(value))})


def test_pictures_of_an_older_result_are_not_drawn_any_more(monkeypatch):
    waiting = []
    view = TwoSlates()
    monkeypatch.setattr("workbench.ui.kit.view.in_session", lambda: True)
    monkeypatch.setattr("workbench.ui.kit.view.in_loaded_session", lambda: True)
    monkeypatch.setattr(view._place, "call", lambda function, *args: waiting.append((function, args)))
    view.result = dataset(1)
    view.result = dataset(2)
    assert "the value is 2" in view._sentence.object, "the finding is there before the pictures"
    assert [slate.seen for slate in view._shown] == [[], []]
    for function, args in waiting:
        function(*args)
    assert [slate.seen for slate in view._shown] == [[2.0], [2.0]]


def test_a_page_comes_with_its_first_picture_and_the_others_follow(monkeypatch):
    waiting = []
    view = TwoSlates()
    monkeypatch.setattr("workbench.ui.kit.view.in_session", lambda: True)
    monkeypatch.setattr(view._place, "call", lambda function, *args: waiting.append((function, args)))
    view.result = dataset(1)
    assert [slate.seen for slate in view._shown] == [[1.0], []]
    for function, args in waiting:
        function(*args)
    assert [slate.seen for slate in view._shown] == [[1.0], [1.0]]


def test_a_page_does_not_hear_of_the_work_of_others():
    import panel_material_ui as pmui

    def listeners():
        watchers = pn.state.param.watchers.get("busy", {}).get("value", [])
        return [w for w in watchers if getattr(getattr(w.fn, "__self__", None), "self", None) is page]

    page = pmui.Page()
    assert listeners(), "panel-material-ui has changed: unwatch_busy may no longer be needed"
    unwatch_busy(page)
    assert not listeners()
