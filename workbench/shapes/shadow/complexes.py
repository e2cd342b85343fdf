"""Path metrics of samples and the complexes that they span."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from workbench import checks

MOST_POINTS = 20_000
MOST_EDGES = 3_000_000
BLOCK = 2**24
"""Entries of a distance matrix that are held at a time."""


def sample(name: str, points: ArrayLike) -> NDArray[np.float64]:
    """Return a sample as an array (n, 2) or (n, 3), checked."""
    array = checks.finite_array(name, points, ndim=2)
    if array.shape[1] not in (2, 3):
        raise ValueError(f"{name} must be points of the plane or of space, (n, 2) or (n, 3), got shape {array.shape}")
    if len(array) > MOST_POINTS:
        raise ValueError(f"{name} holds {len(array)} points; at most {MOST_POINTS}. Thin the sample out first")
    if np.abs(array).max() > 1e150:
        raise ValueError(f"{name} has coordinates beyond 1e150; rescale them")
    return array


def neighbours(points: NDArray[np.float64], reach: float) -> csr_array:
    """Return the graph of the pairs at a distance below ``reach``, each entry the distance; (n, n), symmetric.

    Coincident points are refused: a zero would vanish from the graph.
    """
    tree = cKDTree(points)
    expected = int(tree.count_neighbors(tree, reach)) - len(points)
    if expected > 2 * MOST_EDGES:
        raise ValueError(
            f"{expected // 2} pairs of points are closer than {reach:g}; at most {MOST_EDGES}. Take a smaller scale"
        )
    i, j = tree.query_pairs(reach, output_type="ndarray").T
    apart = np.linalg.norm(points[i] - points[j], axis=1)
    if np.any(apart == 0):
        raise ValueError("two points coincide; merge them first (numpy.unique with axis=0)")
    near = apart < reach  # the definition is strict; the tree's is not
    i, j, apart = i[near], j[near], apart[near]
    both = (np.concatenate([i, j]), np.concatenate([j, i]))
    return csr_array((np.concatenate([apart, apart]), both), shape=(len(points), len(points)))


def path_metric(points: ArrayLike, epsilon: float) -> NDArray[np.float64]:
    """Return the ε-path metric of a sample: the least length of a chain with hops shorter than ε, inf where none.

    ``points`` (n, 2) or (n, 3), different; the result is (n, n) in their unit. Raises ``ValueError`` for coincident
    points and for what exceeds the memory. Cost: n² log n. The paper: arXiv 2506.01603, section 2.

    >>> path_metric([[0, 0], [1, 0], [1, 1]], 1.2)[0].tolist()
    [0.0, 1.0, 2.0]
    """
    points = sample("points", points)
    epsilon = checks.real("epsilon", epsilon, exclusive_minimum=0)
    checks.memory(8.0 * len(points) ** 2, f"the distances of {len(points)} points")
    far = dijkstra(neighbours(points, epsilon))
    return np.minimum(far, far.T)  # the two ways round differ by roundings


def rips_edges(points: NDArray[np.float64], beta: float, epsilon: float | None = None) -> NDArray[np.int64]:
    """Return the edges (E, 2), i < j, of the Rips complex: pairs nearer than β, along ε-chains if ε is given."""
    if epsilon is None:
        graph = neighbours(points, beta).tocoo()
        i, j = graph.coords
        keep = i < j
        edges = np.stack([i[keep], j[keep]], axis=1).astype(np.int64)
        return edges[np.lexsort((edges[:, 1], edges[:, 0]))]
    near = neighbours(points, epsilon)
    rows = max(1, BLOCK // len(points))
    found, count = [], 0
    for start in range(0, len(points), rows):
        some = np.arange(start, min(start + rows, len(points)))
        i, j = np.nonzero(dijkstra(near, indices=some, limit=beta) < beta)
        i = some[i]
        found.append(np.stack([i[i < j], j[i < j]], axis=1).astype(np.int64))
        count += len(found[-1])
        if count > MOST_EDGES:
            raise ValueError(f"more than {MOST_EDGES} edges at β = {beta:g}; take a smaller β or fewer points")
    return np.concatenate(found)
