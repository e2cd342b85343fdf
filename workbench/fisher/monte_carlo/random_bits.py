"""Random numbers inside compiled loops: xoshiro256++ on a state of four words that the caller owns.

D. Blackman and S. Vigna, ACM Trans. Math. Softw. 47 (2021) 36. The state is an ordinary array, so a chain can be
saved, resumed and run in any thread without a change in its numbers.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from workbench import checks

TO_UNIT = 2.0**-53


def states(seed: int | np.random.Generator, count: int) -> NDArray[np.uint64]:
    """Return ``count`` independent generator states (count, 4) grown from one seed.

    >>> state = states(7, 1)[0]
    >>> 0 <= uniform(state) < 1
    True
    """
    if isinstance(seed, np.random.Generator):
        return seed.integers(1, 2**64, size=(count, 4), dtype=np.uint64)
    children = np.random.SeedSequence(checks.integer("seed", seed, minimum=0)).spawn(count)
    return np.array([child.generate_state(4, np.uint64) for child in children])


@numba.njit(nogil=True, cache=True, inline="always")
def _rotate(x, k):
    return (x << np.uint64(k)) | (x >> np.uint64(64 - k))


@numba.njit(nogil=True, cache=True, inline="always")
def uniform(state: NDArray) -> float:
    """Return the next number in [0, 1) and move the state on."""
    result = _rotate(state[0] + state[3], 23) + state[0]
    t = state[1] << np.uint64(17)
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= t
    state[3] = _rotate(state[3], 45)
    return (result >> np.uint64(11)) * TO_UNIT
