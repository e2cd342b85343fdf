"""What knowing the population can be worth at most: the gap between two exact losses.

Flow matching over populations has the exact optimum v̄ = Σ_i p_t^i v_i / Σ_i p_t^i, fields of their own have v_i. No
embedding, whatever its architecture, gains more in the loss than G = E_{i,t} ‖v_i(x_t, t) − v̄(x_t, t)‖². Where
populations do not overlap, x itself tells the population, and G is nothing.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from workbench import checks, results
from workbench.fields.core.exact import ExactField
from workbench.fields.core.laws import Floats
from workbench.fields.population.laws import populations
from workbench.progress import Progress

LEAST_COUNT = 2


class PooledField:
    """v̄ of several exact fields with equal weights: called with points (n, d) and one time it gives (n, d)."""

    def __init__(self, fields: Sequence[ExactField]) -> None:
        if not fields:
            raise ValueError("the pooled field needs populations with an exact field of their own; there are none")
        self.fields = list(fields)

    def __call__(self, x: ArrayLike, t: float) -> Floats:
        """Return v̄(x, t). Cost: an evaluation of every field."""
        x = checks.finite_array("x", x, ndim=2)
        total, top, sums = np.zeros(len(x)), np.full(len(x), -np.inf), np.zeros_like(x)
        for one in self.fields:
            found = one.values(x, t)
            rise = np.maximum(top, found.log_density)
            keep, add = np.exp(top - rise), np.exp(found.log_density - rise)
            total = total * keep + add
            sums = sums * keep[:, None] + found.velocity * add[:, None]
            top = rise
        return sums / total[:, None]


@results.experiment
def population_gap(
    kind: str = "letters",
    count: int = 48,
    separation: float = 0.0,
    draws: int = 12,
    times: int = 10,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return what population information is worth at most: G, and how much of what can be explained v̄ explains.

    ``count`` populations of a ``kind`` that has exact fields ("letters", "mixtures"; ``separation`` as in
    :func:`populations`); at each of ``times`` midpoints of [0, 1], ``draws`` pairs of each population. ``gap`` (time,)
    with ``gap_error``; scalars ``total`` G and ``total_error``, a standard error with the populations as units;
    ``explainable`` E‖v_i‖², ``without`` E‖v̄‖², ``share`` their ratio; ``irreducible`` E‖u − v_i‖².

    G depends on which populations there are, on raster and angles; two runs with other seeds differ by more than draws.
    Raises ``ValueError`` for a kind without exact fields. Cost: count² · draws · times · components · 10 ns.

    >>> ds = population_gap("mixtures", 8, draws=5, times=4)
    >>> far = population_gap("mixtures", 8, separation=100.0, draws=5, times=4)
    >>> bool(ds.total > 1), bool(far.total < 1e-6)
    (True, True)
    """
    progress = progress or Progress()
    checks.choice("kind", kind, ("letters", "mixtures"))
    count = checks.integer("count", count, minimum=LEAST_COUNT, maximum=200)
    draws = checks.integer("draws", draws, minimum=2, maximum=1000)
    times = checks.integer("times", times, minimum=2, maximum=100)
    seed = checks.integer("seed", seed, minimum=0)
    those = populations(kind, count, 2, seed, separation=separation)
    return _gap([one.field for one in those if one.field is not None], draws, times, seed, progress)


def gap_of(fields: Sequence[ExactField], draws: int = 12, times: int = 10, seed: int = 0) -> xr.Dataset:
    """Return :func:`population_gap` of any exact fields.

    >>> from workbench.fields import exact_field, gaussian
    >>> apart = [exact_field(gaussian(a, 1.0), gaussian(2 * a, 1.0)) for a in (-1.0, 1.0)]
    >>> bool(abs(gap_of(apart, 2000, 20).total - 0.3979) < 0.02)
    True
    """
    return _gap(fields, draws, times, seed, Progress())


def _gap(fields: Sequence[ExactField], draws: int, times: int, seed: int, progress: Progress) -> xr.Dataset:
    at = (np.arange(times) + 0.5) / times
    pooled = PooledField(fields)
    rng = np.random.default_rng([5, seed])
    count = len(fields)
    apart, own, shared, left = (np.empty((count, times)) for _ in range(4))
    for k, t in enumerate(at):
        progress.update(k, times, f"t = {t:.2f}")
        points, velocities = [], []
        for i, one in enumerate(fields):
            x0, x1 = one.couple(draws, rng)
            x = (1 - t) * x0 + t * x1
            v = one(x, float(t))
            left[i, k] = ((x1 - x0 - v) ** 2).sum(axis=1).mean()
            points.append(x)
            velocities.append(v)
        v = np.stack(velocities)
        together = pooled(np.concatenate(points), float(t)).reshape(v.shape)
        apart[:, k] = ((v - together) ** 2).sum(axis=2).mean(axis=1)
        own[:, k] = (v**2).sum(axis=2).mean(axis=1)
        shared[:, k] = (together**2).sum(axis=2).mean(axis=1)
    progress.update(1, 1, "done")
    each = apart.mean(axis=1)
    explainable, without = float(own.mean()), float(shared.mean())
    return results.dataset(
        {
            "gap": (("time",), apart.mean(axis=0), "E‖v_i − v̄‖² at time t"),
            "gap_error": (("time",), apart.std(axis=0, ddof=1) / np.sqrt(count), "its standard error, by population"),
            "population_gap": (("population",), each, "the gap of each population"),
            "total": ((), float(each.mean()), "population-information gap G"),
            "total_error": ((), float(each.std(ddof=1) / np.sqrt(count)), "its standard error, populations as units"),
            "explainable": ((), explainable, "E‖v_i‖², what fields of their own explain of E‖u‖²"),
            "without": ((), without, "E‖v̄‖², what one field for all explains"),
            "share": ((), without / explainable, "share of the explainable that needs no population"),
            "irreducible": ((), float(left.mean()), "irreducible loss of fields of their own"),
        },
        {
            "time": (("time",), at, "time t"),
            "population": (("population",), np.arange(count), "population"),
        },
    )
