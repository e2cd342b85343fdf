"""Shared results."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from demo_room import SineView, sine

from workbench.costs import Cost
from workbench.progress import Cancelled, Progress
from workbench.ui.kit.cache import ResultCache


def test_key_is_by_value():
    first, second = np.zeros(1000), np.zeros(1000)
    assert ResultCache.key("f", {"x": first, "n": 1}) == ResultCache.key("f", {"n": 1, "x": second})
    second[1] = 1e-300
    assert ResultCache.key("f", {"x": first}) != ResultCache.key("f", {"x": second})
    assert ResultCache.key("f", {}) != ResultCache.key("g", {})


def test_what_is_kept_cannot_be_changed():
    cache = ResultCache()
    cache.put("key", sine(2.0))
    kept = cache.get("key")
    with pytest.raises(ValueError, match="read-only"):
        kept.wave[0] = 5
    assert cache.get("other") is None


def test_the_cache_is_bounded_and_forgets_the_oldest():
    one = sine(1.0)
    cache = ResultCache(max_bytes=3 * one.nbytes)
    for name in "abc":
        cache.put(name, sine(1.0))
    cache.get("a")
    cache.put("d", sine(1.0))
    assert cache.get("b") is None
    assert cache.get("a") is not None
    small = ResultCache(max_bytes=one.nbytes)
    small.put("too large", one)
    assert len(small) == 0


def test_a_key_is_computed_by_one_at_a_time():
    cache, inside, most, made = ResultCache(), 0, 0, []

    def visitor(_):
        nonlocal inside, most
        with cache.turn("key", Progress()):
            inside += 1
            most = max(most, inside)
            if cache.get("key") is None:
                time.sleep(0.02)
                made.append(1)
                if len(made) > 2:  # the first two are cancelled, or fail: the next one has to do it
                    cache.put("key", sine(1.0))
            inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(visitor, range(20)))
    assert (most, len(made)) == (1, 3)
    assert not cache._at_work
    with cache.turn("one", Progress()), cache.turn("other", Progress()):
        pass  # different keys do not wait for each other


def test_waiting_for_another_can_be_cancelled_and_is_said():
    class Told(Progress):
        words = ""

        def show(self, done, total, message):
            Told.words = message
            self.cancel()

    cache = ResultCache()
    with cache.turn("key", Progress()):
        with pytest.raises(Cancelled), cache.turn("key", Told()):
            pass
        assert "another visitor" in Told.words
        assert cache._at_work["key"][1] == 1
    assert not cache._at_work


def test_two_visitors_of_a_long_run_share_it(monkeypatch):
    calls = []

    def compute(self, inputs, progress):
        calls.append(inputs)
        return sine(inputs["frequency"], 0.3)

    monkeypatch.setattr(SineView, "compute", compute)
    monkeypatch.setattr(SineView, "cost", lambda self, inputs: Cost(60.0))
    views = [SineView(frequency=3.0) for _ in range(3)]
    for view in views:
        view._started = True
        view.run()
    for view in views:
        assert view.runner.wait(20)
        assert float(view.result.frequency) == 3.0
    assert len(calls) == 1
