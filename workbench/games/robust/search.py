"""What all methods share while they look for a plan: the clock, the cuts, the best plan so far, the race of bounds."""

import time
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from workbench.games.robust.bounding import FREE, OUT, Bound, tighten
from workbench.games.robust.cuts import Cuts
from workbench.games.robust.problem import Knapsack
from workbench.games.robust.tree import Node, Walk, root
from workbench.progress import Progress

CLOSED = 1e-7  # relative gap at which a search is finished


class Strips(Protocol):
    """A tree over items and strips of the price of nature's budget, see :mod:`.strips`."""

    def walk(self) -> Walk:
        """Yield it in preorder."""


@dataclass
class Search:
    """A search under way; ``history`` collects (seconds, best profit, bound on all plans)."""

    problem: Knapsack
    time_limit: float
    progress: Progress
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.cuts = Cuts(self.problem)
        self.tree: Node = root(self.problem)
        self.best: NDArray[np.int8] | None = None
        self.worst: Bound | None = None
        self.upper = np.inf
        self.nodes = 0
        self.strips: Strips | None = None
        self.by_relaxation = False  # whether the relaxation is close enough to split by
        self.history: list[tuple[float, float, float]] = []
        self.known: dict[bytes, float] = {}
        self.remark = ""  # what whoever reads the result should know of how it was found

    @property
    def seconds(self) -> float:
        """Seconds since the search began."""
        return time.monotonic() - self.started

    @property
    def left(self) -> float:
        """Seconds left, never negative."""
        return max(self.time_limit - self.seconds, 0.0)

    @property
    def profit(self) -> float:
        """The exact worst case of the best plan so far, minus infinity before the first."""
        return -np.inf if self.worst is None else self.worst.lower

    @property
    def cutoff(self) -> float:
        """A part of all plans that is bounded by this needs no further look."""
        return self.profit + CLOSED * max(1.0, abs(self.profit)) if self.best is not None else -np.inf

    @property
    def closed(self) -> bool:
        """Whether no plan can be better than the best by more than rounding."""
        return self.upper <= self.cutoff

    def told(self) -> None:
        """Report where the search is; raises ``Cancelled`` when somebody asked it to stop."""
        self.progress.update(
            min(self.seconds, self.time_limit), self.time_limit, f"{self.profit:,.6g} to {self.upper:,.6g}"
        )
        if not self.history or self.history[-1][1:] != (self.profit, self.upper):
            self.history.append((self.seconds, self.profit, self.upper))

    def _go_on(self, _lower: float, _upper: float) -> bool:
        self.told()
        return self.left > 0

    def bound_root(self) -> Bound:
        """Bound all plans at once."""
        found = tighten(self.cuts, self.tree.state, report=self._go_on)
        self.tree.bound, self.tree.scenario = found.upper, found.scenario
        self.upper = min(self.upper, found.upper)
        self.told()
        return found

    def tighten(self, node: Node) -> Bound:
        """Bound a node from its scenario on, until it is closed or the time is up."""
        found = tighten(self.cuts, node.state, start=node.scenario, stop_below=self.cutoff, report=self._go_on)
        if found.upper < node.bound:
            node.bound, node.scenario = found.upper, found.scenario
        return found

    def evaluate(self, plan: NDArray, start: NDArray | None = None) -> float:
        """Return a bound on the worth of a plan: its exact worst case if it is better than the best so far."""
        plan = np.asarray(plan, np.int8)
        key = plan.tobytes()
        if key in self.known:
            return self.known[key]
        first = self.best is None
        if start is None and self.worst is not None:
            start = self.worst.scenario
        found = tighten(
            self.cuts,
            plan,
            start=start,
            stop_below=self.profit,
            report=None if first else self._go_on,
        )
        self.known[key] = found.upper
        if found.lower > self.profit:
            self.best, self.worst = plan, found
            self.told()
        return found.upper

    def rounded(self, found: Bound, state: NDArray, threshold: float = 0.5) -> NDArray[np.int8]:
        """Return the plan of what a mixture mostly uses, with every item that pays even when bought elsewhere."""
        pays = self.problem.profit >= self.problem.outsourcing
        return np.where(state == FREE, (found.used > threshold) | pays, state != OUT).astype(np.int8)
