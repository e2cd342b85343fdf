"""What the teleparallel dictionary calls dislocations, wedges and point defects, measured on their exact fields."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.progress import Progress
from workbench.shapes.defects.frames import nonmetricity_traces, sampled_frame, torsion_shares

CIRCLE = 24
"""Points on the circle around a wedge: its fields are the same on all of it, so these check more than they refine."""
WEDGES = (-60.0, -30.0, -10.0, -1.0, 1.0, 10.0, 30.0, 60.0)
CHARACTERS = (0.0, 15.0, 30.0, 45.0, 60.0, 75.0, 90.0)
STRENGTHS = (0.001, 0.003, 0.01, 0.03)
PLACE = (1.3, 0.4)
BEND = 0.05
FRAMES = ("polar", "isothermal")


def cone_metric(beta: float) -> Callable[[NDArray], NDArray]:
    """Return the metric dr² + β²r²dφ² of a cone, in the plane of r cos φ and r sin φ."""

    def metric(x: NDArray) -> NDArray:
        n = x / np.linalg.norm(x, axis=1, keepdims=True)
        radial = n[:, :, None] * n[:, None, :]
        return radial + beta**2 * (np.eye(2) - radial)

    return metric


def isothermal_metric(beta: float) -> Callable[[NDArray], NDArray]:
    """Return the metric r^(2β−2) δ of the same cone in coordinates that keep angles."""
    return lambda x: (x**2).sum(1)[:, None, None] ** (beta - 1) * np.eye(2)


METRICS = {"polar": cone_metric, "isothermal": isothermal_metric}


def point_source(strength: float) -> Callable[[NDArray], NDArray]:
    """Return the coframe dx − du around a point that pushes outwards, u = c r̂/r."""

    def coframe(x: NDArray) -> NDArray:
        r2 = (x**2).sum(1)[:, None, None]
        return np.eye(2) - strength * (np.eye(2) / r2 - 2 * x[:, :, None] * x[:, None, :] / r2**2)

    return coframe


def bent_crystal(curvature: float) -> Callable[[NDArray], NDArray]:
    """Return the coframe of a crystal that is bent and has no defect at all: x ↦ X(x) has E = dX.

    The displacement is u = (κxy, −κx²/2), so E = dx − du.
    """

    def coframe(x: NDArray) -> NDArray:
        first = np.stack([1 - curvature * x[:, 1], -curvature * x[:, 0]], 1)
        second = np.stack([curvature * x[:, 0], np.ones(len(x))], 1)
        return np.stack([first, second], 1)

    return coframe


@results.experiment
def defect_dictionaries(
    wedges: ArrayLike = WEDGES,
    characters: ArrayLike = CHARACTERS,
    strengths: ArrayLike = STRENGTHS,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Measure torsion and non-metricity on the exact fields of single defects, where their charges are known.

    ``wedges`` are the angles Ω of cones in degrees (positive: cut out), each with two flat frames, that of polar
    coordinates and that of isothermal ones. ``characters`` are the angles between Burgers vector and line (0: screw,
    90: edge), ``strengths`` those of a point source c r̂/r, seen at (1.3, 0.4).

    Returns fluxes 2πr Q_r and 2πr P_r (frame, wedge) in radians with their spread over the circle, shares (character),
    traces of the point source and of a bent crystal. ``ValueError`` for wedges beyond ±300°, and 0.
    """
    angles = checks.finite_array("wedges", wedges, ndim=1)
    if np.any(angles == 0) or np.abs(angles).max() > 300:
        raise ValueError("wedges must lie within ±300° and not be 0: a cone needs something that is cut out or put in")
    lines = checks.finite_array("characters", characters, ndim=1)
    pushes = checks.finite_array("strengths", strengths, ndim=1)
    if np.any(pushes == 0) or np.abs(pushes).max() > 0.5:
        raise ValueError("strengths must lie within ±0.5 and not be 0: at 1.85 the source folds the lattice over")
    progress = progress or Progress()
    turn = 2 * np.pi * np.arange(CIRCLE) / CIRCLE
    normal = np.stack([np.cos(turn), np.sin(turn)], 1)
    flux = np.empty((2, len(FRAMES), len(angles), CIRCLE))
    for k, angle in enumerate(angles):
        progress.update(k, len(angles), "cones")
        for f, name in enumerate(FRAMES):
            found = nonmetricity_traces(sampled_frame(normal, metric=METRICS[name](1 - angle / 360), step=1e-2))
            flux[0, f, k] = 2 * np.pi * (found.first * normal).sum(1)
            flux[1, f, k] = 2 * np.pi * (found.second * normal).sum(1)
    shares = np.array([_shares(np.radians(one)) for one in lines]).reshape(-1, 3)
    pushed = [nonmetricity_traces(sampled_frame([PLACE], point_source(one))) for one in pushes]
    bend = nonmetricity_traces(sampled_frame([[0.0, 0.0]], bent_crystal(BEND)))
    mean, spread = flux.mean(-1), np.ptp(flux, axis=-1).max(0)
    character = ("character",)
    return results.dataset(
        {
            "first_flux": (("frame", "wedge"), mean[0], "flux of the first trace, 2πr Q_r", "rad"),
            "second_flux": (("frame", "wedge"), mean[1], "flux of the second trace, 2πr P_r", "rad"),
            "spread": (("frame", "wedge"), spread, "largest difference of a flux over the circle", "rad"),
            "angle": (("wedge",), np.radians(angles), "angle of the wedge Ω", "rad"),
            "axial": (character, shares[:, 0], "axial share of the torsion"),
            "vector": (character, shares[:, 1], "vector share of the torsion, its trace"),
            "tensor": (character, shares[:, 2], "tensor share of the torsion"),
            "point_first": (("strength",), _norms(pushed, 2), "size of the first trace beside a point source"),
            "point_second": (("strength",), _norms(pushed, 3), "size of the second trace beside a point source"),
            "bend_first": ((), float(bend.first[0, 1]), "first trace of a bent crystal without defects"),
            "bend": ((), BEND, "curvature of the bent crystal"),
        },
        {
            "frame": (("frame",), list(FRAMES), "flat frame"),
            "wedge": (("wedge",), angles, "angle of the wedge", "degree"),
            "character": (character, lines, "angle between Burgers vector and line", "degree"),
            "strength": (("strength",), pushes, "strength c of the point source"),
        },
    )


def _shares(angle: float) -> tuple[float, float, float]:
    return torsion_shares([np.sin(angle), 0, np.cos(angle)], [0, 0, 1])


def _norms(found: list, k: int) -> NDArray:
    return np.array([np.linalg.norm(traces[k][0]) for traces in found])
