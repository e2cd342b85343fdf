"""Games in any units: the finding is made where numbers are near 1, the certificate is about the game as it was given.

Everything is moved by powers of two, which is exact: the unit of time (all numbers of a game times c), and the units of
the players' variables, x_i = d_i x_i', which turn L into D⁻¹ L D and leave every margin as it is. Brought back, each
claim is proved once more, of the user's own numbers.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from workbench.games.certificates.certificate import Certificate
from workbench.games.models.bounds import LARGEST_DENSE, Bounds
from workbench.games.models.region import Box
from workbench.games.models.smooth import SmoothGame

LARGEST, SMALLEST = 1e90, 1e-90  # outside, the squares and quotients on the way could leave double precision
UNEVEN = 1e30  # numbers of a game that lie further apart are brought together by other units of the variables
NEGLIGIBLE = 1e-75  # a smaller share of the largest number counts as this share: couplings may be overstated
LONGEST_STEP = 1e300
RATES = ("margin", "tau", "beta", "rate_h0", "rate_players")
STEPS = ("step_paper", "step_h0", "step_sharp", "step_rk4")


@dataclass(frozen=True, eq=False)
class Units:
    """``time``: the power of two that is one unit of the bounds' numbers; ``exponents`` (N,): d_i = 2^exponents_i."""

    time: float
    exponents: NDArray

    @property
    def plain(self) -> bool:
        """Whether nothing has to be moved."""
        return self.time == 1.0 and not np.any(self.exponents)

    def into(self, bounds: Bounds) -> Bounds:
        """Return the bounds in these units, couplings too small to matter overstated."""
        couplings = _balanced(bounds.L, self.exponents, 1 / self.time)
        return Bounds(bounds.mu / self.time, bounds.ell / self.time, couplings, bounds.proved)

    def target(self, alpha: float | None) -> float | None:
        """Return a margin in these units, within what a double holds."""
        return None if alpha is None else float(np.clip(alpha / self.time, -LONGEST_STEP, LONGEST_STEP))

    def back(self, small: Certificate, bounds: Bounds, alpha: float | None, context: dict[str, Any]) -> Certificate:
        """Return what ``small`` says, in the units in which ``bounds`` are given."""
        e = self.exponents - self.exponents.max(initial=0)
        moved = {name: _moved(getattr(small, name), e) for name in ("z", "beta_vector", "sharp_vector")}
        witness = small.witness
        if witness is not None:
            witness = {**witness, "vector": _moved(np.array(witness["vector"]), e).tolist(), "ceiling": alpha or 0.0}
        band = small.band
        if band is not None:
            band = _moved_band(band, 2 * int(e[0] - e[1]))
        told = small.reason
        if np.any(e):
            told += "; found after rescaling the players' variables by powers of two"
        return _in_time(
            replace(
                small, **moved, **context, v=_moved(small.v, -e), weights=_moved(small.weights, 2 * (e[:1] - e)),
                band=band, witness=witness, bounds=bounds, target=alpha, reason=told,
            ),
            self.time, power_of_two(largest_of(bounds)),
        )  # fmt: skip


def units_of(bounds: Bounds) -> Units | None:
    """Return units in which the numbers of ``bounds`` lie near 1; None where no units do that.

    Nothing is moved where nothing needs to be: products of a few numbers between 1e-90 and 1e90 neither overflow nor
    vanish.
    """
    nowhere = np.zeros(bounds.players, dtype=int)
    numbers = _numbers(bounds)
    if not numbers.size or (numbers.min() > SMALLEST and numbers.max() < LARGEST and _spread(numbers) < UNEVEN):
        return Units(1.0, nowhere)
    exponents = nowhere
    if _spread(numbers) >= UNEVEN and bounds.players <= LARGEST_DENSE:
        exponents = _exponents(bounds)
    own = np.abs(np.concatenate([bounds.mu, bounds.ell]))
    with np.errstate(over="ignore", under="ignore"):
        largest = max(own.max(), _balanced(bounds.L, exponents, 1.0).max())
    if not np.isfinite(largest) or largest > 1e300 or largest < np.finfo(np.float64).tiny:
        return None
    if np.any(own[own > 0] < largest * SMALLEST):
        return None
    time = power_of_two(largest)
    return Units(time if not SMALLEST < largest < LARGEST else 1.0, exponents)


def smooth_unit(game: SmoothGame, region: Box) -> float:
    """Return the power of two in whose units the second derivatives in the region are near 1; 1.0 if they are."""
    points = np.concatenate([region.centre[None], region.sample(16, 0)])
    with np.errstate(all="ignore"):
        entries = np.abs(game.jacobian(points))
    largest = float(np.max(entries[np.isfinite(entries)], initial=0.0))
    return 1.0 if largest == 0 or SMALLEST < largest < LARGEST else power_of_two(largest)


def smooth_back(small: Certificate, unit: float, game: SmoothGame, alpha: float | None) -> Certificate:
    """Return what a certificate of ``game.scaled(1 / unit)`` says of ``game``."""
    witness, bounds, payload = small.witness, small.bounds, small.game
    if witness is not None:
        witness = {**witness, "ceiling": alpha or 0.0}
    if payload["type"] == "smooth":
        payload = game.payload()
    moved = replace(small, bounds=None if bounds is None else bounds.scaled(unit), target=alpha, witness=witness)
    at_a_point = bounds is None and small.kind == "perron"
    return _in_time(replace(moved, game=payload), unit, None if at_a_point else unit)


def can_be_written(certificate: Certificate) -> bool:
    """Return whether all numbers of a certificate that were moved are within what its file holds."""
    vectors = [getattr(certificate, name) for name in ("weights", "z", "v", "beta_vector", "sharp_vector")]
    if certificate.witness is None:
        held = [np.all((v > 1 / LONGEST_STEP) & (v < LONGEST_STEP)) for v in vectors if v is not None]
    else:
        held = [np.max(certificate.witness["vector"]) < LONGEST_STEP]
    return bool(all(held)) and not abs(certificate.beta) > LONGEST_STEP


def _moved_band(band: tuple[float, float], exponent: int) -> tuple[float, float] | None:
    """Return the band times 2^exponent; None where an end would be lost to over- or underflow."""
    with np.errstate(over="ignore", under="ignore"):
        ends = [float(end if end in (0, np.inf) else np.ldexp(end, exponent)) for end in band]
    lost = any(np.isinf(new) != np.isinf(old) or (new == 0) != (old == 0) for new, old in zip(ends, band, strict=True))
    return None if lost or 1e300 < ends[1] < np.inf else (ends[0], ends[1])


def power_of_two(value: float) -> float:
    """Return the power of two nearest to a positive number, as a ratio, and at most 2^996.

    >>> power_of_two(3.0), power_of_two(1e300) == 2.0**996
    (4.0, True)
    """
    return float(2.0 ** min(np.round(np.log2(value)), 996))


def largest_of(bounds: Bounds) -> float:
    """Return the largest of |mu|, |ell| and L; 1.0 if all are zero."""
    return float(_numbers(bounds).max(initial=0.0)) or 1.0


def _in_time(certificate: Certificate, unit: float, scale: float | None) -> Certificate:
    """Return the certificate with rates times ``unit`` and times divided by it, exactly."""
    if unit != 1.0:
        told = f"{certificate.reason}; these numbers in units of 2^{round(np.log2(unit))} = {unit:.3g}"
        certificate = replace(certificate, reason=told)
    with np.errstate(over="ignore", under="ignore"):
        rates = {name: unit * getattr(certificate, name) for name in RATES}
        # Beyond 1e300 a certificate holds no numbers; a shorter step is as safe.
        steps = {name: min(getattr(certificate, name) / unit, LONGEST_STEP) for name in STEPS}
        own = certificate.player_steps
        own = None if own is None else np.minimum(own / unit, LONGEST_STEP)
    return replace(certificate, **rates, **steps, player_steps=own, scale=scale)


def _exponents(bounds: Bounds, sweeps: int = 30) -> NDArray:
    """Return (N,) exponents that make the largest couplings into and out of each player alike (E. Osborne, *On
    pre-conditioning of matrices*, 1960, with the largest entry for a norm); a player that acts on others alone, or is
    acted on alone, gets couplings no larger than the curvatures."""
    dense = bounds.L.toarray() if bounds.sparse else bounds.L
    with np.errstate(divide="ignore"):
        size = np.log2(dense)
    own = np.abs(bounds.mu[bounds.mu != 0])
    level = float(np.median(np.log2(own))) if own.size else 0.0
    shifts = np.zeros(bounds.players)
    for _ in range(sweeps):
        last = shifts.copy()
        for i in range(bounds.players):
            into = np.max(size[i] + shifts, initial=-np.inf)
            out = np.max(size[:, i] - shifts, initial=-np.inf)
            if np.isfinite(into) and np.isfinite(out):
                shifts[i] = 0.5 * (into - out)
            elif np.isfinite(into) or np.isfinite(out):
                shifts[i] = max(into - level, 0.0) if np.isfinite(into) else min(level - out, 0.0)
        if np.max(np.abs(shifts - last)) < 0.5:
            break
    return np.round(shifts).astype(int)


def _numbers(bounds: Bounds) -> NDArray:
    couplings = bounds.L.data if bounds.sparse else np.ravel(bounds.L)
    numbers = np.abs(np.concatenate([bounds.mu, bounds.ell, couplings]))
    return numbers[numbers > 0]


def _spread(numbers: NDArray) -> float:
    return float(10.0 ** min(np.log10(numbers.max()) - np.log10(numbers.min()), 300.0))


def _balanced(couplings: Any, exponents: NDArray, factor: float) -> Any:
    """Return factor D⁻¹ L D, what is too small for a double, or to matter, raised to a share of the largest entry."""
    entries = sp.coo_array(couplings)
    rows, columns = entries.coords
    with np.errstate(over="ignore", under="ignore"):
        values = np.ldexp(entries.data * factor, exponents[columns] - exponents[rows])
    values = np.maximum(values, NEGLIGIBLE * values.max(initial=0.0)) * (entries.data > 0)
    moved = sp.coo_array((values, (rows, columns)), shape=entries.shape)
    return moved.tocsr() if sp.issparse(couplings) else moved.toarray()


def _moved(vector: NDArray | None, exponents: NDArray) -> NDArray | None:
    with np.errstate(over="ignore", under="ignore"):
        return None if vector is None else np.ldexp(vector, exponents)
