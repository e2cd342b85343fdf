"""One density on a line or in the plane with two points, and everything that the metric says of them."""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.metrics.signals import blind
from workbench.metrics.signals.distance import farthest, integrated
from workbench.metrics.signals.examples import SIGNAL_EXAMPLES
from workbench.metrics.signals.features import distances_from, squared_distances
from workbench.metrics.signals.mixture import Mixture, checked_snr, needs_width
from workbench.metrics.signals.rules import rule
from workbench.metrics.signals.tensor import iem_geodesic, tensors
from workbench.progress import Progress

Floats = NDArray[np.float64]
LINE = 241
SIDE = 40
PIECES = 8
"""A part of the step from a to b: one in so many."""
ELLIPSES = 5
DIGITS = {1: 8, 2: 6}


@results.experiment
def signal_report(
    weights: ArrayLike | None = None,
    means: ArrayLike | None = None,
    covariances: ArrayLike | None = None,
    *,
    a: ArrayLike | None = None,
    b: ArrayLike | None = None,
    snr: float = np.inf,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return a density on a line or in the plane, how far every place is from ``a``, and what lies between a and b.

    The density is a mixture as :class:`Mixture` takes it, by default two bumps on a line. On ``x``, or ``x`` and ``y``:
    ``density`` and ``distance_map`` from a. ``distance`` of a and b with ``error``, ``share`` over ``snr``, and
    ``length`` of the geodesic with its ``path``. ``ridge`` (end, axis) is the part of the segment, an eighth of it,
    over which the metric sees most, and ``ridge_distance`` what it sees. Invariances, constants and blind spots are in
    the form of :mod:`workbench.metrics.grammar`. Raises ``ValueError`` for more than two dimensions and for a = b.
    Cost: 0.7 s on a line, 4 s in the plane; the first picture is published after a tenth of that.

    >>> found = signal_report()
    >>> round(float(found.distance), 4), round(float(found.ridge_distance), 4), round(float(found.length), 2)
    (1.7335, 3.4426, 14.25)
    """
    given = [weights, means, covariances]
    if all(value is None for value in given):
        example = SIGNAL_EXAMPLES["two-bumps"]()
        density, a, b = example.density, example.a if a is None else a, example.b if b is None else b
    elif any(value is None for value in given) or a is None or b is None:
        raise ValueError("give weights, means, covariances, a and b together, or none of them")
    else:
        density = Mixture(weights, means, covariances)
    if density.dimension > 2:
        raise ValueError(
            f"the report draws one and two dimensions, the density has {density.dimension}; use iem_matrix"
        )
    snr = checked_snr(snr)
    needs_width(density, snr)
    ends = np.stack([density.point("a", a), density.point("b", b)])
    if np.array_equal(ends[0], ends[1]):
        raise ValueError("a and b are one point; move one of them")
    progress = progress or Progress()
    variables, coordinates = _first(density, ends, snr, progress)
    progress.publish(results.unfinished(results.dataset(variables, coordinates), "the shortest path and the tables"))
    more, axes = _paths(density, ends, snr, progress)
    variables |= more
    coordinates |= axes
    part_variables, part_coordinates = blind.parts(density, ends, progress)
    progress.update(1, 1, "done")
    return results.dataset({**variables, **part_variables}, {**coordinates, **part_coordinates})


def _first(density: Mixture, ends: Floats, snr: float, progress: Progress) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the maps, the distance and its spectrum: what is seen at once."""
    d = density.dimension
    found, balance = integrated(
        density, ends[0], ends[1], snr, digits=DIGITS[d], samples=1024, seed=0, progress=progress
    )
    distance = np.sqrt(max(found.value, 0.0))
    lines = _lines(density, ends)
    coordinates: dict[str, Any] = {
        "end": (("end",), np.array(["a", "b"]), "which point"),
        "axis": (("axis",), np.arange(1, d + 1), "coordinate"),
        "component": (("component",), np.arange(density.components), "bump"),
        "snr": (("snr",), found.nodes.snr, "signal-to-noise ratio 1/σ²", "1/x²"),
        "x": (("x",), lines[0], "first coordinate", "x"),
    }
    where = ("x",) if d == 1 else ("y", "x")
    if d == 2:
        coordinates["y"] = (("y",), lines[1], "second coordinate", "x")
    grid = np.stack(np.meshgrid(*lines, indexing="xy"), axis=-1).reshape(-1, d) if d == 2 else lines[0][:, None]
    made = rule(density, snr=snr, nodes=24, step=0.2) if d == 1 else rule(density, snr=snr, nodes=10, step=1.2)
    shape = tuple(len(line) for line in reversed(lines))
    seen = distances_from(density, ends[0], grid, made, progress).reshape(shape)
    surprise = density.surprise(ends)
    ridge, ridge_distance = _ridge(density, ends, snr, progress)
    variables = {
        "distance": ((), distance, "information-estimation distance of a and b"),
        "error": ((), found.error / (2 * distance) if distance > 0 else 0.0, "its error"),
        "euclidean": ((), float(np.linalg.norm(ends[1] - ends[0])), "Euclidean distance of a and b", "x"),
        "share": (("snr",), found.integrand * found.nodes.snr / found.value, "part of IEM² per unit of log SNR"),
        "balance": ((), balance.value / 2, "½ ∫ (E‖ε_a‖² − E‖ε_b‖²) dg"),
        "information": ((), _information(density, ends), "log p(b) − log p(a)"),
        "point": (("end", "axis"), ends, "the two points", "x"),
        "surprise": (("end",), surprise, "standard deviations from the nearest bump"),
        "outside": (("end",), surprise > farthest(d), "whether the point lies outside the density"),
        "density": (where, np.exp(density.log_density(grid)).reshape(shape), "density"),
        "distance_map": (where, seen, "information-estimation distance from a"),
        "weight": (("component",), density.weights, "weight of the bump"),
        "mean": (("component", "axis"), density.means, "mean of the bump", "x"),
        "ridge": (("end", "axis"), ridge, "the part of the segment that the metric sees most", "x"),
        "ridge_distance": ((), ridge_distance, f"information-estimation distance over 1/{PIECES} of the segment"),
        "up_to": ((), snr, "SNR up to which noise is counted", "1/x²"),
    }
    if d == 2:
        spots = _spots(density, lines)
        tensor = tensors(density, spots, rule(density, snr=snr, nodes=16, step=0.9), progress)[0]
        coordinates["spot"] = (("spot",), np.arange(len(spots)), "place of an ellipse")
        coordinates["column"] = (("column",), np.arange(1, d + 1), "coordinate")
        variables["spot_place"] = (("spot", "axis"), spots, "place of an ellipse", "x")
        variables["tensor"] = (("spot", "axis", "column"), tensor, "metric tensor there", "1/x²")
    return variables, coordinates


def _information(density: Mixture, ends: Floats) -> float:
    if density.least_variance == 0:
        return float("nan")
    values = density.log_density(ends)
    return float(values[1] - values[0])


def _lines(density: Mixture, ends: Floats) -> list[Floats]:
    """Return the places of the picture along each coordinate: bumps and points with room around them."""
    width = np.sqrt(np.diagonal(density.covariances, axis1=1, axis2=2) + 1e-300)
    low = np.minimum((density.means - 2.8 * width).min(axis=0), ends.min(axis=0) - 0.5 * width.min(axis=0))
    high = np.maximum((density.means + 2.8 * width).max(axis=0), ends.max(axis=0) + 0.5 * width.min(axis=0))
    count = LINE if density.dimension == 1 else SIDE
    return [np.linspace(a, b, count) for a, b in zip(low, high, strict=True)]


def _spots(density: Mixture, lines: list[Floats]) -> Floats:
    """Return a few places over the picture for ellipses of the local metric."""
    inner = [np.linspace(line[0], line[-1], ELLIPSES + 2)[1:-1] for line in lines]
    return np.stack(np.meshgrid(*inner, indexing="ij"), axis=-1).reshape(-1, density.dimension)


def _ridge(density: Mixture, ends: Floats, snr: float, progress: Progress) -> tuple[Floats, float]:
    """Return the eighth of the segment that the metric sees most, and its distance."""
    count = 4 * PIECES
    places = ends[0] + np.linspace(0, 1, count + 1)[:, None] * (ends[1] - ends[0])
    options = {"nodes": 24, "step": 0.2} if density.dimension == 1 else {"nodes": 16, "step": 0.8}
    squared = squared_distances(density, places, snr=snr, progress=progress, **options)[0]
    step = count // PIECES
    k = int(np.argmax(squared[np.arange(count + 1 - step), np.arange(step, count + 1)]))
    pair = np.stack([places[k], places[k + step]])
    found = integrated(
        density, pair[0], pair[1], snr, digits=DIGITS[density.dimension], samples=1024, seed=0, progress=progress
    )[0]
    return pair, float(np.sqrt(max(found.value, 0.0)))


def _paths(density: Mixture, ends: Floats, snr: float, progress: Progress) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the geodesic from a to b."""
    path = iem_geodesic(density, ends[0], ends[1], snr=snr, progress=progress)
    variables = {
        name: (path[name].dims, path[name].values, path[name].attrs["long_name"], path[name].attrs["units"])
        for name in ("path", "speed", "length", "length_error", "straight")
    }
    return variables, {"step": (("step",), path.step.values, path.step.attrs["long_name"])}


def signal_state(example: str) -> Any:
    """Return an example's density and points as a page keeps them, by its name in :data:`SIGNAL_EXAMPLES`.

    >>> signal_state("two-bumps").a
    (-2.0,)
    """
    from workbench.metrics.signals.handles import drawn

    found = SIGNAL_EXAMPLES[checks.choice("example", example, SIGNAL_EXAMPLES)]()
    return drawn(found.density, found.a, found.b)
