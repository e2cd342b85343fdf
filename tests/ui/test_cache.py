"""Shared results."""

import numpy as np
import pytest
from demo_room import sine

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
