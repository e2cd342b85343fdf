"""Figures of the steps room, a module for each question."""

from workbench.figures.steps.bottlenecks import bottleneck_images, bottleneck_spreads
from workbench.figures.steps.limits import limit_marks, spread_bars
from workbench.figures.steps.saddles import (
    basin_map,
    gradient_by_call,
    pruning_curves,
    saddle_map,
    saddle_success,
    survey_atoms,
    survey_calls,
    survey_levels,
)
from workbench.figures.steps.spike import rule_label, spike_accuracy, spike_loss, spike_r, spike_table_marks
from workbench.figures.steps.study import spike_survival
from workbench.figures.steps.sweeps import sweep_accuracy, sweep_loss, temperature_curves
from workbench.figures.steps.taylor import taylor_errors, taylor_polynomials
from workbench.figures.steps.text import text_engaged, text_losses
from workbench.figures.steps.training import training_pairs, training_r
from workbench.figures.steps.zeros import radii_by_stage, zeros_plane

FIGURES = {
    "bottlenecks": bottleneck_images,
    "guard": training_r,
    "limits": limit_marks,
    "prediction_spread": spread_bars,
    "pruning_cost": pruning_curves,
    "saddle_basins": basin_map,
    "saddle_search": saddle_map,
    "saddle_survey": survey_levels,
    "saddle_table": saddle_success,
    "spike": spike_accuracy,
    "spike_table": spike_table_marks,
    "sweep_radius": sweep_accuracy,
    "taylor_orders": taylor_errors,
    "temperature_scaling": temperature_curves,
    "text_survival": text_losses,
    "zeros_map": zeros_plane,
}
STUDIES = {"spike_survival": (spike_survival, ("multiplier",))}

__all__ = [
    "FIGURES",
    "STUDIES",
    "basin_map",
    "bottleneck_images",
    "bottleneck_spreads",
    "gradient_by_call",
    "limit_marks",
    "pruning_curves",
    "radii_by_stage",
    "rule_label",
    "saddle_map",
    "saddle_success",
    "spike_accuracy",
    "spike_loss",
    "spike_r",
    "spike_survival",
    "spike_table_marks",
    "spread_bars",
    "survey_atoms",
    "survey_calls",
    "survey_levels",
    "sweep_accuracy",
    "sweep_loss",
    "taylor_errors",
    "taylor_polynomials",
    "temperature_curves",
    "text_engaged",
    "text_losses",
    "training_pairs",
    "training_r",
    "zeros_plane",
]
