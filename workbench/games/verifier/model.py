"""A certificate as typed, immutable objects: all that the proofs ever see.

Made by :mod:`.grammar` alone, so whoever holds one of these knows that shapes agree, indices exist, numbers are finite
doubles within ±1e300 and instructions are ones of the closed list. An array in here cannot be written to.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from flint import arb
from numpy.typing import NDArray

from .exact import Couplings

INFINITE = float("inf")

ARITY = {"const": 0, "var": 0, "add": 2, "sub": 2, "mul": 2, "div": 2, "neg": 1, "pow": 1} | dict.fromkeys(
    ("exp", "log", "sqrt", "tanh", "sigmoid", "sin", "cos"), 1
)
SMALLEST_EXPONENT, LARGEST_EXPONENT = 2, 64


class Instruction(NamedTuple):
    """One step of a program: an operation, the earlier results it takes, and its number (constant, index, exponent)."""

    operation: str
    arguments: tuple[int, ...]
    value: float | int


@dataclass(frozen=True, eq=False)
class Program:
    """Formulas as straight-line code; every argument refers to an earlier instruction, every index exists."""

    inputs: int
    instructions: tuple[Instruction, ...]
    outputs: tuple[int, ...]

    @cached_property
    def constants(self) -> dict[int, arb]:
        """The stored constants as balls of radius zero."""
        return {k: arb(float(i.value)) for k, i in enumerate(self.instructions) if i.operation == "const"}

    @cached_property
    def finished(self) -> tuple[tuple[int, ...], ...]:
        """For each instruction the results that nobody needs after it, so that memory is given back at once."""
        last = dict.fromkeys(self.outputs, len(self.instructions))
        ends: list[list[int]] = [[] for _ in self.instructions]
        for number in range(len(self.instructions) - 1, -1, -1):
            for k in (number, *self.instructions[number].arguments):
                if k not in last:
                    last[k] = number
                    ends[number].append(k)
        return tuple(map(tuple, ends))


@dataclass(frozen=True, eq=False)
class BoundsOnly:
    """No game in the file: the claims are about every game within the bounds."""


@dataclass(frozen=True, eq=False)
class Sampled:
    """A game that could only be sampled; nothing can be proved of it."""


@dataclass(frozen=True, eq=False)
class Quadratic:
    """F(x) = J x - b: coordinates of each player, and J (d, d)."""

    sizes: tuple[int, ...]
    matrix: NDArray


@dataclass(frozen=True, eq=False)
class NormalForm:
    """A finite game with entropy of this temperature, in logits: one payoff table a player, all of one shape."""

    temperature: float
    payoffs: tuple[NDArray, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of actions of each player."""
        return self.payoffs[0].shape


@dataclass(frozen=True, eq=False)
class Formulas:
    """A game of formulas: coordinates of each player, and its costs (one a player) or its field (one a coordinate)."""

    sizes: tuple[int, ...]
    costs: bool
    program: Program

    @cached_property
    def owner(self) -> tuple[int, ...]:
        """The player of each coordinate."""
        return tuple(i for i, size in enumerate(self.sizes) for _ in range(size))

    @cached_property
    def spans(self) -> tuple[range, ...]:
        """The coordinates of each player."""
        edges = np.cumsum([0, *self.sizes]).tolist()
        return tuple(range(a, b) for a, b in pairwise(edges))


Game = BoundsOnly | Sampled | Quadratic | NormalForm | Formulas


@dataclass(frozen=True, eq=False)
class Bounds:
    """mu, ell (N,) with mu ≤ ell, and non-negative couplings, each pair of players at most once."""

    mu: NDArray
    ell: NDArray
    couplings: Couplings
    proved: bool

    @property
    def players(self) -> int:
        """Number of players N."""
        return int(self.mu.size)


@dataclass(frozen=True)
class Region:
    """The box with these sides; lower < upper in every coordinate."""

    lower: tuple[float, ...]
    upper: tuple[float, ...]

    def __contains__(self, point: tuple[float, ...]) -> bool:
        return len(point) == len(self.lower) and all(
            a <= x <= b for a, x, b in zip(self.lower, point, self.upper, strict=True)
        )


@dataclass(frozen=True, eq=False)
class Witness:
    """x ≥ 0, not zero, that rules out margins above ``ceiling``: of the bounds, or at a point of the region."""

    vector: NDArray
    ceiling: float
    point: tuple[float, ...] | None


@dataclass(frozen=True)
class Basin:
    """A box said to hold exactly one equilibrium, and the radius of an M-ball around it said to stay in the region."""

    lower: tuple[float, ...]
    upper: tuple[float, ...]
    radius: float


@dataclass(frozen=True, eq=False)
class Document:
    """A whole certificate. None where the file claims nothing; an infinite end of the band is ``inf``."""

    status: str
    reason: str
    kind: str
    margin: float | None
    tau: float | None
    weights: NDArray | None
    z: NDArray | None
    v: NDArray | None
    band: tuple[float, float] | None
    beta: float | None
    step_paper: float | None
    step_h0: float | None
    step_sharp: float | None
    step_rk4: float | None
    player_steps: NDArray | None
    attained: bool
    target: float | None
    bounds: Bounds | None
    region: Region | None
    tree: tuple[int, ...] | None
    game: Game
    witness: Witness | None
    basin: Basin | None
    beta_vector: NDArray | None
    sharp_vector: NDArray | None
    rate_h0: float | None
    rate_players: float | None
    scale: float | None

    @property
    def goal(self) -> float:
        """The margin that was asked for; 0 stands for any positive one."""
        return self.target if self.target is not None else 0.0
