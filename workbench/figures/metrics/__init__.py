"""Figures of the metrics room, a module for each family."""

from typing import Any

from workbench.figures.metrics.rankings import (
    HANDLE,
    extreme_orders,
    mistake_gains,
    models_compared,
    nothing_to_show,
    prevalence_curve,
    range_of_ap,
    ranking_strip,
    roc_and_pr,
)
from workbench.figures.metrics.rankings_studies import (
    RULE_LABELS,
    SETUP_LABELS,
    blind_bars,
    drift_curves,
    drift_ends,
    interval_coverage,
    invariance_map,
    replicate_spread,
)
from workbench.figures.metrics.spectra import (
    THRESHOLD,
    alpha_along_training,
    alpha_and_noise,
    coverage_of_bars,
    erg_against_alpha,
    hill_plot,
    layers_of_network,
    tail_of_spectrum,
    threshold_valley,
)

FIGURES = {
    "score_layers": layers_of_network,
    "score_networks": erg_against_alpha,
    "spectrum_report": tail_of_spectrum,
    "tail_coverage": coverage_of_bars,
    "training_spectra": alpha_along_training,
    "unlearned_spectra": erg_against_alpha,
    "ranking": roc_and_pr,
    "ranking_report": roc_and_pr,
    "repairs": mistake_gains,
    "ap_range": extreme_orders,
    "compare": models_compared,
    "bootstrap": replicate_spread,
    "repair_drift": drift_curves,
    "interval_study": interval_coverage,
    "ranking_invariances": invariance_map,
    "ranking_confusions": blind_bars,
}
STUDIES: dict[str, Any] = {}

__all__ = [
    "FIGURES",
    "HANDLE",
    "RULE_LABELS",
    "SETUP_LABELS",
    "STUDIES",
    "THRESHOLD",
    "alpha_along_training",
    "alpha_and_noise",
    "blind_bars",
    "coverage_of_bars",
    "drift_curves",
    "drift_ends",
    "erg_against_alpha",
    "extreme_orders",
    "hill_plot",
    "interval_coverage",
    "invariance_map",
    "layers_of_network",
    "mistake_gains",
    "models_compared",
    "nothing_to_show",
    "prevalence_curve",
    "range_of_ap",
    "ranking_strip",
    "replicate_spread",
    "roc_and_pr",
    "tail_of_spectrum",
    "threshold_valley",
]
