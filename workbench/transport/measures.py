"""What is transported: a cloud of points with masses, checked, centred on its mean and laid out for the kernels."""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks

Floats = NDArray[np.floating]
RADIUS_SLACK = np.float32(1.00001)
AS_IT_IS = 50  # a cloud within 2^±50 is transported in its own unit: its cubes fit into single precision
LEAST = -60  # beside one of size 1 a smaller cloud is drawn no smaller than 2^-60: seen by no digit, but in its order
ONE_POINT = -10_000  # the exponent of a cloud without extent, below every other


@dataclass(frozen=True)
class Cloud:
    """A checked cloud, centred on its mean: ``coordinates`` (d, n), ``masses`` (n,) summing to 1 or None if equal.

    Atoms of zero weight are left out; ``kept`` holds the indices of the others among the ``size`` given. Coordinates
    are in units of 2^``exponent``, which is 1 unless the cloud is very small or very large; ``centre`` is not.
    """

    centre: NDArray[np.float64]
    coordinates: Floats
    masses: NDArray[np.float64] | None
    kept: NDArray[np.intp] | None
    size: int
    exponent: int = 0

    @property
    def dim(self) -> int:
        """The number of axes."""
        return self.coordinates.shape[0]

    @property
    def n(self) -> int:
        """The number of atoms with positive weight."""
        return self.coordinates.shape[1]

    @property
    def all_masses(self) -> NDArray[np.float64]:
        """The masses, written out: (n,), summing to 1."""
        return np.full(self.n, 1 / self.n) if self.masses is None else self.masses

    @cached_property
    def radius(self) -> np.float32:
        """A bound on the absolute value of every projection of the centred cloud, safe against rounding.

        In float64, where the squares of small float32 coordinates do not vanish.
        """
        squared = np.zeros(self.n)
        for axis in self.coordinates:
            squared += np.square(axis, dtype=np.float64)
        return np.float32(np.sqrt(squared.max())) * RADIUS_SLACK

    def restore(self, gradient: Floats) -> NDArray[np.float64]:
        """Return a (d, n) gradient as (size, d), with zeros for atoms of zero weight."""
        if self.kept is None:
            return np.ascontiguousarray(gradient.T, dtype=np.float64)
        full = np.zeros((self.size, self.dim))
        full[self.kept] = gradient.T
        return full


def points(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Return ``value`` as a finite ``(n, d)`` array with at least one point and one axis."""
    return checks.finite_array(name, value, ndim=2)


def masses(name: str, value: ArrayLike | None, n: int) -> NDArray[np.float64] | None:
    """Return weights normalised to sum 1, or None if there are none; negative or zero-sum weights are refused."""
    if value is None:
        return None
    weights = checks.finite_array(name, value, ndim=1)
    if len(weights) != n:
        raise ValueError(f"{name} has {len(weights)} entries for {n} points; give one weight per point")
    if weights.min() < 0:
        raise ValueError(f"{name} holds negative weights (smallest {weights.min():g}); weights must be at least 0")
    total = weights.sum()
    if not 0 < total < np.inf:
        raise ValueError(f"{name} must have a positive, finite sum, got {total:g}")
    return weights / total


def prepare(
    name: str, value: ArrayLike, weights: ArrayLike | None = None, dtype: type[np.floating] = np.float32
) -> Cloud:
    """Check a cloud and its weights and put it in the form of the kernel.

    Any finite coordinates will do: where their squares, or single precision, would not hold them, the cloud gets a
    unit of its own (:func:`in_one_unit`).
    """
    array = points(name, value)
    shares = masses(f"{name}_weights", weights, len(array))
    size, kept = len(array), None
    if shares is not None and not shares.all():
        kept = np.flatnonzero(shares)
        array, shares = array[kept], shares[kept]
    if shares is not None and shares.min() == shares.max():
        shares = None
    rows = np.ascontiguousarray(array.T)
    coordinates = np.empty(rows.shape, dtype)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        centre = _mean(rows, shares)
        np.subtract(rows, centre[:, None], out=coordinates, casting="unsafe")
    extent = float(max(coordinates.max(), -coordinates.min()))
    if np.isfinite(centre).all() and 2.0**-AS_IT_IS <= extent <= 2.0**AS_IT_IS:
        return Cloud(centre, coordinates, shares, kept, size)
    centre, coordinates, exponent = _in_own_unit(rows, shares, dtype)
    return Cloud(centre, coordinates, shares, kept, size, exponent)


def prepare_pair(
    x: ArrayLike,
    y: ArrayLike,
    x_weights: ArrayLike | None = None,
    y_weights: ArrayLike | None = None,
    dtype: type[np.floating] = np.float32,
) -> tuple[Cloud, Cloud]:
    """Check two clouds (n, d), (m, d) of one dimension and put each in the form of the kernel, see :func:`prepare`.

    >>> first, second = prepare_pair([[0.0, 0.0], [2.0, 2.0]], [[1.0, 5.0]])
    >>> first.n, second.n, first.centre.tolist()
    (2, 1, [1.0, 1.0])
    """
    pair = prepare("x", x, x_weights, dtype), prepare("y", y, y_weights, dtype)
    check_same_dim(*pair)
    return pair


def _mean(rows: NDArray[np.float64], shares: NDArray[np.float64] | None) -> NDArray[np.float64]:
    return rows.mean(axis=1) if shares is None else rows @ shares


def _in_own_unit(
    rows: NDArray[np.float64], shares: NDArray[np.float64] | None, dtype: type[np.floating]
) -> tuple[NDArray[np.float64], Floats, int]:
    """Return centre, coordinates below 1 and their exponent. Powers of 2 change no digit, subnormal numbers included.

    Twice: first for the place of the cloud, so that its mean can be taken, then for its extent.
    """
    far = int(np.frexp(np.abs(rows).max())[1])
    near = np.ldexp(rows, -far)
    centre = _mean(near, shares)
    near -= centre[:, None]
    extent = np.abs(near).max()
    own = int(np.frexp(extent)[1])
    return np.ldexp(centre, far), np.ldexp(near, -own).astype(dtype), far + own if extent > 0 else ONE_POINT


def in_one_unit(x: Cloud, y: Cloud) -> tuple[Cloud, Cloud, int]:
    """Return two clouds in one unit 2^e, and e; the very same clouds and 0 unless one is very small or very large.

    In the unit, the mean of ``y`` is the origin. A distance in it times 2^e is the distance asked for: see
    :func:`rescaled`.
    """
    with np.errstate(over="ignore"):
        shift = x.centre - y.centre
    if not np.isfinite(shift).all():
        raise ValueError(
            "x and y are too large: the distance between their centres exceeds 1.8e308, the largest number that "
            "double precision holds; rescale both clouds by one factor"
        )
    apart = int(np.frexp(np.abs(shift).max())[1]) if shift.any() else ONE_POINT
    if max(x.exponent, y.exponent) == 0 and apart <= AS_IT_IS and min(x.exponent, y.exponent) in (0, ONE_POINT):
        return x, y, 0
    unit = max(x.exponent, y.exponent, apart)
    if unit == ONE_POINT:  # two points in one place
        return x, y, 0
    least = max(_size(x), _size(y), apart) - unit + LEAST
    return _in_unit(x, unit, least, np.ldexp(shift, -unit)), _in_unit(y, unit, least, np.zeros_like(shift)), unit


def _size(cloud: Cloud) -> int:
    """Return the exponent of a cloud's largest coordinate; one that is taken as it is has up to 2^±50 in unit 1."""
    return cloud.exponent + int(np.frexp(np.abs(cloud.coordinates).max())[1])


def _in_unit(cloud: Cloud, unit: int, least: int, centre: NDArray[np.float64]) -> Cloud:
    """Return the cloud in units of 2^``unit``, drawn no smaller than 2^``least`` in it."""
    coordinates = cloud.coordinates
    smaller = max(cloud.exponent - unit, least - (_size(cloud) - cloud.exponent))
    if smaller and cloud.exponent != ONE_POINT:
        coordinates = np.ldexp(coordinates, smaller).astype(coordinates.dtype)
    return replace(cloud, centre=centre, coordinates=coordinates, exponent=0)


def rescaled(what: str, value: Any, unit: int) -> Any:
    """Return ``value`` times 2^``unit``, rounded once (to 0 below 5e-324); refuse what exceeds the largest number."""
    if unit == 0:
        return value
    with np.errstate(over="ignore", under="ignore"):
        found = np.ldexp(value, unit)
    if not np.isfinite(found).all():
        raise ValueError(
            f"x and y are too large: {what} exceeds 1.8e308, the largest number that double precision holds; "
            f"rescale both clouds by one factor, such as 1e{-round(math.log10(2) * unit / 2)}"
        )
    return found


def check_same_dim(x: Cloud, y: Cloud) -> None:
    """Refuse two clouds that live in spaces of different dimension."""
    if x.dim != y.dim:
        raise ValueError(f"x lies in {x.dim} dimensions and y in {y.dim}; both clouds need the same number of columns")
