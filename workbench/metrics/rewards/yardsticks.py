"""Distances between rewards: canonicalise, normalise, subtract; and the range metric, which needs no canonical form.

d(R₁, R₂) = ½ ‖c(R₁)/n(c(R₁)) − c(R₂)/n(c(R₂))‖, in [0, 1], with 0/0 := 0. What differs is the canonical form c.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from workbench import checks
from workbench.metrics.rewards.mdp import MDP
from workbench.metrics.rewards.planning import DENSE, extremes, is_trivial, policy_values
from workbench.metrics.rewards.reward import Reward, as_reward
from workbench.registry import Fact, Registry

PAPER = "J. Skalse et al., STARC: A General Framework For Quantifying Differences Between Reward Functions, 2309.15257"
NOTHING = 1e-12
"""A canonical form is 0 below this share of the reward, over 1 − γ: what rounding leaves."""

REWARD_DISTANCES: Registry = Registry(
    "reward distance",
    facts={
        "starc": Fact(bool, says="whether it sees exactly what can change the order of policies"),
        "canonical": Fact(object, required=False, says="canonical form (mdp, reward, …) → Reward, of L² distances"),
    },
)


def reward_distance(method: str, mdp: MDP, r1: Any, r2: Any) -> float:
    """Return one distance of :data:`REWARD_DISTANCES` between two rewards of an MDP, in [0, 1].

    >>> mdp = MDP([[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.1, 0.9]]], 0.9)
    >>> r1, r2 = [[0.1, 0.3], [0.5, 0.9]], [[0, -2], [1, 0.8]]
    >>> round(reward_distance("range", mdp, r1, r2), 10), round(reward_distance("val", mdp, r1, r2), 10)
    (0.5325039567, 0.6260702301)
    """
    checks.choice("reward distance", method, REWARD_DISTANCES)
    return float(REWARD_DISTANCES[method](mdp, as_reward("r1", r1, mdp), as_reward("r2", r2, mdp)))


def canonical(mdp: MDP, r: Any, method: str = "minimal", **options: Any) -> Reward:
    """Return the canonical form of a reward by ``"val"``, ``"minimal"``, ``"epic"`` or ``"dard"``.

    ``options``: ``policy`` (S, A) for VAL, ``states`` (S,) and ``actions`` (A,), the distributions of EPIC, ``actions``
    for DARD; all uniform if left out. VAL's form depends on (s, a) alone.

    >>> mdp = MDP([[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.1, 0.9]]], 0.9)
    >>> canonical(mdp, [[0.1, 0.3], [0.5, 0.9]], "val").own.round(6).tolist()
    [[-0.303226, 0.303226], [-0.316129, 0.316129]]
    """
    allowed = [name for name, entry in REWARD_DISTANCES.items() if "canonical" in entry.facts]
    checks.choice("canonical form", method, allowed)
    return REWARD_DISTANCES[method].fact("canonical")(mdp, as_reward("r", r, mdp), **options)


def _between(form: Callable[..., Reward]) -> Callable[[MDP, Reward, Reward], float]:
    """Return the L² distance of normalised canonical forms."""

    def distance(mdp: MDP, r1: Reward, r2: Reward) -> float:
        first, second = (unit_form(mdp, form(mdp, r), r) for r in (r1, r2))
        return min(0.5 * first.plus(second, -1.0).norm(), 1.0)

    return distance


def unit_form(mdp: MDP, form: Reward, given: Reward) -> Reward:
    """Return a canonical form of norm 1, or 0 where it is 0 but for rounding."""
    size = form.norm()
    nothing = size <= NOTHING / (1 - mdp.discount) * given.norm()
    return form.times(0.0 if nothing else 1 / size)


# ---- canonical forms ------------------------------------------------------------------------------------------


def val(mdp: MDP, r: Reward, *, policy: ArrayLike | None = None) -> Reward:
    """Return the advantage r + γ τ V − V of a fixed policy (S, A), uniform if left out."""
    chances = np.full((mdp.states, mdp.actions), 1 / mdp.actions) if policy is None else _policy(policy, mdp)
    expected = r.expected(mdp)
    values = policy_values(mdp, expected, chances)
    ahead = (mdp.table @ values).reshape(expected.shape)
    return Reward(expected + mdp.discount * ahead - values[:, None], np.zeros(mdp.states))


def minimal(mdp: MDP, r: Reward) -> Reward:
    """Return the reward of least L² norm that differs by shaping and redistribution only, in closed form.

    c(s, a, s') = q(s, a) τ(s'|s, a)/|τ(·|s, a)|², q = r + γ τ Φ − Φ, and Φ solves one weighted least-squares problem of
    S unknowns, with weights 1/|τ(·|s, a)|².
    """
    squares = row_squares(mdp)
    step = sparse.csr_array(mdp.discount * mdp.table - _staying(mdp))
    expected = r.expected(mdp).ravel()
    solve = _normal_equations(step, squares)
    phi = -solve(step.T @ (expected / squares))
    q = expected + step @ phi
    q = q + step @ -solve(step.T @ (q / squares))  # once more: the equations square the condition
    table = mdp.table
    data = table.data * np.repeat(q / squares, np.diff(table.indptr))
    entries = sparse.csr_array((data, table.indices.copy(), table.indptr.copy()), shape=table.shape)
    return Reward(np.zeros((mdp.states, mdp.actions)), np.zeros(mdp.states), entries)


def epic(mdp: MDP, r: Reward, *, states: ArrayLike | None = None, actions: ArrayLike | None = None) -> Reward:
    """Return R + γ m(s') − m(s) − γ mean(R), m(s) = E R(s, A, S'), for distributions D_S (S,) and D_A (A,)."""
    among = _distribution("states", states, mdp.states)
    chosen = _distribution("actions", actions, mdp.actions)
    means = r.own + r.arrival @ among
    if r.entries is not None:
        means = means + (r.entries @ among).reshape(means.shape)
    m = means @ chosen
    gamma = mdp.discount
    return Reward(r.own - m[:, None] - gamma * (m @ among), r.arrival + gamma * m, r.entries)


def dard(mdp: MDP, r: Reward, *, actions: ArrayLike | None = None) -> Reward:
    """Return R + E[γ R(s', A, S'') − R(s, A, S') − γ R(S', A, S'')], S' ~ τ(s, A), S'' ~ τ(s', A), one A for all."""
    chosen = _distribution("actions", actions, mdp.actions)
    gamma = mdp.discount
    mean = r.expected(mdp) @ chosen
    before, after = np.zeros(mdp.states), np.zeros(mdp.states)
    both: Any = None
    for a in range(mdp.actions):
        move = mdp.action(a)
        before += chosen[a] * (move @ r.own[:, a])
        after += chosen[a] * (move @ r.arrival)
        if r.entries is not None:
            checks.memory(_product_bytes(mdp, r), "DARD's mean over pairs of states")
            part = chosen[a] * (move @ r.entries[a :: mdp.actions] @ move.T)
            both = part if both is None else both + part
    entries = r.entries
    if both is not None:
        repeated = sparse.csr_array(both)[np.repeat(np.arange(mdp.states), mdp.actions)]
        entries = sparse.csr_array(entries - gamma * repeated)
    return Reward(r.own - mean[:, None] - gamma * before[:, None], r.arrival + gamma * mean - gamma * after, entries)


def direct(mdp: MDP, r: Reward) -> Reward:
    """Return the reward as it is."""
    return r


def range_distance(mdp: MDP, r1: Reward, r2: Reward) -> float:
    """Return ½ ρ(R₁/ρ(R₁) − R₂/ρ(R₂)), ρ(R) = max J − min J: half of it bounds the worst-case regret from either side.

    d ≤ W ≤ 2 d in every MDP, both attained. Two to six solutions of the MDP.
    """
    parts = []
    for r in (r1.expected(mdp), r2.expected(mdp)):
        found = extremes(mdp, r).range
        parts.append(np.zeros_like(r) if is_trivial(mdp, r, found) else r / found)
    return min(0.5 * extremes(mdp, parts[0] - parts[1]).range, 1.0)


def row_squares(mdp: MDP) -> NDArray[np.float64]:
    """Return |τ(·|s, a)|² for every row (S · A,)."""
    return np.asarray(mdp.table.power(2).sum(axis=1)).ravel()


def _staying(mdp: MDP) -> sparse.csr_array:
    """Return the matrix (S · A, S) that gives every row the potential of its own state."""
    rows = mdp.states * mdp.actions
    states = np.repeat(np.arange(mdp.states), mdp.actions)
    return sparse.csr_array((np.ones(rows), states, np.arange(rows + 1)), shape=(rows, mdp.states))


def _normal_equations(step: sparse.csr_array, squares: NDArray[np.float64]) -> Callable[[NDArray], NDArray]:
    """Return a solver of Bᵀ W B Φ = b; B is injective for γ < 1, since BΦ = 0 makes |Φ| ≤ γ |Φ|."""
    system = step.T @ (step.multiply(1 / squares[:, None]))
    if step.shape[1] <= DENSE:
        dense = system.toarray()
        return lambda b: np.linalg.solve(dense, b)
    return splu(sparse.csc_matrix(system)).solve


def _product_bytes(mdp: MDP, r: Reward) -> float:
    """Bound the memory of τ R τᵀ from the entries of the rows that meet, for all actions."""
    columns = np.bincount(mdp.table.indices, minlength=mdp.states).max()
    per_row = np.diff(mdp.table.indptr).max() * np.diff(r.entries.indptr).max() * columns
    return 40.0 * mdp.states * mdp.actions * min(float(per_row), mdp.states)


def _policy(policy: ArrayLike, mdp: MDP) -> NDArray[np.float64]:
    found = checks.finite_array("policy", policy, ndim=2)
    if found.shape != (mdp.states, mdp.actions) or found.min() < 0 or not np.allclose(found.sum(axis=1), 1, atol=1e-8):
        raise ValueError(
            f"policy must hold probabilities (S, A) = {mdp.states, mdp.actions} whose rows sum to 1, got {found.shape}"
        )
    return found


def _distribution(name: str, given: ArrayLike | None, count: int) -> NDArray[np.float64]:
    if given is None:
        return np.full(count, 1 / count)
    found = checks.finite_array(name, given, ndim=1)
    if len(found) != count or found.min() < 0 or not abs(found.sum() - 1) <= 1e-8:
        raise ValueError(f"{name} must be {count} probabilities that sum to 1, got {len(found)} with {found.sum():g}")
    return found / found.sum()


REWARD_DISTANCES.add(
    "range",
    label="Range",
    formula=r"\frac{1}{2}\rho\left(\frac{R_1}{\rho(R_1)}-\frac{R_2}{\rho(R_2)}\right),\ \rho=\max_\pi J-\min_\pi J",
    reference=f"after {PAPER}: worst-case regret as a norm; d ≤ W ≤ 2d",
    cost="up to six solutions of the MDP",
    starc=True,
)(range_distance)
REWARD_DISTANCES.add(
    "val",
    label="VAL",
    formula=r"c = r + \gamma\,\tau V^\pi - V^\pi",
    reference=PAPER,
    cost="one linear system of S unknowns",
    starc=True,
    canonical=val,
)(_between(val))
REWARD_DISTANCES.add(
    "minimal",
    label="Minimal L²",
    formula=r"c = \arg\min_{R'\sim R}\|R'\|_2",
    reference=PAPER,
    cost="one least-squares problem of S unknowns",
    starc=True,
    canonical=minimal,
)(_between(minimal))
REWARD_DISTANCES.add(
    "epic",
    label="EPIC",
    formula=r"R + \gamma m(s') - m(s) - \gamma\,\mathbb{E}R,\ m(s)=\mathbb{E}R(s,A,S')",
    reference="A. Gleave et al., Quantifying Differences in Reward Functions, 2020, arXiv 2006.13900",
    cost="one pass over the reward",
    starc=False,
    canonical=epic,
)(_between(epic))
REWARD_DISTANCES.add(
    "dard",
    label="DARD",
    formula=r"R + \mathbb{E}[\gamma R(s',A,S'') - R(s,A,S') - \gamma R(S',A,S'')]",
    reference="B. Wulfe et al., Dynamics-Aware Comparison of Learned Reward Functions, 2022, arXiv 2201.10081",
    cost="one product of sparse matrices an action",
    starc=False,
    canonical=dard,
)(_between(dard))
REWARD_DISTANCES.add(
    "direct",
    label="None (raw L²)",
    formula=r"c = R",
    reference="the baseline: rewards compared as they are",
    cost="one pass over the reward",
    starc=False,
    canonical=direct,
)(_between(direct))
