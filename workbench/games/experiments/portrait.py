"""The phase portrait: the flow in a plane, a few trajectories, and two balls that shrink or do not."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.linalg
import xarray as xr
from numpy.typing import NDArray

from workbench import checks, results
from workbench.games.experiments.simulate import DIVERGED
from workbench.games.gallery import Example
from workbench.games.gallery.resolve import bounds_for, certificate_for, equilibrium_for, resolve
from workbench.games.small_gain.weights import perron
from workbench.progress import Progress

TRAJECTORIES = 6
SHAPES = ("M", "Euclid")


@results.experiment
def portrait(
    game: Any,
    options: Mapping[str, Any] | None = None,
    *,
    time: float = 3.0,
    frames: int = 60,
    arrows: int = 17,
    seed: int | np.random.Generator = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return the flow x' = -F(x) seen in the plane of the first coordinates of players 1 and 2.

    ``path`` (trajectory, frame, axis): trajectories from around the equilibrium, by RK4 with small steps. ``ring``
    (shape, frame, angle, axis): the image after each time of the unit M-ball and of the Euclidean ball of the same
    size, under the flow linearised at the equilibrium. ``size`` (shape, frame): their largest radius in their own norm:
    below 1 and falling for M if certified; the Euclidean one may grow first. ``arrow`` (row, column, axis): -F on a
    grid. Games with more coordinates are cut through the equilibrium. The certificate is in the attributes (JSON).

    >>> ds = portrait("toy", time=1.0, frames=5, arrows=3)
    >>> ds.sizes["frame"]
    6
    """
    example = resolve(game, options)
    progress = progress or Progress()
    checks.real("time", time, exclusive_minimum=0, maximum=1e4)
    checks.integer("frames", frames, minimum=2, maximum=1000)
    plane = _plane(example)
    centre = equilibrium_for(example)
    certificate = certificate_for(example, progress)
    w = certificate.weights if certificate.weights is not None else _fallback_weights(example)
    scale = _scale(example, centre, plane, np.repeat(w, example.game.sizes)[plane])
    jacobian = np.asarray(example.game.jacobian(centre))
    times = np.linspace(0, time, frames + 1)
    rings, size = _rings(jacobian, np.repeat(w, example.game.sizes), plane, scale, times)
    paths = _paths(example, centre, plane, scale, times, checks.generator(seed), progress)
    grid = np.linspace(-1.3, 1.3, checks.integer("arrows", arrows, minimum=2, maximum=101))
    offsets = scale * np.stack(np.meshgrid(grid, grid, indexing="ij"), axis=-1).reshape(-1, 2)
    flow = _flow(example, centre, plane, offsets).reshape(len(grid), len(grid), 2)
    return results.dataset(
        {
            "path": (("trajectory", "frame", "axis"), paths, "position in the plane, from the equilibrium"),
            "ring": (("shape", "frame", "angle", "axis"), rings, "image of the unit ball, from the equilibrium"),
            "size": (("shape", "frame"), size, "largest radius in the ball's own norm, start = 1"),
            "arrow": (("row", "column", "axis"), flow, "velocity -F", "1/time"),
            "centre": (("axis",), centre[plane], "equilibrium"),
            "weight": (("player",), w, "metric weight"),
            "margin": ((), certificate.margin, "certified margin", "1/time"),
        },
        {
            "trajectory": (("trajectory",), np.arange(len(paths)), "trajectory"),
            "frame": (("frame",), times, "time", "time"),
            "axis": (("axis",), np.array(["player 1", "player 2"]), "axis of the plane"),
            "shape": (("shape",), np.array(SHAPES), "norm of the ball"),
            "angle": (("angle",), np.linspace(0, 2 * np.pi, rings.shape[2]), "angle", "rad"),
            "row": (("row",), scale[0] * grid, "offset of player 1"),
            "column": (("column",), scale[1] * grid, "offset of player 2"),
            "player": (("player",), np.arange(1, len(w) + 1), "player"),
        },
        {
            "game": example.game.name,
            "truth": example.truth,
            "status": certificate.status.value,
            "reason": certificate.reason,
            "certificate": certificate.to_json(indent=None),
        },
    )


def _plane(example: Example) -> NDArray:
    """The first coordinate of player 1 and of player 2 (or the second coordinate of a single player)."""
    sizes = example.game.sizes
    if sum(sizes) < 2:
        raise ValueError("a portrait needs a game with at least two coordinates")
    return np.array([0, sizes[0] if len(sizes) > 1 else 1])


def _fallback_weights(example: Example) -> NDArray:
    w = perron(bounds_for(example)).w
    return w if np.all(np.isfinite(w)) else np.ones(len(example.game.sizes))


def _scale(example: Example, centre: NDArray, plane: NDArray, w: NDArray) -> NDArray:
    """Half the picture on each axis: the region, or between the shapes of both balls so that both can be seen."""
    if example.region is not None:
        return np.maximum(0.9 * np.minimum(centre - example.region.lower, example.region.upper - centre), 1e-3)[plane]
    size = max(1.0, 0.5 * float(np.abs(example.start - centre).max()))
    return size * np.array([1.0, np.clip((w[0] / w[1]) ** 0.25, 1e-3, 1e3)])


def _rings(jacobian: NDArray, w: NDArray, plane: NDArray, scale: NDArray, times: NDArray) -> tuple[NDArray, NDArray]:
    """Follow both balls under exp(-t J); drawn is the section through the plane, measured is the whole ball."""
    angles = np.linspace(0, 2 * np.pi, 97)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    rings, size = np.empty((2, len(times), len(angles), 2)), np.empty((2, len(times)))
    one = scipy.linalg.expm(-(times[1] - times[0]) * jacobian)
    for s, weights in enumerate((w, np.ones_like(w))):
        root = np.sqrt(weights)
        radius = np.min(scale * root[plane])
        start = np.zeros((len(angles), len(w)))
        start[:, plane] = radius * circle / root[plane]
        moved = np.eye(len(w))
        for k in range(len(times)):
            rings[s, k] = (start @ moved.T)[:, plane]
            size[s, k] = np.linalg.norm(root[:, None] * moved / root, 2)
            moved = one @ moved
    return rings, size


def _paths(
    example: Example,
    centre: NDArray,
    plane: NDArray,
    scale: NDArray,
    times: NDArray,
    rng: np.random.Generator,
    progress: Progress,
) -> NDArray:
    angles = 2 * np.pi * (np.arange(TRAJECTORIES) + rng.random()) / TRAJECTORIES
    paths = np.full((TRAJECTORIES, len(times), 2), np.nan)
    speed = np.linalg.norm(np.asarray(example.game.jacobian(centre)), 2)
    inner = int(np.clip(np.ceil(speed * (times[1] - times[0])), 1, 20))
    x = np.tile(centre, (TRAJECTORIES, 1))
    x[:, plane] += 0.95 * scale * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    for n in range(len(times)):
        progress.update(n, len(times), "trajectories")
        paths[:, n] = (x - centre)[:, plane]
        for _ in range(inner):
            x = _rk4(example.game, x, (times[1] - times[0]) / inner)
        x[np.abs(np.where(np.isfinite(x), x, np.inf)).max(axis=1) > DIVERGED] = np.nan
    return paths


def _rk4(game: Any, x: NDArray, h: float) -> NDArray:
    with np.errstate(all="ignore"):
        k1 = game.field(x)
        k2 = game.field(x - 0.5 * h * k1)
        k3 = game.field(x - 0.5 * h * k2)
        return x - h * (k1 + 2 * k2 + 2 * k3 + game.field(x - h * k3)) / 6


def _flow(example: Example, centre: NDArray, plane: NDArray, offsets: NDArray) -> NDArray:
    """-F in the plane at many offsets (n, 2); zero where it is not finite."""
    x = np.tile(centre, (len(offsets), 1))
    x[:, plane] += offsets
    with np.errstate(all="ignore"):
        value = -np.asarray(example.game.field(x))[:, plane]
    return np.where(np.isfinite(value), value, 0.0)
