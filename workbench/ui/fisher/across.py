"""The curvature as the coupling moves through the transition."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import param
import xarray as xr

from workbench import costs, data, fisher
from workbench.costs import Cost
from workbench.figures import fisher as figures
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.view import View

DEFAULTS = {"L": 16, "J_min": 0.3, "J_max": 0.6, "points": 61, "anisotropy": 1.0}


class AcrossView(View):
    """R/n against J; the critical point is marked, and there is no peak there."""

    title, slug = "Across the transition", "across"
    help = (
        "Curvature per site against the horizontal coupling; the vertical coupling is that times the anisotropy. "
        "The dotted line is the critical coupling of the infinite lattice. R does not peak there."
    )
    inputs = ("L", "J_min", "J_max", "points", "anisotropy")
    experiment = staticmethod(fisher.coupling_sweep)

    L = param.Integer(default=DEFAULTS["L"], bounds=(3, 48), label="Side L")
    J_min = param.Number(default=DEFAULTS["J_min"], bounds=(0.0, 1.0), step=0.01, label="From J")
    J_max = param.Number(default=DEFAULTS["J_max"], bounds=(0.05, 1.2), step=0.01, label="To J")
    points = param.Integer(default=DEFAULTS["points"], bounds=(5, 121), label="Couplings")
    anisotropy = param.Number(default=DEFAULTS["anisotropy"], bounds=(0.25, 4.0), step=0.05, label="Anisotropy")

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return the shipped sweep for the inputs that open the tab."""
        return data.result("fisher/across.nc") if inputs == DEFAULTS else None

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse an empty range of couplings, and bonds that are frozen."""
        if inputs["J_min"] >= inputs["J_max"]:
            raise ValueError(f"'From J' must be below 'To J', got {inputs['J_min']} and {inputs['J_max']}")
        if inputs["J_max"] * inputs["anisotropy"] > 2.5:
            raise ValueError(
                "the vertical coupling would pass 2.5, where the bonds are frozen; lower J or the anisotropy"
            )

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the time of all couplings: each is one exact curvature."""
        return costs.of(fisher.coupling_sweep, **inputs)

    def pictures(self) -> Sequence[Picture]:
        """Return R/n and the two norms that it is the difference of."""
        return [
            Picture("Curvature per site", figures.across, self._summary),
            Picture("The two norms", figures.across_parts, self._parts_summary),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say whether R/n falls monotonically, and what it is at J_c."""
        J, values = ds.J.values, ds.curvature_per_site.values
        near = int(np.abs(J - float(ds.critical_coupling)).argmin())
        monotone = bool((np.diff(values) < 0).all())
        return (
            f"R/n {'falls monotonically' if monotone else 'is not monotone'} from {values[0]:.3f} at J = {J[0]:.3f} to "
            f"{values[-1]:.3f} at J = {J[-1]:.3f}; nearest to J_c = {float(ds.critical_coupling):.4f} it is "
            f"{values[near]:.3f}{', and there is no peak at J_c' if monotone else ''}."
        )

    def _summary(self, ds: xr.Dataset) -> str:
        values = ds.curvature_per_site.values
        return f"R/n over {ds.sizes['J']} couplings, from {values[0]:.3f} to {values[-1]:.3f}; the dotted line is J_c."

    def _parts_summary(self, ds: xr.Dataset) -> str:
        cumulant, trace = (float(ds[f"{name}_norm_per_site"][-1]) for name in ("cumulant", "trace"))
        return f"R = ¼(‖T‖² − ‖tr T‖²). At the right end ‖T‖²/n is {cumulant:.2f} and ‖tr T‖²/n is {trace:.2f}."
