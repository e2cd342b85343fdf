"""The cuts that were found, and the linear programme over them, kept warm between calls."""

import highspy
import numpy as np
from numpy.typing import NDArray

from workbench.games.robust.problem import Knapsack
from workbench.games.robust.relaxation import OUT, Relaxation, bases
from workbench.games.robust.simplex import place, reoptimise
from workbench.games.robust.solver import Silent


class Cuts:
    """The linear programme min z, z ≥ A_j - Σ_i p̂_i ξ_i (y_ij - r_ij) over the scenarios.

    ``recourses`` (room, n) holds ``count`` recourses; inside, everything is counted in units of the largest loss.
    """

    def __init__(self, problem: Knapsack) -> None:
        self.problem = problem
        self.relaxation = Relaxation(problem)
        self.loss = problem.loss.astype(np.float64)
        self.unit = max(1.0, float(problem.loss.max()))
        n = problem.items
        self.recourses = np.zeros((256, n), np.int8)
        self._hits = np.zeros((256, n))
        self._level, self._norm = np.zeros(256), np.ones(256)
        self.count = 0
        self._state: NDArray[np.int8] | None = None
        self.add(np.zeros(n, np.int8), 0.0)  # to do nothing is allowed in every node: the programme stays bounded
        self._from_scratch()

    def _from_scratch(self) -> None:
        """Go back to the first basis: no item hit, the cut of doing nothing."""
        n = self.problem.items
        self._inverse = np.eye(n + 1)
        self._basis = np.append(np.arange(n), 2 * n + 1)
        self._point = np.zeros(n + 1)
        self._place()

    def _place(self) -> None:
        place(self._inverse, self._basis, self._point, self._level, self.problem.budget)

    @property
    def arrays(self) -> tuple[NDArray, ...]:
        """What the kernels change: inverse, basis, point, recourses, hits, levels and lengths."""
        return self._inverse, self._basis, self._point, self.recourses, self._hits, self._level, self._norm

    def room_for(self, more: int) -> None:
        """Make room for so many further cuts."""
        while self.count + more > len(self.recourses):
            self.recourses = np.concatenate([self.recourses, np.zeros_like(self.recourses)])
            self._hits = np.concatenate([self._hits, np.zeros_like(self._hits)])
            self._level = np.concatenate([self._level, np.zeros_like(self._level)])
            self._norm = np.concatenate([self._norm, np.ones_like(self._norm)])

    def add(self, choices: NDArray[np.int8], level: float) -> bool:
        """Add the cut of one recourse at its ``level`` A; False if it is there already."""
        if (self.recourses[: self.count] == choices).all(axis=1).any():
            return False
        self.room_for(1)
        k, hit = self.count, np.where(choices == 1, self.loss, 0.0) / self.unit
        self.recourses[k], self._hits[k] = choices, hit
        self._level[k], self._norm[k] = level / self.unit, np.sqrt(1.0 + hit @ hit)
        self.count += 1
        return True

    def level_of(self, state: NDArray, choices: NDArray) -> float:
        """Return A of one recourse in a node."""
        base = bases(self.problem, state)
        return float(base.sum() + ((self.problem.profit - base) * (choices > 0)).sum())

    def at(self, state: NDArray) -> None:
        """Move the programme to a node.

        A recourse that uses an item that is out is lowered so far that it cannot be active at the optimum.
        """
        if self._state is not None and np.array_equal(self._state, state):
            return
        self._state = np.array(state, np.int8)
        used = self.recourses[: self.count] > 0
        base = bases(self.problem, state)
        level = (base.sum() + used @ (self.problem.profit - base)) / self.unit
        out = used[:, state == OUT].any(axis=1)
        level[out] = level[~out].min() - 2.0 * self.problem.items
        self._level[: self.count] = level
        self._place()

    def solve(self) -> float:
        """Return z of the programme as it stands."""
        n = self.problem.items
        inverse, basis, point, _, hits, level, norm = self.arrays
        if reoptimise(inverse, basis, point, hits, level, norm, self.count, self.problem.budget, 40 * n + 400) < 0:
            self.restart()
        return float(self._point[n] * self.unit)

    def mixture(self) -> NDArray[np.float64]:
        """Return the multipliers of the cuts, shape (count,)."""
        n = self.problem.items
        weights = np.zeros(self.count)
        cut = self._basis > 2 * n
        weights[self._basis[cut] - 2 * n - 1] = np.maximum(self._inverse[cut, n], 0.0)
        return weights

    def restart(self) -> None:
        """Solve the programme with HiGHS and stand where it ends: for a sequence of exchanges that did not end."""
        n, m = self.problem.items, self.count
        lp = Silent()
        lp.addVars(n + 1, np.r_[np.zeros(n), -highspy.kHighsInf], np.r_[np.ones(n), highspy.kHighsInf])
        lp.changeColCost(n, 1.0)
        lp.addRow(-highspy.kHighsInf, self.problem.budget, n, np.arange(n, dtype=np.int32), np.ones(n))
        for k in range(m):
            hit = np.flatnonzero(self._hits[k]).astype(np.int32)
            index = np.append(hit, np.int32(n))
            lp.addRow(self._level[k], highspy.kHighsInf, index.size, index, np.append(self._hits[k][hit], 1.0))
        lp.run()
        if lp.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise ArithmeticError("the linear programme of the worst case was not solved; scale the data down")
        status = lp.getBasis()
        at_low, at_high = highspy.HighsBasisStatus.kLower, highspy.HighsBasisStatus.kUpper
        active = [i for i in range(n) if status.col_status[i] == at_low]
        active += [n + i for i in range(n) if status.col_status[i] == at_high]
        active += [2 * n] if status.row_status[0] == at_high else []
        active += [2 * n + 1 + k for k in range(m) if status.row_status[k + 1] == at_low]
        if len(active) != n + 1:
            raise ArithmeticError("the linear programme of the worst case is degenerate beyond what can be mended")
        self._basis = np.array(active)
        rows = np.zeros((n + 1, n + 1))
        for p, constraint in enumerate(active):
            if constraint < n:
                rows[p, constraint] = 1.0
            elif constraint < 2 * n:
                rows[p, constraint - n] = -1.0
            elif constraint == 2 * n:
                rows[p, :n] = -1.0
            else:
                rows[p] = np.append(self._hits[constraint - 2 * n - 1], 1.0)
        self._inverse = np.ascontiguousarray(np.linalg.inv(rows).T)
        self._place()
