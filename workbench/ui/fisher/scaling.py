"""How the curvature grows with the lattice, and what becomes of the claimed exponent."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import param
import xarray as xr

from workbench import costs, fisher
from workbench.costs import Cost
from workbench.figures import fisher as figures
from workbench.fisher import paper
from workbench.fisher.scaling import Logarithm, PowerLaw
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.view import View

LARGEST = 256
published = functools.cache(lambda: fisher.published("ising-2d"))
beyond = functools.cache(fisher.shipped_extrapolation)


class ScalingView(View):
    """Exact R(L) at the critical point with a window to fit over."""

    title, slug = "Growth", "growth"
    help = (
        "Exact scalar curvature of the critical L × L Ising torus. Drag the window: at 6…9 the fit gives the paper's "
        "exponent; further out it rises, then falls below the predicted 10/9."
    )
    inputs, display = ("extra",), ("window", "show_paper", "show_beyond")
    experiment = staticmethod(fisher.exact_scaling)

    window = param.Range(default=(6, 9), bounds=(3, 256), step=1, label="Window of the fit (L)")
    extra = param.Integer(
        default=0, bounds=(0, LARGEST), label="Another size L", doc="0 for none; the cost is announced before it runs"
    )
    show_paper = param.Boolean(default=True, label="The paper's Monte Carlo points")
    show_beyond = param.Boolean(
        default=True, label="Extrapolated sizes to 2048", doc="exact ‖tr T‖², extrapolated ‖T‖²"
    )

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the one further size, if there is one."""
        return {"further": [inputs["extra"]] if inputs["extra"] else []}

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a side at which the metric is singular."""
        if 0 < inputs["extra"] < 3:
            raise ValueError("L must be at least 3: at 2 every bond is doubled and the Fisher metric is singular")

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the time and memory of a size that is not shipped."""
        return costs.of(fisher.exact_scaling, [inputs["extra"]] if inputs["extra"] >= 3 else [])

    def pictures(self) -> Sequence[Picture]:
        """Return the effective exponents, the growth and R/n."""
        return [
            Picture("Effective exponent", self._exponents, self._exponents_summary),
            Picture("Curvature against size", self._growth, self._growth_summary),
            Picture("Curvature per site", self._per_site, self._per_site_summary),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say the exponent of the window, and what the paper reports."""
        fit = self._fit(ds)
        low, high = self._window(ds)
        scatter = "two sizes" if fit.error == 0 else f"± {fit.error:.4f}"
        paper_says = (
            f"the paper reports {paper.HEADLINE_EXPONENT} ± {paper.HEADLINE_ERROR} over L = 6…9 and predicts 10/9"
        )
        return f"Least squares over L = {low}…{high} gives the exponent {fit.exponent:.4f} ({scatter}); {paper_says}."

    def _window(self, ds: xr.Dataset) -> tuple[int, int]:
        """Widen the window until it holds two of the sizes."""
        low, high = (int(edge) for edge in self.window)
        sides = ds.L.values
        while ((sides >= low) & (sides <= high)).sum() < 2:
            low, high = max(low - 1, 3), high + 1
        return low, high

    def _fit(self, ds: xr.Dataset) -> PowerLaw:
        low, high = self._window(ds)
        return fisher.fit_power_law(ds.sites, ds.scalar_curvature, window=(low**2, high**2))

    def _beyond(self) -> xr.Dataset | None:
        return beyond() if self.show_beyond else None

    def _growth(self, ds: xr.Dataset) -> Any:
        shown = published() if self.show_paper else None
        return figures.growth(ds, window=self._window(ds), fit=self._fit(ds), published=shown, beyond=self._beyond())

    def _growth_summary(self, ds: xr.Dataset) -> str:
        return (
            f"Exact |R| at {ds.sizes['L']} sizes from L = {int(ds.L[0])} to {int(ds.L[-1])}; on this scale a power "
            "law, a power with a logarithm and the data are hard to tell apart. The paper's Monte Carlo points lie on "
            "the exact values within 1.4 of their errors."
        )

    def _exponents(self, ds: xr.Dataset) -> Any:
        predicted = fisher.EXPONENTS["ising-2d"].predicted
        return figures.exponents(
            ds, window=self._window(ds), fit=self._fit(ds), predicted=predicted, beyond=self._beyond()
        )

    def _exponents_summary(self, ds: xr.Dataset) -> str:
        top = int(ds.effective_exponent.where(ds.pair > 6).argmax("pair"))
        below = ds.pair[(ds.effective_exponent < 10 / 9) & (ds.pair > 20)]
        text = (
            f"It rises to {float(ds.effective_exponent[top]):.4f} near L = {float(ds.pair[top]):.0f} and falls to "
            f"{float(ds.effective_exponent[-1]):.4f} between L = {int(ds.smaller[-1])} and {int(ds.larger[-1])}"
        )
        if below.size:
            text += f", below 10/9 = 1.1111 from about L = {float(below[0]):.0f} on"
        last = beyond()
        far, at = float(last.effective_exponent[-1]), float(last.pair[-1])
        return f"{text}. With ‖T‖² extrapolated it is {far:.3f} at L = {at:.0f}."

    def _per_site(self, ds: xr.Dataset) -> Any:
        return figures.per_site(ds, logarithm=self._logarithm(), beyond=self._beyond())

    def _logarithm(self) -> Logarithm:
        far = beyond()
        return fisher.fit_logarithm(far.L, far.scalar_curvature / far.sites)

    def _per_site_summary(self, ds: xr.Dataset) -> str:
        fit = self._logarithm()
        return (
            f"Fitted to L ≥ 128 only, −R/n = {fit.slope:.2f} ln L {fit.constant:+.2f}: exponent one with a logarithm, "
            "as for a specific heat with α = 0."
        )
