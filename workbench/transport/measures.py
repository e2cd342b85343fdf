"""What is transported: a cloud of points with masses, checked, centred on its mean and laid out for the kernels."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks

Floats = NDArray[np.floating]
RADIUS_SLACK = np.float32(1.00001)


@dataclass(frozen=True)
class Cloud:
    """A checked cloud, centred on its mean: ``coordinates`` (d, n), ``masses`` (n,) summing to 1 or None if equal.

    Atoms of zero weight are left out; ``kept`` holds the indices of the others among the ``size`` given.
    """

    centre: NDArray[np.float64]
    coordinates: Floats
    masses: NDArray[np.float64] | None
    kept: NDArray[np.intp] | None
    size: int

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
    """Check a cloud and its weights and put it in the form of the kernel."""
    array = points(name, value)
    shares = masses(f"{name}_weights", weights, len(array))
    size, kept = len(array), None
    if shares is not None and not shares.all():
        kept = np.flatnonzero(shares)
        array, shares = array[kept], shares[kept]
    if shares is not None and shares.min() == shares.max():
        shares = None
    rows = np.ascontiguousarray(array.T)
    centre = rows.mean(axis=1) if shares is None else rows @ shares
    coordinates = np.empty(rows.shape, dtype)
    with np.errstate(over="ignore"):
        np.subtract(rows, centre[:, None], out=coordinates, casting="unsafe")
        extent = np.square(np.abs(coordinates).max())
    if not np.isfinite(extent) or not np.isfinite(centre).all():
        raise ValueError(f"{name} has coordinates too large for {np.dtype(dtype)}; rescale the cloud")
    return Cloud(centre, coordinates, shares, kept, size)


def check_same_dim(x: Cloud, y: Cloud) -> None:
    """Refuse two clouds that live in spaces of different dimension."""
    if x.dim != y.dim:
        raise ValueError(f"x lies in {x.dim} dimensions and y in {y.dim}; both clouds need the same number of columns")
