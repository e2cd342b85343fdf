"""Quadratic games: a constant Jacobian, so the bounds hold everywhere and need no region."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.games.models.bounds import Bounds

LARGEST = 3000


class QuadraticGame:
    """f_i = x_iᵀ J_ii x_i / 2 + x_iᵀ sum_j J_ij x_j - b_iᵀ x_i, so that F(x) = J x - b.

    ``matrix`` (d, d) is J with blocks of ``sizes`` (default: one coordinate a player); own blocks must be symmetric.
    ``offset`` (d,) is b. Raises ``ValueError`` for NaN, a non-square matrix, sizes that do not add up to d.

    >>> game = QuadraticGame([[1.0, 5.0], [-5.0, 1.0]], [1, 1])
    >>> game.field([1.0, 0.0]).tolist(), game.bounds().L.tolist()
    ([1.0, -5.0], [[0.0, 5.0], [5.0, 0.0]])
    """

    def __init__(
        self,
        matrix: ArrayLike,
        sizes: Sequence[int] | None = None,
        *,
        offset: ArrayLike | None = None,
        name: str = "game",
    ) -> None:
        self.matrix = checks.finite_array("the game matrix", matrix, ndim=2).copy()
        d = len(self.matrix)
        if self.matrix.shape != (d, d):
            raise ValueError(f"the game matrix must be square, got shape {self.matrix.shape}")
        checks.integer("the number of coordinates", d, minimum=1, maximum=LARGEST)
        self.sizes = tuple(checks.integer("a block size", s, minimum=1) for s in (sizes or [1] * d))
        if sum(self.sizes) != d:
            raise ValueError(f"the block sizes {self.sizes} add up to {sum(self.sizes)}, the matrix has {d} rows")
        self.offset = np.zeros(d) if offset is None else checks.finite_array("offset", offset, ndim=1)
        if self.offset.size != d:
            raise ValueError(f"offset has {self.offset.size} entries, the matrix {d} rows")
        self.name = name
        for i, own in enumerate(self._own_blocks()):
            if not np.array_equal(own, own.T):
                raise ValueError(f"the own block of player {i} must be symmetric: it is the Hessian of a cost")

    @classmethod
    def from_blocks(cls, blocks: Sequence[Sequence[ArrayLike]], **options: Any) -> "QuadraticGame":
        """Build the game from an N by N table of blocks; raises ``ValueError`` if their sizes do not fit together."""
        table = [[np.atleast_2d(np.asarray(block, dtype=float)) for block in row] for row in blocks]
        sizes = [row[i].shape[0] if i < len(row) else -1 for i, row in enumerate(table)]
        for i, row in enumerate(table):
            if len(row) != len(table):
                raise ValueError(f"row {i} has {len(row)} blocks for {len(table)} players; give a square table")
            for j, block in enumerate(row):
                if block.shape != (sizes[i], sizes[j]):
                    raise ValueError(f"block ({i}, {j}) has shape {block.shape}, expected {(sizes[i], sizes[j])}")
        return cls(np.block(table), sizes, **options)

    @property
    def players(self) -> int:
        """Number of players."""
        return len(self.sizes)

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return len(self.matrix)

    def field(self, x: ArrayLike) -> NDArray:
        """Return F(x) = J x - b, (..., d)."""
        return np.asarray(x, dtype=float) @ self.matrix.T - self.offset

    def jacobian(self, x: ArrayLike) -> NDArray:
        """Return J, repeated for each point (..., d)."""
        return np.broadcast_to(self.matrix, (*np.shape(x)[:-1], *self.matrix.shape))

    def equilibrium(self) -> NDArray:
        """Return the zero of F; raises ``ValueError`` if J is singular."""
        try:
            return np.linalg.solve(self.matrix, self.offset)
        except np.linalg.LinAlgError:
            raise ValueError("the game matrix is singular: there is no single equilibrium") from None

    def bounds(self) -> Bounds:
        """Return mu, ell, L: exact for one coordinate a player, rounded outward for blocks."""
        if set(self.sizes) == {1}:
            own = np.diag(self.matrix)
            return Bounds(own, own, np.abs(self.matrix - np.diag(own)))
        return block_bounds(self.matrix[None], self.sizes)

    def _own_blocks(self) -> list[NDArray]:
        edges = np.cumsum([0, *self.sizes])
        return [self.matrix[a:b, a:b] for a, b in pairwise(edges)]

    def payload(self) -> dict[str, Any]:
        """Return the game as JSON-ready data."""
        return {"type": "quadratic", "sizes": list(self.sizes), "matrix": self.matrix.tolist()}

    def describe(self) -> dict[str, Any]:
        """Return what identifies this game in a result's provenance."""
        return {"type": "QuadraticGame", "name": self.name, "sizes": list(self.sizes), "matrix": self.matrix}


def block_bounds(jacobians: NDArray, sizes: Sequence[int], *, proved: bool = True) -> Bounds:
    """Return bounds over a stack of Jacobians (n, d, d): own eigenvalues and coupling norms, rounded outward.

    The slack 4 d eps ||block||_F exceeds the backward error of LAPACK's symmetric eigenvalues and singular values;
    where it matters the exact checker decides again.
    """
    edges = np.cumsum([0, *sizes])
    n = len(sizes)
    mu, ell, couplings = np.empty(n), np.empty(n), np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            block = jacobians[:, edges[i] : edges[i + 1], edges[j] : edges[j + 1]]
            single = block.shape[1:] == (1, 1)
            # In units of its largest entry, a power of two, so that no square on the way over- or underflows.
            unit = 1.0 if single else 2.0 ** np.frexp(np.abs(block).max(initial=0.0))[1]
            block = block / unit
            rounding = 0.0 if single else 4 * max(block.shape[1:]) * 2.0**-52
            slack = rounding * (np.zeros(len(block)) if single else np.linalg.norm(block, axis=(1, 2)))
            if i == j:
                values = np.linalg.eigvalsh(0.5 * (block + block.transpose(0, 2, 1)))
                mu[i] = unit * np.min(values[:, 0] - slack)
                ell[i] = unit * np.max(values[:, -1] + slack)
            else:
                norms = np.linalg.norm(block, 2, axis=(1, 2))
                couplings[i, j] = unit * np.max(norms + slack)
    return Bounds(mu, ell, couplings, proved)
