"""The identity that looks like evidence and is algebra."""

from collections.abc import Mapping, Sequence
from typing import Any

import param
import xarray as xr

from workbench import costs, fisher
from workbench.costs import Cost
from workbench.figures import fisher as figures
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.view import View


class IdentityView(View):
    """R₃ = −R₁/2 and R₄ = −R₂/2 for tensors drawn at random."""

    title, slug = "Identity", "identity"
    help = (
        "The paper finds R₃ = −R₁/2 and R₄ = −R₂/2 in its data. Here the metric and the symmetric tensor T are random "
        "numbers that know of no lattice, and the relations hold as exactly."
    )
    inputs = ("m", "draws", "seed")
    experiment = staticmethod(fisher.random_ricci_terms)

    m = param.Integer(default=6, bounds=(2, 30), label="Dimension")
    draws = param.Integer(default=24, bounds=(2, 200), label="Random tensors")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed")

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the time of all draws, each of order m⁴."""
        return costs.of(fisher.random_ricci_terms, **inputs)

    def pictures(self) -> Sequence[Picture]:
        """Return the ratios of the Ricci terms and the curvatures."""
        return [
            Picture("Ricci terms of random tensors", figures.identity, self._identity_summary),
            Picture("Their curvature", figures.random_curvature, self._curvature_summary),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say how exactly the relations hold."""
        worst = max(float(abs(ds.ratio_3_1 + 0.5).max()), float(abs(ds.ratio_4_2 + 0.5).max()))
        how = f"to within {worst:.1e}" if worst else "to the last bit"
        return f"In {ds.sizes['draw']} random tensors R₃/R₁ and R₄/R₂ are −½ {how}: algebra, not evidence."

    def _identity_summary(self, ds: xr.Dataset) -> str:
        return "Every point lies on the line of slope −½, whatever the tensor."

    def _curvature_summary(self, ds: xr.Dataset) -> str:
        low, high = float(ds.scalar_curvature.min()), float(ds.scalar_curvature.max())
        return f"The curvatures themselves range from {low:.2f} to {high:.2f}."
