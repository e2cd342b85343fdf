"""Bring a result from a worker thread back to where its page lives, and change many things there as one."""

import asyncio
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import panel as pn


class Home:
    """The place (a served session, a notebook's event loop, or plain Python) where a runner was made.

    ``call`` runs a function there: under the session's document lock on a server, on the kernel's event loop in a
    notebook, at once in a script or test. Calls to a session that has ended are dropped.
    """

    def __init__(self) -> None:
        self._document = pn.state.curdoc
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None

    def call(self, function: Callable[..., Any], *args: Any) -> None:
        """Run ``function(*args)`` at home, soon."""
        document = self._document
        if document is not None and document.session_context is not None:
            if not getattr(document.session_context, "destroyed", False):
                run = functools.partial(function, *args)
                # a change made while the page still loads would never reach the browser, hence onload; it takes a
                # detour over another thread, which is saved once the page has loaded
                document.add_next_tick_callback(lambda: run() if pn.state.loaded else pn.state.onload(run))
        elif self._loop is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(functools.partial(function, *args))
        else:
            function(*args)


def in_loaded_session() -> bool:
    """Tell whether this code runs for a served page that stands in its visitor's browser."""
    document = pn.state.curdoc
    return document is not None and document.session_context is not None and pn.state.loaded


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
