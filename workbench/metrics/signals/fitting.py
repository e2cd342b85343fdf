"""A mixture fitted to one's own points, stored as a result, and points read from a file."""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from workbench import checks, results
from workbench.clouds.files import DEFAULT_LIMIT, Reading, Source, read_cloud
from workbench.metrics.signals.mixture import MOST_COMPONENTS, Mixture
from workbench.progress import Progress

MOST_FITTED = 200_000


@results.experiment
def fit_mixture(
    points: ArrayLike,
    *,
    components: int | tuple[int, ...] = (1, 2, 3, 4, 6, 8),
    floor: float | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return the Gaussian mixture that fits ``points`` (n, d) best: ``weights``, ``means`` and ``covariances``.

    ``components`` is a number, or several of which the least held-out surprise chooses: every fifth point is kept out
    of the fit, and ``held_out`` (tried,) is the mean of −log p over those, with ``held_out_error``. The chosen one is
    fitted again to all points. :func:`mixture_of` makes it a density again. Raises ``ValueError`` for fewer
    than five points a component. Cost: seconds for 10,000 points in ten dimensions.

    >>> rng = np.random.default_rng(0)
    >>> sides = np.where(rng.random(500) < 0.5, -3.0, 3.0)
    >>> fit_mixture((sides + rng.normal(size=500))[:, None], components=(1, 2)).sizes["component"]
    2
    """
    points = checks.finite_array("points", points, ndim=(1, 2))
    points = points[:, None] if points.ndim == 1 else points
    tried = (components,) if isinstance(components, (int, np.integer)) else tuple(components)
    tried = tuple(checks.integer("components", k, minimum=1, maximum=MOST_COMPONENTS) for k in tried)
    if len(points) > MOST_FITTED:
        raise ValueError(f"{len(points):,} points; up to {MOST_FITTED:,} are fitted: give a sample of them")
    tried = tuple(k for k in tried if 5 * k <= len(points)) or ()
    if not tried:
        raise ValueError(f"{len(points)} points are fewer than five for each component; give more points")
    progress = progress or Progress()
    kept = np.arange(len(points)) % 5 != 0
    held, error = np.full(len(tried), np.nan), np.full(len(tried), np.nan)
    for t, k in enumerate(tried):
        progress.update(t, len(tried) + 1, f"{k} components")
        if len(tried) > 1 or len(points) >= 10:
            surprise = -Mixture.fit(points[kept], k, floor=floor, seed=seed).log_density(points[~kept])
            held[t], error[t] = (
                surprise.mean(),
                surprise.std(ddof=1) / np.sqrt(len(surprise)) if len(surprise) > 1 else 0,
            )
    best = tried[int(np.nanargmin(held))] if np.isfinite(held).any() else tried[0]
    found = Mixture.fit(points, best, floor=floor, seed=seed)
    progress.update(1, 1, "done")
    return as_dataset(found, {"tried": (("tried",), np.array(tried), "components tried")}, {
        "held_out": (("tried",), held, "mean of −log p over points kept out of the fit"),
        "held_out_error": (("tried",), error, "its standard error"),
    })  # fmt: skip


def as_dataset(density: Mixture, coordinates: dict | None = None, variables: dict | None = None) -> xr.Dataset:
    """Return a mixture as a result."""
    axis = np.arange(1, density.dimension + 1)
    return results.dataset(
        {
            "weights": (("component",), density.weights, "weights"),
            "means": (("component", "row"), density.means, "means", "x"),
            "covariances": (("component", "row", "column"), density.covariances, "covariances", "x²"),
            **(variables or {}),
        },
        {
            "component": (("component",), np.arange(density.components), "component"),
            "row": (("row",), axis, "coordinate"),
            "column": (("column",), axis, "coordinate"),
            **(coordinates or {}),
        },
    )


def mixture_of(ds: xr.Dataset) -> Mixture:
    """Return the mixture that a result of :func:`fit_mixture` holds; ``ValueError`` if it holds none."""
    missing = [name for name in ("weights", "means", "covariances") if name not in ds]
    if missing:
        raise ValueError(f"this result is no mixture: it lacks {', '.join(missing)}")
    weights = np.asarray(ds.weights.values, dtype=float)
    matrices = np.asarray(ds.covariances.values, dtype=float)
    matrices = (matrices + matrices.transpose(0, 2, 1)) / 2 if matrices.ndim == 3 else matrices
    return Mixture(weights / weights.sum(), ds.means.values, matrices)


def read_signals(source: Source, *, file_format: str | None = None, max_bytes: int = DEFAULT_LIMIT) -> Reading:
    """Read points (n, d) from a table or an array (CSV, TSV, TXT, NPY, NPZ), each row a signal; says how it was read.

    As :func:`workbench.clouds.files.read_cloud`, which raises its errors.

    >>> read_signals(b"a,b\\n1,2\\n3,4\\n", file_format="csv").points.tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    return read_cloud(source, file_format=file_format, max_bytes=max_bytes)
