"""The exact radius of a batch with linear logits, with a certificate for each sample.

>>> import numpy as np
>>> from workbench import steps
>>> result = steps.exact_radius([[0.3, -1.1, 0.7]], [[1.0, -0.4, 0.25]])
>>> float(result.radius[0]).__round__(12), bool(result.certified[0])
(4.116115338941, True)
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.steps.radii import checked_pair, scaled_pair

MOST_CLASSES = 1000
CHUNK = 64
CHUNK_CLASSES = 6400  # a call of the kernels cannot be interrupted: at most this many classes × samples, some 30 ms


@dataclass(frozen=True)
class RadiusResult:
    """The nearest zero of F(τ) = Σ_k exp(z_k + a_k τ) for each sample of a batch.

    ``radius`` (batch,) is |zero|, ∞ for constant slopes; ``zero`` (batch,) is the one with positive imaginary part
    (∞ + 0i for constant slopes); ``certified`` (batch,) says that a simple zero was found there and that the winding
    number of F shows none inside 0.999·radius. An uncertified radius is only the distance of the nearest zero found.
    """

    radius: NDArray[np.float64]
    zero: NDArray[np.complex128]
    certified: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.radius)


def exact_radius(
    logits: ArrayLike,
    slopes: ArrayLike,
    *,
    temperature: float = 1.0,
    on_chunk: Callable[[int, int], None] | None = None,
) -> RadiusResult:
    """Return the exact radius ρ* = min{|τ| : Σ_k exp((z_k + a_k τ)/T) = 0} of each sample.

    Candidates are the zeros of neighbouring pairs on the upper envelope of the lines z_k + a_k τ and the Prony roots
    of the Taylor series of F'/F; Newton polishes them, and a winding number on |τ| = 0.999ρ certifies that none was
    missed. If it was, the moments of F'/F on that circle, or further Taylor series, locate the missing ones and the
    check is repeated. A double zero cannot be certified and is flagged, never guessed.

    ``logits``, ``slopes``: (batch, classes), 2 ≤ classes ≤ 1000, finite; a logit of −∞ is a class that is masked out,
    whose slope does not count. ``on_chunk(done, total)`` is called every 64 samples (fewer if they have more than 100
    classes) and may raise to stop; Ctrl-C is obeyed there too. Raises ``ValueError`` for NaN, infinity, one class, too
    many classes, unequal shapes or differences that overflow. Cost: see benchmarks/results/steps.md; O(K) per
    evaluation of F, a few hundred evaluations a sample, whatever the size of the logits.

    Reference: P. Sao, "Ghosts of Softmax", arXiv 2603.13552, defines ρ*; the algorithm is this room's.
    """
    logits, slopes = checked_pair(logits, slopes)
    temperature = checks.real("temperature", temperature, exclusive_minimum=0)
    if logits.shape[1] > MOST_CLASSES:
        raise ValueError(
            f"exact_radius takes at most {MOST_CLASSES} classes, got {logits.shape[1]}; "
            "use dominance_radius or bound_radius, which have no limit"
        )
    logits, slopes = scaled_pair(logits, slopes, temperature)
    spreads = np.ptp(slopes, axis=1)
    batch, classes = logits.shape
    zero = np.full(batch, np.inf + 0j)
    certified = np.ones(batch, dtype=bool)
    moving = np.flatnonzero(spreads > 0)
    chunk = max(1, min(CHUNK, CHUNK_CLASSES // classes))
    for start in range(0, moving.size, chunk):
        rows = moving[start : start + chunk]
        zero[rows], certified[rows] = _solve(logits[rows], slopes[rows], spreads[rows])
        if on_chunk is not None:
            on_chunk(min(start + chunk, moving.size), moving.size)
    return RadiusResult(np.abs(zero), zero, certified)


def _solve(
    gaps: NDArray[np.float64], slopes: NDArray[np.float64], spreads: NDArray[np.float64]
) -> tuple[NDArray[np.complex128], NDArray[np.bool_]]:
    from workbench.steps import kernels  # compiled on first use

    rates = slopes / spreads[:, None]
    zeros = np.empty(len(gaps), dtype=complex)
    certified = np.empty(len(gaps), dtype=bool)
    order = np.argsort(rates, axis=1, kind="stable")
    kernels.solve(np.ascontiguousarray(gaps), np.ascontiguousarray(rates), order, zeros, certified)
    with np.errstate(over="ignore"):
        return zeros / spreads, certified
