"""The games room: bring a game, leave with a contraction certificate that a second, small program verifies.

>>> from workbench import games
>>> bounds = games.Bounds(mu=[1, 1], ell=[1, 1], L=[[0, 10], [0.05, 0]])
>>> certificate = games.certify(bounds)
>>> certificate.status, round(certificate.margin, 6), certificate.weights.round(6).tolist()
(<Status.CERTIFIED: 'CERTIFIED'>, 0.292893, [1.0, 200.0])
>>> games.check(certificate.to_json())
True

Start with :func:`certify`; :data:`GALLERY` has games with known answers, :func:`ladder` compares seven tests of one
game, :func:`simulate` runs its dynamics. Formulas for your own nonlinear game are built with
:mod:`workbench.games.expressions`. Theory: V. Sharma, *Small-Gain Nash*, arXiv:2512.06791.
"""

from workbench.games import expressions, robust
from workbench.games.certificates.basin import certified_basin, verified_equilibrium, with_basin
from workbench.games.certificates.boxes import bounds_on_box
from workbench.games.certificates.certificate import Certificate, Status
from workbench.games.certificates.certify import certify
from workbench.games.dynamics import DYNAMICS
from workbench.games.experiments import (
    box_study,
    delay_study,
    gain_graph,
    ladder,
    margin_curve,
    portrait,
    random_games,
    rate_map,
    simulate,
    step_curve,
    verification,
)
from workbench.games.gallery import GALLERY, Example
from workbench.games.gallery.resolve import parse_matrix, resolve
from workbench.games.models.bounds import Bounds
from workbench.games.models.differentiable import DifferentiableGame
from workbench.games.models.markov import MarkovGame
from workbench.games.models.normal_form import NormalFormGame
from workbench.games.models.quadratic import QuadraticGame
from workbench.games.models.region import Box
from workbench.games.models.smooth import SmoothGame
from workbench.games.robust.experiment import robust_plan
from workbench.games.robust.projects import budget_study
from workbench.games.robust.race import robust_race
from workbench.games.small_gain.band import coordinate_band, two_player_band
from workbench.games.small_gain.weights import perron
from workbench.games.verifier import check, check_refusal, verify

__all__ = [
    "DYNAMICS",
    "GALLERY",
    "Bounds",
    "Box",
    "Certificate",
    "DifferentiableGame",
    "Example",
    "MarkovGame",
    "NormalFormGame",
    "QuadraticGame",
    "SmoothGame",
    "Status",
    "bounds_on_box",
    "box_study",
    "budget_study",
    "certified_basin",
    "certify",
    "check",
    "check_refusal",
    "coordinate_band",
    "delay_study",
    "expressions",
    "gain_graph",
    "ladder",
    "margin_curve",
    "parse_matrix",
    "perron",
    "portrait",
    "random_games",
    "rate_map",
    "resolve",
    "robust",
    "robust_plan",
    "robust_race",
    "simulate",
    "step_curve",
    "two_player_band",
    "verification",
    "verified_equilibrium",
    "verify",
    "with_basin",
]
