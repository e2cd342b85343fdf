"""The loss along the step and where its Taylor series diverges."""

from collections.abc import Mapping, Sequence
from typing import Any

import param
import xarray as xr

from workbench import costs, steps
from workbench.costs import Cost
from workbench.figures import steps as figures
from workbench.ui.kit.picture import Picture
from workbench.ui.steps.base import StepsView, direction, network, samples, stage


class TaylorView(StepsView):
    """Taylor polynomials of rising order against the loss itself."""

    title, slug = "Taylor", "taylor"
    help = (
        "The loss along the step (grey) and its Taylor polynomials at τ = 0. Inside the circle of convergence (dashed) "
        "every order helps; outside, higher orders are worse. The bound ρ_a (solid line) lies well inside; ρ* (dotted) "
        "belongs to the linearised logits."
    )
    experiment = staticmethod(steps.taylor_orders)
    shipped_file = "taylor_orders.nc"
    inputs = ("network", "stage", "direction", "linearised", "reach", "samples")
    display = ("highest",)

    network = network("mlp-tanh")
    stage = stage()
    direction = direction()
    linearised = param.Boolean(False, label="Linearised logits", doc="z + τa instead of the network itself")
    reach = param.Number(1.5, bounds=(0.5, 3.0), step=0.1, label="Reach", doc="in radii of convergence")
    samples = samples(64, 256)
    highest = param.Selector(default=40, objects=[1, 2, 3, 5, 10, 20, 40], label="Highest order shown")

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Recurrences are quick; other networks are evaluated on complex circles."""
        return costs.of(steps.taylor_orders, **inputs)

    def pictures(self) -> Sequence[Any]:
        """Polynomials and their errors."""
        return [
            Picture("Loss and polynomials", self._polynomials, self._words),
            Picture("Errors", self._errors, self._error_words),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """The three radii."""
        return (
            f"The series of this loss converges up to about τ = {float(ds.convergence):.3g}; ρ_a = "
            f"{float(ds.bound):.3g} and, for linearised logits, ρ* = {float(ds.exact):.3g} "
            f"(expanded by {ds.attrs['expansion']})."
        )

    def _polynomials(self, ds: xr.Dataset) -> Any:
        return figures.taylor_polynomials(ds, highest=self.highest)

    def _errors(self, ds: xr.Dataset) -> Any:
        return figures.taylor_errors(ds, highest=self.highest)

    def _words(self, ds: xr.Dataset) -> str:
        return (
            f"Loss {float(ds.loss.sel(tau=0, method='nearest')):.3g} at τ = 0. Vertical lines: ρ_a solid, ρ* dotted, "
            "convergence dashed. Polynomials are cut where they leave the picture."
        )

    def _error_words(self, ds: xr.Dataset) -> str:
        order = int(ds.order.values[ds.order.values <= self.highest].max())
        edge = float(ds.convergence)
        inside = float(ds.error.sel(order=order).sel(tau=0.5 * edge, method="nearest"))
        outside = float(ds.error.sel(order=order).sel(tau=min(1.2 * edge, float(ds.tau.max())), method="nearest"))
        return f"Order {order} errs by {inside:.1e} at half the radius of convergence and by {outside:.1e} beyond it."
