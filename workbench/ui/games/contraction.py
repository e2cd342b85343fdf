"""The phase portrait with two balls, and the certificate."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import param
import xarray as xr

from workbench import games
from workbench.figures import games as figures
from workbench.ui.games.certificate_card import certificate_card
from workbench.ui.games.choices import GameView
from workbench.ui.kit.picture import Picture


class ContractionView(GameView):
    """A game, its flow, its certificate."""

    title, slug = "Portrait", "contraction"
    help = (
        "The flow x′ = −F(x) in the plane of players 1 and 2. The M-ball of a certified game shrinks from the first "
        "moment on; the Euclidean ball of the same size may grow before it shrinks."
    )
    experiment = staticmethod(games.portrait)
    inputs = (*GameView.GAME_INPUTS, "time")
    display = ("shape",)

    time = param.Number(default=3.0, bounds=(0.2, 20.0), label="Time")
    shape = param.Selector(
        default="both", objects={"both": "both", "M-ball": "M", "Euclidean ball": "Euclid"}, label="Balls"
    )

    def pictures(self) -> Sequence[Any]:
        """Return the portrait, the sizes of the balls and the certificate."""
        return [
            Picture("Phase portrait", lambda ds: figures.phase_portrait(ds, shape=self.shape), _portrait, height=460),
            Picture("Size of the balls", figures.ball_sizes, _sizes, height=460),
            certificate_card(),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say the verdict and the truth."""
        return f"{ds.attrs['status']}: {ds.attrs['reason']}. Known: {ds.attrs['truth']}."


def _portrait(ds: xr.Dataset) -> str:
    centre = ", ".join(f"{value if abs(value) > 1e-12 else 0:.4g}" for value in ds.centre.values)
    return f"Grey: trajectories and direction of the flow, around the equilibrium ({centre}). Later balls are thinner."


def _sizes(ds: xr.Dataset) -> str:
    peaks = {name: float(np.max(ds["size"].sel(shape=name))) for name in ("M", "Euclid")}
    return (
        f"Largest on the way: M-ball {peaks['M']:.3g}, Euclidean ball {peaks['Euclid']:.3g} times the start; at the "
        f"end {float(ds['size'].sel(shape='M')[-1]):.3g} and {float(ds['size'].sel(shape='Euclid')[-1]):.3g}."
    )
