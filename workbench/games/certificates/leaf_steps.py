"""Steps that are proved on every leaf: of Euler, of RK4, and of each player by itself.

Found in floats from what balls prove of each leaf, then proved in balls once more, as the checker will.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.optimize
from numpy.typing import NDArray

from workbench.games.certificates.boxes import LeafBounds
from workbench.games.models.bounds import Bounds
from workbench.games.small_gain.weights import perron
from workbench.games.verifier.leaves import players_shrink, step_is_safe

SPARE = 1e-9  # relative room that a number found in floats leaves to its proof in balls
ROUNDS = 60


@dataclass(frozen=True, eq=False)
class LeafSteps:
    """What is proved of steps on all leaves; NaN or None where nothing is."""

    sharp: float
    first: float
    rate: float
    z: NDArray | None
    player_steps: NDArray | None
    player_rate: float


def leaf_steps(enclosures: Sequence[Any], bounds: LeafBounds, w: NDArray) -> LeafSteps:
    """Return the steps for the common weights w: ``enclosures`` in balls, ``bounds`` the same in floats."""
    sharp = _sharp(enclosures, bounds, w)
    first, rate = _first(enclosures, bounds, w)
    return LeafSteps(sharp, first, rate, *_players(enclosures, bounds))


def lipschitz(bounds: LeafBounds, w: NDArray) -> float:
    """Return the largest |diag(max(|mu|, |ell|)) + L| in M(w) over the leaves, in floats."""
    own = np.maximum(np.abs(bounds.mu), np.abs(bounds.ell))
    return float(np.max(np.linalg.norm(_scaled(own, bounds, w), 2, axis=(1, 2))))


def _scaled(diagonal: NDArray, bounds: LeafBounds, w: NDArray, h: float = 1.0) -> NDArray:
    """W^½ (diag + h L) W^−½ on each leaf, (n, N, N)."""
    root, players = np.sqrt(w), np.arange(len(w))
    matrices = root[:, None] * (h * bounds.couplings) / root
    matrices[:, players, players] += diagonal
    return matrices


def _step_norm(bounds: LeafBounds, w: NDArray) -> Callable[[float], float]:
    """Return h -> the largest |T_h| in M(w) over the leaves; convex, 1 at h = 0."""

    def norm(h: float) -> float:
        own = np.maximum(np.abs(1 - h * bounds.mu), np.abs(1 - h * bounds.ell))
        return float(np.max(np.linalg.norm(_scaled(own, bounds, w, h), 2, axis=(1, 2))))

    return norm


def _sharp(enclosures: Sequence[Any], bounds: LeafBounds, w: NDArray) -> float:
    """Return a step that is non-expansive in M(w) on every leaf."""
    norm = _step_norm(bounds, w)
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


def _first(enclosures: Sequence[Any], bounds: LeafBounds, w: NDArray) -> tuple[float, float]:
    """Return (h₀, rate): the step up to min 2/(mu + ell) with the smallest factor 1 − h₀ rate on every leaf.

    Both are NaN where no factor below 1 is proved.
    """
    norm = _step_norm(bounds, w)
    high = float(np.min(2 / (bounds.mu + bounds.ell)))
    inside = float(scipy.optimize.minimize_scalar(norm, bounds=(0, high), method="bounded").x)
    h = min((high, inside), key=norm) * (1 - 1e-12)
    rate = (1 - norm(h)) / h
    for spare in (SPARE, 1e-7, 1e-5, 1e-3):
        told = rate * (1 - spare)
        if told > 0 and all(step_is_safe(e, w.tolist(), h, told) for e in enclosures):
            return h, told
    return float("nan"), float("nan")


def _players(enclosures: Sequence[Any], bounds: LeafBounds) -> tuple[NDArray | None, NDArray | None, float]:
    """Return (z, rates by player, the rate at which they shrink max_i |x_i|/z_i), or nothing if there is no z."""
    z, rate = common_vector(bounds)
    steps = np.min(2 / (bounds.mu + bounds.ell), axis=0) * (1 - 1e-12)
    for spare in (SPARE, 1e-7, 1e-5, 1e-3):
        told = rate * (1 - spare)
        if told > 0 and all(players_shrink(e, z.tolist(), steps.tolist(), told) for e in enclosures):
            return z, steps, told
    return None, None, float("nan")


def common_vector(bounds: LeafBounds) -> tuple[NDArray, float]:
    """Return the z > 0 with the largest rate such that A z ≥ rate z on all leaves, and that rate (≤ 0: there is none).

    Rows may be chosen leaf by leaf, player by player, so the worst choice has the same rate as all leaves together:
    policy iteration, each round the Perron vector of the rows that are worst for the last one.
    """
    players = bounds.mu.shape[1]
    z, best, rate = np.ones(players), np.ones(players), -np.inf
    if not (np.all(np.isfinite(bounds.mu)) and np.all(np.isfinite(bounds.couplings))):
        return best, rate
    for _ in range(ROUNDS):
        rows = bounds.mu - bounds.couplings @ z / z
        reached = float(rows.min())
        if reached > rate:
            best, rate = z, reached
        worst = np.argmin(rows, axis=0)
        own = bounds.mu[worst, np.arange(players)]
        chosen = Bounds(own, own, bounds.couplings[worst, np.arange(players)])
        found = perron(chosen)
        if not found.margin > rate + SPARE * abs(rate):
            break
        z = found.z
    return best, rate
