"""What a certificate needs to know about a game: own curvature and cross couplings, nothing else.

Notation of "Small-Gain Nash: Certified Contraction to Nash Equilibria in Differentiable Games" (V. Sharma,
arXiv:2512.06791): for the Jacobian J of the pseudo-gradient, with blocks J_ij, on a convex region

    mu_i ≤ inf λ_min(J_ii),   ell_i ≥ sup λ_max(J_ii),   L_ij ≥ sup ||J_ij||_2  (i != j).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from workbench import checks

LARGEST_DENSE = 3000


@dataclass(frozen=True, eq=False)
class Bounds:
    """Curvature and coupling bounds of an N-player game on a convex region.

    Attributes
    ----------
    mu, ell : (N,) lower and upper bound of the eigenvalues of each player's own block (units of the Jacobian)
    L : (N, N) dense array or scipy sparse matrix, non-negative with zero diagonal, L[i, j] ≥ sup ||J_ij||
    proved : False when the numbers come from samples; a certificate made from them is then ESTIMATED at best

    Raises ``ValueError`` for NaN, shapes that do not agree, a negative coupling, a non-zero diagonal, ell < mu.

    >>> bounds = Bounds([1, 1], [2, 2], [[0, 4], [0.01, 0]])
    >>> bounds.comparison().tolist()
    [[1.0, -4.0], [-0.01, 1.0]]
    """

    mu: NDArray
    ell: NDArray
    L: Any
    proved: bool = True

    def __post_init__(self) -> None:
        mu = checks.finite_array("mu", self.mu, ndim=1)
        ell = checks.finite_array("ell", self.ell, ndim=1)
        couplings = _couplings(self.L)
        n = mu.size
        if ell.shape != mu.shape or couplings.shape != (n, n):
            raise ValueError(
                f"mu has {n} players, ell {ell.size}, and L has shape {couplings.shape}; "
                "give one mu and one ell a player and a square L of the same size"
            )
        if np.any(ell < mu):
            i = int(np.argmax(mu - ell))
            raise ValueError(f"player {i} has ell = {ell[i]} below mu = {mu[i]}; ell is the largest own curvature")
        for name, value in (("mu", mu), ("ell", ell), ("L", couplings)):
            object.__setattr__(self, name, _frozen(value))

    @property
    def players(self) -> int:
        """Number of players N."""
        return int(self.mu.size)

    @property
    def sparse(self) -> bool:
        """Whether the couplings are stored as a sparse matrix."""
        return sp.issparse(self.L)

    def comparison(self) -> Any:
        """Return the comparison matrix A = diag(mu) - L, dense or sparse as L is."""
        return sp.diags_array(self.mu, format="csr") - self.L if self.sparse else np.diag(self.mu) - self.L

    def scaled(self, factor: float) -> "Bounds":
        """Return the bounds of the same game in other units of cost: all numbers times ``factor`` > 0."""
        c = checks.real("factor", factor, exclusive_minimum=0)
        return Bounds(c * self.mu, c * self.ell, c * self.L, self.proved)

    def relabelled(self, order: Sequence[int]) -> "Bounds":
        """Return the bounds with the players in another order: new player k is the old player ``order[k]``."""
        new = np.asarray(order, dtype=np.int64)
        if sorted(new.tolist()) != list(range(self.players)):
            raise ValueError(f"order must list each of the {self.players} players once, got {list(order)!r}")
        return Bounds(self.mu[new], self.ell[new], self.L[new][:, new], self.proved)

    def describe(self) -> dict[str, Any]:
        """Return what identifies these bounds in a result's provenance."""
        return {"mu": self.mu, "ell": self.ell, "L": self.L.toarray() if self.sparse else self.L, "proved": self.proved}


def _couplings(value: ArrayLike | Any) -> Any:
    if sp.issparse(value):
        matrix = sp.csr_array(value, dtype=np.float64)
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        checks.finite_array("L", matrix.data, ndim=1, allow_empty=True)
        entries, diagonal = matrix.data, matrix.diagonal()
    else:
        matrix = checks.finite_array("L", value, ndim=2)
        entries, diagonal = matrix, np.diag(matrix)
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"L must be square, got shape {matrix.shape}; row i holds the couplings into player i")
    if np.any(entries < 0):
        raise ValueError("L has a negative entry; couplings are norms, so give |J_ij| (signs do not help this test)")
    if np.any(diagonal != 0):
        raise ValueError("L has a non-zero diagonal entry; a player's own curvature belongs in mu and ell")
    return matrix


def _frozen(value: Any) -> Any:
    if sp.issparse(value):
        return value
    copy = np.array(value, dtype=np.float64)
    copy.setflags(write=False)
    return copy
