"""The closed grammar of a plan's certificate: plain JSON in, the objects of :mod:`.model` out, or a refusal in words.

Every key, type, length and size is looked at here, once. Unknown and missing keys are refused; True is no number.
"""

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from .document import FORMAT, VERSION, WITH_PRICES, Refused
from .model import FREE, IN, OUT, Document, Leaf, Problem

MOST_ITEMS = 400
LARGEST = 10**9
LARGEST_CAPACITY = 10**7
LARGEST_BUDGET = 10**6
LARGEST_DENOMINATOR = 2**40
LARGEST_WEIGHT = 2**40
MOST_RECOURSES = 4_000
MOST_LEAVES = 200_000
MOST_STATES = 20_000_000  # leaves times items
LARGEST_GRAIN = 2**40
LARGEST_PRICE = 2**62  # over the grain
COLUMNS = ("profit", "loss", "weight", "repair", "outsourcing")
ENTRIES = (
    *("format", "version", "problem", "plan", "at_least", "mixture", "at_most", "witness"),
    *("none_above", "tree", "scenarios", "denominator"),
)
PRICES = ("ends", "prices", "grain")


def parse(plain: dict[str, Any]) -> Document:
    """Return the certificate as a :class:`~.model.Document`; raises :class:`Refused` if it is not in the grammar."""
    version = integer(plain.get("version"), "version", 0, 2**62)
    if plain.get("format") != FORMAT or version not in (VERSION, WITH_PRICES):
        raise Refused(f"this checker reads versions {VERSION} and {WITH_PRICES} of {FORMAT} and no other", "version")
    names = (*ENTRIES, *PRICES) if version == WITH_PRICES else ENTRIES
    entries = keyed({key: value for key, value in plain.items() if key != "digest"}, names, "the certificate")
    problem = _problem(entries["problem"])
    n = len(problem.profit)
    denominator = integer(entries["denominator"], "denominator", 1, LARGEST_DENOMINATOR)
    scenarios = _scenarios(entries["scenarios"], problem, denominator)
    mixture = keyed(entries["mixture"], ("weights", "recourses"), "mixture")
    weights = integers(mixture["weights"], "mixture.weights", 1, LARGEST_WEIGHT, 1, MOST_RECOURSES)
    recourses = _list(mixture["recourses"], "mixture.recourses", len(weights), len(weights))
    grain, ends, prices = 1, (0,), ()
    if version == WITH_PRICES:
        grain = integer(entries["grain"], "grain", 1, LARGEST_GRAIN)
        ends = _ends(entries["ends"], problem, grain)
        prices = integers(entries["prices"], "prices", 0, LARGEST_PRICE, 0, MOST_LEAVES)
    return Document(
        problem=problem,
        plan=digits(entries["plan"], "plan", n, "01"),
        at_least=fraction(entries["at_least"], "at_least"),
        weights=weights,
        recourses=tuple(digits(entry, "mixture.recourses", n, "012") for entry in recourses),
        at_most=fraction(entries["at_most"], "at_most"),
        witness=integer(entries["witness"], "witness", 0, len(scenarios) - 1),
        none_above=fraction(entries["none_above"], "none_above"),
        leaves=_leaves(entries["tree"], n, len(scenarios), ends, prices),
        scenarios=scenarios,
        denominator=denominator,
        grain=grain,
    )


def keyed(value: Any, names: Sequence[str], where: str) -> dict[str, Any]:
    """Return ``value`` if it is an object with exactly these keys."""
    if type(value) is not dict:
        raise Refused(f"{where} is not an object with named entries", where)
    unknown, missing = [k for k in value if k not in names], [k for k in names if k not in value]
    if unknown or missing:
        told = f"unknown {', '.join(map(repr, unknown))[:80] or 'none'}; missing {', '.join(missing) or 'none'}"
        raise Refused(f"{where} has other entries than it should: {told}", where)
    return value


def integer(value: Any, where: str, low: int, high: int) -> int:
    """Return an integer within the limits; True is none.

    >>> integer(3, "witness", 0, 5)
    3
    """
    if type(value) is not int or not low <= value <= high:
        raise Refused(f"{where} is not a whole number from {low} to {high}", where)
    return value


def integers(value: Any, where: str, low: int, high: int, least: int, most: int) -> tuple[int, ...]:
    """Return a list of integers within the limits as a tuple."""
    return tuple(integer(entry, where, low, high) for entry in _list(value, where, least, most))


def fraction(value: Any, where: str) -> Fraction:
    """Return [numerator, denominator] as an exact fraction, the denominator positive."""
    if type(value) is not list or len(value) != 2 or any(type(part) is not int for part in value) or value[1] < 1:
        raise Refused(f"{where} is not a fraction [numerator, denominator ≥ 1]", where)
    return Fraction(*value)


def digits(value: Any, where: str, length: int, allowed: str) -> tuple[int, ...]:
    """Return a text of ``length`` digits as a tuple of integers."""
    if type(value) is not str or len(value) != length or set(value) - set(allowed):
        raise Refused(f"{where} is not a text of {length} digits, each one of {', '.join(allowed)}", where)
    return tuple(map(int, value))


def _list(value: Any, where: str, least: int, most: int) -> list[Any]:
    if type(value) is not list or not least <= len(value) <= most:
        told = f"{least}" if least == most else f"{least} to {most}"
        raise Refused(f"{where} is not a list of {told} entries", where)
    return value


def _problem(value: Any) -> Problem:
    entries = keyed(value, (*COLUMNS, "capacity", "budget"), "problem")
    n = len(_list(entries["profit"], "profit", 1, MOST_ITEMS))
    columns = {name: integers(entries[name], name, 1 if name == "weight" else 0, LARGEST, n, n) for name in COLUMNS}
    budget = fraction(entries["budget"], "budget")
    if not 0 <= budget <= LARGEST_BUDGET:
        raise Refused(f"budget is not between 0 and {LARGEST_BUDGET}", "budget")
    return Problem(**columns, capacity=integer(entries["capacity"], "capacity", 0, LARGEST_CAPACITY), budget=budget)


def _scenarios(value: Any, problem: Problem, denominator: int) -> tuple[tuple[int, ...], ...]:
    n = len(problem.profit)
    found = []
    for entry in _list(value, "scenarios", 1, MOST_LEAVES + 1):
        scenario = integers(entry, "scenarios", 0, denominator, n, n)
        if sum(scenario) > problem.budget * denominator:
            raise Refused(f"scenario {len(found)} spends more than the budget {problem.budget}", "scenarios")
        found.append(scenario)
    return tuple(found)


def _ends(value: Any, problem: Problem, grain: int) -> tuple[int, ...]:
    """Read where strips of the price π may end: rising, the last one no smaller than any loss.

    A price above all losses brings nature nothing that the largest loss does not: no strip is needed there.
    """
    ends = integers(value, "ends", 1, LARGEST_PRICE, 1, MOST_LEAVES)
    if any(first >= second for first, second in itertools.pairwise(ends)):
        raise Refused("the ends of the strips do not rise", "ends")
    if ends[-1] < max(problem.loss) * grain:
        raise Refused("the last strip ends below the largest loss: it does not cover all prices", "ends")
    return ends


def _leaves(value: Any, n: int, scenarios: int, ends: tuple[int, ...], prices: tuple[int, ...]) -> tuple[Leaf, ...]:
    """Read the tree in preorder; all plans are covered because every split has both its branches.

    i ≥ 0 splits by item i (first with it in, then out), n + j cuts the strip at end j (first what is below), -1-k is a
    leaf with scenario k, or from the number of scenarios on with a price. A tree that ends early or goes on is refused.
    """
    cuts = len(ends) - 1
    tree = integers(value, "tree", -scenarios - len(prices), n - 1 + cuts, 1, 2 * MOST_LEAVES)
    if (len(tree) + 1) // 2 * n > MOST_STATES:
        raise Refused("the tree has more leaves than are checked here", "tree")
    leaves: list[Leaf] = []
    waiting = [((FREE,) * n, 0, ends[-1])]
    for entry in tree:
        if not waiting:
            raise Refused("the tree goes on after all its branches are closed", "tree")
        state, low, high = waiting.pop()
        if entry < 0:
            place = -1 - entry
            if place < scenarios:
                leaves.append(Leaf(state, place))
            else:
                leaves.append(Leaf(state, -1, low, high, prices[place - scenarios]))
        elif entry >= n:
            cut = ends[entry - n]
            if not low < cut < high:
                raise Refused(f"the tree cuts a strip at {cut}, which is not inside of it", "tree")
            waiting.extend(((state, cut, high), (state, low, cut)))
        elif state[entry] != FREE:
            raise Refused(f"the tree splits by item {entry} twice on one path", "tree")
        else:
            waiting.extend(((*state[:entry], fate, *state[entry + 1 :]), low, high) for fate in (OUT, IN))
    if waiting:
        raise Refused(f"the tree leaves {len(waiting)} branches open: it does not cover all plans", "tree")
    return tuple(leaves)
