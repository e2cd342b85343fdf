"""One's own points: a density fitted to them, their distances under it, and a map."""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.clouds.named import cloud
from workbench.metrics.signals.features import matrix_dataset, prepared, squared_distances
from workbench.metrics.signals.fitting import fit_mixture, mixture_of
from workbench.metrics.signals.mixture import checked_snr
from workbench.progress import Progress

Floats = NDArray[np.float64]
MOST_SHOWN = 400


@results.experiment
def points_report(
    points: ArrayLike | None = None,
    *,
    components: int | tuple[int, ...] = (1, 2, 3, 4, 6, 8),
    count: int = 120,
    snr: float = np.inf,
    floor: float | None = None,
    samples: int = 128,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return a density fitted to ``points`` (n, d), by default two moons, and the distances of up to ``count`` of them.

    The mixture as :func:`fit_mixture` chooses and returns it; ``distance``, ``error``, ``euclidean`` and ``place`` of a
    random subset as :func:`iem_matrix`; ``x`` (point, row) are the points. ``same_neighbour`` is the share of points
    whose nearest neighbour is one and the same by both distances. ``fooled`` (2,) are the two points that the metric
    tells apart least for their Euclidean distance, ``split`` (2,) the two that it tells apart most.
    Cost: the fit, and count · 20 · noise nodes evaluations: 0.5 s in the plane, 2 s in 64 dimensions; a result good to
    some percent is published after an eighth of that.
    """
    given = _moons() if points is None else points
    given = checks.finite_array("points", given, ndim=(1, 2))
    given = given[:, None] if given.ndim == 1 else given
    count = checks.integer("count", count, minimum=3, maximum=MOST_SHOWN)
    samples = checks.integer("samples", samples, minimum=16, maximum=4096)
    snr = checked_snr(snr)
    progress = progress or Progress()
    chosen = np.arange(len(given))
    if len(given) > count:
        chosen = np.sort(checks.generator(seed).choice(len(given), count, replace=False))
    places = given[chosen]
    fitted = fit_mixture(given, components=components, floor=floor, seed=seed, progress=progress)
    if (places == places[0]).all():
        raise ValueError("all the points that were drawn are equal; give points that differ")
    density, places, snr = prepared(mixture_of(fitted), places, snr)

    def report(squared: Floats, error: Floats) -> xr.Dataset:
        kept = fitted[["weights", "means", "covariances", "held_out", "held_out_error"]]
        found = matrix_dataset(density, places, squared, error)
        return xr.merge([kept, found, _compared(found, places, chosen, len(given))], combine_attrs="override")

    def early(squared: Floats) -> None:
        unknown = np.where(np.eye(len(places), dtype=bool), 0.0, np.nan)
        progress.publish(results.unfinished(report(squared, unknown), "the distances to more digits and their errors"))

    step = 0.6 if density.dimension == 2 else None
    how = {"snr": snr, "nodes": 20, "step": step, "samples": samples, "seed": seed, "progress": progress}
    return report(*squared_distances(density, places, **how, early=early))


def _compared(ds: xr.Dataset, places: Floats, chosen: NDArray[np.int64], total: int) -> xr.Dataset:
    """Return where the metric and Euclid differ: nearest neighbours, and the pairs judged most differently."""
    distance, apart = ds.distance.values, ds.euclidean.values
    off = ~np.eye(len(places), dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_unit = np.where(off & (apart > 0), distance / apart, np.nan)
    pair = [np.unravel_index(int(f(per_unit)), per_unit.shape) for f in (np.nanargmin, np.nanargmax)]
    nearest = [np.where(off, d, np.inf).argmin(axis=1) for d in (distance, apart)]
    same = float(np.mean(nearest[0] == nearest[1]))
    return results.dataset(
        {
            "x": (("point", "row"), places, "the points", "x"),
            "number": (("point",), chosen, "row of the point in the data"),
            "same_neighbour": ((), same, "share with one nearest neighbour by both"),
            "fooled": (("two",), np.array(pair[0]), "the two told apart least per unit"),
            "split": (("two",), np.array(pair[1]), "the two told apart most per unit"),
            "total": ((), total, "points in the data"),
        },
        {"two": (("two",), np.array([1, 2]), "which of the two")},
    )


def _moons() -> Floats:
    """Return two moons with some noise across them."""
    return cloud("two-moons", 400, seed=0) + 0.06 * np.random.default_rng(1).normal(size=(400, 2))
