"""What a pair of positive vectors proves of a game's metric weights, after rounding.

The search for good vectors (``weights.py`` dense, ``sparse_weights.py`` matrix-free) may be as careless as it likes:
what counts is what :func:`proved_weights` can show of them.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from workbench.games.models.bounds import Bounds

EPS = float(np.finfo(np.float64).eps)
REDUCIBLE_SHARE = 0.99  # where the supremum τ is not attained, ask for this share of it


@dataclass(frozen=True, eq=False)
class Weights:
    """Two positive vectors with A z ≥ margin z and Aᵀ v ≥ margin v, and what they mean.

    ``tau`` is the supremum of the margin over all weights; ``margin`` <= τ is what z and v prove after rounding;
    ``attained`` says whether some finite weights reach τ; ``witness`` (N,) ≥ 0 has A witness ≤ ceiling * witness,
    which proves that no weights give a margin above ``ceiling``.
    """

    tau: float
    margin: float
    z: NDArray
    v: NDArray
    attained: bool
    witness: NDArray
    ceiling: float

    @property
    def w(self) -> NDArray:
        """Metric weights v/z, scaled so that the first is 1."""
        ratio = self.v / self.z
        return ratio / ratio[0]


def proved_weights(bounds: Bounds, tau: float, z: NDArray, v: NDArray, attained: bool, witness: NDArray) -> Weights:
    """Return the weights with the margin that the two vectors prove, rounded down by a rigorous error bound."""
    if np.all(np.isfinite(z)) and np.all(np.isfinite(v)) and z.min() > 0 and v.min() > 0:
        margin = min(_lowest_ratio(bounds, z, False), _lowest_ratio(bounds, v, True))
    else:
        margin = -np.inf
    on = witness > 0
    image = bounds.mu * witness - bounds.L @ witness
    with np.errstate(divide="ignore", invalid="ignore"):
        ceiling = float(np.max(image[on] / witness[on]))
    return Weights(
        float(tau), float(margin), z / z.max(), v / v.max(), bool(attained), witness / witness.max(), ceiling
    )


def _lowest_ratio(bounds: Bounds, vector: NDArray, transposed: bool) -> float:
    """Return a number that is certainly ≤ min_i (A x)_i / x_i in real arithmetic."""
    couplings = bounds.L.T if transposed else bounds.L
    gain = (couplings @ vector) / vector
    terms = couplings.count_nonzero(axis=1) if sp.issparse(couplings) else bounds.players
    # |fl(sum) - sum| <= (terms + 2) eps sum for non-negative terms; a few more for the quotient and the difference.
    slack = (np.asarray(terms) + 6) * EPS * (np.abs(bounds.mu) + gain)
    return float(np.min(bounds.mu - gain - slack))
