"""What a check will cost, told from the document before any of it is done.

Counts of ball and rational operations, times what one took on the reference machine (2 cores); memory from the numbers
that are alive at once. Both are bounds of the worst case: nothing that a document can say makes the check dearer.
"""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .document import Refused
from .model import Document, Formulas, NormalForm, Program, Quadratic

SECONDS = 600.0  # what :func:`.verify.verify` spends at most unless told otherwise
BYTES = 2 * 2**30
BALL = 0.45e-6  # seconds of one operation on balls, with the bookkeeping around it
RATIONAL = 1.2e-6  # the same on rationals of a few words
PER_LEAF = 60  # operations
ELEMENTARY = 12  # an exponential or a sine in operations
ENTRY = 260  # bytes of a ball with its key


@dataclass(frozen=True)
class Work:
    """Estimated seconds and bytes."""

    seconds: float
    bytes: float


def within(document: Document, seconds: float) -> None:
    """Refuse a document whose check would take longer, or more memory, than is allowed."""
    work = estimate(document)
    if not (work.seconds <= seconds and work.bytes <= BYTES):
        raise Refused(
            f"checking this certificate would take about {work.seconds:.3g} s and {work.bytes / 1e6:.3g} MB; "
            f"{seconds:.3g} s and {BYTES / 1e6:.3g} MB are allowed here, so it was not checked",
            "size",
        )


def estimate(document: Document) -> Work:
    """Return what checking ``document`` costs at most."""
    seconds, memory = 0.01, 0.0
    bounds, game = document.bounds, document.game
    if bounds is not None:
        seconds += 12 * RATIONAL * (bounds.couplings.values.size + bounds.players)
        n = min(bounds.players, 400)
        seconds += 6e-8 * n**3 + 2e-6 * n**2
        if isinstance(game, (Quadratic, NormalForm, Formulas)):
            memory += 40.0 * bounds.players**2
    if isinstance(game, Quadratic) and set(game.sizes) != {1}:
        spread = _spread(game.matrix)
        seconds += sum(k * _rational_seconds(a, b, spread) for a, b, k in _pairs(game.sizes))
    elif isinstance(game, NormalForm):
        for i, a in enumerate(game.sizes):
            spread, entries = _spread(game.payoffs[i]) + 16, game.payoffs[i].size
            others = [b for j, b in enumerate(game.sizes) if j != i]
            seconds += sum(entries / (a * b) * 3 * _rational_seconds(a, b, spread) for b in others)
    elif isinstance(game, Formulas):
        once, evaluated = evaluation(game.program, 2 if game.costs else 1)
        d, n = sum(game.sizes), len(game.sizes)
        blocks = sum(k * _block_operations(a, b) for a, b, k in _pairs(game.sizes))
        each = PER_LEAF + once + 4 * d + d * d + 3 * blocks + _leaf_operations(document, n)
        leaves, most_open = _tree(document.tree)
        basin = 0 if document.basin is None else 3 * once + 4 * d**3
        seconds += BALL * (leaves * each + basin)
        memory += evaluated + ENTRY * 3.0 * d * d + 16.0 * most_open * d
    return Work(seconds, memory)


def _leaf_operations(document: Document, n: int) -> int:
    """What is asked of a leaf beyond its bounds: a margin, a norm for each of β and the steps, and a row by player."""
    if document.kind != "leafwise":
        return 0
    return (5 if document.step_h0 is None else 7) * n**3 + 12 * n**2


def _pairs(sizes: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """Return (a, b, how many pairs of players have these sizes): few, however many players there are."""
    counts = Counter(sizes)
    return [(a, b, m * k) for a, m in counts.items() for b, k in counts.items()]


def _tree(tree: tuple[int, ...] | None) -> tuple[int, int]:
    """Return the number of leaves, and the most boxes that wait at once while the leaves are listed."""
    if tree is None:
        return 1, 1
    waiting = np.cumsum(np.where(np.asarray(tree) < 0, -1, 1))
    return (len(tree) + 1) // 2, 2 + int(waiting.max())


def _block_operations(a: int, b: int) -> int:
    """Elimination of a Gram matrix in balls."""
    small, large = min(a, b), max(a, b)
    return 2 if large == 1 else 2 + small**2 * large + small**3


def _spread(values: NDArray) -> float:
    """Return how many binary places the entries stretch over: the length of a common integer."""
    nonzero = np.abs(values[values != 0])
    if nonzero.size == 0:
        return 1.0
    exponents = np.frexp([nonzero.min(), nonzero.max()])[1]
    return float(exponents[1] - exponents[0]) + 53


def _rational_seconds(rows: int, columns: int, spread: float) -> float:
    """Elimination of a Gram matrix in rationals: entries grow with the spread of exponents and with every pivot."""
    small, large = min(rows, columns), max(rows, columns)
    words = 2 * spread / 64 * small
    return RATIONAL * (4 + small**2 * large + small**3) * (1 + words**1.4 / 60)


def evaluation(program: Program, order: int) -> tuple[float, float]:
    """Return (operations, bytes alive at once) of one run of a program with its derivatives.

    For each instruction the variables it depends on are known, and with them the most entries that its gradient and
    its Hessian can have: a product of all coordinates is dear, a sum of squares is not.
    """
    masks: list[int] = []
    pairs: list[int] = []
    operations, alive, peak = 0.0, 0, 0
    for step, finished in zip(program.instructions, program.finished, strict=True):
        used = [masks[k] for k in step.arguments]
        mask = 0
        for part in used:
            mask |= part
        size, inner = mask.bit_count(), [pairs[k] for k in step.arguments]
        full = size * (size + 1) // 2
        if step.operation == "var":
            mask, held, cost = 1 << int(step.value), 0, 3
        elif step.operation == "const":
            held, cost = 0, 2
        elif step.operation in ("add", "sub", "neg"):
            held, cost = min(full, sum(inner)), 4 + 2 * size + 2 * sum(inner)
        elif step.operation in ("mul", "div"):
            a, b = (part.bit_count() for part in used)
            if step.operation == "div":
                inner[1] = b * (b + 1) // 2
            cross = a * b if order == 2 else 0
            held, cost = min(full, sum(inner) + cross), ELEMENTARY + 2 * (a + b + sum(inner) + cross)
        else:
            held, cost = full, 2 * ELEMENTARY + 2 * (size + full)
        masks.append(mask)
        pairs.append(held if order == 2 else 0)
        operations += cost
        alive += 1 + mask.bit_count() + pairs[-1]
        peak = max(peak, alive)
        alive -= sum(1 + masks[k].bit_count() + pairs[k] for k in finished)
    return operations, float(ENTRY * peak)


def allowed(seconds: float) -> float:
    """Return ``seconds`` if it is a positive number (infinity allows anything).

    >>> allowed(10.0)
    10.0
    """
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds > 0 or math.isnan(seconds):
        raise ValueError(f"seconds must be a positive number, got {seconds!r}")
    return float(seconds)
