"""What the experiments of this room cost: multiples of a game's certificate, whose time is a fact of the gallery.

A game of one's own with a constant Jacobian costs what its eigenvalues cost; the ladder adds two linear matrix
inequalities, and the first of them the start of the solver.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.costs import Cost
from workbench.games.certificates.certificate import Certificate
from workbench.games.gallery import GALLERY
from workbench.games.gallery.registry import has_formulas
from workbench.games.models.smooth import SmoothGame
from workbench.games.robust.costs import budget_study as budget_study
from workbench.games.robust.costs import robust_plan as robust_plan
from workbench.games.robust.costs import robust_race as robust_race

USUAL = 0.1
"""Seconds of a certificate for which the gallery says nothing else."""
USUAL_BOXES = 6000
SOLVER = 1.2
"""Seconds until the solver of the matrix inequalities has been loaded and has answered twice."""
SECONDS_PER_BYTE = 5e-6
"""What the checker takes to prove one byte of a certificate, leaves included."""


def certificate(game: Any) -> float:
    """Return the seconds of certifying a game: by name, as a game of one's own, or as a matrix."""
    if isinstance(game, str):
        return float(GALLERY[game].facts.get("seconds", USUAL))
    if isinstance(game, SmoothGame):
        return 0.25 * game.dimension**2
    size = int(game.dimension) if hasattr(game, "dimension") else len(np.atleast_2d(game))
    return USUAL + (size / 60) ** 3


def _formulas(game: Any) -> bool:
    return has_formulas(game) if isinstance(game, str) else isinstance(game, SmoothGame)


def portrait(game: Any, frames: int) -> Cost:
    """Estimate :func:`workbench.games.portrait`: the certificate, and trajectories of small steps."""
    return Cost(0.1 + 1.5 * certificate(game) * max(frames / 60, 1.0))


def gain_graph(game: Any) -> Cost:
    """Estimate :func:`workbench.games.gain_graph`."""
    return Cost(0.1 + certificate(game))


def margin_curve(game: Any) -> Cost:
    """Estimate :func:`workbench.games.margin_curve`."""
    return Cost(0.1 + certificate(game))


def step_curve(game: Any) -> Cost:
    """Estimate :func:`workbench.games.step_curve`."""
    return Cost(0.3 + certificate(game))


def rate_map(game: Any) -> Cost:
    """Estimate :func:`workbench.games.rate_map`."""
    return Cost(0.3 + certificate(game))


def delay_study(game: Any, delays: Sequence[int], steps: int) -> Cost:
    """Estimate :func:`workbench.games.delay_study`: two simulations for each delay."""
    return Cost(0.2 + certificate(game) * (1 + 2 * len(delays) * steps / 600))


def ladder(game: Any, samples: int) -> Cost:
    """Estimate :func:`workbench.games.ladder`; with formulas the inequalities hold at ``samples`` points at once."""
    sampled = 2.0 * samples / 32 if _formulas(game) else 0.0
    return Cost(SOLVER + sampled + 1.6 * certificate(game))


def box_study(game: Any, max_boxes: int) -> Cost:
    """Estimate :func:`workbench.games.box_study`: the search for leaves, and their verification."""
    return Cost(0.3 + 1.5 * certificate(game) * max(max_boxes / USUAL_BOXES, 0.5), 2000.0 * max_boxes)


def verification(certificate: Any) -> Cost:
    """Estimate :func:`workbench.games.verification` by the length of the file."""
    return checking(len(certificate.to_json()) if isinstance(certificate, Certificate) else len(certificate))


def checking(length: int) -> Cost:
    """Return the cost of checking a certificate of so many bytes."""
    return Cost(0.3 + length * SECONDS_PER_BYTE)


def simulate(game: Any, steps: int) -> Cost:
    """Estimate :func:`workbench.games.simulate`: the certificate, and one evaluation of the field for each step."""
    return Cost(0.1 + certificate(game) * (1 + steps / 600))


def random_games(players: int, games: int) -> Cost:
    """Estimate ``random_games``: the two matrix inequalities of every game dominate.

    >>> str(random_games(players=20, games=100))
    'about 41 s'
    """
    return Cost(SOLVER + games * 0.1 * max(players / 10, 0.1) ** 2)
