"""What flows out of a loop: the closing failure of the lattice coframe, and the fluxes of both traces."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from workbench import checks
from workbench.shapes.defects.frames import CoframeField, nonmetricity_traces

PER_SPACING = 4
FARTHEST = 1.5
JUMP = 0.35
"""Of the coframe from point to point: more is a seam, where the labels of two sides belong to two orientations."""


class LoopFluxes(NamedTuple):
    """``closing`` (2,) = −∮E in crystal axes, a length, the Burgers vector as a field has it; NaN across a seam.

    ``first`` = ∮ Q·n ds and ``second`` = ∮ P·n ds in radians, n outwards.
    """

    closing: NDArray
    first: float
    second: float


def loop_fluxes(field: CoframeField, loop: ArrayLike, spacing: float) -> LoopFluxes:
    """Return what a field at atoms in the plane has around a polygon (m, 2), counter-clockwise.

    The coframe is taken from the nearest atom to first order, the traces as they are there; ``spacing`` is the distance
    of neighbours. All NaN if the loop goes where there is no field.

    >>> from workbench import shapes
    >>> made = shapes.insert(shapes.crystal("square", 14), "edge", burgers=[0, 1])
    >>> found = loop_fluxes(shapes.lattice_frame(made), [[8, 8], [-8, 8], [-8, -8], [8, -8]], 1.0)
    >>> found.closing.round(1).tolist()
    [0.0, 1.0]
    """
    corners = checks.finite_array("loop", loop, ndim=2)
    lost = LoopFluxes(np.full(2, np.nan), np.nan, np.nan)
    if field.points.shape[1] != 2 or not len(field.points):
        return lost
    after = np.roll(corners, -1, 0)
    points = np.concatenate(
        [
            p + (q - p) * np.arange(count)[:, None] / count
            for p, q in zip(corners, after, strict=True)
            for count in [max(1, int(np.ceil(PER_SPACING * np.linalg.norm(q - p) / spacing)))]
        ]
    )
    off, near = cKDTree(field.points).query(points)
    if off.max() > FARTHEST * spacing:
        return lost
    steps = (np.roll(points, -1, 0) - np.roll(points, 1, 0)) / 2
    away = points - field.points[near]
    coframe = field.coframe[near] + np.einsum("naim,nm->nai", field.coframe_gradient[near], away)
    closing = -np.einsum("nai,ni->a", coframe, steps)
    if np.abs(coframe - np.roll(coframe, 1, 0)).max() > JUMP:
        closing = np.full(2, np.nan)
    used, where = np.unique(near, return_inverse=True)
    part = CoframeField(*(values[used] for values in (field.points, field.coframe, field.coframe_gradient, field.metric,
                                                      field.metric_gradient)))  # fmt: skip
    traces = nonmetricity_traces(part)
    outwards = np.stack([steps[:, 1], -steps[:, 0]], 1)
    first, second = (float((trace[where] * outwards).sum()) for trace in (traces.first, traces.second))
    return LoopFluxes(closing, first, second)
