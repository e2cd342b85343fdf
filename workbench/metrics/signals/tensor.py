"""The metric in the small, and the shortest paths it makes: how far it is along the data, not across.

IEM(x, x + dx)² = dxᵀ G(x) dx + …, with G(x) = ∫₀^∞ E[(σ² ∇² log q_σ(x + σe))²] dg, a matrix square, so positive
semidefinite. The length of a path under G is at least the distance of its ends, and equal only where the features run
straight, as they do for one Gaussian: the ratio says how curved the density makes the space between them.
"""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from workbench import checks, results
from workbench.metrics.signals.distance import integrated
from workbench.metrics.signals.kernels import scaled_hessians, scaled_scores
from workbench.metrics.signals.mixture import Mixture, checked, checked_snr, needs_width
from workbench.metrics.signals.rules import Rule, halved, rule
from workbench.parallel import for_each
from workbench.progress import Progress

Floats = NDArray[np.float64]
WAVES = 8
"""Sine waves that a path may bend in."""
SEARCHED = 17
"""Places on a path whose energy is minimised."""
MOST_TENSOR_DIMENSION = 64
STEPS = {1: 0.05, 2: 0.2}
"""Of the noise: second derivatives are steeper than scores."""


@results.experiment
def iem_tensor(
    density: Mixture,
    x: ArrayLike,
    *,
    snr: float = np.inf,
    nodes: int | None = None,
    step: float | None = None,
    samples: int = 1024,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return the metric tensor G at the points ``x`` (n, d) or (d,): ``tensor`` (point, row, column), and its error.

    ``eigenvalue`` (point, row) rising, and ``direction`` (point, column, row), the unit vectors that belong to them:
    along the last a step of given length is told apart best, along the first worst. ``error`` (point,) is the largest
    change of an entry when both rules are halved (d ≤ 2), or its standard error over scrambles. d up to 64.
    ``nodes`` over SNR are 192 on a line and 48 above, unless given.

    >>> ridge = iem_tensor(Mixture([0.5, 0.5], [-2.0, 2.0], [0.25, 0.25]), [0.0, 2.0])
    >>> ridge.tensor.values.ravel().round(4).tolist()
    [101.1224, 3.7329]
    """
    density = checked(density)
    places = density.points("x", x)
    snr = checked_snr(snr)
    needs_width(density, snr)
    d = density.dimension
    if d > MOST_TENSOR_DIMENSION:
        raise ValueError(f"the tensor is computed in up to {MOST_TENSOR_DIMENSION} dimensions, the density has {d}")
    progress = progress or Progress()
    step = STEPS.get(d) if step is None else step
    nodes = (192 if d == 1 else 48) if nodes is None else nodes
    made = rule(density, snr=snr, nodes=nodes, step=step, samples=samples, seed=seed)
    if d <= 2:
        tensor = tensors(density, places, made, progress)[0]
        coarse = halved(density, snr, nodes, step)
        error = np.abs(tensor - tensors(density, places, coarse, progress)[0]).max(axis=(1, 2))
    else:
        parts = tensors(density, places, made, progress, apart=True)
        tensor = parts.mean(axis=0)
        error = (parts.std(axis=0, ddof=1) / np.sqrt(len(parts))).max(axis=(1, 2))
    values, vectors = np.linalg.eigh(tensor)
    axis = np.arange(1, d + 1)
    return results.dataset(
        {
            "tensor": (("point", "row", "column"), tensor, "metric tensor G", "1/x²"),
            "error": (("point",), error, "largest error of an entry", "1/x²"),
            "eigenvalue": (("point", "row"), np.maximum(values, 0), "eigenvalues of G, rising", "1/x²"),
            "direction": (("point", "column", "row"), vectors, "unit eigenvectors of G"),
            "x": (("point", "column"), places, "the point", "x"),
        },
        {
            "point": (("point",), np.arange(len(places)), "point"),
            "row": (("row",), axis, "coordinate"),
            "column": (("column",), axis, "coordinate"),
        },
    )


def tensors(density: Mixture, places: Floats, made: Rule, progress: Progress, *, apart: bool = False) -> Floats:
    """Return G (s, n, d, d) by a rule: of each scramble of the noise on its own if ``apart``, else s = 1."""
    d = density.dimension
    scrambles = int(made.noise.scramble.max()) + 1 if apart else 1
    m = len(made.noise.noise) // scrambles
    checks.memory(16.0 * len(made.noise.noise) * d * d, "the second derivatives")
    projected, turned = density.projected(places), density.turned(made.noise.noise)
    found = np.zeros((scrambles, len(places), d, d))
    roots = np.sqrt(made.noise.weights)[:, None, None]
    blurred = [(*density.blurred(s),) for s in made.snr.sigma]
    precisions = [density.precisions(inverse) for _, inverse in blurred]

    def at(i: int) -> None:
        block = np.empty((1, len(made.noise.noise), d, d))
        for j, sigma in enumerate(made.snr.sigma):
            scaled_hessians(projected[i : i + 1], turned, sigma, *blurred[j], density.rows, precisions[j],
                            sigma * sigma, block)  # fmt: skip
            flat = block[0] * roots
            for s in range(scrambles):
                mine = flat[s * m : (s + 1) * m].reshape(-1, d)
                found[s, i] += scrambles * made.snr.weights[j] * (mine.T @ mine)

    for_each(at, range(len(places)), progress, message="tensors")
    return found


@results.experiment
def iem_geodesic(
    density: Mixture,
    a: ArrayLike,
    b: ArrayLike,
    *,
    snr: float = np.inf,
    points: int = 33,
    nodes: int = 12,
    step: float = 1.0,
    samples: int = 128,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return a shortest path from ``a`` to ``b`` under the local metric, its length, and the distance of its ends.

    ``path`` (step, axis), ``speed`` (step,) along it, ``length`` with ``length_error``, ``straight``, the length of the
    straight segment, and ``chord``, IEM(a, b) itself, which no path undercuts. In one dimension the segment is the only
    path and its length is a converged integral. Above, the path is a
    sum of sine waves whose energy Σ‖F(x_{i+1}) − F(x_i)‖² is minimised from a straight start and, in the plane, one
    bent to either side; the best is *locally* shortest. Cost: 20 ms in one dimension, 1 s in two; d up to 16.

    >>> bumps = Mixture([0.5, 0.5], [-2.0, 2.0], [0.25, 0.25])
    >>> found = iem_geodesic(bumps, -2.0, 2.0)
    >>> round(float(found.length), 3), round(float(found.chord), 3)
    (14.253, 1.734)
    """
    density = checked(density)
    first, last = density.point("a", a), density.point("b", b)
    snr = checked_snr(snr)
    needs_width(density, snr)
    points = checks.integer("points", points, minimum=3, maximum=257)
    if density.dimension > 16:
        raise ValueError(f"paths are searched in up to 16 dimensions, the density has {density.dimension}")
    progress = progress or Progress()
    chord = np.sqrt(
        max(integrated(density, first, last, snr, digits=8, samples=1024, seed=seed, progress=progress)[0].value, 0.0)
    )
    made = rule(density, snr=snr, nodes=nodes, step=step, samples=samples, seed=seed)
    s = np.linspace(0, 1, points)
    bends = straight_on = np.zeros((WAVES, density.dimension))
    if density.dimension > 1 and not np.array_equal(first, last):
        bends = _shortest(density, first, last, made, progress)
    fine = made
    if density.dimension <= 2:
        nodes, step = {1: (96, 0.1), 2: (24, 0.6)}[density.dimension]
        fine = rule(density, snr=snr, nodes=nodes, step=step)
    straight, straight_error = length, error = _length(density, first, last, straight_on, fine, progress)
    if bends.any():
        length, error = _length(density, first, last, bends, fine, progress)
        if length > straight:  # the search may end at rounding above where it began
            bends, length, error = straight_on, straight, straight_error
    speed = _speeds(density, first, last, bends, fine, s, progress)
    path = _path(first, last, bends, s)
    axis = np.arange(1, density.dimension + 1)
    return results.dataset(
        {
            "path": (("step", "axis"), path, "place on the path", "x"),
            "speed": (("step",), speed, "length per unit of the path's parameter"),
            "length": ((), length, "length of the path"),
            "length_error": ((), error, "its error, for this path"),
            "straight": ((), straight, "length of the straight segment"),
            "straight_error": ((), straight_error, "its error"),
            "chord": ((), chord, "information-estimation distance of the ends"),
        },
        {
            "step": (("step",), s, "parameter of the path, 0 at a and 1 at b"),
            "axis": (("axis",), axis, "coordinate"),
        },
    )


def _path(first: Floats, last: Floats, bends: Floats, s: Floats) -> Floats:
    """Return the places (n, d) of a path: the segment, and sine waves of falling amplitude."""
    k = np.arange(1, len(bends) + 1)
    waves = np.sin(np.pi * np.outer(s, k)) / k
    return first + s[:, None] * (last - first) + waves @ bends


def _speeds(
    density: Mixture, first: Floats, last: Floats, bends: Floats, made: Rule, s: Floats, progress: Progress
) -> Floats:
    """Return √(ẋᵀ G ẋ) at the places ``s`` of a path."""
    k = np.arange(1, len(bends) + 1)
    velocity = last - first + np.pi * np.cos(np.pi * np.outer(s, k)) @ bends
    tensor = tensors(density, _path(first, last, bends, s), made, progress)[0]
    return np.sqrt(np.maximum(np.einsum("ni,nij,nj->n", velocity, tensor, velocity), 0))


def _length(
    density: Mixture, first: Floats, last: Floats, bends: Floats, made: Rule, progress: Progress
) -> tuple[float, float]:
    """Return ∫ √(ẋᵀ G ẋ) ds by Gauss–Legendre on panels, and its change from half of them."""
    totals = []
    places, weights = np.polynomial.legendre.leggauss(8)
    for panels in (2, 4) if density.dimension > 1 else (8, 16):
        s = ((np.arange(panels)[:, None] + (places + 1) / 2) / panels).ravel()
        speed = _speeds(density, first, last, bends, made, s, progress)
        totals.append(float(speed @ np.tile(weights / 2 / panels, panels)))
    return totals[-1], abs(totals[-1] - totals[-2])


def _shortest(density: Mixture, first: Floats, last: Floats, made: Rule, progress: Progress) -> Floats:
    """Return the bends of the path of least energy, from several starts."""
    s = np.linspace(0, 1, SEARCHED)
    k = np.arange(1, WAVES + 1)
    waves = np.sin(np.pi * np.outer(s, k)) / k
    d = density.dimension
    apart = last - first

    def energy(flat: Floats) -> tuple[float, Floats]:
        progress.update(0, 1, "shortest path")
        value, slope = _energy(density, _path(first, last, flat.reshape(WAVES, d), s), made)
        return value, (waves.T @ slope).ravel()

    starts = [np.zeros((WAVES, d))]
    if d == 2:
        for side in (0.4, -0.4):
            start = np.zeros((WAVES, d))
            start[0] = side * np.array([-apart[1], apart[0]])
            starts.append(start)
    best, least = starts[0], np.inf
    for start in starts:
        found = minimize(energy, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 60, "ftol": 1e-7})
        if found.fun < least:
            best, least = found.x.reshape(WAVES, d), found.fun
    return best


def _energy(density: Mixture, path: Floats, made: Rule) -> tuple[float, Floats]:
    """Return Σ‖F(x_{i+1}) − F(x_i)‖² (n − 1) and its gradient (n, d) in the places."""
    n, d = path.shape
    projected, turned = density.projected(path), density.turned(made.noise.noise)
    m = len(made.noise.noise)
    slope = np.zeros((n, d))
    parts = np.zeros(len(made.snr.sigma))
    slopes = np.zeros((len(made.snr.sigma), n, d))

    def at(j: int) -> None:
        sigma = made.snr.sigma[j]
        log_weights, inverse = density.blurred(sigma)
        scores, hessians = np.empty((n, m, d)), np.empty((n, m, d, d))
        scaled_scores(projected, turned, sigma, log_weights, inverse, density.rows, sigma**2, scores)
        scaled_hessians(projected, turned, sigma, log_weights, inverse, density.rows, density.precisions(inverse),
                        sigma**2, hessians)  # fmt: skip
        apart = np.diff(scores, axis=0)
        weight = made.snr.weights[j] * made.noise.weights
        parts[j] = np.einsum("m,nmd->", weight, apart**2)
        pull = np.zeros_like(scores)
        pull[1:] += apart
        pull[:-1] -= apart
        slopes[j] = 2 * np.einsum("m,nmd,nmde->ne", weight, pull, hessians)

    for_each(at, range(len(made.snr.sigma)), Progress())
    slope = slopes.sum(axis=0)
    return float(parts.sum()) * (n - 1), slope * (n - 1)
