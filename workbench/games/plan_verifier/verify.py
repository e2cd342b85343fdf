"""Verifying a certificate from beginning to end: read, parse, bound the work, prove the three claims."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from . import document, grammar, proofs
from .document import Refused
from .model import OUT, Document

SECONDS = 600.0  # what a check may take unless told otherwise
PER_CELL = 4e-9  # seconds of one cell of the dynamic programme, both choices, on the reference machine (2 cores)
PER_ITEM = 6e-6  # seconds of an item's bookkeeping
PER_STRIP = 3e-6  # seconds of an item in a leaf that a price proves
PER_PRICE = 2e-6  # seconds of an item in a leaf that weak duality proves


@dataclass(frozen=True)
class Report:
    """What was proved: the plan, its worth between ``at_least`` and ``at_most``, no plan's above ``none_above``."""

    plan: tuple[int, ...]
    at_least: float
    at_most: float
    none_above: float
    leaves: int

    def __str__(self) -> str:
        """The sentence for people."""
        return (
            f"the plan is worth at least {self.at_least:,.6g} whatever happens (and at most {self.at_most:,.6g} in its "
            f"worst case); no plan is worth more than {self.none_above:,.6g}"
        )


def verify(certificate: str | bytes, *, seconds: float = SECONDS) -> Report:
    """Return what a certificate proves; raises :class:`Refused` with the claim that fails.

    Numbers of the report are rounded to doubles in the safe direction. Work is bounded from the document before it is
    done: at most ``seconds`` on the reference machine, O(leaves · items) where a price proves a leaf and
    O(items · capacity) for each leaf where it does not.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds > 0:
        raise ValueError(f"seconds must be a positive number, got {seconds!r}")
    found = grammar.parse(document.read(certificate))
    _within(seconds, max(PER_PRICE, PER_STRIP) * len(found.plan) * len(found.leaves) + work(found, ()))
    problem = found.problem
    if proofs.mixture_value(problem, found.plan, found.weights, found.recourses) < found.at_least:
        raise Refused("the mixture of recourses does not earn what the plan is said to be worth", "at_least")
    witness = found.scenarios[found.witness]
    if proofs.leaf_value(problem, found.plan, witness, found.denominator) > found.at_most:
        raise Refused("against its scenario the plan earns more than is said to be its most", "at_most")
    left = []
    for k, leaf in enumerate(found.leaves):
        if leaf.scenario < 0:
            if proofs.strip_bound(problem, leaf, found.grain) > found.none_above:
                raise Refused(f"leaf {k} of the tree may hold a plan worth more than is said", "none_above")
            continue
        scenario = found.scenarios[leaf.scenario]
        if proofs.leaf_bound(problem, leaf.state, scenario, found.denominator) > found.none_above:
            left.append(k)
    _within(seconds, work(found, left))
    for k in left:
        leaf = found.leaves[k]
        if proofs.leaf_value(problem, leaf.state, found.scenarios[leaf.scenario], found.denominator) > found.none_above:
            raise Refused(f"leaf {k} of the tree may hold a plan worth more than is said", "none_above")
    return Report(
        found.plan,
        _rounded(found.at_least, -1),
        _rounded(found.at_most, 1),
        _rounded(found.none_above, 1),
        len(found.leaves),
    )


def check(certificate: str | bytes, *, seconds: float = SECONDS) -> bool:
    """Return whether all three claims of a certificate are proved; :func:`verify` says which is not."""
    try:
        verify(certificate, seconds=seconds)
    except Refused:
        return False
    return True


def work(found: Document, leaves: Sequence[int]) -> float:
    """Return the seconds that the dynamic programmes of these leaves, and of the plan, take at most."""
    n = len(found.plan)
    cells = min(found.problem.capacity, sum(found.problem.weight) + sum(found.problem.repair)) + 1
    items = sum(n - found.leaves[k].state.count(OUT) for k in leaves) + n
    return items * (PER_ITEM + PER_CELL * cells) + 3e-7 * n * len(found.weights)


def _within(seconds: float, expected: float) -> None:
    if expected > seconds:
        raise Refused(
            f"checking this certificate would take about {expected:.3g} s and {seconds:.3g} s are allowed here, "
            "so it was not checked",
            "size",
        )


def _rounded(value: object, sign: int) -> float:
    near = float(value)  # type: ignore[arg-type]
    if (near - value) * sign < 0:  # type: ignore[operator]
        return math.nextafter(near, sign * math.inf)
    return near
