"""The models' arithmetic, compiled: every single operation rounded, in the order in which it is written.

All kernels share one signature. ``x`` (n,) is the state, ``c`` the constants, each rounded to nearest once; a scheme of
Runge and Kutta keeps its own four in front: h, h/2 (of the rounded h), h/6, h/3 (rounded once from double). ``work``
(6, n) is scratch memory, ``fmt`` the number format and ``rng`` (1,) the random stream of this run. A kernel's number
stands in :func:`tendency` or :func:`step` and in the model's entry in :data:`workbench.flows.bits.models.MODELS`.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workbench.flows.bits.rounding import (
    Floats,
    Format,
    add,
    add_arrays,
    mul,
    mul_arrays,
    rounded,
    scale_array,
    sub,
    sub_arrays,
)
from workbench.flows.bits.shallow_water import shallow_water

LORENZ63, LORENZ96, CHANNEL, SHALLOW_WATER, SOIL = range(5)


@njit(cache=True, nogil=True)
def lorenz63(x: Floats, k: Floats, c: Floats, fmt: Format, rng: NDArray[np.uint64]) -> None:
    """Return dx/dt of Lorenz (1963) in ``k``: σ(y − x), x(ρ − z) − y, xy − βz. Constants c[4:] = σ, ρ, β."""
    k[0] = mul(c[4], sub(x[1], x[0], fmt, rng), fmt, rng)
    k[1] = sub(mul(x[0], sub(c[5], x[2], fmt, rng), fmt, rng), x[1], fmt, rng)
    k[2] = sub(mul(x[0], x[1], fmt, rng), mul(c[6], x[2], fmt, rng), fmt, rng)


@njit(cache=True, nogil=True)
def lorenz96(x: Floats, k: Floats, c: Floats, fmt: Format, rng: NDArray[np.uint64]) -> None:
    """Return dx/dt of Lorenz (1996) in ``k``: ((x_{i+1} − x_{i−2}) x_{i−1} − x_i) + F. Constant c[4] = F."""
    n = x.size
    after, before = np.empty(n), np.empty(n)
    for i in range(n):
        after[i] = x[i + 1 - n]  # negative indices go round the circle
        before[i] = x[i - 2]
    sub_arrays(after, before, k, fmt, rng)
    for i in range(n):
        before[i] = x[i - 1]
    mul_arrays(k, before, k, fmt, rng)
    sub_arrays(k, x, k, fmt, rng)
    for i in range(n):
        after[i] = c[4]
    add_arrays(k, after, k, fmt, rng)


@njit(cache=True, nogil=True)
def channel(x: Floats, k: Floats, c: Floats, fmt: Format, rng: NDArray[np.uint64]) -> None:
    """Return dx/dt of the quasi-geostrophic channel of six modes in ``k``, terms summed from the left.

    Constants c[4:] = C, x₁*, x₄*, ε, then α, β, γ, γ̃, δ of m = 1 and of m = 2.
    """
    drag, rest1, rest4, eps = c[4], c[5], c[6], c[7]
    alpha1, beta1, gamma1, tilde1, delta1 = c[8], c[9], c[10], c[11], c[12]
    alpha2, beta2, gamma2, tilde2, delta2 = c[13], c[14], c[15], c[16], c[17]
    wave1 = sub(mul(alpha1, x[0], fmt, rng), beta1, fmt, rng)
    wave2 = sub(mul(alpha2, x[0], fmt, rng), beta2, fmt, rng)

    k[0] = sub(mul(tilde1, x[2], fmt, rng), mul(drag, sub(x[0], rest1, fmt, rng), fmt, rng), fmt, rng)

    t = rounded(-mul(wave1, x[2], fmt, rng), fmt, rng)
    t = sub(t, mul(drag, x[1], fmt, rng), fmt, rng)
    k[1] = sub(t, mul(delta1, mul(x[3], x[5], fmt, rng), fmt, rng), fmt, rng)

    t = sub(mul(wave1, x[1], fmt, rng), mul(gamma1, x[0], fmt, rng), fmt, rng)
    t = sub(t, mul(drag, x[2], fmt, rng), fmt, rng)
    k[2] = add(t, mul(delta1, mul(x[3], x[4], fmt, rng), fmt, rng), fmt, rng)

    t = sub(mul(tilde2, x[5], fmt, rng), mul(drag, sub(x[3], rest4, fmt, rng), fmt, rng), fmt, rng)
    pair = sub(mul(x[1], x[5], fmt, rng), mul(x[2], x[4], fmt, rng), fmt, rng)
    k[3] = add(t, mul(eps, pair, fmt, rng), fmt, rng)

    t = rounded(-mul(wave2, x[5], fmt, rng), fmt, rng)
    t = sub(t, mul(drag, x[4], fmt, rng), fmt, rng)
    k[4] = sub(t, mul(delta2, mul(x[3], x[2], fmt, rng), fmt, rng), fmt, rng)

    t = sub(mul(wave2, x[4], fmt, rng), mul(gamma2, x[3], fmt, rng), fmt, rng)
    t = sub(t, mul(drag, x[5], fmt, rng), fmt, rng)
    k[5] = add(t, mul(delta2, mul(x[3], x[1], fmt, rng), fmt, rng), fmt, rng)


@njit(cache=True, nogil=True)
def tendency(number: int, x: Floats, k: Floats, c: Floats, fmt: Format, rng: NDArray[np.uint64]) -> None:
    """Write dx/dt of the model with this number into ``k``."""
    if number == LORENZ63:
        lorenz63(x, k, c, fmt, rng)
    elif number == LORENZ96:
        lorenz96(x, k, c, fmt, rng)
    elif number == CHANNEL:
        channel(x, k, c, fmt, rng)
    else:
        shallow_water(x, k, c, fmt, rng)


@njit(cache=True, nogil=True)
def step(number: int, x: Floats, work: Floats, c: Floats, fmt: Format, rng: NDArray[np.uint64]) -> None:
    """Move the state ``x`` one time step on: x + (h/6 (k₁ + k₄) + h/3 (k₂ + k₃)), or the soil's explicit step."""
    if number == SOIL:
        soil(x, work, c, fmt, rng)
        return
    k1, k2, k3, k4, stage = work[0], work[1], work[2], work[3], work[4]
    tendency(number, x, k1, c, fmt, rng)
    _stage(x, k1, c[1], stage, fmt, rng)
    tendency(number, stage, k2, c, fmt, rng)
    _stage(x, k2, c[1], stage, fmt, rng)
    tendency(number, stage, k3, c, fmt, rng)
    _stage(x, k3, c[0], stage, fmt, rng)
    tendency(number, stage, k4, c, fmt, rng)
    add_arrays(k1, k4, k1, fmt, rng)
    scale_array(c[2], k1, k1, fmt, rng)
    add_arrays(k2, k3, k2, fmt, rng)
    scale_array(c[3], k2, k2, fmt, rng)
    add_arrays(k1, k2, k1, fmt, rng)
    add_arrays(x, k1, x, fmt, rng)


@njit(cache=True, nogil=True)
def _stage(x, k, h, out, fmt, rng):
    scale_array(h, k, out, fmt, rng)
    add_arrays(x, out, out, fmt, rng)


@njit(cache=True, nogil=True)
def soil(x: Floats, work: Floats, c: Floats, fmt: Format, rng: NDArray[np.uint64]) -> None:
    """One explicit step of heat conduction: T_m + ξ((T_{m+1} − 2T_m) + T_{m−1}), insulated below. c[4] = ξ.

    The top node stands still: whoever drives the column sets it.
    """
    last = x.size - 1
    inner, above, below, bend = x[1:last], x[: last - 1], x[2:], work[0][1:last]
    bottom = mul(c[4], sub(x[last - 1], x[last], fmt, rng), fmt, rng)
    scale_array(2.0, inner, bend, fmt, rng)
    sub_arrays(below, bend, bend, fmt, rng)
    add_arrays(bend, above, bend, fmt, rng)
    scale_array(c[4], bend, bend, fmt, rng)
    add_arrays(inner, bend, inner, fmt, rng)
    x[last] = add(x[last], bottom, fmt, rng)


@njit(cache=True, nogil=True)
def trajectory(
    number: int, x: Floats, work: Floats, c: Floats, fmt: Format, rng: NDArray[np.uint64], every: int, out: Floats
) -> bool:
    """Fill ``out`` (samples, n) with the states after every ``every`` steps; returns False at the first NaN or ∞."""
    for sample in range(out.shape[0]):
        for _ in range(every):
            step(number, x, work, c, fmt, rng)
        for i in range(x.size):
            if not np.isfinite(x[i]):
                return False
            out[sample, i] = x[i]
    return True
