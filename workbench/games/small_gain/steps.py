"""How far one step may go: the paper's step, h0, the sharp step, RK4, steps by player, and delays.

One Euler step x - h F(x) moves two points apart by at most T_h = diag(max(|1 - h mu_i|, |1 - h ell_i|)) + h L in the
norm-by-player sense, so every h with spectral radius ρ(T_h) < 1 is safe. ρ(T_h) is convex in h and equals 1 at
h = 0, hence one interval (0, h_sharp). Up to h0 = min_i 2/(mu_i + ell_i) the factor is exactly 1 - h τ.
"""

import math
from dataclasses import dataclass

import numpy as np
import scipy.optimize
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.games.models.bounds import LARGEST_DENSE, Bounds
from workbench.games.small_gain.weights import positive_weights

SLACK = 64 * float(np.finfo(float).eps)  # relative, well above the rounding of one row
SAFETY = 1e-12  # relative step back from the root, so that the exact check has room


@dataclass(frozen=True, eq=False)
class SharpStep:
    """The sharp step and the positive vector u with T_h u < u that proves it for every h in (0, step]."""

    step: float
    vector: NDArray


def paper_step(alpha: float, beta: float) -> float:
    """Return 2 α / β², the Euler step bound of arXiv:2512.06791; 0 unless α > 0.

    >>> paper_step(0.5, 2.0)
    0.25
    """
    return 2 * alpha / beta**2 if alpha > 0 and beta > 0 else 0.0


def best_paper_factor(alpha: float, beta: float) -> float:
    """Return sqrt(1 - α²/β²), the paper's factor at its best step α/β²."""
    return math.sqrt(max(1 - (alpha / beta) ** 2, 0.0))


def h0(bounds: Bounds) -> float:
    """Return min_i 2/(mu_i + ell_i); up to here a step contracts by 1 - h τ in M(w*).

    >>> h0(Bounds([1, 1], [3, 3], [[0, 0.5], [0.5, 0]]))
    0.5
    """
    return float(np.min(player_steps(bounds)))


def player_steps(bounds: Bounds) -> NDArray:
    """Return (N,) the largest step of each player, 2/(mu_i + ell_i).

    Any steps 0 < eta_i ≤ 2/(mu_i + ell_i), different between players and changing in time, contract in
    max_i |x_i|/z_i: this, and not the band of metric weights, is what is certified about rates.
    """
    total = bounds.mu + bounds.ell
    with np.errstate(divide="ignore"):
        return np.where(total > 0, 2 / np.where(total > 0, total, 1.0), 0.0)


def step_matrix(bounds: Bounds, h: ArrayLike) -> NDArray:
    """Return T_h (N, N); ``h`` is one step, or one a player for the rate map (row i is scaled by h_i)."""
    steps = np.broadcast_to(np.asarray(h, dtype=float), (bounds.players,))
    own = np.maximum(np.abs(1 - steps * bounds.mu), np.abs(1 - steps * bounds.ell))
    couplings = bounds.L.toarray() if bounds.sparse else bounds.L
    return np.diag(own) + steps[:, None] * couplings


def step_radius(bounds: Bounds, h: ArrayLike) -> float:
    """Return ρ(T_h), the certified asymptotic factor of one Euler step; below 1 means certified."""
    checks.integer("the number of players for a dense eigenvalue", bounds.players, maximum=LARGEST_DENSE)
    return float(np.max(np.abs(np.linalg.eigvals(step_matrix(bounds, h)))))


def sharp_step(bounds: Bounds, z: NDArray) -> SharpStep:
    """Return the largest h with ρ(T_h) < 1 (less one part in 10^12) and the vector that proves it.

    ``z`` (N,) is any positive vector with A z > 0. Dense games up to 500 players: root finding on ρ(T_h). Larger:
    the best h that z itself proves, min_i 2/(ell_i + (L z)_i/z_i), which is a little smaller.
    """
    fixed = float(np.min(2 / (bounds.ell + (bounds.L @ z) / z)))
    fallback = SharpStep((1 - SAFETY) * fixed, z)
    if bounds.players > 500:
        return fallback
    low, high = (1 - 1e-9) * max(fixed, h0(bounds)), 2 / float(np.max(bounds.ell))
    if step_radius(bounds, low) >= 1:
        return fallback
    if high > low and step_radius(bounds, high) > 1:
        high = scipy.optimize.brentq(lambda h: step_radius(bounds, h) - 1, low, high, xtol=1e-300, rtol=9e-16)
    # One-way couplings make the vector uneven: there the slack of T_h u < u can drown in rounding close to the limit,
    # and the checker, which is exact, would refuse it. Step back until it is well above rounding.
    for back in (SAFETY, 1e-10, 1e-8, 1e-6, 1e-4):
        h = (1 - back) * max(high, low)
        vector = np.linalg.solve(np.eye(bounds.players) - step_matrix(bounds, h), np.ones(bounds.players))
        if np.all(np.isfinite(vector)) and vector.min() > 0:
            vector = vector / vector.max()
            if np.all(step_matrix(bounds, h) @ vector < (1 - SLACK) * vector):
                return SharpStep(h, vector)
    return fallback


def rk4_step(paper: float, first: float) -> float:
    """Return a step at which classical RK4 is proved non-expansive in M(w*): max(2α/β², h₀), the two given.

    F is cocoercive, <dF, dx> ≥ (h/2) |dF|², for both values of h, and RK4 is 1-circle-contractive (G. Dahlquist,
    R. Jeltsch, *Generalized disks of contractivity for explicit and implicit Runge-Kutta methods*, 1979). The
    guideline 2.5/β of arXiv:2512.06791 is not a theorem: see :func:`rk4_guideline`. Stages must stay in the region.
    """
    return max(paper, first)


def rk4_guideline(beta: float) -> float:
    """Return 2.5/β, which can expand: J = [[1,2,2],[0,1,2],[0,0,1]] + 0.001 I has one-step norm 1.00634 there."""
    return 2.5 / beta


def player_factor(bounds: Bounds, z: ArrayLike, eta: ArrayLike) -> float:
    """Return the factor by which one step with rates ``eta`` (N,) shrinks max_i |x_i|/z_i, from T_eta z.

    Asynchronous play, in which everybody moves at least once in W rounds, shrinks it by this factor in W rounds.
    """
    u = positive_weights(z, bounds.players)
    rates = np.broadcast_to(checks.finite_array("eta", eta, ndim=(0, 1)), (bounds.players,))
    own = np.maximum(np.abs(1 - rates * bounds.mu), np.abs(1 - rates * bounds.ell))
    return float(np.max(own + rates * (bounds.L @ u) / u))


def delayed_factor(bounds: Bounds, z: ArrayLike, eta: ArrayLike, delay: int) -> float:
    """Return a certified factor per step when players see each other up to ``delay`` steps late.

    Every player knows its own present action; of the others it may see any value of the last ``delay`` + 1 rounds.
    The largest |x_i|/z_i decays like lambda^k with own_i + eta_i (L z)_i / z_i lambda^(-delay) ≤ lambda for all i:
    the smallest such lambda is found by bisection. It is below 1 for *every* finite delay, as long as the undelayed
    factor is (D. Bertsekas, J. Tsitsiklis, *Parallel and Distributed Computation*, ch. 6).
    """
    rounds = checks.integer("delay", delay, minimum=0)
    undelayed = player_factor(bounds, z, eta)
    if undelayed >= 1 or rounds == 0:
        return undelayed
    u = positive_weights(z, bounds.players)
    rates = np.broadcast_to(np.asarray(eta, dtype=float), (bounds.players,))
    own = np.maximum(np.abs(1 - rates * bounds.mu), np.abs(1 - rates * bounds.ell))
    gain = rates * (bounds.L @ u) / u
    low, high = float(np.max(own)), 1.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        works = middle > 0 and np.all(own + gain * middle ** (-rounds) <= middle)
        low, high = (low, middle) if works else (middle, high)
    return high
