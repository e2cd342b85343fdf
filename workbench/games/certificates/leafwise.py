"""Leaf by leaf with one common w: what aggregated bounds refuse can still be certified point by point.

sym(W J(x)) ≥ α W at every x of the region is enough, so each leaf may have its own bounds as long as w is the
same. The leaves are found with intervals; then balls decide, and halve further where they are wider.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import scipy.optimize
from numpy.typing import NDArray

from workbench.games.certificates.box_job import Question, unfinished_sentence, unknown
from workbench.games.certificates.boxes import BoxTree, LeafBounds, leaf_bounds, leaf_margins, split_until
from workbench.games.certificates.certificate import Certificate, Status
from workbench.games.certificates.from_bounds import ROUNDING, confirmed, rounded_down
from workbench.games.models.bounds import Bounds
from workbench.games.models.smooth import SmoothGame
from workbench.games.small_gain.weights import perron
from workbench.games.verifier.document import Refused
from workbench.games.verifier.exact import semidefinite
from workbench.games.verifier.grammar import formulas
from workbench.games.verifier.leaves import BlockEnclosure, leaf_matrix, step_is_safe
from workbench.games.verifier.model import Formulas

SHARES = (0.25, 0.75, 0.97, 0.999)  # of the best margin seen at a point: try for more while the budget lasts


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
        attempt = unknown(question, unfinished_sentence(tree, quick.failed)) if quick.failed else None
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
    checked = formulas(payload)

    def holds(lower: NDArray, upper: NDArray) -> NDArray:
        return np.array([_leaf_holds(checked, a, b, w, margin) for a, b in zip(lower, upper, strict=True)])

    split = split_until(tree, holds, question.budget(), question.progress)
    if split.failed:
        return unknown(question, unfinished_sentence(tree, split.failed))
    enclosures = [BlockEnclosure(checked, sides).bounds() for sides in _sides(tree)]
    bounds = _in_floats(enclosures)
    step = _proved_step(enclosures, bounds, w)
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
    """Return 2 margin / β², rounded down."""
    return rounded_down(2 * Fraction(margin) / Fraction(beta) ** 2)


def _leaf_holds(game: Formulas, low: NDArray, high: NDArray, w: NDArray, margin: float) -> bool:
    try:
        bounds = BlockEnclosure(game, (low.tolist(), high.tolist())).bounds()
    except Refused:
        return False
    return semidefinite(leaf_matrix(bounds, w.tolist(), margin), strict=True)


def _sides(tree: BoxTree) -> list[tuple[list[float], list[float]]]:
    return [(tree.lower[k].tolist(), tree.upper[k].tolist()) for k in tree.leaves()]


def _in_floats(enclosures: list[Any]) -> LeafBounds:
    """What the balls prove on each leaf, as floats: good enough to aim at, proved again afterwards."""
    mu = np.array([[float(x) for x in e[0]] for e in enclosures])
    ell = np.array([[float(x) for x in e[1]] for e in enclosures])
    couplings = np.array([[[float(x) for x in row] for row in e[2]] for e in enclosures])
    return LeafBounds(mu, ell, couplings)


def _scaled(diagonal: NDArray, couplings: NDArray, w: NDArray) -> NDArray:
    """W^½ (diag + couplings) W^−½ on each leaf, (n, N, N)."""
    root, players = np.sqrt(w), np.arange(len(w))
    matrices = root[:, None] * couplings / root
    matrices[:, players, players] += diagonal
    return matrices


def _lipschitz_matrices(bounds: LeafBounds, w: NDArray) -> NDArray:
    return _scaled(np.maximum(np.abs(bounds.mu), np.abs(bounds.ell)), bounds.couplings, w)


def _proved_step(enclosures: list[Any], bounds: LeafBounds, w: NDArray) -> float:
    """Return a step that is non-expansive in M(w) on every leaf: found in floats, then proved in balls."""

    def norm(h: float) -> float:
        own = np.maximum(np.abs(1 - h * bounds.mu), np.abs(1 - h * bounds.ell))
        return float(np.max(np.linalg.norm(_scaled(own, h * bounds.couplings, w), 2, axis=(1, 2))))

    high = 2 / float(bounds.ell.max())
    if norm(high) > 1:
        # The norm is 1 at h = 0, falls at first and is convex, so it crosses 1 once on the right of its minimum.
        lowest = scipy.optimize.minimize_scalar(norm, bounds=(0, high), method="bounded").x
        high = scipy.optimize.brentq(lambda h: norm(h) - 1, lowest, high) if norm(lowest) < 1 else lowest
    h = float(high)
    for _ in range(40):
        h *= 1 - 1e-6
        if all(step_is_safe(e, w.tolist(), h) for e in enclosures):
            break
    return h


def common_weights(bounds: LeafBounds) -> tuple[NDArray, float]:
    """Return the w (first one 1) with the best worst margin over the given boxes, and that margin.

    The worst margin is quasi-concave in log w but not smooth: Nelder-Mead, from equal weights or from the Perron
    weights of the median bounds, whichever starts better (above 12 players the better start itself).
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
