"""The frame of the games room."""

from workbench.ui.games.box_view import BoxView
from workbench.ui.games.check_view import CheckView
from workbench.ui.games.contraction_view import ContractionView
from workbench.ui.games.delays_view import DelaysView
from workbench.ui.games.gains_view import GainsView
from workbench.ui.games.ladder_view import LadderView
from workbench.ui.games.steps_view import RatesView, StepsView
from workbench.ui.games.weights_view import WeightsView
from workbench.ui.room import Room
from workbench.ui.studies import CertificateStudy


class GamesRoom(Room):
    """Bring a game, leave with a certificate that a second program verifies."""

    title, slug = "Games", "games"
    purpose = "Get a contraction certificate for a game, with a proof that can be checked, or the reason why not."
    paper = (
        "After V. Sharma, “Small-Gain Nash: Certified Contraction to Nash Equilibria in Differentiable Games”, "
        "arXiv 2512.06791."
    )
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
        CertificateStudy,
    )
