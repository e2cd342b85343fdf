"""One function a claim of a certificate; each raises :class:`Refused` with a sentence if the claim is not proved."""

import math
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from flint import arb, fmpq
from numpy.typing import NDArray

from workbench.games.verifier.document import Refused
from workbench.games.verifier.exact import (
    Couplings,
    first_failing_row,
    norm_at_most,
    rational,
    rational_matrix,
    semidefinite,
    shifted,
)
from workbench.games.verifier.leaves import BlockEnclosure, leaf_matrix, leaves, lipschitz_holds, step_is_safe

CLOSE = Fraction(1, 10**9)  # how far below the best value of its formula a quoted step may lie


def vector(document: dict[str, Any], key: str, length: int) -> NDArray:
    """Read a vector of finite numbers."""
    array = np.asarray(document[key], dtype=float)
    if array.shape != (length,) or not np.all(np.isfinite(array)):
        raise Refused(f"{key} is not a list of {length} finite numbers")
    return array


def bounds_of(document: dict[str, Any]) -> tuple[NDArray, NDArray, Couplings]:
    """Read mu, ell and L; refuse negative couplings and own curvature out of order."""
    stored = document["bounds"]
    n = len(stored["mu"])
    mu, ell = vector(stored, "mu", n), vector(stored, "ell", n)
    rows, columns = (np.asarray(stored[k], dtype=np.int64) for k in ("rows", "columns"))
    values = vector(stored, "values", len(rows))
    if columns.shape != rows.shape or np.any((rows < 0) | (rows >= n) | (columns < 0) | (columns >= n)):
        raise Refused("a coupling has a player that does not exist")
    if np.any(rows == columns) or np.any(values < 0) or np.any(ell < mu) or n == 0:
        raise Refused("the bounds have a negative or own coupling, or ell below mu")
    return mu, ell, Couplings(rows, columns, values, n)


def perron_claim(document: dict[str, Any], mu: NDArray, couplings: Couplings) -> None:
    """A z >= margin z, A^T v >= margin v with z, v > 0 and margin > 0 (and >= the target); weights are v/z."""
    z, v = vector(document, "z", mu.size), vector(document, "v", mu.size)
    margin = positive_margin(document)
    if z.min() <= 0 or v.min() <= 0:
        raise Refused("z and v must be positive in every component")
    for name, x, matrix in (("z", z, couplings), ("v", v, couplings.transposed)):
        row = first_failing_row(mu, matrix, x, margin, upper=False)
        if row is not None:
            raise Refused(f"the margin {margin} is not proved: row {row} of the inequality for {name} fails")
    w = vector(document, "weights", mu.size)
    if np.any(np.abs(w * (z / v) * (v[0] / z[0]) - 1) > 1e-12):
        raise Refused("the weights are not v/z")


def positive_margin(document: dict[str, Any]) -> float:
    """Read the margin: positive, and not below the target."""
    margin, target = document["margin"], document["target"]
    if not isinstance(margin, float) or not margin > 0:
        raise Refused("the margin is not a positive number")
    if target is not None and not margin >= target:
        raise Refused(f"the margin {margin} is below the target {target}")
    return margin


def step_claims(document: dict[str, Any], mu: NDArray, ell: NDArray, couplings: Couplings) -> None:
    """beta, the paper's step, h0, the steps by player, and the sharp step with its vector."""
    margin = document["margin"]
    beta = document["beta"]
    lipschitz_claim(document, mu, ell, couplings)
    below("step_paper", document["step_paper"], 2 * Fraction(margin) / Fraction(beta) ** 2)
    total = mu + ell  # rounded; the exact smallest 2/(mu + ell) is among the rows within rounding of the largest
    near = np.flatnonzero(total >= total.max() * (1 - 2.0**-48))
    smallest = min(Fraction(2) / (Fraction(float(mu[i])) + Fraction(float(ell[i]))) for i in near)
    below("step_h0", document["step_h0"], smallest)
    if document["step_rk4"] != max(document["step_paper"], document["step_h0"]):
        raise Refused("step_rk4 is not the larger of the paper's step and h0")
    rates = vector(document, "player_steps", mu.size)
    if np.any(rates <= 0) or np.any(rates * total * (1 + 2.0**-50) > 2):
        raise Refused("a player's rate is larger than 2/(mu + ell)")
    h, u = document["step_sharp"], vector(document, "sharp_vector", mu.size)
    if not h > 0 or u.min() <= 0:
        raise Refused("the sharp step and its vector must be positive")
    # T_h u < u row by row, with T_h = diag(max(|1 - h mu|, |1 - h ell|)) + h L: each of the two terms in turn. The
    # first, 1 - h mu + h L < 1, says A u > 0; the second says (ell + L) u < (2/h) u. Both at h prove all smaller h.
    if first_failing_row(mu, couplings, u, 5e-324, upper=False) is not None:
        raise Refused("the sharp step is not proved: A u > 0 fails")
    low, high = float(np.nextafter(2 / h, 0)), 2 / h
    limit = high if Fraction(high) * Fraction(h) <= 2 else low
    if first_failing_row(ell, couplings, u, limit, upper=True) is not None:
        raise Refused(f"the sharp step {h} is not proved: (ell + L) u < (2/h) u fails")


def lipschitz_claim(document: dict[str, Any], mu: NDArray, ell: NDArray, couplings: Couplings) -> None:
    """beta >= ||W^{1/2} G W^{-1/2}|| for G = diag(max(|mu|, |ell|)) + L, by Schur's test G^T W G p <= beta^2 W p."""
    beta, p = document["beta"], vector(document, "beta_vector", mu.size)
    w = np.asarray(document["weights"], dtype=float)
    size = np.maximum(np.abs(mu), np.abs(ell))
    if not beta > 0 or p.min() <= 0:
        raise Refused("beta and its vector must be positive")
    # The margin of 1e-9 that the finder leaves is far above this bound of the rounding of two sparse products.
    q = (size * p + couplings.product(p)) * w
    image = size * q + couplings.transposed.product(q)
    terms = np.diff(couplings.starts).max(initial=0) + np.diff(couplings.transposed.starts).max(initial=0) + 20
    if np.any(image * (1 + terms * 2.0**-52) > beta**2 * (w * p) * (1 - 2.0**-50)):
        raise Refused(f"the Lipschitz constant {beta} is not proved")


def below(name: str, value: float, best: Fraction) -> None:
    """Refuse a quoted step that is above what its formula gives, or needlessly far below."""
    quoted = Fraction(value)
    if quoted > best:
        raise Refused(f"{name} = {value} is larger than {float(best)!r}, which is what is proved")
    if quoted < best * (1 - CLOSE):
        raise Refused(f"{name} = {value} is not {float(best)!r}, which its formula gives")


def band_claim(document: dict[str, Any], mu: NDArray, couplings: Couplings) -> None:
    """Both ends of a two-player band have margin >= target: 4 r m >= (L12 + r L21)^2 and mu > target."""
    if document["band"] is None:
        return
    dense = np.zeros((2, 2))
    dense[couplings.rows, couplings.columns] = couplings.values
    target = Fraction(document["target"] or 0.0)
    own = [Fraction(x) - target for x in mu.tolist()]
    l12, l21 = Fraction(dense[0, 1]), Fraction(dense[1, 0])
    ends = document["band"]
    for end in ends:
        if end == "inf":
            if l21 != 0:
                raise Refused("the band is said to be unbounded, but player 1 acts on player 2")
            continue
        r = Fraction(end)
        if r < 0 or min(own) <= 0 or 4 * r * own[0] * own[1] < (l12 + r * l21) ** 2:
            raise Refused(f"the band's end {end} misses the target margin")


def game_claim(document: dict[str, Any], mu: NDArray, ell: NDArray, couplings: Couplings) -> None:
    """The bounds hold for the game that the certificate carries."""
    game = document["game"]
    kind = game["type"]
    if kind == "bounds":
        return
    dense = np.zeros((mu.size, mu.size))
    dense[couplings.rows, couplings.columns] = couplings.values
    if kind == "quadratic":
        _quadratic(game, mu, ell, dense)
    elif kind == "normal-form":
        _normal_form(game, mu, ell, dense)
    elif kind == "smooth":
        for number, leaf in enumerate(
            leaves(document["region"]["lower"], document["region"]["upper"], document["tree"])
        ):
            if not BlockEnclosure(game, leaf).within(mu, ell, dense):
                raise Refused(f"the bounds are not proved on leaf {number}, {leaf}")
    else:
        raise Refused(f"unknown kind of game {kind!r}")


def _quadratic(game: dict[str, Any], mu: NDArray, ell: NDArray, dense: NDArray) -> None:
    matrix = np.asarray(game["matrix"], dtype=float)
    edges = np.cumsum([0, *game["sizes"]])
    if len(game["sizes"]) != mu.size or matrix.shape != (edges[-1],) * 2 or not np.all(np.isfinite(matrix)):
        raise Refused("the game's matrix does not fit its players")
    if all(size == 1 for size in game["sizes"]):
        own, off = np.diag(matrix), np.abs(matrix - np.diag(np.diag(matrix)))
        if np.any(own < mu) or np.any(own > ell) or np.any(off > dense):
            raise Refused("the bounds do not hold for the game's matrix")
        return
    for i, j in product(range(mu.size), repeat=2):
        block = rational_matrix(matrix[edges[i] : edges[i + 1], edges[j] : edges[j + 1]])
        if i != j:
            good = norm_at_most(block, rational(dense[i, j]))
        else:
            if any(block[a][b] != block[b][a] for a in range(len(block)) for b in range(a)):
                raise Refused(f"the own block of player {i} is not symmetric")
            good = semidefinite(shifted(block, rational(mu[i]), 1)) and semidefinite(
                shifted(block, rational(ell[i]), -1)
            )
        if not good:
            raise Refused(f"the bound for block ({i}, {j}) does not hold for the game's matrix")


def _normal_form(game: dict[str, Any], mu: NDArray, ell: NDArray, dense: NDArray) -> None:
    temperature = game["temperature"]
    payoffs = [np.asarray(tensor, dtype=float) for tensor in game["payoffs"]]
    if np.any(mu > temperature) or np.any(ell < temperature) or len(payoffs) != mu.size:
        raise Refused("own curvature is the temperature, and there is one payoff table a player")
    for i, j in product(range(mu.size), repeat=2):
        if i == j:
            continue
        tables = np.moveaxis(payoffs[i], (i, j), (-2, -1)).reshape(-1, payoffs[i].shape[i], payoffs[i].shape[j])
        for table in tables:
            if not norm_at_most(_centred(rational_matrix(table)), 2 * rational(dense[i, j])):
                raise Refused(f"the coupling of player {j} into player {i} is larger than stated")


def _centred(table: list[list[fmpq]]) -> list[list[fmpq]]:
    """Remove row and column means: only differences of payoffs and of probabilities matter."""
    rows, columns = len(table), len(table[0])
    row = [sum(line, fmpq(0)) / columns for line in table]
    column = [sum((line[k] for line in table), fmpq(0)) / rows for k in range(columns)]
    mean = sum(row, fmpq(0)) / rows
    return [[table[i][k] - row[i] - column[k] + mean for k in range(columns)] for i in range(rows)]


def leafwise_claim(document: dict[str, Any]) -> None:
    """On every leaf C(w, margin) > 0 with the one common w, and the sharp step is non-expansive in M(w)."""
    game, margin = document["game"], positive_margin(document)
    w, h = [float(x) for x in document["weights"]], document["step_sharp"]
    if game["type"] != "smooth" or min(w) <= 0 or not all(map(math.isfinite, w)) or len(w) != len(game["sizes"]):
        raise Refused("a leaf-by-leaf certificate needs a game of formulas and one positive weight a player")
    beta, paper = document["beta"], document["step_paper"]
    if not (h > 0 and beta > 0 and 0 < paper <= h):
        raise Refused("the sharp step and beta must be positive, and the paper's step not above the sharp one")
    if any(document[name] is not None for name in ("step_h0", "step_rk4", "player_steps", "band", "bounds")):
        raise Refused("a leaf-by-leaf certificate proves no h0, no RK4 step, no rates by player and no band")
    region = document["region"]
    for number, leaf in enumerate(leaves(region["lower"], region["upper"], document["tree"])):
        bounds = BlockEnclosure(game, leaf).bounds()
        if not semidefinite(leaf_matrix(bounds, w, margin), strict=True):
            raise Refused(f"the margin {margin} is not proved on leaf {number}, {leaf}")
        if not step_is_safe(bounds, w, h):
            raise Refused(f"the sharp step {h} is not proved on leaf {number}, {leaf}")
        if not lipschitz_holds(bounds, w, beta):
            raise Refused(f"the Lipschitz constant {beta} is not proved on leaf {number}, {leaf}")


def impossibility(document: dict[str, Any]) -> None:
    """The witness x >= 0 has A x <= ceiling x with ceiling <= target: no weights reach a margin above the target."""
    witness, target = document["witness"], document["target"] or 0.0
    if not witness:
        raise Refused("there is no witness")
    if "point" in witness:
        return _impossible_at_a_point(document["game"], witness, target)
    mu, ell, couplings = bounds_of(document)
    game_claim(document, mu, ell, couplings)
    x = vector(witness, "vector", mu.size)
    if witness["ceiling"] > target or x.min() < 0 or x.max() <= 0:
        raise Refused("the witness must be non-negative, not zero, and its ceiling not above the target")
    for i in range(mu.size):
        image = Fraction(mu[i]) * Fraction(x[i]) - couplings.exact_product(i, x)
        if image > Fraction(witness["ceiling"]) * Fraction(x[i]):
            raise Refused(f"row {i} of the witness inequality fails")
    return None


def _impossible_at_a_point(game: dict[str, Any], witness: dict[str, Any], target: float) -> None:
    point = [float(x) for x in witness["point"]]
    blocks = BlockEnclosure(game, (point, point)).blocks
    n = len(blocks)
    x = [arb(value) for value in vector(witness, "vector", n)]
    if not all(value >= 0 for value in x) or all(value == 0 for value in x):
        raise Refused("the witness vector must be non-negative and not zero")
    for i in range(n):
        image = (_own_at_most(blocks[i][i]) - arb(target)) * x[i]
        for j in range(n):
            if i != j:
                image -= _norm_at_least(blocks[i][j]) * x[j]
        if not image <= 0:
            raise Refused(f"row {i} of the witness inequality is not proved at the point")


def _own_at_most(block: list[list[arb]]) -> arb:
    """An upper bound of the smallest eigenvalue: a Rayleigh quotient."""
    _, vectors = np.linalg.eigh(np.array([[float(e.mid()) for e in row] for row in block]))
    return _quotient(block, vectors[:, 0], vectors[:, 0])


def _norm_at_least(block: list[list[arb]]) -> arb:
    """A lower bound of the largest singular value: |u^T B v|."""
    left, _, right = np.linalg.svd(np.array([[float(e.mid()) for e in row] for row in block]))
    return abs(_quotient(block, left[:, 0], right[0]))


def _quotient(block: list[list[arb]], u: NDArray, v: NDArray) -> arb:
    left, right = [arb(float(a)) for a in u], [arb(float(b)) for b in v]
    total = sum(
        (a * e * b for a, row in zip(left, block, strict=True) for e, b in zip(row, right, strict=True)), arb(0)
    )
    return total / (sum((a * a for a in left), arb(0)) * sum((b * b for b in right), arb(0))).sqrt()
