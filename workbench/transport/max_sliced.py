"""Max-SW, the largest one-dimensional W_2² over all directions, with a proof: a value, and a bound none exceeds."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.progress import Progress
from workbench.transport import majorant
from workbench.transport.majorant import AXIS, BEST, BOUND, COUNT, COUNTERS, DROPPED, EVALUATIONS, STATE
from workbench.transport.max_sliced_high import search_high
from workbench.transport.measures import Cloud, in_one_unit, prepare_pair, rescaled

EVALUATIONS_A_TURN = 2_000_000
"""Points × evaluations between two reports: about a tenth of a second."""
FIRST_CELLS = 4096
LONGEST_SEARCH = 10_000_000
SMALLEST = 1e-13
"""Of the clouds' squared size: differences below it are rounding, whatever the tolerance asks."""


@dataclass(frozen=True)
class MaxSliced:
    """The largest slice that was found and the proof of how far from the largest of all it can be.

    ``value`` = f(``direction``) ≤ Max-SW_2² ≤ ``upper_bound``; ``certified`` says whether the two agree within the
    tolerance asked for. ``evaluations`` counts the one-dimensional transports.
    """

    value: float
    upper_bound: float
    direction: NDArray[np.float64]
    evaluations: int
    certified: bool

    @property
    def gap(self) -> float:
        """What is not known: ``upper_bound`` − ``value``."""
        return self.upper_bound - self.value


def max_sliced_wasserstein(
    x: ArrayLike,
    y: ArrayLike,
    tolerance: float = 1e-6,
    *,
    x_weights: ArrayLike | None = None,
    y_weights: ArrayLike | None = None,
    most_evaluations: int = 100_000,
    progress: Progress | None = None,
) -> MaxSliced:
    """Return Max-SW_2² = max over θ of W_2²(θ♯x, θ♯y), *squared*, with a bound that no direction exceeds.

    In one to three dimensions a branch and bound over the sphere of directions, which ends with ``upper_bound`` ≤
    (1 + ``tolerance``) ``value`` (plus rounding, 1e-13 of the clouds' squared size); it holds for float64 clouds after
    centring. In more dimensions a multi-start ascent, and a bound from mixed transport plans that need not meet it:
    then ``certified`` is false and the interval is all that is known.

    Shapes: ``x`` (n, d), ``y`` (m, d), weights (n,), (m,) of any positive scale. Raises ``ValueError`` for bad clouds
    or weights and a tolerance that is not positive. Cost: a few hundred one-dimensional transports, about 30 ns per
    point each on one core; memory O(n). The search stops at ``most_evaluations`` with the interval that it has.

    Reference: Deshpande et al., "Max-sliced Wasserstein distance and its use for GANs", arXiv 1904.05877, equation 4,
    where it is found by local ascent; the bound is explained in :mod:`workbench.transport.majorant`.

    >>> import numpy as np
    >>> from workbench import clouds, transport
    >>> x = clouds.cloud("torus", 200)
    >>> found = transport.max_sliced_wasserstein(x, x + np.array([0.0, 3.0, 4.0]))   # |t|², along t
    >>> round(found.value, 6), bool(np.allclose(np.abs(found.direction), [0, 0.6, 0.8], atol=1e-4)), found.certified
    (25.0, True, True)
    """
    a, b = prepare_pair(x, y, x_weights, y_weights, np.float64)
    tolerance = checks.real("tolerance", tolerance, exclusive_minimum=0, maximum=1)
    limit = checks.integer("most_evaluations", most_evaluations, minimum=1, maximum=LONGEST_SEARCH)
    return search_pair(a, b, tolerance, limit, progress)


def search_pair(x: Cloud, y: Cloud, tolerance: float, limit: int, progress: Progress | None = None) -> MaxSliced:
    """Run :func:`max_sliced_wasserstein` on two prepared float64 clouds."""
    x, y, unit = in_one_unit(x, y)
    if x.dim > 3:
        found = MaxSliced(*search_high(x, y, tolerance, limit, progress or Progress()))
    else:
        found = _branch_and_bound(x, y, tolerance, limit, progress or Progress())
    value, upper = (float(rescaled("Max-SW_2²", end, 2 * unit)) for end in (found.value, found.upper_bound))
    return replace(found, value=value, upper_bound=upper)


def scale_of(x: Cloud, y: Cloud) -> float:
    """Return |m_x − m_y|² + tr Σ_x + tr Σ_y, the squared size of a pair: no slice costs more than twice as much."""
    spread = np.square(x.coordinates) @ x.all_masses
    other = np.square(y.coordinates) @ y.all_masses
    return float(np.sum((x.centre - y.centre) ** 2) + spread.sum() + other.sum())


def compiled_pair(x: Cloud, y: Cloud) -> tuple:
    """Return two float64 clouds in up to three dimensions as the kernels take them, padded to three axes."""
    wide = [np.pad(cloud.coordinates, [(0, 3 - cloud.dim), (0, 0)]) for cloud in (x, y)]
    shift = np.pad(x.centre - y.centre, (0, 3 - x.dim))
    thin = [np.ascontiguousarray(points, np.float32) for points in wide]
    equal = x.n == y.n and x.masses is None and y.masses is None
    return (*wide, *thin, x.all_masses, y.all_masses, equal, shift, x.radius, y.radius)


def _branch_and_bound(x: Cloud, y: Cloud, tolerance: float, limit: int, progress: Progress) -> MaxSliced:
    clouds = compiled_pair(x, y)
    if x.dim == 1:
        value = majorant.exact_moment(clouds, np.array([1.0, 0.0, 0.0]), np.empty(6))
        return MaxSliced(value, value, np.ones(1), 1, True)
    scale = scale_of(x, y)
    first = _first_cells(x.dim)
    heap = np.zeros((FIRST_CELLS, majorant.WIDTH))
    heap[: len(first), majorant.VERTICES :] = first
    heap[: len(first), BOUND] = np.inf
    state, counters = np.zeros(STATE), np.zeros(COUNTERS, np.int64)
    state[BEST], state[AXIS], counters[COUNT] = -1.0, 1.0, len(first)
    cuts = np.zeros((majorant.CUTS, 6))
    # a sum of n terms errs by at most n units in the last place of the sum of their sizes, here the trace
    slack = (x.n + y.n + 20) * np.finfo(float).eps
    turn = max(EVALUATIONS_A_TURN // (x.n + y.n), 64)
    while True:
        until = min(int(counters[EVALUATIONS]) + turn, limit)
        told = majorant.search(
            clouds, heap, cuts, state, counters, x.dim == 2, tolerance, SMALLEST * scale, slack, until
        )
        top = float(heap[0, BOUND]) if counters[COUNT] else -np.inf
        progress.update(int(counters[EVALUATIONS]), limit, f"largest slice {state[BEST]:.6g}, none above {top:.6g}")
        if told == 2:
            heap = np.concatenate([heap, np.zeros_like(heap)])
        elif told == 0 or counters[EVALUATIONS] >= limit:
            break
    progress.update(limit, limit, "done")
    value = max(float(state[BEST]), 0.0)
    upper = max(value, top, float(state[DROPPED]))
    if not np.isfinite(upper):  # stopped before every first cell was looked at: the projections are all that is known
        upper = 2 * scale
    axis = state[AXIS : AXIS + x.dim] if state[BEST] >= 0 else np.eye(x.dim)[0]
    certified = upper <= value * (1 + tolerance) + 2 * SMALLEST * scale
    return MaxSliced(value, upper, axis / np.linalg.norm(axis), int(counters[EVALUATIONS]), bool(certified))


def _first_cells(dim: int) -> NDArray[np.float64]:
    """Return vertices (cells, 9) that cover half of the circle or of the sphere: f(−θ) = f(θ)."""
    if dim == 2:
        edges = np.pi * np.arange(5) / 4
        arcs = [(edges[k], edges[k + 1], (edges[k] + edges[k + 1]) / 2) for k in range(4)]
        return np.array([[v for t in arc for v in (np.cos(t), np.sin(t), 0.0)] for arc in arcs])
    golden = (1 + np.sqrt(5)) / 2
    corners = [
        (x, y * golden, 0.0)[k:] + (x, y * golden, 0.0)[:k] for k in range(3) for x in (-1.0, 1.0) for y in (-1.0, 1.0)
    ]
    vertices = np.array(corners) / np.sqrt(1 + golden**2)
    near = vertices @ vertices.T > 0.4
    faces = [
        (i, j, k) for i in range(12) for j in range(i) for k in range(j) if near[i, j] and near[i, k] and near[j, k]
    ]
    # of a face and its opposite the one whose centre lies on the side of a plane through no centre
    side = np.array([0.1, 0.3, 1.0])
    return np.array([vertices[list(face)].ravel() for face in faces if vertices[list(face)].sum(axis=0) @ side > 0])
