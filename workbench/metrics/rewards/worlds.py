"""MDPs to begin with: worlds painted on a grid, and the paper's random ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from workbench import checks
from workbench.metrics.rewards.mdp import MDP
from workbench.metrics.rewards.reward import Reward

FROZEN_LAKE = ("SFFF", "FHFH", "FFFH", "HFFG")
"""Gymnasium's FrozenLake 4 × 4: start, frozen, holes, goal."""
FLOOR, WALL, START, ENDS = "F", "#", "S", "HG"
TILES = {"F": "floor", "#": "wall", "S": "start", "H": "hole", "G": "goal"}
MOVES = ((0, -1), (1, 0), (0, 1), (-1, 0))
MOVE_NAMES = ("left", "down", "right", "up")
MOST_CELLS = 10_000


@dataclass(frozen=True, eq=False)
class GridWorld:
    """A world painted on a grid, and its MDP: a state a cell, row by row, and one absorbing state at the end.

    Four moves: left, down, right, up. Holes and the goal end a walk: whoever steps on one has gone to the absorbing
    state, so that as states these cells are never visited, as in Gymnasium's table. Walls are never entered.
    """

    tiles: NDArray[np.str_]
    """Letters (rows, columns)."""
    mdp: MDP
    arrivals: sparse.csr_array
    """(S · A, rows · columns): the probability of stepping on each cell."""

    @property
    def cells(self) -> int:
        """How many cells there are, which are the first states."""
        return self.tiles.size

    def reward(self, painted: ArrayLike, living: float = 0.0) -> Reward:
        """Return the reward of stepping on a cell, ``painted`` (rows, columns), and ``living`` for every step taken.

        Where several cells end the walk in one move, the absorbing state is paid their mean. ``living`` is paid in
        every (s, a, s') but from the absorbing state, whether or not s' is possible.
        """
        values = checks.finite_array("painted", painted, ndim=2)
        if values.shape != self.tiles.shape:
            raise ValueError(f"painted has shape {values.shape}; the grid has {self.tiles.shape}")
        living = checks.real("living", living)
        table = self.mdp.table
        ends = np.isin(self.tiles.ravel(), list(ENDS))
        going = np.where(ends, 0.0, values.ravel())
        paid = self.arrivals @ np.where(ends, values.ravel(), 0.0)
        data = np.append(going, 0.0)[table.indices]
        rows = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))
        last = (table.indices == self.cells) & (rows < self.cells * 4)
        data[last] = paid[rows[last]] / table.data[last]
        entries = sparse.csr_array((data, table.indices.copy(), table.indptr.copy()), shape=table.shape)
        entries.eliminate_zeros()
        own = np.zeros((self.mdp.states, 4))
        own[: self.cells] = living
        return Reward(own, np.zeros(self.mdp.states), entries)


def grid_world(tiles: Sequence[str], *, slip: float = 2 / 3, discount: float = 0.95) -> GridWorld:
    """Return the world of rows of letters: S start, F floor, # wall, H hole, G goal.

    A move slips to either side with the probability ``slip``/2; 2/3 is Gymnasium's slippery lake. Whoever would leave
    the grid or step on a wall stays. Raises ``ValueError`` for ragged rows, other letters, no start, more than 10,000
    cells.

    >>> world = grid_world(FROZEN_LAKE)
    >>> world.mdp.states, int(world.mdp.reachable.sum())
    (17, 12)
    """
    rows = [str(row) for row in tiles]
    if not rows or len({len(row) for row in rows}) != 1 or not rows[0]:
        raise ValueError(f"tiles must be rows of one length, got lengths {[len(row) for row in rows][:12]}")
    letters = np.array([list(row) for row in rows])
    if letters.size > MOST_CELLS:
        raise ValueError(f"the grid has {letters.size:,} cells; up to {MOST_CELLS:,} are taken")
    other = set(letters.ravel()) - set(TILES)
    if other:
        told = ", ".join(f"{letter} {name}" for letter, name in TILES.items())
        raise ValueError(f"tiles hold {str(min(other))!r}; the letters are {told}")
    starts = np.flatnonzero(letters.ravel() == START)
    if not len(starts):
        raise ValueError("tiles have no start; paint S on at least one cell")
    slip = checks.real("slip", slip, minimum=0, maximum=1)
    arrivals = _arrivals(letters, slip)
    cells = letters.size
    ends = np.isin(letters.ravel(), list(ENDS))
    going = sparse.csr_array(arrivals @ sparse.diags_array((~ends).astype(float)))
    ending = np.asarray(arrivals @ ends.astype(float))
    absorbing = sparse.csr_array(np.tile(np.eye(1, cells + 1, cells), (4, 1)))
    table = sparse.csr_array(sparse.vstack([sparse.hstack([going, sparse.csr_array(ending[:, None])]), absorbing]))
    table.eliminate_zeros()
    start = np.zeros(cells + 1)
    start[starts] = 1 / len(starts)
    # Who stands on an end steps on nothing: Gymnasium's table pays nothing there.
    moving = sparse.diags_array(np.repeat(~ends, 4).astype(float))
    arrivals = sparse.vstack([moving @ arrivals, sparse.csr_array((4, cells))])
    mdp = MDP([table[a::4] for a in range(4)], discount, start)
    return GridWorld(letters, mdp, sparse.csr_array(arrivals))


def _arrivals(letters: NDArray[np.str_], slip: float) -> sparse.csr_array:
    """Return the probability (cells · 4, cells) of stepping on each cell; ends and walls stay where they are."""
    height, width = letters.shape
    cell = np.arange(letters.size).reshape(height, width)
    targets = []
    for down, right in MOVES:
        y = np.clip(np.arange(height) + down, 0, height - 1)
        x = np.clip(np.arange(width) + right, 0, width - 1)
        onto = cell[np.ix_(y, x)]
        stays = letters.ravel()[onto] == WALL
        targets.append(np.where(stays, cell, onto).ravel())
    stuck = np.isin(letters.ravel(), [*ENDS, WALL])
    rows, columns, chances = [], [], []
    for a in range(4):
        for turn, chance in ((-1, slip / 2), (0, 1 - slip), (1, slip / 2)):
            rows.append(np.arange(letters.size) * 4 + a)
            columns.append(np.where(stuck, cell.ravel(), targets[(a + turn) % 4]))
            chances.append(np.full(letters.size, chance))
    shape = (letters.size * 4, letters.size)
    found = sparse.csr_array((np.concatenate(chances), (np.concatenate(rows), np.concatenate(columns))), shape=shape)
    found.sum_duplicates()
    return found


def frozen_lake(discount: float = 0.95) -> tuple[MDP, Reward]:
    """Return Gymnasium's slippery FrozenLake 4 × 4, made here: 17 states, the last absorbing, and its reward.

    >>> mdp, reward = frozen_lake()
    >>> mdp.states, mdp.actions, round(float(reward.expected(mdp).max()), 12)
    (17, 4, 0.333333333333)
    """
    world = grid_world(FROZEN_LAKE, discount=discount)
    return world.mdp, world.reward((world.tiles == "G").astype(float))


def random_mdp(
    states: int = 32, actions: int = 4, discount: float = 0.95, *, seed: int | np.random.Generator = 0
) -> MDP:
    """Return a random MDP as the paper's code draws them: softmax of Gaussian logits, those below 1 σ left out.

    Where no logit of a row exceeds 1, the largest alone is kept.

    >>> random_mdp(5, 2).dense().sum(axis=2).round(12).min().item()
    1.0
    """
    states = checks.integer("states", states, minimum=2, maximum=1000)
    actions = checks.integer("actions", actions, minimum=2, maximum=100)
    rng = checks.generator(seed)
    logits = rng.normal(size=(states, actions, states))
    kept = (logits > 1) | (logits == logits.max(axis=2, keepdims=True))
    weights = np.where(kept, np.exp(logits), 0.0)
    return MDP(weights / weights.sum(axis=2, keepdims=True), discount)


def random_reward(mdp: MDP, seed: int | np.random.Generator = 0) -> NDArray[np.float64]:
    """Return a random reward (S, A, S): Gaussian, and each with chance ½ made sparse, scaled, shifted, shaped.

    Sparse keeps a tenth of the entries; the scale is up to 10 either way, the shift and the potential are Gaussian.
    """
    rng = checks.generator(seed)
    reward = rng.normal(size=(mdp.states, mdp.actions, mdp.states))
    sparsely, scaled, shifted, shaped = rng.random(4) < 0.5
    if sparsely:
        reward = reward * (rng.random(reward.shape) < 0.1)
    if scaled:
        reward = reward * 10 ** rng.uniform(-1, 1)
    if shifted:
        reward = reward + rng.normal()
    if shaped:
        potential = rng.normal(size=mdp.states)
        reward = reward + mdp.discount * potential - potential[:, None, None]
    return reward
