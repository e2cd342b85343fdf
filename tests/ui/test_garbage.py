"""Full collections come when nobody asks for anything, and walk no more than the pages of those who are there."""

import gc
import time
import weakref

import panel as pn
import pytest
from panel.util import edit_readonly

from workbench.ui.server import garbage


class Loop:
    """An object that only a collection can free."""

    def __init__(self):
        self.itself = self


@pytest.fixture
def collector(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(garbage.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(garbage, "_visitors", weakref.WeakSet())
    # without an event loop there is no ticking; the tests call look themselves
    monkeypatch.setattr(garbage.PeriodicCallback, "start", lambda self: None)
    before = gc.get_threshold()
    made = garbage.Collector()
    made.start()
    made.clock = clock
    yield made
    made.stop()
    assert gc.get_threshold()[:2] == before[:2]
    assert gc.get_freeze_count() == 0


def waste_of_age():
    """Return a weak reference to garbage that collections of younger objects do not look at any more."""
    made = Loop()
    gc.collect(1)
    return weakref.ref(made)


def look_until_gone(collector, waste):
    """Look again while another thread of this process is collecting; a collector that has collected does not."""
    for _ in range(100):
        collector.look()
        if waste() is None or len(garbage._visitors) == collector._known:
            return
        time.sleep(0.01)


def test_garbage_goes_at_a_quiet_moment_only(collector):
    visitor = Loop()
    garbage.arrive(visitor)
    waste = waste_of_age()
    collector.clock[0] = 10.0
    collector.look()
    assert waste() is not None, "a visitor has just come"
    collector.clock[0] = 10.0 + 0.5 * garbage.QUIET
    collector.look()
    assert waste() is not None, "a visitor has just asked for something"
    collector.clock[0] = 10.0 + 1.5 * garbage.QUIET
    look_until_gone(collector, waste)
    assert waste() is None
    assert gc.get_freeze_count() == 0, "nothing is set aside while somebody is there"


def test_a_server_that_is_never_quiet_collects_once_a_minute(collector):
    garbage.arrive(visitor := Loop())
    waste = waste_of_age()
    collector.clock[0] = garbage.OVERDUE + 1
    collector._request()
    look_until_gone(collector, waste)
    assert waste() is None
    assert visitor.itself is visitor


def test_many_pages_that_were_left_are_not_kept_for_a_quiet_moment(collector):
    stays, *go = [Loop() for _ in range(1 + garbage.MOST_GONE)]
    for visitor in (stays, *go):
        garbage.arrive(visitor)
    collector.look()
    waste = waste_of_age()
    for visitor in go[1:]:
        garbage.leave(visitor)
    collector.look()
    assert waste() is not None
    garbage.leave(go[0])
    look_until_gone(collector, waste)
    assert waste() is None
    assert stays.itself is stays


def test_what_another_thread_prevents_is_done_at_the_next_look(collector, monkeypatch):
    garbage.arrive(visitor := Loop())
    waste = waste_of_age()
    collector.look()
    collector.clock[0] = 2 * garbage.QUIET
    with monkeypatch.context() as patch:
        patch.setattr(garbage.gc, "collect", lambda: 0)  # as Python does while another thread collects
        collector.look()
        assert waste() is not None
    look_until_gone(collector, waste)
    assert waste() is None
    assert visitor.itself is visitor


def test_when_nobody_is_there_all_that_lives_is_set_aside(collector):
    visitor = Loop()
    garbage.arrive(visitor)
    collector.clock[0] = 2 * garbage.QUIET
    collector.look()
    garbage.leave(visitor)
    left = weakref.ref(visitor)
    del visitor
    collector.look()
    assert left() is not None, "a visitor has just gone"
    collector.clock[0] = 4 * garbage.QUIET
    look_until_gone(collector, left)
    assert left() is None
    assert gc.get_freeze_count() > 100_000
    assert gc.get_threshold()[2] == garbage.NEVER


def test_what_was_set_aside_can_still_be_collected_later(collector):
    keeper = Loop()
    kept = weakref.ref(keeper)
    garbage.tidy()
    del keeper
    garbage.tidy(deep=False)
    assert kept() is not None, "set aside"
    garbage.tidy()
    assert kept() is None


def test_what_was_set_aside_is_looked_at_once_an_hour(collector):
    collector.clock[0] = 2 * garbage.QUIET
    collector.look()
    keeper = Loop()
    kept = weakref.ref(keeper)
    garbage.tidy(deep=False)
    del keeper
    for hours in (0.5, 1.5):
        assert kept() is not None
        collector._known = -1
        collector.clock[0] = hours * garbage.DEEP_EVERY
        look_until_gone(collector, kept)
    assert kept() is None


def test_requests_are_heard_through_the_busy_state_of_panel(collector):
    collector.clock[0] = 50.0
    with edit_readonly(pn.state):
        pn.state.busy = not pn.state.busy
        pn.state.busy = not pn.state.busy
    assert collector._last_request == 50.0
