"""Measures between which entropic curvature is taken: Gaussians of any dimension, mixtures and tables on a line.

On a line a measure is handed over as quantiles: for nodes z of a Gaussian the places q with the same mass below, and
the logarithm of the density there. Both tails keep their digits, since each is reached from its own side.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr

from workbench import checks, results

Floats = NDArray[np.float64]
LOG_2PI = float(np.log(2 * np.pi))
MOST_BUMPS, MOST_ROWS = 64, 100_000
MOST_DIMENSIONS = 64


def _log_sum(logs: Floats) -> Floats:
    """Return ln Σ e^… over the last axis; SciPy's own takes ten times as long over as few terms as here."""
    top = logs.max(axis=-1, keepdims=True)
    return top[..., 0] + np.log(np.exp(logs - top).sum(axis=-1))


class _Described:
    """A measure says its own numbers where a result records it."""

    def describe(self) -> dict[str, object]:
        """Return the fields of the dataclass."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}  # type: ignore[attr-defined]


@dataclass(frozen=True, eq=False)
class Normal(_Described, results.Described):
    """The Gaussian N(mean, covariance) in one or more dimensions; a number as covariance is a variance.

    >>> Normal(0.0, 4.0).dimension, Normal([0, 1], [[2, 0], [0, 1]]).dimension
    (1, 2)
    """

    mean: ArrayLike
    covariance: ArrayLike

    def __post_init__(self) -> None:
        mean = np.atleast_1d(checks.finite_array("the mean", self.mean, ndim=(0, 1)))
        matrix = np.atleast_2d(checks.finite_array("the covariance", self.covariance, ndim=(0, 2)))
        if matrix.shape != (len(mean), len(mean)):
            raise ValueError(f"the mean has {len(mean)} coordinates and the covariance the shape {matrix.shape}")
        if len(mean) > MOST_DIMENSIONS:
            raise ValueError(f"a Gaussian here has up to {MOST_DIMENSIONS} dimensions, got {len(mean)}")
        if np.abs(matrix - matrix.T).max() > 1e-10 * np.abs(matrix).max():
            raise ValueError("the covariance is not symmetric; give (A + A.T)/2 if that is meant")
        matrix = (matrix + matrix.T) / 2
        values = np.linalg.eigvalsh(matrix)
        if not values[0] > 1e-14 * max(values[-1], 0):
            raise ValueError(
                f"the covariance has the eigenvalue {values[0]:.3g}; its density needs a positive definite one"
            )
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "covariance", matrix)

    @property
    def dimension(self) -> int:
        """Of the space it lives in."""
        return len(self.mean)

    def log_density(self, x: Floats) -> Floats:
        """Return ln of the density at points (…, d)."""
        root = np.linalg.cholesky(self.covariance)
        off = np.linalg.solve(root, (x - self.mean).reshape(-1, self.dimension).T)
        logs = -(off**2).sum(axis=0) / 2 - np.log(np.diag(root)).sum() - self.dimension * LOG_2PI / 2
        return logs.reshape(x.shape[:-1])

    def as_mixture(self) -> "Bumps":
        """Return the same measure on a line as a mixture of one."""
        return Bumps([1.0], self.mean, np.sqrt(self.covariance[0]))


@dataclass(frozen=True, eq=False)
class Bumps(_Described, results.Described):
    """A mixture of Gaussians on a line: ``weights`` that sum to one, ``means`` and standard ``deviations``.

    >>> Bumps([0.6, 0.4], [0, 2.5], [1, 0.7]).quantiles(np.array([0.0])).round(4).tolist()
    [0.9342]
    """

    weights: ArrayLike
    means: ArrayLike
    deviations: ArrayLike

    def __post_init__(self) -> None:
        fields = {
            name: checks.finite_array(name, getattr(self, name), ndim=1) for name in ("weights", "means", "deviations")
        }
        sizes = {len(value) for value in fields.values()}
        if len(sizes) > 1 or max(sizes) > MOST_BUMPS:
            raise ValueError(
                f"weights, means and deviations have lengths {[len(v) for v in fields.values()]}; give as many of "
                f"each, up to {MOST_BUMPS}"
            )
        if fields["weights"].min() <= 0 or abs(fields["weights"].sum() - 1) > 1e-9:
            raise ValueError(f"weights must be positive and sum to 1, got {fields['weights'].tolist()[:6]}")
        if fields["deviations"].min() <= 0:
            raise ValueError(f"deviations must be positive, got {fields['deviations'].tolist()[:6]}")
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    dimension = 1

    def log_density(self, x: Floats) -> Floats:
        """Return ln of the density at points (…, 1)."""
        off = (x - self.means) / self.deviations
        return _log_sum(-(off**2) / 2 - np.log(self.deviations) - LOG_2PI / 2 + np.log(self.weights))

    def quantiles(self, z: Floats) -> Floats:
        """Return the places with as much mass below as a standard Gaussian has below each of ``z``.

        Bisection and Newton's method on the logarithm of the mass of the nearer tail.
        """
        z = np.asarray(z, dtype=float)
        side = np.where(z > 0, -1.0, 1.0)  # the upper tail is looked at from above
        target = log_ndtr(side * z)

        def tail(q: Floats) -> tuple[Floats, Floats]:
            off = (q[..., None] - self.means) / self.deviations
            mass = _log_sum(log_ndtr(side[..., None] * off) + np.log(self.weights))
            return mass, np.exp(self.log_density(q[..., None]) - mass)

        ends = self.means + np.multiply.outer(z, self.deviations)
        low, high = ends.min(axis=-1) - 1e-9, ends.max(axis=-1) + 1e-9
        q = (low + high) / 2
        for _ in range(100):
            mass, rate = tail(q)
            above = side * (mass - target) > 0
            low, high = np.where(above, low, q), np.where(above, q, high)
            newton = q - side * (mass - target) / np.maximum(rate, 1e-300)
            inside = (newton > low) & (newton < high)
            fresh = np.where(inside, newton, (low + high) / 2)
            if np.abs(fresh - q).max() <= 4e-16 * max(1.0, np.abs(q).max()):
                return fresh
            q = fresh
        return q


@dataclass(frozen=True, eq=False)
class Table(_Described, results.Described):
    """A positive density on a line given at rising places, linear in between; it is scaled to mass one.

    A skewer through a field is one. ``ValueError`` for fewer than two places, for places that do not rise and for
    densities at zero or below.

    >>> Table([0, 1, 2], [1, 1, 1]).edges.tolist()
    [0.0, 0.5, 1.0]
    """

    x: ArrayLike
    density: ArrayLike

    def __post_init__(self) -> None:
        x = checks.finite_array("x", self.x, ndim=1)
        density = checks.finite_array("the density", self.density, ndim=1)
        if len(x) != len(density) or not 2 <= len(x) <= MOST_ROWS:
            raise ValueError(f"x has {len(x)} and the density {len(density)} values; give 2 to {MOST_ROWS:,} of each")
        if not np.all(np.diff(x) > 0):
            row = int(np.argmin(np.diff(x) > 0)) + 1
            raise ValueError(f"x must rise; x[{row}] = {x[row]:g} does not exceed the one before")
        if density.min() <= 0:
            row = int(np.argmax(density <= 0))
            raise ValueError(
                f"the density must be positive, got {density[row]:g} at x[{row}] = {x[row]:g}; lift it first"
            )
        mass = float((np.diff(x) * (density[1:] + density[:-1]) / 2).sum())
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "density", density / mass)

    dimension = 1

    @cached_property
    def edges(self) -> Floats:
        """The mass below each place."""
        pieces = np.diff(self.x) * (self.density[1:] + self.density[:-1]) / 2
        found = np.concatenate([[0.0], np.cumsum(pieces)])
        return found / found[-1]

    def at_mass(self, u: Floats) -> tuple[Floats, Floats]:
        """Return the places with mass ``u`` below, and the density there."""
        k = np.clip(np.searchsorted(self.edges, u, side="right") - 1, 0, len(self.x) - 2)
        f0, f1, step = self.density[k], self.density[k + 1], np.diff(self.x)[k]
        rest = np.maximum(u - self.edges[k], 0)
        slope = (f1 - f0) / step
        here = np.sqrt(np.maximum(f0**2 + 2 * slope * rest, 1e-300))
        return self.x[k] + np.clip(2 * rest / (f0 + here), 0, step), here

    def log_density(self, x: Floats) -> Floats:
        """Return ln of the density at points (…, 1); ``ValueError`` outside the table."""
        x = x[..., 0]
        span = self.x[-1] - self.x[0]
        if x.min() < self.x[0] - 1e-9 * span or x.max() > self.x[-1] + 1e-9 * span:
            raise ValueError(
                f"the reference is known from {self.x[0]:g} to {self.x[-1]:g}, and the measures reach from {x.min():g} "
                f"to {x.max():g}; give a wider table"
            )
        return np.log(np.interp(x, self.x, self.density))


Measure = Normal | Bumps | Table
