"""Tabular Markov games with entropy: policy gradient and natural gradient, in logits.

Player i chooses in state s the action a with probability softmax(theta_i(s)); the last action of each state has logit
zero, so that every policy has one parameter vector. As in arXiv:2512.06791 (section on Markov games) the objective of
player i is the normalised discounted return sum_s d(s) E r_i plus temperature times the sum over states of the policy's
entropy; both are minimised with a minus sign. The Fisher matrix is the unweighted one, block by state.
"""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.games.expressions import (
    Expression,
    FormulaFunctions,
    compile_program,
    derivative,
    exp,
    log,
    sigmoid,
    variables,
    wrap,
)
from workbench.games.models.bounds import Bounds
from workbench.games.models.quadratic import block_bounds
from workbench.games.models.region import Box
from workbench.games.models.smooth import SmoothGame

DYNAMICS = ("gradient", "natural")


class MarkovGame:
    """A tabular Markov game.

    Parameters
    ----------
    transitions : (S, A_1, .., A_N, S) probabilities, last axis sums to 1
    rewards : (N, S, A_1, .., A_N)
    discount : in [0, 1);  temperature : entropy weight ≥ 0;  start : (S,) initial distribution, default state 0
    """

    def __init__(
        self,
        transitions: ArrayLike,
        rewards: ArrayLike,
        discount: float,
        temperature: float,
        start: ArrayLike | None = None,
    ) -> None:
        self.transitions = checks.finite_array("transitions", transitions).copy()
        self.rewards = checks.finite_array("rewards", rewards).copy()
        self.states, self.actions = self.transitions.shape[-1], self.transitions.shape[1:-1]
        n = len(self.actions)
        if self.transitions.shape[0] != self.states or self.rewards.shape != (n, self.states, *self.actions):
            raise ValueError(
                f"transitions has shape {self.transitions.shape} and rewards {self.rewards.shape}; "
                "expected (S, A_1, .., A_N, S) and (N, S, A_1, .., A_N)"
            )
        if np.any(self.transitions < 0) or not np.allclose(self.transitions.sum(axis=-1), 1, atol=1e-12):
            raise ValueError("transitions must be probabilities that sum to 1 over the last axis")
        self.discount = checks.real("discount", discount, minimum=0, maximum=1 - 1e-9)
        self.temperature = checks.real("temperature", temperature, minimum=0)
        self.start = np.eye(self.states)[0] if start is None else checks.finite_array("start", start, ndim=1)
        if self.start.size != self.states or np.any(self.start < 0) or abs(self.start.sum() - 1) > 1e-12:
            raise ValueError(f"start must be a distribution over the {self.states} states")
        self.sizes = tuple(self.states * (a - 1) for a in self.actions)

    @property
    def players(self) -> int:
        """Number of players."""
        return len(self.actions)

    @property
    def dimension(self) -> int:
        """Number of free logits, sum_i S (A_i - 1)."""
        return sum(self.sizes)

    def policies(self, theta: ArrayLike) -> list[NDArray]:
        """Return each player's policy (S, A_i)."""
        import torch

        return [p.numpy() for p in self._policies(torch.tensor(np.asarray(theta), dtype=torch.float64))]

    def returns(self, theta: ArrayLike) -> NDArray:
        """Return each player's regularised objective (N,), to be maximised."""
        import torch

        return -self._costs(torch.tensor(np.asarray(theta), dtype=torch.float64)).numpy()

    def field(self, theta: ArrayLike, dynamics: str = "gradient") -> NDArray:
        """Return F(theta) (d,): own gradients of the costs, or Fisher⁻¹ times them for ``dynamics`` = "natural"."""
        import torch

        checks.choice("dynamics", dynamics, DYNAMICS)
        point = torch.tensor(np.asarray(theta), dtype=torch.float64)
        return self._field(point, dynamics == "natural").numpy()

    def jacobian(self, theta: ArrayLike, dynamics: str = "gradient") -> NDArray:
        """Return the Jacobian of :meth:`field`, (d, d)."""
        import torch

        checks.choice("dynamics", dynamics, DYNAMICS)
        point = torch.tensor(np.asarray(theta), dtype=torch.float64)
        return torch.func.jacrev(lambda t: self._field(t, dynamics == "natural"))(point).numpy()

    def fisher(self, theta: ArrayLike) -> NDArray:
        """Return the block-diagonal Fisher matrix (d, d) of all policies, states unweighted."""
        matrix = np.zeros((self.dimension, self.dimension))
        at = 0
        for policy in self.policies(theta):
            for row in policy:
                p = row[:-1]
                matrix[at : at + p.size, at : at + p.size] = np.diag(p) - np.outer(p, p)
                at += p.size
        return matrix

    def fisher_bounds(self, thetas: ArrayLike) -> Bounds:
        """Return bounds of F^−½ J F^−½ by player over the given points (n, d): local geometry, not a proof.

        At an equilibrium these are the constants of the natural-gradient flow in the Fisher metric. Away from it the
        metric itself moves, so they are an estimate; the bounds are marked as not proved.
        """
        return block_bounds(
            np.stack([self.fisher_jacobian(t) for t in np.atleast_2d(thetas)]), self.sizes, proved=False
        )

    def fisher_jacobian(self, theta: ArrayLike) -> NDArray:
        """Return F^−½ J F^−½ at one point, J the Jacobian of the policy gradient."""
        values, vectors = np.linalg.eigh(self.fisher(theta))
        root = vectors / np.sqrt(values) @ vectors.T
        return root @ self.jacobian(theta) @ root

    def formulas(self, dynamics: str = "gradient") -> SmoothGame:
        """Return the same game as formulas, so that it can be certified rigorously; for a handful of states.

        "gradient" keeps the players; "natural" makes every logit a player of its own, because Fisher⁻¹ times a
        gradient is no gradient, and needs two actions a player.
        """
        checks.choice("dynamics", dynamics, DYNAMICS)
        name = f"Markov game, {dynamics}"
        if dynamics == "gradient":
            return SmoothGame(self.sizes, costs=self._cost_formulas, name=name)
        if set(self.actions) != {2}:
            raise ValueError("the natural gradient as formulas needs two actions a player")
        return SmoothGame([1] * self.dimension, field=self._natural_formulas, name=name)

    def _natural_formulas(self, theta: list[Expression]) -> list[Expression]:
        """τ theta - d gain / d p at p = sigmoid(theta): Fisher⁻¹ cancels the slope of the sigmoid exactly."""
        p = variables(self.dimension)
        policies = self._arranged([[q, 1.0 - q] for q in p])
        gains = self._gain_formulas(policies)
        owner = np.repeat(np.arange(self.players), self.sizes)
        slopes = compile_program([derivative(gains[owner[k]], k) for k in range(self.dimension)], self.dimension)
        at_policy = slopes([sigmoid(t) for t in theta], FormulaFunctions)
        return [self.temperature * t - slope for t, slope in zip(theta, at_policy, strict=True)]

    def _arranged(self, rows: list[list[Any]]) -> list[list[list[Any]]]:
        """Turn a list of rows, state by state and player by player, into a table by player."""
        return [rows[i * self.states : (i + 1) * self.states] for i in range(self.players)]

    def _cost_formulas(self, theta: list[Expression]) -> list[Any]:
        policies = self._policy_formulas(theta)
        costs = []
        for gain, policy in zip(self._gain_formulas(policies), policies, strict=True):
            entropy = sum((-p * log(p) for row in policy for p in row), wrap(0.0))
            costs.append(-gain - self.temperature * entropy)
        return costs

    def _gain_formulas(self, policies: list[list[list[Any]]]) -> list[Any]:
        """The normalised discounted return of each player, a rational function of the probabilities."""
        occupancy, joint = self._occupancy_formulas(policies)
        gains = []
        for i in range(self.players):
            gain: Any = wrap(0.0)
            for s in range(self.states):
                inner = sum((float(self.rewards[(i, s, *a)]) * chance for a, chance in joint[s].items()), wrap(0.0))
                gain = gain + occupancy[s] * inner
            gains.append(gain)
        return gains

    def _policy_formulas(self, theta: list[Expression]) -> list[list[list[Expression]]]:
        rows, at = [], 0
        for actions in self.actions:
            for _ in range(self.states):
                free = theta[at : at + actions - 1]
                at += actions - 1
                if actions == 2:
                    rows.append([sigmoid(free[0]), sigmoid(-free[0])])
                    continue
                weights = [exp(t) for t in free]
                total = sum(weights, wrap(1.0))
                rows.append([*(w / total for w in weights), 1.0 / total])
        return self._arranged(rows)

    def _occupancy_formulas(self, policies: list[list[list[Expression]]]) -> tuple[list[Any], list[dict[Any, Any]]]:
        joint = []
        for s in range(self.states):
            table = {}
            for a in product(*map(range, self.actions)):
                chance: Any = wrap(1.0)
                for i, choice in enumerate(a):
                    chance = chance * policies[i][s][choice]
                table[a] = chance
            joint.append(table)
        matrix = [[wrap(1.0 if s == t else 0.0) for s in range(self.states)] for t in range(self.states)]
        for s, t in product(range(self.states), repeat=2):
            for a, chance in joint[s].items():
                matrix[t][s] = matrix[t][s] - self.discount * float(self.transitions[(s, *a, t)]) * chance
        right = [wrap((1 - self.discount) * float(p)) for p in self.start]
        return solve_formulas(matrix, right), joint

    def _policies(self, theta: Any) -> list[Any]:
        import torch

        policies, at = [], 0
        for size, actions in zip(self.sizes, self.actions, strict=True):
            free = theta[at : at + size].reshape(self.states, actions - 1)
            at += size
            policies.append(
                torch.softmax(torch.cat([free, torch.zeros(self.states, 1, dtype=free.dtype)], dim=1), dim=1)
            )
        return policies

    def _costs(self, theta: Any) -> Any:
        import torch

        policies = self._policies(theta)
        joint = policies[0]
        for policy in policies[1:]:
            joint = joint.reshape(self.states, -1, 1) * policy.reshape(self.states, 1, -1)
        joint = joint.reshape(self.states, -1)
        moves = torch.as_tensor(self.transitions).reshape(self.states, -1, self.states)
        chain = torch.einsum("sa,sat->st", joint, moves)
        system = torch.eye(self.states, dtype=torch.float64) - self.discount * chain.T
        occupancy = torch.linalg.solve(system, (1 - self.discount) * torch.as_tensor(self.start))
        rewards = torch.as_tensor(self.rewards).reshape(self.players, self.states, -1)
        gains = torch.einsum("s,sa,isa->i", occupancy, joint, rewards)
        entropies = torch.stack([-(p * p.log()).sum() for p in policies])
        return -gains - self.temperature * entropies

    def _field(self, theta: Any, natural: bool) -> Any:
        import torch

        gradients = torch.func.jacrev(self._costs)(theta)
        own = torch.cat([g[a:b] for g, a, b in zip(gradients, *self._spans(), strict=True)])
        return self._precondition(theta, own) if natural else own

    def _spans(self) -> tuple[list[int], list[int]]:
        edges = np.cumsum([0, *self.sizes]).tolist()
        return edges[:-1], edges[1:]

    def _precondition(self, theta: Any, gradient: Any) -> Any:
        """Fisher⁻¹ g in closed form: (diag(p) - p pᵀ)⁻¹ g = g/p + sum(g)/p_last."""
        import torch

        parts, at = [], 0
        for policy in self._policies(theta):
            for row in policy:
                g = gradient[at : at + row.shape[0] - 1]
                at += row.shape[0] - 1
                parts.append(g / row[:-1] + g.sum() / row[-1])
        return torch.cat(parts)

    def sampled_bounds(self, region: Box, seed: int | np.random.Generator = 0) -> Bounds:
        """Return sampled Fisher bounds over the region's corners, centre and 64 uniform points (not proved)."""
        corners = [region.vertices()] if region.dimension <= 8 else []
        points = np.concatenate([region.centre[None], *corners, region.sample(64, seed)])
        return self.fisher_bounds(points)

    def describe(self) -> dict[str, Any]:
        """Return what names this game in a result's provenance."""
        return {"type": "MarkovGame", "states": self.states, "actions": list(self.actions), "discount": self.discount}


def solve_formulas(matrix: Sequence[Sequence[Any]], right: Sequence[Any]) -> list[Any]:
    """Return the solution of a small linear system of formulas by elimination without pivoting."""
    a, b = [list(row) for row in matrix], list(right)
    n = len(b)
    for k in range(n):
        for i in range(k + 1, n):
            ratio = a[i][k] / a[k][k]
            a[i] = [a[i][j] - ratio * a[k][j] if j > k else a[i][j] for j in range(n)]
            b[i] = b[i] - ratio * b[k]
    x: list[Any] = [None] * n
    for k in reversed(range(n)):
        total = b[k]
        for j in range(k + 1, n):
            total = total - a[k][j] * x[j]
        x[k] = total / a[k][k]
    return x
