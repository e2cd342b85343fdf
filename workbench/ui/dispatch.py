"""Bring a result from a worker thread back to where its page lives."""

import asyncio
import functools
from collections.abc import Callable
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
                # a change made while the page still loads would never reach the browser, hence onload
                run = functools.partial(function, *args)
                document.add_next_tick_callback(lambda: pn.state.onload(run))
        elif self._loop is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(functools.partial(function, *args))
        else:
            function(*args)
