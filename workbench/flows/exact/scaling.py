"""Exact transport between two clouds as they grow: time, rounds, pairs looked at and kept, and the proved gap."""

import time
from collections.abc import Sequence

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.clouds.named import cloud
from workbench.progress import Progress
from workbench.transport import exact_transport

COUNTS = ("rounds", "pivots", "pairs")


@results.experiment
def exact_scaling(
    x: str = "torus",
    y: str = "cube",
    sizes: Sequence[int] = (500, 1000, 2000, 4000),
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Solve exact transport between two named shapes at several sizes, ``x`` drawn with ``seed``, ``y`` with the next.

    Returns per size: W₂², the proved lower bound and relative gap, uniqueness, rounds of pricing, pivots, processor
    time, and the pairs kept, also as a share of all. Errors as :func:`exact_transport`. Cost: about 2 s at n = 10⁴,
    like n^1.8.

    >>> ds = exact_scaling(sizes=(50, 200))
    >>> bool((ds.relative_gap < 1e-11).all()), bool(ds.share_kept[1] < ds.share_kept[0])
    (True, True)
    """
    progress = progress or Progress()
    sizes = [checks.integer("size", size, minimum=2, maximum=200_000) for size in sizes]
    seed = checks.integer("seed", seed, minimum=0)
    rows = []
    exact_transport(cloud(x, 20, seed), cloud(y, 20, seed + 1))  # compiled before anything is timed
    for size in sizes:
        clouds = cloud(x, size, seed), cloud(y, size, seed + 1)
        started = time.process_time()
        found = exact_transport(*clouds, progress=_Within(progress, rows, sizes))
        seconds = time.process_time() - started
        rows.append((found.value, found.lower_bound, found.relative_gap, seconds, found.unique, found.stats))
    progress.update(1, 1, "done")
    values, lower, gaps, seconds, unique, stats = zip(*rows, strict=True)
    counts = {name: np.array([row[name] for row in stats]) for name in COUNTS}
    share = counts["pairs"] / np.square(np.array(sizes, dtype=float))
    dims = ("size",)
    return results.dataset(
        {
            "value": (dims, np.array(values), "W₂²"),
            "lower_bound": (dims, np.array(lower), "proved lower bound of W₂²"),
            "relative_gap": (dims, np.array(gaps), "relative width of the proved interval"),
            "seconds": (dims, np.array(seconds), "processor time", "s"),
            "unique": (dims, np.array([value is True for value in unique]), "whether the plan is the only one"),
            "rounds": (dims, counts["rounds"], "rounds of pricing, all levels"),
            "pivots": (dims, counts["pivots"], "pivots of the simplex, all levels"),
            "pairs": (dims, counts["pairs"], "pairs kept at the end"),
            "share_kept": (dims, share, "pairs kept ÷ all pairs"),
        },
        {"size": (dims, np.array(sizes), "points in each cloud")},
    )


class _Within(Progress):
    """Passes the progress of one size on as a part of all."""

    def __init__(self, owner: Progress, rows: list, sizes: Sequence[int]) -> None:
        super().__init__()
        self._owner, self._rows, self._sizes = owner, rows, sizes

    def update(self, done: float, total: float, message: str = "") -> None:
        """Report the sizes that are finished; work grows faster than the size."""
        k = len(self._rows)
        work = np.power(np.array(self._sizes, dtype=float), 1.8)
        at = work[:k].sum() + work[k] * done / total * 0.5
        self._owner.update(at / work.sum(), 1.0, message)
