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
from workbench.games.certificates.leaf_steps import common_vector, leaf_steps, lipschitz
from workbench.games.models.bounds import Bounds
from workbench.games.models.smooth import SmoothGame
from workbench.games.small_gain.weights import perron
from workbench.games.verifier.document import Refused
from workbench.games.verifier.exact import semidefinite
from workbench.games.verifier.grammar import formulas
from workbench.games.verifier.leaves import BlockEnclosure, leaf_matrix
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
    tree, found, why = BoxTree(question.region), [], ""
    for margin in wanted:
        quick = split_until(tree, _margin_test(question.game, w, margin), question.budget(), question.progress)
        attempt = None if quick.failed else tree.copy()
        left = quick.failed if attempt is None else _confirm(question, attempt, w, margin)
        if left:
            why = why or unfinished_sentence(tree if attempt is None else attempt, left)
            break
        found.append((attempt, margin))
    for attempt, margin in reversed(found):
        made = _certificate(question, _finer_for_players(question, attempt, w, margin, at_points), w, margin)
        if made.status is Status.CERTIFIED:
            return made
        why = made.reason
    return unknown(question, why)


def _margin_test(game: SmoothGame, w: NDArray, margin: float) -> Callable[[NDArray, NDArray], NDArray]:
    return lambda lower, upper: leaf_margins(leaf_bounds(game, lower, upper), w) >= margin


def _confirm(question: Question, tree: BoxTree, w: NDArray, margin: float) -> list[int]:
    """Let balls decide leaf by leaf, halving ``tree`` further where they are wider; return the leaves that are left."""
    checked = formulas(question.game.payload())

    def holds(lower: NDArray, upper: NDArray) -> NDArray:
        return np.array([_leaf_holds(checked, a, b, w, margin) for a, b in zip(lower, upper, strict=True)])

    return split_until(tree, holds, question.budget(), question.progress).failed


def _finer_for_players(question: Question, tree: BoxTree, w: NDArray, margin: float, at_points: LeafBounds) -> BoxTree:
    """Return a tree on which rates by player can be proved, if there is one within the budget; else ``tree`` itself.

    Leaves that are small enough for the margin in M(w) may be too large for a common vector z.
    """
    z, rate = common_vector(at_points)
    lower, upper = tree.sides(tree.leaves())
    if rate <= 0 or common_vector(leaf_bounds(question.game, lower, upper))[1] > 0:
        return tree
    finer = tree.copy()

    def shrinks(lower: NDArray, upper: NDArray) -> NDArray:
        leaf = leaf_bounds(question.game, lower, upper)
        return np.min(leaf.mu - leaf.couplings @ z / z, axis=1) > SHARES[0] * rate

    if split_until(finer, shrinks, question.budget(0.5), question.progress).failed:
        return tree
    return tree if _confirm(question, finer, w, margin) else finer


def _certificate(question: Question, tree: BoxTree, w: NDArray, margin: float) -> Certificate:
    """Return what the leaves of ``tree`` prove, after the checker's word."""
    payload = question.game.payload()
    checked = formulas(payload)
    enclosures = [BlockEnclosure(checked, sides).bounds() for sides in _sides(tree)]
    bounds = _in_floats(enclosures)
    steps = leaf_steps(enclosures, bounds, w)
    beta = lipschitz(bounds, w) * (1 + 1e-9)
    made = Certificate(
        status=Status.CERTIFIED,
        reason=f"margin {margin:.6g} on each of {len(enclosures)} leaves with one common w",
        kind="leafwise",
        margin=float(margin),
        weights=w,
        z=steps.z,
        beta=beta,
        step_paper=min(steps.sharp, _paper_step(margin, beta)),
        step_h0=steps.first,
        rate_h0=steps.rate,
        step_sharp=steps.sharp,
        step_rk4=steps.sharp,
        player_steps=steps.player_steps,
        rate_players=steps.player_rate,
        target=question.target,
        region=question.region,
        tree=tree.code(),
        game=payload,
    )
    return confirmed(made)


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
