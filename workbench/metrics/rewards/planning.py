"""The best policy of a reward, exactly: value sweeps to come near, then policies evaluated by a factorisation.

Everything here maximises; the least return of r is minus the greatest of −r.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg.lapack import dgetrf, dgetrs
from scipy.sparse.linalg import splu

from workbench.metrics.rewards.mdp import MDP
from workbench.progress import Progress

DENSE = 250
"""Up to so many states a policy is evaluated by a dense factorisation."""
MOST_ROUNDS = 400
INNER = 8
NEAR = 1e-9
MOST_POLICIES = 1000
TIE = 16 * np.finfo(float).eps


@dataclass(frozen=True, eq=False)
class Best:
    """A best policy (S,) of a reward, its values (S,), the discounted visits (S,) of every state, and its return."""

    policy: NDArray[np.int64]
    values: NDArray[np.float64]
    visits: NDArray[np.float64]
    value: float

    def returns(self, r: NDArray[np.float64]) -> float:
        """Return what the policy earns under another expected reward (S, A)."""
        return float(self.visits @ r[np.arange(len(self.policy)), self.policy])

    def occupancy(self, actions: int) -> NDArray[np.float64]:
        """Return x(s, a), the discounted visits (S, A)."""
        found = np.zeros((len(self.policy), actions))
        found[np.arange(len(self.policy)), self.policy] = self.visits
        return found


@njit(cache=True, nogil=True)
def _sweep(starts, columns, chances, r, discount, values, policy, rounds, inner, near):
    """Improve values (S,) and policy (S,) in place, Gauss–Seidel, to and fro; returns the largest change at last."""
    states = values.size
    actions = r.size // states
    change = np.inf
    for turn in range(rounds):
        change = 0.0
        for k in range(states):
            s = k if turn % 2 == 0 else states - 1 - k
            best = -np.inf
            for a in range(actions):
                row = s * actions + a
                q = 0.0
                for e in range(starts[row], starts[row + 1]):
                    q += chances[e] * values[columns[e]]
                q = r[row] + discount * q
                if q > best:
                    best = q
                    policy[s] = a
            change = max(change, abs(best - values[s]))
            values[s] = best
        if change <= near:
            break
        for step in range(inner):
            for k in range(states):
                s = k if step % 2 == 0 else states - 1 - k
                row = s * actions + policy[s]
                q = 0.0
                for e in range(starts[row], starts[row + 1]):
                    q += chances[e] * values[columns[e]]
                values[s] = r[row] + discount * q
    return change


@njit(cache=True, nogil=True)
def _greedy(starts, columns, chances, r, discount, values, policy, tie):
    """Change the policy (S,) in place where another action is better by more than ``tie``; returns how often."""
    states = values.size
    actions = r.size // states
    changed = 0
    for s in range(states):
        best, own, chosen = -np.inf, 0.0, 0
        for a in range(actions):
            row = s * actions + a
            q = 0.0
            for e in range(starts[row], starts[row + 1]):
                q += chances[e] * values[columns[e]]
            q = r[row] + discount * q
            if a == policy[s]:
                own = q
            if q > best:
                best, chosen = q, a
        if best > own + tie:
            policy[s] = chosen
            changed += 1
    return changed


class _Factored:
    """I − γ T for one policy, factored; solves it and its transpose.

    Small systems go to LAPACK directly: SciPy's own checks would take longer than the factorisation.
    """

    def __init__(self, mdp: MDP, policy: NDArray[np.int64]) -> None:
        states = np.arange(mdp.states)
        self._dense = mdp.states <= DENSE
        if self._dense:
            table = mdp.small
            chosen = mdp.table[states * mdp.actions + policy].toarray() if table is None else table[states, policy]
            self._lu, self._pivots, failed = dgetrf(np.eye(mdp.states) - mdp.discount * chosen, overwrite_a=True)
            if failed:
                raise ValueError("I − γ T could not be factored; is the discount too near to 1 for double precision?")
        else:
            chosen = mdp.table[states * mdp.actions + policy]
            matrix = sparse.eye_array(mdp.states, format="csc") - mdp.discount * chosen.tocsc()
            self._lu = splu(sparse.csc_matrix(matrix))

    def solve(self, b: NDArray[np.float64], *, transposed: bool = False) -> NDArray[np.float64]:
        if self._dense:
            return dgetrs(self._lu, self._pivots, b, trans=int(transposed))[0]
        return self._lu.solve(b, trans="T" if transposed else "N")


def best_policy(
    mdp: MDP, r: NDArray[np.float64], near: NDArray[np.float64] | None = None, progress: Progress | None = None
) -> Best:
    """Return a policy of greatest return for an expected reward (S, A).

    ``near`` (S,) are values to begin with, e.g. those of a reward nearby. Policy iteration with sweeps of modified
    value iteration in between; an action is changed only if it gains more than rounding can. Cost: a few
    factorisations of an S × S matrix (0.1 s each for a grid of 10⁴ states) and some hundred sweeps of 0.3 ms.
    """
    table, flat = mdp.table, np.ascontiguousarray(r, dtype=float).ravel()
    arrays = (table.indptr, table.indices, table.data, flat, mdp.discount)
    values = np.zeros(mdp.states) if near is None else near.copy()
    policy = np.zeros(mdp.states, dtype=np.int64)
    size = float(np.abs(flat).max())
    if size > 0:
        _sweep(*arrays, values, policy, MOST_ROUNDS, INNER, NEAR * size)
    for _ in range(MOST_POLICIES):
        if progress is not None:
            progress.update(0, 1)
        factored = _Factored(mdp, policy)
        values = factored.solve(flat[np.arange(mdp.states) * mdp.actions + policy])
        tie = TIE / (1 - mdp.discount) * max(size, float(np.abs(values).max()))
        if not _greedy(*arrays, values, policy, tie):
            break
        # The policy has changed: sweep from its predecessor's values, which only rise, and evaluate again.
        _sweep(*arrays, values, policy, INNER, INNER, NEAR * size * (1 - mdp.discount))
    visits = np.maximum(factored.solve(mdp.start, transposed=True), 0.0)
    return Best(policy, values, visits, float(mdp.start @ values))


def policy_values(mdp: MDP, r: NDArray[np.float64], policy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return V(s) (S,) of a policy of probabilities (S, A) for an expected reward (S, A)."""
    weights = sparse.csr_array(
        (policy.ravel(), np.arange(policy.size), np.arange(0, policy.size + 1, mdp.actions)),
        shape=(mdp.states, policy.size),
    )
    system = sparse.eye_array(mdp.states, format="csr") - mdp.discount * (weights @ mdp.table)
    right = np.sum(policy * r, axis=1)
    if mdp.states <= DENSE:
        return np.linalg.solve(system.toarray(), right)
    return splu(sparse.csc_matrix(system)).solve(right)


@dataclass(frozen=True, eq=False)
class Extremes:
    """A best and a worst policy of one reward, and their distance."""

    best: Best
    worst: Best
    """Found as the best of −r: its ``values`` are those of −r, its ``value`` is minus the least return."""

    @property
    def range(self) -> float:
        """max J − min J."""
        return max(self.best.value + self.worst.value, 0.0)

    def gap(self, r: NDArray[np.float64]) -> float:
        """Return what the first earns above the second under another expected reward (S, A)."""
        return self.best.returns(r) - self.worst.returns(r)


def extremes(
    mdp: MDP, r: NDArray[np.float64], near: Extremes | None = None, progress: Progress | None = None
) -> Extremes:
    """Return a best and a worst policy of an expected reward (S, A); ``near`` is the answer for a reward nearby."""
    first, second = (None, None) if near is None else (near.best.values, near.worst.values)
    return Extremes(best_policy(mdp, r, first, progress), best_policy(mdp, -r, second, progress))


def is_trivial(mdp: MDP, r: NDArray[np.float64], found: float) -> bool:
    """Return whether a range is 0 but for rounding: all policies earn the same."""
    return found <= TRIVIAL * float(np.abs(r).max(initial=0.0)) / (1 - mdp.discount)


TRIVIAL = 1e-9
