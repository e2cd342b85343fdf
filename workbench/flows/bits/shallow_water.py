"""Rotating shallow water over a ridge in a channel: a small two-dimensional flow with jets, eddies and a lee wake.

Conservative form in units of depth, gravity-wave speed and deformation radius, so that every number is of order one
(half precision overflows in SI units)::

    h_t + (hu)_x + (hv)_y = 0
    (hu)_t + (hu²/h + h²/2)_x + (huv)_y =  f hv − h b_x + r (U(y) − hu) + ν Δ(hu)
    (hv)_t + (huv)_x + (hv²/h + h²/2)_y = −f hu                          + ν Δ(hv)

periodic along x, with walls at both sides where hv is mirrored with its sign turned (so mass is conserved to rounding).
Centred differences on one grid of :data:`ROWS` × :data:`COLUMNS`; the state is h, hu, hv one after the other. The jet
U(y) = U₀ sech²(y/w) is unstable: it sheds eddies that the ridge b(x) disturbs. The set-up is ours: the paper's was not
to be had.

It is *not chaotic*: it settles into waves that repeat. Over 1000 units of time a small disturbance grows like
e^{0.002 t} or less, no more than a difference of phase does, at the default parameters as at some thirty others
(rotation 0.1 … 1, jets 0.3 … 1.2 of half-width 0.6 … 1.5, friction 0.01 … 0.3, viscosity 0.001 … 0.03, a channel twice
as long); with a stronger jet or less viscosity the layer runs dry instead. So it says what few bits do to a wave, not
what they do to a climate, and the verdicts leave it out.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workbench.flows.bits.rounding import Floats, Format, add_arrays, div_arrays, mul_arrays, scale_array, sub_arrays

ROWS, COLUMNS = 16, 24
CELLS = ROWS * COLUMNS
SPACING = 0.5
HEAD = 9
"""Constants c[4:9] = f, 1/(2Δx), r, ν/Δx², ½; then U (rows), b_x (columns)."""


def constants(
    f: float, friction: float, viscosity: float, jet: float, width: float, ridge: float
) -> NDArray[np.float64]:
    """Return the constants after the four of the time step: scalars, the jet by row, the slope of the ridge."""
    y = (np.arange(ROWS) - (ROWS - 1) / 2) * SPACING
    x = (np.arange(COLUMNS) - COLUMNS / 3) * SPACING
    slope = -2 * x * ridge * np.exp(-(x**2))
    scalars = [f, 1 / (2 * SPACING), friction, viscosity / SPACING**2, 0.5]
    return np.concatenate([scalars, jet / np.cosh(y / width) ** 2, slope])


def start(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a layer of depth 1 at rest, slightly disturbed."""
    return np.concatenate([1 + 0.01 * rng.standard_normal(CELLS), 0.01 * rng.standard_normal(2 * CELLS)])


@njit(cache=True, nogil=True)
def _neighbours(field, sign, west, east, south, north):
    """Write a field's four neighbours: itself again beyond the ends, its mirror image × ``sign`` beyond the walls."""
    for row in range(ROWS):
        first = row * COLUMNS
        for i in range(COLUMNS - 1):
            east[first + i] = field[first + i + 1]
            west[first + i + 1] = field[first + i]
        east[first + COLUMNS - 1] = field[first]
        west[first] = field[first + COLUMNS - 1]
    for i in range(CELLS - COLUMNS):
        north[i] = field[i + COLUMNS]
        south[i + COLUMNS] = field[i]
    for i in range(COLUMNS):
        south[i] = sign * field[i]
        north[CELLS - COLUMNS + i] = sign * field[CELLS - COLUMNS + i]


@njit(cache=True, nogil=True)
def _divergence(along, across, sign, scale, out, s, fmt, rng):
    """Write (∂x along + ∂y across) into ``out``; ``sign`` is what the mirror does to ``across``; s is scratch."""
    _neighbours(along, 1.0, s[0], s[1], s[2], s[3])
    sub_arrays(s[1], s[0], out, fmt, rng)
    _neighbours(across, sign, s[0], s[1], s[2], s[3])
    sub_arrays(s[3], s[2], s[0], fmt, rng)
    add_arrays(out, s[0], out, fmt, rng)
    scale_array(scale, out, out, fmt, rng)


@njit(cache=True, nogil=True)
def _spread(field, sign, rate, out, s, fmt, rng):
    """Write ν Δ field into ``out``: the sum of the four neighbours, less four times the cell."""
    _neighbours(field, sign, s[0], s[1], s[2], s[3])
    add_arrays(s[0], s[1], out, fmt, rng)
    add_arrays(s[2], s[3], s[0], fmt, rng)
    add_arrays(out, s[0], out, fmt, rng)
    scale_array(4.0, field, s[0], fmt, rng)
    sub_arrays(out, s[0], out, fmt, rng)
    scale_array(rate, out, out, fmt, rng)


@njit(cache=True, nogil=True)
def shallow_water(x: Floats, k: Floats, c: Floats, fmt: Format, rng: NDArray[np.uint64]) -> None:
    """Return dx/dt of the shallow water in ``k``."""
    h, hu, hv = x[:CELLS], x[CELLS : 2 * CELLS], x[2 * CELLS :]
    dh, dhu, dhv = k[:CELLS], k[CELLS : 2 * CELLS], k[2 * CELLS :]
    f, scale, friction, rate, half = c[4], c[5], c[6], c[7], c[8]
    s = np.empty((9, CELLS))
    u, v, xx, xy, yy = s[4], s[5], s[6], s[7], s[8]
    div_arrays(hu, h, u, fmt, rng)
    div_arrays(hv, h, v, fmt, rng)
    scale_array(half, h, s[0], fmt, rng)
    mul_arrays(s[0], h, s[0], fmt, rng)  # the pressure h²/2
    mul_arrays(hu, u, xx, fmt, rng)
    add_arrays(xx, s[0], xx, fmt, rng)
    mul_arrays(hu, v, xy, fmt, rng)
    mul_arrays(hv, v, yy, fmt, rng)
    add_arrays(yy, s[0], yy, fmt, rng)

    _divergence(hu, hv, -1.0, scale, dh, s, fmt, rng)
    for i in range(CELLS):
        dh[i] = -dh[i]

    force, other = s[4], s[5]  # the velocities are done with
    scale_array(f, hv, force, fmt, rng)
    _divergence(xx, xy, -1.0, scale, other, s, fmt, rng)
    sub_arrays(force, other, force, fmt, rng)
    for i in range(CELLS):
        s[0][i] = c[HEAD + ROWS + i % COLUMNS]
        s[1][i] = c[HEAD + i // COLUMNS]
    mul_arrays(h, s[0], other, fmt, rng)
    sub_arrays(force, other, force, fmt, rng)
    sub_arrays(s[1], hu, other, fmt, rng)
    scale_array(friction, other, other, fmt, rng)
    add_arrays(force, other, force, fmt, rng)
    _spread(hu, 1.0, rate, other, s, fmt, rng)
    add_arrays(force, other, dhu, fmt, rng)

    scale_array(f, hu, force, fmt, rng)
    _divergence(xy, yy, 1.0, scale, other, s, fmt, rng)
    add_arrays(force, other, force, fmt, rng)
    _spread(hv, -1.0, rate, other, s, fmt, rng)
    sub_arrays(other, force, dhv, fmt, rng)
