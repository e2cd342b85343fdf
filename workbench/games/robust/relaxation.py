"""The continuous relaxation of a node, in closed form but for one number: u, what a unit of capacity is worth.

With the recourse relaxed to fractions, what the worst scenario leaves is G(u) = uC + Σ_i base_i + min_ξ Σ_i φ_i(ξ_i)
for the best u ≥ 0, φ_i(ξ) = max(0, g_i - p̂_i ξ - u c_i, g_i - u (c_i + t_i)): for a given u, nature spends its budget
on the items in the order of their losses p̂, on each until hitting harder takes nothing more. G is convex and piecewise
linear; its minimum is found where tangents meet, in some ten evaluations of O(n). Any u and ξ give a valid bound on all
plans of the node, and where capacity is shared by many items it is hardly above the exact one: some microseconds, where
the cutting planes take milliseconds. The price π of nature's budget tells what share q_i = π / p̂_i of item i a mixture
of recourses exposes, and so which items the relaxation takes in part.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workbench.games.robust.problem import Knapsack
from workbench.games.robust.recourse import break_price

FREE, OUT, IN = -1, 0, 1
LEFT_OVER, USED, SHARED, REPAIRED = 0, 1, 2, 3
"""Marks: not used as it is; used; used in a share of the recourses and left in the others; or repaired in them."""
TANGENTS = 60
NEAR = 1e-13
TIE = 1e-7  # relative: what is worth its price of capacity, neither more nor less


@njit(cache=True, nogil=True)
def _at(
    u: float,
    state: NDArray,
    data: NDArray,
    order: NDArray,
    capacity: float,
    budget: float,
    scenario: NDArray,
    marks: NDArray,
) -> tuple[float, float, float]:
    """Return (G(u), its slope, π) and write the scenario and the marks."""
    value, slope, left, price = u * capacity, capacity, budget, 0.0
    shared = 0.0  # slope that comes with the shares, per unit of π
    for i in order:
        scenario[i], marks[i] = 0.0, LEFT_OVER
        fate = state[i]
        if fate == OUT:
            continue
        profit, loss, weight, heavy, elsewhere = data[i, 0], data[i, 1], data[i, 2], data[i, 3], data[i, 4]
        if fate == IN:
            gain = elsewhere
            value += profit - elsewhere
        else:
            gain = min(profit, elsewhere)
            value += profit - gain
        top, low, low_slope = gain - u * weight, 0.0, 0.0
        if gain - u * heavy > 0.0:
            low, low_slope = gain - u * heavy, -heavy
        if top <= low:
            value += low
            slope += low_slope
            if low > 0.0:
                marks[i] = REPAIRED
            continue
        if left > 0.0 and loss > 0.0:
            reach = (top - low) / loss
            if reach < 1.0 and reach <= left:
                scenario[i] = reach
                left -= reach
                value += low
                slope += low_slope
                shared += (-weight - low_slope) / loss
                marks[i] = REPAIRED if low > 0.0 else SHARED
                continue
            hit = min(1.0, left)
            scenario[i] = hit
            left -= hit
            value += top - loss * hit
            if hit < 1.0:
                price = loss
        else:
            if price == 0.0 and left <= 0.0:
                price = loss
            value += top
        slope -= weight
        marks[i] = USED
    return value, slope + price * shared, price


@njit(cache=True, nogil=True)
def relaxed(
    state: NDArray, data: NDArray, order: NDArray, capacity: float, budget: float, scenario: NDArray, marks: NDArray
) -> tuple[float, float, float]:
    """Return (bound, u, π) of a node, with the scenario (n,) and marks (n,) that go with it.

    ``data`` (n, 5) holds p̄, p̂, c, c + t, f; ``order`` the items with the largest p̂ first.
    """
    low, high = 0.0, 0.0
    for i in order:
        if state[i] != OUT:
            high = max(high, data[i, 4] / data[i, 2])
    low_value, low_slope, price = _at(low, state, data, order, capacity, budget, scenario, marks)
    if low_slope >= 0.0 or high == 0.0:
        return low_value, 0.0, price
    high_value, high_slope, price = _at(high, state, data, order, capacity, budget, scenario, marks)
    best, where = (low_value, low) if low_value <= high_value else (high_value, high)
    u = high
    for k in range(TANGENTS):
        if k % 8 == 7 or high_slope <= low_slope:
            u = 0.5 * (low + high)
        else:
            u = (low_value - high_value + high_slope * high - low_slope * low) / (high_slope - low_slope)
            u = min(max(u, low), high)
        tangent = max(low_value + low_slope * (u - low), high_value + high_slope * (u - high))
        value, slope, price = _at(u, state, data, order, capacity, budget, scenario, marks)
        if value < best:
            best, where = value, u
        if value - tangent <= NEAR * max(1.0, abs(value)) or high - low <= NEAR * high:
            break
        if slope < 0.0:
            low, low_value, low_slope = u, value, slope
        else:
            high, high_value, high_slope = u, value, slope
    if where != u:
        best, _, price = _at(where, state, data, order, capacity, budget, scenario, marks)
    return best, where, price


@njit(cache=True, nogil=True)
def _item(state: NDArray, data: NDArray, marks: NDArray, scenario: NDArray, u: float, price: float) -> int:
    """Return the free item that the relaxation pays for in part and that matters most, -1 if there is none.

    Where nature shares out no item, the capacity may: the one that is worth exactly what its capacity is.
    """
    found, most = -1, 0.0
    for i in range(state.size):
        if state[i] == FREE and marks[i] == SHARED and data[i, 4] > data[i, 0]:
            share = min(price / data[i, 1], 1.0)
            weight = min(share, 1.0 - share) * (data[i, 4] - data[i, 0])
            if weight > most:
                found, most = i, weight
    if found < 0:
        for i in range(state.size):
            if state[i] == FREE and marks[i] != SHARED and data[i, 4] > data[i, 0]:
                used = max(-data[i, 1] * scenario[i] - u * data[i, 2], -u * data[i, 3])
                if abs(data[i, 0] + used) <= TIE * data[i, 0] and data[i, 4] - data[i, 0] > most:
                    found, most = i, data[i, 4] - data[i, 0]
    return found


@njit(cache=True, nogil=True)
def _up(heap: NDArray, bounds: NDArray, place: int) -> None:
    while place > 0:
        above = (place - 1) // 2
        if bounds[heap[above]] >= bounds[heap[place]]:
            break
        heap[above], heap[place] = heap[place], heap[above]
        place = above


@njit(cache=True, nogil=True)
def _down(heap: NDArray, bounds: NDArray, size: int) -> None:
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and bounds[heap[child + 1]] > bounds[heap[child]]:
            child += 1
        if bounds[heap[place]] >= bounds[heap[child]]:
            break
        heap[place], heap[child] = heap[child], heap[place]
        place = child


@njit(cache=True, nogil=True)
def explore(
    data: NDArray,
    order: NDArray,
    capacity: float,
    budget: float,
    states: NDArray,
    bounds: NDArray,
    splits: NDArray,
    children: NDArray,
    heap: NDArray,
    count: int,
    size: int,
    cutoff: float,
    most: int,
    best: NDArray,
    best_value: float,
    aside: float,
) -> tuple[int, int, float, float, bool]:
    """Split up to ``most`` nodes, best bound first; return (count, size, best_value, aside, whether it could go on).

    ``states`` (m, n), ``bounds`` (m,), ``splits`` (m,) (-1 while a leaf) and ``children`` (m,) (the place of the first
    child, the second follows) describe the tree, ``heap`` its open leaves. A node whose relaxation takes nothing in
    part is put aside, ``aside`` is the largest bound of those. It stops where the bound is at ``cutoff`` or at that, or
    when the arrays are full. ``best`` (n,) is the best plan that was met by its relaxed worth ``best_value``.
    """
    n = states.shape[1]
    scenario, marks, plan = np.empty(n), np.empty(n, np.int8), np.empty(n, np.int8)
    other, kept = np.empty(n), np.empty(n, np.int8)
    for _ in range(most):
        if size == 0 or count + 2 > bounds.size:
            return count, size, best_value, aside, False
        node = heap[0]
        if bounds[node] <= max(cutoff, aside):
            return count, size, best_value, aside, False
        _, u, price = relaxed(states[node], data, order, capacity, budget, scenario, marks)
        item = _item(states[node], data, marks, scenario, u, price)
        for i in range(n):
            if states[node, i] != FREE:
                plan[i] = states[node, i]
            elif marks[i] == SHARED:
                plan[i] = IN if 2.0 * price > data[i, 1] else OUT
            else:
                plan[i] = IN if marks[i] != LEFT_OVER or data[i, 0] >= data[i, 4] else OUT
        value, _, _ = relaxed(plan, data, order, capacity, budget, other, kept)
        if value > best_value:
            best_value = value
            best[:] = plan
        size -= 1
        heap[0] = heap[size]
        _down(heap, bounds, size)
        if item < 0:
            aside = max(aside, bounds[node])
            continue
        splits[node], children[node] = item, count
        for fate in (IN, OUT):
            states[count] = states[node]
            states[count, item] = fate
            value, _, _ = relaxed(states[count], data, order, capacity, budget, scenario, marks)
            bounds[count] = min(value, bounds[node])
            splits[count], children[count] = -1, -1
            heap[size] = count
            _up(heap, bounds, size)
            size += 1
            count += 1
    return count, size, best_value, aside, True


@njit(cache=True, nogil=True)
def climb(
    plan: NDArray, data: NDArray, order: NDArray, capacity: float, budget: float, pays: NDArray, most: int
) -> tuple[float, int]:
    """Improve a plan in place by taking in, leaving out or exchanging items; return (worth, evaluations).

    The worth is that of the relaxation. Items that pay (``pays``) stay in. Ends at a plan that no such step improves,
    or after ``most`` evaluations.
    """
    n = plan.size
    scenario, marks = np.empty(n), np.empty(n, np.int8)
    best, _, _ = relaxed(plan, data, order, capacity, budget, scenario, marks)
    asked, improved = 1, True
    while improved and asked < most:
        improved = False
        for i in range(n):
            if pays[i]:
                continue
            plan[i] = 1 - plan[i]
            value, _, _ = relaxed(plan, data, order, capacity, budget, scenario, marks)
            asked += 1
            if value > best + 1e-9 * abs(best):
                best, improved = value, True
                continue
            partner = -1
            for k in range(i + 1, n):
                if plan[k] != plan[i] or pays[k]:
                    continue
                plan[k] = 1 - plan[k]  # both sides of an exchange have turned now
                value, _, _ = relaxed(plan, data, order, capacity, budget, scenario, marks)
                plan[k] = 1 - plan[k]
                asked += 1
                if value > best + 1e-9 * abs(best):
                    best, partner = value, k
            if partner >= 0:
                plan[partner] = 1 - plan[partner]
                improved = True
            else:
                plan[i] = 1 - plan[i]
    return best, asked


def bases(problem: Knapsack, state: NDArray) -> NDArray[np.float64]:
    """Return what each item brings when it is not produced, shape (n,)."""
    short = (problem.profit - problem.outsourcing).astype(np.float64)
    return np.where(state == IN, short, np.where(state == OUT, 0.0, np.maximum(short, 0.0)))


@njit(cache=True, nogil=True)
def at_scenario(state: NDArray, scenario: NDArray, data: NDArray, capacity: float) -> float:
    """Return what no recourse of a node exceeds against one scenario: the capacity at its best price."""
    n = state.size
    gains, weights = np.zeros((n, 2)), np.ones((n, 2))
    total = 0.0
    for i in range(n):
        if state[i] == OUT:
            continue
        gain = data[i, 4] if state[i] == IN else min(data[i, 0], data[i, 4])
        total += data[i, 0] - gain
        gains[i, 0], gains[i, 1] = gain - data[i, 1] * scenario[i], gain
        weights[i, 0], weights[i, 1] = data[i, 2], data[i, 3]
    u = break_price(gains, weights, int(capacity))
    total += u * capacity
    for i in range(n):
        total += max(0.0, gains[i, 0] - u * weights[i, 0], gains[i, 1] - u * weights[i, 1])
    return total


@njit(cache=True, nogil=True)
def item_worth(u: float, pi: float, row: NDArray) -> tuple[float, float]:
    """Return (what a chosen item is worth at these prices, the capacity it takes then)."""
    loss = row[1]
    used, repaired = row[4] - u * row[2], row[4] - u * row[3]
    share = 1.0 if pi >= loss else pi / loss
    worth, load = 0.0, 0.0
    if repaired > worth:
        worth, load = repaired, row[3]
    if share * used > worth:
        worth, load = share * used, share * row[2]
    both = share * used + (1.0 - share) * repaired
    if both > worth:
        worth, load = both, share * row[2] + (1.0 - share) * row[3]
    if used - max(loss - pi, 0.0) > worth:
        worth, load = used - max(loss - pi, 0.0), row[2]
    return row[0] - row[4] + worth, load


@njit(cache=True, nogil=True)
def height(u: float, pi: float, state: NDArray, data: NDArray, capacity: float, budget: float) -> tuple[float, float]:
    """Return (uC - Γπ + Σ h, its slope in u)."""
    value, slope = u * capacity - budget * pi, capacity
    for i in range(state.size):
        if state[i] == OUT:
            continue
        worth, load = item_worth(u, pi, data[i])
        if state[i] == IN or worth > 0.0:
            value += worth
            slope -= load
    return value, slope


class Relaxation:
    """The relaxation of one problem: its data as the kernels want it.

    >>> import numpy as np
    >>> from workbench.games.robust.problem import Knapsack
    >>> one = Relaxation(Knapsack([10], [6], [20], [5], [8], capacity=10, budget=1))
    >>> round(one.bound(np.array([FREE], np.int8))[0], 6)
    5.2
    """

    def __init__(self, problem: Knapsack) -> None:
        self.data = np.column_stack(
            [
                problem.profit,
                problem.loss,
                problem.weight,
                problem.weight + problem.repair,
                problem.outsourcing,
            ]
        ).astype(np.float64)
        self.order = np.argsort(-problem.loss, kind="stable")
        self.capacity, self.budget = float(problem.capacity), problem.budget
        self.pays = problem.profit >= problem.outsourcing

    def bound(self, state: NDArray[np.int8]) -> tuple[float, NDArray[np.float64]]:
        """Return (what no plan of a node exceeds, the scenario that shows it, shape (n,))."""
        scenario, marks = np.empty(state.size), np.empty(state.size, np.int8)
        value, _, _ = relaxed(state, self.data, self.order, self.capacity, self.budget, scenario, marks)
        return value, scenario

    def item(self, state: NDArray[np.int8]) -> int:
        """Return the free item that the relaxation takes in part and that matters most, -1 if there is none."""
        scenario, marks = np.empty(state.size), np.empty(state.size, np.int8)
        _, u, price = relaxed(state, self.data, self.order, self.capacity, self.budget, scenario, marks)
        return int(_item(state, self.data, marks, scenario, u, price))

    def at(self, state: NDArray[np.int8], scenario: NDArray) -> float:
        """Return what no plan of a node exceeds against one scenario, by weak duality."""
        return at_scenario(state, scenario, self.data, self.capacity)

    def climb(self, plan: NDArray[np.int8], most: int = 200_000) -> tuple[float, NDArray[np.int8]]:
        """Return (worth in the relaxation, plan) of a plan that no single step improves, from ``plan`` on."""
        better = plan.copy()
        value, _ = climb(better, self.data, self.order, self.capacity, self.budget, self.pays, most)
        return value, better

    def at_prices(self, state: NDArray[np.int8], u: float, pi: float) -> float:
        """Return uC - Γπ + Σ h of a node: with nature's budget at the price π, no plan of it is worth more."""
        value, _ = height(u, pi, state, self.data, self.capacity, self.budget)
        return float(value)
