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

    >>> stagnation_profile(14)[:4].tolist()
    [280.0, 273.484375, 273.15625, 273.15625]
    """
    fmt, c, x = _column(bits, "nearest")
    if _relax(x, c, fmt, np.zeros(1, np.uint64), checks.integer("most_sweeps", most_sweeps, minimum=1)):
        return x
    raise ValueError(f"the profile still changes after {most_sweeps} sweeps; give more, or fewer bits")


def soil_deviation(bits: int, steps: int) -> Profile:
    """Return a bound on the standard deviation of the column under stochastic rounding after ``steps`` steps, (61,), K.

    Of a step's four operations only the last sum is rounded to a grid coarser than itself: T + b becomes one of the two
    neighbours of T on its grid of spacing u, with conditional variance |b|(u − |b|), b = ξδ²T, and no bias. So the
    covariance of the profile obeys the discrete Lyapunov equation C ← A C Aᵀ + diag(u E|b| − E b²), A the matrix of
    the scheme. E b² follows from the mean and C; E|b| is at most √E b², which makes this a bound. Ensembles at ten bits
    show two thirds of it near the surface; with u²/4, the most that one rounding can add, it would be over ten times
    as wide.

    Raises ``ValueError`` below five bits, where the differences are rounded as well. Cost: 50 ms a year.

    >>> soil_deviation(10, 5 * 17_520)[[0, 1, 5]].round(2).tolist()
    [0.0, 0.17, 0.36]
    """
    bits = checks.integer("bits", bits, minimum=5, maximum=52)
    steps = checks.integer("steps", steps, minimum=0, maximum=500 * STEPS_A_YEAR)
    _, c, mean = _column(bits, "stochastic")
    covariance = np.zeros((NODES, NODES))
    _spread(mean, covariance, c[4], 2.0 ** (8 - bits), 4.0**-bits / 4, steps)
    return np.sqrt(np.diag(covariance))


@njit(cache=True, nogil=True)
def _spread(mean, covariance, xi, spacing, relative, steps):
    """Take ``steps`` steps of the mean and of C in place; the first node stands still, the last has one neighbour."""
    n = mean.size
    first, noise, bend = np.zeros_like(covariance), np.zeros(n), np.zeros(n)
    for _ in range(steps):
        for m in range(1, n):
            below = m + 1 if m + 1 < n else m
            bend[m] = mean[below] - 2 * mean[m] + mean[m - 1]
            c = covariance
            spread = c[below, below] + 4 * c[m, m] + c[m - 1, m - 1]
            spread += 2 * c[below, m - 1] - 4 * c[below, m] - 4 * c[m, m - 1]
            square = xi * xi * (bend[m] * bend[m] + max(spread, 0.0))
            size = np.sqrt(square)
            noise[m] = (size * spacing - square if size < spacing / 2 else spacing * spacing / 4) + relative * square
        for m in range(1, n):
            below = m + 1 if m + 1 < n else m
            for k in range(n):
                c = covariance[below, k] - 2 * covariance[m, k] + covariance[m - 1, k]
                first[m, k] = covariance[m, k] + xi * c
        for m in range(1, n):
            for k in range(1, n - 1):
                covariance[m, k] = first[m, k] + xi * (first[m, k + 1] - 2 * first[m, k] + first[m, k - 1])
            covariance[m, n - 1] = first[m, n - 1] + xi * (first[m, n - 2] - first[m, n - 1])
            covariance[m, m] += noise[m]
            mean[m] += xi * bend[m]


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
