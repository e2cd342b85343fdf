"""Curvature at a point: rigid motions taken out, eigenvalues, and the two minima on either side of a saddle."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

Array = NDArray[np.float64]
RIGID = 1e-6
"""Motions with a smaller share of the largest singular value do not exist: a line does not turn about itself."""
DIFFERENCE = 1e-3
"""Displacement of the central differences of the index check."""


def internal_basis(x: Array, species: Sequence[str] | None) -> Array:
    """Return an orthonormal basis (d × m) of all displacements that are not rigid motions.

    Three translations and three rotations (two for collinear atoms) are taken out; nothing for plain coordinates.

    >>> line = np.array([0.0, 0, 0, 1, 0, 0, 2, 0, 0])
    >>> internal_basis(line, "ABC").shape, internal_basis(np.zeros(2), None).shape
    ((9, 4), (2, 2))
    """
    if species is None:
        return np.eye(x.size)
    points = x.reshape(-1, 3) - x.reshape(-1, 3).mean(axis=0)
    motions = [np.tile(axis, (len(points), 1)) for axis in np.eye(3)]
    motions += [np.cross(axis, points) for axis in np.eye(3)]
    matrix = np.array([m.reshape(-1) for m in motions]).T
    u, s, _ = np.linalg.svd(matrix)
    rank = int((s > RIGID * s[0]).sum())
    return u[:, rank:]


def without_rigid(direction: Array, x: Array, species: Sequence[str] | None) -> Array:
    """Return the part of a direction (d) that is no rigid motion at ``x``."""
    basis = internal_basis(x, species)
    return basis @ (basis.T @ direction)


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues in increasing order and eigenvectors (d × m) of a Hessian without its rigid motions."""

    values: Array
    vectors: Array

    def index(self, flat: float = 0.0) -> int:
        """Return the number of eigenvalues below −``flat``."""
        return int((self.values < -flat).sum())


def spectrum(hessian: Array, x: Array, species: Sequence[str] | None) -> Spectrum:
    """Return the eigenvalues and vectors of a Hessian restricted to displacements that are not rigid motions.

    >>> found = spectrum(np.diag([2.0, -1.0]), np.zeros(2), None)
    >>> found.values.tolist(), found.index()
    ([-1.0, 2.0], 1)
    """
    basis = internal_basis(x, species)
    values, vectors = np.linalg.eigh(basis.T @ hessian @ basis)
    return Spectrum(values, basis @ vectors)


def difference_spectrum(gradient: Callable[[Array], Array], x: Array, species: Sequence[str] | None) -> Spectrum:
    """Return the spectrum from central differences of gradients along internal displacements: two calls for each."""
    basis = internal_basis(x, species)
    columns = [(gradient(x + DIFFERENCE * v) - gradient(x - DIFFERENCE * v)) / (2 * DIFFERENCE) for v in basis.T]
    inner = basis.T @ np.array(columns).T
    values, vectors = np.linalg.eigh((inner + inner.T) / 2)
    return Spectrum(values, basis @ vectors)


def slide(
    evaluate: Callable[[Array], tuple[float, Array]],
    x: Array,
    mode: Array,
    push: float,
    end: float,
    accuracy: float = 1e-6,
) -> Array:
    """Return where steepest descent ends that leaves a saddle along ``mode``, pushed by ``push``.

    The path ẋ = −∇E is followed with a stiff integrator, to a relative ``accuracy``, until |∇E|_∞ < ``end``, so that it
    ends in the basin that it belongs to, where a minimiser might jump a ridge.
    """

    def velocity(_: float, y: Array) -> Array:
        return -evaluate(y)[1]

    def arrived(_: float, y: Array) -> float:
        return float(np.abs(evaluate(y)[1]).max()) - end

    arrived.terminal = True  # type: ignore[attr-defined]
    arrived.direction = -1  # type: ignore[attr-defined]
    start = x + push * mode
    done = solve_ivp(velocity, (0.0, 1e4), start, method="LSODA", events=arrived, rtol=accuracy, atol=0.01 * accuracy)
    return done.y[:, -1]
