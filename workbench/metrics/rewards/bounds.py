"""How far a distance bounds the worst-case regret in a given MDP: L · d ≤ W ≤ U · d.

For the range metric L = 1 and U = 2 everywhere. For an L² distance of canonical forms let a and b be the least and the
greatest ρ(c) over forms c of norm 1: the width and the diameter of the polytope of occupancies, seen in that geometry.
Then L ≥ a/b and U ≤ 2 b/a. What is no STARC metric has none: L = 0, U = ∞.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench import checks
from workbench.metrics.rewards.mdp import MDP
from workbench.metrics.rewards.planning import Extremes, best_policy, extremes
from workbench.metrics.rewards.yardsticks import REWARD_DISTANCES, row_squares
from workbench.progress import Progress

ENUMERATED = 2048
"""Up to so many deterministic policies the diameter is taken over all pairs of them."""
STARTS, STEPS = 6, 60
MOST_STATES = 400


@dataclass(frozen=True)
class Constants:
    """L and U of one distance in one MDP, with the width a and the diameter b behind them (NaN where there are none).

    ``exact`` says whether b was taken over all pairs of policies. a is the least that a search found: the true one may
    be smaller, and then L is smaller and U larger.
    """

    lower: float
    upper: float
    width: float
    diameter: float
    exact: bool


class Geometry:
    """The unit sphere of the canonical forms of "val" or "minimal", in coordinates y (S, A) whose L² norm it is."""

    def __init__(self, mdp: MDP, method: str) -> None:
        self.mdp, self.method = mdp, method
        shape = (mdp.states, mdp.actions)
        self.weight = np.ones(shape) if method == "val" else 1 / np.sqrt(row_squares(mdp)).reshape(shape)

    def reward(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the expected reward (S, A) of a form."""
        return y / self.weight

    def form(self, moved: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return g with ⟨y, g⟩ = ⟨r(y), Δx⟩ for a difference of occupancies Δx (S, A), g itself a form.

        Differences of occupancies satisfy the equations of the minimal forms already; those of VAL have mean 0 over
        the actions of a state.
        """
        g = moved / self.weight
        return g - g.mean(axis=1, keepdims=True) if self.method == "val" else g

    def range(self, y: NDArray[np.float64], near: Extremes | None = None) -> tuple[float, NDArray, Extremes]:
        """Return ρ of a form, the form of the difference of occupancies that attains it, and both policies."""
        found = extremes(self.mdp, self.reward(y), near)
        actions = self.mdp.actions
        return found.range, self.form(found.best.occupancy(actions) - found.worst.occupancy(actions)), found


def distance_constants(
    mdp: MDP, method: str, *, seed: int | np.random.Generator = 0, progress: Progress | None = None
) -> Constants:
    """Return the constants of one of :data:`REWARD_DISTANCES` in an MDP.

    States that nobody can reach count for the L² distances and not for the regret: with them L = 0 and U = ∞, and
    :meth:`MDP.reachable_part` has constants of its own. Up to 400 states. Cost: about a thousand solutions of the MDP.

    >>> mdp = MDP([[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.1, 0.9]]], 0.9)
    >>> distance_constants(mdp, "range").upper
    2.0
    """
    entry = REWARD_DISTANCES[checks.choice("reward distance", method, REWARD_DISTANCES)]
    if method == "range":
        return Constants(1.0, 2.0, np.nan, np.nan, True)
    if not entry.fact("starc") or not mdp.reachable.all():
        return Constants(0.0, np.inf, np.nan, np.nan, True)
    width, diameter, exact = width_and_diameter(mdp, method, seed=seed, progress=progress)[:3]
    if not width > 0:
        return Constants(0.0, np.inf, width, diameter, exact)
    return Constants(width / diameter, 2 * diameter / width, width, diameter, exact)


def width_and_diameter(
    mdp: MDP, method: str, *, seed: int | np.random.Generator = 0, progress: Progress | None = None
) -> tuple[float, float, bool, NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and the greatest ρ over forms of norm 1, whether the latter is exact, and both forms (S, A)."""
    if mdp.states > MOST_STATES:
        raise ValueError(
            f"constants are searched for up to {MOST_STATES} states, the MDP has {mdp.states:,}; the range metric has "
            "1 and 2 in every MDP"
        )
    if mdp.actions == 1:
        raise ValueError("an MDP with one action has one policy: there is nothing to choose and nothing to bound")
    rng = checks.generator(seed)
    geometry = Geometry(mdp, method)
    total = 2 * STARTS
    starts = [_unit(geometry.form(rng.normal(size=(mdp.states, mdp.actions)))) for _ in range(STARTS - 1)]
    if method == "minimal":  # a random vector is no form; differences of occupancies are
        starts = [_unit(geometry.range(y)[1]) for y in starts]
    diameter, widest, exact = _diameter(geometry, starts, progress, total)
    width, narrowest = _width(geometry, [_rarest(geometry), *starts], progress, total)
    return width, diameter, exact, narrowest, widest


def _diameter(
    geometry: Geometry, starts: list[NDArray[np.float64]], progress: Progress | None, total: int
) -> tuple[float, NDArray[np.float64], bool]:
    """Return max |g(x − x′)|: over all pairs of policies where they are few, else by fixed points of y ← g/|g|."""
    mdp = geometry.mdp
    if mdp.actions ** min(mdp.states, 60) <= ENUMERATED:
        points = np.array([geometry.form(x).ravel() for x in _occupancies(mdp)])
        squares = np.sum(points**2, axis=1)
        apart = squares[:, None] + squares - 2 * points @ points.T
        i, j = np.unravel_index(np.argmax(apart), apart.shape)
        far = points[i] - points[j]
        return float(np.linalg.norm(far)), _unit(far).reshape(mdp.states, mdp.actions), True
    best, widest = 0.0, starts[0]
    for k, y in enumerate(starts):
        near, last = None, 0.0
        for _ in range(STEPS):  # ρ(y) ≤ |g| ≤ ρ(g/|g|): it only rises
            value, g, near = geometry.range(y, near)
            y = _unit(g)
            if value <= last * (1 + 1e-12):
                break
            last = value
        if last > best:
            best, widest = last, y
        if progress is not None:
            progress.update(k, total, "diameter")
    return best, widest, False


def _occupancies(mdp: MDP) -> list[NDArray[np.float64]]:
    """Return the occupancy (S, A) of every deterministic policy."""
    dense, found = mdp.dense(), []
    states = np.arange(mdp.states)
    for code in range(mdp.actions**mdp.states):
        policy = code // mdp.actions**states % mdp.actions
        visits = np.linalg.solve(np.eye(mdp.states) - mdp.discount * dense[states, policy].T, mdp.start)
        x = np.zeros((mdp.states, mdp.actions))
        x[states, policy] = visits
        found.append(x)
    return found


def _rarest(geometry: Geometry) -> NDArray[np.float64]:
    """Return a form on the state which even its keenest visitor hardly visits: a narrow one to begin with."""
    mdp = geometry.mdp
    most = np.empty(mdp.states)
    for s in range(mdp.states):
        r = np.zeros((mdp.states, mdp.actions))
        r[s] = 1.0
        most[s] = best_policy(mdp, r).value
    y = np.zeros((mdp.states, mdp.actions))
    y[np.argmin(most)] = np.where(np.arange(mdp.actions) % 2 == 0, 1.0, -1.0)
    if geometry.method == "val":
        return _unit(geometry.form(y))
    return _unit(geometry.range(geometry.reward(y))[1])


def _width(
    geometry: Geometry, starts: list[NDArray[np.float64]], progress: Progress | None, total: int
) -> tuple[float, NDArray[np.float64]]:
    """Return the least ρ on the sphere that subgradient steps of falling length find from several starts."""
    best, narrowest = np.inf, starts[0]
    for k, y in enumerate(starts):
        near, lowest, since = None, np.inf, 0
        step = 0.5
        kept = y
        for _ in range(STEPS):
            value, g, near = geometry.range(y, near)
            if value < lowest * (1 - 1e-9):
                lowest, kept, since = value, y, 0
            else:
                since += 1
                if since == 3:
                    y, since, step = kept, 0, step / 3
                    value, g, near = geometry.range(y, near)
            if step < 1e-5:
                break
            along = g - np.sum(g * y) * y
            length = np.linalg.norm(along)
            if not length > 1e-9 * np.linalg.norm(g):
                break  # a stationary point; what is left is rounding, and no form
            y = _unit(y - step * along / length)
        if lowest < best:
            best, narrowest = lowest, kept
        if progress is not None:
            progress.update(len(starts) + k, total, "width")
    return float(best), narrowest


def _unit(y: NDArray[np.float64]) -> NDArray[np.float64]:
    size = np.linalg.norm(y)
    return y / size if size > 0 else y
