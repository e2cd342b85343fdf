"""What the page and the notebook look at: each question one experiment, each answer one Dataset."""

from workbench.games.experiments.box import box_study
from workbench.games.experiments.delays import delay_study
from workbench.games.experiments.ladder import ladder
from workbench.games.experiments.margins import gain_graph, margin_curve
from workbench.games.experiments.portrait import portrait
from workbench.games.experiments.random_games import random_games
from workbench.games.experiments.rates import rate_map, step_curve
from workbench.games.experiments.simulate import simulate
from workbench.games.experiments.verification import verification

__all__ = [
    "box_study",
    "delay_study",
    "gain_graph",
    "ladder",
    "margin_curve",
    "portrait",
    "random_games",
    "rate_map",
    "simulate",
    "step_curve",
    "verification",
]
