"""Density fields whose statistics are known: Gaussian, lognormal and Zel'dovich, from a power law of their modes.

The modes have ⟨|G_k|²⟩ ∝ kⁿ e^{−k²R²}: slope n, smoothed by a Gaussian of standard deviation R. The amplitude is set so
that the *expected* variance, the sum over the modes of this very grid, is the one asked for: a single field of so few
large modes has another one, as it should.
"""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike
from scipy import ndimage

from workbench import checks, results
from workbench.fisher.entropic.grid import Floats, Grid, axes_of, grid_of, on_grid
from workbench.fisher.entropic.symmetric import determinant, least_eigenvalue, solve
from workbench.registry import Registry

FIELDS = Registry("field")
"""Every kind of random density: a function of (grid, slope, sigma, smoothing, generator)."""
ORDER = 5
"""Of the splines that read a displacement between its grid points; what they miss is of order (cell/R)⁶."""
NEARLY_CROSSED = 0.02
MOST_STEPS = 80


def mode_variances(grid: Grid, slope: float, smoothing: float) -> Floats:
    """Return the variances of the modes of the half transform, for a field of white noise multiplied by their root.

    Σ over all modes of the full transform, divided by the number of cells, is the variance of the field: one.
    """
    k2 = grid.squared()
    k2[(0,) * grid.dimension] = 1.0
    power = k2 ** (slope / 2) * np.exp(-k2 * smoothing**2)
    power[(0,) * grid.dimension] = 0.0
    return power * (grid.cells / float((power * grid.weights()).sum()))


def gaussian_modes(grid: Grid, slope: float, sigma: float, smoothing: float, rng: np.random.Generator) -> np.ndarray:
    """Return the half transform of a Gaussian field of expected variance σ² and mean zero."""
    white = grid.forward(rng.standard_normal(grid.shape))
    return sigma * np.sqrt(mode_variances(grid, slope, smoothing)) * white


@FIELDS.add("lognormal", label="Lognormal: ln ρ is Gaussian", formula=r"\rho = e^{G - \sigma^2/2}")
def lognormal(grid: Grid, slope: float, sigma: float, smoothing: float, rng: np.random.Generator) -> Floats:
    """Return exp(G − σ²/2): the statistics of ln ρ hold at any amplitude."""
    return np.exp(grid.backward(gaussian_modes(grid, slope, sigma, smoothing, rng)) - sigma**2 / 2)


@FIELDS.add("gaussian", label="Gaussian: ρ itself", formula=r"\rho = 1 + G")
def gaussian(grid: Grid, slope: float, sigma: float, smoothing: float, rng: np.random.Generator) -> Floats:
    """Return 1 + G, refused where it falls to zero."""
    rho = 1 + grid.backward(gaussian_modes(grid, slope, sigma, smoothing, rng))
    if not rho.min() > 0:
        raise ValueError(
            f"a Gaussian density of rms {sigma:g} falls to {rho.min():.3g} here, and a density is positive; lower "
            "sigma to 0.2 or less, or take kind='lognormal'"
        )
    return rho


@FIELDS.add("zeldovich", label="Zel'dovich: sheets and knots", formula=r"x = q + \nabla\varphi(q)")
def zeldovich(grid: Grid, slope: float, sigma: float, smoothing: float, rng: np.random.Generator) -> Floats:
    """Return the density of matter that was uniform and moved along ∇φ, before any streams cross; σ is rms ∇²φ."""
    modes = gaussian_modes(grid, slope, sigma, smoothing, rng)
    k2 = grid.squared()
    k2[(0,) * grid.dimension] = 1.0
    return displaced_density(grid, grid.backward(-modes / k2))


@results.experiment
def field(
    kind: str = "lognormal",
    shape: ArrayLike = (256, 256),
    *,
    slope: float = -1.5,
    sigma: float = 1.0,
    smoothing: float = 0.02,
    box: float = 1.0,
    seed: int = 0,
) -> xr.Dataset:
    """Return a random density of a kind in ``FIELDS`` on a periodic grid, two- or three-dimensional.

    The power spectrum is k^``slope`` e^{−k²R²}, R = ``smoothing`` in units of ``box``'s length. ``sigma`` is the
    expected rms of ln ρ (lognormal), of ρ (gaussian) or of the linear density −∇²φ (zeldovich). Raises ``ValueError``
    for an unknown kind, a smoothing below one cell (the field would not be resolved), a Gaussian density that is not
    positive and a displacement whose streams cross. Cost: two transforms, 15 ms for 256² (Zel'dovich 0.3 s).

    >>> ds = field("lognormal", (64, 64), sigma=0.5, smoothing=0.05)
    >>> ds.density.shape, bool((ds.density > 0).all())
    ((64, 64), True)
    """
    entry = FIELDS[kind]
    grid = grid_of(shape, box)
    slope = checks.real("slope", slope, minimum=-5, maximum=4)
    sigma = checks.real("sigma", sigma, exclusive_minimum=0, maximum=6)
    smoothing = checks.real("smoothing", smoothing, exclusive_minimum=0, maximum=grid.box)
    if smoothing < grid.cell:
        raise ValueError(
            f"smoothing = {smoothing:g} is less than a cell ({grid.cell:.3g}), and the grid would not resolve the "
            "field; take a wider smoothing or more cells"
        )
    checks.memory(80.0 * grid.cells, f"a field of {grid.cells:,} cells")
    rho = entry.function(grid, slope, sigma, smoothing, checks.generator(seed))
    return results.dataset(
        {"density": (axes_of(grid), rho, "density over its expected mean")},
        on_grid(grid),
        {"kind": kind, "label": entry.label, "box": grid.box},
    )


# ---- the density of a displacement ---------------------------------------------------------------------------------


def displaced_density(grid: Grid, potential: Floats) -> Floats:
    """Return the density at the grid points of what was uniform at q and stands at x = q + ∇φ(q): 1/det(I + D²φ).

    Each grid point x is traced back to its q by Newton's method. ``ValueError`` where I + D²φ is not clearly positive:
    streams have crossed, and the density has more than one sheet.
    """
    spectrum = grid.forward(potential)
    d = grid.dimension
    second = grid.second(spectrum)
    least = float(least_eigenvalue(second, shift=1.0).min())
    if least < NEARLY_CROSSED:
        raise ValueError(
            f"streams cross: the smallest stretch of the displacement is {least:.3g} (0.02 or more is needed); lower "
            "sigma or smooth more"
        )
    filtered = [_splines(one) for one in (*grid.gradient(spectrum), *second)]
    where = np.stack(np.meshgrid(*(grid.positions(axis) for axis in range(d)), indexing="ij")).reshape(d, -1)
    q = where - np.stack([_read(one, where, grid.cell) for one in filtered[:d]])
    error, pace = np.full(q.shape[1], np.inf), np.ones(q.shape[1])
    step = np.zeros_like(q)
    for _ in range(MOST_STEPS):
        tried = q - pace * step
        moved = np.stack([_read(one, tried, grid.cell) for one in filtered[:d]])
        off = tried + moved - where
        size = np.abs(off).max(axis=0)
        better = size <= error
        q, error = np.where(better, tried, q), np.where(better, size, error)
        if error.max() < 1e-13 * grid.box:
            break
        stretch = np.stack([_read(one, q, grid.cell) for one in filtered[d:]])
        fresh = np.where(better, solve(stretch, off, shift=1.0), step)
        pace = np.where(better, np.minimum(1.0, 2 * pace), pace / 2)
        if (pace < 1e-6).any():
            break
        step = fresh
    if error.max() > 1e-9 * grid.box:
        raise ValueError(
            f"the displacement could not be inverted (off by {error.max():.1e}); streams nearly cross: lower sigma"
        )
    stretch = np.stack([_read(one, q, grid.cell) for one in filtered[d:]])
    return (1 / determinant(stretch, shift=1.0)).reshape(grid.shape)


def _splines(values: Floats) -> Floats:
    return ndimage.spline_filter(values, order=ORDER, mode="grid-wrap")


def _read(filtered: Floats, where: Floats, cell: float) -> Floats:
    return ndimage.map_coordinates(filtered, where / cell, order=ORDER, mode="grid-wrap", prefilter=False)
