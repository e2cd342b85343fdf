r"""The curvature of a density field: a symmetric matrix at every cell, local or at a finite scale.

With V = −ln ρ and the density as reference measure, the entropic curvature along a pair of measures is an average of
the Hessian of V along their transport lines. Three ways to take it:

* ``log-hessian``: H = ∇∇V of the density smoothed by R, the local limit; with a reach h > 0 the *translation probe*,
  two Gaussians of width s moved by ±h: K = [V_s(x − h) + V_s(x + h) − 2 V_s(x)]/h², V_s = V ∗ N(0, s²). In Fourier
  space that is one factor, so every entry of the matrix is one inverse transform.
* ``local-measure``: the covariance C of the density seen through a Gaussian window of radius R gives C⁻¹ − I/R² =
  H_R (I − R² H_R)⁻¹, the curvature with the smoothing taken out again: exact at every R where ln ρ is quadratic.

A finite dimension N turns H into H − ∇V∇Vᵀ/(N − d): N = ∞ is the Hessian of ln ρ, N = d + 1 that of ρ itself, −∇∇ρ/ρ.
At a finite reach the same interpolation is exact too: with m = N − d, e^{−V/m} must be an arc of a cosine between x − h
and x + h, so K = m arccos²(c)/h² with c the mean of e^{−(V(x ± h) − V(x))/m}.

Smoothing before the logarithm (R) and after it (s) are different things and bear different names.
"""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from workbench import checks, results
from workbench.fisher.entropic.grid import PAIRS, Floats, Grid, axes_of, checked_density, on_grid
from workbench.fisher.entropic.symmetric import cofactors, determinant, least_eigenvalue, minus_outer, web
from workbench.progress import Progress
from workbench.registry import Registry

TENSORS = Registry("tensor")
"""The curvatures of a density field: functions of (density, grid, smoothing, reach, width, N)."""
BYTES_PER_CELL = 250
"""Of a computation: the density, its transforms, six components and what is between them."""


def smoothed(rho: Floats, grid: Grid, radius: float) -> Floats:
    """Return ρ ∗ N(0, R²), refused where the grid cannot resolve it."""
    if radius == 0:
        return rho
    found = grid.backward(grid.blurred(grid.forward(rho), radius))
    if not found.min() > 0:
        raise ValueError(
            f"smoothed by {radius:g} the density still falls to {found.min():.2g} of its mean; smooth more (a cell is "
            f"{grid.cell:.3g}), or give floor=…"
        )
    return found


@TENSORS.add(
    "log-hessian",
    label="Hessian of −ln ρ",
    formula=r"-\nabla\nabla\ln\rho - \nabla V\nabla V^{T}/(N-d)",
    reference="the local limit of entropic curvature; one inverse transform an entry",
)
def log_hessian(rho: Floats, grid: Grid, smoothing: float, reach: float, width: float, N: float) -> Floats:
    """Return the Hessian of V, of the translation probe if ``reach`` is not zero; components (c, *shape)."""
    spectrum = grid.blurred(grid.forward(-np.log(smoothed(rho, grid, smoothing))), width)
    if np.isinf(N):
        return grid.second(spectrum, reach)
    if reach:
        return _cosine_arcs(spectrum, grid, reach, N - grid.dimension)
    return minus_outer(grid.second(spectrum), grid.gradient(spectrum), 1 / (N - grid.dimension))


def _cosine_arcs(spectrum: np.ndarray, grid: Grid, reach: float, m: float) -> Floats:
    """Return the matrix whose values along the axes and the diagonals between them are the probe's at finite N."""
    here = grid.backward(spectrum)

    def along(direction: Floats) -> Floats:
        lack = np.zeros(grid.shape)  # 1 − c, without the loss of digits where c is nearly 1
        for step in (reach * direction, -reach * direction):
            lack -= np.expm1((here - grid.backward(grid.moved(spectrum, step))) / m) / 2
        bent = 2 * np.arcsin(np.sqrt(np.maximum(lack, 0) / 2))
        spread = 2 * np.arcsinh(np.sqrt(np.maximum(-lack, 0) / 2))
        return m * (bent**2 - spread**2) / reach**2

    unit = np.eye(grid.dimension)
    found = np.empty((len(PAIRS[grid.dimension]), *grid.shape))
    for row, (i, j) in enumerate(PAIRS[grid.dimension]):
        if i == j:
            found[row] = along(unit[i])
        else:
            one, other = (unit[i] + unit[j]) / np.sqrt(2), (unit[i] - unit[j]) / np.sqrt(2)
            found[row] = (along(one) - along(other)) / 2
    return found


@TENSORS.add(
    "local-measure",
    label="Local measure, smoothing taken out",
    formula=r"C^{-1} - I/R^2 = H_R (I - R^2 H_R)^{-1}",
    reference="exact for every R where ln ρ is quadratic",
)
def local_measure(rho: Floats, grid: Grid, smoothing: float, reach: float, width: float, N: float) -> Floats:
    """Return C⁻¹ − I/R², C the covariance of the density in a Gaussian window of radius R; components (c, *shape)."""
    if smoothing == 0 or reach or width or np.isfinite(N):
        raise ValueError(
            "the local measure looks through a window: give smoothing=R > 0, and neither probe, width nor N, which it "
            "has no use for"
        )
    raw = window_hessian(rho, grid, smoothing)
    room = raw * -(smoothing**2)  # of which I + room is C/R²
    least = float(least_eigenvalue(room, shift=1.0).min())
    if not least > 1e-6:
        raise ValueError(
            f"seen through a window of {smoothing:g} the density has a covariance of {least:.1g} R² somewhere, which "
            f"the grid (cells of {grid.cell:.3g}) does not resolve; take a wider window"
        )
    return desmoothed(raw, smoothing)


def window_hessian(rho: Floats, grid: Grid, radius: float) -> Floats:
    """Return −∇∇ ln ρ_R from the derivatives of ρ_R, whose moments in the window are then exact; components."""
    spectrum = grid.blurred(grid.forward(rho), radius)
    here = grid.backward(spectrum)
    if not here.min() > 0:
        raise ValueError(
            f"smoothed by {radius:g} the density still falls to {here.min():.2g} of its mean; take a wider window"
        )
    slopes = [one / here for one in grid.gradient(spectrum)]
    return minus_outer(grid.second(spectrum) / -here, slopes, -1.0)


def desmoothed(raw: Floats, radius: float) -> Floats:
    """Return H (I − R² H)⁻¹ = ((I − R² H)⁻¹ − I)/R² of components (c, …).

    >>> desmoothed(np.array([0.8, 0.5, 0.0]), 1.0).round(12).tolist()
    [4.0, 1.0, 0.0]
    """
    if len(raw) == 3:  # H (I − R²H)⁻¹ = (H − R² det H · I)/det(I − R²H), which subtracts nothing of size 1/R²
        d = 2
        found = raw.copy()
        found[:d] -= radius**2 * determinant(raw)
        return found / determinant(raw * -(radius**2), shift=1.0)
    # By Cayley and Hamilton H adj(I − sH) = H + s adj H + (s² det H − s m₂) I, with m₂ = tr adj H.
    s = radius**2
    adjoint = cofactors(raw)
    found = raw + s * adjoint
    found[:3] += s * (s * determinant(raw) - adjoint[:3].sum(axis=0))
    return found / determinant(raw * -s, shift=1.0)


@results.experiment
def curvature_field(
    rho: ArrayLike,
    *,
    tensor: str = "log-hessian",
    smoothing: float = 0.0,
    probe: float = 0.0,
    width: float = 0.0,
    N: float = np.inf,
    threshold: float = 0.0,
    box: float = 1.0,
    floor: float | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return the curvature of a density on a periodic grid, and the class of the web in every cell.

    ``rho`` is (nx, ny) or (nx, ny, nz), positive, on cubic cells; the first side is ``box`` long. ``smoothing`` R acts
    on ρ before the logarithm, ``width`` s on V = −ln ρ after it; ``probe`` is the reach h (0: the local limit) and
    ``N`` the dimension, from d + 1 to infinity. ``tensor`` is a name in ``TENSORS``. Variables: ``curvature``
    (component, x, y[, z]) in 1/length², ``mean_curvature`` (a d-th of the trace) and ``web`` (eigenvalues above
    ``threshold``). Multiplying ρ by a constant changes nothing.

    Raises ``ValueError`` before any work for cells at zero or below (unless smoothed, or lifted to ``floor``, a share
    of the mean), for N below d + 1, and for what would not fit in memory. Cost: one transform and an inverse one for
    each of 3 or 6 components: 256² in 30 ms, 128³ in 2 s and 0.4 GB. T. T. Takeuchi, arXiv 2604.00593, of which only
    the abstract could be read; the formulas stand in this module.

    >>> from workbench import fisher
    >>> x = np.arange(32) / 32
    >>> rho = np.exp(np.cos(2 * np.pi * x))[:, None] * np.ones(32)
    >>> ds = fisher.curvature_field(rho)
    >>> bool(np.allclose(ds.curvature.sel(component="xx")[:, 0], (2 * np.pi) ** 2 * np.cos(2 * np.pi * x)))
    True
    """
    entry = TENSORS[tensor]
    smoothing, reach, width, threshold = checked_scales(smoothing, probe, width, threshold)
    values, grid = checked_density(rho, box, floor=floor, zeros=smoothing > 0)
    N = checked_dimension(N, grid.dimension)
    checks.memory(BYTES_PER_CELL * grid.cells, f"the curvature of {grid.cells:,} cells")
    progress = progress or Progress()
    progress.update(0, 2, entry.label)
    found = entry.function(values, grid, smoothing, reach, width, N)
    progress.update(1, 2, "the classes")
    axes = axes_of(grid)
    return results.dataset(
        {
            "curvature": (("component", *axes), found, f"curvature, {entry.label}", "1/length²"),
            "mean_curvature": (axes, found[: grid.dimension].mean(axis=0), "a d-th of its trace", "1/length²"),
            "web": (axes, web(found, threshold=threshold), "eigenvalues above the threshold"),
        },
        {"component": (("component",), np.array(grid.components), "entry of the matrix"), **on_grid(grid)},
        {"tensor": tensor, "box": grid.box, "N": N if np.isfinite(N) else "inf"},
    )


def checked_scales(smoothing: float, probe: float, width: float, threshold: float) -> tuple[float, float, float, float]:
    """Return the three lengths and the threshold, checked."""
    return (
        checks.real("smoothing", smoothing, minimum=0),
        checks.real("probe", probe, minimum=0),
        checks.real("width", width, minimum=0),
        checks.real("threshold", threshold),
    )


def checked_dimension(N: float, d: int) -> float:
    """Return the dimension N, infinite or at least d + 1.

    >>> checked_dimension(2.5, 2)
    Traceback (most recent call last):
    ValueError: N must be at least 3 (d + 1, the Hessian of ρ itself) in 2 dimensions, or math.inf; got 2.5
    """
    if isinstance(N, (int, float)) and not isinstance(N, bool) and np.inf == N:
        return np.inf
    try:
        return checks.real("N", N, minimum=d + 1, maximum=1e9)
    except ValueError:
        told = f"N must be at least {d + 1} (d + 1, the Hessian of ρ itself) in {d} dimensions, or math.inf; got {N!r}"
        raise ValueError(told) from None
