"""Models without an exact solution, against both candidate exponents."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import param
import xarray as xr

from workbench import costs, fisher
from workbench.costs import Cost
from workbench.figures import fisher as figures
from workbench.ui.kit.formula import notes
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.view import View

CHOICES = {fisher.EXPONENTS[name].label: name for name in ("potts-3", "potts-4", "ising-3d")}


class ModelsView(View):
    """Monte Carlo of this room beside the paper's, with error bars."""

    title, slug = "Other models", "models"
    help = (
        "Cluster Monte Carlo at criticality. Two candidates: the paper's (dν+2η)/(dν+η), and 1 + α/(dν), which is what "
        "curvature would do if it followed the specific heat. At larger sizes the trace term, which carries the "
        "growth, is sampled, and ‖T‖² continued from small ones. What that settles, and what more samples would, the "
        "table of verdicts says."
    )
    inputs = ("model",)
    experiment = staticmethod(fisher.compare_model)

    model = param.Selector(default="potts-3", objects=CHOICES, label="Model")

    def controls(self) -> list[Any]:
        """Return the widget of the model, and what the candidates are."""
        return [*super().controls(), notes(fisher.CANDIDATES)]

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the time of reading the shipped survey."""
        return costs.of(fisher.compare_model, **inputs)

    def pictures(self) -> Sequence[Picture]:
        """Return the effective exponents and the growth."""
        return [
            Picture("Effective exponents", figures.model_exponents, self._exponents_summary),
            Picture("Curvature against size", figures.model_growth, self._growth_summary),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say both fitted exponents and both candidates."""
        ours, error = float(ds.fitted_far), float(ds.fitted_error_far)
        return (
            f"{ds.attrs['label']}: a power law through the paper's data has exponent {float(ds.fitted_paper):.4f} ± "
            f"{float(ds.fitted_error_paper):.4f}, through ours to L = {int(ds.L_far[-1])} {ours:.4f} ± {error:.4f}; "
            f"the paper predicts {float(ds.predicted_exponent):.4f}, the specific heat "
            f"{float(ds.specific_heat_exponent):.4f}."
        )

    def _exponents_summary(self, ds: xr.Dataset) -> str:
        last, error = float(ds.exponent_paper[-1]), float(ds.exponent_error_paper[-1])
        return (
            f"The paper's last pair of sizes gives {last:.3f} ± {error:.3f}. Small lattices bend every curve, and the "
            "errors grow with size."
        )

    def _growth_summary(self, ds: xr.Dataset) -> str:
        both = np.intersect1d(ds.L_ours, ds.L_paper)
        return (
            f"Ours at {ds.sizes['L_ours']} sizes, at {ds.sizes['L_far']} with ‖T‖² continued, the paper's at "
            f"{ds.sizes['L_paper']}; ours and the paper's share L = {', '.join(str(int(L)) for L in both)}."
        )
