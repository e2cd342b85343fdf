"""Sliced transport between weighted points with the gradient in the points *and* in the masses, in double precision.

The fused kernel (``kernel.py``) knows the masses as fixed. Where they move, as the areas of a deforming surface do,
the derivative of W_p^p in a mass is the Kantorovich potential there, which the monotone coupling yields on its way:
φ(x_i) + ψ(y_j) = |x_i − y_j|^p wherever i and j exchange mass.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from workbench import checks, parallel
from workbench.progress import Progress

PART = 8
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class WeightedLines:
    """Costs W_p^p along every direction (L,), and the gradient of Σ_l weight_l cost_l in ``x``.

    ``by_point`` (n, d) in its points, ``by_mass`` (n,) in its masses as given, before they are divided by their sum:
    [φ(x_i) − Σ_k a_k φ(x_k)] / Σ masses, a the masses over their sum.
    """

    value: float
    costs: Floats
    by_point: Floats
    by_mass: Floats


def weighted_lines(
    x: ArrayLike,
    x_masses: ArrayLike,
    y: ArrayLike,
    y_masses: ArrayLike,
    directions: ArrayLike,
    weights: ArrayLike,
    *,
    p: int = 2,
    threads: bool = True,
) -> WeightedLines:
    """Match two weighted clouds along every direction.

    Shapes: ``x`` (n, d), ``y`` (m, d), masses (n,), (m,) of any positive scale, ``directions`` (L, d) unit vectors,
    ``weights`` (L,). Units: those of the coordinates to the power ``p``, 1 or 2.

    Raises ``ValueError`` for shapes that do not fit, and masses that are negative or sum to 0. Cost: O((n + m) log n)
    a direction, about 0.1 µs a point.

    >>> found = weighted_lines([[0.0], [1.0]], [1, 1], [[0.0], [1.0]], [1, 3], [[1.0]], [1.0])
    >>> found.value, found.by_mass.round(3).tolist()  # more mass at 1 helps
    (0.25, [0.25, -0.25])
    """
    clouds = []
    for name, points, masses in (("x", x, x_masses), ("y", y, y_masses)):
        places = checks.finite_array(name, points, ndim=2)
        shares = checks.finite_array(f"{name}_masses", masses, ndim=1)
        if len(shares) != len(places):
            raise ValueError(f"{name}_masses has {len(shares)} entries for {len(places)} points; give one for each")
        total = shares.sum()
        if shares.min() < 0 or not 0 < total < np.inf:
            raise ValueError(f"{name}_masses must be at least 0, with a positive finite sum")
        clouds.append((places, shares / total, total))
    (a, mass_a, total), (b, mass_b, _) = clouds
    theta = checks.finite_array("directions", directions, ndim=2)
    factors = checks.finite_array("weights", weights, ndim=1)
    if not a.shape[1] == b.shape[1] == theta.shape[1] or len(factors) != len(theta):
        raise ValueError(
            f"x {a.shape}, y {b.shape}, directions {theta.shape} and weights {factors.shape} do not fit together"
        )
    if p not in (1, 2):
        raise ValueError(f"p must be 1 or 2, got {p!r}")
    costs = np.empty(len(theta))
    parts: dict[int, tuple[Floats, Floats]] = {}

    def run(start: int) -> None:
        by_point, by_mass = np.zeros_like(a), np.zeros(len(a))
        for k in range(start, min(start + PART, len(theta))):
            s, t = a @ theta[k], b @ theta[k]
            pull, potential = np.empty(len(a)), np.empty(len(a))
            costs[k] = match(s, np.argsort(s), mass_a, t, np.argsort(t), mass_b, int(p), pull, potential)
            by_point += factors[k] * pull[:, None] * theta[k]
            by_mass += factors[k] * potential
        parts[start] = by_point, by_mass

    starts = range(0, len(theta), PART)
    if threads and len(a) * len(theta) > 50_000:
        parallel.for_each(run, starts, Progress())
    else:
        for start in starts:
            run(start)
    by_point = np.sum([parts[start][0] for start in starts], axis=0)
    by_mass = np.sum([parts[start][1] for start in starts], axis=0)
    return WeightedLines(float(factors @ costs), costs, by_point, (by_mass - mass_a @ by_mass) / total)


@njit(cache=True, nogil=True)
def match(
    s: NDArray,
    order_s: NDArray,
    mass_s: NDArray,
    t: NDArray,
    order_t: NDArray,
    mass_t: NDArray,
    power: int,
    pull: NDArray,
    potential: NDArray,
) -> float:
    """Couple two sorted weighted lines monotonically; write ∂cost/∂s and the potential φ at s, return the cost."""
    n, m = order_s.shape[0], order_t.shape[0]
    i = j = 0
    left_s, left_t = mass_s[order_s[0]], mass_t[order_t[0]]
    cost, moved, phi = 0.0, 0.0, 0.0
    apart = s[order_s[0]] - t[order_t[0]]
    psi = apart * apart if power == 2 else abs(apart)
    potential[order_s[0]] = 0.0
    while True:
        mass = min(left_s, left_t)
        apart = s[order_s[i]] - t[order_t[j]]
        if power == 2:
            cost += mass * apart * apart
            moved += mass * 2 * apart
        else:
            cost += mass * abs(apart)
            moved += mass * np.sign(apart)
        next_s, next_t = left_s <= left_t, left_t <= left_s
        left_s -= mass
        left_t -= mass
        # The last atom of a side takes what the rounding of the masses has left on the other.
        if next_s and i == n - 1:
            next_s, next_t = False, j < m - 1
        elif next_t and j == m - 1:
            next_s, next_t = i < n - 1, False
        if not next_s and not next_t:
            pull[order_s[i]] = moved
            while i < n - 1:
                i += 1
                pull[order_s[i]] = 0.0
                apart = s[order_s[i]] - t[order_t[j]]
                potential[order_s[i]] = (apart * apart if power == 2 else abs(apart)) - psi
            return cost
        if next_s and next_t:  # the potentials are not unique here: take the middle of those that are allowed
            pull[order_s[i]] = moved
            moved = 0.0
            here, there = s[order_s[i]] - t[order_t[j + 1]], s[order_s[i + 1]] - t[order_t[j]]
            apart = s[order_s[i + 1]] - t[order_t[j + 1]]
            both = apart * apart if power == 2 else abs(apart)
            most = (there * there if power == 2 else abs(there)) - psi
            least = both - (here * here if power == 2 else abs(here)) + phi
            i += 1
            j += 1
            left_s, left_t = mass_s[order_s[i]], mass_t[order_t[j]]
            phi = 0.5 * (most + least)
            psi = both - phi
            potential[order_s[i]] = phi
            continue
        if next_s:
            pull[order_s[i]] = moved
            moved = 0.0
            i += 1
            left_s = mass_s[order_s[i]]
            apart = s[order_s[i]] - t[order_t[j]]
            phi = (apart * apart if power == 2 else abs(apart)) - psi
            potential[order_s[i]] = phi
        if next_t:
            j += 1
            left_t = mass_t[order_t[j]]
            apart = s[order_s[i]] - t[order_t[j]]
            psi = (apart * apart if power == 2 else abs(apart)) - phi
