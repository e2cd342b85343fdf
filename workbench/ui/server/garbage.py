"""Keep the pauses of Python's garbage collection away from visitors.

A full collection walks every object that can be part of a cycle, and nobody gets an answer meanwhile. Torch, Panel and
the rooms are half a million such objects, a third of a second; ten open pages are as many again. Python would do that
every few seconds while pages come and go. A server does it in two other ways: what lives while no page is open lives
for good and is set aside with ``gc.freeze``; and full collections wait for a moment in which nobody asks for anything.
"""

import gc
import time
import weakref
from typing import Any

import panel as pn
from tornado.ioloop import PeriodicCallback

LOOK_EVERY = 0.5  # seconds
QUIET = 1.0  # seconds without a request, after which a pause will hardly be noticed
DEEP_EVERY = 3600.0  # seconds between collections that also look at what was set aside
OVERDUE = 60.0  # seconds after which a collection no longer waits for a quiet moment
MOST_GONE = 8  # pages that have been left, whose garbage makes a longer pause the longer it waits
YOUNG_COLLECTIONS = 10  # as many collections of younger objects as Python itself would wait for
NEVER = 1_000_000

_visitors: "weakref.WeakSet[Any]" = weakref.WeakSet()


def arrive(visitor: Any) -> None:
    """Note that ``visitor``, any object that lives as long as a session, is there."""
    _visitors.add(visitor)


def leave(visitor: Any) -> None:
    """Note that ``visitor`` has left."""
    _visitors.discard(visitor)


class Collector:
    """Collects garbage at quiet moments. ``start`` belongs on the event loop of a server, once a process."""

    def __init__(self) -> None:
        self._last_request = self._last_collection = time.monotonic()
        self._known = -1  # how many visitors were there at the last collection
        self._seen = 0  # and at the last look
        self._gone = 0  # and how many fewer at one look than at the one before, since the last collection
        self._last_deep = -DEEP_EVERY
        self._ticks = PeriodicCallback(self.look, 1000 * LOOK_EVERY)

    def start(self) -> None:
        """Take full collections over from Python."""
        youngest, middle, _ = gc.get_threshold()
        gc.set_threshold(youngest, middle, NEVER)
        pn.state.param.watch(self._request, "busy")
        self._ticks.start()

    def stop(self) -> None:
        """Give full collections back to Python."""
        self._ticks.stop()
        youngest, middle, _ = gc.get_threshold()
        gc.set_threshold(youngest, middle, YOUNG_COLLECTIONS)
        gc.unfreeze()

    def _request(self, *_: Any) -> None:
        self._last_request = time.monotonic()

    def look(self) -> None:
        """Collect if there is a reason to and nobody is in a hurry."""
        now = time.monotonic()
        if len(_visitors) != self._seen:  # somebody has come or gone: pages are being built
            self._gone += max(self._seen - len(_visitors), 0)
            self._seen, self._last_request = len(_visitors), now
        reason = len(_visitors) != self._known or gc.get_count()[2] >= YOUNG_COLLECTIONS
        overdue = self._gone >= MOST_GONE or now - self._last_collection > OVERDUE
        quiet = now - self._last_request > QUIET or overdue
        if reason and quiet:
            known = len(_visitors)
            deep = not known and now - self._last_deep >= DEEP_EVERY
            if _collect() if known else tidy(deep=deep):
                self._known, self._gone = known, 0
                self._last_collection = time.monotonic()
                self._last_deep = now if deep else self._last_deep


def tidy(*, deep: bool = True) -> bool:
    """Collect garbage, if ``deep`` also among what was set aside before, and set aside what is left.

    Returns whether it did: while another thread collects, nothing happens.
    """
    if deep:
        gc.unfreeze()
    done = _collect()
    if done:
        gc.freeze()
    return done


def _collect() -> bool:
    """Collect all garbage; tell whether it was done, since Python does nothing while another thread collects."""
    before = gc.get_stats()[2]["collections"]
    gc.collect()
    return gc.get_stats()[2]["collections"] > before
