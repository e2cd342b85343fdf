"""One density field, and everything that its page shows: curvature, web, scale flow, and the law it should follow."""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from workbench import checks, results
from workbench.fisher.entropic.curvature import (
    checked_dimension,
    checked_scales,
    log_hessian,
    smoothed,
    window_hessian,
)
from workbench.fisher.entropic.fields import FIELDS
from workbench.fisher.entropic.grid import Floats, Grid, checked_density, grid_of
from workbench.fisher.entropic.scale import densest, flow_coordinates, flow_variables, scale_row
from workbench.fisher.entropic.statistics import grid_statistics
from workbench.fisher.entropic.symmetric import class_shares, web
from workbench.progress import Progress

BYTES_PER_CELL = 400
RADII = 8
BINS = 61
WIDEST = 4.0
"""Standard deviations that the histogram reaches."""
BLOCKS = {2: 4, 3: 2}
"""Blocks along each side, whose means give the error of a mean over the field."""


@results.experiment
def web_report(
    rho: ArrayLike | None = None,
    *,
    kind: str = "lognormal",
    shape: ArrayLike = (256, 256),
    slope: float = -1.5,
    sigma: float = 1.0,
    smoothing: float = 0.02,
    probe: float = 0.0,
    width: float = 0.0,
    N: float = np.inf,
    threshold: float = 0.0,
    box: float = 1.0,
    floor: float | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return the curvature and the web of one field: ``rho``, smoothed by ``smoothing``, or a random one of ``kind``.

    A random field is made as :func:`field` makes it, ``smoothing`` being that of its spectrum. Maps are over (x, y), of
    a cube its middle plane: ``log_density``, ``mean_curvature``, ``web`` for the dimension ``N``, ``classical_web`` for
    N = d + 1, the Hessian of ρ itself; their ``shares`` over all cells and ``changed``, the share whose class differs.
    ``threshold`` is in units of the rms of the chosen curvature along the axes. The distribution of the curvature along
    x over ``bin``, beside the Gaussian ``law`` of the closed form (random lognormal fields) or of equal variance;
    ``variance``, with an error from blocks of the field, ``expected`` and ``z``. Over ``radius``: the scale flow at the
    densest place. Raises ``ValueError`` as :func:`curvature_field` and :func:`field`. Cost: 0.2 s for 256²; the maps
    are published in half of that.

    >>> ds = web_report(shape=(64, 64), smoothing=0.05)
    >>> ds.shares.dims, bool(0 < ds.changed < 1)
    (('tensor', 'positive'), True)
    """
    smoothing, reach, width, threshold = checked_scales(smoothing, probe, width, threshold)
    if rho is None:
        entry = FIELDS[kind]
        grid = grid_of(shape, box)
        N = checked_dimension(N, grid.dimension)
        slope = checks.real("slope", slope, minimum=-5, maximum=4)
        sigma = checks.real("sigma", sigma, exclusive_minimum=0, maximum=6)
        smoothing = checks.real("smoothing", smoothing, minimum=grid.cell, maximum=grid.box)
        rng = checks.generator(seed)
        checks.memory(BYTES_PER_CELL * grid.cells, f"a field of {grid.cells:,} cells")
        values, window = entry.function(grid, slope, sigma, smoothing, rng), 0.0
        values = values / values.mean()
    else:
        values, grid = checked_density(rho, box, floor=floor, zeros=smoothing > 0)
        N = checked_dimension(N, grid.dimension)
        checks.memory(BYTES_PER_CELL * grid.cells, f"a field of {grid.cells:,} cells")
        kind, window = "file", smoothing
    progress = progress or Progress()
    progress.update(0, 2 + RADII, "curvature")
    d = grid.dimension
    seen = smoothed(values, grid, window)
    chosen = log_hessian(seen, grid, 0.0, reach, width, N)
    progress.update(1, 2 + RADII, "the classical web")
    classical = log_hessian(seen, grid, 0.0, reach, width, d + 1)
    level = threshold * float(np.sqrt((chosen[:d] ** 2).mean()))
    classes = [web(one, threshold=level) for one in (chosen, classical)]
    progress.update(2, 2 + RADII, "statistics")
    is_known = kind == "lognormal" and np.isinf(N)
    exact = grid_statistics(grid, slope, sigma, smoothing, h=reach, width=width).probe if is_known else np.nan
    plane = (slice(None), slice(None)) + (() if d == 2 else (grid.shape[2] // 2,))
    flat = ("x", "y")
    variables: dict[str, Any] = {
        "log_density": (flat, np.log(seen[plane]), "ln of the density over its mean"),
        "mean_curvature": (flat, chosen[:d].mean(axis=0)[plane], "a d-th of the trace of the curvature", "1/length²"),
        "web": (flat, classes[0][plane], "eigenvalues above the threshold"),
        "classical_web": (flat, classes[1][plane], "that of the Hessian of ρ itself"),
        "shares": (("tensor", "positive"), np.stack([class_shares(one, d) for one in classes]), "share of cells"),
        "changed": ((), float((classes[0] != classes[1]).mean()), "share of cells whose class differs"),
        **_distribution(chosen, grid, exact),
    }
    coordinates = {
        "x": (("x",), grid.positions(0), "position along x", "length"),
        "y": (("y",), grid.positions(1), "position along y", "length"),
        "tensor": (("tensor",), np.array(["chosen", "classical"]), "tensor"),
        "positive": (("positive",), np.arange(d + 1), "eigenvalues above the threshold"),
        "bin": (("bin",), variables.pop("bin"), "curvature along x", "1/length²"),
    }
    attrs = {"kind": kind, "d": d, "cells": list(grid.shape), "box": grid.box, "law_known": bool(is_known)}
    where, radii = densest(values, grid, max(window, grid.cell)), flow_radii(grid, smoothing)
    blank = np.full((RADII, 4), np.nan), np.full((RADII, d + 1), np.nan)
    flow = {
        "flow_shares" if key == "shares" else key: value for key, value in flow_variables(*blank, grid, where).items()
    }
    axes = {key: value for key, value in flow_coordinates(radii, grid).items() if key != "positive"}
    coordinates |= axes
    progress.publish(results.unfinished(results.dataset({**variables, **flow}, coordinates, attrs), "the scale flow"))
    rows, shares = [], []
    for k, radius in enumerate(radii):
        progress.update(2 + k, 2 + RADII, f"seen through R = {radius:.3g}")
        raw = window_hessian(values, grid, radius)
        rows.append(scale_row(raw, radius, where))
        shares.append(class_shares(web(raw), d))
    made = flow_variables(np.array(rows), np.array(shares), grid, where)
    made["flow_shares"] = made.pop("shares")
    progress.update(1, 1, "done")
    return results.dataset({**variables, **made}, coordinates, attrs)


def flow_radii(grid: Grid, smoothing: float) -> Floats:
    """Return the radii of the page's scale flow: from two cells, or half the smoothing, to a tenth of the box.

    >>> flow_radii(Grid((64, 64)), 0.05).round(3).tolist()[::7]
    [0.031, 0.1]
    """
    low = min(max(2 * grid.cell, smoothing / 2), 0.1 * grid.box)
    return np.geomspace(low, max(0.1 * grid.box, 1.2 * low), RADII)


def _distribution(found: Floats, grid: Grid, exact: float) -> dict[str, Any]:
    """Return the histogram of the curvature along x with its law, and the variance with an error from blocks."""
    d = grid.dimension
    values = found[0]
    squares = (found[:d] ** 2).mean(axis=0)
    count = BLOCKS[d]
    blocks = squares
    for axis in range(d):
        blocks = np.stack([part.mean(axis=axis) for part in np.array_split(blocks, count, axis=axis)], axis=axis)
    measured = float(squares.mean())
    error = float(blocks.std(ddof=1) / np.sqrt(blocks.size))
    spread = np.sqrt(exact if np.isfinite(exact) else max(float(values.var()), 1e-300))
    middle = 0.0 if np.isfinite(exact) else float(values.mean())
    edges = middle + spread * np.linspace(-WIDEST, WIDEST, BINS + 1)
    counts, _ = np.histogram(values, edges)
    centre = (edges[1:] + edges[:-1]) / 2
    law = np.exp(-(((centre - middle) / spread) ** 2) / 2) / (spread * np.sqrt(2 * np.pi))
    return {
        "bin": centre,
        "histogram": (("bin",), counts / (values.size * np.diff(edges)), "density of the curvature along x", "length²"),
        "law": (("bin",), law, "the Gaussian law", "length²"),
        "variance": ((), measured, "second moment of the curvature, mean over the axes", "1/length⁴"),
        "error": ((), error, "its standard error, from blocks of the field", "1/length⁴"),
        "expected": ((), exact, "what the power spectrum says", "1/length⁴"),
        "z": ((), (measured - exact) / error if error > 0 else np.nan, "difference in standard errors"),
    }
