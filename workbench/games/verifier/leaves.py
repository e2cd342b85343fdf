"""The region as a tree of boxes, and what is proved on each leaf."""

from collections.abc import Iterator, Sequence

import numpy as np
from flint import arb
from numpy.typing import NDArray

from .balls import ball, jacobian
from .document import Refused
from .exact import norm_at_most, semidefinite, shifted
from .model import Formulas

Leaf = tuple[list[float], list[float]]
Bounds = tuple[list[arb], list[arb], list[list[arb]]]  # mu, ell, L


def leaves(lower: Sequence[float], upper: Sequence[float], tree: Sequence[int]) -> Iterator[Leaf]:
    """Yield the leaf boxes of a tree in pre-order: k ≥ 0 halves coordinate k, -1 is a leaf.

    Halving at the midpoint from the region downwards makes it impossible to leave a gap.

    >>> list(leaves([0.0], [1.0], [0, -1, -1]))
    [([0.0], [0.5]), ([0.5], [1.0])]
    """
    stack: list[Leaf] = [(list(lower), list(upper))]
    for code in tree:
        if not stack:
            raise Refused("the tree of boxes has entries left over")
        low, high = stack.pop()
        if code == -1:
            yield low, high
            continue
        if not 0 <= code < len(low):
            raise Refused(f"the tree of boxes halves a coordinate {code} that does not exist")
        middle = 0.5 * low[code] + 0.5 * high[code]
        if not low[code] < middle < high[code]:
            raise Refused("the tree of boxes is finer than the numbers allow")
        left_high, right_low = list(high), list(low)
        left_high[code] = right_low[code] = middle
        stack.append((right_low, high))
        stack.append((low, left_high))
    if stack:
        raise Refused("the tree of boxes does not cover the region")


class BlockEnclosure:
    """The Jacobian blocks of one leaf, as balls, and questions about them."""

    def __init__(self, game: Formulas, leaf: Leaf) -> None:
        entries = jacobian(game, [ball(a, b) for a, b in zip(*leaf, strict=True)])
        self.players, spans = len(game.sizes), game.spans
        self.blocks = [
            [[[entries[k][l] for l in spans[j]] for k in spans[i]] for j in range(self.players)]
            for i in range(self.players)
        ]

    def within(self, mu: NDArray, ell: NDArray, couplings: NDArray) -> bool:
        """Whether all blocks obey the bounds mu (N,), ell (N,), L (N, N)."""
        for i in range(self.players):
            own = self.blocks[i][i]
            if not (definite(shifted(own, arb(mu[i]), 1)) and definite(shifted(own, arb(ell[i]), -1))):
                return False
            if any(i != j and not norm_at_most(self.blocks[i][j], arb(couplings[i, j])) for j in range(self.players)):
                return False
        return True

    def bounds(self) -> Bounds:
        """Return exact numbers mu, ell, L that are proved for this leaf; raises :class:`Refused` if none are found."""
        n = self.players
        mu, ell = [arb(0)] * n, [arb(0)] * n
        couplings = [[arb(0)] * n for _ in range(n)]
        for i in range(n):
            mu[i], ell[i] = own_range(self.blocks[i][i])
            for j in range(n):
                if i != j:
                    couplings[i][j] = norm_bound(self.blocks[i][j])
        return mu, ell, couplings


def definite(block: list[list[arb]]) -> bool:
    """Positive semidefinite: one entry by its sign, larger blocks by elimination in balls."""
    return bool(block[0][0] >= 0) if len(block) == 1 else semidefinite(block)


def own_range(block: list[list[arb]]) -> tuple[arb, arb]:
    """Return proved bounds of the eigenvalues of a symmetric block: guessed in floats, proved by elimination."""
    if len(block) == 1:
        return exact(block[0][0].lower()), exact(block[0][0].upper())
    middle = np.array([[float(entry.mid()) for entry in row] for row in block])
    spread = max(sum(float(entry.rad()) for entry in row) for row in block)
    values = np.linalg.eigvalsh(0.5 * (middle + middle.T)) if np.all(np.isfinite(middle)) else np.array([np.nan])
    slack = spread + 1e-9 * (spread + np.abs(values).max())
    low, high = arb(float(values[0] - slack)), arb(float(values[-1] + slack))
    if not (definite(shifted(block, low, 1)) and definite(shifted(block, high, -1))):
        raise Refused("an own block could not be bounded on a leaf")
    return low, high


def norm_bound(block: list[list[arb]]) -> arb:
    """Return a proved upper bound of the largest singular value: the entry, or the root of the sum of squares."""
    if len(block) == len(block[0]) == 1:
        return exact(abs(block[0][0]).upper())
    middle = np.array([[float(entry.mid()) for entry in row] for row in block])
    spread = sum(float(entry.rad()) for row in block for entry in row)
    guess = (float(np.linalg.norm(middle, 2)) if np.all(np.isfinite(middle)) else np.nan) * (1 + 1e-9) + spread
    if not norm_at_most(block, arb(guess)):
        raise Refused("a coupling block could not be bounded on a leaf")
    return arb(guess)


def exact(value: arb) -> arb:
    """Return a ball bound as a number without radius; raises :class:`Refused` if it is not finite."""
    if not value.is_finite():
        raise Refused("a second derivative is unbounded on a leaf")
    return value


def leaf_matrix(bounds: Bounds, w: Sequence[float], alpha: float) -> list[list[arb]]:
    """Return C(w, α) of a leaf: 2 w_i (mu_i - α), -(w_i L_ij + w_j L_ji)."""
    mu, _, couplings = bounds
    weights = [arb(x) for x in w]
    n = len(mu)
    return [
        [
            2 * weights[i] * (mu[i] - arb(alpha))
            if i == j
            else -(weights[i] * couplings[i][j] + weights[j] * couplings[j][i])
            for j in range(n)
        ]
        for i in range(n)
    ]


def step_is_safe(bounds: Bounds, w: Sequence[float], h: float, rate: float = 0.0) -> bool:
    """Return whether T_h is proved to have norm at most 1 − h rate in M(w) on a leaf.

    Then every shorter step s has norm at most 1 − s rate: |T_s| is convex in s, and 1 at s = 0.
    """
    mu, ell, couplings = bounds
    n, step = len(mu), arb(h)
    t = [
        [abs(1 - step * mu[i]).max(abs(1 - step * ell[i])) if i == j else step * couplings[i][j] for j in range(n)]
        for i in range(n)
    ]
    return _dominated(t, w, 1 - step * arb(rate))


def players_shrink(bounds: Bounds, z: Sequence[float], steps: Sequence[float], rate: float) -> bool:
    """Return whether A z ≥ rate z and steps_i (mu_i + ell_i) ≤ 2 are proved on a leaf, for all players.

    Then the row i of T_η is own_i = 1 − η_i mu_i and η_i L_ij, so with η_i ≤ steps_i it takes z to at most
    (1 − η_i rate) z_i: on every leaf with the one z, hence along every segment of the region.
    """
    mu, ell, couplings = bounds
    vector = [arb(x) for x in z]
    for i, gains in enumerate(couplings):
        gain = sum((gain * x for gain, x in zip(gains, vector, strict=True)), arb(0))
        if not mu[i] * vector[i] - gain >= arb(rate) * vector[i] or not arb(steps[i]) * (mu[i] + ell[i]) <= 2:
            return False
    return True


def largest_entry(bounds: Bounds) -> arb:
    """Return the largest of |mu|, |ell| and L on a leaf."""
    mu, ell, couplings = bounds
    largest = arb(0)
    for value in (*mu, *ell, *(entry for row in couplings for entry in row)):
        largest = largest.max(abs(value))
    return largest


def lipschitz_holds(bounds: Bounds, w: Sequence[float], beta: float) -> bool:
    """Return whether diag(max(|mu|, |ell|)) + L is proved to have norm at most β in M(w) on a leaf."""
    mu, ell, couplings = bounds
    n = len(mu)
    g = [[abs(mu[i]).max(abs(ell[i])) if i == j else couplings[i][j] for j in range(n)] for i in range(n)]
    return _dominated(g, w, arb(beta))


def _dominated(matrix: list[list[arb]], w: Sequence[float], bound: arb) -> bool:
    """Whether bound ≥ 0 and bound² W - Bᵀ W B is proved positive semidefinite: |B| <= bound in M(w)."""
    if not bound >= 0:
        return False
    n, weights = len(matrix), [arb(x) for x in w]
    gap = [
        [-sum((matrix[k][i] * weights[k] * matrix[k][j] for k in range(n)), arb(0)) for j in range(n)] for i in range(n)
    ]
    for i in range(n):
        gap[i][i] += bound * bound * weights[i]
    return semidefinite(gap)
