"""What each distance between rewards sees: the room's three questions, asked of an MDP and a reward."""

from typing import Any

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.metrics import grammar
from workbench.metrics.rewards.blindness import fool
from workbench.metrics.rewards.bounds import MOST_STATES, distance_constants
from workbench.metrics.rewards.mdp import MDP
from workbench.metrics.rewards.planning import extremes, is_trivial
from workbench.metrics.rewards.regret import regret_of
from workbench.metrics.rewards.reward import Reward, as_reward, redistribution
from workbench.metrics.rewards.yardsticks import REWARD_DISTANCES
from workbench.progress import Progress

LABELS = {name: entry.label for name, entry in REWARD_DISTANCES.items()}
CHANGES = {
    "scale": ("× 2.5", True),
    "constant": ("+ a constant", True),
    "shaping": ("potential shaping", True),
    "redistribution": ("redistribution over s'", True),
    "all": ("all of these", True),
    "living": ("living cost", False),
    "opposite": ("× (−1)", False),
}
"""Changes of a reward: what is done, and whether every policy keeps its rank under it."""


@results.experiment
def reward_invariances(mdp: MDP, r: Any, *, living: float = 0.04, seed: int | np.random.Generator = 0) -> xr.Dataset:
    """Measure how far each distance moves under changes of a reward, and what the worst-case regret says of them.

    Scale, constant, potential shaping and redistribution leave the order of all policies as it is; a living cost (in
    units of the largest expected reward) and the opposite reward do not. Returns the room's common form over
    (yardstick, transformation), and ``regret`` (transformation). Raises ``ValueError`` for a trivial reward.
    Cost: some twenty solutions of the MDP.

    >>> mdp = MDP([[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.1, 0.9]]], 0.9)
    >>> found = reward_invariances(mdp, [[0.1, 0.3], [0.5, 0.9]])
    >>> bool(found.invariance_change.sel(yardstick="range", transformation="shaping") < 1e-12)
    True
    """
    reward = as_reward("r", r, mdp)
    variables, coordinates = grammar.joined(invariances(mdp, reward, living=living, seed=seed))
    return results.dataset(variables, coordinates)


def invariances(
    mdp: MDP,
    reward: Reward,
    *,
    living: float = 0.04,
    seed: int | np.random.Generator = 0,
    progress: Progress | None = None,
) -> grammar.Part:
    """Return the invariances of all distances as a part of a result, with the regret of every change."""
    base = reward.expected(mdp)
    if is_trivial(mdp, base, extremes(mdp, base).range):
        raise ValueError("the reward is trivial: all policies earn the same under it, so no change matters or not")
    made = changed(mdp, reward, living, checks.generator(seed))
    moved = np.empty((len(REWARD_DISTANCES), len(made)))
    regret = np.empty(len(made))
    for column, other in enumerate(made.values()):
        for row, entry in enumerate(REWARD_DISTANCES.values()):
            moved[row, column] = entry(mdp, reward, other)
        regret[column] = regret_of(mdp, base, other.expected(mdp)).value
        if progress is not None:
            progress.update(column, len(made), "invariances")
    variables, coordinates = grammar.invariances(LABELS, {name: CHANGES[name] for name in made}, moved)
    variables["invariance_regret"] = (("transformation",), regret, "worst-case regret of the changed reward")
    return variables, coordinates


def changed(mdp: MDP, reward: Reward, living: float, rng: np.random.Generator) -> dict[str, Reward]:
    """Return the reward after each of :data:`CHANGES`; no redistribution where there is none."""
    size = float(np.abs(reward.expected(mdp)).max())
    constant = Reward(np.full(reward.shape, 3 * size), np.zeros(mdp.states))
    potential = size * rng.normal(size=mdp.states)
    made = {
        "scale": reward.times(2.5),
        "constant": reward.plus(constant),
        "shaping": reward.shaped(mdp, potential),
    }
    whole = reward.times(2.5).plus(constant).shaped(mdp, potential)
    if mdp.states > 1:
        hidden = redistribution(mdp, rng).times(size)
        made["redistribution"] = reward.plus(hidden)
        whole = whole.plus(hidden)
    made["all"] = whole
    cost = np.full(reward.shape, living * size)
    cost[mdp.absorbing] = 0.0  # who has arrived pays no more
    made["living"] = reward.plus(Reward(cost, np.zeros(mdp.states)), -1.0)
    made["opposite"] = reward.times(-1.0)
    return made


def constants(mdp: MDP, *, seed: int | np.random.Generator = 0, progress: Progress | None = None) -> grammar.Part:
    """Return the constants of all distances in an MDP, and those on the states that can be reached."""
    rng = checks.generator(seed)
    part = mdp.reachable_part()[0]
    values = np.full((len(LABELS), 4), np.nan)
    for row, name in enumerate(LABELS):
        searched = name in ("val", "minimal")
        if searched and (part.states > MOST_STATES or mdp.actions == 1):
            continue
        inside = distance_constants(part, name, seed=rng, progress=progress)
        whole = inside if part is mdp else distance_constants(mdp, name, seed=rng)
        values[row] = whole.lower, whole.upper, inside.lower, inside.upper
    axioms = {"lower": "L: W ≥ L d", "upper": "U: W ≤ U d"}
    if part is not mdp:
        axioms |= {"lower_reached": "L on reachable states", "upper_reached": "U on reachable states"}
    return grammar.constants(LABELS, axioms, values[:, : len(axioms)])


def blind_spots(
    mdp: MDP,
    reward: Reward | None = None,
    *,
    size: float = 0.05,
    seed: int | np.random.Generator = 0,
    progress: Progress | None = None,
) -> grammar.Part:
    """Return the pair that fools each distance, starting from a reward, at the distance ``size``."""
    rng = checks.generator(seed)
    seen, regrets, told = [], [], []
    for name in REWARD_DISTANCES:
        if mdp.states == 1 and not REWARD_DISTANCES[name].fact("starc"):
            seen, regrets, told = [*seen, np.nan], [*regrets, np.nan], [*told, "one state: nothing to hide"]
            continue
        pair = fool(mdp, name, size, reward=reward, seed=rng, progress=progress)
        seen.append(pair.seen)
        regrets.append(pair.regret.value)
        told.append(pair.how)
    return grammar.blind_spots(LABELS, seen, regrets, ["worst-case regret"] * len(LABELS), told)


@results.experiment
def reward_blindness(
    mdp: MDP,
    r: Any = None,
    *,
    size: float = 0.05,
    living: float = 0.04,
    seed: int | np.random.Generator = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Ask the room's three questions of every distance: what moves it, which pair fools it, with which constants.

    ``r`` is the reward to begin with, Gaussian if left out; ``size`` the distance of the pairs. Returns the common form
    over yardstick (see :mod:`workbench.metrics.grammar`): change and regret of each transformation, the fooling pairs,
    L and U. Raises ``ValueError`` for a trivial reward, or one action. Cost: thousands of solutions of the MDP, a
    second for 17 states.

    >>> mdp = MDP([[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.1, 0.9]]], 0.9)
    >>> found = reward_blindness(mdp, [[0.1, 0.3], [0.5, 0.9]])
    >>> round(float(found.blind_reference.sel(yardstick="epic")), 6), float(found.constant.sel(axiom="upper")[0])
    (1.0, 2.0)
    """
    progress = progress or Progress()
    if mdp.actions == 1:
        raise ValueError("an MDP with one action has one policy; no two rewards order policies differently")
    rng = checks.generator(seed)
    size = checks.real("size", size, minimum=1e-9, maximum=0.5)
    reward = as_reward("r", rng.normal(size=(mdp.states, mdp.actions)) if r is None else r, mdp)
    return results.dataset(
        *grammar.joined(
            invariances(mdp, reward, living=living, seed=rng, progress=progress),
            blind_spots(mdp, reward, size=size, seed=rng, progress=progress),
            constants(mdp, seed=rng, progress=progress),
        )
    )
