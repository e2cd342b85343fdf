"""A graph from a sample: where the number of ways on is not two there is a vertex, and what is left are arcs."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from workbench import checks
from workbench.shapes.shadow.complexes import neighbours, path_metric, sample
from workbench.shapes.shadow.graphs import Graph

MOST_POINTS = 4_000
ARC_POINTS = 12


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """A graph rebuilt from a sample.

    ``degree`` (n,) is the degree statistic of each point, ``cluster`` (n,) the vertex that it belongs to (−1: an arc),
    ``ends`` (arcs, 2) the vertices that each arc joins (−1: none, the arc is a closed curve of its own), and ``graph``
    a drawing of it with straight pieces.
    """

    graph: Graph
    degree: NDArray[np.int64]
    cluster: NDArray[np.int64]
    ends: NDArray[np.int64]

    @property
    def vertices(self) -> int:
        """The number of vertices of degree other than two."""
        return int(self.cluster.max(initial=-1)) + 1

    @property
    def betti(self) -> tuple[int, int]:
        """(b₀, b₁) of the rebuilt graph."""
        return self.graph.betti


def reconstruct_graph(points: ArrayLike, beta: float, epsilon: float) -> Reconstruction:
    """Rebuild a graph from a sample by its degree statistic.

    The statistic of a point A counts the pieces, joined by hops shorter than ε, of the points B with
    β/2 ≤ d^ε(A, B) ≤ β. Points where it is not two are clustered at 3β into vertices; what remains falls into arcs.
    The result is homeomorphic to the graph if ξ-dense sampling meets (1 − ξ)⁻¹(ε/sin(θ/2) + 3ξε) < β < λ/6, θ the
    sharpest angle and λ the shortest edge: the author's announced statement, a claim to test here.

    ``points`` (n, 2) or (n, 3). Raises ``ValueError`` for more than 4,000 points and scales that are not positive.
    Cost: n² (log n + degree) ns.

    >>> from workbench.shapes.shadow.graphs import sample_graph
    >>> found = reconstruct_graph(sample_graph("theta", 300), 0.15, 0.04)
    >>> found.vertices, len(found.ends), found.betti
    (2, 3, (1, 2))
    """
    points = np.unique(sample("points", points), axis=0)
    if len(points) > MOST_POINTS:
        raise ValueError(f"{len(points)} points; a graph is rebuilt from at most {MOST_POINTS}. Thin the sample out")
    beta = checks.real("beta", beta, exclusive_minimum=0)
    epsilon = checks.real("epsilon", epsilon, exclusive_minimum=0)
    far = path_metric(points, epsilon)
    near = neighbours(points, epsilon)
    degree = np.array([_ways(near, np.flatnonzero((row >= beta / 2) & (row <= beta))) for row in far])
    cluster = np.full(len(points), -1, dtype=np.int64)
    special = np.flatnonzero(degree != 2)
    if special.size:
        close = coo_array(far[np.ix_(special, special)] <= 3 * beta)
        cluster[special] = connected_components(close, directed=False)[1]
        _fill(cluster, far, special, beta)
    return _assembled(points, far, near, degree, cluster)


def _ways(near: NDArray, ring: NDArray[np.int64]) -> int:
    return connected_components(near[ring][:, ring], directed=False)[0] if ring.size else 0


def _fill(cluster: NDArray[np.int64], far: NDArray[np.float64], special: NDArray[np.int64], beta: float) -> None:
    """Give a vertex the points between its own: nearer to two of them, on the way, than they are to each other."""
    for name in range(int(cluster.max()) + 1):
        own = special[cluster[special] == name]
        reach = far[own].min(axis=0)
        inside = (cluster < 0) & (reach <= beta / 2)
        cluster[inside] = name


def _assembled(
    points: NDArray[np.float64],
    far: NDArray[np.float64],
    near: NDArray,
    degree: NDArray[np.int64],
    cluster: NDArray[np.int64],
) -> Reconstruction:
    """Join the vertices by the arcs between them, drawn through some of their points."""
    count = int(cluster.max(initial=-1)) + 1
    places = [points[cluster == k].mean(axis=0) for k in range(count)]
    edges: list[tuple[int, int]] = []
    ends = []
    rest = np.flatnonzero(cluster < 0)
    pieces, piece = connected_components(near[rest][:, rest], directed=False) if rest.size else (0, rest)
    for k in range(pieces):
        arc = rest[piece == k]
        steps = near[arc].tocoo()
        touching = cluster[steps.coords[1]]
        met = np.unique(touching[touching >= 0])
        chosen = _along(far, arc, np.flatnonzero(cluster == met[0]) if met.size else arc[:1], len(met) == 1)
        first = len(places)
        places += list(points[chosen])
        inner = list(range(first, len(places)))
        is_loop = len(met) == 0 or (len(met) == 1 and _comes_back(near, arc, np.flatnonzero(cluster == met[0])))
        chain = [int(met[0]), *inner] if met.size else inner
        if len(met) >= 2:
            chain.append(int(met[1]))
            ends += [(int(met[0]), int(met[1]))]
            edges += [(inner[-1], int(other)) for other in met[2:]]  # an arc with more ends is a vertex not seen
        else:
            ends.append((int(met[0]), int(met[0]) if is_loop else -1) if met.size else (-1, -1))
            if is_loop and len(inner) > 1:
                chain.append(chain[0])
        edges += list(itertools.pairwise(chain))
    pairs = np.unique(np.sort(np.array(edges, dtype=np.int64).reshape(-1, 2), axis=1), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return Reconstruction(_drawn(places, pairs), degree, cluster, np.array(ends, dtype=np.int64).reshape(-1, 2))


def _comes_back(near: NDArray, arc: NDArray[np.int64], vertex: NDArray[np.int64]) -> bool:
    """Whether an arc leaves a vertex and comes back to it: the points that touch the vertex fall into two pieces."""
    touching = arc[near[arc][:, vertex].sum(axis=1) > 0]
    return _ways(near, touching) >= 2


def _along(
    far: NDArray[np.float64], arc: NDArray[np.int64], start: NDArray[np.int64], closed: bool
) -> NDArray[np.int64]:
    """Return a few points of an arc in the order of their way from its start; of a loop, round it."""
    way = far[start][:, arc].min(axis=0)
    order = arc[np.argsort(way, kind="stable")]
    if closed or (start.size == 1 and start[0] in arc):
        farthest = order[-1]
        middle = arc[np.argmin(np.abs(far[farthest, arc] - way))]
        side = far[middle, arc] <= far[middle, farthest]
        one = arc[side][np.argsort(way[side])]
        two = arc[~side][np.argsort(-way[~side])]
        order = np.concatenate([one, two])
    take = np.unique(np.linspace(0, len(order) - 1, min(ARC_POINTS, len(order))).round().astype(np.int64))
    return order[take]


def _drawn(places: list[NDArray[np.float64]], pairs: NDArray[np.int64]) -> Graph:
    """Return the drawing; a vertex's mean may fall on a point of the sample, which is then moved by a rounding."""
    stack = np.array(places)
    scale = float(np.abs(stack).max()) or 1.0
    while len(np.unique(stack, axis=0)) < len(stack):
        _, first = np.unique(stack, axis=0, return_index=True)
        doubled = np.setdiff1d(np.arange(len(stack)), first)
        stack[doubled, 0] += 1e-9 * scale * (1 + doubled)
    if not len(pairs):
        raise ValueError("no arc was found in this sample; take a smaller β or a larger ε")
    return Graph(stack, pairs)
