"""How curvature changes with the scale at which it is looked at, and how much of that is the smoothing's own doing.

With s = R² a density under Gaussian smoothing has ∂ₛV = ½ΔV − ½|∇V|², hence ∂ₛH = ½ΔH − H² − (∇V·∇)H: the term −H²
makes every peak flatter although nothing happens to it. For a Gaussian of variance σ² the raw curvature is 1/(σ² + s)
and the one with the smoothing taken out stands still at 1/σ².
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from workbench import checks, results
from workbench.fisher.entropic.curvature import BYTES_PER_CELL, desmoothed, window_hessian
from workbench.fisher.entropic.grid import Floats, Grid, axes_of, checked_density
from workbench.fisher.entropic.symmetric import class_shares, least_eigenvalue, web
from workbench.progress import Progress

LEAST_CELLS = 1.0
"""The narrowest window, in cells: below, the grid resolves neither the window nor what is seen through it."""
MOST_RADII = 64


@results.experiment
def scale_flow(
    rho: ArrayLike,
    radii: Sequence[float],
    *,
    place: Sequence[int] | None = None,
    box: float = 1.0,
    floor: float | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return the curvature of a density seen through Gaussian windows of several ``radii``, raw and de-smoothed.

    ``rho`` as :func:`curvature_field` takes it; ``place`` is a cell (default: the densest at the narrowest window).
    Over ``radius``: ``raw`` and ``desmoothed`` mean curvature (a d-th of the trace) at the place, their rms over all
    cells, and ``shares`` of cells by class of the raw one. Where the grid does not resolve a window the de-smoothed
    value is NaN. Raises ``ValueError`` for radii below a cell. Cost: as :func:`curvature_field` for each radius.

    >>> from workbench import fisher
    >>> x = np.minimum(np.arange(64), 64 - np.arange(64)) / 64
    >>> halo = np.exp(-(x[:, None] ** 2 + x**2) / 2 / 0.05**2) + 1e-9
    >>> ds = fisher.scale_flow(halo, [0.03, 0.05])
    >>> ds.raw.round(1).values.tolist(), ds.desmoothed.round(1).values.tolist()
    ([294.1, 200.0], [400.0, 400.0])
    """
    values, grid = checked_density(rho, box, floor=floor, zeros=True)
    scales = checked_radii(radii, grid)
    checks.memory(1.5 * BYTES_PER_CELL * grid.cells, f"the scale flow of {grid.cells:,} cells")
    progress = progress or Progress()
    where = checked_place(place, grid) if place is not None else None
    rows, shares = [], []
    for k, radius in enumerate(scales):
        progress.update(k, len(scales), f"R = {radius:.3g}")
        raw = window_hessian(values, grid, radius)
        if where is None:
            where = densest(values, grid, radius)
        rows.append(scale_row(raw, radius, where))
        shares.append(class_shares(web(raw), grid.dimension))
    progress.update(len(scales), len(scales), "done")
    variables = flow_variables(np.array(rows), np.array(shares), grid, where)
    return results.dataset(variables, flow_coordinates(scales, grid))


def densest(values: Floats, grid: Grid, radius: float) -> tuple[int, ...]:
    """Return the densest cell of the density seen through a window."""
    seen = grid.backward(grid.blurred(grid.forward(values), radius))
    return tuple(int(i) for i in np.unravel_index(int(seen.argmax()), grid.shape))


def scale_row(raw: Floats, radius: float, where: tuple[int, ...]) -> list[float]:
    """Return raw and de-smoothed mean curvature at a place, and their rms over all cells."""
    d = raw.ndim - 1
    room = float(least_eigenvalue(raw * -(radius**2), shift=1.0).min())
    trace = raw[:d].mean(axis=0)
    at, rms = float(trace[where]), float(np.sqrt((trace**2).mean()))
    if not room > 1e-6:
        return [at, np.nan, rms, np.nan]
    clean = desmoothed(raw, radius)[:d].mean(axis=0)
    return [at, float(clean[where]), rms, float(np.sqrt((clean**2).mean()))]


def flow_variables(rows: Floats, shares: Floats, grid: Grid, where: tuple[int, ...]) -> dict[str, tuple]:
    """Return the variables of a scale flow from rows of :func:`scale_row`."""
    one, unit = ("radius",), "1/length²"
    return {
        "raw": (one, rows[:, 0], "mean curvature at the place, of the smoothed density", unit),
        "desmoothed": (one, rows[:, 1], "that with the smoothing taken out", unit),
        "raw_rms": (one, rows[:, 2], "rms over all cells of the mean curvature, smoothed", unit),
        "desmoothed_rms": (one, rows[:, 3], "that with the smoothing taken out", unit),
        "shares": (("radius", "positive"), shares, "share of cells in the class"),
        "place": (("side",), np.array([grid.cell * i for i in where]), "where the curvature is followed", "length"),
    }


def flow_coordinates(radii: Floats, grid: Grid) -> dict[str, tuple]:
    """Return the coordinates of a scale flow."""
    return {
        "radius": (("radius",), radii, "radius R of the window", "length"),
        "positive": (("positive",), np.arange(grid.dimension + 1), "eigenvalues above zero"),
        "side": (("side",), np.array(axes_of(grid)), "axis"),
    }


def checked_radii(radii: Sequence[float], grid: Grid) -> Floats:
    """Return radii, rising, none below a cell."""
    found = checks.finite_array("radii", radii, ndim=1)
    if len(found) > MOST_RADII:
        raise ValueError(f"radii holds {len(found)} values; up to {MOST_RADII} are taken")
    if found.min() < LEAST_CELLS * grid.cell or found.max() > grid.box:
        raise ValueError(
            f"radii go from {found.min():.3g} to {found.max():.3g}; give lengths from a cell ({grid.cell:.3g}) to the "
            f"box ({grid.box:g})"
        )
    return np.sort(found)


def checked_place(place: Sequence[int], grid: Grid) -> tuple[int, ...]:
    """Return a cell of the grid."""
    if len(place) != grid.dimension:
        raise ValueError(f"place has {len(place)} numbers; the field has {grid.dimension} dimensions")
    return tuple(
        checks.integer(f"place[{i}]", k, minimum=0, maximum=n - 1)
        for i, (k, n) in enumerate(zip(place, grid.shape, strict=True))
    )
