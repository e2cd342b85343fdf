"""The test of climates on all variables together: W₁ between the projections on many directions, averaged.

Pooled variables show no change in how they hang together. The sliced distance SW₁, the mean over directions of W₁
between the projected states, does; on fixed directions it is linear in the runs as W₁ is, so permutations, floor,
error and power carry over.
"""

import math
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.stats import wasserstein_distance

from workbench import checks
from workbench.flows.bits.climate_test import (
    RoundingTest,
    cumulative,
    floor_distances,
    jackknife,
    permutation_p,
    shift_seen,
)
from workbench.transport.sliced import directions

BINS = 400
SEEN_FROM = 12
"""Directions from which power is measured."""
Array = NDArray[np.float64]


def joint_rounding_test(
    low: ArrayLike | xr.Dataset,
    high: ArrayLike | xr.Dataset,
    *,
    n_directions: int = 100,
    permutations: int = 499,
    level: float = 0.05,
    power: float = 0.9,
    trials: int = 30,
    seed: int | np.random.Generator = 0,
) -> RoundingTest:
    """Test whether two ensembles of runs have the same climate in all variables together, by sliced W₁.

    ``low`` and ``high`` are arrays (runs, samples, variables), or results of :func:`low_precision_run`, of which all
    variables are taken; bring variables of different units to one scale first. The result is that of
    :func:`rounding_test` with ``w1`` the mean over ``n_directions`` directions of W₁ between the projections (a shift
    by t counts as |t| times the mean |cos|, |t|/2 in three dimensions). ``detectable`` is the least shift along the
    axis on which the reference varies most, NaN with ``trials=0``.

    Raises ``ValueError`` for fewer than two runs or different variables. Cost: n_directions sortings, 1 s for power.

    Reference: Bonneel, Rabin, Peyré, Pfister, "Sliced and Radon Wasserstein barycenters of measures", 2015.

    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(8, 300, 2))
    >>> y = rng.normal(size=(8, 300, 1)) + 0.2 * rng.normal(size=(8, 300, 2))  # as wide, but its two go together
    >>> joint_rounding_test(x, y, trials=0).seen
    True
    """
    a, b = _states("low", low), _states("high", high)
    if a.shape[2] != b.shape[2]:
        raise ValueError(f"low has {a.shape[2]} variables and high {b.shape[2]}; give the same ones of both")
    number = checks.integer("n_directions", n_directions, minimum=1, maximum=10_000)
    permutations = checks.integer("permutations", permutations, minimum=19, maximum=100_000)
    level = checks.real("level", level, minimum=0.001, maximum=0.5)
    power = checks.real("power", power, minimum=0.5, maximum=0.99)
    trials = checks.integer("trials", trials, minimum=0, maximum=10_000)
    checks.memory(8.0 * number * BINS * (len(a) + len(b)), f"histograms along {number} directions")
    rng = checks.generator(seed)
    axes = directions("design", number, a.shape[2], rng)
    rows, exact = [], []
    for axis in axes:
        here, there = a @ axis, b @ axis
        found, width = cumulative(here, there, bins=BINS)
        rows.append(found * (width / number))
        exact.append(wasserstein_distance(here.ravel(), there.ravel()))
    cdf, sizes = np.concatenate(rows, axis=1), (len(a), len(b))
    p_value, smallest = permutation_p(cdf, 1.0, sizes, permutations, rng)
    null = floor_distances(cdf[len(a) :], 1.0, sizes, rng)
    centred = b.reshape(-1, b.shape[2]) - b.mean(axis=(0, 1))
    main = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    views = [(b @ (axis * np.sign(axis @ main or 1.0)), abs(float(axis @ main))) for axis in axes[:SEEN_FROM]]
    seen = shift_seen(views, sizes, level, power, trials, 199, rng) if trials else math.nan
    return RoundingTest(
        float(np.mean(exact)),
        jackknife(cdf, 1.0, sizes),
        float(np.quantile(null, 0.95)),
        float(null.mean()),
        p_value,
        smallest,
        seen,
        power,
        level,
        sizes,
    )


def _states(name: str, given: Any) -> Array:
    """Return the states by run, (runs, samples, variables)."""
    if isinstance(given, xr.Dataset):
        if "state" not in given:
            raise ValueError(f"{name} has no variable 'state'; give a result of low_precision_run, or an array")
        given = given.state.values
    found = checks.finite_array(name, given, ndim=3)
    if len(found) < 2:
        raise ValueError(f"{name} holds {len(found)} run; the test compares whole runs, two or more of each")
    return found
