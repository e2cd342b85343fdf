"""What must happen when a visitor comes and leaves: watch over the memory, stop the work.

The callback lives in an imported module because Panel cannot find one that an app script defines.
"""

import functools
import weakref
from typing import Any

import panel as pn

from workbench.ui.server import garbage


def on_leave(room: Any) -> None:
    """Arrange that ``room.close()`` runs when this session ends."""
    if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
        garbage.arrive(room)
        pn.state.on_session_destroyed(functools.partial(_leave, weakref.ref(room)))


def _leave(reference: Any, context: Any) -> None:
    room = reference()
    if room is not None:
        room.close()
        garbage.leave(room)


def unwatch_busy(page: Any) -> None:
    """Take away the watcher through which panel-material-ui's Page shows that the server is busy.

    It tells every page about the work of every visitor, twice for each move of a slider, which made answers take three
    times as long with ten pages open; and it keeps the page alive after its session. The watcher's function is a
    method of ``page.param``, whose ``self`` is the page.
    """
    watchers = pn.state.param.watchers.get("busy", {}).get("value", [])
    for watcher in list(watchers):
        if getattr(getattr(watcher.fn, "__self__", None), "self", None) is page:
            pn.state.param.unwatch(watcher)
