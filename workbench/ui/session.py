"""What must happen when a visitor leaves: stop the work, let go of the page.

These callbacks live in an imported module because Panel cannot find one that an app script defines.
"""

import functools
import weakref
from typing import Any

import panel as pn


def on_leave(room: Any, page: Any) -> None:
    """Arrange that ``room.close()`` runs, and that ``page`` is let go, when this session ends."""
    if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
        pn.state.on_session_destroyed(functools.partial(_leave, weakref.ref(room), weakref.ref(page)))


def _leave(room_reference: Any, page_reference: Any, context: Any) -> None:
    room, page = room_reference(), page_reference()
    if room is not None:
        room.close()
    if page is not None:
        unwatch_busy(page)


def unwatch_busy(page: Any) -> None:
    """Take away the watcher through which panel-material-ui's Page stays alive on ``pn.state`` after its session.

    The watcher's function is a method of ``page.param``, whose ``self`` is the page.
    """
    watchers = pn.state.param.watchers.get("busy", {}).get("value", [])
    for watcher in list(watchers):
        if getattr(getattr(watcher.fn, "__self__", None), "self", None) is page:
            pn.state.param.unwatch(watcher)
