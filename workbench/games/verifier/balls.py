"""Second derivatives of stored formulas over a box, in ball arithmetic, by Taylor jets.

The finder differentiates symbolically and uses intervals; here the same formulas are run once more with numbers that
carry their own first and second derivatives, so a mistake in one is not repeated in the other.
"""

from collections.abc import Callable, Sequence
from typing import Any

from flint import arb

from workbench.games.verifier.document import Refused

LARGEST_PROGRAM = 100_000


class Jet:
    """A value with its gradient and (order 2) Hessian; missing entries are zero."""

    __slots__ = ("first", "second", "value")

    def __init__(self, value: arb, first: dict[int, arb], second: dict[tuple[int, int], arb]) -> None:
        self.value, self.first, self.second = value, first, second


def combine(a: Jet, b: Jet, sign: int) -> Jet:
    """Return a + sign b."""
    first, second = dict(a.first), dict(a.second)
    for key, entry in b.first.items():
        first[key] = first[key] + sign * entry if key in first else sign * entry
    for pair, entry in b.second.items():
        second[pair] = second[pair] + sign * entry if pair in second else sign * entry
    return Jet(a.value + sign * b.value, first, second)


def multiply(a: Jet, b: Jet, order: int) -> Jet:
    """Return a b by Leibniz' rule."""
    first = {k: b.value * entry for k, entry in a.first.items()}
    for k, entry in b.first.items():
        first[k] = first[k] + a.value * entry if k in first else a.value * entry
    second: dict[tuple[int, int], arb] = {}
    if order == 2:
        for scale, jet in ((b.value, a), (a.value, b)):
            for pair, entry in jet.second.items():
                second[pair] = second[pair] + scale * entry if pair in second else scale * entry
        for k, left in a.first.items():
            for l, right in b.first.items():
                pair, term = (min(k, l), max(k, l)), left * right
                term = 2 * term if k == l else term
                second[pair] = second[pair] + term if pair in second else term
    return Jet(a.value * b.value, first, second)


def chain(a: Jet, derivatives: tuple[arb, arb, arb], order: int) -> Jet:
    """Return g(a) from g, g' and g'' at the value of a."""
    value, slope, curvature = derivatives
    first = {k: slope * entry for k, entry in a.first.items()}
    second = {pair: slope * entry for pair, entry in a.second.items()}
    if order == 2:
        keys = sorted(a.first)
        for i, k in enumerate(keys):
            for l in keys[i:]:
                term = curvature * (a.first[k] ** 2 if k == l else a.first[k] * a.first[l])
                second[k, l] = second[k, l] + term if (k, l) in second else term
    return Jet(value, first, second)


def _logistic(x: arb) -> tuple[arb, arb, arb]:
    s = 1 / (1 + (-x).exp())
    return s, s * (1 - s), s * (1 - s) * (1 - 2 * s)


def _tanh(x: arb) -> tuple[arb, arb, arb]:
    t = x.tanh()
    return t, 1 - t**2, -2 * t * (1 - t**2)


def _sqrt(x: arb) -> tuple[arb, arb, arb]:
    r = x.sqrt()
    return r, 1 / (2 * r), -1 / (4 * r**3)


ELEMENTARY: dict[str, Callable[[arb], tuple[arb, arb, arb]]] = {
    "exp": lambda x: (x.exp(),) * 3,
    "log": lambda x: (x.log(), 1 / x, -1 / x**2),
    "sqrt": _sqrt,
    "tanh": _tanh,
    "sigmoid": _logistic,
    "sin": lambda x: (x.sin(), x.cos(), -x.sin()),
    "cos": lambda x: (x.cos(), -x.sin(), -x.cos()),
}


def power(x: arb, n: int) -> tuple[arb, arb, arb]:
    """x^n with two derivatives; an even power of a ball through zero is not negative."""

    def whole(k: int) -> arb:
        value = x**k
        return value.nonnegative_part() if k % 2 == 0 and k > 0 else value

    return whole(n), n * whole(n - 1), n * (n - 1) * whole(n - 2) if n > 1 else arb(0)


def run(program: dict[str, Any], box: Sequence[arb], order: int) -> list[Jet]:
    """Evaluate a stored program on a box; raises :class:`Refused` on anything that is not such a program."""
    instructions, inputs = program["instructions"], program["inputs"]
    if len(instructions) > LARGEST_PROGRAM or inputs != len(box):
        raise Refused("the stored formulas are too long, or do not have as many inputs as the region has coordinates")
    jets: list[Jet] = []
    for operation, arguments, value in instructions:
        if any(not 0 <= k < len(jets) for k in arguments):
            raise Refused("a stored formula refers to something that was not computed before")
        jets.append(_apply(operation, [jets[k] for k in arguments], value, box, order))
        if not jets[-1].value.is_finite():
            raise Refused(f"the formula's {operation} is not defined everywhere on a box")
    return [jets[k] for k in program["outputs"]]


def _apply(operation: str, a: list[Jet], value: Any, box: Sequence[arb], order: int) -> Jet:
    if operation == "const":
        return Jet(arb(float(value)), {}, {})
    if operation == "var":
        return Jet(box[int(value)], {int(value): arb(1)}, {})
    if operation in ("add", "sub"):
        return combine(a[0], a[1], 1 if operation == "add" else -1)
    if operation == "mul":
        return multiply(a[0], a[1], order)
    if operation == "div":
        x = a[1].value
        return multiply(a[0], chain(a[1], (1 / x, -1 / x**2, 2 / x**3), order), order)
    if operation == "neg":
        return combine(Jet(arb(0), {}, {}), a[0], -1)
    if operation == "pow":
        return chain(a[0], power(a[0].value, int(value)), order)
    if operation not in ELEMENTARY:
        raise Refused(f"unknown operation {operation!r} in a stored formula")
    return chain(a[0], ELEMENTARY[operation](a[0].value), order)


def jacobian(game: dict[str, Any], box: Sequence[arb]) -> list[list[arb]]:
    """Return the Jacobian of the pseudo-gradient over the box, from costs (order 2) or from the field (order 1)."""
    d = len(box)
    owner = [i for i, size in enumerate(game["sizes"]) for _ in range(size)]
    if len(owner) != d:
        raise Refused("the players' coordinates do not add up to the region's dimension")
    costs = game["source"] == "costs"
    jets = run(game["program"], box, 2 if costs else 1)
    if len(jets) != (len(game["sizes"]) if costs else d):
        raise Refused("the number of stored formulas does not fit the players")
    zero = arb(0)
    if costs:
        return [[jets[owner[k]].second.get((min(k, l), max(k, l)), zero) for l in range(d)] for k in range(d)]
    if any(size != 1 for size in game["sizes"]):
        raise Refused("a game given by its field must have one coordinate a player")
    return [[jets[k].first.get(l, zero) for l in range(d)] for k in range(d)]


def ball(low: float, high: float) -> arb:
    """Return a ball that contains [low, high]."""
    return arb(low).union(arb(high))
