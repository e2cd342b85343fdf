"""Second derivatives of stored formulas over a box, in ball arithmetic, by Taylor jets.

The finder differentiates symbolically and uses intervals; here the same formulas are run once more with numbers that
carry their own first and second derivatives, so a mistake in one is not repeated in the other.
"""

from collections.abc import Callable, Sequence

from flint import arb

from .document import Refused
from .model import Formulas, Instruction, Program

ZERO, ONE = arb(0), arb(1)


class Jet:
    """A value with its gradient and (order 2) Hessian; missing entries are zero. Pair (k, l), k ≤ l, is k d + l."""

    __slots__ = ("first", "second", "value")

    def __init__(self, value: arb, first: dict[int, arb], second: dict[int, arb]) -> None:
        self.value, self.first, self.second = value, first, second


def combine(a: Jet, b: Jet, sign: int) -> Jet:
    """Return a + sign b."""
    parts = []
    for mine, other in ((a.first, b.first), (a.second, b.second)):
        total = dict(mine)
        for key, entry in other.items():
            term = entry if sign > 0 else -entry
            total[key] = total[key] + term if key in total else term
        parts.append(total)
    return Jet(a.value + b.value if sign > 0 else a.value - b.value, *parts)


def multiply(a: Jet, b: Jet, order: int, d: int) -> Jet:
    """Return a b by Leibniz' rule."""
    first = {k: b.value * entry for k, entry in a.first.items()}
    for k, entry in b.first.items():
        first[k] = first[k] + a.value * entry if k in first else a.value * entry
    second: dict[int, arb] = {}
    if order == 2:
        for scale, jet in ((b.value, a), (a.value, b)):
            for pair, entry in jet.second.items():
                second[pair] = second[pair] + scale * entry if pair in second else scale * entry
        for k, left in a.first.items():
            for l, right in b.first.items():
                term = left * right
                pair, term = (k * d + l, term) if k < l else (l * d + k, term) if l < k else (k * d + k, 2 * term)
                second[pair] = second[pair] + term if pair in second else term
    return Jet(a.value * b.value, first, second)


def chain(a: Jet, derivatives: tuple[arb, arb, arb], order: int, d: int) -> Jet:
    """Return g(a) from g, g' and g'' at the value of a."""
    value, slope, curvature = derivatives
    first = {k: slope * entry for k, entry in a.first.items()}
    second = {pair: slope * entry for pair, entry in a.second.items()}
    if order == 2:
        keys = sorted(a.first)
        for i, k in enumerate(keys):
            scaled = curvature * a.first[k]
            for l in keys[i:]:
                pair = k * d + l
                term = scaled * a.first[l]
                second[pair] = second[pair] + term if pair in second else term
    return Jet(value, first, second)


def _logistic(x: arb) -> tuple[arb, arb, arb]:
    s = 1 / (1 + (-x).exp())
    return s, s * (1 - s), s * (1 - s) * (1 - 2 * s)


def _tanh(x: arb) -> tuple[arb, arb, arb]:
    t = x.tanh()
    slope = 1 - t * t
    return t, slope, -2 * t * slope


def _sqrt(x: arb) -> tuple[arb, arb, arb]:
    r = x.sqrt()
    return r, 1 / (2 * r), -1 / (4 * r * r * r)


ELEMENTARY: dict[str, Callable[[arb], tuple[arb, arb, arb]]] = {
    "exp": lambda x: (x.exp(),) * 3,
    "log": lambda x: (x.log(), 1 / x, -1 / (x * x)),
    "sqrt": _sqrt,
    "tanh": _tanh,
    "sigmoid": _logistic,
    "sin": lambda x: (x.sin(), x.cos(), -x.sin()),
    "cos": lambda x: (x.cos(), -x.sin(), -x.cos()),
}


def power(x: arb, n: int) -> tuple[arb, arb, arb]:
    """x^n, n ≥ 2, with two derivatives; an even power of a ball through zero is not negative.

    By multiplication: flint's own power gives up (NaN) on balls whose midpoint is exactly zero.
    """

    def whole(k: int) -> arb:
        value, square, left = ONE, x, k
        while left:
            value = value * square if left & 1 else value
            left >>= 1
            square = square * square if left else square
        return value.nonnegative_part() if k % 2 == 0 and k > 0 else value

    return whole(n), n * whole(n - 1), n * (n - 1) * whole(n - 2)


def run(program: Program, box: Sequence[arb], order: int) -> list[Jet]:
    """Evaluate a program on a box; raises :class:`Refused` where a formula is not defined everywhere on it."""
    jets: list[Jet | None] = [None] * len(program.instructions)
    constants, finished = program.constants, program.finished
    for number, instruction in enumerate(program.instructions):
        if instruction.operation == "const":
            jet = Jet(constants[number], {}, {})
        else:
            jet = _apply(instruction, [jets[k] for k in instruction.arguments], box, order)  # type: ignore[misc]
        if not jet.value.is_finite():
            raise Refused(f"the formula's {instruction.operation} is not defined everywhere on a box", "game")
        jets[number] = jet
        for k in finished[number]:
            jets[k] = None
    return [jets[k] for k in program.outputs]  # type: ignore[misc]


def _apply(instruction: Instruction, a: list[Jet], box: Sequence[arb], order: int) -> Jet:
    operation, d = instruction.operation, len(box)
    if operation == "mul":
        return multiply(a[0], a[1], order, d)
    if operation == "add":
        return combine(a[0], a[1], 1)
    if operation == "sub":
        return combine(a[0], a[1], -1)
    if operation == "var":
        k = int(instruction.value)
        return Jet(box[k], {k: ONE}, {})
    if operation == "div":
        x = a[1].value
        return multiply(a[0], chain(a[1], (1 / x, -1 / (x * x), 2 / (x * x * x)), order, d), order, d)
    if operation == "neg":
        return combine(Jet(ZERO, {}, {}), a[0], -1)
    if operation == "pow":
        return chain(a[0], power(a[0].value, int(instruction.value)), order, d)
    return chain(a[0], ELEMENTARY[operation](a[0].value), order, d)


def jacobian(game: Formulas, box: Sequence[arb]) -> list[list[arb]]:
    """Return the Jacobian of the pseudo-gradient over the box, from costs (order 2) or from the field (order 1)."""
    d = len(box)
    jets = run(game.program, box, 2 if game.costs else 1)
    if game.costs:
        rows = [
            [jets[game.owner[k]].second.get(k * d + l if k <= l else l * d + k, ZERO) for l in range(d)]
            for k in range(d)
        ]
    else:
        rows = [[jets[k].first.get(l, ZERO) for l in range(d)] for k in range(d)]
    if not all(entry.is_finite() for row in rows for entry in row):
        raise Refused("a second derivative is unbounded on a box", "game")
    return rows


def field(game: Formulas, point: Sequence[arb]) -> list[arb]:
    """Return F at a point: own first derivatives of the costs, or the stored field."""
    jets = run(game.program, point, 1)
    if not game.costs:
        return [jet.value for jet in jets]
    return [jets[game.owner[k]].first.get(k, ZERO) for k in range(len(point))]


def ball(low: float, high: float) -> arb:
    """Return a ball that contains [low, high]."""
    return arb(low).union(arb(high))
