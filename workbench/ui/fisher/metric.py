"""The metric itself: its spectrum over the zone, two bonds in space, and a slice of the third cumulant."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import param
import xarray as xr

from workbench import costs, data, fisher
from workbench.costs import Cost
from workbench.figures import fisher as figures
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.view import View

TRIPLES = ["hhh", "hhv", "hvh", "hvv", "vhh", "vhv", "vvh", "vvv"]
DEFAULTS = {"L": 32, "J": fisher.J_CRITICAL, "J_vertical": fisher.J_CRITICAL, "orientations": "hhh", "dx": 3, "dy": 0}


class MetricView(View):
    """Exact covariances and third cumulants of bonds on any torus, at any couplings."""

    title, slug = "Metric", "metric"
    help = (
        "The Fisher metric is the covariance of bond energies. Its spectrum peaks at zero momentum; its third cumulant "
        "is what curves the space. Bond a sits at the origin, bond b at (dx, dy), bond c anywhere."
    )
    inputs = ("L", "J", "J_vertical", "orientations", "dx", "dy")
    display = ("branch", "clip")
    experiment = staticmethod(fisher.third_cumulant)
    columns = 3

    L = param.Integer(default=DEFAULTS["L"], bounds=(3, 128), label="Side L")
    J = param.Number(default=DEFAULTS["J"], bounds=(-1.0, 1.0), step=0.005, label="Horizontal coupling J")
    J_vertical = param.Number(
        default=DEFAULTS["J_vertical"],
        bounds=(-1.0, 1.0),
        step=0.005,
        label="Vertical coupling",
        doc="critical at 0.4407 each",
    )
    orientations = param.Selector(
        default=DEFAULTS["orientations"], objects=TRIPLES, label="Bonds a, b, c", doc="h horizontal, v vertical"
    )
    dx = param.Integer(default=DEFAULTS["dx"], bounds=(-16, 16), label="Bond b at dx")
    dy = param.Integer(default=DEFAULTS["dy"], bounds=(-16, 16), label="Bond b at dy")
    branch = param.Selector(default="upper", objects=["upper", "lower"], label="Branch of the spectrum")
    clip = param.Number(
        default=0.1, bounds=(0.01, 1.0), step=0.01, label="Colours clipped at", doc="share of the largest value"
    )

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return the shipped slice for the inputs that open the tab."""
        return data.result("fisher/slice.nc") if inputs == DEFAULTS else None

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the time: a Fourier transform and one pass over the sites."""
        return costs.of(fisher.third_cumulant, **inputs)

    def pictures(self) -> Sequence[Picture]:
        """Return the spectrum, the covariance and the third cumulant."""
        return [
            self._picture("Metric spectrum", lambda ds: figures.zone(ds, self.branch), self._zone_summary),
            self._picture(
                "Covariance of two bonds", lambda ds: figures.covariance(ds, self._cap(ds.covariance)), _space_summary
            ),
            self._picture("Third cumulant", lambda ds: figures.cumulant(ds, self._cap(ds.cumulant)), _cumulant_summary),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say how far the eigenvalues spread, and the largest third cumulant."""
        top, bottom = float(ds.metric_eigenvalue.max()), float(ds.metric_eigenvalue.min())
        largest = float(np.abs(ds.cumulant).max())
        return (
            f"The metric's eigenvalues run from {bottom:.4g} to {top:.4g} over the zone, a condition "
            f"number of {top / bottom:.3g}; the largest third cumulant of this slice is {largest:.4g}."
        )

    @staticmethod
    def _picture(name: str, figure: Callable[[xr.Dataset], Any], summary: Callable[[xr.Dataset], str]) -> Picture:
        return Picture(name, figure, summary, height=figures.BESIDE)

    def _cap(self, values: xr.DataArray) -> float:
        return max(self.clip * float(np.abs(values).max()), 1e-300)

    def _zone_summary(self, ds: xr.Dataset) -> str:
        values = ds.metric_eigenvalue.sel(branch=self.branch)
        at = values.where(values == values.max(), drop=True)
        return (
            f"The {self.branch} branch is largest, {float(values.max()):.4g}, at k = ({float(at.kx[0]):.2f}, "
            f"{float(at.ky[0]):.2f}) and smallest, {float(values.min()):.4g}, elsewhere."
        )


def _space_summary(ds: xr.Dataset) -> str:
    along = float(ds.covariance.sel(x=2, y=0)) if 2 in ds.x.values else float(ds.covariance[0, 0])
    return (
        f"The covariance is {float(ds.covariance.sel(x=0, y=0)):.4f} at the origin and {along:.4f} two sites along x."
    )


def _cumulant_summary(ds: xr.Dataset) -> str:
    low, high = float(ds.cumulant.min()), float(ds.cumulant.max())
    return f"It lies between {low:.4g} and {high:.4g}; it is largest where the third bond meets one of the first two."
