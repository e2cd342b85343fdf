"""The frame of the games room."""

import functools

import holoviews as hv
import xarray as xr

from workbench import games
from workbench.figures import games as figures
from workbench.ui.games.box import BoxView
from workbench.ui.games.capital import CapitalView
from workbench.ui.games.check import CheckView
from workbench.ui.games.contraction import ContractionView
from workbench.ui.games.delays import DelaysView
from workbench.ui.games.gains import GainsView
from workbench.ui.games.ladder import LadderView
from workbench.ui.games.robust import RobustView
from workbench.ui.games.steps import RatesView, StepsView
from workbench.ui.games.study import CertificateStudy
from workbench.ui.games.weights import WeightsView
from workbench.ui.kit.room import Room


class GamesRoom(Room):
    """Bring a game, leave with a certificate that a second program verifies."""

    slug = "games"
    view_classes = (
        ContractionView,
        WeightsView,
        StepsView,
        RatesView,
        GainsView,
        BoxView,
        LadderView,
        DelaysView,
        CheckView,
        RobustView,
        CapitalView,
        CertificateStudy,
    )

    @classmethod
    def thumbnail(cls) -> hv.Overlay:
        """Return the flow of the paper's toy game with a ball that shrinks and one that does not."""
        return figures.phase_portrait(_toy())


@functools.cache
def _toy() -> xr.Dataset:
    return games.portrait("toy")
