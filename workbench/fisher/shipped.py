"""Exact values that come with the package, and any further size computed on demand."""

from collections.abc import Iterable

import numpy as np
import xarray as xr

from workbench import data, results
from workbench.fisher.curvature import ising_curvature
from workbench.fisher.paper import EXPONENTS, published
from workbench.fisher.scaling import _sides, effective_errors, effective_exponents, fit_power_law, scaling_dataset
from workbench.progress import Progress


def shipped_extrapolation() -> xr.Dataset:
    """Return the stored :func:`extrapolated_curvature` at L = 128 … 2048: trace term exact, ‖T‖² extrapolated."""
    return data.result("fisher/beyond.nc")


def shipped_survey() -> xr.Dataset:
    """Return the stored :func:`monte_carlo_survey` of 3-D Ising and Potts q = 3, 4 at criticality."""
    return data.result("fisher/other_models.nc")


def shipped_growth() -> xr.Dataset:
    """Return stored curvatures of the same models at larger sizes: trace term sampled, ‖T‖² continued from small ones.

    One row for each model and side, with the number of independent runs behind it; made by ``data/make_fisher.py``.
    """
    return data.result("fisher/other_models_growth.nc")


NAMES = ("scalar_curvature", "cumulant_norm", "trace_norm")


def shipped_scaling() -> xr.Dataset:
    """Return the exact curvature at J_c for the sizes in ``data/fisher/torus.nc`` (L = 3 … 256, on a card past 128).

    >>> ds = shipped_scaling()
    >>> int(ds.L.max()) >= 128
    True
    """
    return data.result("fisher/torus.nc")


@results.experiment
def exact_scaling(further: Iterable[int] = (), progress: Progress | None = None) -> xr.Dataset:
    """Return the shipped exact scaling at J_c together with ``further`` sides, computed now unless they are shipped.

    The result is that of :func:`curvature_scaling`, with ``shipped`` telling which sizes came from the file. The cost
    is that of :func:`ising_curvature` at the sizes that are missing. Raises ``ValueError`` for a side below 3.
    """
    progress = progress or Progress()
    stored = shipped_scaling()
    known = {int(L): [float(stored[name].sel(L=L)) for name in NAMES] for L in stored.L.values}
    missing = [L for L in _sides(set(further), minimum=0) if L not in known]
    for L in missing:
        ds = ising_curvature(L, progress=progress)
        known[L] = [float(ds[name]) for name in NAMES]
    sides = sorted(known)
    values = dict(zip(NAMES, np.array([known[L] for L in sides]).T, strict=True))
    came = np.array([L not in missing for L in sides])
    return scaling_dataset(sides, values, {"shipped": (("L",), came, "whether this size came with the package")})


@results.experiment
def compare_model(model: str = "ising-3d") -> xr.Dataset:
    """Return |R| of a model without exact solution, ours and the paper's, beside both candidate exponents.

    Ours are the shipped :func:`monte_carlo_survey`. For each source: |R|, errors, effective exponents of consecutive
    sizes with errors, and a weighted power law. Published values without an error, or called exact, are shown but not
    fitted, and all fits start at the paper's smallest fitted size, since small lattices bend the curve. A third source,
    ``far``, are our larger sizes (:func:`shipped_growth`).
    """
    ours, far = shipped_survey().to_dataframe(), shipped_growth().to_dataframe()
    table = published(model).to_dataframe().reset_index()
    if model not in set(ours.model):
        raise ValueError(f"no samples of {model!r} are shipped; choose one of: {', '.join(sorted(set(ours.model)))}")
    ours, far = (rows[rows.model == model].sort_values("L") for rows in (ours, far))
    variables, coordinates = {}, {}
    sources = {
        "ours": (ours.L, ours.sites, -ours.scalar_curvature, ours.scalar_curvature_error),
        "far": (far.L, far.sites, -far.scalar_curvature, far.scalar_curvature_error),
        "paper": (table.L, table.sites, table.absolute_curvature, table.absolute_curvature_error),
    }
    smallest = table.L[table.absolute_curvature_error > 0].min()
    for source, columns in sources.items():
        found, places = _source_variables(source, smallest, *(np.asarray(c, dtype=float) for c in columns))
        variables |= found
        coordinates |= places
    exponents = EXPONENTS[model]
    variables |= {
        "predicted_exponent": ((), exponents.predicted, "the paper's exponent (dν+2η)/(dν+η)"),
        "specific_heat_exponent": ((), exponents.rival, "exponent 1 + α/(dν) of the specific heat"),
    }
    return results.dataset(variables, coordinates, {"label": exponents.label})


def _source_variables(
    source: str, smallest: int, L: np.ndarray, n: np.ndarray, R: np.ndarray, error: np.ndarray
) -> tuple:
    """Label one source's values, effective exponents and power law; sides as coordinate ``L_<source>``."""
    side, pair = (f"L_{source}",), (f"pair_{source}",)
    known = np.isfinite(error)
    usable = known & (error > 0) & (smallest <= L)
    power = fit_power_law(n[usable], R[usable], errors=error[usable])
    variables = {
        f"sites_{source}": (side, n, "number of sites n"),
        f"curvature_{source}": (side, R, f"|R|, {source}"),
        f"error_{source}": (side, error, f"standard error of |R|, {source}"),
        f"exponent_{source}": (pair, effective_exponents(n[known], R[known]), f"effective exponent, {source}"),
        f"exponent_error_{source}": (
            pair, effective_errors(n[known], R[known], error[known]), f"its standard error, {source}",
        ),
        f"fitted_{source}": ((), power.exponent, f"weighted power law for L ≥ {smallest}, {source}"),
        f"fitted_error_{source}": ((), power.error, f"its standard error, {source}"),
    }  # fmt: skip
    middle = np.sqrt(L[known][1:] * L[known][:-1])
    coordinates = {
        side[0]: (side, L, "side of the lattice", "sites"),
        pair[0]: (pair, middle, "geometric mean of two sides", "sites"),
    }
    return variables, coordinates
