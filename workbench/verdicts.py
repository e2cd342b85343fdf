"""What a paper says, what was measured here, and whether it holds: the rows of a room's verdict table.

A room writes its rows as :class:`Claim` in ``workbench/<room>/verdicts.py``. Nobody types an outcome: a claim
*measures* named numbers (from a shipped result, or computed with the room's functions) and a :class:`Rule` turns them
into an :class:`Outcome`, so that other numbers give another outcome, and the rule stands in the table in words::

    Claim(
        "The estimate is 1 % exact.",
        measure=lambda: {"error": float(data.result("room/errors.nc").error.max())},
        told="the worst of all runs errs by {error:.2%}",
        rule=Rule(at_most("error", 0.01), partly=at_most("error", 0.02)),
        how="room.errors()",
    )

The conditions that rules are made of: :func:`at_most`, :func:`at_least`, :func:`below`, :func:`above`,
:func:`within`, :func:`outside`, :func:`rising`, :func:`is_so`; joined with ``&`` and ``|``, turned round with ``~``.
A number that is NaN settles nothing: the outcome is then OPEN.

>>> rule = Rule(within("slope", 1.0, 0.1), partly=within("slope", 1.0, 0.3))
>>> [rule.outcome({"slope": value}).word for value in (1.05, 1.2, 2.0, float("nan"))]
['holds', 'holds in part', 'does not hold', 'not settled']
>>> rule.sentence()
'holds if |slope − 1| ≤ 0.1; in part if |slope − 1| ≤ 0.3; otherwise not'
"""

import dataclasses
import functools
import importlib
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

from workbench.rooms import ROOMS

Numbers = Mapping[str, Any]
"""Named measured numbers, and texts that only the sentence about them uses."""


class Outcome(Enum):
    """How a claim fared; shown by icon and word, never by colour alone."""

    HOLDS = ("✔", "holds")
    PARTLY = ("◐", "holds in part")
    FAILS = ("✘", "does not hold")
    OPEN = ("?", "not settled")

    @property
    def icon(self) -> str:
        """The sign shown before the word."""
        return self.value[0]

    @property
    def word(self) -> str:
        """The outcome in words."""
        return self.value[1]


OUTCOMES = tuple(outcome.word for outcome in Outcome)
"""All outcomes in words."""


@dataclass(frozen=True)
class Verdict:
    """One row of the table: the claim in the paper's sense, what was measured, the outcome and the rule behind it.

    ``how`` names the call or script that repeats the measurement, ``paper`` where the claim was made.
    """

    claim: str
    measured: str
    outcome: Outcome
    how: str = ""
    rule: str = ""
    paper: str = ""


@dataclass(frozen=True)
class Condition:
    """A test of named numbers, with its own words: a format text in which each number's name stands in braces."""

    text: str
    test: Callable[[Numbers], bool]
    reads: tuple[str, ...]

    def __call__(self, numbers: Numbers) -> bool:
        """Return whether the numbers meet the condition; ``ValueError`` names the numbers that are missing."""
        self.check(numbers)
        return bool(self.test(numbers))

    def check(self, numbers: Numbers) -> None:
        """Raise ``ValueError`` if a number that the condition reads was not measured."""
        missing = [name for name in self.reads if name not in numbers]
        if missing:
            raise ValueError(
                f"the rule “{self.in_words()}” reads {', '.join(map(repr, missing))}, which nothing measured; "
                f"measured were {', '.join(map(repr, numbers)) or 'no numbers'}"
            )

    def in_words(self, words: Mapping[str, str] = MappingProxyType({})) -> str:
        """Return the condition in words, each number under its name or what ``words`` calls it."""
        return self.text.format_map({name: words.get(name, name.replace("_", " ")) for name in self.reads})

    def __and__(self, other: "Condition") -> "Condition":
        return Condition(
            f"{self.text} and {other.text}", lambda n: self.test(n) and other.test(n), _joined(self, other)
        )

    def __or__(self, other: "Condition") -> "Condition":
        return Condition(f"{self.text} or {other.text}", lambda n: self.test(n) or other.test(n), _joined(self, other))

    def __invert__(self) -> "Condition":
        return Condition(f"not ({self.text})", lambda n: not self.test(n), self.reads)


def _joined(*conditions: Condition) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for condition in conditions for name in condition.reads))


# ---- the vocabulary; every value is a number, or the name of another measured number ---------------------------------


def at_most(name: str, limit: float | str, *, times: float = 1.0) -> Condition:
    """Return the condition that a number is at most ``limit`` (``times`` another number, if that is a name)."""
    return _compare(name, "≤", limit, times, lambda a, b: a <= b)


def at_least(name: str, limit: float | str, *, times: float = 1.0) -> Condition:
    """Return the condition that a number is at least ``limit``."""
    return _compare(name, "≥", limit, times, lambda a, b: a >= b)


def below(name: str, limit: float | str, *, times: float = 1.0) -> Condition:
    """Return the condition that a number lies below ``limit``."""
    return _compare(name, "<", limit, times, lambda a, b: a < b)


def above(name: str, limit: float | str, *, times: float = 1.0) -> Condition:
    """Return the condition that a number lies above ``limit``."""
    return _compare(name, ">", limit, times, lambda a, b: a > b)


def within(name: str, claimed: float | str, tolerance: float | str, *, times: float = 1.0) -> Condition:
    """Return the condition |measured − claimed| ≤ times · tolerance: the interval around the number contains the claim.

    ``tolerance`` is most often the name of a standard error and ``times`` how many of them are allowed.
    """
    return _distance(name, claimed, tolerance, times, "≤", lambda off, allowed: off <= allowed)


def outside(name: str, claimed: float | str, tolerance: float | str, *, times: float = 1.0) -> Condition:
    """Return the condition |measured − claimed| > times · tolerance: the interval excludes the claim."""
    return _distance(name, claimed, tolerance, times, ">", lambda off, allowed: off > allowed)


def rising(*names: str) -> Condition:
    """Return the condition that the numbers, in this order, grow strictly."""
    return Condition(
        " < ".join(f"{{{name}}}" for name in names),
        lambda n: all(n[a] < n[b] for a, b in itertools.pairwise(names)),
        names,
    )


def is_so(name: str) -> Condition:
    """Return the condition that a measured truth value is true, e.g. that a certificate was verified."""
    return Condition(f"{{{name}}}", lambda n: bool(n[name]), (name,))


def _compare(name: str, sign: str, limit: float | str, times: float, test: Callable[[float, float], bool]) -> Condition:
    word, value, reads = _value(limit, times)
    return Condition(f"{{{name}}} {sign} {word}", lambda n: test(n[name], value(n)), (name, *reads))


def _distance(
    name: str,
    claimed: float | str,
    tolerance: float | str,
    times: float,
    sign: str,
    test: Callable[[float, float], bool],
) -> Condition:
    claimed_word, claim, claim_reads = _value(claimed)
    word, allowed, reads = _value(tolerance, times)
    return Condition(
        f"|{{{name}}} − {claimed_word}| {sign} {word}",
        lambda n: test(abs(n[name] - claim(n)), allowed(n)),
        (name, *claim_reads, *reads),
    )


def _value(given: float | str, times: float = 1.0) -> tuple[str, Callable[[Numbers], float], tuple[str, ...]]:
    """Return the word for a limit, the function that reads it, and the names that it reads."""
    if isinstance(given, str):
        factor = "" if times == 1 else f"{times:g} × "
        return f"{factor}{{{given}}}", lambda n: times * n[given], (given,)
    fixed = times * given
    return f"{fixed:.6g}", lambda n: fixed, ()


@dataclass(frozen=True)
class Rule:
    """How numbers become an outcome.

    OPEN if a number that the rule reads is NaN, or ``settled`` is given and not met; else HOLDS if ``holds`` is met;
    else PARTLY if ``partly`` is given and met; else FAILS.
    """

    holds: Condition
    partly: Condition | None = None
    settled: Condition | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        """The names of all numbers that the rule reads."""
        return _joined(*self._conditions)

    @property
    def _conditions(self) -> tuple[Condition, ...]:
        return tuple(c for c in (self.settled, self.holds, self.partly) if c is not None)

    def outcome(self, numbers: Numbers) -> Outcome:
        """Return the outcome for ``numbers``; ``ValueError`` if one that the rule reads is missing."""
        for condition in self._conditions:  # all of them first, so that a missing number never hides behind another
            condition.check(numbers)
        if any(numbers[name] != numbers[name] for name in self.reads):  # NaN, of whatever type
            return Outcome.OPEN
        if self.settled is not None and not self.settled(numbers):
            return Outcome.OPEN
        if self.holds(numbers):
            return Outcome.HOLDS
        return Outcome.PARTLY if self.partly is not None and self.partly(numbers) else Outcome.FAILS

    def sentence(self, words: Mapping[str, str] = MappingProxyType({})) -> str:
        """Return the rule in words; ``words`` maps names of numbers to phrases."""
        parts = [f"holds if {self.holds.in_words(words)}"]
        if self.partly is not None:
            parts.append(f"in part if {self.partly.in_words(words)}")
        parts.append("otherwise not")
        if self.settled is not None:
            parts[0] = f"is settled only if {self.settled.in_words(words)}; then it {parts[0]}"
        return "; ".join(parts)


@dataclass(frozen=True)
class Claim:
    """A claim with what measures it and the rule that judges it; :meth:`verdict` makes the row.

    ``measure`` returns named numbers (and texts for the sentence); ``told`` is a format text over them, or a function
    of them; ``words`` says what the rule calls them. ``how`` is the call that repeats the measurement.
    """

    says: str
    measure: Callable[[], Numbers]
    told: str | Callable[[Numbers], str]
    rule: Rule
    how: str
    words: Mapping[str, str] = field(default_factory=dict)
    paper: str = ""

    def verdict(self, numbers: Numbers | None = None) -> Verdict:
        """Return the row, from what is measured now or from the ``numbers`` given."""
        numbers = self.measure() if numbers is None else numbers
        told = self.told.format_map(numbers) if isinstance(self.told, str) else self.told(numbers)
        outcome, rule = self.rule.outcome(numbers), self.rule.sentence(self.words)
        return Verdict(self.says, told, outcome, self.how, rule, self.paper)


def said_in(paper: str, claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """Return the claims with the paper that makes them.

    >>> said_in("A. Uthor, 2026", [])
    ()
    """
    return tuple(dataclasses.replace(claim, paper=paper) for claim in claims)


def judge(claims: Iterable[Claim]) -> list[Verdict]:
    """Return the rows of a table: every claim measured and judged."""
    return [claim.verdict() for claim in claims]


@functools.cache
def of_room(room: str) -> tuple[Verdict, ...]:
    """Return the rows of a room by its name, measured once in a process: those of ``workbench.<room>.verdicts``.

    A room without that module has none, and neither has what is no room.
    """
    if room not in ROOMS:
        return ()
    name = f"workbench.{room}.verdicts"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return ()
    return tuple(module.verdicts())
