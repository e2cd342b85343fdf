"""Price and branch: the exact method, best bound first, split where both sides promise to fall.

Where many items share the capacity, the continuous relaxation bounds a node almost as well as the cutting planes do and
takes some microseconds: :func:`explore` splits by it alone, thousands of nodes in a second. :func:`branch` takes the
leaves that are left and bounds them exactly.
"""

import heapq
import itertools

import numpy as np

from workbench.games.robust import relaxation
from workbench.games.robust.bounding import FREE, IN, OUT, Bound, value_at
from workbench.games.robust.cuts import Cuts
from workbench.games.robust.search import Search
from workbench.games.robust.tree import Node

CANDIDATES = 8  # items tried by strong branching at a node
HALF = 1e-6  # a mixture uses an item neither never nor always beyond this
MOST_ROWS = 6  # cuts kept per item before the idle ones are dropped
SMALLEST = 15  # items below which the exact bounds need no help
MOST_NUMBERS = 1_000_000  # of a certificate, some 14 megabytes: one scenario for each leaf
MOST_NODES = 600_000  # of a tree that is explored beyond that, for a bound without a certificate
MOST_CELLS = 40_000_000  # bytes for the states of these
CHUNK = 1_000  # nodes split between two looks at the clock
CLOSE = 0.5  # the part of the gap that the relaxation may leave open and still be worth exploring


def explore(search: Search, most_leaves: int | None = None) -> bool:
    """Split the plans by the relaxation until it is bounded by the best plan, leaves no item in part, or is too large.

    The tree of the search becomes the one that was explored, as far as a certificate can hold it; return whether all
    of it is there. Beyond that the bound goes on falling, and is an estimate only.
    """
    root, own, n = search.tree, search.cuts.relaxation, search.problem.items
    most_leaves = most_leaves or MOST_NUMBERS // (n + 2)
    loose, _ = own.bound(root.state)
    if search.closed or loose - root.bound > CLOSE * max(root.bound - search.profit, 0.0):
        return True
    search.by_relaxation = True
    room = max(2 * most_leaves, min(MOST_NODES, MOST_CELLS // n))
    states, bounds, heap = np.empty((room, n), np.int8), np.empty(room), np.zeros(room, np.int64)
    splits, children = np.full(room, -1, np.int32), np.full(room, -1, np.int32)
    states[0], bounds[0] = root.state, root.bound
    count, size, aside, goes_on = 1, 1, -np.inf, True
    plan = np.array(search.best, np.int8)
    worth, _ = own.bound(plan)
    while goes_on and search.left > 0:
        before = count
        count, size, value, aside, goes_on = relaxation.explore(
            own.data, own.order, own.capacity, own.budget,
            states, bounds, splits, children, heap, count, size, search.cutoff, CHUNK, plan, worth, aside,
        )  # fmt: skip
        search.nodes += (count - before) // 2
        if value > worth:
            worth, better = own.climb(plan)
            plan[:] = better
            search.evaluate(plan)
        top = float(bounds[heap[0]]) if size else -np.inf
        search.upper = min(search.upper, max(top, aside, search.cutoff))
        search.told()
    kept = min(count, 2 * most_leaves - 1)
    search.tree = _grown(search, root, states[:kept], bounds, splits, children)
    return kept == count


def _grown(search: Search, root: Node, states, bounds, splits, children) -> Node:
    """Return the explored tree as nodes; a leaf is shown by the relaxation's scenario, or by the root's if better."""
    own = search.cuts.relaxation
    nodes = [Node(state, float(bound), root.scenario) for state, bound in zip(states, bounds, strict=False)]
    for k, node in enumerate(nodes):
        if splits[k] >= 0 and children[k] + 1 < len(nodes):
            node.split, node.children = int(splits[k]), [nodes[children[k]], nodes[children[k] + 1]]
        else:
            value, scenario = own.bound(node.state)
            if value <= root.bound:
                node.scenario = scenario
    return nodes[0]


def branch(search: Search) -> None:
    """Split the plans by items until every part is bounded by the best plan, or the time is up."""
    number, own = itertools.count(), search.cuts.relaxation
    heap = [(-leaf.bound, next(number), leaf) for leaf in search.tree.leaves()]
    heapq.heapify(heap)
    room = MOST_NUMBERS // (search.problem.items + 2) - len(heap)
    while heap:
        search.upper = min(search.upper, max(-heap[0][0], search.profit))
        search.told()
        if search.closed or search.left <= 0 or room <= 0:
            break
        _, _, node = heapq.heappop(heap)
        search.nodes += 1
        item = own.item(node.state) if search.by_relaxation else -1
        if item >= 0:
            room -= 1
            _split(search, node, item)
            for child in node.children:
                heapq.heappush(heap, (-child.bound, next(number), child))
            continue
        if search.cuts.count > MOST_ROWS * search.problem.items + 200:
            search.cuts = _fewer(search.cuts)
        found = search.tighten(node)
        item = -1
        if node.bound > search.cutoff and search.left > 0:
            for threshold in (0.5, 0.05):
                search.evaluate(search.rounded(found, node.state, threshold), node.scenario)
            item = _item(search, node, found)
        if item >= 0:
            room -= 1
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
    """Make both children, each with the better of the relaxation's bound and what its parent's scenario leaves."""
    node.split = item
    for fate in (IN, OUT):
        state = node.state.copy()
        state[item] = fate
        value, scenario = search.cuts.relaxation.bound(state)
        inherited = node.bound
        if not search.by_relaxation:
            inherited = min(value_at(search.problem, state, node.scenario)[0], inherited)
        if value > inherited:
            value, scenario = inherited, node.scenario
        node.children.append(Node(state, value, scenario))


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
            cuts.at(state)
            falls.append(max(node.bound - cuts.solve(), 1e-6))
        scores.append(falls[0] * falls[1])
    return tried[int(np.argmax(scores))]


def _fewer(cuts: Cuts) -> Cuts:
    """Return a programme with the younger half of the cuts: a node starts from what its neighbours needed."""
    fresh = Cuts(cuts.problem)
    for row in cuts.recourses[cuts.count // 2 : cuts.count]:
        fresh.add(row, 0.0)
    return fresh
