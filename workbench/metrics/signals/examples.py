"""Densities to begin with: bumps on a line, the paper's mixture in the plane, and a ring; each with two points."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench.metrics.signals.mixture import Mixture


class Example(NamedTuple):
    """A density with two points on it."""

    label: str
    density: Mixture
    a: tuple[float, ...]
    b: tuple[float, ...]


def bumps(distance: float = 4.0, variance: float = 0.25) -> Mixture:
    """Return two equal bumps on a line, ``distance`` apart.

    >>> bumps().means.ravel().tolist()
    [-2.0, 2.0]
    """
    return Mixture([0.5, 0.5], [-distance / 2, distance / 2], [variance, variance])


def paper_mixture() -> Mixture:
    """Return the mixture of two Gaussians in the plane that the paper's plots use.

    >>> paper_mixture().mean.round(9).tolist()
    [0.7, -0.4]
    """
    return Mixture([0.3, 0.7], [[0.0, 1.0], [1.0, -1.0]], [[[1.0, 0.0], [0.0, 0.1]], [[1.0, 0.5], [0.5, 0.4]]])


def _three() -> Mixture:
    return Mixture([0.4, 0.35, 0.25], [-3.0, 0.0, 2.5], [0.16, 0.6, 0.09])


def _ring() -> Mixture:
    angle = 2 * np.pi * np.arange(5) / 5
    means = 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    matrices = [stretched(0.75, 0.25, np.rad2deg(a) + 90) for a in angle]
    return Mixture(np.full(5, 0.2), means, matrices)


def stretched(long: float, short: float, turn: float) -> np.ndarray:
    """Return the covariance whose standard deviations are ``long``, at ``turn`` degrees, and ``short`` across.

    >>> stretched(2.0, 1.0, 90.0).round(9).tolist()
    [[1.0, 0.0], [0.0, 4.0]]
    """
    angle = np.deg2rad(turn)
    frame = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    made = (frame * np.array([long, short]) ** 2) @ frame.T
    return (made + made.T) / 2


SIGNAL_EXAMPLES: Mapping[str, Callable[[], Example]] = {
    "two-bumps": lambda: Example("Two bumps on a line", bumps(), (-2.0,), (2.0,)),
    "three-bumps": lambda: Example("Three bumps on a line", _three(), (-3.0,), (2.5,)),
    "paper": lambda: Example("The paper's mixture in the plane", paper_mixture(), (2.5, -2.0), (0.0, 1.0)),
    "ring": lambda: Example("Five bumps on a ring", _ring(), (2.0, 0.0), (-1.6, 1.2)),
}
"""Name → the density and two points."""


def transformed(density: Mixture, matrix: ArrayLike, shift: ArrayLike = 0.0) -> Mixture:
    """Return the density of A x + b for x of ``density``: means A m + b, covariances A C Aᵀ.

    >>> transformed(bumps(), [[2.0]]).means.ravel().tolist()
    [-4.0, 4.0]
    """
    a = np.asarray(matrix, dtype=float)
    made = a @ density.covariances @ a.T
    return Mixture(density.weights, density.means @ a.T + shift, (made + made.transpose(0, 2, 1)) / 2)
