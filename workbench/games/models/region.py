"""A box: the convex region on which bounds hold and onto which projected dynamics project."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks


@dataclass(frozen=True, eq=False)
class Box:
    """The product of the intervals [lower_k, upper_k], k = 0..d-1.

    Raises ``ValueError`` if it is unbounded, has NaN, is empty (upper < lower) or flat (upper = lower).

    >>> box = Box([0, 0], [2, 1])
    >>> box.centre.tolist(), bool(box.contains([1.5, 0.5]))
    ([1.0, 0.5], True)
    """

    lower: NDArray
    upper: NDArray

    def __post_init__(self) -> None:
        lower, upper = (np.atleast_1d(np.asarray(side, dtype=np.float64)) for side in (self.lower, self.upper))
        if lower.shape != upper.shape or lower.ndim != 1:
            raise ValueError(f"a box needs two vectors of one length, got shapes {lower.shape} and {upper.shape}")
        if np.any(np.isinf(lower)) or np.any(np.isinf(upper)):
            raise ValueError("the region is unbounded; interval bounds need a bounded box, so give finite sides")
        checks.finite_array("lower", lower)
        checks.finite_array("upper", upper)
        if np.any(upper <= lower):
            k = int(np.argmax(lower - upper))
            raise ValueError(f"the region is empty or flat in coordinate {k}: from {lower[k]} to {upper[k]}")
        object.__setattr__(self, "lower", _frozen(lower))
        object.__setattr__(self, "upper", _frozen(upper))

    @staticmethod
    def around(centre: ArrayLike, radius: ArrayLike) -> "Box":
        """Return the box of half-widths ``radius`` (a number or one a coordinate) around ``centre``."""
        c = np.atleast_1d(np.asarray(centre, dtype=np.float64))
        return Box(c - radius, c + radius)

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return int(self.lower.size)

    @property
    def centre(self) -> NDArray:
        """The midpoint."""
        return 0.5 * self.lower + 0.5 * self.upper

    @property
    def width(self) -> NDArray:
        """The side lengths."""
        return self.upper - self.lower

    def contains(self, points: ArrayLike) -> NDArray:
        """Return for each of the (..., d) points whether it lies in the box."""
        p = np.asarray(points)
        return np.all((p >= self.lower) & (p <= self.upper), axis=-1)

    def project(self, points: NDArray) -> NDArray:
        """Return the nearest points of the box; non-expansive in every M(w), because it acts by coordinate."""
        return np.clip(points, self.lower, self.upper)

    def sample(self, count: int, seed: int | np.random.Generator = 0) -> NDArray:
        """Return (count, d) uniform points of the box."""
        return self.lower + self.width * checks.generator(seed).random((count, self.dimension))

    def vertices(self) -> NDArray:
        """Return the (2^d, d) corners; refused above 16 coordinates."""
        checks.integer("the dimension of a box whose corners are listed", self.dimension, maximum=16)
        bits = (np.arange(2**self.dimension)[:, None] >> np.arange(self.dimension)) & 1
        return np.where(bits == 1, self.upper, self.lower)

    def describe(self) -> dict[str, NDArray]:
        """Return the sides, for a result's provenance."""
        return {"lower": self.lower, "upper": self.upper}


def _frozen(array: NDArray) -> NDArray:
    copy = array.copy()
    copy.setflags(write=False)
    return copy
