"""How far one step may go, and the map over two players' rates."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from workbench import games
from workbench.figures import games as figures
from workbench.ui.games.choices import GameView
from workbench.ui.kit.picture import Picture


class StepsView(GameView):
    """One common step."""

    title, slug = "Steps", "steps"
    help = (
        "Every h with ρ(T_h) < 1 is certified; up to h₀ the factor is exactly 1 − hτ. RK4 at 2.5/β is a guideline of "
        "the paper, not a theorem: it can expand."
    )
    experiment = staticmethod(games.step_curve)
    inputs = GameView.GAME_INPUTS
    columns = 1

    def pictures(self) -> Sequence[Any]:
        """Return the step axis."""
        return [Picture("Factor over the step", figures.step_factors, _steps, height=420)]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say the steps and how much is gained over the paper's."""
        if not np.isfinite(float(ds.sharp)):
            return f"Nothing is certified (τ = {float(ds.tau):.4g}). Euler is stable up to {float(ds.true_limit):.4g}."
        return (
            f"Certified up to {float(ds.sharp):.6g}, {float(ds.sharp) / float(ds.paper):.3g} times the paper's "
            f"{float(ds.paper):.4g}; h₀ = {float(ds.h0):.4g}. Euler is really stable up to {float(ds.true_limit):.6g}."
        )


def _steps(ds: xr.Dataset) -> str:
    good = np.isfinite(ds.observed.values)
    best = float(ds.h.values[good][np.argmin(ds.observed.values[good])])
    return f"Fastest observed at h = {best:.3g}: {float(np.nanmin(ds.observed)):.3g} a step. Lines end at 1.6."


class RatesView(GameView):
    """Two players, two rates."""

    title, slug = "Rates", "rates"
    help = (
        "Players may learn at different speeds. Rates up to 2/(μᵢ+ℓᵢ), even changing in time, are certified; the map "
        "shows how far beyond one can go."
    )
    experiment = staticmethod(games.rate_map)
    inputs = GameView.GAME_INPUTS
    columns = 1

    def pictures(self) -> Sequence[Any]:
        """Return the map."""
        return [Picture("Rates of players 1 and 2", figures.rate_regions, _rates, height=440)]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say how much of the stable area is certified."""
        share = float(ds.area_share)
        if not np.isfinite(share):
            return "No pair of rates on this map is stable."
        return f"{100 * share:.0f} % of the truly stable rates on this map are certified."


def _rates(ds: xr.Dataset) -> str:
    first, second = ds.limit.values[:2]
    return f"Each player alone may go up to {first:.4g} and {second:.4g} (diamond: both at once)."
