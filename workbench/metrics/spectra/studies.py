"""Studies of the yardstick itself: spectra that never learned anything, and whether the error bars hold."""

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench import checks, results
from workbench.metrics.spectra.erg import erg_of
from workbench.metrics.spectra.nulls import error_from_halves, half_alphas
from workbench.metrics.spectra.scan import scan
from workbench.metrics.spectra.spectrum import ZERO, gram_eigenvalues
from workbench.metrics.spectra.tails import fit_from, refits
from workbench.progress import Progress

Matrix = NDArray[np.float64]

UNLEARNED: dict[str, tuple[str, float, Callable[[np.random.Generator], NDArray[np.float64]]]] = {
    "gaussian-100": ("Gaussian 100 × 100", np.inf, lambda r: gram_eigenvalues(r.normal(size=(100, 100)))),
    "gaussian-300": ("Gaussian 300 × 300", np.inf, lambda r: gram_eigenvalues(r.normal(size=(300, 300)))),
    "gaussian-600": ("Gaussian 600 × 600", np.inf, lambda r: gram_eigenvalues(r.normal(size=(600, 600)))),
    "student-2": ("Student-t(2) entries, 300 × 300", 2.0, lambda r: gram_eigenvalues(r.standard_t(2, (300, 300)))),
    "student-3": ("Student-t(3) entries, 300 × 300", 2.5, lambda r: gram_eigenvalues(r.standard_t(3, (300, 300)))),
    "inverse-wishart": ("inverse Wishart 300", 1.5, lambda r: 1 / gram_eigenvalues(r.normal(size=(300, 300)))),
    "lognormal-1": ("lognormal σ = 1, 400 values", np.inf, lambda r: np.exp(r.normal(size=400))),
    "lognormal-1.5": ("lognormal σ = 1.5, 400 values", np.inf, lambda r: np.exp(1.5 * r.normal(size=400))),
    "lognormal-2": ("lognormal σ = 2, 400 values", np.inf, lambda r: np.exp(2 * r.normal(size=400))),
    "lognormal-3": ("lognormal σ = 3, 400 values", np.inf, lambda r: np.exp(3 * r.normal(size=400))),
    "pareto-2": ("Pareto α = 2, 400 values", 2.0, lambda r: np.exp(r.exponential(1.0, 400))),
    "pareto-2.5": ("Pareto α = 2.5, 400 values", 2.5, lambda r: np.exp(r.exponential(1 / 1.5, 400))),
    "pareto-3": ("Pareto α = 3, 400 values", 3.0, lambda r: np.exp(r.exponential(0.5, 400))),
}
"""Laws: what they are, the exponent of their tail in the limit (∞: none), and a draw of the eigenvalues."""


@results.experiment
def unlearned_spectra(
    laws: Sequence[str] = tuple(UNLEARNED), *, repeats: int = 40, seed: int = 0, progress: Progress | None = None
) -> xr.Dataset:
    """Score spectra that never learned anything: what α and the ERG condition say of noise and of textbook laws.

    Returns over (law, repeat) ``alpha`` and ``gap`` = ln(x_min/λ_ERG), both at the chosen threshold, and ``gap_all``,
    the gap with the smallest eigenvalue as x_min (for a pure Pareto law the true one). Raises ``ValueError`` for an
    unknown law. Cost: 0.1 s a repeat of all laws.

    >>> found = unlearned_spectra(("lognormal-2", "gaussian-100"), repeats=5)
    >>> found.alpha.shape
    (2, 5)
    """
    progress = progress or Progress()
    names = [checks.choice("law", law, UNLEARNED) for law in laws]
    repeats = checks.integer("repeats", repeats, minimum=1, maximum=100_000)
    checks.generator(seed)
    alphas, gaps, whole = (np.full((len(names), repeats), np.nan) for _ in range(3))
    for j, name in enumerate(names):
        rng = np.random.default_rng([seed, list(UNLEARNED).index(name)])
        for b in range(repeats):
            progress.update(j * repeats + b, len(names) * repeats, UNLEARNED[name][0])
            values = _positive(UNLEARNED[name][2](rng))
            logs = np.log(values)
            fit = fit_from(logs, scan(logs, False)[0])
            threshold = np.log(erg_of(values).threshold)
            alphas[j, b], gaps[j, b] = fit.alpha, np.log(fit.threshold) - threshold
            whole[j, b] = logs[0] - threshold
    where = ("law", "repeat")
    variables = {
        "alpha": (where, alphas, "α of the spectrum"),
        "gap": (where, gaps, "ln(x_min/λ_ERG)"),
        "gap_all": (where, whole, "ln(smallest eigenvalue/λ_ERG)"),
        "law_label": (("law",), np.array([UNLEARNED[name][0] for name in names]), "the law"),
        "limit": (("law",), np.array([UNLEARNED[name][1] for name in names]), "exponent of the tail in the limit"),
    }
    coordinates = {
        "law": (("law",), np.array(names), "law of the spectrum"),
        "repeat": (("repeat",), np.arange(repeats), "number of the draw"),
    }
    return results.dataset(variables, coordinates)


def _positive(values: NDArray[np.float64]) -> NDArray[np.float64]:
    values = np.sort(values)
    return values[values >= ZERO * values[-1]]


def _mixed(rng: np.random.Generator, n: int) -> Matrix:
    """Draw a quarter of Pareto(2.5) values above 1 over a uniform bulk below it."""
    tail = rng.binomial(n, 0.25)
    return np.concatenate([rng.uniform(0, 1, n - tail), np.exp(rng.exponential(1 / 1.5, tail))])


def _population(columns: int) -> NDArray[np.float64]:
    """Return the quantiles of a Pareto(2.5) law: the variances of a population that stays the same over draws."""
    return (1 - (np.arange(columns) + 0.5) / columns) ** (-1 / 1.5)


CASES: dict[str, tuple[str, float, Callable[[np.random.Generator], Matrix]]] = {
    "pareto-100": ("Pareto 2.5, 100 values", 2.5, lambda r: np.exp(r.exponential(1 / 1.5, 100))),
    "pareto-300": ("Pareto 2.5, 300 values", 2.5, lambda r: np.exp(r.exponential(1 / 1.5, 300))),
    "pareto-1000": ("Pareto 2.5, 1,000 values", 2.5, lambda r: np.exp(r.exponential(1 / 1.5, 1000))),
    "mixed-300": ("a quarter Pareto 2.5 over a uniform bulk, 300 values", 2.5, lambda r: _mixed(r, 300)),
    "mixed-1000": ("a quarter Pareto 2.5 over a uniform bulk, 1,000 values", 2.5, lambda r: _mixed(r, 1000)),
    "inverse-wishart": (
        "inverse of a Gaussian 300 × 300",
        1.5,
        lambda r: np.linalg.inv(r.normal(size=(300, 300))),
    ),
    "covariance": (
        "800 samples of a population of 200 variances, Pareto 2.5",
        2.5,
        lambda r: r.normal(size=(800, 200)) * np.sqrt(_population(200)),
    ),
}
"""Cases: what they are, the true α, and a draw: eigenvalues (a vector), or a layer (a matrix)."""


@results.experiment
def tail_coverage(
    cases: Sequence[str] = tuple(CASES),
    *,
    repeats: int = 200,
    bootstrap: int = 100,
    splits: int = 10,
    level: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Ask how often each error bar of α holds, and how its size compares with how much α truly scatters.

    For each case, over ``repeats`` draws: ``alpha_mean`` and ``alpha_sd``, the truth of the matter; the mean σ that
    the packages print, of the bootstrap that chooses the threshold again, and (for matrices) of halves of rows; the
    share of draws in which each interval holds the limit's α (``covers``) and the mean over draws (``covers_mean``:
    what a rigid spectrum repeats, whatever its bias). Raises ``ValueError`` for an unknown case. Cost: a minute as it
    stands.

    >>> found = tail_coverage(("pareto-100",), repeats=20, bootstrap=10)
    >>> found.covers.shape
    (1, 3)
    """
    progress = progress or Progress()
    names = [checks.choice("case", case, CASES) for case in cases]
    repeats = checks.integer("repeats", repeats, minimum=2, maximum=100_000)
    bootstrap = checks.integer("bootstrap", bootstrap, minimum=2, maximum=10_000)
    splits = checks.integer("splits", splits, minimum=1, maximum=1000)
    level = checks.real("level", level, minimum=0.5, maximum=0.9999)
    checks.generator(seed)
    shape = (len(names), 3)
    covers, around, sizes = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    means, spreads = np.full(len(names), np.nan), np.full(len(names), np.nan)
    for j, name in enumerate(names):
        _, truth, draw = CASES[name]
        rng = np.random.default_rng([seed, list(CASES).index(name)])
        rows = np.full((repeats, 10), np.nan)
        for b in range(repeats):
            progress.update(j * repeats + b, len(names) * repeats, CASES[name][0])
            rows[b] = _one_draw(draw(rng), bootstrap, splits, level, rng)
        alpha = rows[:, 0]
        means[j], spreads[j] = alpha.mean(), alpha.std(ddof=1)
        for i in range(3):
            size, low, high = rows[:, 1 + 3 * i : 4 + 3 * i].T
            if np.isfinite(size).any():
                sizes[j, i] = np.nanmean(size)
                covers[j, i] = np.mean((low <= truth) & (truth <= high))
                around[j, i] = np.mean((low <= means[j]) & (means[j] <= high))
    where = ("case", "bar")
    variables = {
        "covers": (where, covers, "share of intervals that hold the limit's α"),
        "covers_mean": (where, around, "share of intervals that hold the mean of α over draws"),
        "size": (where, sizes, "mean standard error that the bar tells"),
        "alpha_mean": (("case",), means, "mean of α over draws"),
        "alpha_sd": (("case",), spreads, "standard deviation of α over draws"),
        "truth": (("case",), np.array([CASES[name][1] for name in names]), "α of the limit"),
        "case_label": (("case",), np.array([CASES[name][0] for name in names]), "the case"),
    }
    coordinates = {
        "case": (("case",), np.array(names), "case"),
        "bar": (("bar",), np.array(["nominal", "refit", "matrix"]), "error bar"),
    }
    return results.dataset(variables, coordinates)


def _one_draw(
    drawn: NDArray[np.float64], bootstrap: int, splits: int, level: float, rng: np.random.Generator
) -> list[float]:
    """Return α, then standard error, low and high of the three bars: at the threshold, refitted, from the matrix."""
    is_matrix = drawn.ndim == 2
    values = _positive(gram_eigenvalues(drawn) if is_matrix else drawn)
    logs = np.log(values)
    fit = fit_from(logs, scan(logs, False)[0], level=level)
    again = refits(logs, bootstrap, rng, False, Progress())
    low, high = np.quantile(again, [(1 - level) / 2, (1 + level) / 2])
    row = [fit.alpha, fit.sigma, fit.low, fit.high, float(again.std(ddof=1)), float(low), float(high)]
    if not is_matrix:
        return [*row, np.nan, np.nan, np.nan]
    error = error_from_halves(fit.alpha, half_alphas(drawn, splits, rng, Progress()), level)
    return [*row, error.sd, error.low, error.high]
