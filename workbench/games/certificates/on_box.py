"""Certify a game of formulas on a box: aggregated bounds first, then leaf by leaf with one common w, then the checker.

Bounds aggregated over a large region can refuse what leaf-by-leaf bounds certify: C(w, α) > 0 on every leaf with
the same w is enough, since J enters through sym(W J(x)) ≥ α W point by point.
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from workbench.games.certificates.box_job import Question, short, unfinished_sentence, unknown
from workbench.games.certificates.boxes import (
    LeafBounds,
    UnboundedDerivative,
    bounds_on_box,
    leaf_bounds,
    leaf_margins,
    split_until,
)
from workbench.games.certificates.certificate import Certificate, Status
from workbench.games.certificates.from_bounds import certify_bounds
from workbench.games.certificates.leafwise import leafwise
from workbench.games.models.bounds import Bounds
from workbench.games.models.region import Box
from workbench.games.models.smooth import SmoothGame
from workbench.games.small_gain.weights import perron
from workbench.games.verifier import check_refusal
from workbench.games.verifier.document import Refused
from workbench.games.verifier.grammar import formulas
from workbench.games.verifier.leaves import BlockEnclosure
from workbench.games.verifier.model import Formulas

SAMPLES = 256
METHODS = ("auto", "aggregate", "leafwise")


def certify_on_box(question: Question, method: str = "auto") -> Certificate:
    """Return the certificate of a game of formulas on a box.

    CERTIFIED only after the ball-arithmetic checker has passed every leaf. REFUSED with a point of the region at which
    no weights work, proved in balls; or, by "aggregate", with the bounds over the whole region and the vector that
    rules out all weights for these: leaves may still be certified then. UNKNOWN, with what is known, if the budget ends
    first.
    """
    points = sample_points(question.region, question.seed)
    refusal = refuted(question, points)
    if refusal is not None:
        return refusal
    if method in ("auto", "aggregate"):
        aggregated = aggregate(question)
        if aggregated.status is Status.CERTIFIED or method == "aggregate":
            return aggregated
    return leafwise(question, points)


def sample_points(region: Box, seed: int | np.random.Generator) -> NDArray:
    """Return the centre, the corners (up to 10 coordinates) and uniform points: where to look for trouble."""
    corners = [region.vertices()] if region.dimension <= 10 else []
    return np.concatenate([region.centre[None], *corners, region.sample(SAMPLES, seed)])


def refuted(question: Question, points: NDArray) -> Certificate | None:
    """Return a REFUSED certificate if some sampled point provably allows no weights at all."""
    at_points = leaf_bounds(question.game, points, points)
    target = question.target or 0.0
    for k in _most_doubtful(at_points):
        local = _single(at_points, k)
        if local is None:
            continue
        weights = perron(local)
        if weights.tau > target:
            continue
        certificate = Certificate(
            status=Status.REFUSED,
            reason=f"at the point {short(points[k])} of the region no weights give a margin above {target:g}: "
            f"tau = {weights.tau:.6g} there",
            tau=weights.tau,
            target=question.target,
            region=question.region,
            game=question.game.payload(),
            witness={"point": points[k].tolist(), "vector": weights.witness.tolist(), "ceiling": float(target)},
        )
        if check_refusal(certificate, seconds=math.inf):
            return certificate
    return None


def _most_doubtful(bounds: LeafBounds, count: int = 12) -> NDArray:
    margins = leaf_margins(bounds, np.ones(bounds.mu.shape[1]))
    balanced = bounds.mu.min(axis=1) - np.sqrt(bounds.couplings * bounds.couplings.transpose(0, 2, 1)).max(axis=(1, 2))
    return np.unique(np.concatenate([np.argsort(margins)[:count], np.argsort(balanced)[:count]]))


def _single(bounds: LeafBounds, k: int) -> Bounds | None:
    couplings = bounds.couplings[k]
    if not (np.all(np.isfinite(bounds.mu[k])) and np.all(np.isfinite(couplings))):
        return None
    return Bounds(bounds.mu[k], np.maximum(bounds.mu[k], bounds.ell[k]), couplings)


def aggregate(question: Question) -> Certificate:
    """Certify with the smallest mu and the largest L of all leaves; the tree is refined until balls agree."""
    try:
        found = bounds_on_box(question.game, question.region, budget=question.budget(0.25), progress=question.progress)
    except UnboundedDerivative as error:
        return unknown(question, str(error))
    room = 2e-5 * float(max(np.abs(found.bounds.mu).max(), found.bounds.L.max()))
    relaxed = Bounds(found.bounds.mu - room, found.bounds.ell + room, _widened(question.game, found.bounds.L, room))
    if not perron(relaxed).margin > (question.target or 0.0):
        refusal = certify_bounds(relaxed, question.target, region=question.region)
        if refusal.status is not Status.CERTIFIED:
            return replace(refusal, reason=_refused_bounds(refusal))
    payload = question.game.payload()
    checked = formulas(payload)

    def holds(lower: NDArray, upper: NDArray) -> NDArray:
        return np.array([_within(checked, low, high, relaxed) for low, high in zip(lower, upper, strict=True)])

    split = split_until(found.tree, holds, question.budget(0.4), question.progress)
    if split.failed:
        return unknown(question, unfinished_sentence(split.tree, split.failed))
    return certify_bounds(relaxed, question.target, game=payload, region=question.region, tree=split.tree.code())


def _refused_bounds(refusal: Certificate) -> str:
    """Say what a refusal of aggregated bounds is one of: of the bounds, and not yet of the game."""
    told = f"the bounds aggregated over the region allow no weights: {refusal.reason}"
    if refusal.witness is not None:
        x, ceiling = np.array(refusal.witness["vector"]), refusal.witness["ceiling"]
        shown = short(x) if len(x) <= 4 else f"{short(x[:4])[:-1]}, …)"
        told += f"; the witness x = {shown} has (diag(mu) − L) x ≤ {ceiling:g} x"
    return f"{told}. Leaf by leaf may still work"


def _widened(game: SmoothGame, couplings: NDArray, room: float) -> NDArray:
    """Widen the couplings, except those that are exactly zero everywhere."""
    wider = np.where(couplings > 0, couplings + room, 0.0)
    np.fill_diagonal(wider, 0.0)
    return wider


def _within(game: Formulas, low: NDArray, high: NDArray, bounds: Bounds) -> bool:
    try:
        return BlockEnclosure(game, (low.tolist(), high.tolist())).within(bounds.mu, bounds.ell, bounds.L)
    except Refused:
        return False
