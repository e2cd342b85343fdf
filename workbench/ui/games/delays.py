"""Delays and asynchrony, observed against certified."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import param
import xarray as xr

from workbench import games
from workbench.figures import games as figures
from workbench.ui.games.choices import GameView
from workbench.ui.kit.picture import Picture


class DelaysView(GameView):
    """Late information, lazy players."""

    title, slug = "Delays", "delays"
    help = (
        "Each player knows its own action and sees the others up to some rounds late, or moves only now and then. A "
        "certified game tolerates every finite delay, at a slower certified rate (dotted)."
    )
    experiment = staticmethod(games.delay_study)
    inputs = (*GameView.GAME_INPUTS, "share", "steps", "seed")

    share = param.Number(default=0.7, bounds=(0.05, 1.0), label="Share of each player's largest rate")
    steps = param.Integer(default=120, bounds=(10, 400), label="Rounds")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="Same seed, same result")

    def pictures(self) -> Sequence[Any]:
        """Return both kinds of runs."""
        return [
            Picture("Delayed information", figures.delay_curves, lambda ds: _told(ds, "late")),
            Picture(
                "Asynchronous moves", lambda ds: figures.delay_curves(ds, kind="lazy"), lambda ds: _told(ds, "lazy")
            ),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say whether observation respects the bound."""
        if not np.any(np.isfinite(ds.late_bound)):
            return f"{ds.attrs['status']}: nothing is certified here, so there is no bound to compare with."
        worst = float(np.nanmax(ds.late.values / ds.late_bound.values))
        return (
            f"Observed never exceeds the certified bound: at most {worst:.3g} of it, over {ds.sizes['delay']} delays."
        )


def _told(ds: xr.Dataset, kind: str) -> str:
    ends = ", ".join(f"{value:.1e}" for value in ds[kind].values[:, -1])
    return f"At the end of the run: {ends} of the start, for {', '.join(map(str, ds.delay.values))} rounds."
