"""An MDP with its rewards from a file of the user's own: an NPZ of tables or of lists, or Gymnasium's table as JSON."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from workbench import checks, isolated
from workbench.clouds import foreign
from workbench.clouds.arrays import read_members
from workbench.clouds.source import bytes_of
from workbench.metrics.rewards.gymnasium_table import GRAMMAR, Transitions, mdp_of, read_json
from workbench.metrics.rewards.mdp import MDP, MOST_ACTIONS, MOST_STATES
from workbench.metrics.rewards.reward import Reward, as_reward
from workbench.progress import Progress

DEFAULT_LIMIT = 64 * 2**20
ASSUMED = 0.95
"""The discount of a file that says none."""
LISTED = ("state", "action", "next_state", "probability")
TABLES, FIRST, SECOND = ("transitions", "P"), ("reward_1", "r1", "R1", "reward", "R"), ("reward_2", "r2", "R2")
OTHERS = ("discount", "gamma", "start")
WHAT = (
    "'transitions' (S, A, S) or 'P' (A, S, S), 'reward_1' and 'reward_2' (S, A) or (S, A, S), 'discount', 'start'; or "
    "lists of one length, 'state', 'action', 'next_state', 'probability', 'reward_1', 'reward_2'"
)


@dataclass(frozen=True, eq=False)
class MDPReading:
    """What a file holds: an MDP, one or two rewards, and how it was read."""

    mdp: MDP
    first: Reward
    second: Reward | None
    sentence: str


def read_mdp(
    source: str | os.PathLike[str] | BinaryIO,
    *,
    discount: float | None = None,
    max_bytes: int = DEFAULT_LIMIT,
    apart: bool = False,
    progress: Progress | None = None,
) -> MDPReading:
    """Read an MDP with one or two rewards from an NPZ archive (never unpickled) or JSON, a path or a named binary file.

    Dense: ``transitions`` (S, A, S), or ``P`` (A, S, S); ``reward_1`` and ``reward_2``, (S, A) or (S, A, S). Sparse:
    lists of one length, an entry a transition: ``state``, ``action``, ``next_state`` (counted from 0), ``probability``,
    ``reward_1``, ``reward_2``. Either may hold ``discount`` (0.95 if nobody says) and ``start``, a state or (S,).
    JSON: Gymnasium's P[s][a] = [[p, s', r, done], …] as ``json.dumps`` writes it, alone, or under ``P`` beside
    ``reward_2`` (S, A), ``discount`` and ``start`` (state 0 if it says none); what is done goes to one state more.
    ``apart`` reads a stranger's file in a process that can be ended, which ``progress`` may ask for.

    Raises ``FileNotFoundError``; ``ValueError`` for a broken archive, JSON of another grammar, arrays that do not fit
    together, names that are not known, and whatever :class:`MDP` refuses.

    >>> import io
    >>> stream = io.BytesIO()
    >>> np.savez(stream, transitions=np.full((2, 2, 2), 0.5), reward_1=np.eye(2), discount=0.9)
    >>> _ = stream.seek(0)
    >>> stream.name = "mine.npz"
    >>> read_mdp(stream).sentence
    '2 states, 2 actions, 8 transitions, γ = 0.9; one reward'
    """
    name, data = bytes_of(source, max_bytes)
    ending = Path(name).suffix.lower()
    if ending == ".json":
        return _from_json(data, name, discount, progress if apart else None, apart)
    if ending != ".npz":
        raise ValueError(f"cannot read {name!r}; give an NPZ archive (numpy.savez) with {WHAT}; or {GRAMMAR}")
    reads_apart = foreign.read_members(data, name, max_bytes, progress=progress) if apart else None
    arrays = read_members(data, name, max_bytes) if reads_apart is None else reads_apart
    known = {*LISTED, *TABLES, *FIRST, *SECOND, *OTHERS}
    unknown = sorted(set(arrays) - known)
    if unknown:
        raise ValueError(f"{name} holds the array {unknown[0]!r}, which has no meaning here; give {WHAT}")
    told = _scalar(arrays, ("discount", "gamma"), name)
    gamma, assumed = _discount(discount, told)
    start = arrays.get("start")
    if start is not None and start.ndim == 0:
        start = start.item()
    listed = all(key in arrays for key in LISTED)
    mdp, rewards = (_from_lists if listed else _from_tables)(arrays, name, gamma, start)
    if rewards[0] is None:
        raise ValueError(f"{name} holds no reward; give {WHAT}")
    return MDPReading(mdp, rewards[0], rewards[1], _sentence(mdp, assumed, rewards[1] is not None))


def _discount(asked: float | None, told: float | None) -> tuple[float, str]:
    """Return the discount that is asked for, or told by the file, or assumed, and a word where it is assumed."""
    if asked is not None:
        return asked, ""
    return (ASSUMED, " (assumed)") if told is None else (told, "")


def _sentence(mdp: MDP, assumed: str, has_two: bool) -> str:
    hidden = int((~mdp.reachable).sum())
    more = f"; {hidden} state{'s' * (hidden > 1)} that nobody can reach" if hidden else ""
    return (
        f"{mdp.states:,} states, {mdp.actions} actions, {mdp.table.nnz:,} transitions, γ = {mdp.discount:g}{assumed}; "
        f"{'two rewards' if has_two else 'one reward'}{more}"
    )


def _from_json(data: bytes, name: str, discount: float | None, progress: Progress | None, apart: bool) -> MDPReading:
    if apart:
        found = isolated.read(read_json, data, name, limits=foreign.limits(len(data)), progress=progress)
    else:
        found = read_json(data, name)
    told, start, second = (found.pop(key) for key in ("discount", "start", "reward_2"))
    transitions = Transitions(**found)
    gamma, assumed = _discount(discount, told)
    mdp, first = mdp_of(transitions, gamma, 0 if start is None else start)
    sentence = _sentence(mdp, assumed, second is not None) + "; start at state 0 (assumed)" * (start is None)
    if mdp.states > transitions.states:
        sentence += f"; a state {transitions.states} is added, where walks that are done stay"
    if second is None:
        return MDPReading(mdp, first, None, sentence)
    padded = np.zeros((mdp.states, mdp.actions))
    padded[: len(second)] = second
    return MDPReading(mdp, first, as_reward(f"'reward_2' in {name}", padded, mdp), sentence)


def _scalar(arrays: dict[str, NDArray], names: tuple[str, ...], name: str) -> float | None:
    found = next((arrays[key] for key in names if key in arrays), None)
    if found is None:
        return None
    if found.size != 1:
        raise ValueError(f"{names[0]!r} in {name} must be one number, got shape {found.shape}")
    return float(found.ravel()[0])


def _reward(arrays: dict[str, NDArray], names: tuple[str, ...]) -> NDArray | None:
    return next((arrays[key] for key in names if key in arrays), None)


def _from_tables(
    arrays: dict[str, NDArray], name: str, gamma: float, start: Any
) -> tuple[MDP, tuple[Reward | None, Reward | None]]:
    table = arrays.get("transitions")
    if table is None and "P" in arrays:
        table = arrays["P"]
        if table.ndim == 3:
            table = table.transpose(1, 0, 2)
    if table is None:
        raise ValueError(f"{name} holds {', '.join(sorted(arrays))[:100] or 'nothing'}; give {WHAT}")
    mdp = MDP(table, gamma, start)
    found = []
    for names in (FIRST, SECOND):
        given = _reward(arrays, names)
        if given is not None and "P" in arrays and given.shape == (mdp.actions, mdp.states, mdp.states):
            if mdp.actions == mdp.states:
                raise ValueError(
                    f"the rewards in {name} may be (S, A, S) or (A, S, S), as there are as many actions as states; "
                    "give 'transitions' (S, A, S) instead of 'P'"
                )
            given = given.transpose(1, 0, 2)
        found.append(None if given is None else as_reward(f"{names[0]!r} in {name}", given, mdp))
    return mdp, (found[0], found[1])


def _from_lists(
    arrays: dict[str, NDArray], name: str, gamma: float, start: Any
) -> tuple[MDP, tuple[Reward | None, Reward | None]]:
    state, action, after = (
        checks.finite_array(f"{key!r} in {name}", arrays[key], ndim=1, dtype=np.int64) for key in LISTED[:3]
    )
    probability = checks.finite_array(f"'probability' in {name}", arrays["probability"], ndim=1)
    paid = [_reward(arrays, names) for names in (FIRST, SECOND)]
    lengths = {key: len(values) for key, values in zip(LISTED, (state, action, after, probability), strict=True)}
    lengths |= {f"reward_{k + 1}": r.size for k, r in enumerate(paid) if r is not None}
    if len(set(lengths.values())) != 1:
        told = ", ".join(f"{key} {count}" for key, count in lengths.items())
        raise ValueError(f"the lists in {name} have different lengths: {told}; give one entry a transition")
    if min(state.min(), action.min(), after.min()) < 0:
        raise ValueError(f"states and actions in {name} are counted from 0; there is a negative one")
    states, actions = int(max(state.max(), after.max())) + 1, int(action.max()) + 1
    if states > MOST_STATES or actions > MOST_ACTIONS:
        raise ValueError(
            f"{name} has {states:,} states and {actions:,} actions; up to {MOST_STATES:,} and {MOST_ACTIONS:,} are "
            "taken"
        )
    shape = (states * actions, states)
    place = (state * actions + action, after)
    code = place[0] * states + after
    if len(np.unique(code)) != len(code):
        raise ValueError(f"{name} lists one (state, action, next_state) twice; join them")
    table = sparse.csr_array((probability, place), shape=shape)
    mdp = MDP([table[a::actions] for a in range(actions)], gamma, start)
    rewards = []
    for k, given in enumerate(paid):
        if given is None:
            rewards.append(None)
            continue
        values = checks.finite_array(f"'reward_{k + 1}' in {name}", given, ndim=1)
        entries = sparse.csr_array((values, place), shape=shape)
        rewards.append(as_reward(f"'reward_{k + 1}' in {name}", [entries[a::actions] for a in range(actions)], mdp))
    return mdp, (rewards[0], rewards[1])


def second_of(reading: MDPReading, living: float) -> Reward:
    """Return the second reward of a file; where it has one alone, the first with ``living`` added to every step.

    States that nobody leaves are paid nothing more.
    """
    if reading.second is not None:
        return reading.second
    cost = np.full(reading.first.shape, checks.real("living", living))
    cost[reading.mdp.absorbing] = 0.0
    return reading.first.plus(Reward(cost, np.zeros(reading.mdp.states)))
