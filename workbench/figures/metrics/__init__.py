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

FIGURES = {
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
    "blind_bars",
    "drift_curves",
    "drift_ends",
    "extreme_orders",
    "interval_coverage",
    "invariance_map",
    "mistake_gains",
    "models_compared",
    "nothing_to_show",
    "prevalence_curve",
    "range_of_ap",
    "ranking_strip",
    "replicate_spread",
    "roc_and_pr",
]
