"""Gymnasium's table of a world, P[s][a] = [(p, s', r, done), …]: from Python, or as JSON in a file of the user's own.

The file is read with a closed grammar: P itself, or an object with ``P`` and perhaps ``reward_2``, ``discount`` and
``start``. States and actions are lists, or objects whose keys are "0", "1", … as JSON writes the keys of a dictionary.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from workbench import checks
from workbench.metrics.rewards.mdp import MDP
from workbench.metrics.rewards.reward import Reward

LARGEST_JSON = 16 * 2**20
"""Bytes of a JSON file: as Python's lists it takes about ten times as much."""
LONGEST_NUMBER = 32
KEYS = ("P", "reward_2", "discount", "gamma", "start")
GRAMMAR = (
    'Gymnasium\'s P as JSON, {"0": {"0": [[p, s\', r, done], …], …}, …} or lists in their place; or '
    '{"P": …, "reward_2": (S, A), "discount": …, "start": a state or (S,)}'
)


@dataclass(frozen=True, eq=False)
class Transitions:
    """All transitions of a table that can happen, an entry each, and how many states and actions it has."""

    state: NDArray[np.int64]
    action: NDArray[np.int64]
    after: NDArray[np.int64]
    probability: NDArray[np.float64]
    reward: NDArray[np.float64]
    done: NDArray[np.bool_]
    states: int
    actions: int


def transitions_of(table: Any) -> Transitions:
    """Return the transitions of ``env.unwrapped.P``, a mapping of mappings of lists of (p, s', r, done).

    >>> transitions_of({0: {0: [(0.5, 0, 0.0, False), (0.5, 0, 1.0, True), (0.0, 0, 0.0, False)]}}).done.tolist()
    [False, True]
    """
    if not isinstance(table, Mapping) or sorted(table) != list(range(len(table))) or not table:
        raise TypeError("a Gymnasium table is a mapping of states 0, 1, … to actions; give env.unwrapped.P")
    for s in range(len(table)):
        if not isinstance(table[s], Mapping) or sorted(table[s]) != list(range(len(table[0]))):
            raise ValueError(f"state {s} must have the actions 0 to {len(table[0]) - 1}, like state 0")
    listed = [[table[s][a] for a in range(len(table[0]))] for s in range(len(table))]
    return _gathered(listed, _of_python, "")


def mdp_of(found: Transitions, discount: float, start: int | ArrayLike = 0) -> tuple[MDP, Reward]:
    """Return the MDP of the transitions and its reward, with one absorbing state more where some transition is done.

    ``start`` is a state, or probabilities (S,) without those of the added state.
    """
    count, actions = found.states, found.actions
    ends = bool(found.done.any())
    states = count + ends
    added = np.arange(actions if ends else 0)
    rows = np.concatenate([found.state * actions + found.action, count * actions + added])
    columns = np.concatenate([np.where(found.done, count, found.after), np.full(len(added), count)])
    weights = np.concatenate([found.probability, np.ones(len(added))])
    paid = np.concatenate([found.probability * found.reward, np.zeros(len(added))])
    size = (states * actions, states)
    probabilities = sparse.csr_array((weights, (rows, columns)), shape=size)
    total = sparse.csr_array((paid, (rows, columns)), shape=size)
    probabilities.sum_duplicates()
    total.sum_duplicates()  # the same pattern, in the same order
    mean = sparse.csr_array((total.data / probabilities.data, total.indices, total.indptr), shape=size)
    mean.eliminate_zeros()
    whole: Any = start
    if not isinstance(start, (int, np.integer)):
        whole = checks.finite_array("start", start, ndim=1)
        if ends and len(whole) == count:
            whole = np.append(whole, 0.0)
    mdp = MDP([probabilities[a::actions] for a in range(actions)], discount, whole)
    return mdp, Reward(np.zeros((states, actions)), np.zeros(states), mean)


def read_json(data: bytes, name: str) -> dict[str, Any]:
    """Return what a JSON file says of a world as plain data: its transitions, and what it gives beside them.

    Runs in a process apart for a stranger's file. Raises ``ValueError`` for a larger file than 16 MiB, what is not
    strict JSON, and whatever is not in the grammar, with the place.

    >>> found = read_json(b'{"P": [[[[1.0, 0, 2.5, true]]]], "discount": 0.9}', "mine.json")
    >>> found["reward"].tolist(), found["done"].tolist(), found["discount"], found["start"]
    ([2.5], [True], 0.9, None)
    """
    document = _parsed(data, name)
    if not isinstance(document, dict) or "P" not in document:
        document = {"P": document}
    unknown = sorted(set(document) - set(KEYS))
    if unknown:
        raise ValueError(f"{name} holds {unknown[0][:40]!r} beside 'P', which has no meaning here; give {GRAMMAR}")
    if "discount" in document and "gamma" in document:
        raise ValueError(f"{name} holds both 'discount' and 'gamma'; give one of them")
    actions = None
    table = []
    for s, given in enumerate(_numbered(document["P"], f"P in {name}", "states")):
        row = _numbered(given, f"state {s} in {name}", "actions")
        actions = len(row) if actions is None else actions
        if len(row) != actions:
            raise ValueError(f"state {s} in {name} has {len(row)} actions and state 0 has {actions}; all have as many")
        table.append(row)
    found = vars(_gathered(table, _of_json, f" in {name}"))
    told = document.get("discount", document.get("gamma"))
    return found | {
        "discount": None if told is None else _number(told, f"'discount' in {name}"),
        "start": _start(document.get("start"), len(table), name),
        "reward_2": _second(document.get("reward_2"), len(table), actions, name),
    }


def _gathered(table: list[list[Any]], read: Callable[[Any, str, int], tuple], of: str) -> Transitions:
    """Return the transitions of a list (S) of lists (A) of what ``read`` makes (p, s', r, done) of."""
    state, action, kept = [], [], []
    for s, row in enumerate(table):
        for a, listed in enumerate(row):
            for entry in read(listed, f"state {s}, action {a}{of}", len(table)):
                if entry[0] > 0:
                    state.append(s)
                    action.append(a)
                    kept.append(entry)
    columns = list(zip(*kept, strict=True)) or [(), (), (), ()]
    return Transitions(
        np.array(state, np.int64),
        np.array(action, np.int64),
        np.array(columns[1], np.int64),
        np.array(columns[0], float),
        np.array(columns[2], float),
        np.array(columns[3], bool),
        len(table),
        len(table[0]),
    )


def _of_python(listed: Any, where: str, count: int) -> Iterator[tuple[float, int, float, bool]]:
    for entry in listed:
        if len(entry) != 4:
            raise ValueError(f"{where}: a transition is (p, s', r, done), got {entry!r:.60}")
        p = checks.real(f"the probability of {where}", entry[0], minimum=0, maximum=1)
        after = checks.integer(f"the next state of {where}", entry[1], minimum=0)
        _check_state(after, where, count)
        yield p, after, checks.real(f"the reward of {where}", entry[2]), bool(entry[3])


def _of_json(listed: Any, where: str, count: int) -> Iterator[tuple[float, int, float, bool]]:
    if type(listed) is not list or not listed:
        raise ValueError(f"{where} must hold a list of transitions [p, s', r, done], got {_told(listed)}")
    for entry in listed:
        if type(entry) is not list or len(entry) != 4 or type(entry[1]) is not int or type(entry[3]) is not bool:
            raise ValueError(
                f"{where}: a transition is [p, s', r, done], numbers and true or false, got {_told(entry)}"
            )
        p = _number(entry[0], f"the probability of {where}")
        if not 0 <= p <= 1:
            raise ValueError(f"the probability of {where} must be from 0 to 1, got {p:g}")
        if entry[1] < 0:
            raise ValueError(f"{where} leads to state {entry[1]}; states are counted from 0")
        _check_state(entry[1], where, count)
        yield p, entry[1], _number(entry[2], f"the reward of {where}"), entry[3]


def _check_state(after: int, where: str, count: int) -> None:
    if after >= count:
        raise ValueError(f"{where} leads to state {after}; there are {count}")


def _parsed(data: bytes, name: str) -> Any:
    if len(data) > LARGEST_JSON:
        raise ValueError(
            f"{name} has {len(data) / 2**20:.0f} MiB; JSON is read up to {LARGEST_JSON / 2**20:.0f} MiB. Give an NPZ "
            "of lists (state, action, next_state, probability, reward_1) instead"
        )

    def constant(text: str) -> float:
        raise ValueError(f"{text} is no number here")

    try:
        return json.loads(
            data.decode("utf-8"),
            parse_int=_short(int),
            parse_float=_short(float),
            parse_constant=constant,
            object_pairs_hook=_unique,
        )
    except UnicodeDecodeError:
        raise ValueError(f"{name} is not JSON: it is not UTF-8 text; give {GRAMMAR}") from None
    except RecursionError:
        raise ValueError(f"{name} is nested far deeper than a table; give {GRAMMAR}") from None
    except ValueError as error:
        raise ValueError(f"{name} is not JSON that can be read here ({str(error)[:160]}); give {GRAMMAR}") from None


def _short(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def number(text: str) -> Any:
        if len(text) > LONGEST_NUMBER:
            raise ValueError(f"a number of {len(text)} letters; up to {LONGEST_NUMBER} are read")
        return kind(text)

    return number


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f"the key {twice[:40]!r} stands twice in one object")
    return found


def _numbered(given: Any, where: str, what: str) -> list[Any]:
    """Return a list, or the entries of an object whose keys are "0", "1", … in that order."""
    if isinstance(given, dict) and given:
        wanted = {str(k) for k in range(len(given))}
        other = next((key for key in given if key not in wanted), None)
        if other is not None:
            raise ValueError(
                f'{where} must number its {len(given)} {what} "0", "1", … "{len(given) - 1}"; it has {other[:40]!r}. '
                f"Give {GRAMMAR}"
            )
        given = [given[str(k)] for k in range(len(given))]
    if not isinstance(given, list) or not given:
        raise ValueError(f"{where} must list its {what}, got {_told(given)}; give {GRAMMAR}")
    return given


def _number(given: Any, what: str) -> float:
    if type(given) not in (int, float) or not math.isfinite(given):
        raise ValueError(f"{what} must be a finite number, got {_told(given)}")
    return float(given)


def _start(given: Any, states: int, name: str) -> int | NDArray[np.float64] | None:
    if given is None or (type(given) is int and 0 <= given < states):
        return given
    if type(given) is not list or len(given) != states:
        raise ValueError(
            f"'start' in {name} must be a state from 0 to {states - 1}, or {states} probabilities, got {_told(given)}"
        )
    return np.array([_number(value, f"a probability of 'start' in {name}") for value in given])


def _second(given: Any, states: int, actions: int | None, name: str) -> NDArray[np.float64] | None:
    if given is None:
        return None
    where = f"'reward_2' in {name}"
    rows = [
        _numbered(row, f"state {s} of {where}", "actions") for s, row in enumerate(_numbered(given, where, "states"))
    ]
    if len(rows) != states or any(len(row) != actions for row in rows):
        raise ValueError(f"{where} must hold a number for each state and action, ({states}, {actions}), like P")
    return np.array([[_number(value, f"an entry of {where}") for value in row] for row in rows])


def _told(given: Any) -> str:
    """Return a value as a short text; a list or an object is named by its kind and length."""
    if isinstance(given, (list, dict)):
        return f"{'a list' if isinstance(given, list) else 'an object'} of {len(given)}"
    text = json.dumps(given)
    return text if len(text) <= 60 else f"a text of {len(given)} letters"
