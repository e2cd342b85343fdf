"""Price and branch: the exact method, best bound first, split where both sides promise to fall."""

import heapq
import itertools

import numpy as np
from numpy.typing import NDArray

from workbench.games.robust.bounding import FREE, IN, OUT, Bound, Cuts, value_at
from workbench.games.robust.search import Search
from workbench.games.robust.tree import Node

CANDIDATES = 8  # items tried by strong branching at a node
HALF = 1e-6  # a mixture uses an item neither never nor always beyond this
MOST_ROWS = 6  # cuts kept per item before the idle ones are dropped


def branch(search: Search) -> None:
    """Split the plans by items until every part is bounded by the best plan, or the time is up."""
    heap: list[tuple[float, int, Node]] = []
    number = itertools.count()
    heapq.heappush(heap, (-search.tree.bound, next(number), search.tree))
    while heap:
        search.upper = min(search.upper, max(-heap[0][0], search.profit))
        search.told()
        if search.closed or search.left <= 0:
            break
        _, _, node = heapq.heappop(heap)
        search.nodes += 1
        if search.cuts.count > MOST_ROWS * search.problem.items + 200:
            search.cuts = _fewer(search.cuts)
        found = search.tighten(node)
        item = -1
        if node.bound > search.cutoff and search.left > 0:
            for threshold in (0.5, 0.05):
                search.evaluate(search.rounded(found, node.state, threshold), node.scenario)
            item = _item(search, node, found)
        if item >= 0:
            _split(search, node, item)
            for child in node.children:
                heapq.heappush(heap, (-child.bound, next(number), child))
        elif node.bound > search.cutoff:
            heapq.heappush(heap, (-node.bound, next(number), node))
            if search.left > 0:
                break  # every item is decided: what is left of the gap is rounding
    open_ = -heap[0][0] if heap else -np.inf
    search.upper = min(search.upper, max(open_, search.cutoff))
    search.told()


def _split(search: Search, node: Node, item: int) -> None:
    node.split = item
    for fate in (IN, OUT):
        state = node.state.copy()
        state[item] = fate
        value, _ = value_at(search.problem, state, node.scenario)
        node.children.append(Node(state, min(value, node.bound), node.scenario))


def _item(search: Search, node: Node, found: Bound) -> int:
    """Return the item to split by: the largest product of what both sides fall, over the cuts there are.

    Items that pay even when bought elsewhere are in the plan in any case and are never split.
    """
    problem, cuts = search.problem, search.cuts
    price = (problem.outsourcing - problem.profit).astype(float)
    waits = (node.state == FREE) & (price > 0)
    used = found.used
    weight = np.where(waits, np.minimum(used, 1 - used) * price, 0.0)
    tried = [int(i) for i in np.argsort(-weight)[:CANDIDATES] if used[i] > HALF and used[i] < 1 - HALF and waits[i]]
    if not tried:
        rest = np.flatnonzero(waits)
        return int(rest[np.argmax(price[rest])]) if rest.size else -1
    if len(tried) == 1:
        return tried[0]
    scores = []
    for i in tried:
        falls = []
        for fate in (IN, OUT):
            state = node.state.copy()
            state[i] = fate
            cuts.set_levels(cuts.levels(state))
            falls.append(max(node.bound - cuts.solve()[0], 1e-6))
        scores.append(falls[0] * falls[1])
    return tried[int(np.argmax(scores))]


def _fewer(cuts: Cuts) -> Cuts:
    """Return a programme with the younger half of the cuts: a node starts from what its neighbours needed."""
    kept: NDArray = cuts.recourses[cuts.count // 2 : cuts.count].copy()
    fresh = Cuts(cuts.problem)
    for row in kept:
        fresh.add(row, 0.0)
    return fresh
