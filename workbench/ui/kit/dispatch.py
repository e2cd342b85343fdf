"""Bring a result from a worker thread back to where its page lives, and change many things there as one."""

import asyncio
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import panel as pn
from panel.io.state import set_curdoc


class Place:
    """The place (a served session, a notebook's event loop, or plain Python) where a runner was made.

    ``call`` runs a function there: under the session's document lock on a server, on the kernel's event loop in a
    notebook, at once in a script or test. Calls to a session that has ended are dropped.
    """

    def __init__(self) -> None:
        self._document = pn.state.curdoc
        self._server_loop = _server_loop(self._document)
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        self._held: list[Callable[[], Any]] | None = None

    def call(self, function: Callable[..., Any], *args: Any) -> None:
        """Run ``function(*args)`` in this place, soon."""
        run = functools.partial(function, *args)
        if self._held is not None:
            self._held.append(run)
            return
        context = None if self._document is None else self._document.session_context
        if context is not None and getattr(context, "destroyed", False):
            return
        if context is not None and self._server_loop is not None:
            # Not document.add_next_tick_callback: that is itself an event of the document, and it can be lost, as we
            # understand it, when it comes from one thread while another holds or lets go of the document's events.
            self._server_loop.add_callback(context.with_locked_document, functools.partial(_run_for, run))
        elif context is not None and self._document is not None:
            self._document.add_next_tick_callback(functools.partial(_when_loaded, run))
        elif self._loop is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(run)
        else:
            run()

    @property
    def is_notebook(self) -> bool:
        """Whether this is the event loop of a notebook's kernel."""
        return self._document is None and self._loop is not None and self._loop.is_running()

    def hold(self) -> None:
        """Keep all calls back until :meth:`release`: what a notebook is told before it listens is lost."""
        if self._held is None:
            self._held = []

    def release(self) -> None:
        """Make the calls that were kept back, in their order, and keep back no more."""
        held, self._held = self._held or [], None
        for run in held:
            self.call(run)


def _server_loop(document: Any) -> Any:
    """Return the event loop of the server that ``document`` belongs to, or None."""
    owner = document
    for name in ("session_context", "server_context", "application_context", "io_loop"):
        owner = getattr(owner, name, None)
    return owner


async def _run_for(run: Callable[[], Any], document: Any) -> None:
    with set_curdoc(document):
        _when_loaded(run)


def _when_loaded(run: Callable[[], Any]) -> None:
    """Run at once, or as soon as the page has loaded: an earlier change would never reach the browser."""
    if pn.state.loaded:
        run()
    else:
        pn.state.onload(run)


def in_session() -> bool:
    """Tell whether this code runs for a served page."""
    document = pn.state.curdoc
    return document is not None and document.session_context is not None


def in_loaded_session() -> bool:
    """Tell whether this code runs for a served page that stands in its visitor's browser."""
    return in_session() and pn.state.loaded


@contextmanager
def one_change() -> Iterator[None]:
    """Let Bokeh look once, at the end of the block, which models the page has, instead of after every picture.

    It walks thousands of models for that, longer than HoloViews takes to change a picture.
    """
    document = pn.state.curdoc
    if document is None:
        yield
        return
    failure = None
    with document.models.freeze():
        try:
            yield
        except Exception as error:  # Bokeh would leave the models frozen for good
            failure = error
    if failure is not None:
        raise failure
