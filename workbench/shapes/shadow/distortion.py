"""The large-scale distortion of a graph: how much shorter ways become when they may leave it by ε.

δ^ε_β(G) = sup d_G(a, b) / d_{G^ε}(a, b) over d_G(a, b) ≥ β, G^ε the points within ε of G with their own path metric.
Two of the theorems ask that it be small. It is bounded here for straight edges. Around a vertex with sharpest angle θ
the strips of two edges meet only up to z = ε max(1, cot θ/2) along either, so beyond that each strip is by itself, and
whoever passes along it walks at least the edge's length less both z. A way of G^ε from a to b that passes the vertices
v, …, w is thus no shorter than d_G(a, b) − Y and no shorter than D, where D is the least sum of shortened edges from v
to w and Y = d_G(v, w) − D + z_v + z_w. Hence

    δ ≤ max over v, w of X / (X − Y),  X = max(β, d_G(v, w) + z_v + z_w).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from workbench import checks
from workbench.shapes.shadow.graphs import Graph, planar_graph

Floats = NDArray[np.float64]
HALVINGS = 60


def distortion_bound(graph: Graph | str, beta: float, epsilon: float) -> float:
    """Return a number that the large-scale distortion δ^ε_β(G) of a graph with straight edges does not exceed.

    ∞ where ε is too large to tell: strips of edges without a common vertex meet, an edge is shorter than what its
    corners take, or β lies within a corner. Raises ``ValueError`` for scales that are not positive. Cost: V² log V, and
    E² for the distances of edges. The paper: arXiv 2506.01603, whose theorems ask for at most (1 + 2ξ)/(1 + ξ).

    >>> round(distortion_bound("square", 0.5, 0.01), 4)  # 0.5 along the border, 0.48 cut short at a corner
    1.0417
    """
    graph = planar_graph(graph) if isinstance(graph, str) else graph
    beta = checks.real("beta", beta, exclusive_minimum=0)
    epsilon = checks.real("epsilon", epsilon, exclusive_minimum=0)
    return _bound(graph, corner_shares(graph), edges_apart(graph), beta, epsilon)


def largest_share(graph: Graph, beta: float, limit: float, most: float) -> float:
    """Return the largest ε/β up to ``most`` at which :func:`distortion_bound` stays within ``limit``; 0 for none."""
    corners, apart = corner_shares(graph), edges_apart(graph)
    if not np.isfinite(beta) or _bound(graph, corners, apart, beta, most * beta) <= limit:
        return most
    low, high = 0.0, most  # the bound rises with ε
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _bound(graph, corners, apart, beta, middle * beta) <= limit else (low, middle)
    return low


def corner_shares(graph: Graph) -> Floats:
    """Return z/ε of each vertex (V,): max(1, cot θ/2) of its sharpest angle θ; NaN where no way passes (one edge)."""
    shares = np.full(len(graph.vertices), np.nan)
    for v in range(len(shares)):
        ends = [int(j if i == v else i) for i, j in graph.edges if v in (i, j)]
        ways = graph.vertices[ends] - graph.vertices[v]
        ways /= np.linalg.norm(ways, axis=1, keepdims=True)
        for a in range(len(ways)):
            for b in range(a):
                far, near = np.linalg.norm(ways[a] - ways[b]), np.linalg.norm(ways[a] + ways[b])
                shares[v] = np.fmax(shares[v], max(1.0, near / far))  # |a + b| / |a − b| = cot θ/2
    return shares


def edges_apart(graph: Graph) -> float:
    """Return the least distance of two edges without a common vertex, ∞ if there are none."""
    i, j = np.triu_indices(len(graph.edges), 1)
    one, two = graph.edges[i], graph.edges[j]
    foreign = ~(one[:, :, None] == two[:, None, :]).any(axis=(1, 2))
    if not foreign.any():
        return np.inf
    (a, b), (c, d) = ([graph.vertices[ends[foreign, k]] for k in range(2)] for ends in (one, two))
    least = np.minimum.reduce([_to_segment(*places) for places in ((a, c, d), (b, c, d), (c, a, b), (d, a, b))])
    # nearest inside both: where the line between them is normal to either
    u, v, w = b - a, d - c, a - c
    uu, uv, vv, uw, vw = (np.einsum("nk,nk->n", p, q) for p, q in ((u, u), (u, v), (v, v), (u, w), (v, w)))
    gram = uu * vv - uv**2
    with np.errstate(divide="ignore", invalid="ignore"):
        s, t = (uv * vw - vv * uw) / gram, (uu * vw - uv * uw) / gram
    inside = (gram > 0) & (s > 0) & (s < 1) & (t > 0) & (t < 1)
    between = np.linalg.norm(w + np.where(inside, s, 0)[:, None] * u - np.where(inside, t, 0)[:, None] * v, axis=1)
    return float(np.where(inside, np.minimum(least, between), least).min())


def _to_segment(p: Floats, a: Floats, b: Floats) -> Floats:
    """Return the distances of points (n, d) from segments."""
    way = b - a
    t = np.clip(np.einsum("nk,nk->n", p - a, way) / np.einsum("nk,nk->n", way, way), 0, 1)
    return np.linalg.norm(p - a - t[:, None] * way, axis=1)


def _bound(graph: Graph, corners: Floats, apart: float, beta: float, epsilon: float) -> float:
    cut = epsilon * corners
    taken = epsilon * np.nan_to_num(corners, nan=1.0)
    left = graph.lengths - taken[graph.edges].sum(axis=1)
    if 2 * epsilon >= apart or left.min() <= 0:
        return np.inf
    i, j = graph.edges.T
    both = (np.concatenate([i, j]), np.concatenate([j, i]))
    shortened = dijkstra(csr_array((np.tile(left, 2), both), shape=(len(cut),) * 2), directed=False)
    passed = np.isfinite(cut)
    way = graph.distances()[np.ix_(passed, passed)]
    ends = cut[passed][:, None] + cut[passed]
    known = np.isfinite(way)
    if not known.any():
        return 1.0
    saved = (way + ends - shortened[np.ix_(passed, passed)])[known]
    whole = np.maximum(beta, (way + ends)[known])
    if (whole <= saved).any():
        return np.inf
    return float((whole / (whole - saved)).max())
