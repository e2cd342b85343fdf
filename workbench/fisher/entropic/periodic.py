r"""Exact optimal transport of a periodic density to the uniform one, without any regularisation.

The map is T = x + ∇u with I + D²u positive and det(I + D²u) = ρ/ρ̄ (Monge and Ampère): in cosmology the reconstruction
of where matter came from. Newton's method on ln ρ − ln det; each step solves tr(cof(I + D²u) D²δ) = r · det by
BiCGSTAB, preconditioned by the inverse Laplacian, and is halved until det stays positive and the residual falls.

The residual max |ln(ρ/ρ̄) − ln det(I + D²u)| over the cells is the certificate. Its mean no step can change: it is by
how much the sum over the cells misses the mass of ρ, and small where the grid resolves ρ. Where density peaks are too
steep for the grid it stalls; then nothing is claimed, and W² is NaN.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.linalg import LinearOperator, bicgstab

from workbench import checks, results
from workbench.fisher.entropic.curvature import smoothed
from workbench.fisher.entropic.grid import AXES, Floats, Grid, axes_of, checked_density, on_grid
from workbench.fisher.entropic.symmetric import cofactors, contracted, determinant, least_eigenvalue
from workbench.progress import Progress

TOLERANCE = 1e-9
"""Of the residual, a relative error of the density."""
MOST_STEPS, MOST_MATVECS, MOST_HALVINGS = 40, 400, 12
STALLED = 3
"""Steps in a row that together do not halve the residual."""
UNRESOLVED = 1e-4
"""Of the mass: what the sum over the cells may miss."""
PLACES = 21
BYTES_PER_CELL = 500


@dataclass(frozen=True, eq=False)
class PeriodicTransport:
    """The map x ↦ x + ∇``potential`` to the uniform density, with its certificate.

    ``residual`` bounds the error of ln ρ in every cell; only if ``converged`` is ``W2`` (length², the squared distance)
    a number. ``least_stretch`` is the smallest eigenvalue of I + D²u at the cells and half-way between them: positive,
    so no two cells meet. ``entropy`` (place) is KL to the uniform density along the geodesic from it to ρ,
    ``curvature`` the entropic curvature of that pair at t = ½, with the uniform density as reference. ``reason`` says
    why not.
    """

    potential: Floats
    displacement: Floats
    W2: float
    residual: float
    converged: bool
    least_stretch: float
    steps: int
    matvecs: int
    entropy: Floats
    curvature: float
    residuals: tuple[float, ...]
    reason: str


def periodic_transport(
    rho: ArrayLike,
    *,
    box: float = 1.0,
    smoothing: float = 0.0,
    floor: float | None = None,
    tolerance: float = TOLERANCE,
    progress: Progress | None = None,
) -> PeriodicTransport:
    """Return the optimal transport of a density on a periodic grid to the uniform one of equal mass.

    ``rho`` as :func:`curvature_field` takes it, (nx, ny) or (nx, ny, nz), with sides ``box``; ``smoothing`` first.
    Unregularised: right to rounding where ρ is smooth on the grid (256², ρ from 0.57 to 2.65: W² to 1e-15). A density
    with steep peaks (contrasts beyond about 30) does not converge; then ``converged`` is False, ``W2`` is NaN and
    ``reason`` says what to do. Raises ``ValueError`` as :func:`curvature_field`. Cost: about 6 Newton steps of 7
    applications of 5 transforms: 1 s at 256².

    >>> from workbench import fisher
    >>> x = np.arange(32) / 32
    >>> found = fisher.periodic_transport(1 + 0.4 * np.cos(2 * np.pi * x)[:, None] * np.ones(32))
    >>> found.converged, found.residual < 1e-9, round(found.W2, 8)
    (True, True, 0.00202642)
    """
    smoothing = checks.real("smoothing", smoothing, minimum=0)
    tolerance = checks.real("tolerance", tolerance, minimum=1e-13, maximum=1e-2)
    values, grid = checked_density(rho, box, floor=floor, zeros=smoothing > 0)
    checks.memory(BYTES_PER_CELL * grid.cells, f"transport on {grid.cells:,} cells")
    values = smoothed(values, grid, smoothing)
    values = values / values.mean()
    return _newton(np.log(values), values, grid, tolerance, progress or Progress())


def _newton(target: Floats, values: Floats, grid: Grid, tolerance: float, progress: Progress) -> PeriodicTransport:
    k2 = grid.squared()
    k2[(0,) * grid.dimension] = np.inf
    spectrum = np.zeros(k2.shape, complex)
    second = np.zeros((3 if grid.dimension == 2 else 6, *grid.shape))
    off = target - target.mean()
    residuals = [float(np.abs(off).max())]
    matvecs, reason = 0, ""
    progress.update(0, 1, f"residual {residuals[0]:.1e}")
    for step in range(MOST_STEPS):
        if residuals[-1] <= tolerance:
            break
        if len(residuals) > STALLED and residuals[-1] > residuals[-1 - STALLED] / 2:
            reason = "the residual stalls"
            break
        change, used = _linear(second, off, grid, k2, progress)
        matvecs += used
        bent = grid.second(change)
        for halving in range(MOST_HALVINGS):
            share = 0.5**halving
            tried = second + share * bent
            stretch = determinant(tried, shift=1.0)
            if stretch.min() > 0 and least_eigenvalue(tried, shift=1.0).min() > 0:
                left = target - np.log(stretch)
                left -= left.mean()
                if np.abs(left).max() < residuals[-1]:
                    break
        else:
            reason = "no step makes the residual smaller"
            break
        second, off = tried, left
        spectrum = spectrum + share * change
        residuals.append(float(np.abs(off).max()))
        done = np.log(residuals[0] / residuals[-1]) / max(np.log(residuals[0] / tolerance), 1e-9)
        progress.update(min(float(done), 0.99), 1, f"step {step + 1}, residual {residuals[-1]:.1e}")
    missed = abs(float((target - np.log(determinant(second, shift=1.0))).mean()))
    converged = residuals[-1] <= tolerance and missed <= UNRESOLVED
    if missed > UNRESOLVED and not reason:
        reason = f"the cells miss {missed:.1e} of the mass"
    least = _least_stretch(spectrum, second, grid)
    if converged and not least > 0:
        converged, reason = False, "the map folds between the cells"
    if not converged:
        reason = (
            f"{reason or 'the steps are used up'} at {residuals[-1]:.1e} (ρ reaches {values.max():.3g} times its "
            "mean): the grid does not resolve the peaks. Smooth the density, or take more cells"
        )
    moved = np.stack(grid.gradient(spectrum))
    squared = float((values * (moved**2).sum(axis=0)).mean()) if converged else np.nan
    entropy = _entropies(second, values)
    curvature = np.nan
    if converged and squared > 0:
        curvature = 8 * (entropy[-1] / 2 - entropy[len(entropy) // 2]) / squared
    return PeriodicTransport(
        grid.backward(spectrum),
        moved,
        squared,
        residuals[-1] + missed,
        converged,
        least,
        len(residuals) - 1,
        matvecs,
        entropy if converged else np.full(PLACES, np.nan),
        float(curvature),
        tuple(residuals),
        reason if not converged else "",
    )


def _linear(
    second: Floats, off: Floats, grid: Grid, k2: Floats, progress: Progress
) -> tuple[NDArray[np.complex128], int]:
    """Return the transform of δ with tr(cof D²δ) = r · det, as well as it need be, and how often it was applied."""
    cofactor = cofactors(second, shift=1.0)
    stretch = determinant(second, shift=1.0)
    d = grid.dimension
    mean = float(cofactor[:d].mean())
    count = 0

    def spectrum_of(flat: Floats) -> NDArray[np.complex128]:
        """Return the transform of Δ⁻¹ of the unknown, which is the Laplacian of δ times ``mean``."""
        return grid.forward(flat.reshape(grid.shape)) / (-k2 * mean)

    def apply(flat: Floats) -> Floats:
        nonlocal count
        count += 1
        progress.update(0, 1)
        found = contracted(cofactor, grid.second(spectrum_of(flat)))
        return (found - found.mean()).ravel()

    # What no step can change, a constant of r, is taken from r and not from the right side: else Newton is linear.
    right = ((off - float((off * stretch).mean() / stretch.mean())) * stretch).ravel()
    operator = LinearOperator((grid.cells, grid.cells), matvec=apply, dtype=np.float64)
    # A step need not be better than what the next one will leave, but the last ones must be good to rounding.
    near = float(np.abs(off).max())
    found, _ = bicgstab(
        operator, right, rtol=float(np.clip(0.01 * near, 1e-10, 1e-3)), atol=0.0, maxiter=MOST_MATVECS // 2
    )
    return spectrum_of(found), count


def _least_stretch(spectrum: NDArray[np.complex128], second: Floats, grid: Grid) -> float:
    """Return the smallest eigenvalue of I + D²u at the cells and at the middles between them, by the series itself."""
    between = grid.second(grid.moved(spectrum, np.full(grid.dimension, grid.cell / 2)))
    return float(min(least_eigenvalue(one, shift=1.0).min() for one in (second, between)))


def _entropies(second: Floats, values: Floats) -> Floats:
    """Return KL to the uniform density along the geodesic from it: −⟨ln det(I + t(A⁻¹ − I))⟩ over the uniform side."""
    # det(I + t(A⁻¹ − I)) = det(I + (1 − t)D²u)/det A, which needs no inverse and no eigenvalue.
    whole = determinant(second, shift=1.0)
    found = []
    for t in np.linspace(0, 1, PLACES):
        ratio = determinant((1 - t) * second, shift=1.0) / whole
        found.append(-float((values * np.log(np.maximum(ratio, 1e-300))).mean()))
    return np.array(found)


@results.experiment
def periodic_reconstruction(
    rho: ArrayLike,
    *,
    box: float = 1.0,
    smoothing: float = 0.0,
    floor: float | None = None,
    tolerance: float = TOLERANCE,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return :func:`periodic_transport` as a labelled result, with where every cell came from.

    Variables: ``density`` as it was transported, ``displacement`` (axis, x, y[, z]), ``potential``, ``residuals`` by
    step, ``entropy`` along the geodesic, and the numbers of the certificate. Raises and costs as that does.

    >>> from workbench import fisher
    >>> made = fisher.field("zeldovich", (32, 32), sigma=0.3, smoothing=0.1)
    >>> bool(fisher.periodic_reconstruction(made.density).converged)
    True
    """
    found = periodic_transport(rho, box=box, smoothing=smoothing, floor=floor, tolerance=tolerance, progress=progress)
    values, grid = checked_density(rho, box, floor=floor, zeros=smoothing > 0)
    values = smoothed(values, grid, smoothing)
    axes, unit = axes_of(grid), "length"
    place = np.linspace(0, 1, PLACES)
    return results.dataset(
        {
            "density": (axes, values / values.mean(), "density over its mean, as transported"),
            "displacement": (("axis", *axes), found.displacement, "where the matter moves to become uniform", unit),
            "potential": (axes, found.potential, "potential u of the displacement", "length²"),
            "residuals": (("step",), np.array(found.residuals), "largest error of ln ρ after each step"),
            "entropy": (("place",), found.entropy, "KL to the uniform density along the geodesic", "nat"),
            "W2": ((), found.W2, "squared Wasserstein distance to the uniform density", "length²"),
            "residual": ((), found.residual, "largest error of ln ρ"),
            "converged": ((), found.converged, "whether the residual is within the tolerance"),
            "least_stretch": ((), found.least_stretch, "smallest eigenvalue of the map's Jacobian"),
            "curvature": ((), found.curvature, "entropic curvature of the pair at t = ½", "1/length²"),
            "linear": (
                (),
                _linear_curvature(values / values.mean(), grid),
                "⟨δ²⟩/⟨|ψ|²⟩ of linear theory",
                "1/length²",
            ),
        },
        {
            **on_grid(grid),
            "axis": (("axis",), np.array(list(AXES[: grid.dimension])), "axis"),
            "step": (("step",), np.arange(len(found.residuals)), "Newton step"),
            "place": (("place",), place, "place t on the geodesic"),
        },
        {"reason": found.reason, "box": grid.box, "matvecs": found.matvecs},
    )


def _linear_curvature(values: Floats, grid: Grid) -> float:
    """Return ⟨δ²⟩/⟨|∇Δ⁻¹δ|²⟩, the limit of small contrasts; NaN for the uniform density."""
    k2 = grid.squared()
    k2[(0,) * grid.dimension] = np.inf
    size = np.abs(grid.forward(values)) ** 2 * grid.weights()
    size[(0,) * grid.dimension] = 0.0
    return float(size.sum() / (size / k2).sum()) if size.sum() > 0 else np.nan
