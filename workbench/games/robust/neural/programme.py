"""A mixed-integer programme that is written row by row, with rectifiers in it."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from workbench.games.robust.neural.network import Layers
from workbench.games.robust.solver import INFINITE, minimise


class Programme:
    """Variables with bounds, rows over them, and perceptrons of affine functions of them.

    >>> one = Programme()
    >>> v = one.variables(1, -1.0, 1.0, cost=-1.0)
    >>> found = one.solve(5.0)
    >>> float(found[0][v[0]])
    1.0
    """

    def __init__(self) -> None:
        self._cost: list[NDArray] = []
        self._low: list[NDArray] = []
        self._high: list[NDArray] = []
        self._whole: list[NDArray] = []
        self._places: list[NDArray] = []
        self._values: list[NDArray] = []
        self._lower: list[float] = []
        self._upper: list[float] = []
        self.count = 0
        self.binaries = 0

    def variables(
        self,
        count: int,
        low: float | NDArray = 0.0,
        high: float | NDArray = 1.0,
        *,
        whole: bool = False,
        cost: float | NDArray = 0.0,
    ) -> NDArray[np.int64]:
        """Add so many variables; return their places."""
        places = np.arange(self.count, self.count + count)
        self._low.append(np.broadcast_to(np.asarray(low, float), count))
        self._high.append(np.broadcast_to(np.asarray(high, float), count))
        self._cost.append(np.broadcast_to(np.asarray(cost, float), count))
        if whole:
            self._whole.append(places)
            self.binaries += count
        self.count += count
        return places

    def row(self, places: NDArray, values: NDArray, *, least: float = -INFINITE, most: float = INFINITE) -> None:
        """Add least ≤ Σ values · variables ≤ most."""
        self._places.append(np.asarray(places))
        self._values.append(np.asarray(values, float))
        self._lower.append(least)
        self._upper.append(most)

    def rectified(
        self, places: NDArray, matrix: NDArray, shift: NDArray, low: NDArray, high: NDArray
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Add h = max(matrix · variables + shift, 0), given bounds of the argument; return (places, upper bounds).

        A rectifier that cannot change sign costs no binary variable.
        """
        tops = np.maximum(high, 0.0)
        h = self.variables(len(shift), 0.0, tops)
        for k in range(len(shift)):
            if high[k] <= 0.0:
                continue
            inner, values = np.append(places, h[k]), np.append(-matrix[k], 1.0)
            if low[k] >= 0.0:
                self.row(inner, values, least=shift[k], most=shift[k])
                continue
            on = self.variables(1, whole=True)[0]
            self.row(inner, values, least=shift[k])
            self.row(np.append(inner, on), np.append(values, -low[k]), most=shift[k] - low[k])
            self.row(np.array([h[k], on]), np.array([1.0, -high[k]]), most=0.0)
        return h, tops

    def hidden(
        self, part: Layers, places: NDArray, matrix: NDArray, shift: NDArray, low: NDArray, high: NDArray
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Add the rectifiers of a perceptron of matrix · variables + shift, the variables being in [low, high]."""
        inner, offset = part[0] @ matrix, part[0] @ shift + part[1]
        least, most = reach(inner, offset, low, high)
        return self.rectified(places, inner, offset, least, most)

    def solve(
        self, seconds: float, start: tuple[NDArray, NDArray] | None = None
    ) -> tuple[NDArray[np.float64], float] | None:
        """Minimise; return (values, bound on the cost), None if no solution was found in so many seconds."""
        lengths = [len(places) for places in self._places]
        rows = sparse.csr_matrix(
            (np.concatenate(self._values), np.concatenate(self._places), np.r_[0, np.cumsum(lengths)]),
            shape=(len(lengths), self.count),
        ) if lengths else sparse.csr_matrix((0, self.count))  # fmt: skip
        whole = np.concatenate(self._whole) if self._whole else np.zeros(0, np.int64)
        return minimise(
            rows, np.concatenate(self._cost), np.array(self._lower), np.array(self._upper),
            np.concatenate(self._high), whole, seconds, low=np.concatenate(self._low), start=start,
        )  # fmt: skip


def reach(matrix: NDArray, shift: NDArray, low: NDArray, high: NDArray) -> tuple[NDArray, NDArray]:
    """Return the least and the most of matrix · v + shift over low ≤ v ≤ high.

    >>> [bound.tolist() for bound in reach(np.array([[1.0, -2.0]]), np.zeros(1), np.zeros(2), np.ones(2))]
    [[-2.0], [1.0]]
    """
    up, down = np.maximum(matrix, 0.0), np.minimum(matrix, 0.0)
    return up @ low + down @ high + shift, up @ high + down @ low + shift
