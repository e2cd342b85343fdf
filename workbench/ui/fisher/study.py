"""The shipped study of all tori as a tab."""

from collections.abc import Sequence

import numpy as np
import param
import xarray as xr

from workbench import fisher
from workbench.figures import fisher as figures
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.study import StudyView


class CurvatureStudy(StudyView):
    """Curvature of every torus from L = 3 to 64, across the coupling."""

    title, slug, study = "Study: all sizes", "study", "curvature"
    help = (
        "Exact scalar curvature of all tori from 3 × 3 to 64 × 64, at 17 couplings. A sweep that ships with the "
        "workbench: `workbench sweep studies/curvature.toml` makes it again."
    )
    display = ("coupling",)

    coupling = param.Number(default=fisher.J_CRITICAL, bounds=(0.32, 0.56), label="Coupling J of the second picture")

    def pictures(self) -> Sequence[Picture]:
        """Return R/n across J, and its growth with L at one J."""
        return [
            Picture("Across the coupling", figures.curvature_across, _curvature_in_words),
            Picture("Growth with size", lambda ds: figures.curvature_growth(ds, self.coupling), self._growth_in_words),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say whether R/n peaks at J_c, from the numbers."""
        per_site = ds.scalar_curvature.sel(L=64) / 64**2
        nearest = int(np.abs(per_site.J.values - fisher.J_CRITICAL).argmin())
        around = per_site.values[nearest - 1 : nearest + 2]
        falls = bool(np.all(np.diff(around) < 0))
        told = "falls right through J_c: no peak there" if falls else "is not monotonic around J_c"
        return f"On the 64 × 64 torus R/n at J_c is {around[1]:.4g}, and it {told}."

    def _growth_in_words(self, ds: xr.Dataset) -> str:
        one = ds.sel(J=self.coupling, method="nearest")
        told = ", ".join(f"{-float(one.scalar_curvature.sel(L=L)) / L**2:.4g} at L = {L}" for L in (16, 32, 64))
        return f"−R/n at J = {float(one.J):.4g}: {told}. A straight line means growth like ln L."


def _curvature_in_words(ds: xr.Dataset) -> str:
    least, most = (ds.scalar_curvature.sel(L=64) / 64**2).values[[0, -1]]
    ends = f"{least:.3g} at J = {ds.J.values[0]:g} to {most:.3g} at J = {ds.J.values[-1]:g}"
    return f"R/n of the largest torus goes from {ends}."
