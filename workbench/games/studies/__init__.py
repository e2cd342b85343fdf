"""What the page and the notebook look at: each question one experiment, each answer one Dataset."""

from workbench.games.resolve import parse_matrix, resolve
from workbench.games.studies.box import box_study
from workbench.games.studies.delays import delay_study
from workbench.games.studies.margins import gain_graph, margin_curve
from workbench.games.studies.portrait import portrait
from workbench.games.studies.rates import rate_map, step_curve
from workbench.games.studies.verification import verification

__all__ = [
    "box_study",
    "delay_study",
    "gain_graph",
    "margin_curve",
    "parse_matrix",
    "portrait",
    "rate_map",
    "resolve",
    "step_curve",
    "verification",
]
