"""Interval arithmetic with outward rounding, on whole arrays of boxes at once.

Every operation widens its result by at least one unit in the last place, so the true value of a real-number formula
always lies inside. NumPy's elementary functions are accurate to a few units in the last place but are not correctly
rounded, so they are widened by eight. These intervals *find* a certificate; the verdict is python-flint's
(:mod:`workbench.games.check`). Reference: R. Moore, R. Kearfott, M. Cloud, *Introduction to Interval Analysis*, 2009.
"""

from typing import Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

ULPS = 8
Operand = Union["Interval", float, NDArray]


class Interval:
    """The closed intervals [lo, hi], elementwise over arrays; NaN never appears, unknown is (-inf, inf).

    >>> product = Interval(-1.0, 2.0) * Interval(3.0, 4.0)
    >>> bool(product.contains(-4.0)), bool(product.contains(8.0)), bool(product.contains(8.1))
    (True, True, False)
    """

    __slots__ = ("hi", "lo")
    __array_ufunc__ = None  # let NumPy arrays on the left defer to our operators

    def __init__(self, lo: ArrayLike, hi: ArrayLike | None = None) -> None:
        self.lo = np.asarray(lo, dtype=np.float64)
        self.hi = self.lo if hi is None else np.asarray(hi, dtype=np.float64)

    def __add__(self, other: Operand) -> "Interval":
        b = _interval(other)
        return _outward(self.lo + b.lo, self.hi + b.hi)

    __radd__ = __add__

    def __neg__(self) -> "Interval":
        return Interval(-self.hi, -self.lo)

    def __sub__(self, other: Operand) -> "Interval":
        b = _interval(other)
        return _outward(self.lo - b.hi, self.hi - b.lo)

    def __rsub__(self, other: Operand) -> "Interval":
        return _interval(other) - self

    def __mul__(self, other: Operand) -> "Interval":
        b = _interval(other)
        with np.errstate(all="ignore"):
            products = [self.lo * b.lo, self.lo * b.hi, self.hi * b.lo, self.hi * b.hi]
        low = np.minimum(np.minimum(products[0], products[1]), np.minimum(products[2], products[3]))
        high = np.maximum(np.maximum(products[0], products[1]), np.maximum(products[2], products[3]))
        return _outward(low, high)

    __rmul__ = __mul__

    def __truediv__(self, other: Operand) -> "Interval":
        b = _interval(other)
        through_zero = (b.lo <= 0) & (b.hi >= 0)
        with np.errstate(all="ignore"):
            inverse = _outward(1 / b.hi, 1 / b.lo)
        return self * Interval(np.where(through_zero, -np.inf, inverse.lo), np.where(through_zero, np.inf, inverse.hi))

    def __rtruediv__(self, other: Operand) -> "Interval":
        return _interval(other) / self

    def magnitude(self) -> NDArray:
        """The largest absolute value."""
        return np.maximum(np.abs(self.lo), np.abs(self.hi))

    def contains(self, values: ArrayLike) -> NDArray:
        """Whether each value lies inside."""
        return (self.lo <= values) & (values <= self.hi)


def _interval(value: Operand) -> Interval:
    return value if isinstance(value, Interval) else Interval(value)


def _outward(low: NDArray, high: NDArray, ulps: int = 1) -> Interval:
    low, high = np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)
    for _ in range(ulps):
        low, high = np.nextafter(low, -np.inf), np.nextafter(high, np.inf)
    return Interval(low, high)


def _increasing(function: np.ufunc, x: Interval, floor: float, ceiling: float = np.inf) -> Interval:
    """The image under an increasing function with known range."""
    with np.errstate(all="ignore"):
        image = _outward(function(x.lo), function(x.hi), ULPS)
    return Interval(np.maximum(image.lo, floor), np.minimum(image.hi, ceiling))


class IntervalFunctions:
    """The elementary functions on intervals."""

    const = staticmethod(Interval)

    @staticmethod
    def pow(x: Interval, n: int) -> Interval:
        """x**n; an even power of an interval through zero starts at zero."""
        magnitude = Interval(np.where(x.contains(0.0), 0.0, np.minimum(np.abs(x.lo), np.abs(x.hi))), x.magnitude())
        if n % 2 == 0:
            result = magnitude
            for _ in range(n - 1):
                result = result * magnitude
            return Interval(np.maximum(result.lo, 0.0), result.hi)
        low, high = Interval(x.lo), Interval(x.hi)
        low_power, high_power = low, high
        for _ in range(n - 1):
            low_power, high_power = low_power * low, high_power * high
        return Interval(low_power.lo, high_power.hi)

    @staticmethod
    def exp(x: Interval) -> Interval:
        """Exponential."""
        return _increasing(np.exp, x, 0.0)

    @staticmethod
    def log(x: Interval) -> Interval:
        """Logarithm; unknown where the argument is not positive."""
        image = _increasing(np.log, Interval(np.maximum(x.lo, 0.0), np.maximum(x.hi, 0.0)), -np.inf)
        return Interval(image.lo, np.where(x.hi > 0, image.hi, np.inf))

    @staticmethod
    def sqrt(x: Interval) -> Interval:
        """Square root; unknown where the argument may be negative."""
        image = _increasing(np.sqrt, Interval(np.maximum(x.lo, 0.0), np.maximum(x.hi, 0.0)), 0.0)
        defined = x.lo >= 0
        return Interval(np.where(defined, image.lo, -np.inf), np.where(defined, image.hi, np.inf))

    @staticmethod
    def tanh(x: Interval) -> Interval:
        """Hyperbolic tangent."""
        return _increasing(np.tanh, x, -1.0, 1.0)

    @staticmethod
    def sigmoid(x: Interval) -> Interval:
        """Logistic function, through exp so that both tails keep their relative accuracy."""
        return 1.0 / (1.0 + IntervalFunctions.exp(-x))

    @staticmethod
    def cos(x: Interval) -> Interval:
        """Cosine: the two end values, and 1 or -1 where an extremum lies inside (or within rounding of it)."""
        with np.errstate(all="ignore"):
            ends = np.stack([np.cos(x.lo), np.cos(x.hi)])
            slack = 1e-12 * (1 + x.magnitude())
            first, last = np.ceil((x.lo - slack) / np.pi), np.floor((x.hi + slack) / np.pi)
        ends = np.where(np.isnan(ends), 0.0, ends)
        wide = ~(last - first < 1)
        even = wide | ((last >= first) & (np.mod(first, 2) == 0))
        odd = wide | ((last >= first) & (np.mod(first, 2) == 1))
        image = _outward(ends.min(axis=0), ends.max(axis=0), ULPS)
        return Interval(np.where(odd, -1.0, np.maximum(image.lo, -1.0)), np.where(even, 1.0, np.minimum(image.hi, 1.0)))

    @staticmethod
    def sin(x: Interval) -> Interval:
        """Sine, as a shifted cosine; pi/2 is enclosed."""
        return IntervalFunctions.cos(x - Interval(np.nextafter(np.pi / 2, 0.0), np.nextafter(np.pi / 2, 2.0)))
