"""What a layer is held against: its own entries shuffled, the edge of noise, and other rows of the same matrix."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from workbench import checks
from workbench.metrics.spectra.noise import edge_scale, mp_quantile, tw1_cdf, tw1_quantile
from workbench.metrics.spectra.spectrum import (
    FEWEST,
    ZERO,
    Spectrum,
    gram_eigenvalues,
    layer_matrix,
    positive_eigenvalues,
)
from workbench.metrics.spectra.tails import fit_from, ks_alpha
from workbench.progress import Progress

MOST_REPEATS = 10_000


@dataclass(frozen=True)
class NoiseTail:
    """α of a layer beside α of its entries shuffled (repeats,): what noise of the same entries would score."""

    alpha: float
    shuffled: NDArray[np.float64]
    share_below: float
    """Share of shuffles whose α is at most the layer's, counted with the layer itself: a one-sided p-value."""


def noise_tail(
    weights: ArrayLike, repeats: int = 20, *, seed: int | np.random.Generator = 0, progress: Progress | None = None
) -> NoiseTail:
    """Fit the tail of a layer and of ``repeats`` shuffles of its entries.

    Shuffling keeps the law of the entries, heavy or not, and destroys all that the layer has learned; so it is a fairer
    null than Gaussian noise. Raises ``ValueError`` as :func:`layer_spectrum`. Cost: an eigenvalue problem a shuffle.

    >>> found = noise_tail(np.random.default_rng(0).normal(size=(80, 40)), 9)
    >>> found.shuffled.shape, 0.1 <= found.share_below <= 1
    ((9,), True)
    """
    matrix = layer_matrix("weights", weights)
    repeats = checks.integer("repeats", repeats, minimum=1, maximum=MOST_REPEATS)
    own = alpha_of(matrix)
    shuffled = shuffled_alphas(matrix, repeats, checks.generator(seed), progress or Progress())
    return NoiseTail(own, shuffled, float((1 + np.sum(shuffled <= own)) / (1 + repeats)))


def alpha_of(matrix: NDArray[np.float64], k: int = 0) -> float:
    """Return α of a matrix; NaN if fewer than 20 eigenvalues are left, as after a split of few rows.

    ``k`` > 0 holds the number of eigenvalues above the threshold, 0 chooses it.
    """
    values = gram_eigenvalues(matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T)
    kept = values[values >= ZERO * values[-1]] if values[-1] > 0 else values[:0]
    if len(kept) < FEWEST:
        return np.nan
    logs = np.log(kept)
    return fit_from(logs, max(len(logs) - 1 - k, 0)).alpha if k else ks_alpha(logs)


def shuffled_alphas(
    matrix: NDArray[np.float64], repeats: int, rng: np.random.Generator, progress: Progress, k: int = 0
) -> NDArray[np.float64]:
    """Return α of ``repeats`` shuffles of a matrix, each at its own threshold or with ``k`` eigenvalues above."""
    found = np.empty(repeats)
    for b in range(repeats):
        found[b] = alpha_of(rng.permutation(matrix.ravel()).reshape(matrix.shape), k)
        progress.update(b + 1, repeats, "shuffling entries")
    return found


@dataclass(frozen=True)
class EdgeTest:
    """How far the largest eigenvalue stands beyond the edge of noise, and how many do."""

    statistic: float
    """(λ_max/s² − μ)/τ, in widths of the Tracy–Widom law."""
    p_value: float
    spikes: int
    """Eigenvalues beyond s²(μ + τ q), q the quantile of ``level``."""
    cut: float
    variance: float
    """s², the variance of the entries that the median eigenvalue asks for."""
    package_cut: float
    """The cut of ``weightwatcher``: the edge and the *square root* of the width, in units of WᵀW/N."""
    package_spikes: int


def edge_test(weights: ArrayLike, level: float = 0.95) -> EdgeTest:
    """Test a layer's largest eigenvalue against independent entries of one variance.

    The variance is the one whose Marchenko–Pastur law has the layer's median eigenvalue, so that spikes do not raise
    it. Holds for entries with four moments; heavy entries make spikes of their own (see :func:`noise_tail`).
    Raises ``ValueError`` as :func:`layer_spectrum`.

    >>> rng = np.random.default_rng(0)
    >>> spiked = rng.normal(size=(200, 100)) + 0.3 * np.outer(rng.normal(size=200), rng.normal(size=100))
    >>> edge_test(spiked).spikes
    1
    """
    matrix = layer_matrix("weights", weights)
    values, dropped = positive_eigenvalues(gram_eigenvalues(matrix), "the spectrum of weights")
    return edge_of(Spectrum(values, *matrix.shape, dropped), level)


def edge_of(spectrum: Spectrum, level: float = 0.95) -> EdgeTest:
    """Return the test for a spectrum that is known already."""
    quantile = tw1_quantile(checks.real("level", level, minimum=0.5, maximum=0.9999))
    values, rows, columns = spectrum.eigenvalues, spectrum.rows, spectrum.columns
    ratio = columns / rows
    everything = np.concatenate([np.zeros(spectrum.dropped), values])
    variance = float(np.median(everything)) / rows / float(mp_quantile(ratio, 0.5))
    if not variance > 0:
        raise ValueError(
            f"{spectrum.dropped} of {columns} eigenvalues are zero: more than half, so there is no median to learn the "
            "variance of the noise from"
        )
    centre, width = edge_scale(rows, columns)
    cut = variance * (centre + width * quantile)
    # In units of WᵀW/N, as the package has it: the square root is taken of a width that is far below one.
    package = rows * (variance * (1 + np.sqrt(ratio)) ** 2 + np.sqrt(variance * width / rows))
    statistic = (float(values[-1]) / variance - centre) / width
    return EdgeTest(
        statistic=statistic,
        p_value=max(1 - tw1_cdf(statistic), 0.0),
        spikes=int(np.sum(values > cut)),
        cut=cut,
        variance=variance,
        package_cut=float(package),
        package_spikes=int(np.sum(values > package)),
    )


@dataclass(frozen=True)
class MatrixError:
    """How far α moves for other rows of the matrix: the standard deviation, and the interval about the layer's α."""

    alpha: float
    sd: float
    low: float
    high: float
    halves: NDArray[np.float64]
    """(splits, 2) α of both halves of the rows; NaN where a half has fewer than 20 eigenvalues."""


def matrix_error(
    weights: ArrayLike,
    splits: int = 20,
    *,
    level: float = 0.95,
    seed: int | np.random.Generator = 0,
    progress: Progress | None = None,
) -> MatrixError:
    """Ask the matrix how far α would move if its rows (of the longer side) had been others.

    Rows are split into two halves at random; they share no row, so half the mean squared difference of their α is the
    variance of α from N/2 rows, and a quarter that from N. It needs no independence of *eigenvalues*, which repel each
    other, and takes rows for exchangeable. The halves are fitted at N/2 rows, where α itself is another: their
    difference is used, never their mean. Raises ``ValueError`` as :func:`layer_spectrum`, and where halves are too
    small. Cost: two eigenvalue problems a split.

    >>> rng = np.random.default_rng(0)
    >>> w = rng.normal(size=(400, 60)) * (1 - rng.random(60)) ** -0.33
    >>> found = matrix_error(w, 5)
    >>> found.low < found.alpha < found.high
    True
    """
    matrix = layer_matrix("weights", weights)
    if len(matrix) // 2 < FEWEST:
        raise ValueError(f"half of {len(matrix)} rows gives fewer than {FEWEST} eigenvalues; no error from halves")
    splits = checks.integer("splits", splits, minimum=1, maximum=MOST_REPEATS)
    level = checks.real("level", level, minimum=0.5, maximum=0.9999)
    halves = half_alphas(matrix, splits, checks.generator(seed), progress or Progress())
    return error_from_halves(alpha_of(matrix), halves, level)


def half_alphas(
    matrix: NDArray[np.float64], splits: int, rng: np.random.Generator, progress: Progress, k: int = 0
) -> NDArray[np.float64]:
    """Return α of both halves of the rows, (splits, 2), each at its own threshold or with ``k`` eigenvalues above."""
    found = np.empty((splits, 2))
    half = len(matrix) // 2
    for b in range(splits):
        order = rng.permutation(len(matrix))
        found[b] = alpha_of(matrix[order[:half]], k), alpha_of(matrix[order[half : 2 * half]], k)
        progress.update(b + 1, splits, "splitting rows")
    return found


def error_from_halves(alpha: float, halves: NDArray[np.float64], level: float) -> MatrixError:
    """Return the error of α that pairs of halves tell."""
    kept = halves[np.isfinite(halves).all(axis=1)]
    sd = float(np.sqrt(np.mean((kept[:, 0] - kept[:, 1]) ** 2) / 4)) if len(kept) else np.nan
    reach = float(norm.ppf((1 + level) / 2)) * sd
    return MatrixError(alpha, sd, alpha - reach, alpha + reach, halves)
