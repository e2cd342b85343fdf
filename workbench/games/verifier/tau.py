"""Is τ the best margin that any weights can give? From below and from above, to nine digits (at a point, seven).

τ(A), A = diag(mu) - L, is the smallest real eigenvalue. Any x > 0 with A x ≥ a x shows τ ≥ a, any x ≥ 0, not
zero, with A x ≤ b x shows τ ≤ b (A. Berman, R. Plemmons, *Nonnegative Matrices in the Mathematical Sciences*,
ch. 2 and 6). Where coupling runs one way only, τ(A) is the smallest τ of the strongly connected groups.
"""

from collections.abc import Sequence

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from .document import Refused
from .exact import Couplings, failing_row, rational
from .model import Bounds, Document

SAME, SAME_AT_POINT = 1e-9, 1e-7  # relative to the largest of |mu| and |τ|, which no scaling of players changes
MOST_PLAYERS = 400  # up to here the checker finds vectors of its own when those in the file do not do


def tau_claim(document: Document, low: Bounds, vectors: Sequence[NDArray], high: Bounds | None = None) -> None:
    """Prove the entries ``tau`` and ``attained`` for a comparison matrix between those of ``low`` and ``high``."""
    same = SAME if high is None else SAME_AT_POINT
    high = low if high is None else high
    tau = document.tau
    if tau is None:
        if document.attained:
            raise Refused("that tau is attained cannot be claimed without tau", "attained")
        return
    slack = rational(max(float(np.abs(low.mu).max()), abs(tau))) * rational(same)
    if document.attained and not rational(document.margin or 0.0) >= rational(tau) - slack:
        raise Refused(f"the weights are said to reach tau = {tau}, but the margin is {document.margin}", "attained")
    if not (_at_least(low, vectors, rational(tau) - slack) and _at_most(high, vectors, rational(tau) + slack)):
        raise Refused(f"it is not proved that tau = {tau} is the best margin that any weights give", "tau")


def _at_least(bounds: Bounds, vectors: Sequence[NDArray], floor: fmpq) -> bool:
    for x in vectors:
        if np.all(x > 0) and failing_row(bounds.mu, bounds.couplings, x, ">=", floor) is None:
            return True
    return bounds.players <= MOST_PLAYERS and all(
        failing_row(part.mu, part.couplings, perron_vector(part), ">=", floor) is None for _, part in groups(bounds)
    )


def _at_most(bounds: Bounds, vectors: Sequence[NDArray], ceiling: fmpq) -> bool:
    if any(rules_out(bounds, x, ceiling) for x in vectors):
        return True
    return bounds.players <= MOST_PLAYERS and any(
        failing_row(part.mu, part.couplings, perron_vector(part), "<=", ceiling) is None for _, part in groups(bounds)
    )


def rules_out(bounds: Bounds, x: NDArray, ceiling: fmpq) -> bool:
    """Whether x, set to zero where it does not help, proves A x ≤ ceiling x, so that no weights give more."""
    with np.errstate(all="ignore"):
        helps = bounds.mu * x - bounds.couplings.product(x) <= float(ceiling) * x * (
            1 + 1e-15 * np.sign(float(ceiling))
        )
    part = np.where(helps, x, 0.0)
    return bool(np.any(part > 0)) and failing_row(bounds.mu, bounds.couplings, part, "<=", ceiling) is None


def groups(bounds: Bounds) -> list[tuple[NDArray, Bounds]]:
    """Return the strongly connected groups of players, each with its bounds: exact, by closure of the graph."""
    n = bounds.players
    reach = bounds.couplings.dense() > 0
    reach |= np.eye(n, dtype=bool)
    for _ in range(max(n - 1, 1).bit_length()):
        reach = (reach.astype(np.float32) @ reach.astype(np.float32)) > 0.5
    mutual, left, found = reach & reach.T, np.ones(n, dtype=bool), []
    while left.any():
        inside = np.flatnonzero(mutual[np.argmax(left)])
        left[inside] = False
        found.append((inside, restricted(bounds, inside)))
    return found


def restricted(bounds: Bounds, inside: NDArray) -> Bounds:
    """Return the bounds of some players among themselves."""
    number = np.full(bounds.players, -1)
    number[inside] = np.arange(inside.size)
    rows, columns = number[bounds.couplings.rows], number[bounds.couplings.columns]
    kept = (rows >= 0) & (columns >= 0)
    couplings = Couplings(rows[kept], columns[kept], bounds.couplings.values[kept], inside.size)
    return Bounds(bounds.mu[inside], bounds.ell[inside], couplings, bounds.proved)


def perron_vector(bounds: Bounds, iterations: int = 60) -> NDArray:
    """Return a positive vector close to the Perron vector of a connected group, by inverse iteration; a guess."""
    n = bounds.players
    a = np.diag(bounds.mu) - bounds.couplings.dense()
    x, scale = np.ones(n), float(np.abs(a).max()) or 1.0
    for _ in range(iterations):
        with np.errstate(all="ignore"):
            ratio = (a @ x) / x
            if not np.ptp(ratio) > 1e-12 * scale:
                break
            try:
                new = np.abs(np.linalg.solve(a - (ratio.min() - 1e-15 * scale) * np.eye(n), x))
            except np.linalg.LinAlgError:
                break
            new = new / new.max()
        if not (np.all(np.isfinite(new)) and np.all(new > 0)):
            break
        x = new
    return x


def dense_bounds(mu: NDArray, couplings: NDArray) -> Bounds:
    """Return bounds from mu (N,) and L dense (N, N)."""
    rows, columns = np.nonzero(couplings)
    return Bounds(mu, mu, Couplings(rows, columns, couplings[rows, columns], mu.size), True)
