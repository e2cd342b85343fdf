"""What each distance of two signals sees: what leaves it where it is, which axioms it keeps, and what fools it."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import results
from workbench.metrics import grammar
from workbench.metrics.signals.examples import transformed
from workbench.metrics.signals.mixture import Mixture, checked, needs_width
from workbench.metrics.signals.yardsticks import SIGNAL_DISTANCES
from workbench.progress import Progress

Floats = NDArray[np.float64]
Pair = tuple[Mixture, Floats]
LABELS = {name: entry.fact("symbol") for name, entry in SIGNAL_DISTANCES.items()}
FINE: Mapping[int, Mapping[str, Any]] = {1: {"nodes": 192, "step": 0.05}, 2: {"nodes": 48, "step": 0.25}}
"""Dimension → rule of the comparison of two points, where the last digits count."""
COARSE: Mapping[int, Mapping[str, Any]] = {1: {"nodes": 32, "step": 0.2}, 2: {"nodes": 20, "step": 0.6}}
UNSEEN = 1e-3
"""A share of the median distance below which a yardstick is said to see nothing, in the search for blind spots."""
LINE, SIDE = 61, 8


def _moved(density: Mixture, points: Floats) -> Pair:
    by = 3 * np.sqrt(density.largest_variance)
    return transformed(density, np.eye(density.dimension), by), points + by


def _turned(density: Mixture, points: Floats) -> Pair:
    turn = -np.eye(1)
    if density.dimension == 2:
        angle = 0.7
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return transformed(density, turn), points @ turn.T


def _exchanged(density: Mixture, points: Floats) -> Pair:
    return density, points[::-1]


def _split(density: Mixture, points: Floats) -> Pair:
    weights = np.append(density.weights, density.weights[0] / 2)
    weights[0] /= 2
    means = np.concatenate([density.means, density.means[:1]])
    return Mixture(weights, means, np.concatenate([density.covariances, density.covariances[:1]])), points


def _units(density: Mixture, points: Floats) -> Pair:
    return transformed(density, 2 * np.eye(density.dimension)), 2 * points


def _axis_units(density: Mixture, points: Floats) -> Pair:
    scale = np.ones(density.dimension)
    scale[0] = 3
    return transformed(density, np.diag(scale)), points * scale


def _elsewhere(density: Mixture, points: Floats) -> Pair:
    k = int(np.argmax(np.square(density.means - points[0]).sum(axis=1)))
    return density, points + (density.means[k] - points[0])


def _half(density: Mixture, points: Floats) -> Pair:
    return density, np.stack([points[0], points.mean(axis=0)])


def _gaussian(density: Mixture, points: Floats) -> Pair:
    return Mixture([1.0], density.mean[None], density.covariance[None]), points


TRANSFORMATIONS: Mapping[str, tuple[str, bool, Callable[[Mixture, Floats], Pair]]] = {
    "moved": ("points and density moved", True, _moved),
    "turned": ("both turned", True, _turned),
    "exchanged": ("the two points exchanged", True, _exchanged),
    "split": ("one component written as two", True, _split),
    "units": ("other units (all × 2)", True, _units),
    "axis-units": ("other units on the first axis (× 3)", True, _axis_units),
    "elsewhere": ("the pair moved onto another bump", False, _elsewhere),
    "half": ("half the step", False, _half),
    "gaussian": ("density replaced by the Gaussian of its moments", False, _gaussian),
}
"""Name → what is done, whether it should not matter, and the function that does it."""

AXIOMS = {
    "triangle": "worst excess over the triangle inequality",
    "gram": "least over greatest eigenvalue of the Gram matrix",
    "lower": "least distance per Euclidean unit",
    "upper": "greatest distance per Euclidean unit",
}


@results.experiment
def signal_invariances(density: Mixture, a: ArrayLike, b: ArrayLike, *, progress: Progress | None = None) -> xr.Dataset:
    """Return what moves each distance of ``a`` and ``b``, its constants over a grid of points, and its blind spot.

    In the form of :mod:`workbench.metrics.grammar`: ``invariance_change`` (yardstick, transformation) is
    |after/before − 1| of the distance, ``constant`` (yardstick, axiom), ``blind_seen`` and ``blind_reference`` in units
    of each yardstick's median distance. d ≤ 2, where distances have digits to compare. Raises ``ValueError`` for two
    equal points. Cost: 0.3 s in one dimension, 2 s in the plane.

    >>> from workbench.metrics.signals.examples import bumps
    >>> found = signal_invariances(bumps(), -1.0, 0.5)
    >>> change = found.invariance_change.sel(transformation="units")
    >>> float(change.sel(yardstick="iem")) < 1e-12, float(change.sel(yardstick="euclidean"))
    (True, 1.0)
    """
    density = checked(density)
    if density.dimension > 2:
        raise ValueError(
            f"invariances are measured in one and two dimensions, the density has {density.dimension}; above, the "
            "error of the distances hides what would be measured"
        )
    needs_width(density, np.inf)
    points = np.stack([density.point("a", a), density.point("b", b)])
    if np.array_equal(points[0], points[1]):
        raise ValueError("a and b are one point; give two, whose distance can change")
    return results.dataset(*parts(density, points, progress or Progress()))


def parts(density: Mixture, points: Floats, progress: Progress) -> grammar.Part:
    """Return invariances, constants and blind spots as a part of a result."""
    start = _distances(density, points)
    change = np.empty((len(LABELS), len(TRANSFORMATIONS)))
    for t, (_, _, change_of) in enumerate(TRANSFORMATIONS.values()):
        progress.update(t, len(TRANSFORMATIONS) + 2, "what moves the distances")
        after = _distances(*change_of(density, points))
        with np.errstate(divide="ignore", invalid="ignore"):
            change[:, t] = np.where(start > 0, np.abs(after / start - 1), np.nan)
    change[np.abs(change) < 1e-15] = 0
    told = {name: (label, harmless) for name, (label, harmless, _) in TRANSFORMATIONS.items()}
    pool = grid(density, points)
    squared = {name: entry(density, pool, **COARSE[density.dimension]) for name, entry in SIGNAL_DISTANCES.items()}
    return grammar.joined(
        grammar.invariances(LABELS, told, change),
        grammar.constants(LABELS, AXIOMS, np.array([_axioms(squared[name], pool) for name in LABELS])),
        _blind(squared, pool),
    )


def grid(density: Mixture, points: Floats) -> Floats:
    """Return points evenly over where the density is, the given two and the means among them."""
    low = (density.means - 2.2 * np.sqrt(np.diagonal(density.covariances, axis1=1, axis2=2))).min(axis=0)
    high = (density.means + 2.2 * np.sqrt(np.diagonal(density.covariances, axis1=1, axis2=2))).max(axis=0)
    count = LINE if density.dimension == 1 else SIDE
    lines = [np.linspace(a, b, count) for a, b in zip(low, high, strict=True)]
    made = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, density.dimension)
    return np.unique(np.concatenate([made, density.means, points]).round(12), axis=0)


def _distances(density: Mixture, points: Floats) -> Floats:
    """Return the distance of two points by every yardstick."""
    options = FINE[density.dimension]
    return np.sqrt([entry(density, points, **options)[0, 1] for entry in SIGNAL_DISTANCES.values()])


def _axioms(squared: Floats, pool: Floats) -> list[float]:
    distance = np.sqrt(squared)
    n = len(pool)
    excess = max(
        float((distance[i][None, :] - distance[i][:, None] - distance).max()) for i in range(n)
    )  # d(i, k) − d(i, j) − d(j, k)
    rows = squared.mean(axis=0)
    values = np.linalg.eigvalsh(-(squared - rows[:, None] - rows[None] + rows.mean()) / 2)
    apart = np.linalg.norm(pool[:, None] - pool[None], axis=2)
    off = ~np.eye(n, dtype=bool)
    ratio = distance[off] / apart[off]
    least = values[0] / values[-1]
    excess = 0.0 if excess < 1e-12 * distance.max() else excess
    return [excess, 0.0 if abs(least) < 1e-12 else float(least), float(ratio.min()), float(ratio.max())]


def _blind(squared: Mapping[str, Floats], pool: Floats) -> grammar.Part:
    """Find for each yardstick the pair whose difference it sees least of, against what its reference sees."""
    distance = {name: np.sqrt(values) for name, values in squared.items()}
    seen, reference, names, words = [], [], [], []
    for name, entry in SIGNAL_DISTANCES.items():
        judge = "euclidean" if entry.fact("reads_density") else "iem"
        own, other = (d / np.median(d[d > 0]) for d in (distance[name], distance[judge]))
        fooled = other / np.maximum(own, UNSEEN)
        i, j = sorted(np.unravel_index(int(np.argmax(fooled)), fooled.shape))
        seen.append(float(own[i, j]))
        reference.append(float(other[i, j]))
        names.append(LABELS[judge])
        words.append(f"{told(pool[i])} | {told(pool[j])}")
    return grammar.blind_spots(LABELS, seen, reference, names, words)


def told(point: Floats) -> str:
    """Return a point in words.

    >>> told(np.array([1.0, -0.25]))
    '(1, −0.25)'
    """
    numbers = ", ".join(f"{value:.3g}".replace("-", "−") for value in point)
    return numbers if len(point) == 1 else f"({numbers})"
