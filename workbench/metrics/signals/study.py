"""Is it a good distance for recognition? Nearest neighbours of handwritten digits, with intervals."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench import checks, results
from workbench.metrics.signals.features import squared_distances
from workbench.metrics.signals.mixture import Mixture
from workbench.metrics.signals.yardsticks import euclidean, mahalanobis
from workbench.progress import Progress

Floats = NDArray[np.float64]
FLOOR = (1 / 16) ** 2 / 12
"""Variance of what the digits' 17 grey levels hide, in [0, 1]; some of their pixels are constant."""


@results.experiment
def recognition_study(
    *,
    snrs: Sequence[float] = (10.0, 100.0, 1000.0),
    known: int = 600,
    asked: int = 400,
    components: int = 16,
    samples: int = 64,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return how well the nearest of ``known`` digits names ``asked`` others, by distances that see no label.

    scikit-learn's 8 × 8 digits in [0, 1]. The mixture is fitted to the known ones. Over ``distance`` (Euclidean,
    Mahalanobis, IEM up to each of ``snrs``): ``accuracy``, ``accuracy_error`` (binomial), ``triplets``, the share of
    triplets in which the same digit is nearer than another, and ``gain`` over Euclid with the standard error of the
    paired difference. Cost: (known + asked) · 24 · samples evaluations for each SNR: 20 s.
    """
    from sklearn.datasets import load_digits

    known = checks.integer("known", known, minimum=50, maximum=1200)
    asked = checks.integer("asked", asked, minimum=20, maximum=1797 - known)
    components = checks.integer("components", components, minimum=1, maximum=64)
    snrs = tuple(checks.real("snr", snr, exclusive_minimum=0, maximum=1e6) for snr in snrs)
    progress = progress or Progress()
    images, labels = load_digits(return_X_y=True)
    order = checks.generator(seed).permutation(len(labels))[: known + asked]
    images, labels = images[order] / 16, labels[order]
    density = Mixture.fit(images[:known], components, floor=FLOOR, seed=seed)
    names = ["Euclidean", "Mahalanobis", *(f"IEM up to SNR {snr:g}" for snr in snrs)]
    squares = [euclidean(density, images), mahalanobis(density, images)]
    for snr in snrs:
        squares.append(squared_distances(density, images, snr=snr, samples=samples, seed=seed, progress=progress)[0])
    right, triplets = [], []
    for square in squares:
        block = square[known:, :known]
        right.append(labels[block.argmin(axis=1)] == labels[known:])
        triplets.append(_triplets(block, labels[known:], labels[:known]))
    right = np.array(right, dtype=float)
    accuracy = right.mean(axis=1)
    gain = right - right[0]
    one = ("distance",)
    return results.dataset(
        {
            "accuracy": (one, accuracy, "share of digits whose nearest neighbour is the same digit"),
            "accuracy_error": (one, np.sqrt(accuracy * (1 - accuracy) / asked), "its standard error"),
            "gain": (one, gain.mean(axis=1), "accuracy minus that of Euclid"),
            "gain_error": (one, gain.std(axis=1, ddof=1) / np.sqrt(asked), "standard error of the paired difference"),
            "triplets": (one, np.array(triplets), "share of triplets with the same digit nearer"),
        },
        {"distance": (one, np.array(names), "distance")},
        {"known": known, "asked": asked, "components": components},
    )


def _triplets(square: Floats, asked: NDArray, known: NDArray) -> float:
    """Return the mean over the asked of the share of (same, other) pairs with the same digit nearer."""
    shares = []
    for row, label in zip(square, asked, strict=True):
        same, other = np.sort(row[known == label]), np.sort(row[known != label])
        if len(same) and len(other):
            shares.append(1 - np.searchsorted(other, same).mean() / len(other))
    return float(np.mean(shares))
