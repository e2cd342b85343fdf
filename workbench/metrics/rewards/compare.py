"""Two rewards, compared: all distances, both worst-case regrets, the polygon of returns, the policies behind them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.metrics import grammar
from workbench.metrics.rewards.blindness import fool as fooled
from workbench.metrics.rewards.mdp import MDP
from workbench.metrics.rewards.polygon import Shadow, shadow_of
from workbench.metrics.rewards.regret import Regret, regret_of
from workbench.metrics.rewards.reward import Reward, as_reward, redistribution
from workbench.metrics.rewards.sight import LABELS, blind_spots, constants, invariances
from workbench.metrics.rewards.worlds import FROZEN_LAKE, GridWorld, grid_world
from workbench.metrics.rewards.yardsticks import REWARD_DISTANCES, val
from workbench.progress import Progress

MOST_SHOWN = 2500
"""Up to so many states values, policies and the polygon are part of the result."""
VERTICES = 200
MOST_CERTIFIED = 2500
"""Up to so many states the certificate of the regret is part of the result: a megabyte of text, half a second."""
SIDES = ("reward 1", "reward 2")

Parts = tuple[dict[str, tuple[Any, ...]], dict[str, tuple[Any, ...]]]


@results.experiment
def reward_distances(
    mdp: MDP, r1: Any, r2: Any, *, details: bool = False, seed: int = 0, progress: Progress | None = None
) -> xr.Dataset:
    """Compare two rewards of an MDP: every distance of :data:`REWARD_DISTANCES`, and the worst-case regret exactly.

    ``r1``, ``r2``: (S, A), (S, A, S), A sparse (S, S), or a :class:`Reward`. Returns ``distance`` (yardstick), and of
    either reward as the one that pays (side): ``regret`` with ``regret_lower`` and ``regret_upper``, the range
    ρ = max J − min J, the best and the least return, ``kept``, the least and ``kept_most`` the most that a policy which
    is best for the other reward earns, and whether it is trivial. Up to 2,500 states also the polygon of (J₁, J₂)
    (vertex) with its chord, and over (state, action) both expected rewards, their advantages, both best policies and
    the pair of the regret, and ``certificate``, the text that :func:`check_regret` proves the regret of reward 1 from
    (empty where there is none; ``uncertified`` says why). ``details`` adds the room's three questions
    (:func:`reward_blindness`) for reward 1.

    Raises ``ValueError`` for rewards that do not fit the MDP. Cost: some 30 solutions of the MDP, and as many for the
    polygon; 5 ms for 17 states, five seconds for 10⁴. arXiv 2309.15257.

    >>> mdp = MDP([[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.1, 0.9]]], 0.9)
    >>> found = reward_distances(mdp, [[0.1, 0.3], [0.5, 0.9]], [[0, -2], [1, 0.8]])
    >>> found.regret.values.round(6).tolist(), round(float(found.distance.sel(yardstick="range")), 6)
    ([0.829626, 0.921409], 0.532504)
    """
    progress = progress or Progress()
    first, second = as_reward("r1", r1, mdp), as_reward("r2", r2, mdp)
    parts = compared(mdp, first, second, progress)
    if details:
        progress.publish(results.unfinished(results.dataset(*parts), REST))
        parts = _joined(parts, _sight(mdp, first, parts, seed=seed, progress=progress))
    return results.dataset(*parts)


REST = "what moves each yardstick, what fools it, and its constants"


@results.experiment
def grid_rewards(
    tiles: Sequence[str] = FROZEN_LAKE,
    reward_1: ArrayLike | None = None,
    reward_2: ArrayLike | None = None,
    *,
    living: float = -0.04,
    mix: float = 0.0,
    shaping: float = 0.0,
    redistributed: float = 0.0,
    fool: str = "",
    size: float = 0.05,
    slip: float = 2 / 3,
    discount: float = 0.95,
    details: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compare two rewards painted on a grid: what :func:`reward_distances` returns, and maps of the world.

    ``tiles`` are rows of letters (:func:`grid_world`), ``reward_1`` and ``reward_2`` (rows, columns) what stepping on a
    cell pays (left out: 1 on the goal). Reward 2 is then (1 − ``mix``) × (painted + ``living`` a step) + ``mix`` ×
    reward 1, shaped by a Gaussian potential times ``shaping`` and redistributed over s' by ``redistributed``. ``fool``
    names a distance: then both are the pair that fools it at distance ``size``, made from reward 1.

    ``progress.publish`` gets the comparison before the room's three questions are answered. Raises ``ValueError`` as
    :func:`grid_world`, for painted rewards of another shape, and for a pair asked from a trivial reward.

    >>> found = grid_rewards(details=False)
    >>> float(found.regret[0]), round(float(found.distance.sel(yardstick="epic")), 4)
    (1.0, 0.0829)
    """
    progress = progress or Progress()
    world = grid_world(tiles, slip=slip, discount=discount)
    goal = (world.tiles == "G").astype(float)
    painted = [
        goal if given is None else checks.finite_array(f"reward_{k + 1}", given, ndim=2)
        for k, given in enumerate((reward_1, reward_2))
    ]
    mix = checks.real("mix", mix, minimum=0, maximum=1)
    shaping, redistributed = checks.real("shaping", shaping), checks.real("redistributed", redistributed)
    if fool:
        checks.choice("reward distance", fool, REWARD_DISTANCES)
    rng = checks.generator(seed)
    first, second = world.reward(painted[0]), world.reward(painted[1], living)
    second = second.times(1 - mix).plus(first, mix)
    second = second.shaped(world.mdp, shaping * rng.normal(size=world.mdp.states))
    hidden = redistribution(world.mdp, rng)
    second = second.plus(hidden, redistributed) if redistributed else second
    how = ""
    if fool:
        pair = fooled(world.mdp, fool, size, reward=first, seed=rng, progress=progress)
        first, second, how = pair.r1, pair.r2, pair.how
    parts = _joined(compared(world.mdp, first, second, progress), _maps(world, painted))
    attrs = {"fooled": fool, "how": how}
    if details:
        progress.publish(results.unfinished(results.dataset(*parts, attrs), REST))
        parts = _joined(parts, _sight(world.mdp, first, parts, size=size, seed=seed, progress=progress))
    return results.dataset(*parts, attrs)


def _joined(*parts: Parts) -> Parts:
    variables: dict[str, tuple[Any, ...]] = {}
    coordinates: dict[str, tuple[Any, ...]] = {}
    for more, axes in parts:
        variables |= more
        coordinates |= axes
    return variables, coordinates


def _sight(
    mdp: MDP, first: Reward, parts: Parts, *, size: float = 0.05, seed: int = 0, progress: Progress | None = None
) -> Parts:
    """Return the three answers; of a trivial reward there is only the last."""
    if mdp.actions == 1:
        return {}, {}
    found = [constants(mdp, seed=seed, progress=progress)]
    if not parts[0]["trivial"][1][0]:
        found.append(invariances(mdp, first, seed=seed, progress=progress))
        found.append(blind_spots(mdp, first, size=size, seed=seed, progress=progress))
    return grammar.joined(*found)


def compared(mdp: MDP, first: Reward, second: Reward, progress: Progress) -> Parts:
    """Return variables and coordinates of :func:`reward_distances`."""
    r1, r2 = first.expected(mdp), second.expected(mdp)
    progress.update(0, 10, "the worst-case regrets")
    regrets = (regret_of(mdp, r1, r2, progress=progress), regret_of(mdp, r2, r1, progress=progress))
    distances = []
    for k, (name, entry) in enumerate(REWARD_DISTANCES.items()):
        progress.update(4 + k, 10, entry.label)
        distances.append(REWARD_DISTANCES[name](mdp, first, second))
    side, one = ("side",), ("yardstick",)
    ends = [found.ends[0] for found in regrets]
    best = np.array([found.best.value for found in ends])
    variables: dict[str, tuple[Any, ...]] = {
        "distance": (one, np.array(distances), "distance of the two rewards"),
        "yardstick_label": (one, np.array(list(LABELS.values())), "the yardstick's label"),
        "regret": (side, np.array([found.value for found in regrets]), "worst-case regret of the other reward"),
        "regret_lower": (side, np.array([found.lower for found in regrets]), "lower end, from two policies"),
        "regret_upper": (side, np.array([found.upper for found in regrets]), "upper end, from the factor"),
        "factor": (side, np.array([found.factor for found in regrets]), "λ: the multiple of the other that is nearest"),
        "evaluations": (side, np.array([found.evaluations for found in regrets]), "evaluations of the range norm"),
        "range": (side, np.array([found.range for found in ends]), "ρ = max J − min J"),
        "best": (side, best, "greatest return"),
        "least": (side, np.array([0.0 - found.worst.value for found in ends]), "least return"),
        "trivial": (side, np.array([found.trivial[0] for found in regrets]), "whether all policies earn the same"),
        "pair_return": (("side", "policy"), regrets[0].returns, "return of the pair of the regret of reward 1"),
    }
    coordinates: dict[str, tuple[Any, ...]] = {
        "yardstick": (one, np.array(list(REWARD_DISTANCES)), "yardstick"),
        "side": (side, np.array(SIDES), "the reward that pays"),
        "policy": (("policy",), np.array(["preferred by reward 1", "preferred by reward 2"]), "policy of the pair"),
    }
    if mdp.states <= MOST_SHOWN:
        found = shadow_of(mdp, r1, r2, most=VERTICES, progress=progress)
        shown = _polygon(found), _by_state(mdp, first, second, regrets[0])
        variables, coordinates = _joined((variables, coordinates), *shown)
        kept, most = _kept(found)
    else:
        other = [regrets[1].ends[0].best.returns(r1), regrets[0].ends[0].best.returns(r2)]
        kept = most = np.array(other)
    variables |= _certificate(regrets[0])
    variables["kept"] = (side, kept, "least that a best policy of the other reward earns")
    variables["kept_most"] = (side, most, "most that a best policy of the other reward earns")
    return variables, coordinates


def _certificate(found: Regret) -> dict[str, tuple[Any, ...]]:
    text = why = ""
    if found.mdp.states > MOST_CERTIFIED:
        why = f"worlds of up to {MOST_CERTIFIED:,} states have one here; worst_case_regret(…).certificate() does more"
    else:
        try:
            text = found.certificate()
        except ValueError as error:
            why = str(error)
    return {
        "certificate": ((), text, "certificate of the regret of the other reward for reward 1, in JSON"),
        "uncertified": ((), why, "why there is no certificate"),
    }


def _kept(found: Shadow) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what the best policies of the other reward earn, at least and at most, read off the polygon's edges."""
    least, most = np.empty(2), np.empty(2)
    for pays, orders in ((0, 1), (1, 0)):
        values = found.vertices[:, orders]
        top = values >= values.max() - 1e-10 * max(float(np.ptp(values)), 1e-300)
        least[pays], most[pays] = found.vertices[top, pays].min(), found.vertices[top, pays].max()
    return least, most


def _polygon(found: Shadow) -> Parts:
    where, ends = ("vertex",), ("end",)
    return {
        "vertex_1": (where, found.vertices[:, 0], "J₁ of a vertex of the polygon of all policies"),
        "vertex_2": (where, found.vertices[:, 1], "J₂ of a vertex of the polygon of all policies"),
        "chord_1": (ends, found.chord[:, 0], "J₁ at the ends of the chord"),
        "chord_2": (ends, found.chord[:, 1], "J₂ at the ends of the chord"),
        "complete": ((), found.is_complete, "whether every vertex was found"),
    }, {
        "vertex": (where, np.arange(len(found.vertices)), "vertex, anticlockwise"),
        "end": (ends, np.array(["preferred by reward 1", "preferred by reward 2"]), "end of the chord"),
    }


def _by_state(mdp: MDP, first: Reward, second: Reward, regret: Regret) -> Parts:
    table = ("state", "action")
    variables = {}
    for k, reward in enumerate((first, second)):
        variables |= {
            f"expected_{k + 1}": (table, reward.expected(mdp), f"expected reward {k + 1}"),
            f"advantage_{k + 1}": (
                table,
                val(mdp, reward).own,
                f"advantage of the uniform policy, reward {k + 1}",
            ),
        }
    # π is that of reward 1's best policy, and that of reward 2's: the worst policy of −R₂
    for k, best in enumerate((regret.ends[0].best, regret.ends[1].worst)):
        variables[f"best_visits_{k + 1}"] = (
            table,
            best.occupancy(mdp.actions),
            f"discounted visits of a best policy of reward {k + 1}",
        )
    for k, visits in enumerate((regret.first, regret.second)):
        variables[f"pair_visits_{k + 1}"] = (table, visits, f"discounted visits of policy {k + 1} of the regret's pair")
    coordinates = {
        "state": (("state",), np.arange(mdp.states), "state"),
        "action": (("action",), np.arange(mdp.actions), "action"),
    }
    return variables, coordinates


def _maps(world: GridWorld, painted: list[NDArray[np.float64]]) -> Parts:
    where = ("row", "column")
    return {
        "tile": (where, world.tiles, "S start, F floor, # wall, H hole, G goal"),
        "painted_1": (where, painted[0], "reward 1 for stepping on a cell"),
        "painted_2": (where, painted[1], "reward 2 for stepping on a cell, as painted"),
    }, {
        "row": (("row",), np.arange(world.tiles.shape[0]), "row of the grid"),
        "column": (("column",), np.arange(world.tiles.shape[1]), "column of the grid"),
    }
