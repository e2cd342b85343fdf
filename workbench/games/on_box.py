"""Certify a game of formulas on a box: aggregated bounds first, then leaf by leaf with one common w, then the checker.

Bounds aggregated over a large region can refuse what leaf-by-leaf bounds certify: C(w, alpha) > 0 on every leaf with
the same w is enough, since J enters through sym(W J(x)) >= alpha W point by point.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import scipy.optimize
from numpy.typing import NDArray

from workbench.games.bounds import Bounds
from workbench.games.boxes import (
    BoxTree,
    Budget,
    LeafBounds,
    UnboundedDerivative,
    bounds_on_box,
    leaf_bounds,
    leaf_margins,
    split_until,
)
from workbench.games.certificate import Certificate, Status
from workbench.games.from_bounds import ROUNDING, certify_bounds, confirmed, rounded_down
from workbench.games.region import Box
from workbench.games.smooth import SmoothGame
from workbench.games.verifier import check_refusal
from workbench.games.verifier.document import Refused
from workbench.games.verifier.exact import semidefinite
from workbench.games.verifier.leaves import BlockEnclosure, leaf_matrix, step_is_safe
from workbench.games.weights import perron
from workbench.progress import Progress

SAMPLES = 256
SHARES = (0.25, 0.75, 0.97, 0.999)  # of the best margin seen at a point: try for more while the budget lasts
METHODS = ("auto", "aggregate", "leafwise")


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked: the game, the region, the target, the budget."""

    game: SmoothGame
    region: Box
    target: float | None
    boxes: int
    deadline: float
    progress: Progress
    seed: int | np.random.Generator

    def budget(self, share: float = 1.0) -> Budget:
        """What is left to spend: the boxes of one search, and a share of the seconds to the deadline."""
        return Budget(self.boxes, max(share * (self.deadline - time.monotonic()), 0.01))


def certify_on_box(question: Question, method: str = "auto") -> Certificate:
    """Return the certificate of a game of formulas on a box.

    CERTIFIED only after the ball-arithmetic checker has passed every leaf. REFUSED with a point of the region at which
    no weights work, proved in balls. UNKNOWN, with what is known, if the budget ends first.
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
            reason=f"at the point {_short(points[k])} of the region no weights give a margin above {target:g}: "
            f"tau = {weights.tau:.6g} there",
            tau=weights.tau,
            target=question.target,
            region=question.region,
            game=question.game.payload(),
            witness={"point": points[k].tolist(), "vector": weights.witness.tolist(), "ceiling": float(target)},
        )
        if check_refusal(certificate):
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


def _short(point: NDArray) -> str:
    return "(" + ", ".join(f"{x:.4g}" for x in point) + ")"


def aggregate(question: Question) -> Certificate:
    """Certify with the smallest mu and the largest L of all leaves; the tree is refined until balls agree."""
    try:
        found = bounds_on_box(question.game, question.region, budget=question.budget(0.25), progress=question.progress)
    except UnboundedDerivative as error:
        return unknown(question, str(error))
    room = 2e-5 * float(max(np.abs(found.bounds.mu).max(), found.bounds.L.max()))
    relaxed = Bounds(found.bounds.mu - room, found.bounds.ell + room, _widened(question.game, found.bounds.L, room))
    if not perron(relaxed).margin > (question.target or 0.0):
        return Certificate(
            status=Status.REFUSED,
            reason="the bounds aggregated over the region allow no weights; leaf by leaf may still work",
            tau=perron(relaxed).tau,
            bounds=relaxed,
            target=question.target,
            region=question.region,
            game=question.game.payload(),
        )
    payload = question.game.payload()

    def holds(lower: NDArray, upper: NDArray) -> NDArray:
        return np.array([_within(payload, low, high, relaxed) for low, high in zip(lower, upper, strict=True)])

    split = split_until(found.tree, holds, question.budget(0.4), question.progress)
    if split.failed:
        return unknown(question, _left_over(split.tree, split.failed))
    return certify_bounds(relaxed, question.target, game=payload, region=question.region, tree=split.tree.code())


def _widened(game: SmoothGame, couplings: NDArray, room: float) -> NDArray:
    """Widen the couplings, except those that are exactly zero everywhere."""
    wider = np.where(couplings > 0, couplings + room, 0.0)
    np.fill_diagonal(wider, 0.0)
    return wider


def _within(payload: dict[str, Any], low: NDArray, high: NDArray, bounds: Bounds) -> bool:
    try:
        return BlockEnclosure(payload, (low.tolist(), high.tolist())).within(bounds.mu, bounds.ell, bounds.L)
    except Refused:
        return False


def leafwise(question: Question, points: NDArray) -> Certificate:
    """Certify leaf by leaf with one common w, chosen for the worst sampled points."""
    at_points = leaf_bounds(question.game, points, points)
    w, reachable = common_weights(at_points)
    goal = (question.target or 0.0, max(0.0, ROUNDING * float(np.abs(at_points.ell).max())))
    if not reachable > max(goal):
        return unknown(
            question, f"no common weights were found: the best margin over sampled points is {reachable:.4g}"
        )
    wanted = [question.target] if question.target else [share * reachable for share in SHARES]
    tree, certified, why = BoxTree(question.region), None, ""
    for margin in wanted:
        quick = split_until(tree, _margin_test(question.game, w, margin), question.budget(), question.progress)
        attempt = unknown(question, _left_over(tree, quick.failed)) if quick.failed else None
        attempt = attempt or _confirm_leafwise(question, tree.copy(), w, margin)
        if attempt.status is not Status.CERTIFIED:
            why = why or attempt.reason
            break
        certified = attempt
    return certified or unknown(question, why)


def _margin_test(game: SmoothGame, w: NDArray, margin: float) -> Callable[[NDArray, NDArray], NDArray]:
    return lambda lower, upper: leaf_margins(leaf_bounds(game, lower, upper), w) >= margin


def _confirm_leafwise(question: Question, tree: BoxTree, w: NDArray, margin: float) -> Certificate:
    """Let balls decide leaf by leaf, halving further where they are wider than the intervals."""
    payload = question.game.payload()

    def holds(lower: NDArray, upper: NDArray) -> NDArray:
        return np.array([_leaf_holds(payload, a, b, w, margin) for a, b in zip(lower, upper, strict=True)])

    split = split_until(tree, holds, question.budget(), question.progress)
    if split.failed:
        return unknown(question, _left_over(tree, split.failed))
    step = _leafwise_step(question.game, payload, tree, w)
    bounds = leaf_bounds(question.game, *tree.sides(tree.leaves()))
    beta = float(np.max(np.linalg.norm(_lipschitz_matrices(bounds, w), 2, axis=(1, 2)))) * (1 + 1e-9)
    return confirmed(
        Certificate(
            status=Status.CERTIFIED,
            reason=f"margin {margin:.6g} on each of {len(tree.leaves())} leaves with one common w",
            kind="leafwise",
            margin=float(margin),
            tau=float("nan"),
            weights=w,
            beta=beta,
            step_paper=min(step, _paper_step(margin, beta)),
            step_sharp=step,
            target=question.target,
            region=question.region,
            tree=tree.code(),
            game=payload,
        )
    )


def _paper_step(margin: float, beta: float) -> float:
    """Return 2 margin / beta^2, rounded down."""
    return rounded_down(2 * Fraction(margin) / Fraction(beta) ** 2)


def _leaf_holds(payload: dict[str, Any], low: NDArray, high: NDArray, w: NDArray, margin: float) -> bool:
    try:
        bounds = BlockEnclosure(payload, (low.tolist(), high.tolist())).bounds()
    except Refused:
        return False
    return semidefinite(leaf_matrix(bounds, w.tolist(), margin), strict=True)


def _lipschitz_matrices(bounds: LeafBounds, w: NDArray) -> NDArray:
    root = np.sqrt(w)
    matrices = root[:, None] * bounds.couplings / root
    players = np.arange(len(w))
    matrices[:, players, players] += np.maximum(np.abs(bounds.mu), np.abs(bounds.ell))
    return matrices


def _leafwise_step(game: SmoothGame, payload: dict[str, Any], tree: BoxTree, w: NDArray) -> float:
    """Return a step that is non-expansive in M(w) on every leaf: bisection in floats, then proved in balls."""
    leaves = tree.leaves()
    enclosures = [BlockEnclosure(payload, (tree.lower[k].tolist(), tree.upper[k].tolist())).bounds() for k in leaves]
    floats = [
        LeafBounds(
            np.array([[float(x) for x in e[0]]]),
            np.array([[float(x) for x in e[1]]]),
            np.array([[[float(x) for x in row] for row in e[2]]]),
        )
        for e in enclosures
    ]
    bounds = LeafBounds(*(np.concatenate([getattr(f, name) for f in floats]) for name in ("mu", "ell", "couplings")))
    root, players = np.sqrt(w), np.arange(len(w))

    def norm(h: float) -> float:
        t = h * root[:, None] * bounds.couplings / root
        t[:, players, players] += np.maximum(np.abs(1 - h * bounds.mu), np.abs(1 - h * bounds.ell))
        return float(np.max(np.linalg.norm(t, 2, axis=(1, 2))))

    high = 2 / float(bounds.ell.max())
    if norm(high) > 1:
        # The norm is 1 at h = 0, falls at first and is convex, so it crosses 1 once on the right of its minimum.
        lowest = scipy.optimize.minimize_scalar(norm, bounds=(0, high), method="bounded").x
        high = scipy.optimize.brentq(lambda h: norm(h) - 1, lowest, high) if norm(lowest) < 1 else lowest
    h = float(high)
    for _ in range(40):
        h *= 1 - 1e-6
        if all(step_is_safe(e, w.tolist(), h) for e in enclosures):
            return h
    return h


def common_weights(bounds: LeafBounds) -> tuple[NDArray, float]:
    """Return the w (first one 1) with the best worst margin over the given boxes, and that margin.

    Two players: the margin is quasi-concave in log r, a line search. More: Nelder-Mead on log w from the Perron
    weights of the aggregated bounds, keeping the best of several starts.
    """
    players = bounds.mu.shape[1]

    def worst(log_w: NDArray) -> float:
        return float(leaf_margins(bounds, np.exp(np.concatenate([[0.0], log_w]))).min())

    if players == 1:
        return np.ones(1), worst(np.zeros(0))
    if not np.isfinite(worst(np.zeros(players - 1))):
        return np.ones(players), float("-inf")
    starts = [np.zeros(players - 1)]
    middle = Bounds(
        np.median(bounds.mu, axis=0), np.median(bounds.ell, axis=0) + 1e300, np.median(bounds.couplings, axis=0)
    )
    starts.append(np.log(perron(middle).w[1:]))
    best = max(starts, key=worst)
    if players <= 12:
        found = scipy.optimize.minimize(
            lambda s: -worst(s),
            best,
            method="Nelder-Mead",
            options={"xatol": 1e-4, "fatol": 1e-9, "maxiter": 400 * players},
        )
        best = found.x if -found.fun > worst(best) else best
    return np.exp(np.concatenate([[0.0], best])), worst(best)


def unknown(question: Question, why: str) -> Certificate:
    """Return the UNKNOWN certificate that says what is known."""
    return Certificate(
        status=Status.UNKNOWN,
        reason=why,
        target=question.target,
        region=question.region,
        game=question.game.payload(),
    )


def _left_over(tree: BoxTree, failed: list[int]) -> str:
    lower, upper = tree.sides(failed)
    share = float(np.sum(np.prod((upper - lower) / tree.region.width, axis=1)))
    return (
        f"the budget of boxes or seconds ended with {100 * (1 - share):.1f} % of the region certified; "
        f"{len(failed)} boxes are left, one around {_short(0.5 * (lower[0] + upper[0]))}. Allow more boxes, "
        "a smaller region or a smaller margin"
    )
