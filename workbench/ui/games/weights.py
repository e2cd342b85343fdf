"""The margin over the ratio of metric weights, with its band."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import param
import xarray as xr

from workbench import games
from workbench.figures import games as figures
from workbench.ui.games.choices import GameView
from workbench.ui.kit.picture import Picture


class WeightsView(GameView):
    """One weight moves, the others stay at their best."""

    title, slug = "Weights", "weights"
    help = (
        "The best weights are left over right Perron vector of diag(μ) − L; no semidefinite program. The band "
        "holds the metric weights that still reach the target margin. It says nothing about ratios of learning rates."
    )
    experiment = staticmethod(games.margin_curve)
    inputs = (*GameView.GAME_INPUTS, "alpha")
    columns = 1

    alpha = param.Number(default=0.0, bounds=(0.0, 5.0), label="Target margin α")

    def pictures(self) -> Sequence[Any]:
        """Return the curve."""
        return [Picture("Margin over the weight ratio", figures.margin_band, _band)]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say the best ratio, its margin and the band."""
        tau, target = float(ds.tau), float(ds.target)
        if not np.isfinite(ds.band.values[0]):
            return f"No metric weights reach a margin of {target:g}: the best is τ = {tau:.6g}."
        reached = "" if bool(ds.attained) else " (a supremum that no finite weights reach)"
        return f"The best margin is τ = {tau:.6g}{reached} at w₂/w₁ = {float(ds.best_ratio):.6g}. {_band(ds)}"


def _band(ds: xr.Dataset) -> str:
    low, high = ds.band.values
    if not np.isfinite(low):
        return "The band is empty."
    end = "∞" if np.isinf(high) else f"{high:.6g}"
    return (
        f"Margin at least {float(ds.target):g} for ratios {low:.6g} to {end}: a band of metric weights, not of rates."
    )
