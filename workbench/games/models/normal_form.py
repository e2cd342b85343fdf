"""Normal-form games with entropy, played in logits: bounds that hold everywhere, with no sampling.

Player i keeps logits theta_i, plays x_i = softmax(theta_i) and follows the natural gradient of its entropy-regularised
payoff, theta_i' = u_i(x_-i) - τ theta_i (up to constants, which softmax ignores). Hence mu_i = ell_i = τ exactly,
and ||d softmax|| <= 1/2 gives L_ij = max ||P A_ij P||_2 / 2, with P removing the mean. Two players are certified if
and only if τ² > L_12 L_21. Zero-sum games converge for every τ > 0 all the same: the test is conservative.
"""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.games.models.bounds import Bounds


class NormalFormGame:
    """N players with payoff tables of one common shape (n_1, .., n_N) and entropy weight ``temperature`` > 0.

    ``payoffs[i][a_1, .., a_N]`` is what player i receives. A point of the game is the concatenation of all logits.

    >>> from workbench import games
    >>> game = games.GALLERY["rock-paper-scissors"]().game
    >>> game.field([0.0] * game.dimension).shape
    (6,)
    """

    def __init__(self, payoffs: Sequence[ArrayLike], temperature: float, *, name: str = "game") -> None:
        self.payoffs = [checks.finite_array(f"the payoffs of player {i}", p) for i, p in enumerate(payoffs)]
        n = len(self.payoffs)
        if n < 2 or any(p.shape != self.payoffs[0].shape or p.ndim != n for p in self.payoffs):
            shapes = [p.shape for p in self.payoffs]
            raise ValueError(f"{n} players need {n} payoff tables of one shape with {n} axes each, got shapes {shapes}")
        self.temperature = checks.real("temperature", temperature, exclusive_minimum=0)
        self.sizes = self.payoffs[0].shape
        self.name = name
        self._edges = np.cumsum([0, *self.sizes])

    @property
    def players(self) -> int:
        """Number of players."""
        return len(self.sizes)

    @property
    def dimension(self) -> int:
        """Number of logits."""
        return int(self._edges[-1])

    def strategies(self, theta: ArrayLike) -> list[NDArray]:
        """Return the mixed strategies softmax(theta_i), each (..., n_i)."""
        return [softmax(block) for block in np.split(np.asarray(theta, dtype=float), self._edges[1:-1], axis=-1)]

    def action_values(self, i: int, strategies: Sequence[NDArray], keep: int | None = None) -> NDArray:
        """Return u_i(a_i; x_-i), (..., n_i); with ``keep`` = j the table (..., n_i, n_j) before averaging over a_j."""
        axes = [i] if keep is None else [i, keep]
        table = np.moveaxis(self.payoffs[i], axes, range(len(axes)))
        others = [k for k in range(self.players) if k not in axes]
        for k in reversed(others):
            table = table @ strategies[k]
        return table

    def field(self, theta: ArrayLike) -> NDArray:
        """Return F(theta) = τ theta_i - P u_i for each player, (..., d)."""
        points = np.asarray(theta, dtype=float)
        flat = points.reshape(-1, self.dimension)
        return np.stack([self._field(point) for point in flat]).reshape(points.shape)

    def _field(self, theta: NDArray) -> NDArray:
        strategies = self.strategies(theta)
        values = [centred(self.action_values(i, strategies)) for i in range(self.players)]
        return self.temperature * theta - np.concatenate(values)

    def jacobian(self, theta: ArrayLike) -> NDArray:
        """Return J(theta), (..., d, d)."""
        points = np.asarray(theta, dtype=float)
        flat = points.reshape(-1, self.dimension)
        return np.stack([self._jacobian(point) for point in flat]).reshape(*points.shape, self.dimension)

    def _jacobian(self, theta: NDArray) -> NDArray:
        strategies, e = self.strategies(theta), self._edges
        jacobian = self.temperature * np.eye(self.dimension)
        for i, j in product(range(self.players), repeat=2):
            if i != j:
                x = strategies[j]
                slope = np.diag(x) - np.outer(x, x)
                table = self.action_values(i, strategies, keep=j)
                jacobian[e[i] : e[i + 1], e[j] : e[j + 1]] = -centred(table.T).T @ slope
        return jacobian

    def bounds(self) -> Bounds:
        """Return the bounds that hold for all logits: mu = ell = τ, L_ij = max over pure profiles ||P A P||_2 / 2."""
        n = self.players
        couplings = np.zeros((n, n))
        for i, j in product(range(n), repeat=2):
            if i != j:
                tables = np.moveaxis(self.payoffs[i], (i, j), (-2, -1)).reshape(-1, self.sizes[i], self.sizes[j])
                middle = centred(centred(tables).swapaxes(1, 2)).swapaxes(1, 2)
                norm = float(np.linalg.norm(middle, 2, axis=(1, 2)).max())
                couplings[i, j] = 0.5 * norm * (1 + 1e-14 * max(self.sizes))
        own = np.full(n, self.temperature)
        return Bounds(own, own, couplings)

    def mirror_step(self, theta: NDArray, rates: NDArray) -> NDArray:
        """One multiplicative-weights step x_i ~ x_i^(1 - eta τ) exp(eta u_i), returned as logits with mean zero."""
        logits = [np.log(x) for x in self.strategies(theta)]
        strategies, e = self.strategies(theta), self._edges
        steps = [
            centred((1 - rates[e[i]] * self.temperature) * logits[i] + rates[e[i]] * self.action_values(i, strategies))
            for i in range(self.players)
        ]
        return np.concatenate(steps)

    def divergence(self, theta: ArrayLike, reference: ArrayLike, w: ArrayLike | None = None) -> float:
        """Return sum_i w_i KL(reference_i || x_i), the Lyapunov function of the mirror geometry."""
        weights = np.ones(self.players) if w is None else checks.finite_array("w", w, ndim=1)
        pairs = zip(self.strategies(reference), self.strategies(theta), strict=True)
        return float(sum(c * np.sum(p * (np.log(p) - np.log(q))) for c, (p, q) in zip(weights, pairs, strict=True)))

    def kl_margin(self, w: ArrayLike | None = None) -> float:
        """Return a margin of relative strong monotonicity in probabilities, two players only.

        <F(x)-F(y), x-y>_w = τ sum w_i (KL(x_i,y_i) + KL(y_i,x_i)) - d_1ᵀ (w_1 A_1 + w_2 A_2ᵀ) d_2, and by Pinsker
        each symmetric KL is at least |d_i|_1². With |d_1ᵀ G d_2| <= g |d_1|_1 |d_2|_1 the margin, relative to the
        symmetric KL, is τ - g / (2 sqrt(w_1 w_2)). Zero-sum games have G = 0 at w = (1, 1): margin τ > 0.
        """
        if self.players != 2:
            raise ValueError(f"the KL margin is for two players, this game has {self.players}")
        w1, w2 = np.ones(2) if w is None else checks.finite_array("w", w, ndim=1)
        g = w1 * self.payoffs[0] + w2 * self.payoffs[1]
        # Zero-sum differences: the largest |d_1ᵀ G d_2| over unit l1 vectors is a quarter of the largest 2x2 spread.
        rows = g[:, None, :] - g[None, :, :]
        spread = float(np.max(rows.max(axis=2) - rows.min(axis=2)))
        return self.temperature - 0.25 * spread / (2 * np.sqrt(w1 * w2))

    def exploitability(self, theta: ArrayLike) -> float:
        """Return how much all players together could gain by best responses in the game without entropy."""
        strategies = self.strategies(theta)
        gains = [self.action_values(i, strategies) for i in range(self.players)]
        return float(sum(u.max() - u @ x for u, x in zip(gains, strategies, strict=True)))

    def payload(self) -> dict[str, Any]:
        """Return the game as JSON-ready data."""
        return {"type": "normal-form", "temperature": self.temperature, "payoffs": [p.tolist() for p in self.payoffs]}

    def describe(self) -> dict[str, Any]:
        """Return what identifies this game in a result's provenance."""
        return {"type": "NormalFormGame", "name": self.name, "temperature": self.temperature, "shape": list(self.sizes)}


def softmax(logits: NDArray) -> NDArray:
    """Return exp(logits) normalised along the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def centred(values: NDArray) -> NDArray:
    """Return the values without their mean along the last axis."""
    return values - values.mean(axis=-1, keepdims=True)
