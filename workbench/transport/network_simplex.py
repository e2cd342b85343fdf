"""The network simplex on a list of arcs that may grow: the basis is kept, so new arcs cost only their own pivots.

Sources 0 … n−1, sinks n … n+m−1 and one root n+m. Every node starts on an artificial arc to or from the root; the rest
of the arcs are given by the caller, who adds those that price out (``pricing.py``) and calls :meth:`Simplex.solve`
again. Arcs have no capacity, so only the arcs of the spanning tree carry flow: it is stored with the lower end of each.

The tree is kept strongly feasible (an arc without flow points to the root), which rules out cycling on degenerate
problems such as assignments. Reduced costs are c + π_i − π_j; the dual potentials are f = −π on sources, g = π on
sinks.

Reference: Cunningham, "A network simplex method", Mathematical Programming 11, 1976; Király and Kovács, "Efficient
implementations of minimum-cost flow algorithms", 2012 (block search, the rule for the leaving arc).
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workbench.progress import Progress

Floats = NDArray[np.float64]
PIVOTS_A_CALL = 20_000
"""Between two looks at the progress meter."""
PIVOTS_A_NODE = 5000
"""Problems met so far took at most 30; what takes this many does not end."""
ROUNDING = 1e-14
"""A reduced cost above −ROUNDING times the largest cost counts as zero inside the simplex."""
EXACT, STOPPED = 0, 1


class Simplex:
    """A minimum-cost flow from ``supply`` (n,) to ``demand`` (m,), both positive with one sum, over arcs added later.

    ``artificial`` (n+m,) are the costs of the artificial arcs. They carry no flow at the optimum over *all* pairs if
    ``artificial[i] + artificial[n + j]`` exceeds the cost of every pair; an estimate of the potentials plus a large
    constant lets the first pivots choose the arcs with the smallest reduced costs.
    """

    def __init__(self, supply: Floats, demand: Floats, artificial: Floats) -> None:
        n, m = len(supply), len(demand)
        nodes = n + m + 1
        self.n, self.m = n, m
        self.tails, self.heads = np.empty(0, np.int32), np.empty(0, np.int32)
        self.costs = np.empty(0)
        self.pivots = 0
        self._next = 0
        self._artificial = np.append(np.asarray(artificial, dtype=np.float64), 0.0)
        root = nodes - 1
        self._parent = np.full(nodes, root, np.int32)
        self._arc = np.full(nodes, -1, np.int64)  # the arc to the parent; −1: the artificial one
        self._upward = np.zeros(nodes, np.bool_)
        self._upward[:n] = True
        self._flow = np.concatenate([supply, demand, [0.0]])
        self._depth = np.ones(nodes, np.int32)
        self._depth[root], self._parent[root] = 0, -1
        self._child = np.full(nodes, -1, np.int32)
        self._child[root] = 0
        self._right = np.arange(1, nodes + 1, dtype=np.int32)
        self._left = np.arange(-1, nodes - 1, dtype=np.int32)
        self._right[[root - 1, root]], self._left[[0, root]] = -1, -1
        self._potential = np.zeros(nodes)

    def add(self, tails: NDArray[np.integer], heads: NDArray[np.integer], costs: Floats) -> None:
        """Append arcs from source ``tails`` to sink ``heads`` (0 … m−1)."""
        self.tails = np.concatenate([self.tails, np.asarray(tails, np.int32)])
        self.heads = np.concatenate([self.heads, np.asarray(heads, np.int32)])
        self.costs = np.concatenate([self.costs, costs])

    def prune(self, keep: NDArray[np.bool_]) -> None:
        """Forget the arcs outside ``keep`` (arcs,) that are not in the tree."""
        keep = keep.copy()
        used = self._arc[self._arc >= 0]
        keep[used] = True
        renumbered = np.cumsum(keep) - 1
        self._arc[self._arc >= 0] = renumbered[used]
        self.tails, self.heads, self.costs = self.tails[keep], self.heads[keep], self.costs[keep]
        self._next = 0

    def solve(self, progress: Progress, done: float, total: float, message: str) -> None:
        """Pivot until no arc has a negative reduced cost; reports at ``done`` of ``total`` and can be cancelled."""
        largest = max(np.abs(self.costs).max(initial=0.0), np.abs(self._artificial).max())
        while True:
            self.refresh()
            outcome, pivots, self._next = _pivot(
                self.n,
                self.tails,
                self.heads,
                self.costs,
                self._parent,
                self._arc,
                self._upward,
                self._flow,
                self._depth,
                self._child,
                self._right,
                self._left,
                self._potential,
                self._next,
                ROUNDING * largest,
                PIVOTS_A_CALL,
            )
            self.pivots += pivots
            if self.pivots > PIVOTS_A_NODE * len(self._parent) + PIVOTS_A_CALL:
                raise RuntimeError(
                    f"exact transport did not finish within {self.pivots} pivots; costs or weights over fewer decades "
                    "(rescale, or leave out what has hardly any mass) are easier"
                )
            progress.update(done, total, f"{message}, {self.pivots} pivots")
            if outcome == EXACT:
                self.refresh()
                return

    def refresh(self) -> None:
        """Compute the potentials from the tree again, so that rounding does not build up."""
        _potentials(
            self.n,
            self._parent,
            self._arc,
            self._upward,
            self._child,
            self._right,
            self.costs,
            self._artificial,
            self._potential,
        )

    @property
    def potentials(self) -> tuple[Floats, Floats]:
        """The dual potentials f (n,), g (m,), with f_i + g_j = cost on every arc of the tree."""
        return -self._potential[: self.n], self._potential[self.n : self.n + self.m].copy()

    @property
    def artificial_flow(self) -> float:
        """The mass that no real arc carries yet."""
        return float(self._flow[: self.n][self._arc[: self.n] < 0].sum())

    def plan(self) -> tuple[NDArray[np.int32], NDArray[np.int32], Floats]:
        """Return sources, sinks and mass of the arcs that carry any."""
        nodes = np.flatnonzero((self._arc >= 0) & (self._flow > 0))
        arcs = self._arc[nodes]
        return self.tails[arcs], self.heads[arcs], self._flow[nodes]


@njit(cache=True, nogil=True)
def _potentials(n, parent, arc, upward, child, right, costs, artificial, potential):
    """Walk the tree from the root and set π so that every arc of it has reduced cost 0."""
    root = len(parent) - 1
    potential[root] = 0.0
    u = child[root]
    while u != -1 and u != root:
        cost = costs[arc[u]] if arc[u] >= 0 else artificial[u]
        potential[u] = potential[parent[u]] - cost if upward[u] else potential[parent[u]] + cost
        if child[u] != -1:
            u = child[u]
            continue
        while u != root and right[u] == -1:
            u = parent[u]
        if u != root:
            u = right[u]


@njit(cache=True, nogil=True)
def _cut(u, parent, child, right, left):
    """Take ``u`` out of the list of its parent's children."""
    if left[u] == -1:
        child[parent[u]] = right[u]
    else:
        right[left[u]] = right[u]
    if right[u] != -1:
        left[right[u]] = left[u]


@njit(cache=True, nogil=True)
def _hang(u, above, parent, child, right, left):
    """Make ``u`` the first child of ``above``."""
    parent[u] = above
    first = child[above]
    child[above] = u
    left[u] = -1
    right[u] = first
    if first != -1:
        left[first] = u


@njit(cache=True, nogil=True)
def _entering(n, tails, heads, costs, potential, start, tolerance, block):
    """Return the best arc of the first block, counted from ``start``, that has one with a negative reduced cost."""
    arcs = len(costs)
    best, chosen, seen, e = -tolerance, -1, 0, start
    for _ in range(arcs):
        reduced = costs[e] + potential[tails[e]] - potential[n + heads[e]]
        if reduced < best:
            best, chosen = reduced, e
        e += 1
        if e == arcs:
            e = 0
        seen += 1
        if seen == block:
            if chosen >= 0:
                return chosen, e
            seen = 0
    return chosen, e


@njit(cache=True, nogil=True)
def _pivot(
    n, tails, heads, costs, parent, arc, upward, flow, depth, child, right, left, potential, start, tolerance, most
):
    """Do at most ``most`` pivots; returns whether the optimum was reached, their number and where to search next."""
    block = max(int(math.sqrt(len(costs))), 20)
    e = min(start, max(len(costs) - 1, 0))
    for pivots in range(most):
        chosen, e = _entering(n, tails, heads, costs, potential, e, tolerance, block)
        if chosen < 0:
            return EXACT, pivots, e
        i, j = tails[chosen], n + heads[chosen]
        reduced = costs[chosen] + potential[i] - potential[j]
        # the flow grows along i → j, up from j to the join and down from there to i; the last arc that blocks leaves
        u, v = i, j
        while u != v:
            if depth[u] >= depth[v]:
                u = parent[u]
            else:
                v = parent[v]
        join = u
        delta, out, on_source_side = np.inf, -1, True
        u = i
        while u != join:
            if upward[u] and flow[u] < delta:
                delta, out = flow[u], u
            u = parent[u]
        u = j
        while u != join:
            if not upward[u] and flow[u] <= delta:
                delta, out, on_source_side = flow[u], u, False
            u = parent[u]
        if delta > 0:
            u = i
            while u != join:
                flow[u] += -delta if upward[u] else delta
                u = parent[u]
            u = j
            while u != join:
                flow[u] += delta if upward[u] else -delta
                u = parent[u]
        # the part below the leaving arc is turned round to hang from the entering one
        top, above = (i, j) if on_source_side else (j, i)
        new_arc, new_upward, new_flow = np.int64(chosen), on_source_side, delta
        u, under = top, above
        while True:
            old_parent, old_arc, old_upward, old_flow = parent[u], arc[u], upward[u], flow[u]
            _cut(u, parent, child, right, left)
            _hang(u, under, parent, child, right, left)
            arc[u], upward[u], flow[u] = new_arc, new_upward, new_flow
            if u == out:
                break
            new_arc, new_upward, new_flow = old_arc, not old_upward, old_flow
            under, u = u, old_parent
        shift = -reduced if on_source_side else reduced
        u = top
        while True:
            potential[u] += shift
            depth[u] = depth[parent[u]] + 1
            if child[u] != -1:
                u = child[u]
                continue
            while u != top and right[u] == -1:
                u = parent[u]
            if u == top:
                break
            u = right[u]
    return STOPPED, most, e
