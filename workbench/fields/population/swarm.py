"""Swarms: particles that move by a law of pairs, and that law read off a few of them.

ẋ_i = (1/N) Σ_j φ(|x_i − x_j|) (x_j − x_i). What meta flow matching learns as a function of whole clouds is one
function φ of a distance here, and :func:`fit_kernel` finds it by linear least squares.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from workbench import checks
from workbench.fields.core.laws import Floats

if TYPE_CHECKING:
    from workbench.fields.population.laws import Population

FARTHEST, KNOTS = 8.0, 33
FINE = 2049
STEPS = 40
ROUGHNESS, SLOPE = 1e-4, 1e-7
"""Penalties on second differences, and on first ones: distances that were never seen continue as a constant."""
TIMES = np.linspace(0.0, 1.0, 9)


def attraction(r: Floats) -> Floats:
    """Return the law of the swarms, φ(r) = 2 e^(−r²/8) − 2.5 e^(−2r²): repulsion nearby, attraction far away.

    >>> attraction(np.array([0.25, 1.0])).round(3).tolist()
    [-0.222, 1.427]
    """
    return 2.0 * np.exp(-(r**2) / 8) - 2.5 * np.exp(-2 * r**2)


def swarm_flow(x: Floats, kernel: Callable[[Floats], Floats] = attraction, *, times: Floats | None = None) -> Floats:
    """Return where particles (n, 2) are at T = 1, or at ``times`` from 0 on: (times, n, 2).

    ``kernel`` is read on 2,049 distances up to 64 and linearly between. Cost: 160 n² · 5 ns.
    """
    reach = 8 * FARTHEST
    table = np.asarray(kernel(np.linspace(0.0, reach, FINE)), dtype=np.float64)
    return _flow(x, table, reach, times)


def kernel_flow(x: Floats, values: Floats, *, times: Floats | None = None) -> Floats:
    """Return the same for φ given by its ``values`` at equally spaced distances up to 8, constant beyond."""
    return _flow(x, values, FARTHEST, times)


def _flow(x: Floats, table: Floats, reach: float, times: Floats | None) -> Floats:
    x = checks.finite_array("x", x, ndim=2)
    if x.shape[1] != 2:
        raise ValueError(f"a swarm lives in the plane, got {x.shape[1]} coordinates")
    wanted = np.array([0.0, 1.0]) if times is None else checks.finite_array("times", times, ndim=1)
    made = [x]
    for a, b in itertools.pairwise(wanted):
        x = x.copy()
        _runge_kutta(x, table, reach, float(b - a), max(1, round(STEPS * float(b - a))))
        made.append(x)
    return made[-1] if times is None else np.stack(made)


@njit(cache=True, nogil=True)
def _pull(x, table, reach, out):
    """Write (1/N) Σ_j φ(|x_i − x_j|) (x_j − x_i); φ is linear between the entries of ``table``, constant beyond."""
    n = len(x)
    scale = (len(table) - 1) / reach
    out[:] = 0.0
    for i in range(n):
        for j in range(i):
            a, b = x[j, 0] - x[i, 0], x[j, 1] - x[i, 1]
            place = min(np.sqrt(a * a + b * b) * scale, len(table) - 1.000001)
            k = int(place)
            f = (table[k] + (place - k) * (table[k + 1] - table[k])) / n
            out[i, 0] += f * a
            out[i, 1] += f * b
            out[j, 0] -= f * a
            out[j, 1] -= f * b


@njit(cache=True, nogil=True)
def _runge_kutta(x, table, reach, length, steps):
    h = length / steps
    k1, k2, k3, k4 = np.empty_like(x), np.empty_like(x), np.empty_like(x), np.empty_like(x)
    for _ in range(steps):
        _pull(x, table, reach, k1)
        _pull(x + 0.5 * h * k1, table, reach, k2)
        _pull(x + 0.5 * h * k2, table, reach, k3)
        _pull(x + h * k3, table, reach, k4)
        x += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


@njit(cache=True, nogil=True)
def _features(x, knots, reach, weight, out):
    """Add to ``out`` (n, 2, knots) what each hat function of the distance would contribute to the velocity at x."""
    n = len(x)
    scale = (knots - 1) / reach
    for i in range(n):
        for j in range(n):
            a, b = x[j, 0] - x[i, 0], x[j, 1] - x[i, 1]
            place = min(np.sqrt(a * a + b * b) * scale, knots - 1.000001)
            k = int(place)
            high = (place - k) * weight / n
            low = weight / n - high
            out[i, 0, k] += low * a
            out[i, 1, k] += low * b
            out[i, 0, k + 1] += high * a
            out[i, 1, k + 1] += high * b


def fit_kernel(populations: Sequence["Population"], rounds: int = 2) -> Floats:
    """Return φ at 33 equally spaced distances from 0 to 8, fitted to followed particles by linear least squares.

    x₁ − x₀ is regressed on features averaged along straight paths; then ``rounds`` times along the flow of the fit, its
    end error spread linearly over the path. Second differences are penalised by 10⁻⁴. Particles
    must be ``paired``: ``ValueError`` where they are not, and outside the plane. Cost: 9 · n² · 10 ns a round.

    >>> from workbench.fields import populations
    >>> values = fit_kernel(populations("swarm", 2, 100))
    >>> bool(np.abs(values[[8, 12]] - attraction(np.array([2.0, 3.0]))).max() < 0.05)
    True
    """
    for one in populations:
        if not one.paired or one.source.shape != one.target.shape or one.source.shape[1] != 2:
            raise ValueError(
                f"a law of pairs is read off particles that were followed in the plane; {one.name} has none"
            )
    rounds = checks.integer("rounds", rounds, minimum=0, maximum=20)
    ahead = TIMES[:, None, None]
    weights = np.full(len(TIMES), 1 / (len(TIMES) - 1))
    weights[[0, -1]] *= 0.5
    eye = np.eye(KNOTS)
    bend = np.concatenate([np.sqrt(ROUGHNESS) * np.diff(eye, 2, axis=0), np.sqrt(SLOPE) * np.diff(eye, axis=0)])
    values = np.zeros(KNOTS)
    for turn in range(rounds + 1):
        rows, wanted = [], []
        for one in populations:
            x0, x1 = np.ascontiguousarray(one.source), one.target
            path = x0 + ahead * (x1 - x0) if turn == 0 else kernel_flow(x0, values, times=TIMES)
            path = path + ahead * (x1 - path[-1])
            made = np.zeros((len(x0), 2, KNOTS))
            for x, weight in zip(path, weights, strict=True):
                _features(np.ascontiguousarray(x), KNOTS, FARTHEST, weight, made)
            rows.append(made.reshape(-1, KNOTS))
            wanted.append((x1 - x0).ravel())
        matrix, right = np.concatenate(rows), np.concatenate(wanted)
        whole = np.concatenate([matrix, bend]), np.concatenate([right, np.zeros(len(bend))])
        values = np.linalg.lstsq(*whole, rcond=None)[0]
    return values
