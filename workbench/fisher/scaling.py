"""How the curvature grows with the lattice: effective exponents, fits over any window, candidates, and a verdict."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from workbench import checks, results
from workbench.fisher.curvature import ENGINES, ising_curvature
from workbench.fisher.torus import J_CRITICAL, torus
from workbench.fisher.trace_norm import trace_norm
from workbench.progress import Progress

SIGMAS = 3.0
CONSECUTIVE = 3
ANCHORS = (16, 20, 24, 32, 48, 64)


@dataclass(frozen=True)
class PowerLaw:
    """ln|R| = exponent · ln n + intercept, with the standard error that least squares gives the exponent."""

    exponent: float
    error: float
    intercept: float

    def __call__(self, sites: ArrayLike) -> NDArray:
        """Return the fitted |R| at n = ``sites``."""
        return np.exp(self.intercept) * np.asarray(sites, dtype=float) ** self.exponent


@dataclass(frozen=True)
class Logarithm:
    """R/n = −(slope · ln L + constant), the form for α = 0; ``residual`` is the root mean square misfit."""

    slope: float
    constant: float
    residual: float


def effective_exponents(sites: ArrayLike, curvature: ArrayLike) -> NDArray:
    """Return d_eff = ln(R'/R)/ln(n'/n) of consecutive sizes, one fewer than there are sizes.

    >>> effective_exponents([16, 64, 256], [4.0, 8.0, 16.0]).tolist()
    [0.5, 0.5]
    """
    n, R = _series(sites, curvature, minimum=2)
    return np.diff(np.log(R)) / np.diff(np.log(n))


def effective_errors(sites: ArrayLike, curvature: ArrayLike, errors: ArrayLike) -> NDArray:
    """Return the standard errors of :func:`effective_exponents` from independent errors of R."""
    n, R = _series(sites, curvature, minimum=2)
    relative = checks.finite_array("errors", errors, ndim=1) / R
    return np.hypot(relative[1:], relative[:-1]) / np.diff(np.log(n))


def fit_power_law(
    sites: ArrayLike, curvature: ArrayLike, window: tuple[float, float] | None = None, errors: ArrayLike | None = None
) -> PowerLaw:
    """Fit a power of n by least squares of ln|R| on ln n, over the sites within ``window`` (both ends included).

    With ``errors`` (standard errors of R, positive) the fit is weighted and its error comes from them; without, from
    the scatter of the residuals, and needs three sizes (with two it is 0). Raises ``ValueError`` for fewer
    than two sizes.

    >>> round(fit_power_law([16, 64, 256], [4.0, 8.0, 16.0]).exponent, 6)
    0.5
    """
    n, R = _series(sites, curvature, minimum=2)
    chosen = np.ones(len(n), dtype=bool) if window is None else (n >= window[0]) & (n <= window[1])
    if chosen.sum() < 2:
        raise ValueError(
            f"the window {window} holds {chosen.sum()} of the sizes n = {n.tolist()}; it must hold two or more"
        )
    x, y = np.log(n[chosen]), np.log(R[chosen])
    weights = (
        np.ones(len(x)) if errors is None else (R[chosen] / checks.finite_array("errors", errors, ndim=1)[chosen]) ** 2
    )
    centre = np.average(x, weights=weights)
    spread = weights @ (x - centre) ** 2
    if not 0 < spread < np.inf:
        raise ValueError("the sites are too close together, or the errors too small or too large, to fit a power")
    exponent = weights @ ((x - centre) * y) / spread
    intercept = np.average(y, weights=weights) - exponent * centre
    variance = 1 / spread
    if errors is None:
        residuals = y - exponent * x - intercept
        variance = residuals @ residuals / max(len(x) - 2, 1) / spread
    return PowerLaw(float(exponent), float(np.sqrt(variance)), float(intercept))


@dataclass(frozen=True)
class Background:
    """R/n = constant + slope · n^(exponent − 1), the exponent given; ``chance`` of a misfit as large or larger.

    ``misfit`` is χ² with two fewer degrees of freedom than there are sizes, ``values`` the fitted R/n.
    """

    constant: float
    slope: float
    misfit: float
    chance: float
    values: NDArray


def fit_background(sites: ArrayLike, curvature: ArrayLike, errors: ArrayLike, exponent: float) -> Background:
    """Fit |R| = n (c₀ + c₁ n^(exponent − 1)) by weighted least squares: a power with a constant beside it.

    A power alone would take every constant part of R/n, such as ‖T‖²/n, for a change of the exponent. Needs three sizes
    or more, positive ``errors`` of R, and an exponent that is not 1.

    >>> n = np.array([64.0, 256.0, 1024.0, 4096.0])
    >>> found = fit_background(n, n * (2 + 3 * n**0.2), 0.01 * n, 1.2)
    >>> round(found.constant, 9), round(found.slope, 9), round(found.chance, 6)
    (2.0, 3.0, 1.0)
    """
    n, R = _series(sites, curvature, minimum=3)
    sigma = checks.finite_array("errors", errors, ndim=1) / n
    if sigma.shape != n.shape or not (sigma > 0).all():
        raise ValueError("errors must be positive, one for each size")
    power = checks.real("exponent", exponent) - 1
    if power == 0:
        raise ValueError("an exponent of 1 leaves nothing beside the constant; fit a logarithm instead")
    shape = np.stack([np.ones_like(n), n**power], axis=1)
    found, *_ = np.linalg.lstsq(shape / sigma[:, None], R / n / sigma)
    values = shape @ found
    misfit = float((((R / n - values) / sigma) ** 2).sum())
    return Background(float(found[0]), float(found[1]), misfit, float(stats.chi2.sf(misfit, len(n) - 2)), values)


def samples_to_tell(sites: ArrayLike, curvature: ArrayLike, errors: ArrayLike, first: float, second: float) -> float:
    """Return how many times as many samples at the same sizes tell two exponents apart by 3σ, a constant beside each.

    The second is fitted, and what it says is fitted by the first: χ² of that, which grows with the samples, must reach
    nine. Below 1 the samples at hand suffice.

    >>> n = np.array([64.0, 256.0, 1024.0, 4096.0])
    >>> few, many = (samples_to_tell(n, n * n**0.2, e * n, 1.1, 1.2) for e in (0.02, 0.01))
    >>> round(few / many, 6)
    4.0
    """
    n, _ = _series(sites, curvature, minimum=3)
    truth = fit_background(n, curvature, errors, second).values * n
    return float(SIGMAS**2 / fit_background(n, truth, errors, first).misfit)


def fit_logarithm(sides: ArrayLike, curvature_per_site: ArrayLike) -> Logarithm:
    """Fit R/n = −(a ln L + b) by least squares; ``sides`` are L, at least two.

    >>> import math
    >>> found = fit_logarithm([8, 16, 32], [-(2 * math.log(L) + 1) for L in (8, 16, 32)])
    >>> round(found.slope, 6), round(found.constant, 6)
    (2.0, 1.0)
    """
    L = checks.finite_array("sides", sides, ndim=1)
    y = checks.finite_array("curvature_per_site", curvature_per_site, ndim=1)
    if len(L) != len(y) or len(L) < 2:
        raise ValueError(f"sides and curvature_per_site need the same length, two or more; got {len(L)} and {len(y)}")
    if (L <= 0).any() or np.ptp(L) == 0:
        raise ValueError(f"sides must be positive, with at least two different ones, got {L.tolist()}")
    unit = float(2.0 ** min(max(np.frexp(np.abs(y).max())[1], -1000), 1000))  # no square of y / unit overflows
    x, y = np.log(L), -y / unit
    centre, middle = x.mean(), y.mean()
    spread = (x - centre) @ (x - centre)
    if not spread > 0:
        raise ValueError(f"sides are too close together to fit their logarithms, got {L.tolist()}")
    slope = ((x - centre) @ (y - middle)) / spread
    constant = middle - slope * centre
    residual = np.sqrt(np.mean((y - slope * x - constant) ** 2))
    found = Logarithm(*(float(value) * unit for value in (slope, constant, residual)))
    if not np.isfinite([found.slope, found.constant, found.residual]).all():
        raise ValueError("the curvatures are too large for a fit in double precision; rescale them")
    return found


def _series(sites: ArrayLike, curvature: ArrayLike, minimum: int) -> tuple[NDArray, NDArray]:
    n = checks.finite_array("sites", sites, ndim=1)
    R = np.abs(checks.finite_array("curvature", curvature, ndim=1))
    if len(n) != len(R) or len(n) < minimum:
        raise ValueError(f"sites and curvature need the same length, at least {minimum}; got {len(n)} and {len(R)}")
    if (np.diff(n) <= 0).any() or n[0] <= 0:
        raise ValueError(f"sites must be positive and grow, got {n.tolist()}")
    if (R == 0).any():
        raise ValueError("a curvature of zero has no logarithm; leave that size out")
    return n, R


@dataclass(frozen=True)
class Verdict:
    """What the falsification rule says: ``deviations`` in σ of each pair, the longest run beyond 3σ, and the outcome.

    ``exponents`` and ``errors`` are what was compared with ``prediction``: d_eff extrapolated to L → ∞.
    """

    rejected: bool
    prediction: float
    exponents: NDArray
    errors: NDArray
    deviations: NDArray
    longest_run: int

    @property
    def sentence(self) -> str:
        """The verdict in words with its numbers."""
        word = "rejected" if self.rejected else "not rejected"
        last, error = self.exponents[-1], self.errors[-1]
        return (
            f"{self.prediction:.4f} is {word}: {self.longest_run} consecutive pairs deviate by more than {SIGMAS:g}σ "
            f"({CONSECUTIVE} are needed); the last extrapolated exponent is {last:.4f} ± {error:.4f}"
        )


def falsify(
    sides: ArrayLike, curvature: ArrayLike, prediction: float, errors: ArrayLike | None = None, dimension: int = 2
) -> Verdict:
    """Apply the author's own rule: reject if extrapolated d_eff is off by more than 3σ over ≥ 3 consecutive pairs.

    Neighbouring effective exponents are extrapolated linearly in 1/L. σ combines the propagated ``errors`` of R (None
    for exact values) with a systematic error: the whole step from the last exponent to the extrapolated one, or the
    step of a neighbour if that is larger, so that a passing maximum does not look like convergence. Needs at least
    three sides. (M. Zhuravlev, arXiv 2603.07651; the choice of extrapolation and of σ is ours.)
    """
    L = checks.finite_array("sides", sides, ndim=1)
    prediction = checks.real("prediction", prediction)
    if len(L) < 3:
        raise ValueError(f"an extrapolation needs at least 3 sides, got {len(L)}")
    n = L ** checks.integer("dimension", dimension, minimum=1)
    local = effective_exponents(n, curvature)
    weight = _to_infinity(L)
    exponents = local[:-1] + weight * (local[1:] - local[:-1])
    statistical = np.zeros(len(exponents)) if errors is None else extrapolated_noise(L, curvature, errors, dimension)
    step = np.pad(np.abs(exponents - local[1:]), 1)
    uncertainty = np.hypot(statistical, np.max([step[:-2], step[1:-1], step[2:]], axis=0))
    off = np.abs(exponents - prediction)
    deviations = np.divide(off, uncertainty, out=np.where(off > 0, np.inf, 0.0), where=uncertainty > 0)
    run = _longest_run(deviations > SIGMAS)
    return Verdict(run >= CONSECUTIVE, prediction, exponents, uncertainty, deviations, run)


def _to_infinity(L: NDArray) -> NDArray:
    """Return the weight of the later of two neighbouring exponents in their linear extrapolation in 1/L."""
    x = 1 / np.sqrt(L[1:] * L[:-1])
    return x[:-1] / (x[:-1] - x[1:])


def extrapolated_noise(sides: ArrayLike, curvature: ArrayLike, errors: ArrayLike, dimension: int = 2) -> NDArray:
    """Return the statistical errors of the extrapolated exponents of :func:`falsify`, two fewer than there are sides.

    Neighbouring exponents share the curvature between them, so the errors of the three sizes are propagated.

    >>> extrapolated_noise([4, 8, 16], [10.0, 40.0, 160.0], [0.1, 0.4, 1.6]).round(4).tolist()
    [0.027]
    """
    L = checks.finite_array("sides", sides, ndim=1)
    n = L ** checks.integer("dimension", dimension, minimum=1)
    relative = checks.finite_array("errors", errors, ndim=1) / np.abs(checks.finite_array("curvature", curvature))
    weight, step = _to_infinity(L), np.diff(np.log(n))
    first, last = (1 - weight) / step[:-1], weight / step[1:]
    return np.sqrt((first * relative[:-2]) ** 2 + ((first - last) * relative[1:-1]) ** 2 + (last * relative[2:]) ** 2)


def _longest_run(flags: NDArray) -> int:
    best = current = 0
    for flag in flags:
        current = current + 1 if flag else 0
        best = max(best, current)
    return best


@results.experiment
def curvature_scaling(
    sizes: Iterable[int], J: float = J_CRITICAL, method: str = "pfaffian", progress: Progress | None = None
) -> xr.Dataset:
    """Return the exact curvature at several sizes, with effective exponents, a power law and the logarithmic form.

    ``sizes`` are sides L of square tori, at least two, without repetition; other arguments as in
    :func:`ising_curvature`. The fits use all sizes; :func:`fit_power_law` fits any window of the result.
    """
    sides = _sides(sizes, minimum=2)
    for L in sides:
        torus(L, J)
    ENGINES[method]
    progress = progress or Progress()
    found, work = [], np.cumsum([0.0, *(float(L) ** 4 for L in sides)])
    for i, L in enumerate(sides):
        progress.update(work[i], work[-1], f"L = {L}")
        found.append(ising_curvature(L, J, method=method))
    progress.update(work[-1], work[-1])
    names = ("scalar_curvature", "cumulant_norm", "trace_norm")
    values = {name: np.array([float(ds[name]) for ds in found]) for name in names}
    row_sum = np.array([float(ds.row_sum[0]) for ds in found])
    return scaling_dataset(sides, values, {"row_sum": (("L",), row_sum, "row sum of the metric Σ_b F_ab")})


def scaling_dataset(sides: Sequence[int], values: dict[str, NDArray], extra: dict | None = None) -> xr.Dataset:
    """Label R, ‖T‖² and ‖tr T‖² by size and add effective exponents and fits over all sizes."""
    L = np.array(sides)
    n = L.astype(float) ** 2
    R = values["scalar_curvature"]
    power, logarithm = fit_power_law(n, R), fit_logarithm(L, R / n)
    names = {"scalar_curvature": "scalar curvature R", "cumulant_norm": "‖T‖²", "trace_norm": "‖tr T‖²"}
    return results.dataset(
        {
            **{name: (("L",), values[name], long_name) for name, long_name in names.items()},
            **(extra or {}),
            "sites": (("L",), L**2, "number of sites n"),
            "effective_exponent": (("pair",), effective_exponents(n, R), "d_eff = ln(R'/R)/ln(n'/n)"),
            "smaller": (("pair",), L[:-1], "smaller side of the pair", "sites"),
            "larger": (("pair",), L[1:], "larger side of the pair", "sites"),
            "fitted_exponent": ((), power.exponent, "least-squares exponent over all sizes"),
            "fitted_exponent_error": ((), power.error, "its standard error"),
            "fitted_intercept": ((), power.intercept, "its intercept, ln|R| at n = 1"),
            "logarithm_slope": ((), logarithm.slope, "a in R/n = −(a ln L + b)"),
            "logarithm_constant": ((), logarithm.constant, "b in R/n = −(a ln L + b)"),
        },
        {
            "L": (("L",), L, "side of the torus", "sites"),
            "pair": (("pair",), np.sqrt(L[1:] * L[:-1]), "geometric mean of the two sides", "sites"),
        },
    )


def _sides(sizes: Iterable[int], minimum: int) -> list[int]:
    sides = sorted(checks.integer("size", L, minimum=3) for L in sizes)
    if len(sides) < minimum or len(set(sides)) < len(sides):
        raise ValueError(f"sizes must be at least {minimum} different sides, got {sides}")
    return sides


@results.experiment
def extrapolated_curvature(
    sizes: Iterable[int] = (128, 256, 512, 1024), anchors: Iterable[int] = ANCHORS, progress: Progress | None = None
) -> xr.Dataset:
    """Return R ≈ ¼(‖T‖²_extrapolated − ‖tr T‖²) at J_c for sizes past the exact engine: *extrapolated, not exact*.

    ‖tr T‖² is exact at every size. ‖T‖²/n is exact at the ``anchors`` (at least six) and continued by a polynomial of
    degree four in 1/L; ``cumulant_norm_error`` is the larger of the changes when the degree is three and when the
    smallest anchor is left out. It reaches R divided by four. From anchors up to 64 the true error at L = 128 is a
    tenth of the stated one. About 10 s and 1.3 GB at L = 1024 on two cores.
    """
    sides, anchors = _sides(sizes, minimum=2), _sides(anchors, minimum=6)
    progress = progress or Progress()
    total = len(anchors) + len(sides)
    exact = []
    for i, L in enumerate(anchors):
        progress.update(i, total, f"exact at L = {L}")
        exact.append(float(ising_curvature(L).cumulant_norm))
    traces = []
    for i, L in enumerate(sides):
        progress.update(len(anchors) + i, total, f"trace term at L = {L}")
        traces.append(trace_norm(L))
    progress.update(total, total)
    cumulant, error = continue_cumulant_norm(anchors, exact, sides)
    R = (cumulant - np.array(traces)) / 4
    values = {"scalar_curvature": R, "cumulant_norm": cumulant, "trace_norm": np.array(traces)}
    n = np.array(sides, dtype=float) ** 2
    extra = {
        "cumulant_norm_error": (("L",), error, "uncertainty of the extrapolated ‖T‖²"),
        "scalar_curvature_error": (("L",), error / 4, "uncertainty of R from the extrapolated ‖T‖²"),
        "effective_exponent_error": (("pair",), effective_errors(n, R, error / 4), "uncertainty of d_eff"),
    }
    ds = scaling_dataset(sides, values, extra)
    for name in ("scalar_curvature", "cumulant_norm", "effective_exponent"):
        ds[name].attrs["long_name"] += ", extrapolated"
    return ds


def continue_cumulant_norm(anchors: ArrayLike, exact: ArrayLike, sides: ArrayLike) -> tuple[NDArray, NDArray]:
    """Continue exact ‖T‖² at J_c to larger sides; returns values and uncertainties (see extrapolated_curvature)."""
    L, target = np.asarray(anchors, dtype=float), np.asarray(sides, dtype=float)
    y = np.asarray(exact, dtype=float) / L**2
    best = np.polyval(np.polyfit(1 / L, y, 4), 1 / target)
    shorter = np.polyval(np.polyfit(1 / L[1:], y[1:], 4), 1 / target)
    poorer = np.polyval(np.polyfit(1 / L, y, 3), 1 / target)
    return target**2 * best, target**2 * np.maximum(np.abs(best - shorter), np.abs(best - poorer))
