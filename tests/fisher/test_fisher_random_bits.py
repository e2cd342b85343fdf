"""The generator: the published reference stream, uniformity, and independence of seeds."""

import numpy as np
from scipy import stats

from workbench.fisher.monte_carlo.random_bits import TO_UNIT, states, uniform

MASK = 2**64 - 1


def reference(state):
    """xoshiro256++ in Python integers, after the authors' C code."""

    def rotate(x, k):
        return ((x << k) | (x >> (64 - k))) & MASK

    s = [int(word) for word in state]
    while True:
        yield (rotate((s[0] + s[3]) & MASK, 23) + s[0]) & MASK
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotate(s[3], 45)


def test_stream_is_xoshiro():
    state = np.array([1, 2, 3, 4], dtype=np.uint64)
    stream = reference(state.copy())
    assert next(reference(state.copy())) == 41943041  # first output of the authors' program from this state
    for _ in range(1000):
        assert uniform(state) == (next(stream) >> 11) * TO_UNIT


def test_numbers_are_uniform():
    state = states(5, 1)[0]
    assert stats.kstest([uniform(state) for _ in range(20_000)], "uniform").pvalue > 1e-3


def test_chains_get_different_states_and_seeds_repeat():
    first = states(0, 10)
    assert len(np.unique(first, axis=0)) == 10
    np.testing.assert_array_equal(first, states(0, 10))
    generators = [np.random.default_rng(1) for _ in range(2)]
    np.testing.assert_array_equal(states(generators[0], 3), states(generators[1], 3))
