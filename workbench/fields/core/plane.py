"""Arrows of fields in the plane, on one grid, so that they can be laid over each other."""

from typing import Any, NamedTuple

import numpy as np

from workbench.fields.core.laws import Floats, GaussianMixture, Law

TIMES = (0.1, 0.3, 0.5, 0.7, 0.9)
SIDE = 15
REACH = 2.0
"""Standard deviations of the target and of the source that the grid shows around their means."""


class Grid(NamedTuple):
    """A grid in the plane of the first two coordinates; the others stay at the mean of p_t."""

    x: Floats
    y: Floats
    start: Floats
    end: Floats

    def points(self, t: float) -> Floats:
        """Return the points (y · x, d) at which the fields are asked at time ``t``."""
        across, up = np.meshgrid(self.x, self.y)
        made = np.tile((1 - t) * self.start + t * self.end, (across.size, 1))
        made[:, 0] = across.ravel()
        if made.shape[1] > 1:
            made[:, 1] = up.ravel()
        return made


def grid_of(source: GaussianMixture, target: Law, side: int = SIDE) -> Grid:
    """Return a grid over what both laws fill, as high as it is wide."""
    sides = []
    for axis in range(min(source.dimension, 2)):
        ends = []
        for law in (source, target):
            middle, reach = law.mean[axis], REACH * law.covariance[axis, axis] ** 0.5
            ends.append((middle - reach, middle + reach))
        sides.append((min(low for low, _ in ends), max(high for _, high in ends)))
    half = max((high - low) / 2 for low, high in sides)
    middles = [(low + high) / 2 for low, high in sides]
    middles += [0.0] * (2 - len(middles))
    x, y = (np.linspace(middle - half, middle + half, side) for middle in middles)
    return Grid(x, y, source.mean, target.mean)


def arrows(grid: Grid, field: Any, times: Any = TIMES) -> Floats:
    """Return the velocities (time, y, x, 2) of a field on the grid."""
    made = np.zeros((len(times), len(grid.y), len(grid.x), 2))
    for k, t in enumerate(times):
        values = field(grid.points(float(t)), float(t))[:, :2]
        made[k, ..., : values.shape[1]] = values.reshape(len(grid.y), len(grid.x), -1)
    return made


def arrow_definitions(grid: Grid, times: Any = TIMES, **fields: Any) -> dict[str, tuple[Any, ...]]:
    """Return definitions of variables ``exact``, ``memoriser``, ``learned``… for a Dataset; NaN for a field of None."""
    told = {"exact": "exact field v*", "memoriser": "memoriser v*_n", "learned": "learned field v̂"}
    dims = ("time", "y", "x", "axis")
    none = np.full((len(times), len(grid.y), len(grid.x), 2), np.nan)
    return {
        f"arrow_{name}": (dims, none if field is None else arrows(grid, field, times), told[name])
        for name, field in fields.items()
    }
