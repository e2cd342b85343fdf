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
    0.44068679351
    """
    a = checks.real("anisotropy", anisotropy, minimum=1e-300, maximum=1e300)

    def imbalance(u: float) -> float:
        J = math.exp(u)
        q = math.exp(-2 * J)
        return 2 * a * J + (math.log1p(-2 * q / (1 + q)) if J > 0.5 else math.log(math.tanh(J)))

    return math.exp(optimize.brentq(imbalance, -708.0, 708.0, xtol=1e-15, rtol=9e-16))


FIRST_POINTS = 5  # couplings that make a curve worth a look


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
    points ≥ 2. The couplings are taken from coarse to fine; ``progress.publish`` gets those that are there.
    """
    a = checks.real("anisotropy", anisotropy, exclusive_minimum=0.0, maximum=10.0)
    low, high = checks.real("J_min", J_min), checks.real("J_max", J_max)
    if low >= high:
        raise ValueError(f"J_min must be below J_max, got {low} and {high}")
    couplings = np.linspace(low, high, checks.integer("points", points, minimum=2, maximum=500))
    n = max(torus(L, J, a * J).sites for J in (low, high))  # checks both ends
    progress = progress or Progress()
    values = np.full((3, len(couplings)), np.nan)
    for done, i in enumerate(coarse_to_fine(len(couplings))):
        J = couplings[i]
        progress.update(done, len(couplings), f"J = {J:.4f}")
        ds = ising_curvature(L, J, a * J)
        values[:, i] = [float(ds[name]) / n for name in ("scalar_curvature", "cumulant_norm", "trace_norm")]
        if FIRST_POINTS <= done + 1 < len(couplings):
            rest = f"{len(couplings) - done - 1} more couplings"
            known = np.isfinite(values[0])
            progress.publish(results.unfinished(_dataset(couplings[known], values[:, known], a, n), rest))
    progress.update(1, 1)
    return _dataset(couplings, values, a, n)


def coarse_to_fine(count: int) -> list[int]:
    """Return 0 … count − 1 in an order that spreads every beginning of it evenly: the ends, the middle, the quarters…

    >>> coarse_to_fine(9)
    [0, 8, 4, 2, 6, 1, 3, 5, 7]
    """
    order, step = [0, count - 1], count - 1
    while len(set(order)) < count:
        step /= 2
        order += [round(k * step) for k in range(1, math.ceil((count - 1) / step)) if k % 2]
    return list(dict.fromkeys(order))


def _dataset(couplings: np.ndarray, values: np.ndarray, a: float, n: int) -> xr.Dataset:
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
