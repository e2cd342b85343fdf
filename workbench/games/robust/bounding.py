"""The heart of every method: the least, over scenarios, of the best that is left to do.

A node says of each item whether it is in the plan, out of it, or free to wait until the scenario is known. Its value
V(ξ) = Σ_i base_i + max Σ_i y_i (p̄_i - base_i) - p̂_i ξ_i (y_i - r_i), with base_i = p̄_i - f_i for an item that is in, 0
for one that is out and max(p̄_i - f_i, 0) for one that is free, is the largest of finitely many affine functions of ξ:
convex. With all items decided, min V is the exact worst case of the plan; otherwise every V(ξ) bounds all plans of the
node from above. Cutting planes find the minimum: they start at the scenario of the continuous relaxation
(:mod:`.relaxation`), each scenario asked gives several recourses, each recourse one cut; the duals of the last linear
programme are the mixture of recourses that attains it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workbench.games.robust.cuts import Cuts
from workbench.games.robust.problem import Knapsack
from workbench.games.robust.recourse import best_choices, several_choices
from workbench.games.robust.relaxation import FREE as FREE
from workbench.games.robust.relaxation import IN as IN
from workbench.games.robust.relaxation import OUT as OUT
from workbench.games.robust.relaxation import bases
from workbench.games.robust.simplex import reoptimise

TOLERANCE = 1e-9  # relative: where the sandwich of a linear programme counts as closed
BLUNT = 1e-10  # relative: what a recourse may miss, and what a cut must bring
MOST_CUTS = 20_000
ROUNDS = 12  # between two looks at the clock
SEVERAL = 6  # recourses taken from one scenario
RESTARTS = 3  # of the linear programme
FAR, NEAR = 0.7, 0.15
"""Weights of the programme's scenario in turn, the rest is the best so far: keeps the scenarios from jumping, and finds
the cuts that are active at the best one where the programme has many optima."""
GOES_ON, CLOSED, BELOW, NOTHING_NEW, TROUBLE = 0, 1, 2, 3, -1


@dataclass(frozen=True)
class Bound:
    """The least value of a node: ``lower`` ≤ min V ≤ V(``scenario``) ≤ ``upper``.

    ``recourses`` has shape (m, n) with entries 0, 1 (used), 2 (repaired), ``mixture`` (m,) their weights, Σ = 1.
    """

    upper: float
    lower: float
    scenario: NDArray[np.float64]
    recourses: NDArray[np.int8]
    mixture: NDArray[np.float64]
    asked: int

    @property
    def used(self) -> NDArray[np.float64]:
        """How much of each item the mixture uses, shape (n,), between 0 and 1."""
        return self.mixture @ (self.recourses > 0)


def value_at(problem: Knapsack, state: NDArray, scenario: NDArray) -> tuple[float, NDArray[np.int8]]:
    """Return V(ξ) of a node and the recourse that attains it."""
    base = bases(problem, state)
    open_ = np.flatnonzero(state != OUT)
    profit = problem.profit[open_] - base[open_]
    gains = np.stack([profit - problem.loss[open_] * scenario[open_], profit], axis=1)
    weights = np.stack([problem.weight[open_], problem.weight[open_] + problem.repair[open_]], axis=1)
    value, chosen = best_choices(base[open_], gains, weights, problem.capacity)
    choices = np.zeros(problem.items, np.int8)
    choices[open_] = chosen
    return value, choices


@njit(cache=True, nogil=True)
def _ask(
    scenario: NDArray,
    open_: NDArray,
    gain: NDArray,
    loss: NDArray,
    weights: NDArray,
    capacity: int,
    most: int,
    blunt: float,
) -> tuple[float, NDArray, int]:
    """Return (Σ gained, choices (most, n), found) of the open items against a scenario."""
    m = open_.size
    gains, zero = np.empty((m, 2)), np.zeros(m)
    for k in range(m):
        i = open_[k]
        gains[k, 0], gains[k, 1] = gain[i] - loss[i] * scenario[i], gain[i]
    value, rows, found = several_choices(zero, gains, weights, capacity, most, blunt)
    choices = np.zeros((most, scenario.size), np.int8)
    for j in range(found):
        for k in range(m):
            choices[j, open_[k]] = rows[j, k]
    return value, choices, found


@njit(cache=True, nogil=True)
def _take(
    choices: NDArray,
    found: int,
    base: float,
    gain: NDArray,
    loss: NDArray,
    unit: float,
    point: NDArray,
    least: float,
    recourses: NDArray,
    hits: NDArray,
    level: NDArray,
    norm: NDArray,
    count: int,
) -> int:
    """Add the cuts that the point violates by more than ``least``; return the new count."""
    n = gain.size
    for j in range(found):
        height, below, length = base, point[n] * unit, 1.0
        for i in range(n):
            if choices[j, i] > 0:
                height += gain[i]
                if choices[j, i] == 1:
                    below += loss[i] * point[i]
                    length += (loss[i] / unit) ** 2
        if height - below <= least or count == level.size:
            continue
        recourses[count] = choices[j]
        for i in range(n):
            hits[count, i] = loss[i] / unit if choices[j, i] == 1 else 0.0
        level[count], norm[count] = height / unit, np.sqrt(length)
        count += 1
    return count


@njit(cache=True, nogil=True)
def _spend(scenario: NDArray, open_: NDArray, budget: float) -> None:
    """Spread what is left of the budget over the open items: to be hit harder leaves nobody more."""
    left, reach = budget, 0.0
    for i in range(scenario.size):
        left -= scenario[i]
    for i in open_:
        reach += 1.0 - scenario[i]
    if left > 0.0 and reach > 0.0:
        part = min(left / reach, 1.0)
        for i in open_:
            scenario[i] += part * (1.0 - scenario[i])


@njit(cache=True, nogil=True)
def _descend(
    open_: NDArray,
    base: float,
    gain: NDArray,
    loss: NDArray,
    weights: NDArray,
    capacity: int,
    budget: float,
    unit: float,
    inverse: NDArray,
    basis: NDArray,
    point: NDArray,
    recourses: NDArray,
    hits: NDArray,
    level: NDArray,
    norm: NDArray,
    count: int,
    best: NDArray,
    upper: float,
    brought: bool,
    stop_below: float,
    rounds: int,
    several: int,
) -> tuple[int, float, float, bool, int, int]:
    """Go some rounds of cutting planes; return (count, lower, upper, brought, asked, how it ended)."""
    n = gain.size
    lower, asked = -np.inf, 0
    query = np.empty(n)
    for turn in range(rounds):
        if reoptimise(inverse, basis, point, hits, level, norm, count, budget, 40 * n + 400) < 0:
            return count, lower, upper, brought, asked, TROUBLE
        lower = point[n] * unit
        fine = max(1.0, abs(upper))
        if upper - lower <= TOLERANCE * fine:
            return count, lower, upper, brought, asked, CLOSED
        if count + several > level.size:
            return count, lower, upper, brought, asked, GOES_ON
        mix = 1.0
        if brought:
            mix = NEAR if turn % 2 else FAR
        for i in range(n):
            query[i] = mix * min(max(point[i], 0.0), 1.0) + (1.0 - mix) * best[i]
        if brought:
            _spend(query, open_, budget)
        value, choices, found = _ask(query, open_, gain, loss, weights, capacity, several, BLUNT * fine)
        value += base + BLUNT * fine
        asked += 1
        if value < upper:
            upper = value
            best[:] = query
        if upper <= stop_below:
            return count, lower, upper, brought, asked, BELOW
        before = count
        count = _take(choices, found, base, gain, loss, unit, point, BLUNT * fine, recourses, hits, level, norm, count)
        if count == before and not brought:
            return count, lower, upper, brought, asked, NOTHING_NEW
        brought = count > before
    return count, lower, upper, brought, asked, GOES_ON


def tighten(
    cuts: Cuts,
    state: NDArray,
    *,
    start: NDArray | None = None,
    stop_below: float = -np.inf,
    report: Callable[[float, float], bool] | None = None,
) -> Bound:
    """Return the least value of a node to a relative gap of 1e-9, from the cuts there are and new ones.

    Stops early as soon as a scenario brings the value to ``stop_below`` or under it, or ``report(lower, upper)`` says
    False. The scenario of the relaxation is asked first, and ``start`` if that leaves more. The bound ``upper`` is
    valid whenever it stops.
    """
    problem, n = cuts.problem, cuts.problem.items
    state = np.asarray(state, np.int8)
    base = bases(problem, state)
    gain, total = problem.profit - base, float(base.sum())
    open_ = np.flatnonzero(state != OUT)
    weights = np.stack([problem.weight[open_], problem.weight[open_] + problem.repair[open_]], axis=1)
    asking = (open_, gain, cuts.loss, weights, problem.capacity)
    upper, best = cuts.relaxation.bound(state)
    choices, asked = np.zeros((1, n), np.int8), 0
    if upper > stop_below:
        blunt = BLUNT * max(1.0, abs(upper))
        for scenario in (best,) if start is None else (best, start):
            value, rows, found = _ask(scenario, *asking, SEVERAL, blunt)
            value += total + blunt
            asked += 1
            if asked == 1 or value < upper:
                upper, best, choices = value, np.array(scenario, np.float64), rows[:found]
            if upper <= stop_below:
                break
    lower = -np.inf
    if upper > stop_below:
        cuts.at(state)
        for scenario in (np.zeros(n), np.ones(n)):  # nobody is hit, everybody is: what is left over or repaired
            choices = np.concatenate([choices, _ask(scenario, *asking, 1, BLUNT * abs(upper))[1]])
        for row in choices:
            cuts.add(row, cuts.level_of(state, row))
        brought, ended, restarts = True, GOES_ON, 0
        while ended == GOES_ON and cuts.count < MOST_CUTS:
            cuts.room_for(ROUNDS * SEVERAL)
            cuts.count, found_lower, upper, brought, fresh, ended = _descend(
                open_, total, gain, cuts.loss, weights, problem.capacity, problem.budget, cuts.unit,
                *cuts.arrays, cuts.count, best, upper, brought, stop_below, ROUNDS, SEVERAL,
            )  # fmt: skip
            asked += fresh
            lower = max(lower, found_lower)
            if ended == TROUBLE and restarts < RESTARTS:
                cuts.restart()
                ended, restarts = GOES_ON, restarts + 1
            if report and not report(lower, upper):
                break
    mixture = cuts.mixture() if lower > -np.inf else np.zeros(0)
    keep = np.flatnonzero(mixture > 1e-12)
    if keep.size == 0:
        recourses, mixture = choices[:1], np.ones(1)
    else:
        recourses, mixture = cuts.recourses[keep], mixture[keep] / mixture[keep].sum()
    return Bound(upper, lower, best, recourses.copy(), mixture, asked)
