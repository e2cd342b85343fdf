"""Who acts on whom, and the small-gain radius."""

from collections.abc import Sequence
from typing import Any

import param
import xarray as xr

from workbench import games
from workbench.figures import games as figures
from workbench.ui.games.choices import CHOICES, GameView
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.table import Table, of_figure


class GainsView(GameView):
    """The gain graph of many players."""

    title, slug = "Gains", "gains"
    help = (
        "Gain L_ij/μ_i: how strongly player j moves player i. Weights exist exactly if the gains have radius below 1."
    )
    experiment = staticmethod(games.gain_graph)
    inputs = GameView.GAME_INPUTS

    game = param.Selector(default="linear-bertrand", objects=CHOICES, label="Game")

    def pictures(self) -> Sequence[Any]:
        """Return the graph and the players' constants."""
        players = Table("Players", lambda ds: of_figure(figures.gain_table(ds)), text=["player"])
        return [Picture("Gain graph", figures.gain_circle, _graph, height=420), players]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say the radius and what follows."""
        radius = float(ds.radius)
        verdict = "below 1, so weights exist" if radius < 1 else "not below 1, so no weights exist"
        return f"Small-gain radius {radius:.6g}: {verdict}. Best margin τ = {float(ds.tau):.6g}."


def _graph(ds: xr.Dataset) -> str:
    gains = ds.gain.values
    to, source = divmod(int(gains.argmax()), gains.shape[1])
    return f"Strongest: from player {source + 1} to player {to + 1}, {gains[to, source]:.4g}. Thicker is stronger."
