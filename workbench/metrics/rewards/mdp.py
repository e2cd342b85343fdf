"""A Markov decision process as a sparse table: states, actions, transition probabilities, discount, start."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse import csgraph

from workbench import checks
from workbench.results import Described

if TYPE_CHECKING:
    from workbench.metrics.rewards.reward import Reward

MOST_STATES = 200_000
MOST_ACTIONS = 1_000
MOST_ENTRIES = 20_000_000
MOST_DENSE = 100_000_000
MOST_KEPT = 1_000_000
NOT_ONE = 1e-8
"""How far the probabilities of a row may sum from 1; within it they are divided by their sum."""


class MDP(Described):
    """S states, A actions, probabilities τ(s'|s, a), a discount γ < 1 and a distribution of the start μ₀.

    ``transitions`` is an array (S, A, S), or A sparse matrices (S, S), one an action; ``start`` is a state, or
    probabilities (S,), uniform if left out. Kept as one CSR matrix ``table`` of S · A rows, row s·A + a; nothing in
    here can be written to.

    Raises ``ValueError`` for γ outside [0, 1), negative probabilities, a row that does not sum to 1 (which, and to
    what), more than 200,000 states or 20,000,000 entries.

    >>> chain = MDP([[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.1, 0.9]]], 0.9)
    >>> chain.states, chain.actions, chain.start.tolist()
    (2, 2, [0.5, 0.5])
    >>> MDP([[[0.9, 0.2]], [[0.5, 0.5]]], 0.9)
    Traceback (most recent call last):
    ...
    ValueError: the probabilities of state 0, action 0 sum to 1.1; every row of transitions must sum to 1
    """

    def __init__(self, transitions: Any, discount: float, start: int | ArrayLike | None = None) -> None:
        self.discount = discount_factor(discount)
        table, self.states, self.actions = _table(transitions)
        self.table = _normalised(table, self.actions)
        self.start = _start(start, self.states)
        for array in (self.table.data, self.table.indices, self.table.indptr, self.start):
            array.setflags(write=False)

    def describe(self) -> dict[str, Any]:
        """Return what tells this MDP from every other."""
        rows = sparse.coo_array(self.table)
        return {
            "states": self.states,
            "actions": self.actions,
            "discount": self.discount,
            "start": self.start,
            "entries": np.stack([rows.row, rows.col, rows.data]),
        }

    @cached_property
    def reachable(self) -> NDArray[np.bool_]:
        """Which states (S,) some policy visits from the start."""
        table = sparse.coo_array(self.table)
        first = np.flatnonzero(self.start)
        rows = np.concatenate([table.row // self.actions, np.full(len(first), self.states)])
        columns = np.concatenate([table.col, first])
        graph = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(self.states + 1,) * 2)
        found = np.zeros(self.states + 1, dtype=bool)
        found[csgraph.breadth_first_order(graph, self.states, return_predecessors=False)] = True
        return found[:-1]

    @cached_property
    def absorbing(self) -> NDArray[np.bool_]:
        """Which states (S,) nobody leaves."""
        rows = np.arange(self.states * self.actions)
        stays = np.asarray(self.table[rows, rows // self.actions]).ravel() == 1
        return stays.reshape(self.states, self.actions).all(axis=1)

    def action(self, a: int) -> sparse.csr_array:
        """Return the probabilities (S, S) of action a."""
        return self.table[a :: self.actions]

    def reachable_part(self) -> tuple["MDP", NDArray[np.int64]]:
        """Return the MDP of the states that can be reached, and which they are."""
        kept = np.flatnonzero(self.reachable)
        if len(kept) == self.states:
            return self, kept
        parts = [self.action(a)[kept][:, kept] for a in range(self.actions)]
        return MDP(parts, self.discount, self.start[kept]), kept

    @cached_property
    def small(self) -> NDArray[np.float64] | None:
        """The probabilities (S, A, S) as an array that is kept, where it is small; else None."""
        return self.dense() if self.states**2 * self.actions <= MOST_KEPT else None

    def dense(self) -> NDArray[np.float64]:
        """Return the probabilities (S, A, S)."""
        check_dense(self.states, self.actions, "the transitions as an array (S, A, S)")
        return self.table.toarray().reshape(self.states, self.actions, self.states)

    @classmethod
    def from_gymnasium(
        cls, table: Mapping[int, Any], discount: float = 0.95, start: int | ArrayLike = 0
    ) -> tuple["MDP", "Reward"]:
        """Return the MDP and the reward of a Gymnasium table, ``env.unwrapped.P``: P[s][a] = [(p, s', r, done), …].

        A transition that is ``done`` pays its reward and goes to one absorbing state, added last, where nothing is
        paid. Equal (s, a, s') are one entry, with the mean of their rewards weighted by probability.

        >>> table = {0: {0: [(0.5, 0, 0.0, False), (0.5, 1, 1.0, True)]}, 1: {0: [(1.0, 1, 0.0, True)]}}
        >>> mdp, reward = MDP.from_gymnasium(table, 0.9)
        >>> mdp.states, reward.expected(mdp).tolist()
        (3, [[0.5], [0.0], [0.0]])
        """
        from workbench.metrics.rewards.gymnasium_table import mdp_of, transitions_of

        return mdp_of(transitions_of(table), discount, start)


def discount_factor(value: Any) -> float:
    """Return γ, which must lie in [0, 1)."""
    discount = checks.real("discount", value, minimum=0)
    if not discount < 1:
        raise ValueError(
            f"discount must be below 1, got {discount:g}: without discounting a return need not be finite; "
            "take e.g. 0.99"
        )
    return discount


def check_dense(states: int, actions: int, what: str) -> None:
    """Refuse what would hold more than 10⁸ numbers."""
    if states * states * actions > MOST_DENSE:
        raise ValueError(
            f"{what} would hold {states * states * actions:,} numbers; up to {MOST_DENSE:,} are taken. Give sparse "
            "matrices"
        )


def sparse_stack(name: str, given: Any) -> tuple[sparse.csr_array, int, int] | None:
    """Return A sparse matrices (S, S) as one (S · A, S) with its S and A; None if ``given`` are no such matrices."""
    if sparse.issparse(given):
        raise ValueError(f"{name} is one sparse matrix; give a list of them, (S, S), one for each action")
    if not isinstance(given, Sequence) or not given or not all(sparse.issparse(one) for one in given):
        return None
    states, actions = given[0].shape[0], len(given)
    if any(one.ndim != 2 or one.shape != (states, states) for one in given):
        shapes = ", ".join(str(one.shape) for one in given[:4])
        raise ValueError(f"{name} holds sparse matrices of shapes {shapes}; all must be (S, S) with one S")
    if sum(one.nnz for one in given) > MOST_ENTRIES:
        raise ValueError(f"{name} has {sum(one.nnz for one in given):,} entries; up to {MOST_ENTRIES:,} are taken")
    rows, columns, values = [], [], []
    for a, one in enumerate(given):
        entries = sparse.coo_array(one)
        rows.append(entries.row.astype(np.int64) * actions + a)
        columns.append(entries.col)
        values.append(checks.finite_array(f"{name} of action {a}", entries.data, ndim=1, allow_empty=True))
    joined = sparse.csr_array(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(states * actions, states)
    )
    joined.sum_duplicates()
    joined.eliminate_zeros()
    return joined, states, actions


def _table(transitions: Any) -> tuple[sparse.csr_array, int, int]:
    found = sparse_stack("transitions", transitions)
    if found is None:
        array = checks.finite_array("transitions", transitions, ndim=3)
        states, actions, after = array.shape
        if states != after:
            raise ValueError(
                f"transitions has shape {array.shape}; it must be (S, A, S), the probability of each next state. A "
                "table (A, S, S) is turned by transitions.transpose(1, 0, 2)"
            )
        check_dense(states, actions, "transitions")
        found = sparse.csr_array(array.reshape(states * actions, states)), states, actions
    _, states, actions = found
    for name, count, most in (("states", states, MOST_STATES), ("actions", actions, MOST_ACTIONS)):
        if not 0 < count <= most:
            raise ValueError(f"the MDP has {count:,} {name}; from 1 to {most:,} are taken")
    return found


def _normalised(table: sparse.csr_array, actions: int) -> sparse.csr_array:
    negative = np.flatnonzero(table.data < 0)
    if len(negative):
        row = int(np.searchsorted(table.indptr, negative[0], side="right")) - 1
        raise ValueError(
            f"state {row // actions}, action {row % actions} has the probability {table.data[negative[0]]:g} for state "
            f"{table.indices[negative[0]]}; probabilities are 0 or more"
        )
    sums = np.asarray(table.sum(axis=1)).ravel()
    wrong = np.flatnonzero(~(np.abs(sums - 1) <= NOT_ONE))
    if len(wrong):
        state, action = divmod(int(wrong[0]), actions)
        more = f" ({len(wrong)} rows do not)" if len(wrong) > 1 else ""
        raise ValueError(
            f"the probabilities of state {state}, action {action} sum to {sums[wrong[0]]:.10g}; every row of "
            f"transitions must sum to 1{more}"
        )
    table = sparse.csr_array(
        (table.data / np.repeat(sums, np.diff(table.indptr)), table.indices, table.indptr), shape=table.shape
    )
    table.eliminate_zeros()
    table.sort_indices()
    return table


def _start(start: Any, states: int) -> NDArray[np.float64]:
    if start is None:
        return np.full(states, 1 / states)
    if np.ndim(start) == 0:
        first = checks.integer("start", start, minimum=0, maximum=states - 1)
        return np.eye(1, states, first)[0]
    found = checks.finite_array("start", start, ndim=1)
    if len(found) != states:
        raise ValueError(f"start has {len(found)} probabilities for {states} states; give one a state, or one state")
    if found.min() < 0 or not abs(found.sum() - 1) <= NOT_ONE:
        raise ValueError(
            f"start must be probabilities that sum to 1; they sum to {found.sum():.10g}, the least is {found.min():g}"
        )
    return found / found.sum()
