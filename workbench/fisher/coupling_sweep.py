"""The curvature of one torus as its coupling moves through the transition."""

import math

import numpy as np
import xarray as xr
from scipy import optimize

from workbench import checks, results
from workbench.fisher.curvature import ising_curvature
from workbench.fisher.torus import torus
from workbench.progress import Progress


def critical_coupling(anisotropy: float = 1.0) -> float:
    """Return the horizontal coupling J at which (J, anisotropy · J) is critical: sinh 2J · sinh 2aJ = 1.

    For any anisotropy from 1e-300 to 1e300; solved as 2aJ + ln tanh J = 0 in ln J, where nothing overflows.

    >>> round(critical_coupling(), 12)
    0.440686793510
    """
    a = checks.real("anisotropy", anisotropy, minimum=1e-300, maximum=1e300)

    def imbalance(u: float) -> float:
        J = math.exp(u)
        q = math.exp(-2 * J)
        return 2 * a * J + (math.log1p(-2 * q / (1 + q)) if J > 0.5 else math.log(math.tanh(J)))

    return math.exp(optimize.brentq(imbalance, -708.0, 708.0, xtol=1e-15, rtol=9e-16))


@results.experiment
def coupling_sweep(
    L: int | tuple[int, int],
    J_min: float = 0.2,
    J_max: float = 0.6,
    points: int = 41,
    anisotropy: float = 1.0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return R/n, ‖T‖²/n and ‖tr T‖²/n at ``points`` couplings J from ``J_min`` to ``J_max``.

    The vertical coupling is anisotropy · J. R/n falls monotonically through the transition: there is no peak at J_c,
    and none should be expected. Bounds and errors as in :func:`workbench.fisher.ising_curvature`, and J_min < J_max,
    points ≥ 2.
    """
    a = checks.real("anisotropy", anisotropy, exclusive_minimum=0.0, maximum=10.0)
    low, high = checks.real("J_min", J_min), checks.real("J_max", J_max)
    if low >= high:
        raise ValueError(f"J_min must be below J_max, got {low} and {high}")
    couplings = np.linspace(low, high, checks.integer("points", points, minimum=2, maximum=500))
    n = max(torus(L, J, a * J).sites for J in (low, high))  # checks both ends
    progress = progress or Progress()
    values = np.empty((3, len(couplings)))
    for i, J in enumerate(couplings):
        progress.update(i, len(couplings), f"J = {J:.4f}")
        ds = ising_curvature(L, J, a * J)
        values[:, i] = [float(ds[name]) / n for name in ("scalar_curvature", "cumulant_norm", "trace_norm")]
    progress.update(1, 1)
    return results.dataset(
        {
            "curvature_per_site": (("J",), values[0], "R/n"),
            "cumulant_norm_per_site": (("J",), values[1], "‖T‖²/n"),
            "trace_norm_per_site": (("J",), values[2], "‖tr T‖²/n"),
            "critical_coupling": ((), critical_coupling(a), "critical coupling J_c"),
        },
        {"J": (("J",), couplings, "horizontal coupling J")},
        {"sites": n},
    )
