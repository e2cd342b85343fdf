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
from workbench.figures.flows.covariances import NAMES as COVARIANCE_NAMES
from workbench.figures.flows.covariances import (
    audit_curves,
    geodesic_ellipses,
    layer_accuracies,
    mean_certificate,
    normalised_ellipses,
    swelling,
)
from workbench.figures.flows.curves import flow_curves
from workbench.figures.flows.directed import amortised_gains, driven_curves, kappa_curve, rule_errors, search_shares
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
    sparsity_decay,
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
    "covariance_batch": normalised_ellipses,
    "spd_batchnorm_study": layer_accuracies,
    "batchnorm_audit": audit_curves,
    "amortisation_study": amortised_gains,
    "directed_flows": driven_curves,
    "directed_quadratures": rule_errors,
    "directed_slices": kappa_curve,
    "kappa_profile": kappa_curve,
    "slice_searches": search_shares,
    "compare_solvers": solver_errors,
    "sns_experiment": newton_steps,
    "sparsity_decay": sparsity_decay,
    "exact_scaling": exact_growth,
    "precision_climate": climate_picture,
    "compare_runs": climate_distributions,
    "precision_sweep": format_errors,
    "low_precision_run": run_curve,
    "soil_column": soil_map,
}
STUDIES = {"compare_estimators": (estimator_error, ("n_directions",))}

__all__ = [
    "COVARIANCE_NAMES",
    "FIGURES",
    "SOLVER_LABELS",
    "STUDIES",
    "amortised_gains",
    "audit_curves",
    "bounds_closing",
    "climate_distance",
    "climate_distributions",
    "climate_picture",
    "direction_map",
    "driven_curves",
    "error_against_time",
    "error_table",
    "estimator_error",
    "estimator_errors",
    "exact_growth",
    "flow_curves",
    "format_errors",
    "geodesic_ellipses",
    "kappa_curve",
    "kept_entries",
    "layer_accuracies",
    "mean_certificate",
    "newton_steps",
    "normalised_ellipses",
    "optimal_plan",
    "palette_curve",
    "paper_curves",
    "paper_table",
    "photograph",
    "rule_errors",
    "run_curve",
    "search_shares",
    "soil_map",
    "soil_profiles",
    "solver_errors",
    "sparsity_decay",
    "swelling",
    "table_of_solvers",
]
