"""Are the error bars right? Formulas against the spread over many samples, and how often the intervals hold."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import ndtr

from workbench import checks, results
from workbench.metrics.rankings.errors import ap_variance, auroc_variance, interval
from workbench.metrics.rankings.inputs import sample
from workbench.metrics.rankings.levels import levels
from workbench.metrics.rankings.resampling import bootstrap
from workbench.metrics.rankings.scores import auroc, average_precision
from workbench.progress import Progress

MOST_ITEMS, MOST_SAMPLES = 200_000, 20_000
METRICS = ("auroc", "ap")


def binormal_truth(prevalence: float, separation: float) -> tuple[float, float]:
    """Return AUROC and AP of endless samples of two normal distributions ``separation`` apart.

    AUROC = Φ(d/√2); AP = E₊[π TPR/(π TPR + (1 − π) FPR)] at the positives' scores, by quadrature.

    >>> [round(value, 4) for value in binormal_truth(0.05, 1.8)]
    [0.8985, 0.4559]
    """

    def weighed(z: float) -> float:
        true, false = prevalence * ndtr(separation - z), (1 - prevalence) * ndtr(-z)
        return true / (true + false) * np.exp(-0.5 * (z - separation) ** 2) / np.sqrt(2 * np.pi)

    value, _ = quad(weighed, separation - 9, separation + 9, epsabs=1e-12, limit=200)
    return float(ndtr(separation / np.sqrt(2))), float(value)


def _draw(size: int, prevalence: float, separation: float, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
    """Return labels and scores of independent items, at least two of each class: the number of positives varies."""
    while True:
        y = rng.random(size) < prevalence
        if 2 <= np.count_nonzero(y) <= size - 2:
            return y, rng.normal(size=size) + separation * y


@results.experiment
def interval_study(
    sizes: Sequence[int] = (200, 2000, 20_000),
    *,
    prevalence: float = 0.05,
    separation: float = 1.8,
    samples: int = 300,
    replicates: int = 500,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Draw ``samples`` binormal rankings of each size and hold formulas for the errors against their spread.

    Items are independent, so the number of positives varies as well: a formula for AP's error counts that in.
    Returns over (metric, size): the mean standard error by formula, the standard deviation over samples with its own
    standard error, that of one sample's bootstrap, the share of 95 % intervals that hold the value of endless samples
    (its binomial error beside it), and that value. Raises ``ValueError`` for sizes that leave fewer than four
    of a class. Cost: samples × size × 0.2 µs, and one bootstrap a size.
    """
    progress = progress or Progress()
    sizes = [checks.integer("size", size, minimum=40, maximum=MOST_ITEMS) for size in sizes]
    prevalence = checks.real("prevalence", prevalence, minimum=0.001, maximum=0.999)
    separation = checks.real("separation", separation, minimum=-8, maximum=8)
    rarest = min(sizes, default=0) * min(prevalence, 1 - prevalence)
    if rarest < 4:
        raise ValueError(
            f"a sample of {min(sizes, default=0)} items has about {rarest:.1f} of the rarer class; give at least 4: a "
            "larger size, or a prevalence nearer to 0.5"
        )
    samples = checks.integer("samples", samples, minimum=10, maximum=MOST_SAMPLES)
    streams = checks.generator(seed).spawn(len(sizes))
    truth = binormal_truth(prevalence, separation)
    values, errors, held = (np.empty((2, len(sizes), samples)) for _ in range(3))
    resampled = np.empty((2, len(sizes)))
    for j, (size, rng) in enumerate(zip(sizes, streams, strict=True)):
        for k in range(samples):
            progress.update(j * samples + k, len(sizes) * samples, f"samples of {size}")
            y, scores = _draw(size, prevalence, separation, rng)
            found = levels(sample(y, scores))
            for i, (score, variance) in enumerate(((auroc, auroc_variance), (average_precision, ap_variance))):
                values[i, j, k] = score(found)
                errors[i, j, k] = np.sqrt(variance(found))
                low, high = interval(values[i, j, k], errors[i, j, k] ** 2)
                held[i, j, k] = low <= truth[i] <= high
        again = bootstrap(y, scores, replicates, seed=j)
        resampled[:, j] = float(again.auroc_sd), float(again.ap_sd)
    progress.update(1, 1, "done")
    dims = ("metric", "size")
    deviation, share = values.std(2, ddof=1), held.mean(2)
    return results.dataset(
        {
            "formula": (dims, errors.mean(2), "mean standard error by formula"),
            "deviation": (dims, deviation, "standard deviation over samples"),
            "deviation_error": (dims, deviation / np.sqrt(2 * (samples - 1)), "its standard error"),
            "resampled": (dims, resampled, "bootstrap of the last sample"),
            "coverage": (dims, share, "share of 95 % intervals that hold the truth"),
            "coverage_error": (dims, np.sqrt(share * (1 - share) / samples), "its standard error"),
            "mean": (dims, values.mean(2), "mean over samples"),
            "truth": (("metric",), np.array(truth), "value of endless samples"),
            "positives": (
                ("size",),
                np.array([round(size * prevalence) for size in sizes]),
                "positives expected in a sample",
            ),
        },
        {
            "metric": (("metric",), np.array(METRICS), "ranking score"),
            "size": (("size",), np.array(sizes), "items in a sample"),
        },
    )
