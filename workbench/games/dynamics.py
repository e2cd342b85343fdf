"""The ways in which players may move: one function a dynamics, all with the same signature.

``step(game, history, rates, context) -> next point``: ``history`` (k, d) holds the points so far, newest last;
``rates`` (d,) is the step of each coordinate, constant within a player; ``context`` carries what some of them need.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.games.models.region import Box
from workbench.registry import Registry

DYNAMICS = Registry("dynamics")


@dataclass
class Context:
    """What a dynamics may need besides the point: region, bounded delay, window of asynchrony, random numbers."""

    region: Box | None
    delay: int
    window: int
    rng: np.random.Generator
    owner: NDArray
    waited: NDArray


@DYNAMICS.add("euler", label="Euler (gradient play)", formula=r"x \leftarrow x - \eta F(x)", cost="1 field")
def euler(game: Any, history: NDArray, rates: NDArray, context: Context) -> NDArray:
    """All players step at once along their own gradient."""
    return history[-1] - rates * game.field(history[-1])


@DYNAMICS.add("rk4", label="Runge-Kutta 4", formula=r"k_1..k_4", reference="W. Kutta 1901", cost="4 fields")
def rk4(game: Any, history: NDArray, rates: NDArray, context: Context) -> NDArray:
    """One classical fourth-order step of the flow; its stages must stay inside the certified region."""
    x = history[-1]
    k1 = game.field(x)
    k2 = game.field(x - 0.5 * rates * k1)
    k3 = game.field(x - 0.5 * rates * k2)
    k4 = game.field(x - rates * k3)
    return x - rates * (k1 + 2 * k2 + 2 * k3 + k4) / 6


@DYNAMICS.add("projected", label="Projected Euler", formula=r"x \leftarrow \Pi_B(x - \eta F(x))", cost="1 field")
def projected(game: Any, history: NDArray, rates: NDArray, context: Context) -> NDArray:
    """Euler, then back onto the box: non-expansive in every M(w), so nothing of the certificate is lost."""
    if context.region is None:
        raise ValueError("projected dynamics need a region; give region=Box(lower, upper)")
    return context.region.project(euler(game, history, rates, context))


@DYNAMICS.add("mirror", label="Mirror / natural", formula=r"x_i \propto x_i^{1-\eta\tau} e^{\eta u_i}", cost="1 field")
def mirror(game: Any, history: NDArray, rates: NDArray, context: Context) -> NDArray:
    """Multiplicative weights: by the game's own mirror step, else x exp(-eta F(x)) on positive coordinates."""
    x = history[-1]
    if callable(getattr(game, "mirror_step", None)):
        return game.mirror_step(x, rates)
    if np.any(x <= 0):
        raise ValueError("mirror dynamics multiply the actions, so all coordinates of the start must be positive")
    return x * np.exp(-rates * game.field(x))


@DYNAMICS.add(
    "asynchronous", label="Asynchronous", formula=r"\text{each player moves once in } W \text{ rounds}", cost="1 field"
)
def asynchronous(game: Any, history: NDArray, rates: NDArray, context: Context) -> NDArray:
    """A random half of the players move; nobody waits more than ``window`` rounds."""
    players = int(context.owner.max()) + 1
    moves = context.rng.random(players) < 0.5
    moves |= context.waited >= context.window - 1
    context.waited[:] = np.where(moves, 0, context.waited + 1)
    return np.where(moves[context.owner], euler(game, history, rates, context), history[-1])


@DYNAMICS.add(
    "delayed",
    label="Delayed",
    formula=r"x_i \leftarrow x_i - \eta F_i(x_i, x_{-i}^{\text{old}})",
    cost="1 field a player",
)
def delayed(game: Any, history: NDArray, rates: NDArray, context: Context) -> NDArray:
    """Every player knows its own action and sees each other one up to ``delay`` rounds late, at random."""
    x = history[-1]
    new = x.copy()
    oldest = min(context.delay, len(history) - 1)
    for i in range(int(context.owner.max()) + 1):
        ages = context.rng.integers(0, oldest + 1, size=int(context.owner.max()) + 1)
        seen = np.array([history[-1 - ages[j], k] for k, j in enumerate(context.owner)])
        own = context.owner == i
        seen[own] = x[own]
        new[own] = (x - rates * game.field(seen))[own]
    return new
