"""The linear families: what each of their coefficients does to each sample, as a design matrix.

Whatever is linear in its coefficients has a best fit that can be computed, so no training can beat it. In one dimension
a family is a matrix of basis functions at samples; in d dimensions it is the tensor product of those of the axes. The
metric grids are three such products side by side, over three maps of the coordinates.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.interpolate import BSpline

Floats = NDArray[np.float64]
METRIC_SHARES = (0.4, 0.4, 0.2)
"""Shares of the coefficients that the three metric grids have along an axis."""
METRIC_RANGES = ((0.0, 1.0), (-1.0, 0.0), (-1.0, -0.5))
"""Where the three coordinate maps take [−1, 1]."""


def metric_maps(x: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the three coordinates of the paper: φ₀ linear in [0, 1], φ₁ by the sine in [−1, 0], φ₂ by the arcsine.

    φ₂ lies in [−1, −½]: half the range on a table of the same cells is half the resolution. At ±1 its slope is
    infinite; samples at centres of cells never stand there.

    >>> [float(np.round(phi[0], 12)) for phi in metric_maps(np.array([0.0]))]
    [0.5, -0.5, -0.75]
    """
    return (
        (x + 1) / 2,
        (np.sin(x) - np.sin(1)) / (2 * np.sin(1)),
        (np.arcsin(np.clip(x, -1, 1)) - 1.5 * np.pi) / (2 * np.pi),
    )


def metric_places(k: int, phi: Floats) -> Floats:
    """Return the x that the k-th map takes to ``phi``; what rounding puts outside its range goes to the border."""
    if k == 0:
        return 2 * phi - 1
    if k == 1:
        return np.arcsin(np.clip(2 * np.sin(1) * phi + np.sin(1), -1, 1))
    return np.sin(np.clip(2 * np.pi * phi + 1.5 * np.pi, -np.pi / 2, np.pi / 2))


def hats(u: Floats, count: int, low: float = -1.0, high: float = 1.0) -> sparse.csr_array:
    """Return linear interpolation from ``count`` equally spaced values over [low, high] at the places ``u``.

    Each row has two weights that sum to one.

    >>> hats(np.array([0.0, 0.75]), 3).toarray().tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.25, 0.75]]
    """
    t = np.clip((u - low) / (high - low), 0, 1) * (count - 1)
    left = np.minimum(t.astype(np.int64), count - 2)
    share = t - left
    rows = np.repeat(np.arange(len(u)), 2)
    columns = np.stack([left, left + 1], axis=1).ravel()
    weights = np.stack([1 - share, share], axis=1).ravel()
    return sparse.csr_array((weights, (rows, columns)), shape=(len(u), count))


def bspline_knots(count: int, degree: int) -> Floats:
    """Return equally spaced knots of ``count`` B-splines that sum to one on [−1, 1]."""
    step = 2 / (count - degree)
    return -1 + step * np.arange(-degree, count + 1)


def bsplines(u: Floats, count: int, degree: int) -> sparse.csr_array:
    """Return the uniform B-splines of a degree at the places ``u`` in [−1, 1]; each row sums to one."""
    knots = bspline_knots(count, degree)
    inside = np.clip(u, knots[degree], knots[count])  # the ends of the middle part, as rounding has them
    return sparse.csr_array(BSpline.design_matrix(inside, knots, degree))


def cosines(u: Floats, count: int) -> Floats:
    """Return cos(kπ(u + 1)/2) for k < count: the functions of the discrete cosine transform."""
    return np.cos(np.arange(count) * (np.pi / 2) * (u[:, None] + 1))


def chebyshev(u: Floats, count: int) -> Floats:
    """Return the Chebyshev polynomials of degree below ``count``."""
    return np.cos(np.arange(count) * np.arccos(np.clip(u, -1, 1))[:, None])


class Design(NamedTuple):
    """The matrix (n, P) of a family at n places, sparse or dense, with how it is to be read.

    ``order`` sorts the coefficients by where they act, so that those which meet in a sample stand near each other.
    ``sides`` are the coefficients along an axis, one number for each grid. The ridge is λ cᵀ Q c, ``penalty`` being Q
    (None: λ‖c‖²).
    """

    matrix: sparse.csr_array | Floats
    order: NDArray[np.int64]
    sides: tuple[int, ...]
    penalty: sparse.csr_array | None = None


@dataclass(frozen=True)
class LinearFamily:
    """A family of fits that are linear in their coefficients.

    ``basis(u, count)`` is its matrix along one axis; ``least`` the fewest coefficients along an axis, ``order`` the
    order of its error for smooth functions (None: faster than any power), ``local`` whether its functions are zero
    outside a few cells, ``smooth`` whether the ridge is on second differences of neighbours instead of on sizes.
    """

    basis: Callable[[Floats, int], sparse.csr_array | Floats]
    least: int
    order: int | None
    local: bool = True
    smooth: bool = False

    def sides(self, count: float, dimension: int) -> tuple[int, ...]:
        """Return the coefficients along an axis of the largest grid of at most ``count``; ``ValueError`` if none fits.

        >>> HATS.sides(1936, 2), METRIC.sides(192, 1), METRIC.sides(1936, 2)
        ((44,), (77, 77, 38), (29, 29, 15))
        """
        side = int(np.floor(count ** (1 / dimension) + 1e-9))
        if side < self.least:
            raise ValueError(
                f"{int(count)} coefficients a channel are too few for this family in {dimension} dimension(s): "
                f"it needs at least {self.least**dimension}"
            )
        return (side,)

    def size(self, sides: tuple[int, ...], dimension: int) -> int:
        """Return the number of coefficients a channel."""
        return sum(side**dimension for side in sides)

    def design(self, points: Floats, sides: tuple[int, ...]) -> Design:
        """Return the matrix of the family at ``points`` (n, d)."""
        matrix = tensor_product([self.basis(column, sides[0]) for column in points.T[::-1]])
        penalty = bending(sides[0], points.shape[1]) if self.smooth else None
        return Design(matrix, np.arange(matrix.shape[1]), sides, penalty)


@dataclass(frozen=True)
class MetricFamily(LinearFamily):
    """Three grids of hats over the three metric coordinates, added."""

    def sides(self, count: float, dimension: int) -> tuple[int, ...]:
        """Return the sides of three grids with shares 40, 40 and 20 % along an axis that hold at most ``count``."""
        best: tuple[int, ...] = ()
        side = 2
        while True:
            tried = tuple(max(round(side * share / METRIC_SHARES[0]), 2) for share in METRIC_SHARES)
            if self.size(tried, dimension) > count:
                break
            best, side = tried, side + 1
        if not best or side <= self.least:
            raise ValueError(f"{int(count)} coefficients a channel are too few for three grids; give more parameters")
        return best

    def design(self, points: Floats, sides: tuple[int, ...]) -> Design:
        """Return the matrices of the three grids side by side, their coefficients ordered by where they stand."""
        parts, places = [], []
        maps = [metric_maps(column) for column in points.T[::-1]]
        for k, (side, (low, high)) in enumerate(zip(sides, METRIC_RANGES, strict=True)):
            parts.append(tensor_product([hats(phi[k], side, low, high) for phi in maps]))
            nodes = metric_places(k, np.linspace(low, high, side))
            grid = np.meshgrid(*[nodes] * points.shape[1], indexing="ij")
            places.append(np.stack([axis.ravel() for axis in grid]))
        keys = np.concatenate(places, axis=1)
        return Design(sparse.csr_array(sparse.hstack(parts)), np.lexsort(keys[::-1]), sides)


def bending(side: int, dimension: int) -> sparse.csr_array:
    """Return Q of the sum of squared second differences along every axis, and a trace of the sizes: P-splines.

    The trace, 1e-6, keeps coefficients that nothing determines at 0.
    """
    second = sparse.diags_array([1.0, -2.0, 1.0], offsets=[0, 1, 2], shape=(max(side - 2, 0), side))
    along, same = sparse.csr_array(second.T @ second), sparse.eye_array(side, format="csr")
    total = 1e-6 * sparse.eye_array(side**dimension, format="csr")
    for axis in range(dimension):
        term = sparse.csr_array(np.ones((1, 1)))
        for k in range(dimension):
            term = sparse.kron(term, along if k == axis else same, format="csr")
        total = total + term
    return sparse.csr_array(total)


def tensor_product(factors: list[sparse.csr_array | Floats]) -> sparse.csr_array | Floats:
    """Return the products of the axes' functions, row by row; the last factor's index runs fastest."""
    made = factors[0]
    for factor in factors[1:]:
        made = _rows_multiplied(made, factor)
    return made


def _rows_multiplied(a: sparse.csr_array | Floats, b: sparse.csr_array | Floats) -> sparse.csr_array | Floats:
    if not sparse.issparse(a):
        return (a[:, :, None] * b[:, None, :]).reshape(len(a), -1)
    p, q = (np.diff(m.indptr) for m in (a, b))
    shape = (a.shape[0], p[0], q[0])
    values = (a.data.reshape(-1, p[0], 1) * b.data.reshape(-1, 1, q[0])).reshape(-1)
    columns = a.indices.reshape(-1, p[0], 1).astype(np.int64) * b.shape[1] + b.indices.reshape(-1, 1, q[0])
    starts = np.arange(shape[0] + 1, dtype=np.int64) * (shape[1] * shape[2])
    return sparse.csr_array((values, columns.reshape(-1), starts), shape=(shape[0], a.shape[1] * b.shape[1]))


HATS = LinearFamily(hats, least=2, order=2)
QUADRATIC = LinearFamily(lambda u, count: bsplines(u, count, 2), least=3, order=3)
CUBIC = LinearFamily(lambda u, count: bsplines(u, count, 3), least=4, order=4)
SMOOTHED = LinearFamily(lambda u, count: bsplines(u, count, 3), least=4, order=4, smooth=True)
METRIC = MetricFamily(hats, least=2, order=2)
COSINES = LinearFamily(cosines, least=1, order=None, local=False)
CHEBYSHEV = LinearFamily(chebyshev, least=1, order=None, local=False)
