"""What the experiments of this room cost: projections (points × directions) and exact transport, measured.

Sorting along one direction takes :data:`SECONDS_PER_PROJECTION` a point on two cores, whatever the estimator; exact
transport grows like n^1.8 (``exact/costs.py``).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.clouds import SHAPES
from workbench.costs import Cost
from workbench.flows.bits import MODELS
from workbench.flows.comparison import REFERENCE_DIRECTIONS, REFERENCE_REPEATS
from workbench.flows.covariances.study import SPD_LAYERS
from workbench.flows.directed.costs import (  # noqa: F401 - found here by their names
    amortisation_study,
    directed_flows,
    directed_quadratures,
    directed_slices,
    kappa_profile,
    slice_searches,
)
from workbench.flows.exact.costs import (  # noqa: F401 - found here by their names
    compare_solvers,
    exact_scaling,
    exact_seconds,
    race,
    sns_experiment,
    sparsity_decay,
)
from workbench.flows.flow import EXACT_BY_DEFAULT
from workbench.transport.exact import SPARSE_ABOVE

SECONDS_PER_PROJECTION = 20e-9
SECONDS_PER_STEP = 3e-4
"""What a step takes besides its projections: drawing directions, moving the points."""
START = 0.1
"""What any run takes besides its work: making the clouds, the first call of a kernel."""


MEAN_STEPS = 100
"""Iterations of a Bures–Wasserstein mean: 20 at condition 1e2, 400 at 1e12."""
SECONDS_PER_TRAINED_MATRIX = 2.5e-4


def exact_transport(n: int) -> Cost:
    """Return the cost of one exact W₂² between two clouds of ``n`` points: dense up to some hundred, then sparse."""
    if n * n > SPARSE_ABOVE:
        return Cost(exact_seconds(n), 2400.0 * n)
    return Cost(0.25 * (n / 1000) ** 2.3, 24.0 * n * n)


def flow(n: int, dim: int, *, steps: int, n_directions: int, frames: int, checkpoints: int, reading: int = 400) -> Cost:
    """Return the cost of a flow of ``n`` points that reads ``reading`` directions a frame, and W₂² at checkpoints."""
    kept = min(frames, steps + 1)
    moving = steps * (n * n_directions * SECONDS_PER_PROJECTION + SECONDS_PER_STEP)
    exact = exact_transport(n) if checkpoints else Cost(0.0)
    film = 8.0 * kept * n * dim
    return Cost(moving + kept * reading * n * SECONDS_PER_PROJECTION + checkpoints * exact.seconds, film + exact.bytes)


def gradient_flow(
    x: Any,
    n: int,
    steps: int,
    n_directions: int,
    checkpoints: Sequence[int] | None,
    batch_size: int | None,
    frames: int,
    read_directions: int,
    read_repeats: int,
) -> Cost:
    """Estimate :func:`workbench.flows.gradient_flow`."""
    points, dim = _cloud(x, n)
    marks = (2 if points**2 <= EXACT_BY_DEFAULT else 0) if checkpoints is None else len(set(checkpoints))
    reading = read_directions * read_repeats
    whole = flow(points, dim, steps=steps, n_directions=n_directions, frames=frames, checkpoints=marks, reading=reading)
    if batch_size is None:
        return whole
    spared = steps * (points - min(batch_size, points)) * n_directions * SECONDS_PER_PROJECTION
    return Cost(whole.seconds - spared, whole.bytes)


def seed_experiment(
    methods: Sequence[str],
    n_directions: int | Sequence[int],
    n: int,
    steps: int,
    checkpoints: Sequence[int],
    seeds: Sequence[int],
) -> Cost:
    """Estimate :func:`workbench.flows.seed_experiment`: half of it are the exact distances at the checkpoints."""
    counts = [n_directions] * len(methods) if isinstance(n_directions, (int, np.integer)) else list(n_directions)
    runs = [
        flow(n, 3, steps=steps, n_directions=count, frames=2, checkpoints=len(checkpoints)).seconds for count in counts
    ]
    return Cost(len(seeds) * sum(runs), exact_transport(n).bytes)


def comparison(n: int, *, pairs: int, methods: int, n_directions: int, repeats: int) -> Cost:
    """Return the cost of drawing every estimator (and Monte Carlo) ``repeats`` times, and of the reference."""
    drawn = (methods + 1) * repeats * n_directions + REFERENCE_DIRECTIONS * REFERENCE_REPEATS
    return Cost(pairs * (START + drawn * n * SECONDS_PER_PROJECTION))


def compare_estimators(
    pairs: Sequence[str], methods: Sequence[str] | None, n_directions: int, n: int, repeats: int
) -> Cost:
    """Estimate :func:`workbench.flows.compare_estimators`."""
    return comparison(n, pairs=len(pairs), methods=_count(methods), n_directions=n_directions, repeats=repeats)


def compare_on(x: Any, methods: Sequence[str] | None, n: int, n_directions: int, repeats: int) -> Cost:
    """Estimate :func:`workbench.flows.compare_on`."""
    points, _ = _cloud(x, n)
    return comparison(points, pairs=1, methods=_count(methods), n_directions=n_directions, repeats=repeats)


def sphere(n: int, *, n_directions: int, resolution: int) -> Cost:
    """Return the cost of one draw and of a map of resolution × resolution directions."""
    return Cost(START + (resolution**2 + n_directions) * n * SECONDS_PER_PROJECTION)


def direction_costs(x: Any, n: int, n_directions: int, resolution: int) -> Cost:
    """Estimate :func:`workbench.flows.direction_costs`: the map takes most of it."""
    return sphere(_cloud(x, n)[0], n_directions=n_directions, resolution=resolution)


def transfer(pixels: int, *, steps: int, n_directions: int) -> Cost:
    """Return the cost of flowing the colours of that many pixels; both clouds are large, so sorting is a bit slower."""
    return Cost(2 * START + steps * n_directions * pixels * 1.25 * SECONDS_PER_PROJECTION, 200.0 * pixels)


def colour_transfer(source: Any, steps: int, n_directions: int) -> Cost:
    """Estimate :func:`workbench.flows.colour_transfer`."""
    return transfer(int(np.prod(np.shape(source)[:2])), steps=steps, n_directions=n_directions)


def covariance_batch(x: Any, count: int, n: int) -> Cost:
    """Estimate :func:`workbench.flows.covariance_batch`: a few hundred SVDs of every matrix at worst."""
    matrices, size = (count, n) if x is None else np.shape(x)[:2]
    return Cost(START + matrices * MEAN_STEPS * matrix_seconds(size), 200.0 * matrices * size * size)


def matrix_seconds(n: int) -> float:
    """Return the time of one SVD of an n × n matrix."""
    return 15e-6 + 4e-8 * n**3


def batchnorm_audit(conditions: Sequence[float], count: int, n: int, repeats: int) -> Cost:
    """Estimate :func:`workbench.flows.batchnorm_audit`: about ten means of every batch, and POT's."""
    return Cost(START + 12 * MEAN_STEPS * len(conditions) * repeats * count * matrix_seconds(n), 2e7)


def spd_batchnorm_study(x: Any, layers: Sequence[str] | None, seeds: Sequence[int], epochs: int) -> Cost:
    """Estimate :func:`workbench.flows.spd_batchnorm_study`: most of it is the exact mean of every batch."""
    runs = (len(SPD_LAYERS) if layers is None else len(set(layers) | {"none"})) * len(seeds)
    matrices = 1797 if x is None else len(np.asarray(x))
    return Cost(runs * epochs * matrices * SECONDS_PER_TRAINED_MATRIX, 1e8)


def _steps(model: Any, runs: float, steps: int) -> float:
    """Return the seconds of so many runs of a model in few bits; a Python function runs all of them at once."""
    return 2e-4 * steps if callable(model) else 1e-9 * MODELS[model].fact("nanoseconds") * runs * steps


def low_precision_run(model: Any, runs: int, steps: int, spin_up: int) -> Cost:
    """Estimate :func:`workbench.flows.low_precision_run`."""
    return Cost(START + _steps(model, runs, steps + spin_up), 8.0 * runs * steps)


def precision_climate(model: str, runs: int, reference_runs: int, steps: int, cycle_steps: int) -> Cost:
    """Estimate :func:`workbench.flows.precision_climate`: the runs, the cycles, and 0.3 s for the test's power."""
    return Cost(0.3 + _steps(model, runs + reference_runs, steps) + _steps(model, runs, cycle_steps), 1e8)


def precision_sweep(
    model: str,
    bits: Sequence[int],
    roundings: Sequence[str],
    runs: int,
    reference_runs: int,
    steps: int,
    cycle_steps: int,
    yardstick: Any,
) -> Cost:
    """Estimate :func:`workbench.flows.precision_sweep`."""
    formats = len(bits) * len(roundings) + sum(len(values) for values in (yardstick or {}).values())
    cycles = len(bits) * _steps(model, runs, cycle_steps)
    return Cost(_steps(model, runs * formats + reference_runs, steps) + cycles + 0.5 * formats, 5e8)


def compare_runs(low: Any, high: Any) -> Cost:
    """Estimate :func:`workbench.flows.compare_runs`."""
    return Cost(0.3 + 1e-6 * (np.size(low) + np.size(high)), 32.0 * (np.size(low) + np.size(high)))


def soil_column(years: float) -> Cost:
    """Estimate :func:`workbench.flows.soil_column`."""
    return Cost(START + 0.012 * years)


def _cloud(x: Any, n: int) -> tuple[int, int]:
    """Return number and dimension of the points that ``x`` stands for: a name, a text, or an array."""
    if not isinstance(x, str):
        shape = np.shape(x)
        return shape[0], shape[1] if len(shape) > 1 else 1
    return n, SHAPES[x].facts["dim"] if x in SHAPES else 2


def _count(methods: Sequence[str] | None) -> int:
    from workbench.transport.estimators import ESTIMATORS

    return len(ESTIMATORS) if methods is None else len(methods)
