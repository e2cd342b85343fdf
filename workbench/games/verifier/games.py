"""Do the bounds hold for the game that the certificate carries? And what, at most, do its blocks amount to?"""

from itertools import pairwise, product

import numpy as np
from flint import arb, fmpq
from numpy.typing import NDArray

from .document import Refused
from .exact import norm_at_most, rational, rational_matrix, semidefinite, shifted
from .leaves import BlockEnclosure, leaves
from .model import Bounds, BoundsOnly, Document, Formulas, NormalForm, Quadratic


def game_claim(document: Document, bounds: Bounds) -> None:
    """mu, ell and L hold for the game: everywhere, or on every box of the region's tree."""
    game = document.game
    if not isinstance(game, Formulas) and document.tree is not None:
        raise Refused("a tree of boxes needs a game of formulas and a region", "tree")
    if isinstance(game, BoundsOnly):
        return
    if isinstance(game, Quadratic):
        _quadratic(game, bounds)
    elif isinstance(game, NormalForm):
        _normal_form(game, bounds)
    elif isinstance(game, Formulas):
        if document.region is None or document.tree is None:
            raise Refused("bounds of a game of formulas need a region and its tree of boxes", "region")
        dense = bounds.couplings.dense()
        for number, leaf in enumerate(leaves(document.region.lower, document.region.upper, document.tree)):
            if not BlockEnclosure(game, leaf).within(bounds.mu, bounds.ell, dense):
                raise Refused(f"the bounds are not proved on leaf {number}, {shown(leaf)}", "bounds")
    else:
        raise Refused("a game that was sampled proves nothing", "game")


def shown(leaf: tuple[list[float], list[float]]) -> str:
    """Return a box as a person reads it, the first four coordinates."""
    sides = [f"[{a:.6g}, {b:.6g}]" for a, b in zip(*leaf, strict=True)]
    return " × ".join(sides[:4]) + (" × …" if len(sides) > 4 else "")


def matrix_blocks(game: Quadratic) -> list[list[NDArray]]:
    """Return the blocks J_ij of a quadratic game."""
    edges = np.cumsum([0, *game.sizes])
    spans = [slice(a, b) for a, b in pairwise(edges.tolist())]
    return [[game.matrix[a, b] for b in spans] for a in spans]


def _quadratic(game: Quadratic, bounds: Bounds) -> None:
    dense, n = bounds.couplings.dense(), bounds.players
    if set(game.sizes) == {1}:
        own, off = np.diag(game.matrix), np.abs(game.matrix - np.diag(np.diag(game.matrix)))
        if not (np.all(bounds.mu <= own) and np.all(own <= bounds.ell) and np.all(off <= dense)):
            raise Refused("the bounds do not hold for the game's matrix", "bounds")
        return
    blocks = matrix_blocks(game)
    for i, j in product(range(n), repeat=2):
        block = rational_matrix(blocks[i][j])
        if i != j:
            good = norm_at_most(block, rational(float(dense[i, j])))
        else:
            symmetric_block(blocks[i][i], i)
            good = semidefinite(shifted(block, rational(float(bounds.mu[i])), 1)) and semidefinite(
                shifted(block, rational(float(bounds.ell[i])), -1)
            )
        if not good:
            raise Refused(f"the bound for block ({i}, {j}) does not hold for the game's matrix", "bounds")


def symmetric_block(block: NDArray, player: int) -> None:
    """Refuse an own block that is no Hessian."""
    if not np.array_equal(block, block.T):
        raise Refused(f"the own block of player {player} is not symmetric", "game")


def _normal_form(game: NormalForm, bounds: Bounds) -> None:
    temperature, dense = game.temperature, bounds.couplings.dense()
    if not (np.all(bounds.mu <= temperature) and np.all(bounds.ell >= temperature)):
        raise Refused("mu and ell do not enclose the temperature, which is the own curvature", "bounds")
    for i, j in product(range(bounds.players), repeat=2):
        if i == j:
            continue
        for table in payoff_tables(game, i, j):
            if not norm_at_most(centred(table), 2 * rational(float(dense[i, j]))):
                raise Refused(f"the coupling of player {j} into player {i} is larger than stated", "bounds")


def payoff_tables(game: NormalForm, i: int, j: int) -> NDArray:
    """Return player i's payoffs against j, (profiles of the others, actions of i, actions of j)."""
    payoffs = game.payoffs[i]
    return np.moveaxis(payoffs, (i, j), (-2, -1)).reshape(-1, payoffs.shape[i], payoffs.shape[j])


def centred(array: NDArray) -> list[list[fmpq]]:
    """Remove row and column means: only differences of payoffs and of probabilities matter."""
    table = rational_matrix(array)
    rows, columns = len(table), len(table[0])
    row = [sum(line, fmpq(0)) / columns for line in table]
    column = [sum((line[k] for line in table), fmpq(0)) / rows for k in range(columns)]
    mean = sum(row, fmpq(0)) / rows
    return [[table[i][k] - row[i] - column[k] + mean for k in range(columns)] for i in range(rows)]


def smallest_at_most(block: list[list[arb]]) -> arb:
    """Return an upper bound of the smallest eigenvalue of a symmetric block: a Rayleigh quotient."""
    if len(block) == 1:
        return block[0][0]
    _, vectors = np.linalg.eigh(_middle(block))
    return _quotient(block, vectors[:, 0], vectors[:, 0])


def norm_at_least(block: list[list[arb]]) -> arb:
    """Return a lower bound of the largest singular value: |uᵀ B v|."""
    if len(block) == len(block[0]) == 1:
        return abs(block[0][0])
    left, _, right = np.linalg.svd(_middle(block))
    return abs(_quotient(block, left[:, 0], right[0]))


def _middle(block: list[list[arb]]) -> NDArray:
    middle = np.array([[float(entry.mid()) for entry in row] for row in block])
    if not np.all(np.isfinite(middle)):
        raise Refused("a block is too large to be bounded from within", "witness")
    return middle


def _quotient(block: list[list[arb]], u: NDArray, v: NDArray) -> arb:
    left, right = [arb(float(a)) for a in u], [arb(float(b)) for b in v]
    total = sum(
        (a * e * b for a, row in zip(left, block, strict=True) for e, b in zip(row, right, strict=True)), arb(0)
    )
    return total / (sum((a * a for a in left), arb(0)) * sum((b * b for b in right), arb(0))).sqrt()
