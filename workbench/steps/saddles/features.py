"""What the surrogate sees of a configuration: inverse pair distances by pair of species, or plain coordinates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Features:
    """The map from coordinates (d) to features (p), its Jacobian and its second derivatives.

    ``type_of`` (p) numbers the kind of each feature: every kind has its own inverse length scale.
    """

    size: int
    type_of: NDArray[np.intp]
    types: tuple[str, ...]
    pairs: tuple[NDArray[np.intp], NDArray[np.intp]] | None = None

    def values(self, x: Array) -> tuple[Array, Array]:
        """Return the features (p) and their Jacobian (p × d)."""
        if self.pairs is None:
            return x.copy(), np.eye(self.size)
        i, j = self.pairs
        points = x.reshape(-1, 3)
        d = points[i] - points[j]
        f = 1 / np.sqrt((d * d).sum(axis=1))
        slope = -(f**3)[:, None] * d
        jacobian = np.zeros((len(i), len(points), 3))
        rows = np.arange(len(i))
        jacobian[rows, i] = slope
        jacobian[rows, j] = -slope
        return f, jacobian.reshape(len(i), -1)

    def curvature(self, x: Array, weights: Array) -> Array:
        """Return Σ_p weights_p ∂²f_p/∂x² (d × d): for f = 1/r the blocks ±(3ddᵀ/r⁵ − I/r³)."""
        if self.pairs is None:
            return np.zeros((self.size, self.size))
        i, j = self.pairs
        points = x.reshape(-1, 3)
        n = len(points)
        d = points[i] - points[j]
        f = 1 / np.sqrt((d * d).sum(axis=1))
        outer = d[:, :, None] * d[:, None, :]
        blocks = weights[:, None, None] * (3 * (f**5)[:, None, None] * outer - (f**3)[:, None, None] * np.eye(3))
        hessian = np.zeros((n, 3, n, 3))
        for a, b, sign in ((i, i, 1), (j, j, 1), (i, j, -1), (j, i, -1)):
            np.add.at(hessian, (a, slice(None), b), sign * blocks)
        return hessian.reshape(3 * n, 3 * n)


def features_for(size: int, species: Sequence[str] | None) -> Features:
    """Return the features of ``size`` coordinates: 1/r of all pairs of the ``species``, or the coordinates themselves.

    >>> features_for(9, ("O", "H", "H")).types
    ('H–O', 'H–H')
    """
    if species is None:
        return Features(size, np.zeros(size, dtype=np.intp), ("coordinate",))
    i, j = np.triu_indices(len(species), 1)
    names = ["–".join(sorted((species[a], species[b]))) for a, b in zip(i, j, strict=True)]
    types = tuple(dict.fromkeys(names))
    return Features(size, np.array([types.index(name) for name in names]), types, (i, j))
