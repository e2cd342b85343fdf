"""Embedded graphs with straight edges: named ones, and samples of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from workbench import checks, results
from workbench.registry import Fact, Registry
from workbench.shapes.shadow.complexes import MOST_POINTS

MOST_GRAPH_EDGES = 2_000
SAMPLE_BITS = 25
"""Bits of the vertices and shares of a sample: its points lie exactly on lines, 6e-8 of the extent from the graph."""
GRAPHS = Registry("graph", facts={"loops": Fact(int, says="its first Betti number")})


@dataclass(frozen=True, eq=False)
class Graph(results.Described):
    """A graph with straight edges in the plane or in space: ``vertices`` (V, 2) or (V, 3), ``edges`` (E, 2) of indices.

    Raises ``ValueError`` for loops, doubled edges, edges of length 0, coincident vertices and indices out of range.

    >>> Graph([[0, 0], [1, 0], [0, 1]], [[0, 1], [1, 2], [2, 0]]).betti
    (1, 1)
    """

    vertices: NDArray[np.float64]
    edges: NDArray[np.int64]

    def __init__(self, vertices: ArrayLike, edges: ArrayLike) -> None:
        places = checks.finite_array("vertices", vertices, ndim=2)
        if places.shape[1] not in (2, 3):
            raise ValueError(f"vertices must be (V, 2) or (V, 3), got shape {places.shape}")
        pairs = checks.finite_array("edges", edges, ndim=2, dtype=np.int64)
        if pairs.shape[1] != 2 or len(pairs) > MOST_GRAPH_EDGES:
            raise ValueError(f"edges must be (E, 2) with at most {MOST_GRAPH_EDGES} rows, got shape {pairs.shape}")
        if pairs.min() < 0 or pairs.max() >= len(places):
            raise ValueError(f"edges must name vertices 0 to {len(places) - 1}, got {pairs.min()} to {pairs.max()}")
        if np.any(pairs[:, 0] == pairs[:, 1]):
            raise ValueError("an edge joins a vertex to itself; put two more vertices on the loop")
        if len(np.unique(np.sort(pairs, axis=1), axis=0)) < len(pairs):
            raise ValueError("an edge is given twice; give it once, or put a vertex on one of two parallel edges")
        if len(np.unique(places, axis=0)) < len(places):
            raise ValueError("two vertices are at one place; give them as one vertex")
        object.__setattr__(self, "vertices", places)
        object.__setattr__(self, "edges", pairs)

    def moved(self, vertex: int, place: ArrayLike) -> "Graph":
        """Return the graph with one vertex elsewhere; ``ValueError`` on, or within 1/1000 of the extent of, another."""
        vertex = checks.integer("vertex", vertex, minimum=0, maximum=len(self.vertices) - 1)
        vertices = self.vertices.copy()
        vertices[vertex] = checks.finite_array("place", place, ndim=1)
        apart = np.linalg.norm(np.delete(vertices, vertex, axis=0) - vertices[vertex], axis=1).min()
        if apart <= 1e-3 * np.ptp(vertices, axis=0).max():
            raise ValueError("two vertices would be at one place; drop it beside the other")
        return Graph(vertices, self.edges)

    def describe(self) -> Any:
        """Return what a result records of the graph."""
        return {"vertices": self.vertices.tolist(), "edges": self.edges.tolist()}

    @property
    def lengths(self) -> NDArray[np.float64]:
        """The length of each edge."""
        return np.linalg.norm(np.diff(self.vertices[self.edges], axis=1)[:, 0], axis=1)

    @property
    def betti(self) -> tuple[int, int]:
        """(b₀, b₁): connected components, and independent cycles."""
        count, _ = connected_components(self.matrix(), directed=False)
        return int(count), len(self.edges) - len(self.vertices) + int(count)

    def matrix(self) -> csr_array:
        """Return the lengths of the edges as a symmetric sparse matrix."""
        i, j = self.edges.T
        both = (np.concatenate([i, j]), np.concatenate([j, i]))
        return csr_array((np.tile(self.lengths, 2), both), shape=(len(self.vertices),) * 2)

    def distances(self) -> NDArray[np.float64]:
        """Return the distances between vertices along the graph, (V, V)."""
        return dijkstra(self.matrix(), directed=False)


@GRAPHS.add("square", label="Square", formula="side 1", loops=1)
def square() -> Graph:
    """Return the border of the unit square."""
    return Graph([[0, 0], [1, 0], [1, 1], [0, 1]], [[0, 1], [1, 2], [2, 3], [3, 0]])


@GRAPHS.add("theta", label="Rhombus with a diagonal", formula="vertices (±1, 0), (0, ±1)", loops=2)
def theta() -> Graph:
    """Return a rhombus with one diagonal: the letter θ, all angles at the diagonal 45°."""
    return Graph([[-1, 0], [1, 0], [0, -1], [0, 1]], [[0, 2], [2, 1], [1, 3], [3, 0], [0, 1]])


@GRAPHS.add("isosceles", label="Sharp triangle", formula="unit legs, apex 28.6°", loops=1)
def isosceles(apex: float = 28.6) -> Graph:
    """Return the triangle with unit legs and the given angle (degrees) between them."""
    half = np.radians(checks.real("apex", apex, exclusive_minimum=0, maximum=170)) / 2
    return Graph([[0, 0], [-np.sin(half), -np.cos(half)], [np.sin(half), -np.cos(half)]], [[0, 1], [1, 2], [2, 0]])


@GRAPHS.add("bow-tie", label="Bow-tie", formula="(0, 0), (±1, ±0.6)", loops=2)
def bow_tie() -> Graph:
    """Return two triangles that share a corner."""
    places = [[0, 0], [-1, -0.6], [-1, 0.6], [1, -0.6], [1, 0.6]]
    return Graph(places, [[0, 1], [1, 2], [2, 0], [0, 3], [3, 4], [4, 0]])


@GRAPHS.add("grid", label="Grid of squares", formula="size × size unit squares", loops=4)
def grid(size: int = 2) -> Graph:
    """Return a grid of ``size`` × ``size`` unit squares."""
    k = checks.integer("size", size, minimum=1, maximum=20) + 1
    places = [[i, j] for j in range(k) for i in range(k)]
    across = [[j * k + i, j * k + i + 1] for j in range(k) for i in range(k - 1)]
    return Graph(places, across + [[j * k + i, (j + 1) * k + i] for j in range(k - 1) for i in range(k)])


def planar_graph(name: str, **keywords: Any) -> Graph:
    """Return a named graph of the plane (``GRAPHS``), e.g. ``planar_graph("isosceles", apex=20)``.

    >>> planar_graph("grid", size=2).betti
    (1, 4)
    """
    return GRAPHS[name](**keywords)


def sample_graph(graph: Graph | str, n: int, noise: float = 0.0, seed: int = 0) -> NDArray[np.float64]:
    """Return n points of a graph: its vertices, and the others evenly along the edges, each moved by at most ``noise``.

    ``noise`` is the radius of the ball in which each point is moved, uniformly, in the unit of the vertices. So the
    Hausdorff distance to the graph is at most half the largest gap plus the noise. The result is (n, 2) or (n, 3).
    Raises ``ValueError`` for fewer points than vertices and edges have together.

    >>> sample_graph("square", 8).shape
    (8, 2)
    """
    graph = planar_graph(graph) if isinstance(graph, str) else graph
    least = len(graph.vertices)
    n = checks.integer("n", n, minimum=least, maximum=MOST_POINTS)
    noise = checks.real("noise", noise, minimum=0)
    rng = checks.generator(seed)
    # Vertices and shares of few bits make points that lie exactly on one line in floats: the arrangement stays small.
    scale = np.ldexp(1.0, int(np.frexp(np.abs(graph.vertices).max() or 1.0)[1]) - SAMPLE_BITS)
    vertices = np.round(graph.vertices / scale) * scale
    parts = [vertices]
    for (i, j), count in zip(graph.edges, _inner_points(graph, n), strict=True):
        t = np.round(np.arange(1, count + 1) / (count + 1) * 2.0**SAMPLE_BITS)[:, None] / 2.0**SAMPLE_BITS
        parts.append((1 - t) * vertices[i] + t * vertices[j])
    points = np.concatenate(parts)
    if noise:
        dim = points.shape[1]
        way = rng.normal(size=points.shape)
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        points = points + noise * rng.random((n, 1)) ** (1 / dim) * way
    return points


def largest_gap(graph: Graph, n: int) -> float:
    """Return the largest gap between neighbours of ``sample_graph(graph, n)`` along an edge, before noise."""
    return float((graph.lengths / (_inner_points(graph, n) + 1)).max())


def _inner_points(graph: Graph, n: int) -> NDArray[np.int64]:
    """Share n points out, beyond the vertices: each goes where the gap is largest, so gaps are as equal as can be."""
    inner = np.zeros(len(graph.edges), dtype=np.int64)
    for _ in range(n - len(graph.vertices)):
        inner[np.argmax(graph.lengths / (inner + 1))] += 1
    return inner
