"""Figures of the flows room, a module for each question."""

from workbench.figures.flows.colour import palette_curve, photograph
from workbench.figures.flows.curves import flow_curves
from workbench.figures.flows.directions import direction_map
from workbench.figures.flows.estimators import error_against_time, error_table, estimator_errors
from workbench.figures.flows.exact import (
    SOLVER_LABELS,
    bounds_closing,
    exact_growth,
    kept_entries,
    newton_steps,
    optimal_plan,
    solver_errors,
    table_of_solvers,
)
from workbench.figures.flows.paper import paper_curves, paper_table
from workbench.figures.flows.study import estimator_error

FIGURES = {
    "gradient_flow": flow_curves,
    "compare_estimators": estimator_errors,
    "compare_on": estimator_errors,
    "direction_costs": direction_map,
    "colour_transfer": photograph,
    "seed_experiment": paper_curves,
    "compare_solvers": solver_errors,
    "sns_experiment": newton_steps,
    "exact_scaling": exact_growth,
}
STUDIES = {"compare_estimators": (estimator_error, ("n_directions",))}

__all__ = [
    "FIGURES",
    "SOLVER_LABELS",
    "STUDIES",
    "bounds_closing",
    "direction_map",
    "error_against_time",
    "error_table",
    "estimator_error",
    "estimator_errors",
    "exact_growth",
    "flow_curves",
    "kept_entries",
    "newton_steps",
    "optimal_plan",
    "palette_curve",
    "paper_curves",
    "paper_table",
    "photograph",
    "solver_errors",
    "table_of_solvers",
]
