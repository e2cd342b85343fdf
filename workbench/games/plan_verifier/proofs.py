"""The proofs themselves, in whole numbers: a mixture from below, a dynamic programme from above."""

from fractions import Fraction

import numpy as np

from .document import Refused
from .model import IN, OUT, Leaf, Problem

LARGEST_SUM = 2**62  # what a 64-bit sum may reach


def mixture_value(
    problem: Problem, plan: tuple[int, ...], weights: tuple[int, ...], recourses: tuple[tuple[int, ...], ...]
) -> Fraction:
    """Return what a mixture of recourses (0 left, 1 used, 2 repaired per item) earns at least, whatever the scenario.

    The scenario that hurts the mixture most spends its budget on the items with the largest mixed losses; a mixture
    never earns more than the best recourse, so the plan is worth at least that. Raises :class:`Refused` for a recourse
    outside the plan or over the capacity.
    """
    items = range(len(plan))
    total = sum(weights)
    earned = total * sum(problem.profit[i] - problem.outsourcing[i] for i in items if plan[i])
    exposed = [0] * len(plan)
    for j, (weight, recourse) in enumerate(zip(weights, recourses, strict=True)):
        load = 0
        for i in items:
            if recourse[i]:
                if not plan[i]:
                    raise Refused(f"recourse {j} uses item {i}, which is not in the plan", "mixture")
                load += problem.weight[i] + (problem.repair[i] if recourse[i] == 2 else 0)
                earned += weight * problem.outsourcing[i]
                exposed[i] += weight * problem.loss[i] if recourse[i] == 1 else 0
        if load > problem.capacity:
            raise Refused(f"recourse {j} needs {load} of the capacity {problem.capacity}", "mixture")
    exposed.sort(reverse=True)
    whole = min(int(problem.budget), len(plan))
    worst = Fraction(sum(exposed[:whole]))
    if whole < len(plan):
        worst += (problem.budget - whole) * exposed[whole]
    return (earned - worst) / total


def leaf_bound(problem: Problem, state: tuple[int, ...], scenario: tuple[int, ...], denominator: int) -> Fraction:
    """Return what :func:`leaf_value` does or more, in O(n log n): the capacity sold at one price, by weak duality.

    Whatever price u ≥ 0 is put on a unit of capacity, no plan and no recourse of the leaf earns more than u C and, for
    each item, the best of leaving, using and repairing it at that price. The price is that at which the linear
    relaxation fills the capacity, found in floating point: it may be any, the sum is exact.
    """
    base, choices = 0, []
    for i, fate in enumerate(state):
        if fate == OUT:
            continue
        short = problem.profit[i] - problem.outsourcing[i]
        bring = short if fate == IN else max(short, 0)
        base += bring * denominator
        repaired = (problem.profit[i] - bring) * denominator
        used = repaired - problem.loss[i] * scenario[i]
        choices.append((problem.weight[i], used, problem.weight[i] + problem.repair[i], repaired))
    price = _break_price(choices, problem.capacity)
    total = base + price * problem.capacity
    for weight, used, heavy, repaired in choices:
        total += max(0, used - price * weight, repaired - price * heavy)
    return Fraction(total, denominator)


def _break_price(choices: list[tuple[int, int, int, int]], capacity: int) -> int:
    """Return the efficiency of the segment at which the capacity is full, rounded to a whole number ≥ 0."""
    segments: list[tuple[float, int]] = []
    for weight, used, heavy, repaired in choices:
        first, second = used / weight, repaired / heavy
        if second >= first:  # to use it without repair lies below the hull
            segments.append((second, heavy))
        else:
            segments.append((first, weight))
            if heavy > weight:
                segments.append(((repaired - used) / (heavy - weight), heavy - weight))
    filled = 0
    for efficiency, length in sorted(segments, reverse=True):
        filled += length
        if efficiency <= 0:
            break
        if filled > capacity:
            return int(efficiency)
    return 0


def strip_bound(problem: Problem, leaf: Leaf, grain: int) -> Fraction:
    """Return what no plan of a leaf is worth with a price π of nature's budget in the leaf's strip, in O(n).

    A plan is worth the most that a mixture of its recourses earns whatever happens. By linear duality that is, for some
    π ≥ 0, -Γπ + Σ (p̄ - f) x + f (e + r) - max(p̂ e - π, 0), where the mixture exposes the share e and repairs the share
    r of an item, e + r ≤ x, and its mean load Σ c (e + r) + t r is at most C. For any price u ≥ 0 of capacity that is
    no more than u C - Γπ + Σ h, h being the best that an item can do at these prices: a concave function of (e, r) with
    a kink at e = q = min(1, π/p̂), whose best is at one of (0, 0), (0, 1), (q, 0), (q, 1 - q), (1, 0). Between two
    losses each of these is linear in π and h is convex: the larger of the sums at both ends bounds the strip. Beyond
    the largest loss h is constant. Sums are integers over the grain, every division rounded up.
    """
    if any(leaf.low < loss * grain < leaf.high for loss in problem.loss):
        raise Refused("a strip has a loss inside: what holds at its ends need not hold between them", "tree")
    return max(_at_prices(problem, leaf, end, grain) for end in (leaf.low, leaf.high))


def _at_prices(problem: Problem, leaf: Leaf, pi: int, grain: int) -> Fraction:
    """Return uC - Γπ + Σ h or a little more."""
    budget, u = problem.budget, leaf.price
    total = u * problem.capacity - budget.numerator * pi // budget.denominator
    for i, fate in enumerate(leaf.state):
        if fate == OUT:
            continue
        loss = problem.loss[i] * grain
        exposed = problem.outsourcing[i] * grain - u * problem.weight[i]
        repaired = exposed - u * problem.repair[i]
        if pi >= loss:
            best = max(0, repaired, exposed)
        else:
            share = -(-pi * exposed // loss)
            both = -(-(pi * exposed + (loss - pi) * repaired) // loss)
            best = max(0, repaired, share, both, exposed - loss + pi)
        worth = (problem.profit[i] - problem.outsourcing[i]) * grain + best
        total += worth if fate == IN else max(worth, 0)
    return Fraction(total, grain)


def leaf_value(problem: Problem, state: tuple[int, ...], scenario: tuple[int, ...], denominator: int) -> Fraction:
    """Return the most that any plan of a leaf, with any recourse, earns against one scenario.

    An item that is free brings max(p̄ - f, 0) unused: in the plan it is bought elsewhere, out of it brings nothing.
    Everything is scaled by the denominator and summed in 64 bits, after a look that no sum can leave them. O(n C).
    """
    base, choices, reach = 0, [], 0
    for i, fate in enumerate(state):
        if fate == OUT:
            continue
        short = problem.profit[i] - problem.outsourcing[i]
        bring = short if fate == IN else max(short, 0)
        base += bring * denominator
        repaired = (problem.profit[i] - bring) * denominator
        used = repaired - problem.loss[i] * scenario[i]
        choices.append((problem.weight[i], used, problem.weight[i] + problem.repair[i], repaired))
        reach += max(used, repaired, 0)
    if reach >= LARGEST_SUM:
        raise Refused("the numbers are too large for exact sums in 64 bits; a smaller denominator would do", "size")
    capacity = min(problem.capacity, sum(heavy for _, _, heavy, _ in choices))
    best = np.zeros(capacity + 1, np.int64)
    for weight, used, heavy, repaired in choices:
        before = best.copy()
        for load, gain in ((weight, used), (heavy, repaired)):
            if load <= capacity and gain > 0:
                np.maximum(best[load:], before[: capacity + 1 - load] + gain, out=best[load:])
    return Fraction(base + int(best[capacity]), denominator)
