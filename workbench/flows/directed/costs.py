"""What the experiments on directed slices cost, measured on one quiet core: slices (points × directions) above all."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.clouds import SHAPES
from workbench.costs import Cost
from workbench.flows.directed.searches import SEARCHES
from workbench.transport.vmf import RULES

SECONDS_PER_PROJECTION = 20e-9
SECONDS_PER_BOUND = 50e-9
"""One point in one slice of the certified search: an exact or a nearly exact sort, and the matrix of the pairing."""
USUAL_BOUNDS = 1000
SECONDS_PER_KAPPA = 8e-3


def size_of(x: Any, n: int) -> int:
    """Return the number of points that ``x`` stands for: a name, a text, or an array."""
    return n if isinstance(x, str) else len(np.asarray(x))


def kappa_profile(x: Any, kappas: Sequence[float], n: int) -> Cost:
    """Estimate :func:`workbench.flows.kappa_profile`."""
    points = size_of(x, n)
    looks = len(kappas) * 500 * points * SECONDS_PER_PROJECTION
    return Cost(0.1 + looks + USUAL_BOUNDS * points * SECONDS_PER_BOUND + len(kappas) * SECONDS_PER_KAPPA)


def directed_slices(x: Any, n: int, kappas: Sequence[float], resolution: int) -> Cost:
    """Estimate :func:`workbench.flows.directed_slices`: the profile, and the map."""
    return kappa_profile(x, kappas, n) + Cost(resolution**2 * size_of(x, n) * SECONDS_PER_PROJECTION)


def slice_searches(pairs: Sequence[Any], methods: Sequence[str] | None, n: int, starts: int) -> Cost:
    """Estimate :func:`workbench.flows.slice_searches`."""
    slices = starts * 50 * (len(SEARCHES) if methods is None else len(methods)) + USUAL_BOUNDS + 2000
    return Cost(0.1 + len(pairs) * slices * n * 3 * SECONDS_PER_BOUND)


def directed_quadratures(
    pairs: Sequence[str], rules: Sequence[str] | None, kappas: Sequence[float], n: int, n_directions: int, repeats: int
) -> Cost:
    """Estimate :func:`workbench.flows.directed_quadratures`: the draws and the long reference."""
    drawn = (len(RULES) if rules is None else len(rules)) * repeats * n_directions + 16_000
    return Cost(0.1 + len(pairs) * len(kappas) * drawn * n * SECONDS_PER_PROJECTION)


def directed_flows(
    x: Any, slicings: Sequence[str], n: int, steps: int, n_directions: int, every: int, seeds: Sequence[int]
) -> Cost:
    """Estimate :func:`workbench.flows.directed_flows`: the steps and the exact distances."""
    from workbench.flows.costs import exact_transport

    points, runs = size_of(x, n), len(slicings) * len(seeds)
    step = 5e-3 + 2 * n_directions * points * 2 * SECONDS_PER_BOUND
    exact = exact_transport(points)
    return Cost(runs * (steps * step + (steps // every + 2) * exact.seconds), exact.bytes)


def amortisation_study(
    networks: Sequence[str],
    n: int,
    steps: int,
    batch: int,
    held_out: int,
    seeds: Sequence[int],
    arrangements: Sequence[str],
) -> Cost:
    """Estimate :func:`workbench.flows.amortisation_study`: costs along the directions, and attention over n² pairs."""
    step = batch * (100 * n * SECONDS_PER_PROJECTION + len(networks) * (2e-4 + 2e-8 * n * n))
    shapes = sum("source" not in entry.facts for entry in SHAPES.values())
    judging = held_out * (2 * 300 * n * SECONDS_PER_PROJECTION + 0.02) + 0.01 * shapes
    return Cost(len(seeds) * len(arrangements) * (steps * step + judging), 40.0 * batch * n * n)
