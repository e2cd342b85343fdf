"""A batch of covariance matrices looked at whole: its certified mean, six geometries, and what normalising it folds."""

import contextlib
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.progress import Progress
from workbench.transport.bures_mean import bures_mean, iterates, weights_of
from workbench.transport.gaussians import (
    Deformation,
    Matrices,
    bures_distance,
    bures_log,
    bures_transport,
    covariances,
    spectral,
    symmetric,
)
from workbench.transport.spd_metrics import SPD_METRICS, covariance_distance, covariance_geodesic, covariance_mean

SHORT_OF_FOLDING = 0.999
MOST_ENTRIES = 2_000_000
MOST_ITERATIONS = 400
PLACES = 21


@dataclass(frozen=True)
class Folding:
    """What multiplying tangent vectors at the mean by a factor does to a batch.

    ``roots`` (N, n) are the eigenvalues of I + k V_i/2, whose squares are those of the images: a matrix with a negative
    one is ``folded`` (N,). ``cap`` is the largest factor (times 0.999) that folds nothing, infinite if there is none.
    ``images`` (N, n, n) are the matrices (I + k V_i/2)².
    """

    roots: NDArray[np.float64]
    folded: NDArray[np.bool_]
    cap: float
    images: Matrices


def random_covariances(
    count: int = 30, n: int = 2, *, condition: float = 1e4, seed: int | np.random.Generator = 0
) -> Matrices:
    """Return ``count`` matrices (count, n, n) with log-uniform eigenvalues in [1/condition, 1] and random eigenvectors.

    >>> random_covariances(5, 3).shape
    (5, 3, 3)
    """
    count = checks.integer("count", count, minimum=1, maximum=100_000)
    n = checks.integer("n", n, minimum=1, maximum=512)
    condition = checks.real("condition", condition, minimum=1, maximum=1e14)
    _check_entries(count, n)
    rng = checks.generator(seed)
    frames, r = np.linalg.qr(rng.normal(size=(count, n, n)))
    frames = frames * np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None, :]
    values = condition ** -rng.random((count, n))
    return symmetric((frames * values[:, None, :]) @ np.swapaxes(frames, 1, 2))


def folding(
    x: ArrayLike,
    factor: float = 1.0,
    *,
    metric: ArrayLike | None = None,
    power: float = 1.0,
    mean: ArrayLike | None = None,
) -> Folding:
    """Return which of ``x`` (N, n, n) fold when their tangent vectors at the mean are multiplied by ``factor``.

    With V_i = Γ_{G→I}(Log_G X_i), an eigenvalue h of I + V_i/2 becomes 1 + k(h − 1); below zero the exponential folds
    it back, and the promise of batch normalisation (mean I, variance k²v²) is broken. ``metric`` (M) and ``power`` as
    in :func:`~workbench.transport.bures_distance`; ``mean`` is the mean of the deformed batch, computed if not given.
    Raises ``ValueError`` where the mean is singular: there is no map from it.

    >>> found = folding([[[0.01]], [[9.0]]])
    >>> found.roots.ravel().round(2).tolist(), found.folded.tolist(), round(found.cap, 5)
    ([-0.45, 2.45], [True, False], 0.68897)
    """
    x = covariances("x", x, ndim=3)
    factor = checks.real("factor", factor, minimum=0, maximum=1e6)
    chart = Deformation(metric, power, x.shape[-1])
    y = chart.factors(x)
    deformed = symmetric(y @ np.swapaxes(y, 1, 2))
    g = bures_mean(deformed).mean if mean is None else covariances("mean", mean, ndim=2)
    tangent = bures_transport(bures_log(g, deformed), g, np.eye(len(g)))
    values, vectors = np.linalg.eigh(tangent / 2)
    roots = 1 + factor * values
    least = float(values.min())
    cap = SHORT_OF_FOLDING / -least if least < 0 else np.inf
    images = (vectors * (roots**2)[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    return Folding(roots, roots[:, 0] < 0, cap, symmetric(images))


@results.experiment
def covariance_batch(
    x: ArrayLike | None = None,
    *,
    first: ArrayLike | None = None,
    second: ArrayLike | None = None,
    count: int = 30,
    n: int = 2,
    condition: float = 1e4,
    factor: float = 1.0,
    power: float = 1.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return a batch of covariance matrices with its means, the certified Bures mean step by step, and its folds.

    ``x`` (N, n, n) are matrices of one's own; without them ``count`` random ones of size ``n`` and ``condition``
    (:func:`random_covariances`). ``first`` and ``second`` are the ends of the geodesics, by default the first two
    matrices. ``factor`` is what batch normalisation multiplies tangent vectors by (s/σ), ``power`` the deformation p.

    The Dataset holds ``covariance`` and its ``normalised`` image (matrix, row, column), ``folded`` and ``least_root``
    (matrix), ``value`` and ``lower_bound`` of V over (iteration) for p-deformed Bures, ``one_step_value``,
    ``means`` (metric, row, column), ``path`` (metric, place, row, column) with its ``determinant`` and the squared
    ``distance`` of its ends (metric); NaN where a geometry does not take singular matrices, or its mean does not
    settle. Errors as :func:`~workbench.transport.bures_mean.bures_mean`; at most 2,000,000 entries. Cost: 20 ms at the
    defaults.

    Reference: arXiv 2504.00660.

    >>> ds = covariance_batch(count=10, factor=6)
    >>> bool(ds.best_bound <= ds.best_value <= ds.one_step_value), int(ds.folded.sum()) > 0
    (True, True)
    """
    progress = progress or Progress()
    if x is None:
        x = random_covariances(count, n, condition=condition, seed=seed)
    else:
        shape = np.shape(x)
        if len(shape) == 3:
            _check_entries(shape[0], shape[-1])
        x = covariances("x", x, ndim=3)
    factor = checks.real("factor", factor, minimum=0, maximum=1e6)
    size = x.shape[-1]
    chart = Deformation(None, power, size)
    ends = [
        covariances(name, x[min(k, len(x) - 1)] if given is None else given, ndim=2)
        for k, (name, given) in enumerate((("first", first), ("second", second)))
    ]
    if any(len(end) != size for end in ends):
        raise ValueError(f"first and second must be {size} × {size} like the batch, got {[end.shape for end in ends]}")
    progress.update(0, 3, "mean")
    y = chart.factors(x)
    values, bounds = _history(y, progress)
    exact = bures_mean(x, power=power, max_iterations=MOST_ITERATIONS)
    bounds[-1] = max(bounds[-1], exact.lower_bound)
    progress.update(1, 3, "geometries")
    mean, path, distance = _geometries(x, ends)
    progress.update(2, 3, "folds")
    deformed_mean = spectral(exact.mean, lambda v: np.maximum(v, 0) ** power) if power != 1 else exact.mean
    images, folded, least, cap = _folds(x, factor, power, deformed_mean)
    about_identity = float(np.mean(bures_distance(np.eye(size), symmetric(y @ np.swapaxes(y, 1, 2))))) / power**2
    progress.update(3, 3, "done")
    matrix = ("matrix", "row", "column")
    return results.dataset(
        {
            "covariance": (matrix, x, "covariance"),
            "normalised": (matrix, images, "covariance after normalisation"),
            "folded": (("matrix",), folded, "whether the matrix folds"),
            "least_root": (("matrix",), least, "least eigenvalue of I + kV/2"),
            "value": (("iteration",), values, "V(G), mean squared distance to the iterate"),
            "lower_bound": (("iteration",), bounds, "certified lower bound of V"),
            "best_value": ((), exact.value, "V at the mean"),
            "best_bound": ((), exact.lower_bound, "certified lower bound at the end"),
            "gap": ((), exact.gap, "certified gap at the end"),
            "one_step_value": ((), values[min(1, len(values) - 1)], "V after one step from the arithmetic mean"),
            "variance_about_identity": ((), about_identity, "mean squared distance to I"),
            "cap": ((), cap, "largest factor that folds nothing"),
            "means": (("metric", "row", "column"), mean, "mean of the batch"),
            "path": (("metric", "place", "row", "column"), path, "geodesic"),
            "determinant": (("metric", "place"), _determinants(path), "determinant along the geodesic"),
            "distance": (("metric",), distance, "squared distance of the ends"),
            "plane": (("row", "axis"), _plane(exact.mean), "directions in which ellipses are drawn"),
        },
        {
            "matrix": (("matrix",), np.arange(len(x)), "number of the matrix"),
            "row": (("row",), np.arange(size), "row"),
            "column": (("column",), np.arange(size), "column"),
            "axis": (("axis",), np.arange(min(size, 2)), "axis of the picture"),
            "iteration": (("iteration",), np.arange(len(values)), "iteration"),
            "metric": (("metric",), np.array(list(SPD_METRICS)), "geometry"),
            "place": (("place",), np.linspace(0, 1, PLACES), "place on the geodesic"),
        },
        {"factor": factor},
    )


def _check_entries(count: int, n: int) -> None:
    if count * n * n > MOST_ENTRIES:
        raise ValueError(
            f"{count} matrices of {n} × {n} have {count * n * n:,} entries; at most {MOST_ENTRIES:,} are taken. "
            "Give fewer matrices, or fewer channels"
        )


def _history(y: Matrices, progress: Progress) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return V and its lower bound at every iterate, from the arithmetic mean on."""
    values, bounds = [], []
    for found in iterates(y, weights_of(None, len(y))):
        values.append(found.value)
        bounds.append(max(found.value - max(found.gap, 0.0), 0.0))
        is_still = np.linalg.norm(found.next_factor - found.factor) <= 1e-14 * np.linalg.norm(found.factor)
        if found.gap <= 1e-12 * found.value or is_still or len(values) >= MOST_ITERATIONS:
            return np.array(values), np.array(bounds)
        if len(values) % 20 == 0:
            progress.update(0, 3, f"mean, step {len(values)}")
    raise AssertionError("the iteration has no end of its own")


def _geometries(x: Matrices, ends: list[Matrices]) -> tuple[NDArray, NDArray, NDArray]:
    """Return the mean, the path and the squared distance in every geometry; NaN where it takes no singular matrix."""
    size, places = x.shape[-1], np.linspace(0, 1, PLACES)
    mean = np.full((len(SPD_METRICS), size, size), np.nan)
    path = np.full((len(SPD_METRICS), PLACES, size, size), np.nan)
    distance = np.full(len(SPD_METRICS), np.nan)
    for k, (name, entry) in enumerate(SPD_METRICS.items()):
        if entry.fact("singular") or _is_definite(x):
            with contextlib.suppress(RuntimeError):  # rounding may keep the affine mean from settling above 1e8
                mean[k] = covariance_mean(x, metric=name)
        if entry.fact("singular") or _is_definite(np.stack(ends)):
            path[k] = covariance_geodesic(*ends, places, metric=name)
            distance[k] = covariance_distance(*ends, metric=name)
    return mean, path, distance


def _is_definite(x: Matrices) -> bool:
    values = np.linalg.eigvalsh(x)
    return bool(np.all(values[:, 0] > 4e-16 * x.shape[-1] * values[:, -1]))


def _folds(x: Matrices, factor: float, power: float, mean: Matrices) -> tuple[NDArray, NDArray, NDArray, float]:
    """Return images, folds, least roots and cap; NaN and no folds at a singular mean, from which there is no map."""
    if not _is_definite(mean[None]):
        return np.full_like(x, np.nan), np.zeros(len(x), bool), np.full(len(x), np.nan), np.nan
    found = folding(x, factor, power=power, mean=mean)
    return found.images, found.folded, found.roots[:, 0], found.cap


def _determinants(path: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.isfinite(path).all(axis=(2, 3))
    found = np.full(known.shape, np.nan)
    found[known] = np.linalg.det(path[known])
    return found


def _plane(mean: Matrices) -> NDArray[np.float64]:
    """Return the two leading eigenvectors of the mean as columns (n, 2); the axes themselves in the plane."""
    if len(mean) <= 2:
        return np.eye(len(mean))
    return np.linalg.eigh(mean)[1][:, :-3:-1].copy()
