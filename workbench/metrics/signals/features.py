"""The distance of many points at the price of few: a feature vector for each, whose differences are the distances.

IEM(x₁, x₂) = ‖F(x₁) − F(x₂)‖ with F(x) = √(weights) · (x̂ − z) over all nodes of SNR and noise. N points need N passes
through the mixture, not N², and whatever is known of Euclidean space holds: the triangle inequality, k-means, nearest
neighbours, classical scaling; IEM² is of negative type, and exp(−c IEM²) a positive-definite kernel.
"""

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.metrics.signals.kernels import scaled_scores
from workbench.metrics.signals.mixture import Mixture, checked, checked_snr, needs_width
from workbench.metrics.signals.rules import DEFAULT_NODES, Rule, halved, rule
from workbench.parallel import for_each
from workbench.progress import Progress

Floats = NDArray[np.float64]
MOST_POINTS = 20_000
BLOCK = 32
"""Points in one task."""
SMALL = 200_000
"""Entries of a block below which its work, two milliseconds, is not worth the start of threads."""
DEFAULT_MATRIX_SAMPLES = 256


def iem_features(
    density: Mixture,
    points: ArrayLike,
    *,
    snr: float = np.inf,
    nodes: int = DEFAULT_NODES,
    step: float | None = None,
    samples: int = DEFAULT_MATRIX_SAMPLES,
    seed: int = 0,
    progress: Progress | None = None,
) -> Floats:
    """Return feature vectors (n, f) whose Euclidean distances are IEM distances of the ``points`` (n, d).

    f = nodes · m · d with m noise nodes: for d ≤ 2 a grid of ``step`` (0.1 in one dimension: 179 nodes; 0.4 in two:
    1,500), above ``samples`` Sobol points. Hand them to whatever works with Euclidean vectors. Raises ``ValueError``
    for points that do not fit the density, and where they would not fit in memory. Cost: n · nodes · m evaluations of
    0.1 to 5 µs.

    >>> bumps = Mixture([0.5, 0.5], [-2.0, 2.0], [0.25, 0.25])
    >>> a, b = iem_features(bumps, [-0.25, 0.25])
    >>> round(float(np.linalg.norm(a - b)), 4)
    3.4426
    """
    density, places, snr = prepared(density, points, snr)
    made = rule(density, snr=snr, nodes=nodes, step=step, samples=samples, seed=seed)
    count, m, d = len(made.snr.snr), len(made.noise.noise), density.dimension
    checks.memory(8.0 * len(places) * count * m * d * 1.2, "the feature vectors")
    features = np.empty((len(places), count, m, d))

    def keep(j: int, block: Floats) -> None:
        features[:, j] = block

    by_snr(density, places, made, keep, progress or Progress())
    return features.reshape(len(places), -1)


@results.experiment
def iem_matrix(
    density: Mixture,
    points: ArrayLike,
    *,
    snr: float = np.inf,
    nodes: int = DEFAULT_NODES,
    step: float | None = None,
    samples: int = DEFAULT_MATRIX_SAMPLES,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return the distances of all pairs of ``points`` (n, d) with their errors, and the points on a map.

    ``distance`` and ``error`` (point, other): for d ≤ 2 the change when both rules are halved, above the standard error
    over 16 scrambles of the noise. ``place`` (point, axis) is classical scaling, exact up to what ``explained`` says
    the two axes carry, since the distance is Euclidean in feature space. ``euclidean`` and ``log_density`` stand
    beside. Cost: that of :func:`iem_features`, memory for one SNR at a time and 3 n² numbers.

    >>> bumps = Mixture([0.5, 0.5], [-2.0, 2.0], [0.25, 0.25])
    >>> found = iem_matrix(bumps, [-2.0, -0.25, 0.25, 2.0])
    >>> found.distance.values.round(3)[1].tolist()
    [2.908, 0.0, 3.443, 2.979]
    """
    density, places, snr = prepared(density, points, snr)
    squared, error = squared_distances(
        density, places, snr=snr, nodes=nodes, step=step, samples=samples, seed=seed, progress=progress or Progress()
    )
    return matrix_dataset(density, places, squared, error)


def matrix_dataset(density: Mixture, places: Floats, squared: Floats, error: Floats) -> xr.Dataset:
    """Return squared distances (n, n) of the ``places`` (n, d) and their errors as :func:`iem_matrix` tells them."""
    distance = np.sqrt(squared)
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.where(distance > 0, error / (2 * distance), 0.0)
    place, explained = scaled(squared)
    both = ("point", "other")
    number = np.arange(len(places))
    flat = density.least_variance == 0
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    return results.dataset(
        {
            "distance": (both, distance, "information-estimation distance"),
            "error": (both, np.minimum(errors, np.sqrt(error)), "its error"),
            "euclidean": (both, apart, "Euclidean distance", "x"),
            "place": (("point", "axis"), place, "place on the map"),
            "explained": (("axis",), explained, "share of the squared distances that the axis carries"),
            "log_density": (
                ("point",),
                np.full(len(places), np.nan) if flat else density.log_density(places),
                "log density",
            ),
            "surprise": (("point",), density.surprise(places), "standard deviations from the nearest component"),
        },
        {
            "point": (("point",), number, "point"),
            "other": (("other",), number, "point"),
            "axis": (("axis",), np.array([1, 2]), "axis of the map"),
        },
    )


def squared_distances(
    density: Mixture,
    places: Floats,
    *,
    snr: float,
    nodes: int = DEFAULT_NODES,
    step: float | None = None,
    samples: int = DEFAULT_MATRIX_SAMPLES,
    seed: int | np.random.Generator = 0,
    progress: Progress | None = None,
    early: Callable[[Floats], None] | None = None,
) -> tuple[Floats, Floats]:
    """Return squared distances of all pairs (n, n) and their errors.

    ``early`` is handed the squared distances of a rule of an eighth of the cost, good to some percent, before the rest.
    """
    progress = progress or Progress()
    checks.memory(40.0 * len(places) ** 2, "the matrix of distances")
    if density.dimension <= 2:
        coarse = _pairs(density, places, halved(density, snr, nodes, step), progress)[0]
        if early is not None:
            early(coarse)
        made = rule(density, snr=snr, nodes=nodes, step=step)
        squared = _pairs(density, places, made, progress)[0]
        return squared, np.abs(squared - coarse)
    if early is not None:
        early(_pairs(density, places, rule(density, snr=snr, nodes=max(nodes // 2, 2), samples=1), progress)[0])
    made = rule(density, snr=snr, nodes=nodes, samples=samples, seed=seed)
    parts = _pairs(density, places, made, progress, apart=True)
    return parts.mean(axis=0), parts.std(axis=0, ddof=1) / np.sqrt(len(parts))


def distances_from(density: Mixture, origin: Floats, places: Floats, made: Rule, progress: Progress) -> Floats:
    """Return the distances of all ``places`` (n, d) from ``origin`` (d,), (n,), by one rule."""
    squared = np.zeros(len(places))

    def add(_: int, block: Floats) -> None:
        squared[:] += np.square(block[1:] - block[:1]).sum(axis=(1, 2))

    by_snr(density, np.concatenate([origin[None], places]), made, add, progress)
    return np.sqrt(squared)


def by_snr(density: Mixture, places: Floats, made: Rule, take: Callable[..., None], progress: Progress) -> None:
    """Call ``take(j, features)`` for every SNR node j, with the features (n, m, d) of all points there."""
    projected = density.projected(places)
    turned = density.turned(made.noise.noise)
    block = np.empty((len(places), len(made.noise.noise), density.dimension))
    roots = np.sqrt(made.noise.weights)[:, None]
    for j, (sigma, weight) in enumerate(zip(made.snr.sigma, made.snr.weights, strict=True)):
        log_weights, inverse = density.blurred(sigma)

        def work(
            start: int, sigma: float = sigma, log_weights: Floats = log_weights, inverse: Floats = inverse
        ) -> None:
            mine = slice(start, start + BLOCK)
            scaled_scores(
                projected[mine], turned, sigma, log_weights, inverse, density.rows, sigma * sigma, block[mine]
            )

        starts = range(0, len(places), BLOCK)
        if block.size * density.components < SMALL:
            for start in starts:
                work(start)
            progress.update(j, len(made.snr.snr), "features")
        else:
            for_each(work, starts, progress, done=j * len(starts), total=len(starts) * len(made.snr.snr),
                     message="features")  # fmt: skip
        take(j, block * (roots * np.sqrt(weight)))


def scaled(squared: Floats) -> tuple[Floats, Floats]:
    """Return classical scaling of squared distances (n, n): places (n, 2), and the share that each axis carries."""
    n = len(squared)
    rows = squared.mean(axis=0)
    gram = -(squared - rows[:, None] - rows[None] + rows.mean()) / 2
    values, vectors = np.linalg.eigh(gram)
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    total = values.sum()
    place = np.zeros((n, 2))
    explained = np.zeros(2)
    for axis in range(min(2, n)):
        column = vectors[:, axis]
        sign = np.sign(column[np.argmax(np.abs(column))]) or 1.0  # so that a map does not turn round by chance
        place[:, axis] = sign * column * np.sqrt(values[axis])
        explained[axis] = values[axis] / total if total > 0 else 0.0
    return place, explained


def prepared(density: Mixture, points: ArrayLike, snr: float) -> tuple[Mixture, Floats, float]:
    """Return checked arguments."""
    density = checked(density)
    places = density.points("points", points)
    if len(places) > MOST_POINTS:
        raise ValueError(f"{len(places):,} points; up to {MOST_POINTS:,} are taken: give a sample of them")
    snr = checked_snr(snr)
    needs_width(density, snr)
    return density, places, snr


def _pairs(density: Mixture, places: Floats, made: Rule, progress: Progress, *, apart: bool = False) -> Floats:
    """Return squared distances (s, n, n) of all pairs: of each scramble on its own if ``apart``, else s = 1."""
    n = len(places)
    scrambles = int(made.noise.scramble.max()) + 1 if apart else 1
    squared = np.zeros((scrambles, n, n))
    m = len(made.noise.noise) // scrambles  # scrambles lie one after the other and are of one size

    def add(_: int, block: Floats) -> None:
        for s in range(scrambles):
            mine = block[:, s * m : (s + 1) * m].reshape(n, -1)
            mine = mine - mine.mean(axis=0)  # what all share would only cost digits
            gram = mine @ mine.T
            diagonal = np.diag(gram)
            squared[s] += scrambles * (diagonal[:, None] + diagonal[None] - 2 * gram)

    by_snr(density, places, made, add, progress)
    np.maximum(squared, 0, out=squared)
    squared[:, np.arange(n), np.arange(n)] = 0
    return squared
