"""A bound with the plan in it: once the price π of nature's budget is known, every item is in or out.

The relaxation of :mod:`.relaxation` lets every item wait for the scenario, and loses some percent by it where profits
follow weights. But what the best mixture of recourses is worth to a plan is, by duality,

    max over π ≥ 0 of  -Γπ + Σ_i (p̄_i - f_i) x_i + f_i (e_i + r_i) - max(p̂_i e_i - π, 0),
    Σ_i c_i (e_i + r_i) + t_i r_i ≤ C,

e_i and r_i being the shares of the recourses that expose and that repair item i, e_i + r_i ≤ x_i. For a given π and a
price u of capacity this falls apart into the items, each worth h_i = max(0, p̄_i - f_i + the best of five choices):
nothing, repaired, exposed in the share q_i = min(1, π/p̂_i) that costs nothing, that and repaired otherwise, exposed.
Whether an item is in the plan is part of its choice: max over π of min over u of uC - Γπ + Σ h_i bounds all plans, and
is no linear programme. (For one stage, branching on π is due to C. Büsing, T. Gersing and A. M. C. A. Koster, *A branch
and bound algorithm for robust binary optimization with budget uncertainty*, Mathematical Programming Computation 15,
2023.) On a strip a ≤ π ≤ b that has no p̂_i inside, h_i is convex in π, so the larger of the values at a and at b
bounds the strip. Strips are cut until that is sharp, and items that the capacity takes in part are split.
"""

import heapq
import itertools
from collections.abc import Iterator

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workbench import checks
from workbench.games.robust.cuts import Cuts
from workbench.games.robust.problem import Knapsack
from workbench.games.robust.relaxation import FREE, IN, OUT, Relaxation, _down, _up, height, item_worth
from workbench.games.robust.search import Search
from workbench.games.robust.tree import Node, Strip

BISECTIONS = 44  # of the price of capacity
CHUNK = 500  # nodes between two looks at the clock
MOST_NODES = 200_000
MOST_NUMBERS = 4_000_000  # states kept, in bytes
SHARP = 0.25  # of what a node is above its strip's best single π: where items are split rather than the strip
LEAST_STRIP = 1e-9  # relative: strips are not cut further
INHERITED = 1e-9  # relative: a child's own price may say less than its parent's by rounding
MOST_CUTS = 4_000  # before the programme of the exact bounds is begun anew
DONE, GOES_ON, DECIDED, FULL = 0, 1, 2, 3


@njit(cache=True, nogil=True)
def strip_bound(
    low: float, high: float, state: NDArray, data: NDArray, capacity: float, budget: float
) -> tuple[float, float]:
    """Return (what no plan of a node is worth with π in the strip, the price u that shows it).

    The least over u of the larger of both ends, by bisection: both are convex in u.
    """
    left, right = 0.0, 0.0
    for i in range(state.size):
        if state[i] != OUT:
            right = max(right, data[i, 4] / data[i, 2])
    best, where = np.inf, 0.0
    for k in range(BISECTIONS + 2):
        u = 0.0 if k == 0 else right if k == 1 else 0.5 * (left + right)
        value, slope = height(u, low, state, data, capacity, budget)
        if high > low:
            other, tilt = height(u, high, state, data, capacity, budget)
            if other > value:
                value, slope = other, tilt
        if value < best:
            best, where = value, u
        if k == 0 and slope >= 0.0:
            break
        if k > 0 and slope > 0.0:
            right = u
        elif k > 0:
            left = u
    return best, where


@njit(cache=True, nogil=True)
def _torn(u: float, pi: float, state: NDArray, data: NDArray, plan: NDArray) -> int:
    """Write the plan that the prices ask for; return the free item that is nearest to being in or out, as money."""
    found, least = -1, np.inf
    for i in range(state.size):
        if state[i] != FREE:
            plan[i] = state[i]
            continue
        worth, load = item_worth(u, pi, data[i])
        plan[i] = IN if worth > 0.0 else OUT
        if data[i, 0] < data[i, 4] and abs(worth) / max(load, 1e-9) < least and load > 0.0:
            found, least = i, abs(worth) / load
    return found


@njit(cache=True, nogil=True)
def _has_inside(low: float, high: float, data: NDArray) -> bool:
    """Tell whether a loss lies inside of a strip: nothing is convex there."""
    return ((data[:, 1] > low) & (data[:, 1] < high)).any()


@njit(cache=True, nogil=True)
def _explore(
    data: NDArray,
    capacity: float,
    budget: float,
    states: NDArray,
    strips: NDArray,
    bounds: NDArray,
    prices: NDArray,
    splits: NDArray,
    cuts: NDArray,
    children: NDArray,
    heap: NDArray,
    count: int,
    size: int,
    cutoff: float,
    most: int,
    plans: NDArray,
) -> tuple[int, int, int, int]:
    """Split up to ``most`` nodes, best bound first; return (count, size, plans met, how it ended).

    A node is a part of all plans and a strip of π. ``splits`` is an item, or n for a strip cut at ``cuts``, -1 while a
    leaf; the children follow each other from ``children``. ``plans`` (m, n) takes the plans that the prices ask for.
    """
    n = states.shape[1]
    met, scale = 0, data[:, 1].max()
    for _ in range(most):
        if size == 0 or bounds[heap[0]] <= cutoff:
            return count, size, met, DONE
        if count + 2 > bounds.size:
            return count, size, met, FULL
        node = heap[0]
        low, high = strips[node, 0], strips[node, 1]
        item, by_strip, middle = -1, False, 0.5 * (low + high)
        nearest = np.inf  # a strip is cut first where losses lie, so that what is inside is convex
        for i in range(n):
            if low < data[i, 1] < high and abs(data[i, 1] - 0.5 * (low + high)) < nearest:
                by_strip, nearest, middle = True, abs(data[i, 1] - 0.5 * (low + high)), data[i, 1]
        if not by_strip:
            pi = middle
            point, u = strip_bound(middle, middle, states[node], data, capacity, budget)
            for end in (low, high):
                value, price = strip_bound(end, end, states[node], data, capacity, budget)
                if value > point:
                    point, u, pi = value, price, end
            item = _torn(u, pi, states[node], data, plans[met])
            met += 1
            excess = bounds[node] - point
            by_strip = high - low > LEAST_STRIP * scale and excess > SHARP * (bounds[node] - cutoff)
            if not by_strip and item < 0:
                return count, size, met, DECIDED
        size -= 1
        heap[0] = heap[size]
        _down(heap, bounds, size)
        splits[node], children[node], cuts[node] = n if by_strip else item, count, middle
        for half in range(2):
            states[count], strips[count] = states[node], strips[node]
            if by_strip:
                strips[count, 1 - half] = middle
            else:
                states[count, item] = IN if half == 0 else OUT
            size = _enter(
                data, capacity, budget, states, strips, bounds, prices, splits, heap, count, size, bounds[node]
            )
            count += 1
    return count, size, met, GOES_ON


@njit(cache=True, nogil=True)
def _enter(
    data: NDArray,
    capacity: float,
    budget: float,
    states: NDArray,
    strips: NDArray,
    bounds: NDArray,
    prices: NDArray,
    splits: NDArray,
    heap: NDArray,
    place: int,
    size: int,
    most: float,
) -> int:
    """Bound a new leaf, whose parent is bounded by ``most``, and put it on the heap; return the heap's size."""
    bounds[place], prices[place], splits[place] = most, -1.0, -1
    if not _has_inside(strips[place, 0], strips[place, 1], data):
        value, price = strip_bound(strips[place, 0], strips[place, 1], states[place], data, capacity, budget)
        if value <= most * (1.0 + INHERITED) + INHERITED:
            bounds[place], prices[place] = min(value, most), price
    heap[size] = place
    _up(heap, bounds, size)
    return size + 1


def priced_bound(problem: Knapsack, *, gap: float = 1e-6) -> float:
    """Return what no plan is worth more than, by prices alone: no item is split. Some ten milliseconds at n = 80.

    max over π of min over u, by cutting the strip of the largest bound until a single π comes near it by the relative
    ``gap``. Far below :func:`~.evaluate.bound` where profits follow weights, and above it now and then for few items,
    since its recourses are fractional.

    >>> from workbench.games.robust import bound, knapsack
    >>> problem = knapsack("SC", 40, h=40, seed=1)
    >>> priced_bound(problem) < 0.97 * bound(problem).value
    True
    """
    gap = checks.real("gap", gap, minimum=1e-12, maximum=1.0)
    own, state = Relaxation(problem), np.full(problem.items, FREE, np.int8)
    fixed = (state, own.data, own.capacity, own.budget)
    ends = np.unique(np.append(0.0, own.data[:, 1]))
    best = max(strip_bound(end, end, *fixed)[0] for end in ends)
    heap = [(-strip_bound(low, high, *fixed)[0], low, high) for low, high in itertools.pairwise(ends)]
    heapq.heapify(heap)
    while heap and -heap[0][0] > best + gap * max(1.0, abs(best)) and len(heap) < MOST_NODES:
        _, low, high = heapq.heappop(heap)
        middle = 0.5 * (low + high)
        best = max(best, strip_bound(middle, middle, *fixed)[0])
        for strip in ((low, middle), (middle, high)):
            heapq.heappush(heap, (-strip_bound(*strip, *fixed)[0], *strip))
    return float(max(best, -heap[0][0])) if heap else float(best)


class Strips:
    """The tree of parts of all plans and strips of π, explored as long as it says more than the best plan.

    Where the prices alone decide every item of a node and leave a gap, which is then that of fractional recourses, the
    exact bound of :mod:`.bounding` is asked.
    """

    def __init__(self, search: Search) -> None:
        n = search.problem.items
        room = max(4 * n + 16, min(MOST_NODES, MOST_NUMBERS // n))
        own = search.cuts.relaxation
        self.search, self._fixed = search, (own.data, own.capacity, own.budget)
        self.states, self.strips = np.empty((room, n), np.int8), np.zeros((room, 2))
        self.bounds, self.prices = np.empty(room), np.full(room, -1.0)
        self.splits, self.children = np.full(room, -1, np.int32), np.full(room, -1, np.int32)
        self.cuts, self.heap = np.zeros(room), np.zeros(room, np.int64)
        self.scenarios: dict[int, NDArray[np.float64]] = {0: search.tree.scenario}
        self.shown = {0}  # the nodes that are bounded by their scenario
        self.states[0], self.strips[0] = search.tree.state, (0.0, float(own.data[:, 1].max()))
        self.bounds[0] = search.tree.bound
        self.count = self.size = 1

    @property
    def bound(self) -> float:
        """What no plan is worth more than."""
        return float(self.bounds[self.heap[0]]) if self.size else -np.inf

    def explore(self) -> None:
        """Split until every part is bounded by the best plan, the time is up or the room is full."""
        search, n = self.search, self.search.problem.items
        plans, ended = np.empty((CHUNK, n), np.int8), GOES_ON
        while ended in (GOES_ON, DECIDED) and search.left > 0:
            before = self.count
            self.count, self.size, met, ended = _explore(
                *self._fixed, self.states, self.strips, self.bounds, self.prices, self.splits, self.cuts,
                self.children, self.heap, self.count, self.size, search.cutoff, CHUNK, plans,
            )  # fmt: skip
            search.nodes += (self.count - before) // 2
            self._look_at(plans[:met])
            if ended == DECIDED and not self._exactly():
                break
            search.upper = min(search.upper, max(self.bound, search.cutoff))
            search.told()

    def _look_at(self, plans: NDArray) -> None:
        """Evaluate those plans that may be better than the best one."""
        for plan in np.unique(plans, axis=0):
            if plan.tobytes() not in self.search.known and self.search.left > 0:
                worth, _ = self.search.cuts.relaxation.bound(plan)
                if worth > self.search.cutoff:
                    self.search.evaluate(plan)

    def _exactly(self) -> bool:
        """Bound the first leaf by its best scenario, and split it if that is not enough; False if nothing helps."""
        search, place = self.search, int(self.heap[0])
        if len(search.cuts.recourses) > MOST_CUTS:
            search.cuts = Cuts(search.problem)
        node = Node(self.states[place].copy(), float(self.bounds[place]), self._shown_by(place))
        before = node.bound
        found = search.tighten(node)
        if node.bound < before:
            self.scenarios[place], self.bounds[place] = node.scenario, node.bound
            self.shown.add(place)
        if node.bound <= search.cutoff:
            self._sink()
            return True
        search.evaluate(search.rounded(found, node.state), node.scenario)
        waits = (node.state == FREE) & (search.problem.profit < search.problem.outsourcing)
        if not waits.any() or self.count + 2 > len(self.bounds):
            return False
        used = found.used
        price = (search.problem.outsourcing - search.problem.profit).astype(float)
        item = int(np.argmax(np.where(waits, np.minimum(used, 1.0 - used) * price + 1e-9 * price, -1.0)))
        self.size -= 1
        self.heap[0] = self.heap[self.size]
        _down(self.heap, self.bounds, self.size)
        self.splits[place], self.children[place] = item, self.count
        for fate in (IN, OUT):
            self.states[self.count], self.strips[self.count] = node.state, self.strips[place]
            self.states[self.count, item] = fate
            self.children[self.count] = -1
            self.scenarios[self.count] = node.scenario
            self.size = _enter(
                *self._fixed, self.states, self.strips, self.bounds, self.prices, self.splits, self.heap,
                self.count, self.size, node.bound,
            )  # fmt: skip
            self.count += 1
        return True

    def _shown_by(self, place: int) -> NDArray[np.float64]:
        """Return a scenario to start from: the one that bounds the node, or the best plan's."""
        found = self.scenarios.get(place)
        return self.search.worst.scenario if found is None else found

    def _sink(self) -> None:
        """Put the first leaf where it belongs after its bound fell."""
        place = self.heap[0]
        self.size -= 1
        self.heap[0] = self.heap[self.size]
        _down(self.heap, self.bounds, self.size)
        self.heap[self.size] = place
        _up(self.heap, self.bounds, self.size)
        self.size += 1

    def walk(self) -> Iterator[tuple[str, float | Strip]]:
        """Yield the tree in preorder: ("item", i), ("cut", π) or ("leaf", :class:`Strip`); the lower half first."""
        waiting: list[tuple[int, NDArray[np.float64] | None]] = [(0, None)]
        n = self.states.shape[1]
        while waiting:
            place, scenario = waiting.pop()
            if place in self.shown:
                scenario = self.scenarios[place]
            if self.splits[place] < 0:
                price = float(self.prices[place])
                shown = scenario if price < 0.0 or (place in self.shown and place) else None
                yield "leaf", Strip(self.states[place], *map(float, self.strips[place]), price, shown)
                continue
            first = int(self.children[place])
            waiting += [(first + 1, scenario), (first, scenario)]
            if self.splits[place] == n:
                yield "cut", float(self.cuts[place])
            else:
                yield "item", int(self.splits[place])
