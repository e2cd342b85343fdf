"""Formulas as data: built with ordinary Python operators, differentiated exactly, evaluated in any arithmetic.

A cost is written once, ``f = x**2 / 2 + 10 * x * y``, with variables from :func:`variables`. The same formula is then
evaluated on floats, on outward-rounded intervals and, by the checker, on python-flint balls. It is stored in a
certificate as a list of instructions, never as source text, and nothing is ever passed to ``eval``.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from workbench import checks

Number = Union["Expression", float, int]
KNOWN = "exp, log, sqrt, tanh, sigmoid, sin and cos"


class Expression:
    """A node of a formula: an operation, its arguments and, for constants, variables and powers, a number."""

    __slots__ = ("arguments", "operation", "value")

    def __init__(self, operation: str, arguments: tuple["Expression", ...] = (), value: float | int = 0) -> None:
        self.operation, self.arguments, self.value = operation, arguments, value

    def __add__(self, other: Number) -> "Expression":
        a, b = self, wrap(other)
        return b if _is(a, 0) else a if _is(b, 0) else Expression("add", (a, b))

    def __radd__(self, other: Number) -> "Expression":
        return wrap(other) + self

    def __sub__(self, other: Number) -> "Expression":
        a, b = self, wrap(other)
        return -b if _is(a, 0) else a if _is(b, 0) else Expression("sub", (a, b))

    def __rsub__(self, other: Number) -> "Expression":
        return wrap(other) - self

    def __mul__(self, other: Number) -> "Expression":
        a, b = self, wrap(other)
        if _is(a, 0) or _is(b, 0):
            return wrap(0.0)
        return b if _is(a, 1) else a if _is(b, 1) else Expression("mul", (a, b))

    def __rmul__(self, other: Number) -> "Expression":
        return wrap(other) * self

    def __truediv__(self, other: Number) -> "Expression":
        a, b = self, wrap(other)
        return a if _is(a, 0) or _is(b, 1) else Expression("div", (a, b))

    def __rtruediv__(self, other: Number) -> "Expression":
        return wrap(other) / self

    def __neg__(self) -> "Expression":
        return wrap(-self.value) if self.operation == "const" else Expression("neg", (self,))

    def __pow__(self, exponent: int) -> "Expression":
        n = checks.integer("an exponent", exponent, minimum=0, maximum=64)
        return wrap(1.0) if n == 0 else self if n == 1 else Expression("pow", (self,), n)

    def __bool__(self) -> bool:
        raise TypeError("a formula has no truth value; costs must be written without if or comparisons")

    def _compare(self, other: object) -> bool:
        return bool(self)

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _compare
    __hash__ = object.__hash__

    def __abs__(self) -> "Expression":
        raise TypeError("|x| has no derivative at 0; write sqrt(x**2 + a small number), or split the region there")

    def __float__(self) -> float:
        raise TypeError(f"a formula is no number: use the functions of workbench.games.expressions, {KNOWN}")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Let NumPy's functions mean those of this module, on formulas and on arrays of formulas."""
        function = UFUNCS.get(ufunc.__name__)
        if function is None or method != "__call__" or options:
            raise TypeError(f"numpy.{ufunc.__name__} is no function of formulas; there are {KNOWN}")
        if any(isinstance(given, np.ndarray) for given in inputs):
            return np.frompyfunc(function, len(inputs), 1)(*inputs)
        return function(*inputs)


def wrap(value: Number) -> Expression:
    """Return ``value`` as a node; numbers must be finite."""
    return value if isinstance(value, Expression) else Expression("const", (), checks.real("a constant", value))


def _is(node: Expression, value: float) -> bool:
    return node.operation == "const" and node.value == value


def variables(count: int) -> list[Expression]:
    """Return the coordinates x_0 .. x_{count-1} as formulas."""
    return [Expression("var", (), k) for k in range(checks.integer("count", count, minimum=1))]


def exp(x: Number) -> Expression:
    """The exponential of a formula."""
    return Expression("exp", (wrap(x),))


def log(x: Number) -> Expression:
    """The natural logarithm of a formula."""
    return Expression("log", (wrap(x),))


def sqrt(x: Number) -> Expression:
    """The square root of a formula."""
    return Expression("sqrt", (wrap(x),))


def tanh(x: Number) -> Expression:
    """The hyperbolic tangent of a formula."""
    return Expression("tanh", (wrap(x),))


def sigmoid(x: Number) -> Expression:
    """The logistic function 1/(1+exp(-x)) of a formula."""
    return Expression("sigmoid", (wrap(x),))


def sin(x: Number) -> Expression:
    """The sine of a formula."""
    return Expression("sin", (wrap(x),))


def cos(x: Number) -> Expression:
    """The cosine of a formula."""
    return Expression("cos", (wrap(x),))


UFUNCS: dict[str, Callable[..., Any]] = {
    "exp": exp, "log": log, "sqrt": sqrt, "tanh": tanh, "sin": sin, "cos": cos,
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv,
    "negative": operator.neg, "positive": lambda x: x, "power": operator.pow, "square": lambda x: x**2,
    "absolute": abs,
}  # fmt: skip


for _name in ("exp", "log", "sqrt", "tanh", "sin", "cos"):  # NumPy asks the entries of an array for their methods
    setattr(Expression, _name, UFUNCS[_name])


def derivative(node: Expression, variable: int, memo: dict[int, Expression] | None = None) -> Expression:
    """Return the exact derivative with respect to x_variable; shared parts are differentiated once (``memo``).

    >>> x, y = variables(2)
    >>> program = compile_program([derivative(x * sin(y), 1)], 2)
    >>> [float(value) for value in program([2.0, 0.0], FloatFunctions())]
    [2.0]
    """
    memo = {} if memo is None else memo
    for part in _ordered([node]):
        if id(part) not in memo:
            memo[id(part)] = _rule(part, [memo[id(a)] for a in part.arguments], variable)
    return memo[id(node)]


def _rule(node: Expression, d: list[Expression], variable: int) -> Expression:
    """The derivative of one node from those of its arguments."""
    op, args = node.operation, node.arguments
    if op in ("const", "var"):
        return wrap(1.0 if op == "var" and node.value == variable else 0.0)
    if op == "add":
        return d[0] + d[1]
    if op == "sub":
        return d[0] - d[1]
    if op == "mul":
        return d[0] * args[1] + args[0] * d[1]
    if op == "div":
        return (d[0] - node * d[1]) / args[1]
    if op == "neg":
        return -d[0]
    return _outer_derivative(node) * d[0]


def _outer_derivative(node: Expression) -> Expression:
    """g'(u) of a node g(u)."""
    op, u = node.operation, node.arguments[0]
    if op == "pow":
        return float(node.value) * u ** (int(node.value) - 1)
    if op == "exp":
        return node
    if op == "log":
        return 1.0 / u
    if op == "sqrt":
        return 0.5 / node
    if op == "tanh":
        return 1.0 - node**2
    if op == "sigmoid":
        return node * (1.0 - node)
    return cos(u) if op == "sin" else -sin(u)


def _ordered(outputs: Sequence[Expression]) -> list[Expression]:
    """Return all nodes below ``outputs``, arguments before users, without recursion."""
    order: list[Expression] = []
    seen: set[int] = set()
    stack: list[tuple[Expression, bool]] = [(node, False) for node in reversed(outputs)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((a, False) for a in node.arguments if id(a) not in seen)
    return order


@dataclass(frozen=True)
class Program:
    """Formulas as straight-line code: ``instructions`` in order, each (operation, argument numbers, value)."""

    inputs: int
    instructions: tuple[tuple[str, tuple[int, ...], float | int], ...]
    outputs: tuple[int, ...]

    def __call__(self, inputs: Sequence[Any], functions: Any) -> list[Any]:
        """Evaluate on any numbers; ``functions`` supplies const, pow and the elementary functions by name."""
        values: list[Any] = []
        for operation, arguments, value in self.instructions:
            a = [values[k] for k in arguments]
            values.append(_apply(operation, a, value, inputs, functions))
        return [values[k] for k in self.outputs]

    def payload(self) -> dict[str, Any]:
        """Return the program as JSON-ready lists."""
        return {
            "inputs": self.inputs,
            "instructions": [[op, list(arguments), value] for op, arguments, value in self.instructions],
            "outputs": list(self.outputs),
        }


def compile_program(outputs: Sequence[Expression], inputs: int) -> Program:
    """Return straight-line code for several formulas; equal sub-formulas are computed once."""
    numbers: dict[int, int] = {}
    known: dict[tuple[Any, ...], int] = {}
    instructions: list[tuple[str, tuple[int, ...], float | int]] = []
    for node in _ordered(outputs):
        if node.operation == "var" and int(node.value) >= inputs:
            raise ValueError(f"the formula uses x_{int(node.value)} but there are {inputs} coordinates")
        key = (node.operation, tuple(numbers[id(a)] for a in node.arguments), node.value)
        if key not in known:
            known[key] = len(instructions)
            instructions.append(key)
        numbers[id(node)] = known[key]
    return Program(inputs, tuple(instructions), tuple(numbers[id(node)] for node in outputs))


def _apply(op: str, a: list[Any], value: float | int, inputs: Sequence[Any], functions: Any) -> Any:
    if op == "const":
        return functions.const(value)
    if op == "var":
        return inputs[int(value)]
    if op == "add":
        return a[0] + a[1]
    if op == "sub":
        return a[0] - a[1]
    if op == "mul":
        return a[0] * a[1]
    if op == "div":
        return a[0] / a[1]
    if op == "neg":
        return -a[0]
    if op == "pow":
        return functions.pow(a[0], int(value))
    return getattr(functions, op)(a[0])


class FloatFunctions:
    """The elementary functions on floats and NumPy arrays."""

    const = staticmethod(float)
    pow = staticmethod(lambda x, n: x**n)
    exp, log, sqrt, tanh, sin, cos = np.exp, np.log, np.sqrt, np.tanh, np.sin, np.cos

    @staticmethod
    def sigmoid(x: NDArray) -> NDArray:
        """1/(1+exp(-x)) without overflow."""
        return 0.5 * (1 + np.tanh(0.5 * x))


class FormulaFunctions:
    """The elementary functions on formulas: running a program on formulas substitutes them for its inputs."""

    const = staticmethod(wrap)
    pow = staticmethod(lambda x, n: x**n)
    exp, log, sqrt, tanh, sigmoid, sin, cos = map(staticmethod, (exp, log, sqrt, tanh, sigmoid, sin, cos))
