"""Second-order jets: a value carried with its gradient and Hessian, over floats or over python-flint's balls.

A surface's formula is written once; with floats a jet gives numbers, with balls it gives enclosures of the energy, the
gradient and the Hessian over a whole box. The balls round outwards, so an enclosure is a proof.

>>> x, y = variables([2.0, 3.0])
>>> jet = x * x * y
>>> jet.value, jet.gradient, jet.hessian
(12.0, [12.0, 4.0], [[6.0, 4.0], [4.0, 0.0]])
"""

import math
from collections.abc import Sequence
from typing import Any

from flint import arb

Scalar = Any
"""A float or a ball (``flint.arb``)."""


def exponential(value: Scalar) -> Scalar:
    """Return eˣ of a float or a ball."""
    return value.exp() if isinstance(value, arb) else math.exp(value)


def square_root(value: Scalar) -> Scalar:
    """Return √x of a float or a ball."""
    return value.sqrt() if isinstance(value, arb) else math.sqrt(value)


def _elementary(value: Scalar, name: str) -> Scalar:
    """Return sin, cos or log of a float or a ball."""
    return getattr(value, name)() if isinstance(value, arb) else getattr(math, name)(value)


class Jet:
    """A value, its gradient (n) and its Hessian (n × n) with respect to n variables."""

    __slots__ = ("gradient", "hessian", "value")

    def __init__(self, value: Scalar, gradient: list[Scalar], hessian: list[list[Scalar]]) -> None:
        self.value, self.gradient, self.hessian = value, gradient, hessian

    def _chain(self, value: Scalar, first: Scalar, second: Scalar) -> "Jet":
        """Return f(self) from f, f′ and f″ at the value."""
        g, h = self.gradient, self.hessian
        n = range(len(g))
        return Jet(value, [first * g[i] for i in n], [[first * h[i][j] + second * g[i] * g[j] for j in n] for i in n])

    def __add__(self, other: "Jet | Scalar") -> "Jet":
        if not isinstance(other, Jet):
            return Jet(self.value + other, self.gradient, self.hessian)
        gradient = [a + b for a, b in zip(self.gradient, other.gradient, strict=True)]
        rows = zip(self.hessian, other.hessian, strict=True)
        return Jet(self.value + other.value, gradient, [[a + b for a, b in zip(*pair, strict=True)] for pair in rows])

    __radd__ = __add__

    def __mul__(self, other: "Jet | Scalar") -> "Jet":
        if not isinstance(other, Jet):
            return self._chain(self.value * other, other, 0 * other)
        a, b, g, k = self.value, other.value, self.gradient, other.gradient
        n = range(len(g))
        hessian = [[a * other.hessian[i][j] + b * self.hessian[i][j] + g[i] * k[j] + g[j] * k[i] for j in n] for i in n]
        return Jet(a * b, [a * k[i] + b * g[i] for i in n], hessian)

    __rmul__ = __mul__

    def __neg__(self) -> "Jet":
        return self * -1.0

    def __sub__(self, other: "Jet | Scalar") -> "Jet":
        return self + (-other)

    def __rsub__(self, other: Scalar) -> "Jet":
        return (-self) + other

    def __pow__(self, power: int) -> "Jet":
        if isinstance(power, bool) or not isinstance(power, int) or not 0 <= power <= 64:
            raise ValueError(f"a power of a jet must be a whole number from 0 to 64, got {power!r}; use exp and log")
        x, n = self.value, power
        first = n * x ** (n - 1) if n > 0 else 0.0 * x
        second = n * (n - 1) * x ** (n - 2) if n > 1 else 0.0 * x
        return self._chain(x**n, first, second)

    def __truediv__(self, other: "Jet | Scalar") -> "Jet":
        if not isinstance(other, Jet):
            return self * (1 / other)
        x = other.value
        return self * other._chain(1 / x, -1 / x**2, 2 / x**3)

    def __rtruediv__(self, other: Scalar) -> "Jet":
        return (self * 0.0 + 1.0) / self * other

    def exp(self) -> "Jet":
        """Return eˣ."""
        value = exponential(self.value)
        return self._chain(value, value, value)

    def sqrt(self) -> "Jet":
        """Return √x, for x > 0."""
        root = square_root(self.value)
        return self._chain(root, 0.5 / root, -0.25 / (root * self.value))

    def log(self) -> "Jet":
        """Return the natural logarithm, for x > 0."""
        x = self.value
        return self._chain(_elementary(x, "log"), 1 / x, -1 / x**2)

    def sin(self) -> "Jet":
        """Return the sine."""
        sine, cosine = _elementary(self.value, "sin"), _elementary(self.value, "cos")
        return self._chain(sine, cosine, -sine)

    def cos(self) -> "Jet":
        """Return the cosine."""
        sine, cosine = _elementary(self.value, "sin"), _elementary(self.value, "cos")
        return self._chain(cosine, -sine, -cosine)


def variables(values: Sequence[Scalar]) -> list[Jet]:
    """Return the independent variables themselves as jets."""
    n = len(values)
    return [
        Jet(value, [0.0 * value + (1.0 if i == k else 0.0) for i in range(n)], [[0.0 * value] * n for _ in range(n)])
        for k, value in enumerate(values)
    ]
