"""Formulas that somebody typed, read by a closed grammar into a list of operations; nothing is ever evaluated as code.

Numbers, the coordinates x, y, z, the constants pi and e, ``+ - * /``, powers (``^`` or ``**``), brackets and a few
functions; signs that people copy from papers (−, ·, ×, π, ², ³) are understood. Length and depth are bounded before a
formula is read, so its cost on an array is too.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LONGEST = 300
DEEPEST = 30
COORDINATES = ("x", "y", "z")
CONSTANTS: Mapping[str, float] = {"pi": np.pi, "e": np.e}
FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "sin": (1, np.sin),
    "cos": (1, np.cos),
    "tan": (1, np.tan),
    "arctan": (1, np.arctan),
    "tanh": (1, np.tanh),
    "exp": (1, np.exp),
    "log": (1, np.log),
    "sqrt": (1, np.sqrt),
    "abs": (1, np.abs),
    "sign": (1, np.sign),
    "step": (1, lambda u: np.heaviside(u, 1.0)),
    "min": (2, np.minimum),
    "max": (2, np.maximum),
}
"""Name → number of arguments and the function; ``step`` is 1 from 0 on."""
OPERATORS: Mapping[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
}
ALLOWED = (
    f"numbers, {', '.join(COORDINATES)}, {', '.join(CONSTANTS)}, + - * / ^, brackets and the functions "
    f"{', '.join(FUNCTIONS)}"
)
_SIGNS = str.maketrans({"−": "-", "–": "-", "·": "*", "×": "*", "π": "pi ", "²": "^2", "³": "^3"})
_TOKEN = re.compile(r"(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|(\*\*|[-+*/^(),])", re.A)


@dataclass(frozen=True)
class Formula:
    """A formula as ``text`` and as operations in reverse Polish order: (what, number, name or arity)."""

    text: str
    operations: tuple[tuple[str, Any], ...]

    @property
    def dimension(self) -> int:
        """1 for a formula of x alone (or of nothing), 2 with y, 3 with z."""
        used = {value for what, value in self.operations if what == "coordinate"}
        return max([COORDINATES.index(name) + 1 for name in used], default=1)

    def __call__(self, *coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values at the places given as one array for each coordinate.

        Raises ``ValueError`` for too few coordinates, and where a value is not finite: the first such place is named.
        """
        if len(coordinates) < self.dimension:
            raise ValueError(f"the formula {self.text!r} has {self.dimension} coordinates, got {len(coordinates)}")
        stack: list[Any] = []
        with np.errstate(all="ignore"):  # what is not finite is looked for below, and told with its place
            for what, value in self.operations:
                if what == "number":
                    stack.append(np.float64(value))
                elif what == "coordinate":
                    stack.append(np.asarray(coordinates[COORDINATES.index(value)], dtype=float))
                elif what == "negative":
                    stack.append(np.negative(stack.pop()))
                else:
                    arity, function = (2, OPERATORS[value]) if what == "operator" else FUNCTIONS[value]
                    arguments = stack[-arity:]
                    del stack[-arity:]
                    stack.append(function(*arguments))
        values = np.broadcast_to(np.asarray(stack.pop(), dtype=float), np.shape(coordinates[0])).copy()
        bad = np.flatnonzero(~np.isfinite(values.ravel()))
        if bad.size:
            where = ", ".join(
                f"{name} = {float(np.ravel(given)[bad[0]]):.4g}"
                for name, given in zip(COORDINATES, coordinates, strict=False)
            )
            raise ValueError(
                f"the formula {self.text!r} is not a finite number at {where} (and at {bad.size - 1} other places); "
                "choose one that is finite on [−1, 1]"
            )
        return values


def parse_formula(text: str) -> Formula:
    """Return a typed formula as data.

    Raises ``TypeError`` for what is no text, ``ValueError`` for one that is too long, nested too deep or outside the
    grammar; the sentence names the place.

    >>> formula = parse_formula("2 sin(pi*x) − x²")
    Traceback (most recent call last):
    ...
    ValueError: in the formula '2 sin(pi*x) − x²' at 'sin': an operator is missing; allowed are numbers, ...
    >>> formula = parse_formula("2*sin(pi*x) − x²")
    >>> formula(np.array([0.0, 0.5])).round(12).tolist()
    [0.0, 1.75]
    >>> parse_formula("max(x, y) * z").dimension
    3
    """
    if not isinstance(text, str):
        raise TypeError(f"a formula must be text, got {type(text).__name__}")
    if len(text) > LONGEST:
        raise ValueError(f"the formula has {len(text)} letters; up to {LONGEST} are read")
    if not text.strip():
        raise ValueError("the formula is empty; give one such as sin(6*x)")
    return _Reader(text).read()


class _Reader:
    """Recursive descent over the tokens: sum → product → sign → power → atom."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._tokens(text.translate(_SIGNS))
        self.place = 0
        self.depth = 0
        self.made: list[tuple[str, Any]] = []

    def _tokens(self, text: str) -> list[tuple[str, str]]:
        found, at = [], 0
        while text[at:].strip():
            at += len(text[at:]) - len(text[at:].lstrip())
            match = _TOKEN.match(text, at)
            if match is None:
                raise self._error(text[at], "this sign is not read")
            kind = ("number", "name", "sign")[match.lastindex - 1]
            found.append((kind, "^" if match.group() == "**" else match.group()))
            at = match.end()
        return [*found, ("end", "its end")]

    def _error(self, token: str, why: str) -> ValueError:
        return ValueError(f"in the formula {self.text!r} at {token!r}: {why}; allowed are {ALLOWED}")

    @property
    def token(self) -> tuple[str, str]:
        return self.tokens[self.place]

    def _takes(self, *signs: str) -> str:
        kind, value = self.token
        if kind == "sign" and value in signs:
            self.place += 1
            return value
        return ""

    def _expect(self, sign: str) -> None:
        if not self._takes(sign):
            raise self._error(self.token[1], f"{sign!r} is missing")

    def read(self) -> Formula:
        self._sum()
        if self.token[0] != "end":
            missing = "no bracket is open" if self.token[1] == ")" else "an operator is missing"
            raise self._error(self.token[1], missing)
        return Formula(self.text.strip(), tuple(self.made))

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._error(self.token[1], f"more than {DEEPEST} brackets, signs or powers inside one another")

    def _sum(self) -> None:
        self._product()
        while sign := self._takes("+", "-"):
            self._product()
            self.made.append(("operator", sign))

    def _product(self) -> None:
        self._signed()
        while sign := self._takes("*", "/"):
            self._signed()
            self.made.append(("operator", sign))

    def _signed(self) -> None:
        """A sign binds weaker than a power: −x² is −(x²)."""
        sign = self._takes("-", "+")
        if not sign:
            self._power()
            return
        self._deeper()
        self._signed()
        self.depth -= 1
        if sign == "-":
            self.made.append(("negative", None))

    def _power(self) -> None:
        self._atom()
        if self._takes("^"):
            self._deeper()
            self._signed()  # to the right first: 2^3^2 is 2^9
            self.depth -= 1
            self.made.append(("operator", "^"))

    def _atom(self) -> None:
        kind, value = self.token
        self.place += kind != "end"
        if kind == "number":
            self.made.append(("number", float(value)))
        elif kind == "name" and value in COORDINATES:
            self.made.append(("coordinate", value))
        elif kind == "name" and value in CONSTANTS:
            self.made.append(("number", CONSTANTS[value]))
        elif kind == "name" and value in FUNCTIONS:
            self._expect("(")
            self._inside(FUNCTIONS[value][0])
            self.made.append(("function", value))
        elif (kind, value) == ("sign", "("):
            self._inside(1)
        elif kind == "name":
            raise self._error(value, "this name is not known")
        else:
            raise self._error(value, "a number, a coordinate or a bracket is missing")

    def _inside(self, count: int) -> None:
        self._deeper()
        self._sum()
        for _ in range(count - 1):
            self._expect(",")
            self._sum()
        self._expect(")")
        self.depth -= 1
