"""The shipped study of all tori: curvature across coupling and size."""

from collections.abc import Sequence

import holoviews as hv
import numpy as np
import xarray as xr

from workbench.figures import theme
from workbench.figures.fisher.marks import J_CRITICAL

MOST_SIZES = 6


def curvature_growth(ds: xr.Dataset, J: float | None = None) -> hv.Overlay:
    """Return −R/n, ‖T‖²/4n and ‖tr T‖²/4n against L on a logarithmic axis, at the coupling of ``ds`` nearest to ``J``.

    ``ds`` is a sweep of ``fisher.ising_curvature`` over ``L`` (and perhaps ``J``). A straight line means R ~ n ln n.
    """
    ds, told = _at_coupling(ds, J)
    sites = ds.L.values.astype(float) ** 2
    parts = (
        ("−R/n", -ds.scalar_curvature.values / sites),
        ("‖tr T‖²/4n", ds.trace_norm.values / 4 / sites),
        ("‖T‖²/4n", ds.cumulant_norm.values / 4 / sites),
    )
    curves = [
        theme.line(hv.Curve((ds.L.values, values), "L", "per_site", label=name), theme.SERIES[k], dash=theme.DASHES[k])
        for k, (name, values) in enumerate(parts)
    ]
    title = f"Curvature per site of the L × L torus{told}"
    return theme.frame(hv.Overlay(curves), title=title, logx=True, xlabel="L", ylabel="per site")


def _at_coupling(ds: xr.Dataset, J: float | None) -> tuple[xr.Dataset, str]:
    if "J" not in ds.coords:
        return ds, ""
    if "J" in ds.dims:
        ds = ds.isel(J=ds.sizes["J"] // 2) if J is None else ds.sel(J=J, method="nearest")
    return ds, f", J = {float(ds.J):.6g}"


def curvature_across(ds: xr.Dataset, sizes: Sequence[int] | None = None) -> hv.Overlay:
    """Return R/n against J, a curve for each of up to six sizes, larger ones darker; J_c is marked.

    ``ds`` is a sweep of ``fisher.ising_curvature`` over ``L`` and ``J``. There is no peak at J_c to be seen.
    """
    chosen = _spread(ds.L.values) if sizes is None else list(sizes)
    shades = hv.plotting.util.process_cmap("viridis_r", len(chosen) + 1)[1:]
    curves = []
    for shade, size in zip(shades, chosen, strict=True):
        values = ds.scalar_curvature.sel(L=size).values / size**2
        curves.append(theme.line(hv.Curve((ds.J.values, values), "J", "R/n", label=f"L = {size}"), shade))
    critical = theme.line(hv.VLine(J_CRITICAL), theme.NEUTRAL, dash="dashed", width=1)
    title = "Curvature per site across the coupling (dashed: J_c)"
    return theme.frame(hv.Overlay([*curves, critical]), title=title, xlabel="coupling J", ylabel="R/n")


def _spread(values: np.ndarray) -> list[int]:
    """Pick up to six of the sizes, evenly on a logarithmic scale, the ends included."""
    wanted = np.geomspace(values[0], values[-1], MOST_SIZES)
    return sorted({int(values[np.argmin(np.abs(np.log(values / size)))]) for size in wanted})


def curvature_study(ds: xr.Dataset) -> hv.Overlay:
    """Return a sweep over ``L`` across the coupling, where it has several couplings, or else its growth with size."""
    return curvature_across(ds) if ds.sizes.get("J", 1) > 1 else curvature_growth(ds)
