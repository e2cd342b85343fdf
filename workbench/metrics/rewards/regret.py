"""The worst-case regret between two rewards, exactly, from below and from above."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.metrics.rewards.mdp import MDP
from workbench.metrics.rewards.planning import Extremes, extremes, is_trivial
from workbench.metrics.rewards.reward import as_reward
from workbench.progress import Progress

MET = 1e-13
"""Upper and lower end meet within this share of ρ(R₁): what rounding leaves between them."""
MOST_CUTS = 500


@dataclass(frozen=True, eq=False)
class Regret:
    """W = max { J₁(π₁) − J₁(π₂) : J₂(π₂) ≥ J₂(π₁) }/ρ(R₁), in [0, 1], and what proves it.

    ``lower`` comes from the two policies, ``upper`` from ``factor``: W ≤ ρ(R₁ − factor · R₂)/ρ(R₁).
    """

    value: float
    lower: float
    upper: float
    factor: float
    """λ ≥ 0 of the ray of R₂ that comes nearest to R₁ in the range norm."""
    first: NDArray[np.float64]
    """Discounted visits x(s, a), (S, A), of π₁, which reward 1 prefers."""
    second: NDArray[np.float64]
    """Those of π₂, which reward 2 likes at least as well."""
    returns: NDArray[np.float64]
    """(2, 2): J₁ and J₂ (rows) of π₁ and π₂ (columns)."""
    trivial: tuple[bool, bool]
    """Whether all policies earn the same under R₁, under R₂; W is then 0, or 1."""
    evaluations: int
    """How often the range norm was evaluated: two solutions of the MDP each."""
    mdp: MDP
    rewards: tuple[NDArray[np.float64], NDArray[np.float64]]
    """r₁ and r₂, (S, A)."""
    ends: tuple[Extremes, Extremes]
    """Best and worst policies of R₁, and of −R₂ (so its first is the worst for R₂)."""
    at_factor: Extremes

    @property
    def policies(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """π₁ and π₂ as probabilities (S, A); uniform where nothing is visited."""
        return policy_of(self.first), policy_of(self.second)

    def certificate(self) -> str:
        """Return a certificate in JSON, which :func:`workbench.metrics.rewards.checker.check` proves in rationals.

        Raises ``ValueError`` where a reward is trivial: then there is nothing to prove.
        """
        from workbench.metrics.rewards.certificate import certificate

        return certificate(self)


def worst_case_regret(mdp: MDP, r1: Any, r2: Any, *, progress: Progress | None = None) -> Regret:
    """Return the worst-case regret of reward 2 for whoever is paid by reward 1, as a :class:`Regret`.

    max { J₁(π₁) − J₁(π₂) : J₂(π₂) ≥ J₂(π₁) }/ρ(R₁) is a linear program over two occupancies, and by duality
    min_{λ≥0} ρ(R₁ − λ R₂)/ρ(R₁): one convex, piecewise linear function of one number. Each evaluation returns one of
    its lines, and the intersection of the last two on either side of the minimum is evaluated next until it is met. Not
    symmetric. ``r1``, ``r2`` as :func:`~workbench.metrics.rewards.reward.as_reward` takes them. arXiv 2309.15257,
    definition of soundness. About 8 evaluations, two solutions of the MDP each; 10⁴ states take a second or two.

    >>> mdp = MDP([[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.1, 0.9]]], 0.9)
    >>> found = worst_case_regret(mdp, [[0.1, 0.3], [0.5, 0.9]], [[0, -2], [1, 0.8]])
    >>> round(found.value, 12), round(found.factor, 12)
    (0.829626292772, 0.702179176755)
    """
    given = tuple(as_reward(name, r, mdp).expected(mdp) for name, r in (("r1", r1), ("r2", r2)))
    return regret_of(mdp, *given, progress=progress)


def regret_of(
    mdp: MDP, r1: NDArray[np.float64], r2: NDArray[np.float64], *, progress: Progress | None = None
) -> Regret:
    """Return :func:`worst_case_regret` for expected rewards (S, A)."""
    at_zero = extremes(mdp, r1, progress=progress)
    width = at_zero.range
    reverse = extremes(mdp, -r2, progress=progress)
    trivial = (is_trivial(mdp, r1, width), is_trivial(mdp, r2, reverse.range))
    if trivial[0]:
        return _made(mdp, r1, r2, at_zero, reverse, at_zero, 1.0, 0.0, (0.0, 0.0), trivial, 2)
    left, right, found, factor, evaluations = at_zero, reverse, at_zero, 0.0, 2
    low, high, weight = width, width, 1.0
    if not trivial[1] and left.gap(r2) > 0:
        while True:
            slopes, heights = (left.gap(r2), right.gap(r2)), (left.gap(r1), right.gap(r1))
            factor = max((heights[0] - heights[1]) / (slopes[0] - slopes[1]), 0.0)
            weight = -slopes[1] / (slopes[0] - slopes[1])
            low = weight * heights[0] + (1 - weight) * heights[1]
            found = extremes(mdp, r1 - factor * r2, found, progress)
            high, evaluations = found.range, evaluations + 1
            if progress is not None:
                progress.update(min(evaluations, 9), 10, f"cut {evaluations}")
            if high - low <= MET * width or evaluations > MOST_CUTS:
                break
            slope = found.gap(r2)
            if slope in slopes and found.gap(r1) in heights:
                break  # no new line: the rest is rounding
            left, right = (found, right) if slope > 0 else (left, found)
    bounds = min(max(low / width, 0.0), 1.0), min(high / width, 1.0)
    return _made(mdp, r1, r2, at_zero, reverse, found, weight, factor, bounds, trivial, evaluations, (left, right))


def _made(
    mdp: MDP,
    r1: NDArray[np.float64],
    r2: NDArray[np.float64],
    at_zero: Extremes,
    reverse: Extremes,
    found: Extremes,
    weight: float,
    factor: float,
    bounds: tuple[float, float],
    trivial: tuple[bool, bool],
    evaluations: int,
    pair: tuple[Extremes, Extremes] | None = None,
) -> Regret:
    left, right = pair or (at_zero, at_zero)
    first, second = (
        weight * getattr(left, side).occupancy(mdp.actions) + (1 - weight) * getattr(right, side).occupancy(mdp.actions)
        for side in ("best", "worst")
    )
    returns = np.array([[np.sum(x * r) for x in (first, second)] for r in (r1, r2)])
    low, high = bounds
    return Regret(
        value=low,
        lower=low,
        upper=max(high, low),
        factor=factor,
        first=first,
        second=second,
        returns=returns,
        trivial=trivial,
        evaluations=evaluations,
        mdp=mdp,
        rewards=(r1, r2),
        ends=(at_zero, reverse),
        at_factor=found,
    )


def policy_of(visits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the policy (S, A) of an occupancy (S, A), uniform where nothing is visited."""
    total = visits.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, visits / total, 1 / visits.shape[1])
