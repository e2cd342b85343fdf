"""From bounds to a certificate: weights, band, steps, then the independent checker has the last word."""

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.games.certificates.certificate import Certificate, Status
from workbench.games.certificates.units import LARGEST, LONGEST_STEP, can_be_written, units_of
from workbench.games.models.bounds import LARGEST_DENSE, Bounds
from workbench.games.models.region import Box
from workbench.games.small_gain import steps
from workbench.games.small_gain.band import two_player_band
from workbench.games.small_gain.proved import EPS, Weights
from workbench.games.small_gain.weights import perron
from workbench.games.verifier import check_refusal, verify

ROUNDING = 1e-13  # a margin below this share of the numbers in play is not told apart from zero
TOO_FAR_APART = (
    f"the curvatures and couplings lie further apart than {LARGEST:.0g} whatever the units of the players' variables, "
    "or beyond what double precision holds: nothing can be proved in it; leave out the couplings that do not matter"
)
BEYOND = (
    f"in the units given the weights or rates lie beyond {LONGEST_STEP:.0g}, more than a certificate can hold: "
    "choose units in which the players' variables are of one size"
)


def certify_bounds(
    bounds: Bounds,
    alpha: float | None = None,
    *,
    game: dict[str, Any] | None = None,
    region: Box | None = None,
    tree: tuple[int, ...] | None = None,
) -> Certificate:
    """Return the certificate of ``bounds`` with target margin ``alpha`` (None: any positive margin).

    Curvatures far from 1, or from each other, are brought there first, by powers of two, and the finding back to the
    units given.
    """
    context = {"game": game or {"type": "bounds"}, "region": region, "tree": tree}
    units = units_of(bounds)
    if units is None:
        return Certificate(status=Status.UNKNOWN, reason=TOO_FAR_APART, bounds=bounds, target=alpha, **context)
    if units.plain:
        return _certified(bounds, alpha, context)
    small = _certified(units.into(bounds), units.target(alpha), {})
    made = units.back(small, bounds, alpha, context)
    if not can_be_written(made):
        return Certificate(status=Status.UNKNOWN, reason=BEYOND, bounds=bounds, target=alpha, **context)
    return confirmed(made)


def _certified(bounds: Bounds, alpha: float | None, context: dict[str, Any]) -> Certificate:
    """Return the certificate of bounds whose numbers double precision can handle."""
    weights = perron(bounds)
    context = {**context, "bounds": bounds, "target": alpha}
    floor = ROUNDING * float(max(np.abs(bounds.mu).max(), bounds.L.max() if bounds.L.size else 0.0))
    if weights.margin > floor and weights.margin >= (alpha or 0.0):
        return _positive(bounds, weights, context)
    return _refusal(weights, context, alpha or 0.0)


def _positive(bounds: Bounds, weights: Weights, context: dict[str, Any]) -> Certificate:
    beta, beta_vector = proved_lipschitz(bounds, weights.w)
    sharp = steps.sharp_step(bounds, weights.z)
    paper = rounded_down(2 * Fraction(weights.margin) / Fraction(beta) ** 2)
    first = rounded_down(_exact_h0(bounds))
    certificate = Certificate(
        status=Status.CERTIFIED if bounds.proved else Status.ESTIMATED,
        reason=_sentence(bounds, weights),
        margin=weights.margin,
        tau=weights.tau,
        weights=weights.w,
        z=weights.z,
        v=weights.v,
        band=proved_band(bounds, context["target"] or 0.0),
        beta=beta,
        beta_vector=beta_vector,
        step_paper=paper,
        step_h0=first,
        step_sharp=sharp.step,
        sharp_vector=sharp.vector,
        step_rk4=steps.rk4_step(paper, first),
        player_steps=(1 - 8 * EPS) * steps.player_steps(bounds),
        attained=weights.attained,
        **context,
    )
    return confirmed(certificate)


def confirmed(certificate: Certificate) -> Certificate:
    """Return a CERTIFIED or REFUSED certificate only if the checker verifies it; otherwise UNKNOWN with its sentence.

    τ is told only where it can be proved as well: not for large games whose coupling runs one way only.
    """
    if certificate.status is Status.REFUSED:
        return _confirmed_refusal(certificate)
    if certificate.status is not Status.CERTIFIED:
        return certificate
    report = verify(certificate, seconds=math.inf)
    if report.field in ("tau", "attained"):
        told = f"margin {certificate.margin:.6g}; no weights are expected to give more than about {certificate.tau:.6g}"
        certificate = replace(certificate, tau=math.nan, attained=False, reason=f"{told} (estimated, not proved)")
        report = verify(certificate, seconds=math.inf)
    if report:
        return certificate
    return replace(certificate, status=Status.UNKNOWN, reason=f"the checker did not confirm it: {report.message}")


def _sentence(bounds: Bounds, weights: Weights) -> str:
    how = "reached by these weights" if weights.attained else "a supremum that no finite weights reach"
    origin = "" if bounds.proved else " (from sampled bounds: not a proof)"
    return f"margin {weights.margin:.6g} of at most tau = {weights.tau:.6g}, {how}{origin}"


def _refusal(weights: Weights, context: dict[str, Any], target: float) -> Certificate:
    goal = f"a margin of {target:.6g}" if target else "a positive margin"
    refused = Certificate(
        status=Status.REFUSED,
        reason=f"no metric weights give {goal}: tau = {weights.tau:.6g}",
        tau=weights.tau,
        witness={"vector": weights.witness.tolist(), "ceiling": float(target)},
        **context,
    )
    return _confirmed_refusal(refused)


def _confirmed_refusal(refused: Certificate) -> Certificate:
    """Return the refusal if the checker verifies its witness, τ told only if it is proved; otherwise UNKNOWN."""
    for candidate in (refused, replace(refused, tau=math.nan)):
        if check_refusal(candidate, seconds=math.inf):
            return candidate
    goal = f"a margin of {refused.target:.6g}" if refused.target else "a positive margin"
    reason = f"tau = {refused.tau:.3g} is within rounding of {goal}; neither it nor its absence is proved"
    return replace(refused, status=Status.UNKNOWN, reason=reason, witness=None)


def proved_band(bounds: Bounds, target: float) -> tuple[float, float] | None:
    """Return the two-player band with its ends moved inward by rounding, or None."""
    if bounds.players != 2:
        return None
    couplings = bounds.L.toarray() if bounds.sparse else bounds.L
    band = two_player_band((bounds.mu[0], bounds.mu[1]), couplings[0, 1], couplings[1, 0], target)
    if band is None or band[1] <= band[0] * (1 + 64 * EPS):
        return None
    low = max(band[0] * (1 + 16 * EPS), 1 / LONGEST_STEP) if couplings[0, 1] > 0 else 0.0
    high = min(band[1] * (1 - 16 * EPS), LONGEST_STEP) if couplings[1, 0] > 0 else math.inf
    return float(low), float(high)


def proved_lipschitz(bounds: Bounds, w: NDArray, sweeps: int = 40) -> tuple[float, NDArray]:
    """Return (β, p) with Gᵀ W G p ≤ β² W p, p > 0: Schur's bound, tight at the leading singular vector."""
    size = np.maximum(np.abs(bounds.mu), np.abs(bounds.ell))

    def image(p: NDArray) -> NDArray:
        q = (size * p + bounds.L @ p) * w
        return size * q + bounds.L.T @ q

    p = 1 / np.sqrt(w)
    if bounds.players <= LARGEST_DENSE:
        p = _leading(bounds, size, w)
    else:
        for _ in range(sweeps):
            p = image(p) / w
            p = np.maximum(p / p.max(), 1e-12)
    ratio = float(np.max(image(p) / (w * p)))
    terms = 2 * bounds.players if bounds.players < 1000 else 2000
    return math.sqrt(ratio) * (1 + (terms + 40) * EPS), p


def _leading(bounds: Bounds, size: NDArray, w: NDArray) -> NDArray:
    """A positive vector close to the leading right singular vector, also when that one has zeros."""
    g = np.diag(size) + (bounds.L.toarray() if bounds.sparse else bounds.L)
    root = np.sqrt(w)
    b = root[:, None] * g / root
    gram = b.T @ b
    top, vectors = np.linalg.eigh(gram)
    leading = np.abs(vectors[:, -1])
    if leading.min() < 1e-8 * leading.max():
        slack = top[-1] * (1 + 1e-9)
        leading = np.abs(np.linalg.solve(slack * np.eye(len(gram)) - gram, np.ones(len(gram))))
    return leading / root / np.max(leading / root)


def rounded_down(value: Fraction) -> float:
    """Return the largest double that is not above ``value``.

    >>> rounded_down(Fraction(1, 3)) <= Fraction(1, 3)
    True
    """
    nearest = float(value)
    return nearest if Fraction(nearest) <= value else math.nextafter(nearest, -math.inf)


def _exact_h0(bounds: Bounds) -> Fraction:
    total = bounds.mu + bounds.ell
    near = np.flatnonzero(total >= total.max() * (1 - 8 * EPS))
    return min(Fraction(2) / (Fraction(float(bounds.mu[i])) + Fraction(float(bounds.ell[i]))) for i in near)
