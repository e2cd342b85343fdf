"""Read-outs that know nothing of directions: exact W_2² and the debiased Sinkhorn divergence.

Small problems go through POT; larger exact ones through :func:`workbench.transport.assignment.exact_transport`.
"""

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.progress import Progress
from workbench.transport.assignment import solve_exact
from workbench.transport.measures import Cloud, in_one_unit, prepare_pair, rescaled
from workbench.transport.solution import of_clouds

MOST_ITERATIONS = 20_000_000
SPARSE_ABOVE = 600**2
SPARSE_BY_AXES = ((12, SPARSE_ABOVE), (20, 800**2), (50, 1600**2))
"""Up to so many axes, the pairs of points past which the sparse solver is faster than POT's dense one, as measured by
``benchmarks/flows_exact.py``: both take the same time at 560 points a side in three axes, 650 in twelve, 770 in twenty,
1500 in fifty."""
SPARSE_BEYOND = 4000**2
"""In more axes the dense one is the faster up to the largest size measured (2,300 points a side, twice as fast in a
hundred axes); from here on it is the memory of its matrices that decides."""


def wasserstein(
    x: ArrayLike,
    y: ArrayLike,
    x_weights: ArrayLike | None = None,
    y_weights: ArrayLike | None = None,
    *,
    progress: Progress | None = None,
) -> float:
    """Return the exact *squared* W_2² (squared Euclidean cost).

    ``x`` (n, d), ``y`` (m, d), weights (n,), (m,) of any positive scale. Up to some hundred points by the dense
    network simplex of POT (``ot.emd2``), beyond by :func:`workbench.transport.exact_transport`, which never stores the
    cost matrix and proves its value: 0.05 s at n = 1000, about 2 s at 10⁴ in three dimensions. Errors as
    :func:`sliced_wasserstein`; ``RuntimeError`` if the dense solver reports that it did not finish.

    Reference: Bonneel, van de Panne, Paris, Heidrich, "Displacement interpolation using Lagrangian mass transport",
    2011; Flamary et al., "POT: Python optimal transport", 2021.

    >>> round(wasserstein([[0.0], [1.0]], [[0.5], [3.0]]), 12)  # (0.5² + 2²)/2
    2.125
    """
    a, b = prepare_pair(x, y, x_weights, y_weights, np.float64)
    if a.n * b.n > sparse_above(a.dim):
        return solve_exact(of_clouds(a, b), progress or Progress()).value
    return dense_wasserstein(a, b)


def sparse_above(dim: int) -> int:
    """Return from how many pairs of points on :func:`wasserstein` takes the sparse solver in ``dim`` axes.

    >>> [round(sparse_above(dim) ** 0.5) for dim in (3, 20, 50, 100)]
    [600, 800, 1600, 4000]
    """
    return next((pairs for axes, pairs in SPARSE_BY_AXES if dim <= axes), SPARSE_BEYOND)


def dense_wasserstein(a: Cloud, b: Cloud) -> float:
    """Return W_2² by POT's dense network simplex; memory 24 n m bytes."""
    checks.memory(24.0 * a.n * b.n, f"exact transport between {a.n} and {b.n} points")
    import ot

    a, b, unit = in_one_unit(a, b)
    shift = a.centre - b.centre
    cost = ot.dist(a.coordinates.T, b.coordinates.T, metric="sqeuclidean")
    scale = float(cost.max()) or 1.0  # POT's tolerances are absolute: small clouds would come out wrong
    masses_a, masses_b = a.all_masses, b.all_masses
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        centred = ot.emd2(masses_a, masses_b, cost / scale, numItermax=MOST_ITERATIONS) * scale
    troubles = [str(w.message) for w in caught if "numItermax" in str(w.message) or "onverge" in str(w.message)]
    if troubles:
        raise RuntimeError(f"exact transport did not finish: {troubles[0]}")
    return float(rescaled("W_2²", centred + shift @ shift, 2 * unit))


def sinkhorn_divergence(
    x: ArrayLike,
    y: ArrayLike,
    x_weights: ArrayLike | None = None,
    y_weights: ArrayLike | None = None,
    *,
    regularisation: float = 0.05,
) -> float:
    """Return the debiased Sinkhorn divergence OT_ε(x, y) − (OT_ε(x, x) + OT_ε(y, y))/2 with squared Euclidean cost.

    ε = ``regularisation`` times the mean squared distance of the two clouds, so it is dimensionless. It tends to W_2²
    as ε → 0. POT's ``empirical_sinkhorn_divergence`` in the log domain. Memory 40 n m bytes; errors as
    :func:`wasserstein`; ``RuntimeError`` if it does not converge.

    Reference: Feydy, Séjourné, Vialard, Amari, Trouvé, Peyré, "Interpolating between optimal transport and MMD using
    Sinkhorn divergences", arXiv 1810.08278, equation 3.

    >>> x = np.random.default_rng(0).normal(size=(50, 2))
    >>> round(sinkhorn_divergence(x, x + [3.0, 0.0]), 3)  # a translation by t costs |t|²
    9.0
    """
    a, b = prepare_pair(x, y, x_weights, y_weights, np.float64)
    regularisation = checks.real("regularisation", regularisation, exclusive_minimum=0)
    checks.memory(40.0 * max(a.n, b.n) ** 2, f"a Sinkhorn divergence between {a.n} and {b.n} points")
    import ot

    a, b, unit = in_one_unit(a, b)
    shift = a.centre - b.centre
    spread = np.square(a.coordinates) @ a.all_masses + np.square(b.coordinates) @ b.all_masses
    mean_cost = float(spread.sum() + shift @ shift)
    if mean_cost == 0:
        return 0.0
    scale = np.sqrt(mean_cost)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            found = ot.bregman.empirical_sinkhorn_divergence(
                _rows(a.coordinates + shift[:, None], scale),
                _rows(b.coordinates, scale),
                reg=regularisation,
                a=a.all_masses,
                b=b.all_masses,
                metric="sqeuclidean",
                method="sinkhorn_log",
                numIterMax=20_000,
                stopThr=1e-8,
            )
        except UserWarning as warning:
            raise RuntimeError(f"Sinkhorn did not converge ({warning}); raise regularisation") from warning
    return float(rescaled("the Sinkhorn divergence", found * mean_cost, 2 * unit))


def _rows(coordinates: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    return np.ascontiguousarray(coordinates.T / scale)
