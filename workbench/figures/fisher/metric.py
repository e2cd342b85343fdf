"""The metric and the third cumulant, in momentum and in space; a lattice of spins."""

import holoviews as hv
import xarray as xr

from workbench.figures import theme
from workbench.figures.fisher.marks import BESIDE


def zone(ds: xr.Dataset, branch: str = "upper") -> hv.Image:
    """Draw one branch of the metric's spectrum over the Brillouin zone."""
    values = ds.metric_eigenvalue.sel(branch=branch)
    image = hv.Image((ds.kx.values, ds.ky.values, values.values.T), ["kx", "ky"], "eigenvalue")
    title = f"Metric spectrum, {branch} branch"
    return theme.frame(theme.image(image, bar="bottom"), title=title, xlabel="kx", ylabel="ky", height=BESIDE)


def covariance(ds: xr.Dataset, cap: float | None = None) -> hv.Image:
    """Draw the covariance of the first bond with a bond at every displacement; ``cap`` clips the colours."""
    return _space(ds, "covariance", "Covariance of two bonds", cap)


def cumulant(ds: xr.Dataset, cap: float | None = None) -> hv.Image:
    """Draw the third cumulant with the second bond fixed and the third at every displacement."""
    return _space(ds, "cumulant", "Third cumulant, third bond anywhere", cap)


def _space(ds: xr.Dataset, name: str, title: str, cap: float | None) -> hv.Image:
    image = hv.Image((ds.x.values, ds.y.values, ds[name].values.T), ["x", "y"], name)
    limits = None if cap is None else (-cap, cap)
    coloured = theme.image(image, signed=True, clim=limits, bar="bottom")
    return theme.frame(coloured, title=title, xlabel="x", ylabel="y", height=BESIDE)


def lattice(ds: xr.Dataset) -> hv.Image:
    """Draw the colours of a sampled lattice; of a cube its first layer."""
    spins = ds.spins.isel(z=0) if "z" in ds.spins.dims else ds.spins
    x, y = ds.x.values, ds.y.values
    colours = max(int(ds.attrs.get("colours", 2)), 2)
    image = hv.Image((x, y, spins.values.T.astype(float)), ["x", "y"], "colour")
    styled = theme.image(image, colorbar=False, clim=(0, colours - 1), colormap="cividis")
    title = "Lattice" if spins.ndim == ds.spins.ndim else "First layer of the lattice"
    return theme.frame(styled, title=title, xlabel="x", ylabel="y")
