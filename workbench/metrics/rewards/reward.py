"""A reward R(s, a, s') in compact form, the changes that leave every policy's rank alone, and its norm.

R(s, a, s') = own(s, a) + arrival(s') + entries(s, a, s'), the last a sparse matrix: closed under sums, shaping,
redistribution and all canonical forms of this package, so that 10⁴ states never need S · A · S numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from workbench import checks
from workbench.metrics.rewards.mdp import MDP, check_dense, sparse_stack
from workbench.results import Described

DENSE_NORM = 4_000_000
"""Up to so many (s, a, s') a norm sums every one; beyond, those without an entry of their own in closed form."""
CHUNK = 2_000_000
LARGEST = 1e100


@dataclass(frozen=True, eq=False)
class Reward(Described):
    """R(s, a, s') = ``own`` (S, A) + ``arrival`` (S,) of the next state + ``entries``, sparse (S · A, S) or None."""

    own: NDArray[np.float64]
    arrival: NDArray[np.float64]
    entries: sparse.csr_array | None = None

    def describe(self) -> dict[str, Any]:
        """Return what tells this reward from every other."""
        found = {"own": self.own, "arrival": self.arrival}
        if self.entries is not None:
            rows = sparse.coo_array(self.entries)
            found["entries"] = np.stack([rows.row, rows.col, rows.data])
        return found

    @property
    def shape(self) -> tuple[int, int]:
        """S and A."""
        return self.own.shape

    def expected(self, mdp: MDP) -> NDArray[np.float64]:
        """Return r(s, a) = Σ τ(s'|s, a) R(s, a, s'), (S, A)."""
        flat = self.own.ravel() + mdp.table @ self.arrival
        if self.entries is not None:
            flat = flat + np.asarray(mdp.table.multiply(self.entries).sum(axis=1)).ravel()
        return flat.reshape(self.shape)

    def plus(self, other: "Reward", factor: float = 1.0) -> "Reward":
        """Return this reward + ``factor`` × another."""
        entries = self.entries
        if other.entries is not None:
            more = other.entries * factor
            entries = more if entries is None else sparse.csr_array(entries + more)
        return Reward(self.own + factor * other.own, self.arrival + factor * other.arrival, entries)

    def times(self, factor: float) -> "Reward":
        """Return ``factor`` × this reward."""
        entries = None if self.entries is None else self.entries * factor
        return Reward(self.own * factor, self.arrival * factor, entries)

    def shaped(self, mdp: MDP, potential: ArrayLike) -> "Reward":
        """Return R(s, a, s') + γ Φ(s') − Φ(s) for a potential Φ (S,): every policy's return moves by one constant."""
        phi = checks.finite_array("potential", potential, ndim=1)
        if len(phi) != mdp.states:
            raise ValueError(f"potential has {len(phi)} values for {mdp.states} states; give one a state")
        return Reward(self.own - phi[:, None], self.arrival + mdp.discount * phi, self.entries)

    def dense(self) -> NDArray[np.float64]:
        """Return R as an array (S, A, S)."""
        states, actions = self.shape
        check_dense(states, actions, "the reward as an array (S, A, S)")
        found = self.own[:, :, None] + self.arrival
        if self.entries is not None:
            found = found + self.entries.toarray().reshape(states, actions, states)
        return found

    def norm(self) -> float:
        """Return the L² norm over all (s, a, s'), also those of probability 0."""
        states, actions = self.shape
        largest = max(np.abs(self.own).max(), np.abs(self.arrival).max())
        if self.entries is not None and self.entries.nnz:
            largest = max(largest, np.abs(self.entries.data).max())
        if largest == 0:
            return 0.0
        if states * states * actions <= DENSE_NORM:
            return float(largest * np.sqrt(sum(np.sum((part / largest) ** 2) for part in self._chunks())))
        own, arrival = self.own.ravel() / largest, self.arrival / largest
        middle = own.mean() + arrival.mean()
        # Centred, so that own and arrival of opposite signs lose no digits.
        total = states * np.sum((own - own.mean()) ** 2) + states * states * actions * middle**2
        total += states * actions * np.sum((arrival - arrival.mean()) ** 2)
        if self.entries is not None:
            rows = sparse.coo_array(self.entries)
            under = own[rows.row] + arrival[rows.col]
            total += np.sum((rows.data / largest) * (rows.data / largest + 2 * under))
        return float(largest * np.sqrt(max(total, 0.0)))

    def _chunks(self) -> Iterator[NDArray[np.float64]]:
        own = self.own.ravel()
        step = max(1, CHUNK // len(self.arrival))
        for first in range(0, len(own), step):
            part = own[first : first + step, None] + self.arrival
            if self.entries is not None:
                part = part + self.entries[first : first + step].toarray()
            yield part


def as_reward(name: str, given: Any, mdp: MDP) -> Reward:
    """Return a checked reward of ``mdp``: a :class:`Reward`, an array (S, A) or (S, A, S), or A sparse (S, S).

    What a sparse matrix does not list is 0. Raises ``ValueError`` for another shape and for numbers that are not
    finite or exceed 1e100.

    >>> mdp = MDP([[[0.5, 0.5]], [[0.0, 1.0]]], 0.9)
    >>> as_reward("r", [[1.0], [0.0]], mdp).expected(mdp).ravel().tolist()
    [1.0, 0.0]
    """
    states, actions = mdp.states, mdp.actions
    if isinstance(given, Reward):
        if given.shape != (states, actions):
            raise ValueError(f"{name} is a reward of {given.shape} states and actions; the MDP has {states, actions}")
        return given
    stacked = sparse_stack(name, given)
    if stacked is not None:
        entries, *shape = stacked
        if tuple(shape) != (states, actions):
            raise ValueError(f"{name} has {shape[1]} matrices of {shape[0]} states; the MDP has {actions}, {states}")
        found = Reward(np.zeros((states, actions)), np.zeros(states), entries)
    else:
        array = checks.finite_array(name, given, ndim=(2, 3))
        if array.shape not in ((states, actions), (states, actions, states)):
            raise ValueError(
                f"{name} has shape {array.shape}; for this MDP it must be (S, A) = {states, actions} or "
                f"(S, A, S) = {states, actions, states}"
            )
        if array.ndim == 2:
            found = Reward(array.copy(), np.zeros(states))
        else:
            check_dense(states, actions, name)
            entries = sparse.csr_array(array.reshape(states * actions, states))
            found = Reward(np.zeros((states, actions)), np.zeros(states), entries)
    values = found.own if found.entries is None else found.entries.data
    if values.size and np.abs(values).max() > LARGEST:
        raise ValueError(f"{name} holds numbers beyond {LARGEST:g}; a reward may be scaled by any positive number")
    return found


def redistribution(mdp: MDP, seed: int | np.random.Generator = 0) -> Reward:
    """Return a random D(s, a, s') with Σ τ(s'|s, a) D = 0 for every (s, a), largest entry 1.

    It lives on rows that lead to two states or more. Where all transitions are certain, on one impossible s' a row:
    what is paid there is never paid. Raises ``ValueError`` for an MDP of one state, which has none.

    >>> mdp = MDP([[[0.5, 0.5]], [[0.0, 1.0]]], 0.9)
    >>> redistribution(mdp).expected(mdp).ravel().tolist()
    [0.0, 0.0]
    """
    rng = checks.generator(seed)
    if mdp.states == 1:
        raise ValueError("an MDP of one state has no redistribution but 0: every transition leads to the same state")
    table = mdp.table
    counts = np.diff(table.indptr)
    values = rng.normal(size=table.nnz)
    rows = np.repeat(np.arange(len(counts)), counts)
    if counts.max() > 1:
        # Take the mean under τ away; where a row has one entry nothing is left.
        mean = np.bincount(rows, weights=table.data * values, minlength=len(counts))
        values = np.where(counts[rows] > 1, values - mean[rows], 0.0)
        entries = sparse.csr_array((values, table.indices.copy(), table.indptr.copy()), shape=table.shape)
    else:
        other = (table.indices + 1) % mdp.states
        entries = sparse.csr_array((values, (np.arange(len(counts)), other)), shape=table.shape)
    entries.eliminate_zeros()
    entries = entries / np.abs(entries.data).max()
    return Reward(np.zeros((mdp.states, mdp.actions)), np.zeros(mdp.states), sparse.csr_array(entries))
