"""Figures of the flows room, a module for each question."""

from workbench.figures.flows.bits import (
    climate_distance,
    climate_distributions,
    climate_picture,
    format_errors,
    run_curve,
    soil_map,
    soil_profiles,
)
from workbench.figures.flows.colour import palette_curve, photograph
from workbench.figures.flows.curves import flow_curves
from workbench.figures.flows.directions import direction_map
from workbench.figures.flows.estimators import error_against_time, error_table, estimator_errors
from workbench.figures.flows.paper import paper_curves, paper_table
from workbench.figures.flows.study import estimator_error

FIGURES = {
    "gradient_flow": flow_curves,
    "compare_estimators": estimator_errors,
    "compare_on": estimator_errors,
    "direction_costs": direction_map,
    "colour_transfer": photograph,
    "seed_experiment": paper_curves,
    "precision_climate": climate_picture,
    "compare_runs": climate_distributions,
    "precision_sweep": format_errors,
    "low_precision_run": run_curve,
    "soil_column": soil_map,
}
STUDIES = {"compare_estimators": (estimator_error, ("n_directions",))}

__all__ = [
    "FIGURES",
    "STUDIES",
    "climate_distance",
    "climate_distributions",
    "climate_picture",
    "direction_map",
    "error_against_time",
    "error_table",
    "estimator_error",
    "estimator_errors",
    "flow_curves",
    "format_errors",
    "palette_curve",
    "paper_curves",
    "paper_table",
    "photograph",
    "run_curve",
    "soil_map",
    "soil_profiles",
]
