"""Curvature past the reach of third cumulants: the trace term sampled at each size, ‖T‖² continued from small ones."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.fisher.monte_carlo.models import MODELS


class Cells(NamedTuple):
    """Independent runs of one size: their estimates, and the jackknife error that each of them states."""

    values: Sequence[float]
    errors: Sequence[float]
    chains: int


def mean_of_cells(cells: Cells) -> tuple[float, float]:
    """Return the mean over independent runs and its standard error.

    The variance of a run is known twice, from the spread between runs (runs − 1 degrees of freedom) and from the
    chains within each (chains − 1 for every run); both are taken, by their degrees of freedom.

    >>> mean_of_cells(Cells([1.0, 3.0], [1.0, 1.0], 4))
    (2.0, 0.7559289460184544)
    """
    values = checks.finite_array("values", cells.values, ndim=1)
    within = checks.finite_array("errors", cells.errors, ndim=1)
    if values.shape != within.shape or not len(values):
        raise ValueError(f"values and errors need one length above 0; got {len(values)} and {len(within)}")
    between, inside = len(values) - 1, (cells.chains - 1) * len(values)
    squares = ((values - values.mean()) ** 2).sum()
    variance = (squares + inside * (within**2).mean()) / (between + inside)
    return float(values.mean()), float(np.sqrt(variance / len(values)))


def continued(sides: ArrayLike, per_site: ArrayLike, errors: ArrayLike, at: ArrayLike) -> tuple[NDArray, NDArray]:
    """Continue ‖T‖²/n from small to larger sides by a weighted parabola in 1/L; needs four sides or more.

    Returns values and errors, in which the change counts when the smallest side is left out. The values are those of
    the fit also where there is a measurement: their errors are common to neighbouring sides and part of no exponent.

    >>> sides = np.array([4.0, 6.0, 8.0, 12.0, 16.0])
    >>> value, error = continued(sides, 9 + 20 / sides, np.full(5, 0.1), [32.0])
    >>> round(float(value[0]), 9), bool(0 < error[0] < 0.5)
    (9.625, True)
    """
    L, target = np.asarray(sides, dtype=float), np.asarray(at, dtype=float)
    y, sigma = np.asarray(per_site, dtype=float), np.asarray(errors, dtype=float)
    if len(L) < 4:
        raise ValueError(f"‖T‖² can be continued from four sides or more, got {len(L)}")

    def fitted(keep: slice) -> tuple[NDArray, NDArray]:
        weighted = np.vander(1 / L[keep], 3) / sigma[keep, None]
        inverse = np.linalg.inv(weighted.T @ weighted)
        place = np.vander(1 / target, 3)
        values = place @ (inverse @ (weighted.T @ (y[keep] / sigma[keep])))
        return values, np.sqrt(np.einsum("ia,ab,ib->i", place, inverse, place))

    best, error = fitted(slice(None))
    shorter, _ = fitted(slice(1, None))
    return best, np.hypot(error, best - shorter)


def growth_dataset(traces: Mapping[str, Mapping[int, Cells]], norms: Mapping[str, Mapping[int, Cells]]) -> xr.Dataset:
    """Return R = ¼(‖T‖² − ‖tr T‖²) of each model and side from independent runs; one row for each, by model and side.

    ``traces`` are runs of :func:`sampled_trace_norm` at all sides, ``norms`` those of ‖T‖² at small ones (four or
    more), from :func:`monte_carlo_curvature`. Errors are standard errors; those of R join both terms.
    """
    rows = []
    for model, sizes in traces.items():
        d = MODELS[model]().dimension
        sides = np.array(sorted(sizes))
        n = sides.astype(float) ** d
        trace = np.array([mean_of_cells(sizes[int(L)]) for L in sides])
        small = np.array(sorted(norms[model]))
        known = np.array([mean_of_cells(norms[model][int(L)]) for L in small]) / small[:, None].astype(float) ** d
        per_site, error = continued(small, known[:, 0], known[:, 1], sides)
        for i, L in enumerate(sides):
            cells = sizes[int(L)]
            rows.append(
                {
                    "model": model, "L": int(L), "sites": int(n[i]), "runs": len(cells.values),
                    "trace_norm": trace[i, 0], "trace_norm_error": trace[i, 1],
                    "cumulant_norm": n[i] * per_site[i], "cumulant_norm_error": n[i] * error[i],
                    "scalar_curvature": (n[i] * per_site[i] - trace[i, 0]) / 4,
                    "scalar_curvature_error": np.hypot(n[i] * error[i], trace[i, 1]) / 4,
                }
            )  # fmt: skip
    words = {
        "model": "model", "L": ("side of the lattice", "sites"), "sites": "number of sites n",
        "runs": "independent runs", "trace_norm": "‖tr T‖²", "trace_norm_error": "its standard error",
        "cumulant_norm": "‖T‖², continued in 1/L", "cumulant_norm_error": "its error",
        "scalar_curvature": "scalar curvature R, ‖T‖² continued", "scalar_curvature_error": "its standard error",
    }  # fmt: skip
    variables = {}
    for name, told in words.items():
        column = [row[name] for row in rows]
        variables[name] = (("row",), column, *((told,) if isinstance(told, str) else told))
    return results.dataset(variables, {"row": (("row",), np.arange(len(rows)), "model and side")})
