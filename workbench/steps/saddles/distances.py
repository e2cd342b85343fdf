"""How far two configurations of atoms are apart: exact assignments, invariant distances, and the greedy one in use.

The published trust region asks for W₁ between equally weighted atoms, species by species: (1/n_s) min over permutations
π of Σ|a_i − b_π(i)|. With an exact assignment that is a metric; code in use assigns greedily, which is neither
symmetric nor obeys the triangle inequality. None of these is unaware of a rigid rotation: ``aligned`` rotates first (an
upper bound of the smallest distance over rotations), ``sorted-pairs`` compares sorted distances and cannot be fooled.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from workbench import checks
from workbench.registry import Fact, Registry

Array = NDArray[np.float64]
DISTANCES = Registry(
    "distance",
    facts={"metric": Fact(bool, says="whether it is a (pseudo)metric, so that covering guarantees hold")},
)
REFERENCE = "R. Goswami, H. Jónsson, arXiv 2510.06030"


def configuration_distance(
    a: ArrayLike, b: ArrayLike, species: Sequence[str] | None, kind: str = "assignment"
) -> float:
    """Return how far two configurations (n, 3) with the same ``species`` (n) are apart.

    ``kind`` is a name of ``DISTANCES``: ``assignment`` (sum over species of the mean displacement under the best
    permutation), ``assignment-max`` (the largest over species), ``greedy`` (row by row, not a metric), ``aligned``
    (after a rotation; an upper bound), ``sorted-pairs`` (invariant under rotation, permutation and reflection). Without
    species (None) the arguments are plain coordinates and the Euclidean distance is returned for every kind.

    Cost: O(n³) for an assignment, O(n² log n) for sorted pairs. Raises ``ValueError`` for shapes that do not fit.

    >>> a, b = [[0, 0, 0], [1, 0, 0]], [[0.6, 0, 0], [-1, 0, 0]]
    >>> [round(configuration_distance(a, b, "HH", kind), 12) for kind in ("assignment", "greedy")]
    [0.7, 1.3]
    >>> round(configuration_distance(b, a, "HH", "greedy"), 12)
    0.7
    """
    measure = DISTANCES[kind]
    a, b = checks.finite_array("a", a), checks.finite_array("b", b)
    if a.shape != b.shape:
        raise ValueError(f"a and b must have the same shape, got {a.shape} and {b.shape}")
    if species is None:
        return float(np.linalg.norm(a - b))
    names = list(species)
    if a.size != 3 * len(names):
        raise ValueError(f"{len(names)} species need coordinates of shape ({len(names)}, 3), got {a.shape}")
    return measure(a.reshape(-1, 3), b.reshape(-1, 3), groups(names))


def groups(species: Sequence[str]) -> list[NDArray[np.intp]]:
    """Return the indices of the atoms of each species, in the order in which the species appear."""
    names = np.array(list(species))
    return [np.flatnonzero(names == name) for name in dict.fromkeys(names.tolist())]


def _pairwise(a: Array, b: Array) -> Array:
    return np.linalg.norm(a[:, None] - b[None], axis=2)


def _means(a: Array, b: Array, of: list[NDArray[np.intp]]) -> list[float]:
    means = []
    for atoms in of:
        distances = _pairwise(a[atoms], b[atoms])
        means.append(float(distances[linear_sum_assignment(distances)].mean()))
    return means


@DISTANCES.add("assignment", label="exact assignment, summed over species", reference=REFERENCE, metric=True)
def _assignment(a: Array, b: Array, of: list[NDArray[np.intp]]) -> float:
    return sum(_means(a, b, of))


@DISTANCES.add("assignment-max", label="exact assignment, largest species", reference=REFERENCE, metric=True)
def _assignment_max(a: Array, b: Array, of: list[NDArray[np.intp]]) -> float:
    return max(_means(a, b, of))


@DISTANCES.add("greedy", label="greedy assignment (as in use)", reference="the authors' public code", metric=False)
def _greedy(a: Array, b: Array, of: list[NDArray[np.intp]]) -> float:
    means = []
    for atoms in of:
        distances = _pairwise(a[atoms], b[atoms])
        total = 0.0
        for row in range(len(atoms)):
            nearest = int(distances[row].argmin())
            total += float(distances[row, nearest])
            distances[:, nearest] = np.inf  # taken
        means.append(total / len(atoms))
    return max(means)


@DISTANCES.add("aligned", label="aligned, then assigned (upper bound)", reference="Kabsch 1976", metric=False)
def _aligned(a: Array, b: Array, of: list[NDArray[np.intp]]) -> float:
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    best = _assignment(a, b, of)
    for rotation in _first_rotations(a, b):
        turned = b @ rotation.T
        for _ in range(20):
            order = np.arange(len(a))
            for atoms in of:
                squares = _pairwise(a[atoms], turned[atoms]) ** 2
                order[atoms] = atoms[linear_sum_assignment(squares)[1]]
            next_turned = b @ kabsch(a, b[order]).T
            if np.allclose(next_turned, turned, atol=1e-12):
                break
            turned = next_turned
        best = min(best, _assignment(a, turned, of))
    return best


def _first_rotations(a: Array, b: Array) -> list[Array]:
    """Return the identity and the four proper rotations that turn the principal axes of ``b`` onto those of ``a``."""
    _, axes_a = np.linalg.eigh(a.T @ a)
    _, axes_b = np.linalg.eigh(b.T @ b)
    found = [np.eye(3)]
    for signs in ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1), (-1, 1, 1), (1, -1, 1), (1, 1, -1), (-1, -1, -1)):
        rotation = axes_a @ np.diag(signs) @ axes_b.T
        if np.linalg.det(rotation) > 0:
            found.append(rotation)
    return found


def kabsch(a: Array, b: Array) -> Array:
    """Return the proper rotation R (3 × 3) that minimises Σ|a_i − R b_i|² for centred configurations."""
    u, _, vt = np.linalg.svd(a.T @ b)
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    return u @ flip @ vt


@DISTANCES.add("sorted-pairs", label="sorted pair distances (invariant)", metric=True)
def _sorted_pairs(a: Array, b: Array, of: list[NDArray[np.intp]]) -> float:
    """W₁ of the pair distances, for every pair of species, the largest of these."""
    largest = 0.0
    for k, first in enumerate(of):
        for second in of[k:]:
            if first is second:
                rows = np.triu_indices(len(first), 1)
                one, other = (_pairwise(x[first], x[first])[rows] for x in (a, b))
            else:
                one, other = (_pairwise(x[first], x[second]).ravel() for x in (a, b))
            if one.size:
                largest = max(largest, float(np.abs(np.sort(one) - np.sort(other)).mean()))
    return largest


class Covering(NamedTuple):
    """Chosen points, and the radius within which every point has a chosen one."""

    indices: NDArray[np.intp]
    radius: float


def farthest_points(distances: ArrayLike, size: int, latest: int = 2) -> Covering:
    """Choose ``size`` of n points: the ``latest`` last ones, then again and again the point farthest from the chosen.

    ``distances`` is the matrix (n, n). Returns the indices in increasing order and the covering radius, which is exact
    whatever the distance is. In a metric and with ``latest=1`` the radius is at most twice the smallest possible for
    ``size`` points; with m latest points it is at most twice the smallest possible for size − m + 1 points. Cost:
    n · size. Raises ``ValueError`` for a matrix that is not square or sizes out of range.

    >>> import numpy as np
    >>> line = np.abs(np.subtract.outer([0.0, 1.0, 2.0, 9.0, 10.0], [0.0, 1.0, 2.0, 9.0, 10.0]))
    >>> farthest_points(line, 3, latest=1)
    Covering(indices=array([0, 2, 4]), radius=1.0)
    """
    matrix = checks.finite_array("distances", distances, ndim=2)
    n = len(matrix)
    if matrix.shape != (n, n):
        raise ValueError(f"distances must be a square matrix, got shape {matrix.shape}")
    if matrix.min() < 0:
        raise ValueError("distances must not be negative")
    size = checks.integer("size", size, minimum=1)
    latest = checks.integer("latest", latest, minimum=1, maximum=size)
    chosen = list(range(max(0, n - latest), n))
    reach = matrix[:, chosen].min(axis=1)
    while len(chosen) < min(size, n):
        farthest = int(reach.argmax())
        if reach[farthest] == 0:  # everything left is a copy of a chosen point
            break
        chosen.append(farthest)
        reach = np.minimum(reach, matrix[:, farthest])
    return Covering(np.sort(np.array(chosen)), float(reach.max()))
