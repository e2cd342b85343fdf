"""Photographs under the metric: a mixture of their small patches, and what it makes of equal errors of seven kinds.

No human judged anything here. The density is a Gaussian mixture of grey 8 × 8 patches; the distance of two pictures is
the root of the mean of IEM² over the patches that tile them. SSIM stands beside; it is no human either.
"""

import functools

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, data, results
from workbench.clouds.real_data import PHOTOGRAPHS, photograph
from workbench.metrics.signals.features import by_snr
from workbench.metrics.signals.fitting import mixture_of
from workbench.metrics.signals.mixture import Mixture, checked
from workbench.metrics.signals.pictures import DISTORTIONS, LUMA, as_grey, distorted, patches, ssim
from workbench.metrics.signals.rules import rule
from workbench.progress import Progress

Floats = NDArray[np.float64]
PATCH = 8
CROP = 64
MOST_SIDE = 256
LEAST_CONTRAST = 0.1
"""Standard deviation of a crop's values; flatter ones cannot lose enough contrast."""
PATCHES_FILE = "metrics/signals_patches.nc"


def grey_photograph(name: str) -> Floats:
    """Return one of scikit-learn's two photographs, "china" or "flower", as grey values in [0, 1]."""
    return photograph(name) @ LUMA


def training_patches(count: int = 6000, *, seed: int = 0) -> Floats:
    """Return random 8 × 8 patches of the left halves of both photographs, (count, 64); the right halves stay unseen."""
    rng = checks.generator(seed)
    found = []
    for name in PHOTOGRAPHS:
        half = grey_photograph(name)[:, : grey_photograph(name).shape[1] // 2]
        every = patches(half, PATCH, 3)
        found.append(every[rng.choice(len(every), count // 2, replace=False)])
    return np.concatenate(found)


@functools.cache
def photograph_mixture() -> Mixture:
    """Return the shipped mixture of eight components, fitted to 6,000 patches of the left halves of two photographs.

    The floor under its variances is what rounding to 8 bits hides, (1/255)²/12.

    >>> photograph_mixture()
    Mixture(8 components in 64 dimensions)
    """
    return mixture_of(data.result(PATCHES_FILE))


def unseen_crops(count: int = 4) -> list[Floats]:
    """Return 64 × 64 crops of the right halves of both photographs, in turn: the first on a grid that are not flat.

    >>> [crop.shape for crop in unseen_crops(2)]
    [(64, 64), (64, 64)]
    """
    found: list[list[Floats]] = []
    for name in PHOTOGRAPHS:
        grey = grey_photograph(name)
        corners = [(r, c) for r in range(40, 340, 75) for c in range(grey.shape[1] // 2 + 30, grey.shape[1] - 64, 75)]
        crops = [grey[r : r + CROP, c : c + CROP] for r, c in corners]
        found.append([crop for crop in crops if crop.std() > LEAST_CONTRAST])
    return [found[k % 2][k // 2] for k in range(count)]


def picture_distances(
    density: Mixture, original: Floats, others: list[Floats], *, nodes: int = 20, samples: int = 64, seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Return the distances of pictures from an original, (k,), and the standard errors over 16 scrambles of noise.

    All are (h, w) in [0, 1]; whole patches of 8 × 8 are compared, what remains at the edges is left out.
    """
    stacks = [patches(x, PATCH) for x in (original, *others)]
    n = len(stacks[0])
    made = rule(density, nodes=nodes, samples=samples, seed=seed)
    scrambles = int(made.noise.scramble.max()) + 1
    each = len(made.noise.noise) // scrambles
    totals = np.zeros((scrambles, len(others)))

    def add(_: int, block: Floats) -> None:
        for k in range(len(others)):
            square = np.square(block[(k + 1) * n : (k + 2) * n] - block[:n]).sum(axis=(0, 2)) / n
            totals[:, k] += scrambles * square.reshape(scrambles, each).sum(axis=1)

    by_snr(density, np.concatenate(stacks), made, add, progress or Progress())
    squared = totals.mean(axis=0)
    error = totals.std(axis=0, ddof=1) / np.sqrt(scrambles)
    distance = np.sqrt(squared)
    return distance, error / (2 * np.maximum(distance, 1e-300))


@results.experiment
def photograph_study(
    picture: ArrayLike | str | bytes | None = None,
    *,
    density: Mixture | None = None,
    rmse: float = 0.04,
    crops: int = 1,
    samples: int = 64,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return what the metric and SSIM make of seven distortions of equal RMSE, of unseen crops or of one's own picture.

    ``picture``: a PNG or JPEG, or an array as :func:`as_grey` takes it; its middle square of up to 256 pixels is used.
    None takes ``crops`` unseen crops of 64 × 64 pixels of scikit-learn's photographs. ``density`` is over patches of
    64 values in [0, 1], by default the shipped one. Over distortion: ``iem`` and ``iem_error`` (per patch), ``ssim``,
    ``rmse`` and ``blended``, the share of the distortion mixed in; ``image`` (distortion, row, column) of the first
    crop, the original first. The attribute ``reading`` says how the picture and its range were read.
    Cost: 64 patches a crop of 64 × 64, times eight, 3 ms each at 64 samples.
    """
    density = photograph_mixture() if density is None else checked(density)
    if density.dimension != PATCH**2:
        raise ValueError(f"the density has {density.dimension} dimensions; pictures need one over 8 × 8 patches, 64")
    rmse = checks.real("rmse", rmse, minimum=1e-4, maximum=0.3)
    crops = checks.integer("crops", crops, minimum=1, maximum=6)
    samples = checks.integer("samples", samples, minimum=16, maximum=4096)
    progress = progress or Progress()
    if picture is None:
        originals, reading = unseen_crops(crops), "unseen parts of scikit-learn's photographs, range 0…1, grey"
    else:
        found = as_grey(picture)
        originals, reading = [_middle(found.values)], found.sentence
    rngs = checks.generator(seed).spawn(len(originals))
    names = list(DISTORTIONS)
    distance, error, similarity, blended = (np.zeros((len(originals), len(names))) for _ in range(4))
    shown = []
    for c, (original, rng) in enumerate(zip(originals, rngs, strict=True)):
        progress.update(c, len(originals), "distorting")
        made = [distorted(original, name, rmse, seed=rng) for name in names]
        blended[c] = [share for _, share in made]
        spoiled = [values for values, _ in made]
        distance[c], error[c] = picture_distances(
            density, original, spoiled, samples=samples, seed=seed, progress=progress if len(originals) == 1 else None
        )
        similarity[c] = [ssim(original, x) for x in spoiled]
        shown = shown or [original, *spoiled]
    images = np.array(shown)
    count = len(originals)
    over_crops = distance.std(axis=0, ddof=1) / np.sqrt(count) if count > 1 else np.full(len(names), np.nan)
    one = ("distortion",)
    return results.dataset(
        {
            "iem": (one, distance.mean(axis=0), "information-estimation distance per patch"),
            "iem_error": (one, np.sqrt((error**2).sum(axis=0)) / count, "standard error of its noise"),
            "iem_spread": (one, over_crops, "standard error over crops"),
            "ssim": (one, similarity.mean(axis=0), "structural similarity"),
            "rmse": (one, np.full(len(names), rmse), "root mean squared change"),
            "blended": (one, blended.mean(axis=0), "share of the distortion mixed in"),
            "label": (one, np.array([DISTORTIONS[name].label for name in names]), "what was done"),
            "image": (("shown", "row", "column"), images.astype(np.float32), "grey values", "1"),
        },
        {
            "distortion": (one, np.array(names), "distortion"),
            "shown": (("shown",), np.array(["original", *names]), "picture"),
            "row": (("row",), np.arange(images.shape[1]), "row", "pixel"),
            "column": (("column",), np.arange(images.shape[2]), "column", "pixel"),
        },
        {"reading": reading, "patches": int(count * (images.shape[1] // PATCH) * (images.shape[2] // PATCH))},
    )


@results.experiment
def masking_study(
    *, count: int = 300, rmse: float = 0.02, samples: int = 64, seed: int = 0, progress: Progress | None = None
) -> xr.Dataset:
    """Return what equal white noise costs on patches of rising contrast: ``iem`` and ``contrast`` (patch,).

    ``count`` unseen patches; textbooks say that texture hides noise. Cost: 6 ms a patch at 64 samples.
    """
    count = checks.integer("count", count, minimum=8, maximum=5000)
    rmse = checks.real("rmse", rmse, minimum=1e-4, maximum=0.3)
    rng = checks.generator(seed)
    density = photograph_mixture()
    every = np.concatenate([
        patches(grey[:, grey.shape[1] // 2 :], PATCH, 5) for grey in map(grey_photograph, PHOTOGRAPHS)
    ])  # fmt: skip
    chosen = every[rng.choice(len(every), count, replace=False)]
    noise = rng.normal(size=chosen.shape)
    noise *= rmse / np.sqrt(np.mean(noise**2, axis=1, keepdims=True))
    made = rule(density, nodes=20, samples=samples, seed=rng)
    squared = np.zeros(count)

    def add(_: int, block: Floats) -> None:
        squared[:] += np.square(block[count:] - block[:count]).sum(axis=(1, 2))

    by_snr(density, np.concatenate([chosen, chosen + noise]), made, add, progress or Progress())
    return results.dataset(
        {
            "iem": (("patch",), np.sqrt(squared), "information-estimation distance of the noisy patch"),
            "contrast": (("patch",), chosen.std(axis=1), "standard deviation of the patch"),
        },
        {"patch": (("patch",), np.arange(count), "patch")},
    )


def _middle(values: Floats) -> Floats:
    """Return the middle square of a picture, of up to 256 pixels and a whole number of patches."""
    side = min(*values.shape, MOST_SIDE) // PATCH * PATCH
    if side < 16:
        raise ValueError(f"the picture has {values.shape[0]} × {values.shape[1]} pixels; at least 16 × 16 are needed")
    top, left = (values.shape[0] - side) // 2, (values.shape[1] - side) // 2
    return values[top : top + side, left : left + side]
