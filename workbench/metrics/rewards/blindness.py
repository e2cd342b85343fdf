"""The pair of rewards that fools a distance: it calls them nearly equal, and the worst-case regret does not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import checks
from workbench.metrics.rewards.bounds import Geometry, width_and_diameter
from workbench.metrics.rewards.mdp import MDP
from workbench.metrics.rewards.planning import extremes, is_trivial
from workbench.metrics.rewards.regret import Regret, regret_of
from workbench.metrics.rewards.reward import Reward, as_reward, redistribution
from workbench.metrics.rewards.yardsticks import REWARD_DISTANCES, minimal, unit_form, val
from workbench.progress import Progress

LEAST_SIZE, MOST_SIZE = 1e-9, 0.5
MET, MOST_TRIES, FARTHEST = 1e-9, 100, 1e9
CLIMBS, CLIMBERS, CANDIDATES = 16, 3, 40
LEAST_STEP = 0.03


@dataclass(frozen=True, eq=False)
class Fooled:
    """Two rewards, their distance ``seen`` by the method, and the worst-case regret between them."""

    method: str
    r1: Reward
    r2: Reward
    seen: float
    regret: Regret
    how: str
    """How the pair was made, in words."""


def fool(
    mdp: MDP,
    method: str,
    size: float = 0.05,
    *,
    reward: Any = None,
    seed: int | np.random.Generator = 0,
    progress: Progress | None = None,
) -> Fooled:
    """Return a pair of rewards at distance ``size`` (at most ½) by ``method`` with as large a regret as is found.

    EPIC, DARD and raw L²: B ± a large redistribution D, which no policy notices: R₁ = D + ε B, R₂ = D − ε B order all
    policies in opposite ways (W = 1) while the distance is of the order of ε. Range, VAL and Minimal: from ``reward``
    (or, left out, for L² from the narrowest direction of the occupancies) an ascent over the directions in which R₂ may
    lie at that distance; the regret is piecewise linear in R₂, and its slopes are differences of occupancies.

    ``reward`` is B, or R₁, and must not be trivial. Raises ``ValueError`` where it is, and for an MDP in which nothing
    can be fooled (one state for EPIC and DARD, one action for all). About 90 evaluations of the regret for an ascent.

    >>> mdp = MDP([[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.1, 0.9]]], 0.9)
    >>> pair = fool(mdp, "epic", 0.01)
    >>> round(pair.seen, 6), round(pair.regret.value, 9)
    (0.01, 1.0)
    """
    checks.choice("reward distance", method, REWARD_DISTANCES)
    size = checks.real("size", size, minimum=LEAST_SIZE, maximum=MOST_SIZE)
    rng = checks.generator(seed)
    if mdp.actions == 1:
        raise ValueError("an MDP with one action has one policy; no two rewards order policies differently")
    base = None if reward is None else as_reward("reward", reward, mdp)
    if base is not None and _is_trivial(mdp, base):
        raise ValueError("reward is trivial: all policies earn the same under it; give one that tells them apart")
    if REWARD_DISTANCES[method].fact("starc"):
        return _climbed(mdp, method, size, base, rng, progress)
    return _hidden(mdp, method, size, base, rng)


def _is_trivial(mdp: MDP, reward: Reward) -> bool:
    r = reward.expected(mdp)
    return is_trivial(mdp, r, extremes(mdp, r).range)


def _hidden(mdp: MDP, method: str, size: float, base: Reward | None, rng: np.random.Generator) -> Fooled:
    hidden = redistribution(mdp, rng)
    if base is None:
        base = Reward(rng.normal(size=(mdp.states, mdp.actions)), np.zeros(mdp.states))
        if _is_trivial(mdp, base):  # e.g. no state with a choice can be reached
            raise ValueError("all policies earn the same in this MDP; no reward tells them apart")
    distance = REWARD_DISTANCES[method]

    def pair(share: float) -> tuple[Reward, Reward]:
        return hidden.plus(base, share), hidden.plus(base, -share)

    share = _at_distance(lambda e: distance(mdp, *pair(e)), size, size * hidden.norm() / base.norm())
    if share is None:
        raise ValueError(f"no pair of rewards at the distance {size:g} was found; ask for another")
    r1, r2 = pair(share)
    found = regret_of(mdp, r1.expected(mdp), r2.expected(mdp))
    return Fooled(method, r1, r2, float(distance(mdp, r1, r2)), found, "a redistribution D ± a small reward")


def _at_distance(distance: Callable[[float], float], size: float, start: float) -> float | None:
    """Return t > 0 with a distance of ``size``, which grows with t, and nearly as t where t is small; None if none."""
    low, high, t = 0.0, np.inf, start
    for _ in range(MOST_TRIES):
        found = distance(t)
        if abs(found - size) <= MET * size:
            return t
        low, high = (t, high) if found < size else (low, t)
        t = t * min(size / found, 10.0) if found > 0 else 10 * t
        if not low < t < high:
            t = float(np.sqrt(low * high)) if low > 0 and np.isfinite(high) else 10 * low or high / 10
        if not t < FARTHEST * start:
            break  # the distance stays below: both lie on one ray
    return None


# ---- sound distances: ascent --------------------------------------------------------------------------------


def _climbed(
    mdp: MDP, method: str, size: float, base: Reward | None, rng: np.random.Generator, progress: Progress | None
) -> Fooled:
    sphere = _RangeSphere(mdp) if method == "range" else _FormSphere(mdp, method)
    first, candidates = sphere.start(base, rng)
    directions = [sphere.across(y, first) for y in candidates]
    directions = [y for y in directions if np.linalg.norm(y) > 0]
    reward = sphere.reward(first)
    best: tuple[float, NDArray, Regret] | None = None
    done, total = 0, len(directions) + CLIMBERS * CLIMBS

    def regret(direction: NDArray[np.float64]) -> tuple[NDArray[np.float64], Regret]:
        nonlocal done
        done += 1
        if progress is not None:
            progress.update(min(done, total), total, "a pair that fools it")
        other = sphere.away(first, direction, size)
        return other, regret_of(mdp, reward, sphere.reward(other))

    # There are many hills: look at all, climb the highest.
    height = [regret(direction)[1].value for direction in directions]
    for k in np.argsort(height)[::-1][:CLIMBERS]:
        value, found, step = -1.0, None, 1.0
        trial = directions[k]
        for _ in range(CLIMBS):
            other, tried = regret(trial)
            if tried.value > value * (1 + 1e-9):
                value, found, kept = tried.value, tried, trial
                if best is None or value > best[0]:
                    best = value, other, tried
            else:
                step /= 2
            if step < LEAST_STEP or found is None:
                break
            # ∂W/∂r₂ = −λ (x₁ − x₂)/ρ(R₁), for the pair of the optimum
            slope = sphere.across(sphere.gradient(found.second - found.first), first)
            length = np.linalg.norm(slope)
            if not length > 1e-9:
                break
            trial = sphere.across(kept + step * np.linalg.norm(kept) * slope / length, first)
    if best is None:
        raise ValueError("no two rewards of this MDP order its policies differently")
    r1, r2 = sphere.whole(first), sphere.whole(best[1])
    seen = float(REWARD_DISTANCES[method](mdp, r1, r2))
    return Fooled(method, r1, r2, seen, best[2], "an ascent of the regret at this distance")


class _FormSphere:
    """Canonical forms of norm 1 as coordinates y (S, A): R₂ = cos α R₁ + sin α w lies at the distance sin(α/2)."""

    def __init__(self, mdp: MDP, method: str) -> None:
        self.mdp, self.method = mdp, method
        self.geometry = Geometry(mdp, method)

    def reward(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.geometry.reward(y)

    def gradient(self, moved: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.geometry.form(moved)

    def across(self, y: NDArray[np.float64], first: NDArray[np.float64]) -> NDArray[np.float64]:
        across = y - np.sum(y * first) * first
        size = np.linalg.norm(across)
        return across / size if size > 1e-9 else np.zeros_like(y)

    def away(self, first: NDArray[np.float64], direction: NDArray[np.float64], size: float) -> NDArray[np.float64]:
        angle = 2 * np.arcsin(size)
        return np.cos(angle) * first + np.sin(angle) * direction

    def start(self, base: Reward | None, rng: np.random.Generator) -> tuple[NDArray, list[NDArray]]:
        if base is None:
            part, kept = self.mdp.reachable_part()
            _, _, _, narrow, wide = width_and_diameter(part, self.method, seed=rng)
            whole = [np.zeros((self.mdp.states, self.mdp.actions)) for _ in range(2)]
            for y, values in zip(whole, (narrow, wide), strict=True):
                y[kept] = values
            return whole[0], [whole[1], *self._random(rng)]
        return self._coordinates(base), self._random(rng)

    def _coordinates(self, base: Reward) -> NDArray[np.float64]:
        form = (val if self.method == "val" else minimal)(self.mdp, base)
        r = unit_form(self.mdp, form, base).expected(self.mdp)
        y = r * self.geometry.weight
        return y / np.linalg.norm(y)

    def _random(self, rng: np.random.Generator) -> list[NDArray[np.float64]]:
        shape = (self.mdp.states, self.mdp.actions)
        return [self.geometry.range(rng.normal(size=shape))[1] for _ in range(CANDIDATES)]

    def whole(self, y: NDArray[np.float64]) -> Reward:
        """Return the reward of a form; r(s, a) of a minimal form has that form again."""
        return Reward(self.reward(y), np.zeros(self.mdp.states))


class _RangeSphere:
    """Expected rewards of range 1: R₂ = R₁ + t B, t found so that the distance is as asked."""

    def __init__(self, mdp: MDP) -> None:
        self.mdp = mdp

    def reward(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        return y

    gradient = reward

    def across(self, y: NDArray[np.float64], first: NDArray[np.float64]) -> NDArray[np.float64]:
        found = extremes(self.mdp, y).range
        return np.zeros_like(y) if is_trivial(self.mdp, y, found) else y / found

    def away(self, first: NDArray[np.float64], direction: NDArray[np.float64], size: float) -> NDArray[np.float64]:
        def distance(t: float) -> float:
            second = self.across(first + t * direction, first)
            return 0.5 * extremes(self.mdp, first - second).range

        share = _at_distance(distance, size, size)
        return first if share is None else self.across(first + share * direction, first)

    def start(self, base: Reward | None, rng: np.random.Generator) -> tuple[NDArray, list[NDArray]]:
        shape = (self.mdp.states, self.mdp.actions)
        first = rng.normal(size=shape) if base is None else base.expected(self.mdp)
        candidates: Iterator[NDArray] = (rng.normal(size=shape) for _ in range(CANDIDATES // 4))
        ahead = val(self.mdp, Reward(first, np.zeros(self.mdp.states))).own
        return self.across(first, first), [*candidates, ahead.max(axis=1, keepdims=True) - ahead]

    def whole(self, y: NDArray[np.float64]) -> Reward:
        return Reward(y, np.zeros(self.mdp.states))
