"""Heat that soaks into a column of soil: a closed form to compare with, and the law by which rounding stops it.

The scheme is T_m ← T_m + ξ((T_{m+1} − 2T_m) + T_{m−1}), insulated below, ξ = DΔt/Δz² = 1.26e-3 for 60 m of soil in
steps of half an hour; the top is held 6.85 K above the start. An update smaller than half a spacing of the numbers is
lost under rounding to nearest: the node stands still while |δ²T| < ½ ulp(T)/ξ. Under stochastic rounding the mean obeys
the exact scheme with the rounded constants, since every rounding is unbiased and the scheme is linear.
"""

import itertools

import numpy as np
import xarray as xr
from numba import njit
from numpy.typing import NDArray

from workbench import checks, results
from workbench.flows.bits.kernels import SOIL, soil, trajectory
from workbench.flows.bits.rounding import number_format, round_to, streams
from workbench.progress import Progress

DIFFUSIVITY, TIME_STEP, SPACING = 7e-7, 1800.0, 1.0
NODES, START, TOP = 61, 273.15, 280.0
STEPS_A_YEAR = 17_520
CHUNK = 100_000
Profile = NDArray[np.float64]


def soil_number() -> float:
    """Return ξ = DΔt/Δz²."""
    return DIFFUSIVITY * TIME_STEP / SPACING**2


def soil_exact(
    steps: int, *, factor: float | None = None, start: float = START, top: float = TOP, nodes: int = NODES
) -> Profile:
    """Return the exact result of the scheme after ``steps`` steps of exact arithmetic, (nodes,).

    T_m(n) = T_0 + (T_i − T_0) Σ_k c_k sin(mφ_k) (1 − 4ξ sin²(φ_k/2))^n, φ_k = (2k − 1)π/(2N + 1), N = nodes − 1,
    c_k = 4/(2N + 1) Σ_m sin(mφ_k).

    >>> soil_exact(1_051_200)[[1, 60]].round(9).tolist()
    [279.907211932, 276.429894911]
    """
    steps = checks.integer("steps", steps, minimum=0)
    xi, last = soil_number() if factor is None else checks.real("factor", factor), nodes - 1
    phi = (2 * np.arange(1, last + 1) - 1) * np.pi / (2 * last + 1)
    modes = np.sin(np.outer(np.arange(nodes), phi))
    weights = 4 / (2 * last + 1) * modes[1:].sum(axis=0)
    return top + (start - top) * modes @ (weights * (1 - 4 * xi * np.sin(phi / 2) ** 2) ** steps)


def stagnation_threshold(bits: int, scale: float = START, factor: float | None = None) -> float:
    """Return how large |δ²T| must be for a node at temperature ``scale`` to move: ½ ulp(scale) / ξ.

    ``factor`` is ξ, by default that of the soil column, rounded to the same number of bits. For 256 ≤ T < 512 K the
    spacing of the numbers is 2^{8 − bits}.

    >>> [round(stagnation_threshold(bits), 4) for bits in (13, 14, 23)]
    [12.4004, 6.2005, 0.0121]
    """
    number_format(bits)
    scale = checks.real("scale", scale, exclusive_minimum=0)
    xi = soil_number() if factor is None else checks.real("factor", factor, exclusive_minimum=0)
    xi = float(round_to(xi, bits))
    return float(2.0 ** (np.floor(np.log2(scale)) - bits) / 2 / xi)


def stagnation_profile(bits: int, *, most_sweeps: int = 2_000_000) -> Profile:
    """Return where round to nearest stops for good, (61,): the least profile above the start that no step changes.

    Found without stepping through time: the step is a monotone map, so moving one node after the other, in any order,
    until nothing changes ends in the same profile. Raises ``ValueError`` if it has not after ``most_sweeps`` sweeps.
    """
    fmt, c, x = _column(bits, "nearest")
    if _relax(x, c, fmt, np.zeros(1, np.uint64), checks.integer("most_sweeps", most_sweeps, minimum=1)):
        return x
    raise ValueError(f"the profile still changes after {most_sweeps} sweeps; give more, or fewer bits")


def _column(bits: int, rounding: str) -> tuple[tuple[int, int, int, int], Profile, Profile]:
    """Return format, rounded constants and the rounded initial state."""
    fmt = number_format(bits, rounding)
    c = round_to(np.array([0.0, 0.0, 0.0, 0.0, soil_number()]), bits)
    x = np.full(NODES, START)
    x[0] = TOP
    return fmt, c, round_to(x, bits)


@njit(cache=True, nogil=True)
def _relax(x, c, fmt, rng, sweeps):
    """Repeat the rounded step in place, node after node; True once a whole sweep changes nothing."""
    three, work = np.empty(3), np.empty((6, 3))
    for _ in range(sweeps):
        changed = False
        for m in range(1, x.size):
            before = x[m]
            if m < x.size - 1:
                three[:] = x[m - 1 : m + 2]
                soil(three, work, c, fmt, rng)
                x[m] = three[1]
            else:
                three[0], three[1], three[2] = x[m - 1], x[m - 1], x[m]
                soil(three, work, c, fmt, rng)
                x[m] = three[2]
            changed = changed or x[m] != before
        if not changed:
            return True
    return False


@results.experiment
def soil_column(
    bits: int = 23,
    rounding: str = "nearest",
    *,
    years: float = 60.0,
    frames: int = 121,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Let heat soak into 60 m of soil, in few bits and exactly; the top is 6.85 K warmer than the rest.

    Returns ``temperature`` and ``exact`` (time, depth), ``error`` their difference, ``threshold``, the |δ²T| that a
    node needs to move under rounding to nearest, and ``curvature`` |δ²T| (time, depth). Raises ``ValueError`` for bits
    outside 1 … 52, an unknown rounding, or more than 500 years. Cost: 10 ms a year.

    >>> ds = soil_column(16, years=20, frames=3)
    >>> ds.temperature.values[-1, 1:4].round(4).tolist(), float(ds.exact[-1, 3].round(2))
    ([276.1719, 273.8867, 273.1484], 279.45)
    """
    progress = progress or Progress()
    fmt, c, x = _column(bits, rounding)
    years = checks.real("years", years, exclusive_minimum=0, maximum=500)
    frames = checks.integer("frames", frames, minimum=2, maximum=1000)
    steps = round(years * STEPS_A_YEAR)
    marks = np.unique(np.linspace(0, steps, frames).astype(np.int64))
    rng = streams(seed, 1)[0]
    made, work, last = [x.copy()], np.empty((6, NODES)), np.empty((1, NODES))
    still = False
    for done, mark in itertools.pairwise(marks.tolist()):
        before = x.copy()
        for at in range(done, done if still else mark, CHUNK):
            trajectory(SOIL, x, work, c, fmt, rng, min(CHUNK, mark - at), last)
            progress.update(at, steps, "warming the soil")
        made.append(x.copy())
        if not fmt[1] and not still and np.array_equal(before, x):  # perhaps for good: one step that changes nothing
            soil(before, work, c, fmt, rng)
            still = np.array_equal(before, x)
    temperature = np.array(made)
    exact = np.array([soil_exact(int(mark)) for mark in marks])
    curvature = np.zeros_like(temperature)
    curvature[:, 1:-1] = np.abs(np.diff(temperature, 2, axis=1))
    dims = ("time", "depth")
    return results.dataset(
        {
            "temperature": (dims, temperature, "temperature in few bits", "K"),
            "exact": (dims, exact, "temperature, exact arithmetic", "K"),
            "error": (dims, temperature - exact, "error of the temperature", "K"),
            "curvature": (dims, curvature, "|δ²T|", "K"),
            "threshold": ((), stagnation_threshold(bits), "least |δ²T| at which a node moves", "K"),
        },
        {
            "time": (("time",), marks / STEPS_A_YEAR, "time", "year"),
            "depth": (("depth",), np.arange(NODES) * SPACING, "depth", "m"),
        },
        {"bits": int(bits), "rounding": rounding, "model": "soil"},
    )
