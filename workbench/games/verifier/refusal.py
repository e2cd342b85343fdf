"""The claims of a REFUSED certificate: x ≥ 0 with A x ≤ ceiling x, so that no weights give a margin above it.

A is bounded here from the other side: own curvature from above, couplings from below, by the checker itself, from the
game in the file. The bounds in the file may be wide, so for a game they rule out nothing.
"""

from itertools import product

import numpy as np
from flint import arb, fmpq
from numpy.typing import NDArray

from .document import Refused
from .exact import failing_row, rational
from .games import (
    centred,
    game_claim,
    matrix_blocks,
    norm_at_least,
    payoff_tables,
    smallest_at_most,
    symmetric_block,
)
from .leaves import BlockEnclosure
from .model import Bounds, BoundsOnly, Document, Formulas, NormalForm, Quadratic, Witness
from .perron import largest_number, nothing_else, scale_claim
from .tau import dense_bounds, tau_claim

CANNOT = ("margin", "attained", "weights", "z", "v", "band", "beta", "step_paper", "step_h0", "step_sharp", "step_rk4")
CANNOT += ("player_steps", "basin", "beta_vector", "sharp_vector", "rate_h0", "rate_players")


def impossibility(document: Document) -> None:
    """Prove that no metric weights give this game, on its region, a margin above the target."""
    if document.status != "REFUSED":
        raise Refused(f"its status is {document.status}: it does not claim that no weights work", "status")
    nothing_else(document, CANNOT)
    witness, game = document.witness, document.game
    if witness is None:
        raise Refused("there is no witness", "witness")
    if not witness.ceiling <= document.goal:
        raise Refused(f"the witness has the ceiling {witness.ceiling}, above the target {document.goal}", "witness")
    if isinstance(game, Formulas):
        return _at_a_point(document, game, witness)
    if document.kind != "perron":
        raise Refused("a refusal by bounds is of the kind that bounds can prove, perron", "kind")
    if witness.point is not None:
        raise Refused("only a game of formulas is refused at a point", "witness")
    bounds = document.bounds
    if bounds is None or not bounds.proved:
        raise Refused("a refusal needs bounds that do not come from samples", "bounds")
    game_claim(document, bounds)
    if isinstance(game, BoundsOnly):
        _rows(bounds, witness)
    elif isinstance(game, Quadratic):
        _quadratic(game, witness)
    elif isinstance(game, NormalForm):
        _normal_form(game, witness)
    else:
        raise Refused("a game that was sampled proves nothing", "game")
    scale_claim(document, largest_number(bounds))
    return tau_claim(document, bounds, [witness.vector])


def _rows(bounds: Bounds, witness: Witness) -> None:
    row = failing_row(bounds.mu, bounds.couplings, witness.vector, "<=", rational(witness.ceiling))
    if row is not None:
        raise Refused(f"row {row} of the witness inequality fails", "witness")


def _quadratic(game: Quadratic, witness: Witness) -> None:
    if set(game.sizes) == {1}:
        own = np.diag(game.matrix)
        return _rows(dense_bounds(own, np.abs(game.matrix - np.diag(own))), witness)
    blocks = matrix_blocks(game)
    for i in range(len(blocks)):
        symmetric_block(blocks[i][i], i)
    return _within(*_from_inside([[_balls(block) for block in row] for row in blocks]), witness)


def _normal_form(game: NormalForm, witness: Witness) -> None:
    n = len(game.sizes)
    couplings = [[arb(0)] * n for _ in range(n)]
    for i, j in product(range(n), repeat=2):
        if i != j:
            tables = payoff_tables(game, i, j)
            couplings[i][j] = _largest([norm_at_least(_from_rationals(centred(table))) for table in tables]) / 2
    _within([arb(game.temperature)] * n, couplings, witness)


def _largest(values: list[arb]) -> arb:
    """Return a number that all of it is not below: the largest of lower bounds."""
    best = values[0].lower()
    for value in values[1:]:
        best = best.max(value.lower())
    return best


def _at_a_point(document: Document, game: Formulas, witness: Witness) -> None:
    nothing_else(document, ("bounds", "tree", "scale"))
    if witness.point is None or document.region is None:
        raise Refused("a game of formulas is refused at a point of its region, and there is none", "witness")
    if witness.point not in document.region:
        raise Refused("the witness point is not in the region", "witness")
    point = list(witness.point)
    enclosure = BlockEnclosure(game, (point, point))
    own, couplings = _from_inside(enclosure.blocks)
    _within(own, couplings, witness)
    if document.tau is not None:
        mu, _, norms = enclosure.bounds()
        low = dense_bounds(_outward([mu], -1)[0], _outward(norms, 1))
        high = dense_bounds(_outward([own], 1)[0], np.maximum(_outward(couplings, -1), 0.0))
        tau_claim(document, low, [witness.vector], high)


def _from_inside(blocks: list[list[list[list[arb]]]]) -> tuple[list[arb], list[list[arb]]]:
    """Return upper bounds of the smallest own eigenvalues and lower bounds of the couplings."""
    n = len(blocks)
    own = [smallest_at_most(blocks[i][i]) for i in range(n)]
    return own, [[arb(0) if i == j else norm_at_least(blocks[i][j]) for j in range(n)] for i in range(n)]


def _within(own: list[arb], couplings: list[list[arb]], witness: Witness) -> None:
    """Prove (own_i - ceiling) x_i - sum_j L_ij x_j ≤ 0 row by row, in balls."""
    x = [arb(value) for value in witness.vector.tolist()]
    ceiling = arb(witness.ceiling)
    for i, gains in enumerate(couplings):
        image = (own[i] - ceiling) * x[i] - sum((gain * value for gain, value in zip(gains, x, strict=True)), arb(0))
        if not image <= 0:
            raise Refused(f"row {i} of the witness inequality is not proved", "witness")


def _balls(block: NDArray) -> list[list[arb]]:
    return [[arb(entry) for entry in row] for row in block.tolist()]


def _from_rationals(block: list[list[fmpq]]) -> list[list[arb]]:
    return [[arb(entry) for entry in row] for row in block]


def _outward(balls: list[list[arb]], sign: int) -> NDArray:
    """Return doubles above (sign 1) or below (-1) all of each ball."""
    return np.array(
        [
            [0.0 if e == 0 else np.nextafter(float(e.upper() if sign > 0 else e.lower()), sign * np.inf) for e in row]
            for row in balls
        ]
    )
