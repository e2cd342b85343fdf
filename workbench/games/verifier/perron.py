"""The claims of a "perron" certificate, each proved in rationals: vectors, weights, τ, β, steps and band."""

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from .document import Refused
from .exact import failing_norm_row, failing_row, rational
from .model import INFINITE, Bounds, Document
from .tau import tau_claim

CLOSE = fmpq(1, 10**9)  # how far below the best value of its formula a quoted step may lie
ROUNDED = 1e-12  # how far the written weights may be from v/z, which is what the proofs are about
CLAIMS = ("margin", "weights", "z", "v", "beta", "beta_vector", "step_paper", "step_h0", "step_sharp")
CLAIMS += ("sharp_vector", "step_rk4", "player_steps")
CANNOT = ("witness", "rate_h0", "rate_players")  # here the margin is the rate of them all


def claimed(document: Document, name: str) -> Any:
    """Return an entry that a certificate of this kind must have."""
    value = getattr(document, name)
    if value is None:
        raise Refused(f"a {document.kind} certificate must state {name}, and this one does not", name)
    return value


def nothing_else(document: Document, names: tuple[str, ...]) -> None:
    """Refuse entries that a document of this kind cannot claim."""
    for name in names:
        value = getattr(document, name)
        if value is not None and value is not False:
            raise Refused(f"{name} cannot be claimed by a {document.status} certificate of this kind", name)


def perron_claims(document: Document, bounds: Bounds) -> None:
    """Prove every number that follows from the bounds."""
    for name in CLAIMS:
        claimed(document, name)
    margin = positive_margin(document)
    vectors_claim(document, bounds, margin)
    tau_claim(document, bounds, [document.z])
    lipschitz_claim(document, bounds)
    step_claims(document, bounds, margin)
    scale_claim(document, largest_number(bounds))
    if document.band is not None:
        band_claim(document.band, rational(document.goal), bounds)


def positive_margin(document: Document) -> float:
    """Return the margin: positive, and not below the target."""
    margin = claimed(document, "margin")
    if not margin > 0:
        raise Refused("the margin is not a positive number", "margin")
    if document.target is not None and not margin >= document.target:
        raise Refused(f"the margin {margin} is below the target {document.target}", "target")
    return margin


def vectors_claim(document: Document, bounds: Bounds, margin: float) -> None:
    """A z ≥ margin z and Aᵀ v ≥ margin v with z, v > 0; the weights are v/z, rounded."""
    z, v, w = document.z, document.v, document.weights
    for name, x, matrix in (("z", z, bounds.couplings), ("v", v, bounds.couplings.transposed)):
        _positive(name, x)
        row = failing_row(bounds.mu, matrix, x, ">=", rational(margin))
        if row is not None:
            raise Refused(f"the margin {margin} is not proved: row {row} of the inequality for {name} fails", "margin")
    with np.errstate(all="ignore"):
        if not np.all(np.abs(w * (z / v) * (v[0] / z[0]) - 1) <= ROUNDED):
            raise Refused("the weights are not v/z", "weights")


def exact_weight(document: Document) -> Callable[[int], fmpq]:
    """Return the weight of each player that the proofs are about: v_i/z_i, the first one 1; or as written."""
    z, v, w = document.z, document.v, document.weights
    if z is None or v is None:
        return lambda i: rational(float(w[i]))
    first = rational(float(z[0])) / rational(float(v[0]))
    return lambda i: rational(float(v[i])) / rational(float(z[i])) * first


def lipschitz_claim(document: Document, bounds: Bounds) -> None:
    """β ≥ ||W^½ G W^−½|| for G = diag(max(|mu|, |ell|)) + L, by Schur's test Gᵀ W G p ≤ β² W p."""
    beta, p, z, v = document.beta, document.beta_vector, document.z, document.v
    _positive("beta_vector", p)
    with np.errstate(all="ignore"):
        w = v / z * (z[0] / v[0])
    size = np.maximum(np.abs(bounds.mu), np.abs(bounds.ell))
    if not beta > 0 or failing_norm_row(size, bounds.couplings, p, w, exact_weight(document), beta) is not None:
        raise Refused(f"the Lipschitz constant {beta} is not proved", "beta")


def step_claims(document: Document, bounds: Bounds, margin: float) -> None:
    """The paper's step, h0, the RK4 step, the rates by player, and the sharp step with its vector."""
    quoted("step_paper", document.step_paper, 2 * rational(margin) / rational(document.beta) ** 2)
    total = bounds.mu + bounds.ell  # rounding is monotone: the largest exact sum is among the largest rounded ones
    largest = max(_sum(bounds, i) for i in np.flatnonzero(total == total.max()).tolist())
    quoted("step_h0", document.step_h0, 2 / largest)
    if not document.step_rk4 == max(document.step_paper, document.step_h0):
        raise Refused("step_rk4 is not the larger of the paper's step and h0", "step_rk4")
    rates = document.player_steps
    _positive("player_steps", rates)
    with np.errstate(all="ignore"):
        sure = rates * total * (1 + 2.0**-50) <= 2
    if any(not rational(float(rates[i])) * _sum(bounds, i) <= 2 for i in np.flatnonzero(~sure).tolist()):
        raise Refused("a player's rate is larger than 2/(mu + ell)", "player_steps")
    sharp_claim(document, bounds)


def _sum(bounds: Bounds, i: int) -> fmpq:
    return rational(float(bounds.mu[i])) + rational(float(bounds.ell[i]))


def sharp_claim(document: Document, bounds: Bounds) -> None:
    """T_h u < u with u > 0, T_h = diag(max(|1 - h mu|, |1 - h ell|)) + h L, row by row and term by term.

    The first term, 1 - h mu + h L < 1, says A u > 0; the second says (ell + L) u < (2/h) u. Both at h prove all
    smaller h.
    """
    h, u = document.step_sharp, document.sharp_vector
    _positive("sharp_vector", u)
    if not h > 0:
        raise Refused("the sharp step must be positive", "step_sharp")
    if failing_row(bounds.mu, bounds.couplings, u, ">", fmpq(0)) is not None:
        raise Refused("the sharp step is not proved: A u > 0 fails", "step_sharp")
    if failing_row(bounds.ell, bounds.couplings, u, "+<", 2 / rational(h)) is not None:
        raise Refused(f"the sharp step {h} is not proved: (ell + L) u < (2/h) u fails", "step_sharp")


def quoted(name: str, value: float, best: fmpq) -> None:
    """Refuse a quoted step that is above what its formula gives, or needlessly far below it."""
    exact = rational(value)
    if not exact <= best:
        raise Refused(f"{name} = {value} is larger than {float(best)!r}, which is what is proved", name)
    if not (exact > 0 and exact >= best * (1 - CLOSE)):
        raise Refused(f"{name} = {value} is not {float(best)!r}, which its formula gives", name)


def largest_number(bounds: Bounds) -> fmpq:
    """Return the largest of |mu|, |ell| and L, exactly."""
    parts = (bounds.mu, bounds.ell, bounds.couplings.values)
    return rational(max(float(np.abs(part).max(initial=0.0)) for part in parts))


def scale_claim(document: Document, largest: Any) -> None:
    """The scale is a power of two, and the largest number of the bounds (a rational or a ball) within twice of it."""
    scale = document.scale
    if scale is None:
        return
    if not (scale > 0 and np.frexp(scale)[0] == 0.5):
        raise Refused(f"the scale {scale} is not a power of two", "scale")
    exact = rational(scale)
    if not (2 * largest >= exact and largest <= 2 * exact):
        raise Refused(f"the largest curvature or coupling is not near the scale {scale}", "scale")


def band_claim(band: tuple[float, float], target: fmpq, bounds: Bounds) -> None:
    """Both ends of a two-player band have margin ≥ target: 4 r m ≥ (L12 + r L21)² and mu > target.

    The r that satisfy it form an interval, so both ends prove all between. An end 0 or infinite is left out of it.
    """
    dense = bounds.couplings.dense()
    own = [rational(x) - target for x in bounds.mu.tolist()]
    l12, l21 = rational(float(dense[0, 1])), rational(float(dense[1, 0]))
    if not min(own) > 0:
        raise Refused("the band misses the target margin: mu is not above it", "band")
    for end in band:
        if end == INFINITE:
            if not l21 == 0:
                raise Refused("the band is said to be unbounded, but player 1 acts on player 2", "band")
        elif not 4 * rational(end) * own[0] * own[1] >= (l12 + rational(end) * l21) ** 2:
            raise Refused(f"the band's end {end} misses the target margin", "band")


def _positive(name: str, vector: NDArray) -> None:
    if not np.all(vector > 0):
        raise Refused(f"{name} must be positive in every component", name)
