"""Cycles: rounded to nearest, a model is a deterministic map on finitely many numbers, so every run ends in a cycle.

R. P. Brent's algorithm (BIT 20, 176, 1980) finds the period exactly: one state stands still at step 2^k while the other
walks on, until they are bit for bit the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.flows.bits import models
from workbench.flows.bits.kernels import step as advance
from workbench.flows.bits.rounding import DOUBLE_EXPONENT, number_format, round_to
from workbench.progress import Progress

MOST_STEPS = 100_000_000
CHUNK_SECONDS = 0.1


@dataclass(frozen=True)
class Cycle:
    """What was found: the ``period`` in steps (None: none within ``steps`` steps), the ``transient`` before it.

    ``orbit`` (period, variables) holds the states of the cycle, from its lexicographically least state on, so that two
    runs on the same cycle have equal orbits; a cycle longer than :data:`LONGEST_ORBIT` is cut there.
    """

    period: int | None
    transient: int | None
    steps: int
    orbit: NDArray[np.float64]

    @property
    def name(self) -> bytes:
        """The least state of the cycle as bytes: equal for runs on the same cycle."""
        return self.orbit[0].tobytes() if self.period else b""


LONGEST_ORBIT = 200_000


def find_cycle(
    model: str,
    bits: int,
    start: ArrayLike,
    most_steps: int = 200_000,
    *,
    step: float | None = None,
    parameters: Mapping[str, float] | None = None,
    exponent_bits: int = DOUBLE_EXPONENT,
    progress: Progress | None = None,
) -> Cycle:
    """Find the cycle into which a run from ``start`` (n,) falls when every operation is rounded to nearest.

    Looks for at most ``most_steps`` steps: a period λ after a transient of μ steps is found within about
    3 max(λ, μ) + λ. Raises ``ValueError`` for an unknown model or parameter and a start of the wrong size. Cost: 1.5
    to 40 µs a step, by model.

    >>> find_cycle("lorenz63", 10, (1, 2, 20)).period
    1786
    """
    entry, progress = models.model(model), progress or Progress()
    fmt = number_format(bits, "nearest", exponent_bits)
    most_steps = checks.integer("most_steps", most_steps, minimum=1, maximum=MOST_STEPS)
    h = entry.fact("step") if step is None else checks.real("step", step, exclusive_minimum=0)
    given = checks.finite_array("start", start, ndim=1)
    if given.size != len(entry.fact("variables")):
        raise ValueError(f"start has {given.size} numbers; {entry.name} has {len(entry.fact('variables'))} variables")
    c = models.rounded_constants(models.constants(entry, h, parameters), bits, exponent_bits)
    first = round_to(given, bits, exponent_bits=exponent_bits)
    chunk = max(1, int(CHUNK_SECONDS / (1e-9 * entry.fact("nanoseconds"))))
    walk = (entry.fact("kernel"), np.empty((6, first.size)), c, fmt, np.zeros(1, np.uint64))

    slow, fast, counts = first.copy(), first.copy(), np.array([1, 0, 0])
    while not _brent(*walk, slow, fast, counts, min(chunk, most_steps - counts[2])):
        progress.update(int(counts[2]), most_steps, "looking for a cycle")
        if counts[2] >= most_steps or not np.isfinite(fast).all():
            return Cycle(None, None, int(counts[2]), np.empty((0, first.size)))
    period, steps = int(counts[1]), int(counts[2])

    slow, fast, transient = first.copy(), first.copy(), 0
    for left in range(period, 0, -chunk):
        _walk(*walk, fast, min(chunk, left))
        progress.update(steps, most_steps, "looking for its beginning")
    while (met := _meet(*walk, slow, fast, chunk)) == chunk:
        transient += met
        progress.update(steps, most_steps, "looking for its beginning")
    orbit = np.empty((min(period, LONGEST_ORBIT), first.size))
    for at in range(0, len(orbit), chunk):
        _record(*walk, slow, orbit[at : at + chunk])
        progress.update(steps, most_steps, "drawing the cycle")
    least = np.lexsort(orbit.T[::-1])[0]
    return Cycle(period, transient + met, steps, np.roll(orbit, -least, axis=0))


@njit(cache=True, nogil=True)
def _same(a, b):
    """Whether two states have the same bits; −0 and 0 differ, since they may part later."""
    p, q = a.view(np.uint64), b.view(np.uint64)
    same = True
    for i in range(p.size):
        same = same and p[i] == q[i]
    return same


@njit(cache=True, nogil=True)
def _brent(number, work, c, fmt, rng, slow, fast, counts, steps):
    """Walk on; ``counts`` = the present power of two, steps since the slow state was set, steps taken in all."""
    for _ in range(steps):
        if counts[0] == counts[1]:
            slow[:] = fast
            counts[0] *= 2
            counts[1] = 0
        advance(number, fast, work, c, fmt, rng)
        counts[1] += 1
        counts[2] += 1
        if _same(slow, fast):
            return True
    return False


@njit(cache=True, nogil=True)
def _walk(number, work, c, fmt, rng, x, steps):
    for _ in range(steps):
        advance(number, x, work, c, fmt, rng)


@njit(cache=True, nogil=True)
def _meet(number, work, c, fmt, rng, slow, fast, steps):
    """Walk both states until they are the same; returns the steps taken, ``steps`` if they have not met."""
    for taken in range(steps):
        if _same(slow, fast):
            return taken
        advance(number, slow, work, c, fmt, rng)
        advance(number, fast, work, c, fmt, rng)
    return steps


@njit(cache=True, nogil=True)
def _record(number, work, c, fmt, rng, x, out):
    for i in range(out.shape[0]):
        out[i] = x
        advance(number, x, work, c, fmt, rng)
