"""Figures of the games room, a module for each question."""

from workbench.figures.games.box import box_margins, leaf_boxes
from workbench.figures.games.capital import box_bounds, sampled_minimum, worst_factors
from workbench.figures.games.ladder import ladder_bars
from workbench.figures.games.margins import gain_circle, gain_table, margin_band
from workbench.figures.games.portrait import ball_sizes, phase_portrait
from workbench.figures.games.robust import bounds_race, tornado
from workbench.figures.games.steps import delay_curves, rate_regions, step_factors
from workbench.figures.games.study import certified_share

FIGURES = {
    "portrait": phase_portrait,
    "margin_curve": margin_band,
    "gain_graph": gain_circle,
    "step_curve": step_factors,
    "rate_map": rate_regions,
    "box_study": box_margins,
    "delay_study": delay_curves,
    "ladder": ladder_bars,
    "robust_plan": tornado,
    "budget_study": sampled_minimum,
}
STUDIES = {"random_games": (certified_share, ("coupling",))}

__all__ = [
    "FIGURES",
    "STUDIES",
    "ball_sizes",
    "bounds_race",
    "box_bounds",
    "box_margins",
    "certified_share",
    "delay_curves",
    "gain_circle",
    "gain_table",
    "ladder_bars",
    "leaf_boxes",
    "margin_band",
    "phase_portrait",
    "rate_regions",
    "sampled_minimum",
    "step_factors",
    "tornado",
    "worst_factors",
]
