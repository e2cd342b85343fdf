"""Figures of the fields room, a module for each family."""

from typing import (
    Any,
)

from workbench.figures.fields.core import (
    HANDLES,
    budget_bars,
    budgets_along,
    field_arrows,
    field_error_in_time,
    flow_ends,
    irreducible_bar,
    path_ends,
    study_distances,
    training_distances,
    training_losses,
)
from workbench.figures.fields.downscaling import (
    downscaling_gains,
    downscaling_tails,
    inflation_curves,
    rain_maps,
    return_levels,
)
from workbench.figures.fields.latent import (
    additive_violation,
    codec_curves,
    dimension_curves,
    latent_bounds,
    latent_budget,
    latent_parts,
    latent_samples,
    learner_columns,
    told_power,
)
from workbench.figures.fields.own_populations import own_population_distances, own_population_gains
from workbench.figures.fields.population import (
    gap_in_time,
    population_distances,
    population_gains,
    population_path,
)
from workbench.figures.fields.sliced import generated_digits, generator_distances, gradient_variances

FIGURES = {
    "compare_populations": population_gains,
    "population_gap": gap_in_time,
    "population_report": population_path,
    "own_population_report": own_population_gains,
    "train_generator": generated_digits,
    "generator_study": generator_distances,
    "inflation_report": downscaling_gains,
    "downscaling_study": downscaling_tails,
    "rain_report": return_levels,
    "field_report": field_arrows,
    "train_field": training_distances,
    "training_study": study_distances,
    "error_budget": budget_bars,
    "budget_study": budgets_along,
    "irreducible_loss": irreducible_bar,
    "codec_study": codec_curves,
    "latent_flow": latent_parts,
    "best_dimension": latent_budget,
    "dimension_study": dimension_curves,
    "additive_counterexample": additive_violation,
}
STUDIES: dict[str, Any] = {}

__all__ = [
    "FIGURES",
    "HANDLES",
    "STUDIES",
    "additive_violation",
    "budget_bars",
    "budgets_along",
    "codec_curves",
    "dimension_curves",
    "downscaling_gains",
    "downscaling_tails",
    "field_arrows",
    "field_error_in_time",
    "flow_ends",
    "gap_in_time",
    "generated_digits",
    "generator_distances",
    "gradient_variances",
    "inflation_curves",
    "irreducible_bar",
    "latent_bounds",
    "latent_budget",
    "latent_parts",
    "latent_samples",
    "learner_columns",
    "own_population_distances",
    "own_population_gains",
    "path_ends",
    "population_distances",
    "population_gains",
    "population_path",
    "rain_maps",
    "return_levels",
    "study_distances",
    "told_power",
    "training_distances",
    "training_losses",
]
